//! The sealed envelope: inert bytes that its owner keeps. What is in it only the enclave can say.

use crate::cbor::canonical;
use crate::consent::Class;
use crate::{ConnectionId, OrganisationId};
use minicbor::{Decode, Encode};

/// An envelope is never larger.
pub const MAX_ENVELOPE: usize = 64 << 10;

#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Envelope {
    #[n(0)]
    pub version: u8,
    /// Bound into the payload's AAD.
    #[n(1)]
    pub header: Header,
    /// AES-256-GCM under a key derived from the data key.
    #[n(2)]
    pub payload: Sealed,
    /// Commits to the data key: AES-GCM alone does not.
    #[cbor(n(3), with = "minicbor::bytes")]
    pub commitment: [u8; 32],
    /// The data key wrapped under the share's key, and that under the root's key of `epoch`.
    #[n(4)]
    pub wrap: Wrap,
}

#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Header {
    #[n(0)]
    pub organisation: OrganisationId,
    #[n(1)]
    pub connection: ConnectionId,
    /// SHA-256 of the owner set's transcript.
    #[cbor(n(2), with = "minicbor::bytes")]
    pub owners: [u8; 32],
    #[n(3)]
    pub purpose: Purpose,
    /// From 1; one more on each change of data key, share or owners.
    #[n(4)]
    pub generation: u64,
    /// Left out for [`Class::Any`].
    #[cbor(n(5), skip_if = "Class::is_any")]
    pub class: Class,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum Purpose {
    /// A credential of an exchange account.
    #[n(0)]
    ExchangeCredential,
    /// What an authorisation that was begun is finished with. No operation but `finish` takes it.
    #[n(2)]
    PendingAuthorisation,
    /// What a text that a wallet is to sign says. No operation but `prove` takes it.
    #[n(4)]
    PendingProof,
}

#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Sealed {
    #[cbor(n(0), with = "minicbor::bytes")]
    pub nonce: [u8; 12],
    /// Ciphertext and tag.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub ciphertext: Vec<u8>,
}

/// The outer wrap. Its epoch is bound here and nowhere inside, so that re-wrapping touches nothing else (m12).
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Wrap {
    #[n(0)]
    pub epoch: u32,
    #[cbor(n(1), with = "minicbor::bytes")]
    pub nonce: [u8; 12],
    /// `AES-256-GCM(K_root[epoch], inner nonce ‖ AES-256-GCM(K_share, data key))`: 12 + 32 + 16 + 16 bytes.
    #[cbor(n(2), with = "minicbor::bytes")]
    pub ciphertext: [u8; 76],
}

canonical!(Envelope, Header);

/// An envelope's bytes before its wrap: the same under every epoch. `None`: it is not a canonical envelope.
pub fn body_of(envelope: &[u8]) -> Option<&[u8]> {
    use crate::Canonical;
    let wrap = Envelope::from_bytes(envelope).ok()?.wrap;
    let mut encoded = Vec::new();
    minicbor::encode(&wrap, &mut encoded).ok()?;
    // The key of the wrap is one byte.
    envelope.get(..envelope.len().checked_sub(encoded.len() + 1)?)
}
