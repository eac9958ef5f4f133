//! Who asks the enclave about an account: its owner, or somebody by the owner's grant.

use crate::client::failure::Result;
use crate::client::home::record::{Record, Slot};
use crate::client::linked::Linked;
use wire::operation::Op;

pub trait Asks {
    /// The provider that the account is at.
    fn exchange(&self) -> &str;
    /// One question and its answer, both canonical CBOR.
    fn ask(&mut self, op: Op, args: &[u8]) -> Result<Vec<u8>>;
}

/// An owner, about an account of theirs.
pub struct ByOwner<'r> {
    linked: &'r Linked<'r>,
    record: &'r mut Record,
    slot: Slot,
}

impl<'r> ByOwner<'r> {
    pub fn new(linked: &'r Linked<'r>, record: &'r mut Record) -> Result<ByOwner<'r>> {
        let slot = record.current()?.clone();
        Ok(ByOwner { linked, record, slot })
    }
}

impl Asks for ByOwner<'_> {
    fn exchange(&self) -> &str {
        &self.record.exchange
    }

    fn ask(&mut self, op: Op, args: &[u8]) -> Result<Vec<u8>> {
        self.linked.ask(self.record, &self.slot, op, args, &[])
    }
}
