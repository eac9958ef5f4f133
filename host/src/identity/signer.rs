//! Whose key signed a request: a program's, or a device's that a person is signed in with.

use super::token::{Asker, Principal, SignedIn};
use super::uses::Uses;
use super::{Environment, Key, Public, Refusal, Session};
use crate::store::{Failed, Store};
use core::fmt::{self, Display, Formatter};
use std::net::IpAddr;
use wire::{KeyId, PasskeyId, SessionId, UnixMillis};

/// By its id, which a signature names as its `keyid`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Signer {
    Key(KeyId),
    Session(SessionId),
}

/// As it is registered.
pub enum Registered {
    Key(Box<Key>),
    Session(Box<Session>),
}

impl Signer {
    pub fn parse(keyid: &str) -> Option<Signer> {
        KeyId::parse(keyid).map(Signer::Key).or_else(|| SessionId::parse(keyid).map(Signer::Session))
    }

    pub async fn find(self, store: &Store) -> Result<Option<Registered>, Failed> {
        Ok(match self {
            Signer::Key(id) => store.key(id).await?.map(Box::new).map(Registered::Key),
            Signer::Session(id) => store.session(id).await?.map(Box::new).map(Registered::Session),
        })
    }
}

impl Registered {
    pub fn public(&self) -> &Public {
        match self {
            Registered::Key(key) => &key.public,
            Registered::Session(session) => &session.public,
        }
    }

    pub fn signer(&self) -> Signer {
        match self {
            Registered::Key(key) => Signer::Key(key.id),
            Registered::Session(session) => Signer::Session(session.id),
        }
    }

    /// Whether it counts now, here, and from there. Asked only for who holds it.
    pub fn check(
        &self,
        uses: &Uses,
        here: Environment,
        peer: IpAddr,
        now: UnixMillis,
    ) -> Result<(), Refusal> {
        match self {
            Registered::Key(key) => {
                key.check_live(now)?;
                key.check_place(here, peer)
            }
            Registered::Session(session) => {
                let used = uses.of(self.signer()).map_or(session.last_used.at, |used| used.at);
                session.check_live(used, now)?;
                if session.environment == here { Ok(()) } else { Err(Refusal::WrongEnvironment) }
            }
        }
    }

    /// `fresh`: the passkey of a person that was asked for this very request.
    pub fn asker(self, peer: IpAddr, fresh: Option<PasskeyId>) -> Asker {
        match self {
            Registered::Key(key) => {
                let Key { id, organisation, rights, .. } = *key;
                let (scopes, environment) = (rights.scopes, rights.environment);
                Asker::Program(Principal { key: id, organisation, scopes, environment, peer })
            }
            Registered::Session(session) => {
                let Session { id, person, environment, .. } = *session;
                Asker::Person(SignedIn { person, session: id, fresh, environment, peer })
            }
        }
    }
}

impl Display for Signer {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Signer::Key(id) => Display::fmt(id, f),
            Signer::Session(id) => Display::fmt(id, f),
        }
    }
}

impl From<KeyId> for Signer {
    fn from(id: KeyId) -> Signer {
        Signer::Key(id)
    }
}

impl From<SessionId> for Signer {
    fn from(id: SessionId) -> Signer {
        Signer::Session(id)
    }
}
