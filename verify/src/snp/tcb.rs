//! Versions of a platform's firmware (AMD 56860, "TCB_VERSION"; AMD 57230, "VCEK Certificate and KDS Interface").

use super::chain::Product;
use crate::Refused;
use crate::x509::Certificate;
use crate::x509::der::{INTEGER, Reader};

/// The versions of a platform's parts, each compared alone. A part that a generation does not have is 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tcb {
    /// Firmware of the microcontroller that manages Turin and later.
    pub fmc: u8,
    pub boot_loader: u8,
    pub tee: u8,
    pub snp: u8,
    pub microcode: u8,
}

impl Tcb {
    pub(super) fn from_bytes(bytes: [u8; 8], product: Product) -> Tcb {
        match (product, bytes) {
            (Product::Milan | Product::Genoa, [boot_loader, tee, _, _, _, _, snp, microcode]) => {
                Tcb { fmc: 0, boot_loader, tee, snp, microcode }
            }
            (Product::Turin, [fmc, boot_loader, tee, snp, _, _, _, microcode]) => {
                Tcb { fmc, boot_loader, tee, snp, microcode }
            }
        }
    }

    /// Whether no part is older.
    pub(crate) fn is_at_least(&self, least: &Tcb) -> bool {
        self.fmc >= least.fmc
            && self.boot_loader >= least.boot_loader
            && self.tee >= least.tee
            && self.snp >= least.snp
            && self.microcode >= least.microcode
    }
}

/// Last arc of the extension 1.3.6.1.4.1.3704.1.3.ARC that holds each byte of a version, reserved ones included.
const ARCS: [u8; 8] = [1, 2, 4, 5, 6, 7, 3, 8];
const ARCS_TURIN: [u8; 8] = [9, 1, 2, 3, 5, 6, 7, 8];

/// The version that a certificate is for, byte by byte as in the report.
pub(super) fn of_certificate(certificate: &Certificate<'_>, product: Product) -> Result<[u8; 8], Refused> {
    let arcs = match product {
        Product::Milan | Product::Genoa => ARCS,
        Product::Turin => ARCS_TURIN,
    };
    let mut version = [0; 8];
    for (byte, arc) in version.iter_mut().zip(arcs) {
        let oid = [0x2b, 0x06, 0x01, 0x04, 0x01, 0x9c, 0x78, 0x01, 0x03, arc];
        *byte = number(certificate.extension(&oid).ok_or(Refused::CertificateMalformed)?)?;
    }
    Ok(version)
}

/// A DER INTEGER from 0 to 255.
fn number(value: &[u8]) -> Result<u8, Refused> {
    let mut reader = Reader::new(value);
    let digits = reader.expect(INTEGER)?.contents;
    reader.finish()?;
    match digits {
        [number @ 0..=0x7f] | [0x00, number @ 0x80..=0xff] => Ok(*number),
        _ => Err(Refused::CertificateMalformed),
    }
}
