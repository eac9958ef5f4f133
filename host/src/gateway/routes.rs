//! Every path of the gateway, in one list; the OpenAPI document is made from the same list.

use super::problem::{Code, Problem};
use super::signed::heed;
use super::state::Shared;
use super::{
    attestation, challenges, document, envelopes, exchanges, guard, health, invitations, keys, organisation,
    passkeys, people, policies, problems, recovery, requests, rotation, sessions,
};
use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::get;
use utoipa::openapi::path::Operation;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{InfoBuilder, LicenseBuilder, OpenApi, OpenApiBuilder, PathItem};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The scheme of signed operations.
const SIGNATURE: &str = "signature";

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
        .routes(routes!(challenges::begin))
}

/// Operations of who has a key: each request is signed, and identity says who asks.
fn signed() -> OpenApiRouter<Shared> {
    OpenApiRouter::new()
        .routes(routes!(organisation::show))
        .routes(routes!(keys::list, keys::make))
        .routes(routes!(keys::show))
        .routes(routes!(keys::revoke))
        .routes(routes!(keys::rotate))
        .routes(routes!(policies::show, policies::replace))
        .routes(routes!(people::show))
        .routes(routes!(sessions::list))
        .routes(routes!(sessions::end_others))
        .routes(routes!(sessions::show))
        .routes(routes!(sessions::end))
        .routes(routes!(sessions::name))
        .routes(routes!(passkeys::add))
        .routes(routes!(passkeys::name))
        .routes(routes!(passkeys::remove))
        .routes(routes!(recovery::codes))
        .routes(routes!(recovery::cancel))
}

/// Signed, too, with a key that is not known before.
fn introduced() -> OpenApiRouter<Shared> {
    OpenApiRouter::new()
        .routes(routes!(invitations::accept))
        .routes(routes!(people::sign_up))
        .routes(routes!(sessions::sign_in))
        .routes(routes!(recovery::begin))
        .routes(routes!(recovery::finish))
}

/// The gateway's service.
pub fn router(state: Shared) -> Router {
    let (unsigned, _) = public().split_for_parts();
    let (router, _) = signed().merge(introduced()).split_for_parts();
    router
        .merge(unsigned.route_layer(from_fn_with_state(state.clone(), heed)))
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
    let mut document = with_security(public(), &[]);
    document.merge(with_security(signed().merge(introduced()), &[SIGNATURE]));
    let mut components = document.components.take().unwrap_or_default();
    components.add_security_scheme(SIGNATURE, signature());
    OpenApiBuilder::from(document).components(Some(components)).info(info.build()).build()
}

/// RFC 9421 in our profile. OpenAPI 3.1 has no kind of its own for it.
fn signature() -> SecurityScheme {
    let about = "An HTTP message signature (RFC 9421) with the tag `tensfer`, by a registered key: docs/spec/http-signatures.md";
    SecurityScheme::ApiKey(ApiKey::Header(ApiKeyValue::with_description("Signature", about)))
}

fn with_security(router: OpenApiRouter<Shared>, schemes: &[&str]) -> OpenApi {
    let mut document = router.into_openapi();
    let asked: Vec<SecurityRequirement> =
        schemes.iter().map(|scheme| SecurityRequirement::new(*scheme, Vec::<String>::new())).collect();
    document.paths.paths.values_mut().flat_map(operations).for_each(|operation| {
        operation.security = Some(asked.clone());
    });
    document
}

fn operations(path: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    [&mut path.get, &mut path.put, &mut path.post, &mut path.delete, &mut path.patch].into_iter().flatten()
}
