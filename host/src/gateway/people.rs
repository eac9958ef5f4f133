//! `/v1/people` and `/v1/person`: whoever signs up, and whoever is signed in.

use super::problem::{Details, Problem};
use super::signed::{introduce, pass_on};
use super::state::Shared;
use crate::identity::people::view;
use axum::extract::{Request, State};
use axum::response::Response;

/// Signs up with a passkey that was just made. It is signed with the very key of the device, which is signed in then
/// (docs/spec/people.md, section 4).
#[utoipa::path(post, path = "/v1/people", operation_id = "people_sign_up", request_body = view::SignedUp, responses(
    (status = 201, description = "The session", body = view::ShownSession),
    (status = "4XX", description = "The request is wrong, not signed, or not allowed", body = Details, content_type = "application/problem+json"),
    (status = "5XX", description = "No answer", body = Details, content_type = "application/problem+json"),
))]
pub async fn sign_up(State(state): State<Shared>, request: Request) -> Result<Response, Problem> {
    introduce(state, request).await
}

/// The person who asks, and their passkeys.
#[utoipa::path(get, path = "/v1/person", operation_id = "person", responses(
    (status = 200, description = "The person", body = view::ShownPerson),
    (status = "4XX", description = "The request is wrong, not signed, or not allowed", body = Details, content_type = "application/problem+json"),
    (status = "5XX", description = "No answer", body = Details, content_type = "application/problem+json"),
))]
pub async fn show(State(state): State<Shared>, request: Request) -> Result<Response, Problem> {
    pass_on(state, request).await
}
