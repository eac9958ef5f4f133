//! Keys in the formats in which exchanges hand them out, and what is computed with them.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256, RsaKeyPair,
};
use aws_lc_rs::{digest, hmac};
use zeroize::Zeroizing;

use crate::keccak::keccak256;
use crate::secp256k1::SigningKey;
use crate::wallet::evm::Address;
use crate::wallet::hex;

use super::encode::{from_base58, from_base64};
use super::model::{Hash, KeyKind};
use crate::secret::SecretBytes;

/// One credential field, ready for use.
pub enum Key {
    Text(SecretBytes),
    Base64(SecretBytes),
    P256(Box<EcdsaKeyPair>),
    Ed25519(Box<Ed25519KeyPair>),
    Secp256k1(SigningKey),
    Rsa(Box<RsaKeyPair>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyError {
    Text,
    Format,
}

/// A computation that the key or the library refused. Never an empty signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SignError;

impl Key {
    /// Reads a field as the first of `kinds` that recognises it. A PEM document is never taken for plain text.
    pub fn parse(text: &str, kinds: &[KeyKind]) -> Result<Self, KeyError> {
        if text.contains("-----BEGIN") {
            let der = pem_body(text).ok_or(KeyError::Format)?;
            return kinds.iter().find_map(|kind| from_der(*kind, &der)).ok_or(KeyError::Format);
        }
        kinds.iter().find_map(|kind| from_text(*kind, text)).ok_or(KeyError::Format)
    }

    pub fn kind(&self) -> KeyKind {
        match self {
            Self::Text(_) => KeyKind::Text,
            Self::Base64(_) => KeyKind::Base64,
            Self::P256(_) => KeyKind::P256,
            Self::Ed25519(_) => KeyKind::Ed25519,
            Self::Secp256k1(_) => KeyKind::Secp256k1,
            Self::Rsa(_) => KeyKind::Rsa,
        }
    }

    /// The bytes that stand in a message or key a MAC; a private key has none.
    pub fn bytes(&self) -> Result<&[u8], SignError> {
        match self {
            Self::Text(bytes) | Self::Base64(bytes) => Ok(bytes.expose()),
            Self::P256(_) | Self::Ed25519(_) | Self::Secp256k1(_) | Self::Rsa(_) => Err(SignError),
        }
    }

    /// Signs: ECDSA P-256 with SHA-256 as r‖s, Ed25519 (RFC 8032), RSASSA-PKCS1-v1_5 with SHA-256.
    pub fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignError> {
        match self {
            Self::P256(pair) => {
                let signature = pair.sign(&SystemRandom::new(), message).map_err(|_| SignError)?;
                Ok(signature.as_ref().to_vec())
            }
            Self::Ed25519(pair) => Ok(pair.sign(message).as_ref().to_vec()),
            Self::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature)
                    .map_err(|_| SignError)?;
                Ok(signature)
            }
            // What an Ethereum key signs is always told apart by its kind: `sign_digest`.
            Self::Text(_) | Self::Base64(_) | Self::Secp256k1(_) => Err(SignError),
        }
    }

    /// Signs a digest of Ethereum's: r ‖ s ‖ 27 or 28 (Yellow Paper, appendix F).
    pub fn sign_digest(&self, digest: &[u8; 32]) -> Result<Vec<u8>, SignError> {
        let Self::Secp256k1(key) = self else { return Err(SignError) };
        let signature = key.sign_recoverable(digest);
        let mut out = signature.compact().to_vec();
        out.push(27 + signature.recovery);
        Ok(out)
    }

    /// The Ethereum address of the key.
    pub fn address(&self) -> Result<Address, SignError> {
        let Self::Secp256k1(key) = self else { return Err(SignError) };
        Ok(Address::of(&key.public_key()))
    }

    /// The `alg` of a JWT by this key (RFC 7518 §3.1, RFC 8037 §3.1): it follows from the key alone.
    pub fn jwt_algorithm(&self) -> Result<&'static str, SignError> {
        match self {
            Self::P256(_) => Ok("ES256"),
            Self::Ed25519(_) => Ok("EdDSA"),
            Self::Text(_) | Self::Base64(_) => Ok("HS256"),
            Self::Rsa(_) => Ok("RS256"),
            Self::Secp256k1(_) => Err(SignError),
        }
    }

    pub fn sign_jwt(&self, message: &[u8]) -> Result<Vec<u8>, SignError> {
        match self {
            Self::Text(key) | Self::Base64(key) => Ok(mac(Hash::Sha256, key.expose(), message)),
            Self::P256(_) | Self::Ed25519(_) | Self::Secp256k1(_) | Self::Rsa(_) => self.sign(message),
        }
    }
}

pub fn mac(hash: Hash, key: &[u8], message: &[u8]) -> Vec<u8> {
    let algorithm = match hash {
        // INVARIANT: the loader refuses HMAC with MD5 and Keccak.
        Hash::Md5 | Hash::Keccak256 | Hash::Sha256 => hmac::HMAC_SHA256,
        Hash::Sha384 => hmac::HMAC_SHA384,
        Hash::Sha512 => hmac::HMAC_SHA512,
    };
    hmac::sign(&hmac::Key::new(algorithm, key), message).as_ref().to_vec()
}

pub fn digest(hash: Hash, message: &[u8]) -> Vec<u8> {
    let algorithm = match hash {
        Hash::Md5 => return <md5::Md5 as md5::Digest>::digest(message).to_vec(),
        Hash::Keccak256 => return keccak256(message).to_vec(),
        Hash::Sha256 => &digest::SHA256,
        Hash::Sha384 => &digest::SHA384,
        Hash::Sha512 => &digest::SHA512,
    };
    digest::digest(algorithm, message).as_ref().to_vec()
}

