//! The generated catalogue, and the draft that a new connector begins with.
#![expect(clippy::unwrap_used, reason = "tests")]

use connector_check::catalogue::{self, Entry};
use connector_check::files::Files;
use connector_check::scaffold;

#[test]
fn a_line_that_did_not_change_keeps_its_date() {
    let entry = |networks, date: &str| Entry {
        id: "x".into(),
        name: "X".into(),
        operations: vec!["balances".into()],
        accounts: vec!["spot".into()],
        unsupported: Vec::new(),
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
    Files::load_text(&scaffold::file("newexchange", "New Exchange", "api.new.example")).unwrap();
    for (id, host) in [("New", "api.new.example"), ("new", "https://api.new.example"), ("new", "localhost")] {
        assert!(Files::load_text(&scaffold::file(id, "New", host)).is_err(), "{id} {host}");
    }
}
