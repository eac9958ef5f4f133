//! The keys of a sandbox credential, as whoever verifies holds them: MAC keys whole, of key pairs the public half.

use super::super::mac;
use super::file::Field;
use aws_lc_rs::rsa;
use aws_lc_rs::signature::{
    self, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair, UnparsedPublicKey,
};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use secp256k1::ecdsa::{RecoverableSignature, RecoveryId};
use secp256k1::{Message, PublicKey, SecretKey};

/// A credential field as its kind has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Key {
    Text(String),
    /// Base64 of these bytes.
    Base64(Vec<u8>),
    /// The uncompressed point.
    P256(Vec<u8>),
    Ed25519(Vec<u8>),
    /// PKCS #1 DER.
    Rsa(Vec<u8>),
    Secp256k1(Box<PublicKey>),
}

impl Key {
    /// Reads a field's text in the first of its kinds that recognises it. A PEM text is never plain text (m37).
    pub fn read(field: &Field, text: &str) -> Option<Self> {
        field.kinds.iter().find_map(|kind| Self::of(kind, text))
    }

    fn of(kind: &str, text: &str) -> Option<Self> {
        let der = mac::pem_body(text);
        match kind {
            "text" => der.is_none().then(|| Self::Text(text.to_owned())),
            "base64" => STANDARD.decode(text).ok().map(Self::Base64),
            "p256" => {
                let (der, algorithm) = (der?, &ECDSA_P256_SHA256_FIXED_SIGNING);
                let pair = EcdsaKeyPair::from_pkcs8(algorithm, &der)
                    .or_else(|_| EcdsaKeyPair::from_private_key_der(algorithm, &der));
                Some(Self::P256(pair.ok()?.public_key().as_ref().to_vec()))
            }
            "ed25519" => ed25519(der.as_deref(), || STANDARD.decode(text).ok()),
            "ed25519-base58" => ed25519(None, || unbase58(text)),
            "rsa" => {
                let der = der?;
                let pair = rsa::KeyPair::from_pkcs8(&der).or_else(|_| rsa::KeyPair::from_der(&der)).ok()?;
                Some(Self::Rsa(pair.public_key().as_ref().to_vec()))
            }
            "secp256k1" => {
                let bytes: [u8; 32] = mac::unhex(text.strip_prefix("0x").unwrap_or(text))?.try_into().ok()?;
                let secret = SecretKey::from_secret_bytes(bytes).ok()?;
                Some(Self::Secp256k1(Box::new(PublicKey::from_secret_key(&secret))))
            }
            _ => None,
        }
    }

    /// The kind's name.
    pub fn kinds(&self) -> &'static [&'static str] {
        match self {
            Self::Text(_) => &["text"],
            Self::Base64(_) => &["base64"],
            Self::P256(_) => &["p256"],
            Self::Ed25519(_) => &["ed25519", "ed25519-base58"],
            Self::Rsa(_) => &["rsa"],
            Self::Secp256k1(_) => &["secp256k1"],
        }
    }

    /// The bytes that a MAC takes, or that stand in a header. Key pairs have none.
    pub fn bytes(&self) -> Option<&[u8]> {
        match self {
            Self::Text(text) => Some(text.as_bytes()),
            Self::Base64(bytes) => Some(bytes),
            _ => None,
        }
    }

    /// Verifies a signature over a message, in the algorithm that the key has (m04: fixed length, never DER).
    pub fn verifies(&self, message: &[u8], mark: &[u8]) -> bool {
        let verified = |algorithm: &'static dyn signature::VerificationAlgorithm, key: &[u8]| {
            UnparsedPublicKey::new(algorithm, key).verify(message, mark).is_ok()
        };
        match self {
            Self::P256(point) => verified(&signature::ECDSA_P256_SHA256_FIXED, point),
            Self::Ed25519(key) => verified(&signature::ED25519, key),
            Self::Rsa(key) => verified(&signature::RSA_PKCS1_2048_8192_SHA256, key),
            Self::Text(_) | Self::Base64(_) | Self::Secp256k1(_) => false,
        }
    }

    /// The name of the algorithm in a JWT's header, and whether the mark is the key's over the message.
    pub fn verifies_jwt(&self, algorithm: &str, message: &[u8], mark: &[u8]) -> bool {
        match self {
            Self::P256(_) => algorithm == "ES256" && self.verifies(message, mark),
            Self::Ed25519(_) => algorithm == "EdDSA" && self.verifies(message, mark),
            Self::Rsa(_) => algorithm == "RS256" && self.verifies(message, mark),
            Self::Secp256k1(_) => false,
            Self::Text(_) | Self::Base64(_) => {
                let key = self.bytes().unwrap_or_default();
                algorithm == "HS256" && mac::hmac_sha256_matches(key, message, mark)
            }
        }
    }

    /// Whether r ‖ s ‖ v (v = 27 or 28) is this key's signature over a digest: the signer is recovered from it.
    pub fn signed_digest(&self, digest: [u8; 32], mark: &[u8]) -> bool {
        let (Self::Secp256k1(key), Some((signature, [v @ (27 | 28)]))) = (self, mark.split_at_checked(64))
        else {
            return false;
        };
        let Ok(id) = RecoveryId::try_from(i32::from(*v) - 27) else { return false };
        let signature = RecoverableSignature::from_compact(signature, id);
        signature.is_ok_and(|signature| {
            signature.recover_ecdsa(Message::from_digest(digest)).is_ok_and(|signer| signer == **key)
        })
    }

    /// The Ethereum address of the key, lower case.
    pub fn address(&self) -> Option<String> {
        let Self::Secp256k1(key) = self else { return None };
        let hash = super::hash::keccak256(key.serialize_uncompressed().get(1..)?);
        Some(format!("0x{}", super::template::hex(hash.get(12..)?)))
    }
}

fn ed25519(der: Option<&[u8]>, plain: impl Fn() -> Option<Vec<u8>>) -> Option<Key> {
    let pair = match der {
        Some(der) => Ed25519KeyPair::from_pkcs8_maybe_unchecked(der).ok()?,
        None => {
            // The seed, or the seed and the public key.
            let plain = plain()?;
            let seed = plain.get(..32).filter(|_| plain.len() == 32 || plain.len() == 64)?;
            Ed25519KeyPair::from_seed_unchecked(seed).ok()?
        }
    };
    Some(Key::Ed25519(pair.public_key().as_ref().to_vec()))
}

/// The bytes of base58 text.
fn unbase58(text: &str) -> Option<Vec<u8>> {
    const ALPHABET: &str = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
    let mut bytes: Vec<u8> = Vec::new();
    for character in text.chars() {
        let mut carry = ALPHABET.find(character)?;
        for byte in &mut bytes {
            carry += usize::from(*byte) * 58;
            *byte = (carry % 256) as u8;
            carry /= 256;
        }
        while carry > 0 {
            bytes.push((carry % 256) as u8);
            carry /= 256;
        }
    }
    bytes.extend(text.bytes().take_while(|byte| *byte == b'1').map(|_| 0));
    bytes.reverse();
    Some(bytes)
}
