//! The recorded vectors of this repository, all of them.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use std::path::Path;

use connector_check::check;
use connector_check::files::Files;
use connector_check::report::{Exchange, Part, json};
use enclave::connector::Document;

fn reports() -> Vec<Exchange> {
    check(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../vectors/exchanges"), None, &Files::BuiltIn)
        .unwrap()
}

/// Providers that the independent client does not know: nobody recorded them, and their documentation alone is held
/// against their files (`vectors/documented`).
const UNRECORDED: [&str; 3] = ["coinbase_oauth", "paypal", "stripe"];

/// The ids of all connector files.
fn connectors() -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../connectors");
    let names = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name());
    names.filter_map(|name| name.to_str().unwrap().strip_suffix(".toml").map(str::to_owned)).collect()
}

#[test]
fn every_claimed_case_passes() {
    let reports = reports();
    for id in connectors() {
        let recorded = reports.iter().any(|report| report.id == id);
        assert_eq!(recorded, !UNRECORDED.contains(&id.as_str()), "{id}");
    }
    for report in &reports {
        assert!(report.failures.is_empty(), "{}: {:#?}", report.id, report.failures);
        assert!(report.counts(Part::Signing).passed > 0, "{} signs nothing", report.id);
    }
}

#[test]
fn the_exchanges_of_the_sandbox_claim_every_signing_case_and_something_of_every_part() {
    let reports = reports();
    for id in ["binance", "bybit", "coinbase", "kraken", "kucoin", "okx"] {
        let report = reports.iter().find(|report| report.id == id).unwrap();
        assert_eq!(report.counts(Part::Signing).skipped, 0, "{id}");
        for part in Part::ALL {
            assert!(report.counts(part).passed > 0, "{id} claims nothing of {}", part.name());
        }
    }
}

#[test]
fn exceptions_are_few() {
    let reports = reports();
    for (part, per_cent) in [(Part::Signing, 1), (Part::Methods, 2), (Part::Request, 2), (Part::Response, 3)]
    {
        let passed: u32 = reports.iter().map(|report| report.counts(part).passed).sum();
        let excepted: u32 = reports.iter().map(|report| report.exceptions(part)).sum();
        assert!(excepted * 100 <= (passed + excepted) * per_cent, "{}: {excepted} of {passed}", part.name());
    }
}

/// Kraken takes two names of an asset, of which the recorded one is the longer; Hyperliquid's own chain has a number.
const OWN_CODES: [&str; 2] = ["kraken", "hyperliquid"];

/// A name that an exchange only answers with would send an owner's money to another chain, or nowhere.
#[test]
fn m32_an_exchange_is_told_its_own_code_of_an_asset() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../vectors/exchanges/currencies");
    let mut compared = 0;
    for connector in enclave::connector::all() {
        let Ok(file) = std::fs::read(folder.join(format!("{}.json", connector.id))) else { continue };
        let currencies = Document::parse(&file).unwrap();
        for (code, currency) in currencies.root().members() {
            let recorded = currency.member("id").unwrap().and_then(|id| id.scalar());
            let told = connector.symbol(&code.text()).to_owned();
            let aliased = connector.assets.alias.iter().any(|(own, _)| *own == told);
            let Some(recorded) = recorded.filter(|_| aliased) else { continue };
            let same = told.eq_ignore_ascii_case(&recorded) || OWN_CODES.contains(&connector.id.as_str());
            assert!(same, "{} is told {told}, and says {recorded}", connector.id);
            compared += 1;
        }
    }
    assert!(compared > 20, "{compared}");
    // ETH2 was staked, BTCTRON is on another chain, XBT is what contracts are settled in.
    for (id, code) in [("kraken", "ETH"), ("poloniex", "BTC"), ("kucoin", "BTC")] {
        assert_eq!(enclave::connector::find(id).unwrap().symbol(code), code, "{id}");
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
    let reports = check(&folder, Some("okx"), &Files::BuiltIn).unwrap();
    let report = reports.first().expect("a report on okx");
    for part in Part::ALL {
        assert!(report.counts(part).failed > 0, "{} did not notice", part.name());
    }
}

