//! Whether a manifest concerns this enclave, now.

use crate::clock::Clock;
use verify::expect::Version;
use verify::manifest::{Approved, reaches};
use wire::ceremony::{CeremonyFault, MAX_APPROVALS, Proposal, Refused};
use wire::identity::{Build, Environment, TeeKind};
use wire::manifest::Manifest;

/// What this enclave is, as far as manifests speak of it.
#[derive(Clone, Debug)]
pub(super) struct Candidate {
    pub(super) tee: TeeKind,
    pub(super) environment: Environment,
    pub(super) build: Build,
}

/// The witness that enough approvers signed a manifest which is for an enclave like this one, at this time.
///
/// What the program measures is not among it: an enclave cannot judge itself. Holders do that before they release.
#[derive(Debug)]
pub(super) struct Admitted(Approved);

impl Admitted {
    pub(super) fn check(
        proposal: &Proposal,
        candidate: &Candidate,
        clock: &Clock,
    ) -> Result<Admitted, Refused> {
        if proposal.approvals.len() > MAX_APPROVALS {
            return Err(refused(CeremonyFault::Malformed));
        }
        let approvals = proposal.approvals.iter().map(|approval| approval.0.as_slice());
        let approved = Approved::check(&proposal.manifest, approvals)?;
        candidate.suits(approved.manifest()).map_err(refused)?;
        check_time(approved.manifest(), clock).map_err(refused)?;
        Ok(Admitted(approved))
    }

    pub(super) fn manifest(&self) -> &Manifest {
        self.0.manifest()
    }

    pub(super) fn hash(&self) -> [u8; 32] {
        self.0.hash()
    }

    pub(super) fn approved(&self) -> &Approved {
        &self.0
    }
}

impl Candidate {
    fn suits(&self, manifest: &Manifest) -> Result<(), CeremonyFault> {
        let least = Version::parse(&manifest.minimum_version);
        let recent = Version::parse(&self.build.version).is_some_and(|version| Some(version) >= least);
        let listed = manifest.programs.iter().any(|program| program.tee == self.tee);
        require(reaches(manifest, self.environment), CeremonyFault::EnvironmentMismatch)?;
        require(listed, CeremonyFault::TeeNotListed)?;
        require(recent, CeremonyFault::VersionTooOld)
    }
}

/// By the host's claim, never below the floor. A host that lies gains an enclave under a manifest that its approvers let
/// end; holders judge the manifest by clocks of their own.
pub(super) fn check_time(manifest: &Manifest, clock: &Clock) -> Result<(), CeremonyFault> {
    require(clock.is_claimed(), CeremonyFault::ClockUnset)?;
    require(manifest.from <= clock.now(), CeremonyFault::ManifestNotYetValid)?;
    require(clock.now() < manifest.until, CeremonyFault::ManifestOver)
}

fn require(holds: bool, fault: CeremonyFault) -> Result<(), CeremonyFault> {
    if holds { Ok(()) } else { Err(fault) }
}

pub(super) fn refused(fault: CeremonyFault) -> Refused {
    Refused { fault, member: None }
}
