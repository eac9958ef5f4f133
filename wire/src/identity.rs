//! The identity document: what an enclave says of itself, bound into its evidence.

use crate::cbor::canonical;
use crate::consent::Class;
use crate::evidence::Hash;
use crate::freshness::Freshness;
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
    /// Of class `any`.
    #[n(4)]
    pub epochs: Epochs,
    /// SHA-256 of the root's manifest (share holders, approvers, thresholds). Absent until operators provision.
    #[cbor(n(5), with = "minicbor::bytes")]
    pub manifest: Option<[u8; 32]>,
    /// SHA-256 over the connector files.
    #[cbor(n(6), with = "minicbor::bytes")]
    pub connectors: [u8; 32],
    /// WebAuthn relying parties whose assertions the enclave accepts.
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
    /// Who witnesses its state. Absent: nobody, and nothing dangerous is done.
    #[n(14)]
    pub freshness: Option<Freshness>,
    /// Of the other classes that this enclave has roots of, ascending; left out where it has none.
    #[cbor(n(15), skip_if = "Vec::is_empty")]
    pub classes: Vec<ClassEpochs>,
    /// Manifests that were announced to this start, in their order: how class `delayed` counts its hours in public.
    #[cbor(n(16), skip_if = "Vec::is_empty")]
    pub announced: Vec<Announced>,
    /// Epochs that are to end although connections are still in them, one of a class at most.
    #[cbor(n(17), skip_if = "Vec::is_empty")]
    pub notices: Vec<Noticed>,
}

/// An epoch that is about to end, with those before it: whoever has an envelope in one takes it out, or loses it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Noticed {
    #[cbor(n(0), skip_if = "Class::is_any")]
    pub class: Class,
    #[n(1)]
    pub epoch: u32,
    /// Since when this start has said so: by the host's claim, for readers; the enclave counts by itself.
    #[n(2)]
    pub since: UnixMillis,
    /// It ends no earlier than so many hours after that.
    #[n(3)]
    pub hours: u16,
}

impl Noticed {
    /// The earliest that it ends, as far as a reader can tell.
    pub fn until(&self) -> UnixMillis {
        self.since.plus(u64::from(self.hours) * 3_600_000)
    }
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

/// The epochs of one class: they count for themselves.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct ClassEpochs {
    /// Never [`Class::Any`].
    #[n(0)]
    pub class: Class,
    #[n(1)]
    pub epochs: Epochs,
}

/// A manifest whose programs are to have the roots.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Announced {
    /// Its name: [`crate::manifest::manifest_transcript`]'s SHA-256.
    #[n(0)]
    pub manifest: Hash,
    /// By the host's claim, for readers; the enclave counts by itself.
    #[n(1)]
    pub since: UnixMillis,
}

impl Identity {
    /// The epochs of a class; `None`: this enclave has no root of it.
    pub fn epochs_of(&self, class: Class) -> Option<&Epochs> {
        match class {
            Class::Any => Some(&self.epochs),
            other => self.classes.iter().find(|listed| listed.class == other).map(|listed| &listed.epochs),
        }
    }

    /// The notice that an envelope in this epoch of a class is under.
    pub fn notice_of(&self, class: Class, epoch: u32) -> Option<&Noticed> {
        self.notices.iter().find(|notice| notice.class == class && epoch <= notice.epoch)
    }

    /// Whether it says of every class at most once what is coherent in itself.
    pub fn is_coherent(&self) -> bool {
        let ascending = self.classes.iter().zip(self.classes.iter().skip(1)).all(|(a, b)| a.class < b.class);
        let mut others = self.classes.iter();
        ascending
            && self.epochs.is_coherent()
            && others.all(|listed| !listed.class.is_any() && listed.epochs.is_coherent())
            && self.are_notices_coherent()
    }

    /// Of each class at most one, of an epoch that is not sealed under any more.
    fn are_notices_coherent(&self) -> bool {
        let ascending = self.notices.iter().zip(self.notices.iter().skip(1)).all(|(a, b)| a.class < b.class);
        let mut notices = self.notices.iter();
        let is_left = |notice: &Noticed| {
            let epochs = self.epochs_of(notice.class);
            notice.epoch > 0 && epochs.is_none_or(|epochs| notice.epoch < epochs.current)
        };
        ascending && notices.all(is_left)
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

canonical!(Identity, RelyingParty);
