//! Taking the line: witnesses promise a term, and name the head to go on from (docs/spec/freshness.md §5).

use super::group::{Group, Side, has_left};
use super::{Line, NOBODY, NUMBER, Phase};
use crate::enclave::Enclave;
use crate::hash::sha256;
use crate::limits::{COMMIT_MS, TAKE_MS};
use crate::register::{Register, Resumed, check_reached};
use crate::root::ClassRoots;
use verify::witness::{Heard, Promises};
use wire::ceremony::LineState;
use wire::consent::Class;
use wire::evidence::Hash;
use wire::frame::Kind;
use wire::freshness::{MAX_ANSWERS, MAX_LINKS, TERMS, Taken, term_of};
use wire::register::{Head, Kept};
use wire::rewrap::Bytes;
use wire::witness::{Accepted, Take};
use wire::{Canonical, Refusal};

/// What is known while the line is not held.
#[derive(Default)]
pub(super) struct Asking {
    asked: Option<Promises>,
    /// The term that its own witnesses promised, who know of no head: those before them are asked.
    own: Option<u64>,
    /// No term up to this one can be had.
    highest: u64,
    /// And none of the former witnesses'.
    highest_of_former: u64,
    /// A witness has promised this term, or a higher one, to somebody else.
    outbid: bool,
    /// When to ask again.
    due: u64,
    /// How often it was asked at once, because a witness named a higher term.
    hurried: u8,
    /// Why what the host brought is not taken.
    refused: Option<Refusal>,
}

/// Two starts that outbid each other give way after a few tries, one of them longer.
const MAX_HURRIED: u8 = 8;

/// Why an answer to a take does not do.
enum NotTaken {
    /// Too few promises so far.
    Waits,
    /// This term cannot be had: one above the highest that is known may.
    Higher,
    /// Its own witnesses promised the term, and know of no head: those before them may.
    Unknown(u64),
    /// The line has gone on before others, for good.
    Gone,
    Refused(Refusal),
}

impl Asking {
    pub(super) fn refusal(&self) -> Refusal {
        self.refused.unwrap_or(Refusal::NoQuorum)
    }

    pub(super) fn due(&self) -> Option<u64> {
        Some(self.due)
    }

    pub(super) fn side(&self) -> Side {
        if self.own.is_some() { Side::Former } else { Side::Own }
    }

    /// What is asked, and how many have said yes.
    pub(super) fn standing(&self) -> (LineState, usize) {
        let state = match (self.refused, self.own) {
            (Some(_), _) => LineState::Refused,
            (None, None) => LineState::Asking,
            (None, Some(_)) => LineState::AskingFormer,
        };
        (state, self.asked.as_ref().map_or(0, Promises::heard))
    }

    fn highest(&mut self) -> &mut u64 {
        if self.own.is_some() { &mut self.highest_of_former } else { &mut self.highest }
    }
}

impl Enclave {
    /// Asks for the line, if it is time to; from the beginning, for it may have been taken meanwhile.
    pub(crate) fn ask_for_line(&mut self) {
        let Phase::Asking(asking) = &mut self.line.phase else { return };
        if asking.due <= self.surroundings.clock.monotonic() {
            asking.own = None;
            self.ask_now();
        }
    }

    fn ask_now(&mut self) {
        let deployment = self.line.group().map_or(NOBODY, |group| group.name);
        let Phase::Asking(asking) = &mut self.line.phase else { return };
        let mut nonce = [0; 32];
        if self.surroundings.entropy.fill(&mut nonce).is_err() {
            return;
        }
        asking.due = self.surroundings.clock.monotonic().saturating_add(COMMIT_MS);
        let term = asking.highest().saturating_add(1);
        if term >= TERMS {
            return;
        }
        *asking.highest() = term;
        let take = Take { deployment, line: NUMBER, term, boot: self.line.boot, nonce: Hash(nonce) };
        (asking.asked, asking.outbid) = (Some(Promises::new(take)), false);
        self.surroundings.outbox.answer(Kind::Take, 0, &take.to_bytes());
    }

