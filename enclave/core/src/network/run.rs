//! One operation on a chain in progress: a state machine without I/O, clock or randomness, like
//! [`connector::Run`](crate::connector::Run), which it stands beside.

use super::account::Account;
use super::addresses::Addresses;
use super::ask::{Answers, Ask};
use super::history::Query;
use super::model::{Family, Network, Node};
use super::reading::{Found, Reading, Turn};
use super::spend::{self, Task};
use super::{bitcoin, evm, reading::source, solana};
use crate::connector::{
    Answer, CallId, CallerFault, Fault, FaultCode, FaultKind, Operation, Outcome, Status, Step,
    TransportFault, Value, find_value,
};
use std::sync::Arc;

/// The most requests that one run sends, over all nodes.
const MAX_CALLS: u32 = 600;
/// Of those, at one time.
const MAX_IN_FLIGHT: usize = 8;
/// Bytes that the answers of one turn may have together.
const MAX_TURN_BYTES: usize = 8 << 20;
/// How often a node that is busy is asked again, and what it is given to recover.
const MAX_RETRIES: u32 = 2;
const PAUSE_MS: u64 = 1_000;
const MAX_PAUSE_MS: u64 = 10_000;

/// An operation in progress.
pub struct Run {
    network: &'static Network,
    wanted: Wanted,
    /// The place of the node that is asked.
    node: usize,
    reading: Option<Box<dyn Reading>>,
    calls: Vec<Call>,
    numbered: u32,
    sent: u32,
    /// Where every node failed, why the last one did.
    over: Option<Fault>,
}

/// What is done with each node, until one has answered all of it.
enum Wanted {
    Read(Operation, Account),
    Spend(Arc<Task>),
}

struct Call {
    number: u32,
    ask: Ask,
    retries: u32,
    state: State,
}

enum State {
    Ready { not_before_ms: u64 },
    InFlight,
    Answered(Vec<u8>),
}

impl Run {
    /// Plans an operation on what belongs to an account.
    pub fn start(network: &'static Network, operation: Operation, account: Account) -> Result<Run, Fault> {
        Run::begin(network, Wanted::Read(operation, account))
    }

    /// Plans a payment: its terms, sending it, or looking for it.
    pub fn spend(task: Arc<Task>) -> Result<Run, Fault> {
        Run::begin(task.network(), Wanted::Spend(task))
    }

    fn begin(network: &'static Network, wanted: Wanted) -> Result<Run, Fault> {
        let (reading, calls) = (Some(wanted.begin(network)?), Vec::new());
        Ok(Run { network, wanted, node: 0, reading, calls, numbered: 0, sent: 0, over: None })
    }

    /// What to do now.
    pub fn next(&mut self, now_ms: u64) -> Step {
        loop {
            if let Some(fault) = self.over.take() {
                return Step::Done(self.failed_outcome(fault));
            }
            if self.calls.iter().all(|call| matches!(call.state, State::Answered(_))) {
                match self.turn(now_ms) {
                    Ok(Turn::Ask(asks)) => self.ask(asks),
                    Ok(Turn::Done(found)) => return Step::Done(self.outcome(found)),
                    Err(fault) => self.leave_node(fault),
                }
                continue;
            }
            return match self.ready(now_ms) {
                Some(at) if self.in_flight() < MAX_IN_FLIGHT => match self.send(at) {
                    Some(step) => step,
                    None => continue,
                },
                Some(_) => Step::Wait { until_ms: None },
                None => Step::Wait { until_ms: self.wake_ms() },
            };
        }
    }

