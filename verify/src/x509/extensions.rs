//! Extensions (RFC 5280 §4.2): the five that are understood. Any other that is critical refuses the certificate.

use super::der::{BIT_STRING, INTEGER, OCTET_STRING, OID, Reader, SEQUENCE, UTF8_STRING};
use crate::Refused;

const MALFORMED: Refused = Refused::CertificateMalformed;
const SUBJECT_KEY_IDENTIFIER: &[u8] = &[0x55, 0x1d, 0x0e];
const KEY_USAGE: &[u8] = &[0x55, 0x1d, 0x0f];
const BASIC_CONSTRAINTS: &[u8] = &[0x55, 0x1d, 0x13];
const AUTHORITY_KEY_IDENTIFIER: &[u8] = &[0x55, 0x1d, 0x23];
/// 1.3.6.1.4.1.99999.1.1: a development certificate (docs/spec/evidence.md §1.4).
const SIMULATION: &[u8] = &[0x2b, 0x06, 0x01, 0x04, 0x01, 0x86, 0x8d, 0x1f, 0x01, 0x01];
/// No certificate here has more.
const MAX_EXTENSIONS: usize = 16;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Extensions {
    pub(crate) basic_constraints: Option<BasicConstraints>,
    pub(crate) key_usage: Option<KeyUsage>,
    /// The simulation mark, and whether it is critical.
    pub(crate) simulation: Option<Mark>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct BasicConstraints {
    pub(crate) critical: bool,
    pub(crate) ca: bool,
    pub(crate) path_length: Option<u8>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct KeyUsage {
    pub(crate) digital_signature: bool,
    pub(crate) key_cert_sign: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Mark {
    pub(crate) critical: bool,
}

impl Extensions {
    /// Reads `Extensions`, a SEQUENCE of `{ OID, critical DEFAULT FALSE, OCTET STRING }`.
    pub(super) fn parse(mut list: Reader<'_>) -> Result<Extensions, Refused> {
        let mut extensions = Extensions::default();
        let mut seen: Vec<&[u8]> = Vec::new();
        while !list.is_empty() {
            let (oid, critical, value) = next(&mut list)?;
            if seen.contains(&oid) || seen.len() == MAX_EXTENSIONS {
                return Err(MALFORMED);
            }
            seen.push(oid);
            extensions.read(oid, critical, value)?;
        }
        Ok(extensions)
    }

    fn read(&mut self, oid: &[u8], critical: bool, value: &[u8]) -> Result<(), Refused> {
        match oid {
            BASIC_CONSTRAINTS => self.basic_constraints = Some(basic_constraints(critical, value)?),
            KEY_USAGE => self.key_usage = Some(key_usage(value)?),
            SIMULATION => self.simulation = Some(simulation(critical, value)?),
            // Hints for building a path; the path here is given, and names and keys are compared.
            SUBJECT_KEY_IDENTIFIER | AUTHORITY_KEY_IDENTIFIER => {}
            _ if critical => return Err(Refused::UnknownCriticalExtension),
            _ => {}
        }
        Ok(())
    }
}

/// The value of the extension of that name.
pub(super) fn find<'b>(mut list: Reader<'b>, wanted: &[u8]) -> Option<&'b [u8]> {
    while !list.is_empty() {
        let (oid, _, value) = next(&mut list).ok()?;
        if oid == wanted {
            return Some(value);
        }
    }
    None
}

/// Name, criticality and value of the next extension.
fn next<'b>(list: &mut Reader<'b>) -> Result<(&'b [u8], bool, &'b [u8]), Refused> {
    let mut extension = list.enter(SEQUENCE)?;
    let oid = extension.expect(OID)?.contents;
    let critical = extension.default_false()?;
    let value = extension.expect(OCTET_STRING)?.contents;
    extension.finish()?;
    Ok((oid, critical, value))
}

fn basic_constraints(critical: bool, value: &[u8]) -> Result<BasicConstraints, Refused> {
    let mut outer = Reader::new(value);
    let mut inner = outer.enter(SEQUENCE)?;
    outer.finish()?;
    let ca = inner.default_false()?;
    let path_length = match inner.optional(INTEGER)?.map(|element| element.contents) {
        None => None,
        Some([length @ 0..=0x7f]) if ca => Some(*length),
        Some(_) => return Err(MALFORMED),
    };
    inner.finish()?;
    Ok(BasicConstraints { critical, ca, path_length })
}

/// A BIT STRING; bit 0 is digitalSignature, bit 5 keyCertSign (RFC 5280 §4.2.1.3).
fn key_usage(value: &[u8]) -> Result<KeyUsage, Refused> {
    let mut reader = Reader::new(value);
    let bits = reader.expect(BIT_STRING)?.contents;
    reader.finish()?;
    let [unused @ 0..=7, bytes @ ..] = bits else { return Err(MALFORMED) };
    let [first, rest @ ..] = bytes else { return Err(MALFORMED) };
    let last = rest.last().unwrap_or(first);
    if rest.len() > 1 || last & low_bits(*unused) != 0 {
        return Err(MALFORMED);
    }
    Ok(KeyUsage { digital_signature: first & 0x80 != 0, key_cert_sign: first & 0x04 != 0 })
}

fn low_bits(count: u8) -> u8 {
    1u8.checked_shl(count.into()).unwrap_or(0).wrapping_sub(1)
}

/// A UTF8String for people; that the extension is there says everything.
fn simulation(critical: bool, value: &[u8]) -> Result<Mark, Refused> {
    let mut reader = Reader::new(value);
    let text = reader.expect(UTF8_STRING)?.contents;
    reader.finish()?;
    match core::str::from_utf8(text) {
        Ok(text) if !text.is_empty() => Ok(Mark { critical }),
        _ => Err(MALFORMED),
    }
}
