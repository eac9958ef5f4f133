//! What every request passes before a handler sees it, and every response on its way out.

use super::body::caller;
use super::listen::Way;
use super::problem::Problem;
use crate::client::encode::hex;
use crate::client::failure::Failure;
use crate::client::home::key_file::random;
use crate::client::terminal::say;
use axum::Extension;
use axum::extract::Request;
use axum::http::header::{
    ALLOW, CACHE_CONTROL, CONTENT_SECURITY_POLICY, HOST, HeaderName, ORIGIN, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, HeaderValue};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

const HEADERS: [(HeaderName, &str); 4] = [
    (CACHE_CONTROL, "no-store"),
    (CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
];
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Names the request, refuses what a browser sent, and finishes the response.
pub async fn guard(Extension(way): Extension<Way>, request: Request, next: Next) -> Response {
    let id = format!("req_{}", hex(&random::<16>().unwrap_or_default()));
    let response = match check(way, &request) {
        Ok(()) => next.run(request).await,
        Err(failure) => Problem(failure).into_response(),
    };
    finish(response, &id)
}

/// A page in a browser of the same user reaches a port of this machine as well, and says so itself; a name of its own that
/// leads here (DNS rebinding) stands in `Host`.
fn check(way: Way, request: &Request) -> Result<(), Failure> {
    let headers = request.headers();
    let is_browsers = |name: &HeaderName| *name == ORIGIN || name.as_str().starts_with("sec-fetch-");
    if headers.keys().any(is_browsers) {
        return Err(caller("browser_refused", "a browser sent this, and the agent answers none")
            .hint("ask from your backend: a page in a browser never needs the agent"));
    }
    match way {
        Way::Unix => Ok(()),
        Way::Port(port) if is_this_machine(headers, port) && request.uri().authority().is_none() => Ok(()),
        Way::Port(_) => Err(caller(
            "host_not_allowed",
            "the agent is at 127.0.0.1 or localhost and its port, and has no other name",
        )),
    }
}

fn is_this_machine(headers: &HeaderMap, port: u16) -> bool {
    let mut hosts = headers.get_all(HOST).iter();
    let only = hosts.next().filter(|_| hosts.next().is_none());
    let host = only.and_then(|host| host.to_str().ok()).and_then(|host| host.rsplit_once(':'));
    host.is_some_and(|(name, of)| ["127.0.0.1", "localhost"].contains(&name) && of == port.to_string())
}

fn finish(response: Response, id: &str) -> Response {
    let mut response = match problem_of(&response) {
        Some(problem) => {
            // Neither path nor body: a name, an address or a credential may be in them.
            say(format!("tensfer agent: {id} {} {}", problem.status().as_u16(), problem.0.code));
            let mut shown = problem.response(id);
            // What a path takes is the framework's to know.
            shown.headers_mut().extend(response.headers().get(ALLOW).cloned().map(|allow| (ALLOW, allow)));
            shown
        }
        None => response,
    };
    for (name, value) in HEADERS {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    if let Ok(value) = HeaderValue::from_str(id) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    response
}

/// A failed response that no handler of ours made is the framework's; it gets our form too.
fn problem_of(response: &Response) -> Option<Problem> {
    let failed = response.status().is_client_error() || response.status().is_server_error();
    let ours = response.extensions().get::<Problem>().cloned();
    let framework = || match response.status().is_client_error() {
        true => caller("not_found", "there is nothing at this path; see `/openapi.json`"),
        false => Failure::internal("the agent failed"),
    };
    ours.or_else(|| failed.then(|| Problem(framework())))
}