/// One part of an exchange's vectors with one text replaced; how many cases then fail.
fn failures_of(exchange: &str, part: Part, from: &str, to: &str) -> u32 {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../vectors/exchanges");
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("replaced-{exchange}"));
    for name in ["signing", "methods", "request", "response", "markets", "currencies"] {
        std::fs::create_dir_all(folder.join(name)).unwrap();
        let file = format!("{name}/{exchange}.json");
        let mut text = std::fs::read_to_string(source.join(&file)).unwrap();
        if name == part.name() {
            assert!(text.contains(from), "{from} is not in {file}");
            text = text.replacen(from, to, 1);
        }
        std::fs::write(folder.join(file), text).unwrap();
    }
    std::fs::copy(source.join("testkeys.json"), folder.join("testkeys.json")).unwrap();
    check(&folder, Some(exchange), &Files::BuiltIn).unwrap().first().expect("a report").failed()
}

#[test]
fn another_host_or_scheme_fails_and_so_does_an_amount_in_either_of_its_places() {
    let url = "https://api.kraken.com/0/public/Time";
    assert_eq!(failures_of("kraken", Part::Request, url, url), 0);
    assert_eq!(failures_of("kraken", Part::Request, url, "https://api.krakem.com/0/public/Time"), 1);
    assert_eq!(failures_of("kraken", Part::Request, url, "http://api.kraken.com/0/public/Time"), 1);
    // In the entry of the code, and in the column of the field.
    for entry in [r#""PAX":3000,"USDK":3000"#, r#""USDK":{"free":3000"#] {
        let kept = entry.strip_suffix("3000").unwrap();
        assert_eq!(failures_of("okx", Part::Response, entry, &format!("{kept}3001")), 1, "{entry}");
    }
}

#[test]
fn the_report_for_programs_has_the_documented_members() {
    let text = json(&reports());
    for member in [
        "{\"exchanges\":[{\"id\":",
        "{\"id\":\"binance\"",
        "\"signing\":{\"claimed\":",
        "\"skips\":",
        "\"failures\":[]",
    ] {
        assert!(text.contains(member), "{member}");
    }
}

#[test]
fn a_file_of_a_folder_is_read_as_it_is_now_and_may_extend_another() {
    let connectors = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../connectors");
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("connectors");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::copy(connectors.join("okx.toml"), folder.join("okx.toml")).unwrap();
    let files = Files::Folder(folder.clone());
    let variant = |text: &str| {
        std::fs::write(folder.join("okxus.toml"), text).unwrap();
        files.open("okxus")
    };
    let named = "extends = \"okx\"\nid = \"okxus\"\nname = \"OKX US\"\nreads = []\nsections.private.host = \"us.okx.com\"\n";
    let (connector, claims) = variant(named).unwrap().unwrap();
    assert_eq!((connector.name.as_str(), connector.hosts()), ("OKX US", vec!["us.okx.com", "www.okx.com"]));
    assert!(!connector.balances.is_empty() && connector.reads.is_empty());
    assert!(claims.balances.is_empty(), "what was recorded of one exchange says nothing of another");

    for (wrong, reason) in [
        (named.replace("\"okx\"", "\"nothing\""), "no connector `nothing`"),
        (named.replace("id = \"okxus\"", "id = \"okx\""), "its id is `okx`"),
        (named.replace("\"okx\"", "\"okxus\""), "extends another one itself"),
        (format!("{named}[time]\ncall = \"GET public public/time\"\nfields = \"none\"\n"), "no list `none`"),
    ] {
        let error = variant(&wrong).expect_err(reason);
        assert!(error.contains(reason), "{error}");
    }
    assert!(files.open("kraken").unwrap().is_none(), "it is not in that folder");
}
