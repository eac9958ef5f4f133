//! One head after another: the map's new root from proofs, the head signed, made durable by the host, and signed by
//! witnesses (docs/spec/freshness.md §4).

use super::batch::{Batch, Waiting};
use super::group::{Group, Side};
use super::{Line, NOBODY, NUMBER, Phase, Release};
use crate::connections::Change;
use crate::enclave::Enclave;
use crate::limits::{COMMIT_MS, TAKE_MS};
use crate::register::{Place, Signing, Snapshot};
use verify::map::{Mismatch, Part};
use verify::witness::{Cosignatures, Heard, Witnesses, examine};
use wire::evidence::Hash;
use wire::frame::Kind;
use wire::freshness::{Commit, Committed, Found, Leaf, Lookup, MAX_ANSWERS, MAX_NAMES, Mark, term_of};
use wire::register::{ENTRY, Entry};
use wire::rewrap::Bytes;
use wire::witness::{Advance, Answer};
use wire::{Canonical, Refusal};

/// A head on its way.
pub(super) struct Flight {
    chapter: u32,
    first: u64,
    entries: Vec<Entry>,
    snapshot: Snapshot,
    changes: Vec<Change>,
    waiting: Vec<Waiting>,
    step: Step,
    deadline: u64,
    /// It took too long once: whoever waited was refused.
    is_late: bool,
}

enum Step {
    /// The host is asked for the paths of what changed.
    Proving { stream: u32 },
    /// The host has it all, to be signed in the term that was `promised`; `asked` is the frame's body, to ask again.
    Committing { mark: Mark, promised: u64, signed: Box<Signed>, asked: Vec<u8> },
}

/// Who signed the head.
enum Signed {
    /// Nobody has to: the host's word that it is durable is enough.
    Unwitnessed,
    By {
        cosignatures: Cosignatures,
        /// Witnesses that have promised a higher term to another start.
        against: Vec<usize>,
    },
}

impl Flight {
    pub(super) fn deadline(&self) -> u64 {
        self.deadline
    }

    pub(super) fn is_late(&self) -> bool {
        self.is_late
    }

    /// How many witnesses have signed it.
    pub(super) fn heard(&self) -> usize {
        match &self.step {
            Step::Committing { signed, .. } => match &**signed {
                Signed::By { cosignatures, .. } => cosignatures.heard(),
                Signed::Unwitnessed => 0,
            },
            Step::Proving { .. } => 0,
        }
    }

    pub(super) fn is_proved_on(&self, stream: u32) -> bool {
        matches!(self.step, Step::Proving { stream: on } if on == stream)
    }
}

impl Enclave {
    /// Sends the next head on its way, if there is something to commit and nothing under way.
    pub(crate) fn commit_next(&mut self) {
        let monotonic = self.surroundings.clock.monotonic();
        if self.line.flight.is_some() || self.line.paused_until > monotonic {
            return;
        }
        let batch = match self.line.phase {
            Phase::Held { .. } => self.line.batches.pop_front(),
            // Nothing new: what comes waits for witnesses who are not closed.
            Phase::Closing { .. } => Some(Batch::new(self.register.chapter(), self.register.size())),
            Phase::Asking(_) | Phase::Lost => None,
        };
        let Some(mut batch) = batch else { return };
        let snapshot = batch.snapshot(&self.register);
        let changes = self.connections.changes(batch.waiting.iter().filter_map(|one| one.connection));
        let stream = self.line.lookups.next_stream();
        let names: Vec<Hash> = changes.iter().map(|change| Hash(change.name)).collect();
        self.line.flight = Some(Flight {
            chapter: batch.chapter,
            first: batch.first,
            entries: batch.entries,
            snapshot,
            changes,
            waiting: batch.waiting,
            step: Step::Proving { stream },
            deadline: monotonic.saturating_add(COMMIT_MS),
            is_late: false,
        });
        if names.is_empty() {
            return self.make_head(self.line.map);
        }
        debug_assert!(names.len() <= MAX_NAMES, "a batch has no room for more");
        let lookup = Lookup { line: NUMBER, names };
        self.surroundings.outbox.answer(Kind::Lookup, stream, &lookup.to_bytes());
    }

    /// The host has shown the paths of what changed.
    pub(super) fn proved(&mut self, found: &Found) {
        let Some(flight) = &self.line.flight else { return };
        match new_root(self.line.map, &flight.changes, found) {
            Ok(root) => self.make_head(root),
            Err(Mismatch) => self.give_up(Refusal::RegisterMismatch),
        }
    }

