//! Expressions backwards: what must stand in a row for its fields to have given values.
//!
//! Each expression has a few ways to get a value; the search goes through them field by field, and a row counts only
//! when the expressions, evaluated forwards, yield what was wanted.

use super::super::clock;
use super::evaluate::{Out, Row, Scope, evaluate};
use super::expression::{Expression, Sign, Step};
use super::json::Json;
use std::collections::BTreeMap;
use wire::Decimal;
use wire::decimal::Rounding;

/// What an expression shall yield.
#[derive(Debug, Clone, PartialEq)]
pub enum Want {
    Text(String),
    /// Equal as a number.
    Number(Decimal),
    /// Nothing, or zero.
    Nothing,
    Absent,
    /// One of these texts.
    OneOf(Vec<String>),
}

/// An expression and its value.
pub type Goal<'g> = (&'g Expression, Want);

/// What is known of a row: the texts at its paths.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Draft {
    /// By how many objects up a path starts, and its steps.
    cells: BTreeMap<(usize, Vec<Step>), Cell>,
    key: Option<Cell>,
}

/// What stands at a path.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Cell {
    Text(String),
    /// A text of which what is before and behind separators is known.
    Split(Vec<(String, Option<String>, Option<String>)>),
    /// A list with these words.
    Words(Vec<String>),
}

/// Ways to try for one goal before giving up on an earlier choice.
const WAYS: usize = 24;

/// Completes a draft so that every goal is met. `None`: no way was found.
pub fn solve(draft: &Draft, goals: &[Goal], scope: Scope) -> Option<Draft> {
    let mut budget = 4_000;
    // Numbers before what only asks for their sign.
    let asks_sign = |part: &Expression| matches!(part, Expression::Call(name, _) if name == "positive");
    let mut ordered = goals.to_vec();
    ordered.sort_by_key(|(expression, _)| expression.any(&asks_sign));
    search(draft, &ordered, goals, scope, &mut budget)
}

fn search(draft: &Draft, rest: &[Goal], all: &[Goal], scope: Scope, budget: &mut u32) -> Option<Draft> {
    *budget = budget.checked_sub(1)?;
    let Some(((expression, want), rest)) = rest.split_first() else {
        return draft.meets(all, scope).then(|| draft.clone());
    };
    let ways = Solver { scope }.ways(expression, want, draft);
    ways.into_iter().take(WAYS).find_map(|way| search(&way, rest, all, scope, budget))
}

impl Draft {
    /// The row, and the members that the objects around it must have.
    pub fn row(&self) -> Json {
        let mut row = Json::Null;
        for ((_, steps), cell) in self.cells.iter().filter(|((up, _), _)| *up == 0) {
            put(&mut row, steps, cell.json());
        }
        row
    }

    /// Members of the object so many steps up.
    pub fn around(&self, up: usize) -> impl Iterator<Item = (&[Step], Json)> {
        let there = self.cells.iter().filter(move |((known, _), _)| *known == up);
        there.map(|((_, steps), cell)| (steps.as_slice(), cell.json()))
    }

    pub fn key(&self) -> Option<String> {
        self.key.as_ref().map(Cell::text)
    }

    /// Whether objects around the row must say something of it.
    pub fn reaches_out(&self) -> bool {
        self.cells.keys().any(|(up, _)| *up > 0)
    }

    fn meets(&self, goals: &[Goal], scope: Scope) -> bool {
        self.with_row(|row| {
            goals.iter().all(|(expression, want)| want.is_met(evaluate(expression, row, scope)))
        })
    }

    fn value(&self, expression: &Expression, scope: Scope) -> Out {
        self.with_row(|row| evaluate(expression, row, scope))
    }

    fn with_row<T>(&self, read: impl FnOnce(Row) -> T) -> T {
        let up = self.cells.keys().map(|(up, _)| *up).max().unwrap_or(0);
        let object = |up: usize| {
            let mut object = Json::Map(Vec::new());
            self.around(up).for_each(|(steps, json)| put(&mut object, steps, json));
            object
        };
        let (row, key): (Json, Option<String>) = (self.row(), self.key());
        let objects: Vec<Json> = (1..=up).rev().map(object).collect();
        read(Row { json: &row, key: key.as_deref(), parents: &objects.iter().collect::<Vec<_>>() })
    }

    /// With a text at a path; `None` where something else stands there.
    fn with_text(&self, up: usize, steps: &[Step], text: &str) -> Option<Self> {
        let mut draft = self.clone();
        let place = (up, steps.to_vec());
        match self.cells.get(&place) {
            Some(cell) => (cell.text() == text || same_number(&cell.text(), text)).then_some(draft),
            None if self.is_container(up, steps) => None,
            None => {
                draft.cells.insert(place, Cell::Text(text.to_owned()));
                Some(draft)
            }
        }
    }

