//! `GET /v1/attestation`

use super::hex::unhex;
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
    let nonce = unhex::<NONCE>(&nonce).ok_or(Problem(Code::QueryMalformed))?;
    let _in_flight = state.in_flight.try_acquire().map_err(|_| Problem(Code::Busy))?;
    let answer = state.enclave.ask(Operation::Attest, &nonce, Kind::Evidence, state.limits.attest).await?;
    Ok(Answer { media: "application/cbor", body: answer })
}
