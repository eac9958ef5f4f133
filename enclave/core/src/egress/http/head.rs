//! A response's head: status line, header fields, and what they say about the body.

use std::fmt;

use zeroize::{Zeroize, Zeroizing};

use super::super::fault::{Fault, HttpFault};
use super::super::request::is_token_byte;

/// One response header field: the name in lower case, the value without the white space around it.
///
/// Bytes above 0x7f are read as ISO 8859-1 (RFC 9110 section 5.5), so nothing is lost and nothing fails.
#[derive(Clone, PartialEq, Eq)]
pub struct Header {
    pub name: Box<str>,
    pub value: Box<str>,
}

/// A value can be what a login yields.
impl Drop for Header {
    fn drop(&mut self) {
        self.value.zeroize();
    }
}

/// The header fields of one response, in the order received.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Headers(Vec<Header>);

impl Headers {
    /// The first value under `name`, which is in lower case.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|header| &*header.name == name).map(|header| &*header.value)
    }

    /// Every value under `name`, which is in lower case.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |header| &*header.name == name).map(|header| &*header.value)
    }

    /// Every field in the order received.
    pub fn iter(&self) -> impl Iterator<Item = &Header> {
        self.0.iter()
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn push(&mut self, header: Header) {
        self.0.push(header);
    }

    /// Whether a comma-separated list field contains `token`, in any case.
    pub(super) fn lists(&self, name: &str, token: &str) -> bool {
        self.all(name)
            .flat_map(|value| value.split(','))
            .any(|item| item.trim_matches([' ', '\t']).eq_ignore_ascii_case(token))
    }
}

/// Names only: values can carry session tokens.
impl fmt::Debug for Headers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|header| &header.name)).finish()
    }
}

/// Names only: values can carry session tokens.
impl fmt::Debug for Header {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Header").field("name", &self.name).finish_non_exhaustive()
    }
}

/// The first line of a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct StatusLine {
    pub(super) status: u16,
    /// HTTP/1.0: no persistence, no transfer codings.
    pub(super) old: bool,
}

/// `HTTP/1.x SP 3DIGIT [SP reason]`, RFC 9112 section 4.
pub(super) fn parse_status_line(line: &[u8]) -> Result<StatusLine, Fault> {
    let fault = Fault::Http(HttpFault::StatusLine);
    let (old, rest) = match (line.strip_prefix(b"HTTP/1.1 "), line.strip_prefix(b"HTTP/1.0 ")) {
        (Some(rest), _) => (false, rest),
        (_, Some(rest)) => (true, rest),
        _ => return Err(fault),
    };
    let (code, reason) = rest.split_at_checked(3).ok_or(fault)?;
    if !(reason.is_empty() || reason.starts_with(b" ")) || !code.iter().all(u8::is_ascii_digit) {
        return Err(fault);
    }
    let status = code.iter().fold(0_u16, |value, digit| value * 10 + u16::from(digit - b'0'));
    if status < 100 { Err(fault) } else { Ok(StatusLine { status, old }) }
}

/// `token ":" OWS value OWS`, RFC 9112 section 5. No folding, no white space before the colon.
pub(super) fn parse_header(line: &[u8]) -> Result<Header, Fault> {
    let fault = Fault::Http(HttpFault::HeaderField);
    let colon = line.iter().position(|byte| *byte == b':').ok_or(fault)?;
    let (name, value) = line.split_at_checked(colon).ok_or(fault)?;
    if name.is_empty() || !name.iter().copied().all(is_token_byte) {
        return Err(fault);
    }
    // Room for each byte as two: growing would leave a copy behind.
    let mut text = Zeroizing::new(String::with_capacity(2 * value.len()));
    text.extend(value.iter().skip(1).map(|byte| char::from(*byte)));
    Ok(Header {
        name: name.iter().map(|byte| char::from(byte.to_ascii_lowercase())).collect(),
        value: text.trim_matches([' ', '\t']).into(),
    })
}

/// How the body ends, RFC 9112 section 6.3.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Framing {
    Length(usize),
    Chunked,
    /// Until the provider's authenticated close.
    Close,
}

/// Decides the framing; whatever could be understood in two ways is refused.
pub(super) fn framing(
    status_line: StatusLine,
    to_head: bool,
    headers: &Headers,
    max_body: usize,
) -> Result<Framing, Fault> {
    if headers.all("content-encoding").any(|coding| !coding.eq_ignore_ascii_case("identity")) {
        return Err(Fault::Http(HttpFault::ContentEncoding));
    }
    let length = content_length(headers)?;
    let chunked = is_chunked(headers)?;
    if chunked && (length.is_some() || status_line.old) {
        return Err(Fault::Http(HttpFault::Framing));
    }
    let bodyless = to_head || matches!(status_line.status, 204 | 304);
    match (bodyless, chunked, length) {
        (true, _, _) => Ok(Framing::Length(0)),
        (false, true, _) => Ok(Framing::Chunked),
        (false, false, Some(length)) => {
            let length = usize::try_from(length).map_err(|_| Fault::TooLarge)?;
            if length > max_body { Err(Fault::TooLarge) } else { Ok(Framing::Length(length)) }
        }
        (false, false, None) => Ok(Framing::Close),
    }
}

/// `1*DIGIT` that fits 64 bits; repeated only with the same value.
fn content_length(headers: &Headers) -> Result<Option<u64>, Fault> {
    let fault = Fault::Http(HttpFault::ContentLength);
    let mut found = None;
    for value in headers.all("content-length") {
        if value.is_empty() || !value.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(fault);
        }
        let length: u64 = value.parse().map_err(|_| fault)?;
        if found.is_some_and(|earlier| earlier != length) {
            return Err(fault);
        }
        found = Some(length);
    }
    Ok(found)
}

/// Exactly one Transfer-Encoding, exactly `chunked`, or none.
fn is_chunked(headers: &Headers) -> Result<bool, Fault> {
    let mut values = headers.all("transfer-encoding");
    match (values.next(), values.next()) {
        (None, _) => Ok(false),
        (Some(value), None) if value.eq_ignore_ascii_case("chunked") => Ok(true),
        _ => Err(Fault::Http(HttpFault::TransferEncoding)),
    }
}
