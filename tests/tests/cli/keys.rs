//! Keys that are replaced at their exchange, and everything given up at once: from the command line to the exchange and back.

use crate::faults::{Control, with_control};
use crate::person::{Person, account};
use crate::{seeded, shown};
use serde_json::Value;

const CREATE: &str = "/api/v2/private/create_api_key";
const DELETE: &str = "/api/v2/private/remove_api_key";

fn exported(person: &Person<'_>) -> Value {
    serde_json::from_str(&person.done(&["export", "deribit", "--print"])).unwrap()
}

fn holds(person: &Person<'_>, owned: &Value) {
    let portfolio = person.json(&["balances", "--json"]);
    let connection = portfolio["connections"].as_array().unwrap();
    let connection = connection.iter().find(|connection| connection["exchange"] == "deribit").unwrap();
    assert_eq!(shown(connection), seeded(owned));
}

#[test]
fn a_key_is_replaced_at_its_exchange_and_the_one_before_it_opens_nothing() {
    with_control(|person: &Person<'_>, control: &Control| {
        let owned = account("deribit", "everything");
        person.link(&owned, "deribit");
        for round in 1..=2 {
            let before = exported(person);
            let rotated = person.json(&["rotate", "deribit", "--provider-key", "--json"]);
            assert_eq!((&rotated[0]["made"], &rotated[0]["deleted"]), (&true.into(), &1.into()), "{rotated}");
            assert_ne!(exported(person)["apiKey"], before["apiKey"]);
            assert_eq!((control.calls("GET", CREATE), control.calls("GET", DELETE)), (round, round));
            holds(person, &owned);
        }
    });
}

#[test]
fn one_command_ends_every_key_that_can_be_ended_and_says_what_is_left() {
    with_control(|person: &Person<'_>, control: &Control| {
        person.link(&account("deribit", "everything"), "deribit");
        person.link(&account("okx", "reader"), "okx");
        assert_ne!(person.run(&["panic"]).code, 0, "nobody is asked, so nothing is done");
        assert_eq!(person.json(&["connections", "--json"]).as_array().unwrap().len(), 2);
        let ended = person.json(&["panic", "--yes", "--json"]);
        let of = |name: &str| ended.as_array().unwrap().iter().find(|line| line["name"] == name).unwrap();
        assert_eq!(
            (&of("deribit")["at_provider"], &of("deribit")["erased"]),
            (&"ended".into(), &true.into())
        );
        assert_eq!(of("okx")["at_provider"], "not_offered");
        assert!(of("okx")["by_hand"].as_str().unwrap().starts_with("https://"), "{ended}");
        assert_eq!(control.calls("GET", DELETE), 1);
        for line in ended.as_array().unwrap() {
            assert!(std::path::Path::new(line["receipt"].as_str().unwrap()).exists(), "{line}");
        }
        assert!(person.json(&["connections", "--json"]).as_array().unwrap().is_empty());
    });
}
