//! What is known of each connection that this start has met: its generation, its receipts, whether it was forgotten.
//!
//! INVARIANT: nothing here goes back: generations and counters rise, and a forgotten connection stays forgotten. A start
//! begins with what is proven of an earlier one ([`Connections::learn`]), and what it changes is in the next head
//! (docs/spec/freshness.md). Nothing is evicted: who counts on a connection's absence counts on that.

mod grants;

use crate::credentials::CredentialName;
use crate::limits::{MAX_CONNECTIONS, MAX_CONNECTIONS_OF_ONE, MAX_LINKED};
use std::collections::{BTreeMap, BTreeSet};
use wire::envelope::Header;
use wire::evidence::Hash;
use wire::freshness::{ConnectionState, MAX_NAMES};
use wire::grant::GrantState;
use wire::{Canonical, ConnectionId, OrganisationId, Refusal};

#[derive(Default)]
pub(crate) struct Connections {
    by_id: BTreeMap<ConnectionId, Connection>,
    by_credential: BTreeMap<CredentialName, Uses>,
    linked: usize,
    /// What the map has of one connection, while a request of it is read.
    learned: Option<(ConnectionId, Option<ConnectionState>)>,
    /// What is in no head yet.
    changed: BTreeSet<ConnectionId>,
}

/// What a connection has become.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Change {
    pub(crate) connection: ConnectionId,
    /// Blinded: as the host knows it.
    pub(crate) name: [u8; 32],
    /// Canonical [`ConnectionState`].
    pub(crate) state: Vec<u8>,
}

/// How a connection came into the table. The two never take each other's room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Origin {
    Linked,
    Presented,
}

/// How many connections one credential has, by origin.
#[derive(Clone, Copy, Default)]
struct Uses {
    linked: u16,
    presented: u16,
}

struct Connection {
    organisation: OrganisationId,
    generations: Generations,
    receipts: Receipts,
    forgotten: bool,
    /// In force, of the generation in use.
    grants: Vec<GrantState>,
}

/// Which generations of the envelope open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Generations {
    /// The one in use. Everything below is refused for good.
    current: u64,
    /// The newest one made from here and not acknowledged yet; those between it and `current` were superseded.
    pending: Option<u64>,
}

/// Where a connection's chain of receipts stands.
#[derive(Clone, Copy, Default)]
struct Receipts {
    counter: u64,
    last: Option<[u8; 32]>,
}

/// What an envelope's generation is to this connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    Current,
    /// Newer than the one in use; its owner has not said that it is stored.
    Pending,
}

/// The last receipt that a client says it holds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LastReceipt {
    pub(crate) counter: u64,
    pub(crate) hash: Option<[u8; 32]>,
}

impl LastReceipt {
    /// A counter has a receipt's hash, and no receipt is number 0.
    pub(crate) fn check(self) -> Result<LastReceipt, Refusal> {
        match (self.counter, self.hash) {
            (0, None) => Ok(self),
            (u64::MAX, Some(_)) => Err(Refusal::CounterGap),
            (1.., Some(_)) => Ok(self),
            _ => Err(Refusal::Malformed),
        }
    }
}

impl Connections {
    /// Whether it is known what the map has of this connection.
    pub(crate) fn knows(&self, id: ConnectionId) -> bool {
        self.has(id) || self.learned.as_ref().is_some_and(|(learned, _)| *learned == id)
    }

    /// Whether this connection is in use, or was.
    pub(crate) fn has(&self, id: ConnectionId) -> bool {
        self.by_id.contains_key(&id)
    }

    /// It was proven that the map has this of a connection. Known until [`Connections::unlearn`], or for the rest of the
    /// start once its owner has authorised a request.
    pub(crate) fn learn(&mut self, id: ConnectionId, state: Option<ConnectionState>) {
        self.learned = Some((id, state));
    }

    pub(crate) fn unlearn(&mut self) {
        self.learned = None;
    }

    /// What was proven of a connection that this start has not met.
    fn learned(&self, id: ConnectionId) -> Option<&ConnectionState> {
        self.learned.as_ref().filter(|(learned, _)| *learned == id)?.1.as_ref()
    }

