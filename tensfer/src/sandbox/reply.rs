//! What a dialect answers: status, headers and a whole body.

use serde_json::Value;
use std::borrow::Cow;

/// An answer before faults touch it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    pub status: u16,
    pub headers: Vec<(Cow<'static, str>, String)>,
    pub body: Vec<u8>,
}

impl Reply {
    pub fn json(status: u16, value: &Value) -> Self {
        let headers = vec![(Cow::Borrowed("content-type"), "application/json".to_owned())];
        Self { status, headers, body: value.to_string().into_bytes() }
    }

    pub fn text(status: u16, text: &str) -> Self {
        let headers = vec![(Cow::Borrowed("content-type"), "text/plain; charset=utf-8".to_owned())];
        Self { status, headers, body: text.as_bytes().to_vec() }
    }

    #[must_use]
    pub fn with(mut self, name: impl Into<Cow<'static, str>>, value: impl ToString) -> Self {
        self.headers.push((name.into(), value.to_string()));
        self
    }
}
