//! `rotation verify` of a running server: its last statement, and the proof of every connection that its owner has there.

use super::person::Person;
use super::{done, rotate};
use serde_json::Value;
use stack::{Folder, Stack, http};

fn verify(person: &Person<'_>) -> (i32, Value) {
    let said = person.run(&["rotation", "verify", "--json"]);
    (said.code, serde_json::from_str(&said.out).unwrap_or_else(|_| panic!("{}", said.err)))
}

/// By name: what the register says of it, or why it is not proven.
fn of(shown: &Value, name: &str) -> String {
    let found = shown["connections"].as_array().unwrap().iter().find(|one| one["name"] == name).unwrap();
    let text = |member: &str| found[member].as_str().map(str::to_owned);
    text("state").or(text("reason")).unwrap()
}

#[test]
fn an_owner_proves_each_connection_of_theirs_without_the_operators_shell() {
    let folder = Folder::new();
    let data = folder.join("data");
    let stack = Stack::start_in(&data);
    let person = Person::new(&stack);
    let nothing = person.run(&["rotation", "verify"]);
    assert_eq!(nothing.code, 4, "{}", nothing.err);
    assert!(nothing.err.contains("(nothing_stated)"), "{}", nothing.err);

    person.link_all();
    done(&data, &["begin"]);
    done(&data, &["promote"]);
    person.done(&["rotate", "okx", "--epoch"]);
    done(&data, &["conclude"]);
    let (code, shown) = verify(&person);
    assert_eq!((code, &shown["verdict"]), (1, &"refused".into()), "{shown:#}");
    assert_eq!(shown["reason"], "still_in_the_epoch");
    assert_eq!((of(&shown, "okx"), of(&shown, "binance")), ("held".into(), "still_in_the_epoch".into()));

    // A statement of another class is of nobody's leaving here, and hides nobody who has not left.
    done(&data, &["conclude", "--class", "delayed"]);
    let (code, shown) = verify(&person);
    assert_eq!(
        (code, of(&shown, "okx"), of(&shown, "binance")),
        (1, "held".into(), "still_in_the_epoch".into())
    );

    person.done(&["rotate", "binance", "--epoch"]);
    let (_, shown) = verify(&person);
    assert_eq!(of(&shown, "binance"), "changed_since", "the statement is older than the renewal: {shown:#}");
    done(&data, &["destroy", "1"]);
    let (code, shown) = verify(&person);
    assert_eq!(
        (code, &shown["verdict"], &shown["destroyed"]),
        (0, &"complete".into(), &1.into()),
        "{shown:#}"
    );
    assert_eq!((of(&shown, "okx"), of(&shown, "binance")), ("held".into(), "held".into()));

    // What anybody gets: the proof of a name that they know, and of no other.
    let url = |path: &str| format!("{}/v1/rotation/{path}", stack.url());
    assert_eq!(http::get(&url("completion")).status, 200);
    let register = shown["register"].as_str().unwrap().trim_start_matches("reg_");
    let query = format!("register={register}&chapter={}", shown["chapter"]);
    let stranger = http::get(&url(&format!("proofs/{}?{query}", "00".repeat(32))));
    assert!(stranger.status == 404 && stranger.text().contains("not_recorded"), "{}", stranger.text());

    // A server that goes back to what it stated before.
    let kept = std::fs::read(data.join("rotation/completion.cbor")).unwrap();
    let proofs = std::fs::read(data.join("rotation/proofs")).unwrap();
    done(&data, &["begin"]);
    done(&data, &["promote"]);
    person.done(&["rotate", "--all", "--epoch"]);
    done(&data, &["conclude"]);
    assert_eq!(verify(&person).0, 0);
    std::fs::write(data.join("rotation/completion.cbor"), kept).unwrap();
    std::fs::write(data.join("rotation/proofs"), proofs).unwrap();
    let (code, shown) = verify(&person);
    assert_eq!((code, &shown["reason"]), (1, &"statement_not_later".into()), "{shown:#}");
    done(&data, &["conclude"]);

    // Proofs that were made up, of the same statement: they lead nowhere.
    let path = data.join("rotation/proofs");
    let mut altered = std::fs::read(&path).unwrap();
    altered[44 + 36] ^= 1;
    std::fs::write(&path, altered).unwrap();
    let (code, shown) = verify(&person);
    assert_eq!((code, &shown["reason"]), (1, &"proof_path".into()), "{shown:#}");
    assert_eq!(rotate(&data, &["conclude"]).code, 0);
    assert_eq!(verify(&person).0, 0);
}

#[test]
fn a_server_that_leaves_a_connection_out_is_found_out_by_its_owner() {
    let folder = Folder::new();
    let data = folder.join("data");
    let stack = Stack::start_in(&data);
    let person = Person::new(&stack);
    person.link_all();
    done(&data, &["begin"]);
    done(&data, &["promote"]);
    person.done(&["rotate", "--all", "--epoch"]);
    done(&data, &["conclude"]);
    assert_eq!(verify(&person).0, 0);
    // As if it had been linked an hour before the statement, and was recorded by nobody.
    let connections = person.home().join("simulated/connections");
    for entry in std::fs::read_dir(connections).unwrap() {
        let path = entry.unwrap().path();
        let mut record: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        record["linked"] = (record["linked"].as_u64().unwrap() - 3_600_000).into();
        std::fs::write(&path, record.to_string()).unwrap();
    }
    let proofs = data.join("rotation/proofs");
    let good = std::fs::read(&proofs).unwrap();
    // Both names altered, each still the lower one first.
    let mut altered = good.clone();
    altered[44] = altered[44].wrapping_add(1);
    altered[44 + 77] = 0xff;
    altered[44 + 78] = 0xff;
    std::fs::write(&proofs, altered).unwrap();
    let (code, shown) = verify(&person);
    assert_eq!(code, 1, "{shown:#}");
    let reasons = ["not_recorded", "proof_path"];
    assert!(reasons.contains(&shown["reason"].as_str().unwrap()), "{shown:#}");
    std::fs::write(&proofs, good).unwrap();
    assert_eq!(verify(&person).0, 0);
}
