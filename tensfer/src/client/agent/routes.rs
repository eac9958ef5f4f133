//! Every path of the agent, in one list; the OpenAPI document is made from the same list.

use super::body::caller;
use super::problem::Problem;
use super::standing::Status;
use super::workers::Workers;
use super::{account, actions, balances, connections, enclave, grants, guard, health, records};
use axum::http::HeaderValue;
use axum::http::header::CONTENT_TYPE;
use axum::middleware::from_fn;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Router, response};
use std::sync::{Arc, LazyLock};
use utoipa::openapi::{InfoBuilder, LicenseBuilder, OpenApi, OpenApiBuilder};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// What every handler has.
#[derive(Clone)]
pub struct Shared {
    pub workers: Workers,
    pub status: Arc<Status>,
}

/// An answer, or why there is none.
pub type Answered<T> = Result<response::Json<T>, Problem>;

fn paths() -> OpenApiRouter<Shared> {
    OpenApiRouter::new()
        .routes(routes!(health::show))
        .routes(routes!(enclave::show))
        .routes(routes!(connections::exchanges))
        .routes(routes!(connections::list, connections::create))
        .routes(routes!(account::inspect))
        .routes(routes!(balances::list))
        .routes(routes!(records::history))
        .routes(routes!(records::addresses))
        .routes(routes!(records::networks))
        .routes(routes!(records::destinations))
        .routes(routes!(records::positions))
        .routes(routes!(actions::preview))
        .routes(routes!(actions::order))
        .routes(routes!(actions::open))
        .routes(routes!(actions::show))
        .routes(routes!(grants::grantee))
        .routes(routes!(grants::list, grants::create))
        .routes(routes!(grants::remove))
        .routes(routes!(grants::balances))
        .routes(routes!(grants::history))
        .routes(routes!(grants::addresses))
        .routes(routes!(grants::networks))
        .routes(routes!(grants::destinations))
        .routes(routes!(grants::positions))
        .routes(routes!(grants::status))
}

pub fn router(shared: Shared) -> Router {
    let (router, _) = paths().split_for_parts();
    router
        .route("/openapi.json", get(document))
        .fallback(async || Problem(caller("not_found", "there is nothing at this path; see `/openapi.json`")))
        .method_not_allowed_fallback(async || {
            Problem(caller("method_not_allowed", "this path does not take this method; see `Allow`"))
        })
        .layer(from_fn(guard::guard))
        .with_state(shared)
}

/// The OpenAPI 3.1 document, from the handlers.
pub fn openapi() -> OpenApi {
    let info = InfoBuilder::new()
        .title("Tensfer agent")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(
            "A local process that verifies an enclave, keeps an owner's keys and acts for them.",
        ))
        .license(Some(LicenseBuilder::new().name("Apache-2.0").identifier(Some("Apache-2.0")).build()));
    OpenApiBuilder::from(paths().into_openapi()).info(info.build()).build()
}

async fn document() -> Response {
    static DOCUMENT: LazyLock<String> = LazyLock::new(|| openapi().to_pretty_json().unwrap_or_default());
    ([(CONTENT_TYPE, HeaderValue::from_static("application/json"))], DOCUMENT.as_str()).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_agents_document_is_the_one_that_was_reviewed() {
        let served = openapi().to_pretty_json().unwrap() + "\n";
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/agent.openapi.json");
        if std::env::var_os("TENSFER_REVIEW").is_some() {
            std::fs::write(path, &served).unwrap();
        }
        let reviewed = std::fs::read_to_string(path).unwrap_or_default();
        assert!(
            served == reviewed,
            "tensfer/agent.openapi.json differs: set TENSFER_REVIEW=1, run again, review the change"
        );
    }
}
