//! RFC 9180's and the X-Wing draft's own vectors, independent peers in both directions, and refusals.

use super::schedule::labeled_extract;
use super::*;
use crate::testing::{unhex, vector};
use ::hpke::aead::AesGcm256;
use ::hpke::kdf::HkdfSha256;
use ::hpke::{Deserializable, Kem, OpModeR, OpModeS, Serializable, setup_receiver, setup_sender};
use serde_json::Value;
use wire::Canonical;

const INFO: &[u8] = b"info of the tests";

impl PublicKey {
    pub(crate) fn x25519(bytes: &[u8]) -> PublicKey {
        PublicKey { suite: x25519::SUITE, kind: PublicKind::X25519(x25519::PublicKey::parse(bytes)) }
    }

    /// The same key under a suite with ChaCha20-Poly1305.
    pub(crate) fn with_chacha(mut self) -> PublicKey {
        self.suite.aead = 0x0003;
        self
    }
}

impl RecipientKey {
    pub(crate) fn x25519(private: &[u8]) -> RecipientKey {
        let private = x25519::PrivateKey::parse(private);
        let public = PublicKey::x25519(&private.public_bytes());
        RecipientKey { kind: PrivateKind::X25519(private), public }
    }

    pub(crate) fn with_chacha(self) -> RecipientKey {
        RecipientKey { public: self.public.with_chacha(), ..self }
    }

    /// An X-Wing key from ML-KEM's seed (d ‖ z) and the X25519 private key.
    pub(crate) fn x_wing_from_seeds(ml_kem_seed: &[u8], x25519: &[u8]) -> RecipientKey {
        let (expanded, public) = expand_ml_kem(ml_kem_seed);
        let private = xwing::PrivateKey::from_parts(&expanded, x25519, &public);
        let public = PublicKey::x_wing(private.public_bytes()).unwrap();
        RecipientKey { kind: PrivateKind::XWing(Box::new(private)), public }
    }
}

#[expect(deprecated, reason = "the expanded form is the one that the library under test reads")]
fn expand_ml_kem(seed: &[u8]) -> (Vec<u8>, Vec<u8>) {
    use ml_kem::{DecapsulationKey768, ExpandedKeyEncoding, KeyExport};
    let key = DecapsulationKey768::from_seed(seed.try_into().unwrap());
    (key.to_expanded_bytes().to_vec(), key.encapsulation_key().to_bytes().to_vec())
}

fn x_wing_info() -> Info {
    Info::new(wire::identity::SUITE, INFO).unwrap()
}

fn text<'v>(value: &'v Value, key: &str) -> &'v str {
    value[key].as_str().unwrap_or_else(|| panic!("{key} is a string"))
}

