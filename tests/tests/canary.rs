//! No marked secret is anywhere outside the enclave; and the search that says so can see.
//!
//! The whole system runs as real processes. Marked are credentials, owner secret, owner keys, shares, data keys, every
//! key derived from them, and roots; searched are all files, logs, command lines, environments and the memory of all
//! host processes, in ordinary use, while requests are under way, under overload, and in every crash.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "canary/control.rs"]
mod control;
#[path = "canary/crash.rs"]
mod crash;
#[path = "canary/ordinary.rs"]
mod ordinary;
#[path = "canary/overload.rs"]
mod overload;
#[path = "canary/sight.rs"]
mod sight;

use stack::LONG;
use stack::canary::{Account, Leak, Run, accounts};
use std::time::{Duration, Instant};

/// One account at each exchange, of each kind of key; and one whose secret is in no file of the program.
fn chosen() -> Vec<Account> {
    let is_chosen = |account: &Account| match account.exchange.as_str() {
        "kraken" => account.name == "load-0000",
        "coinbase" => account.name == "reader" || account.name == "everything",
        _ => account.name == "reader",
    };
    let chosen: Vec<Account> = accounts(1).into_iter().filter(is_chosen).collect();
    assert_eq!(chosen.len(), 7);
    chosen
}

/// A run with one linked account, kraken's.
fn linked() -> Run {
    let mut run = Run::start(chosen());
    let kraken = run.accounts().iter().position(|account| account.exchange == "kraken").unwrap();
    run.link(kraken);
    run
}

/// Waits until the sandbox has had a call of that path.
fn wait_for_call(run: &Run, path: &str) {
    let deadline = Instant::now() + LONG;
    while !run.calls().contains(path) {
        assert!(Instant::now() < deadline, "no call of {path}: {}", run.calls());
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn assert_clean(leaks: &[Leak]) {
    let told: Vec<String> = leaks.iter().map(ToString::to_string).collect();
    assert!(leaks.is_empty(), "{} leaks:\n{}", leaks.len(), told.join("\n"));
}
