//! HTTP/2 connections, frame by frame (RFC 9113): what holds for a connection of HTTP/1.1 holds for each stream.

use super::uploads::relay_and_enclave;
use crate::calls::Role;
use crate::gateway::connection::{Caller, Service};
use crate::gateway::guard::{Names, network};
use crate::gateway::routes::router;
use crate::gateway::state::{Limits, Shared, State};
use crate::testing::workload;
use crate::testing::{Folder, LONG, soon};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::sync::watch;

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const GOAWAY: u8 = 7;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;
/// `:status: 200`, whole in the static table (RFC 7541).
const OK: u8 = 0x88;

/// What serves HTTP/2, before an enclave that answers every request.
struct Rig {
    _folder: Folder,
    state: Shared,
    service: Arc<Service>,
    stopping: watch::Sender<()>,
}

impl Rig {
    fn start(limits: Limits) -> Rig {
        let folder = relay_and_enclave();
        let me = workload(Role::Gateway);
        let state = State::new(limits, Names::Localhost, me, folder.address(), None);
        let service = Arc::new(Service { router: router(state.clone()), limits });
        Rig { _folder: folder, state, service, stopping: watch::channel(()).0 }
    }

    /// A connection of somebody's, its preface sent.
    async fn connect(&self, peer: &str) -> Client {
        let (ours, theirs) = duplex(1 << 20);
        let peer: SocketAddr = peer.parse().unwrap();
        let (place, _) = self.state.connections.enter(network(peer.ip()), 1);
        let (service, stopped) = (self.service.clone(), self.stopping.subscribe());
        tokio::spawn(
            async move { service.http2(theirs, Caller::new(peer, place).into(), None, stopped).await },
        );
        let mut client = Client(ours);
        client.0.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0").await.unwrap();
        client
    }
}

struct Client(DuplexStream);

