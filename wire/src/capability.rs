//! What a key may do, as its provider says.

use crate::cbor::canonical;
use crate::{ConnectionId, UnixMillis};
use minicbor::{Decode, Encode};

#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Finding {
    #[n(0)]
    pub connection: ConnectionId,
    #[n(1)]
    pub exchange: String,
    #[n(2)]
    pub capabilities: Vec<Capability>,
    #[n(3)]
    pub found: UnixMillis,
    #[n(4)]
    pub expires: UnixMillis,
}

#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Capability {
    /// `read`, `trade`, `withdraw`, `transfer`, `ip_restricted`, …: the connector's words.
    #[n(0)]
    pub name: String,
    #[n(1)]
    pub state: State,
    #[n(2)]
    pub source: Source,
    /// The endpoint that was asked, such as `GET /sapi/v1/account/apiRestrictions`.
    #[n(3)]
    pub endpoint: Option<String>,
    /// SHA-256 of the answer's body.
    #[cbor(n(4), with = "minicbor::bytes")]
    pub response: Option<[u8; 32]>,
}

/// Unknown is treated as able.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum State {
    #[n(0)]
    No,
    #[n(1)]
    Yes,
    #[n(2)]
    Unknown,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum Source {
    /// The provider's answer says so.
    #[n(0)]
    Stated,
    /// The provider's documentation says so.
    #[n(1)]
    Documented,
    /// Follows from what was accepted or refused.
    #[n(2)]
    Inferred,
}

canonical!(Finding);
