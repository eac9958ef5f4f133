//! `GET /v1/health`

use super::problem::{Code, Details, Problem};
use super::state::Shared;
use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

/// The gateway answers, and the enclave is there.
#[derive(Debug, Serialize, ToSchema)]
pub struct Health {
    pub status: Status,
    pub version: &'static str,
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    Ok,
}

/// Whether requests can be served.
#[utoipa::path(get, path = "/v1/health", operation_id = "health", responses(
    (status = 200, description = "Requests can be served", body = Health),
    (status = 503, description = "The enclave is gone", body = Details, content_type = "application/problem+json"),
))]
pub async fn show(State(state): State<Shared>) -> Result<Json<Health>, Problem> {
    if state.enclave.is_there().await {
        Ok(Json(Health { status: Status::Ok, version: env!("CARGO_PKG_VERSION") }))
    } else {
        Err(Problem(Code::EnclaveGone))
    }
}
