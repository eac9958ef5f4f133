//! What all runs of one credential share: its nonces, what it may spend of the exchange's limit, and the session that
//! its login yielded.
//!
//! Some exchanges want a strictly increasing number in every signed request of a key, in the order in which requests
//! arrive. So the state is shared by all runs of a credential, and only one such call is in flight at a time.

use super::budget::{Budget, Limit};
use crate::secret::SecretBytes;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A session is not used to its last moment.
pub const SESSION_MARGIN_MS: u64 = 10_000;

/// What all runs of one credential share: its nonces, its budget, and its session where it has one. Clones share it. The
/// caller keeps it as long as the credential is in use.
#[derive(Clone, Debug, Default)]
pub struct NonceState(Arc<Mutex<Inner>>);

#[derive(Debug, Default)]
struct Inner {
    last: u64,
    busy: bool,
    budget: Budget,
    session: Option<Entered>,
    /// How many sessions there were.
    sessions: u64,
}

/// What the provider's login yielded, and when it ends.
#[derive(Debug)]
struct Entered {
    values: SessionValues,
    ends_ms: u64,
}

/// What a login yielded, by the names of its connector.
#[derive(Debug, Default)]
pub struct SessionValues(Vec<(&'static str, SecretBytes)>);

impl SessionValues {
    pub fn add(&mut self, name: &'static str, value: &str) {
        self.0.push((name, SecretBytes::copied(value.as_bytes())));
    }

    pub fn find(&self, wanted: &str) -> Option<&[u8]> {
        self.0.iter().find(|(name, _)| *name == wanted).map(|(_, value)| value.expose())
    }

    fn copied(&self) -> SessionValues {
        SessionValues(
            self.0.iter().map(|(name, value)| (*name, SecretBytes::copied(value.expose()))).collect(),
        )
    }
}

/// The right to have a call in flight; given back when dropped.
#[derive(Debug)]
pub struct Turn(NonceState);

impl NonceState {
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the turn, unless another call is in flight.
    pub fn take_turn(&self) -> Option<Turn> {
        let mut inner = self.lock();
        if inner.busy {
            return None;
        }
        inner.busy = true;
        Some(Turn(self.clone()))
    }

    /// The next number: the time in ms, or one more than the last where time stands still or runs back.
    pub fn next(&self, now_ms: u64) -> u64 {
        let mut inner = self.lock();
        inner.last = now_ms.max(inner.last.saturating_add(1));
        inner.last
    }

    /// Spends the cost of a call, or tells from when on it can be spent (Unix ms).
    pub fn spend(&self, limit: Limit, cost: u32, now_ms: u64) -> Result<(), u64> {
        self.lock().budget.spend(limit, cost, now_ms)
    }

    /// A copy of what the session is, if it is good for a while, and its number.
    pub fn session(&self, now_ms: u64) -> Option<(SessionValues, u64)> {
        let inner = self.lock();
        let session = inner.session.as_ref()?;
        let is_good = now_ms.saturating_add(SESSION_MARGIN_MS) < session.ends_ms;
        is_good.then(|| (session.values.copied(), inner.sessions))
    }

    pub fn keep_session(&self, values: SessionValues, ends_ms: u64) {
        let mut inner = self.lock();
        inner.sessions += 1;
        inner.session = Some(Entered { values, ends_ms });
    }

    /// The provider takes the session of that number no more; one that came after it stays.
    pub fn end_session(&self, number: u64) {
        let mut inner = self.lock();
        if inner.sessions == number {
            inner.session = None;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // A panic elsewhere cannot leave these values inconsistent.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.0.lock().busy = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn m34_two_users_of_one_key_never_see_the_same_or_a_smaller_nonce() {
        let state = NonceState::new();
        let other = state.clone();
        let numbers =
            [state.next(1_000), other.next(1_000), state.next(900), other.next(5_000), state.next(5_000)];
        assert_eq!(numbers, [1_000, 1_001, 1_002, 5_000, 5_001]);
    }

    #[test]
    fn m34_one_call_at_a_time_and_the_turn_comes_back() {
        let state = NonceState::new();
        let turn = state.take_turn();
        assert!(turn.is_some());
        assert!(state.clone().take_turn().is_none());
        drop(turn);
        assert!(state.take_turn().is_some());
    }
}
