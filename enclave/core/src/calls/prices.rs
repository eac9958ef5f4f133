//! Prices of each exchange: fetched once, for every owner, and kept for a few seconds (m39).

use super::RunId;
use crate::connector::{Answer, Fault, FaultCode, Outcome, PriceTable};
use crate::limits::{PRICES_MS, PRICES_PAUSE_MS};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A price table that serves everyone, or why there is none.
pub(crate) type Priced = Result<Arc<PriceTable>, Fault>;

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

    /// Takes the outcome of a run, if it was one that fetched prices.
    pub(super) fn take(&mut self, run: RunId, outcome: &Outcome, monotonic: u64) -> Option<()> {
        let mut states = self.by_exchange.values_mut();
        let state = states.find(|state| matches!(state, State::Fetching(fetching) if *fetching == run))?;
        *state = match &outcome.answer {
            Answer::Prices(table) => State::Known {
                priced: Ok(Arc::new(table.clone())),
                until: monotonic.saturating_add(PRICES_MS),
            },
            _ => State::Known {
                priced: Err(outcome.fault().cloned().unwrap_or_else(|| FaultCode::Malformed.into())),
                until: monotonic.saturating_add(PRICES_PAUSE_MS),
            },
        };
        Some(())
    }

    /// What is known now; `None` while it is being fetched.
    pub(super) fn of(&self, exchange: &str) -> Option<Priced> {
        match self.by_exchange.get(exchange)? {
            State::Fetching(_) => None,
            State::Known { priced, .. } => Some(priced.clone()),
        }
    }
}
