//! The gateway of a running stack, before the real enclave.

use stack::{Stack, http};
use wire::rewrap::{Bytes, Rewrap, Rewrapped};
use wire::{Canonical, Refusal};

const NONCE: &str = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";

fn code(answer: &http::Response) -> String {
    assert_eq!(answer.header("content-type"), Some("application/problem+json"), "{}", answer.text());
    let text = answer.text();
    let rest = text.split("\"code\":\"").nth(1).unwrap_or_else(|| panic!("no code in {text}"));
    rest.split('"').next().unwrap_or_default().to_owned()
}

#[test]
fn who_sends_the_result_of_a_prf_is_refused_and_the_log_says_so_and_nothing_of_it() {
    let stack = Stack::start();
    let secret = "c2VjcmV0LW9mLWEtcGFzc2tleQ";
    let body = format!(r#"{{"clientExtensionResults":{{"prf":{{"results":{{"first":"{secret}"}}}}}}}}"#);
    let url = format!("{}/v1/invitations/accept", stack.url());
    let answer = http::post(&url, "application/json", body.as_bytes());
    assert_eq!((answer.status, code(&answer).as_str()), (400, "prf_secret_sent"));
    assert!(!answer.text().contains(secret));
    let ended = stack.stop();
    assert!(ended.stderr.contains("tensfer gateway: ALARM: "), "{}", ended.stderr);
    assert!(!ended.stderr.contains(secret));
}

#[test]
fn what_the_real_enclave_cannot_open_or_re_wrap_is_refused_by_its_code() {
    let stack = Stack::start();
    let requests = format!("{}/v1/requests", stack.url());
    let media = "message/ohttp-req";
    for (body, expected) in
        [(vec![0_u8], "malformed"), (vec![0xff; 2000], "unknown_key"), (vec![0; 1 << 20], "unknown_key")]
    {
        let answer = http::post(&requests, media, &body);
        let code = code(&answer);
        assert!(code == expected || code == "malformed", "{} for {} bytes", code, body.len());
        assert!((400..500).contains(&answer.status), "{}", answer.status);
    }
    let url = format!("{}/v1/envelopes/rewrap", stack.url());
    let envelopes = Rewrap { envelopes: vec![Bytes(vec![0]), Bytes(Vec::new())] };
    let answer = http::post(&url, "application/cbor", &envelopes.to_bytes());
    assert_eq!(answer.status, 200, "{}", answer.text());
    let rewrapped = Rewrapped::from_bytes(&answer.body).unwrap();
    assert_eq!(rewrapped.results.len(), 2);
    for result in rewrapped.results {
        assert!(result.envelope.is_none());
        assert!(
            matches!(result.refusal, Some(Refusal::Malformed | Refusal::EnvelopeRefused)),
            "{:?}",
            result.refusal
        );
    }
    assert_eq!(http::get(&format!("{}/v1/health", stack.url())).status, 200);
}

#[test]
fn garbage_on_every_route_gets_a_problem_and_the_stack_goes_on() {
    let stack = Stack::start();
    for path in [
        "/",
        "/v1/health",
        "/v1/attestation",
        "/v1/requests",
        "/v1/envelopes/rewrap",
        "/v1/rotation/completion",
        "/v1/rotation/destructions/1",
        "/v1/rotation/proofs/00",
        "/v1/exchanges",
        "/openapi.json",
    ] {
        let url = format!("{}{path}", stack.url());
        for method in ["GET", "POST", "PUT", "DELETE", "OPTIONS"] {
            for body in [&b""[..], b"\xff\xfe garbage", &[0; 100_000]] {
                let answer = http::request(method, &url, &[("content-type", "application/x-garbage")], body);
                assert!(answer.status == 200 || !code(&answer).is_empty(), "{method} {path}");
                assert!(answer.status < 500, "{method} {path}: {}", answer.text());
            }
        }
    }
    let huge = vec![0; 3 << 20];
    for (path, media) in [("/v1/requests", "message/ohttp-req"), ("/v1/envelopes/rewrap", "application/cbor")]
    {
        let answer = http::post(&format!("{}{path}", stack.url()), media, &huge);
        assert_eq!((answer.status, code(&answer).as_str()), (413, "body_too_large"));
    }
    for bytes in [
        &b"\x00\x01\x02\r\n\r\n"[..],
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET /v1/health HTTP/1.1\r\nconnection: close\r\n\r\n",
    ] {
        let answer = http::raw(stack.port(), bytes);
        assert!(answer.is_none_or(|answer| (400..600).contains(&answer.status)));
    }
    assert_eq!(http::get(&format!("{}/v1/health", stack.url())).status, 200);
}

#[test]
fn a_name_that_was_made_to_resolve_here_is_refused() {
    let stack = Stack::start();
    let request = format!(
        "GET /v1/attestation?nonce={NONCE} HTTP/1.1\r\nhost: evil.example:{}\r\nconnection: close\r\n\r\n",
        stack.port()
    );
    let answer = http::raw(stack.port(), request.as_bytes()).unwrap();
    assert_eq!((answer.status, code(&answer).as_str()), (421, "host_not_allowed"));
}

#[test]
fn the_catalogue_names_the_six_exchanges() {
    let stack = Stack::start();
    let catalogue = http::get(&format!("{}/v1/exchanges", stack.url())).text();
    for id in ["binance", "bybit", "coinbase", "kraken", "kucoin", "okx"] {
        assert!(catalogue.contains(&format!("\"id\":\"{id}\"")), "{id} in {catalogue}");
    }
}

#[test]
fn both_addresses_of_localhost_serve() {
    let stack = Stack::start();
    assert!(std::net::TcpStream::connect(("127.0.0.1", stack.port())).is_ok());
    if std::net::TcpListener::bind("[::1]:0").is_ok() {
        assert!(std::net::TcpStream::connect(("::1", stack.port())).is_ok());
    }
}
