//! Binary HTTP messages (RFC 9292), known-length form, padded with zeros inside the seal.
//!
//! Every request and reply is one of these, bodyless ones and errors too (m26). Messages are bounded before anything
//! is allocated. Informational responses and trailers have no use here and are refused rather than dropped.

mod reader;
#[cfg(test)]
mod tests;

use crate::padding;
use core::fmt;
use reader::Reader;
use zeroize::Zeroizing;

/// No message is longer, padding included.
pub const MAX_BYTES: usize = 1 << 21;
/// No message has more header fields.
pub const MAX_FIELDS: usize = 64;

/// Framing indicators (RFC 9292 §3.3).
const KNOWN_LENGTH_REQUEST: u64 = 0;
const KNOWN_LENGTH_RESPONSE: u64 = 1;
/// The largest number a variable-length integer holds (RFC 9000 §16).
const MAX_VARINT: u64 = (1 << 62) - 1;

/// Why bytes are not a message, or a message has no bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Error {
    /// Longer than [`MAX_BYTES`], or more than [`MAX_FIELDS`] fields.
    TooLong,
    /// The bytes end inside the message.
    Truncated,
    /// Another framing: indeterminate length, or a response where a request was expected.
    Framing,
    /// A status outside 200 to 599: informational responses are not used here.
    Status,
    /// A method or field name that is not a lower-case token, or a value with control characters.
    Field,
    /// Trailers are not used here.
    Trailer,
    /// Something other than zeros after the message.
    Padding,
}

/// A request. Scheme, authority and path may be empty; the content is opaque and may be secret.
#[derive(PartialEq, Eq)]
pub struct Request {
    pub method: String,
    pub scheme: String,
    pub authority: String,
    pub path: String,
    pub fields: Vec<Field>,
    pub content: Zeroizing<Vec<u8>>,
}

/// A response with a final status.
#[derive(PartialEq, Eq)]
pub struct Response {
    pub status: u16,
    pub fields: Vec<Field>,
    pub content: Zeroizing<Vec<u8>>,
}

/// A header field; the name is lower case.
#[derive(Clone, PartialEq, Eq)]
pub struct Field {
    pub name: String,
    pub value: String,
}

impl Request {
    /// `POST path` with a CBOR body: what every operation is.
    pub fn post(path: &str, content: Zeroizing<Vec<u8>>) -> Request {
        Request {
            method: "POST".to_owned(),
            scheme: "https".to_owned(),
            authority: String::new(),
            path: path.to_owned(),
            fields: vec![Field::new("content-type", "application/cbor")],
            content,
        }
    }

    /// The message, padded with zeros to its bucket ([`padding::padded`]).
    pub fn to_padded_bytes(&self) -> Result<Zeroizing<Vec<u8>>, Error> {
        let mut writer = Writer::with_capacity(self.content.len());
        writer.number(KNOWN_LENGTH_REQUEST);
        check_token(&self.method)?;
        for part in [&self.method, &self.scheme, &self.authority, &self.path] {
            check_value(part)?;
            writer.string(part.as_bytes());
        }
        writer.finish(&self.fields, &self.content)
    }

    pub fn from_bytes(bytes: &[u8]) -> Result<Request, Error> {
        let mut reader = Reader::new(bytes)?;
        if reader.number()? != KNOWN_LENGTH_REQUEST {
            return Err(Error::Framing);
        }
        let method = reader.text()?;
        check_token(&method)?;
        let (scheme, authority, path) = (reader.text()?, reader.text()?, reader.text()?);
        let (fields, content) = reader.finish()?;
        Ok(Request { method, scheme, authority, path, fields, content })
    }
}

impl Response {
    /// A CBOR body with a status: what every reply is.
    pub fn new(status: u16, content: Zeroizing<Vec<u8>>) -> Response {
        Response { status, fields: vec![Field::new("content-type", "application/cbor")], content }
    }

    /// The message, padded with zeros to its bucket ([`padding::padded`]).
    pub fn to_padded_bytes(&self) -> Result<Zeroizing<Vec<u8>>, Error> {
        let mut writer = Writer::with_capacity(self.content.len());
        writer.number(KNOWN_LENGTH_RESPONSE);
        writer.number(check_status(u64::from(self.status))?.into());
        writer.finish(&self.fields, &self.content)
    }

