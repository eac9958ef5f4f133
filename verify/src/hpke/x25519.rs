//! DHKEM(X25519, HKDF-SHA256), RFC 9180 §4.1: for tests only, so that any HPKE implementation is a peer.
//! It is compiled into no program.

use super::schedule::{labeled_expand, labeled_extract};
use super::xwing::agree;
use super::{Error, SharedSecret};
use aws_lc_rs::agreement::{self, X25519};
use wire::identity::Suite;

pub(super) const SUITE: Suite = Suite { kem: 0x0020, kdf: 0x0001, aead: 0x0002 };
pub(super) const ENCAPSULATED_BYTES: usize = 32;
/// `"KEM" ‖ I2OSP(0x0020, 2)`
const SUITE_ID: &[u8; 5] = b"KEM\x00\x20";

#[derive(Debug)]
pub(super) struct PublicKey([u8; 32]);

pub(super) struct PrivateKey(agreement::PrivateKey);

impl PublicKey {
    pub(super) fn parse(bytes: &[u8]) -> PublicKey {
        PublicKey(bytes.try_into().unwrap())
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.0
    }

    pub(super) fn encapsulate(&self) -> Result<(Vec<u8>, SharedSecret), Error> {
        self.encapsulate_with(&PrivateKey(agreement::PrivateKey::generate(&X25519).unwrap()))
    }

    pub(super) fn encapsulate_with(&self, ephemeral: &PrivateKey) -> Result<(Vec<u8>, SharedSecret), Error> {
        let encapsulated = ephemeral.public_bytes();
        let shared = agree(&ephemeral.0, &self.0, Error::PublicKey, |dh| {
            extract_and_expand(dh, &encapsulated, &self.0)
        })?;
        Ok((encapsulated, shared))
    }
}

impl PrivateKey {
    pub(super) fn parse(bytes: &[u8]) -> PrivateKey {
        PrivateKey(agreement::PrivateKey::from_private_key(&X25519, bytes).unwrap())
    }

    pub(super) fn public_bytes(&self) -> Vec<u8> {
        self.0.compute_public_key().unwrap().as_ref().to_vec()
    }

    pub(super) fn decapsulate(&self, encapsulated: &[u8]) -> Result<SharedSecret, Error> {
        let encapsulated: [u8; 32] = encapsulated.try_into().map_err(|_| Error::EncapsulatedKey)?;
        agree(&self.0, &encapsulated, Error::EncapsulatedKey, |dh| {
            extract_and_expand(dh, &encapsulated, &self.public_bytes())
        })
    }
}

fn extract_and_expand(dh: &[u8], encapsulated: &[u8], recipient: &[u8]) -> Result<SharedSecret, Error> {
    let eae_prk = labeled_extract(SUITE_ID, b"", b"eae_prk", dh)?;
    let mut shared = SharedSecret::default();
    let context = [encapsulated, recipient].concat();
    labeled_expand(SUITE_ID, &eae_prk, b"shared_secret", &context, shared.as_mut_slice())?;
    Ok(shared)
}
