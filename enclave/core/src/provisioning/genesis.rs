//! Making the roots, once: inside, split to the holders, and proven to come back before anything is said.

use super::admission::Admitted;
use super::shamir;
use crate::entropy::Entropy;
use crate::hash::sha256;
use crate::root::Roots;
use crate::secret::Secret;
use aws_lc_rs::constant_time::verify_slices_are_equal;
use verify::hpke::PublicKey;
use verify::setup::seal_shares;
use wire::ceremony::{CeremonyFault, Sealed, Share, Shares, held_info};
use wire::evidence::Hash;
use wire::manifest::{Manifest, RootCommitment, share_transcript};
use zeroize::Zeroizing;

/// Sets of shares that are put together before a genesis answers: all there are, or so many drawn at random.
const MOST_RECOVERIES: usize = 1024;
/// The first epoch of every class.
const FIRST_EPOCH: u32 = 1;

/// What may leave the enclave. The roots themselves are gone by now.
pub(super) struct Made {
    pub(super) roots: Vec<RootCommitment>,
    pub(super) sealed: Vec<Sealed>,
    pub(super) recovered: u32,
}

/// The shares of one class's root, one for each holder.
struct Split {
    class: String,
    shares: Vec<Secret<32>>,
}

/// Makes a root for each class of a manifest that commits to none yet (m14).
pub(super) fn make(admitted: &Admitted, entropy: &mut dyn Entropy) -> Result<Made, CeremonyFault> {
    let manifest = admitted.manifest();
    if !manifest.roots.is_empty() {
        return Err(CeremonyFault::RootsCommitted);
    }
    let mut made = Made { roots: Vec::new(), sealed: Vec::new(), recovered: 0 };
    let mut split = Vec::with_capacity(manifest.classes.len());
    for class in &manifest.classes {
        let root = Secret::make(entropy).map_err(|_| CeremonyFault::Internal)?;
        let shares = self::split(manifest, &root, entropy)?;
        made.recovered = made.recovered.saturating_add(prove_recovery(manifest, &root, &shares, entropy)?);
        made.roots.push(commitment(class, &root, &shares)?);
        split.push(Split { class: class.clone(), shares });
    }
    made.sealed = seal(admitted, &split)?;
    Ok(made)
}

fn split(
    manifest: &Manifest,
    root: &Secret<32>,
    entropy: &mut dyn Entropy,
) -> Result<Vec<Secret<32>>, CeremonyFault> {
    let count = u8::try_from(manifest.holders.members.len()).map_err(|_| CeremonyFault::Internal)?;
    shamir::split(root, manifest.holders.threshold, count, entropy).map_err(|_| CeremonyFault::Internal)
}

/// Puts the root together from sets of `threshold` shares, and says from how many.
fn prove_recovery(
    manifest: &Manifest,
    root: &Secret<32>,
    shares: &[Secret<32>],
    entropy: &mut dyn Entropy,
) -> Result<u32, CeremonyFault> {
    let threshold = usize::from(manifest.holders.threshold);
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
    class: &str,
    root: &Secret<32>,
    shares: &[Secret<32>],
) -> Result<RootCommitment, CeremonyFault> {
    let epochs = Roots::new(FIRST_EPOCH, root).map_err(|_| CeremonyFault::Internal)?.epochs();
    let commitment = epochs.commitments.first().ok_or(CeremonyFault::Internal)?.commitment;
    let shares =
        (1u8..).zip(shares).map(|(number, share)| share_commitment(class, FIRST_EPOCH, number, share));
    Ok(RootCommitment {
        class: class.to_owned(),
        epoch: FIRST_EPOCH,
        commitment: Hash(commitment),
        shares: shares.collect(),
    })
}

/// What a share must be: `SHA-256(transcript(ROOT_SHARE_COMMITMENT, class, epoch, number, share))`.
pub(super) fn share_commitment(class: &str, epoch: u32, number: u8, share: &Secret<32>) -> Hash {
    Hash(sha256(&Zeroizing::new(share_transcript(class, epoch, number, share.expose()))))
}

/// Each holder's shares of all roots, sealed to them.
fn seal(admitted: &Admitted, split: &[Split]) -> Result<Vec<Sealed>, CeremonyFault> {
    let members = &admitted.manifest().holders.members;
    let sealed = (1u8..).zip(members).map(|(number, holder)| {
        let key = PublicKey::x_wing(&holder.key).map_err(|_| CeremonyFault::ManifestMalformed)?;
        let place = usize::from(number) - 1;
        let shares = split.iter().filter_map(|root| {
            let share: &[u8] = root.shares.get(place)?.expose();
            Some(Share { class: &root.class, epoch: FIRST_EPOCH, share: share.into() })
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
