//! What a TEE's document proves, of whichever kind it is.

use crate::expect::Kind;
use crate::measurement::Registers;
use wire::UnixMillis;

/// Who vouches for the evidence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    Hardware,
    Simulated,
}

/// A document that passed every check of its kind.
#[derive(Debug)]
pub(crate) struct Attested {
    pub(crate) standing: Standing,
    pub(crate) kind: Kind,
    pub(crate) registers: Registers,
    /// What the TEE is called, for display: a Nitro module id, a chip.
    pub(crate) module: String,
    /// When it was signed; of a document without a time, when it was checked.
    pub(crate) signed: UnixMillis,
    /// The end of what vouches for it.
    pub(crate) not_after: UnixMillis,
}

/// Whether the signed document answers a nonce of the caller's: then a time that does not fit is the fault of the
/// caller's clock (m19).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Freshness {
    Proven,
    Unknown,
}
