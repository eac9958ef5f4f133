//! What a gateway that is not ours any more can do with what identity says: pass it on, once, as it is.

use super::*;
use crate::identity::Refusal::TokenRefused;
use crate::identity::token::{Issuer, Verifier};
use crate::signatures::Refused;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

fn refused(verifier: &Verifier, audience: &str, token: &str, now: UnixMillis) {
    let checked = verifier.check(audience, token, b"", now).map(|_| ());
    assert_eq!(checked, Err(TokenRefused.into()), "{token}");
}

#[tokio::test]
async fn a_token_is_one_issuers_for_one_service_and_half_a_minute() {
    let rig = Rig::start().await;
    let (program, organisation) = rig.program().await;
    let token = rig.admit(&program.head(&Asking::get("/v1/keys?limit=1"))).await.unwrap();
    let tokens = &rig.shared.tokens;
    let read = tokens.check("identity", &token, b"", NOW).unwrap();
    assert_eq!((read.method(), read.path(), read.query()), ("GET", "/v1/keys", Some("limit=1")));
    assert_eq!(program_of(&read), (program.id(), organisation));
    assert!(tokens.check("identity", &token, b"", NOW.plus(29_999)).is_ok());
    refused(tokens, "identity", &token, NOW.plus(30_000));
    refused(tokens, "identity", &token, NOW.minus(3_000));
    refused(tokens, "relay", &token, NOW);
    refused(&Issuer::make().unwrap().verifier().unwrap(), "identity", &token, NOW);
}

#[tokio::test]
async fn no_letter_of_a_token_can_be_changed() {
    let rig = Rig::start().await;
    let (program, _) = rig.program().await;
    let token = rig.admit(&program.head(&Asking::get("/v1/keys"))).await.unwrap();
    let tokens = &rig.shared.tokens;
    for at in 0..token.len() {
        let mut altered = token.clone().into_bytes();
        altered[at] = if altered[at] == b'A' { b'B' } else { b'A' };
        refused(tokens, "identity", &String::from_utf8(altered).unwrap(), NOW);
        refused(tokens, "identity", &token[..at], NOW);
    }
    for altered in [
        format!("{token}="),
        format!("{token}."),
        format!(".{token}"),
        format!("{token} "),
        "a".repeat(1 << 16),
    ] {
        refused(tokens, "identity", &altered, NOW);
    }
}

#[tokio::test]
async fn a_header_has_one_spelling() {
    let rig = Rig::start().await;
    let (program, _) = rig.program().await;
    let token = rig.admit(&program.head(&Asking::get("/v1/keys"))).await.unwrap();
    let (header, rest) = token.split_once('.').unwrap();
    let header = String::from_utf8(URL_SAFE_NO_PAD.decode(header).unwrap()).unwrap();
    assert!(
        header.starts_with("{\"alg\":\"EdDSA\",\"kid\":\"")
            && header.ends_with("\",\"typ\":\"txntoken+jwt\"}")
    );
    for altered in [
        header.replace("EdDSA", "none"),
        header.replace("EdDSA", "HS256"),
        header.replace("\"alg\"", " \"alg\""),
        header.replace("txntoken+jwt", "JWT"),
        "{\"alg\":\"none\"}".to_owned(),
    ] {
        refused(&rig.shared.tokens, "identity", &format!("{}.{rest}", URL_SAFE_NO_PAD.encode(altered)), NOW);
    }
}

#[tokio::test]
async fn a_gateway_can_put_no_other_body_under_a_token() {
    let rig = Rig::start().await;
    let (program, _) = rig.program().await;
    let asking = Asking::post("/v1/keys", &json!({ "name": "a" }));
    let token = rig.admit(&program.head(&asking)).await.unwrap();
    for body in [&b"{}"[..], b"", b"{\"name\":\"a\"} "] {
        let passed = rig.pass_on(token.clone(), body.to_vec(), NOW).await;
        assert_eq!(passed, Err(Refused::OtherBody.into()));
    }
    let token = rig.admit(&program.head(&Asking::get("/v1/keys"))).await.unwrap();
    assert_eq!(rig.pass_on(token, b"{}".to_vec(), NOW).await, Err(Refused::DigestMissing.into()));
}

#[tokio::test]
async fn a_gateway_that_makes_up_a_caller_gets_nothing() {
    let rig = Rig::start().await;
    let (program, _) = rig.program().await;
    let head = program.head(&Asking::get("/v1/keys"));
    for field in 0..head.fields.len() {
        let mut altered = head.clone();
        altered.fields.remove(field);
        assert!(rig.admit(&altered).await.is_err(), "without {}", head.fields[field].name);
    }
    let altered = [
        Head { method: "DELETE".to_owned(), ..head.clone() },
        Head { target: format!("/v1/keys/{}", program.id()), ..head.clone() },
        Head { target: "/v1/keys?limit=1".to_owned(), ..head.clone() },
    ];
    for head in altered {
        assert_eq!(rig.admit(&head).await, Err(Refused::NotSigned.into()), "{head:?}");
    }
    for body in [&b""[..], b"\xff", b"\xa0"] {
        for operation in [Operation::Admit, Operation::Introduce, Operation::AskIdentity] {
            let answered = rig.shared.carry_out(operation, body, NOW).await;
            assert_eq!(answered, Err(TokenRefused.into()));
        }
    }
}
