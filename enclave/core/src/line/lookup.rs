//! Requests that wait for what the map has of their connection, because this start meets it for the first time.

use super::{Line, NUMBER};
use crate::enclave::Enclave;
use crate::limits::{COMMIT_MS, MAX_LOOKED_UP, MAX_LOOKED_UP_BYTES};
use crate::reply::Asker;
use crate::request::SealedTo;
use std::collections::BTreeMap;
use verify::map;
use wire::evidence::Hash;
use wire::frame::Kind;
use wire::freshness::{ConnectionState, Found, Lookup, StateProof};
use wire::{Canonical, ConnectionId, Refusal};
use zeroize::Zeroizing;

/// A proof of a head that is two back says nothing; the host is asked anew, a few times.
pub(super) const MAX_TRIES: u8 = 3;

#[derive(Default)]
pub(super) struct Lookups {
    by_stream: BTreeMap<u32, LookedUp>,
    bytes: usize,
    last: u32,
}

/// A request whose seal opened, and nothing more is known of it.
pub(crate) struct LookedUp {
    pub(crate) asker: Asker,
    pub(crate) plaintext: Zeroizing<Vec<u8>>,
    pub(crate) sealed_to: SealedTo,
    /// As the request says.
    pub(crate) connection: ConnectionId,
    tries: u8,
    deadline: u64,
}

impl LookedUp {
    pub(crate) fn new(
        asker: Asker,
        plaintext: Zeroizing<Vec<u8>>,
        sealed_to: SealedTo,
        connection: ConnectionId,
    ) -> LookedUp {
        LookedUp { asker, plaintext, sealed_to, connection, tries: 0, deadline: 0 }
    }
}

impl Lookups {
    /// A number that the enclave's own lookups use next.
    pub(super) fn next_stream(&mut self) -> u32 {
        self.last = self.last.wrapping_add(1);
        self.last
    }

    pub(super) fn next_deadline(&self) -> Option<u64> {
        // Each waits as long as the others, so that the first one is due first.
        self.by_stream.values().map(|waiting| waiting.deadline).min()
    }

    fn has_room(&self, bytes: usize) -> bool {
        self.by_stream.len() < MAX_LOOKED_UP && self.bytes.saturating_add(bytes) <= MAX_LOOKED_UP_BYTES
    }

    fn insert(&mut self, stream: u32, waiting: LookedUp) {
        self.bytes = self.bytes.saturating_add(waiting.plaintext.len());
        self.by_stream.insert(stream, waiting);
    }

    fn remove(&mut self, stream: u32) -> Option<LookedUp> {
        let waiting = self.by_stream.remove(&stream)?;
        self.bytes = self.bytes.saturating_sub(waiting.plaintext.len());
        Some(waiting)
    }

    fn late(&self, monotonic: u64) -> Vec<u32> {
        let late = self.by_stream.iter().filter(|(_, waiting)| waiting.deadline <= monotonic);
        late.map(|(stream, _)| *stream).collect()
    }
}

impl Enclave {
    /// Asks the host for the state of a request's connection; the request goes on when it is proven.
    pub(crate) fn look_up(&mut self, mut waiting: LookedUp) {
        if waiting.tries == 0 {
            let deadline = self.surroundings.clock.monotonic().saturating_add(COMMIT_MS);
            waiting.deadline = deadline;
        }
        if !self.line.lookups.has_room(waiting.plaintext.len()) {
            return self.refuse_unchained(waiting.asker, Refusal::Overloaded);
        }
        waiting.tries = waiting.tries.saturating_add(1);
        let stream = self.line.lookups.next_stream();
        let names = vec![Hash(verify::register::name(waiting.connection))];
        self.line.lookups.insert(stream, waiting);
        let lookup = Lookup { line: NUMBER, names };
        self.surroundings.outbox.answer(Kind::Lookup, stream, &lookup.to_bytes());
    }

    /// Takes a `Found` frame. One that nobody waits for changes nothing.
    pub(crate) fn found(&mut self, stream: u32, body: &[u8]) {
        let found = Found::from_bytes(body).unwrap_or(Found { proofs: Vec::new() });
        if self.line.flight.as_ref().is_some_and(|flight| flight.is_proved_on(stream)) {
            return self.proved(&found);
        }
        let Some(waiting) = self.line.lookups.remove(stream) else {
            return self.found_states(stream, &found);
        };
        let state = match found.proofs.as_slice() {
            [proof] => self.line.state_of(waiting.connection, proof),
            _ => Err(Refusal::RegisterMismatch),
        };
        match state {
            Ok(state) => {
                self.connections.learn(waiting.connection, state);
                self.hear(waiting.asker, waiting.plaintext, waiting.sealed_to);
                self.connections.unlearn();
            }
            Err(_) if waiting.tries < MAX_TRIES => self.look_up(waiting),
            Err(refusal) => self.refuse_unchained(waiting.asker, refusal),
        }
    }

    /// Refuses the requests whose connection the host did not look up in time.
    pub(crate) fn tick_lookups(&mut self) {
        let monotonic = self.surroundings.clock.monotonic();
        let late = self.line.lookups.late(monotonic);
        self.refuse_each(late, Refusal::NoQuorum);
        self.refuse_surveys(monotonic, Refusal::NoQuorum);
    }

    /// Refuses all of them.
    pub(super) fn refuse_looked_up(&mut self, refusal: Refusal) {
        let all = self.line.lookups.late(u64::MAX);
        self.refuse_each(all, refusal);
        self.refuse_surveys(u64::MAX, refusal);
    }

    fn refuse_each(&mut self, streams: Vec<u32>, refusal: Refusal) {
        for stream in streams {
            if let Some(waiting) = self.line.lookups.remove(stream) {
                self.refuse_unchained(waiting.asker, refusal);
            }
        }
    }
}

impl Line {
    /// What the map has of a connection. The host may not have heard of the last head when it looked.
    fn state_of(
        &self,
        connection: ConnectionId,
        proof: &StateProof,
    ) -> Result<Option<ConnectionState>, Refusal> {
        let name = verify::register::name(connection);
        let found = map::find(&self.map, &name, proof).or_else(|_| map::find(&self.map_before, &name, proof));
        let Some(state) = found.map_err(|_| Refusal::RegisterMismatch)? else { return Ok(None) };
        let state = ConnectionState::from_bytes(state).map_err(|_| Refusal::RegisterMismatch)?;
        if state.is_coherent() { Ok(Some(state)) } else { Err(Refusal::RegisterMismatch) }
    }
}
