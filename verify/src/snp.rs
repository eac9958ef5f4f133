//! AMD SEV-SNP attestation reports (docs/spec/evidence.md §5): the report, the certificate of the chip or of the cloud that
//! signed it, and what that certificate says of both.

mod chain;
mod report;
mod tcb;

use crate::attested::{Attested, Platform, Standing};
use crate::evidence::Claims;
use crate::expect::{Expect, Kind};
use crate::measurement::{Name, Registers};
use crate::{Examination, Refused};
use chain::Chain;
use report::{Report, SigningKey};
pub use tcb::Tcb;
use wire::UnixMillis;

/// What a caller accepts of a machine, beside the program that it runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Demands {
    /// The platform's firmware is nowhere older than this.
    pub minimum_tcb: Tcb,
    /// The least privileged level (VMPL) that may ask for a report. Above 0, the software at level 0 is trusted, too:
    /// often a cloud's.
    pub highest_vmpl: u32,
}

/// Runs the checks `kind` to `measurement` in order, as for every kind of evidence.
pub(crate) fn check<'b>(
    document: &'b [u8],
    certificates: &[Vec<u8>],
    expect: &Expect,
    at: UnixMillis,
    examination: &mut Examination,
) -> Result<(Attested, Claims<'b>), Refused> {
    let report = examination.check("kind", || Report::parse(document))?;
    let chain = examination.check("chain", || {
        let chain = Chain::build(certificates, expect.vendors.of(Kind::SevSnp))?;
        is_signers(&report, &chain).map(|()| chain)
    })?;
    examination.check("signature", || report.verify(&chain.leaf))?;
    let registers = Registers::new().with(Name::Measurement, *report.measurement)?;
    examination.registers = registers.clone();
    examination.check("validity", || chain.check_validity(at, expect.leeway))?;
    let firmware = examination.check("platform", || platform(&report, &chain, &expect.snp))?;
    examination.check("not_debug", || if report.policy.debug { Err(Refused::Debug) } else { Ok(()) })?;
    let accepted = examination.check("measurement", || expect.accept(&registers))?;
    let attested = Attested {
        standing: Standing::Hardware,
        kind: Kind::SevSnp,
        registers,
        accepted,
        platform: Platform::SevSnp(firmware),
        module: format!("sev-snp-{}", chain.product.name()),
        signed: at,
        not_after: chain.not_after(),
    };
    Ok((attested, Claims { data: Some(report.data), nonce: None }))
}

/// Whether the certificate is the one that the report says it was signed by: its kind, its chip, its firmware.
fn is_signers(report: &Report<'_>, chain: &Chain<'_>) -> Result<(), Refused> {
    match (report.signing_key, chain.chip) {
        (SigningKey::Vcek, Some(chip)) if !chip.is(report.chip) => return Err(Refused::ChipMismatch),
        (SigningKey::Vcek, Some(_)) | (SigningKey::Vlek, None) => {}
        (SigningKey::Vcek, None) | (SigningKey::Vlek, Some(_)) => return Err(Refused::ChipMismatch),
    }
    if tcb::of_certificate(&chain.leaf, chain.product)? == report.reported_tcb {
        Ok(())
    } else {
        Err(Refused::TcbMismatch)
    }
}

/// What the machine is, and what its owner allows its host to do: the firmware that it reports.
fn platform(report: &Report<'_>, chain: &Chain<'_>, demands: &Demands) -> Result<Tcb, Refused> {
    if report.policy.migration {
        return Err(Refused::MigrationAllowed);
    }
    if report.vmpl > demands.highest_vmpl {
        return Err(Refused::PrivilegeLevel);
    }
    let reported = Tcb::from_bytes(report.reported_tcb, chain.product);
    if reported.is_at_least(&demands.minimum_tcb) { Ok(reported) } else { Err(Refused::TcbTooOld) }
}
