//! Proving an address, by wallets of other people's making: what they sign is taken, and nothing else.

use crate::node::{Anvil, Bitcoind, solana};
use crate::person::{self, Person, Said};
use serde_json::{Value, json};
use stack::{Folder, Stack};
use std::io::{BufRead, BufReader, Read, Write};
use std::process::Stdio;

/// The first step of a program.
fn asked(person: &Person<'_>, network: &str, address: &str) -> Value {
    person.json(&["wallet", "prove", network, "--address", address, "--json"])
}

/// The second.
fn finish(person: &Person<'_>, asked: &Value, signature: &str) -> Said {
    let mut answered = asked.clone();
    answered["signature"] = json!(signature);
    let mut command = person.command(&["wallet", "prove", "--finish", "-", "--json"]);
    person::said(&mut command, answered.to_string().as_bytes())
}

fn text(asked: &Value) -> &str {
    asked["text"].as_str().unwrap()
}

fn personal_sign(anvil: &Anvil, account: &Value, text: &str) -> String {
    let digits: String = text.bytes().map(|byte| format!("{byte:02x}")).collect();
    anvil.call("personal_sign", json!([format!("0x{digits}"), account])).as_str().unwrap().to_owned()
}

#[test]
fn an_ethereum_account_is_proven_by_its_own_node_and_watched_from_then_on() {
    let anvil = Anvil::start(1);
    let folder = Folder::new();
    let stack = crate::stack(&folder, &[("ethereum-rpc.publicnode.com", anvil.port)]);
    let person = Person::new(&stack);
    let accounts = anvil.call("eth_accounts", json!([]));
    let (address, other) = (accounts[0].as_str().unwrap(), &accounts[1]);
    let asked = asked(&person, "ethereum", address);
    assert!(text(&asked).starts_with("tensfer.localhost wants you to sign in"), "{}", text(&asked));

    // Another account's signature; this one's over another text; one of a contract's form.
    let by_other = finish(&person, &asked, &personal_sign(&anvil, other, text(&asked)));
    assert_eq!(by_other.code, 1, "{}", by_other.err);
    assert!(by_other.err.contains("signature_refused"), "{}", by_other.err);
    let elsewhere = text(&asked).replace("tensfer.localhost", "tensfer.example");
    let of_other_text = finish(&person, &asked, &personal_sign(&anvil, &accounts[0], &elsewhere));
    assert!(of_other_text.err.contains("signature_refused"), "{}", of_other_text.err);
    let contract = finish(&person, &asked, &format!("0x{}", "ab".repeat(130)));
    assert_eq!(contract.code, 2, "{}", contract.err);
    assert!(contract.err.contains("contract"), "{}", contract.err);
    assert_eq!(person.json(&["connections", "--json"]), json!([]), "nothing was linked");

    let signature = personal_sign(&anvil, &accounts[0], text(&asked));
    let proven = finish(&person, &asked, &signature);
    assert_eq!(proven.code, 0, "{}", proven.err);
    let proven: Value = serde_json::from_str(&proven.out).unwrap();
    assert_eq!((&proven["proven"], &proven["exchange"]), (&json!(true), &json!("ethereum")));
    let again = finish(&person, &asked, &signature);
    assert_ne!(again.code, 0, "a text is used once");

    let connections = person.json(&["connections", "--json"]);
    let capabilities = connections[0]["capabilities"].as_array().unwrap();
    let found = capabilities.iter().find(|found| found["name"] == "proven").unwrap();
    assert_eq!((&found["state"], &found["source"]), (&json!("yes"), &json!("signed by its key")));
    assert!(person.done(&["connections"]).contains("ethereum (proven)"));
    assert_eq!(person.json(&["inspect", "ethereum", "--json"])["fields"], json!(["proven", "watch"]));
    let portfolio = person.json(&["balances", "--json"]);
    assert_eq!(portfolio["connections"][0]["accounts"][0]["assets"][0]["total"], "10000");
    let shown = person.json(&["addresses", "ethereum", "--asset", "ETH", "--json"]);
    assert!(shown.to_string().to_ascii_lowercase().contains(&address.to_ascii_lowercase()), "{shown}");
    person.done(&["rotate", "ethereum"]);
    let watched = person.json(&["export", "ethereum", "--print"]);
    assert_eq!(watched["watch"].as_str().unwrap().to_ascii_lowercase(), address.to_ascii_lowercase());
}

