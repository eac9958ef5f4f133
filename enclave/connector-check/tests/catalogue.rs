//! The generated catalogue, and the draft that a new connector begins with.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::path::{Path, PathBuf};

use connector_check::catalogue::{self, Entry};
use connector_check::files::Files;
use connector_check::{check, scaffold};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

#[test]
fn the_catalogue_is_what_the_check_says() {
    let kept = catalogue::read(&std::fs::read(root().join("connectors/catalogue.json")).unwrap());
    let reports = check(&root().join("vectors/exchanges"), None, &Files::BuiltIn).unwrap();
    let now: Vec<Entry> = enclave::connector::all()
        .iter()
        .map(|connector| {
            let report = reports.iter().find(|report| report.id == connector.id);
            Entry::new(connector, report, "").dated_like(&[])
        })
        .collect();
    let undated: Vec<Entry> =
        kept.iter().map(|entry| Entry { date: String::new(), ..entry.clone() }).collect();
    for (kept, now) in undated.iter().zip(&now) {
        assert_eq!(kept, now, "run `make catalogue`");
    }
    assert_eq!(undated.len(), now.len(), "run `make catalogue`");
    let page = std::fs::read_to_string(root().join("docs/catalogue.md")).unwrap();
    for (kept, now) in page.lines().zip(catalogue::markdown(&kept).lines()) {
        assert_eq!(kept, now, "run `make catalogue`");
    }
    assert!(page == catalogue::markdown(&kept), "run `make catalogue`");
    for entry in &kept {
        let date: Vec<&str> = entry.date.split('-').collect();
        assert_eq!(date.iter().map(|part| part.len()).collect::<Vec<_>>(), [4, 2, 2], "{}", entry.id);
    }
}

#[test]
fn a_line_that_did_not_change_keeps_its_date() {
    let entry = |networks, date: &str| Entry {
        id: "x".into(),
        name: "X".into(),
        operations: vec!["balances".into()],
        accounts: vec!["spot".into()],
        unsupported: Vec::new(),
        unoffered: vec![("withdraw".into(), "\"why\" not".into())],
        networks,
        conformance: Vec::new(),
        date: date.into(),
    };
    let before = catalogue::read(catalogue::json(&[entry(3, "2026-01-01")]).as_bytes());
    assert_eq!(entry(3, "2026-02-02").dated_like(&before).date, "2026-01-01");
    assert_eq!(entry(4, "2026-02-02").dated_like(&before).date, "2026-02-02");
}

#[test]
fn a_draft_loads_and_what_is_no_id_or_host_does_not() {
    let draft = scaffold::file("newexchange", "New Exchange", "api.new.example");
    Files::load_text(&draft).unwrap();
    for kind in wire::action::Kind::ALL.map(wire::action::Kind::name) {
        assert!(draft.contains(&format!("\n{kind} = \"FILL IN")), "the draft says nothing of {kind}");
    }
    for (id, host) in [("New", "api.new.example"), ("new", "https://api.new.example"), ("new", "localhost")] {
        assert!(Files::load_text(&scaffold::file(id, "New", host)).is_err(), "{id} {host}");
    }
}

#[test]
fn no_connector_has_anything_left_to_fill_in() {
    for file in std::fs::read_dir(root().join("connectors")).unwrap() {
        let path = file.unwrap().path();
        if path.is_file() {
            assert!(!std::fs::read_to_string(&path).unwrap().contains("FILL IN"), "{}", path.display());
        }
    }
}

/// Providers of payments: nothing is traded or converted there.
const PAYMENTS: [&str; 2] = ["paypal", "stripe"];

#[test]
fn every_exchange_moves_money_in_each_way_or_says_why_not() {
    for connector in enclave::connector::all().iter().filter(|one| !PAYMENTS.contains(&one.id.as_str())) {
        let entry = Entry::new(connector, None, "");
        for kind in wire::action::Kind::ALL.map(wire::action::Kind::name) {
            let has = entry.operations.iter().any(|operation| operation == kind);
            let says = entry.unoffered.iter().any(|(operation, _)| operation == kind);
            assert!(has != says, "{}: {kind}", connector.id);
        }
    }
}
