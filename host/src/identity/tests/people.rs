//! People before a whole identity: signing up and in by passkey, and every way in which that is refused.

use super::authenticator::{Authenticator, Said, challenge, object};
use super::*;
use crate::identity::people::view;
use crate::signatures::Refused;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// Somebody with a passkey, and a device that they are signed in with.
pub struct Someone {
    pub authenticator: Authenticator,
    pub id: String,
    pub device: Program,
}

/// What a device begins, and what it is told.
pub struct Begun {
    pub token: String,
    pub person: Value,
    pub challenge: Vec<u8>,
}

/// The same with a device of its own.
struct Ceremony {
    device: Program,
    token: String,
    person: Value,
    challenge: Vec<u8>,
}

impl Program {
    /// A request that a device signs: as its session.
    pub fn session_head(&self, asking: &Asking) -> Head {
        self.head_as(&self.public.session().to_string(), asking)
    }
}

impl Rig {
    pub async fn begin_from(&self, peer: &str, body: &Value, now: UnixMillis) -> Result<Value, Denied> {
        let begin = Begin { peer: peer.to_owned(), body: body.to_string().into_bytes() }.to_bytes();
        let (status, begun) = read(&self.shared.carry_out(Operation::BeginCeremony, &begin, now).await?)?;
        assert_eq!(status, 201);
        Ok(begun)
    }

    async fn begin(&self, purpose: &str) -> Ceremony {
        let device = Program::new();
        let Begun { token, person, challenge } = self.begin_as(purpose, &device).await;
        Ceremony { device, token, person, challenge }
    }

    pub async fn begin_as(&self, purpose: &str, device: &Program) -> Begun {
        self.begin_at(purpose, device, NOW).await
    }

    pub async fn begin_at(&self, purpose: &str, device: &Program, now: UnixMillis) -> Begun {
        let body =
            json!({ "purpose": purpose, "algorithm": "ed25519", "public_key": device.public.base64() });
        let begun = self.begin_from("192.0.2.1", &body, now).await.unwrap();
        assert_eq!(begun["expires"], now.plus(300_000).0);
        let token = begun["ceremony"].as_str().unwrap().to_owned();
        let challenge = challenge(purpose, &token, &device.public);
        Begun { token, person: begun["person"].clone(), challenge }
    }

    /// Signs the body with the device's key and brings it.
    pub async fn bring(
        &self,
        target: &str,
        device: &Program,
        body: &Value,
        now: UnixMillis,
    ) -> Result<Value, Denied> {
        let asking = Asking { signed: now, ..Asking::post(target, body) };
        let introduction = Introduction { head: device.session_head(&asking), body: asking.body }.to_bytes();
        let answered = self.shared.carry_out(Operation::Introduce, &introduction, now).await?;
        let (status, session) = read(&answered)?;
        assert_eq!(status, 201);
        Ok(session)
    }

    pub async fn someone(&self) -> Someone {
        let (begun, authenticator) = (self.begin("sign_up").await, Authenticator::new());
        let passkey = authenticator.registered(&Said::create(&begun.challenge));
        let session = self.bring("/v1/people", &begun.device, &sign_up(&begun, &passkey), NOW).await.unwrap();
        assert_eq!(session["person"], begun.person);
        let id = begun.person.as_str().unwrap().to_owned();
        Someone { authenticator, id, device: begun.device }
    }

    /// Another device of somebody's.
    pub async fn sign_in(&self, someone: &Someone) -> Program {
        self.sign_in_at(someone, NOW).await
    }

    pub async fn sign_in_at(&self, someone: &Someone, now: UnixMillis) -> Program {
        let device = Program::new();
        let Begun { token, person, challenge } = self.begin_at("sign_in", &device, now).await;
        let begun = Ceremony { device, token, person, challenge };
        let passkey = someone.authenticator.asserted(&Said::get(&begun.challenge), &someone.id);
        self.bring("/v1/sessions", &begun.device, &sign_in(&begun, &passkey), now).await.unwrap();
        begun.device
    }

