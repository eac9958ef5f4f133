//! Reads rows out of a provider's answer, by the connector's expressions.

use std::borrow::Cow;
use std::cell::{Cell, RefCell};

use wire::Decimal;
use wire::decimal::DecimalError;

use super::columns::{Columns, has_distinct_names};
use super::expression::{Expression, Function, Path, RowPath, RowStep, Slots, length_bit};
use super::json::{Json, Kind, Name};
use super::model::Connector;
use super::plain::{Cut, flag, part_of, push_in_case};
use super::time::from_iso8601;
use super::value::{self, Params};

/// An answer that the connector's description does not fit, or a number that does not fit a decimal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mismatch;

impl From<DecimalError> for Mismatch {
    fn from(_: DecimalError) -> Self {
        Self
    }
}

impl From<super::json::JsonError> for Mismatch {
    fn from(_: super::json::JsonError) -> Self {
        Self
    }
}

/// The value of an expression.
#[derive(Clone, Debug)]
pub enum Out<'d> {
    Absent,
    Text(Cow<'d, str>),
    Number(Decimal),
    Json(Held<'d>),
}

/// A list or object, where an expression yields one.
#[derive(Clone, Copy)]
pub struct Held<'d>(pub Json<'d>);

impl std::fmt::Debug for Held<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Json")
    }
}

/// One row while it is read.
pub struct Row<'d, 'e> {
    pub json: Json<'d>,
    /// The name of the member that the row is or lies in, where members of an object were gone through.
    pub(super) key: Option<Name<'d>>,
    /// The rows around it, innermost last.
    pub(super) parents: &'e [Json<'d>],
    /// The members that expressions start with.
    pub(super) slots: &'e [Option<Json<'d>>],
    pub(super) columns: &'e RefCell<Columns<'d>>,
    pub(super) cut: Cell<Option<Cut<'d>>>,
    pub connector: &'e Connector,
    pub arguments: &'e Params,
}

/// Calls `visit` for each row that the path leads to.
pub struct Reader<'e> {
    pub connector: &'e Connector,
    pub arguments: &'e Params,
    pub slots: &'e Slots,
}

impl<'e> Reader<'e> {
    /// A missing member on the way is no row; another type than the path says is a mismatch.
    pub fn rows<'d>(
        &self,
        root: Json<'d>,
        path: &RowPath,
        visit: &mut dyn FnMut(&Row<'d, '_>) -> Result<(), Mismatch>,
    ) -> Result<(), Mismatch> {
        let mut found =
            Gathered { row: None, values: vec![None; self.slots.names.len()], columns: RefCell::default() };
        let mut parents = Vec::new();
        self.walk((root, None), &path.0, &mut parents, &mut found, visit)
    }

    fn walk<'d>(
        &self,
        (at, key): (Json<'d>, Option<Name<'d>>),
        steps: &[RowStep],
        parents: &mut Vec<Json<'d>>,
        found: &mut Gathered<'d>,
        visit: &mut dyn FnMut(&Row<'d, '_>) -> Result<(), Mismatch>,
    ) -> Result<(), Mismatch> {
        let Some((step, rest)) = steps.split_first() else {
            self.gather(at, found)?;
            let (connector, arguments) = (self.connector, self.arguments);
            let Gathered { values: slots, columns, .. } = &*found;
            let cut = Cell::new(None);
            return visit(&Row { json: at, key, parents, slots, columns, cut, connector, arguments });
        };
        match step {
            RowStep::Member(name) => match at.member(name)? {
                Some(value) if !value.is_null() => {
                    parents.push(at);
                    self.walk((value, key), rest, parents, found, visit)?;
                    parents.pop();
                    Ok(())
                }
                _ => Ok(()),
            },
            RowStep::Element(index) => match at.elements().nth(*index) {
                Some(value) => self.walk((value, key), rest, parents, found, visit),
                None => Ok(()),
            },
            RowStep::EachElement if matches!(at.kind(), Kind::Array | Kind::Null) => {
                for value in at.elements() {
                    self.walk((value, key), rest, parents, found, visit)?;
                }
                Ok(())
            }
            RowStep::EachMember if matches!(at.kind(), Kind::Object | Kind::Null) => {
                if !has_distinct_names(at) {
                    return Err(Mismatch);
                }
                for (name, value) in at.members() {
                    self.walk((value, Some(name)), rest, parents, found, visit)?;
                }
                Ok(())
            }
            RowStep::EachElement | RowStep::EachMember => Err(Mismatch),
        }
    }

    /// Finds the members that matter in a row; where they stand is known when the row repeats the one before.
    fn gather<'d>(&self, row: Json<'d>, found: &mut Gathered<'d>) -> Result<(), Mismatch> {
        if found.values.is_empty() {
            return Ok(());
        }
        match found.row.replace(row).filter(|elder| row.repeats(*elder)) {
            Some(elder) => {
                for value in found.values.iter_mut().flatten() {
                    *value = row.counterpart(elder, *value);
                }
                Ok(())
            }
            None => self.search(row, &mut found.values),
        }
    }

    /// Reads a row once: each member is compared with the names that matter. A name that matters twice is refused.
    fn search<'d>(&self, row: Json<'d>, found: &mut [Option<Json<'d>>]) -> Result<(), Mismatch> {
        found.fill(None);
        let lengths = self.slots.lengths();
        for (name, value) in row.members() {
            let plain = name.plain();
            if plain.is_some_and(|plain| lengths & length_bit(plain.len()) == 0) {
                continue;
            }
            for (index, slot) in found.iter_mut().enumerate() {
                let Some(wanted) = self.slots.names.get(index) else { break };
                let is = plain.map_or_else(|| name.is(wanted), |plain| plain == wanted.as_bytes());
                if is && slot.replace(value).is_some() {
                    return Err(Mismatch);
                }
            }
        }
        Ok(())
    }
}

