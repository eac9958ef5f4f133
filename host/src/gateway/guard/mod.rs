//! What every request passes before a handler sees it, and every response on its way out.

mod host_name;
mod rate;
mod request_id;

pub use host_name::Names;
pub use rate::{Peers, network};
pub use request_id::RequestId;

use super::problem::{Code, Problem};
use super::state::Shared;
use crate::calls::Role;
use crate::log;
use axum::Extension;
use axum::extract::{Request, State};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderName, REFERRER_POLICY, STRICT_TRANSPORT_SECURITY,
    X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use axum::http::{HeaderMap, HeaderValue};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

/// Whoever embeds, caches or sniffs an answer of this API is not one of its clients.
const HEADERS: [(HeaderName, &str); 7] = [
    (CACHE_CONTROL, "no-store"),
    (CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    (REFERRER_POLICY, "no-referrer"),
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (X_FRAME_OPTIONS, "DENY"),
];
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// For a year: who came over TLS once is sent over TLS from then on (RFC 6797).
const OVER_TLS: &str = "max-age=31536000";

/// How a request came: put beside it by the listener.
#[derive(Clone, Debug)]
pub struct Arrival {
    /// Who connected, as the kernel says.
    pub peer: SocketAddr,
    /// The name that the TLS connection was made to, if it was to one.
    pub server_name: Option<Arc<str>>,
}

/// Names the request, checks where it was sent and how many came from there, and finishes the response.
pub async fn guard(
    State(state): State<Shared>,
    Extension(arrival): Extension<Arrival>,
    mut request: Request,
    next: Next,
) -> Response {
    let id = RequestId::make();
    request.extensions_mut().insert(id.clone());
    let refused = check(&state, &arrival, &request);
    let response = match refused {
        Ok(()) => next.run(request).await,
        Err(problem) => problem.into_response(),
    };
    finish(response, &id, matches!(state.names, Names::These(_)))
}

fn check(state: &Shared, arrival: &Arrival, request: &Request) -> Result<(), Problem> {
    if !state.names.admit(request, arrival) {
        return Err(Problem(Code::HostNotAllowed));
    }
    if state.peers.admit(arrival.peer.ip(), Instant::now()) {
        Ok(())
    } else {
        Err(Problem(Code::TooManyRequests))
    }
}

/// Writes a problem's details, now that the request has a name, and the headers that every response carries.
fn finish(response: Response, id: &RequestId, over_tls: bool) -> Response {
    let mut response = match problem_of(&response) {
        Some(problem) => {
            note(problem, id);
            with_headers_of(problem.response(id.as_str()), response.headers())
        }
        None => response,
    };
    let headers = response.headers_mut();
    for (name, value) in HEADERS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if over_tls {
        headers.insert(STRICT_TRANSPORT_SECURITY, HeaderValue::from_static(OVER_TLS));
    }
    if let Ok(value) = HeaderValue::from_str(id.as_str()) {
        headers.insert(REQUEST_ID, value);
    }
    response
}

/// A failed response that no handler of ours made is the framework's; it gets our form too.
fn problem_of(response: &Response) -> Option<Problem> {
    let status = response.status();
    let failed = status.is_client_error() || status.is_server_error();
    let ours = response.extensions().get::<Problem>().copied();
    ours.or_else(|| failed.then_some(Problem(Code::GatewayFailed)))
}

/// `Allow` is the framework's to know.
fn with_headers_of(mut response: Response, framework: &HeaderMap) -> Response {
    if let Some(allow) = framework.get(axum::http::header::ALLOW) {
        response.headers_mut().insert(axum::http::header::ALLOW, allow.clone());
    }
    response
}

fn note(Problem(code): Problem, id: &RequestId) {
    if code.status().is_server_error() {
        log::line(Role::Gateway, format_args!("{} {}", id.as_str(), code.text()));
    }
}
