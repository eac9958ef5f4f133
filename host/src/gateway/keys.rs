//! `/v1/keys`: an organisation's API keys.

use super::problem::{Details, Problem};
use super::signed::pass_on;
use super::state::Shared;
use crate::identity::view;
use axum::extract::{Request, State};
use axum::response::Response;

/// The organisation's keys, in the order in which they were made. Scope: `keys:read`.
#[utoipa::path(get, path = "/v1/keys", operation_id = "keys_list",
    params(
        ("limit" = Option<u32>, Query, description = "Of a page: 1 to 100", minimum = 1, maximum = 100),
        ("cursor" = Option<String>, Query, description = "`next` of the page before", pattern = "^(0|[1-9][0-9]{0,15})\\.key_[0-9a-f]{32}$"),
    ),
    responses(
        (status = 200, description = "A page", body = view::Paged),
        (status = "4XX", description = "The request is wrong, not signed, or not allowed", body = Details, content_type = "application/problem+json"),
        (status = "5XX", description = "No answer", body = Details, content_type = "application/problem+json"),
    ))]
pub async fn list(State(state): State<Shared>, request: Request) -> Result<Response, Problem> {
    pass_on(state, request).await
}

/// Registers a key that the asking key makes, with rights of its own or fewer. Scope: `keys:write`.
#[utoipa::path(post, path = "/v1/keys", operation_id = "keys_make", request_body = view::Made,
    params(("Idempotency-Key" = Option<String>, Header, description = "Covered by the signature: the same request is carried out once a day", pattern = "^[A-Za-z0-9_-]{1,64}$")),
    responses(
        (status = 201, description = "The key", body = view::Shown),
        (status = "4XX", description = "The request is wrong, not signed, or not allowed", body = Details, content_type = "application/problem+json"),
        (status = "5XX", description = "No answer", body = Details, content_type = "application/problem+json"),
    ))]
pub async fn make(State(state): State<Shared>, request: Request) -> Result<Response, Problem> {
    pass_on(state, request).await
}

/// One key. Scope: `keys:read`, or none for the asking key itself.
#[utoipa::path(get, path = "/v1/keys/{id}", operation_id = "keys_show",
    params(("id" = String, Path, description = "`key_…`", pattern = "^key_[0-9a-f]{32}$")),
    responses(
        (status = 200, description = "The key", body = view::Shown),
        (status = "4XX", description = "The request is wrong, not signed, or not allowed", body = Details, content_type = "application/problem+json"),
        (status = "5XX", description = "No answer", body = Details, content_type = "application/problem+json"),
    ))]
pub async fn show(State(state): State<Shared>, request: Request) -> Result<Response, Problem> {
    pass_on(state, request).await
}

/// Registers a public key in a key's place, which goes on for an overlap. Scope: `keys:write`, or none for the asking key itself.
#[utoipa::path(post, path = "/v1/keys/{id}/rotate", operation_id = "keys_rotate", request_body = view::Rotated,
    params(
        ("id" = String, Path, description = "`key_…`", pattern = "^key_[0-9a-f]{32}$"),
        ("Idempotency-Key" = Option<String>, Header, description = "Covered by the signature: the same request is carried out once a day", pattern = "^[A-Za-z0-9_-]{1,64}$"),
    ),
    responses(
        (status = 201, description = "The key that takes its place", body = view::Shown),
        (status = "4XX", description = "The request is wrong, not signed, or not allowed", body = Details, content_type = "application/problem+json"),
        (status = "5XX", description = "No answer", body = Details, content_type = "application/problem+json"),
    ))]
pub async fn rotate(State(state): State<Shared>, request: Request) -> Result<Response, Problem> {
    pass_on(state, request).await
}

/// Revokes a key, at once and for good. Scope: `keys:write`, or none for the asking key itself.
#[utoipa::path(post, path = "/v1/keys/{id}/revoke", operation_id = "keys_revoke",
    params(("id" = String, Path, description = "`key_…`", pattern = "^key_[0-9a-f]{32}$")),
    responses(
        (status = 200, description = "The key, revoked", body = view::Shown),
        (status = "4XX", description = "The request is wrong, not signed, or not allowed", body = Details, content_type = "application/problem+json"),
        (status = "5XX", description = "No answer", body = Details, content_type = "application/problem+json"),
    ))]
pub async fn revoke(State(state): State<Shared>, request: Request) -> Result<Response, Problem> {
    pass_on(state, request).await
}
