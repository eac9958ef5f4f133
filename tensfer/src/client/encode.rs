//! Text forms of bytes: base64 (RFC 4648 §4, padded) in files, hexadecimal for people.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::fmt::Write;
use zeroize::Zeroizing;

pub fn base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

pub fn from_base64(text: &str) -> Option<Vec<u8>> {
    STANDARD.decode(text).ok()
}

pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Either case.
pub fn from_hex(text: &str) -> Option<Vec<u8>> {
    if !text.is_ascii() || !text.len().is_multiple_of(2) {
        return None;
    }
    let digit = |byte: &u8| char::from(*byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    text.as_bytes().chunks_exact(2).map(|pair| Some(digit(&pair[0])? << 4 | digit(&pair[1])?)).collect()
}

/// The canonical bytes of a structure that holds secrets: in one buffer, sized before so that growing leaves no copy.
pub fn canonical_secret<'b>(value: &impl wire::Canonical<'b>, room: usize) -> Zeroizing<Vec<u8>> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(room));
    // A vector takes every byte, and the derived encoders have no error of their own.
    let _ = minicbor::encode(value, &mut *bytes);
    debug_assert!(bytes.len() <= room, "the buffer was too small");
    bytes
}

/// For `#[serde(with = "…")]`.
pub mod serde_base64 {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&super::base64(bytes))
    }

    pub fn deserialize<'d, D: Deserializer<'d>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
        let text = String::deserialize(deserializer)?;
        super::from_base64(&text).ok_or_else(|| D::Error::custom("not base64"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hexadecimal_reads_back_and_refuses_the_rest() {
        assert_eq!(from_hex(&hex(&[0, 0xa5, 255])), Some(vec![0, 0xa5, 255]));
        for text in ["0", "zz", "+1", "é!"] {
            assert_eq!(from_hex(text), None, "{text}");
        }
    }
}
