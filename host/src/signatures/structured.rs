//! Structured fields (RFC 9651): dictionaries, in the one spelling that §4.1 gives a value. Any other spelling is refused, so that what
//! is signed is what was received. Decimals, dates and display strings occur in none of our fields and are refused.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use core::fmt::{self, Display, Formatter};

/// Bytes of a field, members of a dictionary, items of an inner list, parameters of either. More is refused before it is read.
pub const LONGEST: usize = 4096;
const MOST_MEMBERS: usize = 8;
const MOST_ITEMS: usize = 32;
const MOST_PARAMETERS: usize = 16;

/// Not a dictionary in its one spelling, or beyond the bounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Bare {
    Integer(i64),
    String(String),
    Token(String),
    Bytes(Vec<u8>),
    Boolean(bool),
}

/// In the order of their field, no key twice.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parameters(Vec<(String, Bare)>);

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    pub value: Bare,
    pub parameters: Parameters,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InnerList {
    pub items: Vec<Item>,
    pub parameters: Parameters,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Member {
    Item(Item),
    List(InnerList),
}

/// In the order of its field, no key twice.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Dictionary(Vec<(String, Member)>);

impl Dictionary {
    pub fn parse(text: &str) -> Result<Dictionary, Malformed> {
        if text.len() > LONGEST {
            return Err(Malformed);
        }
        let mut cursor = Cursor(text.as_bytes());
        let mut dictionary = Dictionary::default();
        loop {
            let key = cursor.key()?;
            let member = cursor.member()?;
            dictionary.insert(key, member)?;
            if cursor.0.is_empty() {
                break;
            }
            cursor.expect(b", ")?;
        }
        // One comparison refuses every other spelling (docs/decisions/001-canonical-cbor.md).
        if dictionary.to_string() == text { Ok(dictionary) } else { Err(Malformed) }
    }

    /// A key that is there already is refused: RFC 9651 would have the last one win, and two readers could see two signatures.
    pub fn insert(&mut self, key: String, member: Member) -> Result<(), Malformed> {
        if self.0.len() == MOST_MEMBERS || self.find(&key).is_some() {
            return Err(Malformed);
        }
        self.0.push((key, member));
        Ok(())
    }

    pub fn find(&self, key: &str) -> Option<&Member> {
        self.0.iter().find(|(name, _)| name == key).map(|(_, member)| member)
    }

    pub fn members(&self) -> impl ExactSizeIterator<Item = (&str, &Member)> {
        self.0.iter().map(|(key, member)| (key.as_str(), member))
    }
}

impl Parameters {
    pub fn insert(&mut self, key: &str, value: Bare) -> Result<(), Malformed> {
        if self.0.len() == MOST_PARAMETERS || self.find(key).is_some() {
            return Err(Malformed);
        }
        self.0.push((key.to_owned(), value));
        Ok(())
    }

    pub fn find(&self, key: &str) -> Option<&Bare> {
        self.0.iter().find(|(name, _)| name == key).map(|(_, value)| value)
    }

    pub fn keys(&self) -> impl ExactSizeIterator<Item = &str> {
        self.0.iter().map(|(key, _)| key.as_str())
    }
}

impl Item {
    /// A string without parameters.
    pub fn string(text: &str) -> Item {
        Item { value: Bare::String(text.to_owned()), parameters: Parameters::default() }
    }

    /// A byte sequence without parameters.
    pub fn bytes(bytes: &[u8]) -> Item {
        Item { value: Bare::Bytes(bytes.to_vec()), parameters: Parameters::default() }
    }
}

/// What of a field is not read yet.
struct Cursor<'t>(&'t [u8]);

impl<'t> Cursor<'t> {
    fn eat(&mut self, byte: u8) -> bool {
        let rest = self.0.strip_prefix(&[byte]);
        self.0 = rest.unwrap_or(self.0);
        rest.is_some()
    }

    fn expect(&mut self, bytes: &[u8]) -> Result<(), Malformed> {
        self.0 = self.0.strip_prefix(bytes).ok_or(Malformed)?;
        Ok(())
    }

    fn next(&mut self) -> Result<u8, Malformed> {
        let (first, rest) = self.0.split_first().ok_or(Malformed)?;
        self.0 = rest;
        Ok(*first)
    }

