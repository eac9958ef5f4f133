use super::provider::*;
use enclave::connector::*;
use serde_json::json;

/// A connector whose balances are asked for by account.
fn by_account() -> &'static Connector {
    let tree = json!({
        "id": "small", "name": "Small",
        "guide": {"url": "https://small.example/keys", "steps": "make a key"},
        "credential": {"apiKey": {"label": "key", "kinds": ["text"]}},
        "sections": {"private": {"host": "api.small.example", "prefix": "/"}},
        "signing": [{"sections": ["private"], "target": "{path}{?params:form}", "headers": {"X-Key": "{apiKey}"}}],
        "balances": [{
            "source": "wallets", "account": "spot", "absent": ["none"],
            "each": {"call": "GET private accounts", "rows": ["[*]"], "only": {"state": ["on"]},
                "fields": {"id": "id", "kind": "type"}},
            "call": "GET private accounts/{id}/balance",
            "params": {"id": "{param.id}"},
            "page": {"param": "page", "first": 1, "size": 2},
            "rows": ["[*]"],
            "fields": {"asset": "a", "total": "t", "account": "$kind"},
        }],
        "errors": {"code": "code"},
    });
    load_leaked(tree.to_string().as_bytes()).unwrap()
}

const ACCOUNTS: &str = r#"[{"id":1,"type":"spot","state":"on"},{"id":2,"type":"off","state":"off"},
    {"id":3,"type":"margin","state":"on"}]"#;

