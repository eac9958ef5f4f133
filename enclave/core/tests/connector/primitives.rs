//! Primitives of the format that only a connector in small can show alone.

use super::provider::*;
use enclave::connector::*;
use serde_json::{Value as Tree, json};

/// A connector with one signing rule, one balance source and these members at its top.
fn small(rule: Tree, source: Tree, more: &[(&str, Tree)]) -> &'static Connector {
    let mut tree = json!({
        "id": "small", "name": "Small",
        "guide": {"url": "https://small.example/keys", "steps": "make a key"},
        "credential": {"apiKey": {"label": "key", "kinds": ["text"]}},
        "sections": {"private": {"host": "api.small.example", "prefix": "/v1/"}},
        "signing": [rule],
        "balances": [source],
    });
    for (name, value) in more {
        tree[*name] = value.clone();
    }
    load_leaked(tree.to_string().as_bytes()).unwrap()
}

fn any_source() -> Tree {
    json!({"source": "spot", "account": "spot", "call": "GET private balances", "rows": ["*"],
        "fields": {"asset": "@key", "total": "@row"}})
}

/// What a signed call of the connector says at that time, as target and body.
fn written(connector: &'static Connector, now_ms: u64) -> (String, String) {
    let key = Credential::from_json(connector, br#"{"apiKey":"k"}"#).unwrap();
    let mut run =
        Run::start(connector, Operation::Balances { sources: None }, Some(key), 0, NonceState::new())
            .unwrap();
    match run.next(now_ms, &mut Counting(0)) {
        Step::Send { request, .. } => {
            (request.target.clone(), String::from_utf8_lossy(&request.body).into_owned())
        }
        _ => panic!("nothing to send"),
    }
}

fn signed(body: &str, steps: Tree) -> Tree {
    json!({"sections": ["private"], "target": "{path}", "body": body, "headers": {"K": "{apiKey}"}, "steps": steps})
}

#[test]
fn a_nonce_counts_in_milliseconds_or_in_seconds() {
    for (nonce, expected) in [(json!(true), "1700000000123"), (json!("seconds"), "1700000000")] {
        let connector = small(signed("{nonce}", json!([])), any_source(), &[("nonce", nonce)]);
        assert_eq!(written(connector, 1_700_000_000_123).1, expected);
    }
}

#[test]
fn a_nonce_in_any_other_unit_is_refused() {
    let refused = std::panic::catch_unwind(|| {
        small(signed("{nonce}", json!([])), any_source(), &[("nonce", json!("minutes"))])
    });
    assert!(refused.is_err());
}

#[test]
fn milliseconds_become_seconds_with_three_decimals() {
    let connector = small(signed("{ms|seconds-decimal}", json!([])), any_source(), &[]);
    assert_eq!(written(connector, 1_700_000_000_023).1, "1700000000.023");
}

#[test]
fn milliseconds_become_a_date() {
    let connector = small(signed("{ms|iso}", json!([])), any_source(), &[]);
    assert_eq!(written(connector, 1_700_000_000_023).1, "2023-11-14T22:13:20.023Z");
}

#[test]
fn an_amount_in_integers_is_whole_or_not_sent() {
    let connector = small(signed("{ms|seconds-decimal|scaled-4}", json!([])), any_source(), &[]);
    assert_eq!(written(connector, 1_700_000_000_023).1, "17000000000230");
    let refused = std::panic::catch_unwind(|| {
        let connector = small(signed("{ms|seconds-decimal|scaled-2}", json!([])), any_source(), &[]);
        written(connector, 1_700_000_000_023)
    });
    assert!(refused.is_err());
    for filter in ["scaled-0", "scaled-19", "scaled-x", "scaled"] {
        let body = format!("{{ms|{filter}}}");
        let unknown = std::panic::catch_unwind(|| small(signed(&body, json!([])), any_source(), &[]));
        assert!(unknown.is_err(), "{filter}");
    }
}

#[test]
fn pages_are_counted_in_rows_where_the_exchange_counts_rows() {
    let source = json!({"source": "spot", "account": "spot", "call": "GET private balances", "rows": ["[*]"],
        "page": {"param": "offset", "first": 0, "step": 2, "size": 2}, "fields": {"asset": "a", "total": "t"}});
    let rule = json!({"sections": ["private"], "target": "{path}{?params:form}"});
    let connector = small(rule, source, &[]);
    let key = Credential::from_json(connector, br#"{"apiKey":"k"}"#).unwrap();
    let all = Operation::Balances { sources: None };
    let mut run = Run::start(connector, all, Some(key), 0, NonceState::new()).unwrap();
    let mut asked = Vec::new();
    finish(&mut run, |request, _| {
        asked.push(request.target.clone());
        ok(if asked.len() < 3 { r#"[{"a":"A","t":1},{"a":"B","t":1}]"# } else { "[]" })
    });
    assert_eq!(asked, ["/v1/balances?offset=0", "/v1/balances?offset=2", "/v1/balances?offset=4"]);
}

#[test]
fn the_first_setting_whose_arguments_have_values_is_taken() {
    let mut source = any_source();
    source["params"] = json!({
        "from": {"first": ["{param.since}", "{ms-1000}"]},
        "to": {"first": [{"joined": "until"}]},
        "at": {"first": [7, "{param.since}"]},
    });
    let rule = json!({"sections": ["private"], "target": "{path}{?params:form}"});
    let connector = small(rule, source, &[]);
    assert_eq!(written(connector, 1_700_000_000_123).0, "/v1/balances?at=7&from=1699999999123");
}
