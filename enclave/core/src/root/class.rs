//! The roots of one consent class, and the life of their epochs: pending, current, retained, destroyed
//! (docs/spec/rotation.md §1).
//!
//! INVARIANT: epochs are held without a gap from the oldest to the newest; one is current, those before it are
//! retained, at most one after it is pending. So there is no state with two current epochs, or with none (m21).

use super::{MAX_EPOCHS, RootFault, Stepped};
use crate::envelope::context;
use crate::envelope::kdf::{KdfFailed, Prk};
use crate::secret::Secret;
use core::fmt;
use wire::consent::Class;
use wire::identity::{EpochCommitment, Epochs};
use wire::transcript::{Transcript, domain};
use zeroize::Zeroizing;

/// The roots of all openable epochs of a class: ascending without a gap, never empty.
///
/// The roots themselves are not kept: only what is derived from them is needed.
pub struct ClassRoots {
    class: Class,
    oldest: EpochRoot,
    newer: Vec<EpochRoot>,
    current: u32,
}

/// What is kept of one root.
pub(super) struct EpochRoot {
    epoch: u32,
    /// Set up once, expanded for each wrap.
    pub(super) prk: Prk,
    pub(super) commitment: [u8; 32],
}

impl ClassRoots {
    /// The first root, of `epoch` ≥ 1: the oldest epoch that can be opened.
    pub fn new(class: Class, epoch: u32, root: &Secret<32>) -> Result<ClassRoots, RootFault> {
        let oldest = EpochRoot::derive(class, epoch, root)?;
        Ok(ClassRoots { class, oldest, newer: Vec::new(), current: epoch })
    }

    /// The commitment that a root of this class and epoch has.
    pub(crate) fn commit(class: Class, epoch: u32, root: &Secret<32>) -> Result<[u8; 32], RootFault> {
        if epoch == 0 { Err(RootFault::Missing) } else { Ok(commitment(class, epoch, root)) }
    }

    pub fn class(&self) -> Class {
        self.class
    }

    /// Adds the epoch after the newest and makes it current. Existing epochs never change.
    pub fn add(&mut self, epoch: u32, root: &Secret<32>) -> Result<(), RootFault> {
        match self.begin(epoch, root)? {
            Stepped::Already => Err(RootFault::Repeated),
            Stepped::Done => self.promote(epoch).map(|_| ()),
        }
    }

    /// Adds `epoch`, which is the one after the current one, as pending.
    pub fn begin(&mut self, epoch: u32, root: &Secret<32>) -> Result<Stepped, RootFault> {
        let derived = self.derive(epoch, root)?;
        Ok(self.take(derived))
    }

    /// What [`ClassRoots::begin`] would add: everything that can fail is over with it. `None`: it is held already.
    pub(super) fn derive(&self, epoch: u32, root: &Secret<32>) -> Result<Option<EpochRoot>, RootFault> {
        let added = EpochRoot::derive(self.class, epoch, root)?;
        if let Some(held) = self.find(epoch) {
            let is_same = held.commitment == added.commitment;
            return if is_same { Ok(None) } else { Err(RootFault::Changed) };
        }
        if self.newest() != self.current {
            return Err(RootFault::AlreadyRotating);
        }
        if Some(epoch) != self.current.checked_add(1) {
            return Err(RootFault::Gap);
        }
        if self.newer.len() + 1 >= MAX_EPOCHS {
            return Err(RootFault::TooMany);
        }
        Ok(Some(added))
    }

    /// Takes what was derived from these roots as they are.
    pub(super) fn take(&mut self, derived: Option<EpochRoot>) -> Stepped {
        derived.map_or(Stepped::Already, |added| {
            self.newer.push(added);
            Stepped::Done
        })
    }

    /// Makes the pending `epoch` current; the one before it is retained from then on.
    pub fn promote(&mut self, epoch: u32) -> Result<Stepped, RootFault> {
        let stepped = self.check_promotable(epoch)?;
        self.current = epoch;
        Ok(stepped)
    }

    /// What [`ClassRoots::promote`] would do.
    pub(super) fn check_promotable(&self, epoch: u32) -> Result<Stepped, RootFault> {
        if epoch == self.current {
            return Ok(Stepped::Already);
        }
        let is_pending = epoch == self.newest() && Some(epoch) == self.current.checked_add(1);
        if is_pending { Ok(Stepped::Done) } else { Err(RootFault::NotPending) }
    }

