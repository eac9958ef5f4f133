//! Measures every exchange: µs to sign its balance call and a call with a body, µs to read an answer of 100 rows; and what
//! the whole catalogue takes to load, in ms and in resident memory.
//!
//! `exchange_bench write VECTORS DIR` leaves what is measured as `DIR/EXCHANGE.json`, so that another client can be measured
//! on the same; `exchange_bench run VECTORS DIR [EXCHANGE…]` and `exchange_bench load` print JSON. Recorded credentials are made up.
#![expect(clippy::print_stdout, clippy::unwrap_used, reason = "a measuring program, not part of the enclave")]

use std::hint::black_box;
use std::path::Path;
use std::time::Instant;

use connector_check::dictionary::text;
use connector_check::files::Files;
use connector_check::signing::{Frozen, Prepared};
use enclave::connector::*;

#[path = "../../../core/examples/cpu/mod.rs"]
mod cpu;
mod inputs;
mod many;

const SIGN_ROUNDS: usize = 40;
const PARSE_ROUNDS: usize = 60;

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    match words.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["write", vectors, folder] => write(Path::new(vectors), Path::new(folder)),
        ["run", vectors, folder, only @ ..] => run(Path::new(vectors), Path::new(folder), only),
        ["load"] => load(),
        _ => println!("usage: exchange_bench write VECTORS DIR | run VECTORS DIR [EXCHANGE…] | load"),
    }
}

fn write(vectors: &Path, folder: &Path) {
    std::fs::create_dir_all(folder).unwrap();
    for id in Files::BuiltIn.ids().unwrap() {
        let (connector, claims) = Files::BuiltIn.open(&id).unwrap().unwrap();
        let exchange = inputs::exchange(vectors, connector, &claims).unwrap();
        std::fs::write(folder.join(format!("{id}.json")), exchange.to_json()).unwrap();
    }
}

/// All exchanges, or those that are named.
fn run(vectors: &Path, folder: &Path, only: &[&str]) {
    let keys = std::fs::read(vectors.join("exchanges/testkeys.json")).unwrap();
    let keys = Document::parse(&keys).unwrap();
    let mut lines = Vec::new();
    for connector in all().iter().filter(|known| only.is_empty() || only.contains(&known.id.as_str())) {
        let bytes = std::fs::read(folder.join(format!("{}.json", connector.id))).unwrap();
        let file = Document::parse(&bytes).unwrap();
        let member = |name| file.root().member(name).ok().flatten();
        let mut members = Vec::new();
        for name in ["sign", "sign_body"] {
            if let (Some(given), Some(case)) = (member("credentials"), member(name)) {
                members.push(format!(r#""{name}":{}"#, sign(connector, given, case, keys.root()).micros()));
            }
        }
        if let Some(answer) = member("parse") {
            members.push(format!(r#""parse":{}"#, parse(connector, answer).micros()));
        }
        lines.push(format!(r#""{}":{{{}}}"#, connector.id, members.join(",")));
    }
    println!(r#"{{"exchanges":{{{}}}}}"#, lines.join(","));
}

/// Wall time and resident memory that the catalogue takes, measured where nothing was loaded before.
fn load() {
    let before = resident_kib();
    let start = Instant::now();
    let mut count = 0;
    let used = cpu::time(|| count = black_box(all()).len()).as_micros();
    let (took, kib) = (start.elapsed().as_micros(), resident_kib() - before);
    println!(r#"{{"exchanges":{count},"load_us":{took},"cpu_us":{used},"kib":{kib}}}"#);
}

fn resident_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

/// Nanoseconds, printed as microseconds with two digits.
struct Nanos(u64);

impl Nanos {
    fn micros(&self) -> String {
        format!("{}.{:02}", self.0 / 1000, self.0 % 1000 / 10)
    }
}

/// CPU time of one `work`: the median over the rounds of the mean of a round.
fn measured(rounds: usize, repeats: u32, mut work: impl FnMut()) -> Nanos {
    let mut took: Vec<u64> = (0..rounds)
        .map(|_| cpu::time(|| (0..repeats).for_each(|_| work())).as_nanos() as u64 / u64::from(repeats))
        .collect();
    took.sort_unstable();
    Nanos(took.get(rounds / 2).copied().unwrap_or_default())
}

fn sign(connector: &'static Connector, given: Json<'_>, case: Json<'_>, keys: Json<'_>) -> Nanos {
    let prepared = Prepared::new(connector, given, case, keys).unwrap();
    let mut entropy = Frozen::of(case);
    measured(SIGN_ROUNDS, 20, || {
        black_box(prepared.sign(connector, &mut entropy).unwrap());
    })
}

/// From bytes to merged balances, or to records of tickers.
fn parse(connector: &'static Connector, answer: Json<'_>) -> Nanos {
    let (place, body) = (text(answer, "place").unwrap(), text(answer, "text").unwrap());
    let (_, listing) = listings(connector).into_iter().find(|(known, _)| *known == place).unwrap();
    measured(PARSE_ROUNDS, 4, || {
        let document = Document::parse(black_box(body.as_bytes())).unwrap();
        assert!(refusal(connector, 200, Some(&document)).is_none());
        black_box(inputs::rows(connector, listing, document.root(), place.starts_with("balances/")).unwrap());
    })
}