#[test]
fn a_person_signs_what_is_printed_and_types_the_signature() {
    let anvil = Anvil::start(1);
    let stack = Stack::start();
    let person = Person::new(&stack);
    let account = anvil.call("eth_accounts", json!([]))[0].clone();
    let arguments = ["wallet", "prove", "ethereum", "--address", account.as_str().unwrap(), "--name", "cold"];
    let mut command = person.command(&arguments);
    let mut running = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut out = BufReader::new(running.stdout.take().unwrap());
    let mut text = String::new();
    while !text.contains("Expiration Time: ") {
        assert!(out.read_line(&mut text).unwrap() > 0, "{text}");
    }
    let signature = personal_sign(&anvil, &account, text.trim_end());
    writeln!(running.stdin.take().unwrap(), "{signature}").unwrap();
    let mut said = String::new();
    out.read_to_string(&mut said).unwrap();
    assert!(running.wait().unwrap().success(), "{said}");
    assert!(said.contains("linked cold") && said.contains("proven to be yours"), "{said}");
    assert!(person.done(&["connections"]).contains("ethereum (proven)"));
}

#[test]
fn bitcoin_accounts_of_every_kind_are_proven_by_a_node() {
    let bitcoin = Bitcoind::start();
    let stack = Stack::start();
    let person = Person::new(&stack);
    for kind in ["legacy", "p2sh-segwit", "bech32", "bech32m"] {
        let address = bitcoin.call("getnewaddress", json!(["", kind]));
        let other = bitcoin.call("getnewaddress", json!(["", kind]));
        let asked = asked(&person, "bitcoin", address.as_str().unwrap());
        let sign = |address: &Value| bitcoin.call("signmessage", json!([address, text(&asked)]));
        let refused = finish(&person, &asked, sign(&other).as_str().unwrap());
        assert!(refused.err.contains("signature_refused"), "{kind}: {}", refused.err);
        let proven = finish(&person, &asked, sign(&address).as_str().unwrap());
        assert_eq!(proven.code, 0, "{kind}: {}", proven.err);
    }
    let script = "bc1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3qccfmv3";
    let refused = person.run(&["wallet", "prove", "bitcoin", "--address", script, "--json"]);
    assert!(refused.err.contains("address_not_provable"), "{}", refused.err);
}

#[test]
fn a_solana_account_is_proven_by_a_wallets_own_library() {
    let stack = Stack::start();
    let person = Person::new(&stack);
    let seeds = ["07".repeat(32), "08".repeat(32)];
    let asked = asked(&person, "solana", &solana(&seeds[0], "address", ""));
    let refused = finish(&person, &asked, &solana(&seeds[1], "sign", text(&asked)));
    assert!(refused.err.contains("signature_refused"), "{}", refused.err);
    let proven = finish(&person, &asked, &solana(&seeds[0], "sign", text(&asked)));
    assert_eq!(proven.code, 0, "{}", proven.err);
}

#[test]
fn what_comes_back_altered_or_to_another_home_is_refused() {
    let stack = Stack::start();
    let (person, other) = (Person::new(&stack), Person::new(&stack));
    let seed = "07".repeat(32);
    let asked = asked(&person, "solana", &solana(&seed, "address", ""));
    let signature = solana(&seed, "sign", text(&asked));
    // The other has keys of their own.
    other.done(&["link", "ethereum", "--address", crate::WALLET]);
    let stranger = finish(&other, &asked, &signature);
    assert_ne!(stranger.code, 0, "{}", stranger.out);
    let mut altered = asked.clone();
    altered["version"] = json!(2);
    assert_eq!(finish(&person, &altered, &signature).code, 2);
    // What the text says here does not matter: the enclave knows what it wrote.
    altered = asked.clone();
    altered["text"] = json!("I own everything.");
    let moved = finish(&person, &altered, &solana(&seed, "sign", "I own everything."));
    assert!(moved.err.contains("signature_refused"), "{}", moved.err);
    assert_eq!(finish(&person, &asked, &signature).code, 0);
}
