//! What the handlers share.

use super::enclave::Enclave;
use super::guard::Peers;
use super::uploads::Uploads;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;

/// Bounds of the gateway; each guards against one way of exhausting it.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Open connections; more wait in the kernel's queue.
    pub connections: usize,
    /// Requests that wait for the enclave; more are refused as `busy`.
    pub in_flight: usize,
    /// Bytes of bodies that are being read, over all requests; when there are more, the slowest gives way.
    pub buffered: usize,
    /// Requests a second that one address may keep up.
    pub per_second: u32,
    /// Requests that one address may send at once after a pause.
    pub burst: u32,
    /// A request's header, from its first byte or the end of the one before.
    pub header: Duration,
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
    /// Statements and proofs that are being read at once.
    pub reading: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            connections: 4096,
            in_flight: 4096,
            buffered: 32 << 20,
            per_second: 1000,
            burst: 4000,
            header: Duration::from_secs(30),
            body: Duration::from_secs(20),
            stall: Duration::from_secs(5),
            stride: 4 << 10,
            attest: Duration::from_secs(10),
            request: Duration::from_secs(90),
            rewrap: Duration::from_secs(30),
            reading: 16,
        }
    }
}

/// One gateway.
#[derive(Debug)]
pub struct State {
    pub limits: Limits,
    pub enclave: Enclave,
    pub peers: Peers,
    /// A permit is a request that waits for the enclave.
    pub in_flight: Semaphore,
    /// Bodies that are being read.
    pub uploads: Uploads,
    /// The folder of what is stated about rotations; `None`: nothing is.
    pub published: Option<PathBuf>,
    /// A permit is a statement or proof that is being read.
    pub reading: Semaphore,
}

pub type Shared = Arc<State>;

impl State {
    pub fn new(limits: Limits, enclave: Enclave, published: Option<PathBuf>) -> Shared {
        Arc::new(State {
            limits,
            enclave,
            peers: Peers::new(limits.per_second, limits.burst),
            in_flight: Semaphore::new(limits.in_flight),
            uploads: Uploads::new(limits.buffered),
            published,
            reading: Semaphore::new(limits.reading),
        })
    }
}
