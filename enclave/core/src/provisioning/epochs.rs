//! New epochs of roots that a quorum holds: made inside and split as by a genesis, taken over with the manifest that commits
//! to them, pending, and made current by the one after it (docs/spec/provisioning.md §10).
//!
//! Every step is a manifest that enough approvers signed; its nonce only rises, so a step that was taken is never taken
//! again, and the host decides of no more than when.

use super::admission::{Admitted, Candidate, refused};
use super::evidence;
use super::genesis::{Wanted, make_each, only_program};
use crate::enclave::Enclave;
use crate::line::Release;
use crate::secret::Secret;
use verify::manifest::Approved;
use verify::setup::About;
use wire::Canonical;
use wire::ceremony::{Attested, CeremonyFault, Genesis, Proposal, Refused};
use wire::consent::Class;
use wire::evidence::Hash;
use wire::identity::WIRE_VERSION;
use wire::manifest::{Manifest, RootCommitment, Stage, Step};

/// Roots that this start has made, and what it says of them. Nothing is sealed under them, and a start that ends before a
/// manifest commits to them takes them with it: no loss.
pub(crate) struct Begun {
    /// Of the manifest that asked for them: hash and nonce.
    asked: [u8; 32],
    nonce: u32,
    document: Vec<u8>,
    roots: Vec<(RootCommitment, Secret<32>)>,
}

impl Enclave {
    /// Makes the epochs that an approved manifest asks for. Asked again for the same, it says the same: an answer may be
    /// lost. What a newer manifest asks for takes the place of what nothing commits to; an older one, which a host may have
    /// kept, takes nothing away.
    pub(super) fn begin_epochs(&mut self, asked: &Proposal) -> Result<Attested, Refused> {
        let (own, asking) = self.admitted(asked)?;
        if !own.may_ask(asking.approved()) {
            return Err(refused(CeremonyFault::NothingToMake));
        }
        let document = match &self.begun {
            Some(begun) if begun.asked == asking.hash() => begun.document.clone(),
            Some(begun) if asking.manifest().nonce <= begun.nonce => {
                return Err(refused(CeremonyFault::NothingToMake));
            }
            Some(_) | None => self.make_epochs(&asking).map_err(refused)?,
        };
        let now = self.surroundings.clock.now();
        evidence(&mut *self.attester, About::Genesis, &asked.nonce, document, now).map_err(refused)
    }

    /// Goes on under a manifest that succeeds this enclave's own. Given again, nothing changes.
    pub(super) fn adopt_manifest(&mut self, asked: &Proposal) -> Result<(), Refused> {
        let (own, next) = self.admitted(asked)?;
        let next = next.approved().clone();
        // The first witnesses of a deployment are for a start that takes the line from them: this one has it from nobody.
        if !own.admits(&next) || next.manifest().witnesses != own.manifest().witnesses {
            return Err(refused(CeremonyFault::NotASuccessor));
        }
        if next.hash() == own.hash() {
            return Ok(());
        }
        let made = self.made_for(own.manifest(), next.manifest()).map_err(refused)?;
        self.check_notices(own.manifest(), next.manifest())?;
        let ended = self.check_endable(next.manifest())?;
        self.step_to(own.manifest(), next.manifest(), &made).map_err(refused)?;
        let monotonic = self.surroundings.clock.monotonic();
        if let Some(legacy) = &mut self.legacy {
            legacy.announced.adopt(Hash(next.hash()), monotonic);
            ended.iter().for_each(|(class, epoch, leave)| legacy.notices.give(*class, *epoch, *leave));
        }
        self.take_notice(next.manifest());
        self.statement.manifest = Some(next.hash());
        self.statement.relying_parties = next.manifest().relying_parties().to_vec();
        self.manifest = Some(next);
        // A head under the current epoch, so that none that is kept is sealed under one that goes.
        self.release(Release::Nothing);
        for (class, epoch, leave) in ended {
            self.release(Release::End { class, epoch, leave });
        }
        self.say_epochs().map_err(|_| refused(CeremonyFault::Internal))
    }

