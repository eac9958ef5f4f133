//! Rules of comparison.

use enclave::connector::{Document, Json, Kind, Request};
use wire::Decimal;

use crate::broker;
use crate::url;

/// What a vector says a request is.
pub struct Expected<'v> {
    pub url: &'v str,
    pub method: &'v str,
    pub headers: Vec<(String, String)>,
    pub body: &'v str,
}

/// Equal after removing broker ids; names of headers in any case and order; JSON members in any order.
pub fn request(ours: &Request, expected: &Expected<'_>) -> Result<(), String> {
    let (host, path, query) = url::split(expected.url);
    let target = match query {
        Some(query) => format!("{path}?{}", broker::strip(query)),
        None => path.to_owned(),
    };
    same("scheme", "https", url::scheme(expected.url))?;
    same("host", &ours.host, host)?;
    same("method", ours.method.name(), expected.method)?;
    same("target", &ours.target, &target)?;
    headers(&ours.headers, &expected.headers)?;
    body(&String::from_utf8_lossy(&ours.body), expected.body)
}

pub fn same(what: &str, ours: &str, theirs: &str) -> Result<(), String> {
    if ours == theirs { Ok(()) } else { Err(format!("{what}: ours `{ours}`, theirs `{theirs}`")) }
}

fn headers(ours: &[(String, String)], theirs: &[(String, String)]) -> Result<(), String> {
    let sorted = |headers: &[(String, String)]| {
        let lower = headers.iter().map(|(name, value)| (name.to_ascii_lowercase(), value.clone()));
        let mut kept: Vec<_> = lower.filter(|(name, value)| !broker::is_header(name, value)).collect();
        kept.sort();
        kept
    };
    let (left, right) = (sorted(ours), sorted(theirs));
    if left == right { Ok(()) } else { Err(format!("headers: ours {left:?}, theirs {right:?}")) }
}

fn body(ours: &str, theirs: &str) -> Result<(), String> {
    if theirs.starts_with(['{', '[']) {
        return json_body(ours, theirs, &[]);
    }
    same("body", ours, &broker::strip(theirs))
}

/// Equal JSON without the named members of the top, and without broker ids.
pub fn json_body(ours: &str, theirs: &str, without: &[String]) -> Result<(), String> {
    let (left, right) = (Document::parse(ours.as_bytes()), Document::parse(theirs.as_bytes()));
    match (left, right) {
        (Ok(left), Ok(right)) if equal(left.root(), right.root(), without) => Ok(()),
        _ => Err(format!("body: ours `{ours}`, theirs `{theirs}`")),
    }
}

/// Structural equality: order of members does not count; numbers and texts as they are written.
pub fn equal(left: Json<'_>, right: Json<'_>, without: &[String]) -> bool {
    match (left.kind(), right.kind()) {
        (Kind::Object, Kind::Object) => {
            let dropped = |name: &str, value: Json<'_>| {
                let text = value.scalar().unwrap_or_default();
                without.iter().any(|known| known == name) || broker::is_parameter(name, &text)
            };
            let covered = |from: Json<'_>, to: Json<'_>| {
                from.members().all(|(name, value)| {
                    let name = name.text();
                    dropped(&name, value)
                        || to.member(&name).ok().flatten().is_some_and(|other| equal(value, other, &[]))
                })
            };
            covered(left, right) && covered(right, left)
        }
        (Kind::Array, Kind::Array) => {
            left.elements().count() == right.elements().count()
                && left.elements().zip(right.elements()).all(|(left, right)| equal(left, right, without))
        }
        (Kind::String | Kind::Escaped, Kind::String | Kind::Escaped) => left.string() == right.string(),
        (left_kind, right_kind) => left_kind == right_kind && left.raw() == right.raw(),
    }
}

/// A recorded number or text against ours. The recording client computes in doubles: where there were 15 digits or
/// more, some may be lost, and what is compared is the double nearest to each.
pub fn value(ours: Option<&str>, theirs: Json<'_>) -> bool {
    let (Some(ours), false) = (ours, theirs.is_null()) else { return ours.is_none() && theirs.is_null() };
    let text = theirs.scalar().unwrap_or_default();
    if ours == text {
        return true;
    }
    match (ours.parse::<Decimal>(), text.parse::<Decimal>()) {
        (Ok(left), Ok(right)) if left == right => true,
        (Ok(left), Ok(_)) if theirs.kind() == Kind::Number => is_same_double(&left.to_string(), &text),
        _ => false,
    }
}

/// Whether the second is what is left of the first in a double, where either has 15 digits or more.
pub fn is_same_double(ours: &str, theirs: &str) -> bool {
    let double = |text: &str| text.parse::<f64>().ok().map(f64::to_bits);
    significant(theirs).max(significant(ours)) >= 15
        && double(theirs).is_some()
        && double(ours) == double(theirs)
}

fn significant(text: &str) -> usize {
    let plain = text.split(['e', 'E']).next().unwrap_or_default();
    plain
        .bytes()
        .filter(u8::is_ascii_digit)
        .collect::<Vec<_>>()
        .iter()
        .skip_while(|digit| **digit == b'0')
        .count()
}
