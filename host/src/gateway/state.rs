//! What the handlers share.

use super::guard::{Names, Peers};
use super::prf::Alarms;
use super::room::Room;
use super::way::Way;
use crate::calls::Role;
use crate::transport::Address;
use crate::workload::Workload;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;

/// Bounds of the gateway; each guards against one way of exhausting it.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Open connections. For more, one that asks nothing gives way.
    pub connections: usize,
    /// TLS handshakes under way. For more, the slowest gives way.
    pub handshakes: usize,
    /// A handshake, whole.
    pub handshake: Duration,
    /// TLS connections a second that one address may keep up making: each costs a signature.
    pub arrivals_per_second: u32,
    /// Those that one address may make at once after a pause.
    pub arrivals_burst: u32,
    /// Requests that wait for the enclave; more are refused as `busy`.
    pub in_flight: usize,
    /// Bytes of bodies that are being read, over all requests; when there are more, the slowest gives way.
    pub buffered: usize,
    /// What a body that is being read counts in that before any of it has come: its request, of which a connection may
    /// have many.
    pub upload: usize,
    /// Requests a second that one address may keep up.
    pub per_second: u32,
    /// Requests that one address may send at once after a pause.
    pub burst: u32,
    /// A request's header, from its first byte or the end of the one before.
    pub header: Duration,
    /// A connection on which nothing is asked, since its last answer was ready: taken or not.
    pub idle: Duration,
    /// Requests of one HTTP/2 connection at once.
    pub streams: u32,
    /// An HTTP/2 client is asked this often whether it is there, and has this long to say so.
    pub ping: Duration,
    /// Requests of one HTTP/2 connection that were given up, malformed or too many; then it is over.
    pub given_up: u32,
    /// A request's body, whole.
    pub body: Duration,
    /// Within each `stall` of a body come `stride` bytes of it, or its end.
    pub stall: Duration,
    pub stride: usize,
    /// Evidence: signing is all it takes.
    pub attest: Duration,
    /// A sealed request, provider calls included.
    pub request: Duration,
    /// Re-wrapping.
    pub rewrap: Duration,
    /// What identity is asked.
    pub identity: Duration,
    /// Statements and proofs that are being read at once.
    pub reading: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            connections: 12_288,
            handshakes: 1024,
            handshake: Duration::from_secs(10),
            arrivals_per_second: 500,
            arrivals_burst: 2000,
            in_flight: 4096,
            buffered: 32 << 20,
            upload: 4 << 10,
            per_second: 1000,
            burst: 4000,
            header: Duration::from_secs(30),
            idle: Duration::from_secs(60),
            streams: 32,
            ping: Duration::from_secs(20),
            given_up: 128,
            body: Duration::from_secs(20),
            stall: Duration::from_secs(5),
            stride: 4 << 10,
            attest: Duration::from_secs(10),
            request: Duration::from_secs(90),
            rewrap: Duration::from_secs(30),
            identity: Duration::from_secs(15),
            reading: 16,
        }
    }
}

/// One gateway.
#[derive(Debug)]
pub struct State {
    pub limits: Limits,
    pub names: Names,
    /// The relay, and the enclave behind it.
    pub enclave: Way,
    pub identity: Way,
    pub peers: Peers,
    /// Who makes TLS connections.
    pub arrivals: Peers,
    pub handshakes: Arc<Room>,
    pub connections: Arc<Room>,
    /// A permit is a request that waits for the enclave.
    pub in_flight: Semaphore,
    /// Bodies that are being read.
    pub uploads: Arc<Room>,
    /// Bodies that were refused because they carried what no server may have.
    pub prf_secrets: Alarms,
    /// The folder of what is stated about rotations; `None`: nothing is.
    pub published: Option<PathBuf>,
    /// A permit is a statement or proof that is being read.
    pub reading: Semaphore,
}

pub type Shared = Arc<State>;

impl State {
    /// Asks the roles at `run` as `me`.
    pub fn new(
        limits: Limits,
        names: Names,
        me: Workload,
        run: Address,
        published: Option<PathBuf>,
    ) -> Shared {
        Arc::new(State {
            limits,
            names,
            enclave: Way::new(me.clone(), run.clone(), Role::Relay),
            identity: Way::new(me, run, Role::Identity),
            arrivals: Peers::new(limits.arrivals_per_second, limits.arrivals_burst),
            handshakes: Room::new(limits.handshakes),
            connections: Room::new(limits.connections),
            peers: Peers::new(limits.per_second, limits.burst),
            in_flight: Semaphore::new(limits.in_flight),
            uploads: Room::new(limits.buffered),
            prf_secrets: Alarms::new(),
            published,
            reading: Semaphore::new(limits.reading),
        })
    }
}