    /// This enclave's manifest, and the one that is proposed to it, which is for an enclave like this one, now.
    fn admitted(&self, proposal: &Proposal) -> Result<(Approved, Admitted), Refused> {
        let nothing = || refused(CeremonyFault::NothingToHandOver);
        let own = self.manifest().filter(|_| self.legacy.is_some()).ok_or_else(nothing)?.clone();
        let candidate = Candidate {
            tee: self.statement.tee,
            environment: self.statement.environment,
            build: self.statement.build.clone(),
        };
        let admitted = Admitted::check(proposal, &candidate, &self.surroundings.clock)?;
        Ok((own, admitted))
    }

    fn make_epochs(&mut self, asking: &Admitted) -> Result<Vec<u8>, CeremonyFault> {
        let steps = asking.manifest().steps().iter().filter(|step| step.stage == Stage::Make);
        let wanted: Vec<Wanted> =
            steps.map(|step| self.wanted(asking.approved(), step)).collect::<Result<_, CeremonyFault>>()?;
        let (made, secrets) = make_each(asking, &wanted, &mut *self.surroundings.entropy)?;
        let roots = made.roots.iter().cloned().zip(secrets).collect();
        let document = Genesis {
            version: WIRE_VERSION,
            boot: self.signatory.boot,
            manifest: Hash(asking.hash()),
            tee: self.statement.tee,
            environment: self.statement.environment,
            build: self.statement.build.clone(),
            roots: made.roots,
            sealed: made.sealed,
            recovered: made.recovered,
            issued: self.surroundings.clock.now(),
        };
        let (asked, nonce) = (asking.hash(), asking.manifest().nonce);
        let begun = Begun { asked, nonce, document: document.to_bytes(), roots };
        Ok(self.begun.insert(begun).document.clone())
    }

    /// What a step asks for, if it is this enclave's to make: it has the class, or it is of class `owner` for a program that has
    /// no root of that class.
    fn wanted(&mut self, asking: &Approved, step: &Step) -> Result<Wanted, CeremonyFault> {
        let class = Class::parse(&step.class).ok_or(CeremonyFault::NothingToMake)?;
        let program = match (class, self.roots.of(class)) {
            (Class::Owner, Some(_)) => Some(self.program_of_newest(asking.manifest())?),
            (Class::Owner, None) => Some(self.program_without_roots(asking)?),
            (Class::Any | Class::Delayed, Some(_)) => None,
            (Class::Any | Class::Delayed, None) => return Err(CeremonyFault::NothingToMake),
        };
        Ok(Wanted { class, epoch: step.epoch, program })
    }

    /// This enclave's program, where it has the newest root of class `owner`. Once a newer program has one, no epoch follows
    /// those of the older: they are left, one envelope after another.
    fn program_of_newest(&self, manifest: &Manifest) -> Result<Hash, CeremonyFault> {
        let newest = manifest.roots.iter().rfind(|root| root.class() == Some(Class::Owner));
        let newest = newest.filter(|root| self.holds(root)).ok_or(CeremonyFault::NothingToMake)?;
        newest.program.ok_or(CeremonyFault::NothingToMake)
    }

    /// The one program of the manifest that this enclave is, if there is no root of class `owner` of it. By its own evidence;
    /// where nobody vouches for that, the only one of its kind of TEE, as in a genesis: whoever asked proves it by the evidence.
    fn program_without_roots(&mut self, asking: &Approved) -> Result<Hash, CeremonyFault> {
        let (manifest, tee) = (asking.manifest(), self.statement.tee);
        let program = match self.own_programs(asking).as_deref() {
            Some([only]) => *only,
            Some(_) => return Err(CeremonyFault::ProgramAmbiguous),
            None => only_program(manifest, tee)?,
        };
        let has_root = manifest.roots.iter().any(|root| root.program == Some(program));
        if has_root { Err(CeremonyFault::NothingToMake) } else { Ok(program) }
    }

