//! The exchange's limit of one key: kept over all runs that share it.

use super::files::small;
use super::provider::*;
use enclave::connector::*;
use serde_json::json;

/// Five calls at once, then one a second.
fn limited() -> &'static Connector {
    let mut tree = small();
    tree["limit"] = json!({"weight": 5, "seconds": 5});
    tree["reads"] = json!([{
        "operation": "deposits", "call": "GET private deposits", "cost": 3,
        "params": { "from": "{param.since}", "to": "{param.until}" },
        "page": { "days": 30, "size": 3, "order": "newest", "earliest": "2025-01-01", "max": 5 },
        "rows": ["[*]"], "fields": { "id": "id", "timestamp": "t", "amount": "a" },
    }]);
    load_leaked(tree.to_string().as_bytes()).unwrap()
}

fn start(connector: &'static Connector, operation: Operation, state: &NonceState) -> Run {
    let credential = Credential::from_json(connector, br#"{"apiKey":"K1"}"#).unwrap();
    Run::start(connector, operation, Some(credential), 0, state.clone()).unwrap()
}

const ALL: Operation = Operation::Balances { sources: None };

/// Unix ms of each call of so many runs, all of them under way at the same time.
fn sent(count: usize, connector: &'static Connector, state: &NonceState) -> Vec<u64> {
    let mut runs: Vec<Run> = (0..count).map(|_| start(connector, ALL, state)).collect();
    let (mut sent, mut now_ms) = (Vec::new(), NOW_MS);
    while !runs.is_empty() && now_ms < NOW_MS + 60_000 {
        runs.retain_mut(|run| {
            loop {
                match run.next(now_ms, &mut Counting(0)) {
                    Step::Send { call, .. } => {
                        sent.push(now_ms);
                        run.answer(call, now_ms, 200, &[], b"[]");
                    }
                    Step::Wait { .. } => break true,
                    Step::Done(outcome) => {
                        assert!(outcome.is_complete(), "{:?}", outcome.coverage);
                        break false;
                    }
                }
            }
        });
        now_ms += 100;
    }
    assert!(runs.is_empty(), "each comes to its end");
    sent
}

#[test]
fn runs_of_one_key_together_keep_within_its_exchanges_limit() {
    let sent = sent(12, limited(), &NonceState::new());
    assert_eq!(sent.len(), 12);
    for start in &sent {
        let within = sent.iter().filter(|at| (*start..start + 5_000).contains(*at)).count();
        assert!(within <= 10, "{sent:?}");
    }
    assert_eq!(sent.iter().filter(|at| **at == NOW_MS).count(), 5);
    assert_eq!(sent.last(), Some(&(NOW_MS + 7_000)));
}

#[test]
fn another_key_and_an_exchange_without_a_limit_wait_for_nobody() {
    let (one, other) = (NonceState::new(), NonceState::new());
    assert_eq!(sent(5, limited(), &one), [NOW_MS; 5]);
    assert_eq!(sent(5, limited(), &other), [NOW_MS; 5]);
    let free = load_leaked(small().to_string().as_bytes()).unwrap();
    assert_eq!(sent(50, free, &one), [NOW_MS; 50]);
}

fn deposits(from: Position) -> Operation {
    let (operation, arguments, extra) = ("deposits".to_owned(), Params::new(), Params::new());
    Operation::Read { operation, arguments, extra, from, pages: None }
}

#[test]
fn a_history_whose_next_page_would_wait_is_handed_out_as_far_as_it_came() {
    let page = |request: &Request, _: u64| {
        let (_, to) = request.target.split_once("to=").unwrap();
        let to: u64 = to.parse().unwrap();
        let rows: Vec<_> = (0..3).map(|n| json!({"id": to - n, "t": to - 1000 * n, "a": "1"})).collect();
        ok(serde_json::Value::from(rows).to_string())
    };
    let state = NonceState::new();
    // A page costs three of the five; the next one would have to wait a second, the third three.
    let (outcome, took_ms) = finish(&mut start(limited(), deposits(Position::Start), &state), page);
    assert!(outcome.is_complete() && took_ms < 2_000, "{took_ms}");
    assert_eq!(outcome.calls, 2);
    let next = outcome.next.unwrap();
    let (outcome, took_ms) = finish(&mut start(limited(), deposits(next), &state), page);
    assert!(outcome.is_complete() && outcome.calls >= 1 && took_ms < 5_000, "{took_ms}");
}

#[test]
fn a_call_that_would_wait_too_long_is_told_to_the_owner_instead() {
    let mut tree = small();
    tree["limit"] = json!({"weight": 1, "seconds": 60});
    let connector = load_leaked(tree.to_string().as_bytes()).unwrap();
    let state = NonceState::new();
    finish(&mut start(connector, ALL, &state), |_, _| ok("[]"));
    let (outcome, took_ms) = finish(&mut start(connector, ALL, &state), |_, _| panic!("nothing is sent"));
    let fault = outcome.fault().unwrap();
    assert_eq!((fault.code, took_ms), (FaultCode::Provider(FaultKind::RateLimit), 0));
}

#[test]
fn a_limit_of_nothing_is_no_limit() {
    for limit in
        [json!({"weight": 0, "seconds": 1}), json!({"weight": 1, "seconds": 0}), json!({"weight": 1})]
    {
        let mut tree = small();
        tree["limit"] = limit;
        assert!(load_leaked(tree.to_string().as_bytes()).is_err());
    }
}
