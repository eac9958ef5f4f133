//! Requests that are pushed, and answers that name their issuer.

use crate::flow::World;
use crate::server::{CLIENT, ISSUER, Like, SECRET};
use wire::Refusal;

const PUSHED: Like = Like { push: true, rotate: true, lifetime: 3600 };
const FREE: Like = Like { push: false, ..PUSHED };

#[test]
fn where_requests_are_pushed_the_browser_carries_nothing_but_a_reference_and_the_account_is_linked() {
    let mut world = World::start(PUSHED);
    let begun = world.begin("pushing", SECRET).unwrap();
    let (page, query) = begun.url.split_once('?').unwrap();
    assert_eq!(page, format!("{ISSUER}/auth"));
    let names: Vec<&str> = query.split('&').map(|pair| pair.split_once('=').unwrap().0).collect();
    assert_eq!(names, ["client_id", "request_uri"]);
    assert!(query.contains(CLIENT) && !begun.url.contains(&begun.state) && !begun.url.contains("challenge"));
    let back = world.server.sign_in(&begun.url);
    assert!(back.contains("&iss=https%3A%2F%2Flogin.provider.example"), "{back}");
    world.finish(&begun, &back).unwrap();
    assert_eq!(world.balances().unwrap(), [("BTC".to_owned(), "0.5".to_owned())]);
    assert_eq!(world.server.grants("authorization_code"), [200]);
}

#[test]
fn a_provider_that_takes_only_pushed_requests_refuses_one_that_was_not() {
    let mut world = World::start(PUSHED);
    let begun = world.begin("plain", SECRET).unwrap();
    assert!(begun.url.contains("code_challenge="));
    let back = world.server.sign_in(&begun.url);
    assert!(back.contains("error=invalid_request"), "{back}");
    assert_eq!(world.finish(&begun, &back), Err(Refusal::AuthorisationFailed));
    assert!(world.server.grants("authorization_code").is_empty());
}

#[test]
fn a_pushed_request_of_a_client_that_cannot_prove_itself_begins_nothing() {
    let mut world = World::start(PUSHED);
    assert_eq!(world.begin("pushing", "wrong").unwrap_err(), Refusal::AuthorisationFailed);
}

#[test]
fn an_answer_of_another_issuer_or_of_none_is_refused_before_its_code_goes_anywhere() {
    let issuer = "iss=https%3A%2F%2Flogin.provider.example";
    for (exchange, like) in [("pushing", PUSHED), ("plain", FREE)] {
        let mut world = World::start(like);
        let begun = world.begin(exchange, SECRET).unwrap();
        let back = world.server.sign_in(&begun.url);
        for forged in [
            // Mix-up: the same state and a code, by another server.
            "iss=https%3A%2F%2Fevil.example",
            "iss=https%3A%2F%2Flogin.provider.example%2F",
            "iss=https%3A%2F%2FLOGIN.provider.example",
            "iss=",
            "other=1",
            "iss=https%3A%2F%2Flogin.provider.example&iss=https%3A%2F%2Fevil.example",
        ] {
            let answer = back.replace(issuer, forged);
            assert_ne!(answer, back);
            assert_eq!(world.finish(&begun, &answer), Err(Refusal::AnswerRefused), "{forged}");
        }
        assert!(world.server.grants("authorization_code").is_empty(), "no code was sent anywhere");
        world.finish(&begun, &back).unwrap();
        assert_eq!(world.server.grants("authorization_code"), [200]);
    }
}

#[test]
fn a_code_of_another_authorisation_is_refused_by_its_verifier_however_it_was_pushed() {
    let mut world = World::start(PUSHED);
    let first = world.begin("pushing", SECRET).unwrap();
    let theirs = world.server.sign_in(&first.url);
    let second = world.begin("pushing", SECRET).unwrap();
    let ours = world.server.sign_in(&second.url);
    let code = |back: &str| back.split(['?', '&']).find(|pair| pair.starts_with("code=")).unwrap().to_owned();
    let injected = ours.replace(&code(&ours), &code(&theirs));
    assert_eq!(world.finish(&second, &injected), Err(Refusal::AuthorisationFailed));
    assert_eq!(world.server.grants("authorization_code"), [400]);
}
