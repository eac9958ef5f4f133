//! A reader for JSON that providers send: bounded, strict (RFC 8259), borrowing, numbers kept as exact text.
//!
//! The document is one flat list of nodes, 8 bytes each, at most one for every two bytes of input, so memory is
//! bounded by the input. Nothing is copied; strings are unescaped when they are asked for. A duplicate member name
//! is refused where that name is asked for ([`Json::member`]), and by [`Json::members`] consumers that key on it.

use std::borrow::Cow;

use super::parse::Parser;

/// Longer documents are refused.
pub const MAX_BYTES: usize = 32 << 20;
/// Deeper documents are refused.
pub const MAX_DEPTH: usize = 48;

/// Why bytes are no acceptable JSON document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JsonError {
    TooLong,
    TooDeep,
    NotUtf8,
    Syntax,
    /// A member name that matters occurs twice.
    Duplicate,
}

/// The containers come last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    Null,
    False,
    True,
    Number,
    String,
    /// A string that holds escapes.
    Escaped,
    Array,
    Object,
}

/// A value or member name in eight bytes, as reading is bound by what it writes: its place in the lower half; in the
/// upper one the kind, and above that the extent.
#[derive(Clone, Copy)]
pub(super) struct Node(u64);

impl Node {
    const KIND_AT: u32 = 32;
    const EXTENT_AT: u32 = Self::KIND_AT + 3;

    /// INVARIANT: `extent` is at most [`MAX_BYTES`], which leaves room for the kind.
    #[inline]
    pub fn new(kind: Kind, at: u32, extent: u32) -> Self {
        Self(u64::from(extent) << Self::EXTENT_AT | (kind as u64) << Self::KIND_AT | u64::from(at))
    }

    /// Of a scalar, where its text starts, behind the quote of a string. Of an object, how many nodes earlier one
    /// begins that has the same names, with their values at the same distances; 0 for none.
    #[inline]
    pub fn at(self) -> u32 {
        self.0 as u32
    }

    #[inline]
    pub fn kind(self) -> Kind {
        match self.0 >> Self::KIND_AT & 7 {
            0 => Kind::Null,
            1 => Kind::False,
            2 => Kind::True,
            3 => Kind::Number,
            4 => Kind::String,
            5 => Kind::Escaped,
            6 => Kind::Array,
            _ => Kind::Object,
        }
    }

    /// Of a scalar, the length of its text; of a container, how many nodes it takes, with its own.
    #[inline]
    pub fn extent(self) -> u32 {
        (self.0 >> Self::EXTENT_AT) as u32
    }

    /// How many nodes the value takes.
    #[inline]
    pub fn size(self) -> u32 {
        if self.is_container() { self.extent() } else { 1 }
    }

    #[inline]
    pub fn is_container(self) -> bool {
        self.kind() >= Kind::Array
    }

    /// Of a scalar: whether its text stands between quotes.
    #[inline]
    pub fn is_quoted(self) -> bool {
        self.kind() >= Kind::String
    }

    /// Of a scalar: where its text ends, before the closing quote of a string.
    #[inline]
    pub fn text_end(self) -> usize {
        self.at() as usize + self.extent() as usize
    }

    /// A scalar like this one, `distance` bytes further on.
    #[inline]
    pub fn moved(self, distance: usize) -> Self {
        // INVARIANT: the text is at most MAX_BYTES long: the lower half does not overflow. A check would keep the
        // compiler from moving several nodes at a time.
        Self(self.0.wrapping_add(distance as u64))
    }
}

/// A parsed document.
pub struct Document<'t> {
    text: &'t str,
    nodes: Vec<Node>,
}

/// A value in a document.
#[derive(Clone, Copy)]
pub struct Json<'d> {
    document: &'d Document<'d>,
    index: u32,
}

impl<'t> Document<'t> {
    pub fn parse(bytes: &'t [u8]) -> Result<Self, JsonError> {
        if bytes.len() > MAX_BYTES {
            return Err(JsonError::TooLong);
        }
        let text = std::str::from_utf8(bytes).map_err(|_| JsonError::NotUtf8)?;
        Ok(Self { text, nodes: Parser::nodes(bytes)? })
    }

