//! Nonces of owner-signed requests, so that none is carried out twice.

use crate::limits::MAX_NONCES;
use std::collections::{BTreeMap, BTreeSet};
use wire::{Refusal, UnixMillis};

/// Ordered maps: nobody can choose nonces that collide.
#[derive(Default)]
pub(crate) struct Nonces {
    seen: BTreeSet<[u8; 16]>,
    by_expiry: BTreeMap<UnixMillis, Vec<[u8; 16]>>,
}

impl Nonces {
    /// Refuses a nonce that was used, and any nonce while there is no room to remember it.
    pub(crate) fn check(&self, nonce: &[u8; 16]) -> Result<(), Refusal> {
        if self.seen.contains(nonce) {
            return Err(Refusal::Replayed);
        }
        if self.seen.len() >= MAX_NONCES {
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
        nonces.check(&nonce(1)).unwrap();
        nonces.remember(nonce(1), UnixMillis(100));
        assert_eq!(nonces.check(&nonce(1)), Err(Refusal::Replayed));
        nonces.forget_before(UnixMillis(99));
        assert_eq!(nonces.check(&nonce(1)), Err(Refusal::Replayed));
        nonces.forget_before(UnixMillis(100));
        nonces.check(&nonce(1)).unwrap();
        assert_eq!(nonces.len(), 0);
    }

    #[test]
    fn a_full_table_refuses_and_forgets_nothing() {
        let mut nonces = Nonces::default();
        for number in 0..MAX_NONCES {
            nonces.remember(nonce(number), UnixMillis(100));
        }
        assert_eq!(nonces.check(&nonce(MAX_NONCES)), Err(Refusal::Overloaded));
        assert_eq!(nonces.check(&nonce(0)), Err(Refusal::Replayed));
        nonces.forget_before(UnixMillis(100));
        nonces.check(&nonce(MAX_NONCES)).unwrap();
    }
}
