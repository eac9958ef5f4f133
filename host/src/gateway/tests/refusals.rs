//! What a request gets that is wrong, unwelcome or unlucky.

use super::{Rig, asked, from, get, post, send};
use crate::gateway::Limits;
use crate::testing::soon;
use axum::body::Body;
use axum::http::{HeaderValue, Request};
use std::time::Duration;
use wire::ceremony::Ceremony;
use wire::frame::Kind;
use wire::{Canonical, Refusal};

const NONCE: &str = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
const PATHS: [(&str, &str); 10] = [
    ("GET", "/v1/health"),
    ("GET", "/v1/attestation"),
    ("POST", "/v1/requests"),
    ("POST", "/v1/envelopes/rewrap"),
    ("GET", "/v1/rotation/completion"),
    ("GET", "/v1/rotation/destructions/1"),
    ("GET", "/v1/rotation/proofs/00"),
    ("GET", "/v1/exchanges"),
    ("GET", "/v1/problems/busy"),
    ("GET", "/openapi.json"),
];

fn is(problem: (u16, String), status: u16, code: &str) {
    assert_eq!(problem, (status, code.to_owned()));
}

#[tokio::test]
async fn a_method_that_a_path_does_not_take_is_named_as_such() {
    let rig = Rig::start(Limits::default());
    for (taken, path) in PATHS {
        for method in ["GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "BREW"] {
            if method != taken {
                let seen = send(&rig.router, asked(method, path, None, Vec::new())).await;
                is(seen.problem(), 405, "method_not_allowed");
                assert!(seen.header("allow").contains(taken), "{method} {path}: `{}`", seen.header("allow"));
            }
        }
    }
}

#[tokio::test]
async fn a_path_that_is_not_there_is_named_as_such() {
    let rig = Rig::start(Limits::default());
    for path in [
        "/",
        "/v1",
        "/v1/",
        "/v1/health/",
        "/v1/requests/1",
        "/v2/health",
        "/..%2f..%2fetc/passwd",
        "/%00",
        "/v1/problems/",
    ] {
        is(send(&rig.router, get(path)).await.problem(), 404, "not_found");
        is(send(&rig.router, post(path, "application/cbor", "x")).await.problem(), 404, "not_found");
    }
}

#[tokio::test]
async fn steps_of_provisioning_are_for_operators_and_no_path_takes_them() {
    let mut rig = Rig::start(Limits::default());
    let step = Ceremony::Status.to_bytes();
    for path in ["/v1/ceremony", "/v1/ceremonies", "/v1/root", "/v1/root/ceremony"] {
        is(send(&rig.router, post(path, "application/cbor", step.clone())).await.problem(), 404, "not_found");
    }
    // What the enclave hears next is somebody's nonce, and nothing before it.
    let router = rig.router.clone();
    tokio::spawn(async move { send(&router, get(&format!("/v1/attestation?nonce={NONCE}"))).await });
    assert_eq!(rig.hear().await.number, Kind::Attest as u8);
}

#[tokio::test]
async fn a_nonce_has_one_spelling() {
    let rig = Rig::start(Limits::default());
    let upper = NONCE.to_uppercase();
    for query in [
        "".to_owned(),
        "?".to_owned(),
        "?nonce=".to_owned(),
        format!("?nonce={upper}"),
        format!("?nonce={NONCE}00"),
        format!("?nonce={}", &NONCE[2..]),
        format!("?nonce={}+0", &NONCE[2..]),
        format!("?nonce={}%C3%A9", &NONCE[2..]),
        format!("?nonce={NONCE}&nonce={NONCE}"),
        format!("?nonce={NONCE}&more=1"),
        "?nonce=%ff".to_owned(),
    ] {
        is(
            send(&rig.router, get(&format!("/v1/attestation{query}"))).await.problem(),
            400,
            "query_malformed",
        );
    }
}

#[tokio::test]
async fn a_body_of_another_type_is_not_read() {
    let rig = Rig::start(Limits::default());
    for (path, own) in [("/v1/requests", "message/ohttp-req"), ("/v1/envelopes/rewrap", "application/cbor")] {
        for media in
            ["", "text/plain", "application/json", "message/ohttp-res", "application/x-www-form-urlencoded"]
        {
            is(send(&rig.router, post(path, media, "x")).await.problem(), 415, "media_type_unsupported");
        }
        is(
            send(&rig.router, asked("POST", path, None, Vec::new())).await.problem(),
            415,
            "media_type_unsupported",
        );
        let mut twice = post(path, own, "x");
        twice.headers_mut().append("content-type", HeaderValue::from_static("text/plain"));
        is(send(&rig.router, twice).await.problem(), 415, "media_type_unsupported");
        let mut packed = post(path, own, "x");
        packed.headers_mut().insert("content-encoding", HeaderValue::from_static("gzip"));
        is(send(&rig.router, packed).await.problem(), 415, "media_type_unsupported");
    }
}

