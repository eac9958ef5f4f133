//! Epoch roots: the enclave's half of every envelope's outer wrap.

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

/// The roots of all openable epochs: ascending without a gap, append-only, never empty.
///
/// The roots themselves are not kept: only what is derived from them is needed.
pub struct Roots {
    oldest: EpochRoot,
    newer: Vec<EpochRoot>,
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
    /// The cryptographic library failed.
    Internal,
}

impl Roots {
    /// The first root, of `epoch` ≥ 1: the oldest epoch that can be opened.
    pub fn new(epoch: u32, root: &Secret<32>) -> Result<Roots, RootFault> {
        Ok(Roots { oldest: EpochRoot::derive(epoch, root)?, newer: Vec::new() })
    }

    /// All roots of a first provisioning.
    pub fn provision(provision: &Provision<'_>) -> Result<Roots, RootFault> {
        let mut given = provision.epochs.iter();
        let first = given.next().ok_or(RootFault::Missing)?;
        let mut roots = Roots::new(first.epoch, &parsed(first.root)?)?;
        for next in given {
            roots.add(next.epoch, &parsed(next.root)?)?;
        }
        Ok(roots)
    }

    /// Adds the epoch after the current one. Existing epochs never change.
    pub fn add(&mut self, epoch: u32, root: &Secret<32>) -> Result<(), RootFault> {
        let added = EpochRoot::derive(epoch, root)?;
        if let Some(held) = self.find(epoch) {
            return Err(if held.commitment == added.commitment {
                RootFault::Repeated
            } else {
                RootFault::Changed
            });
        }
        if Some(epoch) != self.current().checked_add(1) {
            return Err(RootFault::Gap);
        }
        if self.newer.len() + 1 >= MAX_EPOCHS {
            return Err(RootFault::TooMany);
        }
        self.newer.push(added);
        Ok(())
    }

    /// A later provisioning: repeats every epoch held, unchanged, and may add more. All of it or nothing.
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
        *self = given;
        Ok(())
    }

    /// The newest epoch: what is sealed now is wrapped to it.
    pub fn current(&self) -> u32 {
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
        write!(f, "Roots({} to {})", self.oldest(), self.current())
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
#[expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]
mod tests {
    use super::*;
    use wire::provision::EpochRoot as Given;

    const A: [u8; 32] = [0xa1; 32];
    const B: [u8; 32] = [0xb2; 32];
    const C: [u8; 32] = [0xc3; 32];

    fn provision<'b>(epochs: &[(u32, &'b [u8])]) -> Provision<'b> {
        let epochs = epochs.iter().map(|&(epoch, root)| Given { epoch, root: root.into() }).collect();
        Provision { epochs, sandbox: None }
    }

    fn held(epochs: &[(u32, &[u8])]) -> Roots {
        Roots::provision(&provision(epochs)).unwrap()
    }

    #[test]
    fn epochs_ascend_without_a_gap_and_never_change() {
        let mut roots = Roots::new(4, &Secret::copied(&A)).unwrap();
        assert_eq!(roots.add(5, &Secret::copied(&B)), Ok(()));
        assert_eq!(roots.add(5, &Secret::copied(&B)), Err(RootFault::Repeated));
        assert_eq!(roots.add(5, &Secret::copied(&C)), Err(RootFault::Changed));
        assert_eq!(roots.add(4, &Secret::copied(&C)), Err(RootFault::Changed));
        assert_eq!(roots.add(3, &Secret::copied(&C)), Err(RootFault::Gap));
        assert_eq!(roots.add(7, &Secret::copied(&C)), Err(RootFault::Gap));
        assert_eq!((roots.oldest(), roots.current()), (4, 5));
        assert_eq!(roots.epochs().commitments.len(), 2);
    }

    #[test]
    fn a_first_provisioning_is_whole_or_refused() {
        let refused = |epochs: &[(u32, &[u8])]| Roots::provision(&provision(epochs)).unwrap_err();
        assert_eq!(held(&[(1, &A), (2, &B)]).current(), 2);
        assert_eq!(refused(&[]), RootFault::Missing);
        assert_eq!(refused(&[(0, &A)]), RootFault::Missing);
        assert_eq!(refused(&[(1, &A[..31])]), RootFault::Length);
        assert_eq!(refused(&[(1, &A), (3, &B)]), RootFault::Gap);
        assert_eq!(refused(&[(2, &A), (1, &B)]), RootFault::Gap);
        assert_eq!(refused(&[(1, &A), (1, &A)]), RootFault::Repeated);
        assert_eq!(refused(&[(1, &A), (1, &B)]), RootFault::Changed);
        assert_eq!(refused(&[(u32::MAX, &A), (1, &B)]), RootFault::Gap);
    }

    #[test]
    fn a_later_provisioning_adds_epochs_and_changes_nothing_else() {
        let mut roots = held(&[(1, &A), (2, &B)]);
        let before = roots.epochs();
        for (epochs, fault) in [
            (provision(&[(1, &A), (2, &C), (3, &C)]), RootFault::Changed),
            (provision(&[(2, &B), (3, &C)]), RootFault::Gap),
            (provision(&[(1, &A)]), RootFault::Gap),
            (provision(&[(1, &A), (2, &B), (4, &C)]), RootFault::Gap),
            (provision(&[]), RootFault::Missing),
        ] {
            assert_eq!(roots.extend(&epochs), Err(fault));
            assert_eq!(roots.epochs(), before, "refused: everything is as it was");
        }
        assert_eq!(roots.extend(&provision(&[(1, &A), (2, &B)])), Ok(()));
        assert_eq!(roots.epochs(), before);
        assert_eq!(roots.extend(&provision(&[(1, &A), (2, &B), (3, &C)])), Ok(()));
        assert_eq!(roots.current(), 3);
        assert_eq!(roots.epochs().commitments[..2], before.commitments);
    }

    #[test]
    fn an_older_epoch_is_not_slipped_in_later() {
        let mut roots = held(&[(2, &B)]);
        assert_eq!(roots.extend(&provision(&[(1, &A), (2, &B)])), Err(RootFault::Gap));
    }

    #[test]
    fn the_number_of_epochs_is_bounded() {
        let mut roots = Roots::new(1, &Secret::copied(&A)).unwrap();
        let last = u32::try_from(MAX_EPOCHS).unwrap();
        for epoch in 2..=last {
            roots.add(epoch, &Secret::copied(&B)).unwrap();
        }
        assert_eq!(roots.add(last + 1, &Secret::copied(&B)), Err(RootFault::TooMany));
    }
}
