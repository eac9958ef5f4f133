//! What this start remembers of each connection: its generation, its receipts, whether it was forgotten.
//!
//! INVARIANT: within one start nothing here goes back: generations and counters rise, and a forgotten connection
//! stays forgotten. Nothing is ever evicted to make room, because eviction would be a way back.
//! What a start before this one knew is gone: see PROMISES on revocation and rollback.

use crate::credentials::CredentialName;
use crate::limits::{MAX_CONNECTIONS, MAX_CONNECTIONS_OF_ONE, MAX_LINKED};
use std::collections::BTreeMap;
use wire::envelope::Header;
use wire::{ConnectionId, OrganisationId, Refusal};

#[derive(Default)]
pub(crate) struct Connections {
    by_id: BTreeMap<ConnectionId, Connection>,
    by_credential: BTreeMap<CredentialName, Uses>,
    linked: usize,
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
    /// Whether `link` may take a connection id into use: an id is used once.
    pub(crate) fn check_new(&self, id: ConnectionId) -> Result<(), Refusal> {
        match self.by_id.get(&id) {
            Some(known) if known.forgotten => Err(Refusal::Forgotten),
            Some(_) => Err(Refusal::Replayed),
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
        self.add(id, organisation, 1, (credential, Origin::Linked))
    }

    /// Admits an envelope that was opened and whose owner authorised its use. The first generation that this start
    /// sees of a connection becomes its current one.
    pub(crate) fn admit(&mut self, header: &Header, credential: CredentialName) -> Result<Standing, Refusal> {
        if !self.by_id.contains_key(&header.connection) {
            let origin = (credential, Origin::Presented);
            self.add(header.connection, header.organisation, header.generation, origin)?;
        }
        self.standing(header)
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
        }
    }

    /// The owner has stored this generation: it is the current one, and those before it are over.
    pub(crate) fn acknowledge(&mut self, header: &Header) {
        if let Some(known) = self.by_id.get_mut(&header.connection) {
            known.generations.acknowledge(header.generation);
        }
    }

    pub(crate) fn forget(&mut self, id: ConnectionId) {
        if let Some(known) = self.by_id.get_mut(&id) {
            known.forgotten = true;
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
        }
    }

    fn add(
        &mut self,
        id: ConnectionId,
        organisation: OrganisationId,
        generation: u64,
        (credential, origin): (CredentialName, Origin),
    ) -> Result<(), Refusal> {
        self.check_room(credential, origin)?;
        let uses = self.by_credential.entry(credential).or_default();
        match origin {
            Origin::Linked => (uses.linked, self.linked) = (uses.linked + 1, self.linked + 1),
            Origin::Presented => uses.presented += 1,
        }
        let generations = Generations { current: generation, pending: None };
        let receipts = Receipts::default();
        self.by_id.insert(id, Connection { organisation, generations, receipts, forgotten: false });
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
