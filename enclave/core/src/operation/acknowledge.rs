//! `acknowledge`: the owner has stored a generation. Doing it twice changes nothing.

use super::Admitted;
use crate::enclave::Enclave;
use wire::Canonical;
use wire::operation::Nothing;

impl Enclave {
    pub(super) fn acknowledge(&mut self, admitted: &Admitted) -> Vec<u8> {
        self.held.stored(admitted.stored);
        self.connections.acknowledge(admitted.opened.header());
        Nothing {}.to_bytes()
    }
}
