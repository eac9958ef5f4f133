//! One line of calls within a run: a listing with its pages and retries.

use super::fault::{Fault, FaultCode, FaultKind};
use super::model::{BalanceSource, Listing, Paging, Probe};
use super::nonce::Turn;
use super::outcome::Status;
use super::value::{Params, Value, set};

/// Retries of a call that may succeed a little later.
pub const MAX_ATTEMPTS: u32 = 3;
/// The longest pause that a provider's `Retry-After` is followed for.
const MAX_PAUSE_MS: u64 = 10_000;

pub struct Task {
    pub job: Job,
    pub listing: &'static Listing,
    pub arguments: Params,
    pub extra: Params,
    pub state: State,
    pub page: u32,
    cursor: Option<String>,
    attempts: u32,
    pub clock_retried: bool,
    /// What the last call took the provider's clock minus ours to be.
    pub skew_ms: i64,
    /// Some rows were left out.
    pub damaged: bool,
}

/// What a task's rows are for.
#[derive(Clone, Copy)]
pub enum Job {
    /// The provider's clock, as the run's answer or to correct a skew.
    Clock,
    Balance(&'static BalanceSource),
    Markets,
    Tickers,
    Probe(&'static Probe),
    Rows,
}

pub enum State {
    /// To be sent, not before that time.
    Ready {
        not_before_ms: u64,
    },
    InFlight {
        call: u32,
        sent_ms: u64,
        endpoint: String,
        turn: Option<Turn>,
    },
    /// Until the provider's clock is known; holds the fault that asked for it.
    AwaitingClock(Fault),
    /// Until the calls before it have failed to tell.
    Reserve,
    Done(Status),
    /// Its result is not part of the report.
    Dropped,
}

impl Task {
    pub fn new(job: Job, listing: &'static Listing, arguments: Params, extra: Params) -> Self {
        let state = State::Ready { not_before_ms: 0 };
        let (page, cursor, attempts) = (0, None, 0);
        Self {
            job,
            listing,
            arguments,
            extra,
            state,
            page,
            cursor,
            attempts,
            clock_retried: false,
            skew_ms: 0,
            damaged: false,
        }
    }

    pub fn name(&self) -> String {
        match self.job {
            Job::Clock => "time".to_owned(),
            Job::Balance(source) => source.name.clone(),
            Job::Markets => "markets".to_owned(),
            Job::Tickers => "tickers".to_owned(),
            Job::Probe(_) | Job::Rows => self.listing.call.path.clone(),
        }
    }

    pub fn is_settled(&self) -> bool {
        matches!(self.state, State::Done(_) | State::Dropped)
    }

    pub fn is_in_flight(&self, wanted: u32) -> bool {
        matches!(self.state, State::InFlight { call, .. } if call == wanted)
    }

    /// Parameters that ask for the current page.
    pub fn set_page(&self, params: &mut Params) {
        match &self.listing.page {
            Some(Paging::Cursor { param, .. }) => {
                if let Some(cursor) = &self.cursor {
                    set(params, param, Value::Text(cursor.clone()));
                }
            }
            Some(Paging::Number { param, first, .. }) => {
                set(params, param, Value::Number((first + self.page).to_string()));
            }
            None => {}
        }
    }

    /// Goes on to the next page, or ends.
    pub fn advance(&mut self, rows: usize, cursor: Option<String>) {
        let (more, max) = match &self.listing.page {
            Some(Paging::Cursor { max, .. }) => (cursor.is_some() && cursor != self.cursor, *max),
            Some(Paging::Number { size, max, .. }) => (rows >= *size as usize, *max),
            None => (false, 0),
        };
        self.page += 1;
        self.attempts = 0;
        self.cursor = cursor;
        self.state = if !more {
            State::Done(self.status())
        } else if self.page >= max {
            State::Done(Status::Partial(FaultCode::TooMany.into()))
        } else {
            State::Ready { not_before_ms: 0 }
        };
    }

    fn status(&self) -> Status {
        if self.damaged { Status::Partial(FaultCode::Malformed.into()) } else { Status::Ok }
    }

    /// Tries again a little later where that may help, else ends.
    pub fn fail(&mut self, fault: Fault, now_ms: u64, retry_after_ms: Option<u64>) {
        self.attempts += 1;
        if fault.code.is_transient() && self.attempts < MAX_ATTEMPTS {
            let pause = retry_after_ms.unwrap_or(1000 << (self.attempts - 1)).min(MAX_PAUSE_MS);
            self.state = State::Ready { not_before_ms: now_ms + pause };
            return;
        }
        self.end(fault);
    }

    pub fn end(&mut self, fault: Fault) {
        let absent = match self.job {
            Job::Balance(source) => {
                fault.provider_code.as_ref().is_some_and(|code| source.absent.contains(code))
            }
            _ => false,
        };
        self.state = State::Done(match fault.code {
            _ if absent => Status::Absent,
            _ if self.page > 0 => Status::Partial(fault),
            FaultCode::Provider(FaultKind::Permission) => Status::NotPermitted(fault),
            _ => Status::Failed(fault),
        });
    }
}
