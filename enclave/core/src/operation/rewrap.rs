//! Re-wrapping to the current epoch, in bulk, without any owner present.

use crate::enclave::Enclave;
use crate::envelope::layout;
use crate::line::{Release, States};
use crate::outbox::Outbox;
use crate::register::entry_of;
use crate::rewrap::Rewrapper;
use std::collections::BTreeSet;
use wire::ConnectionId;
use wire::envelope::Purpose;
use wire::frame::Kind;
use wire::register::{Backup, Entry, State};
use wire::rewrap::{Bytes, MAX_REWRAP, Rewrap, RewrapResult, Rewrapped};
use wire::{Canonical, Refusal};

impl Enclave {
    /// Answers a `Rewrap` frame: one result for each envelope, in order, once it is known what the map has of them.
    pub(crate) fn rewrap(&mut self, stream: u32, body: &[u8]) {
        if self.is_behind() {
            return self.surroundings.outbox.refuse(stream, Refusal::Overloaded);
        }
        let envelopes = match Rewrap::from_bytes(body) {
            Ok(batch) if batch.envelopes.len() <= MAX_REWRAP => batch.envelopes,
            _ => return self.surroundings.outbox.refuse(stream, Refusal::Malformed),
        };
        if let Err(refusal) = self.line.check_open() {
            return self.surroundings.outbox.refuse(stream, refusal);
        }
        let unmet = self.unmet(&envelopes);
        self.survey(stream, envelopes, unmet);
    }

    /// The connections that these envelopes say they are of, and that this start has not met.
    fn unmet(&self, envelopes: &[Bytes]) -> BTreeSet<ConnectionId> {
        let claimed = envelopes.iter().filter_map(|envelope| layout::parse(&envelope.0).ok());
        let claimed = claimed.map(|layout| layout.header.connection);
        claimed.filter(|connection| !self.connections.has(*connection)).collect()
    }

    /// Re-wraps a batch of which is known what the map has of its connections. What an owner did meanwhile counts more.
    pub(crate) fn rewrap_surveyed(&mut self, stream: u32, envelopes: Vec<Bytes>, states: &States) {
        if self.is_behind() {
            return self.surroundings.outbox.refuse(stream, Refusal::Overloaded);
        }
        let (results, entries) = self.rewrap_each(envelopes, states);
        let body = Rewrapped { results }.to_bytes();
        if !Outbox::fits(&body) {
            return self.surroundings.outbox.refuse(stream, Refusal::Malformed);
        }
        if let Err(refusal) = self.record_entries(&entries) {
            return self.surroundings.outbox.refuse(stream, refusal);
        }
        self.release(Release::Frame { kind: Kind::Rewrapped, stream, body });
    }

    /// The results, and what is to be recorded of those that were re-wrapped.
    fn rewrap_each(&mut self, envelopes: Vec<Bytes>, states: &States) -> (Vec<RewrapResult>, Vec<Entry>) {
        let mut rewrapper = Rewrapper::new(&self.roots, &mut *self.surroundings.entropy);
        let connections = &self.connections;
        let mut entries = Vec::with_capacity(envelopes.len());
        let mut rewrap = |envelope: &mut Bytes| -> Result<(), Refusal> {
            let header = rewrapper.rewrap(&mut envelope.0)?;
            // Nobody keeps alive what is over, or was superseded.
            connections.standing_in(&header, states.get(&header.connection))?;
            // What waits for an authorisation or a proof is no connection yet, and is over in minutes.
            if header.purpose == Purpose::ExchangeCredential {
                entries.push(entry_of(&envelope.0, State::Rewrapped, Backup::Unsaid)?);
            }
            Ok(())
        };
        let result = |mut envelope: Bytes| match rewrap(&mut envelope) {
            Ok(()) => RewrapResult { envelope: Some(envelope), refusal: None },
            Err(refusal) => RewrapResult { envelope: None, refusal: Some(refusal) },
        };
        let results = envelopes.into_iter().map(result).collect();
        (results, entries)
    }
}
