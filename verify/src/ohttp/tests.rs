//! Crate `ohttp` as the peer in both roles (over ChaCha20-Poly1305: it has no AES-256-GCM, and keys and nonces are as
//! long), known answers of an independent script, and refusals.

use super::*;
use crate::bhttp;
use crate::testing::{unhex, vector};
use ::ohttp::hpke::{Aead, Kdf, Kem};
use ::ohttp::{ClientRequest, KeyConfig, Server, SymmetricSuite};
use proptest::prelude::*;
use serde_json::Value;
use wire::Canonical;
use wire::evidence::Hash;
use wire::moving::{Capsule, info};

/// The key configuration of RFC 9458 §3.1 for one recipient.
fn key_configuration(recipient: &Recipient) -> Vec<u8> {
    let suite = recipient.public_key().suite();
    let symmetric = [suite.kdf.to_be_bytes(), suite.aead.to_be_bytes()].concat();
    let length = u16::try_from(symmetric.len()).unwrap().to_be_bytes();
    let kem = suite.kem.to_be_bytes();
    [&[recipient.id()], kem.as_slice(), recipient.public_key().bytes(), &length, &symmetric].concat()
}

fn peer_client_is_answered(recipient: &Recipient) {
    ::ohttp::init();
    let client = ClientRequest::from_encoded_config(&key_configuration(recipient)).unwrap();
    let (request, response) = client.encapsulate(b"a request of the peer").unwrap();
    let opened = open_request([recipient], &request).unwrap();
    assert_eq!(opened.plaintext.as_slice(), b"a request of the peer");
    let reply = opened.reply.seal(b"our reply").unwrap();
    assert_eq!(response.decapsulate(&reply).unwrap(), b"our reply");
}

fn peer_server_answers(kem: Kem, parse: impl Fn(&[u8]) -> PublicKey) {
    ::ohttp::init();
    let suites = vec![SymmetricSuite::new(Kdf::HkdfSha256, Aead::ChaCha20Poly1305)];
    let server = Server::new(KeyConfig::new(3, kem, suites).unwrap()).unwrap();
    let configuration = server.config().encode().unwrap();
    let public = parse(&configuration[3..configuration.len() - 6]);
    let sealer = Sealer::dangerous_unverified(3, &public).unwrap();
    let (request, opener) = sealer.seal(b"our request").unwrap();
    let (plaintext, response) = server.decapsulate(&request).unwrap();
    assert_eq!(plaintext, b"our request");
    let reply = response.encapsulate(b"a reply of the peer").unwrap();
    assert_eq!(opener.open(&reply).unwrap().as_slice(), b"a reply of the peer");
}

#[test]
fn we_answer_a_client_of_crate_ohttp_over_x_wing() {
    peer_client_is_answered(&Recipient::new(9, RecipientKey::generate().unwrap().with_chacha()).unwrap());
}

#[test]
fn we_answer_a_client_of_crate_ohttp_over_x25519() {
    peer_client_is_answered(&Recipient::new(9, RecipientKey::x25519(&[5; 32]).with_chacha()).unwrap());
}

#[test]
fn a_server_of_crate_ohttp_answers_us_over_x_wing() {
    peer_server_answers(Kem::XWing, |bytes| PublicKey::x_wing(bytes).unwrap().with_chacha());
}

#[test]
fn a_server_of_crate_ohttp_answers_us_over_x25519() {
    peer_server_answers(Kem::X25519Sha256, |bytes| PublicKey::x25519(bytes).with_chacha());
}