fn run(provider: impl FnMut(&Request, u64) -> Respond) -> Outcome {
    let connector = by_account();
    let credential = Credential::from_json(connector, br#"{"apiKey":"K1"}"#).unwrap();
    let operation = Operation::Balances { sources: None };
    let mut run = Run::start(connector, operation, Some(credential), 0, NonceState::new()).unwrap();
    finish(&mut run, provider).0
}

#[test]
fn m33_each_account_that_the_exchange_lists_is_asked_with_all_its_pages() {
    let mut asked = Vec::new();
    let outcome = run(|request, _| {
        asked.push(request.target.clone());
        match request.target.as_str() {
            "/accounts" => ok(ACCOUNTS),
            "/accounts/1/balance?page=1" => ok(r#"[{"a":"BTC","t":"1"},{"a":"ETH","t":"2"}]"#),
            "/accounts/1/balance?page=2" => ok(r#"[{"a":"SOL","t":"3"}]"#),
            "/accounts/3/balance?page=1" => ok(r#"[{"a":"BTC","t":"4"}]"#),
            other => panic!("{other}"),
        }
    });
    assert_eq!(asked.len(), 4);
    assert_eq!(*source(&outcome, "wallets"), Status::Ok);
    assert_eq!(outcome.coverage.len(), 1);
    let rows: Vec<String> = balances(outcome)
        .iter()
        .map(|row| format!("{} {} {:?}", row.account, row.asset, row.total))
        .collect();
    assert_eq!(rows, ["spot BTC Some(1)", "spot ETH Some(2)", "spot SOL Some(3)", "margin BTC Some(4)"]);
}

#[test]
fn without_accounts_there_is_nothing_and_that_is_complete() {
    let outcome = run(|request, _| {
        assert_eq!(request.target, "/accounts");
        ok("[]")
    });
    assert_eq!(*source(&outcome, "wallets"), Status::Ok);
    assert!(balances(outcome).is_empty());
}

#[test]
fn m33_an_account_that_cannot_be_read_leaves_the_source_partial() {
    let outcome = run(|request, _| match request.target.as_str() {
        "/accounts" => ok(ACCOUNTS),
        "/accounts/1/balance?page=1" => ok(r#"[{"a":"BTC","t":"1"}]"#),
        _ => status(400, r#"{"code":"broken"}"#),
    });
    assert!(matches!(source(&outcome, "wallets"), Status::Partial(_)));
    assert_eq!(balances(outcome).len(), 1);
}

#[test]
fn an_account_that_is_not_there_is_passed_over() {
    let outcome = run(|request, _| match request.target.as_str() {
        "/accounts" => ok(ACCOUNTS),
        "/accounts/1/balance?page=1" => status(400, r#"{"code":"none"}"#),
        _ => ok(r#"[{"a":"BTC","t":"1"}]"#),
    });
    assert_eq!(*source(&outcome, "wallets"), Status::Ok);
    assert_eq!(balances(outcome).len(), 1);
}

/// A connector whose deposits are asked for by account, in windows of time or in numbered pages.
fn deposits_by_account(page: serde_json::Value) -> &'static Connector {
    let mut tree = super::files::small();
    tree["reads"] = json!([{
        "operation": "deposits",
        "each": {"call": "GET private accounts", "rows": ["[*]"], "fields": {"id": "id"}},
        "call": "GET private accounts/{id}/deposits",
        "params": {"id": "{param.id}", "from": "{param.since}", "to": "{param.until}"},
        "page": page, "rows": ["[*]"], "fields": {"id": "id", "timestamp": "t", "account": "$id"},
    }]);
    load_leaked(tree.to_string().as_bytes()).unwrap()
}

/// Reads to the end in runs of `pages` pages each: the rows as `account id`, and how many runs it took. The accounts
/// are listed in another order each time.
fn read_all(
    connector: &'static Connector,
    pages: u32,
    accounts: &[&str],
    respond: impl Fn(&str, &Request) -> Respond,
) -> (Vec<String>, u32) {
    let (mut read, mut from, mut runs) = (Vec::new(), Position::Start, 0);
    loop {
        runs += 1;
        let operation = Operation::Read {
            operation: "deposits".to_owned(),
            arguments: Params::new(),
            extra: Params::new(),
            from,
            pages: Some(pages),
        };
        let credential = Credential::from_json(connector, br#"{"apiKey":"K1"}"#).unwrap();
        let mut run = Run::start(connector, operation, Some(credential), 0, NonceState::new()).unwrap();
        let (outcome, _) = finish(&mut run, |request, _| match request.path() {
            "/v1/accounts" => {
                let mut accounts: Vec<_> = accounts.iter().map(|id| json!({"id": id})).collect();
                let by = runs as usize % accounts.len();
                accounts.rotate_left(by);
                ok(serde_json::Value::from(accounts).to_string())
            }
            path => respond(path.split('/').nth(3).unwrap(), request),
        });
        assert!(outcome.is_complete(), "{:?}", outcome.coverage);
        let Answer::Rows(rows) = &outcome.answer else { panic!("{:?}", outcome.answer) };
        let text = |row: &Record| format!("{} {}", row.field("account").unwrap(), row.field("id").unwrap());
        read.extend(rows.iter().map(text));
        assert!(runs < 100, "the pages do not end");
        match outcome.next {
            // What a client keeps is text.
            Some(position) => from = Position::parse(&position.text().unwrap()).unwrap(),
            None => break,
        }
    }
    read.sort();
    (read, runs)
}

#[test]
fn pages_of_each_account_are_read_to_their_end_over_several_runs_and_each_row_once() {
    let deposits = |account: &str| if account == "b" { 0 } else { 5 };
    let respond = |account: &str, request: &Request| {
        let page: usize = request.target.split_once("page=").unwrap().1.parse().unwrap();
        let ids = (2 * page - 2..2 * page).filter(|n| *n < deposits(account));
        ok(serde_json::Value::from(ids.map(|n| json!({"id": n, "t": n})).collect::<Vec<_>>()).to_string())
    };
    let accounts = ["a", "b", "c", "d"];
    let expected: Vec<String> =
        ["a", "c", "d"].iter().flat_map(|id| (0..5).map(move |n| format!("{id} {n}"))).collect();
    for pages in 1..12 {
        let connector = deposits_by_account(json!({"param": "page", "size": 2, "max": pages}));
        let (read, runs) = read_all(connector, pages, &accounts, respond);
        assert_eq!(read, expected, "{pages} pages a run");
        // Three pages of three accounts, and an empty one.
        assert_eq!(runs, 10u32.div_ceil(pages));
    }
}

#[test]
fn accounts_that_have_a_row_of_one_moment_in_common_keep_both_and_windows_begin_anew_for_each() {
    let connector =
        deposits_by_account(json!({"days": 30, "size": 3, "order": "newest", "earliest": "2025-07-01"}));
    let day = 86_400_000;
    let respond = |_: &str, request: &Request| {
        let argument = |name: &str| -> u64 {
            let query = request.target.split_once('?').unwrap().1;
            query.split('&').find_map(|pair| pair.strip_prefix(name)).unwrap().parse().unwrap()
        };
        let (from, to) = (argument("from="), argument("to="));
        let times = (0..7).map(|n| NOW_MS - n * 9 * day).filter(|time| (from..=to).contains(time));
        let rows: Vec<_> = times.take(3).map(|time| json!({"id": time, "t": time})).collect();
        ok(serde_json::Value::from(rows).to_string())
    };
    let (mut read, _) = read_all(connector, 2, &["a", "b"], respond);
    read.dedup();
    assert_eq!(read.len(), 14);
}

#[test]
fn a_position_that_is_no_row_of_another_listing_is_refused() {
    let connector = deposits_by_account(json!({"param": "page", "size": 2}));
    let start = |from: &str| {
        let (arguments, extra) = (Params::new(), Params::new());
        let (operation, from) = ("deposits".to_owned(), Position::parse(from).unwrap());
        let operation = Operation::Read { operation, arguments, extra, from, pages: None };
        let credential = Credential::from_json(connector, br#"{"apiKey":"K1"}"#).unwrap();
        Run::start(connector, operation, Some(credential), 0, NonceState::new()).map(|_| ())
    };
    assert_eq!(start("row:0011223344556677,page:3"), Ok(()));
    for foreign in ["page:3", "time:5", "row:0011223344556677,time:5"] {
        assert_eq!(start(foreign), Err(CallerFault::Argument.into()), "{foreign}");
    }
}
