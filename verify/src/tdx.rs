//! Intel TDX quotes (docs/spec/evidence.md §6): the quote, the quoting enclave that signed it, the platform that vouches for
//! that enclave, and what Intel says of all three at the time.

mod collateral;
mod pck;
mod quote;
mod tcb;

use crate::attested::{Attested, Standing};
use crate::evidence::Claims;
use crate::expect::{Expect, Kind};
use crate::measurement::{Name, Registers};
use crate::root::Root;
use crate::x509::{Algorithm, Certificate, Key, LeafUsage, check_algorithms, check_path};
use crate::{Examination, Refused, certificates};
use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
use collateral::{Collateral, Statements};
use pck::Platform;
pub(crate) use quote::without_padding;
use quote::{Body, Quote};
use wire::UnixMillis;

/// What Intel calls a platform, its TDX module or its quoting enclave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    UpToDate,
    /// Up to date, and the software has to defend itself against a known attack.
    SwHardeningNeeded,
    /// Up to date, and a setting of the platform is not.
    ConfigurationNeeded,
    ConfigurationAndSwHardeningNeeded,
    OutOfDate,
    OutOfDateConfigurationNeeded,
    Revoked,
}

impl Status {
    const ALL: [(Status, &'static str); 7] = [
        (Status::UpToDate, "UpToDate"),
        (Status::SwHardeningNeeded, "SWHardeningNeeded"),
        (Status::ConfigurationNeeded, "ConfigurationNeeded"),
        (Status::ConfigurationAndSwHardeningNeeded, "ConfigurationAndSWHardeningNeeded"),
        (Status::OutOfDate, "OutOfDate"),
        (Status::OutOfDateConfigurationNeeded, "OutOfDateConfigurationNeeded"),
        (Status::Revoked, "Revoked"),
    ];

    /// Reads Intel's name.
    pub fn parse(name: &str) -> Option<Status> {
        Status::ALL.iter().find(|(_, known)| *known == name).map(|(status, _)| *status)
    }

    const fn is_old(self) -> bool {
        matches!(self, Status::OutOfDate | Status::OutOfDateConfigurationNeeded | Status::Revoked)
    }
}

/// What a caller accepts of a platform, beside the program that it runs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Demands {
    /// Accepted beside [`Status::UpToDate`]; nothing that is out of date or revoked ever is.
    pub also_accepted: Vec<Status>,
    /// The least `tcbEvaluationDataNumber`: Intel counts up as it learns of attacks.
    pub minimum_evaluation: u64,
}

impl Demands {
    fn check(&self, status: Status) -> Result<(), Refused> {
        if status.is_old() {
            return Err(Refused::TcbTooOld);
        }
        let accepted = status == Status::UpToDate || self.also_accepted.contains(&status);
        if accepted { Ok(()) } else { Err(Refused::TcbStatus) }
    }
}

/// What only the TDX module may set of a trust domain's attributes (Intel TDX Module Base Architecture, "TD Attributes").
const DEBUG_OR_UNTRUSTED: u64 = 0xff;
const MIGRATABLE: u64 = 1 << 29;

/// Runs the checks `kind` to `measurement` in order, as for every kind of evidence.
pub(crate) fn check<'b>(
    document: &'b [u8],
    collateral: Option<&[u8]>,
    expect: &Expect,
    at: UnixMillis,
    examination: &mut Examination,
) -> Result<(Attested, Claims<'b>), Refused> {
    let (quote, chain) = examination.check("kind", || {
        let quote = Quote::parse(document)?;
        if quote.bytes != document.len() {
            return Err(Refused::Malformed);
        }
        let chain = certificates::read_chain(quote.chain.strip_suffix(&[0]).unwrap_or(quote.chain))?;
        Ok((quote, chain))
    })?;
    let path = examination.check("chain", || path(&chain, expect.vendors.of(Kind::Tdx)))?;
    let [_, _, leaf] = &path;
    examination.check("signature", || signatures(&quote, leaf))?;
    let registers = registers(&quote.body)?;
    examination.registers = registers.clone();
    let statements = examination.check("collateral", || {
        let given = Collateral::parse(collateral.ok_or(Refused::CollateralMissing)?)?;
        given.check(&path, at, expect.leeway)
    })?;
    examination.check("validity", || {
        path.iter().try_for_each(|certificate| certificate.check_validity(at, expect.leeway))
    })?;
    let evaluation = examination.check("platform", || platform(&quote, leaf, &statements, &expect.tdx))?;
    examination.check("not_debug", || {
        if quote.body.attributes & DEBUG_OR_UNTRUSTED == 0 { Ok(()) } else { Err(Refused::Debug) }
    })?;
    let accepted = examination.check("measurement", || expect.accept(&registers))?;
    let ends = path.iter().map(|certificate| certificate.not_after).chain([statements.not_after]);
    let attested = Attested {
        standing: Standing::Hardware,
        kind: Kind::Tdx,
        registers,
        accepted,
        platform: crate::attested::Platform::Tdx(evaluation),
        module: "tdx".to_owned(),
        signed: at,
        not_after: ends.min().unwrap_or(at),
    };
    Ok((attested, Claims { data: Some(quote.body.data), nonce: None }))
}

