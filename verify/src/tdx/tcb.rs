//! What Intel's statements make of a platform, its TDX module and its quoting enclave (Intel PCS API v4, "TCB Info" and
//! "Enclave Identity"; the order of levels is Intel's, and the first that fits counts).

use super::Status;
use super::pck::Platform;
use super::quote::{Body, QE_REPORT_BYTES};
use crate::json::Json;
use crate::{Refused, text};

const MALFORMED: Refused = Refused::CollateralMalformed;

/// The status of the platform's firmware and of its TDX module.
pub(super) fn of_platform(tcb: &Json, platform: &Platform, body: &Body<'_>) -> Result<[Status; 2], Refused> {
    if tcb.text("id")? != "TDX" || tcb.number("version")? != 3 {
        return Err(Refused::CollateralMismatch);
    }
    let is_for = bytes::<6>(tcb, "fmspc")? == platform.fmspc && bytes::<2>(tcb, "pceId")? == platform.pce_id;
    if !is_for {
        return Err(Refused::CollateralMismatch);
    }
    Ok([firmware(tcb, platform, body)?, module(tcb, body)?])
}

fn firmware(tcb: &Json, platform: &Platform, body: &Body<'_>) -> Result<Status, Refused> {
    let [_, module_version, ..] = body.tee_tcb_svn;
    // With a versioned module, the first two parts are the module's, which is judged by its own levels.
    let skipped = if *module_version == 0 { 0 } else { 2 };
    for level in tcb.list("tcbLevels")? {
        let least = level.get("tcb")?;
        let reaches = components(least, "sgxtcbcomponents", &platform.components, 0)?
            && u64::from(platform.pce_svn) >= least.number("pcesvn")?
            && components(least, "tdxtcbcomponents", body.tee_tcb_svn, skipped)?;
        if reaches {
            return status(level);
        }
    }
    Err(Refused::TcbTooOld)
}

/// Whether every version from `skipped` on is at least what the level demands.
fn components(least: &Json, name: &str, found: &[u8; 16], skipped: usize) -> Result<bool, Refused> {
    let least = least.list(name)?;
    if least.len() != found.len() {
        return Err(MALFORMED);
    }
    let mut reaches = true;
    for (least, found) in least.iter().zip(found).skip(skipped) {
        reaches &= u64::from(*found) >= least.number("svn")?;
    }
    Ok(reaches)
}

/// The TDX module: who signed it, its attributes, and of a versioned one its level.
fn module(tcb: &Json, body: &Body<'_>) -> Result<Status, Refused> {
    let [svn, version, ..] = body.tee_tcb_svn;
    if *version == 0 {
        return is_module(tcb.get("tdxModule")?, body).map(|()| Status::UpToDate);
    }
    let id = format!("TDX_{version:02X}");
    for identity in tcb.list("tdxModuleIdentities")? {
        if identity.text("id")? == id {
            is_module(identity, body)?;
            return by_svn(identity, u64::from(*svn));
        }
    }
    Err(Refused::CollateralMismatch)
}

fn is_module(identity: &Json, body: &Body<'_>) -> Result<(), Refused> {
    let (wanted, mask) = (bytes::<8>(identity, "attributes")?, bytes::<8>(identity, "attributesMask")?);
    let fits = is_masked(body.module_attributes, &mask, &wanted)
        && bytes::<48>(identity, "mrsigner")? == *body.module_signer;
    if fits { Ok(()) } else { Err(Refused::CollateralMismatch) }
}

/// The quoting enclave, by its report (Intel SDM, "REPORT"): it is Intel's, and of which level.
pub(super) fn of_enclave(identity: &Json, report: &[u8; QE_REPORT_BYTES]) -> Result<Status, Refused> {
    if identity.text("id")? != "TD_QE" || identity.number("version")? != 2 {
        return Err(Refused::CollateralMismatch);
    }
    let misc_select: &[u8; 4] = field(report, 16)?;
    let attributes: &[u8; 16] = field(report, 48)?;
    let signer: &[u8; 32] = field(report, 128)?;
    let product = u16::from_le_bytes(*field(report, 256)?);
    let svn = u16::from_le_bytes(*field(report, 258)?);
    let is_intels = is_masked(
        misc_select,
        &bytes::<4>(identity, "miscselectMask")?,
        &bytes::<4>(identity, "miscselect")?,
    ) && is_masked(
        attributes,
        &bytes::<16>(identity, "attributesMask")?,
        &bytes::<16>(identity, "attributes")?,
    ) && *signer == bytes::<32>(identity, "mrsigner")?
        && u64::from(product) == identity.number("isvprodid")?;
    if is_intels { by_svn(identity, u64::from(svn)) } else { Err(Refused::QuotingEnclave) }
}

/// The last 64 bytes of a report are what the enclave put there.
pub(super) fn data_of(report: &[u8; QE_REPORT_BYTES]) -> Result<&[u8; 64], Refused> {
    field(report, 320)
}

/// The status of the first level whose version is reached.
fn by_svn(identity: &Json, svn: u64) -> Result<Status, Refused> {
    for level in identity.list("tcbLevels")? {
        if svn >= level.get("tcb")?.number("isvsvn")? {
            return status(level);
        }
    }
    Err(Refused::TcbTooOld)
}

fn status(level: &Json) -> Result<Status, Refused> {
    Status::parse(level.text("tcbStatus")?).ok_or(MALFORMED)
}

fn is_masked(found: &[u8], mask: &[u8], wanted: &[u8]) -> bool {
    found.iter().zip(mask).zip(wanted).all(|((found, mask), wanted)| found & mask == *wanted)
}

fn bytes<const N: usize>(json: &Json, name: &str) -> Result<[u8; N], Refused> {
    let bytes = text::unhex(json.text(name)?.as_bytes()).ok_or(MALFORMED)?;
    bytes.try_into().map_err(|_| MALFORMED)
}

fn field<const N: usize>(report: &[u8; QE_REPORT_BYTES], at: usize) -> Result<&[u8; N], Refused> {
    report.get(at..).and_then(<[u8]>::first_chunk).ok_or(Refused::Malformed)
}