    /// Signs the head over what is under way, and hands it out.
    fn make_head(&mut self, map: [u8; 32]) {
        let Some((promised, deployment, place)) = self.line.place(map) else { return };
        let held = self.held_epochs().and_then(|held| self.register.reach(&held));
        if held.is_err() {
            return self.give_up(Refusal::Internal);
        }
        let Some(flight) = &mut self.line.flight else { return };
        let signing = Signing::now(&self.signatory, &self.roots, &self.surroundings.clock);
        let Ok(signed) = self.register.sign(signing, &flight.snapshot, place) else {
            return self.give_up(Refusal::Internal);
        };
        let advance = Advance {
            deployment,
            line: NUMBER,
            term: promised,
            boot: self.line.boot,
            counter: signed.counter,
            head: signed.hash,
        };
        let entries: Vec<[u8; ENTRY]> = flight.entries.iter().map(Entry::to_bytes).collect();
        let commit = Commit {
            advance: Bytes(advance.to_bytes()),
            chapter: flight.chapter,
            first: flight.first,
            entries: entries.into_flattened(),
            leaves: flight.changes.iter().map(leaf).collect(),
            kept: signed.kept.to_bytes(),
        };
        let asked = commit.to_bytes();
        self.surroundings.outbox.must(Kind::Commit, 0, &asked);
        flight.step = Step::Committing {
            mark: Mark { line: NUMBER, term: place.term, counter: signed.counter, head: signed.hash },
            promised,
            signed: Box::new(match &self.line.groups {
                None => Signed::Unwitnessed,
                Some(_) => Signed::By { cosignatures: Cosignatures::new(advance), against: Vec::new() },
            }),
            asked,
        };
        (self.line.map_before, self.line.map) = (self.line.map, map);
    }

    /// Takes a `Committed` frame. One that is of another head, or says nothing new, changes nothing.
    pub(crate) fn committed(&mut self, body: &[u8]) {
        let Ok(committed) = Committed::from_bytes(body) else { return };
        match self.line.hear(&committed) {
            Verdict::Waits => {}
            Verdict::Done(mark) => {
                self.line.mark = Some(mark);
                let waiting = self.line.flight.take().map(|flight| flight.waiting).unwrap_or_default();
                waiting.into_iter().for_each(|waiting| self.let_go(waiting.release));
                if let Phase::Closing { own, .. } = self.line.phase {
                    self.hold(own);
                }
            }
            Verdict::Lost => self.lose_line(Refusal::LineLost),
        }
    }

    /// The line is this start's, in a term that was promised.
    pub(super) fn hold(&mut self, promised: u64) {
        self.line.phase = Phase::Held { promised };
        // Whoever takes the line after this start hears of this term's heads, and of none below.
        self.release(Release::Nothing);
    }

    /// What is late is refused, and was told to nobody. A head that was made is asked for again, and none is made behind it:
    /// what the host has is never more than one head before what witnesses know.
    pub(crate) fn tick_commit(&mut self) {
        let monotonic = self.surroundings.clock.monotonic();
        match self.line.flight.as_ref().filter(|flight| flight.deadline <= monotonic) {
            None => {}
            Some(Flight { step: Step::Proving { .. }, .. }) => self.give_up(Refusal::NoQuorum),
            Some(Flight { step: Step::Committing { .. }, .. }) => self.ask_again(monotonic),
        }
    }

    /// A head that was not made yet goes back among what waits for one.
    pub(super) fn take_back_unproved(&mut self) {
        if self.line.flight.as_ref().is_some_and(|flight| matches!(flight.step, Step::Proving { .. })) {
            self.give_up(Refusal::NoQuorum);
        }
    }

    /// Refuses what waits for a head that the host knows nothing of yet. What changed goes into the next one.
    fn give_up(&mut self, refusal: Refusal) {
        let Some(flight) = self.line.flight.take() else { return };
        let Flight { chapter, first, entries, snapshot, changes, waiting, .. } = flight;
        self.connections.change_again(&changes);
        self.line.put_back(chapter, first, entries, snapshot);
        self.line.paused_until = self.surroundings.clock.monotonic().saturating_add(TAKE_MS);
        waiting.into_iter().for_each(|waiting| self.refuse(waiting.release, refusal));
    }

