//! Known answers that an independent script made from `docs/spec/{protocol,requests,receipts}.md`.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may fail loudly")]

mod grants;
mod moving;
mod rotation;

use crate::egress;
use crate::entropy::{Entropy, NoEntropy};
use crate::hash::sha256;
use crate::owner::Signed;
use crate::receipts::ReceiptKey;
use minicbor::bytes::ByteSlice;
use serde_json::Value;
use wire::capability::Finding;
use wire::identity::Environment;
use wire::operation::{Balances, Op};
use wire::owner::{OwnerKey, OwnerRole, owner_set_transcript};
use wire::receipt::Receipt;
use wire::request::{Authorised, SignedRequest};
use wire::transcript::{Transcript, domain};
use wire::{Canonical, Identity, Refusal, UnixMillis};

fn vectors() -> Value {
    serde_json::from_str(include_str!("../../../vectors/protocol.json")).unwrap()
}

fn bytes(value: &Value) -> Vec<u8> {
    let text = value.as_str().unwrap();
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}

fn owners(vectors: &Value) -> Vec<OwnerKey> {
    let keys = vectors["owners"]["keys"].as_array().unwrap();
    keys.iter().map(|key| OwnerKey::from_bytes(&bytes(&key["encoded"])).unwrap()).collect()
}

/// The script's receipt key.
struct Seed(Vec<u8>);

impl Entropy for Seed {
    fn fill(&mut self, out: &mut [u8]) -> Result<(), NoEntropy> {
        out.copy_from_slice(&self.0);
        Ok(())
    }
}

#[test]
fn owner_keys_and_sets_have_the_names_of_the_specification() {
    let vectors = vectors();
    let owners = owners(&vectors);
    for (key, expected) in owners.iter().zip(vectors["owners"]["keys"].as_array().unwrap()) {
        assert_eq!(key.public, bytes(&expected["public"]));
        assert_eq!(key.to_bytes(), bytes(&expected["encoded"]));
        assert_eq!(sha256(&key.transcript()).to_vec(), bytes(&expected["name"]));
    }
    assert_eq!(sha256(&owner_set_transcript(&owners)).to_vec(), bytes(&vectors["owners"]["set"]));
}

#[test]
fn the_scripts_signatures_authorise_its_request_and_no_other() {
    let vectors = vectors();
    let encoded = bytes(&vectors["request"]["authorised"]);
    let message = Authorised::from_bytes(&encoded).unwrap();
    assert_eq!(message.request.to_vec(), bytes(&vectors["request"]["encoded"]));
    assert_eq!(sha256(message.request).to_vec(), bytes(&vectors["request"]["hash"]));
    let owners = owners(&vectors);
    let known: Vec<&OwnerKey> = owners.iter().collect();
    let signed = Signed::check(message.request, &message.signatures, &known, &[]).unwrap();
    for role in [OwnerRole::Device, OwnerRole::Second] {
        assert!(signed.by_role(&owners, role));
    }
    let mut other = message.request.to_vec();
    for at in 0..other.len() {
        other[at] ^= 1;
        let refused = Signed::check(&other, &message.signatures, &known, &[]).err();
        assert_eq!(refused, Some(Refusal::NotAuthorised));
        other[at] ^= 1;
    }
}

#[test]
fn every_altered_byte_of_a_signature_is_refused() {
    let vectors = vectors();
    let encoded = bytes(&vectors["request"]["authorised"]);
    let message = Authorised::from_bytes(&encoded).unwrap();
    let owners = owners(&vectors);
    let known: Vec<&OwnerKey> = owners.iter().collect();
    for signature in &message.signatures {
        let mut altered = signature.to_vec();
        for at in 0..altered.len() {
            altered[at] ^= 1;
            let alone: &ByteSlice = altered.as_slice().into();
            assert!(Signed::check(message.request, &[alone], &known, &[]).is_err(), "byte {at}");
            altered[at] ^= 1;
        }
    }
}

#[test]
fn the_scripts_request_is_read_as_it_was_written() {
    let vectors = vectors();
    let encoded = bytes(&vectors["request"]["encoded"]);
    let request = SignedRequest::from_bytes(&encoded).unwrap();
    assert_eq!((request.version, request.op, request.key, request.last_counter), (1, Op::Balances, 7, 3));
    assert_eq!(Balances::from_bytes(request.args).unwrap().currency, "EUR");
    assert_eq!(request.issued, UnixMillis(1_795_305_600_000));
    assert_eq!(request.expires, request.issued.plus(60_000));
    assert_eq!((request.identity, request.encapsulated), ([0x1d; 32], [0xec; 32]));
    assert_eq!(request.last_receipt, Some([0x3e; 32]));
    assert_eq!(request.to_bytes(), encoded);
}

#[test]
fn receipts_and_findings_are_the_scripts_byte_for_byte() {
    let vectors = vectors();
    let receipts = &vectors["receipts"];
    let key = ReceiptKey::make(&mut Seed(bytes(&receipts["seed"]))).unwrap();
    assert_eq!(key.public().to_vec(), bytes(&receipts["key"]));
    for case in receipts["cases"].as_array().unwrap() {
        let receipt = Receipt::from_bytes(&bytes(&case["payload"])).unwrap();
        let (signed, hash) = key.sign_receipt(&receipt);
        assert_eq!(signed, bytes(&case["signed"]));
        assert_eq!(hash.to_vec(), bytes(&case["hash"]));
    }
    let finding = Finding::from_bytes(&bytes(&vectors["finding"]["payload"])).unwrap();
    assert_eq!(key.sign_finding(&finding), bytes(&vectors["finding"]["signed"]));
}

#[test]
fn the_identity_is_the_scripts_byte_for_byte() {
    let vectors = vectors();
    let expected = &vectors["identity"];
    let encoded = bytes(&expected["encoded"]);
    let identity = Identity::from_bytes(&encoded).unwrap();
    assert_eq!(identity.to_bytes(), encoded);
    assert_eq!(sha256(&encoded).to_vec(), bytes(&expected["hash"]));
    let root = bytes(&expected["sandbox_root"]);
    let transcript = Transcript::new(domain::SANDBOX).field(&root).field(egress::SANDBOX_DOMAIN.as_bytes());
    assert_eq!(identity.environment, Environment::Sandbox(sha256(&transcript.bytes())));
}
