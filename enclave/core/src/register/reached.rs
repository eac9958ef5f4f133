//! The epochs of the classes beside `any`, in every head: no start opens or seals with older ones than the last head says, and
//! one that has none of a class leaves what was said of it as it is (docs/spec/rotation.md §3).

use super::Register;
use crate::enclave::Enclave;
use crate::hash::sha256;
use crate::root::ClassRoots;
use wire::consent::Class;
use wire::evidence::Hash;
use wire::reached::{AllReached, MAX_REACHED, Reached};
use wire::{Canonical, Refusal};

/// What a head says of them; `None`: nothing.
pub(super) fn commitment(reached: &AllReached) -> Option<Hash> {
    (!reached.is_empty()).then(|| Hash(sha256(&reached.to_bytes())))
}

/// Whether none of what is held is behind what a head says.
pub(crate) fn check(known: &AllReached, held: &[Reached]) -> Result<(), Refusal> {
    let is_behind = |held: &Reached| known.of(held.whose()).is_some_and(|known| held.current < known.current);
    if held.iter().any(is_behind) { Err(Refusal::UnknownEpoch) } else { Ok(()) }
}

impl Register {
    /// Takes in what is held now: the next head says it.
    pub(crate) fn reach(&mut self, held: &[Reached]) -> Result<(), Refusal> {
        check(&self.reached, held)?;
        held.iter().for_each(|held| self.reached.rise(held));
        if self.reached.0.len() > MAX_REACHED { Err(Refusal::Internal) } else { Ok(()) }
    }
}

impl Enclave {
    /// The epochs that are held of the classes beside `any`.
    pub(crate) fn held_epochs(&self) -> Result<Vec<Reached>, Refusal> {
        let others = self.roots.all().filter(|roots| !roots.class().is_any());
        others.map(|roots| self.reached_of(roots)).collect()
    }

    fn reached_of(&self, roots: &ClassRoots) -> Result<Reached, Refusal> {
        let class = roots.class();
        let program = if class == Class::Owner { self.program_of_owner()? } else { None };
        Ok(Reached { class, oldest: roots.oldest(), current: roots.current(), program })
    }

    /// Whose the roots of class `owner` are, by the manifest that commits to them; `None` in a simulation.
    fn program_of_owner(&self) -> Result<Option<Hash>, Refusal> {
        let Some(own) = self.manifest() else { return Ok(None) };
        let mut roots = own.manifest().roots.iter().filter(|root| root.class() == Some(Class::Owner));
        let held = roots.find(|root| self.holds(root));
        held.map(|root| root.program).ok_or(Refusal::Internal)
    }
}
