//! `/v1/recovery`: the way back for who has lost every passkey.

use super::problem::{Details, Problem};
use super::signed::{introduce, pass_on};
use super::state::Shared;
use crate::identity::people::view;
use axum::extract::{Request, State};
use axum::response::Response;

/// Makes recovery codes in the place of those that there were. They are shown this once.
#[utoipa::path(post, path = "/v1/recovery-codes", operation_id = "recovery_codes",
    params(("Passkey-Assertion" = Option<String>, Header, description = "A passkey's word for this very request (docs/spec/people.md, section 9); without it `step_up_needed`")), responses(
    (status = 201, description = "The codes", body = view::ShownCodes),
    (status = "4XX", description = "The request is wrong, not signed, or not allowed", body = Details, content_type = "application/problem+json"),
    (status = "5XX", description = "No answer", body = Details, content_type = "application/problem+json"),
))]
pub async fn codes(State(state): State<Shared>, request: Request) -> Result<Response, Problem> {
    pass_on(state, request).await
}

/// Begins a recovery with a code. It is signed with the very key of the device, which waits then (docs/spec/people.md,
/// section 10).
#[utoipa::path(post, path = "/v1/recovery", operation_id = "recovery_begin", request_body = view::RecoveryBegun, responses(
    (status = 201, description = "The recovery", body = view::ShownRecovery),
    (status = "4XX", description = "The request is wrong, not signed, or not allowed", body = Details, content_type = "application/problem+json"),
    (status = "5XX", description = "No answer", body = Details, content_type = "application/problem+json"),
))]
pub async fn begin(State(state): State<Shared>, request: Request) -> Result<Response, Problem> {
    introduce(state, request).await
}

/// Ends a recovery that has waited, with a passkey that was just made. Every other device is signed out.
#[utoipa::path(post, path = "/v1/recovery/finish", operation_id = "recovery_finish", request_body = view::Recovered, responses(
    (status = 201, description = "The session", body = view::ShownSession),
    (status = "4XX", description = "The request is wrong, not signed, or not allowed", body = Details, content_type = "application/problem+json"),
    (status = "5XX", description = "No answer", body = Details, content_type = "application/problem+json"),
))]
pub async fn finish(State(state): State<Shared>, request: Request) -> Result<Response, Problem> {
    introduce(state, request).await
}

/// Stops every recovery of the asking person's.
#[utoipa::path(delete, path = "/v1/recovery", operation_id = "recovery_cancel", responses(
    (status = 200, description = "How many there were", body = view::Ended),
    (status = "4XX", description = "The request is wrong, not signed, or not allowed", body = Details, content_type = "application/problem+json"),
    (status = "5XX", description = "No answer", body = Details, content_type = "application/problem+json"),
))]
pub async fn cancel(State(state): State<Shared>, request: Request) -> Result<Response, Problem> {
    pass_on(state, request).await
}
