//! What the simulated program is given at start: its roots and where its providers are. Simulated only.

use crate::consent::Class;
use crate::freshness::Witnessed;
use crate::identity::RelyingParty;
use core::fmt;
use minicbor::bytes::ByteSlice;
use minicbor::{Decode, Encode};

/// Borrows from a buffer that its holder zeroizes: it holds roots.
#[derive(Encode, Decode)]
#[cbor(map)]
pub struct Provision<'b> {
    /// Every epoch, ascending and without a gap; a later `Provision` may add epochs and raise `current`, no more.
    #[b(0)]
    pub epochs: Vec<EpochRoot<'b>>,
    /// DER of the sandbox's name-constrained root. Absent: the live environment.
    #[b(1)]
    pub sandbox: Option<&'b ByteSlice>,
    /// The epoch to seal under: the last, or the one before it, and then the last is pending. Absent: the last.
    #[n(2)]
    pub current: Option<u32>,
    /// Who witnesses the state. Absent: nobody.
    #[n(3)]
    pub witnessed: Option<Witnessed>,
    /// Whose passkeys count; left out where nobody's do. A later provision changes nothing of it.
    #[cbor(n(4), skip_if = "Vec::is_empty")]
    pub relying_parties: Vec<RelyingParty>,
}

#[derive(Encode, Decode)]
#[cbor(array)]
pub struct EpochRoot<'b> {
    #[n(0)]
    pub epoch: u32,
    /// Of class `any`, 32 bytes.
    #[b(1)]
    pub root: &'b ByteSlice,
    /// Of the other classes: in every epoch or in none.
    #[b(2)]
    pub delayed: Option<&'b ByteSlice>,
    #[b(3)]
    pub owner: Option<&'b ByteSlice>,
}

impl<'b> EpochRoot<'b> {
    /// An epoch of class `any` alone.
    pub fn of_any(epoch: u32, root: &'b [u8]) -> EpochRoot<'b> {
        EpochRoot { epoch, root: root.into(), delayed: None, owner: None }
    }

    pub fn of(&self, class: Class) -> Option<&'b ByteSlice> {
        match class {
            Class::Any => Some(self.root),
            Class::Delayed => self.delayed,
            Class::Owner => self.owner,
        }
    }
}

impl fmt::Debug for Provision<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Provision({} epochs)", self.epochs.len())
    }
}

impl fmt::Debug for EpochRoot<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EpochRoot({})", self.epoch)
    }
}

impl<'b> crate::Canonical<'b> for Provision<'b> {}
