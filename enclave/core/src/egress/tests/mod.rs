#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on has failed"
)]

mod deadlines;
mod exchange;
mod handshake;
mod http;
mod provider;
mod refusals;
mod robustness;

use rustls::SupportedProtocolVersion;
use rustls::version::{TLS12, TLS13};
use wire::UnixMillis;

use self::provider::{Authority, Identity, Provider};
use super::{Connection, Event, ExchangeId, Fault, Limits, Method, Request, Trust};

/// 2026-11-22T00:00:00Z.
const NOW: UnixMillis = UnixMillis(1_795_305_600_000);
const HOST: &str = "api.kraken.com";
const DIALLED: &str = "api.kraken.com.sandbox.test";
const BOTH: &[&SupportedProtocolVersion] = &[&TLS13, &TLS12];

fn later(millis: u64) -> UnixMillis {
    UnixMillis(NOW.0 + millis)
}

fn get(target: &str) -> Request<'_> {
    Request { method: Method::Get, target, headers: &[], body: b"" }
}

/// A client and a provider with an honest host between them.
struct Pair {
    client: Connection,
    provider: Provider,
}

impl Pair {
    /// The usual case: a sandbox, a right certificate, TLS 1.3.
    fn new() -> Self {
        Self::with_limits(Limits::default())
    }

    fn with_limits(limits: Limits) -> Self {
        let authority = Authority::sandbox();
        let trust = Trust::sandbox(authority.der()).unwrap();
        let client = Connection::open(&trust, HOST, false, limits, NOW).unwrap();
        Self { client, provider: Provider::new(&authority.issue(&[DIALLED]), BOTH) }
    }

    /// A client of `trust` that meets a server with `identity`.
    fn meeting(trust: &Trust, identity: &Identity, now: UnixMillis) -> Self {
        let client = Connection::open(trust, HOST, false, Limits::default(), now).unwrap();
        Self { client, provider: Provider::new(identity, BOTH) }
    }

    /// Ready for the first request, with that event taken.
    fn established() -> Self {
        let mut pair = Self::new();
        pair.settle(NOW);
        assert_eq!(pair.events(), [Event::Ready]);
        pair
    }

    /// Carries bytes both ways until there are none left.
    fn settle(&mut self, now: UnixMillis) {
        loop {
            let out = self.client.take_output();
            if let Some(bytes) = &out {
                self.provider.receive(bytes);
            }
            let back = self.provider.output();
            self.client.receive(&back, now);
            if out.is_none() && back.is_empty() {
                return;
            }
        }
    }

    fn send(&mut self, id: u64, request: &Request<'_>) {
        self.client.send(ExchangeId(id), request);
        self.settle(NOW);
    }

    fn respond(&mut self, plaintext: &[u8]) {
        self.provider.respond(plaintext);
        self.settle(NOW);
    }

    fn events(&mut self) -> Vec<Event> {
        std::iter::from_fn(|| self.client.next_event()).collect()
    }
}

/// Connections are spread over a few threads, and all of them share one environment.
#[test]
fn connections_can_move_between_threads_and_share_their_trust() {
    fn moves<T: Send>() {}
    fn is_shared<T: Send + Sync>() {}
    moves::<Connection>();
    moves::<Event>();
    is_shared::<Trust>();
}

fn failed(id: u64, fault: Fault) -> Event {
    Event::Failed { exchange: Some(ExchangeId(id)), fault, sent: true }
}

fn unsent(id: u64, fault: Fault) -> Event {
    Event::Failed { exchange: Some(ExchangeId(id)), fault, sent: false }
}

fn broken(fault: Fault) -> Event {
    Event::Failed { exchange: None, fault, sent: false }
}

/// Exchange, status and body of a response.
fn response(event: &Event) -> (u64, u16, &[u8]) {
    match event {
        Event::Response { exchange, status, body, .. } => (exchange.0, *status, body),
        other => panic!("not a response: {other:?}"),
    }
}
