//! Errors as callers see them: RFC 9457 problem details, with the codes of the command line.

use crate::client::failure::{Failure, Fault};
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;
use wire::Refusal;

pub const CONTENT: &str = "application/problem+json";

/// A failure on its way out; [`super::guard`] writes the details, because it knows the request's id.
#[derive(Clone, Debug)]
pub struct Problem(pub Failure);

/// RFC 9457 problem details.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Problem)]
pub struct Details {
    /// `about:blank`: the status says what kind of problem it is, and `code` which one.
    #[serde(rename = "type")]
    kind: &'static str,
    title: &'static str,
    status: u16,
    /// A sentence for people.
    detail: String,
    /// Stable: decide by this. The codes are those of the command line.
    code: &'static str,
    /// Whose fault it is: `caller`, `refused` (a check said no), `provider`, `host` or `internal`.
    fault: &'static str,
    /// Whether the same request may succeed later.
    retryable: bool,
    /// What can be done.
    hint: Option<String>,
    /// Names this request in the agent's log.
    request_id: String,
}

impl From<Failure> for Problem {
    fn from(failure: Failure) -> Problem {
        Problem(failure)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = self.status().into_response();
        response.extensions_mut().insert(self);
        response
    }
}

impl Problem {
    pub fn response(self, request_id: &str) -> Response {
        let status = self.status();
        let body = serde_json::to_vec(&self.details(status, request_id)).unwrap_or_default();
        let mut response = (status, body).into_response();
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(CONTENT));
        if status == StatusCode::SERVICE_UNAVAILABLE {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
        }
        response
    }

    pub fn status(&self) -> StatusCode {
        let Problem(failure) = self;
        match (failure.code, failure.fault) {
            ("unknown_connection" | "unknown_action" | "unknown_grant" | "not_found", _) => {
                StatusCode::NOT_FOUND
            }
            ("method_not_allowed", _) => StatusCode::METHOD_NOT_ALLOWED,
            ("body_too_slow", _) => StatusCode::REQUEST_TIMEOUT,
            ("reference_conflict" | "unsettled", _) => StatusCode::CONFLICT,
            ("body_too_large", _) => StatusCode::PAYLOAD_TOO_LARGE,
            ("media_type_unsupported", _) => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            ("host_not_allowed", _) => StatusCode::MISDIRECTED_REQUEST,
            ("browser_refused" | "second_factor_needed" | "not_authorised", _) => StatusCode::FORBIDDEN,
            ("grant_for_other_keys", _) => StatusCode::UNPROCESSABLE_ENTITY,
            (_, Fault::Usage) => StatusCode::BAD_REQUEST,
            (code, Fault::Refused) if is_of_the_enclave(code) => StatusCode::UNPROCESSABLE_ENTITY,
            // What stands where the enclave should be, or what it answered, is not to be used.
            (_, Fault::Refused | Fault::Provider) => StatusCode::BAD_GATEWAY,
            (_, Fault::Host) if failure.retryable => StatusCode::SERVICE_UNAVAILABLE,
            (_, Fault::Host) => StatusCode::BAD_GATEWAY,
            (_, Fault::Internal) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    fn details(self, status: StatusCode, request_id: &str) -> Details {
        let Problem(Failure { fault, code, sentence, hint, retryable }) = self;
        Details {
            kind: "about:blank",
            title: status.canonical_reason().unwrap_or_default(),
            status: status.as_u16(),
            detail: sentence,
            code,
            fault: match fault {
                Fault::Refused => "refused",
                Fault::Usage => "caller",
                Fault::Provider => "provider",
                Fault::Host => "host",
                Fault::Internal => "internal",
            },
            retryable,
            hint,
            request_id: request_id.to_owned(),
        }
    }
}

fn is_of_the_enclave(code: &str) -> bool {
    Refusal::ALL.iter().any(|refusal| refusal.code() == code)
}
