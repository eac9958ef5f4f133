//! Builds transfers: of a chain's coin, and of tokens.

use super::{Address, Call, Transaction};
use crate::wallet::payment::{Amount, Unbuildable};
use crate::wallet::u256::U256;

/// What a transfer of coins to an account without code uses, on most chains.
const PLAIN_GAS: u64 = 21_000;

/// No transfer uses more: whoever estimates it higher is wrong, or the contract does something else.
const MAX_GAS: u64 = 5_000_000;

/// Wei for each unit of gas (EIP-1559).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fees {
    /// In all.
    pub max_fee: u128,
    /// Above the block's base fee.
    pub priority: u128,
}

/// What is moved, and to whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Payment {
    /// Absent for the chain's coin.
    pub token: Option<Address>,
    pub to: Address,
    pub amount: Amount,
}

/// What a transaction takes from the state of its account and chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    pub chain_id: u64,
    pub nonce: u64,
    pub gas_limit: u64,
    pub fees: Fees,
}

impl Fees {
    /// Twice the next block's base fee, so that it holds while the base fee rises for six full blocks; and the median of
    /// what recent blocks gave above it.
    pub fn of_history(next_base_fee: u128, rewards: &[u128]) -> Result<Fees, Unbuildable> {
        let mut given: Vec<u128> = rewards.iter().copied().filter(|reward| *reward > 0).collect();
        given.sort_unstable();
        let priority = given.get(given.len() / 2).copied().unwrap_or((next_base_fee / 10).max(1));
        let max_fee = next_base_fee.checked_mul(2).and_then(|fee| fee.checked_add(priority));
        Ok(Fees { max_fee: max_fee.ok_or(Unbuildable::Fee)?, priority })
    }

    /// Not less than what nodes want of a transaction that takes the place of another with these fees: they ask for an
    /// eighth more at most, of both.
    pub fn above(self, former: Fees) -> Result<Fees, Unbuildable> {
        let raised = |fee: u128| fee.checked_add(fee / 8).and_then(|fee| fee.checked_add(1));
        let priority = raised(former.priority).ok_or(Unbuildable::Fee)?.max(self.priority);
        let max_fee = raised(former.max_fee).ok_or(Unbuildable::Fee)?.max(self.max_fee).max(priority);
        Ok(Fees { max_fee, priority })
    }
}

/// The gas limit for an estimate: a fifth more, because the state may be another when the transaction is included; exact
/// where there is nothing to run.
pub fn gas_limit(estimate: u64) -> Result<u64, Unbuildable> {
    match estimate {
        PLAIN_GAS => Ok(PLAIN_GAS),
        0..PLAIN_GAS | MAX_GAS.. => Err(Unbuildable::Fee),
        more => Ok(more + more / 5),
    }
}

