//! Operations that wait for a provider: thousands at a time, on one thread, none of them waiting for another.
//!
//! A [`Call`] is an owner's operation. It has a run of the connector engine; `balances` also waits for the prices of
//! its exchange, which are fetched once for everyone by a run that belongs to no owner. Runs send their requests over
//! the [`Streams`], which never serve two holders.

mod faults;
mod prices;
mod stream;
mod streams;

pub(crate) use faults::refusal_of;
pub(crate) use prices::Priced;

use crate::clock::Epoch;
use crate::connector::{self, Connector, FaultCode, NonceState, Operation, Outcome, Step, TransportFault};
use crate::credentials::CredentialName;
use crate::limits::{CALL_MS, MAX_CALLS, MAX_CALLS_OF_ONE, MUST_END_MS};
use crate::provider::Run;
use crate::reply::Asker;
use crate::surroundings::Surroundings;
use prices::Prices;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use stream::{Delivery, Holder, Lost};
use streams::Streams;
use wire::{ConnectionId, Refusal};
use zeroize::Zeroize;

/// What an operation wants of its provider, and what it keeps until the answer is there.
pub(crate) struct Call<W> {
    pub(crate) work: W,
    pub(crate) connection: ConnectionId,
    pub(crate) name: CredentialName,
    pub(crate) run: Run,
    /// The provider speaks TLS 1.2 at most.
    pub(crate) tls12: bool,
    /// Whose prices it waits for.
    pub(crate) prices: Option<&'static Connector>,
    /// The answer may be the only copy of something: a host that gives the request up does not end it.
    pub(crate) must_end: bool,
}

/// A call that is over.
pub(crate) struct Finished<W> {
    pub(crate) asker: Asker,
    pub(crate) work: W,
    pub(crate) outcome: Result<Outcome, Refusal>,
    /// The run ended without an outcome, and something may have been moved.
    pub(crate) doubtful: bool,
    /// Absent unless the call wanted prices.
    pub(crate) prices: Option<Priced>,
}

/// Names a run; in the order of their starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct RunId(u64);

/// Everything that is under way with providers. `W` is what an operation keeps until its answer is there.
pub(crate) struct Calls<W> {
    runs: BTreeMap<RunId, Active>,
    waiting: BTreeMap<RunId, Waiting<W>>,
    by_stream: BTreeMap<u32, RunId>,
    /// By connection, with those that only have room kept for them.
    in_flight: BTreeMap<ConnectionId, usize>,
    /// How many calls have room kept for them, and have not begun.
    reserved: usize,
    alarms: BTreeSet<(u64, RunId)>,
    ready: VecDeque<RunId>,
    finished: VecDeque<Finished<W>>,
    streams: Streams,
    prices: Prices,
    started: u64,
}

/// A run that is under way.
struct Active {
    run: Run,
    tls12: bool,
    holder: Holder,
    /// The run's own time: claimed when it began, then by the monotonic counter.
    epoch: Epoch,
    alarm: Option<u64>,
}

/// An owner's call, until its run has an outcome and its prices are there.
struct Waiting<W> {
    asker: Asker,
    work: W,
    connection: ConnectionId,
    wants_prices: Option<&'static str>,
    must_end: bool,
    outcome: Option<Outcome>,
    deadline: u64,
}

impl<W> Default for Calls<W> {
    fn default() -> Self {
        Calls {
            runs: BTreeMap::new(),
            waiting: BTreeMap::new(),
            by_stream: BTreeMap::new(),
            in_flight: BTreeMap::new(),
            reserved: 0,
            alarms: BTreeSet::new(),
            ready: VecDeque::new(),
            finished: VecDeque::new(),
            streams: Streams::default(),
            prices: Prices::default(),
            started: 0,
        }
    }
}

impl<W> Calls<W> {
    /// Whether one more call of this connection may begin.
    pub(crate) fn check_room(&self, connection: ConnectionId) -> Result<(), Refusal> {
        let own = self.in_flight.get(&connection).copied().unwrap_or_default();
        if self.waiting.len() + self.reserved >= MAX_CALLS || own >= MAX_CALLS_OF_ONE {
            return Err(Refusal::Overloaded);
        }
        Ok(())
    }

