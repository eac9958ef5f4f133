//! Measures the connector engine: µs to sign a request, µs to parse a balance of 500 assets, for each exchange.
//!
//! `connector_bench [--write DIR]` prints JSON; with `--write` it also leaves the parsed answers as
//! `DIR/EXCHANGE.json`, so that another client can be measured on the same input. An example, so that the enclave's
//! programs stay without clock and files.
#![expect(clippy::print_stdout, clippy::unwrap_used, reason = "a measuring program, not part of the enclave")]

use std::hint::black_box;

use enclave::connector::*;
use enclave::entropy::{Entropy, NoEntropy};

#[path = "cpu/mod.rs"]
mod cpu;
#[path = "connector_bench/inputs.rs"]
mod inputs;

struct Counting(u8);

impl Entropy for Counting {
    fn fill(&mut self, out: &mut [u8]) -> Result<(), NoEntropy> {
        for byte in out {
            self.0 = self.0.wrapping_add(7);
            *byte = self.0;
        }
        Ok(())
    }
}

fn main() {
    let mut words = std::env::args().skip(1);
    let folder = words.next().filter(|word| word == "--write").and_then(|_| words.next());
    let mut signs = Vec::new();
    let mut parses = Vec::new();
    for (id, source, body) in inputs::balances() {
        if let Some(folder) = &folder {
            std::fs::create_dir_all(folder).unwrap();
            std::fs::write(format!("{folder}/{id}.json"), &body).unwrap();
        }
        for (key, credential) in inputs::credentials(id) {
            signs.push(format!(r#""{key}":{}"#, sign_ns(id, source, &credential).micros()));
        }
        let (ns, rows) = parse_ns(id, source, body.as_bytes());
        let read = measured(400, 2, || {
            black_box(Document::parse(black_box(body.as_bytes())).unwrap());
        });
        let (us, read_us, bytes) = (ns.micros(), read.micros(), body.len());
        parses.push(format!(r#""{id}":{{"us":{us},"json_us":{read_us},"bytes":{bytes},"rows":{rows}}}"#));
    }
    println!(r#"{{"sign_us":{{{}}},"parse_500_assets":{{{}}}}}"#, signs.join(","), parses.join(","));
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

fn sign_ns(id: &str, source: &str, credential: &Credential) -> Nanos {
    let connector = find(id).unwrap();
    let listing = &connector.balances.iter().find(|known| known.name == source).unwrap().listing;
    let mut entropy = Counting(0);
    measured(200, 50, || {
        let mut signing = Signing {
            credential: Some(credential),
            now_ms: 1_760_000_000_000,
            nonce: 1,
            entropy: &mut entropy,
        };
        let sent = params(connector, listing, Params::new(), &mut signing).unwrap();
        black_box(build(connector, &listing.call, sent, &mut signing).unwrap());
    })
}

/// From bytes to merged balances.
fn parse_ns(id: &str, source: &str, body: &[u8]) -> (Nanos, usize) {
    let connector = find(id).unwrap();
    let source = connector.balances.iter().find(|known| known.name == source).unwrap();
    let arguments = Params::new();
    let parse = || {
        let document = Document::parse(black_box(body)).unwrap();
        assert!(refusal(connector, 200, Some(&document)).is_none());
        let reply = Reply { connector, arguments: &arguments, root: document.root() };
        let read = reply.balances(source).unwrap();
        assert!(!read.damaged);
        merged(read.rows).unwrap()
    };
    let rows = parse().len();
    (
        measured(400, 2, || {
            black_box(parse());
        }),
        rows,
    )
}