impl Payment {
    /// The transaction that makes this payment, from an account with these balances of the coin and of the token.
    pub fn build(&self, place: Place, coins: U256, tokens: U256) -> Result<Transaction, Unbuildable> {
        let max_fee = U256::from(place.fees.max_fee).checked_mul(place.gas_limit).ok_or(Unbuildable::Fee)?;
        let held = if self.token.is_some() { tokens } else { coins };
        let (amount, needed) = match (self.amount, self.token) {
            (Amount::Arriving(amount), Some(_)) => (amount, max_fee),
            (Amount::Leaving(_), Some(_)) => return Err(Unbuildable::FeeApart),
            (Amount::Arriving(amount), None) => {
                (amount, amount.checked_add(max_fee).ok_or(Unbuildable::Funds)?)
            }
            (Amount::Leaving(all), None) => (all.checked_sub(max_fee).ok_or(Unbuildable::Funds)?, all),
        };
        if amount > held || needed > coins {
            return Err(Unbuildable::Funds);
        }
        if amount == U256::ZERO || self.to == Address([0; 20]) {
            return Err(if amount == U256::ZERO { Unbuildable::Dust } else { Unbuildable::Recipient });
        }
        let (to, value, data) = match self.token {
            Some(token) => (token, U256::ZERO, Call::Transfer { to: self.to, amount }.encode()),
            None => (self.to, amount, Vec::new()),
        };
        Ok(Transaction {
            chain_id: place.chain_id,
            nonce: place.nonce,
            max_priority_fee_per_gas: place.fees.priority,
            max_fee_per_gas: place.fees.max_fee,
            gas_limit: place.gas_limit,
            to,
            value,
            data,
        })
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const TO: Address = Address([0x42; 20]);

    fn place(fee: u64, gas_limit: u64) -> Place {
        let fees = Fees { max_fee: fee.into(), priority: (fee / 3).into() };
        Place { chain_id: 1, nonce: 7, gas_limit, fees }
    }

    #[test]
    fn fees_hold_while_the_base_fee_doubles_and_give_what_others_give() {
        let fees = Fees::of_history(100, &[0, 9, 1, 0, 3]).unwrap();
        assert_eq!(fees, Fees { max_fee: 203, priority: 3 });
        assert_eq!(Fees::of_history(100, &[]).unwrap(), Fees { max_fee: 210, priority: 10 });
        assert_eq!(Fees::of_history(0, &[0]).unwrap(), Fees { max_fee: 1, priority: 1 });
        assert_eq!(Fees::of_history(u128::MAX, &[1]), Err(Unbuildable::Fee));
    }

    #[test]
    fn a_limit_has_a_margin_unless_nothing_is_run() {
        assert_eq!(gas_limit(21_000), Ok(21_000));
        assert_eq!(gas_limit(50_000), Ok(60_000));
        for senseless in [0, 20_999, MAX_GAS, u64::MAX] {
            assert_eq!(gas_limit(senseless), Err(Unbuildable::Fee));
        }
    }

    #[test]
    fn tokens_pay_no_fees() {
        let leaving = Payment { token: Some(TO), to: TO, amount: Amount::Leaving(U256::from(5_u64)) };
        let (many, few) = (U256::from(u64::MAX), U256::from(4_u64));
        assert_eq!(leaving.build(place(1, 21_000), many, many), Err(Unbuildable::FeeApart));
        let arriving = Payment { amount: Amount::Arriving(U256::from(5_u64)), ..leaving };
        assert_eq!(arriving.build(place(1, 21_000), many, few), Err(Unbuildable::Funds));
        assert_eq!(arriving.build(place(1, 21_000), few, many), Err(Unbuildable::Funds));
        let built = arriving.build(place(1, 21_000), many, many).unwrap();
        assert_eq!((built.value, built.to), (U256::ZERO, TO));
    }

    #[test]
    fn nothing_is_sent_to_nobody() {
        let many = U256::from(u64::MAX);
        let burnt =
            Payment { token: None, to: Address([0; 20]), amount: Amount::Arriving(U256::from(5_u64)) };
        assert_eq!(burnt.build(place(1, 21_000), many, many), Err(Unbuildable::Recipient));
        let nothing = Payment { to: TO, amount: Amount::Arriving(U256::ZERO), ..burnt };
        assert_eq!(nothing.build(place(1, 21_000), many, many), Err(Unbuildable::Dust));
    }

    proptest! {
        #[test]
        fn amount_and_fee_are_never_more_than_there_is(coins: u64, asked: u64, fee in 0_u64..1_000_000_000, gas in 21_000_u64..5_000_000, leaving: bool) {
            let (held, asked) = (U256::from(coins), U256::from(asked));
            let amount = if leaving { Amount::Leaving(asked) } else { Amount::Arriving(asked) };
            let built = Payment { token: None, to: TO, amount }.build(place(fee, gas), held, U256::ZERO);
            let Ok(built) = built else { return Ok(()) };
            let shown = built.summary().unwrap();
            let spent = shown.amount.checked_add(shown.max_fee).unwrap();
            prop_assert!(spent <= held);
            prop_assert_eq!(&shown.to, &TO.to_string());
            prop_assert_eq!(if leaving { spent } else { shown.amount }, asked);
            prop_assert_eq!(Transaction::decode(&built.encode()), Ok(built));
        }

        #[test]
        fn what_replaces_gives_an_eighth_more(fee in 0_u64.., tip: u32, next in 0_u64..) {
            let former = Fees { max_fee: fee.into(), priority: tip.into() };
            let replaced = Fees::of_history(next.into(), &[]).unwrap().above(former).unwrap();
            prop_assert!(replaced.max_fee * 1000 > former.max_fee * 1124);
            prop_assert!(replaced.priority * 1000 > former.priority * 1124);
            prop_assert!(replaced.priority <= replaced.max_fee);
        }
    }
}
