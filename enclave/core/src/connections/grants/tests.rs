#![expect(clippy::unwrap_used, reason = "a test may fail loudly")]

use super::*;
use proptest::prelude::*;
use wire::owner::{OwnerAlgorithm, OwnerKey, OwnerRole};

const START: u64 = 1_000_000;
const END: u64 = 9_000_000;

fn terms(uses: u32, rate: Option<Rate>) -> Terms {
    let key = OwnerKey::new(OwnerAlgorithm::EdDsa, vec![1; 32], OwnerRole::Device);
    let (from, expires) = (UnixMillis(START), UnixMillis(END));
    Terms { key, ops: vec![Op::Balances], from, expires, uses, rate }
}

fn fresh() -> GrantState {
    let expires = UnixMillis(END);
    GrantState { id: GrantId([1; 16]), key: [2; 16], expires, epoch: 1, used: 0, last: None, window: None }
}

fn uses_at(times: &[u64], terms: &Terms) -> (Vec<u64>, GrantState) {
    let mut state = fresh();
    let mut taken = Vec::new();
    for time in times {
        if let Ok(next) = used_once_more(&state, terms, Op::Balances, UnixMillis(*time)) {
            state = next;
            taken.push(state.last.unwrap().0);
        }
    }
    (taken, state)
}

#[test]
fn a_clock_that_is_set_back_gives_nothing_that_was_over_again() {
    let (almost, earlier) = (END - 1, START);
    let state = used_once_more(&fresh(), &terms(9, None), Op::Balances, UnixMillis(almost)).unwrap();
    let again = used_once_more(&state, &terms(9, None), Op::Balances, UnixMillis(earlier)).unwrap();
    assert_eq!((again.used, again.last), (2, Some(UnixMillis(almost))), "time does not go back");
    let over = GrantState { last: Some(UnixMillis(END)), ..state };
    let refused = used_once_more(&over, &terms(9, None), Op::Balances, UnixMillis(earlier));
    assert_eq!(refused, Err(Refusal::GrantOver));
}

#[test]
fn the_largest_number_of_uses_is_the_last_one() {
    let full = GrantState { used: u32::MAX, ..fresh() };
    let refused = used_once_more(&full, &terms(u32::MAX, None), Op::Balances, UnixMillis(START));
    assert_eq!(refused, Err(Refusal::GrantUsedUp));
}

proptest! {
    #[test]
    fn whatever_the_clock_says_no_more_is_taken_than_was_granted(
        times in prop::collection::vec(0..10_000_000u64, 0..200),
        uses in 1..60u32,
        rate in prop::option::of((1..6u32, 60_000..900_000u64)),
    ) {
        let rate = rate.map(|(uses, period)| Rate { uses, period });
        let terms = terms(uses, rate);
        let (taken, state) = uses_at(&times, &terms);
        prop_assert_eq!(taken.len(), state.used as usize);
        prop_assert!(taken.len() <= uses as usize);
        prop_assert!(taken.iter().all(|time| (START..END).contains(time)));
        prop_assert!(taken.is_sorted());
        if let Some(Rate { uses, period }) = rate {
            // Spans begin with a use: at most so many in each, hence at most twice as many in any span of that length.
            let within = |from: &u64| taken.iter().filter(|at| (*from..from + period).contains(*at)).count();
            prop_assert!(taken.iter().all(|from| within(from) <= 2 * uses as usize));
            let first = taken.first().map_or(0, within);
            prop_assert!(first <= uses as usize);
        }
    }
}
