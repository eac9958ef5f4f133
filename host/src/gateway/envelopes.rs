//! `POST /v1/envelopes/rewrap`

use super::body;
use super::guard::Arrival;
use super::problem::{Code, Details, Problem};
use super::requests::{Answer, Octets};
use super::signed::check_body;
use super::state::Shared;
use crate::calls::Operation;
use axum::Extension;
use axum::body::Body;
use axum::extract::State;
use axum::http::HeaderMap;
use wire::Canonical;
use wire::frame::Kind;
use wire::rewrap::{MAX_REWRAP, Rewrap};

const MEDIA: &str = "application/cbor";

/// Re-wraps envelopes to the current epoch; their owners need not be present, and nothing is opened.
#[utoipa::path(post, path = "/v1/envelopes/rewrap", operation_id = "rewrap",
    request_body(content = Octets, content_type = "application/cbor", description = "wire::rewrap::Rewrap in canonical CBOR"),
    responses(
        (status = 200, description = "wire::rewrap::Rewrapped in canonical CBOR, one result for each envelope, in order", body = Octets, content_type = "application/cbor"),
        (status = "4XX", description = "The request is wrong", body = Details, content_type = "application/problem+json"),
        (status = "5XX", description = "No answer", body = Details, content_type = "application/problem+json"),
    ))]
pub async fn rewrap(
    State(state): State<Shared>,
    Extension(arrival): Extension<Arrival>,
    headers: HeaderMap,
    body: Body,
) -> Result<Answer, Problem> {
    let body = body::read(&state, &arrival, &headers, body, MEDIA, wire::cbor::MAX_BYTES).await?;
    check_body(&headers, &body)?;
    // Envelopes are public to the host: garbage can be told here, without troubling the enclave.
    let asked = Rewrap::from_bytes(&body).map_err(|_| Problem(Code::BodyMalformed))?;
    if asked.envelopes.len() > MAX_REWRAP {
        return Err(Problem(Code::BodyTooLarge));
    }
    let _in_flight = state.in_flight.try_acquire().map_err(|_| Problem(Code::Busy))?;
    let answer = state.enclave.ask(Operation::Rewrap, &body, Kind::Rewrapped, state.limits.rewrap).await?;
    Ok(Answer { media: MEDIA, body: answer })
}
