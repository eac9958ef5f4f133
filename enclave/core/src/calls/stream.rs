//! One egress stream: a TLS connection to one host, held by one owner, or by nobody for what is public.

use super::RunId;
use super::faults::of_egress;
use crate::clock::Epoch;
use crate::connector::{CallId, Method, Request, TransportFault};
use crate::credentials::CredentialName;
use crate::egress::{self, Connection, Event, ExchangeId};
use std::collections::{BTreeMap, VecDeque};
use wire::ConnectionId;

/// Whose stream it is. Never shared: two holders never use one TLS connection. A connection id alone is no holder,
/// because two people can have chosen the same one.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Holder {
    /// Public data, requested without a credential.
    Public,
    Owner(ConnectionId, CredentialName),
}

impl Holder {
    pub(super) fn is_of(&self, connection: ConnectionId) -> bool {
        matches!(self, Holder::Owner(id, _) if *id == connection)
    }
}

/// What came of one request of a run.
pub(super) struct Delivery {
    pub(super) run: RunId,
    pub(super) call: CallId,
    pub(super) answer: Result<Answer, Lost>,
}

/// A request that has no answer.
pub(super) struct Lost {
    pub(super) fault: TransportFault,
    /// Whether some of it may have left.
    pub(super) sent: bool,
}

pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
}

pub(super) struct Stream {
    pub(super) holder: Holder,
    pub(super) host: String,
    /// When it is next due, as registered.
    pub(super) alarm: Option<u64>,
    connection: Connection,
    /// The connection's own time: claimed when it was opened, then by the monotonic counter. So the host's later
    /// claims neither stretch a timeout nor change when certificates are judged.
    epoch: Epoch,
    /// Nothing is sent before the host says that the stream is connected.
    connected: bool,
    closed: bool,
    sent: u64,
    jobs: BTreeMap<ExchangeId, (RunId, CallId)>,
}

impl Stream {
    pub(super) fn new(holder: Holder, host: &str, connection: Connection, epoch: Epoch) -> Stream {
        Stream {
            holder,
            host: host.to_owned(),
            alarm: None,
            connection,
            epoch,
            connected: false,
            closed: false,
            sent: 0,
            jobs: BTreeMap::new(),
        }
    }

    /// How many requests are under way or wait for their turn.
    pub(super) fn load(&self) -> usize {
        self.jobs.len()
    }

    pub(super) fn serves(&self, run: RunId) -> bool {
        self.jobs.values().any(|(serving, _)| *serving == run)
    }

    pub(super) fn is_closed(&self) -> bool {
        self.closed
    }

    /// Its time goes on first: deadlines count from now, not from when the stream became idle.
    pub(super) fn send(&mut self, request: &Request, job: (RunId, CallId), monotonic: u64) {
        self.tick(monotonic);
        self.sent += 1;
        let exchange = ExchangeId(self.sent);
        self.jobs.insert(exchange, job);
        let headers: Vec<(&str, &str)> =
            request.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let request = egress::Request {
            method: method(request.method),
            target: &request.target,
            headers: &headers,
            body: &request.body,
        };
        self.connection.send(exchange, &request);
    }

    pub(super) fn connected(&mut self) {
        self.connected = true;
    }

    pub(super) fn receive(&mut self, bytes: &[u8], monotonic: u64) {
        self.connection.receive(bytes, self.epoch.at(monotonic));
    }

    pub(super) fn gone(&mut self) {
        self.connection.host_closed();
    }

    pub(super) fn close(&mut self) {
        self.connection.close();
    }

    pub(super) fn tick(&mut self, monotonic: u64) {
        self.connection.tick(self.epoch.at(monotonic));
    }

    /// When it is next due, on the monotonic counter.
    pub(super) fn deadline(&self) -> Option<u64> {
        self.connection.next_deadline().map(|at| self.epoch.monotonic_at(at))
    }

    /// Bytes for the host, once it can take them.
    pub(super) fn take_output(&mut self) -> Option<Vec<u8>> {
        if self.connected { self.connection.take_output() } else { None }
    }

    /// Turns what happened into deliveries.
    pub(super) fn take_events(&mut self, deliveries: &mut VecDeque<Delivery>) {
        while let Some(event) = self.connection.next_event() {
            let (exchange, answer) = match event {
                Event::Ready => continue,
                Event::Closed => {
                    self.closed = true;
                    continue;
                }
                Event::Response { exchange, status, headers, body } => {
                    let headers = headers.iter().map(|h| (h.name.to_string(), h.value.to_string())).collect();
                    (exchange, Ok(Answer { status, headers, body }))
                }
                Event::Failed { exchange: Some(exchange), fault, sent } => {
                    (exchange, Err(Lost { fault: of_egress(fault), sent }))
                }
                Event::Failed { exchange: None, .. } => continue,
            };
            if let Some((run, call)) = self.jobs.remove(&exchange) {
                deliveries.push_back(Delivery { run, call, answer });
            }
        }
    }
}

fn method(method: Method) -> egress::Method {
    match method {
        Method::Get => egress::Method::Get,
        Method::Post => egress::Method::Post,
        Method::Put => egress::Method::Put,
        Method::Patch => egress::Method::Patch,
        Method::Delete => egress::Method::Delete,
    }
}
