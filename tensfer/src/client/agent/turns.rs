//! Whose turn it is: one request at a time for each connection, because their receipts follow one another.

use crate::client::failure::{Failure, Result};
use std::collections::BTreeSet;
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Longer than this nobody waits for a turn.
const WAIT: Duration = Duration::from_secs(30);

/// What is in somebody's hands, by name.
#[derive(Debug, Default)]
pub struct Turns {
    taken: Mutex<BTreeSet<String>>,
    given_back: Condvar,
}

/// A turn; given back when it is dropped.
#[derive(Debug)]
pub struct Turn<'t> {
    turns: &'t Turns,
    of: String,
}

impl Turns {
    /// Waits until nobody has the turn of that name.
    ///
    /// # Errors
    /// `busy`: somebody had it for too long.
    pub fn take(&self, of: String) -> Result<Turn<'_>> {
        self.take_within(of, WAIT)
    }

    fn take_within(&self, of: String, wait: Duration) -> Result<Turn<'_>> {
        let deadline = Instant::now() + wait;
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        while taken.contains(&of) {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(busy("other requests for this connection are still being carried out"));
            }
            taken = self.given_back.wait_timeout(taken, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        taken.insert(of.clone());
        Ok(Turn { turns: self, of })
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.turns.taken.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.of);
        self.turns.given_back.notify_all();
    }
}

pub fn busy(why: &str) -> Failure {
    Failure::host("busy", format!("the agent is busy: {why}")).hint("try again in a moment").retryable(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_turn_is_one_callers_at_a_time_and_nobody_waits_for_good() {
        let turns = Turns::default();
        let first = turns.take("one".to_owned()).unwrap();
        let refused = turns.take_within("one".to_owned(), Duration::ZERO).unwrap_err();
        assert_eq!((refused.code, refused.retryable), ("busy", true));
        let _other = turns.take_within("other".to_owned(), Duration::ZERO).unwrap();
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| turns.take("one".to_owned()).map(|_| ()));
            drop(first);
            waiting.join().unwrap().unwrap();
        });
    }
}
