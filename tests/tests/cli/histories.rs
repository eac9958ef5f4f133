//! Histories over sandboxes that are hard to speak: calls for each row of another, markets that a dictionary names,
//! wallets that are told by their address, and several histories in one answer.

use crate::moving::WRITTEN;
use crate::person::{Person, Said};
use serde_json::Value;
use stack::{Folder, Stack};

/// What is asked for, and when it began.
const SINCE: &str = "2025-12-01";
const SINCE_S: u64 = 1_764_547_200;
const ALWAYS: u64 = u64::MAX;

/// Exchange, kind, further words, for how many days the exchange keeps them, and how many rows there are at least where it
/// keeps all that is asked for.
const READ: &[(&str, &str, &[&str], u64, usize)] = &[
    // For each sub-account, each account, each trading account (Bullish has forgotten these).
    ("derive", "deposits", &[], ALWAYS, 16),
    ("derive", "withdrawals", &[], ALWAYS, 2),
    ("derive", "trades", &["--market", "BTC-PERP"], ALWAYS, 16),
    ("ndax", "trades", &["--market", "1"], ALWAYS, 16),
    ("bullish", "trades", &["--market", "BTCUSDT"], 90, 0),
    ("luno", "ledger", &[], ALWAYS, 16),
    // The wallet's address is all that is asked; deposits and withdrawals are told in one answer.
    ("hyperliquid", "ledger", &[], ALWAYS, 18),
    ("hyperliquid", "deposits", &[], ALWAYS, 16),
    ("hyperliquid", "withdrawals", &[], ALWAYS, 2),
    ("cex", "withdrawals", &[], ALWAYS, 2),
    // What is asked is what is asked to find a lost withdrawal, too.
    ("gemini", "deposits", &[], ALWAYS, 16),
    ("gemini", "withdrawals", &[], ALWAYS, 2),
    // A row says what came of each asset; only the owner says which one is meant.
    ("bitstamp", "ledger", &["--asset", "BTC"], ALWAYS, 5),
    ("stripe", "withdrawals", &[], ALWAYS, 2),
    ("dydx", "withdrawals", &[], ALWAYS, 2),
    // The newest rows alone reach back further than what is asked for.
    ("zebpay", "ledger", &[], ALWAYS, 16),
    // Rows of another market are left out, by what the owner names alone.
    ("grvt", "trades", &[], ALWAYS, 16),
    ("krakenfutures", "trades", &[], ALWAYS, 16),
    ("poloniex", "trades", &[], ALWAYS, 16),
    ("poloniex", "trades", &["--market", "BTCUSDT"], ALWAYS, 16),
    ("btse", "withdrawals", &[], ALWAYS, 2),
    // A day at a time.
    ("kucoinfutures", "ledger", &[], 365, 16),
    // What the name of a market means is asked first.
    ("latoken", "trades", &["--market", "BTCUSDT"], ALWAYS, 16),
    ("bybiteu", "trades", &["--market", "BTCUSDT"], 730, 16),
];

#[test]
fn histories_of_each_account_of_wallets_and_of_markets_that_are_looked_up_are_read() {
    let folder = Folder::new();
    let stack = Stack::start_with(&folder.join("data"), &["--unlimited"]);
    let person = Person::new(&stack);
    let mut linked: Vec<&str> = Vec::new();
    let now_s = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    for (exchange, kind, more, kept_days, least) in READ {
        // What is asked for within the time that the exchange keeps is all there is of it.
        let complete = (now_s - SINCE_S) / 86_400 < *kept_days;
        if !linked.contains(exchange) {
            person.link(&crate::person::account(exchange, "everything"), exchange);
            linked.push(exchange);
        }
        let words = ["history", exchange, kind, "--since", SINCE, "--until", "2026-01-02", "--json"];
        let said = person.run(&[&words[..], more].concat());
        let history: Value =
            serde_json::from_str(&said.out).unwrap_or_else(|_| panic!("{exchange} {kind}: {}", said.err));
        let rows = history["rows"].as_array().unwrap();
        assert_eq!(
            (&history["complete"], said.code == 0),
            (&complete.into(), complete),
            "{exchange} {kind}: {}",
            said.err
        );
        assert!(!complete || rows.len() >= *least, "{exchange} {kind}: {} rows", rows.len());
        let times: Vec<&Value> = rows.iter().map(|row| &row["timestamp"]).collect();
        let is_older = |time: &&Value| time.as_str().unwrap().parse::<u64>().unwrap() < SINCE_S * 1000;
        assert!(!times.iter().any(is_older), "{exchange} {kind}: older than asked for");
        let distinct: std::collections::BTreeSet<String> =
            rows.iter().map(|row| format!("{} {}", row["account"], row)).collect();
        assert!(distinct.len() == rows.len(), "{exchange} {kind}: each row once, of {times:?}");
    }
}

