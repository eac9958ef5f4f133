//! What takes a passkey's word for the very request: it comes in a field beside the signature, over what was signed.

use super::authenticator::{Authenticator, Said};
use super::people::{Someone, session_path};
use super::*;
use crate::identity::MOST_PASSKEYS;
use crate::identity::people::step_up;
use crate::signatures::{Presented, Refused};

const FIELD: &str = "passkey-assertion";

/// What a passkey is asked for, for a request that a device signed.
fn challenge(device: &Program, head: &Head) -> [u8; 32] {
    let request = head.request().unwrap();
    let here = [Authority::parse(Scheme::Http, HOST).unwrap()];
    let presented = Presented::read(&request, &here).unwrap();
    let signed = presented.signed_by(Some(&device.public.verifier().unwrap()), NOW).unwrap();
    step_up::challenge(&signed.base_hash())
}

fn word(authenticator: &Authenticator, said: &Said, person: &str) -> String {
    let asserted = authenticator.asserted(said, person);
    let part = |member: &str| asserted[member].as_str().unwrap().to_owned();
    ["id", "authenticator_data", "client_data_json", "signature"].map(part).join(".")
}

fn with(mut head: Head, word: &str) -> Head {
    head.fields.push(HeadField { name: FIELD.to_owned(), value: word.as_bytes().to_vec() });
    head
}

/// As the person's device and a passkey of theirs make it.
fn fresh(device: &Program, authenticator: &Authenticator, person: &str, asking: &Asking) -> Head {
    let head = device.session_head(asking);
    let word = word(authenticator, &Said::get(&challenge(device, &head)), person);
    with(head, &word)
}

impl Rig {
    pub async fn ask_fresh(
        &self,
        someone: &Someone,
        authenticator: &Authenticator,
        asking: &Asking,
    ) -> Result<(u16, Value), Denied> {
        let token = self.admit(&fresh(&someone.device, authenticator, &someone.id, asking)).await?;
        self.pass_on(token, asking.body.clone(), NOW).await
    }

    /// What asks for a further passkey to be added.
    async fn adding(&self, device: &Program, authenticator: &Authenticator) -> Asking {
        let begun = self.begin_as("add_passkey", device).await;
        let passkey = authenticator.registered(&Said::create(&begun.challenge));
        Asking::post("/v1/passkeys", &json!({ "ceremony": begun.token, "passkey": passkey }))
    }
}

fn removing(path: &str) -> Asking {
    Asking { method: "DELETE", ..Asking::get(path) }
}

fn path_of(passkey: &Value) -> String {
    format!("/v1/passkeys/{}", passkey["id"].as_str().unwrap())
}

#[tokio::test]
async fn what_changes_who_can_sign_in_takes_a_passkeys_word_for_that_very_request() {
    let rig = Rig::start().await;
    let ada = rig.someone().await;
    let (first, second) = (&ada.authenticator, Authenticator::new());
    let adding = rig.adding(&ada.device, &second).await;
    let is_needed = |asked| matches!(asked, Err(Denied::Forbidden(Refusal::StepUpNeeded, _)));
    assert!(is_needed(rig.ask_as(&ada.device, &adding).await));
    let (status, added) = rig.ask_fresh(&ada, first, &adding).await.unwrap();
    assert_eq!((status, &added["name"]), (201, &json!("phone")));
    let named = Asking::post(&format!("{}/name", path_of(&added)), &json!({ "name": "key ring" }));
    assert_eq!(rig.ask_as(&ada.device, &named).await.unwrap().1["name"], "key ring");

    let ada = Someone { authenticator: second, ..ada };
    let tablet = rig.sign_in(&ada).await;
    let (_, person) = rig.ask_as(&tablet, &Asking::get("/v1/person")).await.unwrap();
    // Both were made in the same moment: their order is that of their ids.
    let passkeys = person["passkeys"].as_array().unwrap();
    let other = passkeys.iter().find(|passkey| passkey["id"] != added["id"]).unwrap();
    let remove = removing(&path_of(other));
    assert!(is_needed(rig.ask_as(&tablet, &remove).await));
    // Whoever was signed in with the passkey that goes is signed out.
    let token = rig.admit(&fresh(&tablet, &ada.authenticator, &ada.id, &remove)).await.unwrap();
    rig.pass_on(token, Vec::new(), NOW).await.unwrap();
    let asked = rig.ask_as(&ada.device, &Asking::get("/v1/person")).await;
    assert_eq!(asked, Err(Refusal::SessionRevoked.into()));
    let ada = Someone { device: tablet, ..ada };
    let last = removing(&path_of(&added));
    assert_eq!(rig.ask_fresh(&ada, &ada.authenticator, &last).await, Err(Refusal::LastPasskey.into()));
}

