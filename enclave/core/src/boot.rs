//! What a program hands the core at its start.

use crate::attester::Attester;
use crate::egress;
use crate::entropy::Entropy;
use crate::root::Roots;
use verify::manifest::Approved;
use wire::UnixMillis;
use wire::freshness::Witnessed;
use wire::identity::{Build, RelyingParty};

/// Everything that makes one start of an enclave. Nothing of it can be changed later but the epochs.
pub struct Boot {
    pub roots: Roots,
    /// What operators approved, where they provisioned.
    pub manifest: Option<Approved>,
    /// Who witnesses what becomes of connections; `None`: nobody, and nothing dangerous is done.
    pub witnessed: Option<Witnessed>,
    /// Whose passkeys count: as the manifest has them, or as whoever provisions a simulation says.
    pub relying_parties: Vec<RelyingParty>,
    /// Which providers can be reached, and so the environment that the identity names.
    pub trust: egress::Trust,
    pub attester: Box<dyn Attester>,
    pub entropy: Box<dyn Entropy>,
    pub build: Build,
    /// When the program was built: no time before it is believed.
    pub built: UnixMillis,
}

/// Why an enclave did not start. It has said nothing to anyone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StartFailed {
    /// The random source failed.
    NoEntropy,
    /// The cryptographic library made no key.
    NoKey,
    /// Relying parties that no deployment can have.
    RelyingParties,
    /// Two quorums of these witnesses need not share a member, or a key is named twice.
    Witnesses,
}

/// Why an enclave ends. The program exits on it, saying which and nothing else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fatal {
    /// A frame that no host sends to this program, or one whose body has not its kind's form.
    Frame,
    /// Frames for the host pile up, or one that it must have could not be written: the channel is dead.
    Channel,
    /// No sealing key could be made when the last one was due to end.
    NoKey,
}

impl core::fmt::Display for StartFailed {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            StartFailed::NoEntropy => "the random source failed",
            StartFailed::NoKey => "no key could be made",
            StartFailed::RelyingParties => "its relying parties are none",
            StartFailed::Witnesses => "its witnesses make no quorum",
        })
    }
}

impl core::error::Error for StartFailed {}

impl core::fmt::Display for Fatal {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Fatal::Frame => "the host broke the frame protocol",
            Fatal::Channel => "the host takes no frames any more",
            Fatal::NoKey => "no sealing key could be made",
        })
    }
}

impl core::error::Error for Fatal {}