    /// The same of a call that its owner did not ask for: one is left to them.
    pub(crate) fn check_room_beside_owner(&self, connection: ConnectionId) -> Result<(), Refusal> {
        let own = self.in_flight.get(&connection).copied().unwrap_or_default();
        if own.saturating_add(1) >= MAX_CALLS_OF_ONE {
            return Err(Refusal::Overloaded);
        }
        self.check_room(connection)
    }

    /// Keeps room for a call that begins later, or never: then [`Calls::give_back`].
    pub(crate) fn reserve(&mut self, connection: ConnectionId) {
        self.reserved += 1;
        *self.in_flight.entry(connection).or_default() += 1;
    }

    pub(crate) fn give_back(&mut self, connection: ConnectionId) {
        self.reserved = self.reserved.saturating_sub(1);
        self.count_out(connection);
    }

    /// Begins a call. Its end comes by [`Calls::next_finished`].
    pub(crate) fn start(&mut self, asker: Asker, call: Call<W>, surroundings: &mut Surroundings) {
        let Call { work, connection, name, run, tls12, prices, must_end } = call;
        let wants_prices = prices.map(|connector| connector.id.as_str());
        let id = self.add_run(run, tls12, Holder::Owner(connection, name), surroundings);
        let deadline =
            surroundings.clock.monotonic().saturating_add(if must_end { MUST_END_MS } else { CALL_MS });
        self.by_stream.insert(asker.stream, id);
        *self.in_flight.entry(connection).or_default() += 1;
        self.alarms.insert((deadline, id));
        let waiting = Waiting { asker, work, connection, wants_prices, must_end, outcome: None, deadline };
        self.waiting.insert(id, waiting);
        if let Some(connector) = prices {
            self.want_prices(connector, surroundings);
        }
        self.drive_all(surroundings);
    }

    /// Takes the calls that are over, in order.
    pub(crate) fn next_finished(&mut self) -> Option<Finished<W>> {
        self.finished.pop_front()
    }

    pub(crate) fn connected(&mut self, stream: u32, surroundings: &mut Surroundings) {
        self.streams.connected(stream, surroundings);
        self.drive_all(surroundings);
    }

    pub(crate) fn received(&mut self, stream: u32, bytes: &[u8], surroundings: &mut Surroundings) {
        self.streams.received(stream, bytes, surroundings);
        self.drive_all(surroundings);
    }

    pub(crate) fn gone(&mut self, stream: u32, surroundings: &mut Surroundings) {
        self.streams.gone(stream, surroundings);
        self.drive_all(surroundings);
    }

    /// The host gave a request up: the call ends, as if its provider could not be reached.
    pub(crate) fn cancel(&mut self, request: u32, surroundings: &mut Surroundings) {
        let of_request = self.by_stream.get(&request).copied();
        if let Some(id) = of_request.filter(|id| self.waiting.get(id).is_some_and(|call| !call.must_end)) {
            self.end(id, Refusal::ProviderUnreachable, surroundings);
        }
    }

    /// Ends every call of a connection, and its streams.
    pub(crate) fn forget(&mut self, connection: ConnectionId, surroundings: &mut Surroundings) {
        let of_connection =
            |(id, call): (&RunId, &Waiting<W>)| (call.connection == connection).then_some(*id);
        let calls: Vec<RunId> = self.waiting.iter().filter_map(of_connection).collect();
        calls.into_iter().for_each(|id| self.end(id, Refusal::Forgotten, surroundings));
        self.streams.close_all(connection, surroundings);
    }

    /// Whether anybody waits for a provider, or a stream is open.
    pub(crate) fn is_under_way(&self) -> bool {
        !self.waiting.is_empty() || !self.finished.is_empty() || !self.runs.is_empty() || self.streams.any()
    }

