//! What keeps an enclave without a disk from being rolled back (docs/spec/freshness.md): the state of every connection in an
//! authenticated map that the host keeps, heads over it that witnesses sign before a result is released, and the frames of
//! both.

use crate::cbor::canonical;
use crate::evidence::Hash;
use crate::grant::{GrantState, MAX_GRANTS};
use crate::rewrap::Bytes;
use crate::transcript::{Transcript, domain};
use minicbor::{Decode, Encode};

/// Lines that a deployment is split into, at most. Today every deployment has one.
pub const MAX_LINES: u8 = 64;
/// Names in one `Lookup`, hence connections that one head changes.
pub const MAX_NAMES: usize = 512;
/// A path is no longer than a name has bits.
pub const MAX_SIBLINGS: usize = 256;
/// Bytes of an encoded [`ConnectionState`]: with as many grants as there may be, and room for later members.
pub const MAX_STATE: usize = 640;
/// Witnesses' answers in one frame.
pub const MAX_ANSWERS: usize = 16;
/// Heads between the one that witnesses know and the one that the host kept.
pub const MAX_LINKS: usize = 1024;

/// Terms that witnesses promise are below it. What heads and marks call a term has the generation of the witnesses above
/// these bits, so that whatever follows a replacement is later than all before it.
pub const TERMS: u64 = 1 << 40;

/// The term of a head: the one that witnesses of this generation promised. `None`: they promise none so high.
pub fn term_of(generation: u16, promised: u64) -> Option<u64> {
    (promised < TERMS).then(|| u64::from(generation) * TERMS + promised)
}

/// By which generation of witnesses a head of this term is committed.
pub const fn generation_of(term: u64) -> u64 {
    term / TERMS
}

/// What is hashed (SHA-256) to name witnesses who took the place of others: what they are asked for instead of the deployment.
/// `signers` is the SHA-256 of their canonical bytes ([`crate::manifest::Signers`]).
pub fn group_transcript(deployment: &Hash, generation: u16, signers: &Hash) -> Vec<u8> {
    Transcript::new(domain::WITNESSES)
        .field(&deployment.0)
        .number(u64::from(generation))
        .field(&signers.0)
        .bytes()
}

/// What is hashed (SHA-256) to name the deployment of a simulation: the canonical bytes of its witnesses.
pub fn simulation_transcript(witnesses: &[u8]) -> Vec<u8> {
    Transcript::new(domain::DEPLOYMENT).field(witnesses).bytes()
}

/// What is hashed (SHA-256) to name the deployment of a manifest: its name, and the commitment of the first root that there
/// was, which nobody else's deployment of that name has.
pub fn deployment_transcript(name: &str, first_root: &Hash) -> Vec<u8> {
    Transcript::new(domain::DEPLOYMENT).field(name.as_bytes()).field(&first_root.0).bytes()
}

/// What the map holds of one connection: a leaf, by the connection's blinded name
/// ([`crate::register::name_transcript`]).
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct ConnectionState {
    /// The generation in use; from 1.
    #[n(0)]
    pub current: u64,
    /// The newest one that was made and not acknowledged; above `current`.
    #[n(1)]
    pub pending: Option<u64>,
    /// Receipts so far.
    #[n(2)]
    pub counter: u64,
    /// SHA-256 of the last receipt's payload; absent as long as `counter` is 0.
    #[n(3)]
    pub last: Option<Hash>,
    /// Its owner forgot or revoked it.
    #[n(4)]
    pub over: bool,
    /// Those that are in force; at most [`MAX_GRANTS`]. Left out if there are none.
    #[cbor(n(5), default, skip_if = "Vec::is_empty")]
    pub grants: Vec<GrantState>,
}

impl ConnectionState {
    /// Whether its numbers agree with each other.
    pub fn is_coherent(&self) -> bool {
        let pending = self.pending.is_none_or(|pending| pending > self.current);
        let grants = self.grants.len() <= MAX_GRANTS && (self.grants.is_empty() || !self.over);
        self.current >= 1 && pending && (self.counter == 0) == self.last.is_none() && grants
    }
}

