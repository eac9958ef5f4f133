//! Keys and algorithms (RFC 9421 §3.3). The key says which algorithm it is for; what a request says about that is compared.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, ED25519, EcdsaKeyPair, Ed25519KeyPair, KeyPair,
    ParsedPublicKey, VerificationAlgorithm,
};
use core::fmt::{self, Debug, Formatter};

/// By its name in the registry of RFC 9421 §6.2. One of ML-DSA comes here when it is registered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    Ed25519,
    EcdsaP256Sha256,
}

/// No such key: another length, or not a point of the curve.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidKey;

/// Parsed once.
#[derive(Clone)]
pub struct PublicKey {
    algorithm: Algorithm,
    parsed: ParsedPublicKey,
}

/// Of our own client side.
pub struct SigningKey(Pair);

enum Pair {
    Ed25519(Ed25519KeyPair),
    EcdsaP256Sha256(EcdsaKeyPair),
}

impl Algorithm {
    pub const ALL: [Algorithm; 2] = [Algorithm::Ed25519, Algorithm::EcdsaP256Sha256];

    pub fn name(self) -> &'static str {
        match self {
            Algorithm::Ed25519 => "ed25519",
            Algorithm::EcdsaP256Sha256 => "ecdsa-p256-sha256",
        }
    }
}

impl PublicKey {
    /// Ed25519: 32 bytes (RFC 8032 §5.1.5). P-256: 65 bytes, an uncompressed point (SEC 1 §2.3.3).
    pub fn new(algorithm: Algorithm, bytes: &[u8]) -> Result<PublicKey, InvalidKey> {
        let (is_form, how): (bool, &'static dyn VerificationAlgorithm) = match algorithm {
            Algorithm::Ed25519 => (bytes.len() == 32 && !is_small(bytes), &ED25519),
            Algorithm::EcdsaP256Sha256 => {
                (bytes.len() == 65 && bytes.first() == Some(&4), &ECDSA_P256_SHA256_FIXED)
            }
        };
        let parsed = ParsedPublicKey::new(how, bytes).ok().filter(|_| is_form).ok_or(InvalidKey)?;
        Ok(PublicKey { algorithm, parsed })
    }

    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// 64 bytes: R ‖ S (RFC 8032), or r ‖ s (RFC 9421 §3.3.4) and never DER (m04).
    pub fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        signature.len() == 64 && self.parsed.verify_sig(message, signature).is_ok()
    }
}

/// Whether it is a point of small order, under which anybody makes signatures: y is 0, 1, −1 or one of two of order 8 (and p, p + 1, their
/// other spellings), with either sign.
fn is_small(bytes: &[u8]) -> bool {
    const ORDER_8: [[u8; 32]; 2] = [
        [
            0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98, 0xf0,
            0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x05,
        ],
        [
            0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67, 0x0f,
            0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03, 0x7a,
        ],
    ];
    let Some((last, low)) = bytes.split_last() else { return true };
    let Some((first, middle)) = low.split_first() else { return true };
    let top = last & 0x7f;
    let is_small_number = *first <= 1 && middle.iter().all(|byte| *byte == 0) && top == 0;
    let is_near_p = *first >= 0xec && middle.iter().all(|byte| *byte == 0xff) && top == 0x7f;
    let is_order_8 = ORDER_8.iter().any(|point| point.starts_with(low) && point.last() == Some(&top));
    is_small_number || is_near_p || is_order_8
}

impl SigningKey {
    /// PKCS #8: RFC 8410 for Ed25519, RFC 5915 inside for P-256.
    pub fn from_pkcs8(algorithm: Algorithm, bytes: &[u8]) -> Result<SigningKey, InvalidKey> {
        let pair = match algorithm {
            Algorithm::Ed25519 => Ed25519KeyPair::from_pkcs8_maybe_unchecked(bytes).map(Pair::Ed25519),
            Algorithm::EcdsaP256Sha256 => {
                EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, bytes).map(Pair::EcdsaP256Sha256)
            }
        };
        pair.map(SigningKey).map_err(|_| InvalidKey)
    }

    pub fn algorithm(&self) -> Algorithm {
        match &self.0 {
            Pair::Ed25519(_) => Algorithm::Ed25519,
            Pair::EcdsaP256Sha256(_) => Algorithm::EcdsaP256Sha256,
        }
    }

    /// As [`PublicKey::new`] takes it.
    pub fn public(&self) -> Vec<u8> {
        match &self.0 {
            Pair::Ed25519(pair) => pair.public_key().as_ref().to_vec(),
            Pair::EcdsaP256Sha256(pair) => pair.public_key().as_ref().to_vec(),
        }
    }

    /// `None`: the library failed, for lack of randomness.
    pub fn sign(&self, message: &[u8]) -> Option<Vec<u8>> {
        match &self.0 {
            Pair::Ed25519(pair) => Some(pair.sign(message).as_ref().to_vec()),
            Pair::EcdsaP256Sha256(pair) => {
                pair.sign(&SystemRandom::new(), message).ok().map(|signature| signature.as_ref().to_vec())
            }
        }
    }
}

impl Debug for SigningKey {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("SigningKey")
    }
}

impl Debug for PublicKey {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({})", self.algorithm.name())
    }
}
