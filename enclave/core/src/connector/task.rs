//! One line of calls within a run: a listing with its pages and retries.

use super::action::is_refused;
use super::asked::Asked;
use super::each::{RowKey, TooMany, Walk};
use super::fault::{Fault, FaultCode, FaultKind};
use super::model::{BalanceSource, Listing, MarketsCall, Probe, Steps};
use super::model_action::Action;
use super::nonce::Turn;
use super::outcome::{Record, Status};
use super::page::{Next, Position, Seen, Window, bounds};
use super::session::Session;
use super::value::{Params, Value, set};

/// Retries of a call that may succeed a little later.
pub const MAX_ATTEMPTS: u32 = 3;
/// How many rows of another listing one run asks a listing for, where that has no pages itself.
const MAX_EACH: u32 = 20;
/// The longest pause that a provider's `Retry-After` is followed for.
const MAX_PAUSE_MS: u64 = 10_000;

pub struct Task {
    pub job: Job,
    pub listing: &'static Listing,
    pub arguments: Params,
    pub extra: Params,
    pub state: State,
    /// How many pages this run has read, and the most that it may.
    pub page: u32,
    pub max_pages: u32,
    pub position: Position,
    /// The time that its rows are asked for, where it is an owner's history.
    pub bounds: Option<Asked>,
    /// The window that the last call asked for, and what bounded it.
    pub asked: Option<(Window, Window)>,
    /// What the listing is still to be asked for, where it is asked for each row of another; none before that answered.
    walk: Option<Walk>,
    /// The arguments without those of a row.
    own: Params,
    /// The row where an earlier run ended, and the position in its pages.
    from: Option<(RowKey, Position)>,
    /// Some calls were answered.
    answered: bool,
    attempts: u32,
    pub clock_retried: bool,
    /// It was refused in one session already.
    pub session_retried: bool,
    /// The number of the session that its last call was made in.
    pub session: Option<u64>,
    /// What the last call took the provider's clock minus ours to be.
    pub skew_ms: i64,
    /// Some rows were left out.
    pub damaged: bool,
    /// Nothing of the last call left.
    pub unsent: bool,
    /// An earlier call may have done what it was sent for.
    pub doubtful: bool,
}