/// A point in the history of a line: what clients remember, what every reply carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Mark {
    #[n(0)]
    pub line: u8,
    #[n(1)]
    pub term: u64,
    /// Of the head, across terms.
    #[n(2)]
    pub counter: u64,
    /// SHA-256 of the head.
    #[n(3)]
    pub head: Hash,
}

impl Mark {
    /// Later marks are higher: by term, then counter.
    pub const fn position(&self) -> (u64, u64) {
        (self.term, self.counter)
    }
}

/// What an identity says of its freshness; absent where nobody witnesses.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Freshness {
    /// SHA-256 of [`deployment_transcript`], or of [`simulation_transcript`].
    #[n(0)]
    pub deployment: Hash,
    #[n(1)]
    pub lines: u8,
    /// Witnesses that have to sign a head.
    #[n(2)]
    pub threshold: u8,
    /// Witnesses that there are.
    #[n(3)]
    pub witnesses: u8,
    /// SHA-256 of the canonical bytes of the witnesses' keys ([`crate::manifest::Signers`]).
    #[n(4)]
    pub keys: Hash,
}

/// Asks the host for what the map has under these names; answered by [`Found`] on the same stream.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Lookup {
    #[n(0)]
    pub line: u8,
    /// At most [`MAX_NAMES`].
    #[n(1)]
    pub names: Vec<Hash>,
}

#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Found {
    /// One for each name, in order.
    #[n(0)]
    pub proofs: Vec<StateProof>,
}

/// A path in the map: that a name has this leaf, or none.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct StateProof {
    /// From the root downwards; at most [`MAX_SIBLINGS`].
    #[n(0)]
    pub siblings: Vec<Hash>,
    /// The only leaf below the end of the path; absent: there is none.
    #[n(1)]
    pub leaf: Option<Leaf>,
}

/// A leaf of the map.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Leaf {
    #[n(0)]
    pub name: Hash,
    /// A canonical [`ConnectionState`].
    #[n(1)]
    pub state: Bytes,
}

/// What came of a `Take` frame; the host may send several for one, as witnesses answer.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Taken {
    #[n(0)]
    pub line: u8,
    /// That was asked for.
    #[n(1)]
    pub term: u64,
    /// Witnesses' signed answers, as they came.
    #[n(2)]
    pub answers: Vec<Bytes>,
    /// The last [`crate::register::Kept`], encoded; absent: the host has none.
    #[n(3)]
    pub kept: Option<Bytes>,
    /// Heads before the kept one, the latest first, as far back as the host has them and [`MAX_LINKS`] goes.
    #[n(4)]
    pub links: Vec<Bytes>,
}

/// What the host makes durable, and then has witnessed.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Commit {
    /// Canonical [`crate::witness::Advance`]: what every witness is asked to sign, once the rest is durable.
    #[n(0)]
    pub advance: Bytes,
    /// The register's chapter.
    #[n(1)]
    pub chapter: u32,
    /// The place of the first of the entries in the chapter's log.
    #[n(2)]
    pub first: u64,
    /// [`crate::register::Entry`]s, one after another.
    #[cbor(n(3), with = "minicbor::bytes")]
    pub entries: Vec<u8>,
    /// Leaves that are new, or take the place of the one with their name.
    #[n(4)]
    pub leaves: Vec<Leaf>,
    /// The [`crate::register::Kept`] after it, encoded.
    #[cbor(n(5), with = "minicbor::bytes")]
    pub kept: Vec<u8>,
}

/// What came of a `Commit`: it is durable. The host may send several for one, as witnesses answer.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Committed {
    #[n(0)]
    pub line: u8,
    #[n(1)]
    pub term: u64,
    #[n(2)]
    pub counter: u64,
    /// Witnesses' signed answers, as they came.
    #[n(3)]
    pub answers: Vec<Bytes>,
}

