//! One certificate: version 3, with a key and a signature of one of the few kinds that vendors of TEEs use.

use super::algorithm::{Algorithm, Key};
use super::der::{INTEGER, Reader, SEQUENCE};
use super::extensions::{self, Extensions};
use super::signed::Signed;
use super::{name, time};
use crate::Refused;
use wire::UnixMillis;

const MALFORMED: Refused = Refused::CertificateMalformed;
const CONTEXT_0: u8 = 0xa0;
const CONTEXT_3: u8 = 0xa3;

/// A parsed certificate; every slice is the received bytes.
pub(crate) struct Certificate<'b> {
    pub(super) signed: Signed<'b>,
    /// Contents of the serial number, a positive INTEGER or, at AMD, zero.
    pub(crate) serial: &'b [u8],
    pub(crate) issuer: &'b [u8],
    pub(crate) subject: &'b [u8],
    pub(crate) not_before: UnixMillis,
    pub(crate) not_after: UnixMillis,
    pub(crate) key: Key<'b>,
    pub(crate) extensions: Extensions,
    /// Contents of the SEQUENCE of all extensions.
    all_extensions: &'b [u8],
}

impl<'b> Certificate<'b> {
    pub(crate) fn parse(bytes: &'b [u8]) -> Result<Certificate<'b>, Refused> {
        let signed = Signed::parse(bytes)?;
        let mut inner = signed.contents();
        if inner.expect(CONTEXT_0)?.contents != [INTEGER, 1, 2] {
            return Err(MALFORMED);
        }
        let serial = inner.expect(INTEGER)?.contents;
        if Algorithm::parse(&mut inner)? != signed.algorithm {
            return Err(Refused::CertificateAlgorithm);
        }
        let issuer = inner.expect(SEQUENCE)?.contents;
        let mut validity = inner.enter(SEQUENCE)?;
        let not_before = time::parse(validity.element()?)?;
        let not_after = time::parse(validity.element()?)?;
        validity.finish()?;
        let subject = inner.expect(SEQUENCE)?.contents;
        let key = Key::parse(inner.enter(SEQUENCE)?)?;
        // Unique identifiers ([1], [2]) would stand here; they are refused like anything else that is unexpected.
        let mut wrapped = inner.enter(CONTEXT_3)?;
        let all_extensions = wrapped.expect(SEQUENCE)?.contents;
        let extensions = Extensions::parse(Reader::new(all_extensions))?;
        wrapped.finish()?;
        inner.finish()?;
        if not_after < not_before {
            return Err(MALFORMED);
        }
        Ok(Certificate {
            signed,
            serial,
            issuer,
            subject,
            not_before,
            not_after,
            key,
            extensions,
            all_extensions,
        })
    }

    /// Whether the holder of `issuer`'s key signed this certificate.
    pub(crate) fn is_signed_by(&self, issuer: &Certificate<'_>) -> bool {
        self.signed.is_by(issuer.key)
    }

    /// `notAfter − notBefore` in milliseconds.
    pub(crate) fn lifetime(&self) -> u64 {
        self.not_after.0.saturating_sub(self.not_before.0)
    }

    pub(crate) fn has_organization(&self, organization: &str) -> Result<bool, Refused> {
        name::has_organization(self.subject, organization)
    }

    /// The value of an extension that this module does not look into; `oid` is the contents of its OBJECT IDENTIFIER.
    pub(crate) fn extension(&self, oid: &[u8]) -> Option<&'b [u8]> {
        extensions::find(Reader::new(self.all_extensions), oid)
    }

    /// Compares the caller's time with the certificate's.
    pub(crate) fn check_validity(&self, at: UnixMillis, leeway: u64) -> Result<(), Refused> {
        time::check_within(self.not_before, self.not_after, at, leeway)
    }
}
