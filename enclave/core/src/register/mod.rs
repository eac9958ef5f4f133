//! The register of recorded connections: the enclave signs how it grows, the host keeps it (docs/spec/rotation.md §3).
//!
//! The enclave keeps none of its entries: a tree's frontier is a few hashes, whatever the size.

mod conclude;
mod destroy;
mod frames;
mod leave;
mod reached;

pub(crate) use frames::entry_of;
pub use leave::Leave;
pub(crate) use reached::check as check_reached;

use crate::clock::Clock;
use crate::hash::sha256;
use crate::reply::Signatory;
use crate::root::Roots;
use conclude::{Conclusion, Done};
use verify::merkle::{Frontier, leaf};
use wire::consent::Class;
use wire::cose::Sign1;
use wire::evidence::Hash;
use wire::identity::WIRE_VERSION;
use wire::reached::AllReached;
use wire::register::{Entry, Head, Kept, State, Statement};
use wire::rewrap::Bytes;
use wire::transcript::{Transcript, domain};
use wire::{BootId, Canonical, Refusal, RegisterId, UnixMillis};

/// What this start knows of the register. It is founded by the first head, unless the host brought one to go on from.
pub(crate) struct Register {
    id: RegisterId,
    chapter: u32,
    /// Of the last head; 0: there is none yet.
    counter: u64,
    log: Frontier,
    previous: Option<Hash>,
    /// The last statement of completion.
    statement: Option<Hash>,
    /// Under way.
    conclusion: Option<Box<Conclusion>>,
    /// The statements that epochs may be destroyed on: of each class the last one.
    concluded: Vec<Grounded>,
    destroyed: Vec<(Class, u32, wire::register::Grounds)>,
    /// The epochs of the classes beside `any`, also of those that this start has not.
    reached: AllReached,
}

/// A statement of this start that still holds: nothing was recorded in its class and epoch since.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Grounded {
    pub(crate) class: Class,
    /// With those before it.
    pub(crate) epoch: u32,
    pub(crate) statement: Hash,
    pub(crate) absent: u64,
    /// Of those, wallets whose words nobody has shown to have.
    pub(crate) without_backup: u64,
}

/// The register at some moment, to be signed later: what comes after that moment belongs to the next head.
#[derive(Clone)]
pub(crate) struct Snapshot {
    chapter: u32,
    log: Frontier,
    statement: Option<Hash>,
}

/// Of which line a head is, in which term, and over which map of states.
#[derive(Clone, Copy)]
pub(crate) struct Place {
    pub(crate) line: u8,
    pub(crate) term: u64,
    pub(crate) map: [u8; 32],
    /// Who commits it, and before whom the line goes on, as a head says it.
    pub(crate) group: Option<Hash>,
    pub(crate) closed_for: Option<Hash>,
}

/// A head that was signed, with what the host is to keep of it.
pub(crate) struct SignedHead {
    pub(crate) kept: Kept,
    pub(crate) counter: u64,
    pub(crate) hash: Hash,
}

/// What an earlier start left, under a seal of the same roots.
pub(crate) struct Resumed {
    pub(crate) head: Head,
    pub(crate) hash: Hash,
    pub(crate) reached: AllReached,
    log: Frontier,
}

/// Who signs a head, and when.
#[derive(Clone, Copy)]
pub(crate) struct Signing<'s> {
    pub(crate) key: &'s crate::receipts::ReceiptKey,
    pub(crate) boot: BootId,
    pub(crate) roots: &'s Roots,
    pub(crate) time: UnixMillis,
}

impl<'s> Signing<'s> {
    pub(crate) fn now(signatory: &'s Signatory, roots: &'s Roots, clock: &Clock) -> Signing<'s> {
        Signing { key: &signatory.key, boot: signatory.boot, roots, time: clock.now() }
    }
}

