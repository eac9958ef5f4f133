//! The line of history that this start of the enclave writes: taken with the promise of witnesses, and advanced by heads
//! that they sign, before anything that follows from them leaves (docs/spec/freshness.md).
//!
//! INVARIANT: one head is under way at a time, until it is committed, and each follows the one before by its hash. A result
//! leaves when a head that holds its change was signed by a quorum for this very start, and never else.

mod batch;
mod commit;
mod group;
mod lookup;
mod release;
mod survey;
mod take;

pub(crate) use lookup::LookedUp;
pub(crate) use release::Release;
pub(crate) use survey::States;

use crate::boot::StartFailed;
use crate::hash::sha256;
use crate::limits::{MAX_HELD_BACK, OUTBOX_FULL};
use crate::register::{Register, Snapshot};
use batch::Batch;
use commit::Flight;
use group::{Group, Groups, Side};
use lookup::Lookups;
use std::collections::VecDeque;
use survey::Surveys;
use take::Asking;
use verify::map::EMPTY;
use wire::ceremony::{LineState, Standing};
use wire::evidence::Hash;
use wire::freshness::{Freshness, Mark, Witnessed, deployment_transcript};
use wire::manifest::Manifest;
use wire::register::Entry;
use wire::{BootId, Canonical, Refusal};

/// Of how many there are: deployments have one, until they are split.
const LINES: u8 = 1;
const NUMBER: u8 = 0;
/// What a line is asked for where nobody witnesses.
const NOBODY: Hash = Hash([0; 32]);

pub(crate) struct Line {
    boot: BootId,
    /// `None`: nobody, and the host's word is enough.
    groups: Option<Groups>,
    phase: Phase,
    /// Root of the map of the last head that was made.
    map: [u8; 32],
    /// And of the one before.
    map_before: [u8; 32],
    /// No head is made before, because the host's paths were wrong.
    paused_until: u64,
    /// The last head that was committed.
    mark: Option<Mark>,
    /// What waits for a head: the first is under way next, the last takes what comes.
    batches: VecDeque<Batch>,
    flight: Option<Flight>,
    lookups: Lookups,
    surveys: Surveys,
}

enum Phase {
    /// Not taken yet.
    Asking(Asking),
    /// The former witnesses promised this term, and are to sign the head that closes their record. Then the line is held, in the
    /// term that its own witnesses promised.
    Closing {
        promised: u64,
        own: u64,
    },
    Held {
        promised: u64,
    },
    /// Another start has taken it. There is no way back in this one.
    Lost,
}

impl Line {
    pub(crate) fn new(boot: BootId, witnessed: Option<&Witnessed>) -> Result<Line, StartFailed> {
        Ok(Line {
            boot,
            groups: witnessed.map(Groups::new).transpose()?,
            phase: Phase::Asking(Asking::default()),
            map: EMPTY,
            map_before: EMPTY,
            paused_until: 0,
            mark: None,
            batches: VecDeque::new(),
            flight: None,
            lookups: Lookups::default(),
            surveys: Surveys::default(),
        })
    }

    /// Whether anything can change now; else why not.
    pub(crate) fn check_held(&self) -> Result<(), Refusal> {
        match &self.phase {
            Phase::Held { .. } => Ok(()),
            Phase::Asking(asking) => Err(asking.refusal()),
            Phase::Closing { .. } => Err(Refusal::NoQuorum),
            Phase::Lost => Err(Refusal::LineLost),
        }
    }

    /// Whether anything new may begin: the line is held, and no head waits too long for its witnesses.
    pub(crate) fn check_open(&self) -> Result<(), Refusal> {
        self.check_held()?;
        if self.flight.as_ref().is_some_and(Flight::is_late) { Err(Refusal::NoQuorum) } else { Ok(()) }
    }

    /// Whether anybody but the host witnesses what is done.
    pub(crate) fn is_witnessed(&self) -> bool {
        self.groups.is_some()
    }

    /// Whom heads are committed by now, or the line is asked of; `None`: nobody.
    fn group(&self) -> Option<&Group> {
        let side = match &self.phase {
            Phase::Asking(asking) => asking.side(),
            Phase::Closing { .. } => Side::Former,
            Phase::Held { .. } | Phase::Lost => Side::Own,
        };
        self.groups.as_ref()?.of(side)
    }

