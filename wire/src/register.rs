//! The register: what the host keeps of every recorded connection, without any key material, and what the enclave signs
//! about it (docs/spec/rotation.md).

use crate::cbor::{Canonical, Malformed, canonical};
use crate::consent::Class;
use crate::cose::Sign1;
use crate::evidence::Hash;
use crate::reached::AllReached;
use crate::rewrap::Bytes;
use crate::transcript::{Transcript, domain};
use crate::{BootId, ConnectionId, RegisterId, UnixMillis};
use minicbor::{Decode, Encode};

/// Bytes of an [`Entry`].
pub const ENTRY: usize = 77;
/// Bytes of an entry with its place in the log before it.
pub const PLACED: usize = 8 + ENTRY;
/// Entries in one frame.
pub const MAX_ENTRIES: usize = 8192;
/// A tree of 2^64 leaves is no higher.
pub const MAX_PATH: usize = 64;

/// What was recorded of one connection: `name ‖ u8 (16·class + backup + state) ‖ u32be epoch ‖ u64be generation ‖ payload`.
/// A leaf of the register's trees.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The connection, blinded: [`name_transcript`]'s SHA-256. Who knows the id finds it; nobody else learns the id.
    pub name: [u8; 32],
    pub state: State,
    pub backup: Backup,
    /// The consent class of its envelope.
    pub class: Class,
    /// The epoch of that class that its envelope is wrapped to.
    pub epoch: u32,
    /// From 1.
    pub generation: u64,
    /// SHA-256 of the envelope's bytes before the wrap: the same under every epoch.
    pub payload: [u8; 32],
}

/// What happened to a connection's envelope.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum State {
    /// Linked, or its owner said that it is stored.
    Held = 0,
    /// Re-wrapped in bulk: it went to whoever brought it.
    Rewrapped = 1,
    /// Its owner forgot or revoked it. Nothing follows.
    Revoked = 2,
    /// Its owner took it to another enclave. A later generation may follow, from there.
    Moved = 3,
}

impl State {
    pub const ALL: [State; 4] = [State::Held, State::Rewrapped, State::Revoked, State::Moved];

    pub const fn name(self) -> &'static str {
        match self {
            State::Held => "held",
            State::Rewrapped => "rewrapped",
            State::Revoked => "revoked",
            State::Moved => "moved",
        }
    }
}

/// What is known of the words of a wallet, without which its key is lost with its envelope.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Backup {
    /// The envelope holds no wallet's key; or the entry was made without opening it, and says nothing.
    Unsaid = 0,
    /// It holds one, and nobody has shown that they have its words.
    Missing = 4,
    /// Its owner has them.
    Confirmed = 8,
}

impl Backup {
    pub const ALL: [Backup; 3] = [Backup::Unsaid, Backup::Missing, Backup::Confirmed];
}

impl Entry {
    pub fn to_bytes(&self) -> [u8; ENTRY] {
        let mut bytes = [0; ENTRY];
        let parts: [&[u8]; 5] = [
            &self.name,
            &[self.class.number() << 4 | self.backup as u8 | self.state as u8],
            &self.epoch.to_be_bytes(),
            &self.generation.to_be_bytes(),
            &self.payload,
        ];
        bytes.iter_mut().zip(parts.into_iter().flatten()).for_each(|(to, from)| *to = *from);
        bytes
    }

    /// Reads the one form of an entry; `None` for an unknown class, backup or state, epoch 0 or generation 0.
    pub fn from_bytes(bytes: &[u8; ENTRY]) -> Option<Entry> {
        let (name, rest) = bytes.split_first_chunk::<32>()?;
        let ([state], rest) = rest.split_first_chunk::<1>()?;
        let (epoch, rest) = rest.split_first_chunk::<4>()?;
        let (generation, rest) = rest.split_first_chunk::<8>()?;
        let entry = Entry {
            name: *name,
            state: State::ALL.into_iter().find(|known| *known as u8 == *state & 0x03)?,
            backup: Backup::ALL.into_iter().find(|known| *known as u8 == *state & 0x0c)?,
            class: Class::from_number(*state >> 4)?,
            epoch: u32::from_be_bytes(*epoch),
            generation: u64::from_be_bytes(*generation),
            payload: *rest.first_chunk()?,
        };
        (entry.epoch >= 1 && entry.generation >= 1).then_some(entry)
    }

