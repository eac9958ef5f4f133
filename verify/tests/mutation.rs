//! Hostile bytes: thousands of altered documents, none accepted; corpora, no panic. `TENSFER_SOAK=1`: a hundred times
//! as many.

use std::collections::BTreeSet;
use std::path::PathBuf;
use verify::certificates;
use verify::document;
use verify::evidence::Presented;
use verify::expect::Kind;
use verify::fuzz::{fuzz_evidence, fuzz_evidence_reply, fuzz_sealed};
use verify::measurement::{Name, Policy, Registers};
use verify::{Expect, Refused, Root, VendorRoots};
use wire::UnixMillis;

/// How many altered documents a normal run makes.
const ALTERED: usize = 5_000;

#[test]
fn no_altered_nitro_document_is_accepted() {
    let reasons = none_is_accepted(&[beta(), dstack()], 0x7e45_f001);
    for reached in
        ["malformed", "signature_invalid", "certificate_signature", "root_not_pinned", "document_too_long"]
    {
        assert!(reasons.contains(reached), "{reached} was not reached: {reasons:?}");
    }
}

#[test]
fn no_altered_sev_snp_report_is_accepted() {
    let reasons = none_is_accepted(&[milan(), another_milan(), genoa()], 0x5e5e_f002);
    for reached in ["malformed", "signature_invalid", "chip_mismatch", "tcb_mismatch", "document_too_long"] {
        assert!(reasons.contains(reached), "{reached} was not reached: {reasons:?}");
    }
}

#[test]
fn no_altered_tdx_quote_is_accepted() {
    let reasons = none_is_accepted(&[tdx(), made_tdx()], 0x7d7d_f003);
    for reached in [
        "malformed",
        "signature_invalid",
        "certificate_signature",
        "certificate_malformed",
        "root_not_pinned",
    ] {
        assert!(reasons.contains(reached), "{reached} was not reached: {reasons:?}");
    }
}

/// Alters each document in turn, with pieces of the next; why they were refused.
fn none_is_accepted(bases: &[Base], seed: u64) -> BTreeSet<&'static str> {
    let mut random = SplitMix(seed);
    let mut reasons = BTreeSet::new();
    for number in 0..ALTERED * effort() {
        let base = &bases[number % bases.len()];
        let altered = alter(&base.bytes, &bases[(number + 1) % bases.len()].bytes, &mut random);
        if base.is_the_same(&altered) {
            continue;
        }
        let Err(reason) = base.check(&altered) else { panic!("accepted altered document {number}") };
        reasons.insert(reason.code());
    }
    reasons
}

#[test]
fn every_single_bit_of_a_document_matters() {
    for (base, prime) in [(beta(), 37), (milan(), 7), (tdx(), 61)] {
        // A prime step visits every part of the document; the soak visits every bit.
        let step = if effort() > 1 { 1 } else { prime };
        for bit in (0..base.bytes.len() * 8).step_by(step) {
            let mut altered = base.bytes.clone();
            altered[bit / 8] ^= 0x80 >> (bit % 8);
            assert!(base.check(&altered).is_err(), "{:?}: bit {bit}", base.kind);
        }
    }
}

#[test]
fn altered_certificates_and_statements_make_nobody_panic_and_no_other_document_valid() {
    let mut random = SplitMix(0xce27_f004);
    let (report, other, quote, another_quote) = (milan(), another_milan(), tdx(), made_tdx());
    let statements = quote.collateral.as_deref().unwrap();
    for number in 0..ALTERED * effort() / 5 {
        let certificate = alter(&report.certificates[0], &other.certificates[0], &mut random);
        let certificates = [certificate];
        let presented = Presented { certificates: &certificates, ..report.presented(&report.bytes) };
        assert!(
            certificates == *report.certificates || report.judge(&presented).is_err(),
            "certificate {number}"
        );

        let altered = alter(statements, b"{\"a\":[{}]}", &mut random);
        let presented = Presented { collateral: Some(&altered), ..quote.presented(&quote.bytes) };
        // What nobody reads may differ, and changes nothing about another document.
        let _ = quote.judge(&presented);
        let presented =
            Presented { collateral: Some(&altered), ..another_quote.presented(&another_quote.bytes) };
        assert!(another_quote.judge(&presented).is_err(), "statements {number}");
    }
}

