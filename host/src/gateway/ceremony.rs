//! `POST /v1/ceremony`

use super::body;
use super::guard::Peer;
use super::problem::{Code, Details, Problem};
use super::requests::{Answer, Octets};
use super::state::Shared;
use crate::calls::Operation;
use axum::Extension;
use axum::body::Body;
use axum::extract::State;
use axum::http::HeaderMap;
use wire::Canonical;
use wire::ceremony::Ceremony;
use wire::frame::Kind;

const MEDIA: &str = "application/cbor";
/// The largest step: a manifest of the most members, programs and roots, with its approvals.
const MOST: usize = 512 << 10;

/// A step of provisioning: the enclave alone decides on it, and the host can do no more than refuse to carry it.
#[utoipa::path(post, path = "/v1/ceremony", operation_id = "ceremony",
    request_body(content = Octets, content_type = "application/cbor", description = "wire::ceremony::Ceremony in canonical CBOR"),
    responses(
        (status = 200, description = "wire::ceremony::Answer in canonical CBOR, refusals too", body = Octets, content_type = "application/cbor"),
        (status = "4XX", description = "The request is wrong", body = Details, content_type = "application/problem+json"),
        (status = "5XX", description = "No answer", body = Details, content_type = "application/problem+json"),
    ))]
pub async fn create(
    State(state): State<Shared>,
    Extension(peer): Extension<Peer>,
    headers: HeaderMap,
    body: Body,
) -> Result<Answer, Problem> {
    let body = body::read(&state, peer, &headers, body, MEDIA, MOST).await?;
    // Nothing in a step is secret but what is sealed: garbage can be told here, without troubling the enclave.
    Ceremony::from_bytes(&body).map_err(|_| Problem(Code::BodyMalformed))?;
    let _in_flight = state.in_flight.try_acquire().map_err(|_| Problem(Code::Busy))?;
    let answer =
        state.enclave.ask(Operation::Ceremony, &body, Kind::CeremonyAnswer, state.limits.attest).await?;
    Ok(Answer { media: MEDIA, body: answer })
}
