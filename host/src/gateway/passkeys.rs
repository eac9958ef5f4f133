//! `/v1/passkeys`: further passkeys of a person.

use super::problem::{Details, Problem};
use super::signed::pass_on;
use super::state::Shared;
use crate::identity::people::view;
use axum::extract::{Request, State};
use axum::response::Response;

/// Adds a passkey that was just made, by the word of one that is there.
#[utoipa::path(post, path = "/v1/passkeys", operation_id = "passkeys_add", request_body = view::Added,
    params(("Passkey-Assertion" = Option<String>, Header, description = "A passkey's word for this very request (docs/spec/people.md, section 9); without it `step_up_needed`")), responses(
    (status = 201, description = "The passkey", body = view::ShownPasskey),
    (status = "4XX", description = "The request is wrong, not signed, or not allowed", body = Details, content_type = "application/problem+json"),
    (status = "5XX", description = "No answer", body = Details, content_type = "application/problem+json"),
))]
pub async fn add(State(state): State<Shared>, request: Request) -> Result<Response, Problem> {
    pass_on(state, request).await
}

/// Gives a passkey another name.
#[utoipa::path(post, path = "/v1/passkeys/{id}/name", operation_id = "passkeys_name", request_body = view::Named,
    params(("id" = String, Path, description = "`pk_…`")), responses(
    (status = 200, description = "The passkey", body = view::ShownPasskey),
    (status = "4XX", description = "The request is wrong, not signed, or not allowed", body = Details, content_type = "application/problem+json"),
    (status = "5XX", description = "No answer", body = Details, content_type = "application/problem+json"),
))]
pub async fn name(State(state): State<Shared>, request: Request) -> Result<Response, Problem> {
    pass_on(state, request).await
}

/// Removes a passkey, and signs out the devices that were signed in with it but the one that asks. The last one stays.
#[utoipa::path(delete, path = "/v1/passkeys/{id}", operation_id = "passkeys_remove",
    params(("id" = String, Path, description = "`pk_…`"), ("Passkey-Assertion" = Option<String>, Header, description = "A passkey's word for this very request (docs/spec/people.md, section 9); without it `step_up_needed`")), responses(
    (status = 200, description = "The passkey that was removed", body = view::ShownPasskey),
    (status = "4XX", description = "The request is wrong, not signed, or not allowed", body = Details, content_type = "application/problem+json"),
    (status = "5XX", description = "No answer", body = Details, content_type = "application/problem+json"),
))]
pub async fn remove(State(state): State<Shared>, request: Request) -> Result<Response, Problem> {
    pass_on(state, request).await
}
