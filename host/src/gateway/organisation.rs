//! `GET /v1/organisation`

use super::problem::{Details, Problem};
use super::signed::pass_on;
use super::state::Shared;
use crate::identity::view;
use axum::extract::{Request, State};
use axum::response::Response;

/// The organisation that the asking key is of. Scope: `organisation:read`.
#[utoipa::path(get, path = "/v1/organisation", operation_id = "organisation", responses(
    (status = 200, description = "The organisation", body = view::ShownOrganisation),
    (status = "4XX", description = "The request is wrong, not signed, or not allowed", body = Details, content_type = "application/problem+json"),
    (status = "5XX", description = "No answer", body = Details, content_type = "application/problem+json"),
))]
pub async fn show(State(state): State<Shared>, request: Request) -> Result<Response, Problem> {
    pass_on(state, request).await
}
