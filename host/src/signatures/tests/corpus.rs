//! The fuzz target over its corpus, and over mutations of it.

use crate::signatures::fuzz::fuzz_http_signature;
use proptest::prelude::*;
use std::path::PathBuf;

fn corpus() -> Vec<Vec<u8>> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus/http_signature");
    let mut paths: Vec<PathBuf> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    assert!(!paths.is_empty());
    paths.iter().map(|path| std::fs::read(path).unwrap()).collect()
}

/// `TENSFER_SOAK=1` (`make soak`): a hundred times as many.
fn effort(cases: u32) -> u32 {
    if std::env::var_os("TENSFER_SOAK").is_some() { cases * 100 } else { cases }
}

/// Cuts, repeats, overwrites and splices a seed.
fn mutated(mut seed: Vec<u8>, edits: &[(u16, u8, u8)]) -> Vec<u8> {
    const TOKENS: [&[u8]; 12] =
        [b"\n", b"\"", b";", b", ", b"=", b":", b"(", b")", b"?", b"%2e", b"\xff", b"\r\n "];
    for (place, kind, value) in edits {
        let at = usize::from(*place) % (seed.len() + 1);
        let end = (at + usize::from(*value)).min(seed.len());
        match kind % 5 {
            0 => seed.truncate(at),
            1 => {
                let token = TOKENS[usize::from(*value) % TOKENS.len()];
                seed.splice(at..at, token.iter().copied());
            }
            2 if at < seed.len() => seed[at] = *value,
            3 => {
                let part = seed[at..end].to_vec();
                seed.splice(at..at, part);
            }
            _ => drop(seed.drain(at..end)),
        }
    }
    seed
}

#[test]
fn the_corpus_of_signed_requests_is_harmless() {
    corpus().iter().for_each(|data| fuzz_http_signature(data));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: effort(2_000), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_mutation_of_a_signed_request_is_harmful(
        seed in any::<prop::sample::Index>(),
        edits in prop::collection::vec(any::<(u16, u8, u8)>(), 1..6),
    ) {
        let corpus = corpus();
        fuzz_http_signature(&mutated(seed.get(&corpus).clone(), &edits));
    }

    #[test]
    fn no_bytes_are_harmful(data in prop::collection::vec(any::<u8>(), 0..300)) {
        fuzz_http_signature(&data);
    }
}
