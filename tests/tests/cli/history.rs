//! What an exchange keeps of an account, from the enclave to the person's files.

use crate::person::{Person, account};
use stack::{Folder, Stack};

#[test]
fn a_history_is_read_to_its_beginning_and_each_row_once() {
    let stack = Stack::start();
    let person = Person::new(&stack);
    person.link(&account("kraken", "reader"), "kraken");
    for (kind, count) in [("deposits", 120), ("withdrawals", 12), ("ledger", 120), ("trades", 120)] {
        let history = person.json(&["history", "kraken", kind, "--json"]);
        let rows = history["rows"].as_array().unwrap();
        assert_eq!((rows.len(), &history["complete"]), (count, &true.into()), "{kind}: {history:#}");
        let ids: std::collections::BTreeSet<&str> =
            rows.iter().map(|row| row["id"].as_str().unwrap()).collect();
        assert_eq!(ids.len(), count, "{kind}: each row once");
        let times: Vec<&str> = rows.iter().map(|row| row["timestamp"].as_str().unwrap()).collect();
        assert!(times.is_sorted_by(|newer, older| newer >= older), "{kind}: newest first");
    }
    let bitcoin = person.json(&["history", "kraken", "deposits", "--asset", "btc", "--json"]);
    let rows = bitcoin["rows"].as_array().unwrap();
    assert_eq!(rows.len(), 40, "a third of the deposits");
    let unified = |row: &serde_json::Value| {
        row["asset"] == "BTC" && row["asset_id"] == "bip122:000000000019d6689c085ae165831e93/slip44:0"
    };
    assert!(rows.iter().all(unified), "{rows:?}");
    let since = person.json(&["history", "kraken", "deposits", "--since", "2025-12-01", "--json"]);
    let few = since["rows"].as_array().unwrap().len();
    assert!((10..20).contains(&few), "{few} deposits of a month");
}

#[test]
fn a_history_in_a_file_is_whole_and_is_not_written_over() {
    let stack = Stack::start();
    let person = Person::new(&stack);
    person.link(&account("kraken", "reader"), "kraken");
    let folder = Folder::new();
    let out = folder.join("deposits.jsonl");
    let out = out.to_str().unwrap();
    person.done(&["history", "kraken", "deposits", "--out", out]);
    let text = std::fs::read_to_string(out).unwrap();
    assert_eq!(text.lines().count(), 120);
    for line in text.lines() {
        let row: serde_json::Value = serde_json::from_str(line).unwrap();
        assert_eq!(row["status"], "ok");
    }
    assert!(!std::path::Path::new(&format!("{out}.next")).exists(), "there is nowhere to go on");
    let again = person.run(&["history", "kraken", "deposits", "--out", out]);
    assert_eq!(again.code, 1, "{}", again.err);
    assert!(again.err.contains("is there already"), "{}", again.err);
}

#[test]
fn what_an_exchange_does_not_offer_is_said_and_the_chain_that_nobody_knows_too() {
    let stack = Stack::start();
    let person = Person::new(&stack);
    person.link(&account("kraken", "reader"), "kraken");
    let refused = person.run(&["history", "kraken", "transfers"]);
    assert_eq!(refused.code, 1, "{}", refused.err);
    assert!(refused.err.contains("not_offered"), "{}", refused.err);
    person.link(&account("coinone", "reader"), "coinone");
    let unnamed = person.run(&["history", "coinone", "trades"]);
    assert_eq!(unnamed.code, 1, "{}", unnamed.err);
    assert!(unnamed.err.contains("query_incomplete"), "{}", unnamed.err);
    assert!(unnamed.err.contains("--market"), "{}", unnamed.err);
    // A market that the exchange's dictionary does not know is no part of a path.
    person.link(&account("latoken", "reader"), "latoken");
    let unknown = person.run(&["history", "latoken", "trades", "--market", "NOBODY"]);
    assert_eq!(unknown.code, 1, "{}", unknown.err);
    assert!(unknown.err.contains("query_incomplete"), "{}", unknown.err);
}

#[test]
fn what_an_account_type_keeps_apart_is_read_by_its_name_and_named_beside_the_rest() {
    let stack = Stack::start();
    let person = Person::new(&stack);
    person.link(&account("hitbtc", "reader"), "hitbtc");
    let trades = |more: &[&str]| person.json(&[&["history", "hitbtc", "trades", "--json"], more].concat());
    let main = trades(&[]);
    assert_eq!(main["other_accounts"], serde_json::json!(["margin", "futures"]));
    let futures = trades(&["--account", "futures"]);
    assert_eq!(futures["other_accounts"], serde_json::json!(["margin"]));
    for history in [&main, &futures] {
        assert!(!history["rows"].as_array().unwrap().is_empty() && history["complete"] == true, "{history}");
    }
    let refused = person.run(&["history", "hitbtc", "deposits", "--account", "futures"]);
    assert_eq!(refused.code, 1, "{}", refused.err);
    assert!(refused.err.contains("not_offered"), "{}", refused.err);
}

#[test]
fn a_history_of_several_accounts_is_read_with_all_pages_of_each() {
    let stack = Stack::start();
    let person = Person::new(&stack);
    person.link(&account("luno", "reader"), "luno");
    let history = person.json(&["history", "luno", "ledger", "--json"]);
    let rows = history["rows"].as_array().unwrap();
    let ids: std::collections::BTreeSet<String> =
        rows.iter().map(|row| format!("{} {}", row["account"], row["id"])).collect();
    assert!(rows.len() >= 120 && ids.len() == rows.len(), "{}: each row once", rows.len());
    assert_eq!(history["complete"], true);
}
