//! The register of recorded connections: the enclave signs how it grows, the host keeps it (docs/spec/rotation.md §3).
//!
//! The enclave keeps none of its entries: a tree's frontier is a few hashes, whatever the size.

mod conclude;
mod destroy;
mod frames;
mod leave;

pub(crate) use frames::entry_of;
pub use leave::Leave;

use crate::hash::sha256;
use crate::root::Roots;
use conclude::Conclusion;
use verify::merkle::{Frontier, leaf};
use wire::cose::Sign1;
use wire::evidence::Hash;
use wire::identity::WIRE_VERSION;
use wire::register::{Entry, Head, Kept, State, Statement};
use wire::rewrap::Bytes;
use wire::transcript::{Transcript, domain};
use wire::{BootId, Canonical, Refusal, RegisterId, UnixMillis};

/// What this start knows of the register. It is founded by the first entry, unless the host brought one to go on with.
pub(crate) struct Register {
    id: RegisterId,
    chapter: u32,
    /// Of the last head; 0: there is none yet, and a kept register may be brought.
    counter: u64,
    log: Frontier,
    previous: Option<Hash>,
    /// The last statement of completion.
    statement: Option<Hash>,
    /// Under way.
    conclusion: Option<Box<Conclusion>>,
    /// The statement that an epoch may be destroyed on.
    concluded: Option<Grounded>,
    destroyed: Vec<(u32, wire::register::Grounds)>,
}

/// A statement of this start that still holds: nothing was recorded in its epoch since.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Grounded {
    epoch: u32,
    statement: Hash,
    absent: u64,
}

/// Who signs a head, and when.
#[derive(Clone, Copy)]
pub(crate) struct Signing<'s> {
    pub(crate) key: &'s crate::receipts::ReceiptKey,
    pub(crate) boot: BootId,
    pub(crate) roots: &'s Roots,
    pub(crate) time: UnixMillis,
}

impl Register {
    /// A register that is founded when something is recorded. Its id follows from the start's, which is random.
    pub(crate) fn new(boot: BootId) -> Register {
        let hash = sha256(&Transcript::new(domain::REGISTER).field(&boot.0).bytes());
        let mut id = [0; 16];
        id.iter_mut().zip(hash).for_each(|(to, from)| *to = from);
        Register {
            id: RegisterId(id),
            chapter: 1,
            counter: 0,
            log: Frontier::default(),
            previous: None,
            statement: None,
            conclusion: None,
            concluded: None,
            destroyed: Vec::new(),
        }
    }

    /// Whether anything was signed of it in this start.
    pub(crate) fn is_founded(&self) -> bool {
        self.counter > 0
    }

    pub(crate) fn chapter(&self) -> u32 {
        self.chapter
    }

    pub(crate) fn size(&self) -> u64 {
        self.log.size()
    }

    /// Appends entries. The caller then signs a head, before anything that follows from them leaves the enclave.
    pub(crate) fn append(&mut self, entries: &[Entry]) {
        if let Some(conclusion) = &mut self.conclusion
            && !conclusion.note(entries)
        {
            // More came than is remembered beside a conclusion: it is begun again.
            self.conclusion = None;
        }
        for entry in entries {
            self.log.push(leaf(&entry.to_bytes()));
            let holds = |concluded: &Grounded| entry.state == State::Revoked || entry.epoch > concluded.epoch;
            self.concluded = self.concluded.filter(holds);
        }
    }

