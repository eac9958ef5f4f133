//! One operation of one credential in progress: a state machine without I/O, clock or randomness of its own.

mod clock;
mod session;

use crate::entropy::Entropy;

use super::action::Chain;
use super::answer::{Reply, refusal};
use super::credential::Credential;
use super::evaluate::Mismatch;
use super::fault::{CallerFault, Fault, FaultCode, FaultKind, TransportFault};
use super::json::Document;
use super::model::{Connector, Steps};
use super::nonce::NonceState;
use super::outcome::{Operation, Outcome, Status};
use super::page::Seen;
use super::request::Request;
use super::result::{Collected, behind_lookups, report};
use super::sign::{self, Signing};
use super::task::{Job, State, Task};
use super::time::from_http_date;

use clock::{CLOCK, is_followed};

/// The most requests that one run sends, retries and pages included.
const MAX_CALLS: u32 = 200;
/// How soon to ask again where another run of the same credential has a call in flight.
const TURN_POLL_MS: u64 = 5;

/// A call that had to wait longer for its credential's budget is not made: the owner is told instead.
const LONGEST_PAUSE_MS: u64 = 30_000;
/// A history whose next page had to wait longer is handed out as far as it came.
const PAUSE_BETWEEN_PAGES_MS: u64 = 2_000;

/// Names a call of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct CallId(pub u32);

/// What the caller does next.
#[derive(Debug)]
pub enum Step {
    /// Send this; several may be in flight. `authenticated` ones carry the credential.
    Send {
        call: CallId,
        request: Request,
        authenticated: bool,
    },
    /// Ask again after an answer, or at that time (Unix ms).
    Wait {
        until_ms: Option<u64>,
    },
    Done(Outcome),
}

/// An operation in progress. Dropping it forgets the credential.
pub struct Run {
    connector: &'static Connector,
    operation: Operation,
    credential: Option<Credential>,
    nonce: NonceState,
    skew_ms: i64,
    measured_ms: Option<i64>,
    tasks: Vec<Task>,
    calls: u32,
    collected: Collected,
    chain: Option<Box<Chain>>,
}

impl Run {
    /// Plans an operation. `skew_ms` is the provider's clock minus ours, 0 where it is not known, and taken for 0 beyond
    /// ten minutes; `nonce` is the
    /// state that all runs of this credential share.
    pub fn start(
        connector: &'static Connector,
        operation: Operation,
        credential: Option<Credential>,
        skew_ms: i64,
        nonce: NonceState,
    ) -> Result<Run, Fault> {
        if credential.as_ref().is_some_and(|credential| credential.connector() != connector.id) {
            return Err(CallerFault::NoCredential.into());
        }
        let tasks = super::result::plan(connector, &operation)?;
        let is_public = matches!(operation, Operation::Prices | Operation::Time | Operation::Read { .. });
        if credential.is_none() && !is_public {
            return Err(CallerFault::NoCredential.into());
        }
        let chain = Chain::plan(connector, &operation)?.map(Box::new);
        let (measured_ms, calls, collected) = (None, 0, Collected::default());
        let skew_ms = if is_followed(skew_ms) { skew_ms } else { 0 };
        Ok(Run {
            connector,
            operation,
            credential,
            nonce,
            skew_ms,
            measured_ms,
            tasks,
            calls,
            collected,
            chain,
        })
    }

    /// Whether its answers may hold a token.
    pub fn has_session(&self) -> bool {
        self.connector.session.is_some()
    }

    /// What to do now. `now_ms` is our clock.
    pub fn next(&mut self, now_ms: u64, entropy: &mut dyn Entropy) -> Step {
        loop {
            if let Some(step) = self.drive(now_ms, entropy) {
                return step;
            }
            let rows = &mut self.collected.records;
            let next = match &mut self.chain {
                Some(chain) => chain.next(&self.tasks, rows, now_ms),
                None => behind_lookups(self.connector, &self.operation, &mut self.tasks, &self.collected),
            };
            match next {
                Some(task) => self.tasks.push(task),
                None => return Step::Done(self.finish()),
            }
        }
    }

