//! The owner whom an agent acts for: home, keys, and the verified enclave.

use super::standing::Standing;
use super::turns::{Turn, Turns};
use crate::client::failure::Result;
use crate::client::grantee::{ByGrant, Grantee};
use crate::client::home::grantee::Grantee as Keys;
use crate::client::home::journal::{Entry, State};
use crate::client::home::record::Record;
use crate::client::home::rings::Ring;
use crate::client::home::{Home, unknown};
use crate::client::linked::Linked;
use crate::client::session::Enclave;
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use wire::action::Reference;
use wire::{ConnectionId, GrantId};

pub struct Agent<'a> {
    pub home: &'a Home,
    pub standing: &'a Standing<'a>,
    /// The keys, once there are any. INVARIANT: nobody changes key files meanwhile: the home is this agent's.
    linked: OnceLock<Linked<'a>>,
    /// The keys that grants name, once there are any. INVARIANT: as above.
    grantee: OnceLock<Grantee<'a>>,
    /// Held while keys or a name are being made.
    linking: Mutex<()>,
    turns: Turns,
    /// What [`Agent::untold`] has to look at; `None`: every entry of the journal.
    untold: Mutex<Option<BTreeSet<Reference>>>,
    /// The second factor was named, for payments that nobody confirms.
    pays: bool,
    stopping: AtomicBool,
}

impl<'a> Agent<'a> {
    pub fn new(home: &'a Home, standing: &'a Standing<'a>, pays: bool) -> Agent<'a> {
        Agent {
            home,
            standing,
            linked: OnceLock::new(),
            grantee: OnceLock::new(),
            linking: Mutex::new(()),
            turns: Turns::default(),
            untold: Mutex::new(None),
            pays,
            stopping: AtomicBool::new(false),
        }
    }

    /// Opens the keys if there are any: whoever starts the agent is there to be asked for a passphrase, and callers are not.
    pub fn unlock(&self) -> Result<()> {
        if let Some(keys) = self.home.grantee(self.standing.realm())? {
            self.keep_grantee(keys);
        }
        match self.home.connections_in(self.standing.realm())?.is_empty() {
            true => Ok(()),
            false => self.linked().map(|_| ()),
        }
    }

    /// The owner before the enclave.
    pub fn linked(&self) -> Result<&Linked<'a>> {
        if let Some(linked) = self.linked.get() {
            return Ok(linked);
        }
        let linked = Linked::open(self.home, self.standing)?;
        Ok(self.linked.get_or_init(|| linked))
    }

    /// As [`Agent::linked`], of who may be about to link their first account; with the keys kept apart.
    pub fn linked_or_new(&self, _linking: &MutexGuard<'_, ()>) -> Result<(&Linked<'a>, Ring)> {
        if self.linked.get().is_none() {
            let owner = self.home.owner_or_new(self.standing.realm())?;
            let _ = self.linked.set(Linked { home: self.home, enclave: self.standing, owner });
        }
        Ok((self.linked()?, self.home.second_factor_or_new(self.standing.realm())?))
    }

    /// The business before the enclave.
    pub fn grantee(&self) -> Result<&Grantee<'a>> {
        match self.grantee.get() {
            Some(grantee) => Ok(grantee),
            None => Ok(self.keep_grantee(self.home.existing_grantee(self.standing.realm())?)),
        }
    }

    /// As [`Agent::grantee`], of who may have no keys yet that grants could name.
    pub fn grantee_or_new(&self) -> Result<&Grantee<'a>> {
        let _making = self.linking();
        match self.grantee.get() {
            Some(grantee) => Ok(grantee),
            None => Ok(self.keep_grantee(self.home.grantee_or_new(self.standing.realm(), false)?)),
        }
    }

    fn keep_grantee(&self, keys: Keys) -> &Grantee<'a> {
        self.grantee.get_or_init(|| Grantee::with(self.home, self.standing, keys))
    }

    /// The grant of that id or name, alone and before a verified enclave: each of its uses has a number above the last.
    pub fn by_grant<T>(&self, id: &str, then: impl FnOnce(&mut ByGrant<'_>) -> Result<T>) -> Result<T> {
        let grantee = self.grantee()?;
        let (found, _turn) = self.turn_of_grant(id)?;
        self.standing.ensure()?;
        then(&mut grantee.by(&found.to_string())?)
    }

    pub fn turn_of_grant(&self, id: &str) -> Result<(GrantId, Turn<'_>)> {
        let found = self.home.find_taken_grant(self.standing.realm(), id)?.read()?.body.id;
        Ok((found, self.turns.take(found.to_string())?))
    }

    /// Waits until nobody else links.
    pub fn linking(&self) -> MutexGuard<'_, ()> {
        self.linking.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The connection of that id or name, alone and before a verified enclave.
    pub fn with<T>(&self, id: &str, then: impl FnOnce(&Linked<'_>, Record) -> Result<T>) -> Result<T> {
        let found = self.find(id)?;
        self.standing.ensure()?;
        let linked = self.linked()?;
        let _turn = self.turns.take(found.to_string())?;
        // Whoever had the turn before may have changed it.
        let mut record = self.home.read(self.standing.realm(), found)?.ok_or_else(|| unknown(id))?;
        linked.resume(&mut record)?;
        then(linked, record)
    }

    /// An id needs no look at every connection.
    fn find(&self, id_or_name: &str) -> Result<ConnectionId> {
        let realm = self.standing.realm();
        match ConnectionId::parse(id_or_name) {
            Some(id) if self.home.read(realm, id)?.is_some() => Ok(id),
            _ => self.home.connection(realm, id_or_name).map(|record| record.id),
        }
    }

    /// What was ordered, and nobody was told what came of it.
    pub fn untold(&self) -> Result<Vec<Entry>> {
        let (home, realm) = (self.home, self.standing.realm());
        let mut untold = self.untold.lock().unwrap_or_else(PoisonError::into_inner);
        let references = match untold.take() {
            Some(references) => references,
            None => home
                .action_entries(realm)?
                .iter()
                .map(|entry| Ok(entry.instruction()?.reference))
                .collect::<Result<_>>()?,
        };
        let (mut left, mut entries) = (BTreeSet::new(), Vec::new());
        for reference in references {
            let entry = home.find_action(realm, reference)?;
            let is_told = |entry: &Entry| entry.state() == State::Told || entry.refusal().is_some();
            if !entry.as_ref().is_some_and(is_told) {
                // Not there: somebody is about to write it.
                left.insert(reference);
                entries.extend(entry);
            }
        }
        *untold = Some(left);
        Ok(entries)
    }

    /// Before it is written down.
    pub fn note_ordered(&self, reference: Reference) {
        if let Some(untold) = self.untold.lock().unwrap_or_else(PoisonError::into_inner).as_mut() {
            untold.insert(reference);
        }
    }

    /// The turn of whoever asks for every connection, before any single one's.
    pub fn turn_of_all(&self) -> Result<Turn<'_>> {
        self.turns.take("all".to_owned())
    }

    /// The turn of an instruction. It is taken before a connection's, always.
    pub fn turn_of(&self, reference: Reference) -> Result<Turn<'_>> {
        self.turns.take(reference.hex())
    }

    pub fn pays(&self) -> bool {
        self.pays
    }

    /// From now on, what takes long comes to its end.
    pub fn stop(&self) {
        self.stopping.store(true, Ordering::Relaxed);
    }

    pub fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Relaxed)
    }
}
