//! `acknowledge`: the owner has stored a generation. Doing it twice changes nothing.

use super::Admitted;
use crate::enclave::Enclave;
use wire::operation::Nothing;
use wire::register::State;
use wire::{Canonical, Refusal};

impl Enclave {
    pub(super) fn acknowledge(&mut self, admitted: &Admitted) -> Result<Vec<u8>, Refusal> {
        // First, so that what is not recorded is not promised either.
        self.record(&admitted.opened.envelope, State::Held, admitted.backup())?;
        self.held.stored(admitted.stored);
        self.connections.acknowledge(admitted.opened.header());
        Ok(Nothing {}.to_bytes())
    }
}
