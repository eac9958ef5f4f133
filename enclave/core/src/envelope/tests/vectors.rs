//! Known answers and refusals that an independent script made from the specification: `vectors/envelope.json`.

use super::*;
use crate::envelope::kdf::Prk;
use crate::envelope::payload;
use crate::envelope::seal::{Lock, seal_generation};
use crate::rewrap::Rewrapper;
use crate::root::ClassRoots;
use serde_json::Value;
use wire::envelope::Header;
use wire::transcript::{Transcript, domain};

#[test]
fn shares_are_derived_as_the_specification_says() {
    for case in cases("shares") {
        let info =
            Transcript::new(domain::SHARE).field(&bytes(case, "connection")).number(number(case, "version"));
        let secret: [u8; 32] = bytes(case, "owner_secret").try_into().unwrap();
        let share = Prk::extract(&secret).unwrap().expand(info).unwrap();
        assert_eq!(share.as_slice(), bytes(case, "share"));
    }
}

#[test]
fn roots_have_the_commitments_of_the_specification() {
    for case in cases("root_commitments") {
        let epoch = u32::try_from(number(case, "epoch")).unwrap();
        let roots = ClassRoots::new(class(case), epoch, &secret(case, "root")).unwrap();
        let commitments = roots.epochs().commitments;
        let [only] = commitments.as_slice() else { panic!("one epoch") };
        assert_eq!((only.epoch, only.commitment.as_slice()), (epoch, bytes(case, "commitment").as_slice()));
    }
}

#[test]
fn known_envelopes_are_sealed_to_the_same_bytes() {
    for case in cases("sealed") {
        let contents = contents_of(case);
        let header = Header {
            organisation: OrganisationId(bytes(case, "organisation").try_into().unwrap()),
            connection: ConnectionId(bytes(case, "connection").try_into().unwrap()),
            owners: context::owners_hash(&contents.owners),
            purpose: Purpose::ExchangeCredential,
            generation: number(case, "generation"),
            class: class(case),
        };
        let roots = roots_of(case);
        let mut entropy = Replay(bytes(case, "randomness"));
        let data_key = Secret::make(&mut entropy).unwrap();
        let share = Share::parse(&bytes(case, "share")).unwrap();
        let lock = Lock {
            data_key: &data_key,
            share: &share,
            roots: &roots,
            epoch: roots.current_of(class(case)).unwrap(),
        };
        let credential = bytes(case, "credential");
        let sealed = seal_generation(header, &contents, &credential, &lock, &mut entropy).unwrap();
        assert_eq!(sealed.to_bytes(), bytes(case, "envelope"), "{}", case["name"]);
        assert!(entropy.0.is_empty(), "all of the randomness is used");
    }
}

#[test]
fn a_first_generation_draws_its_randomness_in_the_order_of_the_specification() {
    let case = &cases("sealed")[0];
    let subject = Subject {
        organisation: OrganisationId(bytes(case, "organisation").try_into().unwrap()),
        connection: ConnectionId(bytes(case, "connection").try_into().unwrap()),
        purpose: Purpose::ExchangeCredential,
        class: class(case),
    };
    let share = Share::parse(&bytes(case, "share")).unwrap();
    let mut entropy = Replay(bytes(case, "randomness"));
    let credential = bytes(case, "credential");
    let sealed =
        seal(&subject, &contents_of(case), &credential, &share, &roots_of(case), &mut entropy).unwrap();
    assert_eq!(sealed.to_bytes(), bytes(case, "envelope"));
}

#[test]
fn known_envelopes_open() {
    for case in cases("sealed") {
        let share = Share::parse(&bytes(case, "share")).unwrap();
        let opened = open(&bytes(case, "envelope"), &share, &roots_of(case)).unwrap();
        assert_eq!(credential(&opened), bytes(case, "credential"), "{}", case["name"]);
        assert_eq!(opened.contents(), &contents_of(case));
        assert_eq!(opened.header().generation, number(case, "generation"));
        assert_eq!(u64::from(opened.epoch()), number(case, "epoch"));
    }
}

