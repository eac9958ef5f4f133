//! Re-wrapping to the current epoch, in bulk, without any owner present.

use crate::enclave::Enclave;
use crate::line::Release;
use crate::outbox::Outbox;
use crate::register::entry_of;
use crate::rewrap::Rewrapper;
use wire::envelope::Purpose;
use wire::frame::Kind;
use wire::register::{Backup, Entry, State};
use wire::rewrap::{Bytes, MAX_REWRAP, Rewrap, RewrapResult, Rewrapped};
use wire::{Canonical, Refusal};

impl Enclave {
    /// Answers a `Rewrap` frame: one result for each envelope, in order.
    pub(crate) fn rewrap(&mut self, stream: u32, body: &[u8]) {
        if self.is_behind() {
            return self.surroundings.outbox.refuse(stream, Refusal::Overloaded);
        }
        let batch = match Rewrap::from_bytes(body) {
            Ok(batch) if batch.envelopes.len() <= MAX_REWRAP => batch,
            _ => return self.surroundings.outbox.refuse(stream, Refusal::Malformed),
        };
        if let Err(refusal) = self.line.check_open() {
            return self.surroundings.outbox.refuse(stream, refusal);
        }
        let (results, entries) = self.rewrap_each(batch.envelopes);
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
    fn rewrap_each(&mut self, envelopes: Vec<Bytes>) -> (Vec<RewrapResult>, Vec<Entry>) {
        let mut rewrapper = Rewrapper::new(&self.roots, &mut *self.surroundings.entropy);
        let connections = &self.connections;
        let mut entries = Vec::with_capacity(envelopes.len());
        let mut rewrap = |envelope: &mut Bytes| -> Result<(), Refusal> {
            let header = rewrapper.rewrap(&mut envelope.0)?;
            // What this start knows to be over it does not keep alive; what only an earlier one knew opens nowhere after it.
            connections.standing(&header)?;
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
