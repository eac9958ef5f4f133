//! Wallets from a person's command to real nodes and back, over the whole stack. `make test-nodes` runs this: it fetches
//! the nodes, which stand behind the sandbox's TLS where the enclave expects the operators that its networks name.
#![expect(clippy::unwrap_used, reason = "tests")]

use person::Person;
use serde_json::json;
use stack::{Folder, Stack};

#[path = "wallets/node.rs"]
mod node;
#[path = "cli/person.rs"]
#[expect(dead_code, reason = "of another test's person, what is used here")]
mod person;

const WALLET: &str = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed";

/// A stack whose sandbox carries these hosts' bytes to ports of this machine.
fn stack(folder: &Folder, upstreams: &[(&str, u16)]) -> Stack {
    let named: Vec<String> =
        upstreams.iter().map(|(host, port)| format!("--upstream={host}=127.0.0.1:{port}")).collect();
    let options: Vec<&str> = named.iter().map(String::as_str).collect();
    Stack::start_with(&folder.join("data"), &options)
}

#[test]
fn a_watched_wallet_stands_in_the_portfolio_beside_an_exchange() {
    let anvil = node::Anvil::start(1);
    anvil.call("anvil_setBalance", json!([WALLET, "0x1bc16d674ec80000"]));
    let folder = Folder::new();
    let stack = stack(&folder, &[("ethereum-rpc.publicnode.com", anvil.port)]);
    let person = Person::new(&stack);
    person.link(&person::account("kraken", "reader"), "kraken");
    let linked = person.json(&["link", "ethereum", "--address", WALLET, "--name", "cold", "--json"]);
    let states: Vec<_> = linked["capabilities"]
        .as_array()
        .unwrap()
        .iter()
        .map(|capability| (capability["name"].as_str().unwrap(), capability["state"].as_str().unwrap()))
        .collect();
    assert_eq!(states, [("read", "yes"), ("trade", "no"), ("withdraw", "no"), ("transfer", "no")]);

    let portfolio = person.json(&["balances", "--json"]);
    let connections = portfolio["connections"].as_array().unwrap();
    assert_eq!(connections.len(), 2);
    let wallet = connections.iter().find(|connection| connection["exchange"] == "ethereum").unwrap();
    assert_eq!(wallet["accounts"][0]["type"], "wallet");
    let coin = &wallet["accounts"][0]["assets"][0];
    assert_eq!((coin["asset"].as_str(), coin["total"].as_str()), (Some("eip155:1/slip44:60"), Some("2")));
    // Valued by the prices of an exchange that its owner need not have linked.
    let kraken = connections.iter().find(|connection| connection["exchange"] == "kraken").unwrap();
    let assets = kraken["accounts"].as_array().unwrap().iter().flat_map(|a| a["assets"].as_array().unwrap());
    let price = assets.filter(|asset| asset["symbol"] == "ETH").map(|asset| asset["price"].clone()).next();
    assert!(coin["price"].is_string() && price.is_none_or(|price| price == coin["price"]), "{coin}");

    let table = person.done(&["balances"]);
    assert!(table.contains("cold") && table.contains("ETH"), "{table}");
    let inspected = person.json(&["inspect", "cold", "--json"]);
    assert_eq!(inspected["fields"], json!(["watch"]));
}

#[test]
fn what_is_no_address_of_the_chain_is_refused_and_a_private_key_is_not_even_sent() {
    let stack = Stack::start();
    let person = Person::new(&stack);
    let typo = person.run(&["link", "ethereum", "--address", "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAeD"]);
    assert_eq!(typo.code, 1, "{}", typo.err);
    assert!(typo.err.contains("address_malformed"), "{}", typo.err);
    let key = "4c0883a69102937d6231471b5dbb6204fe5129617082792ae468d01a3f362318";
    let private = person.run(&["link", "ethereum", "--address", key]);
    assert_eq!(private.code, 2, "{}", private.err);
    assert!(private.err.contains("PRIVATE") && !private.err.contains(key), "{}", private.err);
    assert_eq!(person.json(&["connections", "--json"]), json!([]));
}

#[test]
fn a_node_that_cannot_be_reached_is_named_and_the_rest_is_shown() {
    let stack = Stack::start();
    let person = Person::new(&stack);
    person.link(&person::account("kraken", "reader"), "kraken");
    person.done(&["link", "ethereum", "--address", WALLET]);
    let said = person.run(&["balances", "--json"]);
    assert_ne!(said.code, 0);
    let portfolio: serde_json::Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!(portfolio["coverage"]["complete"], false);
    assert_eq!(portfolio["connections"].as_array().unwrap().len(), 2);
}
