//! Every reply carries a receipt, signed by the enclave (COSE_Sign1 EdDSA, payload attached).

use crate::cbor::canonical;
use crate::operation::Op;
use crate::{BootId, ConnectionId, GrantId, Refusal, UnixMillis};
use minicbor::{Decode, Encode};

#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Receipt {
    #[n(0)]
    pub op: Option<Op>,
    #[n(1)]
    pub connection: Option<ConnectionId>,
    #[n(2)]
    pub boot: BootId,
    /// Counts the receipts of this connection: one more than the larger of the client's and the enclave's own.
    #[n(3)]
    pub counter: u64,
    /// SHA-256 of the previous receipt's payload.
    #[cbor(n(4), with = "minicbor::bytes")]
    pub previous: Option<[u8; 32]>,
    /// SHA-256 of the signed request's bytes.
    #[cbor(n(5), with = "minicbor::bytes")]
    pub request: [u8; 32],
    /// Absent: done.
    #[n(6)]
    pub refusal: Option<Refusal>,
    #[n(7)]
    pub time: UnixMillis,
    /// Position in the transparency log. Absent until the log exists.
    #[n(8)]
    pub position: Option<u64>,
    /// SHA-256 of the result's bytes; absent in a refusal.
    #[cbor(n(9), with = "minicbor::bytes")]
    pub result: Option<[u8; 32]>,
    /// By whose leave: the holder of this grant asked, not the owner. `counter` is then the number of its use.
    #[n(10)]
    pub grant: Option<GrantId>,
}

canonical!(Receipt);
