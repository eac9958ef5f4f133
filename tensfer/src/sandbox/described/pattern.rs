//! Finds in a received text what stood for the places of a template. Backtracking, greedy, whole text or nothing.

/// What a place may have been filled with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    Any,
    /// One segment of a path, of one character at least.
    Segment,
    Digits,
    /// Digits and points.
    Decimal,
    Hex,
    /// Base64 of either alphabet.
    Base64,
    /// Base64, percent-encoded.
    Percent,
    /// Two points between three parts.
    Jwt,
    /// Letters, digits, and what stands in times and UUIDs.
    Word,
}

/// A part of a pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    Literal(String),
    /// The name under which what was found is given.
    Place(String, Class),
    /// Nothing, or a character and something behind it.
    Optional(char, String),
}

/// What was found, by name, in the order of the pattern.
pub type Found = Vec<(String, String)>;

impl Class {
    fn takes(self, character: char) -> bool {
        match self {
            Self::Any => true,
            Self::Segment => !"/?".contains(character),
            Self::Digits => character.is_ascii_digit(),
            Self::Decimal => character.is_ascii_digit() || character == '.',
            Self::Hex => character.is_ascii_hexdigit(),
            Self::Base64 => character.is_ascii_alphanumeric() || "+/=-_".contains(character),
            Self::Percent => character.is_ascii_alphanumeric() || "-._~%".contains(character),
            Self::Jwt => character.is_ascii_alphanumeric() || "-_.".contains(character),
            Self::Word => character.is_ascii_alphanumeric() || "-:.+".contains(character),
        }
    }
}

/// Matches the whole text.
pub fn find(parts: &[Part], text: &str) -> Option<Found> {
    let mut found = Found::new();
    step(parts, text, &mut found).then_some(found)
}

fn step(parts: &[Part], text: &str, found: &mut Found) -> bool {
    let Some((part, rest)) = parts.split_first() else { return text.is_empty() };
    match part {
        Part::Literal(literal) => {
            text.strip_prefix(literal.as_str()).is_some_and(|text| step(rest, text, found))
        }
        Part::Place(name, class) => place(name, text, *class, rest, found),
        Part::Optional(lead, name) => {
            let given = text.strip_prefix(*lead).filter(|inner| !inner.is_empty());
            given.is_some_and(|inner| place(name, inner, Class::Any, rest, found)) || {
                found.push((name.clone(), String::new()));
                step(rest, text, found) || found.pop().is_none()
            }
        }
    }
}

/// The longest filling first.
fn place(name: &str, text: &str, class: Class, rest: &[Part], found: &mut Found) -> bool {
    let longest = text.find(|character| !class.takes(character)).unwrap_or(text.len());
    let shortest = usize::from(class == Class::Segment);
    for at in (shortest..=longest).rev() {
        let Some((filling, tail)) = text.split_at_checked(at) else { continue };
        // A literal that does not follow ends the attempt early.
        if let Some(Part::Literal(literal)) = rest.first()
            && !tail.starts_with(literal.as_str())
        {
            continue;
        }
        found.push((name.to_owned(), filling.to_owned()));
        if step(rest, tail, found) {
            return true;
        }
        found.pop();
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(name: &str, class: Class) -> Part {
        Part::Place(name.to_owned(), class)
    }

    #[test]
    fn places_are_found_between_literals() {
        let parts = [
            place("path", Class::Segment),
            Part::Optional('?', "query".into()),
            Part::Literal("&signature=".into()),
            place("signature", Class::Hex),
        ];
        let found = find(&parts, "balance?a=1&signature=2&signature=af").unwrap();
        let texts: Vec<&str> = found.iter().map(|(_, text)| text.as_str()).collect();
        assert_eq!(texts, ["balance", "a=1&signature=2", "af"]);
        assert_eq!(find(&parts, "balance&signature=af").unwrap()[1].1, "");
    }

    #[test]
    fn a_path_that_lacks_a_segment_is_another_path() {
        let parts = [
            Part::Literal("accounts/".into()),
            place("id", Class::Segment),
            Part::Literal("/transactions".into()),
        ];
        assert_eq!(find(&parts, "accounts/7/transactions").unwrap(), [("id".to_owned(), "7".to_owned())]);
        assert_eq!(find(&parts, "accounts//transactions"), None);
    }

    #[test]
    fn text_behind_a_signature_is_no_part_of_it() {
        let parts = [Part::Literal("s=".into()), place("s", Class::Hex)];
        assert!(find(&parts, "s=af").is_some());
        for text in ["s=af&x=1", "s=af ", "s=ag", "xs=af", "s=af\n"] {
            assert_eq!(find(&parts, text), None, "{text}");
        }
    }
}