/// RFC 9180 appendix A.1.1. Its AEAD is AES-128-GCM, which is not implemented here: everything up to the AEAD key
/// (which depends on the key's length) is compared.
#[test]
fn the_key_schedule_gives_the_values_of_rfc_9180_appendix_a_1_1() {
    let suite = Suite { kem: 0x0020, kdf: 0x0001, aead: 0x0001 };
    assert_eq!(
        aead_key(suite, &[0; 32]).err(),
        Some(Error::PublicKey),
        "AES-128-GCM is in the vector and nowhere else"
    );
    let info = Info::new(suite, &unhex("4f6465206f6e2061204772656369616e2055726e")).unwrap();
    let recipient =
        x25519::PrivateKey::parse(&unhex("4612c550263fc8ad58375df3f557aac531d26850903e55a9f23f21d8534e8ac8"));
    let ephemeral =
        x25519::PrivateKey::parse(&unhex("52c4a758a802cd8b936eceea314432798d5baf2d7e9235dc084ab1b9cfa2f736"));
    let shared = unhex("fe0e18c9f024ce43799ae393c7e8fe8fce9d218875e8227b0187c04e7d2ea1fc");
    let enc = unhex("37fda3567bdbd628e88668c3c8d7e97d1d1253b6d4ea6d44c150f741f1bf4431");

    let public = x25519::PublicKey::parse(&recipient.public_bytes());
    let (encapsulated, sent) = public.encapsulate_with(&ephemeral).unwrap();
    let received = recipient.decapsulate(&enc).unwrap();
    assert_eq!(encapsulated, enc);
    assert_eq!(sent.to_vec(), shared);
    assert_eq!(received.to_vec(), shared);

    let secret = labeled_extract(b"HPKE\x00\x20\x00\x01\x00\x01", &shared, b"secret", b"").unwrap();
    assert_eq!(secret.to_vec(), unhex("12fff91991e93b48de37e7daddb52981084bd8aa64289c3788471d9a9712f397"));
    let keys = info.derive_secrets(&received).unwrap();
    assert_eq!(keys.base_nonce.to_vec(), unhex("56d890e5accaaf011cff4b7d"));
    for (context, value) in [
        ("", "3853fe2b4035195a573ffc53856e77058e15d9ea064de3e59f4961d0095250ee"),
        ("00", "2e8f0b54673c7029649d4eb9d5e33bf1872cf76d623ff164ac185da9e88c21a5"),
        ("54657374436f6e74657874", "e9e43065102c3836401bed8c3c3c75ae46be1639869391d62c61f1ec7af54931"),
    ] {
        let mut exported = [0; 32];
        keys.exporter.export(&unhex(context), &mut exported).unwrap();
        assert_eq!(exported.to_vec(), unhex(value), "exporter context {context:?}");
    }
}

#[test]
fn x_wing_decapsulates_the_vectors_of_the_draft() {
    let file: Value = serde_json::from_slice(&vector("sealing/xwing.json")).unwrap();
    let vectors = file["vectors"].as_array().unwrap();
    assert_eq!(vectors.len(), 3);
    for vector in vectors {
        let expanded = unhex(text(vector, "expanded"));
        let (ml_kem_seed, x25519) = expanded.split_at(64);
        let key = RecipientKey::x_wing_from_seeds(ml_kem_seed, x25519);
        assert_eq!(key.public_key().bytes(), unhex(text(vector, "pk")));
        let PrivateKind::XWing(private) = &key.kind else { panic!("an X-Wing key") };
        let shared = private.decapsulate(&unhex(text(vector, "ct"))).unwrap();
        assert_eq!(shared.to_vec(), unhex(text(vector, "ss")));
    }
}

#[test]
fn crate_hpke_opens_what_we_seal_with_x_wing() {
    peer_opens::<::hpke::kem::XWing>(|bytes| PublicKey::x_wing(bytes).unwrap(), wire::identity::SUITE);
}

#[test]
fn we_open_what_crate_hpke_seals_with_x_wing() {
    peer_seals::<::hpke::kem::XWing>(&RecipientKey::generate().unwrap());
}

#[test]
fn crate_hpke_opens_what_we_seal_with_x25519() {
    peer_opens::<::hpke::kem::X25519HkdfSha256>(PublicKey::x25519, x25519::SUITE);
}

#[test]
fn we_open_what_crate_hpke_seals_with_x25519() {
    peer_seals::<::hpke::kem::X25519HkdfSha256>(&RecipientKey::x25519(&[7; 32]));
}

fn peer_opens<K: Kem>(parse: impl Fn(&[u8]) -> PublicKey, suite: Suite) {
    let (private, public) = K::gen_keypair();
    let ours = parse(&public.to_bytes());
    let (enc, mut sender) = ours.setup_sender(&Info::new(suite, INFO).unwrap()).unwrap();
    let encapped = K::EncappedKey::from_bytes(&enc).unwrap();
    let mut receiver =
        setup_receiver::<AesGcm256, HkdfSha256, K>(&OpModeR::Base, &private, &encapped, INFO).unwrap();
    for number in 0..3u8 {
        let sealed = sender.seal(&[number], b"plaintext").unwrap();
        assert_eq!(receiver.open(&sealed, &[number]).unwrap(), b"plaintext");
    }
    let (mut sent, mut received) = ([0; 77], [0; 77]);
    sender.export(b"context", &mut sent).unwrap();
    receiver.export(b"context", &mut received).unwrap();
    assert_eq!(sent, received);
}

