//! A request as it was received, before anybody believes it, in spellings of which there is one each.

use super::Refused;
use super::structured::is_token;
use core::fmt::{self, Debug, Formatter};
use std::net::Ipv6Addr;

/// Of a method, and of a target with its query.
const LONGEST_METHOD: usize = 32;
const LONGEST_TARGET: usize = 8192;
/// RFC 1035 §2.3.4.
const LONGEST_HOST: usize = 253;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    Http,
    Https,
}

/// Who is asked: host and port (RFC 9110 §7.2), lower case, without the scheme's own port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authority(String);

/// Name and value of a field line. The name in any case; the value as received.
pub type Field<'r> = (&'r str, &'r [u8]);

/// The parts of a request that a signature may cover. Its body is not here: it comes later (`Once::with_body`).
#[derive(Clone)]
pub struct Request<'r> {
    scheme: Scheme,
    method: &'r str,
    authority: Authority,
    path: &'r str,
    query: Option<&'r str>,
    fields: Vec<Field<'r>>,
}

impl<'r> Request<'r> {
    /// `authority` is HTTP/1.1's `Host` or HTTP/2's `:authority`; `target` is in origin form (RFC 9112 §3.2.1), as received. A `Host`
    /// among the fields says the same, once. What a proxy or a library could spell otherwise is refused.
    pub fn new(
        scheme: Scheme,
        method: &'r str,
        authority: &str,
        target: &'r str,
        fields: impl IntoIterator<Item = Field<'r>>,
    ) -> Result<Request<'r>, Refused> {
        let is_method = (1..=LONGEST_METHOD).contains(&method.len())
            && method.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'-');
        if !is_method {
            return Err(Refused::MethodMalformed);
        }
        let (path, query) = split(target).ok_or(Refused::TargetMalformed)?;
        let authority = Authority::parse(scheme, authority)?;
        let fields = fields.into_iter().collect();
        let request = Request { scheme, method, authority, path, query, fields };
        match request.single("host") {
            Ok(None) => Ok(request),
            Ok(Some(host)) if Authority::parse(scheme, host)? == request.authority => Ok(request),
            _ => Err(Refused::AuthorityMalformed),
        }
    }

    pub fn scheme(&self) -> Scheme {
        self.scheme
    }

    pub fn method(&self) -> &'r str {
        self.method
    }

    pub fn authority(&self) -> &Authority {
        &self.authority
    }

    /// As received: percent-encoded.
    pub fn path(&self) -> &'r str {
        self.path
    }

    /// As received, without its `?`. Never empty: RFC 9421 §2.2.7 does not tell an empty query from none.
    pub fn query(&self) -> Option<&'r str> {
        self.query
    }

    /// The value of a field that occurs at most once. `name` in lower case.
    pub fn single(&self, name: &str) -> Result<Option<&'r str>, Refused> {
        let mut lines = self.lines(name);
        let Some(line) = lines.next() else { return Ok(None) };
        match lines.next() {
            None => text(line).map(Some),
            Some(_) => Err(Refused::FieldRepeated),
        }
    }

    /// The values of all lines of this name, joined (RFC 9421 §2.1). The profile takes no such field: one that was split or joined on
    /// its way has the same signature.
    pub fn joined(&self, name: &str) -> Result<Option<String>, Refused> {
        let lines: Vec<&str> = self.lines(name).map(text).collect::<Result<_, _>>()?;
        Ok(if lines.is_empty() { None } else { Some(lines.join(", ")) })
    }

    pub fn has(&self, name: &str) -> bool {
        self.lines(name).next().is_some()
    }

    /// The same request with one more field line.
    #[must_use]
    pub fn with(mut self, field: Field<'r>) -> Request<'r> {
        self.fields.push(field);
        self
    }

    fn lines(&self, name: &str) -> impl Iterator<Item = &'r [u8]> {
        self.fields.iter().filter(move |(field, _)| field.eq_ignore_ascii_case(name)).map(|(_, value)| *value)
    }
}

/// No query and no fields: what is printed may be kept.
impl Debug for Request<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, self.path)
    }
}

