//! Lists of revoked certificates (RFC 5280 §5), as an authority signs them over the ones it issued.

use super::algorithm::Algorithm;
use super::certificate::Certificate;
use super::der::{BOOLEAN, GENERALIZED_TIME, INTEGER, OCTET_STRING, OID, Reader, SEQUENCE, UTC_TIME};
use super::signed::Signed;
use super::time;
use crate::Refused;
use wire::UnixMillis;

const MALFORMED: Refused = Refused::CertificateMalformed;
const CONTEXT_0: u8 = 0xa0;

/// A parsed list; every slice is the received bytes.
pub(crate) struct RevokedList<'b> {
    signed: Signed<'b>,
    issuer: &'b [u8],
    this_update: UnixMillis,
    next_update: UnixMillis,
    /// Contents of `revokedCertificates`; empty where there are none.
    entries: &'b [u8],
}

impl<'b> RevokedList<'b> {
    pub(crate) fn parse(bytes: &'b [u8]) -> Result<RevokedList<'b>, Refused> {
        let signed = Signed::parse(bytes)?;
        let mut inner = signed.contents();
        // Version 2.
        if inner.expect(INTEGER)?.contents != [1] || Algorithm::parse(&mut inner)? != signed.algorithm {
            return Err(MALFORMED);
        }
        let issuer = inner.expect(SEQUENCE)?.contents;
        let this_update = time::parse(inner.element()?)?;
        // RFC 5280 §5.1.2.5 demands a time for the next list.
        let next_update = match inner.peek() {
            Some(UTC_TIME | GENERALIZED_TIME) => time::parse(inner.element()?)?,
            _ => return Err(MALFORMED),
        };
        let entries = inner.optional(SEQUENCE)?.map_or(&[][..], |element| element.contents);
        let mut wrapped = inner.enter(CONTEXT_0)?;
        check_extensions(wrapped.enter(SEQUENCE)?)?;
        wrapped.finish()?;
        inner.finish()?;
        let list = RevokedList { signed, issuer, this_update, next_update, entries };
        list.serials().try_for_each(|serial| serial.map(drop))?;
        Ok(list)
    }

    /// Whether this is the list of `authority`, and it has not revoked `certificate`.
    pub(crate) fn check(
        &self,
        certificate: &Certificate<'_>,
        authority: &Certificate<'_>,
    ) -> Result<(), Refused> {
        if self.issuer != authority.subject || certificate.issuer != authority.subject {
            return Err(Refused::CertificateIssuer);
        }
        if !self.signed.is_by(authority.key) {
            return Err(Refused::CertificateSignature);
        }
        let is_listed = self.serials().any(|serial| serial.is_ok_and(|serial| serial == certificate.serial));
        if is_listed { Err(Refused::CertificateRevoked) } else { Ok(()) }
    }

    /// A list is good until the next one is due.
    pub(crate) fn check_validity(&self, at: UnixMillis, leeway: u64) -> Result<(), Refused> {
        time::check_within(self.this_update, self.next_update, at, leeway)
    }

    pub(crate) fn not_after(&self) -> UnixMillis {
        self.next_update
    }

    fn serials(&self) -> impl Iterator<Item = Result<&'b [u8], Refused>> {
        let mut entries = Reader::new(self.entries);
        core::iter::from_fn(move || (!entries.is_empty()).then(|| entry(&mut entries)))
    }
}

/// The serial number of one entry; its extensions say why and change nothing.
fn entry<'b>(entries: &mut Reader<'b>) -> Result<&'b [u8], Refused> {
    let mut entry = entries.enter(SEQUENCE)?;
    let serial = entry.expect(INTEGER)?.contents;
    time::parse(entry.element()?)?;
    if let Some(extensions) = entry.optional(SEQUENCE)? {
        check_extensions(Reader::new(extensions.contents))?;
    }
    entry.finish()?;
    Ok(serial)
}

/// A critical extension would change what the list is about (RFC 5280 §5.2): none is understood here.
fn check_extensions(mut list: Reader<'_>) -> Result<(), Refused> {
    while !list.is_empty() {
        let mut extension = list.enter(SEQUENCE)?;
        extension.expect(OID)?;
        if extension.optional(BOOLEAN)?.is_some_and(|critical| critical.contents != [0]) {
            return Err(Refused::UnknownCriticalExtension);
        }
        extension.expect(OCTET_STRING)?;
        extension.finish()?;
    }
    Ok(())
}
