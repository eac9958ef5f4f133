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
