//! All egress streams: kept alive between requests of one holder to one host, and bounded.

use super::RunId;
use super::stream::{Delivery, Holder, Stream};
use crate::connector::{CallId, Request, TransportFault};
use crate::credentials::CredentialName;
use crate::egress::Connection;
use crate::limits::{MAX_STREAMS, MAX_STREAMS_TO_HOST, egress_limits};
use crate::surroundings::Surroundings;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use wire::ConnectionId;
use wire::frame::Kind;

/// The one port of every provider.
const PORT: u16 = 443;

#[derive(Default)]
pub(super) struct Streams {
    by_number: BTreeMap<u32, Stream>,
    by_holder: BTreeMap<(Holder, String), Vec<u32>>,
    alarms: BTreeSet<(u64, u32)>,
    deliveries: VecDeque<Delivery>,
    opened: u32,
}

impl Streams {
    /// Sends a request over the holder's least busy stream to the host, or a new one.
    pub(super) fn send(
        &mut self,
        holder: Holder,
        tls12: bool,
        request: &Request,
        job: (RunId, CallId),
        surroundings: &mut Surroundings,
    ) -> Result<(), TransportFault> {
        // Streams whose idle time is over are no choice.
        self.tick(surroundings);
        let now = surroundings.clock.monotonic();
        let number = match self.least_busy(holder, &request.host) {
            Some(number) => number,
            None => self.open(holder, tls12, &request.host, surroundings)?,
        };
        if let Some(stream) = self.by_number.get_mut(&number) {
            stream.send(request, job, now);
        }
        self.flush(number, surroundings);
        Ok(())
    }

    pub(super) fn next_delivery(&mut self) -> Option<Delivery> {
        self.deliveries.pop_front()
    }

    pub(super) fn connected(&mut self, number: u32, surroundings: &mut Surroundings) {
        self.with(number, surroundings, |stream, _| stream.connected());
    }

    pub(super) fn received(&mut self, number: u32, bytes: &[u8], surroundings: &mut Surroundings) {
        self.with(number, surroundings, |stream, monotonic| stream.receive(bytes, monotonic));
    }

    pub(super) fn gone(&mut self, number: u32, surroundings: &mut Surroundings) {
        self.with(number, surroundings, |stream, _| stream.gone());
    }

    /// Enforces the timeouts that are due.
    pub(super) fn tick(&mut self, surroundings: &mut Surroundings) {
        let now = surroundings.clock.monotonic();
        while let Some((at, number)) = self.alarms.first().copied() {
            if at > now {
                return;
            }
            self.alarms.pop_first();
            if let Some(stream) = self.by_number.get_mut(&number) {
                stream.alarm = None;
            }
            self.with(number, surroundings, Stream::tick);
        }
    }

    pub(super) fn next_deadline(&self) -> Option<u64> {
        self.alarms.first().map(|(at, _)| *at)
    }

    /// Closes every stream of a connection, whatever credential it was opened with.
    pub(super) fn close_all(&mut self, connection: ConnectionId, surroundings: &mut Surroundings) {
        let first = Holder::Owner(connection, CredentialName::FIRST);
        for number in self.numbers_from(first, |holder| holder.is_of(connection)) {
            self.with(number, surroundings, |stream, _| stream.close());
        }
    }

    /// Closes the streams on which an answer for a run that is over would still come.
    pub(super) fn abandon(&mut self, holder: &Holder, run: RunId, surroundings: &mut Surroundings) {
        for number in self.numbers_from(*holder, |other| other == holder) {
            if self.by_number.get(&number).is_some_and(|stream| stream.serves(run)) {
                self.with(number, surroundings, |stream, _| stream.close());
            }
        }
    }

    /// An idle stream, or a busy one where the holder has as many to that host as it may have.
    fn least_busy(&self, holder: Holder, host: &str) -> Option<u32> {
        let numbers = self.by_holder.get(&(holder, host.to_owned()))?;
        let load = |number: &u32| self.by_number.get(number).map_or(usize::MAX, Stream::load);
        let best = numbers.iter().copied().min_by_key(load)?;
        (load(&best) == 0 || numbers.len() >= MAX_STREAMS_TO_HOST).then_some(best)
    }

