//! The result of a passkey's PRF extension (WebAuthn §10.1.4) is a secret of the browser's: owners wrap theirs under it, and no
//! server has a use for it. `credential.toJSON()` carries it all the same, so a client that forgets to take it out is told, loudly.
//!
//! It is looked for in the way that it would be read: as JSON, whatever escapes, order and repetitions it is written with.

use super::problem::{Code, Problem};
use crate::calls::Role;
use crate::identity::{Denied, Refusal};
use crate::log;
use crate::rate::Rates;
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use std::borrow::Cow;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

/// JSON inside a text inside JSON, so often.
const NESTED: u8 = 4;

/// Lines a second, and at once after a pause: anybody can send such a body, and nobody is to fill the log with them.
const LINES: (u32, u32) = (1, 16);

/// How many bodies carried the secret since the start.
#[derive(Debug)]
pub struct Alarms {
    count: AtomicU64,
    lines: Rates<()>,
}

impl Alarms {
    pub fn new() -> Alarms {
        Alarms { count: AtomicU64::new(0), lines: Rates::new(LINES.0, LINES.1) }
    }

    /// Refuses a JSON body that carries the secret, and one that cannot be read to its end, which could hide it.
    pub fn check(&self, json: &[u8]) -> Result<(), Problem> {
        match search(json) {
            Found::Nothing => Ok(()),
            Found::NoJson => Err(Problem(Code::Denied(Denied::Refused(Refusal::FieldsMalformed)))),
            Found::Secret => {
                self.raise();
                Err(Problem(Code::PrfSecretSent))
            }
        }
    }

    /// Counts each, and says so as often as a log bears.
    fn raise(&self) {
        let count = self.count.fetch_add(1, Ordering::Relaxed).saturating_add(1);
        if self.lines.admit((), Instant::now()) {
            let what = "a client sent the result of a passkey's PRF; it was refused";
            log::alarm(Role::Gateway, format_args!("{what} ({count} since the start)"));
        }
    }

    #[cfg(test)]
    pub fn count(&self) -> u64 {
        self.count.load(Ordering::Relaxed)
    }
}

/// What a body holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Found {
    Nothing,
    /// A member `results` stands below a member `prf`.
    Secret,
    /// It is no JSON, or deeper than anybody reads here.
    NoJson,
}

fn search(json: &[u8]) -> Found {
    let mut found = false;
    let mut reader = serde_json::Deserializer::from_slice(json);
    let read = Search { below: false, nested: 0, found: &mut found }.deserialize(&mut reader);
    match read.and_then(|()| reader.end()) {
        // What came before a fault was sent all the same.
        _ if found => Found::Secret,
        Ok(()) => Found::Nothing,
        Err(_) => Found::NoJson,
    }
}

struct Search<'f> {
    /// Below a member `prf`.
    below: bool,
    /// How many texts this is inside of.
    nested: u8,
    found: &'f mut bool,
}

impl Search<'_> {
    /// Searches a text that may be JSON itself, as some clients send credentials.
    fn text(self, text: &str) {
        if self.nested < NESTED && text.trim_ascii_start().starts_with(['{', '[', '"']) {
            let mut reader = serde_json::Deserializer::from_str(text);
            let _ = Search { nested: self.nested + 1, ..self }.deserialize(&mut reader);
        }
    }
}

