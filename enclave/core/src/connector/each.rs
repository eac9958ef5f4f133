//! The rows of another listing that a listing is asked for, one after the other.

use super::key::digest;
use super::model::Hash;
use super::outcome::Record;
use super::value::{Params, Value};

/// More rows than this are no account's.
const MAX_ROWS: usize = 10_000;
const KEY_LENGTH: usize = 8;

/// Names a row in a position, whatever the order in which the provider lists them: the start of a digest of its fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RowKey(pub(super) [u8; KEY_LENGTH]);

/// What a listing is still to be asked for.
pub struct Walk {
    /// The last one first.
    rest: Vec<(RowKey, Params)>,
    now: Option<RowKey>,
}

/// More rows than anybody goes through.
#[derive(Debug, PartialEq, Eq)]
pub struct TooMany;

impl RowKey {
    /// Sixteen hexadecimal digits.
    pub fn text(self) -> String {
        self.0.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// Reads what [`RowKey::text`] wrote.
    pub fn parse(text: &str) -> Option<Self> {
        let mut bytes = [0; KEY_LENGTH];
        for (at, byte) in bytes.iter_mut().enumerate() {
            *byte = u8::from_str_radix(text.get(2 * at..2 * at + 2)?, 16).ok()?;
        }
        Some(Self(bytes)).filter(|key| key.text() == text)
    }

    /// SHA-256 over the names and texts of the fields, each behind its length (8 bytes, big-endian).
    pub(super) fn of(row: &Record) -> Self {
        let texts = row.0.iter().flat_map(|(name, text)| [*name, text.as_str()]);
        let message: Vec<u8> = texts
            .flat_map(|text| (text.len() as u64).to_be_bytes().into_iter().chain(text.bytes()))
            .collect();
        let mut key = [0; KEY_LENGTH];
        key.iter_mut().zip(digest(Hash::Sha256, &message)).for_each(|(byte, from)| *byte = from);
        Self(key)
    }
}

impl Walk {
    /// All rows, in the provider's order.
    pub fn new(rows: Vec<Record>) -> Result<Self, TooMany> {
        if rows.len() > MAX_ROWS {
            return Err(TooMany);
        }
        let rest = rows.into_iter().rev().map(|row| (RowKey::of(&row), arguments(row))).collect();
        Ok(Self { rest, now: None })
    }

    /// The rows from one on, each once, in the order of their keys: an order that does not depend on the provider, so
    /// that a row which is gone when somebody goes on takes no other one with it.
    pub fn resumed(rows: Vec<Record>, from: Option<RowKey>) -> Result<Self, TooMany> {
        let mut walk = Self::new(rows)?;
        walk.rest.retain(|(key, _)| from.is_none_or(|from| *key >= from));
        walk.rest.sort_by_key(|(key, _)| std::cmp::Reverse(*key));
        walk.rest.dedup_by_key(|(key, _)| *key);
        Ok(walk)
    }

    /// The arguments that the next row gives, if there is one.
    pub fn advance(&mut self) -> Option<Params> {
        let (key, arguments) = self.rest.pop().unzip();
        self.now = key;
        arguments
    }

    /// The row that is asked for now.
    pub fn now(&self) -> Option<RowKey> {
        self.now
    }
}

fn arguments(row: Record) -> Params {
    row.0.into_iter().map(|(name, text)| (name.to_owned(), Value::Text(text))).collect()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]
    use super::*;

    fn rows(ids: &[&str]) -> Vec<Record> {
        ids.iter().map(|id| Record(vec![("id", (*id).to_owned())])).collect()
    }

    fn left(mut walk: Walk) -> Vec<String> {
        std::iter::from_fn(|| walk.advance()).map(|row| row[0].1.text().to_owned()).collect()
    }

    #[test]
    fn a_walk_that_is_resumed_leaves_no_row_out_when_others_come_and_go() {
        let mut walk = Walk::resumed(rows(&["a", "b", "c", "d"]), None).unwrap();
        walk.advance().unwrap();
        let second = walk.advance().unwrap()[0].1.text().to_owned();
        let (from, rest) = (walk.now(), left(walk));
        let again = left(Walk::resumed(rows(&["d", "c", "b", "a"]), from).unwrap());
        assert_eq!(again, [std::slice::from_ref(&second), rest.as_slice()].concat());
        let without: Vec<&str> = ["a", "b", "c", "d"].into_iter().filter(|id| *id != second).collect();
        assert_eq!(left(Walk::resumed(rows(&without), from).unwrap()), rest);
    }

    #[test]
    fn a_row_that_is_listed_twice_is_asked_for_once_and_too_many_are_refused() {
        assert_eq!(left(Walk::resumed(rows(&["a", "b", "a"]), None).unwrap()).len(), 2);
        assert_eq!(Walk::new(rows(&vec!["a"; MAX_ROWS + 1])).err(), Some(TooMany));
    }

    #[test]
    fn fields_that_only_look_alike_side_by_side_have_other_keys() {
        let key = |fields: &[(&'static str, &str)]| {
            RowKey::of(&Record(fields.iter().map(|(name, text)| (*name, (*text).to_owned())).collect()))
        };
        assert_ne!(key(&[("a", "bc")]), key(&[("ab", "c")]));
        assert_ne!(key(&[("a", "b"), ("c", "d")]), key(&[("a", "bcd")]));
        let text = key(&[("a", "b")]).text();
        assert_eq!(RowKey::parse(&text).unwrap().text(), text);
        assert!(
            RowKey::parse(&text.to_uppercase()).is_none_or(|_| !text.contains(|c: char| c.is_alphabetic()))
        );
        assert!(RowKey::parse(&text[1..]).is_none() && RowKey::parse("+1+1+1+1+1+1+1+1").is_none());
    }
}