impl Authority {
    pub fn parse(scheme: Scheme, text: &str) -> Result<Authority, Refused> {
        let (host, port) = split_port(text).ok_or(Refused::AuthorityMalformed)?;
        if !is_host(host) {
            return Err(Refused::AuthorityMalformed);
        }
        let default = match scheme {
            Scheme::Http => 80,
            Scheme::Https => 443,
        };
        let host = host.to_ascii_lowercase();
        Ok(Authority(match port {
            Some(port) if port != default => format!("{host}:{port}"),
            _ => host,
        }))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Scheme {
    pub fn as_str(self) -> &'static str {
        match self {
            Scheme::Http => "http",
            Scheme::Https => "https",
        }
    }
}

/// A field's value without white space around it. Line folding (RFC 9112 §5.2), control characters and bytes that are not ASCII are
/// refused: readers disagree about them.
fn text(value: &[u8]) -> Result<&str, Refused> {
    let text = core::str::from_utf8(value).map_err(|_| Refused::FieldMalformed)?;
    let is_plain = text.bytes().all(|byte| matches!(byte, b'\t' | b' '..=b'~'));
    if is_plain { Ok(text.trim_matches([' ', '\t'])) } else { Err(Refused::FieldMalformed) }
}

/// Path and query of a target in origin form.
fn split(target: &str) -> Option<(&str, Option<&str>)> {
    if target.len() > LONGEST_TARGET {
        return None;
    }
    let (path, query) = match target.split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (target, None),
    };
    let is_query = |query: &str| !query.is_empty() && is_encoded(query, b"/?", |_| true);
    (is_path(path) && query.is_none_or(is_query)).then_some((path, query))
}

/// Normalised (RFC 3986 §6.2.2): no dot segments, nothing encoded that need not be, encodings in capitals. And without empty segments,
/// which some servers merge and some take for the start of an authority.
fn is_path(path: &str) -> bool {
    let Some(rest) = path.strip_prefix('/') else { return false };
    let mut segments = rest.split('/').rev();
    let last = segments.next().unwrap_or_default();
    let is_segment = |segment: &str| !matches!(segment, "." | "..");
    let is_needed = |[high, low]: [u8; 2]| {
        let digit = |byte: u8| char::from(byte).to_digit(16).unwrap_or_default();
        let byte = u8::try_from(16 * digit(high) + digit(low)).unwrap_or_default();
        let is_capital = !high.is_ascii_lowercase() && !low.is_ascii_lowercase();
        is_capital && !byte.is_ascii_alphanumeric() && !b"-._~".contains(&byte)
    };
    is_segment(last)
        && segments.all(|segment| !segment.is_empty() && is_segment(segment))
        && is_encoded(path, b"/", is_needed)
}

/// Of the characters of RFC 3986's `pchar` and these; `may` says which encodings of two hexadecimal digits may stand.
fn is_encoded(text: &str, and: &[u8], may: impl Fn([u8; 2]) -> bool) -> bool {
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        let is_good = match byte {
            b'%' => match (bytes.next(), bytes.next()) {
                (Some(high), Some(low)) => {
                    high.is_ascii_hexdigit() && low.is_ascii_hexdigit() && may([high, low])
                }
                _ => false,
            },
            _ => byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@".contains(&byte) || and.contains(&byte),
        };
        if !is_good {
            return false;
        }
    }
    true
}

fn split_port(text: &str) -> Option<(&str, Option<u16>)> {
    let after_address = if text.starts_with('[') { text.find(']')? + 1 } else { 0 };
    let colon = text.get(after_address..)?.find(':').map(|at| after_address + at);
    let Some(colon) = colon else { return Some((text, None)) };
    let digits = text.get(colon + 1..)?;
    let is_plain = digits.bytes().all(|digit| digit.is_ascii_digit()) && !digits.starts_with('0');
    let port = digits.parse().ok().filter(|_| is_plain)?;
    Some((text.get(..colon)?, Some(port)))
}

fn is_host(host: &str) -> bool {
    if let Some(address) = host.strip_prefix('[') {
        return address.strip_suffix(']').is_some_and(|address| address.parse::<Ipv6Addr>().is_ok());
    }
    host.len() <= LONGEST_HOST
        && host.split('.').all(|label| {
            !label.is_empty()
                && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
        })
}

