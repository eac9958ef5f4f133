//! What is kept of each provider credential between its uses: one nonce serialiser, and the provider's clock.
//!
//! One account can be linked twice, and both connections must draw their nonces from one source (m34). So the key is
//! a keyed hash of the credential, under a key of this start; from it nothing of the credential can be learnt.

use crate::connector::{Document, FieldText, NonceState};
use crate::entropy::{Entropy, NoEntropy};
use crate::limits::MAX_CREDENTIALS;
use aws_lc_rs::hmac::{self, HMAC_SHA256};
use std::collections::BTreeMap;
use wire::ConnectionId;
use zeroize::Zeroizing;

/// Names a credential within one start.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct CredentialName([u8; 32]);

impl CredentialName {
    /// None is before it.
    pub(crate) const FIRST: CredentialName = CredentialName([0; 32]);

    #[cfg(test)]
    pub(crate) fn numbered(number: usize) -> CredentialName {
        let mut name = [0; 32];
        name.iter_mut().zip(number.to_be_bytes()).for_each(|(to, from)| *to = from);
        CredentialName(name)
    }
}

/// Names a connection with its credential within one start. The id alone would name nobody, because clients choose it:
/// somebody else's may be the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct HolderName([u8; 16]);

impl HolderName {
    pub(crate) fn of(connection: ConnectionId, credential: CredentialName) -> HolderName {
        // The credential's name is a keyed hash that nobody outside knows, so nobody can choose an id that meets another's.
        let mut name = connection.0;
        name.iter_mut().zip(credential.0).for_each(|(byte, keyed)| *byte ^= keyed);
        HolderName(name)
    }

    #[cfg(test)]
    pub(crate) fn numbered(number: usize) -> HolderName {
        HolderName((number as u128).to_be_bytes())
    }
}

pub(crate) struct Credentials {
    key: hmac::Key,
    by_name: BTreeMap<CredentialName, State>,
}

#[derive(Default)]
struct State {
    nonce: NonceState,
    skew_ms: i64,
    users: usize,
}

impl Credentials {
    pub(crate) fn new(entropy: &mut dyn Entropy) -> Result<Credentials, NoEntropy> {
        let mut key = Zeroizing::new([0; 32]);
        entropy.fill(key.as_mut_slice())?;
        Ok(Credentials { key: hmac::Key::new(HMAC_SHA256, key.as_slice()), by_name: BTreeMap::new() })
    }

    /// The same for the same fields, however their JSON is written: an account linked by prompt and again from a
    /// file is one account.
    pub(crate) fn name(&self, exchange: &str, credential: &[u8]) -> CredentialName {
        let mut context = hmac::Context::with_key(&self.key);
        let mut update = |part: &[u8]| {
            context.update(&(part.len() as u64).to_be_bytes());
            context.update(part);
        };
        update(exchange.as_bytes());
        match Document::parse(credential) {
            Ok(document) => fields(&document).iter().for_each(|field| update(field.0.as_bytes())),
            Err(_) => update(credential),
        }
        let mut name = [0; 32];
        name.copy_from_slice(context.sign().as_ref());
        CredentialName(name)
    }

    /// Takes the state into use. To be given back by [`Credentials::release`].
    pub(crate) fn take(&mut self, name: CredentialName) -> (NonceState, i64) {
        if self.by_name.len() >= MAX_CREDENTIALS && !self.by_name.contains_key(&name) {
            self.drop_one();
        }
        let state = self.by_name.entry(name).or_default();
        state.users += 1;
        (state.nonce.clone(), state.skew_ms)
    }

    /// What the provider's clock was last measured to be ahead of ours.
    pub(crate) fn skew_ms(&self, name: CredentialName) -> i64 {
        self.by_name.get(&name).map_or(0, |state| state.skew_ms)
    }

    /// Gives the state back, with the provider's clock where it was measured.
    pub(crate) fn release(&mut self, name: CredentialName, measured_skew_ms: Option<i64>) {
        if let Some(state) = self.by_name.get_mut(&name) {
            state.users = state.users.saturating_sub(1);
            state.skew_ms = measured_skew_ms.unwrap_or(state.skew_ms);
        }
    }

