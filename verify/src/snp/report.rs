//! The attestation report (AMD 56860, "SEV Secure Nested Paging Firmware ABI Specification", table "ATTESTATION_REPORT"):
//! 1,184 bytes at fixed places, numbers little-endian, ECDSA P-384 over all before the signature.

use crate::Refused;
use crate::x509::{Certificate, Key};
use aws_lc_rs::signature::{ECDSA_P384_SHA384_FIXED, UnparsedPublicKey};

const BYTES: usize = 0x4a0;
/// Where the signature begins, and the signed bytes end.
const SIGNED: usize = 0x2a0;
/// Each of r and s, little-endian, filled up with zeros.
const COORDINATE: usize = 72;
/// Bytes of a P-384 coordinate.
const P384: usize = 48;
/// Versions of the report that are laid out like this one where it matters here.
const VERSIONS: core::ops::RangeInclusive<u32> = 2..=5;
/// `SIGNATURE_ALGO`: ECDSA P-384 with SHA-384.
const ECDSA_P384_SHA384: u32 = 1;

/// A report's fields, as the received bytes.
pub(super) struct Report<'b> {
    pub(super) policy: Policy,
    pub(super) vmpl: u32,
    pub(super) signing_key: SigningKey,
    pub(super) data: &'b [u8; 64],
    pub(super) measurement: &'b [u8; 48],
    pub(super) reported_tcb: [u8; 8],
    pub(super) chip: &'b [u8; 64],
    signed: &'b [u8],
    /// r ‖ s, big-endian.
    signature: [u8; 96],
}

/// What the guest's owner allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Policy {
    /// The host may read the guest's memory.
    pub(super) debug: bool,
    /// A migration agent may move the guest elsewhere, with its memory.
    pub(super) migration: bool,
}

/// Which key signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SigningKey {
    /// The chip's own, of one version of its firmware.
    Vcek,
    /// A key that AMD gave to a cloud.
    Vlek,
}

impl<'b> Report<'b> {
    pub(super) fn parse(bytes: &'b [u8]) -> Result<Report<'b>, Refused> {
        if bytes.len() > BYTES {
            return Err(Refused::DocumentTooLong);
        }
        let report: &[u8; BYTES] = bytes.try_into().map_err(|_| Refused::Malformed)?;
        if !VERSIONS.contains(&u32::from_le_bytes(*field(report, 0x00)?)) {
            return Err(Refused::Malformed);
        }
        if u32::from_le_bytes(*field(report, 0x34)?) != ECDSA_P384_SHA384 {
            return Err(Refused::AlgorithmNotAllowed);
        }
        Ok(Report {
            policy: Policy::parse(u64::from_le_bytes(*field(report, 0x08)?))?,
            vmpl: u32::from_le_bytes(*field(report, 0x30)?),
            signing_key: SigningKey::parse(u32::from_le_bytes(*field(report, 0x48)?))?,
            data: field(report, 0x50)?,
            measurement: field(report, 0x90)?,
            reported_tcb: *field(report, 0x180)?,
            chip: field(report, 0x1a0)?,
            signed: report.get(..SIGNED).ok_or(Refused::Malformed)?,
            signature: signature(report.get(SIGNED..).ok_or(Refused::Malformed)?)?,
        })
    }

    pub(super) fn verify(&self, leaf: &Certificate<'_>) -> Result<(), Refused> {
        let Key::P384(key) = leaf.key else { return Err(Refused::CertificateAlgorithm) };
        UnparsedPublicKey::new(&ECDSA_P384_SHA384_FIXED, key)
            .verify(self.signed, &self.signature)
            .map_err(|_| Refused::SignatureInvalid)
    }
}

impl Policy {
    fn parse(bits: u64) -> Result<Policy, Refused> {
        const MIGRATE_MA: u64 = 1 << 18;
        const DEBUG: u64 = 1 << 19;
        const MUST_BE_ONE: u64 = 1 << 17;
        if bits & MUST_BE_ONE == 0 {
            return Err(Refused::Malformed);
        }
        Ok(Policy { debug: bits & DEBUG != 0, migration: bits & MIGRATE_MA != 0 })
    }
}

impl SigningKey {
    /// Bits 2 to 4 of the flags; 7 is "none".
    fn parse(flags: u32) -> Result<SigningKey, Refused> {
        match flags >> 2 & 0b111 {
            0 => Ok(SigningKey::Vcek),
            1 => Ok(SigningKey::Vlek),
            _ => Err(Refused::Malformed),
        }
    }
}

/// The `N` bytes at a place of the report.
fn field<const N: usize>(report: &[u8; BYTES], at: usize) -> Result<&[u8; N], Refused> {
    report.get(at..).and_then(<[u8]>::first_chunk).ok_or(Refused::Malformed)
}

/// Turns r and s around. What follows them is reserved, and no signature covers it: it is zero or the report is refused,
/// so that no two different reports are the same one.
fn signature(bytes: &[u8]) -> Result<[u8; 96], Refused> {
    let (r, rest) = bytes.split_at_checked(COORDINATE).ok_or(Refused::Malformed)?;
    let (s, reserved) = rest.split_at_checked(COORDINATE).ok_or(Refused::Malformed)?;
    if reserved.iter().any(|byte| *byte != 0) {
        return Err(Refused::Malformed);
    }
    let mut out = [0; 96];
    for (to, from) in out.chunks_exact_mut(P384).zip([r, s]) {
        let (number, above) = from.split_at_checked(P384).ok_or(Refused::Malformed)?;
        if above.iter().any(|byte| *byte != 0) {
            return Err(Refused::SignatureFormat);
        }
        to.iter_mut().zip(number.iter().rev()).for_each(|(to, from)| *to = *from);
    }
    Ok(out)
}
