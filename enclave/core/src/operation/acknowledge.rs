//! `acknowledge`: the owner has stored a generation. Doing it twice changes nothing.

use super::Admitted;
use crate::enclave::Enclave;
use wire::operation::Nothing;
use wire::{Canonical, Refusal};

impl Enclave {
    pub(super) fn acknowledge(&mut self, admitted: &Admitted) -> Result<Vec<u8>, Refusal> {
        self.connections.acknowledge(admitted.opened.header());
        Ok(Nothing {}.to_bytes())
    }
}
