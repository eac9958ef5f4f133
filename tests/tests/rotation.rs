//! A rotation of the whole stack: two accounts, three epochs, every command, and what is stated checked offline.
#![expect(clippy::unwrap_used, reason = "tests")]

#[path = "rotation/crashes.rs"]
mod crashes;
#[path = "rotation/online.rs"]
mod online;
#[path = "cli/person.rs"]
#[expect(dead_code, reason = "other tests use more of it")]
mod person;

use person::{Person, said};
use serde_json::Value;
use stack::{Folder, Stack, tensfer};
use std::path::Path;
use std::process::Command;

fn rotate(data: &Path, arguments: &[&str]) -> person::Said {
    said(Command::new(tensfer()).args(["root", "rotate"]).args(arguments).arg("--data").arg(data), b"")
}

fn done(data: &Path, arguments: &[&str]) -> Value {
    let said = rotate(data, &[arguments, &["--json"]].concat());
    assert_eq!(said.code, 0, "{arguments:?}: {}", said.err);
    serde_json::from_str(&said.out).unwrap()
}

fn path(value: &Value) -> &str {
    value["statement"].as_str().unwrap()
}

#[test]
fn an_epoch_lives_and_is_destroyed_when_everybody_has_left_it_and_that_is_proven() {
    let folder = Folder::new();
    let data = folder.join("data");
    let stack = Stack::start_in(&data);
    let person = Person::new(&stack);
    person.link_all();
    assert_eq!(done(&data, &["begin", "--from", "1"])["step"]["already"], false);
    assert_eq!(done(&data, &["begin", "--from", "1"])["step"]["already"], true);
    person.done(&["rotate", "okx", "--data-key"]);
    assert_eq!(
        person.json(&["inspect", "okx", "--json"])["epoch"],
        1,
        "nothing is sealed under a pending epoch"
    );
    assert_eq!(done(&data, &["promote", "2"])["step"]["already"], false);
    person.done(&["rotate", "okx", "--epoch"]);
    let concluded = done(&data, &["conclude"]);
    assert_eq!([&concluded["held"], &concluded["absent"]].map(Value::as_u64), [Some(1), Some(1)]);

    // One is still in it: nothing is destroyed, and the owner is told what to do.
    let refused = rotate(&data, &["destroy", "1"]);
    assert_eq!(refused.code, 4);
    assert!(refused.err.contains("1 connections are still in epoch 1"), "{}", refused.err);
    let incomplete = person.json(&["rotation", "verify", path(&concluded), "--json"]);
    assert_eq!((&incomplete["verdict"], &incomplete["absent"]), (&"incomplete".into(), &1.into()));
    let proof = folder.join("proof");
    let id = person.json(&["inspect", "binance", "--json"])["id"].as_str().unwrap().to_owned();
    let proof_of = |id: &str| {
        let said = rotate(&data, &["proof", id, "--out", proof.to_str().unwrap()]);
        assert_eq!(said.code, 0, "{}", said.err);
    };
    proof_of(&id);
    let verify = |statement: &str, connection: &str| {
        let proof = proof.to_str().unwrap();
        person.run(&["rotation", "verify", statement, "--proof", proof, "--connection", connection, "--json"])
    };
    let absent = verify(path(&concluded), "binance");
    assert_eq!(absent.code, 1);
    assert!(absent.out.contains("still_in_the_epoch"), "{}", absent.out);
    assert!(verify(path(&concluded), "okx").out.contains("proof_of_another_connection"));
    let seen = folder.join("seen");
    std::fs::copy(path(&concluded), &seen).unwrap();

    person.done(&["rotate", "binance", "--epoch"]);
    let destroyed = done(&data, &["destroy", "1"]);
    assert_eq!((&destroyed["oldest"], &destroyed["current"]), (&2.into(), &2.into()));
    let completion = data.join("rotation/completion-1.cbor");
    let completion = completion.to_str().unwrap();
    let seen = seen.to_str().unwrap();
    let shown = person.json(&[
        "rotation",
        "verify",
        completion,
        "--destruction",
        path(&destroyed),
        "--after",
        seen,
        "--json",
    ]);
    assert_eq!(
        (&shown["verdict"], &shown["held"], &shown["destroyed"]),
        (&"complete".into(), &2.into(), &1.into())
    );
    assert_eq!(shown["enclave"], "simulated");
    proof_of(&id);
    assert_eq!(verify(completion, "binance").code, 0);
    let earlier = person.run(&["rotation", "verify", seen, "--after", completion, "--json"]);
    assert!(earlier.out.contains("statement_not_later"), "{}", earlier.out);
    let stranger = said(&mut person.bare(&["rotation", "verify", completion]), b"");
    assert_eq!(stranger.code, 1, "without the simulation's root it shows nothing: {}", stranger.out);

    // Gone from the file, and the next start lives without it.
    let text = std::fs::read_to_string(data.join("simulated-root")).unwrap();
    assert_eq!(text.lines().count(), 2);
    assert!(person.json(&["balances", "--json"])["coverage"]["complete"].as_bool().unwrap());
    assert_eq!(done(&data, &["destroy", "1"])["step"]["already"], true);
    let home = person.folder;
    stack.stop();
    let stack = Stack::start_in(&data);
    let later = Person { url: stack.url().to_owned(), stack: &stack, folder: home };
    assert!(later.json(&["balances", "--json"])["coverage"]["complete"].as_bool().unwrap());
    // An enclave that began without the epoch has no grounds: what the other stated stays.
    let stated = std::fs::read(path(&destroyed)).unwrap();
    assert_eq!(done(&data, &["destroy", "1"])["step"]["already"], true);
    assert_eq!(std::fs::read(path(&destroyed)).unwrap(), stated);
    // Nor does it take the place of one that a crash left unpublished.
    std::fs::rename(path(&destroyed), data.join("rotation/destruction-1.unpublished")).unwrap();
    assert_eq!(done(&data, &["destroy", "1"])["step"]["already"], true);
    assert_eq!(std::fs::read(path(&destroyed)).unwrap(), stated);
    done(&data, &["begin"]);
    done(&data, &["promote"]);
    let again = done(&data, &["conclude"]);
    // Read out before: once to conclude; for each of three classes to be refused, to be counted, and to be destroyed.
    assert_eq!(
        [&again["chapter"], &again["absent"]].map(Value::as_u64),
        [Some(11), Some(2)],
        "the register goes on"
    );
    assert_eq!(again["register"], concluded["register"]);
}

