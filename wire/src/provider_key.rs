//! Keys at a provider: a new one in the place of the old, and the end of all of them. `docs/spec/keys.md`.

use crate::Refusal;
use crate::cbor::canonical;
use minicbor::{Decode, Encode};

/// A step of a rotation. Each may be asked for again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum Step {
    /// The provider makes a key with the rights of the one in use; it is tried, and goes into the next generation.
    #[n(0)]
    Make,
    /// The key before it is deleted, by the one that is in use now.
    #[n(1)]
    Retire,
}

/// Arguments of `rotate_key`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct RotateKey {
    #[n(0)]
    pub step: Step,
}

/// The result of the step `Make`. `generation` stays pending until it is acknowledged.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct KeyMade {
    #[cbor(n(0), with = "minicbor::bytes")]
    pub envelope: Vec<u8>,
    #[n(1)]
    pub generation: u64,
    #[n(2)]
    pub epoch: u32,
    /// What the new key may do: COSE_Sign1 over a finding, as of a link.
    #[cbor(n(3), with = "minicbor::bytes")]
    pub finding: Vec<u8>,
}

/// The result of the step `Retire`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct KeyRetired {
    /// How many keys the provider deleted: none where they were gone already.
    #[n(0)]
    pub deleted: u32,
}

/// What became of a credential at its provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum AtProvider {
    /// The provider says that it ended it.
    #[n(0)]
    Ended,
    /// The provider refused it as unknown: it was ended before, or elsewhere.
    #[n(1)]
    Unknown,
    /// The provider has no call for that, or its connector does not describe it: the owner ends it there.
    #[n(2)]
    NotOffered,
    /// It may still be good: asking again may end it.
    #[n(3)]
    Failed,
}

/// The result of `panic`: the connection is refused from now on, whatever stands here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Panicked {
    #[n(0)]
    pub at_provider: AtProvider,
    /// Why it failed; present exactly where it did.
    #[n(1)]
    pub refusal: Option<Refusal>,
}

canonical!(RotateKey, KeyMade, KeyRetired, Panicked);
