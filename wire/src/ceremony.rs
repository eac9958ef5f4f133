//! What operators and an enclave say to each other while it has no root: docs/spec/provisioning.md.

mod fault;

pub use fault::CeremonyFault;

use crate::cbor::canonical;
use crate::evidence::{Form, Hash};
use crate::identity::{Build, Environment, Suite, TeeKind};
use crate::manifest::RootCommitment;
use crate::rewrap::Bytes;
use crate::time::UnixMillis;
use crate::transcript::{Transcript, domain};
use crate::{BootId, Canonical};
use core::fmt;
use minicbor::bytes::{ByteSlice, ByteVec};
use minicbor::{Decode, Encode};

/// Approvals in one proposal: one for each approver at most.
pub const MAX_APPROVALS: usize = crate::manifest::MAX_MEMBERS;

/// A step that an operator asks for.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub enum Ceremony {
    /// How far it is. Answered by [`Answer::Status`].
    #[n(0)]
    Status,
    /// Make the roots. Answered by [`Answer::Genesis`].
    #[n(1)]
    Genesis(#[n(0)] Proposal),
    /// Get ready to take shares of this manifest's roots. Answered by [`Answer::Setup`].
    #[n(2)]
    Setup(#[n(0)] Proposal),
    /// One holder's shares. Answered by [`Answer::Status`].
    #[n(3)]
    Release(#[n(0)] Release),
    /// To an enclave that has its roots: a nonce for the evidence of its successor. Answered by [`Answer::Challenge`].
    #[n(4)]
    Challenge,
    /// To the same: hand the roots to this successor. Answered by [`Answer::HandOver`].
    #[n(5)]
    HandOver(#[n(0)] HandOver),
    /// To the successor. Answered by [`Answer::Status`].
    #[n(6)]
    Inherit(#[n(0)] Inherit),
    /// To an enclave that has its roots: make the epochs that this manifest asks for. Answered by [`Answer::Genesis`],
    /// of the new roots alone. To one that got shares to split the roots anew: of all of them, shared anew.
    #[n(8)]
    Begin(#[n(0)] Proposal),
    /// To the same: go on under this manifest, with what was begun, or with what was pending as current. Answered by
    /// [`Answer::Status`].
    #[n(9)]
    Adopt(#[n(0)] Proposal),
    /// To an enclave that has its roots: this manifest's programs are to have them, class `delayed` when its hours are
    /// over. Answered by [`Answer::Status`]; the identity says it from then on. The nonce is of no account.
    #[n(20)]
    Announce(#[n(0)] Proposal),
}

/// A manifest with its approvals, and a nonce for the evidence that answers.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Proposal {
    /// Canonical bytes of a [`crate::manifest::Manifest`].
    #[cbor(n(0), with = "minicbor::bytes")]
    pub manifest: Vec<u8>,
    /// COSE_Sign1 over the manifest's hash, payload detached; each by another approver.
    #[n(1)]
    pub approvals: Vec<Bytes>,
    #[cbor(n(2), with = "minicbor::bytes")]
    pub nonce: [u8; 32],
}

/// A successor's setup, under a manifest that may be newer than its predecessor's.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct HandOver {
    /// The successor's manifest and its approvals; the nonce is the predecessor's challenge, which the setup answers.
    #[n(0)]
    pub proposal: Proposal,
    /// A [`Setup`].
    #[n(1)]
    pub setup: Attested,
}

/// What a predecessor handed over, with what it takes to verify the predecessor.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Inherit {
    /// The predecessor's manifest and its approvals; the nonce is the hash of the successor's setup.
    #[n(0)]
    pub proposal: Proposal,
    /// A [`Handover`].
    #[n(1)]
    pub handover: Attested,
}

/// One holder's shares, sealed to the key of one setup document.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Release {
    /// SHA-256 of the setup document, as received.
    #[n(0)]
    pub setup: Hash,
    /// The holder's number, from 1.
    #[n(1)]
    pub holder: u8,
    #[n(2)]
    pub sealed: Sealed,
}

/// An HPKE message (RFC 9180, base mode, empty AAD).
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Sealed {
    #[cbor(n(0), with = "minicbor::bytes")]
    pub encapsulated: Vec<u8>,
    #[cbor(n(1), with = "minicbor::bytes")]
    pub ciphertext: Vec<u8>,
}

/// What is sealed: one holder's share of every root that the enclave qualifies for. Borrows from a buffer that its holder wipes.
#[derive(PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Shares<'b> {
    /// In the manifest's order.
    #[b(0)]
    pub shares: Vec<Share<'b>>,
}

#[derive(PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Share<'b> {
    #[b(0)]
    pub class: &'b str,
    #[n(1)]
    pub epoch: u32,
    /// 32 bytes.
    #[b(2)]
    pub share: &'b ByteSlice,
}

impl fmt::Debug for Shares<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Shares({})", self.shares.len())
    }
}

