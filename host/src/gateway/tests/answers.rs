//! What a well-made request gets.

use super::{Rig, get, post, send};
use crate::gateway::Limits;
use crate::gateway::problem::Code;
use crate::testing::soon;
use wire::Canonical;
use wire::frame::Kind;
use wire::rewrap::{Bytes, Rewrap, Rewrapped};

const NONCE: &str = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";

#[tokio::test]
async fn evidence_is_what_the_enclave_said_for_this_nonce() {
    let mut rig = Rig::start(Limits::default());
    let router = rig.router.clone();
    let uri = format!("/v1/attestation?nonce={NONCE}");
    let client = tokio::spawn(async move { send(&router, get(&uri)).await });
    let asked = rig.hear().await;
    assert_eq!(asked.number, Kind::Attest as u8);
    assert_eq!(asked.body.iter().map(|byte| format!("{byte:02x}")).collect::<String>(), NONCE);
    rig.say(Kind::Evidence, asked.stream, b"evidence").await;
    let seen = client.await.unwrap();
    assert_eq!((seen.status.as_u16(), seen.header("content-type")), (200, "application/cbor"));
    assert_eq!(seen.body, b"evidence");
}

#[tokio::test]
async fn sealed_bytes_pass_both_ways_untouched_and_answers_do_not_cross() {
    let mut rig = Rig::start(Limits::default());
    let mut clients = Vec::new();
    for number in 0..8_u8 {
        let router = rig.router.clone();
        let request = post("/v1/requests", "message/ohttp-req", vec![number; 1000]);
        clients.push(tokio::spawn(async move { (number, send(&router, request).await) }));
    }
    let mut asked = Vec::new();
    for _ in 0..8 {
        asked.push(rig.hear().await);
    }
    for request in asked.iter().rev() {
        assert_eq!(request.number, Kind::Request as u8);
        let answer: Vec<u8> = request.body.iter().map(|byte| !byte).collect();
        rig.say(Kind::Reply, request.stream, &answer).await;
    }
    for client in clients {
        let (number, seen) = soon(client).await.unwrap();
        assert_eq!((seen.status.as_u16(), seen.header("content-type")), (200, "message/ohttp-res"));
        assert_eq!(seen.body, vec![!number; 1000]);
    }
}

#[tokio::test]
async fn the_largest_sealed_request_passes() {
    let mut rig = Rig::start(Limits::default());
    let router = rig.router.clone();
    let most = (1 << 20) + (1 << 17) + 4096;
    let request = post("/v1/requests", "message/ohttp-req", vec![7; most]);
    let client = tokio::spawn(async move { send(&router, request).await });
    let asked = rig.hear().await;
    assert_eq!(asked.body.len(), most);
    rig.say(Kind::Reply, asked.stream, b"x").await;
    assert_eq!(client.await.unwrap().status, 200);
}

#[tokio::test]
async fn envelopes_go_in_and_their_results_come_back() {
    let mut rig = Rig::start(Limits::default());
    let router = rig.router.clone();
    let body = Rewrap { envelopes: vec![Bytes(vec![1]), Bytes(vec![2])] }.to_bytes();
    let request = post("/v1/envelopes/rewrap", "application/cbor", body.clone());
    let client = tokio::spawn(async move { send(&router, request).await });
    let asked = rig.hear().await;
    assert_eq!((asked.number, &asked.body[..]), (Kind::Rewrap as u8, &body[..]));
    let answer = Rewrapped { results: Vec::new() }.to_bytes();
    rig.say(Kind::Rewrapped, asked.stream, &answer).await;
    let seen = client.await.unwrap();
    assert_eq!((seen.status.as_u16(), seen.header("content-type")), (200, "application/cbor"));
    assert_eq!(seen.body, answer);
}

#[tokio::test]
async fn health_and_the_catalogue_are_json() {
    let rig = Rig::start(Limits::default());
    let health = send(&rig.router, get("/v1/health")).await;
    assert_eq!(health.status, 200);
    let health: serde_json::Value = serde_json::from_slice(&health.body).unwrap();
    assert_eq!(health["status"], "ok");
    let catalogue = send(&rig.router, get("/v1/exchanges")).await;
    assert_eq!((catalogue.status.as_u16(), catalogue.header("content-type")), (200, "application/json"));
    let catalogue: serde_json::Value = serde_json::from_slice(&catalogue.body).unwrap();
    assert_eq!(catalogue["exchanges"].as_array().unwrap().len(), crate::catalogue::all().len());
}

#[tokio::test]
async fn every_code_has_the_page_that_it_links_to() {
    let rig = Rig::start(Limits::default());
    for code in Code::all() {
        let page = send(&rig.router, get(&format!("/v1/problems/{}", code.text()))).await;
        assert_eq!(page.status, 200, "{code:?}");
        assert!(String::from_utf8(page.body).unwrap().contains(code.sentence()));
    }
    let (status, code) = send(&rig.router, get("/v1/problems/no_such_code")).await.problem();
    assert_eq!((status, code.as_str()), (404, "not_found"));
}

#[tokio::test]
async fn every_answer_carries_the_strict_headers_and_a_name_of_its_own() {
    let rig = Rig::start(Limits::default());
    let mut names = std::collections::HashSet::new();
    for uri in ["/v1/health", "/v1/exchanges", "/openapi.json", "/nowhere", "/v1/attestation"] {
        let seen = send(&rig.router, get(uri)).await;
        for (name, value) in [
            ("cache-control", "no-store"),
            ("content-security-policy", "default-src 'none'; frame-ancestors 'none'"),
            ("cross-origin-opener-policy", "same-origin"),
            ("cross-origin-resource-policy", "same-origin"),
            ("referrer-policy", "no-referrer"),
            ("x-content-type-options", "nosniff"),
            ("x-frame-options", "DENY"),
        ] {
            assert_eq!(seen.header(name), value, "{name} of {uri}");
        }
        assert!(!seen.headers.contains_key("access-control-allow-origin"), "{uri}");
        assert!(names.insert(seen.header("x-request-id").to_owned()));
    }
}

/// Operations that nobody has to sign for: whoever asks can do nothing without an owner's signature inside a seal.
pub const PUBLIC: [&str; 10] = [
    "get /v1/health",
    "get /v1/attestation",
    "post /v1/requests",
    "post /v1/envelopes/rewrap",
    "get /v1/rotation/completion",
    "get /v1/rotation/destructions/{epoch}",
    "get /v1/rotation/proofs/{name}",
    "get /v1/exchanges",
    "get /v1/problems/{code}",
    "post /v1/challenges",
];

#[tokio::test]
async fn the_openapi_document_is_the_one_that_was_reviewed() {
    let rig = Rig::start(Limits::default());
    let seen = send(&rig.router, get("/openapi.json")).await;
    assert_eq!((seen.status.as_u16(), seen.header("content-type")), (200, "application/json"));
    let served = String::from_utf8(seen.body).unwrap() + "\n";
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/openapi.json");
    if std::env::var_os("TENSFER_REVIEW").is_some() {
        std::fs::write(path, &served).unwrap();
    }
    let reviewed = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        served == reviewed,
        "host/openapi.json differs: set TENSFER_REVIEW=1, run again, review the change"
    );
    let document: serde_json::Value = serde_json::from_str(&served).unwrap();
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1"));
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let is_public = PUBLIC.contains(&format!("{method} {path}").as_str());
            let asked =
                if is_public { serde_json::json!([]) } else { serde_json::json!([{ "signature": [] }]) };
            assert_eq!(operation["security"], asked, "{method} {path}");
        }
    }
}
