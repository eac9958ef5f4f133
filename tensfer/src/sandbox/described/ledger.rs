//! What was moved at described exchanges since the sandbox started, and what the accounts hold since then.

use super::account::{Account, Holding};
use super::plan::completed;
use std::collections::HashMap;
use wire::Decimal;

/// One withdrawal, transfer, order or conversion.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moved {
    /// The exchange's id.
    pub id: String,
    /// `transfer`, `withdraw`, `convert`, `order`.
    pub operation: String,
    /// What the request said, by the names that the file gives it.
    pub arguments: Vec<(String, String)>,
    /// The value of the parameter of which the exchange takes each once.
    pub once: Option<String>,
    pub out: Entry,
    /// What arrives in the same account; of a withdrawal nothing.
    pub into: Option<Entry>,
    /// Part of `out`.
    pub fee: Decimal,
    pub at_ms: u64,
}

/// A change of one account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The type of account; where the request says nothing, the usual one of those that hold enough.
    pub account: Option<String>,
    /// The common symbol.
    pub asset: String,
    pub amount: Decimal,
}

/// A price that an exchange stands by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quote {
    pub id: String,
    pub out: Entry,
    pub into: Entry,
}

impl Moved {
    pub fn argument(&self, name: &str) -> Option<&str> {
        self.arguments.iter().find(|(known, _)| known == name).map(|(_, text)| text.as_str())
    }

    /// What the question says, and behind it what the request said: answers are read with both.
    pub fn known(&self, asked: &[(String, String)]) -> Vec<(String, String)> {
        [asked, &self.arguments].concat()
    }

    /// What of it arrives outside, or leaves without a fee.
    pub fn net(&self) -> Decimal {
        self.out.amount.checked_sub(self.fee).unwrap_or(self.out.amount)
    }

    /// The caller's id of it, in whatever form it came.
    pub fn references(&self) -> impl Iterator<Item = &str> {
        let is_reference = |(name, _): &&(String, String)| name.starts_with("reference");
        self.arguments.iter().filter(is_reference).map(|(_, text)| text.as_str())
    }
}

/// By exchange and account.
#[derive(Debug, Default)]
pub struct Ledger {
    moved: HashMap<(String, &'static str), Vec<Moved>>,
    quotes: Vec<Quote>,
}

impl Ledger {
    /// Everything that an account moved, oldest first.
    pub fn of(&self, exchange: &str, account: &str) -> &[Moved] {
        let found = self.moved.iter().find(|((id, name), _)| id == exchange && *name == account);
        found.map(|(_, moved)| moved.as_slice()).unwrap_or_default()
    }

    /// Moves, if the account holds enough; gives it back with an id. `None`: it does not.
    pub fn make(&mut self, exchange: &str, account: &Account, moved: Moved) -> Option<Moved> {
        let mut trial = self.applied(exchange, account);
        if moved.out.amount.is_zero() || !apply(&mut trial.holdings, &moved) {
            return None;
        }
        let all = self.moved.entry((exchange.to_owned(), account.name)).or_default();
        let id = (7_000_001 + all.len()).to_string();
        let moved = Moved { id, ..moved };
        all.push(moved.clone());
        Some(moved)
    }

    pub fn quote(&mut self, out: Entry, into: Entry) -> Quote {
        let quote = Quote { id: (5_000_001 + self.quotes.len()).to_string(), out, into };
        self.quotes.push(quote.clone());
        quote
    }

    pub fn quoted(&self, id: &str) -> Option<&Quote> {
        self.quotes.iter().find(|quote| quote.id == id)
    }