#[tokio::test]
async fn a_word_for_anything_but_this_request_is_refused_whatever_is_asked() {
    let rig = Rig::start().await;
    let (ada, eve) = (rig.someone().await, rig.someone().await);
    let asking = Asking::get("/v1/person");
    let head = ada.device.session_head(&asking);
    let said = Said::get(&challenge(&ada.device, &head));
    let good = word(&ada.authenticator, &said, &ada.id);
    let of_another = challenge(&ada.device, &ada.device.session_head(&asking));
    let mut words: Vec<String> = [
        said.clone().with("type", json!("webauthn.create")),
        Said::get(&of_another),
        said.clone().with("origin", json!("http://localhost:8081")),
        said.clone().with("crossOrigin", json!(true)),
        Said { flags: 1, ..said.clone() },
        Said { flags: 4, ..said.clone() },
        Said { party: "vault.example".to_owned(), ..said.clone() },
    ]
    .iter()
    .map(|said| word(&ada.authenticator, said, &ada.id))
    .collect();
    words.push(word(&eve.authenticator, &said, &eve.id));
    words.push(word(&Authenticator::new(), &said, &ada.id));
    words.extend(["", "...", "a", "AAAA.AAAA.AAAA.AAAA"].map(str::to_owned));
    words.extend([format!("{good}.AAAA"), format!("{good}="), good.replace('.', ","), good.to_uppercase()]);
    for word in words {
        let refused = rig.admit(&with(head.clone(), &word)).await;
        assert_eq!(refused, Err(Refusal::PasskeyRefused.into()), "{word}");
    }
    let twice = with(with(head.clone(), &good), &good);
    assert_eq!(rig.admit(&twice).await, Err(Refused::FieldRepeated.into()));
    // Nothing of it used the request up; its own word counts, once.
    let head = with(head, &good);
    assert!(rig.admit(&head).await.is_ok());
    assert_eq!(rig.admit(&head).await, Err(Refused::Replayed.into()));
}

#[tokio::test]
async fn a_word_that_was_counted_before_is_refused() {
    let rig = Rig::start().await;
    let ada = rig.someone().await;
    let asking = Asking::get("/v1/person");
    for (counter, counts) in [(3, true), (3, false), (2, false), (0, false), (4, true)] {
        let head = ada.device.session_head(&asking);
        let said = Said { counter, ..Said::get(&challenge(&ada.device, &head)) };
        let admitted = rig.admit(&with(head, &word(&ada.authenticator, &said, &ada.id))).await;
        assert_eq!(admitted.is_ok(), counts, "{counter}");
    }
}

#[tokio::test]
async fn a_passkey_is_added_by_the_device_that_began_and_once() {
    let rig = Rig::start().await;
    let (ada, eve) = (rig.someone().await, rig.someone().await);
    let over = Err(Refusal::CeremonyOver.into());
    // Begun by another device, for another purpose, or twice.
    let adding = rig.adding(&eve.device, &Authenticator::new()).await;
    assert_eq!(rig.ask_fresh(&ada, &ada.authenticator, &adding).await, over);
    let begun = rig.begin_as("sign_up", &ada.device).await;
    let passkey = Authenticator::new().registered(&Said::create(&begun.challenge));
    let body = json!({ "ceremony": begun.token, "passkey": passkey });
    let asked = rig.ask_fresh(&ada, &ada.authenticator, &Asking::post("/v1/passkeys", &body)).await;
    assert_eq!(asked, over);
    let adding = rig.adding(&ada.device, &Authenticator::new()).await;
    assert!(rig.ask_fresh(&ada, &ada.authenticator, &adding).await.is_ok());
    assert_eq!(rig.ask_fresh(&ada, &ada.authenticator, &adding).await, over);
    // Somebody's already.
    let adding = rig.adding(&ada.device, &eve.authenticator).await;
    let refused = rig.ask_fresh(&ada, &ada.authenticator, &adding).await;
    assert_eq!(refused, Err(Refusal::PasskeyRefused.into()));
    for _ in 2..MOST_PASSKEYS {
        let adding = rig.adding(&ada.device, &Authenticator::new()).await;
        rig.ask_fresh(&ada, &ada.authenticator, &adding).await.unwrap();
    }
    let adding = rig.adding(&ada.device, &Authenticator::new()).await;
    let refused = rig.ask_fresh(&ada, &ada.authenticator, &adding).await;
    assert_eq!(refused, Err(Refusal::TooManyPasskeys.into()));
}

#[tokio::test]
async fn another_persons_passkey_is_none() {
    let rig = Rig::start().await;
    let (ada, eve) = (rig.someone().await, rig.someone().await);
    let (_, person) = rig.ask_as(&ada.device, &Asking::get("/v1/person")).await.unwrap();
    let path = path_of(&person["passkeys"][0]);
    let named = Asking::post(&format!("{path}/name"), &json!({ "name": "mine" }));
    let unknown = removing("/v1/passkeys/pk_00000000000000000000000000000000");
    for asking in [removing(&path), named, unknown] {
        let refused = rig.ask_fresh(&eve, &eve.authenticator, &asking).await;
        assert_eq!(refused, Err(Refusal::PasskeyNotFound.into()), "{}", asking.target);
    }
    assert_eq!(session_path(&ada.device), format!("/v1/sessions/{}", ada.device.public.session()));
}
