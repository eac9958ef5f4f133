use super::provider::*;
use enclave::connector::*;
use serde_json::{Value as Tree, json};

/// The request that a connector with this one rule writes for `POST private spot/orders/{id}` or another path.
fn written(rule: Tree, path: &str, params: &[(&str, &str)]) -> Option<Request> {
    let mut rule = rule;
    rule["sections"] = json!(["private"]);
    let tree = json!({
        "id": "small", "name": "Small",
        "guide": {"url": "https://small.example/keys", "steps": "make a key"},
        "credential": {"apiKey": {"label": "key", "kinds": ["text"]}},
        "sections": {"private": {"host": "api.small.example", "prefix": "/"}},
        "signing": [rule],
    });
    let connector = load_leaked(tree.to_string().as_bytes()).unwrap();
    let credential = Credential::from_json(connector, br#"{"apiKey":"K1"}"#).unwrap();
    let call = Call { method: Method::Post, section: "private".to_owned(), path: path.to_owned(), cost: 1 };
    let params = params.iter().map(|(name, value)| ((*name).to_owned(), Value::from(*value))).collect();
    let mut signing =
        Signing { credential: Some(&credential), now_ms: NOW_MS, nonce: NOW_MS, entropy: &mut Counting(0) };
    build(connector, &call, params, &mut signing).ok()
}

fn body(rule: Tree, path: &str, params: &[(&str, &str)]) -> String {
    String::from_utf8(written(rule, path, params).unwrap().body.clone()).unwrap()
}

#[test]
fn a_path_parameter_stays_in_the_body_where_the_exchange_wants_it_in_both_places() {
    let rule = |keeps: bool| json!({"keeps_path": keeps, "target": "{path}", "body": "{params:json}"});
    let params = [("id", "7"), ("side", "buy")];
    assert_eq!(body(rule(true), "orders/{id}", &params), r#"{"id":"7","side":"buy"}"#);
    assert_eq!(body(rule(false), "orders/{id}", &params), r#"{"side":"buy"}"#);
    assert_eq!(written(rule(true), "orders/{id}", &params).unwrap().target, "/orders/7");
}

#[test]
fn a_rule_for_empty_requests_serves_no_others() {
    let rule = json!({"empty": true, "target": "{path}", "body": "nothing=here"});
    assert_eq!(body(rule.clone(), "balances", &[]), "nothing=here");
    assert_eq!(body(rule.clone(), "orders/{id}", &[("id", "7")]), "nothing=here");
    assert!(written(rule, "balances", &[("asset", "BTC")]).is_none());
}

#[test]
fn a_json_step_carries_its_own_members_and_the_parameters_behind_them() {
    let rule = |params: bool| {
        json!({"target": "{path}", "body": "{payload}", "steps": [
            {"name": "payload", "json": {"request": "{path}", "nonce": {"number": "{ms}"}}, "params": params},
        ]})
    };
    let own = format!(r#"{{"nonce":{NOW_MS},"request":"/orders""#);
    assert_eq!(body(rule(true), "orders", &[("side", "b\"uy")]), format!(r#"{own},"side":"b\"uy"}}"#));
    assert_eq!(body(rule(false), "orders", &[("side", "buy")]), format!("{own}}}"));
}

#[test]
fn a_path_can_be_signed_without_its_first_segment() {
    let rule = json!({"target": "{path}", "body": "{inside}", "steps": [{"name": "inside", "text": "{path|inner}"}]});
    assert_eq!(body(rule.clone(), "spot/api/v3/order", &[]), "/api/v3/order");
    assert_eq!(body(rule, "order", &[]), "");
}

#[test]
fn parameters_may_be_signed_with_others_that_are_not_sent() {
    let rule = json!({
        "target": "{path}{?params:form}",
        "headers": {"X-Signed": "{all}", "X-Fragment": "{#params:form.sorted}"},
        "steps": [{"name": "all", "params": "form.sorted", "with": {"aa": "{ms}", "b": "{apiKey}"}}],
    });
    let request = written(rule, "order", &[("b", "2"), ("a", "x y")]).unwrap();
    assert_eq!(request.target, "/order?b=2&a=x%20y");
    let headers = [
        ("X-Fragment".to_owned(), "#a=x%20y&b=2".to_owned()),
        ("X-Signed".to_owned(), format!("a=x%20y&aa={NOW_MS}&b=K1")),
    ];
    assert_eq!(request.headers, headers);
}