    /// The next step of the calls that are planned; nothing once all of them have ended.
    fn drive(&mut self, now_ms: u64, entropy: &mut dyn Entropy) -> Option<Step> {
        self.wake_reserve();
        let mut wake_ms: Option<u64> = None;
        // A task may add one behind it: the login that it waits for.
        let mut following = 0;
        while let Some(task) = self.tasks.get(following) {
            let at = following;
            following += 1;
            let State::Ready { not_before_ms } = &task.state else { continue };
            let ready_ms = *not_before_ms;
            let due_ms = if ready_ms > now_ms {
                ready_ms
            } else {
                match self.send(at, now_ms, entropy) {
                    Sent::Call(step) => return Some(step),
                    Sent::NoTurn => now_ms + TURN_POLL_MS,
                    Sent::NoBudget { until_ms } => until_ms,
                    Sent::Refused => continue,
                }
            };
            wake_ms = Some(wake_ms.map_or(due_ms, |earlier| earlier.min(due_ms)));
        }
        if !self.tasks.iter().all(Task::is_settled) {
            // A refused call may have settled the tasks that the reserve waits for.
            let until_ms = if self.any_in_flight() { wake_ms } else { wake_ms.or(Some(now_ms)) };
            return Some(Step::Wait { until_ms });
        }
        None
    }

    fn finish(&mut self) -> Outcome {
        let (skew_ms, calls) = (self.measured_ms, self.calls);
        if let Some(chain) = self.chain.take() {
            let (answer, coverage) = (chain.into_answer(), Vec::new());
            return Outcome { answer, coverage, skew_ms, calls, next: None, short: None };
        }
        let tasks = std::mem::take(&mut self.tasks);
        let collected = std::mem::take(&mut self.collected);
        report(self.connector, &self.operation, tasks, collected, skew_ms, calls)
    }

    /// The provider's answer to a call. An answer to no call of this run is ignored.
    pub fn answer(
        &mut self,
        call: CallId,
        now_ms: u64,
        status: u16,
        headers: &[(String, String)],
        body: &[u8],
    ) {
        let Some(at) = self.tasks.iter().position(|task| task.is_in_flight(call.0)) else { return };
        let Some((sent_ms, endpoint)) = self.land(at) else { return };
        self.hear_date(headers, now_ms);
        let document = Document::parse(body);
        let fault = match (&document, refusal(self.connector, status, document.as_ref().ok())) {
            (_, Some(fault)) => Some(fault),
            (Ok(_), None) => None,
            (Err(_), None) => Some(Fault { status: Some(status), ..FaultCode::Malformed.into() }),
        };
        match (fault, document) {
            (Some(fault), _) => self.refused(at, fault, now_ms, headers),
            (None, Ok(document)) => {
                let midpoint_ms = sent_ms + now_ms.saturating_sub(sent_ms) / 2;
                if self.take(at, &document, &endpoint, (headers, body), midpoint_ms).is_err() {
                    self.end(at, FaultCode::Malformed.into());
                }
            }
            (None, Err(_)) => self.end(at, FaultCode::Malformed.into()),
        }
    }

    /// A call that never got its answer.
    pub fn failed(&mut self, call: CallId, now_ms: u64, fault: TransportFault) {
        self.lost(call, now_ms, fault, false);
    }

    /// A call of which not a byte left.
    pub fn unsent(&mut self, call: CallId, now_ms: u64, fault: TransportFault) {
        self.lost(call, now_ms, fault, true);
    }

    fn lost(&mut self, call: CallId, now_ms: u64, fault: TransportFault, unsent: bool) {
        let Some(at) = self.tasks.iter().position(|task| task.is_in_flight(call.0)) else { return };
        self.land(at);
        if let Some(task) = self.tasks.get_mut(at) {
            task.unsent = unsent;
        }
        self.fail(at, FaultCode::Transport(fault).into(), now_ms, None);
    }

    /// Whether something may have been moved: what ends the run now does not know that nothing was.
    pub fn may_have_acted(&self) -> bool {
        self.chain.as_ref().is_some_and(|chain| chain.has_submitted())
    }

