//! Moving an envelope of class `owner` to another program, by its owner's word: docs/spec/moving.md.

use crate::cbor::canonical;
use crate::evidence::Hash;
use crate::manifest::Program;
use crate::transcript::{Transcript, domain};
use minicbor::{Decode, Encode};

/// Arguments of `hand_on`: dangerous. To whom, as the owner has verified it.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct HandOn {
    /// What the other enclave answered to the nonce: canonical [`crate::evidence::Evidence`], as received.
    #[cbor(n(0), with = "minicbor::bytes")]
    pub evidence: Vec<u8>,
    /// The owner's own, 32 random bytes that were used for this one answer.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub nonce: [u8; 32],
    /// The program that the owner lets open the envelope: every register has to have this value.
    #[n(2)]
    pub program: Program,
}

/// The result of `hand_on`, and the arguments of `take_in`: what is below the outer layer of an envelope, still wrapped
/// under its owner's share, sealed to one enclave.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Capsule {
    /// Id of the sealing key that it is for.
    #[n(0)]
    pub key: u8,
    /// HPKE, base mode, of [`info`]; X-Wing.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub encapsulated: Vec<u8>,
    /// The inner wrap, sealed; the AAD is empty.
    #[cbor(n(2), with = "minicbor::bytes")]
    pub ciphertext: Vec<u8>,
    /// The epoch of class `any` under whose root it was made.
    #[n(3)]
    pub epoch: u32,
    /// `HKDF(that root, transcript of this)`: nobody else makes one.
    #[n(4)]
    pub seal: Hash,
}

/// The HPKE `info` of a capsule: of which envelope (SHA-256 of its bytes before the wrap), for whom (SHA-256 of the identity
/// document).
pub fn info(payload: &Hash, identity: &[u8; 32]) -> Vec<u8> {
    Transcript::new(domain::HAND_ON).field(&payload.0).field(identity).bytes()
}

impl Capsule {
    /// What its seal is derived for.
    pub fn transcript(&self, payload: &Hash, identity: &[u8; 32]) -> Transcript {
        Transcript::new(domain::HAND_ON_SEAL)
            .number(u64::from(self.epoch))
            .field(&payload.0)
            .field(identity)
            .number(u64::from(self.key))
            .field(&self.encapsulated)
            .field(&self.ciphertext)
    }
}

canonical!(HandOn, Capsule);
