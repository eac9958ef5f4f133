//! Prices of each exchange: fetched once, for every owner, and kept for a few seconds (m39).

use super::RunId;
use crate::connector::{Answer, Fault, FaultCode, Outcome, PriceTable, Status};
use crate::limits::{PRICES_MS, PRICES_PAUSE_MS};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A price table that serves everyone, with the fault of what did not come of it; or why there is none.
pub(crate) type Priced = Result<(Arc<PriceTable>, Option<Fault>), Fault>;

/// At most one entry for each connector.
#[derive(Default)]
pub(super) struct Prices {
    by_exchange: BTreeMap<String, State>,
}

enum State {
    Fetching(RunId),
    Known { priced: Priced, until: u64 },
}

impl Prices {
    /// Whether nothing is known that still holds, and nobody is fetching.
    pub(super) fn needs(&self, exchange: &str, monotonic: u64) -> bool {
        match self.by_exchange.get(exchange) {
            None => true,
            Some(State::Fetching(_)) => false,
            Some(State::Known { until, .. }) => *until <= monotonic,
        }
    }

    pub(super) fn fetching(&mut self, exchange: &str, run: RunId) {
        self.by_exchange.insert(exchange.to_owned(), State::Fetching(run));
    }

    pub(super) fn failed(&mut self, exchange: &str, fault: Fault, monotonic: u64) {
        let until = monotonic.saturating_add(PRICES_PAUSE_MS);
        self.by_exchange.insert(exchange.to_owned(), State::Known { priced: Err(fault), until });
    }

    /// Nobody fetches any more: whoever wants them next does.
    pub(super) fn host_gone(&mut self) {
        self.by_exchange.retain(|_, state| matches!(state, State::Known { .. }));
    }

    /// Takes the outcome of a run that fetched prices; gives that of any other run back.
    pub(super) fn take(&mut self, run: RunId, outcome: Outcome, monotonic: u64) -> Option<Outcome> {
        let mut states = self.by_exchange.values_mut();
        let fetching = states.find(|state| matches!(state, State::Fetching(fetching) if *fetching == run));
        let Some(state) = fetching else { return Some(outcome) };
        let (fault, missing) = (outcome.fault().cloned(), missing(&outcome));
        let (priced, lasts) = match outcome.answer {
            // The host chooses which answers are lost: what is left is used, said to be partial, and not kept.
            Answer::Prices(table) if missing.is_some() => (Ok((Arc::new(table), missing)), PRICES_PAUSE_MS),
            Answer::Prices(table) => (Ok((Arc::new(table), None)), PRICES_MS),
            _ => (Err(fault.unwrap_or_else(|| FaultCode::Malformed.into())), PRICES_PAUSE_MS),
        };
        *state = State::Known { priced, until: monotonic.saturating_add(lasts) };
        None
    }

    /// What is known now; `None` while it is being fetched.
    pub(super) fn of(&self, exchange: &str) -> Option<Priced> {
        match self.by_exchange.get(exchange)? {
            State::Fetching(_) => None,
            State::Known { priced, .. } => Some(priced.clone()),
        }
    }
}

/// Why a listing did not come, or not to its end. Single rows that nobody can read are not missing: exchanges list
/// markets without a price.
fn missing(outcome: &Outcome) -> Option<Fault> {
    let fault = |status: &Status| match status {
        Status::Failed(fault) | Status::NotPermitted(fault) => Some(fault.clone()),
        Status::Partial(fault) if fault.code != FaultCode::Malformed => Some(fault.clone()),
        Status::Partial(_) | Status::Ok | Status::Absent | Status::Unsupported(_) => None,
    };
    outcome.coverage.iter().find_map(|coverage| fault(&coverage.status))
}