    /// A node's answer to a call. An answer to no call of this run is ignored.
    pub fn answer(
        &mut self,
        call: CallId,
        now_ms: u64,
        status: u16,
        headers: &[(String, String)],
        body: &[u8],
    ) {
        let held: usize = self.calls.iter().map(|call| call.state.bytes()).sum();
        let Some(call) = self.flying(call) else { return };
        match call.ask.check(call.number, status, body) {
            Ok(()) if held.saturating_add(body.len()) > MAX_TURN_BYTES => {
                self.leave_node(FaultCode::TooMany.into());
            }
            Ok(()) => call.state = State::Answered(body.to_vec()),
            Err(fault) if is_pause(&fault) && call.retries < MAX_RETRIES => {
                call.retries += 1;
                let pause_ms = retry_after_ms(headers).unwrap_or(PAUSE_MS << call.retries).min(MAX_PAUSE_MS);
                call.state = State::Ready { not_before_ms: now_ms.saturating_add(pause_ms) };
            }
            Err(fault) => self.leave_node(fault),
        }
    }

    /// A call that never got its answer. The next node is asked at once: there is one more often than not, and waiting
    /// for the first is what its operator, or the host, would like.
    pub fn failed(&mut self, call: CallId, now_ms: u64, fault: TransportFault) {
        let is_last = self.node + 1 >= self.network.nodes.len();
        let Some(call) = self.flying(call) else { return };
        if is_last && call.retries < 1 && fault != TransportFault::Tls {
            call.retries += 1;
            call.state = State::Ready { not_before_ms: now_ms.saturating_add(PAUSE_MS) };
            return;
        }
        self.leave_node(FaultCode::Transport(fault).into());
    }

    fn turn(&mut self, now_ms: u64) -> Result<Turn, Fault> {
        let calls = std::mem::take(&mut self.calls);
        let bodies = calls.into_iter().filter_map(|call| match call.state {
            State::Answered(body) => Some(Ok(body)),
            State::Ready { .. } | State::InFlight => None,
        });
        let answers = Answers::new(bodies.collect());
        let reading = self.reading.as_mut().ok_or(FaultCode::Internal)?;
        reading.turn(&answers, now_ms)
    }

    fn ask(&mut self, asks: Vec<Ask>) {
        for ask in asks {
            self.numbered += 1;
            let state = State::Ready { not_before_ms: 0 };
            self.calls.push(Call { number: self.numbered, ask, retries: 0, state });
        }
        if self.calls.is_empty() {
            // INVARIANT: a turn asks something or is done; otherwise nothing would ever wake this run.
            self.over = Some(FaultCode::Internal.into());
        }
    }

    fn send(&mut self, at: usize) -> Option<Step> {
        if self.sent >= MAX_CALLS {
            self.over = Some(FaultCode::TooMany.into());
            return None;
        }
        let node: &Node = self.network.nodes.get(self.node)?;
        let call = self.calls.get_mut(at)?;
        let request = call.ask.request(node, call.number);
        if !request.is_sendable() {
            self.over = Some(CallerFault::Argument.into());
            return None;
        }
        call.state = State::InFlight;
        self.sent += 1;
        Some(Step::Send { call: CallId(call.number), request, authenticated: false })
    }

    /// Begins anew with the next node, or is over.
    fn leave_node(&mut self, fault: Fault) {
        self.calls.clear();
        self.node += 1;
        if self.node >= self.network.nodes.len() {
            self.over = Some(fault);
            return;
        }
        match self.wanted.begin(self.network) {
            Ok(reading) => self.reading = Some(reading),
            Err(fault) => self.over = Some(fault),
        }
    }

    fn flying(&mut self, call: CallId) -> Option<&mut Call> {
        let flying = |other: &&mut Call| other.number == call.0 && matches!(other.state, State::InFlight);
        self.calls.iter_mut().find(flying)
    }

    fn ready(&self, now_ms: u64) -> Option<usize> {
        let due =
            |call: &Call| matches!(call.state, State::Ready { not_before_ms } if not_before_ms <= now_ms);
        self.calls.iter().position(due)
    }

    fn in_flight(&self) -> usize {
        self.calls.iter().filter(|call| matches!(call.state, State::InFlight)).count()
    }

    fn wake_ms(&self) -> Option<u64> {
        let wake = |call: &Call| match call.state {
            State::Ready { not_before_ms } => Some(not_before_ms),
            State::InFlight | State::Answered(_) => None,
        };
        self.calls.iter().filter_map(wake).min()
    }

