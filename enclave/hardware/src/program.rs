//! The program from boot to its end.

use crate::inputs::{self, Inputs};
use crate::peers::Peers;
use crate::tee::{NoTee, Tee};
use crate::vsock;
use channel::faults::say;
use channel::{Ended, Served, counter, serve};
use enclave::{Attester, Fatal, Provisioning, Stage, Unprovisioned};
use std::os::fd::OwnedFd;
use std::path::Path;
use std::thread;
use std::time::Instant;
use wire::identity::Build;
use wire::{Frame, UnixMillis};

/// Without a build time from the release, no time before this is believed: 2026-11-01T00:00:00Z.
const EARLIEST: UnixMillis = UnixMillis(1_793_491_200_000);

/// Runs until the machine is of no more use, and says why.
pub fn run() -> String {
    match start(Instant::now()) {
        Ok((mut program, listener, begun)) => serve_hosts(&mut program, &listener, begun),
        Err(why) => why.to_owned(),
    }
}

fn start(begun: Instant) -> Result<(Program, OwnedFd, Instant), &'static str> {
    let Tee { attester, entropy } = Tee::find().map_err(|none| match none {
        NoTee::NoDevice => "no TEE: there is no device that attests",
        NoTee::NoEntropy => "no entropy: a random source is missing or fails its tests",
    })?;
    let Inputs { trust, peers } = Inputs::read(Path::new(inputs::MEASURED))
        .map_err(|_| "an input of the image is not what its name says")?;
    let attester: Box<dyn Attester> = match peers {
        Some(root) => Box::new(Peers { attester, root }),
        None => attester,
    };
    let given = Unprovisioned { trust, attester, entropy, build: build(), built: built() };
    let provisioning = Provisioning::start(given, 0).map_err(|_| "no entropy for the first identity")?;
    let listener = vsock::listener(vsock::PORT).map_err(|_| "no vsock")?;
    say_it_runs();
    say("ready");
    Ok((Program::new(Stage::Provisioning(Box::new(provisioning))), listener, begun))
}

/// Beside everything else: a parent that takes its time, or is none, keeps no client waiting.
fn say_it_runs() {
    let beat = || {
        if vsock::say_it_runs().is_err() {
            say("nobody takes the heartbeat");
        }
    };
    if thread::Builder::new().spawn(beat).is_err() {
        say("no heartbeat");
    }
}

/// One host after the other. What the enclave still had to answer is dropped with the host that it was for; its roots, and
/// what it remembers, outlive any host (docs/spec/frames.md §1).
fn serve_hosts(program: &mut Program, listener: &OwnedFd, begun: Instant) -> String {
    loop {
        let Ok(channel) = vsock::accept(listener) else { return "no more connections".to_owned() };
        match program.serve(&channel, begun) {
            Ok(gone) => say(&format!("a host ended its channel: {gone:?}")),
            Err(ended) => return format!("ended: {ended:?}"),
        }
    }
}

/// What answers the host: first who waits for roots, then the enclave. Nothing, once a frame has ended it.
pub struct Program(Option<Stage>);

impl Program {
    pub fn new(stage: Stage) -> Program {
        Program(Some(stage))
    }

    /// Serves one host until it is gone, and says how it went; `Err` if the next one finds nothing that could serve it.
    /// `begun` is when the program's counter was 0.
    pub fn serve(&mut self, channel: &OwnedFd, begun: Instant) -> Result<Ended, Ended> {
        match serve(channel, begun, self) {
            gone @ (Ended::HostGone | Ended::Malformed(_) | Ended::OutOfTurn(_)) => {
                self.host_gone(counter(begun)).map_err(Ended::Core)?;
                Ok(gone)
            }
            ended => Err(ended),
        }
    }

    fn host_gone(&mut self, now: u64) -> Result<(), Fatal> {
        match self.0.as_mut().ok_or(Fatal::Frame)? {
            Stage::Provisioning(provisioning) => provisioning.host_gone(),
            Stage::Running(enclave) => enclave.host_gone(now)?,
        }
        Ok(())
    }
}

impl Served for Program {
    fn handle(&mut self, frame: Frame<'_>, now: u64, _: &mut Vec<u8>) -> Result<(), Ended> {
        match self.0.take().ok_or(Ended::Core(Fatal::Frame))? {
            Stage::Provisioning(provisioning) => {
                self.0 = Some(provisioning.handle(frame, now).map_err(Ended::Core)?);
            }
            Stage::Running(mut enclave) => {
                enclave.handle(frame, now).map_err(Ended::Core)?;
                self.0 = Some(Stage::Running(enclave));
            }
        }
        Ok(())
    }

    fn tick(&mut self, now: u64, output: &mut Vec<u8>) -> Result<(), Ended> {
        match &mut self.0 {
            Some(Stage::Provisioning(provisioning)) => provisioning.take_output(output),
            Some(Stage::Running(enclave)) => {
                enclave.tick(now).map_err(Ended::Core)?;
                enclave.take_output(output);
            }
            None => {}
        }
        Ok(())
    }

    fn next_deadline(&mut self) -> Option<u64> {
        match &self.0 {
            Some(Stage::Running(enclave)) => enclave.next_deadline(),
            Some(Stage::Provisioning(_)) | None => None,
        }
    }
}

fn build() -> Build {
    Build {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        commit: option_env!("TENSFER_COMMIT").unwrap_or("unknown").to_owned(),
    }
}

/// The time of the commit, where the build was told.
fn built() -> UnixMillis {
    let seconds = option_env!("TENSFER_COMMIT_TIME").and_then(|seconds| seconds.parse::<u64>().ok());
    seconds
        .filter(|seconds| *seconds > 0)
        .map_or(EARLIEST, |seconds| UnixMillis(seconds.saturating_mul(1000)))
}

#[cfg(test)]
mod tests;
