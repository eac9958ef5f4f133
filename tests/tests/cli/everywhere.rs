//! Every exchange of the catalogue, linked and read through the whole stack: what comes back is what its sandbox holds.

use crate::person::Person;
use serde_json::Value;
use stack::{Folder, Stack, run, tensfer};
use std::collections::BTreeMap;
use std::process::Command;
use wire::decimal::Decimal;

/// Exchanges that cannot be linked in the sandbox, with the reason. A line that excuses nothing fails the test.
const UNSPOKEN: &[(&str, &str)] = &[];

/// Free, used and total, by type of account and asset.
type Sheet = BTreeMap<(String, String), [Option<Decimal>; 3]>;

fn accounts(name: &str) -> Vec<Value> {
    let output = run(Command::new(tensfer()).args(["sandbox", "accounts", "--json"]), b"");
    let accounts: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
    accounts.into_iter().filter(|account| account["name"] == name).collect()
}

/// The client without a passphrase, which would cost more than everything else here.
fn trusting(person: &Person, arguments: &[&str]) -> Command {
    let mut command = person.bare(arguments);
    command.arg("--dangerous-simulated").arg(person.stack.simulation_root());
    command
}

fn decimal(value: &Value) -> Option<Decimal> {
    value.as_str().map(|text| text.parse().unwrap())
}

/// What one account holds, as the sandbox lists it; what an exchange does not tell is not known here either.
fn held(account: &Value) -> Sheet {
    let mut sheet = Sheet::new();
    for (wallet, assets) in account["balances"].as_object().unwrap() {
        for (symbol, amounts) in assets.as_object().unwrap() {
            let kind = amounts["account"].as_str().unwrap_or(wallet);
            let [free, used, total] =
                completed(["free", "used", "total"].map(|name| decimal(&amounts[name])));
            let amounts = [free, used, total.or(free)];
            let something = |amount: &Decimal| !amount.is_zero();
            if amounts.iter().flatten().any(something) {
                let sum = sheet.entry((kind.to_owned(), symbol.clone())).or_insert([Some(Decimal::ZERO); 3]);
                *sum = std::array::from_fn(|at| Some(sum[at]?.checked_add(amounts[at]?).unwrap()));
            }
        }
    }
    sheet
}

/// Where an exchange tells a total and not how much of it is free: unknown, never a guess.
const TOTAL_ALONE: &[(&str, &str)] = &[
    ("binance", "earn"),
    ("okx", "earn"),
    ("bybit", "earn"),
    ("kucoin", "earn"),
    ("alpaca", "spot"),
    ("backpack", "earn"),
    ("backpack", "margin"),
    ("binanceus", "earn"),
    ("bitflyer", "margin"),
    ("bitget", "earn"),
    ("bitvavo", "earn"),
    ("btse", "futures"),
    ("bybiteu", "earn"),
    ("bybitid", "earn"),
    ("cex", "funding"),
    ("coinex", "liquidity"),
    ("coinspot", "spot"),
    ("cryptomus", "funding"),
    ("derive", "derivatives"),
    ("dydx", "spot"),
    ("gate", "earn"),
    ("gateeu", "earn"),
    ("grvt", "funding"),
    ("hyperliquid", "vault"),
    ("lighter", "futures"),
    ("myokx", "earn"),
    ("nado", "unified"),
    ("okxus", "earn"),
    ("paradex", "futures"),
    ("revolutx", "earn"),
    ("whitebit", "earn"),
    ("woo", "earn"),
    ("zebpay", "packs"),
];

/// The third of free, used and total follows from the other two.
fn completed(amounts: [Option<Decimal>; 3]) -> [Option<Decimal>; 3] {
    match amounts {
        [Some(free), Some(used), None] => [Some(free), Some(used), Some(free.checked_add(used).unwrap())],
        [Some(free), None, Some(total)] => [Some(free), Some(total.checked_sub(free).unwrap()), Some(total)],
        [None, Some(used), Some(total)] => [Some(total.checked_sub(used).unwrap()), Some(used), Some(total)],
        given => given,
    }
}

/// What came back of one connection.
fn shown(connection: &Value) -> Sheet {
    let mut sheet = Sheet::new();
    for account in connection["accounts"].as_array().unwrap() {
        for asset in account["assets"].as_array().unwrap() {
            let text = |name: &str| account[name].as_str().or(asset[name].as_str()).unwrap().to_owned();
            let amounts = ["free", "used", "total"].map(|name| decimal(&asset[name]));
            sheet.insert((text("type"), text("symbol")), amounts);
        }
    }
    // What is owed alone is compared elsewhere.
    sheet.retain(|_, amounts| amounts.iter().flatten().any(|amount| !amount.is_zero()));
    sheet
}

