//! What an exchange remembers between calls: nonces, rate-limit buckets, and a log of what was asked.

use super::dialect::{Exchange, Limit};
use super::refusal::Refusal;
use serde::Serialize;
use std::collections::{HashMap, VecDeque};

/// Calls kept in the log; the oldest go first.
const LOG: usize = 2_000;
/// Thousandths of a unit: buckets leak smoothly without floats.
const MILLI: u64 = 1_000;

#[derive(Debug, Default)]
pub struct State {
    nonces: HashMap<(Exchange, String), u64>,
    buckets: HashMap<(Exchange, String), Bucket>,
    log: VecDeque<Entry>,
}

/// A leaky bucket's level at a time.
#[derive(Debug, Clone, Copy, Default)]
struct Bucket {
    milli: u64,
    at: u64,
}

/// One call as the log shows it. No secrets, no signatures.
#[derive(Debug, Clone, Serialize)]
pub struct Entry {
    /// Unix milliseconds by the exchange's clock.
    pub at: u64,
    pub exchange: Exchange,
    /// Whose key the call claimed, when it is one of the seeded ones.
    pub account: Option<String>,
    pub method: String,
    pub path: String,
    /// Lower-case names, sorted: which broker headers a client sends is seen here.
    pub headers: Vec<String>,
    pub status: u16,
    /// Why it was refused.
    pub refusal: Option<String>,
}

impl State {
    /// Accepts a nonce that is larger than the key's last one.
    ///
    /// # Errors
    /// [`Refusal::BadNonce`], and the last nonce stays.
    pub fn advance(&mut self, exchange: Exchange, key: &str, nonce: u64) -> Result<(), Refusal> {
        let last = self.nonces.entry((exchange, key.to_owned())).or_default();
        if nonce <= *last {
            return Err(Refusal::BadNonce);
        }
        *last = nonce;
        Ok(())
    }

    /// Pours `cost` into the subject's bucket at `now` (Unix milliseconds).
    ///
    /// # Errors
    /// [`Refusal::RateLimited`] when it would run over; nothing is poured then.
    pub fn pour(
        &mut self,
        exchange: Exchange,
        subject: String,
        limit: Limit,
        cost: u32,
        now: u64,
    ) -> Result<(), Refusal> {
        let bucket = self.buckets.entry((exchange, subject)).or_default();
        let leaked = now.saturating_sub(bucket.at).saturating_mul(u64::from(limit.per_second));
        let level = bucket.milli.saturating_sub(leaked) + u64::from(cost) * MILLI;
        let over = level.saturating_sub(u64::from(limit.capacity) * MILLI);
        if over > 0 {
            let seconds = over.div_ceil(u64::from(limit.per_second.max(1)) * MILLI);
            return Err(Refusal::RateLimited { retry_after: u32::try_from(seconds).unwrap_or(u32::MAX) });
        }
        *bucket = Bucket { milli: level, at: now };
        Ok(())
    }

    pub fn note(&mut self, entry: Entry) {
        if self.log.len() == LOG {
            self.log.pop_front();
        }
        self.log.push_back(entry);
    }

    pub fn log(&self) -> Vec<Entry> {
        self.log.iter().cloned().collect()
    }

    pub fn forget_log(&mut self) {
        self.log.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: Limit = Limit { capacity: 3, per_second: 2, each_endpoint: false, weighted: false };

    #[test]
    fn a_nonce_must_grow_for_each_key() {
        let mut state = State::default();
        assert_eq!(state.advance(Exchange::Kraken, "a", 5), Ok(()));
        assert_eq!(state.advance(Exchange::Kraken, "a", 5), Err(Refusal::BadNonce));
        assert_eq!(state.advance(Exchange::Kraken, "a", 4), Err(Refusal::BadNonce));
        assert_eq!(state.advance(Exchange::Kraken, "b", 4), Ok(()));
        assert_eq!(state.advance(Exchange::Kraken, "a", 6), Ok(()));
    }

    #[test]
    fn a_bucket_runs_over_and_leaks() {
        let mut state = State::default();
        let mut pour = |now| state.pour(Exchange::Okx, "x".to_owned(), LIMIT, 1, now);
        assert!((0..3).all(|_| pour(1_000).is_ok()));
        assert_eq!(pour(1_000), Err(Refusal::RateLimited { retry_after: 1 }));
        assert_eq!(pour(1_499), Err(Refusal::RateLimited { retry_after: 1 }));
        assert_eq!(pour(1_500), Ok(()));
    }

    #[test]
    fn the_log_is_bounded() {
        let mut state = State::default();
        let entry = Entry {
            at: 0,
            exchange: Exchange::Okx,
            account: None,
            method: "GET".into(),
            path: "/".into(),
            headers: Vec::new(),
            status: 200,
            refusal: None,
        };
        for at in 0..LOG as u64 + 5 {
            state.note(Entry { at, ..entry.clone() });
        }
        assert_eq!(state.log().len(), LOG);
        assert_eq!(state.log()[0].at, 5);
    }
}
