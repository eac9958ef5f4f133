//! Credentials that a provider has changed, until their owners have stored them.
//!
//! A refresh token that rotates is dead once it was used, and using it again may end the whole authorisation. So what
//! replaces it is kept here before anything else is done with it, and serves in the place of what its owner still has,
//! until the owner says that the new generation is stored. Kept by the name of the credential that was replaced: only
//! who holds that one gets what came of it, and asking again gives the same.
//!
//! INVARIANT: nothing that is held is ever evicted to make room; where there is none, the provider is not asked. What a
//! refresh token that stays has given is no such thing: it gives it again.

use crate::credentials::CredentialName;
use crate::limits::{MAX_HELD, MAX_HELD_FOR_FINISH, MAX_RENEWED};
use crate::secret::SecretBytes;
use std::collections::{BTreeMap, BTreeSet};
use wire::Refusal;

#[derive(Default)]
pub(crate) struct Held {
    by_old: BTreeMap<CredentialName, Replacement>,
    under_way: BTreeSet<CredentialName>,
    /// By the name of the credential that its owner has stored: the same with another access token.
    renewed: BTreeMap<CredentialName, Replacement>,
}

/// What a provider gave in the place of a credential.
struct Replacement {
    name: CredentialName,
    credential: SecretBytes,
}

/// What one request to a provider replaces.
#[derive(Clone, Copy)]
pub(crate) enum Replaced {
    /// An authorisation that is pending: whoever asks is a newcomer.
    Pending(CredentialName),
    /// The credential that its owner has stored, and the one that is spent: another where the first was replaced already.
    Credential { stored: CredentialName, spent: CredentialName },
}

impl Replaced {
    fn names(self) -> BTreeSet<CredentialName> {
        match self {
            Replaced::Pending(name) => BTreeSet::from([name]),
            Replaced::Credential { stored, spent } => BTreeSet::from([stored, spent]),
        }
    }

    /// Newcomers leave half of the table to those who have an envelope: theirs is what is lost if it is full.
    fn room(self) -> usize {
        match self {
            Replaced::Pending(_) => MAX_HELD_FOR_FINISH,
            Replaced::Credential { .. } => MAX_HELD,
        }
    }
}

impl Held {
    /// Takes credentials into exclusive use: one request at a time asks the provider to replace them. To be given back
    /// by [`Held::put`] or [`Held::give_up`].
    pub(crate) fn reserve(&mut self, replaced: Replaced) -> Result<(), Refusal> {
        let names = replaced.names();
        if !self.under_way.is_disjoint(&names) {
            return Err(Refusal::RefreshUnderWay);
        }
        let new = names.iter().filter(|name| !self.by_old.contains_key(name)).count();
        if self.by_old.len() + self.under_way.len() + new > replaced.room() {
            return Err(Refusal::Overloaded);
        }
        self.under_way.extend(names);
        Ok(())
    }

    /// What came in the place of these: whichever of them its owner has stored, this serves.
    pub(crate) fn put(&mut self, replaced: Replaced, name: CredentialName, credential: &SecretBytes) {
        for old in replaced.names() {
            self.under_way.remove(&old);
            let credential = SecretBytes::copied(credential.expose());
            self.by_old.insert(old, Replacement { name, credential });
        }
    }

    /// Nothing came.
    pub(crate) fn give_up(&mut self, replaced: Replaced) {
        self.under_way.retain(|name| !replaced.names().contains(name));
    }

    /// A copy of what is kept in the place of `old`, with its name.
    pub(crate) fn replacement(&self, old: CredentialName) -> Option<(CredentialName, SecretBytes)> {
        let kept = self.by_old.get(&old).or_else(|| self.renewed.get(&old))?;
        Some((kept.name, SecretBytes::copied(kept.credential.expose())))
    }

    /// Keeps another access token of an authorisation whose refresh token stays: in the place of any other's, if need be.
    pub(crate) fn renew(&mut self, stored: CredentialName, name: CredentialName, credential: &SecretBytes) {
        if self.renewed.len() >= MAX_RENEWED && !self.renewed.contains_key(&stored) {
            self.renewed.pop_first();
        }
        let credential = SecretBytes::copied(credential.expose());
        self.renewed.insert(stored, Replacement { name, credential });
    }

    /// Its owner has stored an envelope with this credential: nobody needs the one before it any more.
    pub(crate) fn stored(&mut self, name: CredentialName) {
        self.by_old.retain(|_, kept| kept.name != name);
        self.renewed.retain(|_, kept| kept.name != name);
    }

