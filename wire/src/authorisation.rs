//! Authorising by OAuth: `begin`, `finish`, `refresh`, `revoke`. `docs/spec/oauth.md`.

use crate::cbor::canonical;
use crate::consent::Class;
use crate::owner::OwnerKey;
use crate::{ConnectionId, OrganisationId, UnixMillis};
use core::fmt;
use minicbor::bytes::ByteSlice;
use minicbor::{Decode, Encode};

/// A redirect URI, or the query that comes back on it, is never longer.
pub const MAX_REDIRECT: usize = 8 << 10;

/// Arguments of `begin`. Holds the client's secret where it has one: borrows from a buffer that is zeroized.
#[derive(Encode, Decode)]
#[cbor(map)]
pub struct Begin<'b> {
    /// The connector's id.
    #[b(0)]
    pub exchange: &'b str,
    /// A JSON object of the fields that the connector declares: the OAuth client.
    #[b(1)]
    pub client: &'b ByteSlice,
    /// The owner set. Each key proves possession by a signature over this request.
    #[n(2)]
    pub owners: Vec<OwnerKey>,
    #[n(3)]
    pub organisation: OrganisationId,
    /// Random, chosen by the client: of the connection that `finish` will link.
    #[n(4)]
    pub connection: ConnectionId,
    /// Where the provider sends the person back to: `https`, or `http` on a loopback address (RFC 8252 §7.3).
    #[b(5)]
    pub redirect: &'b str,
    /// Of the envelope that comes of it.
    #[cbor(n(6), skip_if = "Class::is_any")]
    pub class: Class,
}

impl fmt::Debug for Begin<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Begin({})", self.exchange)
    }
}

impl<'b> crate::Canonical<'b> for Begin<'b> {}

/// The result of `begin`.
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Begun {
    /// An envelope of purpose `PendingAuthorisation`: PKCE verifier and what the answer must match are in it.
    #[cbor(n(0), with = "minicbor::bytes")]
    pub pending: Vec<u8>,
    /// Where the person goes to.
    #[n(1)]
    pub url: String,
    /// By which the client knows the answer that is its own; the enclave compares it again.
    #[n(2)]
    pub state: String,
    /// After that, `finish` refuses.
    #[n(3)]
    pub expires: UnixMillis,
}

impl fmt::Debug for Begun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Begun")
    }
}

/// Arguments of `finish`, whose envelope is the pending one. Its result is that of `link`.
#[derive(Encode, Decode)]
#[cbor(map)]
pub struct Finish<'b> {
    /// The query of the redirect, as it came.
    #[b(0)]
    pub answer: &'b str,
}

impl fmt::Debug for Finish<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Finish")
    }
}

impl<'b> crate::Canonical<'b> for Finish<'b> {}

/// The result of `refresh`. `generation` stays pending until it is acknowledged.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Refreshed {
    #[cbor(n(0), with = "minicbor::bytes")]
    pub envelope: Vec<u8>,
    #[n(1)]
    pub generation: u64,
    #[n(2)]
    pub epoch: u32,
    /// When its access token ends, where the provider said so.
    #[n(3)]
    pub expires: Option<UnixMillis>,
}

canonical!(Begun, Refreshed);