    /// All bytes up to the first one that is not `of`; ASCII where `of` takes nothing else.
    fn run(&mut self, of: fn(u8) -> bool) -> String {
        let length = self.0.iter().position(|byte| !of(*byte)).unwrap_or(self.0.len());
        let (run, rest) = self.0.split_at(length);
        self.0 = rest;
        run.iter().copied().map(char::from).collect()
    }

    /// RFC 9651 §4.2.3.3.
    fn key(&mut self) -> Result<String, Malformed> {
        let starts = self.0.first().is_some_and(|byte| byte.is_ascii_lowercase() || *byte == b'*');
        let key = self.run(|byte| {
            byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'_' | b'-' | b'.' | b'*')
        });
        if starts { Ok(key) } else { Err(Malformed) }
    }

    fn member(&mut self) -> Result<Member, Malformed> {
        if !self.eat(b'=') {
            return Ok(Member::Item(Item { value: Bare::Boolean(true), parameters: self.parameters()? }));
        }
        if self.eat(b'(') {
            return Ok(Member::List(InnerList { items: self.items()?, parameters: self.parameters()? }));
        }
        Ok(Member::Item(self.item()?))
    }

    /// What follows the parenthesis that opens an inner list, with the one that closes it.
    fn items(&mut self) -> Result<Vec<Item>, Malformed> {
        let mut items = Vec::new();
        while !self.eat(b')') {
            if !items.is_empty() {
                self.expect(b" ")?;
            }
            if items.len() == MOST_ITEMS {
                return Err(Malformed);
            }
            items.push(self.item()?);
        }
        Ok(items)
    }

    fn item(&mut self) -> Result<Item, Malformed> {
        Ok(Item { value: self.bare()?, parameters: self.parameters()? })
    }

    fn parameters(&mut self) -> Result<Parameters, Malformed> {
        let mut parameters = Parameters::default();
        while self.eat(b';') {
            let key = self.key()?;
            let value = if self.eat(b'=') { self.bare()? } else { Bare::Boolean(true) };
            parameters.insert(&key, value)?;
        }
        Ok(parameters)
    }

    fn bare(&mut self) -> Result<Bare, Malformed> {
        match self.0.first().ok_or(Malformed)? {
            b'"' => self.string(),
            b':' => self.bytes(),
            b'?' => self.boolean(),
            b'-' | b'0'..=b'9' => self.integer(),
            b'A'..=b'Z' | b'a'..=b'z' | b'*' => {
                Ok(Bare::Token(self.run(|byte| is_token(byte) || matches!(byte, b':' | b'/'))))
            }
            _ => Err(Malformed),
        }
    }

    /// At most 15 digits (§3.3.1).
    fn integer(&mut self) -> Result<Bare, Malformed> {
        let minus = self.eat(b'-');
        let digits = self.run(|byte| byte.is_ascii_digit());
        if digits.len() > 15 {
            return Err(Malformed);
        }
        let number: i64 = digits.parse().map_err(|_| Malformed)?;
        Ok(Bare::Integer(if minus { -number } else { number }))
    }

    fn string(&mut self) -> Result<Bare, Malformed> {
        self.expect(b"\"")?;
        let mut text = String::new();
        loop {
            match self.next()? {
                b'"' => return Ok(Bare::String(text)),
                b'\\' => match self.next()? {
                    escaped @ (b'"' | b'\\') => text.push(char::from(escaped)),
                    _ => return Err(Malformed),
                },
                byte @ 0x20..=0x7e => text.push(char::from(byte)),
                _ => return Err(Malformed),
            }
        }
    }

    fn bytes(&mut self) -> Result<Bare, Malformed> {
        self.expect(b":")?;
        let text = self.run(|byte| byte != b':');
        self.expect(b":")?;
        BASE64_STANDARD.decode(text).map(Bare::Bytes).map_err(|_| Malformed)
    }

    fn boolean(&mut self) -> Result<Bare, Malformed> {
        self.expect(b"?")?;
        match self.next()? {
            b'0' => Ok(Bare::Boolean(false)),
            b'1' => Ok(Bare::Boolean(true)),
            _ => Err(Malformed),
        }
    }
}

