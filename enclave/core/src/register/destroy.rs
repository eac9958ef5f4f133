//! The destruction of an epoch of a class: on a statement of completion, with leave for whoever is still in it.

use super::{Grounded, Leave, Register};
use crate::enclave::Enclave;
use crate::line::Release;
use crate::root::{ClassRoots, MAX_EPOCHS, RootFault, Roots, Stepped};
use verify::manifest::Approved;
use wire::consent::Class;
use wire::evidence::Hash;
use wire::frame::Kind;
use wire::identity::WIRE_VERSION;
use wire::manifest::Manifest;
use wire::register::{Destroy, Destroyed, Destruction, Grounds};
use wire::rewrap::Bytes;
use wire::transcript::domain;
use wire::{Canonical, Refusal};

impl Enclave {
    /// Answers a `Destroy` frame: erases what is held of the oldest epoch, on a statement of completion of this start. For
    /// the program that holds roots and knows whose leave counts. Of roots that operators hold, the manifest has to commit to
    /// it no more: then anybody may ask, for what the enclave says of it.
    pub fn destroy_epoch(&mut self, stream: u32, body: &[u8], leave: Leave) {
        match Destroy::from_bytes(body) {
            // After the next head: the one that is kept then is not sealed under an epoch that is gone.
            Ok(asked) => {
                // No program gives leave by itself where a manifest does.
                let given = self.leave_by_notice(asked.class, asked.epoch);
                let leave = if self.manifest().is_some() { given } else { leave };
                self.release(Release::Destroy { stream, asked, leave });
            }
            Err(_) => self.surroundings.outbox.refuse(stream, Refusal::Malformed),
        }
        self.commit_next();
    }

    /// A head is committed under the current epoch. The answer waits for one that says that the epoch is gone.
    pub(crate) fn destroy_now(&mut self, stream: u32, asked: &Destroy, leave: Leave) {
        match self.destroy(asked.class, asked.epoch, leave) {
            Ok(destroyed) => {
                let body = destroyed.to_bytes();
                self.release(Release::Frame { kind: Kind::Destroyed, stream, body });
            }
            Err(refusal) => self.surroundings.outbox.refuse(stream, refusal),
        }
    }

    fn destroy(&mut self, class: Class, epoch: u32, leave: Leave) -> Result<Destroyed, Refusal> {
        if epoch == 0 {
            return Err(Refusal::Malformed);
        }
        let held = self.roots.of(class).ok_or(Refusal::ClassNotHeld)?;
        let already = epoch < held.oldest();
        if !already {
            held.check_destroyable(epoch).map_err(|_| Refusal::EpochInUse)?;
            self.check_ended(class, epoch)?;
            let grounds = self.register.grounds(class, epoch, leave, &self.roots)?;
            self.forget_root(class, epoch);
            let stepped = self.roots.destroy(class, epoch);
            debug_assert_eq!(stepped, Ok::<_, RootFault>(Stepped::Done), "it was checked");
            self.register.note_destroyed(class, epoch, grounds);
            self.say_epochs().map_err(|_| Refusal::Internal)?;
        }
        let held = self.roots.of(class).ok_or(Refusal::ClassNotHeld)?;
        let destruction = Destruction {
            version: WIRE_VERSION,
            epoch,
            oldest: held.oldest(),
            current: held.current(),
            boot: self.signatory.boot,
            time: self.surroundings.clock.now(),
            destroyed: self.register.destroyed_on(class, epoch),
            class,
        };
        let statement = self.signatory.key.sign(domain::DESTRUCTION, &destruction.to_bytes());
        Ok(Destroyed { already, statement: Bytes(statement) })
    }
}

impl Enclave {
    /// Of roots that operators hold, that their manifest commits to this one no more.
    fn check_ended(&self, class: Class, epoch: u32) -> Result<(), Refusal> {
        let is_committed = |own: &Approved| self.is_committed(own.manifest(), class, epoch);
        if self.manifest().is_some_and(is_committed) { Err(Refusal::EpochInUse) } else { Ok(()) }
    }

    /// Whether a manifest commits to the root that is held of this epoch.
    fn is_committed(&self, manifest: &Manifest, class: Class, epoch: u32) -> bool {
        let held = self.roots.commitment(class, epoch).map(Hash);
        let mut roots = manifest.roots.iter();
        roots.any(|root| root.class() == Some(class) && root.epoch == epoch && Some(root.commitment) == held)
    }

    /// The epochs that are held and that a manifest commits to no more, the oldest first of each class; with what this start has
    /// stated of who is in them. `None` for one that is sealed under, or of which nothing is stated that still holds.
    pub(crate) fn ended_by(&self, manifest: &Manifest) -> Vec<(Class, u32, Option<Grounded>)> {
        let held = self
            .roots
            .all()
            .flat_map(|roots| (roots.oldest()..=roots.newest()).map(move |epoch| (roots, epoch)));
        let ended = held.filter(|(roots, epoch)| !self.is_committed(manifest, roots.class(), *epoch));
        let counted = |(roots, epoch): (&ClassRoots, u32)| {
            let stated = self.stated_of(roots.class(), epoch).filter(|_| epoch < roots.current());
            (roots.class(), epoch, stated)
        };
        ended.map(counted).collect()
    }

    /// The statement of this start that an epoch could be destroyed on now.
    pub(crate) fn stated_of(&self, class: Class, epoch: u32) -> Option<Grounded> {
        self.line.check_held().ok()?;
        self.register.stated_of(class, epoch)
    }

    /// Destroys an epoch that the manifest has ended. Where somebody came back into it meanwhile it stays, until it is
    /// concluded and asked for again.
    pub(crate) fn end_epoch(&mut self, class: Class, epoch: u32, leave: Leave) {
        if self.destroy(class, epoch, leave).is_ok() {
            // A head that says so.
            self.release(Release::Nothing);
        }
    }
}

impl Register {
    /// What an epoch may be destroyed on: a statement of this start that still holds, and leave for who is absent.
    fn grounds(&self, class: Class, epoch: u32, leave: Leave, roots: &Roots) -> Result<Grounds, Refusal> {
        let concluded = self.stated_of(class, epoch).ok_or(Refusal::NotConcluded)?;
        leave.check(&concluded)?;
        let commitment = roots.commitment(class, epoch).ok_or(Refusal::UnknownEpoch)?;
        Ok(Grounds { statement: concluded.statement, absent: concluded.absent, commitment: Hash(commitment) })
    }

    fn stated_of(&self, class: Class, epoch: u32) -> Option<Grounded> {
        let covers = |concluded: &Grounded| concluded.class == class && epoch <= concluded.epoch;
        self.concluded.iter().copied().find(covers)
    }

    /// Kept for whoever asks again: their first answer may be lost.
    fn note_destroyed(&mut self, class: Class, epoch: u32, grounds: Grounds) {
        if self.destroyed.len() >= MAX_EPOCHS {
            self.destroyed.remove(0);
        }
        self.destroyed.push((class, epoch, grounds));
    }

    fn destroyed_on(&self, class: Class, epoch: u32) -> Option<Grounds> {
        let mut destroyed = self.destroyed.iter();
        destroyed.find(|(of, which, _)| (*of, *which) == (class, epoch)).map(|(_, _, grounds)| *grounds)
    }
}
