//! Every route of people: as nobody, a stranger, a program, with a session that does not count any more, and with one that does.

use super::Seen;
use super::signed::{HOUR, Program, SIGNED, Served, ask, body_of, by, number};
use crate::clock;
use crate::identity::passkey::Credential;
use crate::identity::{Actor, Environment, LONGEST_SESSION, Name, Passkey, Person, Session, Use};
use crate::store::{EndSession, SignUp};
use serde_json::json;
use wire::{PersonId, UnixMillis};

/// Of people: method, path of the OpenAPI document, and a target of it.
pub const PERSONAL: [(&str, &str, &str); 11] = [
    ("get", "/v1/person", "/v1/person"),
    ("get", "/v1/sessions", "/v1/sessions"),
    ("post", "/v1/sessions/end-others", "/v1/sessions/end-others"),
    ("get", "/v1/sessions/{id}", "/v1/sessions/ses_00000000000000000000000000000000"),
    ("post", "/v1/sessions/{id}/end", "/v1/sessions/ses_00000000000000000000000000000000/end"),
    ("post", "/v1/sessions/{id}/name", "/v1/sessions/ses_00000000000000000000000000000000/name"),
    ("post", "/v1/passkeys", "/v1/passkeys"),
    ("post", "/v1/passkeys/{id}/name", "/v1/passkeys/pk_00000000000000000000000000000000/name"),
    ("delete", "/v1/passkeys/{id}", "/v1/passkeys/pk_00000000000000000000000000000000"),
    ("post", "/v1/recovery-codes", "/v1/recovery-codes"),
    ("delete", "/v1/recovery", "/v1/recovery"),
];
/// Those of them that take a passkey's word for the very request.
const FRESH: [(&str, &str); 3] =
    [("post", "/v1/passkeys"), ("delete", "/v1/passkeys/{id}"), ("post", "/v1/recovery-codes")];

#[tokio::test]
async fn every_route_of_people_is_refused_to_everybody_but_who_is_signed_in() {
    let served = Served::start().await;
    let (router, store) = (&served.rig.router, &served.store);
    let now = clock::now().minus(60_000);
    let signed_in = async |created, environment| {
        let (device, person) = (Program::new(), PersonId(number().to_be_bytes()));
        store.change(&newcomer(person, &device, created, environment)).await.unwrap();
        device
    };
    let sandbox = Environment::Sandbox;
    let (stranger, right, revoked) =
        (Program::new(), signed_in(now, sandbox).await, signed_in(now, sandbox).await);
    let id = revoked.public().session();
    store.change(&EndSession { asker: id, id, by: by(Actor::Session(id)) }).await.unwrap();
    let idle = signed_in(now.minus(HOUR), sandbox).await;
    let over = signed_in(now.minus(24 * HOUR), sandbox).await;
    let live = signed_in(now, Environment::Live).await;
    for (method, path, target) in PERSONAL {
        let body = body_of(method);
        let typed = [("content-type".to_owned(), "application/json".to_owned())];
        let expect = |seen: Seen, status, code: &str| {
            assert_eq!(seen.problem(), (status, code.to_owned()), "{method} {target}");
        };
        expect(ask(router, method, target, &typed, body).await, 401, "signature_missing");
        for (device, status, code) in [
            (&stranger, 401, "not_signed"),
            (&revoked, 401, "session_revoked"),
            (&idle, 401, "session_over"),
            (&over, 401, "session_over"),
            (&live, 403, "wrong_environment"),
        ] {
            let fields = device.signed_in(method, target, body);
            expect(ask(router, method, target, &fields, body).await, status, code);
        }
        let fields = served.first.signed(method, target, body);
        expect(ask(router, method, target, &fields, body).await, 403, "people_only");
        let fields = right.signed_in(method, target, body);
        let seen = ask(router, method, target, &fields, body).await;
        if FRESH.contains(&(method, path)) {
            expect(seen, 403, "step_up_needed");
            continue;
        }
        assert!(!matches!(seen.status.as_u16(), 401 | 403 | 500..), "{method} {target}: {}", seen.status);
        expect(ask(router, method, target, &fields, body).await, 401, "signature_replayed");
    }
    for (method, _, target, _) in SIGNED {
        let body = body_of(method);
        let fields = right.signed_in(method, target, body);
        let refused = ask(router, method, target, &fields, body).await.problem();
        assert_eq!(refused, (403, "programs_only".to_owned()), "{method} {target}");
    }
}

#[tokio::test]
async fn who_signs_up_or_in_signs_with_the_devices_key_and_brings_a_ceremony() {
    let served = Served::start().await;
    let router = &served.rig.router;
    let device = Program::new();
    let begun =
        json!({ "purpose": "sign_in", "algorithm": "ed25519", "public_key": device.public().base64() });
    let typed = [("content-type".to_owned(), "application/json".to_owned())];
    let seen = ask(router, "post", "/v1/challenges", &typed, &begun.to_string()).await;
    assert_eq!(seen.status.as_u16(), 201);
    let begun: serde_json::Value = serde_json::from_slice(&seen.body).unwrap();
    let body = json!({
        "ceremony": begun["ceremony"], "algorithm": "ed25519", "public_key": device.public().base64(), "device": "phone",
        "passkey": { "id": "AAAA", "client_data_json": "AAAA", "authenticator_data": "AAAA", "signature": "AAAA", "user_handle": "AAAA" },
    });
    let (target, body) = ("/v1/sessions", body.to_string());
    let ask = async |fields: &[(String, String)]| ask(router, "post", target, fields, &body).await.problem();
    assert_eq!(ask(&typed).await, (401, "signature_missing".to_owned()));
    assert_eq!(ask(&Program::new().signed_in("post", target, &body)).await, (401, "not_signed".to_owned()));
    assert_eq!(ask(&device.signed("post", target, &body)).await, (401, "not_signed".to_owned()));
    assert_eq!(ask(&device.signed_in("post", target, &body)).await, (403, "passkey_refused".to_owned()));
}

/// Somebody who was signed in with this device, and did nothing since.
fn newcomer(id: PersonId, device: &Program, created: UnixMillis, environment: Environment) -> SignUp {
    let name = Name::parse("Ada").unwrap();
    let credential = Credential {
        relying_party: "localhost".to_owned(),
        id: number().to_be_bytes().to_vec(),
        public: Program::new().public(),
        backup_eligible: false,
        counter: 0,
    };
    let passkey = Passkey { person: id, name: name.clone(), credential, created, last_used: None };
    let public = device.public();
    let session = Session {
        id: public.session(),
        person: id,
        name: name.clone(),
        public,
        environment,
        passkey: passkey.id(),
        created,
        expires: created.plus(LONGEST_SESSION),
        last_used: Use { at: created, from: "127.0.0.1".parse().unwrap() },
        revoked: None,
    };
    let by = by(Actor::Session(session.id));
    SignUp { person: Person { id, name, created }, passkey, session, by }
}
