//! Credentials that a provider has changed, until their owners have stored them.
//!
//! A refresh token that rotates is dead once it was used, and using it again may end the whole authorisation. So what
//! replaces it is kept here before anything else is done with it, and serves in the place of what its owner still has,
//! until the owner says that the new generation is stored. Kept by the name of the credential that was replaced: only
//! who holds that one gets what came of it, and asking again gives the same.
//!
//! INVARIANT: nothing here is ever evicted to make room; where there is none, the provider is not asked.

use crate::credentials::CredentialName;
use crate::limits::MAX_HELD;
use crate::secret::SecretBytes;
use std::collections::{BTreeMap, BTreeSet};
use wire::Refusal;

#[derive(Default)]
pub(crate) struct Held {
    by_old: BTreeMap<CredentialName, Replacement>,
    under_way: BTreeSet<CredentialName>,
}

/// What a provider gave in the place of a credential.
struct Replacement {
    name: CredentialName,
    credential: SecretBytes,
}

impl Held {
    /// Takes a credential into exclusive use: one request at a time asks the provider to replace it. To be given back
    /// by [`Held::put`] or [`Held::give_up`].
    pub(crate) fn reserve(&mut self, old: CredentialName) -> Result<(), Refusal> {
        if self.under_way.contains(&old) {
            return Err(Refusal::RefreshUnderWay);
        }
        let is_new = !self.by_old.contains_key(&old);
        if is_new && self.by_old.len() + self.under_way.len() >= MAX_HELD {
            return Err(Refusal::Overloaded);
        }
        self.under_way.insert(old);
        Ok(())
    }

    /// What came in the place of `old`.
    pub(crate) fn put(&mut self, old: CredentialName, name: CredentialName, credential: SecretBytes) {
        self.under_way.remove(&old);
        self.by_old.insert(old, Replacement { name, credential });
    }

    /// Nothing came.
    pub(crate) fn give_up(&mut self, old: CredentialName) {
        self.under_way.remove(&old);
    }

    /// A copy of what is kept in the place of `old`, with its name.
    pub(crate) fn replacement(&self, old: CredentialName) -> Option<(CredentialName, SecretBytes)> {
        let kept = self.by_old.get(&old)?;
        Some((kept.name, SecretBytes::copied(kept.credential.expose())))
    }

    /// Its owner has stored an envelope with this credential: nobody needs the one before it any more.
    pub(crate) fn stored(&mut self, name: CredentialName) {
        self.by_old.retain(|_, kept| kept.name != name);
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::*;

    fn name(number: usize) -> CredentialName {
        CredentialName::numbered(number)
    }

    #[test]
    fn what_replaced_a_credential_is_kept_until_its_owner_has_stored_it() {
        let mut held = Held::default();
        held.reserve(name(1)).unwrap();
        assert_eq!(held.reserve(name(1)), Err(Refusal::RefreshUnderWay));
        held.put(name(1), name(2), SecretBytes::copied(b"new"));
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
    fn a_full_table_refuses_and_forgets_nothing() {
        let mut held = Held::default();
        for number in 0..MAX_HELD {
            held.reserve(name(number)).unwrap();
            held.put(name(number), name(MAX_HELD + number), SecretBytes::copied(b"kept"));
        }
        assert_eq!(held.reserve(name(usize::MAX)), Err(Refusal::Overloaded));
        held.reserve(name(0)).unwrap();
        held.give_up(name(0));
        assert!((0..MAX_HELD).all(|number| held.replacement(name(number)).is_some()));
    }
}
