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
use wire::consent::Class;
use wire::evidence::Hash;
use wire::manifest::{RootCommitment, Stage};
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

/// One holder's shares, each the one that the manifest commits to; in the order of its roots. Of a class that the holder
/// did not find this enclave to qualify for, there are none.
struct Released {
    number: u8,
    shares: Vec<Option<Secret<32>>>,
}

impl Released {
    /// With the holder's number, the share of the root at this place.
    fn share_of(&self, place: usize) -> Option<(u8, &Secret<32>)> {
        Some((self.number, self.shares.get(place)?.as_ref()?))
    }
}

impl Collecting {
    /// For a manifest that commits to roots: without a genesis, or with its result lost, there is nothing to collect (m14). It
    /// may ask for new holders: then what is collected is for that alone.
    pub(super) fn start(admitted: Admitted) -> Result<Collecting, Refused> {
        let manifest = admitted.manifest();
        if manifest.roots.is_empty() || manifest.steps().iter().any(|step| step.stage == Stage::Make) {
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
        let key = self.live_key(monotonic).filter(|key| Hash(key.hash) == release.setup);
        let key = key.ok_or(refused(CeremonyFault::SetupOver))?;
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
            line: None,
        }
    }

    /// The shares as secrets, each at the place of its root: in the manifest's order, each the one committed to, and one
    /// for each root of class `any`.
    fn checked(&self, number: u8, given: &Shares<'_>) -> Option<Vec<Option<Secret<32>>>> {
        let roots = &self.admitted.manifest().roots;
        let mut given = given.shares.iter().peekable();
        let of_root =
            |root: &RootCommitment| match given.peek().and_then(|share| checked(number, share, root)) {
                Some(secret) => {
                    given.next();
                    Some(Some(secret))
                }
                None => (root.class() != Some(Class::Any)).then_some(None),
            };
        let shares: Option<Vec<_>> = roots.iter().map(of_root).collect();
        shares.filter(|_| given.next().is_none())
    }

    /// Every root that enough holders released shares of, put together.
    fn recover(&self) -> Result<Recovered, CeremonyFault> {
        let manifest = self.admitted.manifest();
        let places = 0..manifest.roots.len();
        let secrets = places.map(|place| self.combine(place)).collect::<Result<Vec<_>, _>>()?;
        Recovered::check(manifest, secrets)
    }

    fn combine(&self, place: usize) -> Result<Option<Secret<32>>, CeremonyFault> {
        let shares: Vec<(u8, &Secret<32>)> =
            self.released.iter().filter_map(|released| released.share_of(place)).collect();
        if shares.len() < usize::from(self.admitted.manifest().holders.threshold) {
            return Ok(None);
        }
        shamir::combine(&shares).map(Some).map_err(|_| CeremonyFault::Internal)
    }
}

/// The share as a secret, if it is the one of this root.
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
