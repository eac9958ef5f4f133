//! What a run knows of the provider's clock: measured where a refusal may be due to it, followed within bounds.

use super::super::action::LAG_MS;
use super::super::fault::{Fault, FaultCode, FaultKind};
use super::super::outcome::Status;
use super::super::task::{Job, State, Task};
use super::super::time::from_http_date;
use super::super::value::Params;
use super::Run;

/// Where a wrong clock is not told from a wrong key, the key is believed right only if the clock was off by more.
const CLOCK_DOUBT_MS: u64 = 5_000;

/// A provider's clock that is further from ours is not followed. Ten minutes are more than any exchange is off, and bound
/// what a wrong clock does to a key whose nonces are times: so far ahead, and no further, a nonce can jump, and for so long
/// at most do other programs' nonces of that key count as used.
const MAX_SKEW_MS: u64 = 600_000;

pub(super) const CLOCK: FaultCode = FaultCode::Provider(FaultKind::Clock);

impl Run {
    /// An answer's HTTP `Date` says the time on the provider's own connection: what moves something is not sent where
    /// ours, which the host claims, lags behind it.
    pub(super) fn hear_date(&mut self, headers: &[(String, String)], now_ms: u64) {
        let date = headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("date"));
        if let (Some(chain), Some(provider_ms)) =
            (&mut self.chain, date.and_then(|(_, text)| from_http_date(text)))
        {
            chain.hear_time(provider_ms, now_ms);
        }
    }

    /// Measures the provider's clock and tries the call once more.
    pub(super) fn correct_clock(&mut self, at: usize, fault: Fault, now_ms: u64, date_ms: Option<u64>) {
        if let Some(task) = self.tasks.get_mut(at) {
            task.clock_retried = true;
            task.state = State::AwaitingClock(fault);
        }
        match &self.connector.time {
            Some(listing) => {
                let asked =
                    self.tasks.iter().any(|task| matches!(task.job, Job::Clock) && !task.is_settled());
                if !asked {
                    self.tasks.push(Task::new(Job::Clock, listing, Params::new(), Params::new()));
                }
            }
            None => self.set_clock(date_ms, now_ms),
        }
    }

    /// The provider's clock is known, or is known not to be.
    pub(super) fn set_clock(&mut self, provider_ms: Option<u64>, our_ms: u64) {
        let told = provider_ms.map(|provider_ms| skew_of(provider_ms, our_ms));
        let skew = told.filter(|skew_ms| is_followed(*skew_ms));
        let is_beyond = told.is_some() && skew.is_none();
        if let Some(skew_ms) = skew {
            self.skew_ms = skew_ms;
            self.measured_ms = Some(skew_ms);
        }
        for task in &mut self.tasks {
            if let State::AwaitingClock(fault) = &task.state {
                let fault = fault.clone();
                let blamed = fault.code == CLOCK;
                let to_blame = |skew_ms: i64| skew_ms.abs_diff(task.skew_ms) > CLOCK_DOUBT_MS;
                let moves = matches!(task.job, Job::Submit(_));
                match skew {
                    Some(skew_ms) if moves && skew_ms > LAG_MS => task.end(fault),
                    Some(skew_ms) if blamed || to_blame(skew_ms) => {
                        task.state = State::Ready { not_before_ms: 0 };
                    }
                    // Whatever the provider blamed, it is its clock.
                    None if is_beyond => task.end(Fault { code: CLOCK, ..fault }),
                    _ => task.end(fault),
                }
            }
        }
    }

    /// Where the clock itself could not be read, nobody goes on waiting for it.
    pub(super) fn clock_given_up(&mut self) {
        let failed =
            |task: &Task| matches!((&task.job, &task.state), (Job::Clock, State::Done(Status::Failed(_))));
        if self.tasks.iter().any(failed) {
            self.set_clock(None, 0);
        }
    }
}

/// The provider's clock minus ours, as far as a number can say.
fn skew_of(provider_ms: u64, our_ms: u64) -> i64 {
    let distance = i64::try_from(provider_ms.abs_diff(our_ms)).unwrap_or(i64::MAX);
    if provider_ms >= our_ms { distance } else { -distance }
}

pub(super) fn is_followed(skew_ms: i64) -> bool {
    skew_ms.unsigned_abs() <= MAX_SKEW_MS
}