#[test]
fn known_answers_of_the_independent_script_come_out() {
    let file: Value = serde_json::from_slice(&vector("sealing/ohttp.json")).unwrap();
    let cases = file["cases"].as_array().unwrap();
    assert_eq!(cases.len(), 4);
    for case in cases {
        let bytes = |key: &str| unhex(case[key].as_str().unwrap());
        let key = RecipientKey::x_wing_from_seeds(&bytes("ml_kem_seed"), &bytes("x25519_private"));
        assert_eq!(key.public_key().bytes(), bytes("public"));
        let id = u8::try_from(case["key_id"].as_u64().unwrap()).unwrap();
        let recipient = Recipient::new(id, key).unwrap();
        let opened = open_request([&recipient], &bytes("encapsulated_request")).unwrap();
        assert_eq!(opened.plaintext.to_vec(), bytes("request"));
        assert_eq!(opened.key_id, id);
        assert_eq!(opened.encapsulated_key_hash.to_vec(), bytes("enc_sha256"));
        assert_eq!(opened.reply.0.secret.to_vec(), bytes("exported"));
        let response_nonce = bytes("response_nonce").try_into().unwrap();
        let reply = opened.reply.seal_with(&response_nonce, &bytes("response")).unwrap();
        assert_eq!(reply, bytes("encapsulated_response"));
    }
    for pair in file["padding"].as_array().unwrap() {
        let number = |at: usize| usize::try_from(pair[at].as_u64().unwrap()).unwrap();
        assert_eq!(crate::padding::padded(number(0)), number(1));
    }
}

#[test]
fn a_request_and_its_reply_make_the_round_trip() {
    let recipients = [Recipient::generate(1).unwrap(), Recipient::generate(2).unwrap()];
    for recipient in &recipients {
        let sealer = Sealer::dangerous_unverified(recipient.id(), recipient.public_key()).unwrap();
        let hash = sealer.encapsulated_key_hash();
        let (request, opener) = sealer.seal(b"request").unwrap();
        assert_eq!(claimed_key_id(&request), Some(recipient.id()));
        let opened = open_request(&recipients, &request).unwrap();
        assert_eq!((opened.key_id, opened.encapsulated_key_hash), (recipient.id(), hash));
        assert_eq!(opened.plaintext.as_slice(), b"request");
        let reply = opened.reply.seal(b"reply").unwrap();
        assert_eq!(opener.open(&reply).unwrap().as_slice(), b"reply");
    }
}

#[test]
fn m26_a_bodyless_request_is_sealed_like_any_other() {
    let recipient = Recipient::generate(1).unwrap();
    let seal = |request: bhttp::Request| {
        let sealer = Sealer::dangerous_unverified(1, recipient.public_key()).unwrap();
        sealer.seal(&request.to_padded_bytes().unwrap()).unwrap().0
    };
    let mut get = bhttp::Request::post("/v1/secret-path", Vec::new().into());
    get.method = "GET".to_owned();
    get.fields = vec![bhttp::Field::new("x-secret-field", "secret-value")];
    let bodyless = seal(get);
    let with_body = seal(bhttp::Request::post("/v1/request", vec![7; 300].into()));
    assert_eq!(bodyless.len(), with_body.len(), "the length does not tell them apart");
    for clear in ["GET", "secret-path", "secret-field", "secret-value"] {
        assert!(!bodyless.windows(clear.len()).any(|part| part == clear.as_bytes()), "{clear} in clear");
    }
    let opened = open_request([&recipient], &bodyless).unwrap();
    assert_eq!(bhttp::Request::from_bytes(&opened.plaintext).unwrap().path, "/v1/secret-path");
}

#[test]
fn errors_have_the_length_of_short_replies() {
    let sealed_bytes = |content: Vec<u8>, status| {
        let recipient = Recipient::generate(1).unwrap();
        let sealer = Sealer::dangerous_unverified(1, recipient.public_key()).unwrap();
        let (request, _) = sealer.seal(b"request").unwrap();
        let reply = bhttp::Response::new(status, content.into()).to_padded_bytes().unwrap();
        open_request([&recipient], &request).unwrap().reply.seal(&reply).unwrap().len()
    };
    assert_eq!(sealed_bytes(Vec::new(), 400), sealed_bytes(vec![1; 400], 200));
}

#[test]
fn a_request_for_another_key_or_suite_is_refused() {
    let recipient = Recipient::generate(1).unwrap();
    let (request, _) =
        Sealer::dangerous_unverified(1, recipient.public_key()).unwrap().seal(b"request").unwrap();
    for at in 0..HEADER_BYTES {
        let mut altered = request.clone();
        altered[at] ^= 1;
        assert_eq!(open_request([&recipient], &altered).err(), Some(Error::UnknownKey));
    }
    assert_eq!(open_request([], &request).err(), Some(Error::UnknownKey));
    let other = Recipient::generate(1).unwrap();
    let refused = open_request([&other], &request).err();
    assert_eq!(refused, Some(Error::Hpke(hpke::Error::Open)), "another enclave with the same key id");
}