    fn outcome(&self, found: Found) -> Outcome {
        let Found { answer, mut coverage, next } = found;
        if matches!(self.wanted, Wanted::Read(Operation::Balances { .. }, _)) {
            let unread = self.network.unsupported.iter();
            coverage.extend(unread.map(|(name, reason)| source(name, Status::Unsupported(reason.clone()))));
        }
        Outcome { answer, coverage, skew_ms: None, calls: self.sent, next, short: None }
    }

    fn failed_outcome(&self, fault: Fault) -> Outcome {
        let coverage = vec![source("wallet", Status::Failed(fault))];
        Outcome {
            answer: Answer::Nothing,
            coverage,
            skew_ms: None,
            calls: self.sent,
            next: None,
            short: None,
        }
    }
}

impl State {
    fn bytes(&self) -> usize {
        if let State::Answered(body) = self { body.len() } else { 0 }
    }
}

impl std::fmt::Debug for Run {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Run({}, {} calls)", self.network.id, self.sent)
    }
}

impl Wanted {
    fn begin(&self, network: &'static Network) -> Result<Box<dyn Reading>, Fault> {
        match self {
            Wanted::Read(operation, account) => read(network, operation, account),
            // INVARIANT: the task was checked when it was made.
            Wanted::Spend(task) => spend::begin(task).map_err(|_| CallerFault::Argument.into()),
        }
    }
}

fn read(
    network: &'static Network,
    operation: &Operation,
    account: &Account,
) -> Result<Box<dyn Reading>, Fault> {
    match (operation, account) {
        (Operation::Balances { .. }, account) => balances(network, account),
        (operation, account) if let Some(query) = Query::of(operation) => history(network, account, query),
        (Operation::Read { operation, arguments, .. }, account) if operation == "addresses" => {
            Ok(addresses(network, find_value(arguments, "asset").map(Value::text), account))
        }
        _ => Err(CallerFault::Unsupported.into()),
    }
}

fn balances(network: &'static Network, account: &Account) -> Result<Box<dyn Reading>, Fault> {
    Ok(match (network.family, account) {
        (Family::Evm(chain), Account::Evm(address)) => Box::new(evm::Balances::of(network, chain, *address)),
        (_, Account::Bitcoin(scripts)) => Box::new(bitcoin::Balances::of(network, scripts)),
        (_, Account::Solana(address)) => Box::new(solana::Balances::of(network, *address)),
        (_, Account::Evm(_)) => return Err(CallerFault::Unsupported.into()),
    })
}

fn history(network: &'static Network, account: &Account, query: Query) -> Result<Box<dyn Reading>, Fault> {
    Ok(match (network.family, account) {
        (Family::Evm(chain), Account::Evm(address)) => {
            Box::new(evm::History::of(network, chain, *address, query))
        }
        (_, Account::Bitcoin(scripts)) => Box::new(bitcoin::History::of(network, scripts, query)),
        (_, Account::Solana(address)) => Box::new(solana::History::of(network, *address, query)),
        (_, Account::Evm(_)) => return Err(CallerFault::Unsupported.into()),
    })
}

fn addresses(network: &'static Network, asset: Option<&str>, account: &Account) -> Box<dyn Reading> {
    match account {
        Account::Evm(address) => Box::new(Addresses::of(network, asset, address.to_string())),
        Account::Solana(address) => Box::new(Addresses::of(network, asset, address.to_string())),
        Account::Bitcoin(scripts) => Box::new(bitcoin::Addresses::of(network, asset, scripts)),
    }
}

/// Whether a node asks for time.
fn is_pause(fault: &Fault) -> bool {
    matches!(fault.code, FaultCode::Provider(FaultKind::RateLimit | FaultKind::Maintenance))
}

fn retry_after_ms(headers: &[(String, String)]) -> Option<u64> {
    let (_, text) = headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("retry-after"))?;
    text.parse::<u64>().ok().map(|seconds| seconds.saturating_mul(1000))
}
