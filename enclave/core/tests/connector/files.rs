use enclave::connector::*;
use serde_json::{Value as Tree, json};

/// The smallest connector that loads.
pub fn small() -> Tree {
    json!({
        "id": "small", "name": "Small",
        "guide": {"url": "https://small.example/keys", "steps": "make a key"},
        "credential": {"apiKey": {"label": "key", "kinds": ["text"]}},
        "sections": {"private": {"host": "api.small.example", "prefix": "/v1/"}},
        "signing": [{"sections": ["private"], "target": "{path}{?params:form}", "headers": {"X-Key": "{apiKey}"}}],
        "balances": [{"source": "spot", "account": "spot", "call": "GET private balances", "rows": ["[*]"],
            "fields": {"asset": "a", "total": "t"}}],
    })
}

fn refused(change: impl FnOnce(&mut Tree)) -> String {
    let mut tree = small();
    change(&mut tree);
    load(tree.to_string().as_bytes()).expect_err("a wrong file was loaded")
}

#[test]
fn a_small_connector_loads() {
    load(small().to_string().as_bytes()).unwrap();
}

#[test]
fn what_the_format_does_not_know_is_refused_by_name() {
    assert!(refused(|tree| tree["colour"] = json!("red")).contains("colour"));
    assert!(refused(|tree| tree["signing"][0]["salt"] = json!("x")).contains("signing[0].salt"));
    assert!(refused(|tree| tree["balances"][0]["fields"]["colour"] = json!("a")).contains("colour"));
    assert!(refused(|tree| tree["signing"][0]["target"] = json!("{secret}")).contains("secret"));
    assert!(
        refused(|tree| tree["signing"][0]["steps"] =
            json!([{"name": "a", "text": "{b}"}, {"name": "b", "text": "x"}]))
        .contains("{b}")
    );
    assert!(refused(|tree| tree["balances"][0]["call"] = json!("GET nowhere x")).contains("nowhere"));
    assert!(refused(|tree| tree["balances"][0]["call"] = json!("GET private {id}")).contains("{id}"));
    assert!(
        refused(|tree| tree["balances"][0]["fields"]["total"] = json!("map(t, 'none')")).contains("none")
    );
    assert!(refused(|tree| tree["balances"][0]["fields"]["total"] = json!("t +")).contains("t +"));
    assert!(refused(|tree| tree["credential"]["apiKey"]["kinds"] = json!(["rot13"])).contains("rot13"));
    assert!(refused(|tree| tree["errors"] = json!({"exact": {"weather": ["1"]}})).contains("weather"));
}

#[test]
fn what_is_not_offered_has_a_name_a_reason_and_no_action() {
    let mut tree = small();
    tree["unoffered"] = json!({"withdraw": "the exchange has no call for it"});
    let connector = load(tree.to_string().as_bytes()).unwrap();
    assert_eq!(connector.unoffered.len(), 1);
    assert!(refused(|tree| tree["unoffered"] = json!({"lend": "no call"})).contains("unoffered.lend"));
    assert!(refused(|tree| tree["unoffered"] = json!({"withdraw": ""})).contains("unoffered.withdraw"));
    tree["unoffered"] = json!({"transfer": "no call"});
    tree["actions"] = json!([{"operation": "transfer", "call": "POST private move", "fields": {"id": "i"}}]);
    let error = load(tree.to_string().as_bytes()).expect_err("an action that is not offered");
    assert!(error.contains("no call"), "{error}");
}

#[test]
fn a_host_is_a_name_and_nothing_else() {
    for host in [
        "127.0.0.1",
        "localhost",
        "api.small.example:443",
        "API.small.example",
        "a/b.example",
        "user@small.example",
        "a..b",
        "[::1]",
        "",
    ] {
        assert!(refused(|tree| tree["sections"]["private"]["host"] = json!(host)).contains("host"), "{host}");
    }
}

#[test]
fn a_network_is_a_chain_and_not_a_name() {
    for chain in
        ["ethereum", "eip155:", "EIP155:1", "e:1", "eip155:1/slip44:60", "eip155:1 ", "toolongname:1"]
    {
        assert!(refused(|tree| tree["networks"] = json!({"ERC20": chain})).contains("CAIP-2"), "{chain}");
    }
    let mut tree = small();
    tree["networks"] = json!({"ERC20": "eip155:1"});
    load(tree.to_string().as_bytes()).unwrap();
}

#[test]
fn m32_every_exchanges_name_of_a_chain_leads_to_the_same_chain() {
    let chain = |id: &str, network: &str| {
        let networks = &find(id).unwrap().networks;
        networks.iter().find(|(name, _)| name == network).map(|(_, chain)| chain.clone())
    };
    let names =
        [("binance", "ETH"), ("bybit", "ETH"), ("coinbase", "ethereum"), ("kucoin", "eth"), ("okx", "ERC20")];
    for (id, network) in names {
        assert_eq!(chain(id, network).as_deref(), Some("eip155:1"), "{id}");
    }
    let names = [("binance", "AVAXC"), ("bybit", "CAVAX"), ("kucoin", "avaxc"), ("okx", "Avalanche C-Chain")];
    for (id, network) in names {
        assert_eq!(chain(id, network).as_deref(), Some("eip155:43114"), "{id}");
    }
    // X-Chain and Lightning are other networks: a name that is not listed leads nowhere.
    assert_eq!(chain("okx", "Avalanche X-Chain"), None);
    assert_eq!(chain("okx", "Lightning"), None);
}

#[test]
fn m36_a_file_with_a_broker_id_is_refused() {
    assert!(refused(|tree| tree["signing"][0]["headers"]["Referer"] = json!("us")).contains("broker"));
    assert!(refused(|tree| tree["signing"][0]["headers"]["KC-API-PARTNER"] = json!("us")).contains("broker"));
    assert!(refused(|tree| tree["signing"][0]["last"] = json!({"brokerId": "us"})).contains("broker"));
    assert!(refused(|tree| tree["balances"][0]["params"] = json!({"brokerId": "us"})).contains("broker"));
}

#[test]
fn the_digest_is_what_the_specification_says() {
    // docs/spec/connector.md: over the embedded forms in order of id.
    let mut ids: Vec<&str> = all().iter().map(|connector| connector.id.as_str()).collect();
    ids.sort_unstable();
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../connectors");
    let names = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name());
    let mut files: Vec<String> =
        names.filter_map(|name| name.to_str().unwrap().strip_suffix(".toml").map(str::to_owned)).collect();
    files.sort_unstable();
    assert_eq!(ids, files);
    assert_eq!(digest(), digest());
    assert_ne!(digest(), [0; 32]);
}

#[test]
fn every_exchange_has_a_history_or_says_why_not() {
    let histories = ["deposits", "withdrawals", "ledger", "my_trades", "transfers"];
    for connector in all().iter().filter(|connector| connector.oauth.is_none()) {
        let says = |name: &&str| {
            connector.reads(name) || connector.unoffered.iter().any(|(unoffered, _)| unoffered == *name)
        };
        assert!(histories.iter().any(says), "{}", connector.id);
    }
}
