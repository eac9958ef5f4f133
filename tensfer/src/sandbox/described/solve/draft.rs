//! What is known of a row that does not exist yet: the texts at its paths.

use super::super::evaluate::{Out, Row, Scope, evaluate};
use super::super::expression::{Expression, Step};
use super::super::json::Json;
use super::Goal;
use std::collections::BTreeMap;
use wire::Decimal;

/// What is known of a row: the texts at its paths.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Draft {
    /// By how many objects up a path starts, and its steps.
    pub(super) cells: BTreeMap<(usize, Vec<Step>), Cell>,
    pub(super) key: Option<Cell>,
}

/// What stands at a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Cell {
    Text(String),
    /// A text of which what is before and behind separators is known.
    Split(Vec<(String, Option<String>, Option<String>)>),
    /// A list with these words.
    Words(Vec<String>),
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

    pub(super) fn meets(&self, goals: &[Goal], scope: Scope) -> bool {
        self.with_row(|row| {
            goals.iter().all(|(expression, want)| want.is_met(evaluate(expression, row, scope)))
        })
    }

    /// What an expression yields of a row with what is known.
    pub fn value(&self, expression: &Expression, scope: Scope) -> Out {
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
    pub(super) fn with_text(&self, up: usize, steps: &[Step], text: &str) -> Option<Self> {
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
    pub(super) fn is_container(&self, up: usize, steps: &[Step]) -> bool {
        self.cells.keys().any(|(known_up, known)| {
            *known_up == up
                && known.len() != steps.len()
                && (known.starts_with(steps) || steps.starts_with(known))
        })
    }
}

impl Cell {
    pub(super) fn text(&self) -> String {
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

/// A cell with one more side of a separator; `None` where it contradicts.
pub(super) fn with_part(
    cell: Option<&Cell>,
    separator: &str,
    part: (Option<String>, Option<String>),
) -> Option<Cell> {
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

pub(super) fn same_number(left: &str, right: &str) -> bool {
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
