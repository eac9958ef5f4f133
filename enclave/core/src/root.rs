//! Epoch roots: the enclave's half of every envelope's outer wrap, and their life: pending, current, retained,
//! destroyed (docs/spec/rotation.md §1).
//!
//! INVARIANT: epochs are held without a gap from the oldest to the newest; one is current, those before it are
//! retained, at most one after it is pending. So there is no state with two current epochs, or with none (m21).

use crate::envelope::kdf::{KdfFailed, Prk};
use crate::envelope::{EnvelopeFault, context};
use crate::secret::Secret;
use core::fmt;
use wire::envelope::Header;
use wire::identity::{EpochCommitment, Epochs};
use wire::provision::Provision;
use wire::transcript::{Transcript, domain};
use zeroize::Zeroizing;

/// Epochs that may be held at once; rotating weekly, that is ten years.
pub const MAX_EPOCHS: usize = 512;

/// The roots of all openable epochs: ascending without a gap, never empty.
///
/// The roots themselves are not kept: only what is derived from them is needed.
pub struct Roots {
    oldest: EpochRoot,
    newer: Vec<EpochRoot>,
    current: u32,
}

/// What became of a step that was in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stepped {
    Done,
    /// It had been taken before: nothing changed.
    Already,
}

struct EpochRoot {
    epoch: u32,
    /// Set up once, expanded for each wrap.
    prk: Prk,
    commitment: [u8; 32],
}

/// Why roots were not accepted. Always the fault of who provisions; what was held stays as it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RootFault {
    /// No epoch at all, or epoch 0.
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
    /// The cryptographic library failed.
    Internal,
}

impl Roots {
    /// The first root, of `epoch` ≥ 1: the oldest epoch that can be opened.
    pub fn new(epoch: u32, root: &Secret<32>) -> Result<Roots, RootFault> {
        Ok(Roots { oldest: EpochRoot::derive(epoch, root)?, newer: Vec::new(), current: epoch })
    }

    /// All roots of a first provisioning.
    pub fn provision(provision: &Provision<'_>) -> Result<Roots, RootFault> {
        let mut given = provision.epochs.iter();
        let first = given.next().ok_or(RootFault::Missing)?;
        let mut roots = Roots::new(first.epoch, &parsed(first.root)?)?;
        for next in given {
            roots.add(next.epoch, &parsed(next.root)?)?;
        }
        roots.current = match provision.current.unwrap_or(roots.newest()) {
            current if current == roots.newest() => current,
            current if current.checked_add(1) == Some(roots.newest()) && current >= roots.oldest() => current,
            _ => return Err(RootFault::NotPending),
        };
        Ok(roots)
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
        let added = EpochRoot::derive(epoch, root)?;
        if let Some(held) = self.find(epoch) {
            return if held.commitment == added.commitment {
                Ok(Stepped::Already)
            } else {
                Err(RootFault::Changed)
            };
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
        self.newer.push(added);
        Ok(Stepped::Done)
    }

    /// Makes the pending `epoch` current; the one before it is retained from then on.
    pub fn promote(&mut self, epoch: u32) -> Result<Stepped, RootFault> {
        if epoch == self.current {
            return Ok(Stepped::Already);
        }
        if epoch != self.newest() || Some(epoch) != self.current.checked_add(1) {
            return Err(RootFault::NotPending);
        }
        self.current = epoch;
        Ok(Stepped::Done)
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

    /// A later provisioning: repeats every epoch held, unchanged, and may add more and go on to the next. All of it or
    /// nothing. No epoch goes by being left out, and none comes back.
    pub fn extend(&mut self, provision: &Provision<'_>) -> Result<(), RootFault> {
        let given = Roots::provision(provision)?;
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
        *self = given;
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
        Epochs {
            current: self.current(),
            oldest: self.oldest(),
            commitments: self
                .all()
                .map(|root| EpochCommitment { epoch: root.epoch, commitment: root.commitment })
                .collect(),
        }
    }

    /// `K_root[epoch][header]`: the key of an envelope's outer wrap.
    pub(crate) fn wrap_key(&self, epoch: u32, header: &Header) -> Result<Zeroizing<[u8; 32]>, EnvelopeFault> {
        let root = self.find(epoch).ok_or(EnvelopeFault::UnknownEpoch)?;
        root.prk.expand(context::root_wrap(header, epoch)).map_err(|KdfFailed| EnvelopeFault::Internal)
    }

    /// What seals a head of the register to enclaves that hold the root of `epoch`:
    /// `HKDF(root, transcript(REGISTER_SEAL, epoch, SHA-256 of the head))`.
    pub(crate) fn register_seal(&self, epoch: u32, head: &[u8; 32]) -> Result<[u8; 32], EnvelopeFault> {
        let root = self.find(epoch).ok_or(EnvelopeFault::UnknownEpoch)?;
        let info = Transcript::new(domain::REGISTER_SEAL).number(u64::from(epoch)).field(head);
        root.prk.expand(info).map(|seal| *seal).map_err(|KdfFailed| EnvelopeFault::Internal)
    }

    /// The public commitment to the root of `epoch`.
    pub(crate) fn commitment(&self, epoch: u32) -> Option<[u8; 32]> {
        self.find(epoch).map(|root| root.commitment)
    }

    fn find(&self, epoch: u32) -> Option<&EpochRoot> {
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

impl fmt::Debug for Roots {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Roots({} to {}, current {})", self.oldest(), self.newest(), self.current)
    }
}

impl EpochRoot {
    fn derive(epoch: u32, root: &Secret<32>) -> Result<EpochRoot, RootFault> {
        if epoch == 0 {
            return Err(RootFault::Missing);
        }
        let prk = Prk::extract(root.expose()).map_err(|KdfFailed| RootFault::Internal)?;
        Ok(EpochRoot { epoch, prk, commitment: commitment(epoch, root) })
    }
}

/// `SHA-256(transcript(ROOT_COMMITMENT, epoch, root))`: public, and says nothing of 32 random bytes.
fn commitment(epoch: u32, root: &Secret<32>) -> [u8; 32] {
    let transcript = Transcript::new(domain::ROOT_COMMITMENT).number(u64::from(epoch)).field(root.expose());
    context::sha256(&Zeroizing::new(transcript.bytes()))
}

fn parsed(bytes: &[u8]) -> Result<Secret<32>, RootFault> {
    bytes.try_into().map(Secret::copied).map_err(|_| RootFault::Length)
}

#[cfg(test)]
mod tests;
