//! `forget`: this connection is refused for the rest of this start, and what it has under way ends.

use super::Admitted;
use crate::enclave::Enclave;
use wire::Canonical;
use wire::operation::Nothing;

impl Enclave {
    pub(super) fn forget(&mut self, admitted: &Admitted) -> Vec<u8> {
        let id = admitted.opened.header().connection;
        self.connections.forget(id);
        self.calls.forget(id, &mut self.surroundings);
        Nothing {}.to_bytes()
    }
}
