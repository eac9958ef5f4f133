//! Keys that an exchange makes for an owner who allows it there: from the command line to the exchange and back.

use crate::faults::{Control, with_control};
use crate::person::{Person, account};
use crate::{seeded, shown};
use serde_json::{Value, json};
use stack::{Ended, Process, http};
use std::path::PathBuf;
use std::time::{Duration, Instant};

const LIMIT: Duration = Duration::from_secs(60);
const MAKE: &str = "/oauth-api/v1/api-key/create";
const TOKEN: &str = "/oauth/token";

/// The client that the sandbox's providers know.
fn client(person: &Person<'_>) -> PathBuf {
    let file = person.folder.join("client.json");
    let client = json!({"clientId": "tensfer-sandbox", "clientSecret": "made-up-client-secret"});
    std::fs::write(&file, client.to_string()).unwrap();
    file
}

/// Begins `tensfer link EXCHANGE --new-key`, and gives it with the address that it prints.
fn begin(person: &Person<'_>, exchange: &str) -> (Process, String) {
    let client = client(person);
    let arguments = ["link", exchange, "--new-key", "--json", "--credentials", client.to_str().unwrap()];
    let process = Process::start(&mut person.command(&arguments));
    let deadline = Instant::now() + LIMIT;
    loop {
        let log = process.log();
        if let Some(url) = log.lines().find(|line| line.starts_with("https://")) {
            return (process, url.to_owned());
        }
        assert!(Instant::now() < deadline, "no address: {log}\n{}", person.stack.process().log());
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn ended(process: Process) -> Ended {
    process.wait(LIMIT)
}

/// The whole flow for one account of the sandbox.
fn link(person: &Person<'_>, control: &Control, exchange: &str, account: &str) -> Value {
    let (process, url) = begin(person, exchange);
    let back = control.authorise(exchange, account, &url, true);
    assert_eq!(http::get(&back).status, 200);
    let ended = ended(process);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    serde_json::from_str(&ended.stdout).unwrap()
}

fn connections(person: &Person<'_>) -> usize {
    person.json(&["connections", "--json"]).as_array().unwrap().len()
}

#[test]
fn a_key_that_the_exchange_makes_reads_the_account_and_can_do_nothing_else() {
    with_control(|person, control| {
        for exchange in ["binance", "kraken"] {
            // The owner's own key may trade and withdraw; the one that is made for us may not.
            let owned = account(exchange, "everything");
            let linked = link(person, control, exchange, "everything");
            assert_eq!(linked["exchange"], exchange);
            let capabilities = linked["capabilities"].as_array().unwrap();
            let state = |name: &str| {
                capabilities.iter().find(|one| one["name"] == name).map(|one| one["state"].clone())
            };
            let told = [state("read"), state("trade"), state("withdraw")];
            assert_eq!(told, [Some("yes".into()), Some("no".into()), Some("no".into())], "{exchange}");
            assert_eq!(control.calls("POST", TOKEN), 1, "{exchange}");
            control.forget();

            let portfolio = person.json(&["balances", "--json"]);
            let held = portfolio["connections"].as_array().unwrap().iter();
            let held = held.clone().find(|connection| connection["exchange"] == exchange).unwrap();
            assert_eq!(shown(held), seeded(&owned), "{exchange}");

            let exported: Value =
                serde_json::from_str(&person.done(&["export", exchange, "--print"])).unwrap();
            let names: Vec<&String> = exported.as_object().unwrap().keys().collect();
            assert_eq!(names, ["apiKey", "secret"], "nothing of the client is kept");
            assert_ne!(exported, owned["credentials"], "it is a key of its own");
        }
    });
}

#[test]
fn an_answer_with_another_state_makes_no_key() {
    with_control(|person, control| {
        let (process, url) = begin(person, "binance");
        let back = control.authorise("binance", "reader", &url, true);
        let (page, query) = back.split_once('?').unwrap();
        let forged = query.replace("state=", "state=forged");
        assert_eq!(http::get(&format!("{page}?{forged}")).status, 404);
        assert_eq!((control.calls("POST", TOKEN), control.calls("POST", MAKE)), (0, 0));
        assert_eq!(http::get(&back).status, 200);
        assert_eq!(ended(process).code, Some(0), "the right answer is still taken");
    });
}

#[test]
fn a_code_that_was_used_or_a_person_who_says_no_makes_no_key() {
    with_control(|person, control| {
        let code =
            |back: &str| back.split(['?', '&']).find(|pair| pair.starts_with("code=")).unwrap().to_owned();
        let (first, url) = begin(person, "binance");
        let back = control.authorise("binance", "reader", &url, true);
        let spent = code(&back);
        assert_eq!(http::get(&back).status, 200);
        assert_eq!(ended(first).code, Some(0));

        let (second, url) = begin(person, "binance");
        let back = control.authorise("binance", "reader", &url, true);
        assert_eq!(http::get(&back.replace(&code(&back), &spent)).status, 200);
        let refused = ended(second);
        assert_eq!(refused.code, Some(3), "{}", refused.stderr);
        assert!(refused.stderr.contains("authorisation_failed"), "{}", refused.stderr);

        let (third, url) = begin(person, "binance");
        assert_eq!(http::get(&control.authorise("binance", "reader", &url, false)).status, 200);
        let denied = ended(third);
        assert_eq!(denied.code, Some(1), "{}", denied.stderr);
        assert!(denied.stderr.contains("consent_denied"), "{}", denied.stderr);
        assert_eq!((control.calls("POST", MAKE), connections(person)), (1, 1));
    });
}

#[test]
fn an_answer_that_is_sealed_to_another_key_links_nothing() {
    with_control(|person, control| {
        let (process, url) = begin(person, "binance");
        let back = control.authorise("binance", "reader", &url, true);
        let ended = control.during(&json!({"path": MAKE, "effect": {"kind": "foreign_key"}}), || {
            assert_eq!(http::get(&back).status, 200);
            ended(process)
        });
        assert_eq!(ended.code, Some(3), "{}", ended.stderr);
        assert!(ended.stderr.contains("authorisation_failed"), "{}", ended.stderr);
        assert_eq!((control.calls("POST", MAKE), connections(person)), (1, 0));
        link(person, control, "binance", "reader");
    });
}

#[test]
fn m21_a_client_killed_before_the_answer_loses_nothing_and_begins_again() {
    with_control(|person, control| {
        let (process, url) = begin(person, "binance");
        let back = control.authorise("binance", "reader", &url, true);
        // SIGKILL, while the person is at the exchange's page.
        drop(process);
        let (_, rest) = back.split_once("127.0.0.1:").unwrap();
        let port: u16 = rest.split('/').next().unwrap().parse().unwrap();
        assert!(std::net::TcpStream::connect(("127.0.0.1", port)).is_err(), "nobody takes the answer");
        assert_eq!((control.calls("POST", TOKEN), connections(person)), (0, 0));
        link(person, control, "binance", "reader");
        assert_eq!((control.calls("POST", MAKE), connections(person)), (1, 1));
        assert_eq!(person.json(&["connections", "--json"])[0]["receipt_gaps"], 0);
    });
}

#[test]
fn only_exchanges_that_make_keys_are_asked_for_one() {
    with_control(|person, _| {
        let client = client(person);
        let said = person.run(&["link", "okx", "--new-key", "--credentials", client.to_str().unwrap()]);
        assert_eq!(said.code, 2, "{}", said.err);
        assert!(said.err.contains("makes no keys for others"), "{}", said.err);
        let missing = person.folder.join("missing.json");
        std::fs::write(&missing, r#"{"clientId": "tensfer-sandbox"}"#).unwrap();
        let said = person.run(&["link", "binance", "--new-key", "--credentials", missing.to_str().unwrap()]);
        assert_eq!(said.code, 2, "{}", said.err);
        assert!(said.err.contains("no field `clientSecret`"), "{}", said.err);
    });
}
