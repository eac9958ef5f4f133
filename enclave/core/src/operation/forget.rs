//! `forget`: this connection is refused for the rest of this start.

use super::Admitted;
use crate::enclave::Enclave;
use wire::operation::Nothing;
use wire::{Canonical, Refusal};

impl Enclave {
    pub(super) fn forget(&mut self, admitted: &Admitted) -> Result<Vec<u8>, Refusal> {
        self.connections.forget(admitted.opened.header().connection);
        Ok(Nothing {}.to_bytes())
    }
}
