//! The expressions of connector files (`docs/spec/connector.md`, "Expression"), read by a parser of the sandbox's own.

use wire::Decimal;

/// A parsed expression.
#[derive(Debug, Clone, PartialEq)]
pub enum Expression {
    /// `a ?? b`.
    First(Vec<Expression>),
    Sum(Box<Expression>, Sign, Box<Expression>),
    Product(Box<Expression>, Box<Expression>),
    /// How many objects up, and the steps from there.
    Path(usize, Vec<Step>),
    Key,
    Argument(String),
    Text(String),
    Number(Decimal),
    Call(String, Vec<Expression>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sign {
    Plus,
    Minus,
}

/// One step of a path. `@row` is a path without steps.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    Member(String),
    Index(usize),
    /// `*`: the first member.
    Any,
}

/// One step from an answer to its rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RowStep {
    Member(String),
    Index(usize),
    /// `.*`
    EachMember,
    /// `[*]`
    EachItem,
}

impl Expression {
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut parser = Parser { rest: text };
        let parsed = parser.alternatives().filter(|_| parser.rest.is_empty());
        parsed.ok_or_else(|| format!("`{text}` cannot be read at `{}`", parser.rest))
    }
}

impl Expression {
    /// Whether a part of the expression passes a test.
    pub fn any(&self, test: &dyn Fn(&Expression) -> bool) -> bool {
        let within = match self {
            Self::First(parts) | Self::Call(_, parts) => parts.iter().any(|part| part.any(test)),
            Self::Sum(left, _, right) | Self::Product(left, right) => left.any(test) || right.any(test),
            _ => false,
        };
        within || test(self)
    }
}

struct Parser<'t> {
    rest: &'t str,
}

impl<'t> Parser<'t> {
    fn alternatives(&mut self) -> Option<Expression> {
        let mut parts = vec![self.sum()?];
        while self.take(" ?? ") {
            parts.push(self.sum()?);
        }
        Some(if parts.len() == 1 { parts.remove(0) } else { Expression::First(parts) })
    }

    fn sum(&mut self) -> Option<Expression> {
        let mut left = self.product()?;
        loop {
            let sign = if self.take(" + ") {
                Sign::Plus
            } else if self.take(" - ") {
                Sign::Minus
            } else {
                return Some(left);
            };
            left = Expression::Sum(Box::new(left), sign, Box::new(self.product()?));
        }
    }

    fn product(&mut self) -> Option<Expression> {
        let mut left = self.term()?;
        while self.take(" * ") {
            left = Expression::Product(Box::new(left), Box::new(self.term()?));
        }
        Some(left)
    }

    fn term(&mut self) -> Option<Expression> {
        if self.take("'") {
            let (text, rest) = self.rest.split_once('\'')?;
            self.rest = rest;
            return Some(Expression::Text(text.to_owned()));
        }
        if self.take("(") {
            let inner = self.alternatives()?;
            return self.take(")").then_some(inner);
        }
        let word = self.word()?;
        match word {
            "@key" => return Some(Expression::Key),
            "@row" => return Some(Expression::Path(0, Vec::new())),
            _ => {}
        }
        if let Some(name) = word.strip_prefix('$') {
            return Some(Expression::Argument(name.to_owned()));
        }
        if self.take("(") {
            return self.call(word);
        }
        if let Some(steps) = word.strip_prefix("@row.") {
            return Some(Expression::Path(0, steps.split('.').map(step).collect()));
        }
        if word.starts_with(|first: char| first.is_ascii_digit())
            && let Ok(number) = word.parse()
        {
            return Some(Expression::Number(number));
        }
        let steps = word.trim_start_matches('^');
        Some(Expression::Path(word.len() - steps.len(), steps.split('.').map(step).collect()))
    }

    fn call(&mut self, name: &str) -> Option<Expression> {
        let mut arguments = vec![self.alternatives()?];
        while self.take(", ") {
            arguments.push(self.alternatives()?);
        }
        self.take(")").then(|| Expression::Call(name.to_owned(), arguments))
    }

    fn word(&mut self) -> Option<&'t str> {
        let end = self.rest.find([' ', ',', '(', ')', '\'']).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        self.rest = rest;
        (!word.is_empty()).then_some(word)
    }

    fn take(&mut self, token: &str) -> bool {
        let rest = self.rest.strip_prefix(token);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }
}

fn step(text: &str) -> Step {
    match text.parse() {
        Ok(index) => Step::Index(index),
        Err(_) if text == "*" => Step::Any,
        Err(_) => Step::Member(text.to_owned()),
    }
}

/// Steps of a `rows` entry; none is the whole answer.
pub fn row_path(text: &str) -> Vec<RowStep> {
    let mut steps = Vec::new();
    for part in text.split('.') {
        let (name, brackets) = part.split_at(part.find('[').unwrap_or(part.len()));
        match name {
            "" => {}
            "*" => steps.push(RowStep::EachMember),
            name => steps.push(RowStep::Member(name.to_owned())),
        }
        let inner = brackets.split('[').skip(1).map(|bracket| bracket.trim_end_matches(']'));
        steps.extend(inner.map(|inner| inner.parse().map_or(RowStep::EachItem, RowStep::Index)));
    }
    steps
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(name: &str) -> Expression {
        Expression::Path(0, vec![Step::Member(name.to_owned())])
    }

    #[test]
    fn expressions_are_read_as_the_specification_writes_them() {
        let parsed = Expression::parse("a ?? upper(^b.0.*) + @row.1 * 2").unwrap();
        let Expression::First(parts) = parsed else { panic!("{parsed:?}") };
        assert_eq!(parts[0], path("a"));
        let Expression::Sum(left, Sign::Plus, right) = &parts[1] else { panic!("{parts:?}") };
        let up = Expression::Path(1, vec![Step::Member("b".into()), Step::Index(0), Step::Any]);
        assert_eq!(**left, Expression::Call("upper".into(), vec![up]));
        let row = Expression::Path(0, vec![Step::Index(1)]);
        assert_eq!(
            **right,
            Expression::Product(Box::new(row), Box::new(Expression::Number(Decimal::from(2))))
        );
        for text in ["", "a +b", "f(a", "'x", "(a"] {
            assert!(Expression::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn rows_are_found_by_members_items_and_indices() {
        assert_eq!(row_path(""), []);
        let data = RowStep::Member("data".into());
        assert_eq!(row_path("data[0].*"), [data.clone(), RowStep::Index(0), RowStep::EachMember]);
        assert_eq!(row_path("data[*]"), [data, RowStep::EachItem]);
        assert_eq!(row_path("[*]"), [RowStep::EachItem]);
    }
}
