//! The control API: plain HTTP on a loopback listener of its own, through which tests set faults and read the log.
//!
//! `GET|POST|DELETE /v1/faults`, `DELETE /v1/faults/ID`, `GET|DELETE /v1/calls`, `POST /v1/authorise`. A browser cannot reach it across
//! origins: the `Host` must be the listener's own (no DNS rebinding), and a fault must come as `application/json`
//! (which a foreign page may not send without a preflight, and none is answered).

use super::body::Reel;
use super::dialect::Exchange;
use super::faults::Fault;
use super::reply::Reply;
use super::server::response;
use super::world::World;
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use hyper::header::{CONTENT_TYPE, HOST};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{HeaderMap, Request, Response};
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::net::TcpListener;

const BODY: usize = 16 * 1024;

/// Accepts for ever.
pub async fn serve(listener: TcpListener, at: SocketAddr, world: Arc<World>) {
    while let Ok((stream, _)) = listener.accept().await {
        let world = Arc::clone(&world);
        let service = service_fn(move |request| {
            let world = Arc::clone(&world);
            async move { answer(&world, at, request).await }
        });
        tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
    }
}

async fn answer(world: &World, at: SocketAddr, request: Request<Incoming>) -> hyper::Result<Response<Reel>> {
    let (head, body) = request.into_parts();
    if !is_own_host(&head.headers, at) {
        return Ok(response(Reply::text(421, "not this listener's host"), None));
    }
    let is_json = head.headers.get(CONTENT_TYPE).is_some_and(|value| value == "application/json");
    let body = Limited::new(body, BODY).collect().await.map(|body| body.to_bytes()).unwrap_or_default();
    let (status, value) = match (head.method.as_str(), head.uri.path()) {
        ("GET", "/v1/faults") => (200, listed(world)),
        ("POST", "/v1/faults") if !is_json => (415, json!({"error": "a fault is application/json"})),
        ("POST", "/v1/faults") => added(world, &body),
        ("DELETE", "/v1/faults") => {
            world.faults().clear();
            (200, json!({}))
        }
        ("DELETE", path) if path.starts_with("/v1/faults/") => removed(world, &path["/v1/faults/".len()..]),
        ("POST", "/v1/authorise") if is_json => authorised(world, &body),
        ("GET", "/v1/calls") => (200, json!(world.state().log())),
        ("DELETE", "/v1/calls") => {
            world.state().forget_log();
            (200, json!({}))
        }
        _ => (404, json!({"error": "no such operation"})),
    };
    Ok(response(Reply::json(status, &value), None))
}

fn is_own_host(headers: &HeaderMap, at: SocketAddr) -> bool {
    let host = headers.get(HOST).and_then(|value| value.to_str().ok()).unwrap_or_default();
    host == at.to_string() || host == format!("localhost:{}", at.port())
}

fn listed(world: &World) -> Value {
    let faults = world.faults();
    faults.list().iter().map(|(id, fault)| json!({"id": id, "fault": fault})).collect()
}

fn added(world: &World, body: &[u8]) -> (u16, Value) {
    match serde_json::from_slice::<Fault>(body) {
        Ok(fault) => (201, json!({"id": world.faults().add(fault)})),
        Err(error) => (400, json!({"error": error.to_string()})),
    }
}

/// A person who is signed in to an account opens the address that the client printed.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Opened {
    exchange: Exchange,
    account: String,
    url: String,
    #[serde(default = "yes")]
    allows: bool,
}

fn yes() -> bool {
    true
}

fn authorised(world: &World, body: &[u8]) -> (u16, Value) {
    let Ok(opened) = serde_json::from_slice::<Opened>(body) else {
        return (400, json!({"error": "expected exchange, account, url and, where it is refused, allows"}));
    };
    match world.authorise(opened.exchange, &opened.account, &opened.url, opened.allows) {
        Ok(location) => (200, json!({"location": location})),
        Err(error) => (400, json!({"error": error})),
    }
}

fn removed(world: &World, id: &str) -> (u16, Value) {
    match id.parse() {
        Ok(id) if world.faults().remove(id) => (200, json!({})),
        _ => (404, json!({"error": "no such fault"})),
    }
}
