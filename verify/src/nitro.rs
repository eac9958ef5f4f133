//! AWS Nitro attestation documents (docs/spec/evidence.md §1): real ones, and simulated ones by the same code.

mod payload;
mod sign1;

use crate::attested::{Attested, Freshness, Platform, Standing};
use crate::evidence::Claims;
use crate::expect::{Expect, Kind};
use crate::x509::{Algorithm, Certificate, Key, LeafUsage, check_algorithms, check_path};
use crate::{Examination, Refused};
use payload::Payload;
use sign1::Sign1;
pub(crate) use sign1::length;
use wire::UnixMillis;

/// No document is longer; real ones have 4,500 bytes.
pub const MAX_BYTES: usize = 16_384;

/// The evidence certificate lives at most this long (m16); AWS issues for three hours.
const MAX_LEAF_LIFETIME_MS: u64 = 25 * 3_600_000;
/// No certificate of a simulation lives longer.
const MAX_SIMULATION_LIFETIME_MS: u64 = 31 * 86_400_000;
/// What a simulation says of itself in every certificate's organizationName.
const SIMULATION_ORGANIZATION: &str = "DEVELOPMENT - NOT A TEE";
/// How the `module_id` of a simulation begins.
const SIMULATION_MODULE: &str = "dev-simulated-";

/// Runs the checks of a Nitro document; see [`crate::evidence::check`].
pub(crate) fn check<'b>(
    document: &'b [u8],
    expect: &Expect,
    at: UnixMillis,
    answers: impl FnOnce(&Claims<'_>) -> Freshness,
    examination: &mut Examination,
) -> Result<(Attested, Claims<'b>), Refused> {
    let (sign1, payload) = examination.check("kind", || {
        let sign1 = Sign1::parse(document)?;
        let payload = Payload::parse(sign1.payload)?;
        Ok((sign1, payload))
    })?;
    let (standing, path) = examination.check("chain", || chain(&payload, expect))?;
    let leaf = path.last().ok_or(Refused::Malformed)?;
    examination.check("signature", || sign1.verify(leaf.key))?;
    examination.registers = payload.registers.clone();
    let claims = Claims { data: payload.user_data, nonce: payload.nonce };
    let fresh = answers(&claims) == Freshness::Proven;
    examination.check("validity", || validity(&path, payload.timestamp, fresh, expect.leeway, at))?;
    examination.check("not_debug", || {
        if payload.registers.is_debug_nitro() { Err(Refused::Debug) } else { Ok(()) }
    })?;
    let accepted = examination.check("measurement", || expect.accept(&payload.registers))?;
    let attested = Attested {
        standing,
        kind: Kind::Nitro,
        registers: payload.registers.clone(),
        accepted,
        platform: Platform::Nitro,
        module: payload.module.to_owned(),
        signed: payload.timestamp,
        not_after: leaf.not_after,
    };
    Ok((attested, claims))
}

/// Everything about the certificates that needs no clock, and who vouches for the first of them.
fn chain<'b>(payload: &Payload<'b>, expect: &Expect) -> Result<(Standing, Vec<Certificate<'b>>), Refused> {
    let root = *payload.bundle.first().ok_or(Refused::Malformed)?;
    let standing = if expect.vendors.contain(Kind::Nitro, root) {
        Standing::Hardware
    } else if expect.dangerous_simulated.as_ref().is_some_and(|named| named.der() == root) {
        Standing::Simulated
    } else if claims_simulation(payload) {
        return Err(Refused::SimulatedNotAllowed);
    } else {
        return Err(Refused::RootNotPinned);
    };
    let certificates = payload.bundle.iter().chain([&payload.certificate]);
    let path = certificates.map(|bytes| Certificate::parse(bytes)).collect::<Result<Vec<_>, _>>()?;
    let linked: Vec<&Certificate<'_>> = path.iter().collect();
    check_algorithms(&linked, Algorithm::Es384, |key| matches!(key, Key::P384(_)))?;
    check_path(&linked, LeafUsage::Stated)?;
    if path.last().is_none_or(|leaf| leaf.lifetime() > MAX_LEAF_LIFETIME_MS) {
        return Err(Refused::CertificateLifetime);
    }
    match standing {
        Standing::Hardware => check_unmarked(payload, &path)?,
        Standing::Simulated => check_marked(payload, &path)?,
    }
    Ok((standing, path))
}

/// Only words the refusal: a mark under an unknown root proves nothing.
fn claims_simulation(payload: &Payload<'_>) -> bool {
    payload.module.starts_with(SIMULATION_MODULE)
}

/// A vendor's chain carries no mark of a simulation, not even one that is not critical.
fn check_unmarked(payload: &Payload<'_>, path: &[Certificate<'_>]) -> Result<(), Refused> {
    let mut marked = payload.module.starts_with(SIMULATION_MODULE);
    for certificate in path {
        marked |= certificate.extensions.simulation.is_some();
        marked |= certificate.has_organization(SIMULATION_ORGANIZATION)?;
    }
    if marked { Err(Refused::SimulationUnderVendorRoot) } else { Ok(()) }
}

/// A simulation says so in every certificate and in its module's name, and none of it lives long.
fn check_marked(payload: &Payload<'_>, path: &[Certificate<'_>]) -> Result<(), Refused> {
    let mut marked = payload.module.starts_with(SIMULATION_MODULE);
    for certificate in path {
        marked &= certificate.extensions.simulation.is_some_and(|mark| mark.critical);
        marked &= certificate.has_organization(SIMULATION_ORGANIZATION)?;
    }
    if !marked {
        return Err(Refused::SimulationUnmarked);
    }
    if path.iter().any(|certificate| certificate.lifetime() > MAX_SIMULATION_LIFETIME_MS) {
        return Err(Refused::CertificateLifetime);
    }
    Ok(())
}

/// Compares the caller's time with everything that has one.
fn validity(
    path: &[Certificate<'_>],
    timestamp: UnixMillis,
    fresh: bool,
    leeway: u64,
    at: UnixMillis,
) -> Result<(), Refused> {
    if fresh && at.distance(timestamp) > leeway {
        let seconds = i64::try_from(at.distance(timestamp) / 1000).unwrap_or(i64::MAX);
        let seconds = if at > timestamp { seconds } else { seconds.saturating_neg() };
        return Err(Refused::ClockSkew { seconds });
    }
    path.iter().try_for_each(|certificate| certificate.check_validity(at, leeway))?;
    let leaf = path.last().ok_or(Refused::Malformed)?;
    let signed_within = leaf.not_before.minus(leeway)..=leaf.not_after.plus(leeway);
    if signed_within.contains(&timestamp) { Ok(()) } else { Err(Refused::TimestampOutsideCertificate) }
}
