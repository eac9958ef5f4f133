//! Nonces of owner-signed requests, so that none is carried out twice.

use crate::limits::{MAX_NONCES, MAX_NONCES_FOR_LINK};
use std::collections::{BTreeMap, BTreeSet};
use wire::operation::Op;
use wire::{Refusal, UnixMillis};

/// Ordered maps: nobody can choose nonces that collide.
#[derive(Default)]
pub(crate) struct Nonces {
    seen: BTreeSet<[u8; 16]>,
    by_expiry: BTreeMap<UnixMillis, Vec<[u8; 16]>>,
}

impl Nonces {
    /// Refuses a nonce that was used, and any nonce while there is no room to remember it.
    pub(crate) fn check(&self, nonce: &[u8; 16], op: Op) -> Result<(), Refusal> {
        if self.seen.contains(nonce) {
            return Err(Refusal::Replayed);
        }
        let room = if op == Op::Link { MAX_NONCES_FOR_LINK } else { MAX_NONCES };
        if self.seen.len() >= room {
            return Err(Refusal::Overloaded);
        }
        Ok(())
    }

    /// Remembers until the floor of the clock has passed `expires`.
    pub(crate) fn remember(&mut self, nonce: [u8; 16], expires: UnixMillis) {
        if self.seen.insert(nonce) {
            self.by_expiry.entry(expires).or_default().push(nonce);
        }
    }

    /// Forgets what nobody can replay any more. `floor` is the clock's floor, never the host's claim.
    pub(crate) fn forget_before(&mut self, floor: UnixMillis) {
        while let Some(entry) = self.by_expiry.first_entry() {
            if *entry.key() > floor {
                return;
            }
            for nonce in entry.remove() {
                self.seen.remove(&nonce);
            }
        }
    }

    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.seen.len()
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may fail loudly")]
mod tests {
    use super::*;

    fn nonce(number: usize) -> [u8; 16] {
        (number as u128).to_be_bytes()
    }

    #[test]
    fn m06_a_nonce_is_good_once_until_its_request_is_dead() {
        let mut nonces = Nonces::default();
        nonces.check(&nonce(1), Op::Inspect).unwrap();
        nonces.remember(nonce(1), UnixMillis(100));
        assert_eq!(nonces.check(&nonce(1), Op::Inspect), Err(Refusal::Replayed));
        nonces.forget_before(UnixMillis(99));
        assert_eq!(nonces.check(&nonce(1), Op::Inspect), Err(Refusal::Replayed));
        nonces.forget_before(UnixMillis(100));
        nonces.check(&nonce(1), Op::Inspect).unwrap();
        assert_eq!(nonces.len(), 0);
    }

    #[test]
    fn a_full_table_refuses_and_forgets_nothing() {
        let mut nonces = Nonces::default();
        for number in 0..MAX_NONCES {
            nonces.remember(nonce(number), UnixMillis(100));
        }
        assert_eq!(nonces.check(&nonce(MAX_NONCES), Op::Inspect), Err(Refusal::Overloaded));
        assert_eq!(nonces.check(&nonce(0), Op::Inspect), Err(Refusal::Replayed));
        nonces.forget_before(UnixMillis(100));
        nonces.check(&nonce(MAX_NONCES), Op::Inspect).unwrap();
    }

    #[test]
    fn strangers_who_link_as_fast_as_they_can_keep_no_owner_out() {
        let mut nonces = Nonces::default();
        let taken = (0..MAX_NONCES).find(|number| match nonces.check(&nonce(*number), Op::Link) {
            Ok(()) => {
                nonces.remember(nonce(*number), UnixMillis(100));
                false
            }
            Err(refusal) => refusal == Refusal::Overloaded,
        });
        assert_eq!(taken, Some(MAX_NONCES_FOR_LINK));
        for op in Op::ALL.into_iter().filter(|op| *op != Op::Link) {
            nonces.check(&nonce(MAX_NONCES), op).unwrap();
        }
    }
}
