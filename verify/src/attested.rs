//! What a TEE's document proves, of whichever kind it is.

use crate::expect::Kind;
use crate::measurement::Registers;
use crate::snp;
use wire::UnixMillis;
use wire::identity::TeeKind;

/// Who vouches for the evidence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    Hardware,
    Simulated,
}

/// On whose word a program is accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Accepted {
    /// The caller named its registers.
    Named,
    /// A release lists it, whose other conditions have to hold as well.
    Released,
}

/// The platform's firmware, as far as a document tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Platform {
    Nitro,
    SevSnp(snp::Tcb),
    /// Intel's `tcbEvaluationDataNumber` of the statement that the platform was judged by.
    Tdx(u64),
}

/// A document that passed every check of its kind.
#[derive(Debug)]
pub(crate) struct Attested {
    pub(crate) standing: Standing,
    pub(crate) kind: Kind,
    pub(crate) registers: Registers,
    pub(crate) accepted: Accepted,
    pub(crate) platform: Platform,
    /// What the TEE is called, for display: a Nitro module id, a chip.
    pub(crate) module: String,
    /// When it was signed; of a document without a time, when it was checked.
    pub(crate) signed: UnixMillis,
    /// The end of what vouches for it.
    pub(crate) not_after: UnixMillis,
}

/// How the name of an emulated machine begins: the program for hardware, in an enclave that a development root vouches for.
const EMULATED_MODULE: &str = "dev-simulated-emulated-";

impl Attested {
    /// The kind of TEE that the program must say it runs in. An emulated Nitro enclave runs the program for Nitro, which
    /// cannot know; the verdict is `Simulated` all the same.
    pub(crate) fn tee(&self) -> TeeKind {
        match (self.standing, self.kind) {
            (Standing::Simulated, _) if self.module.starts_with(EMULATED_MODULE) => TeeKind::Nitro,
            (Standing::Simulated, _) => TeeKind::Simulated,
            (Standing::Hardware, Kind::Nitro) => TeeKind::Nitro,
            (Standing::Hardware, Kind::SevSnp) => TeeKind::SevSnp,
            (Standing::Hardware, Kind::Tdx) => TeeKind::Tdx,
        }
    }
}

/// Whether the signed document answers a nonce of the caller's: then a time that does not fit is the fault of the
/// caller's clock (m19).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Freshness {
    Proven,
    Unknown,
}
