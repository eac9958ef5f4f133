//! Builds transfers: which coins are spent, what is left over, and when the transaction is valid.

use super::account::{Account, Kind};
use super::draft::{Coin, Draft};
use super::select::{self, MAX_COINS};
use super::size::{FRAME_WEIGHT, FeeRate, dust, input_weight, output_weight, scaled, scaled_rounding};
use super::transaction::{Input, MAX_MONEY, OutPoint, Output, Transaction};
use super::{Address, Branch};
use crate::wallet::payment::{Amount, Unbuildable};

/// What is paid, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payment {
    pub to: Address,
    pub amount: Amount,
    pub rate: FeeRate,
    /// Where change goes: the account's next index on branch 1.
    pub change: u32,
    /// The chain's height. The transaction is valid in the next block and later ones, so that no one gains by mining the
    /// last block again for its fees ("fee sniping").
    pub height: u32,
}

/// May be replaced by one with a higher fee (BIP 125), and obeys its lock time.
const SEQUENCE: u32 = 0xffff_fffd;

/// Lock times from here on are times and no heights.
const MAX_HEIGHT: u32 = 500_000_000;

/// Satoshis for a thousand virtual bytes that a replacement pays above what it replaces, whatever its own rate (BIP 125, rule 4).
const REPLACEMENT_RATE: u64 = 1000;

impl Payment {
    /// The transaction that makes this payment from some of `coins`, all of them if they are what is to leave.
    pub fn build(&self, account: &Account, coins: &[Coin]) -> Result<Draft, Unbuildable> {
        let plan = Plan::of(self, account)?;
        let spendable: Vec<Coin> = coins.iter().copied().filter(|coin| plan.is_worth_it(coin)).collect();
        let (coins, change) = match self.amount {
            Amount::Arriving(amount) => plan.arriving(&spendable, satoshis(amount)?)?,
            Amount::Leaving(all) => plan.leaving(&spendable, satoshis(all)?)?,
        };
        plan.draft(coins, change)
    }

    /// The most that can leave the account in one such payment.
    pub fn most(&self, account: &Account, coins: &[Coin]) -> Result<u64, Unbuildable> {
        let plan = Plan::of(self, account)?;
        let mut values: Vec<u64> =
            coins.iter().filter(|coin| plan.is_worth_it(coin)).map(|coin| coin.value).collect();
        values.sort_unstable_by(|one, other| other.cmp(one));
        Ok(values.into_iter().take(MAX_COINS).fold(0, u64::saturating_add))
    }

    /// The transaction that takes the place of `former`: it spends the same coins, so that never both can be, pays the
    /// same, and gives more to whoever mines it, from its change or, where the fee was taken out of the amount, from that.
    pub fn replace(&self, account: &Account, former: &Draft) -> Result<Draft, Unbuildable> {
        let plan = Plan::of(self, account)?;
        let sum = total(&former.coins)?;
        let paid: u64 =
            former.transaction.outputs.iter().map(|output| output.value).fold(0, u64::saturating_add);
        let former_fee = sum.checked_sub(paid).ok_or(Unbuildable::Fee)?;
        let fee_with = |has_change: bool| {
            let weight = plan.weight(former.coins.len(), has_change);
            let step = weight.saturating_mul(REPLACEMENT_RATE).div_ceil(4000);
            self.rate.fee(weight).max(former_fee.saturating_add(step))
        };
        let (arriving, change) = match self.amount {
            Amount::Arriving(amount) => {
                let amount = satoshis(amount)?;
                let left = |fee: u64| sum.checked_sub(amount).and_then(|rest| rest.checked_sub(fee));
                left(fee_with(false)).ok_or(Unbuildable::Funds)?;
                (amount, left(fee_with(true)).filter(|change| *change >= plan.change_dust))
            }
            Amount::Leaving(all) => {
                let all = satoshis(all)?;
                let change = sum.checked_sub(all).ok_or(Unbuildable::Funds)?;
                let change = Some(change).filter(|change| *change > 0);
                if change.is_some_and(|change| change < plan.change_dust) {
                    return Err(Unbuildable::Dust);
                }
                let fee = fee_with(change.is_some());
                (all.checked_sub(fee).ok_or(Unbuildable::Funds)?, change)
            }
        };
        plan.draft(former.coins.clone(), Chosen { arriving, change })
    }
}

/// What arrives and what is left over. Whatever else the coins hold is the fee.
struct Chosen {
    arriving: u64,
    change: Option<u64>,
}

/// A payment with what follows from it.
struct Plan<'p> {
    payment: &'p Payment,
    kind: Kind,
    to: Vec<u8>,
    change: Vec<u8>,
    change_dust: u64,
}