    /// What counts of a connection of which `later` was recorded after this: revoked is the end; a later generation counts
    /// more than an earlier one, whenever it was recorded; of one generation the last word counts. What was said of its words
    /// stays said: they are the same in every generation.
    #[must_use]
    pub fn newer(self, later: Entry) -> Entry {
        let stays = self.state == State::Revoked
            || later.state != State::Revoked && later.generation < self.generation;
        let counts = if stays { self } else { later };
        Entry { backup: self.backup.max(later.backup), ..counts }
    }
}

/// Of a connection's name in the register.
pub fn name_transcript(connection: ConnectionId) -> Vec<u8> {
    Transcript::new(domain::REGISTER_NAME).field(&connection.0).bytes()
}

/// The state of the register after some entries: signed by the enclave, kept by the host, shown to auditors.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Head {
    #[n(0)]
    pub version: u8,
    #[n(1)]
    pub register: RegisterId,
    /// Counts the completed rotations: each begins a log of its own with one entry for each connection.
    #[n(2)]
    pub chapter: u32,
    /// Counts the heads of this register, across starts.
    #[n(3)]
    pub counter: u64,
    /// Entries of this chapter's log.
    #[n(4)]
    pub size: u64,
    /// RFC 6962 tree hash over them.
    #[n(5)]
    pub root: Hash,
    /// The epoch under whose root the head is sealed.
    #[n(6)]
    pub epoch: u32,
    #[n(7)]
    pub boot: BootId,
    #[n(8)]
    pub time: UnixMillis,
    /// SHA-256 of the head before.
    #[n(9)]
    pub previous: Option<Hash>,
    /// SHA-256 of the last statement of completion.
    #[n(10)]
    pub statement: Option<Hash>,
    /// Which part of the connections it is of (docs/spec/freshness.md §1).
    #[n(11)]
    pub line: u8,
    /// In which the enclave holds the line; from 1.
    #[n(12)]
    pub term: u64,
    /// Root of the map of connections' states.
    #[n(13)]
    pub map: Hash,
    /// The oldest epoch that was not destroyed.
    #[n(14)]
    pub oldest: u32,
    /// SHA-256 of [`Kept::reached`]; absent when that is empty.
    #[n(15)]
    pub reached: Option<Hash>,
    /// The group of the witnesses who commit it; absent: the deployment's first ones, or nobody.
    #[n(16)]
    pub group: Option<Hash>,
    /// The group before which the line goes on: this head is the last of its own.
    #[n(17)]
    pub closed_for: Option<Hash>,
}

/// What the host keeps to go on with the register in a later start ([`crate::freshness::Taken`]).
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Kept {
    /// COSE_Sign1 of a [`Head`].
    #[n(0)]
    pub head: Bytes,
    /// By a key that is derived from the epoch's root: what an enclave of a later start believes.
    #[n(1)]
    pub seal: Hash,
    /// The roots of the whole trees that the log is made of, the largest first.
    #[n(2)]
    pub peaks: Vec<Hash>,
    /// The epochs of the classes beside `any`, which the head commits to.
    #[cbor(n(3), skip_if = "AllReached::is_empty")]
    pub reached: AllReached,
}

