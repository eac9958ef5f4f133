//! Long histories: window by window, resumed where a run ended.

use super::files::small;
use super::provider::*;
use enclave::connector::*;
use serde_json::json;

const DAY: u64 = 86_400_000;

fn exchange() -> &'static Connector {
    let mut tree = small();
    tree["reads"] = json!([{
        "operation": "deposits", "call": "GET private deposits",
        "params": { "from": "{param.since|seconds}", "to": "{param.until}" },
        "page": { "days": 30, "size": 3, "order": "newest", "earliest": "2025-01-01", "max": 5 },
        "rows": ["[*]"], "fields": { "id": "id", "timestamp": "t", "amount": "a" },
    }]);
    load_leaked(tree.to_string().as_bytes()).unwrap()
}

fn deposits(from: Position, arguments: &[(&str, u64)]) -> Operation {
    let arguments =
        arguments.iter().map(|(name, ms)| ((*name).to_owned(), Value::Number(ms.to_string()))).collect();
    Operation::Read { operation: "deposits".to_owned(), arguments, extra: Params::new(), from, pages: None }
}

fn run(operation: Operation) -> Result<Run, Fault> {
    let connector = exchange();
    let credential = Credential::from_json(connector, br#"{"apiKey":"K1"}"#).unwrap();
    Run::start(connector, operation, Some(credential), 0, NonceState::new())
}

/// A provider with these deposits, which gives the newest three of a window.
fn answer(request: &Request, times: &[u64]) -> Respond {
    let (_, query) = request.target.split_once('?').unwrap_or_default();
    let argument = |name: &str| {
        let pair = query.split('&').find_map(|pair| pair.strip_prefix(name));
        pair.unwrap().parse::<u64>().unwrap()
    };
    let (from, to) = (argument("from=") * 1000, argument("to="));
    let mut rows: Vec<&u64> = times.iter().filter(|time| (from..=to).contains(*time)).collect();
    rows.sort_unstable_by(|left, right| right.cmp(left));
    rows.truncate(3);
    let rows: Vec<_> =
        rows.iter().map(|time| json!({"id": format!("d{time}"), "t": time, "a": "1"})).collect();
    ok(serde_json::Value::from(rows).to_string())
}

fn ids(outcome: &Outcome) -> Vec<String> {
    let Answer::Rows(rows) = &outcome.answer else { panic!("{:?}", outcome.answer) };
    rows.iter().map(|row| row.field("id").unwrap().to_owned()).collect()
}

#[test]
fn a_history_is_read_to_its_end_over_several_runs_and_each_row_once() {
    let times: Vec<u64> = (0..40).map(|n| NOW_MS - n * 5 * DAY - n).collect();
    let (mut read, mut from, mut runs) = (Vec::new(), Position::Start, 0);
    loop {
        let (outcome, _) =
            finish(&mut run(deposits(from, &[])).unwrap(), |request, _| answer(request, &times));
        assert!(outcome.is_complete(), "{:?}", outcome.coverage);
        read.extend(ids(&outcome));
        runs += 1;
        match outcome.next {
            // What a client keeps is text.
            Some(position) => from = Position::parse(&position.text().unwrap()).unwrap(),
            None => break,
        }
    }
    assert!(runs > 2, "five pages a run");
    // Between runs the row on the edge comes again; within one it does not.
    read.dedup();
    assert_eq!(read, times.iter().map(|time| format!("d{time}")).collect::<Vec<_>>());
}

#[test]
fn the_bounds_that_were_asked_for_hold() {
    let times: Vec<u64> = (0..40).map(|n| NOW_MS - n * DAY).collect();
    let bounds = [("since", NOW_MS - 9 * DAY), ("until", NOW_MS - 5 * DAY)];
    let (outcome, _) =
        finish(&mut run(deposits(Position::Start, &bounds)).unwrap(), |request, _| answer(request, &times));
    let expected: Vec<String> = (5..=9).map(|n| format!("d{}", NOW_MS - n * DAY)).collect();
    assert_eq!((ids(&outcome), outcome.next), (expected, None));
}

#[test]
fn more_of_one_moment_than_a_page_holds_is_partial_and_never_silent() {
    let times = [NOW_MS - DAY; 5];
    let (outcome, _) =
        finish(&mut run(deposits(Position::Start, &[])).unwrap(), |request, _| answer(request, &times));
    assert!(outcome.coverage.iter().all(|source| matches!(source.status, Status::Partial(_))));
}

#[test]
fn a_position_of_another_kind_of_pages_is_the_callers_fault() {
    for position in [Position::Number(3), Position::Cursor("x".to_owned())] {
        assert!(run(deposits(position, &[])).is_err());
    }
}

#[test]
fn a_run_that_was_cut_off_says_where_to_go_on() {
    let times: Vec<u64> = (0..40).map(|n| NOW_MS - n * 5 * DAY).collect();
    let mut asked = 0;
    let (outcome, _) = finish(&mut run(deposits(Position::Start, &[])).unwrap(), |request, _| {
        asked += 1;
        if asked < 3 { answer(request, &times) } else { status(403, "{}") }
    });
    assert!(outcome.coverage.iter().all(|source| matches!(source.status, Status::Partial(_))));
    assert_eq!(ids(&outcome).len(), 5);
    assert!(matches!(outcome.next, Some(Position::Edge(_))));
}
