//! Roots: the enclave's half of every envelope's outer wrap. Each consent class has its own, so that a program without a
//! class's roots opens no envelope of it (docs/spec/envelope.md §2, docs/spec/provisioning.md §11).
//!
//! INVARIANT: class `any` is always held. What is no envelope's (the register's seal) is of it.

mod class;

pub use class::ClassRoots;

use crate::envelope::kdf::KdfFailed;
use crate::envelope::{EnvelopeFault, context};
use crate::secret::Secret;
use core::fmt;
use wire::GrantId;
use wire::consent::Class;
use wire::envelope::Header;
use wire::identity::{ClassEpochs, Epochs};
use wire::provision::{EpochRoot, Provision};
use wire::transcript::{Transcript, domain};
use zeroize::Zeroizing;

/// Epochs of a class that may be held at once; rotating weekly, that is ten years.
pub const MAX_EPOCHS: usize = 512;

/// The roots of every class that this enclave has.
pub struct Roots {
    any: ClassRoots,
    delayed: Option<ClassRoots>,
    owner: Option<ClassRoots>,
}

/// What became of a step that was in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stepped {
    Done,
    /// It had been taken before: nothing changed.
    Already,
}

/// Why roots were not accepted. Always the fault of who provisions; what was held stays as it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RootFault {
    /// No epoch at all, or epoch 0; a class in some epochs and not in others.
    Missing,
    /// Not 32 bytes.
    Length,
    /// An epoch that is held already, with the same root.
    Repeated,
    /// An epoch that is held already, with another root.
    Changed,
    /// Not the epoch after the last, or an epoch held was left out.
    Gap,
    TooMany,
    /// Another epoch is pending: it becomes current first.
    AlreadyRotating,
    /// The epoch that is to become current is not the pending one.
    NotPending,
    /// The epoch that is to be destroyed is current or pending.
    InUse,
    /// An older epoch than the one to be destroyed is retained: that one goes first.
    NotOldest,
    /// No root of this class is held.
    NoClass,
    /// The cryptographic library failed.
    Internal,
}

impl Roots {
    /// The first root of class `any`, of `epoch` ≥ 1, and no other class.
    pub fn new(epoch: u32, root: &Secret<32>) -> Result<Roots, RootFault> {
        ClassRoots::new(Class::Any, epoch, root).map(Roots::of_any)
    }

    /// Class `any`, and no other. What is given of another class is refused.
    fn of_any(any: ClassRoots) -> Roots {
        Roots { any, delayed: None, owner: None }
    }

    /// One class after another; the first is `any`, and each comes once.
    pub fn collect(classes: impl IntoIterator<Item = ClassRoots>) -> Result<Roots, RootFault> {
        let mut classes = classes.into_iter();
        let any = classes.next().filter(|first| first.class().is_any()).ok_or(RootFault::Missing)?;
        classes.try_fold(Roots::of_any(any), |mut roots, next| {
            roots.add_class(next)?;
            Ok(roots)
        })
    }

    /// Takes the roots of a class that is not held yet.
    pub fn add_class(&mut self, added: ClassRoots) -> Result<(), RootFault> {
        let slot = match added.class() {
            Class::Any => return Err(RootFault::Repeated),
            Class::Delayed => &mut self.delayed,
            Class::Owner => &mut self.owner,
        };
        match slot {
            Some(_) => Err(RootFault::Repeated),
            None => {
                *slot = Some(added);
                Ok(())
            }
        }
    }

    /// All roots of a first provisioning: of the simulation, where all classes have the same epochs.
    pub fn provision(provision: &Provision<'_>) -> Result<Roots, RootFault> {
        let mut roots = Roots::of_any(provisioned(provision, Class::Any)?);
        for class in [Class::Delayed, Class::Owner] {
            if provision.epochs.iter().any(|epoch| epoch.of(class).is_some()) {
                roots.add_class(provisioned(provision, class)?)?;
            }
        }
        Ok(roots)
    }

