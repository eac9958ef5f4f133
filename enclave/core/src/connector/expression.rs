//! Expressions of a connector file: how a field of a result follows from a provider's answer.
//!
//! ```text
//! expression = sum *( " ?? " sum )             the first that is present
//! sum        = product *( (" + " / " - ") product )
//! product    = term *( " * " term )
//! term       = path / "'" text "'" / number / name "(" expression *( ", " expression ) ")" / "@key" / "$" argument
//! path       = *"^" step *( "." step )          "^" goes to the row's parent; a step is a member name or an index
//! ```
//! A missing member, `null` and the empty string are all "absent".

use wire::Decimal;

/// A parsed expression. Paths that start with a member of the row are numbered slots, so that a row is read once.
#[derive(Clone, Debug, PartialEq)]
pub enum Expression {
    First(Vec<Expression>),
    /// Absent operands are skipped; absent when all are.
    Add(Box<Expression>, Box<Expression>),
    /// Absent when the left side is; an absent right side is zero.
    Subtract(Box<Expression>, Box<Expression>),
    Multiply(Box<Expression>, Box<Expression>),
    Path(Path),
    /// The name of the member that the row is or lies in, where rows are below members of an object.
    Key,
    /// The row itself, where it is a scalar.
    Row,
    Argument(String),
    Text(String),
    Number(Decimal),
    Call(Function, Vec<Expression>),
}

#[derive(Clone, Debug)]
pub struct Path {
    /// How many rows up it starts.
    pub up: u8,
    /// The slot of the first step, where that is a member of the row itself.
    pub slot: Option<u16>,
    pub steps: Box<[Step]>,
}

impl PartialEq for Path {
    /// Whether both lead to the same place; slots are numbered by listing.
    fn eq(&self, other: &Self) -> bool {
        (self.up, &self.steps) == (other.up, &other.steps)
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    Member(String),
    Index(usize),
    /// The first member of an object, whatever its name.
    Any,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Function {
    /// Unix time in ms, from ms, s, µs, ns, or ISO 8601 text.
    Millis,
    Seconds,
    Micros,
    Nanos,
    Iso,
    Upper,
    Lower,
    /// `before(x, '-')`, `after(x, '-')`: the part around the first separator; absent without one.
    Before,
    After,
    /// `map(x, 'table')`: through a table of the connector, absent when not listed.
    Map,
    /// `has(x, 'text')`: `yes` when the text or any element of the list is or contains it, else `no`.
    Has,
    /// `present(x)`: `yes` or `no`.
    Present,
    /// `unless(x, y)`: y where x is absent.
    Unless,
    Negate,
    Absolute,
    /// `positive(x, a, b)`: a when x ≥ 0, else b.
    Positive,
    /// `equal(x, y, a, b)`: a when x and y are the same text, else b.
    Equal,
    /// `at(x, y)`: the member of x whose name is y, where one list of amounts stands beside another.
    At,
    /// `tick(n)`: the smallest step of an amount with n digits behind the point, 10⁻ⁿ.
    Tick,
}

/// The first steps of paths into the row itself, in slot order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Slots {
    pub names: Vec<String>,
    lengths: u64,
}

/// A bit for the length of a name: one comparison tells that a member matters to no slot.
#[inline]
pub fn length_bit(length: usize) -> u64 {
    1 << length.min(63)
}

impl Slots {
    /// The lengths of all names, as bits.
    #[inline]
    pub fn lengths(&self) -> u64 {
        self.lengths
    }

    /// Gives back the room that no name has taken.
    pub fn shrink(&mut self) {
        self.names.shrink_to_fit();
    }

    /// The slot of a name; nothing where there are too many.
    fn of(&mut self, name: &str) -> Option<u16> {
        let known = self.names.iter().position(|known| known == name);
        let slot = known.unwrap_or(self.names.len());
        if known.is_none() {
            self.names.push(name.to_owned());
            self.lengths |= length_bit(name.len());
        }
        u16::try_from(slot).ok()
    }
}

impl Expression {
    pub fn parse(text: &str, slots: &mut Slots) -> Result<Self, String> {
        let mut parser = Parser { text, rest: text, slots, depth: 0 };
        let expression = parser.first()?;
        if !parser.rest.is_empty() {
            return Err(parser.fault("unexpected text"));
        }
        Ok(expression)
    }

