//! What happened on a seeded account: made up, and the same on every run but for the day that it ends on.

use super::amount::Amount;
use super::seed::Account;

/// How many deposits, and trades, an account has: more than a page of any exchange holds.
const EVENTS: u64 = 120;
/// Between two of them.
const STEP_S: u64 = 2 * 86_400 + 3_607;
/// The last of them; everything before it is history.
const LAST_S: u64 = 1_767_225_600;

/// One deposit, withdrawal or trade.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Unique in the account, and the same on every run.
    pub id: String,
    /// Unix time in seconds.
    pub at_s: u64,
    /// The asset's common symbol.
    pub symbol: String,
    pub amount: Amount,
    pub fee: Amount,
}

/// Deposits of the assets that the account holds, newest first.
pub fn deposits(account: &Account) -> Vec<Event> {
    events(account, "deposit", EVENTS, "0")
}

/// One withdrawal for every ten deposits.
pub fn withdrawals(account: &Account) -> Vec<Event> {
    events(account, "withdrawal", EVENTS / 10, "0.0005")
}

/// Newest first.
pub fn trades(account: &Account) -> Vec<Event> {
    events(account, "trade", EVENTS, "0.02")
}

fn events(account: &Account, kind: &str, count: u64, fee: &str) -> Vec<Event> {
    let symbols: Vec<&str> = account.holdings("spot").map(|(symbol, _)| symbol).collect();
    let every = EVENTS / count.max(1);
    let event = |number: u64| Event {
        id: account.uuid(&format!("{kind} {number}")),
        at_s: LAST_S.saturating_sub(number * every * STEP_S),
        symbol: symbols[number as usize % symbols.len()].to_owned(),
        amount: format!("{}.{:04}", number % 9 + 1, number * 37 % 10_000).parse().unwrap_or(Amount::ZERO),
        fee: fee.parse().unwrap_or(Amount::ZERO),
    };
    if symbols.is_empty() { Vec::new() } else { (0..count).map(event).collect() }
}

/// The newest `size` of those within the bounds, Unix s, both included.
pub fn page(events: Vec<Event>, since_s: Option<u64>, until_s: Option<u64>, size: usize) -> Vec<Event> {
    let within =
        |event: &Event| event.at_s >= since_s.unwrap_or(0) && event.at_s <= until_s.unwrap_or(u64::MAX);
    events.into_iter().filter(within).take(size).collect()
}