    pub async fn ask_at(
        &self,
        device: &Program,
        asking: &Asking,
        now: UnixMillis,
    ) -> Result<(u16, Value), Denied> {
        let asking = Asking { signed: now, ..asking.clone() };
        let token = self.admit_at(&device.session_head(&asking), now).await?;
        self.pass_on(token, asking.body, now).await
    }

    pub async fn ask_as(&self, device: &Program, asking: &Asking) -> Result<(u16, Value), Denied> {
        self.ask_at(device, asking, NOW).await
    }
}

fn device_of(begun: &Ceremony) -> Value {
    json!({ "ceremony": begun.token, "algorithm": "ed25519", "public_key": begun.device.public.base64(), "device": "laptop" })
}

fn sign_up(begun: &Ceremony, passkey: &Value) -> Value {
    let mut body = device_of(begun);
    body["name"] = "Ada".into();
    body["passkey"] = passkey.clone();
    body
}

fn sign_in(begun: &Ceremony, passkey: &Value) -> Value {
    let mut body = device_of(begun);
    body["passkey"] = passkey.clone();
    body
}

fn ids(sessions: &Value) -> Vec<&str> {
    sessions["sessions"].as_array().unwrap().iter().map(|session| session["id"].as_str().unwrap()).collect()
}

/// Without a body.
fn end(device: &Program) -> Asking {
    Asking { method: "POST", ..Asking::get(&format!("{}/end", session_path(device))) }
}

fn end_others() -> Asking {
    Asking { method: "POST", ..Asking::get("/v1/sessions/end-others") }
}

pub fn session_path(device: &Program) -> String {
    format!("/v1/sessions/{}", device.public.session())
}

#[tokio::test]
async fn a_person_signs_up_and_in_with_a_passkey_and_their_devices_sign() {
    let rig = Rig::start().await;
    let someone = rig.someone().await;
    let second = rig.sign_in(&someone).await;
    for device in [&someone.device, &second] {
        let (status, person) = rig.ask_as(device, &Asking::get("/v1/person")).await.unwrap();
        assert_eq!((status, &person["id"], &person["name"]), (200, &json!(someone.id), &json!("Ada")));
        assert_eq!(person["passkeys"][0]["relying_party"], "localhost");
    }
    let (_, sessions) = rig.ask_as(&second, &Asking::get("/v1/sessions")).await.unwrap();
    assert_eq!(ids(&sessions).len(), 2);
    for session in sessions["sessions"].as_array().unwrap() {
        assert_eq!(session["current"], session["id"] == second.public.session().to_string());
    }
}

#[tokio::test]
async fn a_registration_that_is_wrong_in_one_thing_signs_nobody_up() {
    let rig = Rig::start().await;
    let mut tried = 0;
    let mut refused = async |change: &dyn Fn(Said) -> Said| {
        let (begun, authenticator) = (rig.begin("sign_up").await, Authenticator::new());
        let passkey = authenticator.registered(&change(Said::create(&begun.challenge)));
        let outcome = rig.bring("/v1/people", &begun.device, &sign_up(&begun, &passkey), NOW).await;
        tried += 1;
        assert_eq!(outcome, Err(Refusal::PasskeyRefused.into()), "number {tried}");
    };
    refused(&|said| said.with("type", json!("webauthn.get"))).await;
    refused(&|said| said.with("challenge", json!("AAAA"))).await;
    refused(&|said| said.with("challenge", Value::Null)).await;
    refused(&|said| said.with("origin", json!("http://localhost:8081"))).await;
    refused(&|said| said.with("origin", json!("https://evil.example"))).await;
    refused(&|said| said.with("crossOrigin", json!(true))).await;
    refused(&|said| said.with("crossOrigin", json!("false"))).await;
    refused(&|said| said.with("topOrigin", json!("http://localhost:8080"))).await;
    refused(&|said| Said { party: "vault.example".to_owned(), ..said }).await;
    // Not present, not verified, without a credential, reserved, backed up without being eligible.
    for flags in [0x44, 0x41, 0x05, 0x47, 0x65, 0x55] {
        refused(&|said| Said { flags, ..said }).await;
    }
    refused(&|said| Said { extensions: vec![0], ..said }).await;
    refused(&|said| Said { flags: 0xc5, extensions: vec![0xa1, 1, 2], ..said }).await;
    assert_eq!(tried, 17);
}

