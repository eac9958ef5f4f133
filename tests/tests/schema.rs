//! The API by its own document, tried by schemathesis, which `make test-schema` fetches: whatever it finds is a failure.
//!
//! Its requests are signed for two organisations by tests/schema/proxy.py, with an implementation that is not ours.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};
use stack::{Program, Stack, http};
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

/// The one check that is left out holds that whatever fits the document is accepted: none says which bytes are a sealed request, a
/// public key, a signature or a policy, nor in which order two times come.
const LEFT_OUT: &str = "positive_data_acceptance";
/// Requests a second: less than the gateway takes of one address.
const RATE: &str = "40/s";
/// Of one operation in each phase.
const EXAMPLES: &str = "40";

/// Signs for whom a request names. It ends with its standard input, so with us.
struct Proxy {
    child: Child,
    url: String,
}

impl Proxy {
    fn start(folder: &PathBuf, gateway: &str, keys: &PathBuf) -> Proxy {
        let mut child = Command::new("python3")
            .arg("proxy.py")
            .arg(gateway)
            .arg(keys)
            .current_dir(folder)
            .env("PYTHONPATH", folder.join("python"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let port = line.trim_end().strip_prefix("ready ").expect("the proxy starts");
        let url = format!("http://127.0.0.1:{port}");
        Proxy { child, url }
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}

#[test]
fn schemathesis_finds_nothing() {
    let folder = PathBuf::from(std::env::var_os("TENSFER_SCHEMA").expect("`make test-schema` names it"));
    let stack = Stack::start();
    let program = Program::new();
    let mut keys = Map::new();
    for name in ["one", "two"] {
        let key = program.join(&stack, name);
        // Something to show and to revoke that does not ask itself.
        for other in ["a", "b", "c"] {
            let other = format!("{name}-{other}");
            program.json(&["keys", "make", "--name", &other, "--by", name, "--scope", "keys:read"]);
        }
        let (algorithm, pkcs8) = program.pair(name);
        let private = STANDARD.encode(pkcs8);
        keys.insert(
            name.to_owned(),
            json!({ "keyid": key["id"], "algorithm": algorithm, "private_key": private }),
        );
    }
    let ids: Vec<&str> = keys.values().filter_map(|key| key["keyid"].as_str()).collect();
    let file = program.folder.join("keys.json");
    std::fs::write(&file, Value::Object(keys.clone()).to_string()).unwrap();
    let gateway = stack.url().strip_prefix("http://").unwrap();
    let proxy = Proxy::start(&folder, gateway, &file);

    // Otherwise everything below would be refused, and prove nothing.
    let listed = http::request("GET", &format!("{}/v1/keys", proxy.url), &[("signature", "one")], b"");
    assert_eq!(listed.status, 200, "{}", listed.text());

    let output = Command::new("python3")
        .args(["-m", "schemathesis.cli", "run", "--checks", "all", "--exclude-checks", LEFT_OUT])
        .args([
            "--continue-on-failure",
            "--rate-limit",
            RATE,
            "--max-examples",
            EXAMPLES,
            "--request-timeout",
            "30",
            "--seed",
            "1",
        ])
        .arg(format!("{}/openapi.json", proxy.url))
        .current_dir(&folder)
        .env("PYTHONPATH", folder.join("python"))
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("SCHEMATHESIS_HOOKS", "hooks")
        .env("TENSFER_KEYIDS", ids.join(" "))
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}\n{}", String::from_utf8_lossy(&output.stderr));
    for phase in ["Coverage", "Fuzzing", "Stateful"] {
        assert!(said.contains(&format!("✅ {phase}")), "{phase} was not tried:\n{said}");
    }
    println!("{said}");
}
