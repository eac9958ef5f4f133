//! What an enclave answers to a client's nonce.

use crate::cbor::canonical;
use minicbor::{Decode, Encode};

/// Nonces of at most 2^16 clients are answered by one quote.
pub const MAX_PROOF: usize = 16;

#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Evidence {
    #[n(0)]
    pub version: u8,
    /// The identity document as the enclave encoded it: hashed as received.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub identity: Vec<u8>,
    /// The TEE's document; its report data is `binding(nonce root, identity)`.
    #[cbor(n(2), with = "minicbor::bytes")]
    pub document: Vec<u8>,
    /// The RFC 6962 inclusion proof of this client's nonce under the nonce root.
    #[n(3)]
    pub inclusion: Inclusion,
}

#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Inclusion {
    #[n(0)]
    pub index: u32,
    #[n(1)]
    pub size: u32,
    #[n(2)]
    pub path: Vec<Hash>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(transparent)]
pub struct Hash(#[cbor(n(0), with = "minicbor::bytes")] pub [u8; 32]);

canonical!(Evidence);
