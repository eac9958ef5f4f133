//! Known answers of an independent script: `vectors/identity.json`.

use super::*;
use crate::identity::token::Verifier;
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

fn file() -> File {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../vectors/identity.json");
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

fn unhex(hex: &str) -> Vec<u8> {
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
}

#[test]
fn ids_and_proofs_of_possession_are_those_of_the_vectors() {
    for case in file().keys {
        let algorithm = Algorithm::ALL.into_iter().find(|known| known.name() == case.algorithm).unwrap();
        let public = Public::new(algorithm, &unhex(&case.public_key)).unwrap();
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
    let Tokens { issuer, audience, now, body, token, key, refused } = file().tokens;
    let verifier = Verifier::new(&unhex(&issuer)).unwrap();
    let (body, now) = (unhex(&body), UnixMillis(now));
    let read = verifier.check(&audience, &token, &body, now).unwrap();
    assert_eq!((read.method(), read.path(), read.idempotency_key()), ("POST", "/v1/keys", Some("7f3a")));
    assert_eq!(read.principal().key.to_string(), key);
    assert!(refused.len() > 20);
    for (what, token) in refused {
        let checked = verifier.check(&audience, &token, &body, now).map(|_| ());
        assert_eq!(checked, Err(Refusal::TokenRefused.into()), "{what}");
    }
}
