//! Nonces of signatures that were taken, so that none is taken twice by this process.

use super::{LEEWAY_MS, Refused};
use std::collections::{BTreeMap, BTreeSet};
use wire::UnixMillis;

/// How many nonces are remembered at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Room {
    pub of_all: usize,
    /// Less than of all: nobody takes all the room.
    pub of_one: usize,
}

/// Only nonces of signatures that verified come here: strangers take no room. Ordered, so that nobody can choose nonces that collide.
#[derive(Debug)]
pub struct Nonces {
    room: Room,
    started: UnixMillis,
    by_key: BTreeMap<String, BTreeSet<String>>,
    by_expiry: BTreeSet<(UnixMillis, String, String)>,
    /// The latest end of what was forgotten: what ends no later may have been used, even if the clock was set back since.
    forgotten: UnixMillis,
}

/// A signature of which the table is asked.
#[derive(Clone, Copy, Debug)]
pub struct Used<'s> {
    pub keyid: &'s str,
    pub nonce: &'s str,
    pub created: UnixMillis,
    pub expires: UnixMillis,
}

impl Nonces {
    /// An empty table, which does not know what was taken before `now`.
    pub fn starting(now: UnixMillis, room: Room) -> Nonces {
        Nonces {
            room,
            started: now,
            by_key: BTreeMap::new(),
            by_expiry: BTreeSet::new(),
            forgotten: UnixMillis(0),
        }
    }

    /// Takes a nonce once. A full table refuses; it forgets nothing that could come again.
    pub fn take(&mut self, used: Used, now: UnixMillis) -> Result<(), Refused> {
        // INVARIANT: what was taken before the start was created before `started + LEEWAY`, because nothing from later was taken then.
        if used.created <= self.started.plus(LEEWAY_MS) {
            return Err(Refused::Starting);
        }
        self.forget(now);
        if used.expires <= self.forgotten {
            return Err(Refused::Replayed);
        }
        let of_key = self.by_key.get(used.keyid);
        if of_key.is_some_and(|nonces| nonces.contains(used.nonce)) {
            return Err(Refused::Replayed);
        }
        let is_full = self.by_expiry.len() >= self.room.of_all;
        if is_full || of_key.map_or(0, BTreeSet::len) >= self.room.of_one {
            return Err(Refused::TooManyNonces);
        }
        let (keyid, nonce) = (used.keyid.to_owned(), used.nonce.to_owned());
        self.by_key.entry(keyid.clone()).or_default().insert(nonce.clone());
        self.by_expiry.insert((used.expires, keyid, nonce));
        Ok(())
    }

    /// How many are remembered.
    pub fn len(&self) -> usize {
        self.by_expiry.len()
    }

    pub fn is_empty(&self) -> bool {
        self.by_expiry.is_empty()
    }

    fn forget(&mut self, now: UnixMillis) {
        while self.by_expiry.first().is_some_and(|(expires, _, _)| *expires <= now) {
            let Some((expires, keyid, nonce)) = self.by_expiry.pop_first() else { return };
            self.forgotten = self.forgotten.max(expires);
            let Some(nonces) = self.by_key.get_mut(&keyid) else { continue };
            nonces.remove(&nonce);
            if nonces.is_empty() {
                self.by_key.remove(&keyid);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: UnixMillis = UnixMillis(1_000_000);
    const ROOM: Room = Room { of_all: 6, of_one: 4 };

    fn used<'s>(keyid: &'s str, nonce: &'s str, expires: u64) -> Used<'s> {
        Used { keyid, nonce, created: START.plus(LEEWAY_MS + 1), expires: START.plus(expires) }
    }

    #[test]
    fn a_nonce_is_taken_once_by_each_key_until_nobody_can_use_it() {
        let mut nonces = Nonces::starting(START, ROOM);
        assert_eq!(nonces.take(used("a", "1", 9_000), START.plus(6_000)), Ok(()));
        for now in [6_000, 8_999] {
            assert_eq!(nonces.take(used("a", "1", 9_000), START.plus(now)), Err(Refused::Replayed));
        }
        assert_eq!(nonces.take(used("b", "1", 9_000), START.plus(6_000)), Ok(()));
        assert_eq!(nonces.take(used("a", "2", 9_500), START.plus(9_000)), Ok(()));
        assert_eq!(nonces.len(), 1, "those that ended are forgotten");
    }

    #[test]
    fn a_clock_that_is_set_back_lets_nothing_through_again() {
        let mut nonces = Nonces::starting(START, ROOM);
        assert_eq!(nonces.take(used("a", "1", 9_000), START.plus(6_000)), Ok(()));
        assert_eq!(nonces.take(used("a", "2", 20_000), START.plus(10_000)), Ok(()));
        assert_eq!(nonces.take(used("a", "1", 9_000), START.plus(6_000)), Err(Refused::Replayed));
        assert_eq!(
            nonces.take(used("a", "3", 9_001), START.plus(6_000)),
            Ok(()),
            "that cannot have been used"
        );
    }

    #[test]
    fn what_may_have_been_taken_before_the_start_is_refused() {
        let mut nonces = Nonces::starting(START, ROOM);
        for (since, refused) in [(0, true), (LEEWAY_MS, true), (LEEWAY_MS + 1, false)] {
            let used = Used { created: START.plus(since), ..used("a", "1", 60_000) };
            let expected = if refused { Err(Refused::Starting) } else { Ok(()) };
            assert_eq!(nonces.take(used, START.plus(LEEWAY_MS)), expected, "{since}");
        }
    }

    #[test]
    fn a_full_table_refuses_and_forgets_nothing_and_no_key_fills_it_alone() {
        let mut nonces = Nonces::starting(START, ROOM);
        let now = START.plus(6_000);
        for nonce in ["1", "2", "3", "4"] {
            assert_eq!(nonces.take(used("a", nonce, 9_000), now), Ok(()));
        }
        assert_eq!(nonces.take(used("a", "5", 9_000), now), Err(Refused::TooManyNonces));
        assert_eq!(nonces.take(used("b", "1", 9_000), now), Ok(()));
        assert_eq!(nonces.take(used("c", "1", 9_000), now), Ok(()));
        assert_eq!(nonces.take(used("d", "1", 9_000), now), Err(Refused::TooManyNonces));
        assert_eq!(nonces.take(used("a", "1", 9_000), now), Err(Refused::Replayed));
        assert_eq!(nonces.take(used("a", "5", 20_000), START.plus(9_000)), Ok(()), "there is room again");
    }
}
