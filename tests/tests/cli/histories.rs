//! Histories over sandboxes that are hard to speak: calls for each row of another, markets that a dictionary names,
//! wallets that are told by their address, and several histories in one answer.

use crate::person::Person;
use serde_json::Value;
use stack::{Folder, Stack};

/// Exchange, kind, further words, whether that is all (it is not said to be where the exchange keeps them for some time
/// only), and at least so many rows.
const READ: &[(&str, &str, &[&str], bool, usize)] = &[
    // For each sub-account, each account, each trading account (Bullish has forgotten these).
    ("derive", "deposits", &[], true, 16),
    ("derive", "withdrawals", &[], true, 2),
    ("derive", "trades", &["--market", "BTC-PERP"], true, 16),
    ("ndax", "trades", &["--market", "1"], true, 16),
    ("bullish", "trades", &["--market", "BTCUSDT"], false, 0),
    ("luno", "ledger", &[], true, 16),
    // The wallet's address is all that is asked; deposits and withdrawals are told in one answer.
    ("hyperliquid", "ledger", &[], true, 18),
    ("hyperliquid", "deposits", &[], true, 16),
    ("hyperliquid", "withdrawals", &[], true, 2),
    ("cex", "withdrawals", &[], true, 2),
    ("btse", "withdrawals", &[], true, 2),
    // A day at a time.
    ("kucoinfutures", "ledger", &[], false, 16),
    // What the name of a market means is asked first.
    ("latoken", "trades", &["--market", "BTCUSDT"], true, 16),
    ("bybiteu", "trades", &["--market", "BTCUSDT"], false, 16),
];

#[test]
fn histories_of_each_account_of_wallets_and_of_markets_that_are_looked_up_are_read() {
    let folder = Folder::new();
    let stack = Stack::start_with(&folder.join("data"), &["--unlimited"]);
    let person = Person::new(&stack);
    let mut linked: Vec<&str> = Vec::new();
    for (exchange, kind, more, complete, least) in READ {
        if !linked.contains(exchange) {
            person.link(&crate::person::account(exchange, "everything"), exchange);
            linked.push(exchange);
        }
        let words = ["history", exchange, kind, "--since", "2025-12-01", "--until", "2026-01-02", "--json"];
        let said = person.run(&[&words[..], more].concat());
        let history: Value =
            serde_json::from_str(&said.out).unwrap_or_else(|_| panic!("{exchange} {kind}: {}", said.err));
        let rows = history["rows"].as_array().unwrap();
        assert_eq!(
            (&history["complete"], said.code == 0),
            (&(*complete).into(), *complete),
            "{exchange} {kind}: {}",
            said.err
        );
        assert!(rows.len() >= *least, "{exchange} {kind}: {} rows", rows.len());
        let times: Vec<&Value> = rows.iter().map(|row| &row["timestamp"]).collect();
        let distinct: std::collections::BTreeSet<String> =
            rows.iter().map(|row| format!("{} {}", row["account"], row)).collect();
        assert!(distinct.len() == rows.len(), "{exchange} {kind}: each row once, of {times:?}");
    }
}
