//! Every mapping is exercised by an answer: recorded, or as the provider documents it.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::path::{Path, PathBuf};

use connector_check::cover;
use connector_check::coverage::Coverage;
use connector_check::files::Files;

fn vectors() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../vectors")
}

fn coverages() -> Vec<Coverage> {
    cover(&vectors().join("exchanges"), &vectors().join("documented"), None, &Files::BuiltIn).unwrap()
}

/// The coverage of an exchange that has these documented cases alone.
fn documented(id: &str, source: &str, cases: &str) -> Coverage {
    static NEXT: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
    let number = NEXT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("documented-{number}"));
    for part in ["signing", "documented"] {
        std::fs::create_dir_all(folder.join(part)).unwrap();
    }
    let text = format!(r#"{{"source": "{source}", "cases": [{cases}]}}"#);
    std::fs::write(folder.join(format!("documented/{id}.json")), text).unwrap();
    let coverages = cover(&folder, &folder.join("documented"), Some(id), &Files::BuiltIn).unwrap();
    coverages.into_iter().next().unwrap()
}

const SOURCE: &str = "https://docs.kraken.com/api-reference/";
const DEPOSIT: &str = r#""answer": {"error": [], "result": [{"refid": "R", "txid": "t", "time": 1700000000,
    "asset": "XXBT", "amount": "0.5", "fee": "0", "info": "bc1q", "network": "Bitcoin", "status": "Success"}]}"#;
const DEPOSIT_ROW: &str = r#"{"id": "R", "txid": "t", "timestamp": "1700000000000", "asset": "XXBT", "amount": "0.5",
    "fee": "0", "fee_asset": "XXBT", "address": "bc1q", "network": "Bitcoin", "status": "ok"}"#;

fn reasons(cases: &str) -> Vec<String> {
    documented("kraken", SOURCE, cases).failures.into_iter().map(|(_, reason)| reason).collect()
}

#[test]
fn every_documented_answer_is_read_as_it_is_documented() {
    for coverage in coverages() {
        assert!(coverage.failures.is_empty(), "{}: {:#?}", coverage.id, coverage.failures);
    }
    let ids = Files::BuiltIn.ids().unwrap();
    for entry in std::fs::read_dir(vectors().join("documented")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let id = name.strip_suffix(".json").is_some_and(|id| ids.iter().any(|known| known == id));
        assert!(name == "README.md" || id, "{name} is of no connector");
    }
}

#[test]
fn every_mapping_is_exercised() {
    for coverage in coverages() {
        assert!(
            coverage.missing.is_empty(),
            "no answer exercises these of {}: {:#?}",
            coverage.id,
            coverage.missing
        );
    }
}

#[test]
fn fields_without_any_example_are_few() {
    let coverages = coverages();
    let mapped: usize = coverages.iter().map(|coverage| coverage.mapped).sum();
    let excused: usize = coverages.iter().map(|coverage| coverage.excused.len()).sum();
    assert!(mapped > 10_000 && excused * 1000 <= mapped, "{excused} of {mapped}");
}