    /// What these connections, and others that changed and are in no head yet, have become: each once.
    pub(crate) fn changes(&mut self, of: impl Iterator<Item = ConnectionId>) -> Vec<Change> {
        let mut ids: BTreeSet<ConnectionId> = of.collect();
        let room = MAX_NAMES.saturating_sub(ids.len());
        ids.extend(self.changed.iter().copied().take(room));
        for id in &ids {
            self.changed.remove(id);
        }
        let change = |id: &ConnectionId| {
            let state = self.by_id.get(id)?.state().to_bytes();
            Some(Change { connection: *id, name: verify::register::name(*id), state })
        };
        ids.iter().filter_map(change).collect()
    }

    /// The head that these were for was not made.
    pub(crate) fn change_again(&mut self, changes: &[Change]) {
        self.changed.extend(changes.iter().map(|change| change.connection));
    }

    /// Whether `link` may take a connection id into use: an id is used once.
    pub(crate) fn check_new(&self, id: ConnectionId) -> Result<(), Refusal> {
        let known = self.by_id.get(&id).map(|known| known.forgotten);
        match known.or_else(|| self.learned(id).map(|state| state.over)) {
            Some(true) => Err(Refusal::Forgotten),
            Some(false) => Err(Refusal::Replayed),
            None => Ok(()),
        }
    }

    /// Whether there is room for one more link of this credential.
    pub(crate) fn check_link_room(&self, credential: CredentialName) -> Result<(), Refusal> {
        self.check_room(credential, Origin::Linked)
    }

    /// Takes a connection id into use, at its first generation.
    pub(crate) fn begin(
        &mut self,
        id: ConnectionId,
        organisation: OrganisationId,
        credential: CredentialName,
    ) -> Result<(), Refusal> {
        self.check_new(id)?;
        self.add(id, Connection::new(organisation, 1), (credential, Origin::Linked))?;
        self.changed.insert(id);
        Ok(())
    }

    /// Admits an envelope that was opened and whose owner authorised its use. Of a connection that nobody recorded, the
    /// first generation that is seen becomes its current one.
    pub(crate) fn admit(&mut self, header: &Header, credential: CredentialName) -> Result<Standing, Refusal> {
        if !self.by_id.contains_key(&header.connection) {
            self.meet(header, credential)?;
        }
        self.standing(header)
    }

    /// Goes on from what an earlier start recorded, if one did.
    fn meet(&mut self, header: &Header, credential: CredentialName) -> Result<(), Refusal> {
        let (id, origin) = (header.connection, (credential, Origin::Presented));
        match self.learned(id).map(|state| Connection::restored(header.organisation, state)) {
            Some(restored) if restored.forgotten => Err(Refusal::Forgotten),
            Some(restored) => {
                restored.generations.standing(header.generation)?;
                self.add(id, restored, origin)
            }
            None => {
                self.add(id, Connection::new(header.organisation, header.generation), origin)?;
                self.changed.insert(id);
                Ok(())
            }
        }
    }

    /// What this start knows of an envelope. A connection that it has not seen yet is in order.
    pub(crate) fn standing(&self, header: &Header) -> Result<Standing, Refusal> {
        let Some(known) = self.by_id.get(&header.connection) else { return Ok(Standing::Current) };
        if known.forgotten {
            return Err(Refusal::Forgotten);
        }
        if known.organisation != header.organisation {
            return Err(Refusal::EnvelopeRefused);
        }
        known.generations.standing(header.generation)
    }

    /// The same, where this start may not have met the connection, and the map has this of it.
    pub(crate) fn standing_in(
        &self,
        header: &Header,
        state: Option<&ConnectionState>,
    ) -> Result<Standing, Refusal> {
        match state.filter(|_| !self.has(header.connection)) {
            None => self.standing(header),
            Some(state) if state.over => Err(Refusal::Forgotten),
            Some(state) => {
                Generations { current: state.current, pending: state.pending }.standing(header.generation)
            }
        }
    }

    /// The number of the generation that is made next: above every one that was made before.
    pub(crate) fn next_generation(&self, id: ConnectionId) -> Result<u64, Refusal> {
        let generations = self.by_id.get(&id).ok_or(Refusal::Internal)?.generations;
        let newest = generations.pending.unwrap_or(generations.current).max(generations.current);
        newest.checked_add(1).ok_or(Refusal::EnvelopeRefused)
    }

    /// A generation was made and goes to its owner. The current one stays in use.
    pub(crate) fn set_pending(&mut self, id: ConnectionId, generation: u64) {
        if let Some(known) = self.by_id.get_mut(&id) {
            known.generations.pending = Some(generation);
            self.changed.insert(id);
        }
    }