    /// Nonces go on from the time when nothing is known, so that what is dropped is a convenience.
    fn drop_one(&mut self) {
        let unused = self.by_name.iter().find(|(_, state)| state.users == 0).map(|(name, _)| *name);
        if let Some(name) = unused {
            self.by_name.remove(&name);
        }
    }
}

/// Names and values in turn, ordered by name.
fn fields<'d>(document: &'d Document<'_>) -> Vec<FieldText<'d>> {
    let members = document.root().members();
    let mut fields: Vec<_> = members
        .map(|(name, value)| (FieldText(name.text()), FieldText(value.string().unwrap_or_default())))
        .collect();
    fields.sort_unstable_by(|(one, _), (other, _)| one.0.cmp(&other.0));
    fields.into_iter().flat_map(|(name, value)| [name, value]).collect()
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may fail loudly")]
mod tests {
    use super::*;

    struct Fixed;

    impl Entropy for Fixed {
        fn fill(&mut self, out: &mut [u8]) -> Result<(), NoEntropy> {
            out.fill(7);
            Ok(())
        }
    }

    #[test]
    fn m34_two_connections_with_one_credential_share_one_nonce_serialiser() {
        let mut credentials = Credentials::new(&mut Fixed).unwrap();
        let (first, _) = credentials.take(credentials.name("kraken", b"key"));
        let (second, _) = credentials.take(credentials.name("kraken", b"key"));
        assert_eq!((first.next(1_000), second.next(1_000)), (1_000, 1_001));
        let (other, _) = credentials.take(credentials.name("binance", b"key"));
        assert_eq!(other.next(1_000), 1_000);
    }

    #[test]
    fn m34_one_key_in_two_spellings_of_its_json_shares_one_nonce_serialiser() {
        let credentials = Credentials::new(&mut Fixed).unwrap();
        let name = |json: &str| credentials.name("kraken", json.as_bytes());
        let key = name(r#"{"apiKey":"k","secret":"s/"}"#);
        for same in [
            r#"{ "apiKey": "k", "secret": "s/" }"#,
            r#"{"secret":"s/","apiKey":"k"}"#,
            r#"{"apiKey":"\u006b","secret":"s\/"}"#,
        ] {
            assert!(name(same) == key, "{same}");
        }
        for other in [
            r#"{"apiKey":"k","secret":"s"}"#,
            r#"{"apiKey":"s/","secret":"k"}"#,
            r#"{"apiKey":"ksecret","secret":"/"}"#,
            r#"{"apiKey":"k"}"#,
            "{}",
            "",
        ] {
            assert!(name(other) != key, "{other}");
        }
    }

    #[test]
    fn a_connection_id_that_somebody_else_chose_too_is_another_holder() {
        let credentials = Credentials::new(&mut Fixed).unwrap();
        let names = [b"one", b"two"].map(|key| credentials.name("kraken", key));
        let ids = [ConnectionId([1; 16]), ConnectionId([2; 16])];
        let holders = ids.into_iter().flat_map(|id| names.map(|name| HolderName::of(id, name)));
        let distinct: std::collections::BTreeSet<HolderName> = holders.collect();
        assert_eq!(distinct.len(), 4);
        assert_eq!(HolderName::of(ids[0], names[0]), HolderName::of(ids[0], names[0]));
    }

    #[test]
    fn what_is_in_use_is_never_dropped() {
        let mut credentials = Credentials::new(&mut Fixed).unwrap();
        let used = credentials.name("kraken", b"used");
        let (nonce, _) = credentials.take(used);
        nonce.next(5_000);
        for number in 0..=MAX_CREDENTIALS {
            let name = credentials.name("kraken", &number.to_be_bytes());
            credentials.take(name);
            credentials.release(name, None);
        }
        assert!(credentials.by_name.len() <= MAX_CREDENTIALS);
        assert_eq!(credentials.take(used).0.next(1_000), 5_001);
    }
}