    /// The account with what it moved taken out and put in.
    pub fn applied(&self, exchange: &str, account: &Account) -> Account {
        let mut account = account.clone();
        for moved in self.of(exchange, account.name) {
            apply(&mut account.holdings, moved);
        }
        account
    }
}

/// Types of account in the order in which one is meant that is not named.
const USUAL: [&str; 3] = ["spot", "unified", "funding"];

/// Whether the holdings have what is taken out; they have changed then.
fn apply(holdings: &mut Vec<Holding>, moved: &Moved) -> bool {
    let left = |holding: &Holding| {
        let is_it = holding.asset == moved.out.asset
            && moved.out.account.as_ref().is_none_or(|account| *account == holding.account);
        let free = holding.free.or(holding.total).filter(|_| is_it)?;
        free.checked_sub(moved.out.amount).ok().filter(|left| !left.is_negative())
    };
    let rank = |account: &str| USUAL.iter().position(|usual| *usual == account).unwrap_or(USUAL.len());
    let enough = holdings.iter().enumerate().filter(|(_, holding)| left(holding).is_some());
    let Some(at) = enough.min_by_key(|(_, holding)| rank(&holding.account)).map(|(at, _)| at) else {
        return false;
    };
    let Some(account) = holdings.get(at).map(|holding| holding.account.clone()) else { return false };
    let less = |amount: Decimal| amount.checked_sub(moved.out.amount).unwrap_or(amount);
    holdings.get_mut(at).into_iter().for_each(|holding| change(holding, less));
    if let Some(into) = &moved.into {
        let account = into.account.clone().unwrap_or(account);
        let more = |amount: Decimal| amount.checked_add(into.amount).unwrap_or(amount);
        let place = |holding: &&mut Holding| holding.account == account && holding.asset == into.asset;
        match holdings.iter_mut().find(place) {
            Some(holding) => change(holding, more),
            None => {
                let like = holdings.iter().find(|holding| holding.account == account).cloned();
                holdings.extend(like.map(|like| empty(like, &into.asset)).map(|mut holding| {
                    change(&mut holding, more);
                    holding
                }));
            }
        }
    }
    true
}

/// What is free changes, and with it the total.
fn change(holding: &mut Holding, with: impl Fn(Decimal) -> Decimal) {
    let total = holding.total.map(&with);
    let free = holding.free.map(&with);
    (holding.free, holding.used, holding.total) = completed(free, holding.used, total);
}

/// A holding of another asset in the same place.
fn empty(like: Holding, asset: &str) -> Holding {
    let zero = |amount: Option<Decimal>| amount.map(|_| Decimal::ZERO);
    Holding {
        asset: asset.to_owned(),
        free: zero(like.free),
        used: zero(like.used),
        total: zero(like.total),
        debt: zero(like.debt),
        ..like
    }
}

#[cfg(test)]
mod tests {
    use super::super::find;
    use super::*;

    fn entry(account: &str, asset: &str, amount: i64) -> Entry {
        Entry { account: Some(account.to_owned()), asset: asset.to_owned(), amount: Decimal::from(amount) }
    }

    #[test]
    fn what_is_moved_is_gone_from_one_account_and_in_another_and_nothing_is_moved_that_is_not_there() {
        let account = find("gate").unwrap().accounts().find(|account| account.name == "everything").unwrap();
        let total = |account: &Account, kind: &str, asset: &str| {
            let found = account
                .holdings
                .iter()
                .find(|held| (held.account.as_str(), held.asset.as_str()) == (kind, asset));
            found.and_then(|held| held.total).unwrap_or_default()
        };
        let asset = &account.holdings.iter().find(|held| held.account == "spot").unwrap().asset;
        let moved = Moved {
            id: String::new(),
            operation: "transfer".into(),
            arguments: Vec::new(),
            once: None,
            out: entry("spot", asset, 2),
            into: Some(entry("futures", asset, 2)),
            fee: Decimal::ZERO,
            at_ms: 1,
        };
        let mut ledger = Ledger::default();
        let made = ledger.make("gate", account, moved.clone()).unwrap();
        assert!(!made.id.is_empty());
        let after = ledger.applied("gate", account);
        let change =
            |kind: &str| total(&after, kind, asset).checked_sub(total(account, kind, asset)).unwrap();
        assert_eq!((change("spot"), change("futures")), (Decimal::from(-2), Decimal::from(2)));
        let too_much = Moved { out: entry("spot", asset, 99_999_999), ..moved };
        assert_eq!(ledger.make("gate", account, too_much), None);
        assert_eq!(ledger.of("gate", "everything").len(), 1);
    }

    #[test]
    fn where_nothing_says_from_which_account_the_usual_one_is_meant() {
        let account = find("gate").unwrap().accounts().find(|account| account.name == "everything").unwrap();
        let holding = |kind: &str| {
            let like = account.holdings.iter().find(|held| held.account == "spot").unwrap();
            Holding { account: kind.to_owned(), ..like.clone() }
        };
        let mut holdings = ["earn", "funding", "spot"].map(holding).to_vec();
        let asset = holdings[0].asset.clone();
        let out = Entry { account: None, ..entry("", &asset, 2) };
        let moved = Moved {
            id: String::new(),
            operation: "withdraw".into(),
            arguments: Vec::new(),
            once: None,
            out,
            into: None,
            fee: Decimal::ZERO,
            at_ms: 1,
        };
        let before = holdings.clone();
        assert!(apply(&mut holdings, &moved));
        let changed: Vec<&str> = holdings
            .iter()
            .zip(&before)
            .filter(|(now, was)| now != was)
            .map(|(now, _)| now.account.as_str())
            .collect();
        assert_eq!(changed, ["spot"]);
    }
}