    /// How it stands with its witnesses, for who operates it; `None`: there are none.
    pub(crate) fn standing(&self) -> Option<Standing> {
        let needed = self.group()?.witnesses.threshold();
        let (state, heard) = match &self.phase {
            Phase::Held { .. } => (LineState::Held, 0),
            Phase::Lost => (LineState::Lost, 0),
            Phase::Closing { .. } => (LineState::Closing, self.flight.as_ref().map_or(0, Flight::heard)),
            Phase::Asking(asking) => asking.standing(),
        };
        let [heard, needed] = [heard, needed].map(|number| u8::try_from(number).unwrap_or(u8::MAX));
        Some(Standing { state, heard, needed })
    }

    /// The last head that was committed: what every reply carries.
    pub(crate) fn mark(&self) -> Option<Mark> {
        self.mark
    }

    /// Whether so many answers wait for a head that no more are taken in.
    pub(crate) fn is_full(&self) -> bool {
        let sum = |of: fn(&Batch) -> usize| self.batches.iter().map(of).fold(0, usize::saturating_add);
        sum(Batch::answers) >= MAX_HELD_BACK || sum(Batch::bytes) >= OUTBOX_FULL
    }

    /// The batch that takes what comes next; `entries` of the register are noted in it.
    pub(crate) fn room_for(&mut self, entries: usize, register: &Register) -> &mut Batch {
        if self.batches.back().is_some_and(|last| !last.has_room(entries)) {
            self.close(register);
        }
        let last = self.batches.pop_back_if(|last| !last.is_closed());
        let last = last.unwrap_or_else(|| Batch::new(register.chapter(), register.size()));
        self.batches.push_back_mut(last)
    }

    /// What comes from now on belongs to a later head.
    pub(crate) fn close(&mut self, register: &Register) {
        if let Some(last) = self.batches.back_mut() {
            last.close(register);
        }
    }

    /// The register has a new chapter: a head says so, whether anything is in it yet or not.
    pub(crate) fn begin_chapter(&mut self, register: &Register) {
        self.batches.push_back(Batch::new(register.chapter(), register.size()));
    }

    /// Entries that the host has not heard of come before what came since.
    fn put_back(&mut self, chapter: u32, first: u64, entries: Vec<Entry>, snapshot: Snapshot) {
        self.batches.push_front(Batch::again(chapter, first, entries, snapshot));
    }

    /// When something is due, on the monotonic counter.
    pub(crate) fn next_deadline(&self) -> Option<u64> {
        let asking = match &self.phase {
            Phase::Asking(asking) => asking.due(),
            Phase::Closing { .. } | Phase::Held { .. } | Phase::Lost => None,
        };
        let flight = self.flight.as_ref().map(Flight::deadline);
        let paused = (!self.batches.is_empty() && self.flight.is_none()).then_some(self.paused_until);
        let waiting = [self.lookups.next_deadline(), self.surveys.next_deadline()];
        [asking, flight, paused].into_iter().chain(waiting).flatten().min()
    }
}

/// The witnesses that operators named; `None`: nobody. A manifest that names them commits to the first root.
pub(crate) fn named_in(manifest: &Manifest) -> Option<Witnessed> {
    let deployment = Hash(sha256(&deployment_transcript(&manifest.name, manifest.first_root()?)));
    let (witnesses, replaced) = (manifest.witnesses.clone(), manifest.replaced.clone());
    let named = Witnessed { deployment, witnesses, replaced };
    (!named.witnesses.members.is_empty()).then_some(named)
}

/// What the identity says of its witnesses.
pub(crate) fn freshness(witnessed: &Witnessed) -> Freshness {
    let signers = &witnessed.witnesses;
    Freshness {
        deployment: witnessed.deployment,
        lines: LINES,
        threshold: signers.threshold,
        witnesses: u8::try_from(signers.members.len()).unwrap_or(u8::MAX),
        keys: Hash(sha256(&signers.to_bytes())),
    }
}
