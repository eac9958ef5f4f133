//! The agent over real processes: what a backend gets from it, and who gets nothing (docs/agent.md).

#[path = "agent/granting.rs"]
mod granting;
#[path = "agent/lending.rs"]
mod lending;
#[path = "agent/paying.rs"]
mod paying;
#[path = "agent/refused.rs"]
mod refused;
#[path = "agent/signing.rs"]
mod signing;

use crate::person::{Person, account, said};
use serde_json::{Value, json};
use stack::{Folder, LONG, Process, Stack, http, run};
use std::path::PathBuf;
use std::process::Command;

/// A running agent.
struct Agent {
    process: Process,
    /// `unix:PATH` or `http://127.0.0.1:PORT`.
    address: String,
}

impl Agent {
    fn start(person: &Person<'_>, more: &[&str]) -> Agent {
        let process = Process::start(&mut person.command(&[&["agent"], more].concat()));
        let address = process.line("ready ", LONG);
        Agent { process, address }
    }

    /// One that pays.
    fn paying(person: &Person<'_>) -> Agent {
        let key = person.home().join("simulated/second-factor.key");
        Agent::start(person, &["--second-factor", key.to_str().unwrap()])
    }

    fn socket(&self) -> PathBuf {
        self.address.strip_prefix("unix:").unwrap().into()
    }

    fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> http::Response {
        let mut headers = headers.to_vec();
        if !body.is_empty() {
            headers.push(("content-type", "application/json"));
        }
        match self.address.strip_prefix("unix:") {
            Some(socket) => {
                let answer = http::request_at(socket.as_ref(), method, path, &headers, body.as_bytes());
                answer.unwrap_or_else(|| panic!("{method} {path}: no answer\n{}", self.process.log()))
            }
            None => http::request(method, &format!("{}{path}", self.address), &headers, body.as_bytes()),
        }
    }

    /// Status, and what was told.
    fn ask(&self, method: &str, path: &str, body: Option<&Value>) -> (u16, Value) {
        let answer = self.send(method, path, &[], &body.map(Value::to_string).unwrap_or_default());
        let told = serde_json::from_slice(&answer.body);
        (answer.status, told.unwrap_or_else(|error| panic!("{path}: {error}: {}", answer.text())))
    }

    fn get(&self, path: &str) -> Value {
        let (status, told) = self.ask("GET", path, None);
        assert_eq!(status, 200, "{path}: {told}");
        told
    }

    /// The code of a refusal, with its status.
    fn refused(&self, method: &str, path: &str, body: Option<&Value>) -> (u16, String) {
        let (status, told) = self.ask(method, path, body);
        assert_eq!(told["status"], status, "{told}");
        assert!(told["request_id"].as_str().unwrap().starts_with("req_"), "{told}");
        (status, told["code"].as_str().unwrap().to_owned())
    }

    fn link(&self, account: &Value, name: &str) -> Value {
        let exchange = &account["exchange"];
        let asked = json!({"exchange": exchange, "name": name, "credential": account["credentials"]});
        let (status, told) = self.ask("POST", "/v1/connections", Some(&asked));
        assert_eq!(status, 201, "{told}");
        told
    }

    fn stop(self) -> String {
        let ended = self.process.stop(LONG);
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
        ended.stderr
    }
}

