//! A request to a provider, ready to be sent.

use std::fmt;

pub use super::model::Method;

/// An HTTP request. The `Debug` form shows where it goes and nothing that could be a secret.
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

impl fmt::Debug for Request {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}{} ({} bytes)", self.method.name(), self.host, self.path(), self.body.len())
    }
}
