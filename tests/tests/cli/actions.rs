//! What moves money, from the command line to the exchange and back: once, or not at all (m38).

use crate::faults::{Control, with_control};
use crate::person::{Person, Said, account};
use serde_json::{Value, json};
use stack::LONG;
use std::process::Stdio;
use std::time::{Duration, Instant};
use wire::decimal::Decimal;

const ADDRESS: &str = "0x52908400098527886E0F7030069857D2E4169EE7";
const BINANCE: &str = "/sapi/v1/capital/withdraw/apply";
const KRAKEN: &str = "/0/private/Withdraw";
const BYBIT: &str = "/v5/asset/withdraw/create";

fn linked(exchange: &str, test: impl FnOnce(&Person<'_>, &Control)) {
    with_control(|person, control| {
        person.link(&account(exchange, "everything"), exchange);
        test(person, control);
    });
}

/// A withdrawal of 100 that leaves the account whole.
fn withdrawal(exchange: &str) -> Vec<&str> {
    let asset = if exchange == "binance" { "USDC" } else { "USDT" };
    let place = ["--chain", "eip155:1", "--address", ADDRESS];
    [&["withdraw", exchange, "100", asset][..], &place, &["--fee-included", "--yes", "--json"]].concat()
}

fn total(person: &Person<'_>, asset: &str) -> Decimal {
    let portfolio = person.json(&["balances", "--json"]);
    let accounts = portfolio["connections"][0]["accounts"].as_array().unwrap().iter();
    let assets = accounts.flat_map(|account| account["assets"].as_array().unwrap());
    let held = assets.filter(|held| held["symbol"] == asset || held["asset"] == asset);
    held.fold(Decimal::ZERO, |sum, held| {
        sum.checked_add(held["total"].as_str().unwrap().parse().unwrap()).unwrap()
    })
}

fn less(before: Decimal, after: Decimal) -> String {
    before.checked_sub(after).unwrap().to_string()
}

fn outcome(said: &Said) -> Value {
    let shown: Value = serde_json::from_str(&said.out).unwrap_or_else(|error| panic!("{error}: {said:?}"));
    shown["outcome"].clone()
}

#[test]
fn a_withdrawal_is_shown_signed_sent_and_found_again() {
    linked("binance", |person, control| {
        let before = total(person, "USDC");
        let preview =
            person.json(&[&withdrawal("binance")[..8], &["--fee-included", "--preview", "--json"]].concat());
        let terms = &preview["terms"];
        assert_eq!([&terms["fee"], &terms["received"], &terms["minimum"]], ["3", "97", "10"]);
        assert_eq!(preview["instruction"]["max_fee"], "3", "what is signed holds for what was shown");
        let said = person.run(&withdrawal("binance"));
        assert_eq!(said.code, 0, "{}", said.err);
        assert_eq!(outcome(&said)["status"], "pending");
        assert_eq!(less(before, total(person, "USDC")), "100");
        let reference = outcome(&said)["reference"].as_str().unwrap().to_owned();
        let found = person.json(&["status", &reference, "--json"]);
        assert_eq!([&found["status"], &found["fee"]], ["done", "3"]);
        assert!(person.done(&["status"]).contains("nothing that you ordered is open"));
        assert_eq!(control.calls("POST", BINANCE), 1);
        // Nothing is moved without a word of its owner's.
        let unsaid = person.run(&withdrawal("binance")[..9]);
        assert_eq!((unsaid.code, control.calls("POST", BINANCE)), (2, 1), "{}", unsaid.err);
    });
}

#[test]
fn m38_an_answer_that_is_lost_is_never_paid_twice_with_or_without_an_id() {
    for (exchange, path, asset) in [("binance", BINANCE, "USDC"), ("kraken", KRAKEN, "USDT")] {
        linked(exchange, |person, control| {
            let before = total(person, asset);
            // Of two that are alike nobody could tell which is which: the amounts differ.
            let cut = json!({"kind": "truncated", "bytes": 5});
            for (amount, effect) in [("100", json!({"kind": "fails", "status": 502})), ("110", cut)] {
                let mut order = withdrawal(exchange);
                order[2] = amount;
                control.forget();
                let held = total(person, asset);
                let fault = json!({"exchange": exchange, "path": path, "whole": true, "effect": effect});
                let lost = control.during(&fault, || person.run(&order));
                assert_eq!(lost.code, 3, "{}{}", lost.out, lost.err);
                assert_eq!(outcome(&lost)["status"], "unknown");
                assert_eq!(control.calls("POST", path), 1);
                assert_eq!(less(held, total(person, asset)), amount, "it was carried out");
                // The same command finds out, and orders nothing.
                let again = person.run(&order);
                assert_eq!(again.code, 0, "{}", again.err);
                assert_eq!(outcome(&again)["status"], "done");
                assert_eq!(control.calls("POST", path), 1);
            }
            assert_eq!(less(before, total(person, asset)), "210");
        });
    }
}

#[test]
fn m38_a_client_that_is_killed_in_the_middle_pays_once_when_it_is_run_again() {
    linked("binance", |person, control| {
        let before = total(person, "USDC");
        let fault = json!({"exchange": "binance", "path": BINANCE, "effect": {"kind": "silence"}});
        control.during(&fault, || {
            let mut client = person.command(&withdrawal("binance"));
            let mut client = client.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
            let deadline = Instant::now() + LONG;
            while control.calls("POST", BINANCE) == 0 {
                assert!(Instant::now() < deadline, "nothing arrived");
                std::thread::sleep(Duration::from_millis(20));
            }
            // SIGKILL: nothing is tidied up.
            client.kill().unwrap();
            client.wait().unwrap();
        });
        assert!(person.done(&["status"]).contains("withdraw"), "it is open");
        let again = person.run(&withdrawal("binance"));
        assert_eq!(again.code, 0, "{}", again.err);
        assert_eq!(outcome(&again)["status"], "done");
        assert!(again.err.contains("it was not ordered again"), "{}", again.err);
        assert_eq!(
            (control.calls("POST", BINANCE), less(before, total(person, "USDC"))),
            (1, "100".to_owned())
        );
    });
}

#[test]
fn m38_where_the_exchange_takes_a_reference_once_a_lost_answer_is_asked_for_again_and_paid_once() {
    linked("bybit", |person, control| {
        let before = total(person, "USDT");
        let fault = json!({"exchange": "bybit", "path": BYBIT, "times": 1, "effect": {"kind": "truncated", "bytes": 5}});
        let said = control.during(&fault, || person.run(&withdrawal("bybit")));
        assert_eq!(said.code, 0, "{}", said.err);
        assert_eq!(outcome(&said)["status"], "pending");
        assert_eq!(
            (control.calls("POST", BYBIT), less(before, total(person, "USDT"))),
            (2, "100".to_owned())
        );
    });
}

#[test]
fn what_is_wrong_is_refused_with_its_own_code_and_moves_nothing() {
    linked("binance", |person, control| {
        let ethereum = ["--chain", "eip155:1", "--address", ADDRESS];
        let tron = ["--chain", "tron:0x2b6653dc", "--address", "TKRxCKea88ZvHeGsXEY33CqAQHPDqcAw4N"];
        let xrp = ["--chain", "xrpl:0", "--address", "rEb8TK3gBgk5auZkwc6sHnwrGVJH8DuaLh"];
        for (amount, place, further, code) in [
            ("6", &ethereum, &[][..], "below_minimum"),
            ("25.0000001", &ethereum, &["--fee-included"][..], "not_a_multiple"),
            ("25", &ethereum, &["--max-fee", "2.9"][..], "fee_above_maximum"),
            ("25", &tron, &[][..], "network_closed"),
            ("25", &xrp, &[][..], "tag_needed"),
            ("25", &ethereum, &["--tag", "7"][..], "tag_not_taken"),
            ("25", &["--chain", "eip155:4242", "--address", ADDRESS], &[][..], "unknown_network"),
            (
                "25",
                &["--chain", "solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp", "--address", ADDRESS],
                &[][..],
                "address_malformed",
            ),
            ("99999", &ethereum, &[][..], "funds_missing"),
        ] {
            let order = [&["withdraw", "binance", amount, "USDC"][..], place, further, &["--yes"]].concat();
            let said = person.run(&order);
            assert_ne!(said.code, 0, "{order:?}");
            assert!(said.err.contains(&format!("({code})")), "{order:?}: {}", said.err);
        }
        let moved = control.calls("POST", BINANCE);
        assert!(moved <= 1, "only what the exchange itself refuses is sent: {moved}");
        let unknown = person.run(&["transfer", "binance", "5", "USDC", "--to", "pension", "--yes"]);
        assert!(unknown.err.contains("(unknown_account)"), "{}", unknown.err);
        assert!(person.done(&["status"]).contains("nothing that you ordered is open"));
    });
}

#[test]
fn without_the_second_factor_nothing_leaves_but_a_transfer_between_own_accounts() {
    linked("binance", |person, control| {
        let apart = person.folder.join("apart.key");
        let key = person.home().join("simulated/second-factor.key");
        std::fs::rename(&key, &apart).unwrap();
        let refused = person.run(&withdrawal("binance"));
        assert_eq!(refused.code, 1);
        assert!(refused.err.contains("second factor"), "{}", refused.err);
        assert_eq!(control.calls("POST", BINANCE), 0);
        let moved = person.run(&["transfer", "binance", "5", "USDC", "--to", "funding", "--yes", "--json"]);
        assert_eq!(moved.code, 0, "{}", moved.err);
        assert_eq!(outcome(&moved)["status"], "done");
        let apart = apart.to_str().unwrap();
        let named = [&withdrawal("binance")[..], &["--second-factor", apart]].concat();
        assert_eq!(person.run(&named).code, 0);
    });
}

#[test]
fn orders_and_conversions_change_what_is_held() {
    linked("binance", |person, _| {
        let (btc, eur) = (total(person, "BTC"), total(person, "EUR"));
        let bought =
            person.run(&["order", "binance", "buy", "BTC", "EUR", "--cost", "100", "--yes", "--json"]);
        assert_eq!(bought.code, 0, "{}", bought.err);
        assert_eq!(outcome(&bought)["status"], "done");
        assert_eq!(less(eur, total(person, "EUR")), "100");
        assert_eq!(less(total(person, "BTC"), btc), outcome(&bought)["received"].as_str().unwrap());
        let usdc = total(person, "USDC");
        let converted = person.run(&["convert", "binance", "50", "USDC", "--into", "EUR", "--yes", "--json"]);
        assert_eq!(converted.code, 0, "{}", converted.err);
        assert_eq!(less(usdc, total(person, "USDC")), "50");
        let dear = ["convert", "binance", "50", "USDC", "--into", "EUR", "--min-received", "5000", "--yes"];
        let refused = person.run(&dear);
        assert!(refused.err.contains("(too_little_received)"), "{}", refused.err);
        assert_eq!(less(usdc, total(person, "USDC")), "50");
    });
}
