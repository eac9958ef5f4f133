//! JSON (RFC 8259) as Intel signs it: strict and small. A number is a whole one that fits 64 bits; a name stands once.

use crate::Refused;

const MALFORMED: Refused = Refused::CollateralMalformed;
/// Intel's documents nest five deep.
const DEEPEST: u8 = 8;
/// The longest text that is read; Intel's have 20,000 bytes with all certificates.
pub(crate) const LONGEST: usize = 128 * 1024;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Json {
    Null,
    Bool(bool),
    Number(u64),
    Text(String),
    List(Vec<Json>),
    Map(Vec<(String, Json)>),
}

impl Json {
    pub(crate) fn parse(bytes: &[u8]) -> Result<Json, Refused> {
        if bytes.len() > LONGEST {
            return Err(MALFORMED);
        }
        let text = core::str::from_utf8(bytes).map_err(|_| MALFORMED)?;
        let mut reader = Reader { rest: text };
        let value = reader.value(0)?;
        reader.skip();
        if reader.rest.is_empty() { Ok(value) } else { Err(MALFORMED) }
    }

    /// The member of that name; what is no object has none.
    pub(crate) fn get(&self, name: &str) -> Result<&Json, Refused> {
        let Json::Map(members) = self else { return Err(MALFORMED) };
        members.iter().find(|(known, _)| known == name).map(|(_, value)| value).ok_or(MALFORMED)
    }

    pub(crate) fn text(&self, name: &str) -> Result<&str, Refused> {
        if let Json::Text(text) = self.get(name)? { Ok(text) } else { Err(MALFORMED) }
    }

    pub(crate) fn number(&self, name: &str) -> Result<u64, Refused> {
        if let Json::Number(number) = self.get(name)? { Ok(*number) } else { Err(MALFORMED) }
    }

    pub(crate) fn list(&self, name: &str) -> Result<&[Json], Refused> {
        if let Json::List(items) = self.get(name)? { Ok(items) } else { Err(MALFORMED) }
    }
}

struct Reader<'b> {
    rest: &'b str,
}

impl Reader<'_> {
    fn skip(&mut self) {
        self.rest = self.rest.trim_start_matches([' ', '\t', '\n', '\r']);
    }

    /// Skips white space, then takes this text if it is there.
    fn take(&mut self, text: &str) -> bool {
        self.skip();
        match self.rest.strip_prefix(text) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn need(&mut self, text: &str) -> Result<(), Refused> {
        if self.take(text) { Ok(()) } else { Err(MALFORMED) }
    }

    fn value(&mut self, depth: u8) -> Result<Json, Refused> {
        let depth = depth.checked_add(1).filter(|depth| *depth <= DEEPEST).ok_or(MALFORMED)?;
        if self.take("{") {
            return self.members(depth).map(Json::Map);
        }
        if self.take("[") {
            return self.items(depth).map(Json::List);
        }
        if self.take("\"") {
            return self.string().map(Json::Text);
        }
        for (word, value) in [("null", Json::Null), ("true", Json::Bool(true)), ("false", Json::Bool(false))]
        {
            if self.take(word) {
                return Ok(value);
            }
        }
        self.whole().map(Json::Number)
    }

    fn members(&mut self, depth: u8) -> Result<Vec<(String, Json)>, Refused> {
        let mut members: Vec<(String, Json)> = Vec::new();
        if self.take("}") {
            return Ok(members);
        }
        loop {
            self.need("\"")?;
            let name = self.string()?;
            self.need(":")?;
            if members.iter().any(|(known, _)| *known == name) {
                return Err(MALFORMED);
            }
            members.push((name, self.value(depth)?));
            if self.take("}") {
                return Ok(members);
            }
            self.need(",")?;
        }
    }

    fn items(&mut self, depth: u8) -> Result<Vec<Json>, Refused> {
        let mut items = Vec::new();
        if self.take("]") {
            return Ok(items);
        }
        loop {
            items.push(self.value(depth)?);
            if self.take("]") {
                return Ok(items);
            }
            self.need(",")?;
        }
    }

    /// A string behind its opening quotation mark.
    fn string(&mut self) -> Result<String, Refused> {
        let mut text = String::new();
        let mut symbols = self.rest.chars();
        loop {
            match symbols.next().ok_or(MALFORMED)? {
                '"' => break,
                '\\' => text.push(match symbols.next().ok_or(MALFORMED)? {
                    symbol @ ('"' | '\\' | '/') => symbol,
                    'n' => '\n',
                    'r' => '\r',
                    't' => '\t',
                    // \b, \f and \u: nothing that Intel signs has them.
                    _ => return Err(MALFORMED),
                }),
                symbol if symbol < ' ' => return Err(MALFORMED),
                symbol => text.push(symbol),
            }
        }
        self.rest = symbols.as_str();
        Ok(text)
    }

    /// A whole number without sign, fraction, exponent or leading zero.
    fn whole(&mut self) -> Result<u64, Refused> {
        self.skip();
        let end = self.rest.find(|symbol: char| !symbol.is_ascii_digit()).unwrap_or(self.rest.len());
        let (digits, rest) = self.rest.split_at_checked(end).ok_or(MALFORMED)?;
        if (digits.len() > 1 && digits.starts_with('0')) || rest.starts_with(['.', 'e', 'E']) {
            return Err(MALFORMED);
        }
        self.rest = rest;
        digits.parse().map_err(|_| MALFORMED)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_intel_writes_is_read() {
        let json =
            Json::parse(br#" { "a" : [1, {"b":"x\"\n"}, null, true], "c": 18446744073709551615 } "#).unwrap();
        assert_eq!(json.number("c"), Ok(u64::MAX));
        assert_eq!(json.list("a").unwrap()[1].text("b"), Ok("x\"\n"));
        assert_eq!(json.list("a").unwrap()[2..], [Json::Null, Json::Bool(true)]);
        assert_eq!(json.get("d"), Err(MALFORMED));
    }

    #[test]
    fn other_json_is_refused() {
        let deep = format!("{}{}", "[".repeat(9), "]".repeat(9));
        for bad in [
            "",
            "{",
            "[1,]",
            "{\"a\":1,}",
            "{\"a\":1,\"a\":2}",
            "01",
            "-1",
            "1.5",
            "1e3",
            "18446744073709551616",
            "\"\\u0041\"",
            "\"\n\"",
            "\"",
            "nul",
            "1 2",
            "{a:1}",
            &deep,
        ] {
            assert_eq!(Json::parse(bad.as_bytes()), Err(MALFORMED), "{bad}");
        }
        assert_eq!(Json::parse(&[b' '; LONGEST + 1]), Err(MALFORMED));
    }

    proptest! {
        #[test]
        fn no_bytes_make_the_reader_panic(text in "[\\[\\]{}\":,a0-9\\\\ ]{0,60}") {
            let _ = Json::parse(text.as_bytes());
        }
    }
}