    /// Takes a `Taken` frame. One that answers another take, or none, changes nothing.
    pub(crate) fn taken(&mut self, body: &[u8]) {
        let Ok(taken) = Taken::from_bytes(body) else { return };
        if taken.line != NUMBER || taken.answers.len() > MAX_ANSWERS || taken.links.len() > MAX_LINKS {
            return;
        }
        let before = match &self.line.phase {
            Phase::Asking(asking) => asking.own,
            Phase::Closing { .. } | Phase::Held { .. } | Phase::Lost => return,
        };
        match (self.try_to_take(&taken), before) {
            (Ok(promised), None) => self.hold(promised),
            (Ok(promised), Some(own)) => self.line.phase = Phase::Closing { promised, own },
            (Err(NotTaken::Waits), _) => {}
            (Err(NotTaken::Higher), _) => self.hurry(),
            (Err(NotTaken::Unknown(own)), _) => self.follow(own),
            (Err(NotTaken::Gone), _) => {
                self.lose_line(Refusal::LineLost);
                self.surroundings.outbox.refuse(0, Refusal::LineLost);
            }
            (Err(NotTaken::Refused(refusal)), _) => {
                if let Phase::Asking(asking) = &mut self.line.phase {
                    asking.refused = Some(refusal);
                    // The witnesses have answered; the host may bring something else soon.
                    asking.due = self.surroundings.clock.monotonic().saturating_add(TAKE_MS);
                }
                self.surroundings.outbox.refuse(0, refusal);
            }
        }
    }

    /// Asks the former witnesses where the line is.
    fn follow(&mut self, own: u64) {
        if let Phase::Asking(asking) = &mut self.line.phase {
            (asking.own, asking.refused) = (Some(own), None);
            self.ask_now();
        }
    }

    /// The term that was promised, by those who were asked.
    fn try_to_take(&mut self, taken: &Taken) -> Result<u64, NotTaken> {
        let (promised, from) = self.line.promised(taken)?;
        let resumed = match &taken.kept {
            None => None,
            Some(kept) => {
                let kept = Kept::from_bytes(&kept.0).map_err(|_| NotTaken::Refused(Refusal::Malformed))?;
                Some(Register::examine(&kept, &self.roots).map_err(NotTaken::Refused)?)
            }
        };
        self.line.check_last(resumed.as_ref(), &taken.links, from.as_ref(), promised)?;
        // A start that held the line before goes on from where it was, whoever the host is now.
        let Some(resumed) = resumed else {
            let is_first = self.line.mark.is_none();
            return if is_first { Ok(promised) } else { Err(NotTaken::Refused(Refusal::RolledBack)) };
        };
        if resumed.head.line != NUMBER {
            return Err(NotTaken::Refused(Refusal::RegisterMismatch));
        }
        let generation = self.line.group().map_or(0, |group| group.generation);
        if term_of(generation, promised).is_none_or(|term| resumed.head.term >= term) {
            self.line.heard_of(resumed.head.term % TERMS);
            return Err(NotTaken::Higher);
        }
        match self.line.mark {
            None => self.go_on_from(resumed).map_err(NotTaken::Refused)?,
            Some(mark) if mark.head == resumed.hash => {}
            Some(_) => return Err(NotTaken::Refused(Refusal::RolledBack)),
        }
        Ok(promised)
    }

    /// An epoch that was destroyed does not come back because a file of roots, or a manifest, is older than the head: it is
    /// destroyed again before anything is served. Of who would seal under an older epoch nothing is served at all.
    fn go_on_from(&mut self, resumed: Resumed) -> Result<(), Refusal> {
        let held = self.held_epochs()?;
        check_reached(&resumed.reached, &held)?;
        self.destroy_below(Class::Any, resumed.head.oldest)?;
        for known in held.iter().filter_map(|held| resumed.reached.of(held.whose())) {
            self.destroy_below(known.class, known.oldest)?;
        }
        self.line.map = resumed.head.map.0;
        self.register.resume(resumed);
        self.say_epochs().map_err(|_| Refusal::Internal)
    }

    fn destroy_below(&mut self, class: Class, epoch: u32) -> Result<(), Refusal> {
        while let Some(oldest) = self.roots.of(class).map(ClassRoots::oldest).filter(|oldest| *oldest < epoch)
        {
            self.roots.destroy(class, oldest).map_err(|_| Refusal::RegisterMismatch)?;
            self.forget_root(class, oldest);
        }
        Ok(())
    }

    /// Asks for a higher term at once; after some tries, after a while that nobody foresees.
    fn hurry(&mut self) {
        let Phase::Asking(asking) = &mut self.line.phase else { return };
        let now = self.surroundings.clock.monotonic();
        let mut while_ms = [0];
        if asking.hurried >= MAX_HURRIED && self.surroundings.entropy.fill(&mut while_ms).is_err() {
            return;
        }
        asking.hurried = asking.hurried.saturating_add(1);
        let [while_ms] = while_ms;
        match while_ms {
            0 => self.ask_now(),
            _ => asking.due = now.saturating_add(u64::from(while_ms).saturating_mul(4)),
        }
    }
}

