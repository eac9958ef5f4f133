//! What an owner sees when an exchange misbehaves: what was read is shown, what was not is said, and the exit code tells.

use crate::person::{Person, Said, account};
use serde_json::{Value, json};
use stack::{Folder, LONG, Stack, http};
use std::io::{BufRead, BufReader};
use std::process::Stdio;
use std::time::{Duration, Instant};

/// The control API of a stack's exchanges.
pub struct Control(String);

impl Control {
    pub fn of(stack: &Stack) -> Control {
        let deadline = Instant::now() + LONG;
        loop {
            let log = stack.process().log();
            if let Some((_, rest)) = log.split_once("control http://")
                && let Some((address, _)) = rest.split_once('\n')
            {
                return Control(format!("http://{}/v1/faults", address.trim()));
            }
            assert!(Instant::now() < deadline, "{log}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    pub fn during<T>(&self, fault: &Value, act: impl FnOnce() -> T) -> T {
        let set = http::post(&self.0, "application/json", fault.to_string().as_bytes());
        assert_eq!(set.status, 201, "{}", set.text());
        let out = act();
        assert_eq!(http::request("DELETE", &self.0, &[], b"").status, 200);
        out
    }
}

pub fn with_control(test: impl FnOnce(&Person<'_>, &Control)) {
    let folder = Folder::new();
    let stack = Stack::start_with(&folder.join("data"), &["--control", "0", "--unlimited"]);
    test(&Person::new(&stack), &Control::of(&stack));
}

impl Control {
    /// A person who is signed in to an account opens the address of a client, and allows it or not: where their browser
    /// is sent back to.
    pub fn authorise(&self, exchange: &str, account: &str, url: &str, allows: bool) -> String {
        let opened = json!({"exchange": exchange, "account": account, "url": url, "allows": allows});
        let to = self.0.replace("/v1/faults", "/v1/authorise");
        let answer = http::post(&to, "application/json", opened.to_string().as_bytes());
        assert_eq!(answer.status, 200, "{}", answer.text());
        let answer: Value = serde_json::from_slice(&answer.body).unwrap();
        answer["location"].as_str().unwrap().to_owned()
    }

    /// How many calls of that method and path the exchanges have seen.
    pub fn calls(&self, method: &str, path: &str) -> usize {
        let seen = http::request("GET", &self.calls_url(), &[], b"").text();
        let seen: Value = serde_json::from_str(&seen).unwrap();
        let calls = seen.as_array().unwrap().iter();
        calls.filter(|call| call["method"] == method && call["path"] == path).count()
    }

    /// The path of the last call that an exchange has seen.
    pub fn last(&self, exchange: &str) -> String {
        let seen: Value =
            serde_json::from_str(&http::request("GET", &self.calls_url(), &[], b"").text()).unwrap();
        let last = seen.as_array().unwrap().iter().rev().find(|call| call["exchange"] == exchange);
        last.unwrap()["path"].as_str().unwrap().to_owned()
    }

    pub fn forget(&self) {
        assert_eq!(http::request("DELETE", &self.calls_url(), &[], b"").status, 200);
    }

    fn calls_url(&self) -> String {
        self.0.replace("/v1/faults", "/v1/calls")
    }
}

fn portfolio(said: &Said) -> Value {
    serde_json::from_str(&said.out).unwrap_or_else(|error| panic!("{error}: {said:?}"))
}

fn connection<'p>(portfolio: &'p Value, exchange: &str) -> &'p Value {
    let connections = portfolio["connections"].as_array().unwrap();
    connections.iter().find(|connection| connection["exchange"] == exchange).unwrap()
}

/// What is held, whatever it is worth: prices that could not be read are left alone for a while.
fn held(portfolio: &Value, exchange: &str) -> Vec<[String; 3]> {
    let accounts = connection(portfolio, exchange)["accounts"].as_array().unwrap();
    let assets = accounts.iter().flat_map(|account| {
        let assets = account["assets"].as_array().unwrap().iter();
        assets.map(|asset| [&account["type"], &asset["asset"], &asset["total"]].map(Value::to_string))
    });
    assets.collect()
}

/// Prices that could not be read are left alone for a few seconds: their failure would be told beside the next one.
fn wait_until_nothing_fails(person: &Person<'_>) {
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        let said = person.run(&["balances", "--json"]);
        if said.code == 0 {
            return;
        }
        assert!(Instant::now() < deadline, "{}", said.err);
        std::thread::sleep(Duration::from_millis(250));
    }
}

