//! Why an envelope was not made or opened.

use super::kdf::KdfFailed;
use crate::entropy::NoEntropy;
use core::fmt;
use wire::Refusal;

/// What went wrong, and whose fault it is. Says nothing of *which* layer refused: that would be an oracle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EnvelopeFault {
    /// Caller: not a canonical envelope of a known version, a share that is not 32 bytes, or an owner set that is
    /// empty, too large or repeats a key.
    Malformed,
    /// Caller: does not open with this share and these roots, or a byte was altered.
    Refused,
    /// Caller: wrapped to an epoch that is not held.
    UnknownEpoch,
    /// Caller: of a consent class that this enclave has no root of.
    ClassNotHeld,
    /// Caller: the credential and what is kept with it do not fit an envelope.
    TooLarge,
    /// Caller: a rotation of nothing.
    NothingToRotate,
    /// Us: no randomness.
    Entropy,
    /// Us: the cryptographic library failed, or the last generation is used up.
    Internal,
}

impl EnvelopeFault {
    /// The code that the caller sees.
    pub const fn refusal(self) -> Refusal {
        match self {
            EnvelopeFault::Malformed | EnvelopeFault::TooLarge => Refusal::Malformed,
            EnvelopeFault::Refused => Refusal::EnvelopeRefused,
            EnvelopeFault::UnknownEpoch => Refusal::UnknownEpoch,
            EnvelopeFault::ClassNotHeld => Refusal::ClassNotHeld,
            EnvelopeFault::NothingToRotate => Refusal::NothingToRotate,
            EnvelopeFault::Entropy | EnvelopeFault::Internal => Refusal::Internal,
        }
    }
}

impl From<EnvelopeFault> for Refusal {
    fn from(fault: EnvelopeFault) -> Refusal {
        fault.refusal()
    }
}

impl From<NoEntropy> for EnvelopeFault {
    fn from(_: NoEntropy) -> EnvelopeFault {
        EnvelopeFault::Entropy
    }
}

impl From<KdfFailed> for EnvelopeFault {
    fn from(_: KdfFailed) -> EnvelopeFault {
        EnvelopeFault::Internal
    }
}

impl fmt::Display for EnvelopeFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            EnvelopeFault::Malformed => "not an envelope",
            EnvelopeFault::Refused => "the envelope does not open",
            EnvelopeFault::UnknownEpoch => "wrapped to an unknown epoch",
            EnvelopeFault::ClassNotHeld => "of a class without a root here",
            EnvelopeFault::TooLarge => "too large for an envelope",
            EnvelopeFault::NothingToRotate => "nothing to rotate",
            EnvelopeFault::Entropy => "no entropy",
            EnvelopeFault::Internal => "internal",
        })
    }
}

impl core::error::Error for EnvelopeFault {}
