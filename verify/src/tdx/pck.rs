//! What a platform's certificate says of it (Intel, "SGX PCK Certificate and CRL Profile Specification", §1.3.5).

use crate::Refused;
use crate::x509::Certificate;
use crate::x509::der::{INTEGER, OCTET_STRING, OID, Reader, SEQUENCE};

const MALFORMED: Refused = Refused::CertificateMalformed;
/// 1.2.840.113741.1.13.1, contents only; members append an arc.
const SGX: &[u8] = b"\x2a\x86\x48\x86\xf8\x4d\x01\x0d\x01";
const TCB: u8 = 2;
const PCE_ID: u8 = 3;
const FMSPC: u8 = 4;
/// Arcs of the TCB's members: 1 to 16 for its components, then the version of the PCE, then all of them again.
const PCE_SVN: u8 = 17;

/// A platform, as its certificate has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Platform {
    /// Family, model, stepping, platform type, customer.
    pub(super) fmspc: [u8; 6],
    pub(super) pce_id: [u8; 2],
    /// Versions of the sixteen parts of its firmware.
    pub(super) components: [u8; 16],
    pub(super) pce_svn: u16,
}

impl Platform {
    pub(super) fn of(certificate: &Certificate<'_>) -> Result<Platform, Refused> {
        let mut outer = Reader::new(certificate.extension(SGX).ok_or(MALFORMED)?);
        let members = outer.expect(SEQUENCE)?.contents;
        outer.finish()?;
        let tcb = tagged(members, &[TCB], SEQUENCE)?;
        let mut components = [0; 16];
        for (svn, arc) in components.iter_mut().zip(1..) {
            *svn = u8::try_from(integer(tcb, &[TCB, arc])?).map_err(|_| MALFORMED)?;
        }
        Ok(Platform {
            fmspc: octets(members, &[FMSPC])?,
            pce_id: octets(members, &[PCE_ID])?,
            components,
            pce_svn: integer(tcb, &[TCB, PCE_SVN])?,
        })
    }
}

fn octets<const N: usize>(members: &[u8], arcs: &[u8]) -> Result<[u8; N], Refused> {
    tagged(members, arcs, OCTET_STRING)?.try_into().map_err(|_| MALFORMED)
}

fn integer(members: &[u8], arcs: &[u8]) -> Result<u16, Refused> {
    match tagged(members, arcs, INTEGER)? {
        [low @ 0..=0x7f] => Ok(u16::from(*low)),
        [0x00, low @ 0x80..=0xff] => Ok(u16::from(*low)),
        [high @ 0x01..=0x7f, low] => Ok(u16::from_be_bytes([*high, *low])),
        [0x00, high @ 0x80..=0xff, low] => Ok(u16::from_be_bytes([*high, *low])),
        _ => Err(MALFORMED),
    }
}

/// Finds `SEQUENCE { OID 1.2.840.113741.1.13.1.ARCS, value }` among the members; the value has this tag.
fn tagged<'b>(members: &'b [u8], arcs: &[u8], tag: u8) -> Result<&'b [u8], Refused> {
    let mut list = Reader::new(members);
    while !list.is_empty() {
        let mut pair = list.enter(SEQUENCE)?;
        let name = pair.expect(OID)?.contents;
        let value = pair.element()?;
        pair.finish()?;
        if name.strip_prefix(SGX) == Some(arcs) {
            return if value.tag == tag { Ok(value.contents) } else { Err(MALFORMED) };
        }
    }
    Err(MALFORMED)
}
