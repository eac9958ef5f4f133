//! `GET /v1/enclave`

use super::problem::{Details, Problem};
use super::routes::{Answered, Shared};
use super::standing::Shown;
use axum::Json;
use axum::extract::State;

/// What requests are sealed to: verified when it says, and again at least every minute. Asks nobody.
#[utoipa::path(get, path = "/v1/enclave", operation_id = "enclave", responses(
    (status = 200, description = "The enclave that passed the last verification", body = Shown),
    (status = "default", description = "The enclave did not pass, and why", body = Details, content_type = "application/problem+json"),
))]
pub async fn show(State(shared): State<Shared>) -> Answered<Shown> {
    shared.status.shown().map(Json).map_err(Problem)
}
