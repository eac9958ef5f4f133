//! Assertions that an independent script made (`vectors/make/passkeys.py`), most of them wrong in one thing.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use super::*;
use crate::owner::{Signed, check_set};
use minicbor::bytes::ByteSlice;
use proptest::prelude::*;
use serde_json::Value;
use std::collections::BTreeSet;
use wire::Canonical;
use wire::owner::OwnerRole;

fn vectors() -> Value {
    serde_json::from_str(include_str!("../../../../vectors/passkeys.json")).unwrap()
}

fn bytes(value: &Value) -> Vec<u8> {
    let text = value.as_str().unwrap();
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().unwrap()
}

fn parties(vectors: &Value) -> Vec<RelyingParty> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let party = |value: &Value| RelyingParty {
        id: text(&value["id"]),
        origins: list(&value["origins"]).iter().map(text).collect(),
    };
    list(&vectors["relying_parties"]).iter().map(party).collect()
}

fn keys(vectors: &Value) -> Vec<OwnerKey> {
    list(&vectors["keys"]).iter().map(|key| OwnerKey::from_bytes(&bytes(&key["encoded"])).unwrap()).collect()
}

/// The name of a fault in the vectors.
fn name(fault: Fault) -> &'static str {
    match fault {
        Fault::NotServed => "not_served",
        Fault::Client => "client",
        Fault::Type => "type",
        Fault::Challenge => "challenge",
        Fault::Origin => "origin",
        Fault::Embedded => "embedded",
        Fault::Authenticator => "authenticator",
        Fault::RelyingParty => "relying_party",
        Fault::NotPresent => "not_present",
        Fault::NotVerified => "not_verified",
        Fault::Backup => "backup",
        Fault::SignatureForm => "signature_form",
        Fault::Signature => "signature",
    }
}

/// Checks one assertion as if it were the only signature of the request.
fn signed<'k>(
    request: &[u8],
    assertion: &[u8],
    keys: &'k [OwnerKey],
    parties: &[RelyingParty],
) -> Result<Signed<'k>, Refusal> {
    let known: Vec<&OwnerKey> = keys.iter().collect();
    let alone: &ByteSlice = assertion.into();
    Signed::check(request, &[alone], &known, parties)
}

#[test]
fn an_assertion_counts_exactly_if_every_check_of_the_specification_holds() {
    let vectors = vectors();
    let (parties, keys, request) = (parties(&vectors), keys(&vectors), bytes(&vectors["request"]));
    let mut seen = BTreeSet::new();
    for case in list(&vectors["cases"]) {
        let key = &keys[usize::try_from(case["key"].as_u64().unwrap()).unwrap()];
        let encoded = bytes(&case["encoded"]);
        let assertion = Assertion::from_bytes(&encoded).unwrap();
        assert_eq!(assertion.authenticator.to_vec(), bytes(&case["authenticator"]));
        let passkey = key.passkey.as_ref().unwrap();
        let outcome = check(&assertion, (key, passkey), &sha256(&request), &parties);
        assert_eq!(outcome.err().map(name), case["fault"].as_str(), "{}", case["name"]);
        let counted = signed(&request, &encoded, &keys, &parties);
        match outcome {
            Ok(()) => assert!(counted.unwrap().by(key)),
            Err(fault) => assert_eq!(counted.err(), Some(Refusal::from(fault)), "{}", case["name"]),
        }
        seen.extend(case["fault"].as_str());
    }
    assert_eq!(seen.len(), 13, "every check refuses something: {seen:?}");
}

#[test]
fn keys_and_challenges_are_the_scripts() {
    let vectors = vectors();
    let request = sha256(&bytes(&vectors["request"]));
    for (key, expected) in keys(&vectors).iter().zip(list(&vectors["keys"])) {
        let name = sha256(&key.transcript());
        assert_eq!(name.to_vec(), bytes(&expected["name"]));
        assert_eq!(sha256(&challenge_transcript(&name, &request)).to_vec(), bytes(&expected["challenge"]));
    }
}

