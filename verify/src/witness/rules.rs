//! A witness's own rules (docs/spec/witnesses.md §4), without key, file or clock: asked goes in, memory and what to sign
//! come out. Who runs it stores the memory before the answer leaves.

use std::collections::BTreeMap;
use wire::evidence::Hash;
use wire::identity::WIRE_VERSION;
use wire::witness::{
    Accepted, Advance, Answer, Line, MAX_LEAP, MAX_LINES, MAX_REMEMBERED, Memory, Promise, Refused, Take, Why,
};

/// A line, as it is asked for.
type Name = ([u8; 32], u8);

/// What a witness remembers, and what it does by that.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rules {
    lines: BTreeMap<Name, Line>,
}

/// An answer, unsigned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Told {
    pub answer: Answer,
    /// Whether there is something to store first.
    pub changed: bool,
}

impl Rules {
    /// Goes on from what was stored. `None`: not in order, a line twice or out of bounds, or too many.
    pub fn remember(memory: &Memory) -> Option<Rules> {
        let lines: BTreeMap<Name, Line> =
            memory.lines.iter().map(|line| ((line.deployment.0, line.line), *line)).collect();
        let ascending = lines.values().eq(memory.lines.iter());
        let formed = lines.values().all(has_form);
        let known = memory.version == WIRE_VERSION && lines.len() <= MAX_REMEMBERED;
        (ascending && formed && known).then_some(Rules { lines })
    }

    /// What to store, for the witness with this key.
    pub fn memory(&self, key: Hash) -> Memory {
        Memory { version: WIRE_VERSION, key, lines: self.lines.values().copied().collect() }
    }

    /// `None`: it has no form, and gets no answer.
    pub fn take(&mut self, take: &Take) -> Option<Told> {
        if !take.has_form() {
            return None;
        }
        let name = (take.deployment.0, take.line);
        let known = self.lines.get(&name);
        let promised = known.map_or(0, |line| line.term);
        let accepted = known.and_then(|line| line.accepted);
        let refuse = |why| {
            let Take { deployment, line, term, boot, .. } = *take;
            told(Answer::Refused(Refused { deployment, line, term, boot, why, promised, accepted }), false)
        };
        if take.term <= promised {
            return Some(refuse(Why::TermTaken));
        }
        if take.term > promised.saturating_add(MAX_LEAP) {
            return Some(refuse(Why::TermLeaps));
        }
        if known.is_none() && self.lines.len() >= MAX_REMEMBERED {
            return Some(refuse(Why::Full));
        }
        let Take { deployment, line, term, boot, .. } = *take;
        self.lines.insert(name, Line { deployment, line, term, boot, accepted });
        Some(told(Answer::Promise(Promise { take: *take, accepted }), true))
    }

    /// `None`: it has no form, and gets no answer.
    pub fn advance(&mut self, advance: &Advance) -> Option<Told> {
        if !advance.has_form() {
            return None;
        }
        let Advance { deployment, line, term, boot, .. } = *advance;
        let known = self.lines.get_mut(&(deployment.0, line));
        let promised = known.as_ref().map_or(0, |line| line.term);
        let accepted = known.as_ref().and_then(|line| line.accepted);
        let refuse = |why| {
            told(Answer::Refused(Refused { deployment, line, term, boot, why, promised, accepted }), false)
        };
        let Some(known) = known.filter(|known| (known.term, known.boot) == (term, boot)) else {
            return Some(refuse(Why::NotPromised));
        };
        let new = advance.accepted();
        // A head of an earlier term stands in nobody's way: whoever was promised this one has heard of it.
        let before = accepted.filter(|before| before.term == term);
        if before.is_some_and(|before| !follows(&new, &before)) {
            return Some(refuse(Why::CounterUsed));
        }
        known.accepted = Some(new);
        Some(told(Answer::Cosignature(*advance), before != Some(new)))
    }
}

/// A later place in the term, or that very head again.
fn follows(new: &Accepted, before: &Accepted) -> bool {
    new.counter > before.counter || new == before
}

fn told(answer: Answer, changed: bool) -> Told {
    Told { answer, changed }
}

/// What these rules can have written: nothing was accepted above the promised term.
fn has_form(line: &Line) -> bool {
    let accepted = line
        .accepted
        .is_none_or(|accepted| (1..=line.term).contains(&accepted.term) && accepted.counter >= 1);
    line.line < MAX_LINES && line.term >= 1 && accepted
}