#[tokio::test]
async fn a_credential_is_of_an_algorithm_that_is_taken_and_is_registered_once() {
    let rig = Rig::start().await;
    let authenticator = Authenticator::new();
    let attempt = async |cose: &[u8]| {
        let begun = rig.begin("sign_up").await;
        let passkey = authenticator.registered_as(&Said::create(&begun.challenge), cose);
        rig.bring("/v1/people", &begun.device, &sign_up(&begun, &passkey), NOW).await
    };
    let cose = authenticator.cose();
    for at in 0..cose.len() {
        let mut other = cose.clone();
        other[at] ^= 4;
        assert!(attempt(&other).await.is_err(), "byte {at}");
    }
    assert_eq!(attempt(&cose[..cose.len() - 1]).await, Err(Refusal::PasskeyRefused.into()));
    assert!(attempt(&cose).await.is_ok());
    assert_eq!(attempt(&cose).await, Err(Refusal::PasskeyRefused.into()), "its credential is somebody's");
}

#[tokio::test]
async fn an_assertion_that_is_wrong_in_one_thing_signs_nobody_in() {
    let rig = Rig::start().await;
    let (someone, other) = (rig.someone().await, rig.someone().await);
    let mut tried = 0;
    let mut refused = async |change: &dyn Fn(Said) -> Said, alter: &dyn Fn(&mut Value)| {
        let begun = rig.begin("sign_in").await;
        let said = change(Said::get(&begun.challenge));
        let mut passkey = someone.authenticator.asserted(&said, &someone.id);
        alter(&mut passkey);
        let outcome = rig.bring("/v1/sessions", &begun.device, &sign_in(&begun, &passkey), NOW).await;
        tried += 1;
        assert_eq!(outcome, Err(Refusal::PasskeyRefused.into()), "number {tried}");
    };
    let same = |said: Said| said;
    refused(&|said| said.with("type", json!("webauthn.create")), &|_| ()).await;
    refused(&|said| said.with("challenge", json!("AAAA")), &|_| ()).await;
    refused(&|said| said.with("origin", json!("http://localhost:8081")), &|_| ()).await;
    refused(&|said| said.with("origin", json!("https://vault.example")), &|_| ()).await;
    refused(&|said| said.with("crossOrigin", json!(true)), &|_| ()).await;
    refused(&|said| said.with("topOrigin", json!("https://shop.example")), &|_| ()).await;
    refused(&|said| Said { party: "vault.example".to_owned(), ..said }, &|_| ()).await;
    // Not present, not verified, with a credential, reserved, eligible for backup all at once.
    for flags in [0x04, 0x01, 0x45, 0x07, 0x25, 0x0d, 0x15] {
        refused(&|said| Said { flags, ..said }, &|_| ()).await;
    }
    let id = URL_SAFE_NO_PAD.encode(&other.authenticator.credential);
    let person = wire::PersonId::parse(&other.id).unwrap();
    let handle = URL_SAFE_NO_PAD.encode(person.0);
    refused(&same, &|passkey| passkey["id"] = id.clone().into()).await;
    refused(&same, &|passkey| passkey["user_handle"] = handle.clone().into()).await;
    refused(&same, &|passkey| passkey["user_handle"] = "".into()).await;
    refused(&same, &|passkey| passkey["id"] = "AAAA".into()).await;
    refused(&same, &|passkey| {
        passkey["id"] = id.clone().into();
        passkey["user_handle"] = handle.clone().into();
    })
    .await;
    for member in ["signature", "authenticator_data", "client_data_json"] {
        refused(&same, &|passkey| {
            let mut bytes = URL_SAFE_NO_PAD.decode(passkey[member].as_str().unwrap()).unwrap();
            let last = bytes.len() - 1;
            bytes[last] ^= 1;
            passkey[member] = URL_SAFE_NO_PAD.encode(bytes).into();
        })
        .await;
    }
    assert_eq!(tried, 22);
}

