//! Reads a row of an answer by the expressions of a file: how the sandbox checks what it is about to say.

use super::super::clock;
use super::expression::{Expression, RowStep, Sign, Step};
use super::file::File;
use super::json::Json;
use wire::Decimal;
use wire::decimal::Rounding;

/// What expressions may name besides the row.
#[derive(Debug, Clone, Copy)]
pub struct Scope<'s> {
    pub file: &'s File,
    /// `$name`.
    pub arguments: &'s [(String, String)],
}

/// A row, and what is around it.
#[derive(Debug, Clone, Copy)]
pub struct Row<'r> {
    pub json: &'r Json,
    pub key: Option<&'r str>,
    /// The objects in which a step was made to a member, innermost last.
    pub parents: &'r [&'r Json],
}

/// The value of an expression.
#[derive(Debug, Clone, PartialEq)]
pub enum Out {
    Absent,
    Text(String),
    Json(Json),
}

impl Out {
    pub fn text(self) -> Option<String> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }

    pub fn number(self) -> Option<Decimal> {
        self.text()?.parse().ok()
    }

    fn of(json: Option<&Json>) -> Self {
        match json {
            None | Some(Json::Null) => Self::Absent,
            Some(list @ (Json::List(_) | Json::Map(_))) => Self::Json(list.clone()),
            Some(scalar) => Self::of_text(scalar.text().unwrap_or_default().to_owned()),
        }
    }

    fn of_text(text: String) -> Self {
        if text.is_empty() { Self::Absent } else { Self::Text(text) }
    }

    fn of_number(number: Option<Decimal>) -> Self {
        number.map_or(Self::Absent, |number| Self::Text(number.to_string()))
    }

    fn flag(yes: bool) -> Self {
        Self::Text(if yes { "yes" } else { "no" }.to_owned())
    }
}

/// Calls `visit` with each row that the path leads to.
pub fn rows<'j>(root: &'j Json, path: &[RowStep], visit: &mut dyn FnMut(Row)) {
    walk(root, None, path, &mut Vec::new(), visit);
}

fn walk<'j>(
    at: &'j Json,
    key: Option<&'j str>,
    path: &[RowStep],
    parents: &mut Vec<&'j Json>,
    visit: &mut dyn FnMut(Row),
) {
    let Some((step, rest)) = path.split_first() else { return visit(Row { json: at, key, parents }) };
    match step {
        RowStep::Member(name) => {
            if let Some(value) = at.member(name).filter(|value| **value != Json::Null) {
                parents.push(at);
                walk(value, key, rest, parents, visit);
                parents.pop();
            }
        }
        RowStep::Index(index) => {
            if let Some(value) = at.items().get(*index) {
                walk(value, key, rest, parents, visit);
            }
        }
        RowStep::EachItem => at.items().iter().for_each(|value| walk(value, key, rest, parents, visit)),
        RowStep::EachMember => {
            at.members().iter().for_each(|(name, value)| walk(value, Some(name), rest, parents, visit));
        }
    }
}

/// The value of an expression in a row.
pub fn evaluate(expression: &Expression, row: Row, scope: Scope) -> Out {
    let number = |expression: &Expression| evaluate(expression, row, scope).number();
    match expression {
        Expression::Path(up, steps) => path(*up, steps, row),
        Expression::First(parts) => {
            let mut values = parts.iter().map(|part| evaluate(part, row, scope));
            values.find(|value| *value != Out::Absent).unwrap_or(Out::Absent)
        }
        Expression::Sum(left, Sign::Plus, right) => Out::of_number(match (number(left), number(right)) {
            (Some(left), Some(right)) => left.checked_add(right).ok(),
            (left, right) => left.or(right),
        }),
        Expression::Sum(left, Sign::Minus, right) => Out::of_number(
            number(left)
                .and_then(|left| number(right).map_or(Some(left), |right| left.checked_sub(right).ok())),
        ),
        Expression::Product(left, right) => {
            let product =
                number(left).zip(number(right)).and_then(|(left, right)| left.checked_mul(right).ok());
            Out::of_number(product)
        }
        Expression::Key => row.key.map_or(Out::Absent, |key| Out::of_text(key.to_owned())),
        Expression::Argument(name) => {
            let known = scope.arguments.iter().find(|(known, _)| known == name);
            known.map_or(Out::Absent, |(_, text)| Out::of_text(text.clone()))
        }
        Expression::Text(text) => Out::of_text(text.clone()),
        Expression::Number(number) => Out::of_number(Some(*number)),
        Expression::Call(name, arguments) => call(name, arguments, row, scope).unwrap_or(Out::Absent),
    }
}