    /// Whether something stands below the path already, or the path goes through a scalar.
    fn is_container(&self, up: usize, steps: &[Step]) -> bool {
        self.cells.keys().any(|(known_up, known)| {
            *known_up == up
                && known.len() != steps.len()
                && (known.starts_with(steps) || steps.starts_with(known))
        })
    }
}

impl Cell {
    fn text(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Split(parts) => joined(parts),
            Self::Words(words) => words.join(","),
        }
    }

    fn json(&self) -> Json {
        match self {
            Self::Words(words) => Json::List(words.iter().cloned().map(Json::Text).collect()),
            other => Json::Text(other.text()),
        }
    }
}

/// A text with the parts around each separator.
fn joined(parts: &[(String, Option<String>, Option<String>)]) -> String {
    let mut text = String::new();
    for (index, (separator, before, after)) in parts.iter().enumerate() {
        if index == 0 {
            text.push_str(before.as_deref().unwrap_or_default());
        }
        text.push_str(separator);
        text.push_str(after.as_deref().unwrap_or_default());
    }
    text
}

impl Want {
    fn is_met(&self, out: Out) -> bool {
        match self {
            Self::Text(wanted) => out.text().as_deref() == Some(wanted),
            Self::Number(wanted) => out.number() == Some(*wanted),
            Self::Absent => out == Out::Absent,
            Self::Nothing => match out {
                Out::Absent => true,
                out => out.number().is_some_and(Decimal::is_zero),
            },
            Self::OneOf(texts) => out.text().is_some_and(|text| texts.contains(&text)),
        }
    }
}

/// Takes further goals in their order, each where it can be met beside those before.
pub fn solve_softly<'g>(
    mut goals: Vec<Goal<'g>>,
    more: Vec<Goal<'g>>,
    scope: Scope,
) -> Option<(Draft, Vec<Goal<'g>>)> {
    let mut draft = solve(&Draft::default(), &goals, scope)?;
    for goal in more {
        goals.push(goal);
        match solve(&Draft::default(), &goals, scope) {
            Some(better) => draft = better,
            None => {
                goals.pop();
            }
        }
    }
    Some((draft, goals))
}

struct Solver<'s> {
    scope: Scope<'s>,
}

impl Solver<'_> {
    fn ways(&self, expression: &Expression, want: &Want, draft: &Draft) -> Vec<Draft> {
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
            return known.map(|(text, other)| self.text(other, &text, draft)).unwrap_or_default();
        }
        let mut ways = vec![draft.clone()];
        if !self.is_fixed(left, draft) {
            ways.extend(self.text(left, "other", draft));
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

/// A cell with one more side of a separator; `None` where it contradicts.
fn with_part(cell: Option<&Cell>, separator: &str, part: (Option<String>, Option<String>)) -> Option<Cell> {
    let mut parts = match cell {
        None => Vec::new(),
        Some(Cell::Split(parts)) => parts.clone(),
        Some(Cell::Text(_)) => return cell.cloned(),
        Some(Cell::Words(_)) => return None,
    };
    let first = parts.is_empty();
    match parts.iter_mut().find(|(known, ..)| known == separator) {
        Some((_, before, after)) => {
            let fits = |known: &Option<String>, new: &Option<String>| {
                known.is_none() || new.is_none() || known == new
            };
            (fits(before, &part.0) && fits(after, &part.1)).then_some(())?;
            *before = before.take().or(part.0);
            *after = after.take().or(part.1);
        }
        None if first => parts.push((separator.to_owned(), part.0, part.1)),
        None => return None,
    }
    Some(Cell::Split(parts))
}

fn same_number(left: &str, right: &str) -> bool {
    left.parse::<Decimal>().ok().zip(right.parse().ok()).is_some_and(|(left, right)| left == right)
}

/// Puts a value at a path, making objects and lists on the way.
pub fn put(at: &mut Json, steps: &[Step], value: Json) {
    let Some((step, rest)) = steps.split_first() else {
        *at = value;
        return;
    };
    match step {
        Step::Index(index) => {
            if !matches!(at, Json::List(_)) {
                *at = Json::List(Vec::new());
            }
            if let Json::List(items) = at {
                items.resize(items.len().max(index + 1), Json::Null);
                put(&mut items[*index], rest, value);
            }
        }
        Step::Member(_) | Step::Any => {
            let name = if let Step::Member(name) = step { name } else { "any" };
            put(member_of(at, name), rest, value);
        }
    }
}

/// The member of that name, made where it is missing.
pub fn member_of<'j>(at: &'j mut Json, name: &str) -> &'j mut Json {
    if !matches!(at, Json::Map(_)) {
        *at = Json::Map(Vec::new());
    }
    let Json::Map(members) = at else { unreachable!("made an object above") };
    let place = members.iter().position(|(known, _)| known == name).unwrap_or_else(|| {
        members.push((name.to_owned(), Json::Null));
        members.len() - 1
    });
    &mut members[place].1
}