    /// Whether a part of the expression satisfies `test`.
    pub fn any(&self, test: &mut dyn FnMut(&Expression) -> bool) -> bool {
        test(self)
            || match self {
                Self::First(parts) | Self::Call(_, parts) => parts.iter().any(|part| part.any(test)),
                Self::Add(left, right) | Self::Subtract(left, right) | Self::Multiply(left, right) => {
                    left.any(test) || right.any(test)
                }
                _ => false,
            }
    }
}

struct Parser<'p> {
    text: &'p str,
    rest: &'p str,
    slots: &'p mut Slots,
    depth: usize,
}

impl<'p> Parser<'p> {
    fn first(&mut self) -> Result<Expression, String> {
        self.depth += 1;
        if self.depth > 8 {
            return Err(self.fault("too deep"));
        }
        let first = self.sum()?;
        if !self.accept(" ?? ") {
            self.depth -= 1;
            return Ok(first);
        }
        let mut parts = vec![first, self.sum()?];
        while self.accept(" ?? ") {
            parts.push(self.sum()?);
        }
        self.depth -= 1;
        parts.shrink_to_fit();
        Ok(Expression::First(parts))
    }

    fn sum(&mut self) -> Result<Expression, String> {
        let mut left = self.product()?;
        loop {
            if self.accept(" + ") {
                left = Expression::Add(Box::new(left), Box::new(self.product()?));
            } else if self.accept(" - ") {
                left = Expression::Subtract(Box::new(left), Box::new(self.product()?));
            } else {
                return Ok(left);
            }
        }
    }

    fn product(&mut self) -> Result<Expression, String> {
        let mut left = self.term()?;
        while self.accept(" * ") {
            left = Expression::Multiply(Box::new(left), Box::new(self.term()?));
        }
        Ok(left)
    }

    fn term(&mut self) -> Result<Expression, String> {
        if self.accept("'") {
            let (text, rest) = self.rest.split_once('\'').ok_or_else(|| self.fault("unclosed quote"))?;
            self.rest = rest;
            return Ok(Expression::Text(text.to_owned()));
        }
        if self.accept("(") {
            let inner = self.first()?;
            return if self.accept(")") { Ok(inner) } else { Err(self.fault("expected `)`")) };
        }
        if self.accept("@key") {
            return Ok(Expression::Key);
        }
        if self.accept("@row.") {
            let word = self.word()?;
            let path = self.path(word)?;
            return if path.up == 0 { Ok(Expression::Path(path)) } else { Err(self.fault("bad path")) };
        }
        if self.accept("@row") {
            return Ok(Expression::Row);
        }
        if self.accept("$") {
            return Ok(Expression::Argument(self.word()?.to_owned()));
        }
        let word = self.word()?;
        if self.accept("(") {
            return self.call(word);
        }
        if word.starts_with(|first: char| first.is_ascii_digit()) && word.parse::<Decimal>().is_ok() {
            return word.parse().map(Expression::Number).map_err(|_| self.fault("bad number"));
        }
        self.path(word).map(Expression::Path)
    }

    fn call(&mut self, name: &str) -> Result<Expression, String> {
        let (function, count) = function(name).ok_or_else(|| self.fault("unknown function"))?;
        let mut arguments = Vec::with_capacity(count);
        arguments.push(self.first()?);
        while self.accept(", ") {
            arguments.push(self.first()?);
        }
        if !self.accept(")") || arguments.len() != count {
            return Err(self.fault("wrong arguments"));
        }
        Ok(Expression::Call(function, arguments))
    }

