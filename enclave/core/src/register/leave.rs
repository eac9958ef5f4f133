//! Leave to destroy an epoch with connections still in it.

use super::Grounded;
use wire::Refusal;

/// How many connections may be given up with an epoch, by whose word.
///
/// Only who knows whose word counts makes one: the program of a simulation; and for roots that operators hold, the notice that
/// their approvers gave and that has run (docs/spec/provisioning.md §10).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Leave(Given);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Given {
    /// Exactly so many, by the word of whoever runs a simulation.
    Exactly(u64),
    /// So many at most, and no wallet whose owner has not confirmed its words.
    AtMost(u64),
}

impl Leave {
    /// None are given up.
    pub const NONE: Leave = Leave(Given::Exactly(0));

    /// By the word of whoever runs a simulation.
    pub const fn dangerous_of_simulation(absent: u64) -> Leave {
        Leave(Given::Exactly(absent))
    }

    /// By a notice that has run for its hours: whoever was absent then and came back is not given up.
    pub(crate) const fn after_notice(absent: u64) -> Leave {
        Leave(Given::AtMost(absent))
    }

    /// Whether it is for those whom a statement counts as absent. No more and no fewer where nobody was warned: who gives
    /// connections up has seen the count.
    pub(super) const fn check(self, counted: &Grounded) -> Result<(), Refusal> {
        let covers = match self.0 {
            Given::Exactly(absent) => counted.absent == absent,
            Given::AtMost(absent) => counted.absent <= absent && counted.without_backup == 0,
        };
        if covers { Ok(()) } else { Err(Refusal::AbsenteesRemain) }
    }
}
