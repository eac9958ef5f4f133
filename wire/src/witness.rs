//! What an enclave asks of a witness, and what a witness signs (docs/spec/witnesses.md).
//!
//! A witness remembers, of each line, the highest term that it promised and the last head that it accepted. It knows no
//! key, no connection and nothing of what a head stands for.

use crate::BootId;
use crate::cbor::canonical;
use crate::evidence::Hash;
use minicbor::{Decode, Encode};

/// Lines of one deployment; their numbers are below it.
pub const MAX_LINES: u8 = 64;
/// A term is at most so far above the one that was promised last: nobody burns all of them with one take.
pub const MAX_LEAP: u64 = 1 << 20;
/// Lines that a witness remembers, over all deployments.
pub const MAX_REMEMBERED: usize = 1024;
/// Bytes of a [`Take`] or [`Advance`]; checked before anything is decoded.
pub const MAX_ASKED: usize = 256;
/// Bytes of a signed [`Answer`].
pub const MAX_ANSWER: usize = 512;

/// Asks for a term of a line: the word that nobody below it will advance the line any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Take {
    /// Names whose line it is; a witness reads nothing in it.
    #[n(0)]
    pub deployment: Hash,
    /// Below [`MAX_LINES`].
    #[n(1)]
    pub line: u8,
    /// From 1.
    #[n(2)]
    pub term: u64,
    /// The start of the enclave that would advance the line.
    #[n(3)]
    pub boot: BootId,
    /// Fresh and random: the promise is younger than it.
    #[n(4)]
    pub nonce: Hash,
}

/// Asks to accept a head: whoever takes the line later will hear of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Advance {
    #[n(0)]
    pub deployment: Hash,
    #[n(1)]
    pub line: u8,
    #[n(2)]
    pub term: u64,
    #[n(3)]
    pub boot: BootId,
    /// From 1; rises within a term.
    #[n(4)]
    pub counter: u64,
    /// Of the line's state after `counter`.
    #[n(5)]
    pub head: Hash,
}

/// A head that a witness accepted. Ordered by term, then counter: of two, the higher one has the lower one in its past
/// if that was ever committed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Accepted {
    #[n(0)]
    pub term: u64,
    #[n(1)]
    pub counter: u64,
    #[n(2)]
    pub head: Hash,
}

/// What a witness says. It is the payload of a COSE_Sign1 under [`crate::transcript::domain::WITNESS`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub enum Answer {
    /// Answers a take.
    #[n(0)]
    Promise(#[n(0)] Promise),
    /// Answers an advance: a copy of it, accepted.
    #[n(1)]
    Cosignature(#[n(0)] Advance),
    /// Answers either.
    #[n(2)]
    Refused(#[n(0)] Refused),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Promise {
    #[n(0)]
    pub take: Take,
    /// The last head that it accepted on this line, under whatever term; absent: none, ever.
    #[n(1)]
    pub accepted: Option<Accepted>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Refused {
    #[n(0)]
    pub deployment: Hash,
    #[n(1)]
    pub line: u8,
    /// The term that was asked for, or in.
    #[n(2)]
    pub term: u64,
    /// Who asked.
    #[n(3)]
    pub boot: BootId,
    #[n(4)]
    pub why: Why,
    /// The term that the witness promised last; 0: none.
    #[n(5)]
    pub promised: u64,
    #[n(6)]
    pub accepted: Option<Accepted>,
}

/// Why a witness refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum Why {
    /// A take of a term that is not above the promised one.
    #[n(0)]
    TermTaken,
    /// A take more than [`MAX_LEAP`] above the promised term.
    #[n(1)]
    TermLeaps,
    /// An advance in another term than the promised one, or by another start than it was promised to.
    #[n(2)]
    NotPromised,
    /// An advance to a counter that is not above the accepted one of this term, and not that very head again.
    #[n(3)]
    CounterUsed,
    /// The witness keeps no more lines.
    #[n(4)]
    Full,
}

impl Accepted {
    /// What heads are ordered by.
    pub const fn order(&self) -> (u64, u64) {
        (self.term, self.counter)
    }
}

impl Take {
    /// Whether every number is within its bounds.
    pub const fn has_form(&self) -> bool {
        self.line < MAX_LINES && self.term >= 1
    }
}

impl Advance {
    /// Whether every number is within its bounds.
    pub const fn has_form(&self) -> bool {
        self.line < MAX_LINES && self.term >= 1 && self.counter >= 1
    }

    /// What a witness remembers of it.
    pub const fn accepted(&self) -> Accepted {
        Accepted { term: self.term, counter: self.counter, head: self.head }
    }
}

/// What a witness remembers of one line, durably.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Line {
    #[n(0)]
    pub deployment: Hash,
    #[n(1)]
    pub line: u8,
    /// Promised, and to whom.
    #[n(2)]
    pub term: u64,
    #[n(3)]
    pub boot: BootId,
    #[n(4)]
    pub accepted: Option<Accepted>,
}

/// All that a witness remembers: its file.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Memory {
    #[n(0)]
    pub version: u8,
    /// The name of the key that signed by it: another key's memory is not this witness's.
    #[n(1)]
    pub key: Hash,
    /// Ascending by deployment, then line; each once.
    #[n(2)]
    pub lines: Vec<Line>,
}

canonical!(Take, Advance, Accepted, Answer, Promise, Refused, Line, Memory);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Canonical;

    const ADVANCE: Advance = Advance {
        deployment: Hash([0xff; 32]),
        line: MAX_LINES - 1,
        term: u64::MAX,
        boot: BootId([0xff; 16]),
        counter: u64::MAX,
        head: Hash([0xff; 32]),
    };
    const TAKE: Take = Take {
        deployment: ADVANCE.deployment,
        line: ADVANCE.line,
        term: ADVANCE.term,
        boot: ADVANCE.boot,
        nonce: ADVANCE.head,
    };

    fn largest() -> [Answer; 3] {
        let accepted = Some(ADVANCE.accepted());
        let Advance { deployment, line, term, boot, .. } = ADVANCE;
        let refused = Refused { deployment, line, term, boot, why: Why::Full, promised: u64::MAX, accepted };
        [
            Answer::Promise(Promise { take: TAKE, accepted }),
            Answer::Cosignature(ADVANCE),
            Answer::Refused(refused),
        ]
    }

    #[test]
    fn every_answer_reads_back_and_nothing_follows_it() {
        for answer in largest() {
            let bytes = answer.to_bytes();
            assert_eq!(Answer::from_bytes(&bytes), Ok(answer));
            assert!(Answer::from_bytes(&[bytes, vec![0]].concat()).is_err());
        }
    }

    #[test]
    fn the_bounds_have_room_for_the_largest_numbers_and_a_signature() {
        assert!(TAKE.to_bytes().len() <= MAX_ASKED && ADVANCE.to_bytes().len() <= MAX_ASKED);
        // Protected header, signature and the four members' own heads.
        let around = 128;
        assert!(largest().iter().all(|answer| answer.to_bytes().len() + around <= MAX_ANSWER));
    }

    #[test]
    fn a_line_beyond_the_last_and_numbers_of_nothing_have_no_form() {
        assert!(TAKE.has_form() && ADVANCE.has_form());
        assert!(!Take { line: MAX_LINES, ..TAKE }.has_form() && !Take { term: 0, ..TAKE }.has_form());
        for advance in [
            Advance { line: MAX_LINES, ..ADVANCE },
            Advance { term: 0, ..ADVANCE },
            Advance { counter: 0, ..ADVANCE },
        ] {
            assert!(!advance.has_form(), "{advance:?}");
        }
    }
}
