//! Every path of the gateway, in one list; the OpenAPI document is made from the same list.

use super::problem::{Code, Problem};
use super::state::Shared;
use super::{attestation, document, envelopes, exchanges, guard, health, problems, requests, rotation};
use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::get;
use utoipa::openapi::path::Operation;
use utoipa::openapi::{InfoBuilder, LicenseBuilder, OpenApi, OpenApiBuilder, PathItem};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// Operations that need no authentication: whoever asks can do nothing without an owner's signature.
fn public() -> OpenApiRouter<Shared> {
    OpenApiRouter::new()
        .routes(routes!(health::show))
        .routes(routes!(attestation::show))
        .routes(routes!(requests::create))
        .routes(routes!(envelopes::rewrap))
        .routes(routes!(rotation::completion))
        .routes(routes!(rotation::destruction))
        .routes(routes!(rotation::proof))
        .routes(routes!(exchanges::list))
        .routes(routes!(problems::show))
}

/// The gateway's service.
pub fn router(state: Shared) -> Router {
    let (router, _) = public().split_for_parts();
    router
        .route("/openapi.json", get(document::show))
        .fallback(async || Problem(Code::NotFound))
        .method_not_allowed_fallback(async || Problem(Code::MethodNotAllowed))
        .layer(from_fn_with_state(state.clone(), guard::guard))
        .with_state(state)
}

/// The OpenAPI 3.1 document, from the handlers.
pub fn openapi() -> OpenApi {
    let info = InfoBuilder::new()
        .title("Tensfer gateway")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some("Forwards sealed requests to an enclave that clients verify first."))
        .license(Some(LicenseBuilder::new().name("Apache-2.0").identifier(Some("Apache-2.0")).build()));
    let mut document = public().into_openapi();
    document.paths.paths.values_mut().flat_map(operations).for_each(|operation| {
        operation.security = Some(Vec::new());
    });
    OpenApiBuilder::from(document).info(info.build()).build()
}

fn operations(path: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    [&mut path.get, &mut path.put, &mut path.post, &mut path.delete, &mut path.patch].into_iter().flatten()
}