impl Client {
    async fn send(&mut self, kind: u8, flags: u8, stream: u32, payload: &[u8]) {
        let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
        let frame = [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat();
        // It may be over.
        let _ = self.0.write_all(&frame).await;
    }

    /// `POST /v1/requests` on `localhost`, without its body.
    async fn begin(&mut self, stream: u32) {
        let fields = b"\x83\x86\x04\x0c/v1/requests\x01\x09localhost\0\x0ccontent-type\x11message/ohttp-req";
        self.send(HEADERS, END_HEADERS, stream, fields).await;
    }

    /// `GET /v1/problems/busy`, which is short: no window has to be opened for it.
    async fn get(&mut self, stream: u32) {
        let fields = b"\x82\x86\x04\x11/v1/problems/busy\x01\x09localhost";
        self.send(HEADERS, END_HEADERS | END_STREAM, stream, fields).await;
    }

    /// The next frame: kind, stream and payload; `None` at the end.
    async fn read(&mut self) -> Option<(u8, u32, Vec<u8>)> {
        let mut head = [0; 9];
        soon(self.0.read_exact(&mut head)).await.ok()?;
        let mut payload =
            vec![0; usize::from(head[0]) << 16 | usize::from(head[1]) << 8 | usize::from(head[2])];
        soon(self.0.read_exact(&mut payload)).await.ok()?;
        Some((head[3], u32::from_be_bytes(head[5..].try_into().unwrap()), payload))
    }

    /// Whether the answer on this stream is a 200, or else the code of its problem.
    async fn answer(&mut self, stream: u32) -> Result<(), String> {
        let mut body = Vec::new();
        while let Some((kind, number, payload)) = self.read().await {
            match kind {
                HEADERS if number == stream && payload[0] == OK => return Ok(()),
                DATA if number == stream => body.extend_from_slice(&payload),
                _ => {}
            }
            if let Ok(problem) = serde_json::from_slice::<serde_json::Value>(&body) {
                return Err(problem["code"].as_str().unwrap().to_owned());
            }
        }
        Err("closed".to_owned())
    }
}

#[tokio::test]
async fn an_http_2_connection_that_asks_nothing_is_over_after_its_time() {
    let rig = Rig::start(Limits { idle: Duration::from_secs(2), ping: 2 * LONG, ..Limits::default() });
    let mut client = rig.connect("192.0.2.1:1").await;
    client.get(1).await;
    assert_eq!(client.answer(1).await, Ok(()));
    let mut told = false;
    while let Some((kind, _, _)) = client.read().await {
        told |= kind == GOAWAY;
    }
    assert!(told);
}

#[tokio::test]
async fn an_answer_that_nobody_takes_does_not_keep_its_connection() {
    let rig = Rig::start(Limits { idle: Duration::from_secs(2), ping: 2 * LONG, ..Limits::default() });
    let mut client = rig.connect("192.0.2.1:1").await;
    // Larger than the window, which is never opened.
    client
        .send(HEADERS, END_HEADERS | END_STREAM, 1, b"\x82\x86\x04\x0d/v1/exchanges\x01\x09localhost")
        .await;
    let mut came = 0;
    while let Some((kind, _, payload)) = client.read().await {
        came += if kind == DATA { payload.len() } else { 0 };
    }
    assert_eq!(came, 65_535);
}

#[tokio::test]
async fn a_gateway_that_ends_tells_its_connections() {
    let rig = Rig::start(Limits::default());
    let mut client = rig.connect("192.0.2.1:1").await;
    client.get(1).await;
    assert_eq!(client.answer(1).await, Ok(()));
    rig.stopping.send(()).unwrap();
    while client.read().await.is_some() {}
    soon(rig.stopping.closed()).await;
}

#[tokio::test]
async fn slow_bodies_on_many_streams_keep_no_honest_request_out() {
    // Nobody is ended for being slow, and there is room for 24 bodies that have not begun.
    let limits = Limits {
        stall: 2 * LONG,
        body: 2 * LONG,
        idle: 2 * LONG,
        buffered: 24 * (4 << 10),
        ..Limits::default()
    };
    let rig = Rig::start(limits);
    let mut slow = rig.connect("192.0.2.1:1").await;
    for number in 0..24 {
        slow.begin(2 * number + 1).await;
        slow.send(DATA, 0, 2 * number + 1, b"x").await;
    }
    // Somebody of the same address, and of another.
    for peer in ["192.0.2.1:2", "192.0.2.2:1"] {
        let mut honest = rig.connect(peer).await;
        for number in 0..10 {
            let stream = 2 * number + 1;
            honest.begin(stream).await;
            honest.send(DATA, END_STREAM, stream, &[7; 4000]).await;
            assert_eq!(honest.answer(stream).await, Ok(()), "{peer}");
        }
    }
    assert_eq!(slow.answer(1).await, Err("busy".to_owned()), "the oldest gave way");
}

#[tokio::test]
async fn the_rate_of_an_address_is_over_its_streams_and_not_its_connections() {
    let rig = Rig::start(Limits { per_second: 1, burst: 3, ..Limits::default() });
    let mut outcomes = Vec::new();
    let mut client = rig.connect("192.0.2.1:1").await;
    for number in 0..5 {
        client.get(2 * number + 1).await;
        outcomes.push(client.answer(2 * number + 1).await);
    }
    let refused = outcomes.iter().filter(|outcome| **outcome == Err("too_many_requests".to_owned())).count();
    // A machine that pauses for a second lets one more pass.
    assert!(refused >= 1 && outcomes[..3].iter().all(Result::is_ok), "{outcomes:?}");
    let mut other = rig.connect("192.0.2.2:1").await;
    other.get(1).await;
    assert_eq!(other.answer(1).await, Ok(()));
}

#[tokio::test]
async fn a_connection_that_asks_too_much_is_over() {
    let rig = Rig::start(Limits { per_second: 1, burst: 1, given_up: 5, ..Limits::default() });
    let mut client = rig.connect("192.0.2.1:1").await;
    let mut refused = 0;
    for number in 0..100 {
        client.get(2 * number + 1).await;
        match client.answer(2 * number + 1).await {
            Err(code) if code == "closed" => break,
            Err(_) => refused += 1,
            Ok(()) => {}
        }
    }
    assert!((4..=6).contains(&refused), "{refused}");
}
