//! Roots that came in, each what the manifest commits to.

use crate::root::{RootFault, Roots};
use crate::secret::Secret;
use wire::ceremony::{CeremonyFault, Share, Shares};
use wire::evidence::Hash;
use wire::manifest::{CLASS_ANY, Manifest, RootCommitment};

/// What an enclave starts with, and what it could hand to a successor.
pub(super) struct Recovered {
    pub(super) roots: Roots,
    pub(super) kept: Kept,
}

/// The roots themselves, in the manifest's order, but for destroyed ones: kept for successors alone.
pub(crate) struct Kept(Vec<Option<Secret<32>>>);

impl Recovered {
    /// `secrets` are in the manifest's order.
    pub(super) fn check(manifest: &Manifest, secrets: Vec<Secret<32>>) -> Result<Recovered, CeremonyFault> {
        let mut roots: Option<Roots> = None;
        for (root, secret) in manifest.roots.iter().zip(&secrets).filter(|(root, _)| root.class == CLASS_ANY)
        {
            let added = match &mut roots {
                None => Roots::new(root.epoch, secret).map(|first| roots = Some(first)),
                Some(roots) => roots.add(root.epoch, secret),
            };
            added.map_err(|fault: RootFault| match fault {
                RootFault::Internal => CeremonyFault::Internal,
                _ => CeremonyFault::RootWrong,
            })?;
        }
        let roots = roots.ok_or(CeremonyFault::RootsMissing)?;
        let expected = manifest.roots.iter().map(|root| (root.epoch, root.commitment));
        let made = roots.epochs().commitments;
        let made = made.iter().map(|epoch| (epoch.epoch, Hash(epoch.commitment)));
        if made.eq(expected) {
            Ok(Recovered { roots, kept: Kept(secrets.into_iter().map(Some).collect()) })
        } else {
            Err(CeremonyFault::RootWrong)
        }
    }

    /// From what a predecessor sealed: one root for each that the manifest commits to, in its order.
    pub(super) fn inherit(manifest: &Manifest, given: &Shares<'_>) -> Result<Recovered, CeremonyFault> {
        let of_root = |(share, root): (&Share<'_>, &RootCommitment)| {
            let is_named = share.class == root.class && share.epoch == root.epoch;
            let bytes = share.share[..].try_into().ok().filter(|_| is_named)?;
            Some(Secret::copied(bytes))
        };
        let secrets: Option<Vec<Secret<32>>> =
            given.shares.iter().zip(&manifest.roots).map(of_root).collect();
        let secrets = secrets.filter(|secrets| secrets.len() == manifest.roots.len());
        Recovered::check(manifest, secrets.ok_or(CeremonyFault::HandoverWrong)?)
    }
}

impl Kept {
    /// Erases the roots of this epoch, of every class.
    pub(super) fn forget(&mut self, own: &Manifest, epoch: u32) {
        let of_epoch = own.roots.iter().zip(&mut self.0).filter(|(root, _)| root.epoch == epoch);
        of_epoch.for_each(|(_, secret)| *secret = None);
    }

    /// The roots that `next` commits to, if `own`, which these came under, has each of them.
    pub(super) fn shares<'k>(&'k self, own: &'k Manifest, next: &Manifest) -> Option<Shares<'k>> {
        let find = |wanted: &RootCommitment| {
            let mut held = own.roots.iter().zip(&self.0);
            let (root, secret) = held.find(|(root, _)| *root == wanted)?;
            let bytes: &[u8] = secret.as_ref()?.expose();
            Some(Share { class: &root.class, epoch: root.epoch, share: bytes.into() })
        };
        let shares: Option<Vec<Share<'k>>> = next.roots.iter().map(find).collect();
        shares.map(|shares| Shares { shares })
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]
mod tests {
    use super::*;
    use serde_json::Value;
    use wire::Canonical;

    /// The script's manifest, with a second epoch.
    fn manifest() -> Manifest {
        let file: Value =
            serde_json::from_str(include_str!("../../../../vectors/provisioning.json")).unwrap();
        let text = file["manifests"][1]["encoded"].as_str().unwrap();
        let bytes: Vec<u8> =
            (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect();
        let mut manifest = Manifest::from_bytes(&bytes).unwrap();
        let roots = Roots::new(1, &Secret::copied(&[1; 32])).and_then(|mut roots| {
            roots.add(2, &Secret::copied(&[2; 32]))?;
            Ok(roots)
        });
        let Ok(roots) = roots else { panic!("two epochs are in order") };
        let first = manifest.roots.remove(0);
        let committed = roots.epochs().commitments.into_iter().map(|epoch| RootCommitment {
            epoch: epoch.epoch,
            commitment: Hash(epoch.commitment),
            ..first.clone()
        });
        manifest.roots = committed.collect();
        manifest
    }

    fn secrets(second: u8) -> Vec<Secret<32>> {
        vec![Secret::copied(&[1; 32]), Secret::copied(&[second; 32])]
    }

    #[test]
    fn roots_are_what_the_manifest_commits_to_or_none() {
        let manifest = manifest();
        assert_eq!(Recovered::check(&manifest, secrets(2)).map(|found| found.roots.current()).ok(), Some(2));
        assert_eq!(Recovered::check(&manifest, secrets(3)).err(), Some(CeremonyFault::RootWrong));
        let none = Recovered::check(&manifest, Vec::new()).err();
        assert_eq!(none, Some(CeremonyFault::RootsMissing));
    }

    #[test]
    fn the_root_of_a_destroyed_epoch_is_there_for_no_successor() {
        let manifest = manifest();
        let Ok(Recovered { mut kept, .. }) = Recovered::check(&manifest, secrets(2)) else {
            panic!("right roots")
        };
        assert_eq!(kept.shares(&manifest, &manifest).map(|shares| shares.shares.len()), Some(2));
        kept.forget(&manifest, 1);
        assert!(kept.shares(&manifest, &manifest).is_none());
        let mut later = manifest.clone();
        later.roots.remove(0);
        assert_eq!(kept.shares(&manifest, &later).map(|shares| shares.shares.len()), Some(1));
    }
}
