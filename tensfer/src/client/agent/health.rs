//! `GET /v1/health`

use super::problem::{Details, Problem};
use super::routes::{Answered, Shared};
use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

/// The agent answers, and its enclave passed the last verification.
#[derive(Debug, Serialize, ToSchema)]
pub struct Health {
    /// `ok`.
    status: &'static str,
    version: &'static str,
}

/// Whether requests can be served. Asks nobody.
#[utoipa::path(get, path = "/v1/health", operation_id = "health", responses(
    (status = 200, description = "Requests can be served", body = Health),
    (status = "default", description = "The enclave did not pass", body = Details, content_type = "application/problem+json"),
))]
pub async fn show(State(shared): State<Shared>) -> Answered<Health> {
    shared.status.shown().map_err(Problem)?;
    Ok(Json(Health { status: "ok", version: env!("CARGO_PKG_VERSION") }))
}
