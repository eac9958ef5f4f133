//! Nonces of owner-signed requests, so that none is carried out twice.

use crate::credentials::HolderName;
use crate::limits::{MAX_NONCES, MAX_NONCES_FOR_LINK, MAX_NONCES_OF_ONE};
use std::collections::{BTreeMap, BTreeSet};
use wire::operation::Op;
use wire::{Refusal, UnixMillis};

/// Ordered maps: nobody can choose nonces that collide.
#[derive(Default)]
pub(crate) struct Nonces {
    seen: BTreeSet<[u8; 16]>,
    by_expiry: BTreeMap<UnixMillis, Vec<([u8; 16], Requester)>>,
    by_holder: BTreeMap<HolderName, u32>,
}

/// Whose room a nonce takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Requester {
    /// A link, or what begins and finishes one by OAuth or by a wallet's signature: anybody with fresh keys. All of them together have half of
    /// the table.
    Newcomer,
    /// Whose envelope opened: each has a quota of their own.
    Holder(HolderName),
}

impl Nonces {
    /// Refuses a nonce that was used, and any nonce while there is no room to remember it.
    pub(crate) fn check(&self, nonce: &[u8; 16], op: Op) -> Result<(), Refusal> {
        if self.seen.contains(nonce) {
            return Err(Refusal::Replayed);
        }
        let is_newcomer = matches!(op, Op::Link | Op::Begin | Op::Finish | Op::Challenge | Op::Prove);
        let room = if is_newcomer { MAX_NONCES_FOR_LINK } else { MAX_NONCES };
        if self.seen.len() >= room {
            return Err(Refusal::Overloaded);
        }
        Ok(())
    }

    /// Remembers until the floor of the clock has passed `expires`, unless the requester has used up its quota. To be
    /// called for requests that their owner signed: nobody uses up another's.
    pub(crate) fn remember(
        &mut self,
        nonce: [u8; 16],
        expires: UnixMillis,
        requester: Requester,
    ) -> Result<(), Refusal> {
        if let Requester::Holder(name) = requester {
            let used = self.by_holder.entry(name).or_default();
            if *used >= MAX_NONCES_OF_ONE {
                return Err(Refusal::QuotaReached);
            }
            *used += 1;
        }
        self.seen.insert(nonce);
        self.by_expiry.entry(expires).or_default().push((nonce, requester));
        Ok(())
    }

    /// Forgets what nobody can replay any more. `floor` is the clock's floor, never the host's claim.
    pub(crate) fn forget_before(&mut self, floor: UnixMillis) {
        while let Some(entry) = self.by_expiry.first_entry() {
            if *entry.key() > floor {
                return;
            }
            for (nonce, requester) in entry.remove() {
                self.seen.remove(&nonce);
                self.give_back(requester);
            }
        }
    }

    fn give_back(&mut self, requester: Requester) {
        let Requester::Holder(name) = requester else { return };
        if let Some(used) = self.by_holder.get_mut(&name) {
            *used = used.saturating_sub(1);
            if *used == 0 {
                self.by_holder.remove(&name);
            }
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may fail loudly")]
mod tests {
    use super::*;

    const END: UnixMillis = UnixMillis(100);

    fn nonce(number: usize) -> [u8; 16] {
        (number as u128).to_be_bytes()
    }

    fn holder(number: usize) -> Requester {
        Requester::Holder(HolderName::numbered(number))
    }

    /// A holder for every quota's worth of numbers.
    fn holder_of(number: usize) -> Requester {
        holder(number / MAX_NONCES_OF_ONE as usize)
    }

    #[test]
    fn m06_a_nonce_is_good_once_until_its_request_is_dead() {
        let mut nonces = Nonces::default();
        nonces.check(&nonce(1), Op::Inspect).unwrap();
        nonces.remember(nonce(1), END, holder(1)).unwrap();
        assert_eq!(nonces.check(&nonce(1), Op::Inspect), Err(Refusal::Replayed));
        nonces.forget_before(UnixMillis(99));
        assert_eq!(nonces.check(&nonce(1), Op::Inspect), Err(Refusal::Replayed));
        nonces.forget_before(END);
        nonces.check(&nonce(1), Op::Inspect).unwrap();
        assert!(nonces.seen.is_empty() && nonces.by_holder.is_empty() && nonces.by_expiry.is_empty());
    }

    #[test]
    fn a_full_table_refuses_and_forgets_nothing() {
        let mut nonces = Nonces::default();
        for number in 0..MAX_NONCES {
            nonces.remember(nonce(number), END, holder_of(number)).unwrap();
        }
        assert_eq!(nonces.check(&nonce(MAX_NONCES), Op::Inspect), Err(Refusal::Overloaded));
        assert_eq!(nonces.check(&nonce(0), Op::Inspect), Err(Refusal::Replayed));
        nonces.forget_before(END);
        nonces.check(&nonce(MAX_NONCES), Op::Inspect).unwrap();
    }

    #[test]
    fn one_holder_who_asks_without_end_keeps_no_other_out_and_is_heard_again_later() {
        let mut nonces = Nonces::default();
        let quota = MAX_NONCES_OF_ONE as usize;
        for number in 0..quota {
            nonces.remember(nonce(number), END, holder(1)).unwrap();
        }
        let one_more = nonce(quota);
        assert_eq!(nonces.remember(one_more, END, holder(1)), Err(Refusal::QuotaReached));
        assert_eq!(nonces.check(&one_more, Op::Inspect), Ok(()), "what was refused was not spent");
        nonces.remember(one_more, END, holder(2)).unwrap();
        nonces.forget_before(END);
        nonces.remember(one_more, UnixMillis(200), holder(1)).unwrap();
        assert_eq!(nonces.by_holder.len(), 1, "who has nothing remembered is not remembered");
    }

    #[test]
    fn strangers_who_link_as_fast_as_they_can_keep_no_owner_out() {
        let mut nonces = Nonces::default();
        let taken = (0..MAX_NONCES).find(|number| match nonces.check(&nonce(*number), Op::Link) {
            Ok(()) => nonces.remember(nonce(*number), END, Requester::Newcomer).is_err(),
            Err(refusal) => refusal == Refusal::Overloaded,
        });
        assert_eq!(taken, Some(MAX_NONCES_FOR_LINK));
        let newcomers = [Op::Link, Op::Begin, Op::Finish, Op::Challenge, Op::Prove];
        assert!(newcomers.into_iter().all(|op| nonces.check(&nonce(MAX_NONCES), op).is_err()));
        for op in Op::ALL.into_iter().filter(|op| !newcomers.contains(op)) {
            nonces.check(&nonce(MAX_NONCES), op).unwrap();
        }
    }
}
