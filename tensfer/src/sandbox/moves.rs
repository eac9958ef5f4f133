//! What was moved at an exchange since it started: withdrawals, transfers between accounts, orders and conversions. They change
//! what the accounts hold.

use super::amount::Amount;
use super::dialect::Exchange;
use super::refusal::Refusal;
use super::seed::{Account, Holding, Wallet};
use std::collections::HashMap;

/// One thing that was moved.
#[derive(Debug, Clone)]
pub struct Move {
    /// The exchange's id.
    pub id: String,
    /// The caller's, where it gave one.
    pub reference: Option<String>,
    pub kind: Kind,
    /// The asset's common symbol, and what left the wallet.
    pub symbol: String,
    pub amount: Amount,
    pub fee: Amount,
    pub from: String,
    /// A wallet of the same account that gets something: wallet, symbol, amount.
    pub to: Option<(String, String, Amount)>,
    pub address: String,
    pub network: String,
    /// Unix milliseconds.
    pub at: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Withdrawal,
    Transfer,
    Order,
    Conversion,
}

/// By account.
#[derive(Debug, Default)]
pub struct Moves(HashMap<(Exchange, String), Vec<Move>>);

impl Moves {
    /// Everything that an account moved, oldest first.
    pub fn of(&self, account: &Account) -> &[Move] {
        let key = (account.exchange, account.name.clone());
        self.0.get(&key).map(Vec::as_slice).unwrap_or_default()
    }

    /// Moves, if the wallet holds enough; gives it back with an id.
    ///
    /// # Errors
    /// [`Refusal::InsufficientFunds`], and nothing is moved.
    pub fn make(&mut self, account: &Account, moved: Move) -> Result<Move, Refusal> {
        let held = account.balances.get(&moved.from).and_then(|wallet| wallet.get(&moved.symbol));
        let free = held.and_then(|holding| holding.free.parse::<Amount>().ok()).unwrap_or(Amount::ZERO);
        if moved.amount == Amount::ZERO || free.minus(moved.amount).is_none() {
            return Err(Refusal::InsufficientFunds);
        }
        let all = self.0.entry((account.exchange, account.name.clone())).or_default();
        let id = account.uuid(&format!("move {}", all.len()));
        let moved = Move { id, ..moved };
        all.push(moved.clone());
        Ok(moved)
    }

    /// The account with what it moved taken out and put in.
    pub fn applied(&self, account: &Account) -> Account {
        let mut account = account.clone();
        for moved in self.of(&account).to_vec() {
            let wallet = account.balances.entry(moved.from).or_default();
            change(wallet, &moved.symbol, |free| free.minus(moved.amount).unwrap_or(Amount::ZERO));
            if let Some((to, symbol, amount)) = moved.to {
                change(account.balances.entry(to).or_default(), &symbol, |free| free.plus(amount));
            }
        }
        account
    }
}

fn change(wallet: &mut Wallet, symbol: &str, with: impl Fn(Amount) -> Amount) {
    let held = wallet.entry(symbol.to_owned()).or_insert_with(Holding::nothing);
    let amount = |text: &str| text.parse::<Amount>().unwrap_or(Amount::ZERO);
    let free = with(amount(&held.free));
    *held = Holding {
        free: free.to_string(),
        used: held.used.clone(),
        total: free.plus(amount(&held.used)).to_string(),
    };
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::seed;

    fn amount(text: &str) -> Amount {
        text.parse().unwrap()
    }

    #[test]
    fn what_is_moved_changes_what_is_held_and_never_more_than_is_there() {
        let mut accounts = seed::accounts(0).unwrap().into_iter();
        let account =
            accounts.find(|account| account.exchange == Exchange::Binance && account.name == "everything");
        let account = account.unwrap();
        let free = |account: &Account, wallet: &str, symbol: &str| {
            account.balances[wallet].get(symbol).map_or(Amount::ZERO, |held| amount(&held.free))
        };
        let before = free(&account, "spot", "USDC");
        let moved = Move {
            id: String::new(),
            reference: None,
            kind: Kind::Transfer,
            symbol: "USDC".to_owned(),
            amount: amount("5"),
            fee: Amount::ZERO,
            from: "spot".to_owned(),
            to: Some(("funding".to_owned(), "USDC".to_owned(), amount("5"))),
            address: String::new(),
            network: String::new(),
            at: 0,
        };
        let mut moves = Moves::default();
        moves.make(&account, moved.clone()).unwrap();
        let after = moves.applied(&account);
        assert_eq!(free(&after, "spot", "USDC").plus(amount("5")), before);
        assert_eq!(free(&after, "funding", "USDC"), free(&account, "funding", "USDC").plus(amount("5")));
        let all = Move { amount: before, ..moved };
        assert_eq!(moves.make(&after, all).unwrap_err(), Refusal::InsufficientFunds);
        assert_eq!(moves.of(&account).len(), 1);
    }
}
