//! What this start remembers of each connection: its generation, its receipts, whether it was forgotten.
//!
//! INVARIANT: within one start nothing here goes back: generations and counters rise, and a forgotten connection
//! stays forgotten. Nothing is ever evicted to make room, because eviction would be a way back.
//! What a start before this one knew is gone: see PROMISES on revocation and rollback.

use crate::limits::MAX_CONNECTIONS;
use std::collections::BTreeMap;
use wire::envelope::Header;
use wire::{ConnectionId, OrganisationId, Refusal};

#[derive(Default)]
pub(crate) struct Connections {
    by_id: BTreeMap<ConnectionId, Connection>,
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
            None if self.by_id.len() >= MAX_CONNECTIONS => Err(Refusal::Overloaded),
            None => Ok(()),
        }
    }

    /// Takes a connection id into use, at its first generation.
    pub(crate) fn begin(&mut self, id: ConnectionId, organisation: OrganisationId) -> Result<(), Refusal> {
        self.check_new(id)?;
        self.add(id, organisation, 1)
    }

    /// Admits an envelope that was opened and whose owner authorised its use. The first generation that this start
    /// sees of a connection becomes its current one.
    pub(crate) fn admit(&mut self, header: &Header) -> Result<Standing, Refusal> {
        if !self.by_id.contains_key(&header.connection) {
            self.add(header.connection, header.organisation, header.generation)?;
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
    ) -> Result<(), Refusal> {
        if self.by_id.len() >= MAX_CONNECTIONS {
            return Err(Refusal::Overloaded);
        }
        let generations = Generations { current: generation, pending: None };
        let receipts = Receipts::default();
        self.by_id.insert(id, Connection { organisation, generations, receipts, forgotten: false });
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
#[expect(clippy::unwrap_used, reason = "a test may fail loudly")]
mod tests {
    use super::*;
    use wire::envelope::Purpose;

    const ID: ConnectionId = ConnectionId([7; 16]);
    const ORGANISATION: OrganisationId = OrganisationId([8; 16]);

    fn header(generation: u64) -> Header {
        Header {
            organisation: ORGANISATION,
            connection: ID,
            owners: [9; 32],
            purpose: Purpose::ExchangeCredential,
            generation,
        }
    }

    fn linked() -> Connections {
        let mut connections = Connections::default();
        connections.begin(ID, ORGANISATION).unwrap();
        connections
    }

    #[test]
    fn m21_the_old_generation_works_until_the_new_one_is_acknowledged_and_never_after() {
        let mut connections = linked();
        let next = connections.next_generation(ID).unwrap();
        connections.set_pending(ID, next);
        assert_eq!(connections.admit(&header(1)), Ok(Standing::Current));
        assert_eq!(connections.admit(&header(2)), Ok(Standing::Pending));
        connections.acknowledge(&header(2));
        assert_eq!(connections.admit(&header(1)), Err(Refusal::StaleGeneration));
        assert_eq!(connections.admit(&header(2)), Ok(Standing::Current));
    }

    #[test]
    fn m21_a_rotation_whose_reply_was_lost_is_superseded_and_not_a_second_latest() {
        let mut connections = linked();
        for expected in [2, 3] {
            let next = connections.next_generation(ID).unwrap();
            assert_eq!(next, expected);
            connections.set_pending(ID, next);
        }
        assert_eq!(connections.admit(&header(2)), Err(Refusal::StaleGeneration));
        assert_eq!(connections.admit(&header(3)), Ok(Standing::Pending));
        assert_eq!(connections.admit(&header(1)), Ok(Standing::Current));
    }

    #[test]
    fn acknowledging_twice_changes_nothing() {
        let mut connections = linked();
        connections.set_pending(ID, 2);
        connections.acknowledge(&header(2));
        connections.acknowledge(&header(2));
        assert_eq!(connections.admit(&header(2)), Ok(Standing::Current));
        assert_eq!(connections.next_generation(ID), Ok(3));
    }

    #[test]
    fn a_generation_that_another_start_made_waits_to_be_acknowledged() {
        let mut connections = Connections::default();
        assert_eq!(connections.admit(&header(4)), Ok(Standing::Current));
        assert_eq!(connections.admit(&header(5)), Ok(Standing::Pending));
        assert_eq!(connections.admit(&header(3)), Err(Refusal::StaleGeneration));
    }

    #[test]
    fn a_forgotten_connection_stays_forgotten() {
        let mut connections = linked();
        connections.forget(ID);
        assert_eq!(connections.admit(&header(1)), Err(Refusal::Forgotten));
        assert_eq!(connections.begin(ID, ORGANISATION), Err(Refusal::Forgotten));
    }

    #[test]
    fn receipts_go_on_from_the_larger_counter() {
        let mut connections = linked();
        let none = LastReceipt { counter: 0, hash: None };
        assert_eq!(connections.next_receipt(ID, none), (1, None));
        connections.note_receipt(ID, 1, [1; 32]);
        assert_eq!(connections.next_receipt(ID, none), (2, Some([1; 32])));
        let ahead = LastReceipt { counter: 9, hash: Some([9; 32]) };
        assert_eq!(connections.next_receipt(ID, ahead), (10, Some([9; 32])));
    }

    #[test]
    fn a_counter_without_its_receipt_is_malformed() {
        let check = |counter, hash| LastReceipt { counter, hash }.check().err();
        assert_eq!(check(0, None), None);
        assert_eq!(check(3, Some([1; 32])), None);
        assert_eq!(check(0, Some([1; 32])), Some(Refusal::Malformed));
        assert_eq!(check(3, None), Some(Refusal::Malformed));
        assert_eq!(check(u64::MAX, Some([1; 32])), Some(Refusal::CounterGap));
    }

    #[test]
    fn a_full_table_refuses_new_connections_and_keeps_the_old() {
        let mut connections = Connections::default();
        for number in 0..MAX_CONNECTIONS {
            connections.begin(ConnectionId((number as u128).to_be_bytes()), ORGANISATION).unwrap();
        }
        assert_eq!(connections.begin(ConnectionId([0xff; 16]), ORGANISATION), Err(Refusal::Overloaded));
        assert_eq!(
            connections.admit(&Header { connection: ConnectionId([0xff; 16]), ..header(1) }),
            Err(Refusal::Overloaded)
        );
        assert_eq!(
            connections.admit(&Header { connection: ConnectionId([0; 16]), ..header(1) }),
            Ok(Standing::Current)
        );
    }
}
