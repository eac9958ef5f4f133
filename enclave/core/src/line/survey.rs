//! Batches of envelopes that wait for what the map has of their connections: as many names in one lookup as it takes, and of
//! each batch one lookup at a time.

use super::{Line, NUMBER};
use crate::enclave::Enclave;
use crate::limits::{COMMIT_MS, MAX_SURVEYS};
use std::collections::{BTreeMap, BTreeSet};
use verify::map::Part;
use wire::evidence::Hash;
use wire::frame::Kind;
use wire::freshness::{ConnectionState, Found, Lookup, MAX_NAMES};
use wire::rewrap::Bytes;
use wire::{Canonical, ConnectionId, Refusal};

#[derive(Default)]
pub(super) struct Surveys {
    by_lookup: BTreeMap<u32, Survey>,
}

/// What the map has of some connections that this start has not met; of those that it lacks, nothing.
pub(crate) type States = BTreeMap<ConnectionId, ConnectionState>;

/// A batch, and how much is known of its connections.
pub(crate) struct Survey {
    /// On which the host is answered.
    stream: u32,
    envelopes: Vec<Bytes>,
    /// Not asked for yet.
    left: Vec<ConnectionId>,
    /// With their names.
    asked: Vec<(Hash, ConnectionId)>,
    states: States,
    tries: u8,
    deadline: u64,
}

impl Surveys {
    pub(super) fn next_deadline(&self) -> Option<u64> {
        self.by_lookup.values().map(|survey| survey.deadline).min()
    }
}

impl Enclave {
    /// Asks the host for the states of these connections, of which this start knows nothing; the batch goes on with them.
    pub(crate) fn survey(&mut self, stream: u32, envelopes: Vec<Bytes>, connections: BTreeSet<ConnectionId>) {
        let deadline = self.surroundings.clock.monotonic().saturating_add(COMMIT_MS);
        let (left, states) = (connections.into_iter().collect(), States::new());
        let survey = Survey { stream, envelopes, left, asked: Vec::new(), states, tries: 0, deadline };
        self.go_on_surveying(survey);
    }

    fn go_on_surveying(&mut self, mut survey: Survey) {
        if survey.left.is_empty() {
            return self.rewrap_surveyed(survey.stream, survey.envelopes, &survey.states);
        }
        let rest = survey.left.len().saturating_sub(MAX_NAMES);
        let asked = survey.left.split_off(rest).into_iter();
        survey.asked =
            asked.map(|connection| (Hash(verify::register::name(connection)), connection)).collect();
        survey.tries = 0;
        self.ask_for_states(survey);
    }

    fn ask_for_states(&mut self, mut survey: Survey) {
        if self.line.surveys.by_lookup.len() >= MAX_SURVEYS {
            return self.surroundings.outbox.refuse(survey.stream, Refusal::Overloaded);
        }
        survey.tries = survey.tries.saturating_add(1);
        let names = survey.asked.iter().map(|(name, _)| *name).collect();
        let lookup = self.line.lookups.next_stream();
        self.line.surveys.by_lookup.insert(lookup, survey);
        self.surroundings.outbox.answer(Kind::Lookup, lookup, &Lookup { line: NUMBER, names }.to_bytes());
    }

    /// Takes what was found for a batch. One that nobody waits for changes nothing.
    pub(super) fn found_states(&mut self, lookup: u32, found: &Found) {
        let Some(mut survey) = self.line.surveys.by_lookup.remove(&lookup) else { return };
        match self.line.states_of(&survey.asked, found) {
            Ok(states) => {
                survey.states.extend(states);
                self.go_on_surveying(survey);
            }
            Err(_) if survey.tries < super::lookup::MAX_TRIES => self.ask_for_states(survey),
            Err(refusal) => self.surroundings.outbox.refuse(survey.stream, refusal),
        }
    }

    /// Refuses the batches that wait for what was due by then.
    pub(super) fn refuse_surveys(&mut self, due: u64, refusal: Refusal) {
        let waiting = core::mem::take(&mut self.line.surveys.by_lookup);
        for (lookup, survey) in waiting {
            if survey.deadline <= due {
                self.surroundings.outbox.refuse(survey.stream, refusal);
            } else {
                self.line.surveys.by_lookup.insert(lookup, survey);
            }
        }
    }
}

impl Line {
    /// What the map has of these connections, all of it in one version: the last, or the one before.
    fn states_of(&self, asked: &[(Hash, ConnectionId)], found: &Found) -> Result<States, Refusal> {
        let of = |root| states_in(root, asked, found);
        of(self.map).or_else(|_| of(self.map_before))
    }
}

fn states_in(root: [u8; 32], asked: &[(Hash, ConnectionId)], found: &Found) -> Result<States, Refusal> {
    if found.proofs.len() != asked.len() {
        return Err(Refusal::RegisterMismatch);
    }
    let (mut part, mut states) = (Part::new(root), States::new());
    for ((name, connection), proof) in asked.iter().zip(&found.proofs) {
        let shown = part.show(&name.0, proof).map_err(|_| Refusal::RegisterMismatch)?;
        if let Some(bytes) = shown {
            let state = ConnectionState::from_bytes(bytes).map_err(|_| Refusal::RegisterMismatch)?;
            if !state.is_coherent() {
                return Err(Refusal::RegisterMismatch);
            }
            states.insert(*connection, state);
        }
    }
    Ok(states)
}
