//! How a listing goes on behind its first page, each way in small.

use super::files::small;
use super::provider::*;
use enclave::connector::*;
use serde_json::{Value as Tree, json};

const DAY: u64 = 86_400_000;

/// What a history with this `page` asks a provider, which gives these pages and then empty ones; and what comes of it.
fn asked(page: Tree, params: Tree, only: Tree, pages: &[&str]) -> (Vec<String>, Outcome) {
    let mut tree = small();
    tree["reads"] = json!([{
        "operation": "ledger", "call": "GET private ledger", "params": params, "page": page, "only": only,
        "rows": ["[*]"], "fields": {"id": "id", "timestamp": "t", "type": "k"},
    }]);
    let connector = load_leaked(tree.to_string().as_bytes()).unwrap();
    let credential = Credential::from_json(connector, br#"{"apiKey":"K1"}"#).unwrap();
    let operation = Operation::Read {
        operation: "ledger".to_owned(),
        arguments: vec![("limit".to_owned(), Value::Number("5".to_owned()))],
        extra: Params::new(),
        from: Position::Start,
        pages: None,
    };
    let mut run = Run::start(connector, operation, Some(credential), 0, NonceState::new()).unwrap();
    let mut targets = Vec::new();
    let (outcome, _) = finish(&mut run, |request, _| {
        targets.push(request.target.split_once('?').map_or("", |(_, query)| query).to_owned());
        ok((*pages.get(targets.len() - 1).unwrap_or(&"[]")).to_owned())
    });
    (targets, outcome)
}

fn rows(outcome: &Outcome) -> usize {
    let Answer::Rows(rows) = &outcome.answer else { panic!("{:?}", outcome.answer) };
    rows.len()
}

#[test]
fn the_last_rows_field_leads_to_the_next_page_and_a_short_page_ends_the_listing() {
    let page = json!({"param": "after", "last": "id", "size": 2, "limit": "limit"});
    let pages = [r#"[{"id":"9"},{"id":"7"}]"#, r#"[{"id":"4"}]"#];
    let (targets, outcome) = asked(page, json!({"limit": "{param.limit}"}), json!({}), &pages);
    // The caller's limit does not count: pages are known to be the last by their size.
    assert_eq!(targets, ["limit=2", "limit=2&after=7"]);
    assert_eq!((rows(&outcome), outcome.is_complete()), (3, true));
}

#[test]
fn pages_have_parameters_of_their_own_and_a_cursor_that_asks_for_its_own_row_again_yields_it_once() {
    let page = json!({"param": "from", "last": "id", "size": 2, "with": {"from": "0", "sort": "asc"}});
    let pages = [r#"[{"id":"1","t":10},{"id":"2","t":20}]"#, r#"[{"id":"2","t":20},{"id":"3","t":20}]"#];
    let (targets, outcome) = asked(page, json!({}), json!({}), &pages);
    assert_eq!(targets, ["from=0&sort=asc", "from=2&sort=asc", "from=3&sort=asc"]);
    assert_eq!(rows(&outcome), 3);
}

#[test]
fn without_a_size_an_empty_page_ends_the_listing() {
    let pages = [r#"[{"id":"9"},{"id":"7"}]"#, r#"[{"id":"4"}]"#];
    let (targets, outcome) = asked(json!({"param": "after", "last": "id"}), json!({}), json!({}), &pages);
    assert_eq!(targets, ["", "after=7", "after=4"]);
    assert_eq!(rows(&outcome), 3);
}

#[test]
fn rows_that_are_left_out_count_and_lead_on_all_the_same() {
    let only = json!({"k": ["fee"]});
    let page = json!({"param": "after", "last": "id", "size": 2});
    let pages = [r#"[{"id":"9","k":"fee"},{"id":"7","k":"x"}]"#, r#"[{"id":"4","k":"fee"}]"#];
    let (targets, outcome) = asked(page, json!({}), only.clone(), &pages);
    assert_eq!((targets.len(), rows(&outcome)), (2, 2));
    let numbered = json!({"param": "page", "size": 2});
    let (targets, outcome) = asked(numbered, json!({}), only.clone(), &pages);
    assert_eq!((targets.len(), rows(&outcome)), (2, 2));
    let window = json!({"days": 3650, "size": 2, "order": "newest"});
    let pages = [r#"[{"id":"9","t":1600000000000,"k":"x"},{"id":"7","t":1550000000000,"k":"x"}]"#];
    let (targets, _) = asked(window, json!({"end": "{param.until}"}), only, &pages);
    assert_eq!(targets, [format!("end={NOW_MS}"), "end=1550000000000".to_owned()]);
}

#[test]
fn a_page_is_as_long_as_its_outer_rows() {
    let mut tree = small();
    tree["reads"] = json!([{
        "operation": "ledger", "call": "GET private ledger", "rows": ["[*].parts[*]"],
        "page": {"param": "from", "first": 1, "step": 2, "size": 2, "end": "to"}, "fields": {"id": "id"},
    }]);
    let connector = load_leaked(tree.to_string().as_bytes()).unwrap();
    let credential = Credential::from_json(connector, br#"{"apiKey":"K1"}"#).unwrap();
    let (operation, from) = ("ledger".to_owned(), Position::Start);
    let arguments = Params::new();
    let operation = Operation::Read { operation, arguments, extra: Params::new(), from, pages: None };
    let mut run = Run::start(connector, operation, Some(credential), 0, NonceState::new()).unwrap();
    let pages =
        [r#"[{"parts":[]},{"parts":[{"id":"1"}]}]"#, r#"[{"parts":[{"id":"2"},{"id":"3"},{"id":"4"}]}]"#];
    let mut targets = Vec::new();
    let (outcome, _) = finish(&mut run, |request, _| {
        targets.push(request.target.split_once('?').map_or("", |(_, query)| query).to_owned());
        ok((*pages.get(targets.len() - 1).unwrap()).to_owned())
    });
    assert_eq!(targets, ["from=1&to=3", "from=3&to=5"]);
    assert_eq!(rows(&outcome), 4);
}

#[test]
fn the_row_that_a_page_goes_on_from_is_told_once() {
    let page = json!({"param": "before", "last": "id", "size": 2});
    let pages = [r#"[{"id":"9"},{"id":"7"}]"#, r#"[{"id":"7"},{"id":"4"}]"#, r#"[{"id":"4"}]"#];
    let (targets, outcome) = asked(page, json!({}), json!({}), &pages);
    assert_eq!((targets.len(), rows(&outcome)), (3, 3));
}

#[test]
fn an_exchange_that_forgets_is_not_asked_for_what_it_forgot() {
    let page = json!({"days": 30, "size": 9, "order": "newest", "kept": 60});
    let (targets, _) = asked(page, json!({"from": "{param.since}"}), json!({}), &[]);
    let since = |days: u64, more: u64| format!("from={}", NOW_MS - days * DAY + more);
    // A minute less, and as much as the clock went on meanwhile.
    assert_eq!(targets, [since(30, 1), since(60, 60_010)]);
}

#[test]
fn bounds_that_an_exchange_excludes_are_moved_by_one() {
    let page = json!({"days": 36500, "size": 9, "order": "newest", "earliest": "1970-01-02"});
    let params = json!({"before": "{param.since|previous}", "after": "{param.until|next}"});
    let (targets, _) = asked(page, params, json!({}), &[]);
    assert_eq!(targets, [format!("after={}&before=86399999", NOW_MS + 1)]);
}

#[test]
fn a_page_that_goes_on_from_a_field_that_rows_do_not_have_is_refused() {
    let refused = std::panic::catch_unwind(|| {
        asked(json!({"param": "after", "last": "order"}), json!({}), json!({}), &[])
    });
    assert!(refused.is_err());
}

#[test]
fn a_route_is_chosen_by_what_a_markets_name_looks_like() {
    let mut tree = small();
    let read = |call: &str, when: Tree| json!({"operation": "my_trades", "unpaged": {"whole": "few"}, "call": call, "when": when, "fields": {"id": "id"}});
    tree["reads"] = json!([
        read("GET private swaps", json!({"market": ["*-SWAP"]})),
        read("GET private spot", json!({})),
    ]);
    let connector = load_leaked(tree.to_string().as_bytes()).unwrap();
    let path = |market: &str| {
        let arguments = vec![("market".to_owned(), Value::Text(market.to_owned()))];
        route(connector, "my_trades", &arguments).unwrap().listing.call.path.clone()
    };
    assert_eq!((path("BTC-USDT-SWAP").as_str(), path("SWAP-USDT").as_str()), ("swaps", "spot"));
}

#[test]
fn a_history_says_how_it_goes_on_or_why_it_does_not() {
    let load_with = |change: Tree| {
        let mut tree = super::files::small();
        let mut read = json!({"operation": "ledger", "call": "GET private ledger", "fields": {"id": "id"}});
        for (name, value) in change.as_object().unwrap() {
            read[name] = value.clone();
        }
        tree["reads"] = json!([read]);
        load(tree.to_string().as_bytes()).map(|_| ())
    };
    let page = json!({"param": "page", "size": 2});
    assert!(load_with(json!({})).is_err());
    for unpaged in [json!({"whole": "all"}), json!({"latest": "the last ten"})] {
        assert_eq!(load_with(json!({"unpaged": unpaged})), Ok(()));
        assert!(load_with(json!({"unpaged": unpaged, "page": page})).is_err());
        assert!(load_with(json!({"unpaged": unpaged, "operation": "positions"})).is_err());
    }
    assert_eq!(load_with(json!({"page": page})), Ok(()));
    for empty in [json!({}), json!({"whole": ""}), json!({"whole": "a", "latest": "b"}), json!({"some": "x"})]
    {
        assert!(load_with(json!({"unpaged": empty})).is_err(), "{empty}");
    }
}