#[tokio::test]
async fn m07_a_body_that_is_too_large_is_refused_by_its_claim_and_by_its_length() {
    let rig = Rig::start(Limits::default());
    for (path, media) in [("/v1/requests", "message/ohttp-req"), ("/v1/envelopes/rewrap", "application/cbor")]
    {
        let body = vec![0; 2 << 20];
        is(send(&rig.router, post(path, media, body.clone())).await.problem(), 413, "body_too_large");
        let mut unclaimed = post(path, media, body.clone());
        unclaimed.headers_mut().remove("content-length");
        is(send(&rig.router, unclaimed).await.problem(), 413, "body_too_large");
        let mut vast = post(path, media, "x");
        vast.headers_mut().insert("content-length", HeaderValue::from_static("18446744073709551615"));
        is(send(&rig.router, vast).await.problem(), 413, "body_too_large");
    }
}

#[tokio::test]
async fn garbage_is_told_before_it_reaches_the_enclave_where_the_host_can_tell() {
    let rig = Rig::start(Limits::default());
    is(
        send(&rig.router, post("/v1/requests", "message/ohttp-req", "")).await.problem(),
        400,
        "body_malformed",
    );
    for body in [
        &b""[..],
        b"\xff",
        b"\xa1\x00\x80\x00",
        b"\xbf\x00\x80\xff",
        b"\xa1\x00\x9b\xff\xff\xff\xff\xff\xff\xff\xff",
    ] {
        let seen = send(&rig.router, post("/v1/envelopes/rewrap", "application/cbor", body)).await;
        is(seen.problem(), 400, "body_malformed");
    }
}

#[tokio::test]
async fn every_refusal_of_the_enclave_keeps_its_code_and_an_unknown_one_tells_nothing() {
    let mut rig = Rig::start(Limits::default());
    let known = Refusal::ALL.iter().map(|refusal| (refusal.number().to_be_bytes().to_vec(), refusal.code()));
    let unknown = [vec![], vec![1], vec![0xff, 0xff], vec![0, 1, 2], b"canary".to_vec()];
    for (body, code) in known.chain(unknown.map(|body| (body, "internal"))) {
        let router = rig.router.clone();
        let client =
            tokio::spawn(async move { send(&router, post("/v1/requests", "message/ohttp-req", "x")).await });
        let asked = rig.hear().await;
        rig.say(Kind::Refused, asked.stream, &body).await;
        let seen = client.await.unwrap();
        assert_eq!(seen.problem().1, code);
        assert!(!String::from_utf8(seen.body).unwrap().contains("canary"));
    }
}

#[tokio::test]
async fn an_answer_of_another_kind_is_the_servers_failure() {
    let mut rig = Rig::start(Limits::default());
    let router = rig.router.clone();
    let client =
        tokio::spawn(async move { send(&router, post("/v1/requests", "message/ohttp-req", "x")).await });
    let asked = rig.hear().await;
    rig.say(Kind::Evidence, asked.stream, b"x").await;
    is(client.await.unwrap().problem(), 500, "gateway_failed");
}

#[tokio::test]
async fn when_the_enclave_is_gone_whoever_waits_and_whoever_comes_learns_it() {
    let mut rig = Rig::start(Limits::default());
    let router = rig.router.clone();
    let client =
        tokio::spawn(async move { send(&router, post("/v1/requests", "message/ohttp-req", "x")).await });
    rig.hear().await;
    drop((rig.from_relay, rig.to_relay));
    soon(rig.relay).await.unwrap();
    is(client.await.unwrap().problem(), 503, "enclave_gone");
    for request in [
        get("/v1/health"),
        get(&format!("/v1/attestation?nonce={NONCE}")),
        post("/v1/requests", "message/ohttp-req", "x"),
    ] {
        let seen = send(&rig.router, request).await;
        is(seen.problem(), 503, "enclave_gone");
        assert_eq!(seen.header("retry-after"), "1");
    }
    assert_eq!(send(&rig.router, get("/v1/exchanges")).await.status, 200);
}

