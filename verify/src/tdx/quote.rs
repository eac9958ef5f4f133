//! The quote (Intel TDX DCAP Quoting Library API, "Quote Format"): versions 4 and 5, numbers little-endian.

use crate::Refused;

/// Real quotes have 5,000 bytes.
pub(crate) const MAX_BYTES: usize = 16_384;
const HEADER_BYTES: usize = 48;
/// A TDX 1.0 and a TDX 1.5 report of a trust domain.
const BODY_BYTES: usize = 584;
const BODY_1_5_BYTES: usize = 648;
pub(super) const QE_REPORT_BYTES: usize = 384;
/// ECDSA with P-256.
const ECDSA_P256: u16 = 2;
const TEE_TDX: u32 = 0x81;
/// Intel's quoting enclave.
const QE_VENDOR: [u8; 16] =
    [0x93, 0x9a, 0x72, 0x33, 0xf7, 0x9c, 0x4c, 0xa9, 0x94, 0x0a, 0x0d, 0xb3, 0x95, 0x7f, 0x06, 0x07];
/// Kinds of certification data: a chain in PEM, and a report of the quoting enclave with such a chain.
const PCK_CHAIN: u16 = 5;
const QE_REPORT: u16 = 6;

pub(super) struct Quote<'b> {
    /// Header and body: what the attestation key signed.
    pub(super) signed: &'b [u8],
    pub(super) body: Body<'b>,
    /// r ‖ s.
    pub(super) signature: &'b [u8; 64],
    /// x ‖ y of the key that the quoting enclave made.
    pub(super) attestation_key: &'b [u8; 64],
    pub(super) qe_report: &'b [u8; QE_REPORT_BYTES],
    /// r ‖ s by the platform's key (PCK).
    pub(super) qe_signature: &'b [u8; 64],
    pub(super) qe_data: &'b [u8],
    /// PEM: the platform's certificate, its authority, the root.
    pub(super) chain: &'b [u8],
    /// All that belongs to the quote; a recorder's padding may follow.
    pub(super) bytes: usize,
}

/// What the TDX module reports of the trust domain.
pub(super) struct Body<'b> {
    pub(super) tee_tcb_svn: &'b [u8; 16],
    pub(super) module_signer: &'b [u8; 48],
    pub(super) module_attributes: &'b [u8; 8],
    pub(super) attributes: u64,
    pub(super) mrtd: &'b [u8; 48],
    pub(super) config_id: &'b [u8; 48],
    pub(super) owner: &'b [u8; 48],
    pub(super) owner_config: &'b [u8; 48],
    pub(super) rtmr: [&'b [u8; 48]; 4],
    pub(super) data: &'b [u8; 64],
    /// TDX 1.5: hash of the service domains that are bound to this one, a migration's for example.
    pub(super) service: Option<&'b [u8; 48]>,
}

