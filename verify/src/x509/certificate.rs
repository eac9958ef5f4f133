//! One certificate: version 3, P-384, ecdsa-with-SHA384, and nothing else.

use super::der::{INTEGER, Reader, SEQUENCE};
use super::extensions::Extensions;
use super::{name, time};
use crate::Refused;
use aws_lc_rs::signature::{ECDSA_P384_SHA384_ASN1, UnparsedPublicKey};
use wire::UnixMillis;

const MALFORMED: Refused = Refused::CertificateMalformed;
/// `AlgorithmIdentifier { ecdsa-with-SHA384 }` without parameters (RFC 5758 §3.2), contents only.
const ECDSA_WITH_SHA384: &[u8] = &[0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x03];
/// `AlgorithmIdentifier { id-ecPublicKey, secp384r1 }` (RFC 5480 §2.1), contents only.
const EC_P384: &[u8] =
    &[0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x22];
/// An uncompressed point: 0x04 ‖ x ‖ y.
const POINT_BYTES: usize = 97;
const CONTEXT_0: u8 = 0xa0;
const CONTEXT_3: u8 = 0xa3;

/// A parsed certificate; every slice is the received bytes.
pub(crate) struct Certificate<'b> {
    /// TBSCertificate with its tag and length: what the issuer signed.
    tbs: &'b [u8],
    /// ECDSA-Sig-Value in DER.
    signature: &'b [u8],
    pub(super) issuer: &'b [u8],
    pub(super) subject: &'b [u8],
    pub(crate) not_before: UnixMillis,
    pub(crate) not_after: UnixMillis,
    /// The subject's key, an uncompressed P-384 point.
    pub(crate) public_key: &'b [u8],
    pub(crate) extensions: Extensions,
}

impl<'b> Certificate<'b> {
    pub(crate) fn parse(bytes: &'b [u8]) -> Result<Certificate<'b>, Refused> {
        let mut reader = Reader::new(bytes);
        let mut outer = reader.enter(SEQUENCE)?;
        reader.finish()?;
        let tbs = outer.expect(SEQUENCE)?;
        signature_algorithm(&mut outer)?;
        let signature = outer.bit_string_bytes()?;
        outer.finish()?;

        let mut inner = Reader::new(tbs.contents);
        if inner.expect(CONTEXT_0)?.contents != [INTEGER, 1, 2] {
            return Err(MALFORMED);
        }
        inner.expect(INTEGER)?;
        signature_algorithm(&mut inner)?;
        let issuer = inner.expect(SEQUENCE)?.contents;
        let mut validity = inner.enter(SEQUENCE)?;
        let not_before = time::parse(validity.element()?)?;
        let not_after = time::parse(validity.element()?)?;
        validity.finish()?;
        let subject = inner.expect(SEQUENCE)?.contents;
        let public_key = public_key(inner.enter(SEQUENCE)?)?;
        // Unique identifiers ([1], [2]) would stand here; they are refused like anything else that is unexpected.
        let mut wrapped = inner.enter(CONTEXT_3)?;
        let extensions = Extensions::parse(wrapped.enter(SEQUENCE)?)?;
        wrapped.finish()?;
        inner.finish()?;
        if not_after < not_before {
            return Err(MALFORMED);
        }
        let tbs = tbs.bytes;
        Ok(Certificate { tbs, signature, issuer, subject, not_before, not_after, public_key, extensions })
    }

    /// Whether the holder of `issuer`'s key signed this certificate.
    pub(super) fn is_signed_by(&self, issuer: &Certificate<'_>) -> bool {
        UnparsedPublicKey::new(&ECDSA_P384_SHA384_ASN1, issuer.public_key)
            .verify(self.tbs, self.signature)
            .is_ok()
    }

    /// `notAfter − notBefore` in milliseconds.
    pub(crate) fn lifetime(&self) -> u64 {
        self.not_after.0.saturating_sub(self.not_before.0)
    }

    pub(crate) fn has_organization(&self, organization: &str) -> Result<bool, Refused> {
        name::has_organization(self.subject, organization)
    }
}

fn signature_algorithm(reader: &mut Reader<'_>) -> Result<(), Refused> {
    if reader.expect(SEQUENCE)?.contents == ECDSA_WITH_SHA384 {
        Ok(())
    } else {
        Err(Refused::CertificateAlgorithm)
    }
}

fn public_key(mut info: Reader<'_>) -> Result<&[u8], Refused> {
    if info.expect(SEQUENCE)?.contents != EC_P384 {
        return Err(Refused::CertificateAlgorithm);
    }
    let point = info.bit_string_bytes()?;
    info.finish()?;
    match point {
        [0x04, ..] if point.len() == POINT_BYTES => Ok(point),
        _ => Err(Refused::CertificateAlgorithm),
    }
}