impl fmt::Debug for Share<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Share({}, {})", self.class, self.epoch)
    }
}

impl<'b> Canonical<'b> for Shares<'b> {}

#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub enum Answer {
    #[n(0)]
    Status(#[n(0)] Status),
    /// A [`Genesis`].
    #[n(1)]
    Genesis(#[n(0)] Attested),
    /// A [`Setup`].
    #[n(2)]
    Setup(#[n(0)] Attested),
    #[n(3)]
    Refused(#[n(0)] Refused),
    #[n(4)]
    Challenge(#[n(0)] Challenge),
    /// A [`Handover`].
    #[n(5)]
    HandOver(#[n(0)] Attested),
}

/// 32 random bytes, good for one handover.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Challenge {
    #[cbor(n(0), with = "minicbor::bytes")]
    pub nonce: [u8; 32],
}

/// A document with evidence that it is the enclave's: the report data is `report data(domain, nonce, document)`.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Attested {
    #[n(0)]
    pub version: u8,
    /// As the enclave encoded it: hashed as received.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub document: Vec<u8>,
    /// The TEE's document; it and what follows are as in [`crate::evidence::Evidence`].
    #[cbor(n(2), with = "minicbor::bytes")]
    pub evidence: Vec<u8>,
    #[n(3)]
    pub form: Form,
    #[n(4)]
    pub certificates: Vec<ByteVec>,
    #[cbor(n(5), with = "minicbor::bytes")]
    pub collateral: Option<Vec<u8>>,
}

#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Refused {
    #[n(0)]
    pub fault: CeremonyFault,
    /// The approver or holder that it is about, from 1.
    #[n(1)]
    pub member: Option<u8>,
}

/// How far an enclave is. Nothing vouches for it: a host can make it up.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Status {
    #[n(0)]
    pub phase: Phase,
    /// Hash of the manifest that shares are taken for, or that the roots came under.
    #[n(1)]
    pub manifest: Option<Hash>,
    /// Numbers of the holders whose shares are there, ascending.
    #[n(2)]
    pub released: Vec<u8>,
    /// How many holders are needed in all; 0 until a manifest is there.
    #[n(3)]
    pub threshold: u8,
    /// Of an enclave that has its roots, and witnesses.
    #[n(4)]
    pub line: Option<Standing>,
}

/// How an enclave stands with its witnesses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Standing {
    #[n(0)]
    pub state: LineState,
    /// Witnesses that have answered what they are asked now, with yes.
    #[n(1)]
    pub heard: u8,
    /// How many of them it takes.
    #[n(2)]
    pub needed: u8,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum LineState {
    /// It holds its line.
    #[n(0)]
    Held,
    /// It asks its witnesses for it.
    #[n(1)]
    Asking,
    /// Its witnesses know of no head: it asks those before them.
    #[n(2)]
    AskingFormer,
    /// Those before them are to sign that they close.
    #[n(3)]
    Closing,
    /// What the host brought is not what they signed last, or not in order.
    #[n(4)]
    Refused,
    /// Another start has the line, or newer witnesses.
    #[n(5)]
    Lost,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum Phase {
    /// No manifest yet.
    #[n(0)]
    Waiting,
    /// A manifest, and fewer shares than it takes.
    #[n(1)]
    Collecting,
    /// The roots are there.
    #[n(2)]
    Provisioned,
    /// The roots were put together, split to new holders and forgotten; what came of it waits to be asked for.
    #[n(3)]
    Reshared,
}

/// What an enclave without a root says of itself: the setup document.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Setup {
    #[n(0)]
    pub version: u8,
    #[n(1)]
    pub boot: BootId,
    #[n(2)]
    pub suite: Suite,
    /// X-Wing, one-time: it takes the shares of this setup and dies with it.
    #[cbor(n(3), with = "minicbor::bytes")]
    pub key: Vec<u8>,
    #[n(4)]
    pub manifest: Hash,
    #[n(5)]
    pub tee: TeeKind,
    #[n(6)]
    pub environment: Environment,
    #[n(7)]
    pub build: Build,
    /// SHA-256 over the connector files.
    #[n(8)]
    pub connectors: Hash,
    #[n(9)]
    pub issued: UnixMillis,
    #[n(10)]
    pub expires: UnixMillis,
}

/// What a genesis made, or the beginning of new epochs: commitments for all, and sealed shares for each holder.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Genesis {
    #[n(0)]
    pub version: u8,
    #[n(1)]
    pub boot: BootId,
    /// Of the manifest that asked for it, which has no commitments; or none to these epochs.
    #[n(2)]
    pub manifest: Hash,
    #[n(3)]
    pub tee: TeeKind,
    #[n(4)]
    pub environment: Environment,
    #[n(5)]
    pub build: Build,
    /// What the next manifest has to have.
    #[n(6)]
    pub roots: Vec<RootCommitment>,
    /// One for each holder, in their order: [`Shares`].
    #[n(7)]
    pub sealed: Vec<Sealed>,
    /// How many sets of shares were put together again before this was said.
    #[n(8)]
    pub recovered: u32,
    #[n(9)]
    pub issued: UnixMillis,
}

