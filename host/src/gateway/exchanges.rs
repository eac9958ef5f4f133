//! `GET /v1/exchanges`

use crate::catalogue::{self, Exchange};
use axum::Json;
use serde::Serialize;
use utoipa::ToSchema;

/// Every exchange that can be linked.
#[derive(Debug, Serialize, ToSchema)]
pub struct Exchanges {
    pub exchanges: &'static [Exchange],
}

/// What can be linked, how to create a key there, and what a credential consists of.
#[utoipa::path(get, path = "/v1/exchanges", operation_id = "exchanges", responses(
    (status = 200, description = "Every exchange, in order of id", body = Exchanges),
))]
pub async fn list() -> Json<Exchanges> {
    Json(Exchanges { exchanges: catalogue::all() })
}
