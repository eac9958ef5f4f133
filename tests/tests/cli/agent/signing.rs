//! The API key with which an agent signs what leaves for the server.

use super::Agent;
use crate::person::{Person, account, said};
use serde_json::Value;
use stack::{Stack, tensfer};
use std::process::Command;

#[test]
fn an_agent_signs_with_a_rotated_key_from_its_next_request_on_and_with_none_that_was_taken_away() {
    let stack = Stack::start();
    let person = Person::new(&stack);
    let mut create = Command::new(tensfer());
    create.args(["organisations", "create", "Example Ltd.", "--json", "--data"]).arg(stack.data());
    let created: Value = serde_json::from_str(&said(&mut create, b"").out).unwrap();
    let code = created["invitation"].as_str().unwrap();
    person.done(&["keys", "make", "--name", "backend", "--invitation", code]);
    person.link(&account("kraken", "reader"), "kraken");
    let agent = Agent::start(&person, &["--api-key", "backend"]);
    let is_complete = || agent.get("/v1/balances")["coverage"]["complete"] == true;
    assert!(is_complete(), "{}", agent.process.log());

    // Without an overlap: from here on the server refuses the key that the agent began with.
    person.done(&["keys", "rotate", "backend", "--overlap-hours", "0"]);
    assert!(is_complete(), "{}", agent.process.log());

    let (file, aside) = (person.home().join("api-keys/backend.json"), person.folder.join("aside"));
    std::fs::rename(&file, &aside).unwrap();
    assert!(!is_complete());
    std::fs::rename(&aside, &file).unwrap();
    assert!(is_complete(), "{}", agent.process.log());
}