    /// The provider ended the authorisation: neither what was replaced nor what came of it opens anything.
    pub(crate) fn revoked(&mut self, stored: CredentialName, name: CredentialName) {
        self.by_old.remove(&stored);
        self.renewed.remove(&stored);
        self.stored(name);
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::*;

    fn name(number: usize) -> CredentialName {
        CredentialName::numbered(number)
    }

    fn plain(number: usize) -> Replaced {
        Replaced::Credential { stored: name(number), spent: name(number) }
    }

    fn kept(bytes: &[u8]) -> SecretBytes {
        SecretBytes::copied(bytes)
    }

    #[test]
    fn what_replaced_a_credential_is_kept_until_its_owner_has_stored_it() {
        let mut held = Held::default();
        held.reserve(plain(1)).unwrap();
        assert_eq!(held.reserve(plain(1)), Err(Refusal::RefreshUnderWay));
        held.put(plain(1), name(2), &kept(b"new"));
        for _ in 0..2 {
            let (found, credential) = held.replacement(name(1)).unwrap();
            assert!(found == name(2) && credential.expose() == b"new");
        }
        held.stored(name(3));
        assert!(held.replacement(name(1)).is_some());
        held.stored(name(2));
        assert!(held.replacement(name(1)).is_none());
    }

    #[test]
    fn a_credential_that_was_replaced_twice_is_replaced_for_whoever_has_either_of_the_first_two() {
        let mut held = Held::default();
        held.reserve(plain(1)).unwrap();
        held.put(plain(1), name(2), &kept(b"second"));
        let again = Replaced::Credential { stored: name(1), spent: name(2) };
        held.reserve(again).unwrap();
        assert_eq!(held.reserve(plain(2)), Err(Refusal::RefreshUnderWay), "it is being spent");
        held.put(again, name(3), &kept(b"third"));
        for old in [name(1), name(2)] {
            assert_eq!(held.replacement(old).unwrap().1.expose(), b"third");
        }
        held.reserve(again).unwrap();
        held.give_up(again);
        held.reserve(plain(2)).unwrap();
        held.give_up(plain(2));
        held.stored(name(3));
        assert!(held.by_old.is_empty() && held.under_way.is_empty());
    }

    #[test]
    fn nothing_is_kept_of_an_authorisation_that_was_ended() {
        let mut held = Held::default();
        for (pending, new) in [(Replaced::Pending(name(1)), 2), (plain(2), 3)] {
            held.reserve(pending).unwrap();
            held.put(pending, name(new), &kept(b"kept"));
        }
        held.revoked(name(1), name(2));
        assert!(held.replacement(name(1)).is_none() && held.replacement(name(2)).is_some());
        held.revoked(name(2), name(3));
        assert!(held.by_old.is_empty());
    }

    #[test]
    fn a_full_table_refuses_and_forgets_nothing() {
        let mut held = Held::default();
        for number in 0..MAX_HELD {
            held.reserve(plain(number)).unwrap();
            held.put(plain(number), name(MAX_HELD + number), &kept(b"kept"));
        }
        assert_eq!(held.reserve(plain(usize::MAX)), Err(Refusal::Overloaded));
        held.reserve(plain(0)).unwrap();
        held.give_up(plain(0));
        assert!((0..MAX_HELD).all(|number| held.replacement(name(number)).is_some()));
    }

    #[test]
    fn renewed_tokens_make_room_for_others_and_never_take_what_is_held() {
        let mut held = Held::default();
        held.reserve(plain(1)).unwrap();
        held.put(plain(1), name(2), &kept(b"held"));
        held.renew(name(1), name(3), &kept(b"renewed"));
        assert_eq!(held.replacement(name(1)).unwrap().1.expose(), b"held");
        for number in 10..10 + 2 * MAX_RENEWED {
            held.renew(name(number), name(5), &kept(b"renewed"));
            assert!(held.renewed.len() <= MAX_RENEWED);
            assert!(held.replacement(name(number)).is_some());
        }
        assert_eq!(held.replacement(name(1)).unwrap().1.expose(), b"held");
        held.stored(name(5));
        assert!(held.renewed.is_empty() || held.renewed.len() == 1);
    }

    #[test]
    fn newcomers_never_fill_the_half_of_those_who_have_an_envelope() {
        let mut held = Held::default();
        for number in 0..MAX_HELD / 2 {
            held.reserve(Replaced::Pending(name(number))).unwrap();
        }
        assert_eq!(held.reserve(Replaced::Pending(name(usize::MAX))), Err(Refusal::Overloaded));
        held.reserve(plain(usize::MAX)).unwrap();
    }
}
