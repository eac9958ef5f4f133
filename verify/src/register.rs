//! What an enclave states about the register and the rotation of its epochs (docs/spec/rotation.md): checked by anyone,
//! offline.

#[cfg(test)]
mod tests;

use crate::Refused;
use crate::merkle::{self, Digest};
use crate::receipt;
use aws_lc_rs::digest::{SHA256, digest};
use core::fmt;
use wire::consent::Class;
use wire::cose::Sign1;
use wire::evidence::Hash;
use wire::identity::{Identity, WIRE_VERSION};
use wire::register::{Destruction, ENTRY, Entry, Head, Proof, State, Statement, name_transcript};
use wire::transcript::domain;
use wire::{Canonical, ConnectionId};

/// Why a statement or a proof shows nothing. Always the fault of who brought it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unproven {
    /// Not a canonical structure of version 1.
    Malformed,
    /// Not signed by the enclave that the evidence is of.
    Signature,
    /// Of another start, or of an epoch that this enclave's identity contradicts.
    Identity,
    /// Its numbers contradict each other.
    Contradiction,
    /// The path does not lead from the entry to the statement's root.
    Path,
    /// The entry is of another connection.
    OtherConnection,
    /// The register is behind the owner: it knows an older generation than theirs, or another envelope of the same.
    RolledBack,
    /// The owner's connection is still in the epoch that was to be left.
    Absent,
    /// Not later in the same register than the statement that was seen before.
    NotLater,
    /// The destruction was on other grounds than this statement.
    OtherGrounds,
    /// The statement counts another class than the connection's, and its enclave has no root of that one.
    OtherClass,
}

impl Unproven {
    pub const ALL: [Unproven; 11] = [
        Unproven::Malformed,
        Unproven::Signature,
        Unproven::Identity,
        Unproven::Contradiction,
        Unproven::Path,
        Unproven::OtherConnection,
        Unproven::RolledBack,
        Unproven::Absent,
        Unproven::NotLater,
        Unproven::OtherGrounds,
        Unproven::OtherClass,
    ];

    /// The stable text code.
    pub const fn code(self) -> &'static str {
        match self {
            Unproven::Malformed => "statement_malformed",
            Unproven::Signature => "statement_signature",
            Unproven::Identity => "statement_identity",
            Unproven::Contradiction => "statement_contradicts_itself",
            Unproven::Path => "proof_path",
            Unproven::OtherConnection => "proof_of_another_connection",
            Unproven::RolledBack => "register_rolled_back",
            Unproven::Absent => "still_in_the_epoch",
            Unproven::NotLater => "statement_not_later",
            Unproven::OtherGrounds => "destroyed_on_other_grounds",
            Unproven::OtherClass => "statement_of_another_class",
        }
    }
}

impl fmt::Display for Unproven {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Unproven::Malformed => "it is not a statement of this protocol",
            Unproven::Signature => "the enclave that was verified did not sign it",
            Unproven::Identity => "it contradicts the identity of the enclave that signed it",
            Unproven::Contradiction => "its numbers contradict each other",
            Unproven::Path => "the proof does not lead to the statement's root",
            Unproven::OtherConnection => "the proof is of another connection",
            Unproven::RolledBack => {
                "the register is behind what you hold: it was rolled back, or something was dropped from it"
            }
            Unproven::Absent => "your connection has not left the epoch",
            Unproven::NotLater => {
                "it is not later, in the same register, than the statement that was seen before"
            }
            Unproven::OtherGrounds => "the epoch was destroyed on other grounds than this statement",
            Unproven::OtherClass => {
                "it is of another class, by an enclave that has no root of your connection's"
            }
        })
    }
}

impl core::error::Error for Unproven {}

/// A connection's name in the register.
pub fn name(connection: ConnectionId) -> [u8; 32] {
    sha256(&name_transcript(connection))
}

/// Checks a signed head against the identity of the enclave that signed it.
pub fn head(identity: &Identity, signed: &[u8]) -> Result<Head, Unproven> {
    let head = Head::from_bytes(payload(identity, signed, domain::REGISTER_HEAD)?)
        .map_err(|_| Unproven::Malformed)?;
    require(head.version == WIRE_VERSION, Unproven::Malformed)?;
    require(head.boot == identity.boot, Unproven::Identity)?;
    Ok(head)
}

/// A statement of completion, and the SHA-256 by which others name it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Completion {
    pub statement: Statement,
    pub hash: Hash,
    /// The current epoch of each class that the enclave had a root of.
    current: Vec<(Class, u32)>,
}

impl Completion {
    /// Whether who is in this epoch of a class is out of what was to be left: the statement's epoch, with those before it; of
    /// a class that it does not count, everything before the current one.
    pub fn has_left(&self, class: Class, epoch: u32) -> Result<bool, Unproven> {
        if class == self.statement.class {
            return Ok(epoch > self.statement.epoch);
        }
        let current = self.current.iter().find(|(of, _)| *of == class).ok_or(Unproven::OtherClass)?.1;
        Ok(epoch >= current)
    }
}