    fn path(&mut self, word: &str) -> Result<Path, String> {
        let steps_text = word.trim_start_matches('^');
        let up = u8::try_from(word.len() - steps_text.len()).map_err(|_| self.fault("bad path"))?;
        let mut steps = Vec::with_capacity(1 + steps_text.bytes().filter(|byte| *byte == b'.').count());
        steps.extend(steps_text.split('.').map(parse_step));
        let steps = steps.into_boxed_slice();
        if steps.len() > 8 || steps.iter().any(|step| *step == Step::Member(String::new())) {
            return Err(self.fault("bad path"));
        }
        let slot = match (up, steps.first()) {
            (0, Some(Step::Member(name))) => {
                Some(self.slots.of(name).ok_or_else(|| self.fault("too many members"))?)
            }
            _ => None,
        };
        Ok(Path { up, slot, steps })
    }

    /// A name, number or path: up to a space, comma, bracket or the end.
    fn word(&mut self) -> Result<&'p str, String> {
        let end = self.rest.find([' ', ',', '(', ')', '\'']).unwrap_or(self.rest.len());
        if end == 0 {
            return Err(self.fault("expected a term"));
        }
        let (word, rest) = self.rest.split_at(end);
        self.rest = rest;
        Ok(word)
    }

    fn accept(&mut self, token: &str) -> bool {
        match self.rest.strip_prefix(token) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn fault(&self, reason: &str) -> String {
        format!("{reason} at `{}` in `{}`", self.rest, self.text)
    }
}

fn parse_step(step: &str) -> Step {
    match step.parse() {
        Ok(index) => Step::Index(index),
        Err(_) if step == "*" => Step::Any,
        Err(_) => Step::Member(step.to_owned()),
    }
}

fn function(name: &str) -> Option<(Function, usize)> {
    Some(match name {
        "ms" => (Function::Millis, 1),
        "s" => (Function::Seconds, 1),
        "us" => (Function::Micros, 1),
        "ns" => (Function::Nanos, 1),
        "iso" => (Function::Iso, 1),
        "upper" => (Function::Upper, 1),
        "lower" => (Function::Lower, 1),
        "before" => (Function::Before, 2),
        "after" => (Function::After, 2),
        "map" => (Function::Map, 2),
        "has" => (Function::Has, 2),
        "present" => (Function::Present, 1),
        "unless" => (Function::Unless, 2),
        "neg" => (Function::Negate, 1),
        "abs" => (Function::Absolute, 1),
        "positive" => (Function::Positive, 3),
        "equal" => (Function::Equal, 4),
        "at" => (Function::At, 2),
        "tick" => (Function::Tick, 1),
        _ => return None,
    })
}

/// Where rows are in an answer: `data[*].details[*]`, `result.*`, or nothing for the whole answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RowPath(pub Vec<RowStep>);

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RowStep {
    Member(String),
    /// `*`: each member of an object.
    EachMember,
    /// `[*]`: each element of an array.
    EachElement,
    /// `[0]`.
    Element(usize),
}

impl RowPath {
    /// Of rows within rows, the path to the outer ones.
    pub fn outer(&self) -> Option<Self> {
        let each = |step: &RowStep| matches!(step, RowStep::EachMember | RowStep::EachElement);
        let first = self.0.iter().position(each)?;
        let inner = self.0.iter().skip(first + 1).any(each);
        inner.then(|| Self(self.0.iter().take(first + 1).cloned().collect()))
    }

    pub fn parse(text: &str) -> Result<Self, String> {
        let mut steps = Vec::new();
        for part in text.split('.').filter(|part| !part.is_empty()) {
            let (name, brackets) = part.split_at(part.find('[').unwrap_or(part.len()));
            match name {
                "" => {}
                "*" => steps.push(RowStep::EachMember),
                name => steps.push(RowStep::Member(name.to_owned())),
            }
            for bracket in brackets.split('[').skip(1) {
                let inner = bracket.strip_suffix(']').ok_or_else(|| format!("unclosed `[` in `{text}`"))?;
                steps.push(match inner {
                    "*" => RowStep::EachElement,
                    index => RowStep::Element(index.parse().map_err(|_| format!("bad index in `{text}`"))?),
                });
            }
        }
        steps.shrink_to_fit();
        Ok(Self(steps))
    }
}