/// What is asked for besides, where an exchange tells no other way; the first that has rows is taken.
const MORE: [&[&str]; 9] = [
    &[],
    &["--asset", "BTC"],
    &["--market", "BTCUSDT"],
    &["--market", "BTC-USDT"],
    &["--market", "BTC_USDT"],
    &["--market", "BTC/USDT"],
    &["--market", "1"],
    &["--market", "BTC-PERP"],
    &["--market", "btcusdt"],
];

/// The kinds of history that each exchange offers, by the catalogue.
fn offered() -> Vec<(String, Vec<&'static str>)> {
    let kinds = [
        ("deposits", "deposits"),
        ("withdrawals", "withdrawals"),
        ("ledger", "ledger"),
        ("my_trades", "trades"),
        ("transfers", "transfers"),
    ];
    let text = std::fs::read(crate::repository().join("connectors/catalogue.json")).unwrap();
    let catalogue: Value = serde_json::from_slice(&text).unwrap();
    let of = |entry: &Value| {
        let operations = entry["operations"].as_array().unwrap();
        let has = |(operation, _): &(&str, &str)| operations.iter().any(|known| known == operation);
        let offered = kinds.into_iter().filter(has).map(|(_, kind)| kind).collect();
        (entry["id"].as_str().unwrap().to_owned(), offered)
    };
    let entries = catalogue["exchanges"].as_array().unwrap().iter();
    // Who signs in is in other tests.
    entries.map(of).filter(|(exchange, _)| !exchange.ends_with("_oauth")).collect()
}

/// What a history came to.
enum Came {
    Told,
    /// The exchange keeps its rows for too short a time, which is said.
    Forgotten,
}

/// Nothing where there are no rows, or the question lacked something.
fn came(said: &Said) -> Option<Came> {
    let history: Value = serde_json::from_str(&said.out).ok()?;
    if !history["rows"].as_array()?.is_empty() {
        return Some(Came::Told);
    }
    (history["fault"] == "not_kept").then_some(Came::Forgotten)
}

/// Every other exchange of the catalogue: two of these run beside each other.
fn every_other_exchange_tells(first: usize) {
    let folder = Folder::new();
    let stack = Stack::start_with(&folder.join("data"), &["--unlimited"]);
    let person = Person::new(&stack);
    // Without a passphrase, which would cost more than everything else here.
    let run = |words: &[&str], stdin: &[u8]| {
        let mut command = person.bare(words);
        command.arg("--dangerous-simulated").arg(stack.simulation_root());
        crate::person::said(&mut command, stdin)
    };
    let (mut untold, mut told, mut forgotten) = (Vec::new(), 0, 0);
    for (exchange, kinds) in offered().into_iter().skip(first).step_by(2) {
        // At those that are written by hand, this one is told by its file.
        let name = if WRITTEN.contains(&exchange.as_str()) { "mover" } else { "everything" };
        let account = crate::person::account(&exchange, name);
        let linked = run(
            &["link", &exchange, "--credentials", "-", "--name", &exchange],
            account["credentials"].to_string().as_bytes(),
        );
        assert_eq!(linked.code, 0, "{exchange}: {}", linked.err);
        for kind in kinds {
            let words = ["history", &exchange, kind, "--since", SINCE, "--until", "2026-01-02", "--json"];
            let mut tried = MORE.iter().map(|more| run(&[&words[..], more].concat(), b""));
            match tried.find_map(|said| came(&said)) {
                Some(Came::Told) => told += 1,
                Some(Came::Forgotten) => forgotten += 1,
                None => untold.push((exchange.clone(), kind)),
            }
        }
    }
    assert_eq!(untold, []);
    assert!(told > 120 && forgotten < 25, "{told} told, {forgotten} forgotten");
}

#[test]
fn every_history_of_every_exchange_tells_what_happened_there() {
    every_other_exchange_tells(0);
}

#[test]
fn every_history_of_every_further_exchange_tells_what_happened_there() {
    every_other_exchange_tells(1);
}
