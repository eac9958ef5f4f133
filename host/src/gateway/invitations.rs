//! `POST /v1/invitations/accept`

use super::problem::{Details, Problem};
use super::signed::introduce;
use super::state::Shared;
use crate::identity::view;
use axum::extract::{Request, State};
use axum::response::Response;

/// Registers an organisation's first key by an invitation. It is signed with that very key, whose id follows from it
/// (docs/spec/identity.md, section 2).
#[utoipa::path(post, path = "/v1/invitations/accept", operation_id = "invitations_accept", request_body = view::Accepted, responses(
    (status = 201, description = "The key", body = view::Shown),
    (status = "4XX", description = "The request is wrong, not signed, or not invited", body = Details, content_type = "application/problem+json"),
    (status = "5XX", description = "No answer", body = Details, content_type = "application/problem+json"),
))]
pub async fn accept(State(state): State<Shared>, request: Request) -> Result<Response, Problem> {
    introduce(state, request).await
}
