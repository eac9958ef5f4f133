//! The identity document: what an enclave says of itself, bound into its evidence.

use crate::cbor::canonical;
use crate::{BootId, UnixMillis};
use minicbor::{Decode, Encode};

/// The version of every structure in this crate.
pub const WIRE_VERSION: u8 = 1;

/// KEM X-Wing, KDF HKDF-SHA256, AEAD AES-256-GCM (RFC 9180 registries).
pub const SUITE: Suite = Suite { kem: 0x647a, kdf: 0x0001, aead: 0x0002 };

#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Identity {
    #[n(0)]
    pub version: u8,
    /// At most two live at a time; the first is the one to seal to.
    #[n(1)]
    pub hpke_keys: Vec<HpkeKey>,
    /// Ed25519; signs receipts and capability findings (each under a domain of its own).
    #[cbor(n(2), with = "minicbor::bytes")]
    pub receipt_key: [u8; 32],
    #[n(3)]
    pub boot: BootId,
    #[n(4)]
    pub epochs: Epochs,
    /// SHA-256 of the root's manifest (share holders, approvers, thresholds). Absent until operators provision.
    #[cbor(n(5), with = "minicbor::bytes")]
    pub manifest: Option<[u8; 32]>,
    /// SHA-256 over the connector files.
    #[cbor(n(6), with = "minicbor::bytes")]
    pub connectors: [u8; 32],
    /// WebAuthn relying parties whose assertions the enclave accepts. Empty until passkeys exist.
    #[n(7)]
    pub relying_parties: Vec<RelyingParty>,
    #[n(8)]
    pub tee: TeeKind,
    #[n(9)]
    pub environment: Environment,
    /// The transparency log. Absent until it exists.
    #[n(10)]
    pub log: Option<Log>,
    #[n(11)]
    pub build: Build,
    #[n(12)]
    pub issued: UnixMillis,
    #[n(13)]
    pub expires: UnixMillis,
}

#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct HpkeKey {
    #[n(0)]
    pub id: u8,
    #[n(1)]
    pub suite: Suite,
    /// X-Wing: ML-KEM-768 encapsulation key (1184 bytes) ‖ X25519 public key (32 bytes).
    #[cbor(n(2), with = "minicbor::bytes")]
    pub public: Vec<u8>,
    #[n(3)]
    pub not_after: UnixMillis,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Suite {
    #[n(0)]
    pub kem: u16,
    #[n(1)]
    pub kdf: u16,
    #[n(2)]
    pub aead: u16,
}

#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Epochs {
    #[n(0)]
    pub current: u32,
    #[n(1)]
    pub oldest: u32,
    /// One for every epoch from `oldest` to the newest that is held, ascending: `current`, or the one after it.
    #[n(2)]
    pub commitments: Vec<EpochCommitment>,
}

/// Where an epoch is in its life. It never goes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// Held and opened, so that no replica meets an envelope it cannot open; nothing is sealed under it yet.
    Pending,
    /// What is sealed now is wrapped to it. There is exactly one.
    Current,
    /// Opened, and never sealed under again.
    Retained,
    /// Its root is gone.
    Destroyed,
}

impl Phase {
    pub const fn name(self) -> &'static str {
        match self {
            Phase::Pending => "pending",
            Phase::Current => "current",
            Phase::Retained => "retained",
            Phase::Destroyed => "destroyed",
        }
    }
}

impl Epochs {
    /// Where `epoch` is in its life; `None`: it has not begun.
    pub fn phase(&self, epoch: u32) -> Option<Phase> {
        if epoch == 0 || epoch > self.newest() {
            return None;
        }
        Some(match epoch.cmp(&self.current) {
            core::cmp::Ordering::Greater => Phase::Pending,
            core::cmp::Ordering::Equal => Phase::Current,
            core::cmp::Ordering::Less if epoch >= self.oldest => Phase::Retained,
            core::cmp::Ordering::Less => Phase::Destroyed,
        })
    }

    /// The newest epoch that is held: the current one, or one that is pending.
    pub fn newest(&self) -> u32 {
        self.commitments.last().map_or(self.current, |newest| newest.epoch)
    }

    /// Whether it says of every epoch from the oldest to the newest exactly one thing, and at most one is pending.
    pub fn is_coherent(&self) -> bool {
        let listed = (self.oldest..).zip(&self.commitments).all(|(epoch, listed)| listed.epoch == epoch);
        let pending = self.newest().checked_sub(self.current);
        listed && self.oldest >= 1 && self.oldest <= self.current && matches!(pending, Some(0 | 1))
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct EpochCommitment {
    #[n(0)]
    pub epoch: u32,
    #[cbor(n(1), with = "minicbor::bytes")]
    pub commitment: [u8; 32],
}

#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct RelyingParty {
    #[n(0)]
    pub id: String,
    #[n(1)]
    pub origins: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum TeeKind {
    #[n(0)]
    Simulated,
    #[n(1)]
    Nitro,
    #[n(2)]
    SevSnp,
    #[n(3)]
    Tdx,
}

/// Which providers the enclave can reach: a measured input, never a switch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub enum Environment {
    /// The public web PKI, compiled in; no other root or host.
    #[n(0)]
    Live,
    /// Only hosts below `sandbox.test`, under one name-constrained root.
    #[n(1)]
    Sandbox(#[cbor(n(0), with = "minicbor::bytes")] [u8; 32]),
}

#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Log {
    #[n(0)]
    pub origin: String,
    #[cbor(n(1), with = "minicbor::bytes")]
    pub key: [u8; 32],
}

#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Build {
    /// Semantic version.
    #[n(0)]
    pub version: String,
    /// The commit it was built from, 40 hexadecimal digits, or `unknown`.
    #[n(1)]
    pub commit: String,
}

canonical!(Identity);
