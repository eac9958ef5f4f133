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
fn a_json_step_may_hold_all_parameters_as_one_member() {
    let rule = json!({"target": "{path}", "body": "{payload}", "steps": [
        {"name": "payload", "json": {"method": "{endpoint}", "params": {"params": "all"}}},
    ]});
    let side = r#"{"method":"orders","params":{"side":"buy"}}"#;
    assert_eq!(body(rule.clone(), "orders", &[("side", "buy")]), side);
    assert_eq!(body(rule, "orders", &[]), r#"{"method":"orders","params":{}}"#);
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

/// What a connector with an Ethereum key writes as the body, by a rule with this one step.
fn signed_by_ethereum_key(step: Tree) -> Option<String> {
    let tree = json!({
        "id": "small", "name": "Small",
        "guide": {"url": "https://small.example/keys", "steps": "make a key"},
        "credential": {"privateKey": {"label": "key", "kinds": ["secp256k1"], "secret": true}},
        "sections": {"private": {"host": "api.small.example", "prefix": "/"}},
        "signing": [{"sections": ["private"], "target": "{path}", "body": "{address.privateKey} 0x{signature|hex}", "steps": [step]}],
    });
    let connector = load_leaked(tree.to_string().as_bytes()).ok()?;
    let key = r#"{"privateKey":"0xff3bdd43534543d421f05aec535965b5050ad6ac15345435345435453495e771"}"#;
    let credential = Credential::from_json(connector, key.as_bytes()).unwrap();
    let call = Call { method: Method::Get, section: "private".to_owned(), path: "order".to_owned(), cost: 1 };
    let (now_ms, nonce, entropy) = (1_700_000_000_123, 1, &mut Counting(0));
    let mut signing = Signing { credential: Some(&credential), now_ms, nonce, entropy };
    let request = build(connector, &call, Params::new(), &mut signing).ok()?;
    Some(String::from_utf8(request.body.clone()).unwrap())
}

const ADDRESS: &str = "0xb67f9a782d3678a0bac50c22eacbb4924fe9d4cf";

#[test]
fn an_ethereum_key_signs_texts_as_recorded() {
    // From the recordings of `derive`.
    let body =
        signed_by_ethereum_key(json!({"name": "signature", "personal": "privateKey", "message": "{ms}"}));
    let signature = "58699614725cd627b243797d8967ac794d7e069eecbe92d2736448efdcef1d2b408d7f747d33ce5587e5e5dcd5e56c95b9a295ad66a684a1b8f2f1bd504b55f51b";
    assert_eq!(body.unwrap(), format!("{ADDRESS} 0x{signature}"));
}

#[test]
fn an_ethereum_key_signs_structures_as_recorded() {
    // From the recordings of `aster`.
    let message = format!("nonce={{ms}}000&user={ADDRESS}&signer={{address.privateKey}}");
    let step = |message: &str, kind: &str| {
        json!({
            "name": "signature", "typed": "privateKey",
            "domain": {"name": "AsterSignTransaction", "version": "1", "chain_id": 1666,
                "verifying_contract": "0x0000000000000000000000000000000000000000"},
            "type": format!("Message({kind} msg)"), "members": [message],
        })
    };
    let signature = "86cfdbe106d49d3152f0b4ac9ab57bc1dbcc7c68e5192b4db2caac5e6ef24eaa1e17e71379e6191953de952b72947424e40f80de67369b75739e189dd9350d231c";
    let body = signed_by_ethereum_key(step(&message, "string"));
    assert_eq!(body.unwrap(), format!("{ADDRESS} 0x{signature}"));
    // What is not of its type is not signed, and an unknown type does not load.
    for (kind, text) in
        [("uint8", "-1"), ("address", "0x12"), ("bytes32", "0xabcd"), ("bytes", "xy"), ("bool", "1")]
    {
        assert_eq!(signed_by_ethereum_key(step(text, kind)), None, "{kind}");
    }
    assert_eq!(signed_by_ethereum_key(step("1", "uint8[]")), None);
    let good = ("bytes32", "0x4598c923c1218ab0a10fb23e1a9bbe9763023b3cbe282f4a7f18cd5ce6c27b29");
    for (kind, text) in [good, ("uint256", "7"), ("bool", "true"), ("address", ADDRESS), ("bytes", "0xab")] {
        assert!(signed_by_ethereum_key(step(text, kind)).is_some(), "{kind}");
    }
}
