//! The channel, served by what waits for roots or has them.

use crate::provision::Provisioned;
use channel::Served;
use std::os::fd::OwnedFd;
use std::time::Instant;
use wire::Frame;

pub use channel::Ended;

/// Serves the channel until it ends. `program` is the file that runs, measured into the simulated evidence.
pub fn serve(channel: &OwnedFd, program: &[u8]) -> Ended {
    channel::serve(channel, Instant::now(), &mut Provisioned::not_yet(program))
}

impl Served for Provisioned {
    fn handle(&mut self, frame: Frame<'_>, now: u64, output: &mut Vec<u8>) -> Result<(), Ended> {
        Provisioned::handle(self, frame, now, output)
    }

    fn tick(&mut self, now: u64, output: &mut Vec<u8>) -> Result<(), Ended> {
        if let Some(enclave) = self.enclave() {
            enclave.tick(now).map_err(Ended::Core)?;
            enclave.take_output(output);
        }
        Ok(())
    }

    fn next_deadline(&mut self) -> Option<u64> {
        self.enclave().and_then(|enclave| enclave.next_deadline())
    }
}
