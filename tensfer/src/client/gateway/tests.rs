use super::*;
use crate::client::failure::Fault;
use std::io::{Read, Write};
use std::net::TcpListener;

/// A server that gives each of these answers to one connection, in turn.
fn answering(answers: &[&str]) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let answers: Vec<String> = answers.iter().map(|answer| (*answer).to_owned()).collect();
    std::thread::spawn(move || {
        for answer in answers {
            let (mut stream, _) = listener.accept().unwrap();
            let mut request = [0; 4096];
            let _ = stream.read(&mut request).unwrap();
            stream.write_all(answer.as_bytes()).unwrap();
        }
    });
    url
}

fn attestation(answer: &str) -> Result<Vec<u8>> {
    Gateway::new(&answering(&[answer]), false).unwrap().attestation(&[7; 32])
}

#[test]
fn plain_http_leaves_this_machine_only_when_said_so() {
    for url in [
        "https://example.com",
        "http://localhost:8080",
        "http://127.0.0.1:1",
        "http://[::1]:8080",
        "https://h/",
    ] {
        assert!(Gateway::new(url, false).is_ok(), "{url}");
    }
    for url in ["http://example.com", "http://localhost.example.com", "http://10.0.0.1:8080"] {
        let failure = Gateway::new(url, false).unwrap_err();
        assert_eq!(failure.fault, Fault::Usage, "{url}");
        assert!(Gateway::new(url, true).is_ok(), "{url}");
    }
    for url in [
        "",
        "localhost",
        "ftp://h",
        "https://user:pw@h",
        "https://h/path",
        "https://h?q",
        "file:///etc/passwd",
    ] {
        assert!(Gateway::new(url, true).is_err(), "{url}");
    }
}

#[test]
fn an_answer_of_the_expected_kind_is_given_back_whole() {
    let answer = "HTTP/1.1 200 OK\r\ncontent-type: application/cbor\r\ncontent-length: 3\r\n\r\nabc";
    assert_eq!(attestation(answer).unwrap(), b"abc");
}

#[test]
fn another_kind_of_server_is_named_as_such() {
    let failure =
        attestation("HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 1\r\n\r\n.").unwrap_err();
    assert_eq!((failure.code, failure.fault), ("not_tensfer", Fault::Host));
}

#[test]
fn a_redirect_is_not_followed() {
    let failure =
        attestation("HTTP/1.1 302 Found\r\nlocation: http://example.com/\r\ncontent-length: 0\r\n\r\n")
            .unwrap_err();
    assert_eq!(failure.fault, Fault::Host);
}

#[test]
fn a_problem_is_shown_with_its_code_and_request_and_no_control_characters() {
    let body = r#"{"code":"rate_\u001blimited","retryable":true,"request_id":"r1"}"#;
    let answer = format!(
        "HTTP/1.1 429 No\r\ncontent-type: application/problem+json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    let failure = attestation(&answer).unwrap_err();
    assert!(failure.sentence.contains("request r1") && failure.retryable);
    assert!(!failure.to_string().contains('\u{1b}'));
}

#[test]
fn a_truncated_answer_is_the_servers_fault_and_may_be_tried_again() {
    let failure =
        attestation("HTTP/1.1 200 OK\r\ncontent-type: application/cbor\r\ncontent-length: 30\r\n\r\nabc")
            .unwrap_err();
    assert_eq!((failure.code, failure.fault, failure.retryable), ("truncated", Fault::Host, true));
}

#[test]
fn a_server_that_is_not_there_is_the_hosts_fault() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let failure = Gateway::new(&url, false).unwrap().attestation(&[0; 32]).unwrap_err();
    assert_eq!((failure.code, failure.fault), ("unreachable", Fault::Host));
    assert!(failure.hint.unwrap().contains("tensfer up"));
}

#[test]
fn no_suite_of_tls_1_2_is_offered() {
    let suites = tls13().cipher_suites;
    assert!(!suites.is_empty());
    assert!(suites.iter().all(|suite| suite.version().version == rustls::ProtocolVersion::TLSv1_3));
}