/// The members that matter, by slot, and the row that they were found in.
struct Gathered<'d> {
    row: Option<Json<'d>>,
    values: Vec<Option<Json<'d>>>,
    columns: RefCell<Columns<'d>>,
}

impl<'d> Row<'d, '_> {
    /// The member name of the row.
    pub fn key(&self) -> Option<Cow<'d, str>> {
        self.key.map(Name::text)
    }

    /// The value as a number: what [`Self::evaluate`] gives, without the detour over text for what balances consist of.
    pub fn decimal(&self, expression: &'d Expression) -> Result<Option<Decimal>, Mismatch> {
        let mut number = None;
        self.read_decimal(expression, &mut number)?;
        Ok(number)
    }

    /// Leaves the value in `number`, which holds none: a decimal that is handed up by value is copied each time, right
    /// after it was written in parts, for which the processor has to wait.
    pub fn read_decimal(
        &self,
        expression: &'d Expression,
        number: &mut Option<Decimal>,
    ) -> Result<(), Mismatch> {
        let Some(member) = self.member(expression) else { return self.combine(expression, number) };
        match member.and_then(Json::plain) {
            Some([]) => {}
            Some(digits) => *number = Some(Decimal::parse(digits)?),
            None => *number = member.map_or(Ok(None), |json| Out::of(json).decimal())?,
        }
        Ok(())
    }

    fn combine(&self, expression: &'d Expression, number: &mut Option<Decimal>) -> Result<(), Mismatch> {
        match expression {
            Expression::First(parts) => {
                for part in parts {
                    self.read_decimal(part, number)?;
                    if number.is_some() {
                        break;
                    }
                }
            }
            Expression::Add(left, right) => {
                self.read_decimal(left, number)?;
                let right = self.decimal(right)?;
                *number = match (*number, right) {
                    (Some(left), Some(right)) => Some(left.checked_add(right)?),
                    (left, right) => left.or(right),
                };
            }
            Expression::Subtract(left, right) => {
                self.read_decimal(left, number)?;
                if let (Some(left), Some(right)) = (*number, self.decimal(right)?) {
                    *number = Some(left.checked_sub(right)?);
                }
            }
            Expression::Multiply(left, right) => {
                if let (Some(left), Some(right)) = (self.decimal(left)?, self.decimal(right)?) {
                    *number = Some(left.checked_mul(right)?);
                }
            }
            Expression::Call(Function::Unless, arguments) => {
                if let [unwanted, wanted] = arguments.as_slice()
                    && self.is_absent(unwanted)?
                {
                    self.read_decimal(wanted, number)?;
                }
            }
            Expression::Number(known) => *number = Some(*known),
            other => match self.plain(other) {
                Some("") => {}
                Some(digits) => *number = Some(Decimal::parse(digits.as_bytes())?),
                None => *number = self.evaluate(other)?.decimal()?,
            },
        }
        Ok(())
    }

    /// Whether the expression has no value.
    fn is_absent(&self, expression: &'d Expression) -> Result<bool, Mismatch> {
        match self.plain(expression) {
            Some(text) => Ok(text.is_empty()),
            None => Ok(self.evaluate(expression)?.is_absent()),
        }
    }

    /// The member that an expression consists of, as most do; nothing for another expression.
    #[inline]
    fn member(&self, expression: &Expression) -> Option<Option<Json<'d>>> {
        match expression {
            Expression::Path(Path { slot: Some(slot), steps, .. }) if steps.len() == 1 => {
                Some(self.slots.get(usize::from(*slot)).copied().flatten())
            }
            _ => None,
        }
    }

    pub fn text<'r>(&'r self, expression: &'d Expression) -> Result<Option<Cow<'r, str>>, Mismatch> {
        match self.plain(expression) {
            Some(text) => Ok(Some(Cow::Borrowed(text)).filter(|text| !text.is_empty())),
            None => Ok(self.evaluate(expression)?.text()),
        }
    }

    /// The same, built in `room` where it is not lent.
    pub fn text_in<'r>(
        &'r self,
        expression: &'d Expression,
        room: &'r mut String,
    ) -> Result<Option<&'r str>, Mismatch> {
        if let Some(text) = self.plain(expression) {
            return Ok(Some(text).filter(|text| !text.is_empty()));
        }
        room.clear();
        let is_absent = match self.in_other_case(expression) {
            Some((text, function)) => {
                push_in_case(text, function, room);
                text.is_empty()
            }
            None => {
                let text = self.evaluate(expression)?.text();
                room.push_str(text.as_deref().unwrap_or_default());
                text.is_none()
            }
        };
        Ok(Some(room.as_str()).filter(|_| !is_absent))
    }

    /// A lent text, and the case that the expression puts it in.
    fn in_other_case(&self, expression: &'d Expression) -> Option<(&str, Function)> {
        match expression {
            Expression::Call(function @ (Function::Upper | Function::Lower), arguments) => {
                Some((self.plain(arguments.first()?)?, *function))
            }
            _ => None,
        }
    }

    pub fn evaluate(&self, expression: &'d Expression) -> Result<Out<'d>, Mismatch> {
        match expression {
            Expression::Path(path) => self.path(path),
            Expression::First(parts) => {
                for part in parts {
                    let out = self.evaluate(part)?;
                    if !out.is_absent() {
                        return Ok(out);
                    }
                }
                Ok(Out::Absent)
            }
            Expression::Add(..) | Expression::Subtract(..) | Expression::Multiply(..) => {
                Ok(self.decimal(expression)?.map_or(Out::Absent, Out::Number))
            }
            Expression::Key => Ok(self.key().map_or(Out::Absent, Out::Text)),
            Expression::Row => Ok(Out::of(self.json)),
            Expression::Argument(name) => {
                let value = value::find(self.arguments, name).map(|value| value.text().to_owned());
                Ok(value.filter(|text| !text.is_empty()).map_or(Out::Absent, |text| Out::Text(text.into())))
            }
            Expression::Text(text) if text.is_empty() => Ok(Out::Absent),
            Expression::Text(text) => Ok(Out::Text(Cow::Borrowed(text))),
            Expression::Number(number) => Ok(Out::Number(*number)),
            Expression::Call(function, arguments) => self.call(*function, arguments),
        }
    }

    fn path(&self, path: &Path) -> Result<Out<'d>, Mismatch> {
        Ok(self.at(path)?.map_or(Out::Absent, Out::of))
    }

    fn call(&self, function: Function, arguments: &'d [Expression]) -> Result<Out<'d>, Mismatch> {
        let argument =
            |at: usize| arguments.get(at).map_or(Ok(Out::Absent), |argument| self.evaluate(argument));
        let first = argument(0)?;
        if function == Function::Present {
            return Ok(Out::flag(!first.is_absent()));
        }
        if function == Function::Unless {
            return if first.is_absent() { argument(1) } else { Ok(Out::Absent) };
        }
        if first.is_absent() {
            return Ok(Out::Absent);
        }
        match function {
            Function::Millis => first.scaled("1"),
            Function::Seconds => first.scaled("1000"),
            Function::Micros => first.scaled("0.001"),
            Function::Nanos => first.scaled("0.000001"),
            Function::Iso => first.instant(),
            Function::Upper | Function::Lower => {
                Ok(first.text().map_or(Out::Absent, |text| in_case(&text, function)))
            }
            Function::Before => first.split(argument(1)?, true),
            Function::After => first.split(argument(1)?, false),
            Function::Map => {
                let table = argument(1)?.text();
                Ok(self.mapped(first, table.as_deref()))
            }
            Function::Has => {
                Ok(Out::flag(first.contains(argument(1)?.text().as_deref().unwrap_or_default())))
            }
            Function::Negate => Ok(Out::Number(first.decimal()?.ok_or(Mismatch)?.checked_neg()?)),
            Function::Absolute => {
                let number = first.decimal()?.ok_or(Mismatch)?;
                Ok(Out::Number(if number.is_negative() { number.checked_neg()? } else { number }))
            }
            Function::Positive => {
                argument(if first.decimal()?.ok_or(Mismatch)?.is_negative() { 2 } else { 1 })
            }
            Function::At => {
                let (Out::Json(Held(json)), Some(name)) = (&first, argument(1)?.text()) else {
                    return Ok(Out::Absent);
                };
                Ok(self.columns.borrow_mut().member(*json, &name)?.map_or(Out::Absent, Out::of))
            }
            Function::Tick => tick(&first.text().unwrap_or_default()).map(Out::Number),
            Function::Equal => argument(if first.text() == argument(1)?.text() { 2 } else { 3 }),
            Function::Present | Function::Unless => Ok(Out::Absent),
        }
    }

    fn mapped(&self, out: Out<'d>, table: Option<&str>) -> Out<'d> {
        let text = out.text().unwrap_or_default();
        Out::some(Cow::Owned(self.looked_up(&text, table.unwrap_or_default()).to_owned()))
    }
}

impl<'d> Out<'d> {
    fn of(json: Json<'d>) -> Self {
        match json.kind() {
            Kind::Null => Self::Absent,
            Kind::Array | Kind::Object => Self::Json(Held(json)),
            _ => json.scalar().map_or(Self::Absent, Self::some),
        }
    }

    /// A text, absent where it is empty.
    fn some(text: Cow<'d, str>) -> Self {
        if text.is_empty() { Self::Absent } else { Self::Text(text) }
    }

    fn flag(yes: bool) -> Self {
        Self::Text(Cow::Borrowed(flag(yes)))
    }

    pub fn is_absent(&self) -> bool {
        matches!(self, Self::Absent)
    }

    /// A scalar as text; lists and objects have none.
    pub fn text(self) -> Option<Cow<'d, str>> {
        match self {
            Self::Text(text) => Some(text),
            Self::Number(number) => Some(Cow::Owned(number.to_string())),
            Self::Absent | Self::Json(_) => None,
        }
    }

    pub fn decimal(self) -> Result<Option<Decimal>, Mismatch> {
        match self {
            Self::Absent => Ok(None),
            Self::Number(number) => Ok(Some(number)),
            Self::Text(text) => Ok(Some(Decimal::parse(text.as_bytes())?)),
            Self::Json(_) => Err(Mismatch),
        }
    }

    /// The number times `factor`, cut to a whole number: a time in ms.
    fn scaled(self, factor: &str) -> Result<Self, Mismatch> {
        let number = self.decimal()?.ok_or(Mismatch)?;
        let factor: Decimal = factor.parse()?;
        Ok(Self::Number(number.checked_mul_to(factor, 0, wire::decimal::Rounding::Down)?))
    }

    fn instant(self) -> Result<Self, Mismatch> {
        let text = self.text().ok_or(Mismatch)?;
        let ms = from_iso8601(&text).and_then(|ms| i64::try_from(ms).ok()).ok_or(Mismatch)?;
        Ok(Self::Number(Decimal::from(ms)))
    }

    fn split(self, separator: Out<'d>, before: bool) -> Result<Self, Mismatch> {
        let (text, separator) = (self.text().ok_or(Mismatch)?, separator.text().ok_or(Mismatch)?);
        let part = match text {
            Cow::Borrowed(text) => part_of(text, &separator, before).map(Cow::Borrowed),
            Cow::Owned(text) => part_of(&text, &separator, before).map(|part| Cow::Owned(part.to_owned())),
        };
        Ok(part.map_or(Self::Absent, Self::some))
    }

    fn contains(&self, wanted: &str) -> bool {
        match self {
            Self::Text(text) => text.contains(wanted),
            Self::Json(Held(json)) => {
                json.elements().any(|item| item.scalar().is_some_and(|text| text == wanted))
            }
            Self::Absent | Self::Number(_) => false,
        }
    }
}

fn in_case<'d>(text: &str, function: Function) -> Out<'d> {
    let mut out = String::with_capacity(text.len());
    push_in_case(text, function, &mut out);
    Out::Text(Cow::Owned(out))
}

/// 10⁻ⁿ for an n of at most 38 either way.
fn tick(digits: &str) -> Result<Decimal, Mismatch> {
    let digits: i8 = digits.parse().map_err(|_| Mismatch)?;
    let zeros = usize::from(digits.unsigned_abs());
    if zeros > 38 {
        return Err(Mismatch);
    }
    let text = match digits {
        1.. => format!("0.{}1", "0".repeat(zeros - 1)),
        _ => format!("1{}", "0".repeat(zeros)),
    };
    text.parse().map_err(|_| Mismatch)
}