#[test]
fn the_altered_documents_start_from_accepted_ones() {
    for base in [beta(), dstack(), milan(), another_milan(), genoa(), tdx(), made_tdx()] {
        assert_eq!(base.check(&base.bytes), Ok(()), "{:?}", base.kind);
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

/// A document with all that it needs to be accepted.
struct Base {
    kind: Kind,
    bytes: Vec<u8>,
    certificates: Vec<Vec<u8>>,
    collateral: Option<Vec<u8>>,
    expect: Expect,
    at: UnixMillis,
}

impl Base {
    fn new(kind: Kind, file: &str, at: u64) -> Base {
        let bytes = document::unwrap(kind, &vector(file)).into_owned();
        let (certificates, collateral) = (Vec::new(), None);
        Base { kind, bytes, certificates, collateral, expect: Expect::new(Policy::new()), at: UnixMillis(at) }
    }

    /// Accepts the program that the document names.
    fn measured(mut self) -> Base {
        self.expect.measurements = Policy::new().or(Registers::new().with(Name::Pcr(0), [0; 48]).unwrap());
        let report = document::check(&self.presented(&self.bytes), &self.expect, self.at, None);
        assert_eq!(report.verdict.err(), Some(Refused::MeasurementMismatch), "{:?}", self.kind);
        self.expect.measurements = Policy::new().or(report.registers);
        self
    }

    fn presented<'b>(&'b self, document: &'b [u8]) -> Presented<'b> {
        let (certificates, collateral) = (&self.certificates, self.collateral.as_deref());
        Presented { kind: self.kind, document, certificates, collateral }
    }

    fn check(&self, document: &[u8]) -> Result<(), Refused> {
        self.judge(&self.presented(document))
    }

    fn judge(&self, presented: &Presented<'_>) -> Result<(), Refused> {
        document::check(presented, &self.expect, self.at, None).verdict.map(drop)
    }

    /// Padding of zeros behind a quote is a driver's, and no alteration.
    fn is_the_same(&self, altered: &[u8]) -> bool {
        let padding = altered.strip_prefix(self.bytes.as_slice());
        padding.is_some_and(|bytes| {
            bytes.is_empty() || self.kind == Kind::Tdx && bytes.iter().all(|byte| *byte == 0)
        })
    }
}

fn beta() -> Base {
    Base::new(Kind::Nitro, "nitro/evervault-beta-valid.cose", 1_665_651_482_136).measured()
}

fn dstack() -> Base {
    Base::new(Kind::Nitro, "nitro/dstack-20251225.nsm-response", 1_766_668_537_578).measured()
}

fn snp(report: &str, certificate: &str) -> Base {
    let mut base = Base::new(Kind::SevSnp, report, TODAY);
    base.certificates = certificates::read(&vector(certificate)).unwrap();
    base.measured()
}

fn milan() -> Base {
    snp("snp/virtee-milan-report.hex", "snp/virtee-milan-vcek.der")
}

fn another_milan() -> Base {
    snp("snp/trustee-report.bin", "snp/trustee-vcek.der")
}

fn genoa() -> Base {
    snp("snp/trustee-az-genoa-report.bin", "snp/trustee-az-genoa-vcek.pem")
}

fn tdx() -> Base {
    let mut base = Base::new(Kind::Tdx, "tdx/dcapqvl-tdx_quote", 1_750_420_800_000);
    base.collateral = Some(vector("tdx/dcapqvl-tdx_quote_collateral.json"));
    base.measured()
}

fn made_tdx() -> Base {
    let made: serde_json::Value = serde_json::from_slice(&vector("made-tdx.json")).unwrap();
    let part = |kind: &str, name: &str| {
        document::unwrap(Kind::SevSnp, made[kind][name].as_str().unwrap().as_bytes()).into_owned()
    };
    let mut base = Base::new(Kind::Tdx, "tdx/dcapqvl-tdx_quote", TODAY);
    base.bytes = part("documents", "valid");
    base.collateral = Some(part("collateral", "valid"));
    let root = Root::dangerous_from_der(&part("roots", "root")).unwrap();
    base.expect.vendors = VendorRoots::default().dangerous_instead(Kind::Tdx, vec![root]);
    base.measured()
}

/// 2026-11-22T17:00:00Z.
const TODAY: u64 = 1_795_366_800_000;

fn vector(file: &str) -> Vec<u8> {
    read(&format!("vectors/evidence/{file}"))
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
