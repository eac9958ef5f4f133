//! `POST /v1/challenges`: what a passkey is asked for.

use super::problem::{Details, Problem};
use super::signed::begin as begin_ceremony;
use super::state::Shared;
use crate::identity::people::view;
use axum::extract::{Request, State};
use axum::response::Response;

/// Begins to sign up or to sign in. The challenge is for the client to compute (docs/spec/people.md, section 3): it is
/// bound to the key with which the device will sign.
#[utoipa::path(post, path = "/v1/challenges", operation_id = "challenges_begin", request_body = view::Begun, responses(
    (status = 201, description = "What was begun", body = view::ShownCeremony),
    (status = "4XX", description = "The request is wrong, not signed, or not allowed", body = Details, content_type = "application/problem+json"),
    (status = "5XX", description = "No answer", body = Details, content_type = "application/problem+json"),
))]
pub async fn begin(State(state): State<Shared>, request: Request) -> Result<Response, Problem> {
    begin_ceremony(state, request).await
}