    /// A later provisioning: repeats every epoch of every class held, unchanged, and may add more and go on to the next.
    /// All of it or nothing. A class may be added; none goes by being left out.
    pub fn extend(&mut self, provision: &Provision<'_>) -> Result<(), RootFault> {
        let given = Roots::provision(provision)?;
        for held in self.all() {
            held.check_extension(given.of(held.class()).ok_or(RootFault::Gap)?)?;
        }
        *self = given;
        Ok(())
    }

    /// The roots of a class; `None`: this enclave opens and seals nothing of it.
    pub fn of(&self, class: Class) -> Option<&ClassRoots> {
        match class {
            Class::Any => Some(&self.any),
            Class::Delayed => self.delayed.as_ref(),
            Class::Owner => self.owner.as_ref(),
        }
    }

    fn of_mut(&mut self, class: Class) -> Option<&mut ClassRoots> {
        match class {
            Class::Any => Some(&mut self.any),
            Class::Delayed => self.delayed.as_mut(),
            Class::Owner => self.owner.as_mut(),
        }
    }

    /// The class that every enclave has.
    pub fn any(&self) -> &ClassRoots {
        &self.any
    }

    /// The classes that are held, from the loosest on.
    pub fn all(&self) -> impl Iterator<Item = &ClassRoots> {
        core::iter::once(&self.any).chain(&self.delayed).chain(&self.owner)
    }

    /// Adds `epoch` of a class, which is the one after its current one, as pending.
    pub fn begin(&mut self, class: Class, epoch: u32, root: &Secret<32>) -> Result<Stepped, RootFault> {
        self.of_mut(class).ok_or(RootFault::NoClass)?.begin(epoch, root)
    }

    /// Adds the epoch after the newest of a class and makes it current.
    pub fn add(&mut self, class: Class, epoch: u32, root: &Secret<32>) -> Result<(), RootFault> {
        self.of_mut(class).ok_or(RootFault::NoClass)?.add(epoch, root)
    }

    /// Takes steps of several classes: all of them, or, where one is refused, none. Epochs are made current before others
    /// are begun. What is begun of class `owner` where it is not held is its first root, and current.
    pub(crate) fn go_over(
        &mut self,
        promoted: &[(Class, u32)],
        begun: &[(Class, u32, &Secret<32>)],
    ) -> Result<(), RootFault> {
        for (class, epoch) in promoted {
            self.of(*class).ok_or(RootFault::NoClass)?.check_promotable(*epoch)?;
        }
        let is_first = |class: Class| class == Class::Owner && self.owner.is_none();
        let (first, follow): (Vec<_>, Vec<_>) = begun.iter().partition(|(class, ..)| is_first(*class));
        let derive = |(class, epoch, root): &(Class, u32, &Secret<32>)| {
            Ok((*class, self.of(*class).ok_or(RootFault::NoClass)?.derive(*epoch, root)?))
        };
        let derived = follow.iter().map(derive).collect::<Result<Vec<_>, RootFault>>()?;
        let found = |(class, epoch, root): &(Class, u32, &Secret<32>)| ClassRoots::new(*class, *epoch, root);
        let founded = first.iter().map(found).collect::<Result<Vec<_>, RootFault>>()?;
        if founded.len() > 1 {
            return Err(RootFault::Repeated);
        }
        for (class, epoch) in promoted {
            self.promote(*class, *epoch)?;
        }
        for (class, derived) in derived {
            self.of_mut(class).ok_or(RootFault::NoClass)?.take(derived);
        }
        founded.into_iter().try_for_each(|class| self.add_class(class))
    }

    /// Makes the pending epoch of a class current.
    pub fn promote(&mut self, class: Class, epoch: u32) -> Result<Stepped, RootFault> {
        self.of_mut(class).ok_or(RootFault::NoClass)?.promote(epoch)
    }

    /// Destroys the oldest epoch of a class.
    pub fn destroy(&mut self, class: Class, epoch: u32) -> Result<Stepped, RootFault> {
        self.of_mut(class).ok_or(RootFault::NoClass)?.destroy(epoch)
    }

