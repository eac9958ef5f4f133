//! What programs read: one documented shape for each command (docs/spec/client.md §5).

use crate::person::{Person, account, said};
use serde_json::{Value, json};
use stack::Stack;

/// The names of an object's members, in alphabetical order.
fn members(object: &Value) -> Vec<&str> {
    let mut names: Vec<&str> = object.as_object().unwrap().keys().map(String::as_str).collect();
    names.sort_unstable();
    names
}

#[test]
fn rotations_tell_programs_each_connection_and_what_came_of_it() {
    let stack = Stack::start();
    let person = Person::new(&stack);
    person.link_all();
    let rotated = person.json(&["rotate", "--all", "--json"]);
    let rotated = rotated.as_array().unwrap();
    assert_eq!(rotated.len(), 2);
    for line in rotated {
        let shown = person.json(&["inspect", line["name"].as_str().unwrap(), "--json"]);
        assert_eq!(
            *line,
            json!({
                "connection": shown["id"], "name": line["exchange"], "exchange": shown["exchange"], "rotated": true,
                "generation": shown["generation"], "epoch": shown["epoch"], "consent": "any", "error": null,
            })
        );
        assert_eq!(line["generation"], 2);
    }
    let again = person.json(&["rotate", "okx", "--epoch", "--json"]);
    assert_eq!((&again[0]["rotated"], &again[0]["generation"]), (&false.into(), &2.into()));
}

#[test]
fn an_export_for_programs_shows_the_credential_only_where_that_was_asked_for() {
    let stack = Stack::start();
    let person = Person::new(&stack);
    person.link_all();
    let nowhere = person.run(&["export", "okx", "--json"]);
    assert_eq!((nowhere.code, nowhere.out.as_str()), (2, ""), "{}", nowhere.err);
    let credential = &account("okx", "reader")["credentials"];
    let printed = person.json(&["export", "okx", "--print", "--json"]);
    assert_eq!(members(&printed), ["credential", "exchange", "id", "name"]);
    assert_eq!((&printed["credential"], &printed["exchange"]), (credential, &"okx".into()));
    let file = person.folder.join("okx.json");
    let said = person.run(&["export", "okx", "--output", file.to_str().unwrap(), "--json"]);
    let written: Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!(members(&written), ["exchange", "id", "name", "output"]);
    assert_eq!((&written["id"], written["output"].as_str()), (&printed["id"], file.to_str()));
    for secret in credential.as_object().unwrap().values() {
        assert!(!said.out.contains(secret.as_str().unwrap()) && !said.err.contains(secret.as_str().unwrap()));
    }
    let exported: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    assert_eq!(exported, *credential);
}

#[test]
fn what_is_forgotten_is_told_to_programs_with_what_is_left_at_the_exchange() {
    let stack = Stack::start();
    let person = Person::new(&stack);
    person.link_all();
    for (name, more, refused) in [("okx", &[][..], true), ("binance", &["--local"], false)] {
        let forgotten = person.json(&[&["forget", name, "--json"], more].concat());
        assert_eq!(members(&forgotten), ["at_provider", "by_hand", "exchange", "id", "name", "refused"]);
        assert_eq!((&forgotten["name"], &forgotten["refused"]), (&name.into(), &refused.into()));
        assert_eq!(forgotten["at_provider"], "left");
        assert!(forgotten["by_hand"].as_str().unwrap().starts_with("https://"), "{forgotten}");
    }
    assert_eq!(person.json(&["connections", "--json"]), json!([]));
}

#[test]
fn a_backup_for_programs_says_that_it_was_made_and_no_word_of_it() {
    let stack = Stack::start();
    let person = Person::new(&stack);
    let made = person.json(&["wallet", "create", "bitcoin", "--name", "savings", "--json"]);
    let unasked = person.run(&["wallet", "backup", "savings", "--json"]);
    assert_eq!((unasked.code, unasked.out.as_str()), (2, ""), "on a terminal only: {}", unasked.err);
    let exported = person.json(&["export", "savings", "--print"]);
    let words = exported["phrase"].as_str().unwrap();
    let check = ["wallet", "backup", "savings", "--check", "-", "--json"];
    let wrong = said(&mut person.command(&check), b"abandon ability able");
    assert_eq!((wrong.code, wrong.out.as_str()), (1, ""), "{}", wrong.err);
    let right = said(&mut person.command(&check), words.as_bytes());
    let noted: Value = serde_json::from_str(&right.out).unwrap();
    assert_eq!(members(&noted), ["backed_up", "exchange", "id", "name"]);
    assert_eq!((&noted["id"], &noted["name"]), (&made["id"], &"savings".into()));
    // Neighbours, for a word alone ("remove") may well stand in a sentence.
    let shown =
        format!(" {} {} ", right.out, right.err).replace(|letter: char| !letter.is_ascii_lowercase(), " ");
    let shown = shown.split_whitespace().collect::<Vec<_>>();
    let words = words.split(' ').collect::<Vec<_>>();
    assert!(words.windows(2).all(|pair| !shown.windows(2).any(|two| two == pair)), "{}", right.err);
}

#[test]
fn a_wallet_whose_words_nobody_has_is_forgotten_only_by_who_says_so() {
    let stack = Stack::start();
    let person = Person::new(&stack);
    person.done(&["wallet", "create", "bitcoin", "--name", "savings"]);
    for more in [&[][..], &["--local"]] {
        let refused = person.run(&[&["forget", "savings"], more].concat());
        assert_eq!((refused.code, refused.out.as_str()), (1, ""), "{}", refused.err);
        assert!(refused.err.contains("tensfer wallet backup savings"), "{}", refused.err);
    }
    let gone = person.json(&["forget", "savings", "--dangerous-without-backup", "--json"]);
    assert_eq!((&gone["at_provider"], &gone["by_hand"]), (&"left".into(), &Value::Null));
}