#[tokio::test]
async fn an_enclave_that_does_not_answer_is_waited_for_only_so_long_and_told() {
    let limits = Limits { request: Duration::from_millis(50), ..Limits::default() };
    let mut rig = Rig::start(limits);
    let seen = send(&rig.router, post("/v1/requests", "message/ohttp-req", "x")).await;
    is(seen.problem(), 504, "enclave_silent");
    let asked = rig.hear().await;
    let cancelled = rig.hear().await;
    assert_eq!((cancelled.number, cancelled.stream), (Kind::Cancel as u8, asked.stream));
}

#[tokio::test]
async fn a_client_that_leaves_has_its_request_cancelled() {
    let mut rig = Rig::start(Limits::default());
    let router = rig.router.clone();
    let client =
        tokio::spawn(async move { send(&router, post("/v1/requests", "message/ohttp-req", "x")).await });
    let asked = rig.hear().await;
    client.abort();
    let cancelled = rig.hear().await;
    assert_eq!((cancelled.number, cancelled.stream), (Kind::Cancel as u8, asked.stream));
}

#[tokio::test]
async fn no_more_wait_for_the_enclave_than_the_limit() {
    let mut rig = Rig::start(Limits { in_flight: 2, ..Limits::default() });
    let mut clients = Vec::new();
    for _ in 0..2 {
        let router = rig.router.clone();
        let request = post("/v1/requests", "message/ohttp-req", "x");
        clients.push(tokio::spawn(async move { send(&router, request).await }));
        rig.hear().await;
    }
    let refused = send(&rig.router, post("/v1/requests", "message/ohttp-req", "x")).await;
    is(refused.problem(), 503, "busy");
    clients.pop().unwrap().abort();
    rig.hear().await;
    let router = rig.router.clone();
    let client =
        tokio::spawn(async move { send(&router, post("/v1/requests", "message/ohttp-req", "x")).await });
    let asked = rig.hear().await;
    rig.say(Kind::Reply, asked.stream, b"x").await;
    assert_eq!(client.await.unwrap().status, 200);
}

#[tokio::test]
async fn no_more_bytes_are_being_read_than_the_limit() {
    let rig = Rig::start(Limits { buffered: 1000, ..Limits::default() });
    let seen = send(&rig.router, post("/v1/requests", "message/ohttp-req", vec![0; 1001])).await;
    is(seen.problem(), 503, "busy");
}

#[tokio::test]
async fn an_address_that_sends_too_much_is_slowed_whatever_it_says_of_itself() {
    let rig = Rig::start(Limits { per_second: 1, burst: 3, ..Limits::default() });
    for number in 0..5 {
        let mut request = get("/v1/exchanges");
        let claim = HeaderValue::from_str(&format!("192.0.2.{number}")).unwrap();
        for name in ["x-forwarded-for", "x-real-ip", "forwarded"] {
            request.headers_mut().insert(name, claim.clone());
        }
        let seen = send(&rig.router, request).await;
        if number < 3 {
            assert_eq!(seen.status, 200);
        } else {
            is(seen.problem(), 429, "too_many_requests");
            assert_eq!(seen.header("retry-after"), "1");
        }
    }
    let mut other = get("/v1/exchanges");
    other.extensions_mut().insert(from("192.0.2.9:1"));
    assert_eq!(send(&rig.router, other).await.status, 200);
}

#[tokio::test]
async fn a_page_that_was_made_to_resolve_to_this_machine_is_refused_everywhere() {
    let rig = Rig::start(Limits::default());
    for (method, path) in PATHS {
        for host in [
            "evil.example",
            "evil.example:8080",
            "localhost.evil.example",
            "127.0.0.1.nip.io",
            "user@localhost",
        ] {
            let mut request = asked(method, path, None, Vec::new());
            request.headers_mut().insert("host", HeaderValue::from_str(host).unwrap());
            is(send(&rig.router, request).await.problem(), 421, "host_not_allowed");
        }
        let mut none = asked(method, path, None, Vec::new());
        none.headers_mut().remove("host");
        is(send(&rig.router, none).await.problem(), 421, "host_not_allowed");
        let mut two = asked(method, path, None, Vec::new());
        two.headers_mut().append("host", HeaderValue::from_static("localhost"));
        is(send(&rig.router, two).await.problem(), 421, "host_not_allowed");
    }
    let mut absolute: Request<Body> = get("http://evil.example/v1/health");
    absolute.headers_mut().insert("host", HeaderValue::from_static("localhost"));
    is(send(&rig.router, absolute).await.problem(), 421, "host_not_allowed");
}
