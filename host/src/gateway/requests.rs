//! `POST /v1/requests`

use super::body;
use super::guard::Arrival;
use super::problem::{Code, Details, Problem};
use super::signed::check_body;
use super::state::Shared;
use crate::calls::Operation;
use axum::Extension;
use axum::body::Body;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, HeaderValue};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use utoipa::ToSchema;
use wire::frame::Kind;

/// RFC 9458 §9.
const REQUEST: &str = "message/ohttp-req";
const RESPONSE: &str = "message/ohttp-res";
/// A sealed request is never larger: what is inside is bounded by [`wire::cbor::MAX_BYTES`], and the seal adds its
/// encapsulated key, tag, Binary HTTP framing and padding of at most 12 per cent.
const MOST: usize = wire::cbor::MAX_BYTES + (wire::cbor::MAX_BYTES >> 3) + (4 << 10);

/// Bytes of the enclave's.
#[derive(Debug)]
pub struct Answer {
    pub media: &'static str,
    pub body: Bytes,
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        ([(CONTENT_TYPE, HeaderValue::from_static(self.media))], self.body).into_response()
    }
}

/// Octets, as they are.
#[derive(Debug, ToSchema)]
#[schema(value_type = String, format = Binary)]
pub struct Octets(#[expect(dead_code, reason = "it exists for the OpenAPI document")] Vec<u8>);

/// Forwards a sealed request (RFC 9458) to the enclave. What the enclave refuses inside the seal is a 200 here.
#[utoipa::path(post, path = "/v1/requests", operation_id = "request",
    request_body(content = Octets, content_type = "message/ohttp-req", description = "An encapsulated request"),
    responses(
        (status = 200, description = "An encapsulated response", body = Octets, content_type = "message/ohttp-res"),
        (status = "4XX", description = "The request is wrong, or could not be opened", body = Details, content_type = "application/problem+json"),
        (status = "5XX", description = "No answer", body = Details, content_type = "application/problem+json"),
    ))]
pub async fn create(
    State(state): State<Shared>,
    Extension(arrival): Extension<Arrival>,
    headers: HeaderMap,
    body: Body,
) -> Result<Answer, Problem> {
    let sealed = body::read(&state, &arrival, &headers, body, REQUEST, MOST).await?;
    check_body(&headers, &sealed)?;
    if sealed.is_empty() {
        return Err(Problem(Code::BodyMalformed));
    }
    let _in_flight = state.in_flight.try_acquire().map_err(|_| Problem(Code::Busy))?;
    let answer = state.enclave.ask(Operation::Request, &sealed, Kind::Reply, state.limits.request).await?;
    Ok(Answer { media: RESPONSE, body: answer })
}