#[test]
fn an_exchange_that_fails_is_said_to_have_failed_and_the_others_are_shown() {
    with_control(|person, control| {
        person.link_all();
        let whole = person.json(&["balances", "--json"]);
        for (exchange, other) in [("okx", "binance"), ("binance", "okx")] {
            for (effect, code, exit) in [
                (json!({"kind": "revoked"}), "credential_refused", 3),
                (json!({"kind": "wrong_json"}), "provider_failed", 3),
                (json!({"kind": "huge", "bytes": 100_000_000}), "provider_failed", 3),
                (json!({"kind": "maintenance"}), "maintenance", 3),
                (json!({"kind": "server_error", "status": 500}), "maintenance", 3),
                (json!({"kind": "rate_limited", "retry_after": 1}), "rate_limited", 3),
                (json!({"kind": "truncated", "bytes": 20}), "provider_unreachable", 4),
            ] {
                let fault = json!({"exchange": exchange, "effect": effect});
                let said = control.during(&fault, || person.run(&["balances", "--json"]));
                assert_eq!(said.code, exit, "{fault}: {}", said.err);
                assert!(said.err.contains(&format!("({code})\nhint: ")), "{fault}: {}", said.err);
                let shown = portfolio(&said);
                assert_eq!(shown["coverage"]["complete"], false, "{fault}");
                let failed = connection(&shown, exchange);
                assert_eq!(failed["accounts"], json!([]), "{fault}");
                assert_eq!(failed["errors"][0]["code"], code, "{fault}");
                assert_eq!(held(&shown, other), held(&whole, other), "{fault}");
            }
            wait_until_nothing_fails(person);
        }
    });
}

#[test]
fn each_account_is_told_when_it_answers_and_not_when_the_slowest_does() {
    with_control(|person, control| {
        person.link_all();
        let fault = json!({"exchange": "okx", "effect": {"kind": "delay", "ms": 4000}});
        control.during(&fault, || {
            let mut client = person.command(&["balances", "--json-lines"]);
            let mut client = client.stdout(Stdio::piped()).spawn().unwrap();
            let lines = BufReader::new(client.stdout.take().unwrap()).lines();
            let mut lines = lines.map(|line| serde_json::from_str::<Value>(&line.unwrap()).unwrap());
            let first = lines.next().unwrap();
            assert!(client.try_wait().unwrap().is_none(), "the other is still being asked");
            let rest: Vec<Value> = lines.collect();
            assert!(client.wait().unwrap().success());
            let [second, whole] = rest.as_slice() else { panic!("{rest:?}") };
            let exchanges = [&first, second].map(|line| line["connection"]["exchange"].as_str().unwrap());
            assert_eq!(exchanges, ["binance", "okx"]);
            assert!(first["sources"].as_array().unwrap().iter().all(|source| source["status"] == "complete"));
            assert_eq!((&whole["complete"], &whole["connections"]), (&json!(true), &json!(2)));
            let shown = person.json(&["balances", "--json"]);
            assert_eq!(shown["connections"], json!([first["connection"], second["connection"]]));
            assert_eq!(shown["total"], whole["total"]);
        });
    });
}

