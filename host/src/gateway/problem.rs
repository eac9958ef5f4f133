//! Errors as clients see them: RFC 9457 problem details with a stable code.

mod code;
mod denied;
mod sentence;

pub use code::Code;
pub use sentence::sentence;

use axum::http::header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

pub const CONTENT: &str = "application/problem+json";

/// RFC 9458 §5.2: what any Oblivious HTTP client knows to mean "fetch the key configuration again".
const OHTTP_KEY: &str = "https://iana.org/assignments/http-problem-types#ohttp-key";

/// A problem that a handler or guard found. Its request id is added on the way out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Problem(pub Code);

/// RFC 9457 problem details.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Problem)]
pub struct Details {
    /// A link to the page of this code, relative to the gateway; for `unknown_key` the registered type of RFC 9458.
    #[serde(rename = "type")]
    pub kind: String,
    /// The same for every problem of this code.
    pub title: String,
    pub status: u16,
    /// A sentence for the person who asked: what happened, and what to do next.
    pub detail: String,
    /// Stable: decide by this.
    pub code: &'static str,
    /// Whose fault it is.
    pub fault: Fault,
    /// Of what a policy forbids: which one, `base/ID` of the server's own or `organisation/ID` (docs/spec/policy.md).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy: Option<String>,
    /// Whether the same request, sent anew (a sealed one: sealed anew), may succeed later.
    pub retryable: bool,
    /// Names this request in the gateway's log.
    pub request_id: String,
}

/// Whose fault a problem is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Fault {
    Caller,
    Provider,
    Host,
    Enclave,
}

impl From<wire::refusal::Fault> for Fault {
    fn from(fault: wire::refusal::Fault) -> Fault {
        match fault {
            wire::refusal::Fault::Caller => Fault::Caller,
            wire::refusal::Fault::Provider => Fault::Provider,
            wire::refusal::Fault::Host => Fault::Host,
            wire::refusal::Fault::Enclave => Fault::Enclave,
        }
    }
}

impl Problem {
    /// The response, naming its request.
    pub fn response(self, request_id: &str) -> Response {
        let Problem(code) = self;
        let body = serde_json::to_vec(&self.details(request_id)).unwrap_or_default();
        let mut response = (code.status(), body).into_response();
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(CONTENT));
        if matches!(code.status(), StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE) {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
        }
        if code.status() == StatusCode::UNAUTHORIZED {
            // RFC 9110 §15.5.2 wants a challenge; RFC 9421 registers no scheme.
            response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Signature"));
        }
        response
    }

    fn details(self, request_id: &str) -> Details {
        let Problem(code) = self;
        let kind = match code {
            Code::Refused(wire::Refusal::UnknownKey) => OHTTP_KEY.to_owned(),
            code => format!("/v1/problems/{}", code.text()),
        };
        Details {
            kind,
            title: code.title(),
            status: code.status().as_u16(),
            detail: code.sentence().to_owned(),
            code: code.text(),
            fault: code.fault(),
            policy: code.policy(),
            retryable: code.retryable(),
            request_id: request_id.to_owned(),
        }
    }
}

impl IntoResponse for Problem {
    /// Marks the response; [`super::guard`] writes the details, because it knows the request's id.
    fn into_response(self) -> Response {
        let mut response = self.0.status().into_response();
        response.extensions_mut().insert(self);
        response
    }
}
