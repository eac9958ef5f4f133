//! What was read a moment ago, so that who asks often asks the database seldom. Whatever this process changes is forgotten before it
//! is acknowledged; what another hand writes into the database counts [`LONGEST`] later.

use core::fmt::{self, Debug, Formatter};
use core::hash::Hash;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Something is remembered so long at most.
pub const LONGEST: Duration = Duration::from_secs(1);
/// Of one kind.
const MOST: usize = 4096;

/// How often something was changed.
#[derive(Debug, Default)]
pub struct Changes(AtomicU64);

/// A moment: what is read from it on holds what was acknowledged before it.
#[derive(Clone, Copy, Debug)]
pub struct Moment {
    changes: u64,
    at: Instant,
}

/// Forgets when it is dropped: also if nobody waits for the change any more, or knows what became of it.
#[derive(Debug)]
pub struct Forgets<'c>(&'c Changes);

/// Values by their ids.
pub struct Remembered<K, V>(Mutex<HashMap<K, (Moment, V)>>);

impl Changes {
    /// Taken before reading: what is changed meanwhile is not remembered as it was.
    pub fn moment(&self) -> Moment {
        Moment { changes: self.0.load(Ordering::Acquire), at: Instant::now() }
    }

    pub fn forgets(&self) -> Forgets<'_> {
        Forgets(self)
    }
}

impl Drop for Forgets<'_> {
    fn drop(&mut self) {
        self.0.0.fetch_add(1, Ordering::AcqRel);
    }
}

impl<K: Eq + Hash, V: Clone> Remembered<K, V> {
    pub fn get(&self, id: &K, now: Moment) -> Option<V> {
        let kept = self.lock();
        let (then, value) = kept.get(id)?;
        let holds = then.changes == now.changes && now.at.saturating_duration_since(then.at) < LONGEST;
        holds.then(|| value.clone())
    }

    /// As it was read after `then`.
    pub fn keep(&self, id: K, value: V, then: Moment) {
        let mut kept = self.lock();
        if kept.len() >= MOST {
            kept.clear();
        }
        kept.insert(id, (then, value));
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<K, (Moment, V)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K, V> Default for Remembered<K, V> {
    fn default() -> Remembered<K, V> {
        Remembered(Mutex::default())
    }
}

impl<K, V> Debug for Remembered<K, V> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("Remembered")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn later(moment: Moment, by: Duration) -> Moment {
        Moment { at: moment.at + by, ..moment }
    }

    #[test]
    fn nothing_is_remembered_beyond_a_change_or_its_time() {
        let (changes, kept) = (Changes::default(), Remembered::default());
        let first = changes.moment();
        kept.keep(1, "a", first);
        assert_eq!(kept.get(&1, first), Some("a"));
        assert_eq!(kept.get(&2, first), None);
        assert_eq!(kept.get(&1, later(first, LONGEST - Duration::from_millis(1))), Some("a"));
        assert_eq!(kept.get(&1, later(first, LONGEST)), None);
        drop(changes.forgets());
        assert_eq!(kept.get(&1, Moment { at: first.at, ..changes.moment() }), None);
        // Read before the change, and late to be kept.
        kept.keep(1, "a", first);
        assert_eq!(kept.get(&1, changes.moment()), None);
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let (changes, kept) = (Changes::default(), Remembered::default());
        let moment = changes.moment();
        for id in 0..10 * MOST {
            kept.keep(id, (), moment);
            assert!(kept.lock().len() <= MOST);
        }
    }
}
