//! What a policy is called in answers and logs.

use super::Origin;
use core::fmt::{self, Debug, Display, Formatter};

/// Bytes of an id at most.
const LONGEST: usize = 64;

/// Whose policy, and its `@id`: `base/ID` or `organisation/ID`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct PolicyName {
    origin: Origin,
    // No text of the heap: problems that hold one are values.
    id: [u8; LONGEST],
    length: usize,
}

impl PolicyName {
    /// `None` where the id is none ([`is_id`]).
    pub fn new(origin: Origin, id: &str) -> Option<PolicyName> {
        let mut bytes = [0; LONGEST];
        is_id(id).then(|| {
            bytes[..id.len()].copy_from_slice(id.as_bytes());
            PolicyName { origin, id: bytes, length: id.len() }
        })
    }

    pub fn parse(text: &str) -> Option<PolicyName> {
        let (origin, id) = text.split_once('/')?;
        let origin = [Origin::Base, Origin::Organisation].into_iter().find(|known| known.name() == origin)?;
        PolicyName::new(origin, id)
    }
}

/// 1 to 64 of `a-z 0-9 -`.
pub(super) fn is_id(id: &str) -> bool {
    (1..=LONGEST).contains(&id.len())
        && id.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'))
}

impl Display for PolicyName {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let id = self.id.get(..self.length).and_then(|id| core::str::from_utf8(id).ok());
        write!(f, "{}/{}", self.origin.name(), id.unwrap_or_default())
    }
}

impl Debug for PolicyName {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_one_spelling() {
        let longest = format!("organisation/{}", "a".repeat(64));
        for text in ["base/reading-policies-takes-its-scope", "organisation/a", "organisation/-0", &longest] {
            assert_eq!(PolicyName::parse(text).unwrap().to_string(), text);
        }
        for text in
            ["", "base", "base/", "/a", "other/a", "base/A", "base/a b", "base/a/b", &format!("{longest}a")]
        {
            assert_eq!(PolicyName::parse(text), None, "{text}");
        }
    }
}