/// What a task's rows are for.
#[derive(Clone, Copy)]
pub enum Job {
    /// The provider's clock, as the run's answer or to correct a skew.
    Clock,
    /// A login, for the token that other calls carry.
    Session(&'static Session),
    Balance(&'static BalanceSource),
    Markets,
    /// Of the market that a read names.
    Market(&'static MarketsCall),
    Tickers,
    Probe(&'static Probe),
    Rows,
    /// The call that moves something.
    Submit(&'static Action),
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
    /// Until there is a session.
    AwaitingSession,
    /// Until the calls before it have failed to tell.
    Reserve,
    Done(Status),
    /// Its result is not part of the report.
    Dropped,
}

impl Task {
    pub fn new(job: Job, listing: &'static Listing, arguments: Params, extra: Params) -> Self {
        let state = State::Ready { not_before_ms: 0 };
        let (page, attempts, position, asked) = (0, 0, Position::Start, None);
        let max_pages = match (&listing.page, &listing.each) {
            (Some(paging), _) => paging.max,
            (None, Some(_)) => MAX_EACH,
            (None, None) => 1,
        };
        Self {
            job,
            listing,
            own: arguments.clone(),
            arguments,
            extra,
            state,
            page,
            max_pages,
            position,
            bounds: None,
            asked,
            walk: None,
            from: None,
            answered: false,
            attempts,
            clock_retried: false,
            session_retried: false,
            session: None,
            skew_ms: 0,
            damaged: false,
            unsent: false,
            doubtful: false,
        }
    }

    pub fn name(&self) -> String {
        match self.job {
            Job::Clock => "time".to_owned(),
            Job::Session(_) => "session".to_owned(),
            Job::Balance(source) => source.name.clone(),
            Job::Markets | Job::Market(_) => "markets".to_owned(),
            Job::Tickers => "tickers".to_owned(),
            Job::Probe(_) | Job::Rows | Job::Submit(_) => self.listing.call.path.clone(),
        }
    }

    /// The listing that is asked now.
    pub fn current(&self) -> &'static Listing {
        self.finding().unwrap_or(self.listing)
    }

    /// The listing that says what to ask for, where it has not answered yet.
    pub fn finding(&self) -> Option<&'static Listing> {
        self.listing.each.as_deref().filter(|_| self.walk.is_none())
    }

    /// Starts where an earlier run ended.
    pub fn resume(&mut self, from: Position) {
        match from {
            Position::Within(row, inner) => self.from = Some((row, *inner)),
            within_pages => self.position = within_pages,
        }
    }

    /// Where the next run goes on: the start where nothing is left.
    pub fn place(&self) -> Position {
        let row = match &self.walk {
            Some(walk) => walk.now().map(|row| (row, &self.position)),
            None => self.from.as_ref().map(|(row, inner)| (*row, inner)),
        };
        row.map_or_else(
            || self.position.clone(),
            |(row, inner)| Position::Within(row, Box::new(inner.clone())),
        )
    }

    /// The row that is asked for now, where the listing is asked for each row of another.
    pub fn row(&self) -> Option<RowKey> {
        self.walk.as_ref().and_then(Walk::now)
    }

    /// Asks for each row of that listing, one after the other; without rows there is nothing.
    pub fn spread(&mut self, rows: Vec<Record>) {
        // Only what is handed out in parts has an order that holds from run to run.
        let walk = match self.job {
            Job::Rows => Walk::resumed(rows, self.from.as_ref().map(|(row, _)| *row)),
            _ => Walk::new(rows),
        };
        self.attempts = 0;
        match walk {
            Ok(walk) => self.walk = Some(walk),
            Err(TooMany) => return self.end(FaultCode::TooMany.into()),
        }
        if !self.go_on() {
            self.state = State::Done(self.status());
        }
    }

    /// Goes on with the next row, if there is one.
    fn go_on(&mut self) -> bool {
        let Some(row) = self.walk.as_mut().and_then(Walk::advance) else { return false };
        self.arguments.clone_from(&self.own);
        for (name, value) in row {
            set(&mut self.arguments, &name, value);
        }
        let resumed = self.from.take().filter(|(row, _)| Some(*row) == self.row());
        (self.position, self.asked) = (resumed.map_or(Position::Start, |(_, inner)| inner), None);
        self.state = match self.job {
            Job::Rows if self.page > 0 && self.page >= self.max_pages => State::Done(self.status()),
            Job::Rows => State::Ready { not_before_ms: 0 },
            _ => {
                self.page = 0;
                State::Ready { not_before_ms: 0 }
            }
        };
        true
    }

    pub fn is_settled(&self) -> bool {
        matches!(self.state, State::Done(_) | State::Dropped)
    }

    pub fn is_in_flight(&self, wanted: u32) -> bool {
        matches!(self.state, State::InFlight { call, .. } if call == wanted)
    }

    /// The arguments of the current page: a window of time is part of them.
    pub fn page_arguments(&mut self, now_ms: u64) -> Params {
        let mut arguments = self.arguments.clone();
        if let Some(bounds) = &mut self.bounds {
            bounds.at_ms = now_ms;
        }
        let Some(paging) = &self.current().page else { return arguments };
        if let Some(window) = self.position.window(paging, &self.arguments, now_ms) {
            set(&mut arguments, "since", Value::Number(window.since.to_string()));
            set(&mut arguments, "until", Value::Number(window.until.to_string()));
            self.asked = Some((window, bounds(paging, &self.arguments, now_ms)));
        }
        arguments
    }

    /// Parameters that ask for the current page. Its size is the connector's, whatever the caller would like: a page
    /// is known to be the last by it.
    pub fn set_page(&self, params: &mut Params) {
        let Some(paging) = &self.current().page else { return };
        if let (Some(limit), Some(size)) = (&paging.limit, paging.size) {
            set(params, limit, Value::Number(size.to_string()));
        }
        for (name, text) in &paging.with {
            set(params, name, Value::Text(text.clone()));
        }
        match (&paging.steps, &self.position) {
            (Steps::Cursor { param, .. } | Steps::Last { param, .. }, Position::Cursor(cursor)) => {
                set(params, param, Value::Text(cursor.clone()));
            }
            (Steps::Number { param, first, step, end }, position) => {
                let behind = if let Position::Number(count) = position { *count } else { 0 };
                let number = first.saturating_add(behind.saturating_mul(*step));
                set(params, param, Value::Number(number.to_string()));
                if let Some(end) = end {
                    set(params, end, Value::Number(number.saturating_add(*step).to_string()));
                }
            }
            _ => {}
        }
    }

    /// Goes on to the next page, or ends.
    pub fn advance(&mut self, seen: Seen) {
        let (asked, bounds) = self.asked.unzip();
        let next = match &self.listing.page {
            Some(paging) => self.position.next(paging, seen, asked, bounds),
            None => Next::End,
        };
        self.page += 1;
        self.answered = true;
        self.attempts = 0;
        self.damaged |= matches!(next, Next::Past(_) | Next::Stuck);
        if matches!(next, Next::End | Next::Stuck) && self.go_on() {
            return;
        }
        self.state = match next {
            Next::End | Next::Stuck => {
                self.position = Position::Start;
                State::Done(self.status())
            }
            Next::At(position) | Next::Past(position) => {
                self.position = position;
                if self.page < self.max_pages {
                    State::Ready { not_before_ms: 0 }
                } else if matches!(self.job, Job::Rows) {
                    // Whoever asked goes on from there.
                    State::Done(self.status())
                } else {
                    State::Done(Status::Partial(FaultCode::TooMany.into()))
                }
            }
        };
    }

    /// Ends a history behind a page; whoever asked goes on from there. False where there is nothing to go on from.
    pub fn break_off(&mut self) -> bool {
        let can = matches!(self.job, Job::Rows) && self.page > 0 && self.place() != Position::Start;
        if can {
            self.state = State::Done(self.status());
        }
        can
    }

    fn status(&self) -> Status {
        if self.damaged { Status::Partial(FaultCode::Malformed.into()) } else { Status::Ok }
    }

    /// Tries again a little later where that may help, else ends.
    pub fn fail(&mut self, fault: Fault, now_ms: u64, retry_after_ms: Option<u64>) {
        self.attempts += 1;
        if self.may_repeat(&fault) && fault.code.is_transient() && self.attempts < MAX_ATTEMPTS {
            let pause = retry_after_ms.unwrap_or(1000 << (self.attempts - 1)).min(MAX_PAUSE_MS);
            self.state = State::Ready { not_before_ms: now_ms + pause };
            return;
        }
        self.end(fault);
    }

    /// Whether the call may be sent again after this. One that moves something only where the exchange certainly did not
    /// do it, or refuses to do it twice (m38).
    pub fn may_repeat(&mut self, fault: &Fault) -> bool {
        let Job::Submit(action) = self.job else { return true };
        if self.unsent || is_refused(fault, &action.refused) {
            return true;
        }
        self.doubtful = true;
        action.once.is_some()
    }

    pub fn end(&mut self, fault: Fault) {
        let codes = match self.job {
            Job::Balance(source) => source.absent.as_slice(),
            Job::Market(call) => call.absent.as_slice(),
            _ => &[],
        };
        let absent = fault.provider_code.as_ref().is_some_and(|code| codes.contains(code));
        if absent && self.go_on() {
            return;
        }
        self.state = State::Done(match fault.code {
            _ if absent && self.answered => self.status(),
            _ if absent => Status::Absent,
            _ if self.answered => Status::Partial(fault),
            FaultCode::Provider(FaultKind::Permission) => Status::NotPermitted(fault),
            _ => Status::Failed(fault),
        });
    }
}