#[test]
fn every_exchange_is_linked_and_its_balances_are_what_its_sandbox_holds() {
    let folder = Folder::new();
    let stack = Stack::start_with(&folder.join("data"), &["--unlimited"]);
    let person = Person::new(&stack);
    let accounts = accounts("everything");
    assert!(accounts.len() >= 104, "{} exchanges", accounts.len());
    let mut unspoken = Vec::new();
    for account in &accounts {
        let exchange = account["exchange"].as_str().unwrap();
        let mut command = trusting(&person, &["link", exchange, "--credentials", "-", "--name", exchange]);
        let said = crate::person::said(&mut command, account["credentials"].to_string().as_bytes());
        if said.code != 0 {
            unspoken.push((exchange, said.err));
        }
    }
    let names: Vec<&str> = unspoken.iter().map(|(exchange, _)| *exchange).collect();
    assert_eq!(names, UNSPOKEN.iter().map(|(exchange, _)| *exchange).collect::<Vec<_>>(), "{unspoken:?}");

    let balances = crate::person::said(&mut trusting(&person, &["balances", "--json"]), b"");
    let portfolio: Value = serde_json::from_str(&balances.out).unwrap();
    for source in portfolio["coverage"]["sources"].as_array().unwrap() {
        let known = ["complete", "unsupported"].contains(&source["status"].as_str().unwrap());
        assert!(known || source["source"] == "prices", "{source:#}");
    }
    let connections = portfolio["connections"].as_array().unwrap();
    assert_eq!(connections.len(), accounts.len() - unspoken.len());
    let mut alone = Vec::new();
    for connection in connections {
        let account = accounts.iter().find(|account| account["exchange"] == connection["exchange"]).unwrap();
        let (shown, mut held) = (shown(connection), held(account));
        let exchange = connection["exchange"].as_str().unwrap();
        for ((kind, symbol), amounts) in &mut held {
            if let Some([None, None, Some(_)]) = shown.get(&(kind.clone(), symbol.clone())) {
                [amounts[0], amounts[1]] = [None, None];
                alone.push((exchange.to_owned(), kind.clone()));
            }
        }
        assert_eq!(shown, held, "{exchange}");
    }
    alone.dedup();
    let alone: Vec<(&str, &str)> =
        alone.iter().map(|(exchange, kind)| (exchange.as_str(), kind.as_str())).collect();
    assert_eq!(alone, TOTAL_ALONE);
}

#[test]
fn histories_of_described_exchanges_are_read_to_their_beginning_by_every_kind_of_page() {
    let folder = Folder::new();
    let stack = Stack::start_with(&folder.join("data"), &["--unlimited"]);
    let person = Person::new(&stack);
    // Windows of time, a cursor, numbered pages, counted rows.
    let (kinds, pages) = ([("deposits", 120), ("withdrawals", 12)], ["gate", "bigone", "coinex", "hitbtc"]);
    for exchange in pages {
        person.link(&crate::person::account(exchange, "reader"), exchange);
        for (kind, count) in kinds {
            let history = person.json(&["history", exchange, kind, "--json"]);
            let rows = history["rows"].as_array().unwrap();
            assert_eq!((rows.len(), &history["complete"]), (count, &true.into()), "{exchange} {kind}");
            let ids: std::collections::BTreeSet<&str> =
                rows.iter().map(|row| row["id"].as_str().unwrap()).collect();
            assert_eq!(ids.len(), count, "{exchange} {kind}: each row once");
        }
    }
}

#[test]
fn a_described_exchange_refuses_wrong_keys_missing_permissions_and_other_addresses_in_its_own_words() {
    let stack = Stack::start();
    let person = Person::new(&stack);
    let link = |credentials: &Value| {
        let mut command = trusting(&person, &["link", "gate", "--credentials", "-"]);
        crate::person::said(&mut command, credentials.to_string().as_bytes())
    };
    let mut wrong = crate::person::account("gate", "reader")["credentials"].clone();
    wrong["secret"] = "another".into();
    for (credentials, code) in [
        (wrong, "credential_refused"),
        (crate::person::account("gate", "trader")["credentials"].clone(), "permission_missing"),
        (crate::person::account("gate", "locked")["credentials"].clone(), "address_not_allowed"),
    ] {
        let said = link(&credentials);
        assert!(said.code != 0 && said.err.contains(code), "{code}: {}", said.err);
    }
}
