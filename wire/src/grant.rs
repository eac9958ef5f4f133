//! Grants: what an owner lets a named key ask for while they are away, enforced in the enclave (docs/spec/grants.md).

use crate::cbor::{Canonical, canonical};
use crate::envelope::{Header, Wrap};
use crate::evidence::Hash;
use crate::operation::Op;
use crate::owner::{OwnerKey, OwnerRole};
use crate::transcript::{Transcript, domain};
use crate::{GrantId, UnixMillis};
use minicbor::{Decode, Encode};

/// Grants of one connection at a time: their state has room in a leaf of the map ([`crate::freshness::MAX_STATE`]).
pub const MAX_GRANTS: usize = 4;
/// A grant is never larger.
pub const MAX_GRANT: usize = 2_048;
/// A grant is good for 366 days at most; whoever wants longer signs again.
pub const MAX_LIFE_MS: u64 = 366 * 24 * 3_600_000;
/// A period is no shorter: the host's clock may be two minutes off.
pub const MIN_PERIOD_MS: u64 = 60_000;

/// What can be granted at all; compiled in. What moves value, ends, exports, loosens or grants is not here.
pub const GRANTABLE: [Op; 3] = [Op::Balances, Op::Read, Op::Status];

/// What its owner signed.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Terms {
    /// Who may ask: the key that signs each request. Its role is [`OwnerRole::Device`]; it is no passkey, and no key of the owner's.
    #[n(0)]
    pub key: OwnerKey,
    /// Of [`GRANTABLE`], ascending, each once.
    #[n(1)]
    pub ops: Vec<Op>,
    #[n(2)]
    pub from: UnixMillis,
    /// After `from`, by at most [`MAX_LIFE_MS`].
    #[n(3)]
    pub expires: UnixMillis,
    /// Requests in all; above zero.
    #[n(4)]
    pub uses: u32,
    /// Requests in a span of time; absent: as fast as the connection's quota allows.
    #[n(5)]
    pub rate: Option<Rate>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Rate {
    /// Above zero.
    #[n(0)]
    pub uses: u32,
    /// Milliseconds, from the first use on; then from the next one.
    #[n(1)]
    pub period: u64,
}

impl Terms {
    /// Whether its parts agree with each other, and nothing is granted that cannot be.
    pub fn has_form(&self) -> bool {
        let ops = !self.ops.is_empty()
            && self.ops.is_sorted_by(|one, next| one < next)
            && self.ops.iter().all(|op| GRANTABLE.contains(op));
        let life = self.expires.0.saturating_sub(self.from.0);
        let rate = self
            .rate
            .is_none_or(|rate| rate.uses > 0 && (MIN_PERIOD_MS..=MAX_LIFE_MS).contains(&rate.period));
        let time = (1..=MAX_LIFE_MS).contains(&life);
        // Who holds a grant is a program, with nobody there to be asked for an assertion.
        let key = self.key.role == OwnerRole::Device && self.key.passkey.is_none();
        key && ops && time && self.uses > 0 && rate
    }
}

/// Arguments of `grant`: dangerous.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Make {
    #[n(0)]
    pub terms: Terms,
    /// X-Wing public key of whoever is to have the grant share.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub recipient: Vec<u8>,
}

/// Result of `grant`. The share is sealed by HPKE base mode, info = [`share_info`], empty AAD.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Made {
    /// A canonical [`Grant`].
    #[cbor(n(0), with = "minicbor::bytes")]
    pub grant: Vec<u8>,
    #[cbor(n(1), with = "minicbor::bytes")]
    pub encapsulated: Vec<u8>,
    #[cbor(n(2), with = "minicbor::bytes")]
    pub ciphertext: Vec<u8>,
}

/// Inert bytes that the holder keeps beside a copy of the envelope. They open with the share, by an enclave that has the root.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Grant {
    /// A canonical [`Body`]: what both wraps are bound to, as received.
    #[cbor(n(0), with = "minicbor::bytes")]
    pub body: Vec<u8>,
    /// The data key wrapped under the grant share's key, and that under the root's key of `epoch`.
    #[n(1)]
    pub wrap: Wrap,
}

#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Body {
    /// 1.
    #[n(0)]
    pub version: u8,
    /// Random, made in the enclave.
    #[n(1)]
    pub id: GrantId,
    /// Of the envelope that it is of.
    #[n(2)]
    pub header: Header,
    /// SHA-256 of that envelope's bytes before its wrap: owner set, generation and data key.
    #[n(3)]
    pub payload: Hash,
    #[n(4)]
    pub terms: Terms,
}

/// What the map has of one grant that is in force (docs/spec/freshness.md §2).
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct GrantState {
    #[n(0)]
    pub id: GrantId,
    /// The first 16 bytes of the name of the key that may use it.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub key: [u8; 16],
    #[n(2)]
    pub expires: UnixMillis,
    /// The epoch that it was wrapped to when it was last seen.
    #[n(3)]
    pub epoch: u32,
    /// Requests so far.
    #[n(4)]
    pub used: u32,
    /// When the last one was; absent as long as `used` is 0.
    #[n(5)]
    pub last: Option<UnixMillis>,
    /// When the span of time began that `rate` is of, and requests in it; present if there is a rate and it was used.
    #[n(6)]
    pub window: Option<Window>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Window {
    #[n(0)]
    pub since: UnixMillis,
    #[n(1)]
    pub used: u32,
}

/// Arguments of `ungrant`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct End {
    #[n(0)]
    pub id: GrantId,
}

/// Result of `grants`: those that are in force, as the map has them.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Listed {
    #[n(0)]
    pub grants: Vec<GrantState>,
}

/// Info of the HPKE that seals a grant share to its holder. `body` is the SHA-256 of the grant's body.
pub fn share_info(id: GrantId, body: &[u8; 32]) -> Vec<u8> {
    Transcript::new(domain::GRANT_SHARE).field(&id.0).field(body).bytes()
}

/// The AAD of the inner wrap.
pub fn share_wrap_aad(body: &[u8]) -> Vec<u8> {
    Transcript::new(domain::GRANT_SHARE_WRAP_AAD).field(body).bytes()
}

/// The AAD of the outer wrap.
pub fn root_wrap_aad(body: &[u8], epoch: u32) -> Vec<u8> {
    Transcript::new(domain::GRANT_ROOT_WRAP_AAD).field(body).number(u64::from(epoch)).bytes()
}

impl Grant {
    /// Reads received bytes: a grant of version 1 whose terms have form, with its body.
    pub fn parse(bytes: &[u8]) -> Option<(Grant, Body)> {
        let grant = (bytes.len() <= MAX_GRANT).then(|| Grant::from_bytes(bytes).ok()).flatten()?;
        let body = Body::from_bytes(&grant.body).ok()?;
        let is_formed = body.version == 1 && body.header.generation > 0 && body.terms.has_form();
        is_formed.then_some((grant, body))
    }
}

canonical!(Terms, Make, Made, Grant, Body, GrantState, End, Listed);
