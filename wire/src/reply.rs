//! The reply inside the seal.

use crate::Refusal;
use crate::cbor::canonical;
use crate::freshness::Mark;
use minicbor::{Decode, Encode};

#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Reply {
    #[n(0)]
    pub version: u8,
    /// The operation's result in canonical CBOR. Exactly one of `result` and `refusal` is present.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub result: Option<Vec<u8>>,
    #[n(2)]
    pub refusal: Option<Refusal>,
    /// COSE_Sign1 over [`crate::receipt::Receipt`], by the receipt key.
    #[cbor(n(3), with = "minicbor::bytes")]
    pub receipt: Vec<u8>,
    /// The head that holds what this reply says; absent until the enclave has taken its line.
    #[n(4)]
    pub mark: Option<Mark>,
    /// To the holder of a grant that is of an older epoch: the same, wrapped to the current one.
    #[cbor(n(5), with = "minicbor::bytes")]
    pub grant: Option<Vec<u8>>,
}

canonical!(Reply);
