//! Hostile bytes: thousands of altered documents, none accepted; corpora, no panic. `TENSFER_SOAK=1`: a hundred times
//! as many.

use std::collections::BTreeSet;
use std::path::PathBuf;
use verify::document;
use verify::evidence::Presented;
use verify::expect::Kind;
use verify::fuzz::{fuzz_evidence, fuzz_evidence_reply, fuzz_sealed};
use verify::measurement::{Name, Policy, Registers};
use verify::{Expect, Refused};
use wire::UnixMillis;

/// How many altered documents a normal run makes.
const ALTERED: usize = 5_000;

#[test]
fn no_altered_document_is_accepted() {
    let bases = [
        recorded("nitro/evervault-beta-valid.cose", 1_665_651_482_136),
        recorded("nitro/dstack-20251225.nsm-response", 1_766_668_537_578),
    ];
    let mut random = SplitMix(0x7e45_f001);
    let mut reasons = BTreeSet::new();
    for number in 0..ALTERED * effort() {
        let base = &bases[number % 2];
        let altered = alter(&base.bytes, &bases[(number + 1) % 2].bytes, &mut random);
        if altered == base.bytes {
            continue;
        }
        let report = document::check(&Presented::nitro(&altered), &base.expect, base.at, None);
        let Err(reason) = report.verdict else { panic!("accepted altered document {number}") };
        reasons.insert(reason.code());
    }
    for reached in
        ["malformed", "signature_invalid", "certificate_signature", "root_not_pinned", "document_too_long"]
    {
        assert!(reasons.contains(reached), "{reached} was not reached: {reasons:?}");
    }
}

#[test]
fn every_single_bit_of_a_document_matters() {
    let base = recorded("nitro/evervault-beta-valid.cose", 1_665_651_482_136);
    // A prime step visits every part of the document; the soak visits every bit.
    let step = if effort() > 1 { 1 } else { 37 };
    for bit in (0..base.bytes.len() * 8).step_by(step) {
        let mut altered = base.bytes.clone();
        altered[bit / 8] ^= 0x80 >> (bit % 8);
        let report = document::check(&Presented::nitro(&altered), &base.expect, base.at, None);
        assert!(report.verdict.is_err(), "bit {bit}");
    }
}

#[test]
fn the_altered_documents_start_from_accepted_ones() {
    for (file, time) in [
        ("nitro/evervault-beta-valid.cose", 1_665_651_482_136),
        ("nitro/dstack-20251225.nsm-response", 1_766_668_537_578),
    ] {
        let base = recorded(file, time);
        assert!(
            document::check(&Presented::nitro(&base.bytes), &base.expect, base.at, None).verdict.is_ok(),
            "{file}"
        );
    }
}

#[test]
fn the_corpora_hold_their_invariants_altered_or_not() {
    let mut random = SplitMix(0x5eed);
    let targets: [(&str, Target); 3] =
        [("evidence", fuzz_evidence), ("evidence-reply", fuzz_evidence_reply), ("evidence", fuzz_sealed)];
    for (folder, target) in targets {
        let corpus = corpus(folder);
        assert!(corpus.len() >= 7, "{folder} has {} entries", corpus.len());
        for (number, entry) in corpus.iter().enumerate() {
            target(entry);
            for _ in 0..8 * effort() {
                target(&alter(entry, &corpus[(number + 1) % corpus.len()], &mut random));
            }
        }
    }
}

#[test]
fn sealed_requests_of_the_vectors_hold_their_invariants_altered_or_not() {
    let file: serde_json::Value = serde_json::from_slice(&read("vectors/sealing/ohttp.json")).unwrap();
    let mut random = SplitMix(0x0b5e55ed);
    for case in file["cases"].as_array().unwrap() {
        for member in ["encapsulated_request", "encapsulated_response", "request"] {
            let seed = document::unwrap(Kind::Nitro, case[member].as_str().unwrap().as_bytes()).into_owned();
            for _ in 0..32 * effort() {
                fuzz_sealed(&alter(&seed, b"\x00\x03GET\x05https\x00\x01/\x00\x00\x00", &mut random));
            }
        }
    }
}

type Target = fn(&[u8]);

struct Base {
    bytes: Vec<u8>,
    expect: Expect,
    at: UnixMillis,
}

/// A recorded document with the expectation that accepts it.
fn recorded(file: &str, time: u64) -> Base {
    let bytes = document::unwrap(Kind::Nitro, &read(&format!("vectors/evidence/{file}"))).into_owned();
    let at = UnixMillis(time);
    let unknown = Registers::new().with(Name::Pcr(0), [0; 48]).unwrap();
    let report =
        document::check(&Presented::nitro(&bytes), &Expect::new(Policy::new().or(unknown)), at, None);
    assert_eq!(report.verdict.err(), Some(Refused::MeasurementMismatch), "{file}");
    let expect = Expect::new(Policy::new().or(report.registers));
    Base { bytes, expect, at }
}

/// One or a few alterations of one kind.
fn alter(bytes: &[u8], other: &[u8], random: &mut SplitMix) -> Vec<u8> {
    let mut altered = bytes.to_vec();
    match random.below(7) {
        0 | 1 => flip(&mut altered, random, 1),
        2 => {
            let count = 2 + random.below(6);
            flip(&mut altered, random, count);
        }
        3 => altered.truncate(random.below(bytes.len() + 1)),
        4 => altered.extend(core::iter::repeat_n(random.next() as u8, 1 + random.below(20_000))),
        5 => {
            // The beginning of one and the end of the other.
            altered.truncate(random.below(bytes.len() + 1));
            altered.extend_from_slice(&other[random.below(other.len() + 1)..]);
        }
        _ => {
            // A stretch of the other in the place of one's own.
            let length = random.below(bytes.len().min(other.len()) + 1);
            let (at, from) = (random.below(bytes.len() - length + 1), random.below(other.len() - length + 1));
            altered[at..at + length].copy_from_slice(&other[from..from + length]);
        }
    }
    altered
}

fn flip(bytes: &mut [u8], random: &mut SplitMix, count: usize) {
    for _ in 0..count {
        if !bytes.is_empty() {
            let at = random.below(bytes.len());
            bytes[at] ^= 1 << random.below(8);
        }
    }
}

/// Sebastiano Vigna's SplitMix64: the same documents at every run.
struct SplitMix(u64);

impl SplitMix {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }

    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(end.max(1)).unwrap()).unwrap()
    }
}

fn effort() -> usize {
    if std::env::var_os("TENSFER_SOAK").is_some() { 100 } else { 1 }
}

fn corpus(folder: &str) -> Vec<Vec<u8>> {
    let mut paths: Vec<PathBuf> = std::fs::read_dir(root().join("fuzz/corpus").join(folder))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    paths.sort();
    paths.iter().map(|path| std::fs::read(path).unwrap()).collect()
}

fn read(file: &str) -> Vec<u8> {
    let path = root().join(file);
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..")
}
