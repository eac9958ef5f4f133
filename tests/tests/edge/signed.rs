//! Signed requests over TLS: they are for the name that clients use.

use crate::authority::Authority;
use stack::{Stack, run, tensfer};
use std::process::{Command, Output};

fn client(authority: &Authority, words: &[&str]) -> Output {
    let mut command = Command::new(tensfer());
    command.env("TENSFER_HOME", authority.folder.join("home")).args(words);
    run(command.arg("--server-ca").arg(authority.root()), b"")
}

#[test]
fn a_program_signs_for_a_name_of_the_server_over_tls() {
    let authority = Authority::new();
    authority.issue();
    let (certificate, key) = (authority.certificate(), authority.key());
    let data = authority.folder.join("data");
    let options = [
        "--listen",
        "127.0.0.1:0",
        "--host",
        "localhost",
        "--host",
        "127.0.0.1",
        "--tls-certificate",
        certificate.to_str().unwrap(),
        "--tls-key",
        key.to_str().unwrap(),
    ];
    let stack = Stack::start_over_tls(&data, &options);
    let mut create = Command::new(tensfer());
    create.args(["organisations", "create", "Example", "--json", "--data"]).arg(&data);
    let created: serde_json::Value = serde_json::from_slice(&run(&mut create, b"").stdout).unwrap();
    let code = created["invitation"].as_str().unwrap();
    let done = |words: &[&str]| {
        let output = client(&authority, words);
        assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
    };
    done(&["keys", "make", "--name", "backend", "--invitation", code, "--server", stack.url()]);
    done(&["request", "GET", "/v1/organisation"]);
    // By the server's other name.
    let file = authority.folder.join("home/api-keys/backend.json");
    let written = std::fs::read_to_string(&file).unwrap();
    let other = written.replace("https://localhost:", "https://127.0.0.1:");
    assert_ne!(other, written);
    std::fs::write(&file, other).unwrap();
    done(&["request", "GET", "/v1/organisation"]);
}
