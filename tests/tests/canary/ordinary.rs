//! Ordinary use: every operation, what is refused, and what is under way.

use crate::{assert_clean, chosen, linked, wait_for_call};
use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use stack::canary::{Account, Run};
use stack::{http, tensfer};
use std::process::Command;

#[test]
fn no_secret_leaves_the_enclave_in_ordinary_use() {
    let mut run = Run::start(chosen());
    for number in 0..run.accounts().len() {
        run.link(number);
    }
    must(&mut run, &["balances", "--json"]);
    must(&mut run, &["inspect", "kraken"]);
    assert_clean(&run.search());

    for layer in ["--data-key", "--share", "--owner-keys"] {
        must(&mut run, &["rotate", "--all", layer]);
    }
    let epoch =
        Command::new(tensfer()).args(["root", "epoch", "new", "--data"]).arg(run.path("data")).output();
    assert!(epoch.unwrap().status.success());
    run.remember();
    must(&mut run, &["rotate", "--all", "--epoch"]);
    must(&mut run, &["rotate", "--all"]);
    let exported = run.exported();
    must(&mut run, &["export", "okx", "--output", exported.to_str().unwrap()]);
    must(&mut run, &["balances"]);
    must(&mut run, &["forget", "kucoin"]);
    assert_clean(&run.search());

    run.terminate();
    assert_clean(&run.search_remains());
}

#[test]
fn no_secret_leaves_the_enclave_in_a_refusal() {
    let mut run = linked();
    let mut secret = [0; 64];
    aws_lc_rs::rand::fill(&mut secret).unwrap();
    let wrong = run.accounts()[0].with_secret(&STANDARD.encode(secret));
    // Its key is another's, and the sandbox knows that one by right.
    run.mark(&wrong.marks().but(|name| name.ends_with("apiKey")));
    // A credential that its exchange refuses; one that is cut off; an account that is not there.
    let refused = run.client(&["link", &wrong.exchange, "--credentials", "-"], &wrong.credentials());
    assert!(!refused.status.success());
    let cut = &wrong.credentials()[..wrong.credentials().len() - 2];
    assert!(!run.client(&["link", &wrong.exchange, "--credentials", "-"], cut).status.success());
    assert!(!run.client(&["link", "nowhere", "--credentials", "-"], &wrong.credentials()).status.success());

    // Another share; no second factor.
    run.with_record("kraken", "share_version", 99, |run| {
        let refused = run.client(&["inspect", "kraken"], b"");
        assert!(refused.stderr.contains("envelope_refused"), "{}", refused.stderr);
    });
    let missing = run.path("work/no-such-key");
    let arguments = ["export", "kraken", "--print", "--second-factor", missing.to_str().unwrap()];
    let refused = run.client(&arguments, b"");
    assert_eq!((refused.stdout.as_str(), refused.status.code()), ("", Some(1)), "{}", refused.stderr);
    assert!(refused.stderr.contains("needs both your keys"), "{}", refused.stderr);
    assert_clean(&run.search());
}

#[test]
fn no_key_that_an_exchange_makes_is_outside_the_enclave() {
    let mut run = Run::start(chosen());
    // What the sandbox will make first of this account (docs/spec/sandbox.md, section 9).
    let part = |of: &str| {
        let digest = digest(&SHA256, format!("tensfer sandbox key 0 of reader{of}").as_bytes());
        digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect::<String>()
    };
    run.add(Account::to_be_made("binance", &part("key"), &part("secret")));
    let client = run.path("work/client.json");
    std::fs::write(&client, r#"{"clientId":"tensfer-sandbox","clientSecret":"made-up-client-secret"}"#)
        .unwrap();
    let child = run.begin(&["link", "binance", "--new-key", "--credentials", client.to_str().unwrap()]);
    let back = run.authorise("binance", "reader", &run.address());
    assert_eq!(http::get(&back).status, 200);
    let linked = run.finish(child, b"");
    assert!(linked.status.success(), "{}", linked.stderr);
    must(&mut run, &["balances", "--json"]);
    let exported = run.exported();
    must(&mut run, &["export", "binance", "--output", exported.to_str().unwrap()]);
    let kept = std::fs::read_to_string(&exported).unwrap();
    assert!(kept.contains(&part("secret")), "it is the key that was looked for");
    assert_clean(&run.search());
    run.terminate();
    assert_clean(&run.search_remains());
}

#[test]
fn no_secret_is_outside_the_enclave_while_requests_are_under_way() {
    let mut run = linked();
    run.misbehave(r#"{"effect": {"kind": "silence"}}"#);
    run.forget_calls();
    let balances = run.begin(&["balances"]);
    wait_for_call(&run, "Balance");
    assert_clean(&run.search());
    run.terminate();
    let ended = run.finish(balances, b"");
    assert!(!ended.status.success());
    assert_clean(&run.search_remains());
}

#[test]
fn no_secret_leaves_the_enclave_when_an_exchange_misbehaves() {
    let mut run = linked();
    let kinds = [
        r#"{"kind": "truncated", "bytes": 20}"#,
        r#"{"kind": "huge", "bytes": 20000000}"#,
        r#"{"kind": "server_error", "status": 502}"#,
        r#"{"kind": "wrong_json"}"#,
        r#"{"kind": "maintenance"}"#,
        r#"{"kind": "revoked"}"#,
        r#"{"kind": "clock_skew", "ms": 400000}"#,
        r#"{"kind": "unknown_asset", "symbol": "NOBODY", "amount": "1"}"#,
    ];
    for kind in kinds {
        run.misbehave(&format!(r#"{{"effect": {kind}}}"#));
        run.client(&["balances"], b"");
        run.behave();
    }
    assert_clean(&run.search());
    run.terminate();
    assert_clean(&run.search_remains());
}

fn must(run: &mut Run, arguments: &[&str]) {
    let done = run.client(arguments, b"");
    assert!(done.status.success(), "{arguments:?}: {}", done.stderr);
}
