//! What certificates and lists of revoked ones have in common: something to be signed, and its issuer's signature.

use super::algorithm::{Algorithm, Key};
use super::der::{Element, Reader, SEQUENCE};
use crate::Refused;

/// `SEQUENCE { toBeSigned SEQUENCE, signatureAlgorithm, signature BIT STRING }` (RFC 5280 §4.1.1, §5.1.1), and nothing after it.
pub(super) struct Signed<'b> {
    to_be_signed: Element<'b>,
    pub(super) algorithm: Algorithm,
    signature: &'b [u8],
}

impl<'b> Signed<'b> {
    pub(super) fn parse(bytes: &'b [u8]) -> Result<Signed<'b>, Refused> {
        let mut reader = Reader::new(bytes);
        let mut outer = reader.enter(SEQUENCE)?;
        reader.finish()?;
        let to_be_signed = outer.expect(SEQUENCE)?;
        let algorithm = Algorithm::parse(&mut outer)?;
        let signature = outer.bit_string_bytes()?;
        outer.finish()?;
        Ok(Signed { to_be_signed, algorithm, signature })
    }

    /// What was signed, without its own tag and length.
    pub(super) fn contents(&self) -> Reader<'b> {
        Reader::new(self.to_be_signed.contents)
    }

    /// Whether the holder of `key` signed it; never with a key of another kind.
    pub(super) fn is_by(&self, key: Key<'_>) -> bool {
        self.algorithm.verifies(key, self.to_be_signed.bytes, self.signature)
    }
}
