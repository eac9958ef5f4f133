//! Requests to a running gateway that implementations of RFC 9421 sign which we did not write, with keys that `tensfer keys make`
//! made: npm `http-message-signatures` and its namesake of PyPI, which `make test-interop` fetches.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use stack::{Folder, Stack, http, run, tensfer};
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::SystemTime;

const NPM: [&str; 2] = ["node", "peer.mjs"];
const PYPI: [&str; 2] = ["python3", "peer.py"];

struct Program {
    folder: Folder,
}

impl Program {
    fn json(&self, arguments: &[&str]) -> Value {
        let mut command = Command::new(tensfer());
        command.env("TENSFER_HOME", self.folder.join("home")).args(arguments).arg("--json");
        let output = run(&mut command, b"");
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap()
    }

    /// The algorithm and the private half, PKCS #8.
    fn pair(&self, name: &str) -> (String, Vec<u8>) {
        let path = self.folder.join("home/api-keys").join(format!("{name}.json"));
        let written: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
        let pkcs8 = STANDARD.decode(written["private_key"].as_str().unwrap()).unwrap();
        (written["algorithm"].as_str().unwrap().to_owned(), pkcs8)
    }
}

/// The fields of a request that the peer signed.
fn signed(peer: [&str; 2], job: &Value) -> Vec<(String, String)> {
    let folder = PathBuf::from(std::env::var_os("TENSFER_SIGNATURES").expect("`make test-interop` names it"));
    let mut child = Command::new(peer[0])
        .arg(peer[1])
        .current_dir(&folder)
        .env("PYTHONPATH", folder.join("python"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(&serde_json::to_vec(&[job]).unwrap()).unwrap();
    let output = child.wait_with_output().unwrap();
    let answers: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    answers[0]["headers"]
        .as_object()
        .unwrap()
        .iter()
        .map(|(name, value)| (name.clone(), text(value)))
        .collect()
}

fn signs_what_the_gateway_takes(peer: [&str; 2]) {
    let stack = Stack::start();
    let program = Program { folder: Folder::new() };
    let data = stack.data().to_str().unwrap();
    let invited = program.json(&["organisations", "create", "Example", "--data", data]);
    let code = invited["invitation"].as_str().unwrap();
    program.json(&["keys", "make", "--name", "first", "--invitation", code, "--server", stack.url()]);
    program.json(&[
        "keys",
        "make",
        "--name",
        "second",
        "--by",
        "first",
        "--scope",
        "keys:read",
        "--scope",
        "keys:write",
        "--algorithm",
        "ecdsa-p256-sha256",
    ]);
    for (number, name) in ["first", "second"].into_iter().enumerate() {
        let keyid = program.json(&["keys", "show", name])["id"].as_str().unwrap().to_owned();
        let (algorithm, pkcs8) = program.pair(name);
        // The second is refused for what is in its body: who asks is not in doubt.
        for (method, target, body, status) in
            [("GET", "/v1/keys?limit=10", "", 200), ("POST", "/v1/keys", "{\"name\": \"x\"}", 400)]
        {
            let url = format!("{}{target}", stack.url());
            let now = SystemTime::UNIX_EPOCH.elapsed().unwrap().as_secs();
            let typed =
                if body.is_empty() { json!({}) } else { json!({ "content-type": "application/json" }) };
            let of_body: &[&str] = if body.is_empty() { &[] } else { &["content-type", "content-digest"] };
            let covered = [&["@method", "@authority", "@path", "@query"], of_body].concat();
            let job = json!({
                "do": "sign", "algorithm": algorithm, "keyid": keyid, "key": hex(&pkcs8), "method": method, "url": url,
                "headers": typed, "body": hex(body.as_bytes()), "covered": covered, "created": now,
                "expires": now + 60, "nonce": format!("nonce-of-{number}-{method}-0000000000"), "tag": "tensfer",
            });
            let fields = signed(peer, &job);
            let fields: Vec<(&str, &str)> =
                fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
            let answer = http::request(method, &url, &fields, body.as_bytes());
            assert_eq!(answer.status, status, "{name} {method}: {}", answer.text());
            let again = http::request(method, &url, &fields, body.as_bytes());
            assert!(again.text().contains("\"signature_replayed\""), "{}", again.text());
        }
    }
}

#[test]
fn npm_signs_what_the_gateway_takes() {
    signs_what_the_gateway_takes(NPM);
}

#[test]
fn pypi_signs_what_the_gateway_takes() {
    signs_what_the_gateway_takes(PYPI);
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
