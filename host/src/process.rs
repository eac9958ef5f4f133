//! What each process of the host does to itself before anything else, and when it ends.

use rustix::process::{DumpableBehavior, Resource, Rlimit, getrlimit, set_dumpable_behavior, setrlimit};
use std::io;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// More descriptors than this are never needed; a soft limit of 1024 is less than one busy egress.
const DESCRIPTORS: u64 = 65_536;

/// No core file, no reader of our memory with our own user id, and as many descriptors as the system lets us have.
///
/// # Errors
/// The kernel refused; nothing may start then.
pub fn harden() -> io::Result<()> {
    // Zero keeps the file away; a `core_pattern` that names a program ignores the limit and heeds the flag.
    setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) })?;
    set_dumpable_behavior(DumpableBehavior::NotDumpable)?;
    let descriptors = getrlimit(Resource::Nofile);
    let wanted = descriptors.maximum.map_or(DESCRIPTORS, |most| most.min(DESCRIPTORS));
    if descriptors.current.is_some_and(|current| current < wanted) {
        setrlimit(Resource::Nofile, Rlimit { current: Some(wanted), maximum: descriptors.maximum })?;
    }
    Ok(())
}

/// SIGTERM and SIGINT, from now on ours to answer.
#[derive(Debug)]
pub struct Stop {
    terminate: Signal,
    interrupt: Signal,
}

impl Stop {
    /// # Errors
    /// The kernel refused the handlers.
    pub fn listen() -> io::Result<Stop> {
        Ok(Stop { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    /// Waits until someone asks this process to end.
    pub async fn asked(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

/// SIGHUP, from now on ours to answer.
#[derive(Debug)]
pub struct Hangup(Signal);

impl Hangup {
    /// # Errors
    /// The kernel refused the handler.
    pub fn listen() -> io::Result<Hangup> {
        Ok(Hangup(signal(SignalKind::hangup())?))
    }

    /// Waits until someone asks this process to read its files again.
    pub async fn asked(&mut self) {
        let _ = self.0.recv().await;
    }
}

/// How many descriptors this process may have.
pub fn descriptors() -> usize {
    let most = getrlimit(Resource::Nofile).current.unwrap_or(DESCRIPTORS);
    usize::try_from(most).unwrap_or(usize::MAX)
}
