//! `GET /openapi.json`

use super::problem::{Code, Problem};
use axum::http::HeaderValue;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use std::sync::LazyLock;

/// The OpenAPI document of this gateway.
pub async fn show() -> Response {
    static DOCUMENT: LazyLock<Option<String>> = LazyLock::new(|| super::openapi().to_pretty_json().ok());
    match DOCUMENT.as_deref() {
        Some(document) => {
            ([(CONTENT_TYPE, HeaderValue::from_static("application/json"))], document).into_response()
        }
        None => Problem(Code::GatewayFailed).into_response(),
    }
}
