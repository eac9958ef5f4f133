//! Which grants of a connection are in force, and how often each was used.
//!
//! INVARIANT: a grant that is not in here is over, for good: ids are random and made by the enclave, and only `grant` adds one.
//! A use is counted before anybody is asked, and what was counted is never taken back.

use super::{Connections, Generations};
use wire::envelope::Header;
use wire::grant::{Body, GrantState, MAX_GRANTS, Rate, Terms, Window};
use wire::operation::Op;
use wire::{ConnectionId, GrantId, Refusal, UnixMillis};

impl Connections {
    /// Those in force, of a connection that this start has met or was proven of.
    pub(crate) fn grants(&self, id: ConnectionId) -> &[GrantState] {
        match (self.by_id.get(&id), self.learned(id)) {
            (Some(known), _) => &known.grants,
            (None, Some(state)) => &state.grants,
            (None, None) => &[],
        }
    }

    pub(crate) fn has_grant(&self, connection: ConnectionId, grant: GrantId) -> bool {
        self.grants(connection).iter().any(|state| state.id == grant)
    }

    /// Takes a grant into force. Those whose time is over make room.
    pub(crate) fn add_grant(
        &mut self,
        id: ConnectionId,
        state: GrantState,
        now: UnixMillis,
    ) -> Result<(), Refusal> {
        let known = self.by_id.get_mut(&id).ok_or(Refusal::Internal)?;
        known.grants.retain(|grant| grant.expires > now);
        if known.grants.len() >= MAX_GRANTS {
            return Err(Refusal::TooManyGrants);
        }
        known.grants.push(state);
        self.changed.insert(id);
        Ok(())
    }

    /// Ends a grant. Of one that is not in force nothing changes.
    pub(crate) fn end_grant(&mut self, id: ConnectionId, grant: GrantId) {
        if let Some(known) = self.by_id.get_mut(&id) {
            known.grants.retain(|state| state.id != grant);
            self.changed.insert(id);
        }
    }

    /// Whether a grant is in force, before anything is kept of its connection.
    pub(crate) fn check_granted(&self, header: &Header, grant: GrantId) -> Result<(), Refusal> {
        if self.has_grant(header.connection, grant) {
            return Ok(());
        }
        // Why, where that is no secret from who has the envelope.
        let is_over = |known: &super::Connection| known.forgotten;
        let forgotten = self.by_id.get(&header.connection).is_some_and(is_over)
            || self.learned(header.connection).is_some_and(|state| state.over);
        Err(if forgotten { Refusal::Forgotten } else { Refusal::GrantOver })
    }

    /// Counts one use within the terms: its number. `epoch` is the one that the grant came in.
    pub(crate) fn count_use(
        &mut self,
        body: &Body,
        op: Op,
        epoch: u32,
        now: UnixMillis,
    ) -> Result<u32, Refusal> {
        let id = body.header.connection;
        let known = self.by_id.get_mut(&id).ok_or(Refusal::Internal)?;
        let state = known.grants.iter_mut().find(|state| state.id == body.id).ok_or(Refusal::GrantOver)?;
        let next = used_once_more(state, &body.terms, op, now)?;
        *state = GrantState { epoch, ..next };
        let used = state.used;
        self.changed.insert(id);
        Ok(used)
    }
}

impl Generations {
    /// Whether a generation ends what was granted of the ones before.
    pub(super) fn ends_grants(self, generation: u64) -> bool {
        generation > self.current
    }
}

/// The state after one more use at `now`, which is never before the last one.
fn used_once_more(state: &GrantState, terms: &Terms, op: Op, now: UnixMillis) -> Result<GrantState, Refusal> {
    let now = state.last.map_or(now, |last| last.max(now));
    if !terms.ops.contains(&op) || now < terms.from {
        return Err(Refusal::NotGranted);
    }
    if now >= terms.expires {
        return Err(Refusal::GrantOver);
    }
    if state.used >= terms.uses {
        return Err(Refusal::GrantUsedUp);
    }
    let window = terms.rate.map(|rate| within(state.window, rate, now)).transpose()?;
    let used = state.used.checked_add(1).ok_or(Refusal::GrantUsedUp)?;
    Ok(GrantState { used, last: Some(now), window, ..state.clone() })
}

/// The span of time with one more use in it: the one that is open, or one that begins.
fn within(open: Option<Window>, rate: Rate, now: UnixMillis) -> Result<Window, Refusal> {
    match open.filter(|window| now < window.since.plus(rate.period)) {
        None => Ok(Window { since: now, used: 1 }),
        Some(Window { since, used }) if used < rate.uses => {
            Ok(Window { since, used: used.saturating_add(1) })
        }
        Some(_) => Err(Refusal::GrantUsedUp),
    }
}

#[cfg(test)]
mod tests;
