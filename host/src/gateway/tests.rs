//! Every route of the gateway, before a real relay and a scripted enclave.

mod answers;
mod listener;
mod people;
mod refusals;
mod rotation;
mod signed;
mod streams;
mod uploads;

use super::guard::{Arrival, Names};
use super::routes::router;
use super::state::{Limits, Shared, State};
use crate::calls::Role;
use crate::relay::Relay;
use crate::testing::workload;
use crate::testing::{Folder, next};
use crate::transport::{Message, Reader, frame};
use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Request, StatusCode};
use tokio::io::AsyncWriteExt;
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::task::JoinHandle;
use tower::ServiceExt;
use wire::frame::Kind;

/// A gateway, a relay and the enclave's end of the channel.
struct Rig {
    folder: Folder,
    state: Shared,
    router: Router,
    from_relay: Reader<OwnedReadHalf>,
    to_relay: OwnedWriteHalf,
    relay: JoinHandle<crate::relay::Ended>,
}

/// What a client sees.
struct Seen {
    status: StatusCode,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Rig {
    fn start(limits: Limits) -> Rig {
        let folder = Folder::new();
        let (host, enclave) = UnixStream::pair().unwrap();
        let (run, register) = (folder.path().to_path_buf(), folder.path().join("register"));
        let relay = Relay::bind(host, workload(Role::Relay), run, register, Vec::new()).unwrap();
        let (reader, to_relay) = enclave.into_split();
        let state = State::new(
            limits,
            Names::Localhost,
            workload(Role::Gateway),
            folder.address(),
            Some(folder.path().join("rotation")),
        );
        let router = router(state.clone());
        let relay = tokio::spawn(relay.serve());
        Rig { folder, state, router, from_relay: Reader::new(reader), to_relay, relay }
    }

    /// Where statements about rotations are.
    fn published(&self) -> std::path::PathBuf {
        self.folder.path().join("rotation")
    }

    /// The next frame of a client's request.
    async fn hear(&mut self) -> Message {
        next(&mut self.from_relay).await.expect("the relay lives")
    }

    async fn say(&mut self, kind: Kind, stream: u32, body: &[u8]) {
        self.to_relay.write_all(&frame(kind as u8, stream, body).unwrap()).await.unwrap();
    }
}

fn get(uri: &str) -> Request<Body> {
    asked("GET", uri, None, Vec::new())
}

fn post(uri: &str, media: &str, body: impl Into<Vec<u8>>) -> Request<Body> {
    asked("POST", uri, Some(media), body.into())
}

fn asked(method: &str, uri: &str, media: Option<&str>, body: Vec<u8>) -> Request<Body> {
    let mut request = Request::builder().method(method).uri(uri).header("host", "localhost:8080");
    request = request.header("content-length", body.len());
    if let Some(media) = media {
        request = request.header("content-type", media);
    }
    let mut request = request.body(Body::from(body)).unwrap();
    request.extensions_mut().insert(from("127.0.0.1:1"));
    request
}

fn from(peer: &str) -> Arrival {
    Arrival { peer: peer.parse().unwrap(), server_name: None }
}

async fn send(router: &Router, request: Request<Body>) -> Seen {
    let response = crate::testing::soon(router.clone().oneshot(request)).await.unwrap();
    let (head, body) = response.into_parts();
    let body = axum::body::to_bytes(body, usize::MAX).await.unwrap().to_vec();
    Seen { status: head.status, headers: head.headers, body }
}

impl Seen {
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// Checks that this is a whole problem, and returns its status and code.
    fn problem(&self) -> (u16, String) {
        assert_eq!(self.header("content-type"), "application/problem+json", "{}", self.status);
        let details: serde_json::Value = serde_json::from_slice(&self.body).unwrap();
        assert_eq!(details["status"], self.status.as_u16());
        assert_eq!(details["request_id"], self.header("x-request-id"));
        assert!(self.header("x-request-id").starts_with("req_"));
        for text in ["type", "title", "detail", "code", "fault"] {
            assert!(details[text].as_str().is_some_and(|text| !text.is_empty()), "{text} in {details}");
        }
        assert!(details["retryable"].is_boolean());
        (self.status.as_u16(), details["code"].as_str().unwrap().to_owned())
    }
}
