//! The keys of an owner: chosen by the client, named in the envelope, never taken from the host.

use crate::cbor::{Canonical, canonical};
use crate::passkey::Passkey;
use crate::transcript::{Transcript, domain};
use minicbor::{Decode, Encode};

/// An owner set holds at most this many keys.
pub const MAX_OWNER_KEYS: usize = 8;

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
#[cbor(map)]
pub struct OwnerKey {
    #[n(0)]
    pub algorithm: OwnerAlgorithm,
    /// Ed25519: 32 bytes (RFC 8032). P-256: 65 bytes, uncompressed point (SEC 1 §2.3.3).
    #[cbor(n(1), with = "minicbor::bytes")]
    pub public: Vec<u8>,
    #[n(2)]
    pub role: OwnerRole,
    /// There if it is a passkey, which is a second factor and signs by assertions.
    #[n(3)]
    pub passkey: Option<Passkey>,
}

/// COSE algorithm (RFC 9053): −8 EdDSA, −7 ES256. Here by index, on the wire of COSE by number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
#[cbor(index_only)]
pub enum OwnerAlgorithm {
    #[n(0)]
    EdDsa,
    #[n(1)]
    Es256,
}

/// What a key's signature stands for. A dangerous operation needs one of each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
#[cbor(index_only)]
pub enum OwnerRole {
    /// Signs every request.
    #[n(0)]
    Device,
    /// Kept apart from the device; never enough alone.
    #[n(1)]
    Second,
}

impl OwnerKey {
    /// A key that signs what it is given.
    pub fn new(algorithm: OwnerAlgorithm, public: Vec<u8>, role: OwnerRole) -> OwnerKey {
        OwnerKey { algorithm, public, role, passkey: None }
    }

    /// What is hashed (SHA-256) to name the key: `domain, canonical key`.
    pub fn transcript(&self) -> Vec<u8> {
        Transcript::new(domain::OWNER_KEY).field(&self.to_bytes()).bytes()
    }
}

/// What is hashed (SHA-256) to name an owner set: `domain, key, key, …`, keys sorted by their canonical bytes.
pub fn owner_set_transcript(keys: &[OwnerKey]) -> Vec<u8> {
    let mut encoded: Vec<Vec<u8>> = keys.iter().map(Canonical::to_bytes).collect();
    encoded.sort_unstable();
    encoded.iter().fold(Transcript::new(domain::OWNER_SET), |t, key| t.field(key)).bytes()
}

canonical!(OwnerKey);
