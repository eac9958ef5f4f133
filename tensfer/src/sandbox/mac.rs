//! The primitives that the exchanges sign with, straight from aws-lc-rs. Comparisons are constant-time.

use aws_lc_rs::rsa::KeyPair as RsaKeyPair;
use aws_lc_rs::signature::{self, Ed25519KeyPair, KeyPair, UnparsedPublicKey, VerificationAlgorithm};
use aws_lc_rs::{digest, hmac};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// SHA-256 of the parts, one after the other.
pub fn sha256(parts: &[&[u8]]) -> digest::Digest {
    let mut context = digest::Context::new(&digest::SHA256);
    for part in parts {
        context.update(part);
    }
    context.finish()
}

/// Does `tag` equal HMAC-SHA-256(key, message)?
pub fn hmac_sha256_matches(key: &[u8], message: &[u8], tag: &[u8]) -> bool {
    hmac::verify(&hmac::Key::new(hmac::HMAC_SHA256, key), message, tag).is_ok()
}

/// Does `tag` equal HMAC-SHA-512(key, message)?
pub fn hmac_sha512_matches(key: &[u8], message: &[u8], tag: &[u8]) -> bool {
    hmac::verify(&hmac::Key::new(hmac::HMAC_SHA512, key), message, tag).is_ok()
}

/// Verifies one signature under one pinned algorithm.
pub fn signature_matches(
    algorithm: &'static dyn VerificationAlgorithm,
    key: &[u8],
    message: &[u8],
    mark: &[u8],
) -> bool {
    UnparsedPublicKey::new(algorithm, key).verify(message, mark).is_ok()
}

/// ES256 as JOSE has it: r‖s, 64 bytes; a DER signature is refused.
pub static ES256: &signature::EcdsaVerificationAlgorithm = &signature::ECDSA_P256_SHA256_FIXED;

/// How an exchange's HMAC, RSA and Ed25519 keys sign: by the form of the secret, never by what the caller says (m37).
///
/// A PEM secret holds an RSA or Ed25519 private key (PKCS#8) and signs in base64; any other is an HMAC-SHA-256 key
/// and signs in hexadecimal.
pub fn tagged(secret: &str, message: &[u8], tag: &str) -> bool {
    let Some(der) = pem_body(secret) else {
        return unhex(tag).is_some_and(|tag| hmac_sha256_matches(secret.as_bytes(), message, &tag));
    };
    let Ok(mark) = STANDARD.decode(tag) else { return false };
    if let Ok(pair) = Ed25519KeyPair::from_pkcs8_maybe_unchecked(&der) {
        return signature_matches(&signature::ED25519, pair.public_key().as_ref(), message, &mark);
    }
    let rsa = &signature::RSA_PKCS1_2048_8192_SHA256;
    RsaKeyPair::from_pkcs8(&der)
        .is_ok_and(|pair| signature_matches(rsa, pair.public_key().as_ref(), message, &mark))
}

/// Lower- or upper-case hexadecimal; `None` when it is anything else.
pub fn unhex(text: &str) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(2) || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).ok()).collect()
}

/// The DER inside a PEM block, whatever its label; `None` when there is none.
pub fn pem_body(pem: &str) -> Option<Vec<u8>> {
    let inner = pem.trim().strip_prefix("-----BEGIN ")?;
    let (_, inner) = inner.split_once("-----")?;
    let (inner, _) = inner.split_once("-----END ")?;
    STANDARD.decode(inner.split_whitespace().collect::<String>()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn m37_a_key_of_an_unknown_form_verifies_nothing() {
        let pem = "-----BEGIN PRIVATE KEY-----\nAQI=\n-----END PRIVATE KEY-----";
        for tag in ["", "AQI=", "00"] {
            assert!(!tagged(pem, b"", tag), "{tag}");
        }
        assert!(!tagged("secret", b"", ""));
    }

    #[test]
    fn hexadecimal_is_strict() {
        assert_eq!(unhex("00fF").as_deref(), Some(&[0u8, 255][..]));
        assert_eq!(unhex("0"), None);
        assert_eq!(unhex("+1"), None);
        assert_eq!(unhex("é"), None);
    }

    #[test]
    fn the_body_of_a_pem_block_is_found() {
        assert_eq!(pem_body("-----BEGIN X-----\nAQI=\n-----END X-----\n").as_deref(), Some(&[1u8, 2][..]));
        assert_eq!(pem_body("AQI="), None);
    }
}
