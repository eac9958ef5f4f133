//! Paying from a wallet whose key is kept in its envelope, from the command line to a node and back: once, or not at all.

use super::node::{Anvil, Cut};
use super::person::{self, Person};
use super::{PHRASE, stack};
use serde_json::{Value, json};
use stack::Folder;

const HOST: &str = "ethereum-rpc.publicnode.com";
const TO: &str = "0x4242424242424242424242424242424242424242";

fn import(person: &Person<'_>) {
    let mut command = person.command(&["wallet", "import", "ethereum", "--phrase", "-"]);
    let said = person::said(&mut command, PHRASE.as_bytes());
    assert_eq!(said.code, 0, "{}", said.err);
}

/// An order of 1.5 ETH.
fn payment<'a>(more: &[&'a str]) -> Vec<&'a str> {
    let order = ["withdraw", "ethereum", "1.5", "ETH", "--chain", "eip155:1", "--address", TO];
    [&order[..], more, &["--json"]].concat()
}

fn received(anvil: &Anvil) -> u128 {
    let answer = anvil.call("eth_getBalance", json!([TO, "latest"]));
    u128::from_str_radix(&answer.as_str().unwrap()[2..], 16).unwrap()
}

fn outcome(said: &person::Said) -> Value {
    let shown: Value = serde_json::from_str(&said.out).unwrap();
    shown["outcome"].clone()
}

#[test]
fn a_payment_is_shown_signed_sent_and_found_again() {
    let anvil = Anvil::start(1);
    let folder = Folder::new();
    let stack = stack(&folder, &[(HOST, anvil.port)]);
    let person = Person::new(&stack);
    import(&person);
    let preview = person.json(&payment(&["--preview"]));
    assert_eq!(preview["terms"]["received"], "1.5");
    assert_eq!(
        preview["terms"]["fee"], preview["instruction"]["max_fee"],
        "what is signed holds for what was shown"
    );
    assert_eq!(received(&anvil), 0);

    let said = person.run(&payment(&["--yes"]));
    assert_eq!(said.code, 0, "{}", said.err);
    let sent = outcome(&said);
    assert_eq!(sent["status"], "pending");
    assert_eq!(received(&anvil), 1_500_000_000_000_000_000);
    let receipt = anvil.call("eth_getTransactionReceipt", json!([sent["txid"]]));
    assert_eq!(receipt["status"], "0x1");
    let reference = sent["reference"].as_str().unwrap();
    anvil.call("anvil_mine", json!(["0xc"]));
    let found = person.json(&["status", reference, "--json"]);
    assert_eq!([&found["status"], &found["txid"]], [&json!("done"), &sent["txid"]]);
    assert!(found["fee"].as_str().is_some());
}

#[test]
fn m38_a_payment_whose_answer_is_lost_is_looked_for_and_not_made_again() {
    let anvil = Anvil::start(1);
    let cut = Cut::before(anvil.port, "eth_sendRawTransaction");
    let folder = Folder::new();
    let stack = stack(&folder, &[(HOST, cut.port)]);
    let person = Person::new(&stack);
    import(&person);
    let said = person.run(&payment(&["--yes"]));
    assert_ne!(said.code, 0, "nobody knows what became of it: {}", said.out);
    assert_eq!(received(&anvil), 1_500_000_000_000_000_000, "it had left");
    let again = person.run(&payment(&["--yes"]));
    assert!(again.err.contains("not ordered again"), "{}", again.err);
    assert_eq!(received(&anvil), 1_500_000_000_000_000_000);
}

#[test]
fn a_payment_that_waits_is_replaced_and_only_one_of_the_two_happens() {
    let anvil = Anvil::start(1);
    anvil.call("evm_setAutomine", json!([false]));
    let folder = Folder::new();
    let stack = stack(&folder, &[(HOST, anvil.port)]);
    let person = Person::new(&stack);
    import(&person);
    let first = outcome(&person.run(&payment(&["--yes"])));
    let reference = first["reference"].as_str().unwrap();
    let said = person.run(&payment(&["--yes", "--replaces", reference]));
    assert_eq!(said.code, 0, "{}", said.err);
    let second = outcome(&said);
    assert_ne!(first["txid"], second["txid"]);
    anvil.call("anvil_mine", json!(["0x1"]));
    assert_eq!(received(&anvil), 1_500_000_000_000_000_000);
    anvil.call("anvil_mine", json!(["0x14"]));
    let found = person.json(&["status", second["reference"].as_str().unwrap(), "--json"]);
    assert_eq!(found["status"], "done");
    // Nobody can take the place of what is settled.
    let late = person.run(&payment(&["--yes", "--replaces", reference]));
    assert!(late.code != 0 && late.err.contains("reference_used"), "{}", late.err);
    assert_eq!(received(&anvil), 1_500_000_000_000_000_000);
}

#[test]
fn a_wallet_that_is_watched_pays_nothing() {
    let anvil = Anvil::start(1);
    let folder = Folder::new();
    let stack = stack(&folder, &[(HOST, anvil.port)]);
    let person = Person::new(&stack);
    person.done(&["link", "ethereum", "--address", "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266"]);
    let said = person.run(&payment(&["--yes"]));
    assert_eq!(said.code, 3, "{}", said.err);
    assert!(said.err.contains("permission_missing"), "{}", said.err);
    assert_eq!(received(&anvil), 0);
}
