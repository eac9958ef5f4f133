//! Leave to destroy an epoch with connections still in it.

/// How many connections may be given up with an epoch, by whose word.
///
/// Only a program that knows who may say so makes one. A program whose roots come from operators makes it from their
/// quorum's signatures and the end of the notice; there is no such constructor yet, so it can destroy nothing with
/// absentees (docs/spec/rotation.md §5).
#[derive(Debug)]
pub struct Leave {
    absent: u64,
}

impl Leave {
    /// None are given up.
    pub const NONE: Leave = Leave { absent: 0 };

    /// By the word of whoever runs a simulation.
    pub const fn dangerous_of_simulation(absent: u64) -> Leave {
        Leave { absent }
    }

    /// Exactly these many, no more and no fewer: who gives connections up has seen the count.
    pub(crate) const fn covers(&self, absent: u64) -> bool {
        self.absent == absent
    }
}
