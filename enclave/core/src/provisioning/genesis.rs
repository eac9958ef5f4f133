//! Making the roots, once: inside, split to the holders, and proven to come back before anything is said. And splitting
//! those that there are anew.

use super::admission::Admitted;
use super::shamir;
use crate::entropy::Entropy;
use crate::root::ClassRoots;
use crate::secret::Secret;
use aws_lc_rs::constant_time::verify_slices_are_equal;
use verify::consent::program_name;
use verify::holder;
use verify::hpke::PublicKey;
use verify::manifest::FIRST_EPOCH;
use verify::setup::seal_shares;
use wire::ceremony::{CeremonyFault, Sealed, Share, Shares, held_info};
use wire::consent::Class;
use wire::evidence::Hash;
use wire::identity::TeeKind;
use wire::manifest::{Holders, Manifest, RootCommitment};

/// Sets of shares that are put together before a genesis answers: all there are, or so many drawn at random.
const MOST_RECOVERIES: usize = 1024;

/// What may leave the enclave. The roots themselves are gone by now.
pub(super) struct Made {
    pub(super) roots: Vec<RootCommitment>,
    pub(super) sealed: Vec<Sealed>,
    pub(super) recovered: u32,
}

/// The shares of one class's root, one for each holder.
struct Split {
    class: Class,
    epoch: u32,
    shares: Vec<Secret<32>>,
}

/// Makes a root for each class of a manifest that commits to none yet (m14); that of class `owner` for the one program of
/// this kind of TEE, which whoever asked for it proves by the evidence.
pub(super) fn make(
    admitted: &Admitted,
    tee: TeeKind,
    entropy: &mut dyn Entropy,
) -> Result<Made, CeremonyFault> {
    let manifest = admitted.manifest();
    if !manifest.roots.is_empty() {
        return Err(CeremonyFault::RootsCommitted);
    }
    let wanted = manifest.classes.iter().map(|name| {
        let class = Class::parse(name).ok_or(CeremonyFault::ClassUnknown)?;
        let program = if class == Class::Owner { Some(only_program(manifest, tee)?) } else { None };
        Ok(Wanted { class, epoch: FIRST_EPOCH, program })
    });
    let wanted: Vec<Wanted> = wanted.collect::<Result<_, CeremonyFault>>()?;
    // The roots themselves are gone with this: they come back from their shares alone.
    make_each(admitted, &wanted, entropy).map(|(made, _)| made)
}

/// A root that is to be made.
pub(super) struct Wanted {
    pub(super) class: Class,
    pub(super) epoch: u32,
    /// Whose it is: of class `owner` alone.
    pub(super) program: Option<Hash>,
}

/// Makes a root for each that is wanted, splits it to the manifest's holders, and proves that it comes back. The roots are
/// in the order of what is said of them.
pub(super) fn make_each(
    admitted: &Admitted,
    wanted: &[Wanted],
    entropy: &mut dyn Entropy,
) -> Result<(Made, Vec<Secret<32>>), CeremonyFault> {
    let make = |_: &Wanted| Secret::make(entropy).map_err(|_| CeremonyFault::Internal);
    let roots = wanted.iter().map(make).collect::<Result<Vec<_>, _>>()?;
    split_each(admitted, wanted.iter().zip(&roots), entropy).map(|made| (made, roots))
}

/// Splits roots that exist, in the manifest's order, to the holders that it wants for them: by polynomials that have nothing to
/// do with those of the shares that there are.
pub(super) fn split_anew(
    admitted: &Admitted,
    roots: &[Option<Secret<32>>],
    entropy: &mut dyn Entropy,
) -> Result<Made, CeremonyFault> {
    let same = |(root, secret): (&RootCommitment, &Option<Secret<32>>)| {
        let class = root.class().ok_or(CeremonyFault::ClassUnknown)?;
        // All of it: what is left out would have no holders any more.
        secret.as_ref().ok_or(CeremonyFault::RootsMissing)?;
        Ok(Wanted { class, epoch: root.epoch, program: root.program })
    };
    let wanted = admitted.manifest().roots.iter().zip(roots).map(same);
    let wanted = wanted.collect::<Result<Vec<Wanted>, CeremonyFault>>()?;
    split_each(admitted, wanted.iter().zip(roots.iter().flatten()), entropy)
}

/// Splits each root to the holders that the manifest wants for it, and proves that it comes back from their shares.
fn split_each<'r>(
    admitted: &Admitted,
    roots: impl Iterator<Item = (&'r Wanted, &'r Secret<32>)>,
    entropy: &mut dyn Entropy,
) -> Result<Made, CeremonyFault> {
    let holders = admitted.manifest().recipients();
    let mut made = Made { roots: Vec::new(), sealed: Vec::new(), recovered: 0 };
    let mut each = Vec::new();
    for (wanted, root) in roots {
        let shares = split(holders, root, entropy)?;
        made.recovered = made.recovered.saturating_add(prove_recovery(holders, root, &shares, entropy)?);
        made.roots.push(commitment(wanted, root, &shares)?);
        each.push(Split { class: wanted.class, epoch: wanted.epoch, shares });
    }
    made.sealed = seal(admitted, &each)?;
    Ok(made)
}