/// One step of a conclusion: the host reads the register out to the enclave, twice.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub enum Conclude {
    /// Begins anew: have all recorded connections of this class left this epoch, and those before it?
    #[n(0)]
    Begin(#[n(0)] u32, #[cbor(n(1), skip_if = "Class::is_any")] Class),
    /// The next entries of the chapter's log, in its order.
    #[n(1)]
    Log(#[cbor(n(0), with = "minicbor::bytes")] Vec<u8>),
    /// The next entries, each with its place as u64be before it, ascending by name, then place.
    #[n(2)]
    Sorted(#[cbor(n(0), with = "minicbor::bytes")] Vec<u8>),
    /// All was read out twice.
    #[n(3)]
    Finish,
}

/// Answers each step.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Concluded {
    /// `Begin`: entries that are to be read out. `Log`, `Sorted`: entries taken in this pass so far. `Finish`: connections.
    #[n(0)]
    pub taken: u64,
    /// COSE_Sign1 of a [`Statement`]; answers `Finish`.
    #[n(1)]
    pub statement: Option<Bytes>,
}

/// How far a rotation has come: over all recorded connections, each once.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Statement {
    #[n(0)]
    pub version: u8,
    #[n(1)]
    pub register: RegisterId,
    /// The chapter that it completes.
    #[n(2)]
    pub chapter: u32,
    /// Of the head that it is made from.
    #[n(3)]
    pub counter: u64,
    /// The epoch that connections were to leave.
    #[n(4)]
    pub epoch: u32,
    #[n(5)]
    pub current: u32,
    /// RFC 6962 tree hash over one entry for each connection, ascending by name.
    #[n(6)]
    pub root: Hash,
    #[n(7)]
    pub counts: Counts,
    #[n(8)]
    pub boot: BootId,
    #[n(9)]
    pub time: UnixMillis,
    /// SHA-256 of the statement before.
    #[n(10)]
    pub previous: Option<Hash>,
    /// Whose epochs these are; the counts are of its connections.
    #[cbor(n(11), skip_if = "Class::is_any")]
    pub class: Class,
    /// Connections of the other classes: in the tree, and in no count.
    #[cbor(n(12), skip_if = "is_zero")]
    pub others: u64,
    /// Of the absent ones, wallets whose words nobody has shown to have ([`Backup::Missing`]).
    #[cbor(n(13), skip_if = "is_zero")]
    pub without_backup: u64,
}

impl Statement {
    /// Leaves of its tree: every connection, of whatever class. `None` if they are more than can be.
    pub fn connections(&self) -> Option<u64> {
        self.counts.total()?.checked_add(self.others)
    }
}

fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// Of the connections in a statement; each is counted once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Counts {
    /// In a later epoch, or at another enclave, by their owners' word.
    #[n(0)]
    pub held: u64,
    /// In a later epoch, re-wrapped in bulk.
    #[n(1)]
    pub rewrapped: u64,
    #[n(2)]
    pub revoked: u64,
    /// In the epoch, or one before it.
    #[n(3)]
    pub absent: u64,
}

impl Counts {
    pub fn total(&self) -> Option<u64> {
        self.held.checked_add(self.rewrapped)?.checked_add(self.revoked)?.checked_add(self.absent)
    }
}

/// Asks to destroy the oldest epoch.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Destroy {
    #[n(0)]
    pub epoch: u32,
    /// How many connections are given up with it: exactly those that the statement counts as absent.
    #[n(1)]
    pub absent: u64,
    #[cbor(n(2), skip_if = "Class::is_any")]
    pub class: Class,
}

#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Destroyed {
    /// It had been destroyed before.
    #[n(0)]
    pub already: bool,
    /// COSE_Sign1 of a [`Destruction`].
    #[n(1)]
    pub statement: Bytes,
}

/// This start of the enclave holds nothing of an epoch, nor of any before it.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Destruction {
    #[n(0)]
    pub version: u8,
    #[n(1)]
    pub epoch: u32,
    #[n(2)]
    pub oldest: u32,
    #[n(3)]
    pub current: u32,
    #[n(4)]
    pub boot: BootId,
    #[n(5)]
    pub time: UnixMillis,
    /// What this start destroyed itself; absent when it began without the epoch.
    #[n(6)]
    pub destroyed: Option<Grounds>,
    #[cbor(n(7), skip_if = "Class::is_any")]
    pub class: Class,
}

/// What an epoch was destroyed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Grounds {
    /// SHA-256 of the statement of completion.
    #[n(0)]
    pub statement: Hash,
    /// Connections that were given up.
    #[n(1)]
    pub absent: u64,
    /// The commitment to the root that was destroyed.
    #[n(2)]
    pub commitment: Hash,
}