impl<'b> Quote<'b> {
    pub(super) fn parse(bytes: &'b [u8]) -> Result<Quote<'b>, Refused> {
        if bytes.len() > MAX_BYTES {
            return Err(Refused::DocumentTooLong);
        }
        let mut reader = Reader(bytes);
        let version = header(&mut reader)?;
        let body_bytes = match version {
            4 => BODY_BYTES,
            5 => match (reader.number16()?, reader.number32()?) {
                (2, size) if size == BODY_BYTES => BODY_BYTES,
                (3, size) if size == BODY_1_5_BYTES => BODY_1_5_BYTES,
                _ => return Err(Refused::Malformed),
            },
            _ => return Err(Refused::Malformed),
        };
        let body = Body::parse(Reader(reader.take(body_bytes)?))?;
        let signed = bytes.len().checked_sub(reader.0.len()).and_then(|end| bytes.get(..end));
        let size = reader.number32()?;
        let mut data = Reader(reader.take(size)?);
        let (signature, attestation_key) = (data.array()?, data.array()?);
        let mut certified = data.certification(QE_REPORT)?;
        data.finish()?;
        let (qe_report, qe_signature) = (certified.array()?, certified.array()?);
        let size = certified.number16()?;
        let qe_data = certified.take(usize::from(size))?;
        let chain = certified.certification(PCK_CHAIN)?.0;
        certified.finish()?;
        Ok(Quote {
            signed: signed.ok_or(Refused::Malformed)?,
            body,
            signature,
            attestation_key,
            qe_report,
            qe_signature,
            qe_data,
            chain,
            bytes: bytes.len().saturating_sub(reader.0.len()),
        })
    }
}

/// The quote at the start of `bytes`, if nothing but zeros follows it: some drivers hand out a buffer of fixed size.
pub(crate) fn without_padding(bytes: &[u8]) -> Option<&[u8]> {
    let (quote, padding) = bytes.split_at_checked(Quote::parse(bytes).ok()?.bytes)?;
    padding.iter().all(|byte| *byte == 0).then_some(quote)
}

/// Version, kind of key, kind of TEE, versions that are repeated elsewhere, vendor, 20 bytes for the vendor's use.
fn header(reader: &mut Reader<'_>) -> Result<u16, Refused> {
    let mut header = Reader(reader.take(HEADER_BYTES)?);
    let version = header.number16()?;
    if !matches!(version, 4 | 5) {
        return Err(Refused::Malformed);
    }
    if header.number16()? != ECDSA_P256 {
        return Err(Refused::AlgorithmNotAllowed);
    }
    if u32::from_le_bytes(*header.array()?) != TEE_TDX {
        return Err(Refused::Malformed);
    }
    header.take(4)?;
    if *header.array()? != QE_VENDOR {
        return Err(Refused::QuotingEnclave);
    }
    Ok(version)
}

impl<'b> Body<'b> {
    fn parse(mut reader: Reader<'b>) -> Result<Body<'b>, Refused> {
        let tee_tcb_svn = reader.array()?;
        // MRSEAM: the module is judged by its signer and version.
        reader.take(48)?;
        let (module_signer, module_attributes) = (reader.array()?, reader.array()?);
        let attributes = u64::from_le_bytes(*reader.array()?);
        // XFAM: which processor features the domain may use.
        reader.take(8)?;
        let (mrtd, config_id, owner, owner_config) =
            (reader.array()?, reader.array()?, reader.array()?, reader.array()?);
        let rtmr = [reader.array()?, reader.array()?, reader.array()?, reader.array()?];
        let data = reader.array()?;
        let service = if reader.0.is_empty() {
            None
        } else {
            // A second version, of the module that is loaded now, comes before it.
            reader.take(16)?;
            Some(reader.array()?)
        };
        reader.finish()?;
        Ok(Body {
            tee_tcb_svn,
            module_signer,
            module_attributes,
            attributes,
            mrtd,
            config_id,
            owner,
            owner_config,
            rtmr,
            data,
            service,
        })
    }
}

/// Takes bytes off the front, or refuses.
struct Reader<'b>(&'b [u8]);

impl<'b> Reader<'b> {
    fn take(&mut self, count: usize) -> Result<&'b [u8], Refused> {
        let (taken, rest) = self.0.split_at_checked(count).ok_or(Refused::Malformed)?;
        self.0 = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<&'b [u8; N], Refused> {
        let (taken, rest) = self.0.split_first_chunk().ok_or(Refused::Malformed)?;
        self.0 = rest;
        Ok(taken)
    }

    fn number16(&mut self) -> Result<u16, Refused> {
        self.array().map(|bytes| u16::from_le_bytes(*bytes))
    }

    fn number32(&mut self) -> Result<usize, Refused> {
        let number = u32::from_le_bytes(*self.array()?);
        usize::try_from(number).map_err(|_| Refused::Malformed)
    }

    /// Certification data of this kind: kind, size, contents.
    fn certification(&mut self, kind: u16) -> Result<Reader<'b>, Refused> {
        if self.number16()? != kind {
            return Err(Refused::Malformed);
        }
        let size = self.number32()?;
        self.take(size).map(Reader)
    }

    fn finish(self) -> Result<(), Refused> {
        if self.0.is_empty() { Ok(()) } else { Err(Refused::Malformed) }
    }
}