/// A field's name as components have it: lower case.
pub fn is_field_name(name: &str) -> bool {
    (1..=128).contains(&name.len()) && name.bytes().all(|byte| is_token(byte) && !byte.is_ascii_uppercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_authority_is_compared_in_one_spelling() {
        for (scheme, text, canonical) in [
            (Scheme::Https, "API.Example.com:443", "api.example.com"),
            (Scheme::Https, "api.example.com:80", "api.example.com:80"),
            (Scheme::Http, "localhost:80", "localhost"),
            (Scheme::Http, "localhost:443", "localhost:443"),
            (Scheme::Https, "127.0.0.1:8443", "127.0.0.1:8443"),
            (Scheme::Https, "[::FFFF]:443", "[::ffff]"),
            (Scheme::Https, "[::1]:8443", "[::1]:8443"),
        ] {
            assert_eq!(Authority::parse(scheme, text).map(|read| read.0).as_deref(), Ok(canonical));
        }
        for text in [
            "",
            ":443",
            "a:",
            "a:0",
            "a:0443",
            "a:65536",
            "a:+1",
            "a:1:2",
            "a b",
            "user@a",
            "a.",
            ".a",
            "a..b",
            "%61",
            "é",
            "[::1",
            "::1",
            "[::1]x",
            "[::1]:",
            "[1]",
            "[fe80::1%25eth0]",
            "a, b",
            "a/b",
            "a?b",
            "a#b",
        ] {
            assert_eq!(Authority::parse(Scheme::Https, text), Err(Refused::AuthorityMalformed), "{text}");
        }
        assert!(Authority::parse(Scheme::Https, &"a".repeat(LONGEST_HOST)).is_ok());
        assert!(Authority::parse(Scheme::Https, &"a".repeat(LONGEST_HOST + 1)).is_err());
    }

    #[test]
    fn a_target_has_one_spelling() {
        for target in [
            "/",
            "/v1/keys",
            "/v1/keys/",
            "/a%20b/%C3%A9/%2F",
            "/.a/..b/...",
            "/v1/!$&'()*+,;=:@",
            "/?a",
            "/?/?",
            "/a?b=%7e%7E&c=[",
        ] {
            assert_eq!(split(target).is_some(), !target.contains('['), "{target}");
        }
        for target in [
            "",
            "*",
            "a",
            "//a",
            "/a//b",
            "/./a",
            "/a/..",
            "/a/../b",
            "/.",
            "/%2e/a",
            "/%2E%2E/a",
            "/%61",
            "/%c3",
            "/%7E",
            "/%",
            "/%2",
            "/%zz",
            "/a?",
            "/?%",
            "/?%g0",
            "/a b",
            "/a#b",
            "/a?b#c",
            "/é",
            "/?é",
            "/a\\b",
            "/\"",
            "/a?b c",
            "/a\r\n",
            "/a|b",
            "http://a/",
            "https://example.com/a",
            "example.com:443",
            "/[",
        ] {
            assert_eq!(split(target), None, "{target}");
        }
        assert!(split(&format!("/{}", "a".repeat(LONGEST_TARGET - 1))).is_some());
        assert!(split(&format!("/{}", "a".repeat(LONGEST_TARGET))).is_none());
    }

    #[test]
    fn a_request_names_one_host_once() {
        let request = |hosts: &[&'static str]| {
            let fields: Vec<Field> = hosts.iter().map(|host| ("Host", host.as_bytes())).collect();
            Request::new(Scheme::Https, "GET", "a.example", "/", fields).map(|_| ())
        };
        assert_eq!(request(&[]), Ok(()));
        assert_eq!(request(&["A.example:443"]), Ok(()));
        for hosts in [&["b.example"][..], &["a.example", "a.example"], &["a.example\r\n b"], &[""]] {
            assert_eq!(request(hosts), Err(Refused::AuthorityMalformed), "{hosts:?}");
        }
        for method in ["", "get", "G T", "G\n", &"G".repeat(LONGEST_METHOD + 1)] {
            let made = Request::new(Scheme::Https, method, "a.example", "/", []);
            assert_eq!(made.map(|_| ()), Err(Refused::MethodMalformed));
        }
    }
}