    /// The host is gone, and every stream with it. Each call ends as if its provider took too long; what nobody waits
    /// for any more is asked anew when somebody does.
    pub(crate) fn host_gone(&mut self, surroundings: &mut Surroundings) {
        let waiting: Vec<RunId> = self.waiting.keys().copied().collect();
        waiting.into_iter().for_each(|id| self.time_out(id, surroundings));
        // What is left belongs to no owner, and alarms of runs that are gone.
        self.runs.clear();
        self.ready.clear();
        self.alarms.clear();
        self.prices.host_gone();
        self.streams.host_gone();
    }

    /// Lets time pass: deadlines of calls, pauses of runs, timeouts of streams.
    pub(crate) fn tick(&mut self, surroundings: &mut Surroundings) {
        let now = surroundings.clock.monotonic();
        while let Some((at, id)) = self.alarms.first().copied() {
            if at > now {
                break;
            }
            self.alarms.pop_first();
            if self.waiting.get(&id).is_some_and(|call| call.deadline <= now) {
                self.time_out(id, surroundings);
            } else if let Some(active) = self.runs.get_mut(&id) {
                active.alarm = None;
                self.ready.push_back(id);
            }
        }
        self.streams.tick(surroundings);
        self.drive_all(surroundings);
    }

    pub(crate) fn next_deadline(&self) -> Option<u64> {
        let alarm = self.alarms.first().map(|(at, _)| *at);
        alarm.into_iter().chain(self.streams.next_deadline()).min()
    }

    fn add_run(&mut self, run: Run, tls12: bool, holder: Holder, surroundings: &Surroundings) -> RunId {
        self.started += 1;
        let id = RunId(self.started);
        let epoch = surroundings.clock.epoch();
        self.runs.insert(id, Active { run, tls12, holder, epoch, alarm: None });
        self.ready.push_back(id);
        id
    }

    /// Works until nothing is left that can be done without the host.
    fn drive_all(&mut self, surroundings: &mut Surroundings) {
        loop {
            if let Some(delivery) = self.streams.next_delivery() {
                self.deliver(delivery, surroundings);
            } else if let Some(id) = self.ready.pop_front() {
                self.drive(id, surroundings);
            } else {
                return;
            }
        }
    }

    /// Hands a run what came of one of its requests.
    fn deliver(&mut self, delivery: Delivery, surroundings: &Surroundings) {
        let Some(active) = self.runs.get_mut(&delivery.run) else { return };
        let now = active.epoch.at(surroundings.clock.monotonic()).0;
        match delivery.answer {
            Ok(mut answer) => {
                active.run.answer(delivery.call, now, answer.status, &answer.headers, &answer.body);
                if active.run.is_answered_with_secrets() {
                    answer.body.zeroize();
                    answer.headers.iter_mut().for_each(|(_, value)| value.zeroize());
                }
            }
            Err(Lost { fault, sent: true }) => active.run.failed(delivery.call, now, fault),
            Err(Lost { fault, sent: false }) => active.run.unsent(delivery.call, now, fault),
        }
        self.ready.push_back(delivery.run);
    }

    /// Lets a run go on as far as it can.
    fn drive(&mut self, id: RunId, surroundings: &mut Surroundings) {
        while let Some(active) = self.runs.get_mut(&id) {
            let monotonic = surroundings.clock.monotonic();
            let now = active.epoch.at(monotonic).0;
            match active.run.next(now, &mut *surroundings.entropy) {
                Step::Send { call, request, .. } => {
                    let (holder, tls12) = (active.holder, active.tls12);
                    let job = (id, call);
                    if let Err(fault) = self.streams.send(holder, tls12, &request, job, surroundings) {
                        active.run.unsent(call, now, fault);
                    }
                }
                Step::Wait { until_ms } => {
                    let pause =
                        until_ms.map(|until| monotonic.saturating_add(until.saturating_sub(now).max(1)));
                    return self.set_alarm(id, pause);
                }
                Step::Done(outcome) => return self.settle(id, outcome, surroundings),
            }
        }
    }