impl Enclave {
    /// The host is gone: what waits for a head is refused, what changed goes into a later one, and the line has to be taken
    /// again. Where a head was handed out, nobody can tell whether it was committed: then the line is lost to this start,
    /// which keeps its roots to hand on.
    pub(crate) fn line_host_gone(&mut self) {
        self.refuse_looked_up(Refusal::NoQuorum);
        self.take_back_unproved();
        let is_settled =
            self.line.flight.is_none() && self.register.last_head() == self.line.mark.map(|mark| mark.head);
        match &mut self.line.phase {
            Phase::Held { .. } if !is_settled => return self.lose_line(Refusal::NoQuorum),
            Phase::Closing { .. } => return self.lose_line(Refusal::NoQuorum),
            Phase::Held { promised } => {
                self.line.phase = Phase::Asking(Asking { highest: *promised, ..Asking::default() });
            }
            Phase::Asking(asking) => {
                let Asking { highest, highest_of_former, .. } = *asking;
                *asking = Asking { highest, highest_of_former, ..Asking::default() };
            }
            Phase::Lost => {}
        }
        self.refuse_batches(Refusal::NoQuorum);
    }
}

impl Line {
    /// The term that was promised, and the head that it goes on from.
    fn promised(&mut self, taken: &Taken) -> Result<(u64, Option<Accepted>), NotTaken> {
        let Phase::Asking(asking) = &mut self.phase else { return Err(NotTaken::Waits) };
        let (side, mut highest) = (asking.side(), *asking.highest());
        let Some(promises) = asking.asked.as_mut() else { return Err(NotTaken::Waits) };
        let term = promises.take().term;
        if taken.term != term {
            return Err(NotTaken::Waits);
        }
        let group = self.groups.as_ref().and_then(|groups| groups.of(side));
        let Some(Group { witnesses, .. }) = group else { return Ok((term, None)) };
        for answer in &taken.answers {
            if let Ok(Heard::Refused(refused)) = promises.add(witnesses, &answer.0) {
                highest = highest.max(refused.promised);
                asking.outbid = true;
            }
        }
        let promised = promises.term(witnesses);
        *asking.highest() = highest;
        match promised {
            Some(Ok(promised)) => Ok((term, promised.from())),
            Some(Err(_)) => Err(NotTaken::Refused(Refusal::RolledBack)),
            None if asking.outbid => Err(NotTaken::Higher),
            None => Err(NotTaken::Waits),
        }
    }

    /// Whether what the host kept is the last head that those who were asked know of, or goes on from it.
    fn check_last(
        &self,
        resumed: Option<&Resumed>,
        links: &[Bytes],
        from: Option<&Accepted>,
        promised: u64,
    ) -> Result<(), NotTaken> {
        if resumed.is_some_and(|resumed| has_left(self.groups.as_ref(), &resumed.head)) {
            return Err(NotTaken::Gone);
        }
        let (Some(groups), Some(asked)) = (&self.groups, self.group()) else { return Ok(()) };
        let of_asked = resumed.filter(|resumed| resumed.head.group == asked.in_heads());
        match (from, of_asked) {
            (Some(from), Some(resumed)) if leads_to(resumed, links, asked.generation, from) => Ok(()),
            (Some(_), _) => Err(NotTaken::Refused(Refusal::RolledBack)),
            // Those who replaced others have a head made for them behind one that closed the others: no need to ask them.
            (None, Some(_)) => Ok(()),
            (None, None) => {
                let is_own = asked.name == groups.own.name;
                match groups.former {
                    Some(_) if is_own && self.mark.is_none() => Err(NotTaken::Unknown(promised)),
                    // Founded here, or to be closed before anything was.
                    _ if asked.generation == 0 && resumed.is_none() => Ok(()),
                    _ => Err(NotTaken::Refused(Refusal::RolledBack)),
                }
            }
        }
    }

    fn heard_of(&mut self, term: u64) {
        if let Phase::Asking(asking) = &mut self.phase {
            let highest = asking.highest();
            *highest = (*highest).max(term);
        }
    }
}

/// Whether the head that witnesses know is the kept one, or in its past. Its own term and counter count: a witness accepts
/// any hash in the name of whoever holds a term, and a host could give it an old head's with a high counter.
fn leads_to(resumed: &Resumed, links: &[Bytes], generation: u16, from: &Accepted) -> bool {
    let Some(term) = term_of(generation, from.term) else { return false };
    let is_it =
        |hash: &Hash, head: &Head| (head.term, head.counter, *hash) == (term, from.counter, from.head);
    if is_it(&resumed.hash, &resumed.head) {
        return true;
    }
    let mut before = resumed.head.previous;
    for Bytes(link) in links {
        let hash = Hash(sha256(link));
        let Ok(head) = Head::from_bytes(link) else { return false };
        if before != Some(hash) {
            return false;
        }
        if is_it(&hash, &head) {
            return true;
        }
        before = head.previous;
    }
    false
}