    /// The owner has stored this generation: it is the current one, and those before it are over.
    pub(crate) fn acknowledge(&mut self, header: &Header) {
        if let Some(known) = self.by_id.get_mut(&header.connection) {
            if known.generations.ends_grants(header.generation) {
                known.grants.clear();
            }
            known.generations.acknowledge(header.generation);
            self.changed.insert(header.connection);
        }
    }

    pub(crate) fn forget(&mut self, id: ConnectionId) {
        if let Some(known) = self.by_id.get_mut(&id) {
            known.forgotten = true;
            known.grants.clear();
            self.changed.insert(id);
        }
    }

    /// The counter and previous hash of the next receipt: one more than the larger of the client's and our own.
    pub(crate) fn next_receipt(&self, id: ConnectionId, client: LastReceipt) -> (u64, Option<[u8; 32]>) {
        let own = self.by_id.get(&id).map(|known| known.receipts).unwrap_or_default();
        if client.counter > own.counter {
            (client.counter.saturating_add(1), client.hash)
        } else {
            (own.counter.saturating_add(1), own.last)
        }
    }

    pub(crate) fn note_receipt(&mut self, id: ConnectionId, counter: u64, hash: [u8; 32]) {
        if let Some(known) = self.by_id.get_mut(&id) {
            known.receipts = Receipts { counter, last: Some(hash) };
            self.changed.insert(id);
        }
    }

    fn add(
        &mut self,
        id: ConnectionId,
        connection: Connection,
        (credential, origin): (CredentialName, Origin),
    ) -> Result<(), Refusal> {
        self.check_room(credential, origin)?;
        let uses = self.by_credential.entry(credential).or_default();
        match origin {
            Origin::Linked => (uses.linked, self.linked) = (uses.linked + 1, self.linked + 1),
            Origin::Presented => uses.presented += 1,
        }
        self.by_id.insert(id, connection);
        Ok(())
    }

    /// One credential has a bound of its own, so that one working exchange key does not fill the table; and links have
    /// theirs, so that none of them keeps an envelope out. What is forgotten counts on: it stays in the table.
    fn check_room(&self, credential: CredentialName, origin: Origin) -> Result<(), Refusal> {
        let uses = self.by_credential.get(&credential).copied().unwrap_or_default();
        let (own, is_full) = match origin {
            Origin::Linked => (uses.linked, self.linked >= MAX_LINKED),
            Origin::Presented => (uses.presented, false),
        };
        if own >= MAX_CONNECTIONS_OF_ONE {
            return Err(Refusal::TooManyLinks);
        }
        if is_full || self.by_id.len() >= MAX_CONNECTIONS {
            return Err(Refusal::Overloaded);
        }
        Ok(())
    }
}

impl Connection {
    fn new(organisation: OrganisationId, generation: u64) -> Connection {
        Connection {
            organisation,
            generations: Generations { current: generation, pending: None },
            receipts: Receipts::default(),
            forgotten: false,
            grants: Vec::new(),
        }
    }

    fn restored(organisation: OrganisationId, state: &ConnectionState) -> Connection {
        Connection {
            organisation,
            generations: Generations { current: state.current, pending: state.pending },
            receipts: Receipts { counter: state.counter, last: state.last.map(|last| last.0) },
            forgotten: state.over,
            grants: state.grants.clone(),
        }
    }

    fn state(&self) -> ConnectionState {
        ConnectionState {
            current: self.generations.current,
            pending: self.generations.pending,
            counter: self.receipts.counter,
            last: self.receipts.last.map(Hash),
            over: self.forgotten,
            grants: self.grants.clone(),
        }
    }
}

impl Generations {
    fn standing(self, generation: u64) -> Result<Standing, Refusal> {
        if generation == self.current {
            return Ok(Standing::Current);
        }
        let superseded = self.pending.is_some_and(|pending| generation < pending);
        if generation < self.current || superseded {
            return Err(Refusal::StaleGeneration);
        }
        Ok(Standing::Pending)
    }

    fn acknowledge(&mut self, generation: u64) {
        self.current = self.current.max(generation);
        if self.pending.is_some_and(|pending| pending <= self.current) {
            self.pending = None;
        }
    }
}

#[cfg(test)]
mod tests;
