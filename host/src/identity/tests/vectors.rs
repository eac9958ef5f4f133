//! Known answers of an independent script: `vectors/identity.json`.

use super::*;
use crate::identity::people::ceremony::{Ceremony, Purpose};
use crate::identity::people::step_up;
use crate::identity::token::Verifier;
use aws_lc_rs::digest::{SHA256, digest};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::PathBuf;

#[derive(Deserialize)]
struct File {
    keys: Vec<KeyCase>,
    tokens: Tokens,
}

#[derive(Deserialize)]
struct KeyCase {
    algorithm: String,
    public_key: String,
    id: String,
    organisation: String,
    possession: String,
    proof: String,
    other_proofs: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct Tokens {
    issuer: String,
    audience: String,
    now: u64,
    body: String,
    token: String,
    key: String,
    refused: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct People {
    token: String,
    person: String,
    credential: String,
    passkey: String,
    devices: Vec<DeviceCase>,
    step_up: StepUp,
    transaction: PersonsTokens,
}

#[derive(Deserialize)]
struct StepUp {
    base: String,
    challenge: String,
}

#[derive(Deserialize)]
struct DeviceCase {
    algorithm: String,
    public_key: String,
    session: String,
    challenges: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct PersonsTokens {
    issuer: String,
    now: u64,
    token: String,
    fresh: String,
    refused: BTreeMap<String, String>,
}

fn file<T: serde::de::DeserializeOwned>(name: &str) -> T {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../vectors").join(name);
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

fn public_of(algorithm: &str, key: &str) -> Public {
    let algorithm = Algorithm::ALL.into_iter().find(|known| known.name() == algorithm).unwrap();
    Public::new(algorithm, &unhex(key)).unwrap()
}

fn unhex(hex: &str) -> Vec<u8> {
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
}

#[test]
fn ids_and_proofs_of_possession_are_those_of_the_vectors() {
    for case in file::<File>("identity.json").keys {
        let public = public_of(&case.algorithm, &case.public_key);
        let organisation = OrganisationId::parse(&case.organisation).unwrap();
        assert_eq!(public.id().to_string(), case.id);
        assert_eq!(hex(&public.possession(organisation)), case.possession);
        assert_eq!(public.check_possession(organisation, &unhex(&case.proof)), Ok(()));
        for (what, proof) in case.other_proofs {
            let checked = public.check_possession(organisation, &unhex(&proof));
            assert_eq!(checked, Err(Refusal::PossessionUnproven), "{what}");
        }
    }
}

#[test]
fn tokens_get_the_verdicts_of_the_vectors() {
    let Tokens { issuer, audience, now, body, token, key, refused } = file::<File>("identity.json").tokens;
    let verifier = Verifier::new(&unhex(&issuer)).unwrap();
    let (body, now) = (unhex(&body), UnixMillis(now));
    let read = verifier.check(&audience, &token, &body, now).unwrap();
    assert_eq!((read.method(), read.path(), read.idempotency_key()), ("POST", "/v1/keys", Some("7f3a")));
    assert_eq!(program_of(&read).0.to_string(), key);
    assert!(refused.len() > 20);
    for (what, token) in refused {
        let checked = verifier.check(&audience, &token, &body, now).map(|_| ());
        assert_eq!(checked, Err(Refusal::TokenRefused.into()), "{what}");
    }
}

#[test]
fn ids_and_challenges_of_people_are_those_of_the_vectors() {
    let People { token, person, credential, passkey, devices, step_up, .. } = file("people.json");
    let mut base = [0; 32];
    base.copy_from_slice(digest(&SHA256, &unhex(&step_up.base)).as_ref());
    assert_eq!(hex(&step_up::challenge(&base)), step_up.challenge);
    assert_eq!(passkey_id(&unhex(&credential)).to_string(), passkey);
    for device in devices {
        let public = public_of(&device.algorithm, &device.public_key);
        assert_eq!(public.session().to_string(), device.session);
        assert_eq!(device.challenges.len(), Purpose::ALL.len());
        for (purpose, challenge) in device.challenges {
            let purpose = Purpose::from_name(&purpose).unwrap();
            let ceremony = Ceremony::dangerous_unchecked(unhex(&token).try_into().unwrap(), purpose, &public);
            assert_eq!(hex(ceremony.challenge()), challenge);
            assert_eq!(ceremony.person().to_string(), person);
        }
    }
}

#[test]
fn a_persons_token_gets_the_verdict_of_the_vectors() {
    let People { person, devices, passkey, transaction, .. } = file("people.json");
    let PersonsTokens { issuer, now, token, fresh, refused } = transaction;
    let (verifier, now) = (Verifier::new(&unhex(&issuer)).unwrap(), UnixMillis(now));
    let read = verifier.check("identity", &fresh, b"", now).unwrap();
    let Asker::Person(asker) = read.asker() else { panic!("{:?}", read.asker()) };
    assert_eq!(asker.fresh.map(|id| id.to_string()), Some(passkey));
    let read = verifier.check("identity", &token, b"", now).unwrap();
    let Asker::Person(asker) = read.asker() else { panic!("{:?}", read.asker()) };
    assert_eq!((asker.person.to_string(), asker.session.to_string()), (person, devices[0].session.clone()));
    assert_eq!(asker.fresh, None);
    assert!(refused.len() > 10);
    for (what, token) in refused {
        let checked = verifier.check("identity", &token, b"", now).map(|_| ());
        assert_eq!(checked, Err(Refusal::TokenRefused.into()), "{what}");
    }
}