#[test]
fn envelopes_are_rewrapped_in_bulk_and_a_run_that_was_cut_off_goes_on() {
    let folder = Folder::new();
    let data = folder.join("data");
    let stack = Stack::start_in(&data);
    let person = Person::new(&stack);
    person.link_all();
    let realm = person.home().join("simulated/connections");
    let mut sequence = Vec::new();
    let mut encoder = minicbor::Encoder::new(&mut sequence);
    for entry in std::fs::read_dir(realm).unwrap() {
        let record: Value = serde_json::from_slice(&std::fs::read(entry.unwrap().path()).unwrap()).unwrap();
        use base64::Engine;
        let envelope = record["current"]["envelope"].as_str().unwrap();
        encoder.bytes(&base64::engine::general_purpose::STANDARD.decode(envelope).unwrap()).unwrap();
    }
    encoder.bytes(b"junk").unwrap();
    let (from, to) = (folder.join("from"), folder.join("to"));
    std::fs::write(&from, &sequence).unwrap();
    done(&data, &["begin"]);
    done(&data, &["promote"]);
    let bulk = ["rotation", "rewrap", from.to_str().unwrap(), to.to_str().unwrap(), "--json"];
    assert_eq!(person.json(&bulk), serde_json::json!({ "resumed": 0, "rewrapped": 2, "refused": 1 }));
    let whole = std::fs::read(&to).unwrap();
    assert_eq!(person.json(&bulk), serde_json::json!({ "resumed": 3, "rewrapped": 2, "refused": 1 }));
    assert_eq!(std::fs::read(&to).unwrap(), whole, "what is done is not done again");
    std::fs::write(&to, &whole[..whole.len() - 100]).unwrap();
    assert_eq!(person.json(&bulk), serde_json::json!({ "resumed": 1, "rewrapped": 2, "refused": 1 }));
    assert_eq!(std::fs::read(&to).unwrap().len(), whole.len());
    let concluded = done(&data, &["conclude"]);
    assert_eq!([&concluded["rewrapped"], &concluded["absent"]].map(Value::as_u64), [Some(2), Some(0)]);
    // Their owners' own copies are in the old epoch, and the statement says that nobody gave their word.
    assert_eq!(concluded["held"], 0);
}
