//! A request to a provider, ready to be sent.

use std::fmt;

use zeroize::Zeroize;

pub use super::model::Method;

/// An HTTP request. The `Debug` form shows where it goes and nothing that could be a secret. What it says is erased
/// on drop: headers carry API keys, passphrases and tokens as they are.
pub struct Request {
    /// The provider's real host; what is signed is for this host, whatever it is sent to.
    pub host: String,
    pub method: Method,
    /// Path and query.
    pub target: String,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    /// Its weight in the exchange's rate limit.
    pub cost: u32,
}

impl Request {
    /// The path without query: names the endpoint in findings and reports.
    pub fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or_default()
    }

    /// Whether target and headers can stand in an HTTP/1.1 head: visible ASCII, no line breaks.
    pub fn is_sendable(&self) -> bool {
        let visible = |text: &str| text.bytes().all(|byte| (0x21..=0x7E).contains(&byte));
        let value = |text: &str| text.bytes().all(|byte| (0x20..=0x7E).contains(&byte));
        self.target.starts_with('/')
            && visible(&self.target)
            && !self.target.contains('#')
            && self.headers.iter().all(|(name, text)| !name.is_empty() && visible(name) && value(text))
    }
}

impl Zeroize for Request {
    fn zeroize(&mut self) {
        self.target.zeroize();
        self.headers.iter_mut().for_each(|(_, value)| value.zeroize());
        self.body.zeroize();
    }
}

impl Drop for Request {
    fn drop(&mut self) {
        self.zeroize();
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}{} ({} bytes)", self.method.name(), self.host, self.path(), self.body.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn m18_a_request_that_was_sent_leaves_no_key_in_memory_that_is_given_back() {
        let mut request = Request {
            host: "www.okx.com".into(),
            method: Method::Post,
            target: "/api?key=CANARY".into(),
            headers: vec![("OK-ACCESS-PASSPHRASE".into(), "CANARY".into())],
            body: b"CANARY".to_vec(),
            cost: 1,
        };
        let held = |request: &Request| {
            let values = request.headers.iter().map(|(_, value)| value.len()).sum::<usize>();
            request.target.len() + values + request.body.len()
        };
        assert_eq!(held(&request), 27);
        request.zeroize();
        assert_eq!(held(&request), 0);
        assert!(core::mem::needs_drop::<Request>());
    }
}
