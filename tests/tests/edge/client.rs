//! The command-line client and a server of one's own over TLS.

use crate::authority::Authority;
use stack::{Folder, Stack, run, tensfer};
use std::process::{Command, Output};

fn client(stack: &Stack, home: &Folder, words: &[&str]) -> Output {
    let mut command = Command::new(tensfer());
    command.env("TENSFER_HOME", home.path()).args(["--server", stack.url(), "--dangerous-simulated"]);
    run(command.arg(stack.simulation_root()).args(words), b"")
}

#[test]
fn the_client_speaks_to_a_server_of_a_private_authority_that_it_is_told_of_and_to_no_other() {
    let (authority, folder, home) = (Authority::new(), Folder::new(), Folder::new());
    authority.issue();
    let (certificate, key) = (authority.certificate(), authority.key());
    let options = ["--listen", "127.0.0.1:0", "--host", "localhost", "--tls-certificate"];
    let paths = [certificate.to_str().unwrap(), "--tls-key", key.to_str().unwrap()];
    // Without `--port 0`, which is for plain HTTP.
    let stack = Stack::start_over_tls(&folder.join("data"), &[&options[..], &paths[..]].concat());
    let root = authority.root();
    let verified = client(&stack, &home, &["--server-ca", root.to_str().unwrap(), "verify"]);
    assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stderr));
    let other = Authority::new();
    let others = other.root();
    for (words, code, said) in [
        (&["verify"][..], 4, "did not prove who it is"),
        (&["--server-ca", others.to_str().unwrap(), "verify"], 4, "did not prove who it is"),
        (&["--server-ca", "/nowhere", "verify"], 2, "cannot be read"),
        (&["--server-ca", key.to_str().unwrap(), "verify"], 2, "no authority's certificate"),
    ] {
        let refused = client(&stack, &home, words);
        let error = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert!(refused.status.code() == Some(code) && error.contains(said), "{words:?}: {error}");
    }
}
