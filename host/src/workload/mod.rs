//! Who our processes are to each other (docs/spec/processes.md): each shows a certificate of minutes for a key that was made
//! in it, and gets the next by itself.
//!
//! [`Source`] is the one joint: whoever certifies our processes instead of the built-in [`Authority`] (SPIRE, cert-manager)
//! keeps three files in a folder new, and nothing else changes.

mod authority;
mod channel;
mod credential;
mod folder;
mod id;
#[cfg(test)]
mod tests;
mod trust;

pub use authority::{Authority, LIFE, MOST};
pub use channel::serve;
pub use credential::{Credential, Unusable};
pub use folder::Published;
pub use id::{SpiffeId, TrustDomain};

use crate::calls::Role;
use crate::clock::Clock;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::UnixStream;
use tokio::sync::Mutex;
use tokio::time::{sleep, timeout};

/// Whoever certifies us answers in milliseconds, on a machine that is not busy.
const GIVEN: Duration = Duration::from_secs(10);
/// Three files are not replaced at once: those that do not fit are read again, so often and after so long.
const READ_AGAIN: (usize, Duration) = (10, Duration::from_millis(50));

/// Where a process's certificates come from.
#[derive(Debug)]
pub enum Source {
    /// The process is the authority.
    Authority(Arc<Authority>),
    /// A socket that it was started with: whoever holds the other end knows which role it started.
    Inherited(UnixStream),
    /// Files that somebody else keeps new: `svid.pem`, `svid_key.pem` and `svid_bundle.pem`.
    Folder(PathBuf),
}

/// A process in its role, as it shows itself to others. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Workload(Arc<Shown>);

#[derive(Debug)]
struct Shown {
    role: Role,
    clock: Clock,
    held: Mutex<Held>,
}

#[derive(Debug)]
struct Held {
    source: Source,
    credential: Option<Arc<Credential>>,
}

impl Workload {
    pub fn new(role: Role, source: Source) -> Workload {
        let clock = match &source {
            Source::Authority(authority) => authority.clock().clone(),
            Source::Inherited(_) | Source::Folder(_) => Clock::system(),
        };
        Workload::with_clock(role, source, clock)
    }

    fn with_clock(role: Role, source: Source, clock: Clock) -> Workload {
        Workload(Arc::new(Shown { role, clock, held: Mutex::new(Held { source, credential: None }) }))
    }

    pub fn role(&self) -> Role {
        self.0.role
    }

    /// What it shows now. Another one is had when half of the time of the last is over, or when a clock was set; while none
    /// can be had, the last one is shown for as long as it is good.
    pub async fn credential(&self) -> Result<Arc<Credential>, Unusable> {
        let mut held = self.0.held.lock().await;
        let now = self.0.clock.now();
        if let Some(credential) = held.credential.as_ref().filter(|credential| !credential.is_due(now)) {
            return Ok(Arc::clone(credential));
        }
        let next = held.source.next(self.0.role, &self.0.clock).await;
        match (next, &held.credential) {
            (Ok(next), _) => Ok(Arc::clone(held.credential.insert(Arc::new(next)))),
            (Err(_), Some(last)) if last.is_good(self.0.clock.now()) => Ok(Arc::clone(last)),
            (Err(unusable), _) => Err(unusable),
        }
    }
}

impl Source {
    async fn next(&mut self, role: Role, clock: &Clock) -> Result<Credential, Unusable> {
        match self {
            Source::Authority(authority) => authority.credential(role).map(|(credential, _)| credential),
            Source::Inherited(channel) => {
                let asked = timeout(GIVEN, channel::ask(channel, role, clock)).await;
                asked.unwrap_or(Err(Unusable::NotGiven))
            }
            Source::Folder(folder) => {
                let (times, pause) = READ_AGAIN;
                for _ in 0..times {
                    match folder::read(folder, role, clock) {
                        Err(Unusable::Damaged | Unusable::NotGood) => sleep(pause).await,
                        read => return read,
                    }
                }
                folder::read(folder, role, clock)
            }
        }
    }
}