#[test]
fn known_rewraps_give_the_same_bytes() {
    for case in cases("rewrapped") {
        let given = case["roots"].as_array().unwrap();
        let root_of = |at: &Value| Secret::copied(&hex(at[1].as_str().unwrap()).try_into().unwrap());
        let last = u32::try_from(given[1][0].as_u64().unwrap()).unwrap();
        let mut roots = Roots::new(1, &root_of(&given[0])).unwrap();
        // The epochs between are of no account.
        (2..last).for_each(|epoch| roots.add(Class::Any, epoch, &root(epoch)).unwrap());
        roots.add(Class::Any, last, &root_of(&given[1])).unwrap();

        let nonce = bytes(case, "nonce");
        let mut entropy = Replay(nonce.repeat(64));
        let mut envelope = bytes(case, "from");
        Rewrapper::new(&roots, &mut entropy).rewrap(&mut envelope).unwrap();
        assert_eq!(envelope, bytes(case, "envelope"), "{}", case["name"]);
    }
}

#[test]
fn known_bad_envelopes_are_refused_each_for_its_reason() {
    for case in cases("refused") {
        let of = |class| ClassRoots::new(class, 1, &secret(case, "root")).unwrap();
        let roots = Roots::collect([of(Class::Any), of(Class::Delayed), of(Class::Owner)]).unwrap();
        let share = Share::parse(&bytes(case, "share")).unwrap();
        let fault = open(&bytes(case, "envelope"), &share, &roots).unwrap_err();
        assert_eq!(fault.refusal().code(), case["refusal"].as_str().unwrap(), "{}", case["name"]);
    }
}

#[test]
fn refusals_outnumber_known_answers() {
    assert!(cases("refused").len() > cases("sealed").len() + cases("rewrapped").len());
}

#[test]
fn the_payload_is_the_canonical_cbor_of_the_specification() {
    for case in cases("sealed") {
        let cbor = bytes(case, "payload");
        let mut padded = u32::try_from(cbor.len()).unwrap().to_be_bytes().to_vec();
        padded.extend_from_slice(&cbor);
        padded.resize(padding::bucket(cbor.len()), 0);
        let payload = payload::parse(&padded).unwrap();
        assert_eq!(payload.to_bytes(), cbor);
    }
}

/// Entropy that was written down.
struct Replay(Vec<u8>);

impl Entropy for Replay {
    fn fill(&mut self, out: &mut [u8]) -> Result<(), NoEntropy> {
        if self.0.len() < out.len() {
            return Err(NoEntropy);
        }
        let rest = self.0.split_off(out.len());
        out.copy_from_slice(&self.0);
        self.0 = rest;
        Ok(())
    }
}

fn cases(group: &str) -> &'static [Value] {
    static FILE: std::sync::LazyLock<Value> = std::sync::LazyLock::new(|| {
        serde_json::from_str(include_str!("../../../../../vectors/envelope.json")).unwrap()
    });
    let cases = FILE[group].as_array().unwrap();
    assert!(!cases.is_empty());
    cases
}

fn contents_of(case: &Value) -> Contents {
    let owners = case["owners"].as_array().unwrap().iter();
    Contents {
        exchange: case["exchange"].as_str().unwrap().to_owned(),
        owners: owners.map(|key| OwnerKey::from_bytes(&hex(key.as_str().unwrap())).unwrap()).collect(),
        finding: Finding::from_bytes(&bytes(case, "finding")).unwrap(),
        created: UnixMillis(number(case, "created")),
    }
}

fn roots_of(case: &Value) -> Roots {
    let (class, epoch) = (class(case), u32::try_from(number(case, "epoch")).unwrap());
    let given = ClassRoots::new(class, epoch, &secret(case, "root")).unwrap();
    if class.is_any() {
        return Roots::collect([given]).unwrap();
    }
    // The class that every enclave has, under another root.
    Roots::collect([ClassRoots::new(Class::Any, epoch, &root(epoch)).unwrap(), given]).unwrap()
}

fn class(case: &Value) -> Class {
    Class::parse(case["class"].as_str().unwrap()).unwrap()
}

fn secret(case: &Value, field: &str) -> Secret<32> {
    Secret::copied(&bytes(case, field).try_into().unwrap())
}

fn number(case: &Value, field: &str) -> u64 {
    case[field].as_u64().unwrap()
}

fn bytes(case: &Value, field: &str) -> Vec<u8> {
    hex(case[field].as_str().unwrap())
}

fn hex(text: &str) -> Vec<u8> {
    text.as_bytes()
        .chunks(2)
        .map(|pair| u8::from_str_radix(core::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}