#[test]
fn a_reply_opens_only_for_its_request() {
    let recipient = Recipient::generate(1).unwrap();
    let ask = || Sealer::dangerous_unverified(1, recipient.public_key()).unwrap().seal(b"request").unwrap();
    let ((request, opener), (_, other_opener)) = (ask(), ask());
    let reply = open_request([&recipient], &request).unwrap().reply.seal(b"reply").unwrap();
    assert_eq!(other_opener.open(&reply).err(), Some(Error::Hpke(hpke::Error::Open)));
    for at in 0..reply.len() {
        let mut altered = reply.clone();
        altered[at] ^= 1;
        assert!(opener.open(&altered).is_err(), "byte {at}");
    }
    assert!(opener.open(&reply).is_ok());
}

#[test]
fn a_truncated_or_overlong_message_is_refused_before_any_work() {
    let recipient = Recipient::generate(1).unwrap();
    let (request, opener) =
        Sealer::dangerous_unverified(1, recipient.public_key()).unwrap().seal(b"request").unwrap();
    for length in 0..request.len() {
        assert!(open_request([&recipient], &request[..length]).is_err());
    }
    assert_eq!(open_request([&recipient], &vec![0; MAX_BYTES + 1]).err(), Some(Error::TooLong));
    assert_eq!(opener.open(&vec![0; MAX_BYTES + 1]).err(), Some(Error::TooLong));
    assert_eq!(opener.open(&[0; 31]).err(), Some(Error::Truncated));
}

#[test]
fn sealers_and_openers_print_nothing() {
    let recipient = Recipient::generate(1).unwrap();
    let sealer = Sealer::dangerous_unverified(1, recipient.public_key()).unwrap();
    assert_eq!(format!("{sealer:?} {recipient:?}"), "Sealer(..) Recipient(..)");
    let (request, opener) = sealer.seal(b"request").unwrap();
    let opened = open_request([&recipient], &request).unwrap();
    assert_eq!(
        format!("{opener:?} {opened:?} {:?}", opened.reply),
        "ReplyOpener(..) Opened(..) ReplySealer(..)"
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn no_bytes_make_the_opener_panic(bytes in proptest::collection::vec(any::<u8>(), 0..2048)) {
        let recipient = Recipient::new(9, RecipientKey::x25519(&[5; 32])).unwrap();
        prop_assert!(open_request([&recipient], &bytes).is_err());
        let framed = [recipient.header.as_slice(), &bytes].concat();
        prop_assert!(open_request([&recipient], &framed).is_err());
    }
}

#[test]
fn the_scripts_capsules_open_for_their_envelope_and_document_and_for_no_other() {
    let file: Value = serde_json::from_slice(&vector("moving.json")).unwrap();
    let cases = file["cases"].as_array().unwrap();
    assert_eq!(cases.len(), 2);
    for case in cases {
        let bytes = |key: &str| unhex(case[key].as_str().unwrap());
        let key = RecipientKey::x_wing_from_seeds(&bytes("ml_kem_seed"), &bytes("x25519_private"));
        assert_eq!(key.public_key().bytes(), bytes("public"));
        let capsule = bytes("capsule");
        let capsule = Capsule::from_bytes(&capsule).unwrap();
        let recipient = Recipient::new(capsule.key, key).unwrap();
        let (payload, identity) = (Hash(bytes("payload").try_into().unwrap()), sha256(&bytes("identity")));
        let open = |payload: &Hash, identity: &[u8; 32]| {
            recipient.open_message(&info(payload, identity), &capsule.encapsulated, &capsule.ciphertext)
        };
        assert_eq!(info(&payload, &identity), bytes("info"));
        assert_eq!(open(&payload, &identity).unwrap().to_vec(), bytes("inner"));
        assert!(open(&Hash([1; 32]), &identity).is_err());
        assert!(open(&payload, &[1; 32]).is_err());
        // A request is sealed under another name, and so is a capsule.
        assert!(recipient.open(&[capsule.encapsulated.as_slice(), &capsule.ciphertext].concat()).is_err());
    }
}
