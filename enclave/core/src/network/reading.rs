//! What is read of a chain, step by step: questions, their answers, the next questions.

use super::ask::{Answers, Ask};
use crate::connector::{Answer, Coverage, Fault, Position, Status};

/// Something that is read of one node from beginning to end. Where a node fails, it is begun anew with the next: what
/// two nodes say of different moments is never mixed.
pub(super) trait Reading: Send {
    /// Takes the answers to the last questions, of which there are none at first. A fault is the node's.
    fn turn(&mut self, answers: &Answers, now_ms: u64) -> Result<Turn, Fault>;
}

pub(super) enum Turn {
    /// Ask these, all at once.
    Ask(Vec<Ask>),
    Done(Found),
}

/// What was read.
pub(super) struct Found {
    pub(super) answer: Answer,
    pub(super) coverage: Vec<Coverage>,
    /// Where a history goes on.
    pub(super) next: Option<Position>,
}

impl Turn {
    /// All of it was read.
    pub(super) fn done(answer: Answer, coverage: Vec<Coverage>) -> Turn {
        Turn::Done(Found { answer, coverage, next: None })
    }
}

pub(super) fn source(name: &str, status: Status) -> Coverage {
    Coverage { source: name.to_owned(), status }
}