/// The name of the one program of this kind of TEE.
pub(super) fn only_program(manifest: &Manifest, tee: TeeKind) -> Result<Hash, CeremonyFault> {
    let mut programs = manifest.programs.iter().filter(|program| program.tee == tee);
    match (programs.next(), programs.next()) {
        (Some(only), None) => Ok(program_name(only)),
        _ => Err(CeremonyFault::ProgramAmbiguous),
    }
}

fn split(
    holders: &Holders,
    root: &Secret<32>,
    entropy: &mut dyn Entropy,
) -> Result<Vec<Secret<32>>, CeremonyFault> {
    let count = u8::try_from(holders.members.len()).map_err(|_| CeremonyFault::Internal)?;
    shamir::split(root, holders.threshold, count, entropy).map_err(|_| CeremonyFault::Internal)
}

/// Puts the root together from sets of `threshold` shares, and says from how many.
fn prove_recovery(
    holders: &Holders,
    root: &Secret<32>,
    shares: &[Secret<32>],
    entropy: &mut dyn Entropy,
) -> Result<u32, CeremonyFault> {
    let threshold = usize::from(holders.threshold);
    let sets = match subsets(shares.len(), threshold) {
        Some(all) => all,
        None => random_subsets(shares.len(), threshold, entropy)?,
    };
    for set in &sets {
        let mut chosen: Vec<(u8, &Secret<32>)> =
            (1u8..).zip(shares).filter(|(number, _)| set >> number & 1 == 1).collect();
        // Not in the order in which they were made.
        chosen.reverse();
        let recovered = shamir::combine(&chosen).map_err(|_| CeremonyFault::Internal)?;
        verify_slices_are_equal(recovered.expose(), root.expose()).map_err(|_| CeremonyFault::Internal)?;
    }
    u32::try_from(sets.len()).map_err(|_| CeremonyFault::Internal)
}

/// Every set of `size` of the numbers 1 to `count`, as bits; `None` if there are more than [`MOST_RECOVERIES`].
fn subsets(count: usize, size: usize) -> Option<Vec<u32>> {
    let all = 1u32.checked_shl(u32::try_from(count).ok()?)?;
    let of_size = (0..all).filter(|set| set.count_ones() as usize == size).map(|set| set << 1);
    let sets: Vec<u32> = of_size.take(MOST_RECOVERIES + 1).collect();
    (sets.len() <= MOST_RECOVERIES).then_some(sets)
}

/// Sets drawn at random: which ones does not matter, so a slight bias does not either.
fn random_subsets(count: usize, size: usize, entropy: &mut dyn Entropy) -> Result<Vec<u32>, CeremonyFault> {
    let mut sets = Vec::with_capacity(MOST_RECOVERIES);
    while sets.len() < MOST_RECOVERIES {
        let drawn: [u8; 32] = entropy.make_bytes().map_err(|_| CeremonyFault::Internal)?;
        let mut numbers: Vec<usize> = (1..=count).collect();
        let mut set = 0u32;
        for byte in drawn.iter().take(size) {
            set |= 1 << numbers.swap_remove(usize::from(*byte) % numbers.len());
        }
        sets.push(set);
    }
    Ok(sets)
}

fn commitment(
    wanted: &Wanted,
    root: &Secret<32>,
    shares: &[Secret<32>],
) -> Result<RootCommitment, CeremonyFault> {
    let Wanted { class, epoch, program } = *wanted;
    let commitment = ClassRoots::commit(class, epoch, root).map_err(|_| CeremonyFault::Internal)?;
    let shares =
        (1u8..).zip(shares).map(|(number, share)| share_commitment(class.name(), epoch, number, share));
    Ok(RootCommitment {
        class: class.name().to_owned(),
        epoch,
        commitment: Hash(commitment),
        shares: shares.collect(),
        program,
    })
}

/// What a manifest says of a share.
pub(super) fn share_commitment(class: &str, epoch: u32, number: u8, share: &Secret<32>) -> Hash {
    let receipt = holder::receipt(class, epoch, number, share.expose());
    holder::commitment(class, epoch, number, &receipt)
}

/// Each holder's shares of all roots, sealed to them.
fn seal(admitted: &Admitted, split: &[Split]) -> Result<Vec<Sealed>, CeremonyFault> {
    let members = &admitted.manifest().recipients().members;
    let sealed = (1u8..).zip(members).map(|(number, holder)| {
        let key = PublicKey::x_wing(&holder.key).map_err(|_| CeremonyFault::ManifestMalformed)?;
        let place = usize::from(number) - 1;
        let shares = split.iter().filter_map(|root| {
            let share: &[u8] = root.shares.get(place)?.expose();
            Some(Share { class: root.class.name(), epoch: root.epoch, share: share.into() })
        });
        let shares = Shares { shares: shares.collect() };
        seal_shares(&key, &held_info(&admitted.hash(), number), &shares).map_err(|_| CeremonyFault::Internal)
    });
    sealed.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_sets_are_tried_where_there_are_few_and_a_thousand_where_there_are_many() {
        assert_eq!(subsets(3, 2), Some(vec![0b0110, 0b1010, 0b1100]));
        assert_eq!(subsets(1, 1), Some(vec![0b10]));
        assert_eq!(subsets(10, 5).map(|sets| sets.len()), Some(252));
        assert_eq!(subsets(16, 8), None, "12,870 of them");
    }
}