impl<'p> Plan<'p> {
    fn of(payment: &'p Payment, account: &Account) -> Result<Plan<'p>, Unbuildable> {
        if !payment.to.is_on(account.network()) || payment.height >= MAX_HEIGHT {
            return Err(Unbuildable::Recipient);
        }
        let change = account.address(Branch::Change, payment.change).map_err(|_| Unbuildable::Pieces)?;
        let change = change.destination.script();
        let change_dust = dust(&change);
        let to = payment.to.destination.script();
        Ok(Plan { payment, kind: account.kind(), to, change, change_dust })
    }

    /// Whether a coin gives more than its input costs.
    fn is_worth_it(&self, coin: &Coin) -> bool {
        select::effective(coin, self.kind, self.payment.rate) > 0
    }

    fn weight(&self, inputs: usize, has_change: bool) -> u64 {
        let change = if has_change { output_weight(&self.change) } else { 0 };
        FRAME_WEIGHT + input_weight(self.kind) * inputs as u64 + output_weight(&self.to) + change
    }

    /// The fee comes on top of `amount`.
    fn arriving(&self, coins: &[Coin], amount: u64) -> Result<(Vec<Coin>, Chosen), Unbuildable> {
        let rate = self.payment.rate;
        let target = scaled(amount) + rate.scaled_fee(self.weight(0, false)) + scaled_rounding(rate);
        // What change would cost, now and when it is spent: less than that is better given to who mines.
        let change_cost = rate.scaled_fee(output_weight(&self.change) + input_weight(self.kind));
        if let Some(coins) = select::without_change(coins, self.kind, rate, target, change_cost) {
            return Ok((coins, Chosen { arriving: amount, change: None }));
        }
        let with_change = target + rate.scaled_fee(output_weight(&self.change)) + scaled(self.change_dust);
        let coins = select::largest(coins, self.kind, rate, with_change)
            .or_else(|| select::largest(coins, self.kind, rate, target))
            .ok_or(Unbuildable::Funds)?;
        let fee = rate.fee(self.weight(coins.len(), true));
        let change = total(&coins)?.checked_sub(amount).and_then(|rest| rest.checked_sub(fee));
        Ok((coins, Chosen { arriving: amount, change: change.filter(|change| *change >= self.change_dust) }))
    }

    /// The fee is taken out of `all`, which is what leaves, to the satoshi.
    fn leaving(&self, coins: &[Coin], all: u64) -> Result<(Vec<Coin>, Chosen), Unbuildable> {
        let picked = if total(coins)? == all { coins.to_vec() } else { self.worth(coins, all)? };
        let left = |picked: &[Coin]| Ok(total(picked)?.checked_sub(all).filter(|left| *left > 0));
        let (picked, change) = match left(&picked)? {
            Some(left_over) if left_over < self.change_dust => {
                let more = self.worth(coins, all.saturating_add(self.change_dust));
                let more = more.map_err(|_| Unbuildable::Dust)?;
                let change = left(&more)?;
                (more, change)
            }
            change => (picked, change),
        };
        let fee = self.payment.rate.fee(self.weight(picked.len(), change.is_some()));
        Ok((picked, Chosen { arriving: all.checked_sub(fee).ok_or(Unbuildable::Funds)?, change }))
    }

    /// The largest coins that are worth `all` together, without regard to fees.
    fn worth(&self, coins: &[Coin], all: u64) -> Result<Vec<Coin>, Unbuildable> {
        let mut sorted = coins.to_vec();
        sorted.sort_unstable_by(|one, other| {
            other.value.cmp(&one.value).then_with(|| one.outpoint.cmp(&other.outpoint))
        });
        let mut sum = 0_u64;
        let picked: Vec<Coin> = sorted
            .into_iter()
            .take_while(|coin| {
                let is_needed = sum < all;
                sum = sum.saturating_add(coin.value);
                is_needed
            })
            .collect();
        if total(&picked)? >= all { Ok(picked) } else { Err(Unbuildable::Funds) }
    }

    fn draft(&self, mut coins: Vec<Coin>, chosen: Chosen) -> Result<Draft, Unbuildable> {
        if coins.len() > MAX_COINS {
            return Err(Unbuildable::Pieces);
        }
        if chosen.arriving < dust(&self.to) {
            return Err(Unbuildable::Dust);
        }
        coins.sort_unstable_by_key(|coin| place(&coin.outpoint));
        let inputs = coins.iter().map(|coin| Input {
            previous: coin.outpoint,
            script_sig: Vec::new(),
            sequence: SEQUENCE,
            witness: Vec::new(),
        });
        let mut outputs = vec![Output { value: chosen.arriving, script: self.to.clone() }];
        outputs.extend(chosen.change.map(|value| Output { value, script: self.change.clone() }));
        outputs.sort_unstable_by(|one, other| (one.value, &one.script).cmp(&(other.value, &other.script)));
        let transaction =
            Transaction { version: 2, inputs: inputs.collect(), outputs, lock_time: self.payment.height };
        Ok(Draft { transaction, coins, change: chosen.change.map(|_| self.payment.change) })
    }
}

/// Where an input stands (BIP 69): by the id as texts show it, then by the output's place.
fn place(outpoint: &OutPoint) -> ([u8; 32], u32) {
    let mut id = outpoint.txid;
    id.reverse();
    (id, outpoint.index)
}

fn total(coins: &[Coin]) -> Result<u64, Unbuildable> {
    let sum = coins.iter().try_fold(0_u64, |sum, coin| sum.checked_add(coin.value));
    sum.filter(|sum| *sum <= MAX_MONEY).ok_or(Unbuildable::Fee)
}

fn satoshis(amount: crate::wallet::u256::U256) -> Result<u64, Unbuildable> {
    amount.as_u64().filter(|amount| *amount <= MAX_MONEY).ok_or(Unbuildable::Funds)
}

#[cfg(test)]
mod tests;
