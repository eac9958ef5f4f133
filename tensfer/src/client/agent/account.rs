//! `GET /v1/connections/{id}`

use super::problem::Details;
use super::routes::{Answered, Shared};
use crate::client::commands::inspect::{Shape, ask};
use axum::Json;
use axum::extract::{Path, State};

/// What is in a connection's envelope, as `tensfer inspect --json`: the enclave reads it, and says nothing secret.
#[utoipa::path(get, path = "/v1/connections/{id}", operation_id = "inspect",
    params(("id" = String, Path, description = "The connection's id or name")),
    responses(
        (status = 200, description = "As the enclave reads it", body = Shape),
        (status = "default", description = "No answer", body = Details, content_type = "application/problem+json"),
    ))]
pub async fn inspect(State(shared): State<Shared>, Path(id): Path<String>) -> Answered<Shape> {
    let asked =
        shared.workers.ask(move |agent| agent.with(&id, |linked, mut record| ask(linked, &mut record)));
    Ok(Json(asked.await?))
}
