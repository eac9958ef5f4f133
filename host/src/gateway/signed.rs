//! Requests that somebody has to have signed (docs/spec/http-signatures.md). The gateway decides nothing about them: identity says in
//! a token who asks for what, and the service that carries it out believes that token alone.

use super::body;
use super::guard::{Arrival, Names, RequestId};
use super::problem::{Code, Problem};
use super::state::Shared;
use crate::calls::Operation;
use crate::identity::{Admitted, Begin, Denied, Head, HeadField, Introduction, Reply};
use crate::signatures::{Refused, TAG, check_content_digest};
use axum::body::{Body, HttpBody};
use axum::extract::{Request, State};
use axum::http::header::{CONTENT_TYPE, HOST};
use axum::http::request::Parts;
use axum::http::uri::{Authority, PathAndQuery};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use wire::Canonical;

const MEDIA: &str = "application/json";
/// Of a body.
const MOST: usize = 16 << 10;

/// Has identity admit the request, and carry it out.
pub async fn pass_on(state: Shared, request: Request) -> Result<Response, Problem> {
    pass_on_of(state, request, MOST).await
}

/// The same of a body of at most `most` bytes.
pub async fn pass_on_of(state: Shared, request: Request, most: usize) -> Result<Response, Problem> {
    let (parts, body) = request.into_parts();
    let head = head(&state, &parts)?.to_bytes();
    let (ask, limit) = (&state.identity, state.limits.identity);
    let _in_flight = state.in_flight.try_acquire().map_err(|_| Problem(Code::Busy))?;
    let token = ask.ask_identity(Operation::Admit, &head, limit).await?;
    let token = String::from_utf8(token.into()).map_err(|_| Problem(Code::GatewayFailed))?;
    // Nobody's body is read who has not signed.
    let body = read(&state, &parts, body, most).await?.into();
    let admitted = Admitted { token, body }.to_bytes();
    respond(&ask.ask_identity(Operation::AskIdentity, &admitted, limit).await?)
}

/// What nobody has to sign: a signature with our tag counts all the same, or the request is refused. So a key that is over, or used
/// from elsewhere, gets nothing here either, and one that is good is seen to be in use.
pub async fn heed(state: State<Shared>, request: Request, next: Next) -> Result<Response, Problem> {
    if !is_signed(request.headers()) {
        return Ok(next.run(request).await);
    }
    let State(state) = state;
    let (parts, body) = request.into_parts();
    let head = head(&state, &parts)?.to_bytes();
    let in_flight = state.in_flight.try_acquire().map_err(|_| Problem(Code::Busy))?;
    // Its token is for identity, and nobody here needs one.
    state.identity.ask_identity(Operation::Admit, &head, state.limits.identity).await?;
    drop(in_flight);
    Ok(next.run(Request::from_parts(parts, body)).await)
}

/// That a body which nobody had to sign is the one that was, if it was.
pub fn check_body(headers: &HeaderMap, body: &[u8]) -> Result<(), Problem> {
    if !is_signed(headers) {
        return Ok(());
    }
    let denied = |refused| Problem(Code::Denied(Denied::Unsigned(refused)));
    // The signature covers it wherever it is, and it is there once.
    let digest = headers.get("content-digest").ok_or(denied(Refused::DigestMissing))?;
    let digest = digest.to_str().map_err(|_| denied(Refused::DigestMalformed))?;
    check_content_digest(digest, body).map_err(denied)
}

/// Ours is the one with our tag, in the one spelling that a tag has: those of others count for nothing.
fn is_signed(headers: &HeaderMap) -> bool {
    let ours = format!(";tag=\"{TAG}\"");
    let is_ours =
        |value: &HeaderValue| value.as_bytes().windows(ours.len()).any(|found| found == ours.as_bytes());
    headers.get_all("signature-input").iter().any(is_ours)
}

/// As [`pass_on`], of a request whose body brings the key that signed it.
pub async fn introduce(state: Shared, request: Request) -> Result<Response, Problem> {
    let (parts, body) = request.into_parts();
    let head = head(&state, &parts)?;
    let body = read(&state, &parts, body, MOST).await?.into();
    let _in_flight = state.in_flight.try_acquire().map_err(|_| Problem(Code::Busy))?;
    let introduction = Introduction { head, body }.to_bytes();
    respond(&state.identity.ask_identity(Operation::Introduce, &introduction, state.limits.identity).await?)
}

/// Has identity begin a ceremony, which nobody has to have signed.
pub async fn begin(state: Shared, request: Request) -> Result<Response, Problem> {
    let (parts, body) = request.into_parts();
    let arrival = parts.extensions.get::<Arrival>().ok_or(Problem(Code::GatewayFailed))?;
    let body = body::read(&state, arrival, &parts.headers, body, MEDIA, MOST).await?;
    check_body(&parts.headers, &body)?;
    let _in_flight = state.in_flight.try_acquire().map_err(|_| Problem(Code::Busy))?;
    let body = body.into();
    let begin = Begin { peer: arrival.peer.ip().to_canonical().to_string(), body }.to_bytes();
    respond(&state.identity.ask_identity(Operation::BeginCeremony, &begin, state.limits.identity).await?)
}

/// What was received, before anybody believes it.
fn head(state: &Shared, parts: &Parts) -> Result<Head, Problem> {
    let (Some(arrival), Some(id)) = (parts.extensions.get::<Arrival>(), parts.extensions.get::<RequestId>())
    else {
        return Err(Problem(Code::GatewayFailed));
    };
    let host = parts.headers.get(HOST).and_then(|host| host.to_str().ok());
    let authority =
        parts.uri.authority().map(Authority::as_str).or(host).ok_or(Problem(Code::HostNotAllowed))?;
    let target = parts.uri.path_and_query().map_or("/", PathAndQuery::as_str);
    let field = |(name, value): (&axum::http::HeaderName, &HeaderValue)| HeadField {
        name: name.as_str().to_owned(),
        value: value.as_bytes().to_vec(),
    };
    Ok(Head {
        request: id.as_str().to_owned(),
        is_https: matches!(state.names, Names::These(_)),
        method: parts.method.as_str().to_owned(),
        authority: authority.to_owned(),
        target: target.to_owned(),
        fields: parts.headers.iter().map(field).collect(),
        peer: arrival.peer.ip().to_string(),
    })
}

async fn read(state: &Shared, parts: &Parts, body: Body, most: usize) -> Result<Bytes, Problem> {
    if body.is_end_stream() {
        return Ok(Bytes::new());
    }
    let arrival = parts.extensions.get::<Arrival>().ok_or(Problem(Code::GatewayFailed))?;
    body::read(state, arrival, &parts.headers, body, MEDIA, most).await
}

fn respond(answer: &[u8]) -> Result<Response, Problem> {
    let Reply { status, body } = Reply::from_bytes(answer).map_err(|_| Problem(Code::GatewayFailed))?;
    let status = StatusCode::from_u16(status).map_err(|_| Problem(Code::GatewayFailed))?;
    Ok((status, [(CONTENT_TYPE, HeaderValue::from_static(MEDIA))], body).into_response())
}
