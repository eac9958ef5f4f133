//! The recorded vectors of this repository, all of them.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use std::path::Path;

use connector_check::check;
use connector_check::report::{Exchange, Part, json};

fn reports() -> Vec<Exchange> {
    check(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../vectors/exchanges"), None).unwrap()
}

#[test]
fn every_claimed_case_passes() {
    let reports = reports();
    let ids: Vec<&str> = reports.iter().map(|report| report.id.as_str()).collect();
    assert_eq!(ids, ["binance", "bybit", "coinbase", "kraken", "kucoin", "okx"]);
    for report in &reports {
        assert!(report.failures.is_empty(), "{}: {:#?}", report.id, report.failures);
        for part in Part::ALL {
            assert!(report.counts(part).passed > 0, "{} claims nothing of {}", report.id, part.name());
        }
    }
}

#[test]
fn every_signing_case_is_claimed() {
    for report in reports() {
        assert_eq!(report.counts(Part::Signing).skipped, 0, "{}", report.id);
    }
}

#[test]
fn a_wrong_vector_fails() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../vectors/exchanges");
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("wrong-vectors");
    for part in ["signing", "methods", "request", "response", "markets", "currencies"] {
        std::fs::create_dir_all(folder.join(part)).unwrap();
        let text = std::fs::read_to_string(source.join(part).join("okx.json")).unwrap();
        // One digit of each key's digest, one path, one amount.
        let text = text
            .replace("OK-ACCESS-SIGN\": \"", "OK-ACCESS-SIGN\": \"x")
            .replace("OK-ACCESS-SIGN\":\"", "OK-ACCESS-SIGN\":\"x");
        let text = text
            .replace("/api/v5/account/balance", "/api/v5/account/balances")
            .replace("\"total\": 3000", "\"total\": 3001");
        std::fs::write(folder.join(part).join("okx.json"), text.replace("\"total\":3000", "\"total\":3001"))
            .unwrap();
    }
    std::fs::copy(source.join("testkeys.json"), folder.join("testkeys.json")).unwrap();
    let reports = check(&folder, Some("okx")).unwrap();
    let report = reports.first().expect("a report on okx");
    for part in Part::ALL {
        assert!(report.counts(part).failed > 0, "{} did not notice", part.name());
    }
}

#[test]
fn the_report_for_programs_has_the_documented_members() {
    let text = json(&reports());
    for member in
        ["\"exchanges\":[{\"id\":\"binance\"", "\"signing\":{\"claimed\":", "\"skips\":", "\"failures\":[]"]
    {
        assert!(text.contains(member), "{member}");
    }
}