    pub fn root(&self) -> Json<'_> {
        Json { document: self, index: 0 }
    }
}

impl<'d> Json<'d> {
    #[inline]
    fn node(self) -> Option<Node> {
        self.document.nodes.get(self.index as usize).copied()
    }

    #[inline]
    pub fn kind(self) -> Kind {
        self.node().map_or(Kind::Null, Node::kind)
    }

    pub fn is_null(self) -> bool {
        self.kind() == Kind::Null
    }

    /// Whether both are the same value of one document, not only equal ones.
    pub fn is_same(self, other: Json<'_>) -> bool {
        self.index == other.index && std::ptr::addr_eq(self.document, other.document)
    }

    /// How many values and names this is made of.
    pub fn size(self) -> usize {
        self.node().map_or(0, |node| node.size() as usize)
    }

    /// The text of a scalar as it was received, without quotes; empty for a list or object.
    #[inline]
    pub fn raw(self) -> &'d str {
        let scalar = self.node().filter(|node| !node.is_container());
        scalar.and_then(|node| self.document.text.get(span(node))).unwrap_or_default()
    }

    /// The text of a scalar as it was received, empty of null; nothing where that is not its value: of strings with escapes,
    /// lists and objects.
    #[inline]
    pub fn lent(self) -> Option<&'d str> {
        let node = self.node()?;
        match node.kind() {
            Kind::Null => Some(""),
            Kind::False | Kind::True | Kind::Number | Kind::String => self.document.text.get(span(node)),
            Kind::Escaped | Kind::Array | Kind::Object => None,
        }
    }

    /// The bytes of a number, or of a string without escapes.
    #[inline]
    pub fn plain(self) -> Option<&'d [u8]> {
        let node = self.node().filter(|node| matches!(node.kind(), Kind::Number | Kind::String))?;
        self.document.text.as_bytes().get(span(node))
    }

    /// A string, unescaped; nothing for any other kind.
    pub fn string(self) -> Option<Cow<'d, str>> {
        match self.kind() {
            Kind::String => Some(Cow::Borrowed(self.raw())),
            Kind::Escaped => Some(Cow::Owned(unescape(self.raw()))),
            _ => None,
        }
    }

    /// A string, number or boolean as text.
    pub fn scalar(self) -> Option<Cow<'d, str>> {
        match self.kind() {
            Kind::String | Kind::Escaped => self.string(),
            Kind::Number | Kind::True | Kind::False => Some(Cow::Borrowed(self.raw())),
            Kind::Null | Kind::Array | Kind::Object => None,
        }
    }

    /// The member `name` of an object; nothing when there is none, an error when there are two.
    pub fn member(self, name: &str) -> Result<Option<Json<'d>>, JsonError> {
        let mut found = None;
        for (key, value) in self.members() {
            if key.is(name) && found.replace(value).is_some() {
                return Err(JsonError::Duplicate);
            }
        }
        Ok(found)
    }

    /// Whether this is an object with the same names as `elder`, their values at the same distances.
    #[inline]
    pub fn repeats(self, elder: Json<'d>) -> bool {
        let twin = self.node().filter(|node| node.kind() == Kind::Object).map_or(0, Node::at);
        twin != 0 && self.index.checked_sub(elder.index) == Some(twin)
    }

    /// The value in this object that stands where `value` stands in `elder`, which this object repeats.
    #[inline]
    pub fn counterpart(self, elder: Json<'d>, value: Json<'d>) -> Json<'d> {
        Json { document: self.document, index: self.index + (value.index - elder.index) }
    }

    /// Members of an object in order; none for any other kind.
    pub fn members(self) -> Members<'d> {
        Members { children: self.children(Kind::Object) }
    }

    /// Elements of an array in order; none for any other kind.
    pub fn elements(self) -> Elements<'d> {
        Elements { children: self.children(Kind::Array) }
    }

    fn children(self, kind: Kind) -> Children<'d> {
        let (at, end) = match self.node() {
            Some(node) if node.kind() == kind => (self.index + 1, self.index + node.size()),
            _ => (0, 0),
        };
        Children { document: self.document, at, end }
    }
}

