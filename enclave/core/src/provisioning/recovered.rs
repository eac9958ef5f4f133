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

/// The roots themselves, in the manifest's order: kept for successors alone.
pub(crate) struct Kept(Vec<Secret<32>>);

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
            Ok(Recovered { roots, kept: Kept(secrets) })
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
    /// The roots that `next` commits to, if `own`, which these came under, has each of them.
    pub(super) fn shares<'k>(&'k self, own: &'k Manifest, next: &Manifest) -> Option<Shares<'k>> {
        let find = |wanted: &RootCommitment| {
            let mut held = own.roots.iter().zip(&self.0);
            let (root, secret) = held.find(|(root, _)| *root == wanted)?;
            let bytes: &[u8] = secret.expose();
            Some(Share { class: &root.class, epoch: root.epoch, share: bytes.into() })
        };
        let shares: Option<Vec<Share<'k>>> = next.roots.iter().map(find).collect();
        shares.map(|shares| Shares { shares })
    }
}