    pub fn from_bytes(bytes: &[u8]) -> Result<Response, Error> {
        let mut reader = Reader::new(bytes)?;
        if reader.number()? != KNOWN_LENGTH_RESPONSE {
            return Err(Error::Framing);
        }
        let status = check_status(reader.number()?)?;
        let (fields, content) = reader.finish()?;
        Ok(Response { status, fields, content })
    }
}

impl Field {
    pub fn new(name: &str, value: &str) -> Field {
        Field { name: name.to_owned(), value: value.to_owned() }
    }
}

struct Writer(Zeroizing<Vec<u8>>);

impl Writer {
    /// Large enough for the whole padded message, so that no secret stays behind in a freed buffer.
    fn with_capacity(content: usize) -> Writer {
        Writer(Zeroizing::new(Vec::with_capacity(padding::padded(content.saturating_add(HEADER_ROOM)))))
    }

    /// A variable-length integer in its shortest form (RFC 9000 §16).
    fn number(&mut self, number: u64) {
        let bytes = number.min(MAX_VARINT).to_be_bytes();
        let (prefix, length) = match number {
            0..=0x3f => (0x00, 1),
            0x40..=0x3fff => (0x40, 2),
            0x4000..=0x3fff_ffff => (0x80, 4),
            _ => (0xc0, 8),
        };
        let mut prefix = Some(prefix);
        for byte in bytes.iter().skip(8usize.saturating_sub(length)) {
            self.0.push(byte | prefix.take().unwrap_or(0));
        }
    }

    fn string(&mut self, bytes: &[u8]) {
        self.number(bytes.len() as u64);
        self.0.extend_from_slice(bytes);
    }

    /// Header section, content, empty trailer section, padding.
    fn finish(mut self, fields: &[Field], content: &[u8]) -> Result<Zeroizing<Vec<u8>>, Error> {
        if fields.len() > MAX_FIELDS {
            return Err(Error::TooLong);
        }
        let mut section = Writer(Zeroizing::new(Vec::new()));
        for field in fields {
            check_name(&field.name)?;
            check_value(&field.value)?;
            section.string(field.name.as_bytes());
            section.string(field.value.as_bytes());
        }
        self.string(&section.0);
        self.string(content);
        self.number(0);
        let padded = padding::padded(self.0.len());
        if padded > MAX_BYTES {
            return Err(Error::TooLong);
        }
        self.0.resize(padded, 0);
        Ok(self.0)
    }
}

/// What control data and header fields of our own messages take, generously.
const HEADER_ROOM: usize = 512;

fn check_status(status: u64) -> Result<u16, Error> {
    match u16::try_from(status) {
        Ok(status @ 200..=599) => Ok(status),
        _ => Err(Error::Status),
    }
}

/// `token` of RFC 9110 §5.6.2.
fn check_token(token: &str) -> Result<(), Error> {
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    if !token.is_empty() && token.bytes().all(is_token) { Ok(()) } else { Err(Error::Field) }
}

/// A field name: a token in lower case, and no pseudo-header (RFC 9292 §3.6).
fn check_name(name: &str) -> Result<(), Error> {
    check_token(name)?;
    if name.bytes().any(|byte| byte.is_ascii_uppercase()) { Err(Error::Field) } else { Ok(()) }
}

/// No control characters: nothing can be smuggled into another message.
fn check_value(value: &str) -> Result<(), Error> {
    if value.bytes().any(|byte| byte < 0x20 || byte == 0x7f) { Err(Error::Field) } else { Ok(()) }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Error::TooLong => "the message is longer than the protocol allows",
            Error::Truncated => "the message is truncated",
            Error::Framing => "the message has another framing",
            Error::Status => "the status is not a final one",
            Error::Field => "a field is malformed",
            Error::Trailer => "trailers are not used here",
            Error::Padding => "the padding is not zeros",
        })
    }
}

impl core::error::Error for Error {}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Request({} {}, {} bytes)", self.method, self.path, self.content.len())
    }
}

impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Response({}, {} bytes)", self.status, self.content.len())
    }
}

impl fmt::Debug for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Field({}: ..)", self.name)
    }
}