/// That an entry is in a statement's tree.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Proof {
    #[n(0)]
    pub version: u8,
    #[cbor(n(1), with = "minicbor::bytes")]
    pub entry: Vec<u8>,
    #[n(2)]
    pub index: u64,
    #[n(3)]
    pub size: u64,
    /// RFC 6962 §2.1.1 audit path, at most [`MAX_PATH`].
    #[n(4)]
    pub path: Vec<Hash>,
}

/// A signed statement with the evidence of the enclave that signed it: what is published and checked offline.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Published {
    #[n(0)]
    pub version: u8,
    /// COSE_Sign1.
    #[n(1)]
    pub statement: Bytes,
    /// What the evidence answers, drawn by who published it.
    #[n(2)]
    pub nonce: Hash,
    /// As the enclave answered it: [`crate::evidence::Evidence`].
    #[cbor(n(3), with = "minicbor::bytes")]
    pub evidence: Vec<u8>,
    /// When it was drawn, by the publisher's clock: what a later check takes as its time.
    #[n(4)]
    pub time: UnixMillis,
}

impl Statement {
    /// What a signed statement (COSE_Sign1) says; nobody has verified it.
    pub fn claimed(signed: &[u8]) -> Result<Statement, Malformed> {
        Statement::from_bytes(Sign1::from_bytes(signed)?.payload.unwrap_or_default())
    }
}

canonical!(Head, Kept, Conclude, Concluded, Statement, Destroy, Destroyed, Destruction, Proof, Published);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_has_one_form() {
        let entry = Entry {
            name: [7; 32],
            state: State::Moved,
            backup: Backup::Unsaid,
            class: Class::Owner,
            epoch: 3,
            generation: 9,
            payload: [5; 32],
        };
        let bytes = entry.to_bytes();
        assert_eq!(Entry::from_bytes(&bytes), Some(entry));
        assert_eq!(
            bytes[32], 0x23,
            "class and state share a byte, so that entries from before stay what they were"
        );
        for backup in Backup::ALL {
            let said = Entry { backup, ..entry };
            assert_eq!(Entry::from_bytes(&said.to_bytes()), Some(said));
        }
        for (at, value) in [(32, 0x2c), (32, 0x2f), (32, 0x30), (36, 0), (44, 0)] {
            let mut bad = bytes;
            bad[at] = value;
            assert_eq!(Entry::from_bytes(&bad), None, "byte {at} is {value}");
        }
    }

    #[test]
    fn of_two_entries_the_later_generation_counts_then_the_last_word_and_revoked_is_the_end() {
        let entry = |state, generation, epoch| {
            let (name, class, payload) = ([7; 32], Class::Any, [5; 32]);
            Entry { name, state, backup: Backup::Unsaid, class, epoch, generation, payload }
        };
        let (first, second) = (entry(State::Held, 1, 1), entry(State::Held, 2, 1));
        assert_eq!((first.newer(second), second.newer(first)), (second, second));
        let again = entry(State::Rewrapped, 2, 2);
        assert_eq!((second.newer(again), again.newer(second)), (again, second));
        let revoked = entry(State::Revoked, 1, 1);
        assert_eq!((second.newer(revoked), revoked.newer(second)), (revoked, revoked));
        // What was said of a wallet's words is never unsaid, by whatever entry and in whatever order.
        for (said, others) in [(Backup::Missing, Backup::Unsaid), (Backup::Confirmed, Backup::Missing)] {
            let told = Entry { backup: said, ..first };
            for other in [second, again, revoked].map(|entry| Entry { backup: others, ..entry }) {
                assert_eq!((told.newer(other).backup, other.newer(told).backup), (said, said));
            }
        }
    }

    #[test]
    fn the_steps_of_a_conclusion_read_back() {
        for step in [
            Conclude::Begin(4, Class::Any),
            Conclude::Begin(4, Class::Owner),
            Conclude::Log(vec![1; 77]),
            Conclude::Sorted(vec![2; 85]),
            Conclude::Finish,
        ] {
            assert_eq!(Conclude::from_bytes(&step.to_bytes()), Ok(step));
        }
    }

    #[test]
    fn counts_that_overflow_have_no_total() {
        assert_eq!(Counts { held: u64::MAX, rewrapped: 1, revoked: 0, absent: 0 }.total(), None);
    }
}
