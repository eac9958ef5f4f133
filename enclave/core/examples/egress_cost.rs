//! What one provider connection costs the enclave: CPU per handshake and per exchange, memory per connection.
//!
//! `cargo run --release -p tensfer-enclave --example egress_cost`. Only the client's calls are timed; figures are
//! medians, so that a busy machine does not decide them. Memory is resident memory of this process, before and
//! after, divided by the number of connections, each of whose servers is dropped before the next is opened.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a measurement, not the product"
)]
#![expect(clippy::print_stdout, reason = "its output is its purpose")]

#[path = "../src/egress/tests/provider.rs"]
#[expect(dead_code, reason = "shared with the tests, which use all of it")]
mod provider;

use std::process::Command;
use std::time::{Duration, Instant};

use enclave::egress::{Connection, Event, ExchangeId, Limits, Method, Request, Trust};
use provider::{Authority, Provider};
use rustls::version::{TLS12, TLS13};
use wire::UnixMillis;

const NOW: UnixMillis = UnixMillis(1_795_305_600_000);
const HOST: &str = "api.kraken.com";
const ROUNDS: usize = 1_000;
const CONNECTIONS: usize = 1_000;

fn main() {
    match std::env::args().nth(1) {
        Some(state) => measure_memory(&state),
        None => measure_time(),
    }
}

/// Resident memory of many connections: after their ClientHello, idle, or waiting for a response.
fn measure_memory(state: &str) {
    let authority = Authority::sandbox();
    let trust = Trust::sandbox(authority.der()).unwrap();
    let config = Provider::config(&authority.issue(&["api.kraken.com.sandbox.test"]), &[&TLS13, &TLS12]);
    let connect = || {
        let mut meeting = Meeting::new(&trust, Provider::accept(config.clone()));
        match state {
            "hello" => drop(meeting.client.take_output().expect("a ClientHello")),
            "idle" => {
                meeting.handshake();
            }
            _ => {
                meeting.handshake();
                meeting.client.send(ExchangeId(1), &request());
                meeting.client.take_output().expect("a request");
            }
        }
        meeting.client
    };
    // Code pages and the allocator's first growth are not the connections'.
    drop((0..10).map(|_| connect()).collect::<Vec<_>>());
    let before = resident_bytes();
    let clients: Vec<Connection> = (0..CONNECTIONS).map(|_| connect()).collect();
    let per_connection = resident_bytes().saturating_sub(before) / clients.len();
    println!("memory of a connection, {state}: {per_connection} B resident, of {CONNECTIONS}");
}

fn measure_time() {
    let authority = Authority::sandbox();
    let trust = Trust::sandbox(authority.der()).unwrap();
    let config = Provider::config(&authority.issue(&["api.kraken.com.sandbox.test"]), &[&TLS13, &TLS12]);
    let connect = || Meeting::new(&trust, Provider::accept(config.clone()));

    let handshakes = (0..ROUNDS).map(|_| connect().handshake());
    println!("full handshake, X25519MLKEM768, P-256 certificate: {} us", median(handshakes));

    for size in [200, 2_000, 50_000, 500_000] {
        let mut meeting = connect();
        meeting.handshake();
        let body = "x".repeat(size);
        let response = format!(
            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {size}\r\n\r\n{body}"
        );
        let exchanges = (0..ROUNDS).map(|_| meeting.exchange(response.as_bytes()));
        println!("keep-alive exchange, {size} B response: {} us", median(exchanges));
    }

    for state in ["hello", "idle", "waiting"] {
        // A process of its own: memory that an earlier measurement freed would be used again and not be seen.
        let program = std::env::current_exe().unwrap();
        assert!(Command::new(program).arg(state).status().unwrap().success());
    }
    println!("size of the structure itself: {} B", size_of::<Connection>());
}

fn request() -> Request<'static> {
    let headers = &[
        ("api-key", "0123456789abcdef0123456789abcdef0123456789abcdef01234567"),
        (
            "api-sign",
            "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWYwMTIzNDU2Nzg5YWJjZGVmMDEyMzQ1Njc4OWFiY2RlZg==",
        ),
        ("content-type", "application/x-www-form-urlencoded"),
    ];
    Request { method: Method::Post, target: "/0/private/Balance", headers, body: b"nonce=1795305600000" }
}

/// A client and its server.
struct Meeting {
    client: Connection,
    server: Provider,
    opened: Duration,
}

impl Meeting {
    fn new(trust: &Trust, server: Provider) -> Self {
        let start = Instant::now();
        let client = Connection::open(trust, HOST, false, Limits::default(), NOW).unwrap();
        Self { client, server, opened: start.elapsed() }
    }

    /// Time of the client for the whole handshake, opening included.
    fn handshake(&mut self) -> Duration {
        let spent = self.opened + self.settle();
        assert_eq!(self.client.next_event(), Some(Event::Ready));
        spent
    }

    /// Time of the client for one request and its response.
    fn exchange(&mut self, response: &[u8]) -> Duration {
        let start = Instant::now();
        self.client.send(ExchangeId(1), &request());
        let mut spent = start.elapsed() + self.settle();
        self.server.request();
        for piece in response.chunks(32 << 10) {
            self.server.respond(piece);
            spent += self.settle();
        }
        assert!(matches!(self.client.next_event(), Some(Event::Response { status: 200, .. })));
        spent
    }

    fn settle(&mut self) -> Duration {
        let mut spent = Duration::ZERO;
        loop {
            let start = Instant::now();
            let out = self.client.take_output();
            spent += start.elapsed();
            if let Some(bytes) = &out {
                self.server.receive(bytes);
            }
            let back = self.server.output();
            if out.is_none() && back.is_empty() {
                return spent;
            }
            let start = Instant::now();
            self.client.receive(&back, NOW);
            spent += start.elapsed();
        }
    }
}

fn median(samples: impl Iterator<Item = Duration>) -> String {
    let mut samples: Vec<u128> = samples.map(|sample| sample.as_nanos()).collect();
    samples.sort_unstable();
    let tenths = samples[samples.len() / 2] / 100;
    format!("{}.{}", tenths / 10, tenths % 10)
}

fn resident_bytes() -> usize {
    let statm = std::fs::read_to_string("/proc/self/statm").expect("Linux");
    let pages: usize = statm.split(' ').nth(1).unwrap().parse().unwrap();
    pages * 4096
}
