//! Manifests that were announced to this start of the enclave: how class `delayed` counts its hours in public, by the
//! enclave's own counter and never by the host's clock (docs/spec/provisioning.md §11).

use super::admission::refused;
use super::handover::approved;
use crate::enclave::Enclave;
use wire::ceremony::{CeremonyFault, Proposal, Refused};
use wire::evidence::Hash;
use wire::identity;

/// Announcements that are kept. An older one gives way, and its hours begin anew if it comes again.
const MAX_ANNOUNCED: usize = 16;
const HOUR_MS: u64 = 3_600_000;

/// Manifests, each with the enclave's counter when it became public.
pub(super) struct Announcements {
    /// Since when the enclave's own manifest stands in its identity: its start, or later for one that it went over to.
    own: u64,
    later: Vec<(Hash, u64)>,
}

impl Announcements {
    pub(super) fn new(monotonic: u64) -> Announcements {
        Announcements { own: monotonic, later: Vec::new() }
    }

    /// Whether a manifest has been public for so many hours of this start. `is_own`: it is the enclave's own.
    pub(super) fn is_public(&self, manifest: Hash, is_own: bool, hours: u16, monotonic: u64) -> bool {
        let announced = self.later.iter().find(|(known, _)| *known == manifest).map(|(_, since)| *since);
        let since = if is_own { Some(self.own) } else { announced };
        let wanted = u64::from(hours).saturating_mul(HOUR_MS);
        since.is_some_and(|since| monotonic.saturating_sub(since) >= wanted)
    }

    /// The enclave's own is this one from now on. It is public since it was announced, or only now: whoever approves
    /// manifests opens class `delayed` no earlier by having one adopted.
    pub(super) fn adopt(&mut self, manifest: Hash, monotonic: u64) {
        let announced = self.later.iter().find(|(known, _)| *known == manifest);
        self.own = announced.map_or(monotonic, |(_, since)| *since);
    }

    /// Notes a manifest, and says which one gave way. What is known already keeps its time.
    fn note(&mut self, manifest: Hash, monotonic: u64) -> Noted {
        if self.later.iter().any(|(known, _)| *known == manifest) {
            return Noted::Known;
        }
        let oldest = (self.later.len() >= MAX_ANNOUNCED).then(|| self.later.remove(0).0);
        self.later.push((manifest, monotonic));
        Noted::New { gave_way: oldest }
    }
}

enum Noted {
    Known,
    New { gave_way: Option<Hash> },
}

impl Enclave {
    /// Says in the identity that a manifest's programs are to have the roots. It has to be approved and to succeed this
    /// enclave's own. Announced again, nothing changes.
    pub(super) fn announce(&mut self, proposal: &Proposal) -> Result<(), Refused> {
        let (now, monotonic) = (self.surroundings.clock.now(), self.surroundings.clock.monotonic());
        let nothing = || refused(CeremonyFault::NothingToHandOver);
        let own = self.manifest.as_ref().ok_or_else(nothing)?;
        let legacy = self.legacy.as_mut().ok_or_else(nothing)?;
        let next = approved(proposal)?;
        if !own.admits(&next) {
            return Err(refused(CeremonyFault::NotASuccessor));
        }
        let manifest = Hash(next.hash());
        if next.hash() == own.hash() {
            return Ok(());
        }
        if let Noted::New { gave_way } = legacy.announced.note(manifest, monotonic) {
            let listed = &mut self.statement.announced;
            listed.retain(|known| Some(known.manifest) != gave_way);
            listed.push(identity::Announced { manifest, since: now });
            self.say_epochs().map_err(|_| refused(CeremonyFault::Internal))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: Hash = Hash([1; 32]);
    const B: Hash = Hash([2; 32]);

    #[test]
    fn hours_run_on_the_counter_from_the_first_announcement_on() {
        let mut announced = Announcements::new(500);
        announced.note(A, 1_000);
        let is_public = |announced: &Announcements, at| announced.is_public(A, false, 2, at);
        assert!(!is_public(&announced, 1_000 + 2 * HOUR_MS - 1));
        assert!(is_public(&announced, 1_000 + 2 * HOUR_MS));
        assert!(matches!(announced.note(A, 9_000), Noted::Known), "an announcement does not begin anew");
        assert!(is_public(&announced, 1_000 + 2 * HOUR_MS));
        assert!(!announced.is_public(B, false, 1, u64::MAX), "what was never announced is never public");
        assert!(!announced.is_public(B, true, 1, 500 + HOUR_MS - 1), "the enclave's own, since its start");
        assert!(announced.is_public(B, true, 1, 500 + HOUR_MS));
    }

    #[test]
    fn a_manifest_that_is_adopted_is_public_since_it_was_announced_or_only_then() {
        let mut announced = Announcements::new(0);
        announced.note(A, 5_000);
        announced.adopt(A, 9_000);
        assert!(!announced.is_public(A, true, 1, 5_000 + HOUR_MS - 1));
        assert!(announced.is_public(A, true, 1, 5_000 + HOUR_MS));
        announced.adopt(B, 2 * HOUR_MS);
        assert!(
            !announced.is_public(B, true, 1, 3 * HOUR_MS - 1),
            "what it was started under does not count"
        );
        assert!(announced.is_public(B, true, 1, 3 * HOUR_MS));
    }

    #[test]
    fn the_oldest_announcement_gives_way_and_its_hours_begin_anew() {
        let mut announced = Announcements::new(0);
        let numbered = |number: usize| Hash([u8::try_from(number).unwrap_or(u8::MAX); 32]);
        for number in 0..MAX_ANNOUNCED {
            assert!(matches!(announced.note(numbered(number), 0), Noted::New { gave_way: None }));
        }
        assert!(matches!(announced.note(A, 0), Noted::Known));
        let gave_way = match announced.note(numbered(99), 0) {
            Noted::New { gave_way } => gave_way,
            Noted::Known => None,
        };
        assert_eq!(gave_way, Some(numbered(0)));
        assert!(!announced.is_public(numbered(0), false, 1, u64::MAX));
    }
}
