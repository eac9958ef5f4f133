//! Whom an agent does not answer.

use super::Agent;
use crate::person::{Person, account};
use serde_json::json;
use stack::{Stack, http};
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::process::Command;

#[test]
fn what_a_browser_sends_is_refused_on_a_port_and_on_a_socket_whatever_it_asks_for() {
    let stack = Stack::start();
    let person = Person::new(&stack);
    person.link(&account("kraken", "reader"), "kraken");
    let refused = |agent: &Agent, method: &str, path: &str, headers: &[(&str, &str)]| {
        let answer = agent.send(method, path, headers, if method == "GET" { "" } else { "{}" });
        assert_eq!(answer.header("access-control-allow-origin"), None);
        assert_eq!(answer.header("cross-origin-resource-policy"), Some("same-origin"));
        let told: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
        (answer.status, told["code"].as_str().unwrap().to_owned())
    };
    let port = Agent::start(&person, &["--listen", "127.0.0.1:0"]);
    let browser = (403, "browser_refused".to_owned());
    let pages = [("origin", "https://evil.example"), ("origin", "null"), ("sec-fetch-site", "cross-site")];
    for (method, path) in [
        ("GET", "/v1/balances"),
        ("POST", "/v1/connections"),
        ("OPTIONS", "/v1/connections"),
        ("GET", "/openapi.json"),
        ("GET", "/nowhere"),
    ] {
        for page in pages {
            assert_eq!(refused(&port, method, path, &[page]), browser, "{method} {path} {page:?}");
        }
    }
    // A name of the page's own that leads here, and an address that is none.
    let number: u16 = port.address.rsplit(':').next().unwrap().parse().unwrap();
    for host in ["evil.example", &format!("evil.example:{number}"), "127.0.0.1", "localhost:1", ""] {
        let asked = format!("GET /v1/balances HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n");
        assert_eq!(http::raw(number, asked.as_bytes()).unwrap().status, 421, "{host}");
    }
    let asked = format!(
        "GET http://evil.example:{number}/v1/balances HTTP/1.1\r\nhost: 127.0.0.1:{number}\r\nconnection: close\r\n\r\n"
    );
    assert_eq!(http::raw(number, asked.as_bytes()).unwrap().status, 421);
    // What a page can send without asking first is no JSON.
    let form = port.send("POST", "/v1/connections", &[("content-type", "text/plain")], "");
    assert_eq!(form.status, 415, "{}", form.text());
    assert_eq!(port.get("/v1/connections/kraken")["generation"], 1);
    port.stop();
    let socket = Agent::start(&person, &[]);
    assert_eq!(refused(&socket, "GET", "/v1/balances", &[pages[0]]), browser);
}

#[test]
fn an_agent_listens_where_this_machine_alone_reaches_it_and_hears_its_own_user_alone() {
    let stack = Stack::start();
    let person = Person::new(&stack);
    for elsewhere in ["0.0.0.0:0", "[::]:0", "192.0.2.1:80", "localhost:0", "/tmp/agent.sock"] {
        let said = person.run(&["agent", "--listen", elsewhere]);
        assert_eq!((said.code, said.out.as_str()), (2, ""), "{elsewhere}: {}", said.err);
    }
    let socket = Agent::start(&person, &[]);
    assert_eq!(std::fs::metadata(socket.socket()).unwrap().mode() & 0o777, 0o600);
    socket.stop();
    let port = Agent::start(&person, &["--listen", "127.0.0.1:0"]);
    let ask = "import sys, urllib.request; print(urllib.request.urlopen(sys.argv[1] + '/v1/health').status)";
    let asked = |command: &mut Command| {
        let output = command.args(["-I", "-c", ask, &port.address]).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    assert_eq!(asked(&mut Command::new("python3")), "200\n");
    // Only root can be somebody else.
    if rustix::process::geteuid().is_root() {
        assert_eq!(asked(Command::new("python3").uid(65534).gid(65534)), "");
        assert!(port.process.log().contains("a process of another user"), "{}", port.process.log());
    }
}

#[test]
fn a_home_is_one_agents_and_commands_are_refused_meanwhile() {
    let stack = Stack::start();
    let person = Person::new(&stack);
    person.link(&account("kraken", "reader"), "kraken");
    let agent = Agent::start(&person, &[]);
    for words in [&["agent"][..], &["agent", "--listen", "127.0.0.1:0"], &["balances"], &["connections"]] {
        let said = person.run(words);
        assert_eq!((said.code, said.out.as_str()), (1, ""), "{words:?}: {}", said.err);
        assert!(said.err.contains("(agent_running)"), "{words:?}: {}", said.err);
    }
    // The socket is the first one's.
    let taken = Person::new(&stack);
    let listen = format!("unix:{}", agent.socket().display());
    let said = taken.run(&["agent", "--listen", &listen]);
    assert_eq!(said.code, 2, "{}", said.err);
    assert_eq!(agent.get("/v1/connections/kraken")["generation"], 1);
    agent.stop();
    person.done(&["balances"]);
}

#[test]
fn what_is_too_large_or_not_there_is_refused_in_one_form() {
    let stack = Stack::start();
    let person = Person::new(&stack);
    let agent = Agent::start(&person, &[]);
    let long = json!({"exchange": "kraken", "credential": {"apiKey": "x".repeat(70_000)}});
    for (method, path, body, expected) in [
        ("POST", "/v1/connections", Some(&long), (413, "body_too_large")),
        ("POST", "/v1/connections", Some(&json!({"exchange": "nowhere", "credential": {}})), (400, "usage")),
        ("GET", "/v1/connections/nobody", None, (404, "unknown_connection")),
        ("GET", "/v1/connections/nobody/history/everything", None, (404, "not_found")),
        ("GET", "/v1/balances?for=me", None, (400, "query_malformed")),
        ("GET", "/nowhere", None, (404, "not_found")),
        ("DELETE", "/v1/connections", None, (405, "method_not_allowed")),
    ] {
        let (status, code) = agent.refused(method, path, body);
        assert_eq!((status, code.as_str()), expected, "{method} {path}");
    }
    assert_eq!(agent.get("/openapi.json")["openapi"], "3.1.0");
}
