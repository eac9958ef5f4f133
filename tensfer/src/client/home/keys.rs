//! The owner's signing keys: Ed25519, kept as PKCS#8 (RFC 8410), each with one role.

use crate::client::failure::{Failure, Result};
use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use std::fmt;
use wire::Canonical;
use wire::cose::{self, Protected, Sign1};
use wire::owner::{OwnerAlgorithm, OwnerKey, OwnerRole};
use zeroize::Zeroizing;

pub struct SigningKey {
    pkcs8: Zeroizing<Vec<u8>>,
    pair: Ed25519KeyPair,
    public: OwnerKey,
}

impl SigningKey {
    pub fn generate(role: OwnerRole) -> Result<SigningKey> {
        let pair =
            Ed25519KeyPair::generate().map_err(|_| Failure::internal("this machine could not make a key"))?;
        let document =
            pair.to_pkcs8().map_err(|_| Failure::internal("this machine could not encode a key"))?;
        SigningKey::from_pkcs8(document.as_ref(), role)
            .ok_or_else(|| Failure::internal("this machine could not read back a key"))
    }

    pub(super) fn from_pkcs8(pkcs8: &[u8], role: OwnerRole) -> Option<SigningKey> {
        let pair = Ed25519KeyPair::from_pkcs8(pkcs8).ok()?;
        let public = OwnerKey::new(OwnerAlgorithm::EdDsa, pair.public_key().as_ref().to_vec(), role);
        Some(SigningKey { pkcs8: Zeroizing::new(pkcs8.to_vec()), pair, public })
    }

    pub(super) fn pkcs8(&self) -> &[u8] {
        &self.pkcs8
    }

    pub fn public(&self) -> &OwnerKey {
        &self.public
    }

    /// A COSE_Sign1 over the request's bytes, payload detached, under the domain of what it is for: an owner's request, or one
    /// by an owner's grant.
    pub fn sign(&self, domain: &str, request: &[u8]) -> Vec<u8> {
        let protected =
            Protected { algorithm: cose::EDDSA, key: sha256(&self.public.transcript()) }.to_bytes();
        // A copy of the whole request: share and, in a link, credential.
        let signed = Zeroizing::new(cose::to_be_signed(&protected, domain, request));
        let signature = self.pair.sign(&signed);
        Sign1 { protected: &protected, payload: None, signature: signature.as_ref() }.to_bytes()
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({:?})", self.public.role)
    }
}

pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest(&SHA256, bytes).as_ref());
    hash
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_lc_rs::signature::{ED25519, UnparsedPublicKey};
    use wire::transcript::domain;

    #[test]
    fn a_signature_verifies_over_the_domain_and_the_request_alone() {
        let key = SigningKey::generate(OwnerRole::Device).unwrap();
        let bytes = key.sign(domain::OWNER_REQUEST, b"request");
        let sign1 = Sign1::from_bytes(&bytes).unwrap();
        let protected = sign1.protected().unwrap();
        assert_eq!((protected.algorithm, protected.key), (cose::EDDSA, sha256(&key.public().transcript())));
        let verify = |domain, request: &[u8]| {
            UnparsedPublicKey::new(&ED25519, &key.public().public)
                .verify(&cose::to_be_signed(sign1.protected, domain, request), sign1.signature)
                .is_ok()
        };
        assert!(verify(domain::OWNER_REQUEST, b"request"));
        assert!(!verify(domain::RECEIPT, b"request"));
        assert!(!verify(domain::OWNER_REQUEST, b"another"));
    }

    #[test]
    fn a_stored_key_is_the_same_key() {
        let key = SigningKey::generate(OwnerRole::Second).unwrap();
        let again = SigningKey::from_pkcs8(key.pkcs8(), OwnerRole::Second).unwrap();
        assert_eq!(key.public(), again.public());
        assert!(SigningKey::from_pkcs8(b"no key", OwnerRole::Second).is_none());
        assert_eq!(format!("{key:?}"), "SigningKey(Second)");
    }
}