/// What an enclave says when it hands its roots to a successor.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Handover {
    #[n(0)]
    pub version: u8,
    #[n(1)]
    pub boot: BootId,
    /// The manifest that the predecessor has its roots under.
    #[n(2)]
    pub manifest: Hash,
    #[n(3)]
    pub tee: TeeKind,
    #[n(4)]
    pub environment: Environment,
    #[n(5)]
    pub build: Build,
    /// [`Shares`], with whole roots in the place of shares.
    #[n(6)]
    pub sealed: Sealed,
    #[n(7)]
    pub issued: UnixMillis,
}

/// HPKE `info` of the roots that an enclave seals to its successor's setup of this SHA-256.
pub fn handover_info(setup: &[u8; 32]) -> Vec<u8> {
    Transcript::new(domain::ROOT_HANDOVER).field(setup).bytes()
}

/// HPKE `info` of the shares that a genesis seals to holder `number`, under the manifest that asked for it.
pub fn held_info(manifest: &[u8; 32], number: u8) -> Vec<u8> {
    Transcript::new(domain::ROOT_SHARE_HELD).field(manifest).number(u64::from(number)).bytes()
}

/// HPKE `info` of the shares that holder `number` seals to the key of a setup document with this SHA-256.
pub fn released_info(setup: &[u8; 32], number: u8) -> Vec<u8> {
    Transcript::new(domain::ROOT_SHARE_RELEASED).field(setup).number(u64::from(number)).bytes()
}

canonical!(Ceremony, Answer, Attested, Setup, Genesis, Handover);