    fn open(
        &mut self,
        holder: Holder,
        tls12: bool,
        host: &str,
        surroundings: &mut Surroundings,
    ) -> Result<u32, TransportFault> {
        if self.by_number.len() >= MAX_STREAMS {
            self.close_an_idle_one(surroundings)?;
        }
        let epoch = surroundings.clock.epoch();
        let connection =
            Connection::open(&surroundings.trust, host, tls12, egress_limits(), surroundings.clock.now())
                .map_err(super::faults::of_egress)?;
        let number = self.next_number();
        let body = [&PORT.to_be_bytes()[..], connection.transport_host().as_bytes()].concat();
        let frame = surroundings.outbox.frame(Kind::EgressOpen, number, &body);
        frame.map_err(|_| TransportFault::Refused)?;
        self.by_number.insert(number, Stream::new(holder, host, connection, epoch));
        self.by_holder.entry((holder, host.to_owned())).or_default().push(number);
        Ok(number)
    }

    fn next_number(&mut self) -> u32 {
        loop {
            self.opened = self.opened.wrapping_add(1);
            if !self.by_number.contains_key(&self.opened) {
                return self.opened;
            }
        }
    }

    fn close_an_idle_one(&mut self, surroundings: &mut Surroundings) -> Result<(), TransportFault> {
        let idle = self.by_number.iter().find(|(_, stream)| stream.load() == 0);
        let number = idle.map(|(number, _)| *number).ok_or(TransportFault::Refused)?;
        self.with(number, surroundings, |stream, _| stream.close());
        Ok(())
    }

    /// Does something to a stream, then passes on what came of it. A stream that is over is ignored.
    fn with(&mut self, number: u32, surroundings: &mut Surroundings, act: impl FnOnce(&mut Stream, u64)) {
        let monotonic = surroundings.clock.monotonic();
        if let Some(stream) = self.by_number.get_mut(&number) {
            act(stream, monotonic);
            self.flush(number, surroundings);
        }
    }

    /// Output to the host, events to the runs, the next alarm; and the end of a stream that is over.
    fn flush(&mut self, number: u32, surroundings: &mut Surroundings) {
        let Some(stream) = self.by_number.get_mut(&number) else { return };
        stream.take_events(&mut self.deliveries);
        while let Some(bytes) = stream.take_output() {
            if surroundings.outbox.frame(Kind::EgressSend, number, &bytes).is_err() {
                stream.close();
                stream.take_events(&mut self.deliveries);
            }
        }
        let alarm = stream.deadline();
        if let Some(before) = core::mem::replace(&mut stream.alarm, alarm) {
            self.alarms.remove(&(before, number));
        }
        self.alarms.extend(alarm.map(|at| (at, number)));
        if stream.is_closed() {
            self.remove(number, surroundings);
        }
    }

    fn remove(&mut self, number: u32, surroundings: &mut Surroundings) {
        let Some(stream) = self.by_number.remove(&number) else { return };
        if let Some(alarm) = stream.alarm {
            self.alarms.remove(&(alarm, number));
        }
        let key = (stream.holder, stream.host);
        if let Some(numbers) = self.by_holder.get_mut(&key) {
            numbers.retain(|other| *other != number);
            if numbers.is_empty() {
                self.by_holder.remove(&key);
            }
        }
        let closed = surroundings.outbox.frame(Kind::EgressClose, number, &[]);
        debug_assert!(closed.is_ok(), "an empty frame fits");
    }

    pub(super) fn any(&self) -> bool {
        !self.by_number.is_empty()
    }

    /// Forgets all streams, without a word to anybody: who carried them is gone. Their numbers are not used again, so that
    /// nothing late is taken for an answer.
    pub(super) fn host_gone(&mut self) {
        *self = Streams { opened: self.opened, ..Streams::default() };
    }

    /// The streams of the holders from `first` on, as long as they are `wanted`.
    fn numbers_from(&self, first: Holder, wanted: impl Fn(&Holder) -> bool) -> Vec<u32> {
        let held = self.by_holder.range((first, String::new())..).take_while(|((by, _), _)| wanted(by));
        held.flat_map(|(_, numbers)| numbers.iter().copied()).collect()
    }
}