/// A member name.
#[derive(Clone, Copy)]
pub struct Name<'d>(Json<'d>);

impl<'d> Name<'d> {
    /// The name's bytes, where it holds no escapes.
    #[inline]
    pub fn plain(self) -> Option<&'d [u8]> {
        let node = self.0.node().filter(|node| node.kind() == Kind::String)?;
        self.0.document.text.as_bytes().get(span(node))
    }

    /// The name, where it holds no escapes.
    #[inline]
    pub fn borrowed(self) -> Option<&'d str> {
        let node = self.0.node().filter(|node| node.kind() == Kind::String)?;
        self.0.document.text.get(span(node))
    }

    #[inline]
    pub fn is(self, name: &str) -> bool {
        match self.0.kind() {
            Kind::String => self.0.raw() == name,
            _ => self.text() == name,
        }
    }

    pub fn text(self) -> Cow<'d, str> {
        self.0.string().unwrap_or_default()
    }
}

struct Children<'d> {
    document: &'d Document<'d>,
    at: u32,
    end: u32,
}

impl<'d> Children<'d> {
    #[inline]
    fn take(&mut self) -> Option<Json<'d>> {
        if self.at >= self.end {
            return None;
        }
        let value = Json { document: self.document, index: self.at };
        self.at += value.node()?.size();
        Some(value)
    }
}

pub struct Members<'d> {
    children: Children<'d>,
}

impl<'d> Iterator for Members<'d> {
    type Item = (Name<'d>, Json<'d>);
    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        let name = self.children.take()?;
        Some((Name(name), self.children.take()?))
    }
}

pub struct Elements<'d> {
    children: Children<'d>,
}

impl<'d> Iterator for Elements<'d> {
    type Item = Json<'d>;
    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        self.children.take()
    }
}

/// Where a scalar's text is.
#[inline]
fn span(scalar: Node) -> std::ops::Range<usize> {
    let start = scalar.at() as usize;
    start..start + scalar.extent() as usize
}

/// Resolves escapes; the scanner has checked their form. A lone surrogate becomes U+FFFD.
fn unescape(raw: &str) -> String {
    let mut text = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some((plain, escaped)) = rest.split_once('\\') {
        text.push_str(plain);
        let mut tail = escaped.chars();
        match tail.next() {
            Some('b') => text.push('\u{8}'),
            Some('f') => text.push('\u{c}'),
            Some('n') => text.push('\n'),
            Some('r') => text.push('\r'),
            Some('t') => text.push('\t'),
            Some('u') => {
                let (character, used) = unescape_unicode(tail.as_str());
                text.push(character);
                rest = tail.as_str().get(used..).unwrap_or_default();
                continue;
            }
            Some(other) => text.push(other),
            None => {}
        }
        rest = tail.as_str();
    }
    text.push_str(rest);
    text
}

/// The character of `XXXX` or `XXXX\uXXXX`, and how many bytes it took.
fn unescape_unicode(digits: &str) -> (char, usize) {
    let unit = |text: &str, from: usize| {
        text.get(from..from + 4).and_then(|digits| u16::from_str_radix(digits, 16).ok()).unwrap_or(0xFFFD)
    };
    let first = unit(digits, 0);
    if digits.get(4..6) == Some("\\u") {
        let pair = [first, unit(digits, 6)];
        if let Some(Ok(character)) = char::decode_utf16(pair).next()
            && !(0..0xD800).contains(&first)
            && (0xD800..0xDC00).contains(&first)
        {
            return (character, 10);
        }
    }
    (char::from_u32(u32::from(first)).unwrap_or(char::REPLACEMENT_CHARACTER), 4)
}

#[cfg(test)]
#[path = "json_tests.rs"]
mod tests;