impl Register {
    /// A register that is founded now. Its id follows from the start's, which is random.
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
            concluded: Vec::new(),
            destroyed: Vec::new(),
            reached: AllReached::default(),
        }
    }

    pub(crate) fn chapter(&self) -> u32 {
        self.chapter
    }

    pub(crate) fn size(&self) -> u64 {
        self.log.size()
    }

    /// Appends entries. They are in the next head, and nothing that follows from them leaves the enclave before it.
    pub(crate) fn append(&mut self, entries: &[Entry]) {
        if let Some(conclusion) = &mut self.conclusion
            && !conclusion.note(entries)
        {
            // More came than is remembered beside a conclusion: it is begun again.
            self.conclusion = None;
        }
        for entry in entries {
            self.log.push(leaf(&entry.to_bytes()));
            self.concluded.retain(|concluded| {
                let has_left = matches!(entry.state, State::Revoked | State::Moved);
                has_left || entry.class != concluded.class || entry.epoch > concluded.epoch
            });
        }
    }

    /// What an earlier start signed and the host kept. The seal shows that an enclave with the same root made it; that it
    /// is the last one, witnesses show.
    pub(crate) fn examine(kept: &Kept, roots: &Roots) -> Result<Resumed, Refusal> {
        let signed = Sign1::from_bytes(&kept.head.0).map_err(|_| Refusal::Malformed)?;
        let payload = signed.payload.ok_or(Refusal::Malformed)?;
        let head = Head::from_bytes(payload).map_err(|_| Refusal::Malformed)?;
        if head.version != WIRE_VERSION || head.counter == 0 || head.counter == u64::MAX {
            return Err(Refusal::Malformed);
        }
        // An epoch that is only pending here would open the seal, and what is sealed then would go back an epoch.
        if head.epoch > roots.any().current() {
            return Err(Refusal::UnknownEpoch);
        }
        let hash = sha256(payload);
        let expected = roots.register_seal(head.epoch, &hash)?;
        aws_lc_rs::constant_time::verify_slices_are_equal(&expected, &kept.seal.0)
            .map_err(|_| Refusal::RegisterMismatch)?;
        let log = Frontier::from_peaks(head.size, &kept.peaks).ok_or(Refusal::RegisterMismatch)?;
        if log.root() != head.root.0 {
            return Err(Refusal::RegisterMismatch);
        }
        if !kept.reached.is_coherent() || head.reached != reached::commitment(&kept.reached) {
            return Err(Refusal::RegisterMismatch);
        }
        Ok(Resumed { head, hash: Hash(hash), reached: kept.reached.clone(), log })
    }

    /// Goes on from it. Nothing was recorded in this start yet.
    pub(crate) fn resume(&mut self, resumed: Resumed) {
        let Resumed { head, hash, reached, log } = resumed;
        (self.id, self.chapter, self.counter) = (head.register, head.chapter, head.counter);
        (self.log, self.previous, self.statement) = (log, Some(hash), head.statement);
        self.reached = reached;
    }

    /// The last head that was signed.
    pub(crate) fn last_head(&self) -> Option<Hash> {
        self.previous
    }

    /// As it is now.
    pub(crate) fn snapshot(&self) -> Snapshot {
        Snapshot { chapter: self.chapter, log: self.log.clone(), statement: self.statement }
    }

    /// Signs the register as it was.
    pub(crate) fn sign(
        &mut self,
        signing: Signing<'_>,
        snapshot: &Snapshot,
        place: Place,
    ) -> Result<SignedHead, Refusal> {
        let counter = self.counter.checked_add(1).ok_or(Refusal::Internal)?;
        let epoch = signing.roots.any().current();
        let head = Head {
            version: WIRE_VERSION,
            register: self.id,
            chapter: snapshot.chapter,
            counter,
            size: snapshot.log.size(),
            root: Hash(snapshot.log.root()),
            epoch,
            boot: signing.boot,
            time: signing.time,
            previous: self.previous,
            statement: snapshot.statement,
            line: place.line,
            term: place.term,
            map: Hash(place.map),
            oldest: signing.roots.any().oldest(),
            reached: reached::commitment(&self.reached),
            group: place.group,
            closed_for: place.closed_for,
        };
        let payload = head.to_bytes();
        let hash = Hash(sha256(&payload));
        let seal = Hash(signing.roots.register_seal(epoch, &hash.0)?);
        let head = Bytes(signing.key.sign(domain::REGISTER_HEAD, &payload));
        (self.counter, self.previous) = (counter, Some(hash));
        let kept = Kept { head, seal, peaks: snapshot.log.peaks(), reached: self.reached.clone() };
        Ok(SignedHead { kept, counter, hash })
    }

    /// Begins to conclude the rotation of a class away from `epoch`; what was begun before is given up.
    pub(crate) fn begin(&mut self, class: Class, epoch: u32, key: &[u8; 32]) {
        let conclusion = Conclusion::new(class, epoch, self.log.size(), self.log.root(), key);
        self.conclusion = Some(Box::new(conclusion));
    }

    /// The conclusion under way, if there is one.
    pub(crate) fn conclusion(&mut self) -> Result<&mut Conclusion, Refusal> {
        self.conclusion.as_deref_mut().ok_or(Refusal::NotConcluded)
    }

    /// Ends the conclusion: the statement, signed, and the entries that are to go over into the next chapter behind it.
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
            current: signing.roots.current_of(done.class)?,
            root: Hash(done.tree.root()),
            counts: done.counts,
            boot: signing.boot,
            time: signing.time,
            previous: self.statement,
            class: done.class,
            others: done.others,
            without_backup: done.without_backup,
        };
        let payload = statement.to_bytes();
        let hash = Hash(sha256(&payload));
        (self.chapter, self.log, self.statement) = (chapter, done.tree, Some(hash));
        let Done { class, epoch, without_backup, .. } = done;
        let absent = done.counts.absent;
        self.concluded.retain(|concluded| concluded.class != class);
        self.concluded.push(Grounded { class, epoch, statement: hash, absent, without_backup });
        Ok((signing.key.sign(domain::COMPLETION, &payload), done.since))
    }
}

impl core::fmt::Debug for Register {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Register({}, chapter {}, {} entries)", self.id, self.chapter, self.log.size())
    }
}