    /// Whether this very root is held.
    pub(crate) fn holds(&self, root: &RootCommitment) -> bool {
        root.class().and_then(|class| self.roots.commitment(class, root.epoch)).map(Hash)
            == Some(root.commitment)
    }

    /// What `next` commits to and `own` does not, but for other programs' roots of class `owner`, which are not this enclave's
    /// business: all of it was made here, and is to be pending, or is the first of its program. Nothing is taken yet.
    fn made_for(&self, own: &Manifest, next: &Manifest) -> Result<Vec<RootCommitment>, CeremonyFault> {
        let is_begun = |root: &RootCommitment| {
            self.begun.as_ref().is_some_and(|begun| begun.roots.iter().any(|(made, _)| made == root))
        };
        let mut own_roots = own.roots.iter().filter(|root| root.class() == Some(Class::Owner));
        let program = own_roots.find(|root| self.holds(root)).and_then(|root| root.program);
        let is_others = |root: &RootCommitment| root.program.is_some() && root.program != program;
        let added = next.roots.iter().filter(|root| !own.roots.contains(root));
        let added: Vec<&RootCommitment> = added.filter(|root| is_begun(root) || !is_others(root)).collect();
        if !added.iter().all(|root| is_begun(root)) {
            return Err(CeremonyFault::EpochNotBegun);
        }
        if !added.iter().all(|root| next.is_pending(&root.class, root.epoch) || own.is_first(root)) {
            return Err(CeremonyFault::StepTooFar);
        }
        Ok(added.into_iter().cloned().collect())
    }

    /// Takes what was made, and makes current what is no more pending: all of it, or nothing.
    fn step_to(
        &mut self,
        own: &Manifest,
        next: &Manifest,
        made: &[RootCommitment],
    ) -> Result<(), CeremonyFault> {
        let promoted = self.promoted(own, next).ok_or(CeremonyFault::Internal)?;
        let begun = self.begun.iter().flat_map(|begun| &begun.roots);
        let begun = begun.filter(|(root, _)| made.contains(root));
        let begun: Option<Vec<(Class, u32, &Secret<32>)>> =
            begun.map(|(root, secret)| Some((root.class()?, root.epoch, secret))).collect();
        let begun = begun.ok_or(CeremonyFault::Internal)?;
        self.roots.go_over(&promoted, &begun).map_err(|_| CeremonyFault::Internal)?;
        let taken = self.begun_for(next, made);
        if let Some(legacy) = &mut self.legacy {
            legacy.kept.go_over(own, next, taken);
        }
        Ok(())
    }

    /// The epochs that are pending under `own` and no more under `next`. Of a class that this enclave did not qualify for, and
    /// of another program's epoch of class `owner`, there is nothing to promote.
    fn promoted(&self, own: &Manifest, next: &Manifest) -> Option<Vec<(Class, u32)>> {
        let steps = own.steps().iter().filter(|step| !next.is_pending(&step.class, step.epoch));
        let steps: Option<Vec<(Class, u32)>> =
            steps.map(|step| Some((Class::parse(&step.class)?, step.epoch))).collect();
        let is_held = |(class, epoch): &(Class, u32)| self.roots.commitment(*class, *epoch).is_some();
        steps.map(|steps| steps.into_iter().filter(is_held).collect())
    }

    /// What was made of these. With the rest of it, it is over when a manifest commits to any, or a newer one passes it by.
    fn begun_for(&mut self, next: &Manifest, made: &[RootCommitment]) -> Vec<(RootCommitment, Secret<32>)> {
        let is_over = |begun: &mut Begun| !made.is_empty() || next.nonce > begun.nonce;
        let begun = self.begun.take_if(is_over);
        let roots = begun.into_iter().flat_map(|begun| begun.roots);
        roots.filter(|(root, _)| made.contains(root)).collect()
    }
}

impl core::fmt::Debug for Begun {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Begun({})", self.roots.len())
    }
}
