//! Re-wrapping envelopes to the current epoch, in bulk, without any owner present.

use crate::Refusal;
use crate::cbor::canonical;
use minicbor::{Decode, Encode};

/// Envelopes in one frame.
pub const MAX_REWRAP: usize = 4096;

#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(transparent)]
pub struct Bytes(#[cbor(n(0), with = "minicbor::bytes")] pub Vec<u8>);

#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Rewrap {
    #[n(0)]
    pub envelopes: Vec<Bytes>,
}

/// One for each envelope, in order.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Rewrapped {
    #[n(0)]
    pub results: Vec<RewrapResult>,
}

#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct RewrapResult {
    #[n(0)]
    pub envelope: Option<Bytes>,
    #[n(1)]
    pub refusal: Option<Refusal>,
}

canonical!(Rewrap, Rewrapped);
