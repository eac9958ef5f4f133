//! The few ways in which an expression can come to a value, each as the row that it leads to.

use super::super::super::clock;
use super::super::evaluate::{Out, Scope};
use super::super::expression::{Expression, Sign, Step};
use super::Want;
use super::draft::{Cell, Draft, same_number, with_part};
use wire::Decimal;
use wire::decimal::Rounding;

/// Goes through an expression with what a file and a request say.
pub(super) struct Solver<'s> {
    pub(super) scope: Scope<'s>,
}

impl Solver<'_> {
    pub(super) fn ways(&self, expression: &Expression, want: &Want, draft: &Draft) -> Vec<Draft> {
        match want {
            Want::Text(text) => self.text(expression, text, draft),
            Want::Number(number) => self.text(expression, &number.to_string(), draft),
            Want::OneOf(texts) => texts.iter().flat_map(|text| self.text(expression, text, draft)).collect(),
            Want::Absent => vec![draft.clone()],
            Want::Nothing => {
                let mut ways = self.text(expression, "0", draft);
                ways.push(draft.clone());
                ways
            }
        }
    }

    /// Ways for an expression to yield a text.
    fn text(&self, expression: &Expression, text: &str, draft: &Draft) -> Vec<Draft> {
        match expression {
            Expression::Path(up, steps) => draft.with_text(*up, steps, text).into_iter().collect(),
            Expression::First(parts) => parts.iter().flat_map(|part| self.text(part, text, draft)).collect(),
            Expression::Sum(left, sign, right) => self.sum(left, *sign, right, text, draft),
            Expression::Product(left, right) => self.product(left, right, text, draft),
            Expression::Key => match &draft.key {
                Some(cell) => (cell.text() == text).then(|| draft.clone()).into_iter().collect(),
                None => vec![Draft { key: Some(Cell::Text(text.to_owned())), ..draft.clone() }],
            },
            Expression::Argument(_) | Expression::Text(_) | Expression::Number(_) => {
                let value = draft.value(expression, self.scope).text().unwrap_or_default();
                let same = value == text || same_number(&value, text);
                same.then(|| draft.clone()).into_iter().collect()
            }
            Expression::Call(name, arguments) => self.call(name, arguments, text, draft),
        }
    }

    /// The value of an expression that the draft decides already.
    fn known(&self, expression: &Expression, draft: &Draft) -> Option<Out> {
        self.is_fixed(expression, draft).then(|| draft.value(expression, self.scope))
    }

    fn is_fixed(&self, expression: &Expression, draft: &Draft) -> bool {
        match expression {
            Expression::Path(up, steps) => draft.cells.contains_key(&(*up, steps.clone())),
            Expression::Key => draft.key.is_some(),
            Expression::First(parts) => parts.iter().any(|part| self.is_fixed(part, draft)),
            Expression::Call(_, parts) => parts.iter().all(|part| self.is_fixed(part, draft)),
            Expression::Sum(left, _, right) | Expression::Product(left, right) => {
                self.is_fixed(left, draft) && self.is_fixed(right, draft)
            }
            Expression::Argument(_) | Expression::Text(_) | Expression::Number(_) => true,
        }
    }

    fn sum(
        &self,
        left: &Expression,
        sign: Sign,
        right: &Expression,
        text: &str,
        draft: &Draft,
    ) -> Vec<Draft> {
        let Ok(total) = text.parse::<Decimal>() else { return Vec::new() };
        let plus = |other: Decimal| match sign {
            Sign::Plus => total.checked_sub(other),
            Sign::Minus => total.checked_add(other),
        };
        if let Some(known) = self.known(left, draft).and_then(Out::number) {
            let rest = match sign {
                Sign::Plus => total.checked_sub(known),
                Sign::Minus => known.checked_sub(total),
            };
            return rest.map(|rest| self.text(right, &rest.to_string(), draft)).unwrap_or_default();
        }
        if let Some(known) = self.known(right, draft).and_then(Out::number) {
            return plus(known).map(|rest| self.text(left, &rest.to_string(), draft)).unwrap_or_default();
        }
        let both = |first: &str, second: &str| {
            let ways = self.text(left, first, draft);
            ways.iter().flat_map(|draft| self.text(right, second, draft)).collect::<Vec<_>>()
        };
        let mut ways = both(text, "0");
        if sign == Sign::Plus {
            ways.extend(both("0", text));
        }
        // A side that is not there counts nothing.
        ways.extend(self.text(left, text, draft));
        ways
    }

    fn product(&self, left: &Expression, right: &Expression, text: &str, draft: &Draft) -> Vec<Draft> {
        let Ok(total) = text.parse::<Decimal>() else { return Vec::new() };
        let number = |side: &Expression| self.known(side, draft).and_then(Out::number);
        if let (Some(one), Some(two)) = (number(left), number(right)) {
            let is_it = one.checked_mul(two) == Ok(total);
            return is_it.then(|| draft.clone()).into_iter().collect();
        }
        for (known, other) in [(left, right), (right, left)] {
            if let Some(factor) = self.known(known, draft).and_then(Out::number) {
                // As exact as the numbers are wide.
                let quotient = [30, 12, 0]
                    .into_iter()
                    .find_map(|scale| total.checked_div_to(factor, scale, Rounding::HalfEven).ok());
                return quotient.map(|rest| self.text(other, &rest.to_string(), draft)).unwrap_or_default();
            }
        }
        let ones = self.text(right, "1", draft);
        let mut ways: Vec<Draft> = ones.iter().flat_map(|draft| self.text(left, text, draft)).collect();
        let ones = self.text(left, "1", draft);
        ways.extend(ones.iter().flat_map(|draft| self.text(right, text, draft)));
        ways
    }

    fn call(&self, name: &str, arguments: &[Expression], text: &str, draft: &Draft) -> Vec<Draft> {
        let Some(first) = arguments.first() else { return Vec::new() };
        let constant = |at: usize| arguments.get(at).and_then(|word| self.known(word, draft)?.text());
        let number = || text.parse::<Decimal>().ok();
        let negated = || Some(number()?.checked_neg().ok()?.to_string());
        match name {
            "ms" => self.text(first, text, draft),
            "s" => self.scaled(first, text, "0.001", draft),
            "us" => self.scaled(first, text, "1000", draft),
            "ns" => self.scaled(first, text, "1000000", draft),
            "iso" => text.parse().map(|ms| self.text(first, &clock::iso(ms), draft)).unwrap_or_default(),
            "upper" => self.either(first, [text.to_lowercase(), text.to_owned()], draft),
            "lower" => self.either(first, [text.to_uppercase(), text.to_owned()], draft),
            "before" | "after" => match constant(1) {
                Some(separator) => self.split(first, &separator, text, name == "before", draft),
                None => Vec::new(),
            },
            "map" => match constant(1) {
                Some(table) => self.unmapped(first, &table, text, draft),
                None => Vec::new(),
            },
            "has" => match constant(1) {
                Some(word) => self.word(first, &word, text == "yes", draft),
                None => Vec::new(),
            },
            "present" => self.present(first, text == "yes", draft),
            "unless" => arguments.get(1).map(|other| self.text(other, text, draft)).unwrap_or_default(),
            "neg" => negated().map(|text| self.text(first, &text, draft)).unwrap_or_default(),
            "abs" => [Some(text.to_owned()), negated()]
                .iter()
                .flatten()
                .flat_map(|text| self.text(first, text, draft))
                .collect(),
            "positive" => {
                self.branches(arguments.get(1..).unwrap_or_default(), text, draft, |this, draft, is_first| {
                    if this.is_fixed(first, draft) {
                        vec![draft.clone()]
                    } else {
                        this.text(first, if is_first { "1" } else { "-1" }, draft)
                    }
                })
            }
            "equal" => {
                self.branches(arguments.get(2..).unwrap_or_default(), text, draft, |this, draft, is_first| {
                    this.compared(first, arguments.get(1), is_first, draft)
                })
            }
            "at" => self.at(first, arguments.get(1), text, draft),
            "tick" => number()
                .map(|number| self.text(first, &number.scale().to_string(), draft))
                .unwrap_or_default(),
            _ => Vec::new(),
        }
    }

    fn scaled(&self, inner: &Expression, text: &str, factor: &str, draft: &Draft) -> Vec<Draft> {
        let product = text.parse::<Decimal>().ok().zip(factor.parse().ok());
        let product = product.and_then(|(number, factor)| number.checked_mul(factor).ok());
        product.map(|product| self.text(inner, &product.to_string(), draft)).unwrap_or_default()
    }

    fn either(&self, inner: &Expression, texts: [String; 2], draft: &Draft) -> Vec<Draft> {
        texts.iter().flat_map(|text| self.text(inner, text, draft)).collect()
    }

    /// A text of which one side of a separator is known.
    fn split(
        &self,
        inner: &Expression,
        separator: &str,
        text: &str,
        before: bool,
        draft: &Draft,
    ) -> Vec<Draft> {
        let part = (before.then(|| text.to_owned()), (!before).then(|| text.to_owned()));
        let cell = match inner {
            Expression::Path(up, steps) if !draft.is_container(*up, steps) => {
                draft.cells.get(&(*up, steps.clone()))
            }
            Expression::Key => draft.key.as_ref(),
            _ => {
                let whole = if before { format!("{text}{separator}") } else { format!("{separator}{text}") };
                return self.text(inner, &whole, draft);
            }
        };
        let Some(cell) = with_part(cell, separator, part) else { return Vec::new() };
        let mut draft = draft.clone();
        match inner {
            Expression::Path(up, steps) => {
                draft.cells.insert((*up, steps.clone()), cell);
            }
            _ => draft.key = Some(cell),
        }
        vec![draft]
    }

    fn unmapped(&self, inner: &Expression, table: &str, text: &str, draft: &Draft) -> Vec<Draft> {
        let rows = self.scope.file.table(table).iter().filter(|(_, to)| to == text || same_number(to, text));
        rows.flat_map(|(from, _)| self.text(inner, if from == "*" { "other" } else { from }, draft)).collect()
    }

    /// A list that has a word, or lacks it.
    fn word(&self, inner: &Expression, word: &str, has: bool, draft: &Draft) -> Vec<Draft> {
        let Expression::Path(up, steps) = inner else {
            // Whatever text stands there: the check at the end decides.
            return vec![draft.clone()];
        };
        let mut draft = draft.clone();
        let cell = draft.cells.entry((*up, steps.clone())).or_insert(Cell::Words(Vec::new()));
        if let (Cell::Words(words), true) = (cell, has) {
            words.push(word.to_owned());
        }
        vec![draft]
    }

    fn present(&self, inner: &Expression, wanted: bool, draft: &Draft) -> Vec<Draft> {
        let mut ways = vec![draft.clone()];
        if wanted && !self.is_fixed(inner, draft) {
            ways.extend(self.text(inner, "1", draft));
        }
        ways
    }

    /// One of two expressions yields the text, and the condition for it is made to hold.
    fn branches(
        &self,
        branches: &[Expression],
        text: &str,
        draft: &Draft,
        condition: impl Fn(&Self, &Draft, bool) -> Vec<Draft>,
    ) -> Vec<Draft> {
        let mut ways = Vec::new();
        for (index, branch) in branches.iter().enumerate() {
            let yields = if let (Expression::Text(empty), "0") = (branch, text)
                && empty.is_empty()
            {
                // Wanted was nothing, which an empty text is.
                vec![draft.clone()]
            } else {
                self.text(branch, text, draft)
            };
            ways.extend(yields.iter().flat_map(|draft| condition(self, draft, index == 0)));
        }
        ways
    }

    /// Two expressions are made the same text, or left apart.
    fn compared(
        &self,
        left: &Expression,
        right: Option<&Expression>,
        same: bool,
        draft: &Draft,
    ) -> Vec<Draft> {
        let Some(right) = right else { return Vec::new() };
        let sides = [(left, right), (right, left)];
        if same {
            let known =
                sides.iter().find_map(|(known, other)| Some((self.known(known, draft)?.text()?, *other)));
            let Some((text, other)) = known else {
                // Nothing is said of either yet: what another goal says of one holds, else any text for both.
                return [vec![draft.clone()], self.text(left, "1", draft)].concat();
            };
            return self.text(other, &text, draft);
        }
        let mut ways = vec![draft.clone()];
        if !self.is_fixed(left, draft) {
            // A word; where only numbers can stand, one of those.
            ways.extend(["other", "1"].into_iter().flat_map(|text| self.text(left, text, draft)));
        }
        ways
    }

    /// A member whose name another expression yields.
    fn at(&self, object: &Expression, name: Option<&Expression>, text: &str, draft: &Draft) -> Vec<Draft> {
        let name = name.and_then(|name| self.known(name, draft)?.text());
        match (object, name) {
            (Expression::Path(up, steps), Some(name)) => {
                let steps = [steps.as_slice(), &[Step::Member(name)]].concat();
                draft.with_text(*up, &steps, text).into_iter().collect()
            }
            _ => Vec::new(),
        }
    }
}
