//! The register's frames: what is recorded, and the host's `Conclude`.

use super::Signing;
use crate::enclave::Enclave;
use crate::envelope::layout;
use crate::hash::sha256;
use crate::line::Release;
use wire::consent::Class;
use wire::envelope::Envelope;
use wire::frame::Kind;
use wire::register::{Backup, Conclude, Concluded, Entry, MAX_ENTRIES, State};
use wire::rewrap::Bytes;
use wire::{Canonical, Refusal};

/// What the register says of an envelope.
pub(crate) fn entry_of(envelope: &[u8], state: State, backup: Backup) -> Result<Entry, Refusal> {
    let layout = layout::parse(envelope)?;
    Ok(Entry {
        name: verify::register::name(layout.header.connection),
        state,
        backup,
        class: layout.header.class,
        epoch: layout.wrap.epoch,
        generation: layout.header.generation,
        payload: sha256(layout.body),
    })
}

impl Enclave {
    /// Records what became of an envelope: in the same head as the reply that says so, or an earlier one.
    pub(crate) fn record(
        &mut self,
        envelope: &Envelope,
        state: State,
        backup: Backup,
    ) -> Result<(), Refusal> {
        let entry = entry_of(&envelope.to_bytes(), state, backup)?;
        self.record_entries(&[entry])
    }

    pub(crate) fn record_entries(&mut self, entries: &[Entry]) -> Result<(), Refusal> {
        self.line.check_held()?;
        self.line.room_for(entries.len(), &self.register).note(entries);
        self.register.append(entries);
        Ok(())
    }

    /// Answers a `Conclude` frame.
    pub(crate) fn conclude(&mut self, stream: u32, body: &[u8]) {
        if self.is_behind() {
            return self.surroundings.outbox.refuse(stream, Refusal::Overloaded);
        }
        let step = Conclude::from_bytes(body).map_err(|_| Refusal::Malformed);
        let is_read_out = matches!(step, Ok(Conclude::Log(_) | Conclude::Sorted(_)));
        let answer = step.and_then(|step| self.conclude_step(&step));
        match answer.map(|concluded| concluded.to_bytes()) {
            // What it says was committed long ago, or is nothing new.
            Ok(body) if is_read_out => self.surroundings.outbox.answer(Kind::Concluded, stream, &body),
            Ok(body) => self.release(Release::Frame { kind: Kind::Concluded, stream, body }),
            Err(refusal) => self.surroundings.outbox.refuse(stream, refusal),
        }
    }

    fn conclude_step(&mut self, step: &Conclude) -> Result<Concluded, Refusal> {
        self.line.check_open()?;
        let taken = match step {
            Conclude::Begin(epoch, class) => self.begin_conclusion(*class, *epoch)?,
            Conclude::Log(entries) => self.register.conclusion()?.take_log(entries)?,
            Conclude::Sorted(entries) => self.register.conclusion()?.take_sorted(entries)?,
            Conclude::Finish => return self.finish_conclusion(),
        };
        Ok(Concluded { taken, statement: None })
    }

    /// How many entries are to be read out: the host may have been told of more by then.
    fn begin_conclusion(&mut self, class: Class, epoch: u32) -> Result<u64, Refusal> {
        let held = self.roots.of(class).ok_or(Refusal::ClassNotHeld)?;
        if epoch == 0 || epoch >= held.current() {
            return Err(Refusal::EpochInUse);
        }
        let mut key = zeroize::Zeroizing::new([0; 32]);
        self.surroundings.entropy.fill(key.as_mut_slice()).map_err(|_| Refusal::Internal)?;
        self.register.begin(class, epoch, &key);
        Ok(self.register.size())
    }

    fn finish_conclusion(&mut self) -> Result<Concluded, Refusal> {
        // What was recorded so far is of the chapter that ends.
        self.line.close(&self.register);
        let signing = Signing::now(&self.signatory, &self.roots, &self.surroundings.clock);
        let (statement, since) = self.register.finish(signing)?;
        let first = self.register.size();
        self.line.begin_chapter(&self.register);
        // In as many heads as it takes: each has to fit a frame.
        for entries in since.chunks(MAX_ENTRIES) {
            self.record_entries(entries)?;
        }
        Ok(Concluded { taken: first, statement: Some(Bytes(statement)) })
    }
}
