//! Re-wrapping to the current epoch, in bulk, without any owner present.

use crate::enclave::Enclave;
use crate::register::entry_of;
use crate::rewrap::Rewrapper;
use wire::envelope::Purpose;
use wire::frame::Kind;
use wire::register::{Entry, State};
use wire::rewrap::{Bytes, MAX_REWRAP, Rewrap, RewrapResult, Rewrapped};
use wire::{Canonical, Refusal};

impl Enclave {
    /// Answers a `Rewrap` frame: one result for each envelope, in order.
    pub(crate) fn rewrap(&mut self, stream: u32, body: &[u8]) {
        if self.surroundings.outbox.is_full() {
            return self.surroundings.outbox.refuse(stream, Refusal::Overloaded);
        }
        let batch = match Rewrap::from_bytes(body) {
            Ok(batch) if batch.envelopes.len() <= MAX_REWRAP => batch,
            _ => return self.surroundings.outbox.refuse(stream, Refusal::Malformed),
        };
        let (results, entries) = self.rewrap_each(batch.envelopes);
        if let Err(refusal) = self.record_entries(&entries) {
            return self.surroundings.outbox.refuse(stream, refusal);
        }
        let outbox = &mut self.surroundings.outbox;
        if outbox.frame(Kind::Rewrapped, stream, &Rewrapped { results }.to_bytes()).is_err() {
            outbox.refuse(stream, Refusal::Malformed);
        }
    }

    /// The results, and what is to be recorded of those that were re-wrapped.
    fn rewrap_each(&mut self, envelopes: Vec<Bytes>) -> (Vec<RewrapResult>, Vec<Entry>) {
        let mut rewrapper = Rewrapper::new(&self.roots, &mut *self.surroundings.entropy);
        let connections = &self.connections;
        let mut entries = Vec::with_capacity(envelopes.len());
        let mut rewrap = |envelope: &mut Bytes| -> Result<(), Refusal> {
            let header = rewrapper.rewrap(&mut envelope.0)?;
            // What a start refuses to open, it does not keep alive either.
            connections.standing(&header)?;
            // What waits for an authorisation or a proof is no connection yet, and is over in minutes.
            if header.purpose == Purpose::ExchangeCredential {
                entries.push(entry_of(&envelope.0, State::Rewrapped)?);
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
