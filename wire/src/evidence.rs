//! What an enclave answers to a client's nonce.

use crate::cbor::canonical;
use minicbor::bytes::ByteVec;
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
    /// How to read the document. A hint like the two fields below: each is checked by what it leads to.
    #[n(4)]
    pub form: Form,
    /// Certificates that are not in the document, DER: of SEV-SNP the chip's, and its authority's.
    #[n(5)]
    pub certificates: Vec<ByteVec>,
    /// Of TDX, what Intel says of its platforms: JSON (docs/spec/evidence.md §6.2). Anybody may add it, the host does.
    #[cbor(n(6), with = "minicbor::bytes")]
    pub collateral: Option<Vec<u8>>,
}

/// The form of a TEE's document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum Form {
    /// A COSE_Sign1 as AWS Nitro's; simulations have it, too.
    #[n(0)]
    Nitro,
    /// An AMD SEV-SNP attestation report.
    #[n(1)]
    SevSnp,
    /// An Intel TDX quote.
    #[n(2)]
    Tdx,
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
