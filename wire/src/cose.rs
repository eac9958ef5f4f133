//! COSE_Sign1 (RFC 9052 §4.2) as used here: untagged, detached or attached payload, three algorithms.
//!
//! `[protected: bstr, unprotected: {}, payload: bstr / nil, signature: bstr]`. The protected header is exactly
//! `{1: alg, 4: kid}`; the unprotected header is empty; the external AAD is the domain of the signature's purpose.

use crate::cbor::{Canonical, Malformed, canonical};
use minicbor::bytes::ByteSlice;
use minicbor::encode::Write;
use minicbor::{Decode, Decoder, Encode, Encoder};

/// COSE algorithm numbers (RFC 9053).
pub const ES256: i8 = -7;
pub const EDDSA: i8 = -8;

/// A parsed COSE_Sign1; every slice is the received bytes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Sign1<'b> {
    pub protected: &'b [u8],
    pub payload: Option<&'b [u8]>,
    pub signature: &'b [u8],
}

/// The protected header: the algorithm and the SHA-256 of the key that signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Protected {
    pub algorithm: i8,
    pub key: [u8; 32],
}

impl<'b> Sign1<'b> {
    pub fn protected(&self) -> Result<Protected, Malformed> {
        Protected::from_bytes(self.protected)
    }
}

/// The `Sig_structure` that is signed: `["Signature1", protected, external_aad, payload]`.
pub fn to_be_signed(protected: &[u8], domain: &str, payload: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(payload.len() + protected.len() + domain.len() + 32);
    let mut encoder = Encoder::new(&mut bytes);
    let written = (|| {
        encoder.array(4)?.str("Signature1")?.bytes(protected)?.bytes(domain.as_bytes())?.bytes(payload)?;
        Ok::<(), minicbor::encode::Error<core::convert::Infallible>>(())
    })();
    debug_assert!(written.is_ok(), "a vector takes every byte");
    bytes
}

impl<C> Encode<C> for Sign1<'_> {
    fn encode<W: Write>(
        &self,
        e: &mut Encoder<W>,
        _: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        e.array(4)?.bytes(self.protected)?.map(0)?;
        match self.payload {
            Some(payload) => e.bytes(payload)?,
            None => e.null()?,
        };
        e.bytes(self.signature)?.ok()
    }
}

impl<'b, C> Decode<'b, C> for Sign1<'b> {
    fn decode(d: &mut Decoder<'b>, ctx: &mut C) -> Result<Self, minicbor::decode::Error> {
        if d.array()? != Some(4) {
            return Err(minicbor::decode::Error::message("COSE_Sign1 has four members"));
        }
        let protected = d.bytes()?;
        if d.map()? != Some(0) {
            return Err(minicbor::decode::Error::message("unprotected header is not empty"));
        }
        let payload = Option::<&ByteSlice>::decode(d, ctx)?.map(|p| -> &'b [u8] { p });
        Ok(Sign1 { protected, payload, signature: d.bytes()? })
    }
}

impl<C> Encode<C> for Protected {
    fn encode<W: Write>(
        &self,
        e: &mut Encoder<W>,
        _: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        e.map(2)?.u8(1)?.i8(self.algorithm)?.u8(4)?.bytes(&self.key)?.ok()
    }
}

impl<'b, C> Decode<'b, C> for Protected {
    fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, minicbor::decode::Error> {
        let wrong = || minicbor::decode::Error::message("protected header is not {1: alg, 4: kid}");
        if d.map()? != Some(2) || d.u8()? != 1 {
            return Err(wrong());
        }
        let algorithm = d.i8()?;
        if d.u8()? != 4 {
            return Err(wrong());
        }
        Ok(Protected { algorithm, key: d.bytes()?.try_into().map_err(|_| wrong())? })
    }
}

impl<'b> Canonical<'b> for Sign1<'b> {}
canonical!(Protected);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn m09_a_reencoded_structure_is_refused() {
        let protected = Protected { algorithm: EDDSA, key: [7; 32] }.to_bytes();
        let sign1 = Sign1 { protected: &protected, payload: None, signature: &[1; 64] };
        let bytes = sign1.to_bytes();
        assert!(Sign1::from_bytes(&bytes).unwrap() == sign1);

        let mut indefinite = bytes.clone();
        indefinite[0] = 0x9f;
        indefinite.push(0xff);
        assert!(Sign1::from_bytes(&indefinite).is_err());
        let mut trailing = bytes;
        trailing.push(0);
        assert_eq!(Sign1::from_bytes(&trailing).err(), Some(Malformed::NotCanonical));
    }
}