#[test]
fn an_assertion_counts_for_its_own_request_and_with_every_byte_as_it_was() {
    let vectors = vectors();
    let (parties, keys, request) = (parties(&vectors), keys(&vectors), bytes(&vectors["request"]));
    for case in list(&vectors["cases"]).iter().take(2) {
        let mut encoded = bytes(&case["encoded"]);
        assert!(signed(&request, &encoded, &keys, &parties).is_ok());
        let mut other = request.clone();
        for at in 0..other.len() {
            other[at] ^= 1;
            assert_eq!(signed(&other, &encoded, &keys, &parties).err(), Some(Refusal::NotAuthorised));
            other[at] ^= 1;
        }
        for at in 0..encoded.len() {
            for bit in 0..8 {
                encoded[at] ^= 1 << bit;
                assert!(signed(&request, &encoded, &keys, &parties).is_err(), "byte {at}, bit {bit}");
                encoded[at] ^= 1 << bit;
            }
        }
    }
}

#[test]
fn a_passkey_signs_by_assertions_alone_and_other_keys_never_by_one() {
    let vectors = vectors();
    let (parties, mut keys, request) = (parties(&vectors), keys(&vectors), bytes(&vectors["request"]));
    let mut assertion = bytes(&vectors["cases"][0]["encoded"]);
    // The same key without its passkey, and so under another name.
    keys[0].passkey = None;
    let name = sha256(&keys[0].transcript());
    assertion[4..36].copy_from_slice(&name);
    assert_eq!(Assertion::from_bytes(&assertion).unwrap().key, name);
    assert_eq!(signed(&request, &assertion, &keys, &parties).err(), Some(Refusal::NotAuthorised));
}

#[test]
fn an_owner_set_takes_passkeys_as_second_factors_that_the_enclave_serves() {
    let vectors = vectors();
    let (parties, keys) = (parties(&vectors), keys(&vectors));
    let device = OwnerKey::new(OwnerAlgorithm::EdDsa, vec![1; 32], OwnerRole::Device);
    let with = |key: &OwnerKey| check_set(&[device.clone(), key.clone()], &parties);
    assert_eq!(with(&keys[0]), Ok(()));
    assert_eq!(with(&keys[1]), Ok(()));
    assert_eq!(with(&keys[4]), Err(Refusal::PasskeyNotServed), "of another relying party");
    assert_eq!(with(&keys[5]), Err(Refusal::PasskeyNotServed), "at another origin");
    let passkey = keys[0].passkey.clone().unwrap();
    let changed = |passkey: Passkey| OwnerKey { passkey: Some(passkey), ..keys[0].clone() };
    for key in [
        OwnerKey { role: OwnerRole::Device, ..keys[0].clone() },
        OwnerKey { public: vec![4; 64], ..keys[0].clone() },
        changed(Passkey { origins: Vec::new(), ..passkey.clone() }),
        changed(Passkey { credential: Vec::new(), ..passkey.clone() }),
        changed(Passkey { embedders: vec!["http://shop.example".to_owned()], ..passkey }),
    ] {
        assert_eq!(with(&key), Err(Refusal::Malformed), "{key:?}");
    }
    assert_eq!(check_set(&keys[..1], &parties), Err(Refusal::Malformed), "no device key");
}

proptest! {
    #[test]
    fn no_part_of_an_assertion_panics(data in prop::collection::vec(any::<u8>(), 0..1_200)) {
        fuzz_assertion(&data);
    }

    #[test]
    fn no_altered_part_of_an_assertion_panics(
        case in any::<prop::sample::Index>(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
        cut in any::<prop::sample::Index>(),
    ) {
        let vectors = vectors();
        let case = case.get(list(&vectors["cases"]));
        for part in ["authenticator", "client", "signature"] {
            let mut data = bytes(&case[part]);
            if data.is_empty() {
                continue;
            }
            for (at, value) in &changes {
                let at = at.index(data.len());
                data[at] ^= value;
            }
            fuzz_assertion(&data);
            data.truncate(cut.index(data.len()));
            fuzz_assertion(&data);
        }
    }
}