    /// Ends the flight of a call and gives its turn back.
    fn land(&mut self, at: usize) -> Option<(u64, String)> {
        let task = self.tasks.get_mut(at)?;
        match std::mem::replace(&mut task.state, State::Ready { not_before_ms: 0 }) {
            State::InFlight { sent_ms, endpoint, turn, .. } => {
                drop(turn);
                Some((sent_ms, endpoint))
            }
            other => {
                task.state = other;
                None
            }
        }
    }

    fn send(&mut self, at: usize, now_ms: u64, entropy: &mut dyn Entropy) -> Sent {
        if self.calls >= MAX_CALLS {
            self.end(at, FaultCode::TooMany.into());
            return Sent::Refused;
        }
        let provider_ms = now_ms.saturating_add_signed(self.skew_ms);
        let Some(task) = self.tasks.get(at) else { return Sent::Refused };
        let rule = sign::rule(self.connector, &task.current().call, &task.extra, self.credential.as_ref());
        // An address that is asked about is the owner's, even where nothing is signed.
        let authenticated = rule.is_some_and(|rule| rule.authenticates()) || task.current().names_field();
        let session = if rule.is_some_and(|rule| rule.uses_session()) {
            let Some(number) = self.enter(now_ms) else {
                self.log_in(at);
                return Sent::Refused;
            };
            Some(number)
        } else {
            None
        };
        let Some(task) = self.tasks.get_mut(at) else { return Sent::Refused };
        task.session = session;
        let counted = self.connector.nonce.filter(|_| authenticated);
        let turn = if counted.is_some() {
            match self.nonce.take_turn() {
                Some(turn) => Some(turn),
                None => return Sent::NoTurn,
            }
        } else {
            None
        };
        let limit = self.connector.limit.filter(|_| authenticated);
        let cost = task.current().call.cost;
        if let Some(Err(until_ms)) = limit.map(|limit| self.nonce.spend(limit, cost, now_ms)) {
            return self.without_budget(at, now_ms, until_ms);
        }
        let nonce = counted.map_or(0, |unit| self.nonce.next(unit.at(provider_ms)));
        let credential = self.credential.as_ref().filter(|_| authenticated);
        let mut signing = Signing { credential, now_ms: provider_ms, nonce, entropy };
        let request = write(self.connector, task, now_ms, &mut signing);
        match request {
            Ok(request) => {
                let call = self.calls;
                self.calls += 1;
                let endpoint = format!("{} {}", request.method.name(), request.path());
                task.state = State::InFlight { call, sent_ms: now_ms, endpoint, turn };
                task.skew_ms = self.skew_ms;
                task.unsent = false;
                Sent::Call(Step::Send { call: CallId(call), request, authenticated })
            }
            Err(fault) => {
                self.end(at, fault);
                Sent::Refused
            }
        }
    }

    /// A call that does not fit into its credential's budget now waits, unless that takes too long.
    fn without_budget(&mut self, at: usize, now_ms: u64, until_ms: u64) -> Sent {
        let pause_ms = until_ms.saturating_sub(now_ms);
        let task = self.tasks.get_mut(at);
        if pause_ms > PAUSE_BETWEEN_PAGES_MS && task.is_some_and(Task::break_off) {
            return Sent::Refused;
        }
        if pause_ms > LONGEST_PAUSE_MS {
            self.end(at, FaultCode::Provider(FaultKind::RateLimit).into());
            return Sent::Refused;
        }
        Sent::NoBudget { until_ms }
    }

    fn refused(&mut self, at: usize, fault: Fault, now_ms: u64, headers: &[(String, String)]) {
        let header = |name: &str| {
            let found = headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
            found.map(|(_, text)| text.as_str())
        };
        let clock_fault = match fault.code {
            CLOCK => true,
            FaultCode::Provider(FaultKind::Credential) => self.connector.errors.clock_unsaid,
            _ => false,
        };
        // The clock's own call is not corrected by the clock.
        let retried =
            self.tasks.get(at).is_none_or(|task| task.clock_retried || matches!(task.job, Job::Clock));
        let repeats = self.tasks.get_mut(at).is_some_and(|task| task.may_repeat(&fault));
        if fault.code.is_of_credential() && repeats && self.is_first_session(at) {
            self.renew(at, now_ms);
            return;
        }
        if clock_fault && repeats && !retried {
            self.correct_clock(at, fault, now_ms, header("date").and_then(from_http_date));
            return;
        }
        let retry_after_ms =
            header("retry-after").and_then(|text| text.parse::<u64>().ok()).map(|s| s.saturating_mul(1000));
        self.fail(at, fault, now_ms, retry_after_ms);
    }