    /// What the identity document says of class `any`.
    pub fn epochs(&self) -> Epochs {
        self.any.epochs()
    }

    /// What it says of the others.
    pub fn other_epochs(&self) -> Vec<ClassEpochs> {
        let others = self.delayed.iter().chain(&self.owner);
        others.map(|roots| ClassEpochs { class: roots.class(), epochs: roots.epochs() }).collect()
    }

    /// The epoch that an envelope of this class is sealed under now.
    pub(crate) fn current_of(&self, class: Class) -> Result<u32, EnvelopeFault> {
        self.of(class).map(ClassRoots::current).ok_or(EnvelopeFault::ClassNotHeld)
    }

    /// `K_root[class][epoch][header]`: the key of an envelope's outer wrap.
    pub(crate) fn wrap_key(&self, epoch: u32, header: &Header) -> Result<Zeroizing<[u8; 32]>, EnvelopeFault> {
        self.expand(header.class, epoch, context::root_wrap(header, epoch))
    }

    /// The key of a grant's outer wrap.
    pub(crate) fn grant_key(
        &self,
        epoch: u32,
        header: &Header,
        id: GrantId,
    ) -> Result<Zeroizing<[u8; 32]>, EnvelopeFault> {
        self.expand(header.class, epoch, context::grant_root_wrap(header, id, epoch))
    }

    /// What seals a head of the register to enclaves that hold class `any`'s root of `epoch`:
    /// `HKDF(root, transcript(REGISTER_SEAL, epoch, SHA-256 of the head))`.
    pub(crate) fn register_seal(&self, epoch: u32, head: &[u8; 32]) -> Result<[u8; 32], EnvelopeFault> {
        let info = Transcript::new(domain::REGISTER_SEAL).number(u64::from(epoch)).field(head);
        self.expand(Class::Any, epoch, info).map(|seal| *seal)
    }

    /// What shows that an enclave that holds class `any`'s root of this epoch made a capsule (docs/spec/moving.md §3).
    pub(crate) fn capsule_seal(&self, epoch: u32, capsule: Transcript) -> Result<[u8; 32], EnvelopeFault> {
        self.expand(Class::Any, epoch, capsule).map(|seal| *seal)
    }

    /// The public commitment to the root of an epoch.
    pub(crate) fn commitment(&self, class: Class, epoch: u32) -> Option<[u8; 32]> {
        self.of(class)?.find(epoch).map(|root| root.commitment)
    }

    fn expand(
        &self,
        class: Class,
        epoch: u32,
        info: Transcript,
    ) -> Result<Zeroizing<[u8; 32]>, EnvelopeFault> {
        let roots = self.of(class).ok_or(EnvelopeFault::ClassNotHeld)?;
        let root = roots.find(epoch).ok_or(EnvelopeFault::UnknownEpoch)?;
        root.prk.expand(info).map_err(|KdfFailed| EnvelopeFault::Internal)
    }
}

impl fmt::Debug for Roots {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut list = f.debug_list();
        self.all().for_each(|roots| {
            list.entry(roots);
        });
        list.finish()
    }
}

/// One class of a provisioning.
fn provisioned(provision: &Provision<'_>, class: Class) -> Result<ClassRoots, RootFault> {
    let root_of = |epoch: &EpochRoot<'_>| -> Result<Secret<32>, RootFault> {
        let bytes: &[u8] = epoch.of(class).ok_or(RootFault::Missing)?;
        bytes.try_into().map(Secret::copied).map_err(|_| RootFault::Length)
    };
    let mut given = provision.epochs.iter();
    let first = given.next().ok_or(RootFault::Missing)?;
    let mut roots = ClassRoots::new(class, first.epoch, &root_of(first)?)?;
    for next in given {
        roots.add(next.epoch, &root_of(next)?)?;
    }
    roots.set_current(provision.current.unwrap_or(roots.newest()))?;
    Ok(roots)
}

#[cfg(test)]
mod tests;