/// Checks a statement of completion against the identity of the enclave that signed it.
pub fn completion(identity: &Identity, signed: &[u8]) -> Result<Completion, Unproven> {
    let payload = payload(identity, signed, domain::COMPLETION)?;
    let statement = Statement::from_bytes(payload).map_err(|_| Unproven::Malformed)?;
    require(statement.version == WIRE_VERSION, Unproven::Malformed)?;
    require(statement.boot == identity.boot, Unproven::Identity)?;
    let epochs = 1 <= statement.epoch && statement.epoch < statement.current;
    let counts = statement.connections().is_some() && statement.without_backup <= statement.counts.absent;
    require(epochs && counts, Unproven::Contradiction)?;
    let others = identity.classes.iter().map(|listed| (listed.class, listed.epochs.current));
    let current = [(Class::Any, identity.epochs.current)].into_iter().chain(others).collect();
    Ok(Completion { statement, hash: Hash(sha256(payload)), current })
}

/// Checks that an enclave signed that it holds nothing of an epoch, and that its identity says the same.
pub fn destruction(identity: &Identity, signed: &[u8]) -> Result<Destruction, Unproven> {
    let payload = payload(identity, signed, domain::DESTRUCTION)?;
    let destruction = Destruction::from_bytes(payload).map_err(|_| Unproven::Malformed)?;
    require(destruction.version == WIRE_VERSION, Unproven::Malformed)?;
    let epochs = identity.epochs_of(destruction.class).ok_or(Unproven::Identity)?;
    let agrees = destruction.boot == identity.boot && destruction.epoch < epochs.oldest;
    require(
        agrees && destruction.oldest <= epochs.oldest && destruction.current <= epochs.current,
        Unproven::Identity,
    )?;
    let gone = 1 <= destruction.epoch && destruction.epoch < destruction.oldest;
    require(gone && destruction.oldest <= destruction.current, Unproven::Contradiction)?;
    Ok(destruction)
}

/// Whether an epoch was destroyed on this statement: that epoch or an older one of its class, and so many given up as it
/// counts.
pub fn destroyed_on(destruction: &Destruction, completion: &Completion) -> Result<(), Unproven> {
    let grounds = destruction.destroyed.ok_or(Unproven::OtherGrounds)?;
    let of_this =
        grounds.statement == completion.hash && grounds.absent == completion.statement.counts.absent;
    let covered =
        destruction.class == completion.statement.class && destruction.epoch <= completion.statement.epoch;
    require(of_this && covered, Unproven::OtherGrounds)
}

/// Checks that an entry is in the statement's tree.
pub fn included(statement: &Statement, proof: &Proof) -> Result<Entry, Unproven> {
    let bytes: &[u8; ENTRY] = proof.entry.as_slice().try_into().map_err(|_| Unproven::Malformed)?;
    let entry = Entry::from_bytes(bytes).ok_or(Unproven::Malformed)?;
    require(proof.version == WIRE_VERSION, Unproven::Malformed)?;
    require(statement.connections() == Some(proof.size), Unproven::Path)?;
    let root = merkle::climb(merkle::leaf(bytes), proof.index, proof.size, &proof.path);
    require(root == Some(statement.root.0), Unproven::Path)?;
    Ok(entry)
}

/// What an owner holds of a connection: their own high-water mark.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Own {
    pub connection: ConnectionId,
    pub generation: u64,
    /// SHA-256 of the envelope's bytes before its wrap.
    pub payload: [u8; 32],
}

/// Whether an entry is the owner's, not behind what they hold, and out of what was to be left. Who is revoked or elsewhere
/// is not absent. The payload is of one class, so that an entry cannot say another of the owner's own envelope.
pub fn own(completion: &Completion, entry: &Entry, own: &Own) -> Result<(), Unproven> {
    require(entry.name == name(own.connection), Unproven::OtherConnection)?;
    if entry.state == State::Revoked {
        return Ok(());
    }
    let behind = entry.generation < own.generation
        || entry.generation == own.generation && entry.payload != own.payload;
    require(!behind, Unproven::RolledBack)?;
    require(entry.state == State::Moved || completion.has_left(entry.class, entry.epoch)?, Unproven::Absent)
}

/// Whether a statement is of the same register as one that was seen before, and later. Connections are never fewer: who
/// is revoked is still counted, and of a class that they stay in.
pub fn later(earlier: &Statement, later: &Statement) -> Result<(), Unproven> {
    let goes_on = earlier.register == later.register
        && earlier.chapter < later.chapter
        && earlier.counter < later.counter
        && earlier.connections() <= later.connections();
    let of_class = earlier.counts.revoked <= later.counts.revoked && earlier.current <= later.current;
    require(goes_on && (of_class || earlier.class != later.class), Unproven::NotLater)
}

/// The signed bytes, as received.
fn payload<'b>(identity: &Identity, signed: &'b [u8], domain: &str) -> Result<&'b [u8], Unproven> {
    let signed = Sign1::from_bytes(signed).map_err(|_| Unproven::Malformed)?;
    receipt::verify(&identity.receipt_key, &signed, domain).map_err(|refused| match refused {
        Refused::ReceiptMalformed => Unproven::Malformed,
        _ => Unproven::Signature,
    })
}

fn require(holds: bool, unproven: Unproven) -> Result<(), Unproven> {
    if holds { Ok(()) } else { Err(unproven) }
}

fn sha256(bytes: &[u8]) -> Digest {
    let mut hash = [0; 32];
    hash.iter_mut().zip(digest(&SHA256, bytes).as_ref()).for_each(|(to, from)| *to = *from);
    hash
}
