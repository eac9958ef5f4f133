//! One person's portfolio: `tensfer balances` over a hundred connections to twenty exchanges, from the command's start to its first answer and to its end.
//!
//! The connections are linked on one start of the stack and asked on another, on the same folder: the first round opens every
//! connection to the providers, the second finds them open. Before it a stranger's wrong key was tried at every exchange: the
//! sandbox reads an exchange's file when it is first called, which no exchange does.

use crate::machine;
use serde::Serialize;
use serde_json::Value;
use stack::{Folder, Stack};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

const CONNECTIONS: usize = 100;
/// Exchanges whose balances are all asked at once. Where one call follows from another (Gate, HTX), or a key's calls follow each
/// other (WhiteBIT, Gemini), an answer takes as many times the delay.
const EXCHANGES: [&str; 20] = [
    "binance",
    "bybit",
    "coinbase",
    "kraken",
    "kucoin",
    "okx",
    "bitstamp",
    "bitfinex",
    "bitget",
    "mexc",
    "cryptocom",
    "bitvavo",
    "coinex",
    "bingx",
    "upbit",
    "luno",
    "bithumb",
    "deribit",
    "coinone",
    "bitso",
];
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
    /// TLS connections from the enclave to the provider, afterwards.
    provider_connections: usize,
    /// CPU time of each process, the command among them.
    cpu_ms: BTreeMap<String, u64>,
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
    meet_all(&Person::before(&stack, &folder.join("stranger")), &accounts);
    let person = Person::before(&stack, &home);
    let (cold, warm) = (round(&stack, &person), round(&stack, &person));
    Report { connections: accounts.len(), exchanges, provider_delay_ms: 200, cold, warm }
}

/// The accounts to link, each with a key of its own that may read: of each exchange in turn, as long as it has any.
fn accounts() -> Vec<Account> {
    let mut list = Command::new(stack::tensfer());
    list.args(["sandbox", "accounts", "--json"]).args(LINKING);
    let output = stack::run(&mut list, b"");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let listed: Vec<Value> = serde_json::from_slice(&output.stdout).expect("JSON");
    let may_read = |account: &Value| {
        let permissions = account["permissions"].as_array().expect("permissions");
        permissions.iter().any(|permission| permission == "read")
            && account["ips"].as_array().is_none_or(Vec::is_empty)
    };
    let of = |exchange: &str| -> Vec<&Value> {
        listed.iter().filter(|account| account["exchange"] == exchange && may_read(account)).collect()
    };
    let by_exchange: Vec<(&str, Vec<&Value>)> = EXCHANGES.map(|exchange| (exchange, of(exchange))).to_vec();
    let most = by_exchange.iter().map(|(_, accounts)| accounts.len()).max().unwrap_or_default();
    let in_turn = (0..most).flat_map(|turn| {
        by_exchange.iter().filter_map(move |(exchange, accounts)| Some((*exchange, *accounts.get(turn)?)))
    });
    let account = |(exchange, account): (&str, &Value)| Account {
        exchange: exchange.to_owned(),
        credential: account["credentials"].to_string(),
    };
    in_turn.take(CONNECTIONS).map(account).collect()
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
    for (at, Account { exchange, credential }) in accounts.iter().enumerate() {
        let name = format!("{exchange}-{at}");
        let words = ["link", exchange, "--credentials", "-", "--name", &name, "--json"];
        let output = stack::run(&mut person.command(&words), credential.as_bytes());
        assert!(output.status.success(), "{exchange}: {}", String::from_utf8_lossy(&output.stderr));
    }
}

/// Calls every exchange once, with a key that none of them knows: so nothing that is asked later finds a connection open.
fn meet_all(stranger: &Person, accounts: &[Account]) {
    for Account { exchange, credential } in accounts.iter().take(EXCHANGES.len()) {
        let mut credential: Value = serde_json::from_str(credential).expect("JSON");
        let key = credential.as_object_mut().and_then(|fields| fields.get_mut("apiKey")).expect("an API key");
        *key = Value::String(format!("{}x", key.as_str().expect("text")));
        let words = ["link", exchange, "--credentials", "-", "--json"];
        let output = stack::run(&mut stranger.command(&words), credential.to_string().as_bytes());
        assert!(!output.status.success(), "{exchange} knows a made-up key");
    }
}

fn round(stack: &Stack, person: &Person) -> Round {
    let before = machine::cpu_ms(stack);
    let start = Instant::now();
    let mut asking = person.command(&["balances", "--json-lines", "--in", "USDT"]);
    let mut asking = asking.stdout(Stdio::piped()).spawn().expect("the client starts");
    let mut lines: Vec<(u128, String)> = Vec::new();
    for line in BufReader::new(asking.stdout.take().expect("its output")).lines() {
        lines.push((start.elapsed().as_millis(), line.expect("text")));
    }
    // Before it is waited for: the kernel still tells of a process that has ended.
    let own_cpu_ms = machine::cpu_of(asking.id());
    asking.wait().expect("the client ends");
    let done_ms = start.elapsed().as_millis();
    let mut cpu_ms = machine::spent(&before, &machine::cpu_ms(stack));
    cpu_ms.insert("tensfer balances".to_owned(), own_cpu_ms);
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
        provider_connections: machine::connections_to(machine::provider_port(stack)),
        cpu_ms,
    }
}