#[tokio::test]
async fn another_devices_key_cannot_take_the_place_of_the_one_that_was_asked_for() {
    let rig = Rig::start().await;
    let someone = rig.someone().await;
    let (begun, thief) = (rig.begin("sign_in").await, Program::new());
    let passkey = someone.authenticator.asserted(&Said::get(&begun.challenge), &someone.id);
    let mut body = sign_in(&begun, &passkey);
    body["public_key"] = thief.public.base64().into();
    // Whoever is between brings their own key under the token of another,
    assert_eq!(rig.bring("/v1/sessions", &thief, &body, NOW).await, Err(Refusal::CeremonyOver.into()));
    // under a token of their own,
    let own = rig.begin("sign_in").await;
    let body = sign_in(&own, &passkey);
    assert_eq!(rig.bring("/v1/sessions", &own.device, &body, NOW).await, Err(Refusal::PasskeyRefused.into()));
    // or signs for a key that they do not have.
    let body = sign_in(&begun, &passkey);
    let asking = Asking::post("/v1/sessions", &body);
    let head = thief.head_as(&begun.device.public.session().to_string(), &asking);
    let forged = rig.introduce(head, asking.body).await;
    assert_eq!(forged, Err(Refused::NotSigned.into()));
    assert!(rig.bring("/v1/sessions", &begun.device, &body, NOW).await.is_ok());
}

#[tokio::test]
async fn a_ceremony_is_for_one_purpose_for_five_minutes_and_counts_once() {
    let rig = Rig::start().await;
    let someone = rig.someone().await;
    let over = |outcome| assert_eq!(outcome, Err(Refusal::CeremonyOver.into()));
    let begun = rig.begin("sign_up").await;
    let passkey = someone.authenticator.asserted(&Said::get(&begun.challenge), &someone.id);
    over(rig.bring("/v1/sessions", &begun.device, &sign_in(&begun, &passkey), NOW).await);
    // One of another process, or with any letter changed.
    let begun = rig.begin("sign_in").await;
    let passkey = someone.authenticator.asserted(&Said::get(&begun.challenge), &someone.id);
    let body = sign_in(&begun, &passkey);
    over(Rig::start().await.bring("/v1/sessions", &begun.device, &body, NOW).await);
    for at in 0..begun.token.len() {
        let mut token = begun.token.clone().into_bytes();
        token[at] = if token[at] == b'A' { b'B' } else { b'A' };
        let mut body = body.clone();
        body["ceremony"] = String::from_utf8(token).unwrap().into();
        over(rig.bring("/v1/sessions", &begun.device, &body, NOW).await);
    }
    assert!(rig.bring("/v1/sessions", &begun.device, &body, NOW).await.is_ok());

    let begun = rig.begin("sign_in").await;
    let passkey = someone.authenticator.asserted(&Said::get(&begun.challenge), &someone.id);
    let body = sign_in(&begun, &passkey);
    over(rig.bring("/v1/sessions", &begun.device, &body, NOW.plus(300_000)).await);
    let last = NOW.plus(299_999);
    assert!(rig.bring("/v1/sessions", &begun.device, &body, last).await.is_ok());
    over(rig.bring("/v1/sessions", &begun.device, &body, last).await);
}

#[tokio::test]
async fn an_assertion_that_was_counted_before_is_refused_where_the_authenticator_counts() {
    let rig = Rig::start().await;
    let (begun, authenticator) = (rig.begin("sign_up").await, Authenticator::new());
    let passkey = authenticator.registered(&Said { counter: 5, ..Said::create(&begun.challenge) });
    rig.bring("/v1/people", &begun.device, &sign_up(&begun, &passkey), NOW).await.unwrap();
    let person = begun.person.as_str().unwrap();
    for (counter, counts) in
        [(5, false), (4, false), (0, false), (6, true), (6, false), (9, true), (7, false)]
    {
        let begun = rig.begin("sign_in").await;
        let passkey = authenticator.asserted(&Said { counter, ..Said::get(&begun.challenge) }, person);
        let outcome = rig.bring("/v1/sessions", &begun.device, &sign_in(&begun, &passkey), NOW).await;
        assert_eq!(outcome.is_ok(), counts, "{counter}");
    }
}

