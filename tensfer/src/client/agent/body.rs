//! Reading a body: its type first, then never more than a path takes, in time, into a buffer that is wiped.

use crate::client::failure::{Failure, Fault, Result};
use axum::extract::Request;
use axum::http::HeaderMap;
use axum::http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use http_body_util::BodyExt;
use serde::Deserialize;
use std::time::Duration;
use tokio::time::timeout;
use zeroize::Zeroizing;

/// A credential has 16 KiB at most, and everything else is shorter.
const MOST: usize = 64 << 10;
const IN_TIME: Duration = Duration::from_secs(20);

/// The bytes of a JSON body.
pub async fn read(request: Request) -> Result<Zeroizing<Vec<u8>>> {
    if !is_json(request.headers()) {
        return Err(caller("media_type_unsupported", "the body of this path is `application/json`"));
    }
    let reading = timeout(IN_TIME, collect(request)).await;
    reading
        .unwrap_or_else(|_| Err(caller("body_too_slow", "the body did not arrive in time").retryable(true)))
}

async fn collect(request: Request) -> Result<Zeroizing<Vec<u8>>> {
    let mut body = request.into_body();
    // All of the room at once: growing would leave copies behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(MOST));
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| malformed("it was broken off"))?;
        let Ok(data) = frame.into_data() else { continue };
        if data.len() > MOST - bytes.len() {
            return Err(caller("body_too_large", "the body is larger than any path takes"));
        }
        bytes.extend_from_slice(&data);
    }
    Ok(bytes)
}

/// What a path takes, strictly. An error says where, and never what: there may be a credential in it.
pub fn parse<'b, T: Deserialize<'b>>(bytes: &'b [u8]) -> Result<T> {
    serde_json::from_slice(bytes).map_err(|error| {
        let (line, column) = (error.line(), error.column());
        malformed(&format!("line {line}, column {column}"))
    })
}

fn malformed(what: &str) -> Failure {
    caller("body_malformed", &format!("the body is not what this path takes ({what})"))
        .hint("`/openapi.json` says what it takes; members that it does not name are refused")
}

fn is_json(headers: &HeaderMap) -> bool {
    let mut types = headers.get_all(CONTENT_TYPE).iter();
    let only = types.next().filter(|_| types.next().is_none()).and_then(|media| media.to_str().ok());
    let media = only.and_then(|media| media.split(';').next()).map(str::trim);
    media.is_some_and(|media| media.eq_ignore_ascii_case("application/json"))
        && !headers.contains_key(CONTENT_ENCODING)
}

pub fn caller(code: &'static str, sentence: &str) -> Failure {
    Failure::new(Fault::Usage, code, sentence)
}