    fn set_alarm(&mut self, id: RunId, at: Option<u64>) {
        let Some(active) = self.runs.get_mut(&id) else { return };
        if let Some(before) = core::mem::replace(&mut active.alarm, at) {
            self.alarms.remove(&(before, id));
        }
        self.alarms.extend(at.map(|at| (at, id)));
        // A deadline at the very same time shares the entry, and must not vanish with the alarm.
        self.alarms.extend(self.waiting.get(&id).map(|call| (call.deadline, id)));
    }

    /// A run is over: prices for everyone, or an owner's answer.
    fn settle(&mut self, id: RunId, outcome: Outcome, surroundings: &Surroundings) {
        self.set_alarm(id, None);
        self.runs.remove(&id);
        let Some(outcome) = self.prices.take(id, outcome, surroundings.clock.monotonic()) else {
            return self.finish_priced();
        };
        if let Some(call) = self.waiting.get_mut(&id) {
            call.outcome = Some(outcome);
            self.finish_if_complete(id);
        }
    }

    fn want_prices(&mut self, connector: &'static Connector, surroundings: &Surroundings) {
        let monotonic = surroundings.clock.monotonic();
        if !self.prices.needs(&connector.id, monotonic) {
            return;
        }
        let run = connector::Run::start(connector, Operation::Prices, None, 0, NonceState::new());
        match run {
            Ok(run) => {
                let run = Run::Exchange(Box::new(run));
                let id = self.add_run(run, connector.tls12, Holder::Public, surroundings);
                self.prices.fetching(&connector.id, id);
            }
            Err(fault) => self.prices.failed(&connector.id, fault, monotonic),
        }
    }

    fn finish_priced(&mut self) {
        let ids: Vec<RunId> = self.waiting.keys().copied().collect();
        ids.into_iter().for_each(|id| self.finish_if_complete(id));
    }

    fn finish_if_complete(&mut self, id: RunId) {
        let Some(call) = self.waiting.get(&id) else { return };
        let prices = match call.wants_prices {
            None => None,
            Some(exchange) => match self.prices.of(exchange) {
                Some(priced) => Some(priced),
                None => return,
            },
        };
        if call.outcome.is_none() {
            return;
        }
        let Some(Waiting { asker, work, outcome: Some(outcome), .. }) = self.take_waiting(id) else { return };
        self.finished.push_back(Finished { asker, work, outcome: Ok(outcome), doubtful: false, prices });
    }

    /// The provider took too long. What is there already is worth more than prices that are not.
    fn time_out(&mut self, id: RunId, surroundings: &mut Surroundings) {
        if self.waiting.get(&id).is_none_or(|call| call.outcome.is_none()) {
            return self.end(id, Refusal::ProviderTimeout, surroundings);
        }
        let Some(Waiting { asker, work, outcome: Some(outcome), .. }) = self.take_waiting(id) else { return };
        let prices = Some(Err(FaultCode::Transport(TransportFault::Timeout).into()));
        self.finished.push_back(Finished { asker, work, outcome: Ok(outcome), doubtful: false, prices });
    }

    /// Ends a call before its provider answered.
    fn end(&mut self, id: RunId, refusal: Refusal, surroundings: &mut Surroundings) {
        self.set_alarm(id, None);
        let mut doubtful = false;
        if let Some(active) = self.runs.remove(&id) {
            doubtful = active.run.may_have_acted();
            self.streams.abandon(&active.holder, id, surroundings);
        }
        let Some(Waiting { asker, work, .. }) = self.take_waiting(id) else { return };
        self.finished.push_back(Finished { asker, work, outcome: Err(refusal), doubtful, prices: None });
    }

    fn take_waiting(&mut self, id: RunId) -> Option<Waiting<W>> {
        let call = self.waiting.remove(&id)?;
        self.alarms.remove(&(call.deadline, id));
        if self.by_stream.get(&call.asker.stream) == Some(&id) {
            self.by_stream.remove(&call.asker.stream);
        }
        self.count_out(call.connection);
        Some(call)
    }

    fn count_out(&mut self, connection: ConnectionId) {
        if let Some(count) = self.in_flight.get_mut(&connection) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                self.in_flight.remove(&connection);
            }
        }
    }
}
