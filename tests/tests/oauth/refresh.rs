//! Refresh tokens that are good for one use, and whose second use ends everything: none is lost, none is used twice.

use crate::person::Person;
use stack::Process;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

/// The enclave refreshes what has less than 30 s left: after a second, everything.
const SHORT: u32 = 31;

fn wait_until_it_is_over() {
    std::thread::sleep(Duration::from_millis(1_500));
}

fn wait_for_refreshes(person: &Person, count: usize) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while person.provider.grants("refresh_token").len() < count {
        assert!(Instant::now() < deadline, "the provider was not asked");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn generation(person: &Person) -> u64 {
    person.json(&["inspect", "coinbase_oauth", "--json"])["generation"].as_u64().unwrap()
}

#[test]
fn tokens_are_refreshed_when_they_are_needed_and_each_refresh_is_a_generation() {
    let person = Person::start(SHORT);
    person.link();
    for round in 1..=3 {
        wait_until_it_is_over();
        assert_eq!(person.json(&["balances", "--json"])["coverage"]["sources"][0]["status"], "complete");
        assert_eq!(person.provider.grants("refresh_token"), vec![200; round]);
        assert_eq!(generation(&person), 1 + round as u64);
    }
}

#[test]
fn a_client_killed_while_the_provider_answers_gets_the_same_tokens_when_it_asks_again() {
    // Long enough for the tokens to be of use when the second client gets them.
    let person = Person::start(38);
    person.link();
    std::thread::sleep(Duration::from_millis(8_500));
    person.provider.delay(2_500);
    let asking = Process::start(&mut person.command(&["balances", "--json"]));
    wait_for_refreshes(&person, 1);
    // SIGKILL, while the only copy of the next refresh token is on its way to the enclave.
    drop(asking);
    person.provider.delay(0);
    let balances = person.json(&["balances", "--json"]);
    assert_eq!(balances["coverage"]["sources"][0]["status"], "complete", "{balances:#}");
    assert_eq!(person.provider.grants("refresh_token"), [200], "it was used once");
    assert_eq!(person.json(&["connections", "--json"])[0]["receipt_gaps"], 0);
}

#[test]
fn m21_a_client_killed_anywhere_in_a_refresh_never_loses_the_authorisation() {
    let person = Person::start(SHORT);
    person.link();
    let started = Instant::now();
    person.done(&["balances", "--json"]);
    let whole = started.elapsed();
    for step in 0..12u32 {
        wait_until_it_is_over();
        let asking = Process::start(&mut person.command(&["balances", "--json"]));
        std::thread::sleep(whole * step / 6);
        drop(asking);
        let balances = person.json(&["balances", "--json"]);
        assert_eq!(balances["coverage"]["sources"][0]["status"], "complete", "step {step}: {balances:#}");
    }
    let refreshes = person.provider.grants("refresh_token");
    assert!(refreshes.iter().all(|status| *status == 200), "each token was used once: {refreshes:?}");
}

#[test]
fn a_rotation_in_the_middle_of_a_refresh_takes_the_new_tokens_along() {
    let person = Person::start(SHORT);
    person.link();
    wait_until_it_is_over();
    person.provider.delay(2_000);
    let asking = Process::start(&mut person.command(&["balances", "--json"]));
    wait_for_refreshes(&person, 1);
    drop(asking);
    person.provider.delay(0);
    std::thread::sleep(Duration::from_millis(2_500));
    person.done(&["rotate", "coinbase_oauth"]);
    wait_until_it_is_over();
    assert_eq!(person.json(&["balances", "--json"])["coverage"]["sources"][0]["status"], "complete");
    assert!(person.provider.grants("refresh_token").iter().all(|status| *status == 200));
}

#[test]
fn an_envelope_of_before_the_refresh_is_refused_and_never_costs_the_authorisation() {
    let person = Person::start(SHORT);
    person.link();
    let home = person.folder.join("home");
    let file = std::fs::read_dir(home.join("simulated/connections")).unwrap().next().unwrap().unwrap().path();
    let before = std::fs::read(&file).unwrap();
    wait_until_it_is_over();
    person.done(&["balances", "--json"]);
    let after = std::fs::read(&file).unwrap();
    std::fs::write(&file, before).unwrap();
    let stale = person.run(&["balances", "--json"]);
    assert_ne!(stale.code, 0);
    assert!(stale.err.contains("stale_generation") || stale.err.contains("receipt"), "{}", stale.err);
    std::fs::write(&file, after).unwrap();
    wait_until_it_is_over();
    person.done(&["balances", "--json"]);
    assert!(person.provider.grants("refresh_token").iter().all(|status| *status == 200));
}

#[test]
fn revoked_tokens_open_nothing_even_with_an_envelope_that_was_kept() {
    let person = Person::start(3600);
    person.link();
    let home = person.folder.join("home/simulated");
    let file = std::fs::read_dir(home.join("connections")).unwrap().next().unwrap().unwrap().path();
    let kept = std::fs::read(&file).unwrap();
    let older = person.folder.join("older");
    let person = person.restarted(|data| copy(data, &older));
    person.done(&["forget", "coinbase_oauth"]);
    std::fs::write(&file, &kept).unwrap();
    let is_forgotten = |person: &Person| {
        let forgotten = person.run(&["balances", "--json"]);
        assert!(forgotten.err.contains("(forgotten)"), "{}", forgotten.err);
    };
    is_forgotten(&person);
    let person = person.restarted(|_| {});
    is_forgotten(&person);
    // A host that brings everything back, its witness too, before a client that has seen nothing newer: no enclave knows of
    // the forgetting then. The provider does.
    let person = person.restarted(|data| {
        std::fs::remove_dir_all(data).unwrap();
        copy(&older, data);
    });
    for seen in ["marks.json", "receipts"] {
        std::fs::remove_file(home.join(seen)).unwrap();
    }
    let refused = person.run(&["balances", "--json"]);
    assert_eq!(refused.code, 3, "{}", refused.err);
    assert!(refused.err.contains("credential_refused"), "{}", refused.err);
}

fn copy(from: &Path, to: &Path) {
    let copied = stack::run(Command::new("cp").arg("-a").arg(from).arg(to), b"");
    assert!(copied.status.success(), "{}", String::from_utf8_lossy(&copied.stderr));
}