/// A `tchar` of RFC 9110 §5.6.2.
pub fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

impl Display for Bare {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Bare::Integer(number) => write!(f, "{number}"),
            Bare::String(text) => {
                write!(f, "\"{}\"", text.replace('\\', r"\\").replace('"', r#"\""#))
            }
            Bare::Token(text) => f.write_str(text),
            Bare::Bytes(bytes) => write!(f, ":{}:", BASE64_STANDARD.encode(bytes)),
            Bare::Boolean(value) => write!(f, "?{}", u8::from(*value)),
        }
    }
}

impl Display for Parameters {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|(key, value)| match value {
            Bare::Boolean(true) => write!(f, ";{key}"),
            value => write!(f, ";{key}={value}"),
        })
    }
}

impl Display for Item {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.value, self.parameters)
    }
}

impl Display for InnerList {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("(")?;
        for (at, item) in self.items.iter().enumerate() {
            write!(f, "{}{item}", if at == 0 { "" } else { " " })?;
        }
        write!(f, "){}", self.parameters)
    }
}

impl Display for Dictionary {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for (at, (key, member)) in self.0.iter().enumerate() {
            write!(f, "{}{key}", if at == 0 { "" } else { ", " })?;
            match member {
                Member::Item(Item { value: Bare::Boolean(true), parameters }) => write!(f, "{parameters}")?,
                Member::Item(item) => write!(f, "={item}")?,
                Member::List(list) => write!(f, "={list}")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn m09_a_dictionary_in_another_spelling_is_refused() {
        for text in [
            "a",
            "a;b;c=?0",
            "a=?0, *b_-.*1=-12;q=\"\\\"x\\\\\"",
            "sig1=(\"@method\" \"date\";sf tok:/*);created=1;keyid=\"k\", sig2=()",
            "sig1=:AAECAw==:, x=999999999999999",
        ] {
            assert_eq!(Dictionary::parse(text).map(|read| read.to_string()).as_deref(), Ok(text));
        }
        for text in [
            "",
            " a",
            "a ",
            "a,b",
            "a,  b",
            "a\t, b",
            "a, ",
            ", a",
            "a, a",
            "a=1, a=2",
            "A=1",
            "1a=1",
            "a=",
            "a=?1",
            "a=?2",
            "a;b=?1",
            "a;b;b",
            "a= 1",
            "a =1",
            "a=01",
            "a=-0",
            "a=+1",
            "a=1.0",
            "a=1000000000000000",
            "a=-",
            "a=\"",
            "a=\"\\n\"",
            "a=\"\u{e9}\"",
            "a=\"\t\"",
            "a=:AA:",
            "a=:AAE:",
            "a=:AAF=:",
            "a=:AA==",
            "a=:A A=:",
            "a=@1",
            "a=%\"x\"",
            "a=(",
            "a=( \"x\")",
            "a=(\"x\" )",
            "a=(\"x\"  \"y\")",
            "a=(\"x\"\"y\")",
            "a=((\"x\"))",
            "a=(\"x\"))",
            "a=1 ;b",
            "a=1; b",
            "a=1;",
            "a=1;B",
        ] {
            assert_eq!(Dictionary::parse(text), Err(Malformed), "{text}");
        }
    }

    #[test]
    fn a_dictionary_has_bounds() {
        let many = |count: usize, one: fn(usize) -> String, between: &str| {
            (0..count).map(one).collect::<Vec<_>>().join(between)
        };
        let members = |count| many(count, |at| format!("a{at}"), ", ");
        let items = |count| format!("a=({})", many(count, |at| format!("{at}"), " "));
        let parameters = |count| format!("a{}", many(count, |at| format!(";a{at}"), ""));
        let bytes = |count: usize| format!("a=\"{}\"", "x".repeat(count - 4));
        for (make, most) in [
            (&members as &dyn Fn(usize) -> String, MOST_MEMBERS),
            (&items, MOST_ITEMS),
            (&parameters, MOST_PARAMETERS),
            (&bytes, LONGEST),
        ] {
            assert!(Dictionary::parse(&make(most)).is_ok(), "{most}");
            assert!(Dictionary::parse(&make(most + 1)).is_err(), "{most}");
        }
    }
}
