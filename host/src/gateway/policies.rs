//! `/v1/policies`: what an organisation forbids itself.

use super::problem::{Details, Problem};
use super::signed::{pass_on, pass_on_of};
use super::state::Shared;
use crate::identity::view;
use crate::policy::LONGEST;
use axum::extract::{Request, State};
use axum::response::Response;

/// A text of [`LONGEST`] in JSON, where each byte may be two, and the rest.
const MOST: usize = 2 * LONGEST + 4096;

/// What your organisation forbids itself, beside what the server does. Scope: `policies:read`.
#[utoipa::path(get, path = "/v1/policies", operation_id = "policies_show", responses(
    (status = 200, description = "The policies in force", body = view::ShownPolicies),
    (status = "4XX", description = "The request is wrong, not signed, or not allowed", body = Details, content_type = "application/problem+json"),
    (status = "5XX", description = "No answer", body = Details, content_type = "application/problem+json"),
))]
pub async fn show(State(state): State<Shared>, request: Request) -> Result<Response, Problem> {
    pass_on(state, request).await
}

/// Replaces them, all at once, from the next request on. Scope: `policies:write`.
#[utoipa::path(put, path = "/v1/policies", operation_id = "policies_replace", request_body = view::PoliciesReplacement, responses(
    (status = 200, description = "The policies in force from now on", body = view::ShownPolicies),
    (status = "4XX", description = "The request is wrong, not signed, or not allowed", body = Details, content_type = "application/problem+json"),
    (status = "5XX", description = "No answer", body = Details, content_type = "application/problem+json"),
))]
pub async fn replace(State(state): State<Shared>, request: Request) -> Result<Response, Problem> {
    pass_on_of(state, request, MOST).await
}
