//! One request as the dialects see it: the real provider's host, and the bytes exactly as they were signed.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hyper::HeaderMap;
use std::net::IpAddr;

/// A request that has arrived whole.
#[derive(Debug, Clone, Copy)]
pub struct Call<'a> {
    /// Upper case, as sent.
    pub method: &'a str,
    /// The provider's real host (`api.kraken.com`), without port and without the sandbox suffix.
    pub host: &'a str,
    /// Percent-encoded, as sent.
    pub path: &'a str,
    /// What follows `?`, percent-encoded, as sent; empty without one.
    pub query: &'a str,
    pub headers: &'a HeaderMap,
    pub body: &'a [u8],
    pub peer: IpAddr,
    /// The exchange's clock when the call arrived: Unix milliseconds.
    pub now: u64,
}

impl Call<'_> {
    /// A header's value; `None` when it is missing, empty or not visible ASCII.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok().filter(|value| !value.is_empty())
    }

    /// Path and query as they stood in the request line.
    pub fn target(&self) -> String {
        if self.query.is_empty() { self.path.to_owned() } else { format!("{}?{}", self.path, self.query) }
    }

    /// The first query parameter of that name, decoded.
    pub fn param(&self, name: &str) -> Option<String> {
        form_field(self.query, name)
    }

    /// The first field of that name in a form body, decoded.
    pub fn field(&self, name: &str) -> Option<String> {
        form_field(self.text(), name)
    }

    /// The body as text; empty when it is not UTF-8 (no dialect signs anything else).
    pub fn text(&self) -> &str {
        std::str::from_utf8(self.body).unwrap_or_default()
    }
}

/// Looks a name up in `application/x-www-form-urlencoded` text.
pub fn form_field(form: &str, name: &str) -> Option<String> {
    form.split('&')
        .filter_map(|pair| pair.split_once('='))
        .find(|(key, _)| *key == name)
        .map(|(_, value)| decode(value))
}

/// Percent-decodes, with `+` as a space; a broken escape stays as it is.
pub fn decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        let escaped = (first == b'%').then(|| tail.get(..2).and_then(hex_byte)).flatten();
        rest = if escaped.is_some() { &tail[2..] } else { tail };
        bytes.push(escaped.unwrap_or(if first == b'+' { b' ' } else { first }));
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn hex_byte(digits: &[u8]) -> Option<u8> {
    let text = std::str::from_utf8(digits).ok().filter(|text| !text.starts_with('+'))?;
    u8::from_str_radix(text, 16).ok()
}

/// Standard base64 with padding; `None` when it is not canonical.
pub fn base64(text: &str) -> Option<Vec<u8>> {
    STANDARD.decode(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn form_fields_are_decoded_and_the_first_wins() {
        assert_eq!(form_field("a=1%202&b=x+y&a=3", "a").as_deref(), Some("1 2"));
        assert_eq!(form_field("a=1&b=x+y", "b").as_deref(), Some("x y"));
        assert_eq!(form_field("ab=1", "a"), None);
    }

    #[test]
    fn a_broken_escape_is_kept_as_it_is() {
        assert_eq!(decode("100%"), "100%");
        assert_eq!(decode("%+1%zz"), "% 1%zz");
    }
}
