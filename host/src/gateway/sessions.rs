//! `/v1/sessions`: the devices that a person is signed in with.

use super::problem::{Details, Problem};
use super::signed::{introduce, pass_on};
use super::state::Shared;
use crate::identity::people::view;
use axum::extract::{Request, State};
use axum::response::Response;

/// Signs in with a passkey. It is signed with the very key of the device (docs/spec/people.md, section 4).
#[utoipa::path(post, path = "/v1/sessions", operation_id = "sessions_sign_in", request_body = view::SignedIn, responses(
    (status = 201, description = "The session", body = view::ShownSession),
    (status = "4XX", description = "The request is wrong, not signed, or not allowed", body = Details, content_type = "application/problem+json"),
    (status = "5XX", description = "No answer", body = Details, content_type = "application/problem+json"),
))]
pub async fn sign_in(State(state): State<Shared>, request: Request) -> Result<Response, Problem> {
    introduce(state, request).await
}

/// The asking person's sessions, the latest first.
#[utoipa::path(get, path = "/v1/sessions", operation_id = "sessions_list", responses(
    (status = 200, description = "The sessions", body = view::ListedSessions),
    (status = "4XX", description = "The request is wrong, not signed, or not allowed", body = Details, content_type = "application/problem+json"),
    (status = "5XX", description = "No answer", body = Details, content_type = "application/problem+json"),
))]
pub async fn list(State(state): State<Shared>, request: Request) -> Result<Response, Problem> {
    pass_on(state, request).await
}

/// Signs out every device but the one that asks.
#[utoipa::path(post, path = "/v1/sessions/end-others", operation_id = "sessions_end_others", responses(
    (status = 200, description = "How many there were", body = view::Ended),
    (status = "4XX", description = "The request is wrong, not signed, or not allowed", body = Details, content_type = "application/problem+json"),
    (status = "5XX", description = "No answer", body = Details, content_type = "application/problem+json"),
))]
pub async fn end_others(State(state): State<Shared>, request: Request) -> Result<Response, Problem> {
    pass_on(state, request).await
}

/// One of the asking person's sessions.
#[utoipa::path(get, path = "/v1/sessions/{id}", operation_id = "sessions_show", params(("id" = String, Path, description = "`ses_…`")), responses(
    (status = 200, description = "The session", body = view::ShownSession),
    (status = "4XX", description = "The request is wrong, not signed, or not allowed", body = Details, content_type = "application/problem+json"),
    (status = "5XX", description = "No answer", body = Details, content_type = "application/problem+json"),
))]
pub async fn show(State(state): State<Shared>, request: Request) -> Result<Response, Problem> {
    pass_on(state, request).await
}

/// Gives a device another name.
#[utoipa::path(post, path = "/v1/sessions/{id}/name", operation_id = "sessions_name", request_body = view::Named, params(("id" = String, Path, description = "`ses_…`")), responses(
    (status = 200, description = "The session", body = view::ShownSession),
    (status = "4XX", description = "The request is wrong, not signed, or not allowed", body = Details, content_type = "application/problem+json"),
    (status = "5XX", description = "No answer", body = Details, content_type = "application/problem+json"),
))]
pub async fn name(State(state): State<Shared>, request: Request) -> Result<Response, Problem> {
    pass_on(state, request).await
}

/// Signs a device of the asking person's out, at once and for good.
#[utoipa::path(post, path = "/v1/sessions/{id}/end", operation_id = "sessions_end", params(("id" = String, Path, description = "`ses_…`")), responses(
    (status = 200, description = "The session, ended", body = view::ShownSession),
    (status = "4XX", description = "The request is wrong, not signed, or not allowed", body = Details, content_type = "application/problem+json"),
    (status = "5XX", description = "No answer", body = Details, content_type = "application/problem+json"),
))]
pub async fn end(State(state): State<Shared>, request: Request) -> Result<Response, Problem> {
    pass_on(state, request).await
}
