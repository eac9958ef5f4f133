//! Requests to a running gateway that implementations of RFC 9421 sign which we did not write, with keys that `tensfer keys make`
//! made: npm `http-message-signatures` and its namesake of PyPI, which `make test-interop` fetches.

use serde_json::{Value, json};
use stack::{Program, Stack, http};
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::SystemTime;

const NPM: [&str; 2] = ["node", "peer.mjs"];
const PYPI: [&str; 2] = ["python3", "peer.py"];

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
    let program = Program::new();
    program.join(&stack, "first");
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