#[tokio::test]
async fn a_session_ends_when_it_idles_and_after_a_day_whatever_is_done_with_it() {
    let rig = Rig::start().await;
    let someone = rig.someone().await;
    let ask = async |now| rig.ask_at(&someone.device, &Asking::get("/v1/person"), now).await.map(|_| ());
    let (minute, over) = (60_000, Err(Refusal::SessionOver.into()));
    // Used every fifty minutes, also when what was noted is written.
    for at in 0..28 {
        assert_eq!(ask(NOW.plus(at * 50 * minute)).await, Ok(()), "{at}");
        if at % 2 == 0 {
            rig.shared.write_uses().await;
        }
    }
    assert_eq!(ask(NOW.plus(24 * 60 * minute)).await, over);
    let rig = Rig::start().await;
    let idle = rig.someone().await;
    let ask = async |now| rig.ask_at(&idle.device, &Asking::get("/v1/person"), now).await.map(|_| ());
    assert_eq!(ask(NOW.plus(60 * minute - 1)).await, Ok(()));
    assert_eq!(ask(NOW.plus(120 * minute - 1)).await, over);
    // What is refused is no use.
    assert_eq!(ask(NOW.plus(120 * minute - 1)).await, over);
}

#[tokio::test]
async fn a_person_lists_names_and_ends_their_sessions_and_nobody_elses() {
    let rig = Rig::start().await;
    let (ada, eve) = (rig.someone().await, rig.someone().await);
    let phone = rig.sign_in(&ada).await;
    let named = Asking::post(&format!("{}/name", session_path(&phone)), &json!({ "name": "phone" }));
    assert_eq!(rig.ask_as(&ada.device, &named).await.unwrap().1["name"], "phone");
    for asking in [
        Asking::get(&session_path(&phone)),
        end(&phone),
        named.clone(),
        Asking::get("/v1/sessions/ses_00000000000000000000000000000000"),
    ] {
        let refused = rig.ask_as(&eve.device, &asking).await;
        assert_eq!(refused, Err(Refusal::SessionNotFound.into()), "{} {}", asking.method, asking.target);
    }
    let (_, listed) = rig.ask_as(&eve.device, &Asking::get("/v1/sessions")).await.unwrap();
    assert_eq!(ids(&listed), [eve.device.public.session().to_string()]);

    assert!(rig.ask_as(&ada.device, &end(&phone)).await.unwrap().1["revoked"].is_u64());
    let asked = rig.ask_as(&phone, &Asking::get("/v1/person")).await;
    assert_eq!(asked, Err(Refusal::SessionRevoked.into()));
    let (tablet, watch) = (rig.sign_in(&ada).await, rig.sign_in(&ada).await);
    let (_, ended) = rig.ask_as(&ada.device, &end_others()).await.unwrap();
    assert_eq!(ended, json!({ "ended": 2 }));
    for device in [tablet, watch] {
        let asked = rig.ask_as(&device, &Asking::get("/v1/person")).await;
        assert_eq!(asked, Err(Refusal::SessionRevoked.into()));
    }
    // Signing out.
    assert!(rig.ask_as(&ada.device, &end(&ada.device)).await.is_ok());
    let asked = rig.ask_as(&ada.device, &Asking::get("/v1/person")).await;
    assert_eq!(asked, Err(Refusal::SessionRevoked.into()));
    assert!(rig.ask_as(&eve.device, &Asking::get("/v1/person")).await.is_ok());
}

