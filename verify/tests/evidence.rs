//! Runs `vectors/evidence/cases.json`: every recorded, altered and made document gets exactly its verdict.

use serde_json::{Map, Value};
use std::collections::BTreeSet;
use std::path::PathBuf;
use verify::certificates;
use verify::document;
use verify::evidence::Presented;
use verify::expect::Kind;
use verify::measurement::{Policy, Registers};
use verify::{Expect, Refused, Root, VendorRoots, snp, tdx};
use wire::UnixMillis;

#[test]
fn every_case_gets_its_verdict() {
    let failures: Vec<String> = cases().iter().filter_map(|case| run(case).err()).collect();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn negative_cases_outnumber_positive_ones() {
    let cases = cases();
    let positive = cases.iter().filter(|case| text(&case["expect"], "verdict") != "refused").count();
    assert!(cases.len() > 100 && positive * 2 < cases.len(), "{positive} of {}", cases.len());
}

/// One test for each of the known mistakes (m01 to m40) that touches evidence: its cases, each with a refusal of its own.
macro_rules! mistakes {
    ($($test:ident: $id:literal, $least:literal;)+) => { $(
        #[test]
        fn $test() {
            assert!(stringify!($test).starts_with($id));
            refuses($id, $least);
        }
    )+ };
}

mistakes! {
    m01_an_empty_policy_is_refused: "m01", 4;
    m02_a_debug_enclave_is_refused: "m02", 4;
    m03_a_chain_without_constraints_or_pinned_root_is_refused: "m03", 15;
    m04_another_algorithm_or_signature_format_is_refused: "m04", 10;
    m05_a_document_that_its_leaf_did_not_sign_is_refused: "m05", 4;
    m06_another_nonce_is_refused: "m06", 4;
    m07_lengths_beyond_their_bounds_are_refused: "m07", 5;
    m09_a_re_encoded_payload_is_refused: "m09", 1;
    m16_certificates_that_live_too_long_are_refused: "m16", 3;
    m19_a_skewed_clock_is_refused_as_such: "m19", 3;
}

/// Runs the cases whose name begins with the mistake's id, or with `altered: ` and the id.
fn refuses(mistake: &str, least: usize) {
    let is_named = |name: &str| name.trim_start_matches("altered: ").starts_with(mistake);
    let cases: Vec<Value> = cases().into_iter().filter(|case| is_named(text(case, "name"))).collect();
    assert!(cases.len() >= least, "{} cases for {mistake}", cases.len());
    for case in &cases {
        assert_eq!(text(&case["expect"], "verdict"), "refused");
        run(case).unwrap();
    }
}

/// What a document alone can be refused for; the rest is about identities, replies and receipts.
#[test]
fn every_refusal_of_a_document_has_a_case() {
    let reached: BTreeSet<String> =
        cases().iter().filter_map(|case| case["expect"]["code"].as_str().map(str::to_owned)).collect();
    let elsewhere = [
        "kind_not_allowed",
        "binding_mismatch",
        "identity_malformed",
        "identity_kind",
        "environment_mismatch",
        "manifest_mismatch",
        "root_commitment_mismatch",
        "connectors_mismatch",
        "log_key_mismatch",
        "version_too_old",
        "release_not_yet_valid",
        "release_over",
        "release_mismatch",
        "identity_expired",
        "receipt_key",
        "no_sealing_key",
        "verification_expired",
        "receipt_malformed",
        "receipt_signature",
        "receipt_mismatch",
        "receipt_gap",
        "reply_malformed",
    ];
    for code in Refused::CODES.iter().filter(|code| !elsewhere.contains(code)) {
        assert!(reached.contains(*code), "{code}");
    }
    for code in &reached {
        assert!(Refused::CODES.contains(&code.as_str()), "{code} is not a code");
    }
}

fn run(case: &Value) -> Result<(), String> {
    let bytes = mutated(load(text(case, "file"), "documents"), case.get("mutate"));
    let expect = expectation(case);
    let nonce = case.get("nonce").map(|nonce| unhex(nonce.as_str().unwrap()));
    let at = UnixMillis(case["at"].as_u64().unwrap());
    let certificates: Vec<Vec<u8>> =
        case["certificates"].as_array().into_iter().flatten().map(certificate).collect();
    let collateral = case.get("collateral").map(|described| {
        let file = described.as_str().unwrap_or_else(|| text(described, "file"));
        mutated(load(file, "collateral"), described.get("mutate"))
    });
    let presented = Presented {
        kind: kind(case),
        document: &bytes,
        certificates: &certificates,
        collateral: collateral.as_deref(),
    };
    let report = document::check(&presented, &expect, at, nonce.as_deref());
    let code = report.verdict.err().map(Refused::code);
    let wanted = (text(&case["expect"], "verdict"), case["expect"]["code"].as_str());
    if (report.verdict_name(), code) == wanted && checks_fit(&report) {
        Ok(())
    } else {
        Err(format!(
            "{}: wanted {wanted:?}, got {:?} {:?}",
            text(case, "name"),
            report.verdict,
            report.checks
        ))
    }
}

/// Refused exactly if a check failed, and registers are shown only after the signature was verified.
fn checks_fit(report: &document::Report) -> bool {
    let failed = report.checks.iter().any(|check| !check.ok);
    let signed = report.checks.iter().any(|check| check.name == "signature" && check.ok);
    failed == report.verdict.is_err() && signed != report.registers.is_empty()
}

fn kind(case: &Value) -> Kind {
    let name = case.get("kind").map_or("nitro", |kind| kind.as_str().unwrap());
    Kind::ALL.into_iter().find(|kind| kind.name() == name).unwrap()
}

/// A file of one certificate, DER or PEM, with an alteration if it has one: `{"file": NAME, "mutate": …}`.
fn certificate(described: &Value) -> Vec<u8> {
    let file = described.as_str().unwrap_or_else(|| text(described, "file"));
    mutated(certificates::read(&load(file, "certificates")).unwrap().remove(0), described.get("mutate"))
}

fn expectation(case: &Value) -> Expect {
    let sets = case["measurements"].as_array().unwrap();
    let measurements =
        sets.iter().fold(Policy::new(), |policy, set| policy.or(registers(set.as_object().unwrap())));
    let mut expect = Expect::new(measurements);
    if let Some(roots) = case.get("vendor_roots") {
        let roots = roots.as_array().unwrap().iter().map(pinned);
        expect.vendors = VendorRoots::default().dangerous_instead(kind(case), roots.collect());
    }
    if let Some(demands) = case.get("demands") {
        expect.snp = snp_demands(demands);
        expect.tdx.minimum_evaluation = demands["evaluation"].as_u64().unwrap_or_default();
        let also = demands["statuses"].as_array().into_iter().flatten();
        expect.tdx.also_accepted =
            also.map(|name| tdx::Status::parse(name.as_str().unwrap()).unwrap()).collect();
    }
    expect.dangerous_simulated = case.get("dangerous_simulated").map(pinned);
    expect
}

fn snp_demands(demands: &Value) -> snp::Demands {
    let number = |name: &str| demands[name].as_u64().unwrap_or_default().try_into().unwrap();
    let minimum_tcb = snp::Tcb {
        fmc: number("fmc"),
        boot_loader: number("boot_loader"),
        tee: number("tee"),
        snp: number("snp"),
        microcode: number("microcode"),
    };
    snp::Demands { minimum_tcb, highest_vmpl: u32::from(number("highest_vmpl")) }
}

fn pinned(file: &Value) -> Root {
    Root::dangerous_from_der(&load(file.as_str().unwrap(), "roots")).unwrap()
}

fn registers(set: &Map<String, Value>) -> Registers {
    set.iter().fold(Registers::new(), |registers, (name, value)| {
        let (number, value) = Registers::parse(&format!("{name}={}", value.as_str().unwrap())).unwrap();
        registers.with(number, value).unwrap()
    })
}

fn mutated(mut bytes: Vec<u8>, recipe: Option<&Value>) -> Vec<u8> {
    let Some(recipe) = recipe.and_then(Value::as_object) else { return bytes };
    let number = |value: &Value| usize::try_from(value.as_u64().unwrap()).unwrap();
    for (name, argument) in recipe {
        match name.as_str() {
            "flip_bit" => bytes[number(argument) / 8] ^= 0x80 >> (number(argument) % 8),
            "truncate" => bytes.truncate(number(argument)),
            "append" => bytes.extend(unhex(argument.as_str().unwrap())),
            "replace" => {
                let new = unhex(text(argument, "hex"));
                let at = number(&argument["at"]);
                bytes[at..at + new.len()].copy_from_slice(&new);
            }
            other => panic!("unknown recipe {other}"),
        }
    }
    bytes
}

fn cases() -> Vec<Value> {
    let file: Value = serde_json::from_slice(&read("cases.json")).unwrap();
    file["cases"].as_array().unwrap().clone()
}

fn load(file: &str, kind: &str) -> Vec<u8> {
    match file.split_once('#') {
        None => read(file),
        Some((file, name)) => {
            let made: Value = serde_json::from_slice(&read(file)).unwrap();
            document::unwrap(Kind::Nitro, text(&made[kind], name).as_bytes()).into_owned()
        }
    }
}

fn read(file: &str) -> Vec<u8> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../vectors/evidence").join(file);
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn text<'v>(value: &'v Value, key: &str) -> &'v str {
    value[key].as_str().unwrap_or_else(|| panic!("{key} is a string"))
}

fn unhex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}
