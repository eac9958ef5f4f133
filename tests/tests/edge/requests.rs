//! Requests over TLS: whom they are for, and what every answer says (P8.3).

use crate::authority::{Authority, set_mode};
use crate::gateway::{Gateway, text};
use stack::{Folder, LONG, Process, tensfer};
use std::process::Command;

#[test]
fn a_request_for_another_name_is_refused_whatever_its_connection_was_made_to() {
    let gateway = Gateway::start();
    for version in ["--http1.1", "--http2"] {
        let good = text(&gateway.curl("/v1/exchanges", &[version]));
        assert!(good.contains(" 200"), "{good}");
        for host in
            ["host: vault.test", "host: evil.example", "host: 127.0.0.1", "host: localhost@evil.example"]
        {
            let said = text(&gateway.curl("/v1/exchanges", &[version, "--header", host]));
            // A malformed authority breaks the stream, or is answered.
            assert!(
                said.contains(" 421") || said.contains("host_not_allowed") || !said.contains(" 200"),
                "{said}"
            );
        }
        let said = text(&gateway.curl("/v1/exchanges", &[version, "--header", "host: evil.example"]));
        assert!(said.contains(" 421") && said.contains("host_not_allowed"), "{said}");
    }
}

#[test]
fn every_answer_over_tls_says_to_come_back_over_tls() {
    let gateway = Gateway::start();
    for path in ["/v1/exchanges", "/v1/health", "/nowhere", "/v1/attestation"] {
        for version in ["--http1.1", "--http2"] {
            let said = text(&gateway.curl(path, &[version])).to_ascii_lowercase();
            assert!(said.contains("strict-transport-security: max-age=31536000\r\n"), "{path}: {said}");
            assert!(said.contains("content-security-policy: default-src 'none'"), "{path}: {said}");
        }
    }
}

#[test]
fn plain_http_is_served_on_localhost_alone() {
    let folder = Folder::new();
    for address in ["0.0.0.0:0", "127.0.0.1:0", "[::]:0", "192.0.2.1:80"] {
        let mut command = Command::new(tensfer());
        command.arg("gateway").arg("--run").arg(folder.path()).args(["--listen", address]);
        let ended = Process::start(&mut command).wait(LONG);
        assert_eq!((ended.code, ended.stdout.as_str()), (Some(2), ""), "{}", ended.stderr);
        assert!(ended.stderr.contains("--tls-certificate"), "{}", ended.stderr);
    }
}

#[test]
fn a_key_that_others_may_read_is_not_used() {
    let authority = Authority::new();
    authority.issue();
    set_mode(&authority.key(), 0o640);
    let ended = Process::start(&mut Gateway::command(&authority)).wait(LONG);
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(4), ""), "{}", ended.stderr);
    assert!(ended.stderr.contains("chmod 600"), "{}", ended.stderr);
}