    fn take(
        &mut self,
        at: usize,
        document: &Document<'_>,
        endpoint: &str,
        (headers, body): (&[(String, String)], &[u8]),
        midpoint_ms: u64,
    ) -> Result<(), Mismatch> {
        let Some(task) = self.tasks.get_mut(at) else { return Ok(()) };
        let reply = Reply { connector: self.connector, arguments: &task.arguments, root: document.root() };
        if matches!(task.job, Job::Clock) {
            let provider_ms = reply.instant(task.listing, "at").ok_or(Mismatch)?;
            self.collected.time_ms = Some(provider_ms);
            task.state = State::Done(Status::Ok);
            self.set_clock(Some(provider_ms), midpoint_ms);
            return Ok(());
        }
        if let Job::Session(session) = task.job {
            let (values, ends_ms) = reply.session(session, headers, midpoint_ms).ok_or(Mismatch)?;
            self.nonce.keep_session(values, ends_ms);
            task.state = State::Dropped;
            self.logged_in(None);
            return Ok(());
        }
        if let Some(each) = task.finding() {
            let found = reply.records(each)?;
            task.damaged |= found.damaged;
            task.spread(found.rows);
            return Ok(());
        }
        let taken =
            self.collected.take(task.job, task.listing, &reply, endpoint, body, task.bounds.as_mut())?;
        let seen = match task.listing.page.as_ref().map(|paging| &paging.steps) {
            Some(Steps::Cursor { next, .. }) => Seen { cursor: reply.cursor(next), ..taken.seen },
            _ => taken.seen,
        };
        task.damaged |= taken.damaged;
        let row = task.row();
        task.advance(seen);
        if task.row() != row {
            self.collected.begin();
        }
        Ok(())
    }

    fn fail(&mut self, at: usize, fault: Fault, now_ms: u64, retry_after_ms: Option<u64>) {
        if let Some(task) = self.tasks.get_mut(at) {
            task.fail(fault, now_ms, retry_after_ms);
        }
        self.clock_given_up();
        self.session_given_up();
    }

    fn end(&mut self, at: usize, fault: Fault) {
        if let Some(task) = self.tasks.get_mut(at) {
            task.end(fault);
        }
        self.clock_given_up();
        self.session_given_up();
    }

    /// Probes in reserve are sent only where the ones before them did not tell.
    fn wake_reserve(&mut self) {
        let reserve = |task: &Task| matches!(task.state, State::Reserve);
        if !self.tasks.iter().any(reserve)
            || !self.tasks.iter().all(|task| task.is_settled() || reserve(task))
        {
            return;
        }
        let told =
            self.tasks.iter().any(|task| matches!(task.state, State::Done(Status::Ok | Status::Partial(_))));
        for task in self.tasks.iter_mut().filter(|task| reserve(task)) {
            task.state = if told { State::Dropped } else { State::Ready { not_before_ms: 0 } };
        }
    }

    fn any_in_flight(&self) -> bool {
        self.tasks.iter().any(|task| matches!(task.state, State::InFlight { .. }))
    }
}

enum Sent {
    Call(Step),
    /// Another call of the credential is in flight.
    NoTurn,
    /// The credential has spent what the exchange lets it; more comes with time.
    NoBudget {
        until_ms: u64,
    },
    /// The call cannot be written; its task has ended.
    Refused,
}

fn write(
    connector: &Connector,
    task: &mut Task,
    now_ms: u64,
    signing: &mut Signing<'_>,
) -> Result<Request, Fault> {
    let mut params = sign::params(connector, task.current(), task.page_arguments(now_ms), signing)?;
    task.set_page(&mut params);
    params.extend(task.extra.iter().cloned());
    let request = sign::build(connector, &task.current().call, params, signing)?;
    if request.is_sendable() { Ok(request) } else { Err(CallerFault::Argument.into()) }
}

impl std::fmt::Debug for Run {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Run({}, {} calls)", self.connector.id, self.calls)
    }
}
