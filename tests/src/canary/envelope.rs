//! A second implementation of opening an envelope, from `docs/spec/envelope.md` alone.
//!
//! A data key never leaves the enclave, so that nobody could search for it: who has root and share, as only a test
//! does, learns it here. It shares no code with the enclave beyond the cryptographic library.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::hkdf::{HKDF_SHA256, Salt};
use wire::Canonical;
use wire::envelope::{Envelope, Header, Purpose};

/// After the epoch come `01 4c ‹12 bytes› 02 58 4c ‹76 bytes›`: what the outer wrap's AAD leaves out.
const AFTER_EPOCH: usize = 2 + 12 + 3 + 76;
const NONCE: usize = 12;

/// All that is secret in an envelope, and the keys on the way to it.
pub struct Unwrapped {
    pub data_key: [u8; 32],
    pub root_wrap_key: [u8; 32],
    pub share_wrap_key: [u8; 32],
    pub payload_key: [u8; 32],
    /// The padded payload.
    pub payload: Vec<u8>,
}

/// Opens canonical bytes. `None`: they do not open with this root and share.
pub fn unwrap(envelope: &[u8], root: &[u8; 32], share: &[u8; 32]) -> Option<Unwrapped> {
    let parsed = Envelope::from_bytes(envelope).ok()?;
    let header = &parsed.header;
    let epoch = u64::from(parsed.wrap.epoch).to_be_bytes();
    let generation = header.generation.to_be_bytes();

    let root_wrap_key = hkdf(root, &bound("tensfer/envelope/root-wrap/v1", header, &[&epoch]));
    let outer_aad = &envelope[..envelope.len().checked_sub(AFTER_EPOCH)?];
    let inner = open(&root_wrap_key, &parsed.wrap.nonce, outer_aad, &parsed.wrap.ciphertext)?;

    let share_wrap_key = hkdf(share, &bound("tensfer/envelope/share-wrap/v1", header, &[]));
    let inner_aad = transcript("tensfer/envelope/share-wrap-aad/v1", &[&generation, &parsed.commitment]);
    let (inner_nonce, inner_text) = inner.split_at_checked(NONCE)?;
    let data_key = open(&share_wrap_key, inner_nonce, &inner_aad, inner_text)?.try_into().ok()?;

    if hkdf(&data_key, &transcript("tensfer/envelope/key-commitment/v1", &[])) != parsed.commitment {
        return None;
    }
    let payload_key = hkdf(&data_key, &bound("tensfer/envelope/payload-key/v1", header, &[&generation]));
    let version = u64::from(parsed.version).to_be_bytes();
    let payload_aad = bound("tensfer/envelope/payload/v1", header, &[&generation, &version]);
    let payload = open(&payload_key, &parsed.payload.nonce, &payload_aad, &parsed.payload.ciphertext)?;
    Some(Unwrapped { data_key, root_wrap_key, share_wrap_key, payload_key, payload })
}

/// The share of a connection (`docs/spec/envelope.md` §2).
pub fn derive_share(owner_secret: &[u8; 32], connection: &[u8; 16], version: u64) -> [u8; 32] {
    hkdf(owner_secret, &transcript("tensfer/share/v1", &[connection, &version.to_be_bytes()]))
}

fn bound(domain: &str, header: &Header, more: &[&[u8]]) -> Vec<u8> {
    assert_eq!(header.purpose, Purpose::ExchangeCredential, "of a linked account");
    let purpose = 0u64.to_be_bytes();
    let class = u64::from(header.class.number()).to_be_bytes();
    let binding: [&[u8]; 5] =
        [&purpose, &header.organisation.0, &header.connection.0, &header.owners, &class];
    let binding = if header.class.is_any() { &binding[..4] } else { &binding[..] };
    transcript(domain, &[binding, more].concat())
}

fn transcript(domain: &str, fields: &[&[u8]]) -> Vec<u8> {
    let prefixed = |field: &[u8]| [&(field.len() as u32).to_be_bytes(), field].concat();
    std::iter::once(domain.as_bytes()).chain(fields.iter().copied()).flat_map(prefixed).collect()
}

fn hkdf(secret: &[u8; 32], info: &[u8]) -> [u8; 32] {
    let mut key = [0; 32];
    let prk = Salt::new(HKDF_SHA256, &[]).extract(secret);
    prk.expand(&[info], HKDF_SHA256).expect("32 bytes are one block").fill(&mut key).expect("so they are");
    key
}

fn open(key: &[u8; 32], nonce: &[u8], aad: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
    let key = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, key).expect("a key of 32 bytes"));
    let mut text = sealed.to_vec();
    let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
    let length = key.open_in_place(nonce, Aad::from(aad), &mut text).ok()?.len();
    text.truncate(length);
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    #[test]
    fn known_envelopes_open_and_hold_the_data_key_that_they_were_sealed_with() {
        let vectors = vectors();
        let cases = vectors["sealed"].as_array().unwrap();
        assert!(!cases.is_empty());
        for case in cases {
            let opened =
                unwrap(&bytes(&case["envelope"]), &array(&case["root"]), &array(&case["share"])).unwrap();
            assert_eq!(opened.data_key[..], bytes(&case["randomness"])[..32], "{}", case["name"]);
            assert!(opened.payload[4..].starts_with(&bytes(&case["payload"])), "{}", case["name"]);
            let other = array(&case["share"]).map(|byte| !byte);
            assert!(unwrap(&bytes(&case["envelope"]), &array(&case["root"]), &other).is_none());
            assert!(unwrap(&bytes(&case["envelope"]), &other, &array(&case["share"])).is_none());
        }
    }

    #[test]
    fn known_shares_are_derived() {
        for case in vectors()["shares"].as_array().unwrap() {
            let connection = bytes(&case["connection"]).try_into().unwrap();
            let version = case["version"].as_u64().unwrap();
            let share = derive_share(&array(&case["owner_secret"]), &connection, version);
            assert_eq!(share, array(&case["share"]));
        }
    }

    fn vectors() -> Value {
        serde_json::from_str(include_str!("../../../vectors/envelope.json")).unwrap()
    }

    fn array(value: &Value) -> [u8; 32] {
        bytes(value).try_into().unwrap()
    }

    fn bytes(value: &Value) -> Vec<u8> {
        let digits = value.as_str().unwrap().as_bytes();
        let digit = |digit: u8| char::from(digit).to_digit(16).unwrap() as u8;
        digits.chunks_exact(2).map(|pair| digit(pair[0]) << 4 | digit(pair[1])).collect()
    }
}