#[test]
fn m33_an_account_type_that_fails_is_an_error_and_no_smaller_fortune_in_silence() {
    with_control(|person, control| {
        person.link(&account("okx", "everything"), "okx");
        let whole = person.json(&["balances", "--json"]);
        let fault = json!({"exchange": "okx", "path": "/api/v5/asset/", "effect": {"kind": "maintenance"}});
        let said = control.during(&fault, || person.run(&["balances", "--json"]));
        assert_eq!(said.code, 3, "{}", said.err);
        let part = portfolio(&said);
        assert_eq!(part["coverage"]["complete"], false);
        let kinds = |portfolio: &Value| -> Vec<Value> {
            let accounts = portfolio["connections"][0]["accounts"].as_array().unwrap();
            accounts.iter().map(|account| account["type"].clone()).collect()
        };
        assert_eq!(kinds(&whole), ["earn", "funding", "unified"]);
        assert_eq!(kinds(&part), ["earn", "unified"]);
        let error = &part["connections"][0]["errors"][0];
        assert_eq!((&error["code"], &error["retryable"]), (&"source_failed".into(), &true.into()));
        assert!(error["message"].as_str().unwrap().contains("funding"), "{error}");
    });
}

#[test]
fn m19_a_wrong_clock_of_any_exchange_is_corrected_and_never_blamed_on_the_key() {
    with_control(|person, control| {
        let exchanges = ["kraken", "binance", "coinbase", "okx", "bybit", "kucoin"];
        for exchange in exchanges {
            person.link(&account(exchange, "everything"), exchange);
        }
        let whole = person.json(&["balances", "--json"]);
        for ms in [90_000, -90_000, 590_000, -590_000] {
            let fault = json!({"effect": {"kind": "clock_skew", "ms": ms}});
            let skewed = control.during(&fault, || person.run(&["balances", "--json"]));
            assert_eq!(skewed.code, 0, "{ms}: {}", skewed.err);
            assert_eq!(portfolio(&skewed)["connections"], whole["connections"], "{ms}");
        }
        let skewed = control.during(&json!({"effect": {"kind": "clock_skew", "ms": -500_000}}), || {
            person.link(&account("coinbase", "reader"), "late")
        });
        assert_eq!(skewed["exchange"], "coinbase");
    });
}

#[test]
fn m19_a_clock_of_an_exchange_that_is_hours_off_is_said_to_be_the_clock_and_spoils_no_nonce() {
    with_control(|person, control| {
        person.link(&account("kraken", "everything"), "kraken");
        person.link(&account("coinbase", "everything"), "coinbase");
        for ms in [7_200_000, -7_200_000] {
            let fault = json!({"effect": {"kind": "clock_skew", "ms": ms}});
            let skewed = control.during(&fault, || person.run(&["balances", "--json"]));
            assert!(!portfolio(&skewed)["coverage"]["complete"].as_bool().unwrap(), "{ms}");
            assert_eq!(
                connection(&portfolio(&skewed), "coinbase")["errors"][0]["code"],
                "provider_clock",
                "{ms}"
            );
        }
        let after = person.json(&["balances", "--json"]);
        assert_eq!(connection(&after, "kraken")["errors"], json!([]), "its nonces go on from now");
    });
}

#[test]
fn m35_an_asset_that_appears_unknown_is_shown_unpriced_beside_the_rest() {
    with_control(|person, control| {
        person.link_all();
        let whole = person.json(&["balances", "--json"]);
        let fault = json!({"effect": {"kind": "unknown_asset", "symbol": "ZORK", "amount": "12.5"}});
        let odd = control.during(&fault, || person.json(&["balances", "--json"]));
        assert_eq!(odd["total"], whole["total"]);
        for exchange in ["okx", "binance"] {
            let accounts = connection(&odd, exchange)["accounts"].as_array().unwrap();
            let mut assets = accounts.iter().flat_map(|account| account["assets"].as_array().unwrap());
            let asset = assets.find(|asset| asset["symbol"] == "ZORK").unwrap();
            assert_eq!(asset["asset"], format!("unknown:{exchange}/ZORK"));
            assert_eq!(
                (&asset["total"], &asset["price"], &asset["value"]),
                (&"12.5".into(), &Value::Null, &Value::Null)
            );
        }
    });
}