fn peer_seals<K: Kem>(key: &RecipientKey) {
    let public = K::PublicKey::from_bytes(key.public_key().bytes()).unwrap();
    let (encapped, mut sender) =
        setup_sender::<AesGcm256, HkdfSha256, K>(&OpModeS::Base, &public, INFO).unwrap();
    let info = Info::new(key.public_key().suite(), INFO).unwrap();
    let mut recipient = key.setup_recipient(&encapped.to_bytes(), &info).unwrap();
    for number in 0..3u8 {
        let sealed = sender.seal(b"plaintext", &[number]).unwrap();
        assert_eq!(recipient.open(&[number], &sealed).unwrap().as_slice(), b"plaintext");
    }
    let (mut sent, mut received) = ([0; 32], [0; 32]);
    sender.export(b"context", &mut sent).unwrap();
    recipient.export(b"context", &mut received).unwrap();
    assert_eq!(sent, received);
}

#[test]
fn m24_a_non_contributory_x25519_share_is_refused() {
    // The points of order 1, 2, 4 and 8, whose product with any scalar of a key is zero (RFC 7748 §6.1).
    let low_order = [
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000000",
        "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
        "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    ];
    let key = RecipientKey::generate().unwrap();
    let (enc, _) = key.public_key().setup_sender(&x_wing_info()).unwrap();
    for point in low_order.map(unhex) {
        let mut enc = enc.clone();
        enc[1088..].copy_from_slice(&point);
        let refused = key.setup_recipient(&enc, &x_wing_info()).err();
        assert_eq!(refused, Some(Error::EncapsulatedKey), "a recipient accepts {point:02x?}");

        let mut public = key.public_key().bytes().to_vec();
        public[1184..].copy_from_slice(&point);
        let public = PublicKey::x_wing(&public).unwrap();
        let refused = public.setup_sender(&x_wing_info()).err();
        assert_eq!(refused, Some(Error::PublicKey), "a sender accepts {point:02x?}");
    }
}

#[test]
fn m25_two_messages_never_share_a_key_and_nonce() {
    let key = RecipientKey::generate().unwrap();
    let (first_enc, mut first) = key.public_key().setup_sender(&x_wing_info()).unwrap();
    let (second_enc, mut second) = key.public_key().setup_sender(&x_wing_info()).unwrap();
    assert_ne!(first_enc, second_enc, "every message is encapsulated afresh");
    let sealed = first.seal(b"", b"plaintext").unwrap();
    assert_ne!(sealed, second.seal(b"", b"plaintext").unwrap());
    assert_ne!(sealed, first.seal(b"", b"plaintext").unwrap(), "the sequence moves on");
    // Base mode is the only one: what a peer seals in another mode does not open.
    let (private, public) = ::hpke::kem::X25519HkdfSha256::gen_keypair();
    let recipient = RecipientKey::x25519(&[9; 32]);
    let to = Deserializable::from_bytes(recipient.public_key().bytes()).unwrap();
    let mode = OpModeS::<::hpke::kem::X25519HkdfSha256>::Auth((private, public));
    let (enc, mut sender) =
        setup_sender::<AesGcm256, HkdfSha256, ::hpke::kem::X25519HkdfSha256>(&mode, &to, INFO).unwrap();
    let sealed = sender.seal(b"plaintext", b"").unwrap();
    let info = Info::new(x25519::SUITE, INFO).unwrap();
    let mut context = recipient.setup_recipient(&enc.to_bytes(), &info).unwrap();
    assert_eq!(context.open(b"", &sealed).err(), Some(Error::Open));
}

#[test]
fn a_message_opens_only_unchanged_in_order_and_with_its_info_and_aad() {
    let key = RecipientKey::generate().unwrap();
    let (enc, mut sender) = key.public_key().setup_sender(&x_wing_info()).unwrap();
    let sealed = sender.seal(b"aad", b"plaintext").unwrap();
    let next = sender.seal(b"aad", b"plaintext").unwrap();
    let mut context = key.setup_recipient(&enc, &x_wing_info()).unwrap();
    assert_eq!(context.open(b"aad", &next).err(), Some(Error::Open), "out of order");
    assert_eq!(context.open(b"other", &sealed).err(), Some(Error::Open), "other associated data");
    for at in 0..sealed.len() {
        let mut altered = sealed.clone();
        altered[at] ^= 1;
        assert_eq!(context.open(b"aad", &altered).err(), Some(Error::Open), "byte {at}");
    }
    for length in 0..sealed.len() {
        assert_eq!(context.open(b"aad", &sealed[..length]).err(), Some(Error::Open));
    }
    assert_eq!(context.open(b"aad", &sealed).unwrap().as_slice(), b"plaintext", "refusals change nothing");
    assert_eq!(context.open(b"aad", &sealed).err(), Some(Error::Open), "a message opens once");

    let other = Info::new(wire::identity::SUITE, b"other").unwrap();
    let mut context = key.setup_recipient(&enc, &other).unwrap();
    assert_eq!(context.open(b"aad", &sealed).err(), Some(Error::Open));
    let other_suite = Info::new(x25519::SUITE, INFO).unwrap();
    assert_eq!(key.setup_recipient(&enc, &other_suite).err(), Some(Error::PublicKey));
}

#[test]
fn keys_of_another_length_are_refused() {
    let key = RecipientKey::generate().unwrap();
    let public = key.public_key().bytes();
    for length in [0, 32, 1184, 1215] {
        assert_eq!(PublicKey::x_wing(&public[..length]).err(), Some(Error::PublicKey));
    }
    assert_eq!(PublicKey::x_wing(&[public, &[0]].concat()).err(), Some(Error::PublicKey));
    assert_eq!(PublicKey::parse(x25519::SUITE, &[1; 32]).err(), Some(Error::PublicKey));
    for length in [0, 32, 1088, 1119, 1121] {
        let refused = key.setup_recipient(&vec![1; length], &x_wing_info()).err();
        assert_eq!(refused, Some(Error::EncapsulatedKey));
    }
}

#[test]
fn keys_and_contexts_print_nothing() {
    let key = RecipientKey::generate().unwrap();
    let (enc, sender) = key.public_key().setup_sender(&x_wing_info()).unwrap();
    let recipient = key.setup_recipient(&enc, &x_wing_info()).unwrap();
    let printed = format!("{key:?} {sender:?} {recipient:?}");
    assert_eq!(printed, "RecipientKey(..) SenderContext(..) RecipientContext(..)");
}

#[test]
fn the_scripts_grant_shares_open_for_their_grant_and_for_no_other() {
    let file: Value = serde_json::from_slice(&vector("grants.json")).unwrap();
    for case in file["cases"].as_array().unwrap() {
        let bytes = |key: &str| unhex(case[key].as_str().unwrap());
        let key = RecipientKey::x_wing_from_seeds(&bytes("ml_kem_seed"), &bytes("x25519_private"));
        assert_eq!(key.public_key().bytes(), bytes("public"));
        let made = bytes("made");
        let made = wire::grant::Made::from_bytes(&made).unwrap();
        let open = |info: &[u8]| {
            let info = Info::new(wire::identity::SUITE, info).unwrap();
            key.setup_recipient(&made.encapsulated, &info).unwrap().open(b"", &made.ciphertext)
        };
        assert_eq!(open(&bytes("info")).unwrap().to_vec(), bytes("share"));
        let id = wire::GrantId(bytes("id").try_into().unwrap());
        assert!(open(&wire::grant::share_info(id, &[1; 32])).is_err(), "wider terms under the same id");
    }
}
