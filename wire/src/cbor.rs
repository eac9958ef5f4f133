//! Deterministic CBOR (RFC 8949 §4.2.1): bytes are canonical or refused.

use minicbor::{Decode, Decoder, Encode};

/// No structure that crosses a boundary is larger; checked before anything is decoded.
pub const MAX_BYTES: usize = 1 << 20;

/// Bytes that are not exactly the canonical encoding of what was expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Malformed {
    TooLong,
    NotCanonical,
    Invalid,
}

impl core::fmt::Display for Malformed {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Malformed::TooLong => "longer than the protocol allows",
            Malformed::NotCanonical => "not in canonical CBOR",
            Malformed::Invalid => "not the expected structure",
        })
    }
}

impl core::error::Error for Malformed {}

/// A structure with one byte representation.
///
/// Decoding encodes the result again and compares: indefinite lengths, long integers, unsorted, repeated or
/// unknown keys and trailing bytes are all refused by that one comparison.
pub trait Canonical<'b>: Sized + Encode<()> + Decode<'b, ()> {
    fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        match minicbor::encode(self, &mut bytes) {
            Ok(()) => bytes,
            Err(error) => match error.into_write() {
                Some(infallible) => match infallible {},
                // The derived encoders have no error of their own.
                None => Vec::new(),
            },
        }
    }

    fn from_bytes(bytes: &'b [u8]) -> Result<Self, Malformed> {
        if bytes.len() > MAX_BYTES {
            return Err(Malformed::TooLong);
        }
        let mut decoder = Decoder::new(bytes);
        let value: Self = decoder.decode().map_err(|_| Malformed::Invalid)?;
        let mut compare = Compare { expected: bytes };
        match minicbor::encode(&value, &mut compare) {
            Ok(()) if compare.expected.is_empty() => Ok(value),
            _ => Err(Malformed::NotCanonical),
        }
    }
}

/// Compares an encoding with the bytes it came from, without keeping a second copy of what may be secret.
struct Compare<'a> {
    expected: &'a [u8],
}

struct Differs;

impl minicbor::encode::Write for Compare<'_> {
    type Error = Differs;

    fn write_all(&mut self, bytes: &[u8]) -> Result<(), Differs> {
        self.expected = self.expected.strip_prefix(bytes).ok_or(Differs)?;
        Ok(())
    }
}

/// Marks the structures of this crate; each names the lifetime it borrows.
macro_rules! canonical {
    ($($name:ident),+ $(,)?) => { $(impl<'b> $crate::cbor::Canonical<'b> for $name {})+ };
}
pub(crate) use canonical;
