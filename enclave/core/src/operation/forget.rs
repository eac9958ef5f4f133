//! `forget`: this connection is refused for the rest of this start, and what it has under way ends.

use super::Admitted;
use crate::enclave::Enclave;
use wire::operation::Nothing;
use wire::register::State;
use wire::{Canonical, Refusal};

impl Enclave {
    pub(super) fn forget(&mut self, admitted: &Admitted) -> Result<Vec<u8>, Refusal> {
        self.record(&admitted.opened.envelope, State::Revoked, admitted.backup())?;
        let id = admitted.opened.header().connection;
        self.connections.forget(id);
        self.calls.forget(id, &mut self.surroundings);
        Ok(Nothing {}.to_bytes())
    }
}