#[test]
fn a_documented_answer_exercises_its_listing_and_no_other_endpoint() {
    let case = format!(r#"{{"listing": "reads/deposits", {DEPOSIT}, "rows": [{DEPOSIT_ROW}]}}"#);
    let coverage = documented("kraken", SOURCE, &case);
    assert_eq!(coverage.failures, []);
    assert!(!coverage.missing.contains_key("reads/deposits"));
    assert!(coverage.missing.get("reads/withdrawals").unwrap().contains("txid"));
    // Two operations of the same call, read alike.
    let ticker = r#""answer": {"error": [], "result": {"XXBTZUSD": {"c": ["2", "0"], "b": ["1", "1", "4"], "a": ["3", "1", "5"]}}}"#;
    let row = r#"{"market": "XXBTZUSD", "last": "2", "bid": "1", "ask": "3"}"#;
    let case = format!(r#"{{"listing": "prices/tickers", {ticker}, "rows": [{row}]}}"#);
    let coverage = documented("kraken", SOURCE, &case);
    let left = coverage.missing.get("reads/tickers").unwrap();
    assert!(!left.contains("bid") && left.contains("bid_volume"));
}

#[test]
fn a_documented_answer_that_is_read_otherwise_fails() {
    let case = |from: &str, to: &str| {
        let row = DEPOSIT_ROW.replace(from, to);
        format!(r#"{{"listing": "reads/deposits", {DEPOSIT}, "rows": [{row}]}}"#)
    };
    assert_eq!(reasons(&case("", "")).len(), 0);
    for (from, to) in
        [("\"0.5\"", "\"0.50\""), (", \"status\": \"ok\"", ""), ("\"R\"", "\"Q\""), ("ok", "failed")]
    {
        assert!(reasons(&case(from, to)).iter().any(|reason| reason.starts_with("rows: ours")), "{to}");
    }
    let two =
        format!(r#"{{"listing": "reads/deposits", {DEPOSIT}, "rows": [{DEPOSIT_ROW}, {DEPOSIT_ROW}]}}"#);
    assert_eq!(reasons(&two).len(), 1);
    let none = format!(r#"{{"listing": "reads/deposits", {DEPOSIT}}}"#);
    assert_eq!(reasons(&none), ["the case has no `rows`"]);
}

#[test]
fn a_documented_refusal_exercises_errors_and_is_of_the_kind_it_says() {
    let case = |kind: &str| format!(r#"{{"fault": "{kind}", "answer": {{"error": ["EAPI:Invalid key"]}}}}"#);
    let coverage = documented("kraken", SOURCE, &case("credential"));
    assert!(coverage.failures.is_empty() && !coverage.missing.contains_key("errors"));
    assert_eq!(reasons(&case("clock")).len(), 1);
    // An answer that is documented as one must not be a refusal.
    let refused = r#"{"listing": "time", "answer": {"error": ["EAPI:Invalid key"]}, "rows": []}"#;
    assert!(reasons(refused).iter().any(|reason| reason.starts_with("fault: ours")));
    let status = r#"{"fault": "region", "status": 451, "answer": {}}"#;
    assert_eq!(reasons(status).len(), 0);
}

#[test]
fn a_cursor_is_a_mapping_and_must_be_the_documented_one() {
    let case = |next: &str| {
        let page = r#"{"data": [], "pagination": {"next_starting_after": "p2"}}"#;
        format!(r#"{{"listing": "balances/wallets", "answer": {page}, "rows": []{next}}}"#)
    };
    let run = |next: &str| documented("coinbase", SOURCE, &case(next));
    let misses = |coverage: &Coverage, place: &str| {
        coverage.missing.get(place).is_some_and(|names| names.contains("page.next"))
    };
    let right = run(r#", "next": "p2""#);
    assert!(right.failures.is_empty() && !misses(&right, "balances/wallets"));
    assert!(misses(&right, "balances/trading"), "of another endpoint");
    for wrong in ["", r#", "next": "p1""#] {
        let wrong = run(wrong);
        assert!(wrong.failures.len() == 1 && misses(&wrong, "balances/wallets"));
    }
}

#[test]
fn what_no_example_has_is_named_with_a_reason_and_only_then() {
    let answer = DEPOSIT.replace(r#""network": "Bitcoin", "#, "");
    let row = DEPOSIT_ROW.replace(r#""network": "Bitcoin", "#, "");
    let case = |absent: &str| {
        format!(r#"{{"listing": "reads/deposits", {answer}, "rows": [{row}], "absent": {absent}}}"#)
    };
    let coverage = documented("kraken", SOURCE, &case("{}"));
    assert_eq!(coverage.missing.get("reads/deposits").unwrap().iter().collect::<Vec<_>>(), ["network"]);
    let coverage = documented("kraken", SOURCE, &case(r#"{"network": "the page shows none"}"#));
    assert!(coverage.failures.is_empty() && !coverage.missing.contains_key("reads/deposits"));
    assert_eq!(coverage.excused.len(), 1);
    for wrong in [r#"{"network": ""}"#, r#"{"txid": "it has"}"#, r#"{"colour": "nothing maps it"}"#] {
        assert_eq!(reasons(&case(wrong)).len(), 1, "{wrong}");
    }
}

#[test]
fn a_case_without_source_listing_or_with_an_unknown_member_fails() {
    let case = format!(r#"{{"listing": "reads/deposits", {DEPOSIT}, "rows": [{DEPOSIT_ROW}]}}"#);
    assert_eq!(documented("kraken", "somewhere", &case).failures.len(), 1);
    for (from, to) in [("reads/deposits", "reads/deposit"), (r#""rows""#, r#""row": [], "rows""#)] {
        assert_eq!(reasons(&case.replace(from, to)).len(), 1, "{to}");
    }
}

#[test]
fn a_variant_reads_what_its_base_reads_in_the_same_way() {
    let coverage = |id: &str| {
        let (recorded, documented) = (vectors().join("exchanges"), vectors().join("documented"));
        cover(&recorded, &documented, Some(id), &Files::BuiltIn).unwrap().remove(0)
    };
    let (base, variant) = (coverage("okx"), coverage("myokx"));
    assert_eq!(base.missing, variant.missing);
    // The recorded answers of a ledger are of the base alone.
    assert!(!variant.missing.contains_key("reads/my_trades"));
}
