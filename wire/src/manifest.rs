//! The manifest of a root: who approves, who holds shares, which programs may have it, and what it is committed to.
//!
//! What is approved and named everywhere is `SHA-256(transcript(MANIFEST, canonical bytes))`.

mod form;

pub use form::ManifestFault;

use crate::cbor::canonical;
use crate::evidence::Hash;
use crate::identity::TeeKind;
use crate::owner::OwnerAlgorithm;
use crate::time::UnixMillis;
use crate::transcript::{Transcript, domain};
use minicbor::{Decode, Encode};

/// Members of one group: approvers, holders, witnesses.
pub const MAX_MEMBERS: usize = 16;
/// Programs that one manifest lets have the root, and registers of each.
pub const MAX_PROGRAMS: usize = 16;
pub const MAX_REGISTERS: usize = 8;
/// Consent classes.
pub const MAX_CLASSES: usize = 8;
/// Roots that one manifest commits to, over all classes.
pub const MAX_ROOTS: usize = 512;
/// A manifest ends two years after it begins, at the latest.
pub const MAX_VALIDITY_MS: u64 = 731 * 86_400_000;
/// X-Wing: ML-KEM-768 encapsulation key (1184 bytes) ‖ X25519 public key (32 bytes).
pub const HOLDER_KEY_BYTES: usize = 1216;
/// The class of every envelope until its owner can choose another.
pub const CLASS_ANY: &str = "any";

#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Manifest {
    #[n(0)]
    pub version: u8,
    /// Of the deployment; every successor has the same.
    #[n(1)]
    pub name: String,
    /// From 1; every successor has a higher one.
    #[n(2)]
    pub nonce: u32,
    #[n(3)]
    pub environment: Reach,
    /// Whose signatures make a manifest count.
    #[n(4)]
    pub approvers: Signers,
    /// Who keeps the shares; the first has number 1, and so on.
    #[n(5)]
    pub holders: Holders,
    #[n(6)]
    pub programs: Vec<Program>,
    /// `major.minor.patch`: no older build is given the root.
    #[n(7)]
    pub minimum_version: String,
    /// May be nobody, with a threshold of 0.
    #[n(8)]
    pub witnesses: Signers,
    /// One root each, and epoch.
    #[n(9)]
    pub classes: Vec<String>,
    #[n(10)]
    pub from: UnixMillis,
    #[n(11)]
    pub until: UnixMillis,
    /// Ascending by class (in the order of `classes`) and epoch. Empty only until the genesis.
    #[n(12)]
    pub roots: Vec<RootCommitment>,
}

/// Which providers an enclave with this root may reach.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum Reach {
    #[n(0)]
    Live,
    /// Any sandbox: each start of one has another root of its own.
    #[n(1)]
    Sandbox,
}

#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Signers {
    #[n(0)]
    pub threshold: u8,
    #[n(1)]
    pub members: Vec<Signer>,
}

#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Signer {
    #[n(0)]
    pub alias: String,
    #[n(1)]
    pub key: SigningKey,
}

/// A public key that signs manifests: Ed25519 (32 bytes) or P-256 (65 bytes, uncompressed).
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct SigningKey {
    #[n(0)]
    pub algorithm: OwnerAlgorithm,
    #[cbor(n(1), with = "minicbor::bytes")]
    pub public: Vec<u8>,
}

#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Holders {
    #[n(0)]
    pub threshold: u8,
    #[n(1)]
    pub members: Vec<Holder>,
}

#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Holder {
    #[n(0)]
    pub alias: String,
    /// X-Wing, [`HOLDER_KEY_BYTES`] bytes.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub key: Vec<u8>,
}

/// A program that may have the root: every register has this value.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Program {
    #[n(0)]
    pub tee: TeeKind,
    #[n(1)]
    pub registers: Vec<Register>,
}

#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Register {
    /// `PCR0`, `MEASUREMENT`, `MRTD` and so on.
    #[n(0)]
    pub name: String,
    #[cbor(n(1), with = "minicbor::bytes")]
    pub value: [u8; 48],
}

/// What a root and its shares must be: hashes, which say nothing of them.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct RootCommitment {
    #[n(0)]
    pub class: String,
    #[n(1)]
    pub epoch: u32,
    /// The one that the identity document has.
    #[n(2)]
    pub commitment: Hash,
    /// One for each holder, in their order.
    #[n(3)]
    pub shares: Vec<Hash>,
}

/// What is hashed (SHA-256) to name a manifest. `bytes` is its canonical encoding, as received.
pub fn manifest_transcript(bytes: &[u8]) -> Vec<u8> {
    Transcript::new(domain::MANIFEST).field(bytes).bytes()
}

impl SigningKey {
    /// What is hashed (SHA-256) to name the key.
    pub fn transcript(&self) -> Vec<u8> {
        Transcript::new(domain::MANIFEST_KEY).field(&crate::Canonical::to_bytes(self)).bytes()
    }
}

/// What is hashed (SHA-256) to commit to the share of holder `number` (from 1). Holds a secret: wipe it.
pub fn share_transcript(class: &str, epoch: u32, number: u8, share: &[u8; 32]) -> Vec<u8> {
    Transcript::new(domain::ROOT_SHARE_COMMITMENT)
        .field(class.as_bytes())
        .number(u64::from(epoch))
        .number(u64::from(number))
        .field(share)
        .bytes()
}

canonical!(Manifest, SigningKey);
