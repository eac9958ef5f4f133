//! Wallets from a person's command to real nodes and back, over the whole stack. `make test-nodes` runs this: it fetches
//! the nodes, which stand behind the sandbox's TLS where the enclave expects the operators that its networks name.
#![expect(clippy::unwrap_used, reason = "tests")]

use person::Person;
use serde_json::json;
use stack::{Folder, Stack};

#[path = "wallets/node.rs"]
mod node;
#[path = "wallets/paying.rs"]
mod paying;
#[path = "cli/person.rs"]
#[expect(dead_code, reason = "of another test's person, what is used here")]
mod person;
#[path = "wallets/proving.rs"]
mod proving;

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

/// The phrase whose accounts anvil funds.
const PHRASE: &str = "test test test test test test test test test test test junk";

#[test]
fn a_wallet_that_is_made_here_gives_out_no_address_before_its_owner_has_its_words() {
    let anvil = node::Anvil::start(1);
    let folder = Folder::new();
    let stack = stack(&folder, &[("ethereum-rpc.publicnode.com", anvil.port)]);
    let person = Person::new(&stack);
    let made = person.run(&["wallet", "create", "ethereum", "--name", "pocket"]);
    assert_eq!(made.code, 0, "{}", made.err);
    assert!(made.err.contains("tensfer wallet backup pocket"), "{}", made.err);
    let early = person.run(&["wallet", "address", "pocket"]);
    assert_eq!(early.code, 1, "{}", early.err);
    assert!(early.err.contains("are written down nowhere"), "{}", early.err);

    // What the owner wrote down: 24 words, shown nowhere but on their terminal.
    let exported = person.json(&["export", "pocket", "--print"]);
    let words = exported["phrase"].as_str().unwrap();
    assert_eq!(words.split(' ').count(), 24);
    let shown = person.run(&["wallet", "backup", "pocket"]);
    assert_eq!(shown.code, 2, "no terminal: {}", shown.err);
    let wrong =
        person::said(&mut person.command(&["wallet", "backup", "pocket", "--check", "-"]), PHRASE.as_bytes());
    assert_eq!(wrong.code, 1, "{}", wrong.err);
    assert!(wrong.err.contains("not the words of"), "{}", wrong.err);
    let right =
        person::said(&mut person.command(&["wallet", "backup", "pocket", "--check", "-"]), words.as_bytes());
    assert_eq!(right.code, 0, "{}", right.err);

    let address = person.json(&["wallet", "address", "pocket", "--json"]);
    assert_eq!(address["chain"], "eip155:1");
    let address = address["address"].as_str().unwrap();
    anvil.call("anvil_setBalance", json!([address, "0xde0b6b3a7640000"]));
    let portfolio = person.json(&["balances", "--json"]);
    assert_eq!(portfolio["connections"][0]["accounts"][0]["assets"][0]["total"], "1");
    for file in std::fs::read_dir(person.home().join("simulated/connections")).unwrap() {
        let text = std::fs::read_to_string(file.unwrap().path()).unwrap();
        assert!(!text.contains(words), "the words lie in no file");
    }
}

#[test]
fn a_wallet_that_is_brought_has_the_address_that_other_wallets_show() {
    let anvil = node::Anvil::start(1);
    let folder = Folder::new();
    let stack = stack(&folder, &[("ethereum-rpc.publicnode.com", anvil.port)]);
    let person = Person::new(&stack);
    let mut import = person.command(&["wallet", "import", "ethereum", "--phrase", "-", "--json"]);
    let said = person::said(&mut import, format!(" {PHRASE}\n").as_bytes());
    assert_eq!(said.code, 0, "{}", said.err);
    let address = person.done(&["wallet", "address", "ethereum"]);
    assert_eq!(address.trim(), "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266");
    let portfolio = person.json(&["balances", "--json"]);
    assert_eq!(portfolio["connections"][0]["accounts"][0]["assets"][0]["total"], "10000");
    let mut wrong = person.command(&["wallet", "import", "ethereum", "--phrase", "-"]);
    let typo = person::said(&mut wrong, PHRASE.replace("junk", "test").as_bytes());
    assert_eq!(typo.code, 1, "{}", typo.err);
}

#[test]
fn the_words_are_shown_at_a_terminal_and_three_of_them_asked_for() {
    let stack = Stack::start();
    let person = Person::new(&stack);
    person.done(&["wallet", "create", "bitcoin", "--name", "savings"]);
    let passphrase = std::fs::read_to_string(person.folder.join("passphrase")).unwrap();
    let wrong = format!("{passphrase}{passphrase}wrong\n");
    let said = person.at_a_terminal(&["wallet", "backup", "savings"], &wrong);
    assert_eq!(said.code, 1, "{}", said.out);
    assert!(said.out.contains("24 ") && said.out.contains("Write these words down"), "{}", said.out);
    assert!(said.out.contains("not the words of"), "{}", said.out);
}