impl<'de> DeserializeSeed<'de> for Search<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Search<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON without the result of a PRF")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(name) = map.next_key::<Cow<'de, str>>()? {
            if self.below && name == "results" {
                *self.found = true;
                return Err(A::Error::custom("found"));
            }
            let below = self.below || name == "prf";
            map.next_value_seed(Search { below, nested: self.nested, found: self.found })?;
            if *self.found {
                return Err(A::Error::custom("found"));
            }
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        let Search { below, nested, found } = self;
        while list.next_element_seed(Search { below, nested, found: &mut *found })?.is_some() {}
        Ok(())
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<(), E> {
        self.text(text);
        Ok(())
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// As a browser's `credential.toJSON()` has it.
    const CREDENTIAL: &str = r#"{"id":"AQ","rawId":"AQ","type":"public-key","response":{"clientDataJSON":"e30"},"clientExtensionResults":{"prf":{"enabled":true,"results":{"first":"AAAA"}}}}"#;

    #[test]
    fn the_result_is_found_however_it_is_written() {
        let inside = serde_json::to_string(CREDENTIAL).unwrap();
        for json in [
            CREDENTIAL,
            r#"{"prf":{"results":{}}}"#,
            r#"{"prf":{"results":null}}"#,
            r#"{"\u0070rf":{"resul\u0074s":{"first":"AAAA"}}}"#,
            r#"{"prf":{},"prf":{"results":{"first":"AAAA"}}}"#,
            r#"{"prf":{"results":{"first":"AAAA"}},"prf":{}}"#,
            r#"{"prf":{"results":1,"results":2}}"#,
            r#"[1,[{"a":{"b":[{"prf":{"eval":{},"results":{}}}]}}]]"#,
            r#"{"prf":[{"results":{}}]}"#,
            r#"{"prf":{"x":{"results":{}}}}"#,
            "\n\t {\r\n \"prf\" :\t{ \"results\"\n: {} } }",
            // What comes behind it may be broken: it was sent.
            r#"{"prf":{"results":{"first":"AAAA"#,
            &format!(r#"{{"credential":{inside}}}"#),
            &inside,
            &serde_json::to_string(&inside).unwrap(),
            r#"{"prf":"{\"results\":{}}"}"#,
        ] {
            assert_eq!(search(json.as_bytes()), Found::Secret, "{json}");
        }
    }

    #[test]
    fn what_only_looks_like_it_is_let_through() {
        for json in [
            r#"{"clientExtensionResults":{"prf":{"enabled":true}}}"#,
            r#"{"clientExtensionResults":{}}"#,
            r#"{"extensions":{"prf":{"eval":{"first":"AAAA"}}}}"#,
            r#"{"results":{"prf":{"enabled":true}}}"#,
            r#"{"prf":{},"results":[]}"#,
            r#"{"PRF":{"results":{}}}"#,
            r#"{"name":"prf.results"}"#,
            r#"{"a":"prf","b":{"results":1}}"#,
            r#"{"n":[1,-1,1.5,true,false,null,"text","{not json"]}"#,
            "null",
        ] {
            assert_eq!(search(json.as_bytes()), Found::Nothing, "{json}");
        }
    }

    #[test]
    fn what_cannot_be_read_to_its_end_goes_no_further() {
        let deep = format!("{}{{\"prf\":{{\"results\":1}}}}{}", "[".repeat(200), "]".repeat(200));
        for json in [
            "",
            "not JSON: prf results",
            "{\"a\":",
            "{} {}",
            "{\"a\":1,}",
            "{} {\"prf\":{\"results\":1}}",
            "\u{feff}{\"prf\":{\"results\":1}}",
            r#"{"\ud800":{"prf":{"results":1}}}"#,
            &deep,
        ] {
            assert_eq!(search(json.as_bytes()), Found::NoJson, "{json}");
        }
        assert_eq!(search(b"{\"\xff\":1}"), Found::NoJson);
    }

    proptest! {
        /// Wherever it is put, and whatever is around it.
        #[test]
        fn the_result_is_found_at_any_depth(path in prop::collection::vec(prop_oneof![Just(None), "[a-z]{0,5}".prop_map(Some)], 0..20)) {
            let secret = serde_json::json!({"prf": {"results": {"first": "AAAA"}}});
            let body = path.into_iter().fold(secret, |inner, step| match step {
                Some(name) => serde_json::json!({"aa": [1], name: inner}),
                None => serde_json::json!([null, inner, "x"]),
            });
            prop_assert_eq!(search(body.to_string().as_bytes()), Found::Secret);
        }

        #[test]
        fn no_body_panics(body in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = search(&body);
        }
    }
}