    /// Goes on from what an earlier start signed and the host kept. The seal shows that an enclave with the same root
    /// made it; that it is the last one nobody can show here (docs/spec/rotation.md §6).
    pub(crate) fn resume(&mut self, kept: &Kept, roots: &Roots) -> Result<(), Refusal> {
        if self.is_founded() {
            return Err(Refusal::RegisterMismatch);
        }
        let signed = Sign1::from_bytes(&kept.head.0).map_err(|_| Refusal::Malformed)?;
        let payload = signed.payload.ok_or(Refusal::Malformed)?;
        let head = Head::from_bytes(payload).map_err(|_| Refusal::Malformed)?;
        if head.version != WIRE_VERSION || head.counter == 0 || head.counter == u64::MAX {
            return Err(Refusal::Malformed);
        }
        let expected = roots.register_seal(head.epoch, &sha256(payload))?;
        aws_lc_rs::constant_time::verify_slices_are_equal(&expected, &kept.seal.0)
            .map_err(|_| Refusal::RegisterMismatch)?;
        let log = Frontier::from_peaks(head.size, &kept.peaks).ok_or(Refusal::RegisterMismatch)?;
        if log.root() != head.root.0 {
            return Err(Refusal::RegisterMismatch);
        }
        (self.id, self.chapter, self.counter) = (head.register, head.chapter, head.counter);
        (self.log, self.previous, self.statement) = (log, Some(Hash(sha256(payload))), head.statement);
        Ok(())
    }

    /// Signs the register as it is now.
    pub(crate) fn sign(&mut self, signing: Signing<'_>) -> Result<Kept, Refusal> {
        let counter = self.counter.checked_add(1).ok_or(Refusal::Internal)?;
        let epoch = signing.roots.current();
        let head = Head {
            version: WIRE_VERSION,
            register: self.id,
            chapter: self.chapter,
            counter,
            size: self.log.size(),
            root: Hash(self.log.root()),
            epoch,
            boot: signing.boot,
            time: signing.time,
            previous: self.previous,
            statement: self.statement,
        };
        let payload = head.to_bytes();
        let hash = sha256(&payload);
        let seal = Hash(signing.roots.register_seal(epoch, &hash)?);
        let head = Bytes(signing.key.sign(domain::REGISTER_HEAD, &payload));
        (self.counter, self.previous) = (counter, Some(Hash(hash)));
        Ok(Kept { head, seal, peaks: self.log.peaks() })
    }

    /// Begins to conclude the rotation away from `epoch`; what was begun before is given up.
    pub(crate) fn begin(&mut self, epoch: u32, key: &[u8; 32]) {
        self.conclusion = Some(Box::new(Conclusion::new(epoch, self.log.size(), self.log.root(), key)));
    }

    /// The conclusion under way, if there is one.
    pub(crate) fn conclusion(&mut self) -> Result<&mut Conclusion, Refusal> {
        self.conclusion.as_deref_mut().ok_or(Refusal::NotConcluded)
    }

    /// Ends the conclusion: the statement, signed, and the entries that go over into the next chapter behind it.
    pub(crate) fn finish(&mut self, signing: Signing<'_>) -> Result<(Vec<u8>, Vec<Entry>), Refusal> {
        let conclusion = self.conclusion.take().ok_or(Refusal::NotConcluded)?;
        let chapter = self.chapter.checked_add(1).ok_or(Refusal::Internal)?;
        let done = conclusion.finish()?;
        let statement = Statement {
            version: WIRE_VERSION,
            register: self.id,
            chapter: self.chapter,
            counter: self.counter,
            epoch: done.epoch,
            current: signing.roots.current(),
            root: Hash(done.tree.root()),
            counts: done.counts,
            boot: signing.boot,
            time: signing.time,
            previous: self.statement,
        };
        let payload = statement.to_bytes();
        let hash = Hash(sha256(&payload));
        (self.chapter, self.log, self.statement) = (chapter, done.tree, Some(hash));
        self.concluded = Some(Grounded { epoch: done.epoch, statement: hash, absent: done.counts.absent });
        self.append(&done.since);
        Ok((signing.key.sign(domain::COMPLETION, &payload), done.since))
    }
}

impl core::fmt::Debug for Register {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Register({}, chapter {}, {} entries)", self.id, self.chapter, self.log.size())
    }
}
