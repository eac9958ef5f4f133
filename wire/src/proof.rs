//! Proving that a wallet's address is its owner's, by a text that the wallet signs: `challenge`, `prove`.
//! `docs/spec/wallet.md` §2.1.

use crate::cbor::canonical;
use crate::consent::Class;
use crate::owner::OwnerKey;
use crate::{ConnectionId, OrganisationId, UnixMillis};
use core::fmt;
use minicbor::bytes::ByteSlice;
use minicbor::{Decode, Encode};

/// No signature that is taken is longer.
pub const MAX_SIGNATURE: usize = 512;

/// Arguments of `challenge`.
#[derive(Debug, Encode, Decode)]
#[cbor(map)]
pub struct Challenge<'b> {
    /// The network's id, such as `ethereum`.
    #[b(0)]
    pub network: &'b str,
    #[b(1)]
    pub address: &'b str,
    /// The owner set. Each key proves possession by a signature over this request.
    #[n(2)]
    pub owners: Vec<OwnerKey>,
    #[n(3)]
    pub organisation: OrganisationId,
    /// Random, chosen by the client: of the connection that `prove` will link.
    #[n(4)]
    pub connection: ConnectionId,
    /// Of the envelope that comes of it.
    #[cbor(n(5), skip_if = "Class::is_any")]
    pub class: Class,
}

impl<'b> crate::Canonical<'b> for Challenge<'b> {}

/// The result of `challenge`.
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Challenged {
    /// An envelope of purpose `PendingProof`: what the text says is in it.
    #[cbor(n(0), with = "minicbor::bytes")]
    pub pending: Vec<u8>,
    /// What the wallet signs, byte for byte.
    #[n(1)]
    pub text: String,
    /// After that, `prove` refuses.
    #[n(2)]
    pub expires: UnixMillis,
}

impl fmt::Debug for Challenged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Challenged")
    }
}

/// Arguments of `prove`, whose envelope is the pending one. Its result is that of `link`.
#[derive(Debug, Encode, Decode)]
#[cbor(map)]
pub struct Prove<'b> {
    /// As the chain has it: 65 bytes of EIP-191, 64 of Ed25519, or what the Base64 of BIP 322 or BIP 137 says.
    #[b(0)]
    pub signature: &'b ByteSlice,
}

impl<'b> crate::Canonical<'b> for Prove<'b> {}

canonical!(Challenged);