    /// Destroys the oldest epoch: what is derived from its root is erased, and no envelope of it opens again.
    pub fn destroy(&mut self, epoch: u32) -> Result<Stepped, RootFault> {
        if epoch < self.oldest() {
            return Ok(Stepped::Already);
        }
        self.check_destroyable(epoch)?;
        self.oldest = self.newer.remove(0);
        Ok(Stepped::Done)
    }

    /// Whether `epoch` is retained and the oldest.
    pub fn check_destroyable(&self, epoch: u32) -> Result<(), RootFault> {
        match epoch {
            epoch if epoch >= self.current => Err(RootFault::InUse),
            epoch if epoch != self.oldest() => Err(RootFault::NotOldest),
            _ => Ok(()),
        }
    }

    /// Whether a later provisioning may take the place of this: it repeats every epoch, unchanged, and may add more and
    /// go on to the next. No epoch goes by being left out, and none comes back.
    pub(super) fn check_extension(&self, given: &ClassRoots) -> Result<(), RootFault> {
        for held in self.all() {
            match given.find(held.epoch) {
                None => return Err(RootFault::Gap),
                Some(same) if same.commitment == held.commitment => {}
                Some(_) => return Err(RootFault::Changed),
            }
        }
        if given.oldest.epoch != self.oldest.epoch {
            return Err(RootFault::Gap);
        }
        if given.current < self.current {
            return Err(RootFault::NotPending);
        }
        Ok(())
    }

    /// Sets the epoch to seal under: the newest, or the one before it, and then the newest is pending.
    pub(super) fn set_current(&mut self, current: u32) -> Result<(), RootFault> {
        let before_newest = current.checked_add(1) == Some(self.newest()) && current >= self.oldest();
        if current != self.newest() && !before_newest {
            return Err(RootFault::NotPending);
        }
        self.current = current;
        Ok(())
    }

    /// What is sealed now is wrapped to it.
    pub fn current(&self) -> u32 {
        self.current
    }

    /// The current epoch, or the one after it that is pending.
    pub fn newest(&self) -> u32 {
        self.newer.last().unwrap_or(&self.oldest).epoch
    }

    /// The oldest epoch that can be opened.
    pub fn oldest(&self) -> u32 {
        self.oldest.epoch
    }

    /// What the identity document says of the roots.
    pub fn epochs(&self) -> Epochs {
        let listed =
            self.all().map(|root| EpochCommitment { epoch: root.epoch, commitment: root.commitment });
        Epochs { current: self.current(), oldest: self.oldest(), commitments: listed.collect() }
    }

    pub(super) fn find(&self, epoch: u32) -> Option<&EpochRoot> {
        let distance = usize::try_from(epoch.checked_sub(self.oldest.epoch)?).ok()?;
        match distance.checked_sub(1) {
            None => Some(&self.oldest),
            Some(place) => self.newer.get(place),
        }
    }

    fn all(&self) -> impl Iterator<Item = &EpochRoot> {
        core::iter::once(&self.oldest).chain(&self.newer)
    }
}

impl fmt::Debug for ClassRoots {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} to {}, current {}", self.class, self.oldest(), self.newest(), self.current)
    }
}

impl EpochRoot {
    fn derive(class: Class, epoch: u32, root: &Secret<32>) -> Result<EpochRoot, RootFault> {
        if epoch == 0 {
            return Err(RootFault::Missing);
        }
        let prk = Prk::extract(root.expose()).map_err(|KdfFailed| RootFault::Internal)?;
        Ok(EpochRoot { epoch, prk, commitment: commitment(class, epoch, root) })
    }
}

/// `SHA-256(transcript(ROOT_COMMITMENT of the class, epoch, root))`: public, and says nothing of 32 random bytes.
fn commitment(class: Class, epoch: u32, root: &Secret<32>) -> [u8; 32] {
    let domain = match class {
        Class::Any => domain::ROOT_COMMITMENT,
        Class::Delayed => domain::ROOT_COMMITMENT_DELAYED,
        Class::Owner => domain::ROOT_COMMITMENT_OWNER,
    };
    let transcript = Transcript::new(domain).number(u64::from(epoch)).field(root.expose());
    context::sha256(&Zeroizing::new(transcript.bytes()))
}