/// Root, authority and platform, in this order; the quote has them in the other.
fn path<'b>(chain: &'b [Vec<u8>], roots: &[Root]) -> Result<[Certificate<'b>; 3], Refused> {
    let [leaf, authority, root] = chain else { return Err(Refused::Malformed) };
    if !roots.iter().any(|pinned| pinned.der() == root) {
        return Err(Refused::RootNotPinned);
    }
    let path = [Certificate::parse(root)?, Certificate::parse(authority)?, Certificate::parse(leaf)?];
    let linked: Vec<&Certificate<'_>> = path.iter().collect();
    check_algorithms(&linked, Algorithm::Es256, |key| matches!(key, Key::P256(_)))?;
    check_path(&linked, LeafUsage::Stated)?;
    Ok(path)
}

/// The platform's key signed the quoting enclave's report, which names the key that signed the quote.
fn signatures(quote: &Quote<'_>, platform: &Certificate<'_>) -> Result<(), Refused> {
    let Key::P256(platform_key) = platform.key else { return Err(Refused::CertificateAlgorithm) };
    verify(platform_key, quote.qe_report, quote.qe_signature)?;
    let named = [quote.attestation_key, quote.qe_data].concat();
    let (hash, rest) = tcb::data_of(quote.qe_report)?.split_at(32);
    if digest(&SHA256, &named).as_ref() != hash || rest.iter().any(|byte| *byte != 0) {
        return Err(Refused::SignatureInvalid);
    }
    let point = [&[0x04][..], quote.attestation_key].concat();
    verify(&point, quote.signed, quote.signature)
}

fn verify(point: &[u8], message: &[u8], signature: &[u8]) -> Result<(), Refused> {
    UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point)
        .verify(message, signature)
        .map_err(|_| Refused::SignatureInvalid)
}

fn registers(body: &Body<'_>) -> Result<Registers, Refused> {
    let named = [
        (Name::Mrtd, body.mrtd),
        (Name::MrConfigId, body.config_id),
        (Name::MrOwner, body.owner),
        (Name::MrOwnerConfig, body.owner_config),
    ];
    let rtmr = (0..).map(Name::Rtmr).zip(body.rtmr);
    named.into_iter().chain(rtmr).try_fold(Registers::new(), |all, (name, value)| all.with(name, *value))
}

/// What Intel says of the machine, and what its owner allows its host to do: the `tcbEvaluationDataNumber` of what it says.
fn platform(
    quote: &Quote<'_>,
    leaf: &Certificate<'_>,
    stated: &Statements,
    demands: &Demands,
) -> Result<u64, Refused> {
    let tcb = &stated.tcb.json;
    let [firmware, module] = tcb::of_platform(tcb, &Platform::of(leaf)?, &quote.body)?;
    let enclave = tcb::of_enclave(&stated.enclave.json, quote.qe_report)?;
    [firmware, module, enclave].into_iter().try_for_each(|status| demands.check(status))?;
    let evaluation = tcb.number("tcbEvaluationDataNumber")?;
    if evaluation < demands.minimum_evaluation {
        return Err(Refused::TcbTooOld);
    }
    let is_bound = quote.body.service.is_some_and(|service| service.iter().any(|byte| *byte != 0));
    if quote.body.attributes & MIGRATABLE != 0 || is_bound {
        return Err(Refused::MigrationAllowed);
    }
    Ok(evaluation)
}