fn path(up: usize, steps: &[Step], row: Row) -> Out {
    let start = match up {
        0 => Some(row.json),
        _ => row.parents.len().checked_sub(up).and_then(|at| row.parents.get(at).copied()),
    };
    let next = |at: &'_ Json, step: &Step| -> Option<Json> {
        match step {
            Step::Member(name) => at.member(name).cloned(),
            Step::Index(index) => at.items().get(*index).cloned(),
            Step::Any => at.members().first().map(|(_, value)| value.clone()),
        }
    };
    Out::of(steps.iter().try_fold(start.cloned(), |at, step| Some(next(&at?, step))).flatten().as_ref())
}

/// A function; `None` where it has no value.
fn call(name: &str, arguments: &[Expression], row: Row, scope: Scope) -> Option<Out> {
    let argument =
        |at: usize| arguments.get(at).map_or(Out::Absent, |argument| evaluate(argument, row, scope));
    let text = |at: usize| argument(at).text();
    let first = argument(0);
    match name {
        "present" => return Some(Out::flag(first != Out::Absent)),
        "unless" => return Some(if first == Out::Absent { argument(1) } else { Out::Absent }),
        _ if first == Out::Absent => return None,
        _ => {}
    }
    let number = || first.clone().number();
    let mapped = |change: fn(&str) -> String| first.clone().text().map(|text| Out::Text(change(&text)));
    Some(match name {
        "ms" => scaled(number()?, "1")?,
        "s" => scaled(number()?, "1000")?,
        "us" => scaled(number()?, "0.001")?,
        "ns" => scaled(number()?, "0.000001")?,
        "iso" => Out::Text(clock::parse_iso(&first.text()?)?.to_string()),
        "upper" => mapped(str::to_uppercase)?,
        "lower" => mapped(str::to_lowercase)?,
        "before" => Out::of_text(first.text()?.split_once(&text(1)?)?.0.to_owned()),
        "after" => Out::of_text(first.text()?.split_once(&text(1)?)?.1.to_owned()),
        "map" => Out::Text(map(scope.file, &text(1)?, &first.text()?)?),
        "has" => {
            let word = text(1)?;
            Out::flag(match &first {
                Out::Text(text) => text.contains(&word),
                Out::Json(list) => list.items().iter().any(|item| item.text() == Some(&word)),
                Out::Absent => false,
            })
        }
        "neg" => Out::of_number(number()?.checked_neg().ok()),
        "abs" => {
            let number = number()?;
            Out::of_number(if number.is_negative() { number.checked_neg().ok() } else { Some(number) })
        }
        "positive" => argument(if number()?.is_negative() { 2 } else { 1 }),
        "equal" => argument(if first.text() == text(1) { 2 } else { 3 }),
        "at" => {
            let Out::Json(object) = first else { return None };
            Out::of(object.member(&text(1)?))
        }
        "tick" => {
            let digits: i32 = first.text()?.parse().ok()?;
            let zeros = "0".repeat(usize::try_from(digits.unsigned_abs()).ok()?);
            Out::of_text(if digits > 0 { format!("0.{}1", zeros.get(1..)?) } else { format!("1{zeros}") })
        }
        _ => return None,
    })
}

fn scaled(number: Decimal, factor: &str) -> Option<Out> {
    let product = number.checked_mul_to(factor.parse().ok()?, 0, Rounding::Down);
    product.ok().map(|product| Out::of_number(Some(product)))
}

fn map(file: &File, table: &str, text: &str) -> Option<String> {
    let rows = file.table(table);
    let row = |wanted: &str| rows.iter().find(|(from, _)| from == wanted).map(|(_, to)| to.clone());
    row(text).or_else(|| row("*"))
}
