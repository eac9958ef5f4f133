//! `GET /v1/attestation`

use super::problem::{Code, Details, Problem};
use super::requests::{Answer, Octets};
use super::state::Shared;
use crate::calls::Operation;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use serde::Deserialize;
use utoipa::IntoParams;
use wire::frame::Kind;

const NONCE: usize = 32;

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Asked {
    /// 32 random bytes of the client's, as 64 lower-case hexadecimal digits: what makes the evidence fresh.
    #[param(pattern = "^[0-9a-f]{64}$")]
    nonce: String,
}

/// Evidence of what the enclave is, bound to the client's nonce. Verify it before sealing anything.
#[utoipa::path(get, path = "/v1/attestation", operation_id = "attestation", params(Asked), responses(
    (status = 200, description = "wire::evidence::Evidence in canonical CBOR", body = Octets, content_type = "application/cbor"),
    (status = "4XX", description = "The request is wrong", body = Details, content_type = "application/problem+json"),
    (status = "5XX", description = "No evidence now", body = Details, content_type = "application/problem+json"),
))]
pub async fn show(
    State(state): State<Shared>,
    asked: Result<Query<Asked>, QueryRejection>,
) -> Result<Answer, Problem> {
    let Query(Asked { nonce }) = asked.map_err(|_| Problem(Code::QueryMalformed))?;
    let nonce = parse(&nonce).ok_or(Problem(Code::QueryMalformed))?;
    let _in_flight = state.in_flight.try_acquire().map_err(|_| Problem(Code::Busy))?;
    let answer = state.enclave.ask(Operation::Attest, &nonce, Kind::Evidence, state.limits.attest).await?;
    Ok(Answer { media: "application/cbor", body: answer })
}

/// One nonce has one spelling.
fn parse(hex: &str) -> Option<[u8; NONCE]> {
    let digits = hex.as_bytes();
    let is_hex = digits.iter().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'));
    if digits.len() != 2 * NONCE || !is_hex {
        return None;
    }
    let mut nonce = [0; NONCE];
    for (byte, at) in nonce.iter_mut().zip((0..).step_by(2)) {
        *byte = u8::from_str_radix(hex.get(at..at + 2)?, 16).ok()?;
    }
    Some(nonce)
}