#[tokio::test]
async fn a_session_is_no_api_key_and_an_api_key_no_session() {
    let rig = Rig::start().await;
    let (someone, (program, _)) = (rig.someone().await, rig.program().await);
    let key = format!("/v1/keys/{}", program.id());
    for asking in
        [Asking::get("/v1/organisation"), Asking::get("/v1/keys"), Asking::get(&key), Asking::revoke(&key)]
    {
        let refused = rig.ask_as(&someone.device, &asking).await;
        assert_eq!(refused, Err(Refusal::ProgramsOnly.into()), "{}", asking.target);
    }
    let session = session_path(&someone.device);
    for asking in [
        Asking::get("/v1/person"),
        Asking::get("/v1/sessions"),
        end_others(),
        Asking::get(&session),
        end(&someone.device),
    ] {
        assert_eq!(rig.ask(&program, &asking).await, Err(Refusal::PeopleOnly.into()), "{}", asking.target);
    }
    // Each is known by the id of its own kind alone.
    let (device, asking) = (&someone.device, Asking::get("/v1/person"));
    assert_eq!(rig.admit(&device.head(&asking)).await, Err(Refused::NotSigned.into()));
    assert_eq!(rig.admit(&program.session_head(&asking)).await, Err(Refused::NotSigned.into()));
}

#[tokio::test]
async fn whoever_begins_too_often_has_to_wait_and_nobody_elses_network_does() {
    let rig = Rig::start().await;
    let device = Program::new().public.base64();
    let body = json!({ "purpose": "sign_in", "algorithm": "ed25519", "public_key": device });
    let mut refused = 0;
    for _ in 0..400 {
        let begun = rig.begin_from("2001:db8::1", &body, NOW).await;
        refused += usize::from(begun == Err(Refusal::TooManyOfNetwork.into()));
    }
    assert!(refused > 0);
    assert!(rig.begin_from("2001:db8:0:1::1", &body, NOW).await.is_ok());
    assert!(rig.begin_from("192.0.2.1", &body, NOW).await.is_ok());
}

#[tokio::test]
async fn whoever_begins_is_answered_alike_and_leaves_nothing() {
    let rig = Rig::start().await;
    for purpose in ["sign_up", "sign_in"] {
        let (one, other) = (rig.begin(purpose).await, rig.begin(purpose).await);
        assert_eq!(one.token.len(), other.token.len());
        assert_ne!(one.token, other.token);
        assert_eq!(one.person.is_null(), purpose == "sign_in");
        if purpose == "sign_up" {
            let id = wire::PersonId::parse(one.person.as_str().unwrap()).unwrap();
            assert_eq!(rig.shared.store.person(id).await.unwrap(), None);
        }
    }
    let device = Program::new().public.base64();
    for body in [
        json!({ "purpose": "sign_on", "algorithm": "ed25519", "public_key": device }),
        json!({ "purpose": "sign_in", "algorithm": "ed25519", "public_key": device, "name": "ada" }),
        json!({ "purpose": "sign_in", "algorithm": "ed25519", "public_key": "AAAA" }),
        json!({}),
    ] {
        assert!(rig.begin_from("192.0.2.1", &body, NOW).await.is_err(), "{body}");
    }
}

#[tokio::test]
async fn what_people_sign_up_and_in_with_has_one_form() {
    let rig = Rig::start().await;
    let begun = rig.begin("sign_up").await;
    let authenticator = Authenticator::new();
    let passkey = authenticator.registered(&Said::create(&begun.challenge));
    let body = sign_up(&begun, &passkey);
    for (member, value) in
        [("name", json!("")), ("device", json!("a\nb")), ("more", json!(1)), ("name", Value::Null)]
    {
        let mut body = body.clone();
        body[member] = value;
        let outcome = rig.bring("/v1/people", &begun.device, &body, NOW).await;
        assert_eq!(outcome, Err(Refusal::FieldsMalformed.into()), "{member}");
    }
    let twice = [&object(&[0; 37])[..], &[0]].concat();
    for object in [vec![], vec![0xa0], twice] {
        let mut body = body.clone();
        body["passkey"]["attestation_object"] = URL_SAFE_NO_PAD.encode(object).into();
        let outcome = rig.bring("/v1/people", &begun.device, &body, NOW).await;
        assert_eq!(outcome, Err(Refusal::PasskeyRefused.into()));
    }
    // Nothing of it was used up.
    assert!(rig.bring("/v1/people", &begun.device, &body, NOW).await.is_ok());
    assert!(crate::identity::view::read::<view::SignedUp>(b"{}").is_err());
}
