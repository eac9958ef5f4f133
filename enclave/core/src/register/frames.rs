//! The register's frames: what is recorded, and the host's `Resume` and `Conclude`.

use super::Signing;
use crate::enclave::Enclave;
use crate::envelope::layout;
use crate::hash::sha256;
use wire::envelope::Envelope;
use wire::frame::Kind;
use wire::register::{Conclude, Concluded, ENTRY, Entry, Kept, Recorded, State};
use wire::rewrap::Bytes;
use wire::{Canonical, Refusal};

/// What the register says of an envelope.
pub(crate) fn entry_of(envelope: &[u8], state: State) -> Result<Entry, Refusal> {
    let layout = layout::parse(envelope)?;
    Ok(Entry {
        name: verify::register::name(layout.header.connection),
        state,
        epoch: layout.wrap.epoch,
        generation: layout.header.generation,
        payload: sha256(layout.body),
    })
}

impl Enclave {
    /// Records what became of an envelope, before the reply that says so. Without the record there is no reply.
    pub(crate) fn record(&mut self, envelope: &Envelope, state: State) -> Result<(), Refusal> {
        let entry = entry_of(&envelope.to_bytes(), state)?;
        self.record_entries(&[entry])
    }

    pub(crate) fn record_entries(&mut self, entries: &[Entry]) -> Result<(), Refusal> {
        if entries.is_empty() {
            return Ok(());
        }
        let first = self.register.size();
        self.register.append(entries);
        self.tell_recorded(0, first, entries)
    }

    /// Signs the register anew under the current epoch, so that no kept seal is of one that goes.
    pub(crate) fn sign_register_again(&mut self) -> Result<(), Refusal> {
        if !self.register.is_founded() {
            return Ok(());
        }
        self.tell_recorded(0, self.register.size(), &[])
    }

    fn tell_recorded(&mut self, stream: u32, first: u64, entries: &[Entry]) -> Result<(), Refusal> {
        let kept = self.sign_register()?.to_bytes();
        let entries: Vec<[u8; ENTRY]> = entries.iter().map(Entry::to_bytes).collect();
        let entries = entries.into_flattened();
        let recorded = Recorded { chapter: self.register.chapter(), first, entries, kept };
        let written = self.surroundings.outbox.frame(Kind::Recorded, stream, &recorded.to_bytes());
        written.map_err(|_| Refusal::Internal)
    }

    fn sign_register(&mut self) -> Result<Kept, Refusal> {
        let signing = Signing {
            key: &self.signatory.key,
            boot: self.signatory.boot,
            roots: &self.roots,
            time: self.surroundings.clock.now(),
        };
        self.register.sign(signing)
    }

    /// Answers a `Resume` frame.
    pub(crate) fn resume_register(&mut self, stream: u32, body: &[u8]) {
        let resumed = Kept::from_bytes(body).map_err(|_| Refusal::Malformed).and_then(|kept| {
            self.register.resume(&kept, &self.roots)?;
            self.tell_recorded(stream, self.register.size(), &[])
        });
        if let Err(refusal) = resumed {
            self.surroundings.outbox.refuse(stream, refusal);
        }
    }

    /// Answers a `Conclude` frame.
    pub(crate) fn conclude(&mut self, stream: u32, body: &[u8]) {
        if self.surroundings.outbox.is_full() {
            return self.surroundings.outbox.refuse(stream, Refusal::Overloaded);
        }
        let step = Conclude::from_bytes(body).map_err(|_| Refusal::Malformed);
        let answer = step.and_then(|step| self.conclude_step(&step));
        let outbox = &mut self.surroundings.outbox;
        let written = answer.map(|concluded| outbox.frame(Kind::Concluded, stream, &concluded.to_bytes()));
        match written {
            Ok(Ok(())) => {}
            Ok(Err(_)) => outbox.refuse(stream, Refusal::Internal),
            Err(refusal) => outbox.refuse(stream, refusal),
        }
    }

    fn conclude_step(&mut self, step: &Conclude) -> Result<Concluded, Refusal> {
        let taken = match step {
            Conclude::Begin(epoch) => self.begin_conclusion(*epoch)?,
            Conclude::Log(entries) => self.register.conclusion()?.take_log(entries)?,
            Conclude::Sorted(entries) => self.register.conclusion()?.take_sorted(entries)?,
            Conclude::Finish => return self.finish_conclusion(),
        };
        Ok(Concluded { taken, statement: None })
    }

    /// How many entries are to be read out: the host may have been told of more by then.
    fn begin_conclusion(&mut self, epoch: u32) -> Result<u64, Refusal> {
        if epoch == 0 || epoch >= self.roots.current() {
            return Err(Refusal::EpochInUse);
        }
        let mut key = zeroize::Zeroizing::new([0; 32]);
        self.surroundings.entropy.fill(key.as_mut_slice()).map_err(|_| Refusal::Internal)?;
        self.register.begin(epoch, &key);
        Ok(self.register.size())
    }

    fn finish_conclusion(&mut self) -> Result<Concluded, Refusal> {
        let signing = Signing {
            key: &self.signatory.key,
            boot: self.signatory.boot,
            roots: &self.roots,
            time: self.surroundings.clock.now(),
        };
        let (statement, since) = self.register.finish(signing)?;
        let count = u64::try_from(since.len()).map_err(|_| Refusal::Internal)?;
        let first = self.register.size().checked_sub(count).ok_or(Refusal::Internal)?;
        self.tell_recorded(0, first, &since)?;
        Ok(Concluded { taken: first, statement: Some(Bytes(statement)) })
    }
}
