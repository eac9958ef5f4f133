//! `GET /v1/problems/{code}`: the page that a problem links to.

use super::problem::{Code, Details, Problem};
use axum::extract::Path;
use axum::extract::rejection::PathRejection;

/// What a code means, in words.
#[utoipa::path(get, path = "/v1/problems/{code}", operation_id = "problem",
    params(("code" = String, Path, description = "A problem's `code`")),
    responses(
        (status = 200, description = "What it means", body = String, content_type = "text/plain"),
        (status = 404, description = "No such code", body = Details, content_type = "application/problem+json"),
    ))]
pub async fn show(code: Result<Path<String>, PathRejection>) -> Result<String, Problem> {
    let Path(text) = code.map_err(|_| Problem(Code::NotFound))?;
    let code = Code::from_text(&text).ok_or(Problem(Code::NotFound))?;
    let again = if code.retryable() { "may succeed later" } else { "will fail again" };
    let (title, sentence, fault) = (code.title(), code.sentence(), code.fault());
    Ok(format!("{title}\n\n{sentence}\n\nCode: {text}\nWhose fault: {fault:?}\nThe same request {again}.\n"))
}
