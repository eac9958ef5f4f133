//! How a listing goes on behind its first page, each way in small.

use super::files::small;
use super::provider::*;
use enclave::connector::*;
use serde_json::{Value as Tree, json};

const DAY: u64 = 86_400_000;

/// What a history with this `page` asks a provider, which gives these pages and then empty ones; and what comes of it.
fn asked(page: Tree, params: Tree, only: Tree, pages: &[&str]) -> (Vec<String>, Outcome) {
    asked_since(None, page, params, only, pages)
}

fn asked_since(
    since: Option<u64>,
    page: Tree,
    params: Tree,
    only: Tree,
    pages: &[&str],
) -> (Vec<String>, Outcome) {
    let mut tree = small();
    tree["reads"] = json!([{
        "operation": "ledger", "call": "GET private ledger", "params": params, "page": page, "only": only,
        "rows": ["[*]"], "fields": {"id": "id", "timestamp": "t", "type": "k"},
    }]);
    let connector = load_leaked(tree.to_string().as_bytes()).unwrap();
    let credential = Credential::from_json(connector, br#"{"apiKey":"K1"}"#).unwrap();
    let number = |name: &str, number: u64| (name.to_owned(), Value::Number(number.to_string()));
    let since = since.map(|since| number("since", since));
    let operation = Operation::Read {
        operation: "ledger".to_owned(),
        arguments: since.into_iter().chain([number("limit", 5)]).collect(),
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
fn one_page_for_every_question_is_said_to_be_partial_after_a_few_and_each_row_stands_once() {
    let whole = r#"[{"id":"9","t":1600000000000},{"id":"7","t":1600000000000}]"#;
    let timed = json!({"end": "{param.until}", "start": "{param.since}"});
    for (page, params, most) in [
        (json!({"param": "page", "size": 2}), json!({}), 2),
        (json!({"param": "after", "last": "id", "size": 2}), json!({}), 2),
        (json!({"param": "after", "last": "id"}), json!({}), 2),
        (json!({"days": 3650, "size": 2, "order": "newest"}), timed.clone(), 12),
        (json!({"days": 3650, "size": 2, "order": "oldest"}), timed.clone(), 12),
    ] {
        let (targets, outcome) = asked(page.clone(), params, json!({}), &[whole; 20]);
        let is_partial = outcome.coverage.iter().all(|source| matches!(source.status, Status::Partial(_)));
        assert!(is_partial && outcome.next.is_none(), "{page}: {outcome:?}");
        assert!(targets.len() <= most, "{page}: {targets:?}");
        let Answer::Rows(rows) = &outcome.answer else { panic!("{page}") };
        assert!(
            rows.iter().all(|row| rows.iter().filter(|other| *other == row).count() == 1),
            "{page}: {rows:?}"
        );
    }
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
fn rows_from_before_the_time_that_is_asked_for_are_left_out_and_the_pages_behind_them_not_asked_for() {
    // The exchange takes no bound: newest first, two a page.
    let page_of = |days: [u64; 2]| {
        let row = |day: u64| json!({"id": day.to_string(), "t": NOW_MS - day * DAY});
        json!([row(days[0]), row(days[1])]).to_string()
    };
    let pages = [[1, 2], [3, 5], [6, 7], [8, 9]].map(page_of);
    let pages: Vec<&str> = pages.iter().map(String::as_str).collect();
    for page in [json!({"param": "page", "size": 2}), json!({"param": "after", "last": "id", "size": 2})] {
        let asked = |days| asked_since(Some(NOW_MS - days * DAY), page.clone(), json!({}), json!({}), &pages);
        let (targets, outcome) = asked(4);
        assert_eq!((targets.len(), rows(&outcome)), (3, 3), "{targets:?}");
        assert_eq!((outcome.next.clone(), outcome.is_complete()), (None, true));
    }
}

#[test]
fn an_exchange_that_forgets_is_said_to_only_where_it_may_have_forgotten_what_is_asked_for() {
    let window = json!({"days": 30, "size": 9, "order": "newest", "kept": 60});
    let newest = json!({"param": "page", "size": 2, "kept_rows": 3});
    let short = |page: &Tree, days: Option<u64>, pages: &[&str]| {
        let since = days.map(|days| NOW_MS - days * DAY);
        asked_since(since, page.clone(), json!({}), json!({}), pages).1.short
    };
    assert_eq!(short(&window, None, &[]), Some("not_kept"));
    assert_eq!((short(&window, Some(61), &[]), short(&window, Some(59), &[])), (Some("not_kept"), None));
    let row = |days: u64| json!({"id": days, "t": NOW_MS - days * DAY});
    let [two, one] = [json!([row(1), row(2)]).to_string(), json!([row(3)]).to_string()];
    // Fewer than it keeps are all; as many as it keeps are all since then, if one of them is older.
    assert_eq!(short(&newest, None, &[&two]), None);
    assert_eq!(short(&newest, None, &[&two, &one]), Some("not_kept"));
    assert_eq!(short(&newest, Some(9), &[&two, &one]), Some("not_kept"));
    assert_eq!(short(&newest, Some(2), &[&two, &one]), None);
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