    /// Refuses what waits for the head that is under way, or for a later one.
    fn ask_again(&mut self, monotonic: u64) {
        let Some(flight) = &mut self.line.flight else { return };
        let Step::Committing { asked, .. } = &flight.step else { return };
        // A host that reads nothing is not told twice.
        if !self.surroundings.outbox.is_full() {
            self.surroundings.outbox.must(Kind::Commit, 0, asked);
        }
        (flight.deadline, flight.is_late) = (monotonic.saturating_add(COMMIT_MS), true);
        let waiting = core::mem::take(&mut flight.waiting);
        waiting.into_iter().for_each(|waiting| self.refuse(waiting.release, Refusal::NoQuorum));
        self.refuse_batches(Refusal::NoQuorum);
    }

    /// Refuses what waits for heads that were not begun. What changed is known, and goes into them.
    pub(super) fn refuse_batches(&mut self, refusal: Refusal) {
        let waiting: Vec<Waiting> = self.line.batches.iter_mut().flat_map(Batch::give_up).collect();
        waiting.into_iter().for_each(|waiting| self.refuse(waiting.release, refusal));
    }

    /// What waits is refused so; from now on, everything is refused `line_lost`.
    pub(super) fn lose_line(&mut self, refusal: Refusal) {
        self.line.phase = Phase::Lost;
        let under_way = self.line.flight.take().map(|flight| flight.waiting).unwrap_or_default();
        under_way.into_iter().for_each(|waiting| self.refuse(waiting.release, refusal));
        self.refuse_batches(refusal);
        self.line.batches.clear();
        self.refuse_looked_up(refusal);
    }
}

/// What the answers to a commit come to.
enum Verdict {
    Waits,
    Done(Mark),
    Lost,
}

impl Line {
    /// Where a head is made now: the term that was promised, what it is asked for in, and what the head says.
    fn place(&self, map: [u8; 32]) -> Option<(u64, Hash, Place)> {
        let (promised, closed_for) = match self.phase {
            Phase::Held { promised } => (promised, None),
            Phase::Closing { promised, .. } => (promised, Some(self.groups.as_ref()?.own.name)),
            Phase::Asking(_) | Phase::Lost => return None,
        };
        let group = self.group();
        let term = term_of(group.map_or(0, |group| group.generation), promised)?;
        let named = group.and_then(Group::in_heads);
        let place = Place { line: NUMBER, term, map, group: named, closed_for };
        Some((promised, group.map_or(NOBODY, |group| group.name), place))
    }

    fn hear(&mut self, committed: &Committed) -> Verdict {
        let side = if matches!(self.phase, Phase::Closing { .. }) { Side::Former } else { Side::Own };
        let group = self.groups.as_ref().and_then(|groups| groups.of(side));
        let Some(Flight { step: Step::Committing { mark, promised, signed, .. }, .. }) = &mut self.flight
        else {
            return Verdict::Waits;
        };
        let told = (committed.line, committed.term, committed.counter);
        if told != (mark.line, *promised, mark.counter) || committed.answers.len() > MAX_ANSWERS {
            return Verdict::Waits;
        }
        match (&mut **signed, group.map(|group| &group.witnesses)) {
            (Signed::By { cosignatures, against }, Some(witnesses)) => {
                for Bytes(answer) in &committed.answers {
                    if let Ok(Heard::Refused(refused)) = cosignatures.add(witnesses, answer)
                        && refused.promised > *promised
                    {
                        note_against(against, answer, witnesses);
                    }
                }
                let could = witnesses.members().len().saturating_sub(against.len());
                match cosignatures.commit(witnesses) {
                    Some(_) => Verdict::Done(*mark),
                    None if could < witnesses.threshold() => Verdict::Lost,
                    None => Verdict::Waits,
                }
            }
            (Signed::Unwitnessed, None) => Verdict::Done(*mark),
            _ => Verdict::Waits,
        }
    }
}

/// Whose refusal it is; each witness counts once.
fn note_against(against: &mut Vec<usize>, answer: &[u8], witnesses: &Witnesses) {
    if let Ok((member, Answer::Refused(_))) = examine(answer, witnesses.members())
        && !against.contains(&member)
    {
        against.push(member);
    }
}

/// The root that these changes lead to, from the one that the paths are of.
fn new_root(map: [u8; 32], changes: &[Change], found: &Found) -> Result<[u8; 32], Mismatch> {
    if found.proofs.len() != changes.len() {
        return Err(Mismatch);
    }
    let mut part = Part::new(map);
    for (change, proof) in changes.iter().zip(&found.proofs) {
        part.show(&change.name, proof)?;
    }
    for change in changes {
        part.set(&change.name, &change.state)?;
    }
    Ok(part.root())
}

fn leaf(change: &Change) -> Leaf {
    Leaf { name: Hash(change.name), state: Bytes(change.state.clone()) }
}
