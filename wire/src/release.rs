//! A release manifest: what was published as one build, for those who decide by it which programs they trust
//! (docs/spec/release.md).
//!
//! What is signed and named everywhere is `SHA-256(transcript(RELEASE, canonical bytes))`.

mod form;

pub use form::ReleaseFault;

use crate::cbor::canonical;
use crate::evidence::Hash;
use crate::identity::Build;
use crate::manifest::{Program, Reach, SigningKey};
use crate::time::UnixMillis;
use crate::transcript::{Transcript, domain};
use minicbor::{Decode, Encode};

/// Programs of one release: kinds of TEE, environments, sizes of machine.
pub const MAX_RELEASED: usize = 32;
/// A release is over two years after it begins, at the latest.
pub const MAX_VALIDITY_MS: u64 = 731 * 86_400_000;

#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Release {
    #[n(0)]
    pub version: u8,
    /// Of what is released: the versions of one name only rise.
    #[n(1)]
    pub name: String,
    /// `major.minor.patch`, and the commit that anybody can build it from.
    #[n(2)]
    pub build: Build,
    /// SHA-256 over the connector files ([`crate::Identity::connectors`]).
    #[n(3)]
    pub connectors: Hash,
    #[n(4)]
    pub from: UnixMillis,
    /// From then on nobody accepts it.
    #[n(5)]
    pub until: UnixMillis,
    #[n(6)]
    pub programs: Vec<Released>,
    #[n(7)]
    pub minimum_tcb: MinimumTcb,
}

/// One measured program, and which providers it reaches.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Released {
    #[n(0)]
    pub environment: Reach,
    #[n(1)]
    pub program: Program,
}

/// The oldest firmware that the release may run on, by kind of TEE. Nitro's is AWS's, and no document tells it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct MinimumTcb {
    #[n(0)]
    pub sev_snp: Option<SnpTcb>,
    /// Intel's `tcbEvaluationDataNumber`.
    #[n(1)]
    pub tdx: Option<u64>,
}

/// The least version of each part of a SEV-SNP platform's firmware.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct SnpTcb {
    #[n(0)]
    pub fmc: u8,
    #[n(1)]
    pub boot_loader: u8,
    #[n(2)]
    pub tee: u8,
    #[n(3)]
    pub snp: u8,
    #[n(4)]
    pub microcode: u8,
}

/// What is hashed (SHA-256) to name a release. `bytes` is its canonical encoding, as received.
pub fn release_transcript(bytes: &[u8]) -> Vec<u8> {
    Transcript::new(domain::RELEASE).field(bytes).bytes()
}

/// What is hashed (SHA-256) to name a key that signs releases: never the name that the same key has among approvers.
pub fn release_key_transcript(key: &SigningKey) -> Vec<u8> {
    Transcript::new(domain::RELEASE_KEY).field(&crate::Canonical::to_bytes(key)).bytes()
}

canonical!(Release);
