//! One person's portfolio: `tensfer balances` over a hundred connections to twenty exchanges (or as many as the sandbox speaks),
//! from the command's start to its first answer and to its end.
//!
//! The connections are linked on one start of the stack and asked on another, on the same folder: the first round opens every
//! connection to the providers, the second finds them open.

use crate::machine;
use serde::Serialize;
use serde_json::Value;
use stack::{Folder, Stack};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::time::Instant;

const CONNECTIONS: usize = 100;
const EXCHANGES: usize = 20;
/// Commands that link at the same time.
const LINKING_AT_ONCE: usize = 4;
const LINKING: &[&str] = &["--load-accounts", "100"];
const MEASURED: &[&str] = &["--load-accounts", "100", "--delay", "200"];

#[derive(Serialize)]
pub struct Report {
    connections: usize,
    exchanges: usize,
    provider_delay_ms: u64,
    cold: Round,
    warm: Round,
}

/// Milliseconds since the command was started.
#[derive(Serialize)]
struct Round {
    first_ms: u128,
    half_ms: u128,
    last_ms: u128,
    done_ms: u128,
    /// When the last connection of each exchange had answered.
    by_exchange_ms: BTreeMap<String, u128>,
    /// Sources that were not read, and how many of each.
    missing: BTreeMap<String, usize>,
}

struct Account {
    exchange: String,
    credential: String,
}

pub fn measure() -> Report {
    machine::lift_descriptor_limit();
    let folder = Folder::new();
    let (data, home) = (folder.join("data"), folder.join("home"));
    let accounts = accounts();
    let exchanges = accounts.iter().map(|account| account.exchange.as_str());
    let exchanges = exchanges.collect::<std::collections::BTreeSet<_>>().len();
    let stack = Stack::start_with(&data, LINKING);
    link_all(&Person::before(&stack, &home), &accounts);
    stack.stop();
    let stack = Stack::start_with(&data, MEASURED);
    let person = Person::before(&stack, &home);
    let (cold, warm) = (round(&person), round(&person));
    Report { connections: accounts.len(), exchanges, provider_delay_ms: 200, cold, warm }
}

/// The accounts to link: of each exchange in turn, the next one that is nobody else's yet; again from its first where it has
/// no more.
fn accounts() -> Vec<Account> {
    let mut list = Command::new(stack::tensfer());
    list.args(["sandbox", "accounts", "--json"]).args(LINKING);
    let output = stack::run(&mut list, b"");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let listed: Vec<Value> = serde_json::from_slice(&output.stdout).expect("JSON");
    let mut by_exchange: BTreeMap<&str, Vec<&Value>> = BTreeMap::new();
    for account in &listed {
        let name = account["name"].as_str().expect("a name");
        // Bound to another address.
        if name != "locked" {
            by_exchange.entry(account["exchange"].as_str().expect("an exchange")).or_default().push(account);
        }
    }
    let chosen: Vec<(&str, Vec<&Value>)> = by_exchange.into_iter().take(EXCHANGES).collect();
    (0..CONNECTIONS)
        .map(|at| {
            let (exchange, accounts) = &chosen[at % chosen.len()];
            let account = accounts[at / chosen.len() % accounts.len()];
            Account { exchange: (*exchange).to_owned(), credential: account["credentials"].to_string() }
        })
        .collect()
}

/// A person's client, and the server that it asks.
struct Person {
    home: PathBuf,
    url: String,
    root: PathBuf,
}

impl Person {
    fn before(stack: &Stack, home: &Path) -> Person {
        let (url, root) = (stack.url().to_owned(), stack.simulation_root().to_owned());
        Person { home: home.to_owned(), url, root }
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(stack::tensfer());
        command.env("TENSFER_HOME", &self.home).args(["--server", &self.url]);
        command.arg("--dangerous-simulated").arg(&self.root).args(words);
        command
    }
}

fn link_all(person: &Person, accounts: &[Account]) {
    let link = |at: usize| {
        let Account { exchange, credential } = &accounts[at];
        let name = format!("{exchange}-{at}");
        let words = ["link", exchange, "--credentials", "-", "--name", &name, "--json"];
        let output = stack::run(&mut person.command(&words), credential.as_bytes());
        assert!(output.status.success(), "{exchange}: {}", String::from_utf8_lossy(&output.stderr));
    };
    // The first makes the owner's key.
    link(0);
    let next = Mutex::new(1..accounts.len());
    std::thread::scope(|scope| {
        for _ in 0..LINKING_AT_ONCE {
            scope.spawn(|| {
                let take = || next.lock().expect("no thread failed").next();
                while let Some(at) = take() {
                    link(at);
                }
            });
        }
    });
}

fn round(person: &Person) -> Round {
    let start = Instant::now();
    let mut asking = person.command(&["balances", "--json-lines", "--in", "USDT"]);
    let mut asking = asking.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("the client starts");
    let mut lines: Vec<(u128, String)> = Vec::new();
    for line in BufReader::new(asking.stdout.take().expect("its output")).lines() {
        lines.push((start.elapsed().as_millis(), line.expect("text")));
    }
    asking.wait().expect("the client ends");
    let done_ms = start.elapsed().as_millis();
    let (_, summary) = lines.pop().expect("the whole");
    assert!(summary.contains("\"total\""), "{summary}");
    let mut by_exchange_ms = BTreeMap::new();
    let mut missing: BTreeMap<String, usize> = BTreeMap::new();
    for (at, line) in &lines {
        let line: Value = serde_json::from_str(line).expect("JSON");
        let exchange = line["connection"]["exchange"].as_str().expect("an exchange");
        by_exchange_ms.insert(exchange.to_owned(), *at);
        for source in line["sources"].as_array().expect("sources") {
            let (name, status, fault) = (&source["source"], &source["status"], &source["fault"]);
            if status == "failed" || status == "partial" {
                *missing.entry(format!("{exchange} {name} {status} {fault}")).or_default() += 1;
            }
        }
    }
    let at = |part: usize| lines.get(part).map_or(done_ms, |(at, _)| *at);
    Round {
        first_ms: at(0),
        half_ms: at(lines.len() / 2),
        last_ms: at(lines.len().saturating_sub(1)),
        done_ms,
        by_exchange_ms,
        missing,
    }
}
