//! Roots that came in, each what the manifest commits to.

use crate::root::{ClassRoots, RootFault, Roots};
use crate::secret::Secret;
use verify::consent::Candidate;
use wire::ceremony::{CeremonyFault, Share, Shares};
use wire::consent::Class;
use wire::manifest::{Manifest, RootCommitment};

/// What an enclave starts with, and what it could hand to a successor.
pub(super) struct Recovered {
    pub(super) roots: Roots,
    pub(super) kept: Kept,
}

/// The roots themselves, in the manifest's order, but for destroyed ones and those of classes that this enclave did not
/// qualify for: kept for successors alone.
pub(crate) struct Kept(Vec<Option<Secret<32>>>);

impl Recovered {
    /// `secrets` are at the places of the manifest's roots. Class `any` is whole; of `delayed` there is everything or
    /// nothing, of `owner` what is of one program, or nothing.
    pub(super) fn check(
        manifest: &Manifest,
        secrets: Vec<Option<Secret<32>>>,
    ) -> Result<Recovered, CeremonyFault> {
        let mut classes = Vec::with_capacity(Class::ALL.len());
        for class in Class::ALL {
            classes.extend(roots_of(class, manifest, &secrets)?);
        }
        let roots = Roots::collect(classes).map_err(|_| CeremonyFault::RootsMissing)?;
        Ok(Recovered { roots, kept: Kept(secrets) })
    }

    /// From what a predecessor sealed: a root for each that the manifest commits to and this enclave qualifies for, in the
    /// manifest's order.
    pub(super) fn inherit(manifest: &Manifest, given: &Shares<'_>) -> Result<Recovered, CeremonyFault> {
        let mut given = given.shares.iter().peekable();
        let of_root = |root: &RootCommitment| {
            let secret = given.peek().and_then(|share| named(share, root));
            secret.inspect(|_| {
                given.next();
            })
        };
        let secrets = manifest.roots.iter().map(of_root).collect();
        match given.next() {
            None => Recovered::check(manifest, secrets),
            Some(_) => Err(CeremonyFault::HandoverWrong),
        }
    }
}

/// The secret, if it says to be the one of this root: an epoch of a class has one.
fn named(share: &Share<'_>, root: &RootCommitment) -> Option<Secret<32>> {
    let secret = Secret::copied(share.share[..].try_into().ok()?);
    (share.class == root.class && share.epoch == root.epoch).then_some(secret)
}

/// The roots of a class, each compared with its commitment; `None`: this enclave has none of it.
fn roots_of(
    class: Class,
    manifest: &Manifest,
    secrets: &[Option<Secret<32>>],
) -> Result<Option<ClassRoots>, CeremonyFault> {
    let of_class = || manifest.roots.iter().zip(secrets).filter(|(root, _)| root.class() == Some(class));
    let Some(first) = of_class().find_map(|(root, secret)| secret.as_ref().map(|_| root)) else {
        return if class.is_any() { Err(CeremonyFault::RootsMissing) } else { Ok(None) };
    };
    let mut roots: Option<ClassRoots> = None;
    for (root, secret) in of_class() {
        let secret = match secret {
            Some(secret) if root.program == first.program => secret,
            None if root.program != first.program => continue,
            _ => return Err(CeremonyFault::RootWrong),
        };
        let added = match &mut roots {
            None => ClassRoots::new(class, root.epoch, secret).map(|first| roots = Some(first)),
            Some(roots) if manifest.is_pending(&root.class, root.epoch) => {
                roots.begin(root.epoch, secret).map(|_| ())
            }
            Some(roots) => roots.add(root.epoch, secret),
        };
        added.map_err(fault)?;
        if commitment(class, root.epoch, secret)? != root.commitment.0 {
            return Err(CeremonyFault::RootWrong);
        }
    }
    Ok(roots)
}

fn commitment(class: Class, epoch: u32, secret: &Secret<32>) -> Result<[u8; 32], CeremonyFault> {
    ClassRoots::commit(class, epoch, secret).map_err(fault)
}

fn fault(fault: RootFault) -> CeremonyFault {
    match fault {
        RootFault::Internal => CeremonyFault::Internal,
        _ => CeremonyFault::RootWrong,
    }
}

impl Kept {
    /// The roots, at the places of the manifest's.
    pub(super) fn roots(&self) -> &[Option<Secret<32>>] {
        &self.0
    }

    /// Erases the root of this epoch of a class.
    pub(super) fn forget(&mut self, own: &Manifest, class: Class, epoch: u32) {
        let is_it = |root: &RootCommitment| root.class() == Some(class) && root.epoch == epoch;
        let of_epoch = own.roots.iter().zip(&mut self.0).filter(|(root, _)| is_it(root));
        of_epoch.for_each(|(_, secret)| *secret = None);
    }

    /// Goes over to the order of `next`; `made` comes in with it.
    pub(super) fn go_over(
        &mut self,
        own: &Manifest,
        next: &Manifest,
        made: Vec<(RootCommitment, Secret<32>)>,
    ) {
        let held = core::mem::take(&mut self.0);
        let held = own.roots.iter().cloned().zip(held);
        let mut held: Vec<(RootCommitment, Option<Secret<32>>)> =
            held.chain(made.into_iter().map(|(root, secret)| (root, Some(secret)))).collect();
        let mut take = |wanted: &RootCommitment| {
            let at = held.iter().position(|(root, _)| root == wanted)?;
            held.swap_remove(at).1
        };
        self.0 = next.roots.iter().map(&mut take).collect();
    }

    /// Of the roots that `next` commits to, those that the successor qualifies for and whose class this enclave, which came
    /// by them under `own`, has. `None` if one of them is missing here.
    pub(super) fn shares<'k>(
        &'k self,
        own: &'k Manifest,
        next: &Manifest,
        candidate: &Candidate,
    ) -> Option<Shares<'k>> {
        let held =
            || own.roots.iter().zip(&self.0).filter_map(|(root, secret)| Some((root, secret.as_ref()?)));
        let has_class = |wanted: &RootCommitment| {
            held().any(|(root, _)| root.class == wanted.class && root.program == wanted.program)
        };
        let find = |wanted: &RootCommitment| {
            let (root, secret) = held().find(|(root, _)| *root == wanted)?;
            let bytes: &[u8] = secret.expose();
            Some(Share { class: &root.class, epoch: root.epoch, share: bytes.into() })
        };
        let is_any = |root: &RootCommitment| root.class() == Some(Class::Any);
        let wanted = next.roots.iter().filter(|root| candidate.qualifies(root));
        let wanted = wanted.filter(|root| is_any(root) || has_class(root));
        let shares: Option<Vec<Share<'k>>> = wanted.map(find).collect();
        shares.map(|shares| Shares { shares })
    }
}

#[cfg(test)]
#[path = "recovered/tests.rs"]
mod tests;
