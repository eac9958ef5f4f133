//! The request inside the seal: what the owner signed, and the signatures.

use crate::UnixMillis;
use crate::operation::Op;
use core::fmt;
use minicbor::bytes::ByteSlice;
use minicbor::{Decode, Encode};

/// An owner-signed request lives at most this long; so does the memory of its nonce.
pub const MAX_VALIDITY_MS: u64 = 120_000;

/// More signatures than this are refused before any is checked.
pub const MAX_SIGNATURES: usize = 16;

/// The CBOR body of the Binary HTTP message inside the seal.
///
/// The plaintext holds secrets (share, credential): it borrows from one buffer that its holder zeroizes.
#[derive(Encode, Decode)]
#[cbor(map)]
pub struct Authorised<'b> {
    /// The canonical bytes of [`SignedRequest`]: signed and hashed as received.
    #[b(0)]
    pub request: &'b ByteSlice,
    /// COSE_Sign1 each, detached payload = `request`, external AAD = `tensfer/owner-request/v1`.
    #[b(1)]
    pub signatures: Vec<&'b ByteSlice>,
}

#[derive(Encode, Decode)]
#[cbor(map)]
pub struct SignedRequest<'b> {
    #[n(0)]
    pub version: u8,
    #[n(1)]
    pub op: Op,
    /// The operation's arguments in canonical CBOR (`operation`).
    #[b(2)]
    pub args: &'b ByteSlice,
    /// The envelope the operation works on; absent in `link`.
    #[b(3)]
    pub envelope: Option<&'b ByteSlice>,
    /// The owner's share of that connection, 32 bytes.
    #[b(4)]
    pub share: Option<&'b ByteSlice>,
    /// Random, 16 bytes; remembered until `expires`.
    #[cbor(n(5), with = "minicbor::bytes")]
    pub nonce: [u8; 16],
    #[n(6)]
    pub issued: UnixMillis,
    #[n(7)]
    pub expires: UnixMillis,
    /// SHA-256 of the identity document it was sealed to.
    #[cbor(n(8), with = "minicbor::bytes")]
    pub identity: [u8; 32],
    /// Id of the HPKE key it was sealed to.
    #[n(9)]
    pub key: u8,
    /// SHA-256 of the encapsulated key it was sealed with: no other enclave can pass it on.
    #[cbor(n(10), with = "minicbor::bytes")]
    pub encapsulated: [u8; 32],
    /// The last receipt the client holds for this connection: counter (0: none yet) and SHA-256 of its payload.
    #[n(11)]
    pub last_counter: u64,
    #[cbor(n(12), with = "minicbor::bytes")]
    pub last_receipt: Option<[u8; 32]>,
    /// A canonical [`crate::grant::Grant`], where its holder asks instead of the owner: then `share` is the grant's.
    #[b(13)]
    pub grant: Option<&'b ByteSlice>,
}

impl fmt::Debug for Authorised<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Authorised({} signatures)", self.signatures.len())
    }
}

impl fmt::Debug for SignedRequest<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SignedRequest({:?})", self.op)
    }
}

impl<'b> crate::Canonical<'b> for Authorised<'b> {}
impl<'b> crate::Canonical<'b> for SignedRequest<'b> {}
