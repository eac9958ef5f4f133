//! The role that owns the host's end of the enclave's channel: sealed bytes in both directions, and the claimed time.
//!
//! Nothing that the enclave writes ever waits for anyone (replies to the gateway and bytes to egress go into bounded
//! outboxes that their readers always drain), so the enclave can always write; what goes to the enclave waits for it.
//! That order keeps two full pipes from waiting for each other.

mod callers;
mod channel;
mod egress;
mod lend;
mod line;
mod pending;
mod register;
#[cfg(test)]
mod tests;
pub mod witnesses;

use crate::calls::Role;
use crate::log;
use crate::transport::{Address, Listener, Outbox, Reader};
use crate::workload::Workload;
use pending::Pending;
use register::Keeper;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use tokio::net::UnixStream;
use tokio::sync::{mpsc, watch};

/// Bytes on their way to the enclave: four of the largest frames.
const TO_ENCLAVE: usize = 8 << 20;
/// The same of answers to the enclave's own questions, of which it has a bounded number.
const URGENT: usize = 64 << 20;

/// The register, in the relay's own folder: one that is refused is put aside beside it, and another is brought there.
pub const REGISTER: &str = "register";

/// Why the relay ends: never well.
#[derive(Debug)]
pub enum Ended {
    /// The enclave closed its end.
    EnclaveGone,
    /// The enclave wrote what is no frame, or a frame that only the host sends.
    EnclaveGarbage,
    /// Egress does not take what the enclave sends.
    EgressStuck,
    /// What the enclave recorded could not be kept, so no reply that follows from it goes on.
    NotKept(io::Error),
    Io(io::Error),
}

impl core::fmt::Display for Ended {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Ended::EnclaveGone => f.write_str("the enclave closed its channel"),
            Ended::EnclaveGarbage => f.write_str("the enclave wrote what is not a frame of its own"),
            Ended::EgressStuck => f.write_str("egress does not take what the enclave sends"),
            Ended::NotKept(error) => write!(f, "the register could not be kept: {error}"),
            Ended::Io(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for Ended {}

impl From<io::Error> for Ended {
    fn from(error: io::Error) -> Ended {
        Ended::Io(error)
    }
}

/// What the relay's tasks share.
#[derive(Debug)]
struct Shared {
    me: Workload,
    egress: Address,
    /// Frames for the enclave.
    enclave: Outbox,
    /// Answers to what the enclave asks of its host: they wait for no request.
    urgent: Outbox,
    /// Whether the enclave has taken its line, or said that it does not: until then requests wait a while.
    is_open: watch::Sender<bool>,
    /// The channel's writing half; whoever holds it writes alone.
    writer: lend::Writer,
    pending: Mutex<Pending>,
}

/// A relay that listens, and does not serve yet.
#[derive(Debug)]
pub struct Relay {
    channel: UnixStream,
    me: Workload,
    egress: Address,
    listener: Listener,
    keeper: Keeper,
    /// Folders of the witnesses' sockets.
    witnesses: Vec<PathBuf>,
}

impl Relay {
    /// Listens in the folder `run`, where egress is too, as `me`, and keeps the register in one of its own; `channel` is the
    /// host's end of the enclave's channel, provisioned and ready. `witnesses` are the folders of their sockets.
    pub fn bind(
        channel: UnixStream,
        me: Workload,
        run: PathBuf,
        own: PathBuf,
        witnesses: Vec<PathBuf>,
    ) -> io::Result<Relay> {
        let egress = Address::from(run);
        let listener = Listener::bind(&egress, me.clone())?;
        Ok(Relay { channel, me, egress, listener, keeper: Keeper::open(own.join(REGISTER))?, witnesses })
    }

    /// Serves until the channel or egress is lost. Dropping it ends everything.
    pub async fn serve(self) -> Ended {
        let (from_enclave, to_enclave) = self.channel.into_split();
        let (enclave, drain) = Outbox::new(TO_ENCLAVE);
        let (urgent, urgent_drain) = Outbox::new(URGENT);
        let shared = Arc::new(Shared {
            me: self.me,
            egress: self.egress,
            enclave,
            urgent,
            is_open: watch::Sender::new(true),
            writer: lend::Writer::new(to_enclave),
            pending: Mutex::default(),
        });
        let egress = egress::Egress::new(Arc::clone(&shared));
        let (answers, arriving) = mpsc::unbounded_channel();
        let witnesses = witnesses::Witnesses::start(self.witnesses, &answers);
        let line = line::Line::new(Arc::clone(&shared), self.keeper, witnesses);
        tokio::select! {
            ended = channel::write(Arc::clone(&shared), drain, urgent_drain) => ended,
            ended = channel::read(Arc::clone(&shared), Reader::new(from_enclave), egress, line.clone()) => ended,
            ended = line.hear(arriving) => ended,
            ended = accept(&shared, &self.listener) => ended,
        }
    }
}

async fn accept(shared: &Arc<Shared>, listener: &Listener) -> Ended {
    let mut connections = tokio::task::JoinSet::new();
    loop {
        let unheard = match listener.accept().await {
            Ok(unheard) => unheard,
            Err(error) => return Ended::Io(error),
        };
        let shared = Arc::clone(shared);
        connections.spawn(async move {
            if let Err(error) = callers::serve(shared, unheard).await {
                log::line(Role::Relay, format_args!("closed a connection: {error}"));
            }
        });
        // Forget those that ended; the rest end with this set.
        while connections.try_join_next().is_some() {}
    }
}