#[test]
fn a_backend_links_and_reads_through_the_agent_what_the_command_line_prints_and_no_secret_is_logged() {
    let stack = Stack::start();
    let person = Person::new(&stack);
    let agent = Agent::start(&person, &[]);
    assert_eq!(agent.address, format!("unix:{}/agent.sock", person.home().display()));
    let enclave = agent.get("/v1/enclave");
    assert_eq!((&enclave["verdict"], &enclave["environment"]), (&"simulated".into(), &"sandbox".into()));
    assert_eq!(enclave["measurements"]["PCR0"].as_str().unwrap().len(), 96);
    assert_eq!(agent.get("/v1/health")["status"], "ok");
    assert_eq!(agent.get("/v1/connections"), json!([]));
    let account = account("binance", "everything");
    let linked = agent.link(&account, "treasury");
    agent.link(&crate::person::account("kraken", "reader"), "kraken");
    let inspected = agent.get("/v1/connections/treasury");
    assert_eq!((&inspected["id"], &inspected["generation"]), (&linked["id"], &1.into()));
    let portfolio = agent.get("/v1/balances?in=usd");
    assert_eq!((&portfolio["currency"], &portfolio["coverage"]["complete"]), (&"USD".into(), &true.into()));
    assert_eq!(crate::shown(&portfolio["connections"][0]), crate::seeded(&account));
    let history = agent.get("/v1/connections/kraken/history/deposits?since=2025-12-01");
    let networks = agent.get("/v1/connections/treasury/networks?asset=btc");
    let listed = agent.get("/v1/connections");

    // What is wrong is said without a word of it.
    let credential = account["credentials"].as_object().unwrap();
    let secret = |name: &String| credential[name].as_str().unwrap();
    let name = credential.keys().max_by_key(|name| secret(name).len()).unwrap();
    let cut = format!("{{\"exchange\": \"binance\", \"credential\": {{\"{name}\": \"{}\"", secret(name));
    let wrong = agent.send("POST", "/v1/connections", &[], &cut);
    assert_eq!(wrong.status, 400, "{}", wrong.text());
    let log = agent.stop();
    assert!(log.contains("400 body_malformed"), "{log}");
    for secret in credential.values().map(|value| value.as_str().unwrap()) {
        assert!(!log.contains(secret) && !wrong.text().contains(secret));
    }

    // The home is the command line's again, and tells the same.
    let same = |told: &Value, words: &[&str], changes: &[&str]| {
        let without = |told: &Value| {
            let mut told = told.clone();
            changes.iter().for_each(|name| told[name] = Value::Null);
            told
        };
        assert_eq!(without(told), without(&person.json(&[words, &["--json"]].concat())), "{words:?}");
    };
    same(&listed, &["connections"], &[]);
    same(&inspected, &["inspect", "treasury"], &[]);
    same(&history, &["history", "kraken", "deposits", "--since", "2025-12-01"], &["as_of"]);
    same(&networks, &["networks", "treasury", "--asset", "BTC"], &["as_of"]);
    assert!(history["rows"].as_array().is_some_and(|rows| !rows.is_empty()) && history["complete"] == true);
}

/// The blocks of a document in one language.
fn blocks(document: &str, language: &str) -> Vec<String> {
    let start = format!("```{language}\n");
    let rest = document.split(&start).skip(1);
    rest.map(|rest| rest.split("```").next().unwrap().to_owned()).collect()
}

#[test]
fn every_example_of_the_agents_guide_runs_with_curl_and_pythons_standard_library_alone() {
    let folder = Folder::new();
    let stack = Stack::start_with(&folder.join("data"), &["--unlimited"]);
    let person = Person::new(&stack);
    // Keys are made by the first link; the second one is named from then on.
    person.link(&account("kraken", "reader"), "kraken");
    let agent = Agent::paying(&person);
    let credential = account("binance", "everything")["credentials"].to_string();
    std::fs::write(folder.join("credential.json"), credential).unwrap();
    let guide = std::fs::read_to_string(crate::repository().join("docs/agent.md")).unwrap();
    let (shell, python) = (blocks(&guide, "sh"), blocks(&guide, "python"));
    assert_eq!((shell.len(), python.len()), (3, 4));
    let done = |program: &str, script: &str| {
        let mut command = Command::new(program);
        command.current_dir(folder.path()).env("AGENT", agent.socket());
        let arguments: &[&str] = if program == "bash" { &["-e", "-o", "pipefail"] } else { &["-I", "-"] };
        let output = run(command.args(arguments), script.as_bytes());
        let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "{script}\n{out}\n{err}\n{}", agent.process.log());
        out.into_owned()
    };
    let told: Vec<String> = shell.iter().map(|script| done("bash", script)).collect();
    assert!(told[0].contains("\"verdict\":\"simulated\"") && told[2].contains("\"total\""), "{told:?}");
    let told = done("python3", &python[..2].concat());
    assert!(told.contains("simulated ") && told.contains("fee 3 arrives 97"), "{told}");
    assert!(told.ends_with("pending\ndone\n"), "{told}");

    // The owner is somebody else, elsewhere.
    let told = done("python3", &[&*python[0], &*python[2]].concat());
    let owner = Person::new(&stack);
    owner.link(&account("kraken", "reader"), "kraken");
    let words = blocks(&guide, "text").into_iter().find(|block| block.contains("grant make")).unwrap();
    let words: Vec<&str> = words.split_whitespace().skip(1).collect();
    let mut making = owner.command(&[&words[..], &["--yes", "--json"]].concat());
    let made = said(making.current_dir(folder.path()), b"");
    let made: Value = serde_json::from_str(&made.out).unwrap_or_else(|_| panic!("{}", made.err));
    assert!(told.contains(made["key"].as_str().unwrap()), "{told}");
    let told = done("python3", &[&*python[0], &*python[3]].concat());
    assert!(told.contains("1000 uses until ") && told.ends_with("[999]\n"), "{told}");
}
