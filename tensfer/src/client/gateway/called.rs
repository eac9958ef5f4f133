//! Any call of the server's API, and its answer as it came.

use super::Gateway;
use crate::client::failure::{Failure, Result};
use std::io::Read;
use ureq::http::{Method, Request, Uri};

/// What was answered, whatever it was.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Gateway {
    /// Host and port, as the request will name them.
    pub fn authority(&self) -> &str {
        self.base.split_once("://").map_or("", |(_, authority)| authority)
    }

    pub fn is_https(&self) -> bool {
        self.base.starts_with("https://")
    }

    /// Sends these very fields beside those that HTTP needs.
    pub fn call(
        &self,
        method: &str,
        target: &str,
        fields: &[(String, String)],
        body: &[u8],
    ) -> Result<Answer> {
        let malformed = || {
            Failure::usage("this is no request that HTTP can carry").hint("check METHOD, PATH and `--header`")
        };
        let uri: Uri = format!("{}{target}", self.base).parse().map_err(|_| malformed())?;
        let method: Method = method.parse().map_err(|_| malformed())?;
        // RFC 9110 §8.6: who sends nothing by a method that expects something says so.
        let has_body = !body.is_empty() || matches!(method, Method::POST | Method::PUT | Method::PATCH);
        let mut request = Request::builder().method(method).uri(uri);
        for (name, value) in fields {
            request = request.header(name, value);
        }
        let sent = if has_body {
            self.agent.run(request.body(body).map_err(|_| malformed())?)
        } else {
            self.agent.run(request.body(()).map_err(|_| malformed())?)
        };
        let response = sent.map_err(|error| self.unreachable(&error))?;
        let status = response.status().as_u16();
        let text = |value: &ureq::http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
        let headers =
            response.headers().iter().map(|(name, value)| (name.as_str().to_owned(), text(value))).collect();
        let mut answer = Vec::new();
        let read = response.into_body().as_reader().take(super::MAX_ANSWER + 1).read_to_end(&mut answer);
        read.map_err(|_| {
            Failure::host("truncated", "the server broke off in the middle of its answer").retryable(true)
        })?;
        if answer.len() as u64 > super::MAX_ANSWER {
            return Err(Failure::host("too_long", "the server answered with more than the protocol allows"));
        }
        Ok(Answer { status, headers, body: answer })
    }
}
