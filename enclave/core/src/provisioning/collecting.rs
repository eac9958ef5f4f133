//! Taking shares for one manifest, until they are enough.

use super::admission::{Admitted, refused};
use super::genesis::share_commitment;
use super::recovered::Recovered;
use super::shamir;
use crate::hash::sha256;
use crate::secret::Secret;
use verify::hpke::RecipientKey;
use verify::setup::open_shares;
use wire::Canonical;
use wire::ceremony::{
    CeremonyFault, Phase, Refused, Release, Sealed, Share, Shares, Status, handover_info, released_info,
};
use wire::evidence::Hash;
use wire::manifest::RootCommitment;
use zeroize::Zeroizing;

/// A setup's key takes shares for an hour by the enclave's own counter (m16), and is followed by another, where somebody
/// asks, from the half of it on.
pub(super) const SETUP_MS: u64 = 60 * 60_000;

/// An approved manifest, the key of its setup, and the shares that have come. No roots before there are enough.
pub(super) struct Collecting {
    admitted: Admitted,
    key: Option<SetupKey>,
    released: Vec<Released>,
}

/// One time: it is born for a setup and dies with it.
struct SetupKey {
    key: RecipientKey,
    document: Vec<u8>,
    hash: [u8; 32],
    born: u64,
}

/// One holder's shares, each the one that the manifest commits to; in the order of its roots.
struct Released {
    number: u8,
    shares: Vec<Secret<32>>,
}

impl Collecting {
    /// For a manifest that commits to roots: without a genesis, or with its result lost, there is nothing to collect (m14).
    pub(super) fn start(admitted: Admitted) -> Result<Collecting, Refused> {
        if admitted.manifest().roots.is_empty() {
            return Err(refused(CeremonyFault::RootsMissing));
        }
        Ok(Collecting { admitted, key: None, released: Vec::new() })
    }

    pub(super) fn admitted(&self) -> &Admitted {
        &self.admitted
    }

    /// Whether a holder has trusted this manifest with a share.
    pub(super) fn has_shares(&self) -> bool {
        !self.released.is_empty()
    }

    /// The setup document; a new one, by `write`, where there is none or the last one has lived for half of its time.
    pub(super) fn setup(
        &mut self,
        monotonic: u64,
        write: impl FnOnce(&RecipientKey, &Admitted) -> Vec<u8>,
    ) -> Result<&[u8], CeremonyFault> {
        let current = self.key.take().filter(|key| monotonic.saturating_sub(key.born) < SETUP_MS / 2);
        let current = match current {
            Some(current) => current,
            None => {
                let key = RecipientKey::generate().map_err(|_| CeremonyFault::Internal)?;
                let document = write(&key, &self.admitted);
                SetupKey { hash: sha256(&document), key, document, born: monotonic }
            }
        };
        Ok(&self.key.insert(current).document)
    }

    /// Takes one holder's shares, all of them right or none; returns the roots once there are enough.
    pub(super) fn release(
        &mut self,
        release: &Release,
        monotonic: u64,
    ) -> Result<Option<Recovered>, Refused> {
        let number = release.holder;
        let of_holder = |fault| Refused { fault, member: Some(number) };
        let key = self.key.as_ref().filter(|key| monotonic.saturating_sub(key.born) < SETUP_MS);
        let key =
            key.filter(|key| Hash(key.hash) == release.setup).ok_or(refused(CeremonyFault::SetupOver))?;
        if number == 0 || usize::from(number) > self.admitted.manifest().holders.members.len() {
            return Err(refused(CeremonyFault::UnknownHolder));
        }
        if self.released.iter().any(|released| released.number == number) {
            return Err(of_holder(CeremonyFault::HolderTwice));
        }
        let info = released_info(&key.hash, number);
        let bytes = open_shares(&key.key, &info, &release.sealed)
            .map_err(|_| of_holder(CeremonyFault::ShareUnsealable))?;
        let shares = Shares::from_bytes(&bytes).map_err(|_| of_holder(CeremonyFault::ShareWrong))?;
        let shares = self.checked(number, &shares).ok_or(of_holder(CeremonyFault::ShareWrong))?;
        self.released.push(Released { number, shares });
        if self.released.len() < usize::from(self.admitted.manifest().holders.threshold) {
            return Ok(None);
        }
        self.recover().map(Some).map_err(refused)
    }

    /// SHA-256 of the setup document, while its key lives.
    pub(super) fn live_setup(&self, monotonic: u64) -> Option<[u8; 32]> {
        self.live_key(monotonic).map(|key| key.hash)
    }

    /// What a predecessor sealed to the setup's key.
    pub(super) fn open_handover(&self, sealed: &Sealed) -> Result<Zeroizing<Vec<u8>>, CeremonyFault> {
        let key = self.key.as_ref().ok_or(CeremonyFault::SetupOver)?;
        open_shares(&key.key, &handover_info(&key.hash), sealed).map_err(|_| CeremonyFault::HandoverWrong)
    }

    fn live_key(&self, monotonic: u64) -> Option<&SetupKey> {
        self.key.as_ref().filter(|key| monotonic.saturating_sub(key.born) < SETUP_MS)
    }

    pub(super) fn status(&self) -> Status {
        let mut released: Vec<u8> = self.released.iter().map(|released| released.number).collect();
        released.sort_unstable();
        Status {
            phase: Phase::Collecting,
            manifest: Some(Hash(self.admitted.hash())),
            released,
            threshold: self.admitted.manifest().holders.threshold,
        }
    }

    /// The shares as secrets, if they are one for each root, in order, and each the one committed to.
    fn checked(&self, number: u8, given: &Shares<'_>) -> Option<Vec<Secret<32>>> {
        let roots = &self.admitted.manifest().roots;
        if given.shares.len() != roots.len() {
            return None;
        }
        given.shares.iter().zip(roots).map(|(share, root)| checked(number, share, root)).collect()
    }

    /// Every root, put together from its shares.
    fn recover(&self) -> Result<Recovered, CeremonyFault> {
        let manifest = self.admitted.manifest();
        let places = 0..manifest.roots.len();
        let secrets: Vec<Secret<32>> = places.map(|place| self.combine(place)).collect::<Result<_, _>>()?;
        Recovered::check(manifest, secrets)
    }

    fn combine(&self, place: usize) -> Result<Secret<32>, CeremonyFault> {
        let shares =
            self.released.iter().map(|released| Some((released.number, released.shares.get(place)?)));
        let shares: Option<Vec<(u8, &Secret<32>)>> = shares.collect();
        shamir::combine(&shares.ok_or(CeremonyFault::Internal)?).map_err(|_| CeremonyFault::Internal)
    }
}

fn checked(number: u8, share: &Share<'_>, root: &RootCommitment) -> Option<Secret<32>> {
    let secret = Secret::copied(share.share[..].try_into().ok()?);
    let place = usize::from(number).checked_sub(1)?;
    let expected = root.shares.get(place)?;
    let is_right = share.class == root.class
        && share.epoch == root.epoch
        && share_commitment(&root.class, root.epoch, number, &secret) == *expected;
    is_right.then_some(secret)
}

impl core::fmt::Debug for Collecting {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Collecting({} released)", self.released.len())
    }
}
