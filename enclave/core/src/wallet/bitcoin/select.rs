//! Which coins to spend: branch and bound for a set that needs no change (Erhardt, "An Evaluation of Coin Selection
//! Strategies", 2016), else the largest ones.
//!
//! Everything is reckoned in [`scaled`] satoshis, so that nothing is rounded before the end.

use super::account::Kind;
use super::draft::Coin;
use super::size::{FeeRate, input_weight, scaled};

/// The most coins that one transaction spends here.
pub const MAX_COINS: usize = 200;

/// Sets that are looked at before the search for one without change is given up.
const MAX_TRIES: u32 = 100_000;

/// What a coin gives to a payment: its value without what its input costs.
pub(super) fn effective(coin: &Coin, kind: Kind, rate: FeeRate) -> i128 {
    scaled(coin.value) - rate.scaled_fee(input_weight(kind))
}

/// Coins that give at least `target` and at most `target + slack` in all, with as little over as can be found.
pub(super) fn without_change(
    coins: &[Coin],
    kind: Kind,
    rate: FeeRate,
    target: i128,
    slack: i128,
) -> Option<Vec<Coin>> {
    let coins: Vec<Coin> = largest_first(coins).into_iter().take(MAX_COINS).collect();
    let values: Vec<i128> = coins.iter().map(|coin| effective(coin, kind, rate)).collect();
    let mut search = Search {
        values: &values,
        target,
        most: target.checked_add(slack)?,
        tries: MAX_TRIES,
        picked: Vec::new(),
        best: None,
    };
    search.look(0, 0, values.iter().sum());
    let (_, best) = search.best?;
    Some(coins.into_iter().enumerate().filter(|(at, _)| best.contains(at)).map(|(_, coin)| coin).collect())
}

/// The largest coins that give at least `target`.
pub(super) fn largest(coins: &[Coin], kind: Kind, rate: FeeRate, target: i128) -> Option<Vec<Coin>> {
    let mut picked = Vec::new();
    let mut sum = 0;
    for coin in largest_first(coins) {
        if sum >= target {
            break;
        }
        sum += effective(&coin, kind, rate);
        picked.push(coin);
    }
    (sum >= target).then_some(picked)
}

/// In an order that does not depend on how they were listed.
fn largest_first(coins: &[Coin]) -> Vec<Coin> {
    let mut sorted = coins.to_vec();
    sorted.sort_unstable_by(|one, other| {
        other.value.cmp(&one.value).then_with(|| one.outpoint.cmp(&other.outpoint))
    });
    sorted
}

/// A walk through the sets of coins, the larger coins first, each coin taken before it is left.
struct Search<'v> {
    /// Falling, and above zero.
    values: &'v [i128],
    target: i128,
    most: i128,
    tries: u32,
    picked: Vec<usize>,
    best: Option<(i128, Vec<usize>)>,
}

impl Search<'_> {
    /// `sum` is what is picked of the coins before `at`; `rest` what the others would give. At most [`MAX_COINS`] deep.
    fn look(&mut self, at: usize, sum: i128, rest: i128) {
        if self.tries == 0 || sum > self.most || sum + rest < self.target {
            return;
        }
        self.tries -= 1;
        if sum >= self.target {
            if self.best.as_ref().is_none_or(|(least, _)| sum < *least) {
                self.best = Some((sum, self.picked.clone()));
            }
            return;
        }
        let Some(value) = self.values.get(at).copied() else { return };
        self.picked.push(at);
        self.look(at + 1, sum + value, rest - value);
        self.picked.pop();
        self.look(at + 1, sum, rest - value);
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]
mod tests {
    use super::*;
    use crate::wallet::bitcoin::{Branch, OutPoint};
    use proptest::prelude::*;

    fn coins(values: &[u64]) -> Vec<Coin> {
        let coin = |(at, value): (usize, &u64)| Coin {
            outpoint: OutPoint { txid: [at.try_into().unwrap(); 32], index: 0 },
            value: *value,
            branch: Branch::Receive,
            index: 0,
        };
        values.iter().enumerate().map(coin).collect()
    }

    fn rate() -> FeeRate {
        FeeRate::new(1000).unwrap()
    }

    fn given(coins: &[Coin]) -> i128 {
        coins.iter().map(|coin| effective(coin, Kind::Taproot, rate())).sum()
    }

    #[test]
    fn a_set_that_fits_is_found_where_the_largest_coins_do_not_fit() {
        let coins = coins(&[100_000, 60_000, 50_000, 30_000, 7_000]);
        let target = given(&coins[2..4]);
        let found = without_change(&coins, Kind::Taproot, rate(), target, 0).unwrap();
        assert_eq!(found.iter().map(|coin| coin.value).collect::<Vec<_>>(), [50_000, 30_000]);
        assert_eq!(without_change(&coins, Kind::Taproot, rate(), target + 1, 0), None);
        assert_eq!(largest(&coins, Kind::Taproot, rate(), target).unwrap().len(), 1);
    }

    #[test]
    fn a_search_without_an_end_is_given_up() {
        let coins = coins(&(0..100).map(|at| 1_000_000 + at * 2).collect::<Vec<_>>());
        assert_eq!(without_change(&coins, Kind::Taproot, rate(), given(&coins) / 2 + 1, 0), None);
    }

    proptest! {
        #[test]
        fn what_is_found_fits_and_what_is_not_found_is_in_no_set(values in proptest::collection::vec(1_000_u64..50_000, 1..9), target in 1_000_u64..200_000, slack in 0_u64..3_000) {
            let coins = coins(&values);
            let (target, slack) = (scaled(target), scaled(slack));
            let fits = |sum: i128| sum >= target && sum <= target + slack;
            match without_change(&coins, Kind::Taproot, rate(), target, slack) {
                Some(found) => prop_assert!(fits(given(&found))),
                None => {
                    for set in 0_u32..1 << coins.len() {
                        let picked: Vec<Coin> = coins.iter().enumerate().filter(|(at, _)| set >> at & 1 == 1).map(|(_, coin)| *coin).collect();
                        prop_assert!(!fits(given(&picked)));
                    }
                }
            }
        }
    }
}
