//! Fuzz targets of the connector engine as plain functions, run over their corpus and over mutations of it.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

use std::path::PathBuf;

use enclave::connector::*;
use enclave::entropy::{Entropy, NoEntropy};
use proptest::prelude::*;

struct Zero;

impl Entropy for Zero {
    fn fill(&mut self, out: &mut [u8]) -> Result<(), NoEntropy> {
        out.fill(0);
        Ok(())
    }
}

/// The first byte chooses exchange and operation, the second the status; the rest is every answer's body.
pub fn fuzz_provider_response(data: &[u8]) {
    let Some(([choice, status], body)) = data.split_first_chunk::<2>() else { return };
    let connectors = all();
    let connector = &connectors[usize::from(*choice) % connectors.len()];
    let status = [200, 200, 200, 400, 401, 429, 500, 302][usize::from(*status) % 8];
    let fields = connector.credential.iter().map(|field| (field.name.clone(), Value::from("c2VjcmV0")));
    let json = Value::Map(fields.collect()).to_json();
    let credential = || Credential::from_json(connector, json.as_bytes()).ok();
    let operation = match usize::from(*choice) / connectors.len() % 5 {
        0 => Operation::Capabilities,
        1 => Operation::Prices,
        2 => Operation::Time,
        3 => read(connector, body),
        _ => Operation::Balances { sources: None },
    };
    let Ok(mut run) = Run::start(connector, operation, credential(), 0, NonceState::new()) else { return };
    let mut now_ms = 1_760_000_000_000;
    for _ in 0..2000 {
        match run.next(now_ms, &mut Zero) {
            Step::Send { call, .. } => run.answer(call, now_ms, status, &[], body),
            Step::Wait { until_ms } => now_ms = until_ms.unwrap_or(now_ms + 1).max(now_ms + 1),
            Step::Done(outcome) => {
                // What is kept came from the answers: never more than they could hold, page by page.
                if let Answer::Balances(balances) = &outcome.answer {
                    assert!(balances.len() <= body.len() * outcome.calls as usize);
                }
                return;
            }
        }
    }
    panic!("the run does not end");
}

/// Some read operation of the connector, with arguments that choose a route.
fn read(connector: &'static Connector, body: &[u8]) -> Operation {
    let at = body.first().copied().unwrap_or_default();
    let operations: Vec<&String> = connector.reads.iter().map(|read| &read.operation).collect();
    let operation = operations.get(usize::from(at) % operations.len().max(1)).map(|name| name.to_string());
    let arguments = ["market", "market_type", "asset"].map(|name| (name.to_owned(), Value::from("spot")));
    Operation::Read {
        operation: operation.unwrap_or_default(),
        arguments: arguments.to_vec(),
        extra: Params::new(),
        from: Position::Start,
        pages: None,
    }
}

/// The embedded form of a connector file.
pub fn fuzz_connector_file(data: &[u8]) {
    let _ = load(data);
}

/// `TENSFER_SOAK=1` (`make soak`): a hundred times as many.
fn effort(cases: u32) -> u32 {
    if std::env::var_os("TENSFER_SOAK").is_some() { cases * 100 } else { cases }
}

fn corpus(name: &str) -> Vec<Vec<u8>> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus").join(name);
    let mut paths: Vec<PathBuf> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    assert!(!paths.is_empty());
    paths.iter().map(|path| std::fs::read(path).unwrap()).collect()
}

/// Cuts, repeats, overwrites and splices a seed.
fn mutated(mut seed: Vec<u8>, edits: &[(u16, u8, u8)]) -> Vec<u8> {
    const TOKENS: [&[u8]; 12] =
        [b"{", b"}", b"[", b"]", b"\"", b",", b":", b"null", b"1e999", b"-0.0000000001", b"\\ud800", b"\xff"];
    for (place, kind, value) in edits {
        let at = usize::from(*place) % (seed.len() + 1);
        match kind % 5 {
            0 => seed.truncate(at),
            1 => {
                let token = TOKENS[usize::from(*value) % TOKENS.len()];
                seed.splice(at..at, token.iter().copied());
            }
            2 if at < seed.len() => seed[at] = *value,
            3 => {
                let end = (at + usize::from(*value)).min(seed.len());
                let part = seed[at..end].to_vec();
                seed.splice(at..at, part);
            }
            _ => {
                let end = (at + usize::from(*value)).min(seed.len());
                seed.drain(at..end);
            }
        }
    }
    seed
}

#[test]
fn the_corpus_of_provider_responses_is_harmless() {
    corpus("provider_response").iter().for_each(|data| fuzz_provider_response(data));
}

#[test]
fn the_corpus_of_connector_files_is_harmless() {
    corpus("connector_file").iter().for_each(|data| fuzz_connector_file(data));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(effort(256)))]

    #[test]
    fn mutated_provider_responses_never_panic(
        pick in any::<usize>(),
        choice in any::<u8>(),
        edits in proptest::collection::vec(any::<(u16, u8, u8)>(), 0..6),
    ) {
        let seeds = corpus("provider_response");
        let mut data = mutated(seeds[pick % seeds.len()].clone(), &edits);
        if let Some(first) = data.first_mut() {
            *first = choice;
        }
        fuzz_provider_response(&data);
    }

    #[test]
    fn mutated_connector_files_never_panic(
        pick in any::<usize>(),
        edits in proptest::collection::vec(any::<(u16, u8, u8)>(), 0..6),
    ) {
        let seeds = corpus("connector_file");
        fuzz_connector_file(&mutated(seeds[pick % seeds.len()].clone(), &edits));
    }
}
