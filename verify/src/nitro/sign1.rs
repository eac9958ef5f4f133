//! The envelope: COSE_Sign1 (RFC 9052 §4.2), tagged or not, ES384 only, payload attached.

use super::MAX_BYTES;
use crate::Refused;
use crate::x509::Key;
use aws_lc_rs::signature::{ECDSA_P384_SHA384_FIXED, UnparsedPublicKey};
use minicbor::Decoder;
use minicbor::data::{Tag, Type};
use wire::cose::to_be_signed;

/// `{1: -35}`: ES384 (RFC 9053 §2.1). The header is compared as bytes; there is no other (m04).
const PROTECTED: &[u8] = &[0xa1, 0x01, 0x38, 0x22];
/// COSE_Sign1's tag (RFC 9052 §2).
const TAG: u64 = 18;
/// Raw r ‖ s of P-384 (RFC 9053 §2.1); DER is refused (m04).
const SIGNATURE_BYTES: usize = 96;

/// A parsed envelope; every slice is the received bytes.
pub(crate) struct Sign1<'b> {
    pub(crate) payload: &'b [u8],
    signature: &'b [u8],
}

impl<'b> Sign1<'b> {
    /// Parses an envelope that is all of `bytes`.
    pub(crate) fn parse(bytes: &'b [u8]) -> Result<Sign1<'b>, Refused> {
        if bytes.len() > MAX_BYTES {
            return Err(Refused::DocumentTooLong);
        }
        let mut decoder = Decoder::new(bytes);
        let members = members(&mut decoder).map_err(|_| Refused::Malformed)?;
        if decoder.position() != bytes.len() || !members.unprotected_is_empty {
            return Err(Refused::Malformed);
        }
        if members.protected != PROTECTED {
            return Err(Refused::AlgorithmNotAllowed);
        }
        if members.signature.len() != SIGNATURE_BYTES {
            return Err(Refused::SignatureFormat);
        }
        Ok(Sign1 { payload: members.payload, signature: members.signature })
    }

    /// Verifies the signature over the payload as it was received (m05, m09).
    pub(super) fn verify(&self, key: Key<'_>) -> Result<(), Refused> {
        let Key::P384(key) = key else { return Err(Refused::CertificateAlgorithm) };
        let signed = to_be_signed(PROTECTED, "", self.payload);
        UnparsedPublicKey::new(&ECDSA_P384_SHA384_FIXED, key)
            .verify(&signed, self.signature)
            .map_err(|_| Refused::SignatureInvalid)
    }
}

/// The length of the envelope at the start of `bytes`, if there is one.
pub(crate) fn length(bytes: &[u8]) -> Option<usize> {
    let mut decoder = Decoder::new(bytes);
    members(&mut decoder).ok()?;
    Some(decoder.position())
}

struct Members<'b> {
    protected: &'b [u8],
    unprotected_is_empty: bool,
    payload: &'b [u8],
    signature: &'b [u8],
}

fn members<'b>(decoder: &mut Decoder<'b>) -> Result<Members<'b>, minicbor::decode::Error> {
    if decoder.datatype()? == Type::Tag && decoder.tag()? != Tag::new(TAG) {
        return Err(minicbor::decode::Error::message("another tag"));
    }
    if decoder.array()? != Some(4) {
        return Err(minicbor::decode::Error::message("COSE_Sign1 has four members"));
    }
    let protected = decoder.bytes()?;
    let unprotected_is_empty = decoder.map()? == Some(0);
    Ok(Members { protected, unprotected_is_empty, payload: decoder.bytes()?, signature: decoder.bytes()? })
}