/// The bytes of the only block of a PEM document (RFC 7468). Labels are not trusted: the DER says what it is.
fn pem_body(text: &str) -> Option<Zeroizing<Vec<u8>>> {
    // Keys are often pasted with the line breaks written out.
    let text = with_line_breaks(text);
    let begin = text.find("-----BEGIN ")?;
    let (label, rest) = text.get(begin + 11..)?.split_once("-----")?;
    if !label.ends_with("PRIVATE KEY") {
        return None;
    }
    let (body, end) = rest.split_once("-----END ")?;
    let tail = end.strip_prefix(label)?.strip_prefix("-----")?;
    if !tail.trim().is_empty() || !text.get(..begin)?.trim().is_empty() {
        return None;
    }
    let mut packed = Zeroizing::new(Vec::with_capacity(body.len()));
    packed.extend(body.bytes().filter(|byte| !byte.is_ascii_whitespace()));
    from_base64(&packed).map(Zeroizing::new)
}

/// `\n` as the line break that it stands for, in one buffer that never grows.
fn with_line_breaks(text: &str) -> Zeroizing<String> {
    let mut out = Zeroizing::new(String::with_capacity(text.len()));
    for (place, part) in text.split("\\n").enumerate() {
        if place > 0 {
            out.push('\n');
        }
        out.push_str(part);
    }
    out
}

fn from_der(kind: KeyKind, der: &[u8]) -> Option<Key> {
    match kind {
        KeyKind::P256 => {
            let pair = EcdsaKeyPair::from_private_key_der(&ECDSA_P256_SHA256_FIXED_SIGNING, der).ok()?;
            Some(Key::P256(Box::new(pair)))
        }
        KeyKind::Ed25519 | KeyKind::Ed25519Base58 => {
            let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(der).ok()?;
            Some(Key::Ed25519(Box::new(pair)))
        }
        KeyKind::Rsa => {
            let pair = RsaKeyPair::from_pkcs8(der).or_else(|_| RsaKeyPair::from_der(der)).ok()?;
            (pair.public_modulus_len() >= 256).then(|| Key::Rsa(Box::new(pair)))
        }
        KeyKind::Text | KeyKind::Base64 | KeyKind::Secp256k1 => None,
    }
}

fn from_text(kind: KeyKind, text: &str) -> Option<Key> {
    match kind {
        KeyKind::Text => Some(Key::Text(SecretBytes::copied(text.as_bytes()))),
        KeyKind::Base64 => {
            let bytes = Zeroizing::new(from_base64(text.as_bytes())?);
            Some(Key::Base64(SecretBytes::copied(&bytes)))
        }
        KeyKind::Ed25519 => ed25519(from_base64(text.as_bytes())?),
        KeyKind::Ed25519Base58 => ed25519(from_base58(text.as_bytes())?),
        KeyKind::Secp256k1 => secp256k1(text),
        KeyKind::P256 | KeyKind::Rsa => None,
    }
}

/// 64 hexadecimal digits.
fn secp256k1(text: &str) -> Option<Key> {
    let bytes = Zeroizing::new(hex::decode(text.strip_prefix("0x").unwrap_or(text))?);
    let bytes = Zeroizing::new(<[u8; 32]>::try_from(bytes.as_slice()).ok()?);
    SigningKey::from_bytes(&bytes).ok().map(Key::Secp256k1)
}

/// The 32-byte seed, or seed and public key, which then must belong together.
fn ed25519(bytes: Vec<u8>) -> Option<Key> {
    let bytes = Zeroizing::new(bytes);
    let (seed, public) = match bytes.len() {
        32 => (bytes.as_slice(), None),
        64 => {
            let (seed, public) = bytes.split_at(32);
            (seed, Some(public))
        }
        _ => return None,
    };
    let pair = Ed25519KeyPair::from_seed_unchecked(seed).ok()?;
    if public.is_some_and(|public| public != pair.public_key().as_ref()) {
        return None;
    }
    Some(Key::Ed25519(Box::new(pair)))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use crate::connector::encode::{base58, hex};

    #[test]
    fn md5_agrees_with_rfc_1321_appendix_a5() {
        for (message, digest_hex) in [
            ("", "d41d8cd98f00b204e9800998ecf8427e"),
            ("abc", "900150983cd24fb0d6963f7d28e17f72"),
            ("abcdefghijklmnopqrstuvwxyz", "c3fcd3d76192e4007dfb496cca67e13b"),
        ] {
            assert_eq!(hex(&digest(Hash::Md5, message.as_bytes())), digest_hex.as_bytes());
        }
    }

    #[test]
    fn an_ed25519_key_in_base58_is_the_same_key() {
        let public = Ed25519KeyPair::from_seed_unchecked(&[7; 32]).unwrap().public_key().as_ref().to_vec();
        let both = [vec![7; 32], public].concat();
        for bytes in [both.get(..32).unwrap(), &both] {
            let text = String::from_utf8(base58(bytes)).unwrap();
            let key = Key::parse(&text, &[KeyKind::Ed25519Base58]).unwrap();
            let plain = Key::parse(&crate::connector::to_base64(&both), &[KeyKind::Ed25519]).unwrap();
            assert_eq!(key.sign(b"message").unwrap(), plain.sign(b"message").unwrap());
            assert_eq!(key.kind(), KeyKind::Ed25519);
        }
        let other = String::from_utf8(base58(&[both.get(..32).unwrap(), &[9; 32]].concat())).unwrap();
        assert_eq!(Key::parse(&other, &[KeyKind::Ed25519Base58]).err(), Some(KeyError::Format));
    }
}