/// What a simulated program is told of its witnesses: the simulation's stand-in for a manifest.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Witnessed {
    #[n(0)]
    pub deployment: Hash,
    #[n(1)]
    pub witnesses: crate::manifest::Signers,
    /// Absent: they are the first.
    #[n(2)]
    pub replaced: Option<crate::manifest::Replaced>,
}

canonical!(ConnectionState, Mark, Freshness, Lookup, Found, Taken, Commit, Committed, Witnessed);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::grant::Window;
    use crate::{Canonical, GrantId, Malformed, UnixMillis};

    fn state() -> ConnectionState {
        ConnectionState {
            current: 2,
            pending: Some(4),
            counter: 7,
            last: Some(Hash([1; 32])),
            over: false,
            grants: Vec::new(),
        }
    }

    /// As long as one can be.
    fn grant() -> GrantState {
        let end = UnixMillis(u64::MAX);
        GrantState {
            id: GrantId([1; 16]),
            key: [2; 16],
            expires: end,
            epoch: u32::MAX,
            used: u32::MAX,
            last: Some(end),
            window: Some(Window { since: end, used: u32::MAX }),
        }
    }

    #[test]
    fn a_state_with_as_many_grants_as_there_may_be_fits_a_leaf_of_the_map() {
        let grants = vec![grant(); MAX_GRANTS];
        let largest = ConnectionState {
            current: u64::MAX - 1,
            pending: Some(u64::MAX),
            counter: u64::MAX,
            grants: grants.clone(),
            ..state()
        };
        assert!(largest.is_coherent() && largest.to_bytes().len() <= MAX_STATE);
        assert_eq!(ConnectionState::from_bytes(&largest.to_bytes()), Ok(largest));
        let one_more = ConnectionState { grants: vec![grant(); MAX_GRANTS + 1], ..state() };
        let over = ConnectionState { over: true, grants, ..state() };
        assert!(!one_more.is_coherent() && !over.is_coherent());
    }

    #[test]
    fn a_state_whose_numbers_contradict_each_other_is_not_coherent() {
        assert!(state().is_coherent());
        for bad in [
            ConnectionState { current: 0, ..state() },
            ConnectionState { pending: Some(2), ..state() },
            ConnectionState { counter: 0, ..state() },
            ConnectionState { last: None, ..state() },
        ] {
            assert!(!bad.is_coherent(), "{bad:?}");
        }
    }

    #[test]
    fn m09_a_state_in_another_encoding_is_refused() {
        let bytes = state().to_bytes();
        assert!(bytes.len() <= MAX_STATE);
        assert_eq!(ConnectionState::from_bytes(&bytes), Ok(state()));
        let mut longer = bytes.clone();
        longer.push(0);
        assert_eq!(ConnectionState::from_bytes(&longer), Err(Malformed::NotCanonical));
    }

    #[test]
    fn frames_of_the_largest_size_are_within_the_bound_of_a_structure() {
        let leaf = Leaf { name: Hash([7; 32]), state: Bytes(vec![0; MAX_STATE]) };
        let commit = Commit {
            advance: Bytes(vec![0; 512]),
            chapter: u32::MAX,
            first: u64::MAX,
            entries: vec![0; crate::register::MAX_ENTRIES * crate::register::ENTRY],
            leaves: vec![leaf.clone(); MAX_NAMES],
            // Peaks, the epochs of as many programs as there can be, and a head.
            kept: vec![0; 40_000],
        };
        assert!(Commit::from_bytes(&commit.to_bytes()).is_ok());
        // Forty levels: what names that nobody chose have below 2^32 connections.
        let proof = StateProof { siblings: vec![Hash([1; 32]); 40], leaf: Some(leaf) };
        assert!(Found::from_bytes(&Found { proofs: vec![proof; MAX_NAMES] }.to_bytes()).is_ok());
    }
}
