//! What is agreed on in a handshake, and who is kept out by others' (P8.3).

use crate::gateway::{Gateway, raise_descriptors, text};
use rustls::NamedGroup;
use std::io::{ErrorKind, Read, Write};
use std::time::{Duration, Instant};

#[test]
fn only_tls_1_3_with_strong_groups_and_suites_is_spoken() {
    let gateway = Gateway::start();
    for accepted in [
        "-tls1_3 -groups X25519",
        "-tls1_3 -groups P-256",
        "-tls1_3 -groups P-384:P-256",
        "-ciphersuites TLS_AES_256_GCM_SHA384",
        "-ciphersuites TLS_AES_128_GCM_SHA256",
        "-ciphersuites TLS_CHACHA20_POLY1305_SHA256",
    ] {
        let said = text(&gateway.openssl(accepted));
        assert!(said.contains("TLSv1.3, Cipher is TLS_") && said.contains("Verify return code: 0"), "{said}");
        let suite = accepted.strip_prefix("-ciphersuites ").unwrap_or_default();
        assert!(said.contains(&format!("Cipher is {suite}")), "{accepted}: {said}");
    }
    for refused in [
        "-tls1_2",
        "-tls1_2 -cipher ECDHE-ECDSA-AES256-GCM-SHA384",
        "-tls1_1 -cipher DEFAULT@SECLEVEL=0",
        "-tls1 -cipher DEFAULT@SECLEVEL=0",
        "-tls1_3 -groups P-384",
        "-tls1_3 -groups P-521",
        "-tls1_3 -groups X448",
        "-tls1_3 -groups ffdhe3072",
        "-tls1_3 -ciphersuites TLS_AES_128_CCM_SHA256",
    ] {
        let outcome = gateway.openssl(refused);
        let said = text(&outcome);
        assert!(!outcome.status.success() && said.contains("Cipher is (NONE)"), "{refused}: {said}");
        assert!(said.contains("alert"), "{refused} is refused by an alert: {said}");
    }
}

#[test]
fn who_knows_the_post_quantum_hybrid_gets_it() {
    let gateway = Gateway::start();
    let stream = gateway.connect(b"http/1.1");
    let group = stream.conn.negotiated_key_exchange_group().unwrap().name();
    assert_eq!(group, NamedGroup::X25519MLKEM768);
}

#[test]
fn no_ticket_is_given_and_no_early_data_taken() {
    let gateway = Gateway::start();
    // A ticket would come before the answer.
    let mut stream = gateway.connect(b"http/1.1");
    stream.write_all(b"GET /v1/exchanges HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").unwrap();
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    assert!(answer.starts_with(b"HTTP/1.1 200"));
    assert_eq!(stream.conn.tls13_tickets_received(), 0);
    let said = text(&gateway.openssl("-tls1_3"));
    assert!(said.contains("Early data was not sent") && !said.contains("New Session Ticket"), "{said}");
}

#[test]
fn http_2_and_http_1_1_are_agreed_on_and_nothing_else() {
    let gateway = Gateway::start();
    for (offered, agreed) in
        [("h2", "h2"), ("h2,http/1.1", "h2"), ("http/1.1", "http/1.1"), ("spdy/3,http/1.1", "http/1.1")]
    {
        let said = text(&gateway.openssl(&format!("-alpn {offered}")));
        assert!(said.contains(&format!("ALPN protocol: {agreed}\n")), "{offered}: {said}");
    }
    for offered in ["spdy/3", "h2c", "http/1.0", "acme-tls/1"] {
        let outcome = gateway.openssl(&format!("-alpn {offered}"));
        assert!(!outcome.status.success(), "{offered}");
        assert!(text(&outcome).contains("no application protocol"), "{offered}: {}", text(&outcome));
    }
    let said = text(&gateway.openssl("-tls1_3"));
    assert!(said.contains("No ALPN negotiated"), "{said}");
}

#[test]
fn a_handshake_for_another_name_is_refused() {
    let gateway = Gateway::start();
    // One that the certificate holds, and nobody named here.
    for name in ["vault.test", "evil.example", "localhost.evil.example"] {
        let outcome = gateway.openssl(&format!("-servername {name}"));
        assert!(!outcome.status.success() && text(&outcome).contains("Cipher is (NONE)"), "{name}");
    }
    assert!(gateway.openssl("-servername LOCALHOST").status.success());
    assert!(gateway.openssl("-noservername").status.success());
}

#[test]
fn plain_text_at_the_tls_port_gets_no_http() {
    let gateway = Gateway::start();
    for said in [
        &b"GET /v1/exchanges HTTP/1.1\r\nhost: localhost\r\n\r\n"[..],
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"\0\0\0\0",
    ] {
        let mut stream = gateway.plain();
        stream.write_all(said).unwrap();
        stream.shutdown(std::net::Shutdown::Write).unwrap();
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        assert!(!answer.windows(4).any(|four| four == b"HTTP"), "{answer:?}");
        // An alert at most.
        assert!(answer.len() <= 7, "{answer:?}");
    }
    assert!(gateway.serves());
}

#[test]
fn slow_handshakes_keep_nobody_out() {
    raise_descriptors();
    let gateway = Gateway::start();
    let begun = Instant::now();
    // More than there is room for: half of them say nothing, half begin to.
    let slow: Vec<_> = (0..1500)
        .map(|number| {
            let mut stream = gateway.plain();
            if number % 2 == 0 {
                // The head of a record that is said to be long.
                let _ = stream.write_all(b"\x16\x03\x01\x40\x00\x01");
            }
            stream
        })
        .collect();
    assert!(gateway.serves());
    // The first of them gave way, long before its time was over; those who came last are still at it.
    let (mut first, mut last) = (slow.first().unwrap(), slow.last().unwrap());
    first.set_read_timeout(Some(Duration::from_secs(7))).unwrap();
    assert_eq!(first.read(&mut [0; 64]).map_err(|error| error.kind()), Ok(0));
    last.set_nonblocking(true).unwrap();
    let heard = last.read(&mut [0; 64]).map_err(|error| error.kind());
    // On a machine that paused for as long as a handshake may take, its time is over.
    assert!(begun.elapsed() > Duration::from_secs(8) || heard == Err(ErrorKind::WouldBlock), "{heard:?}");
    drop(slow);
}
