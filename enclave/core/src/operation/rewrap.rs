//! Re-wrapping to the current epoch, in bulk, without any owner present.

use crate::enclave::Enclave;
use crate::rewrap::Rewrapper;
use wire::frame::Kind;
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
        let results = self.rewrap_each(batch.envelopes);
        let outbox = &mut self.surroundings.outbox;
        if outbox.frame(Kind::Rewrapped, stream, &Rewrapped { results }.to_bytes()).is_err() {
            outbox.refuse(stream, Refusal::Malformed);
        }
    }

    fn rewrap_each(&mut self, envelopes: Vec<Bytes>) -> Vec<RewrapResult> {
        let mut rewrapper = Rewrapper::new(&self.roots, &mut *self.surroundings.entropy);
        let connections = &self.connections;
        let mut rewrap = |envelope: &mut Bytes| -> Result<(), Refusal> {
            let header = rewrapper.rewrap(&mut envelope.0)?;
            // What a start refuses to open, it does not keep alive either.
            connections.standing(&header)?;
            Ok(())
        };
        let result = |mut envelope: Bytes| match rewrap(&mut envelope) {
            Ok(()) => RewrapResult { envelope: Some(envelope), refusal: None },
            Err(refusal) => RewrapResult { envelope: None, refusal: Some(refusal) },
        };
        envelopes.into_iter().map(result).collect()
    }
}
