//! A business's agent asks by what owners granted it (docs/spec/grants.md).

use super::Agent;
use crate::person::{Person, account};
use serde_json::{Value, json};
use stack::Stack;

/// Grants something to a business whose public keys its agent told; gives the file.
fn grant(owner: &Person<'_>, public: &Value, name: &str, more: &[&str]) -> Value {
    let (to, output) = (owner.folder.join("business.pub"), owner.folder.join(name));
    std::fs::write(&to, public.to_string()).unwrap();
    let (to, file) = (to.to_str().unwrap(), output.to_str().unwrap());
    let words = ["grant", "make", "kraken", "--to", to, "--days", "30", "--output", file, "--yes"];
    owner.done(&[&words[..], more].concat());
    serde_json::from_slice(&std::fs::read(&output).unwrap()).unwrap()
}

#[test]
fn a_backend_reads_by_its_owners_grants_through_its_agent_until_they_are_over_and_no_secret_is_logged() {
    let stack = Stack::start();
    let owner = Person::new(&stack);
    owner.link(&account("kraken", "everything"), "kraken");
    let business = Person::new(&stack);
    let agent = Agent::start(&business, &[]);
    assert_eq!(agent.get("/v1/grants"), json!([]));
    assert_eq!(agent.refused("GET", "/v1/grants/ada/balances", None), (400, "usage".to_owned()));
    let (status, keys) = agent.ask("PUT", "/v1/grantee", None);
    assert_eq!(status, 200, "{keys}");
    assert_eq!(agent.ask("PUT", "/v1/grantee", None).1, keys, "they are made once");
    assert_eq!(agent.refused("GET", "/v1/grants/ada/balances", None), (404, "unknown_grant".to_owned()));

    let file = grant(&owner, &keys["public"], "ada", &["--uses", "3", "--operations", "balances,read"]);
    let (status, taken) = agent.ask("POST", "/v1/grants", Some(&json!({"name": "ada", "grant": file})));
    assert_eq!((status, &taken["left"], &taken["key"]), (201, &3.into(), &keys["key"]), "{taken}");
    let portfolio = agent.get("/v1/grants/ada/balances?in=EUR");
    let mine = owner.json(&["balances", "--json"]);
    assert_eq!(portfolio["connections"][0]["accounts"], mine["connections"][0]["accounts"]);
    let history = agent.get("/v1/grants/ada/history/deposits?asset=btc");
    assert_eq!(
        history["rows"],
        owner.json(&["history", "kraken", "deposits", "--asset", "BTC", "--json"])["rows"]
    );
    assert_eq!(agent.get("/v1/grants/ada/history/withdrawals")["kind"], "withdrawals");
    let used_up = agent.refused("GET", "/v1/grants/ada/balances", None);
    assert_eq!(used_up, (422, "grant_used_up".to_owned()));
    assert_eq!(agent.get("/v1/grants")[0]["left"], 0);

    let place = ["--chain", "eip155:1", "--address", "0x52908400098527886E0F7030069857D2E4169EE7"];
    let words = ["withdraw", "kraken", "100", "USDT", "--fee-included", "--yes", "--json"];
    let ordered = owner.json(&[&words[..], &place].concat());
    let reference = ordered["outcome"]["reference"].as_str().unwrap();
    let action = std::fs::read(owner.home().join(format!("simulated/actions/{reference}.json"))).unwrap();
    let action: Value = serde_json::from_slice(&action).unwrap();
    let file = grant(&owner, &keys["public"], "joe", &["--uses", "2", "--operations", "status"]);
    agent.ask("POST", "/v1/grants", Some(&json!({"name": "joe", "grant": file})));
    let (status, told) = agent.ask("POST", "/v1/grants/joe/status", Some(&action));
    assert_eq!(
        (status, &told["reference"], &told["status"]),
        (200, &reference.into(), &"done".into()),
        "{told}"
    );
    let malformed = agent.refused("POST", "/v1/grants/joe/status", Some(&json!({"connection": "x"})));
    assert_eq!(malformed, (400, "instruction_malformed".to_owned()));
    agent.ask("DELETE", "/v1/grants/joe", None);

    // What is altered, or for somebody else, is not kept.
    let mut altered = file.clone();
    altered["envelope"] = json!("AAAA");
    let asked = json!({"grant": altered});
    assert_eq!(agent.refused("POST", "/v1/grants", Some(&asked)), (400, "grant_malformed".to_owned()));
    let stranger = Person::new(&stack);
    let output = stranger.folder.join("own.pub");
    stranger.done(&["granted", "key", "--simulated", "--output", output.to_str().unwrap()]);
    let theirs: Value = serde_json::from_slice(&std::fs::read(&output).unwrap()).unwrap();
    let theirs = json!({"grant": grant(&owner, &theirs, "eve", &["--uses", "1"])});
    let foreign = agent.refused("POST", "/v1/grants", Some(&theirs));
    assert_eq!(foreign, (422, "grant_for_other_keys".to_owned()));

    let file = grant(&owner, &keys["public"], "bob", &["--uses", "3"]);
    agent.ask("POST", "/v1/grants", Some(&json!({"name": "bob", "grant": file})));
    assert_eq!(agent.refused("GET", "/v1/grants/bob/positions", None), (422, "not_granted".to_owned()));
    let bob = agent.get("/v1/grants").as_array().unwrap().iter().find(|it| it["name"] == "bob").cloned();
    let bob = bob.unwrap()["grant"].as_str().unwrap().to_owned();
    owner.done(&["grant", "revoke", "kraken", &bob]);
    assert_eq!(agent.refused("GET", "/v1/grants/bob/balances", None), (422, "grant_over".to_owned()));
    assert_eq!(agent.ask("DELETE", "/v1/grants/bob", None).1, json!({"grant": bob, "removed": true}));
    let log = agent.stop();
    assert!(!log.contains("grants/") && !log.contains("ada"), "{log}");

    // The home is the command line's again, and tells the same.
    let listed = business.json(&["granted", "list", "--json"]);
    assert_eq!((listed.as_array().unwrap().len(), &listed[0]["used"]), (1, &3.into()));
}
