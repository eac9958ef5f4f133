//! The exchanges of one connection: requests that wait, the one in flight, and what became of each.

use std::collections::VecDeque;
use std::fmt;

use wire::UnixMillis;
use zeroize::Zeroizing;

use super::fault::{Fault, HttpFault};
use super::http::{Headers, ResponseParser};
use super::limits::Limits;

/// The core's name for one request and its response; unique within a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ExchangeId(pub u64);

/// What happened on a connection, in order.
#[derive(PartialEq, Eq)]
pub enum Event {
    /// The handshake is complete and the provider's name is proven.
    Ready,
    /// A whole response, framed and within its limits. Redirects are responses like any other.
    Response { exchange: ExchangeId, status: u16, headers: Headers, body: Vec<u8> },
    /// An exchange failed, or with `None` the connection while none was under way.
    ///
    /// `sent` says whether any of the request was handed to the host: if not, it is safe to send it again.
    Failed { exchange: Option<ExchangeId>, fault: Fault, sent: bool },
    /// The connection is over; its stream can be closed once the output is taken. Comes exactly once.
    Closed,
}

/// Bodies hold what a person owns: only their size is printed.
impl fmt::Debug for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ready => f.write_str("Ready"),
            Self::Response { exchange, status, headers, body } => f
                .debug_struct("Response")
                .field("exchange", exchange)
                .field("status", status)
                .field("headers", headers)
                .field("body_bytes", &body.len())
                .finish(),
            Self::Failed { exchange, fault, sent } => f
                .debug_struct("Failed")
                .field("exchange", exchange)
                .field("fault", fault)
                .field("sent", sent)
                .finish(),
            Self::Closed => f.write_str("Closed"),
        }
    }
}

/// A request that is encoded and waits for its turn.
pub(super) struct Waiting {
    pub(super) id: ExchangeId,
    pub(super) bytes: Zeroizing<Vec<u8>>,
    pub(super) to_head: bool,
}

struct InFlight {
    id: ExchangeId,
    parser: ResponseParser,
    sent_at: UnixMillis,
}

/// What the response bytes so far mean for the connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Reading {
    /// The first thing that was wrong; nothing after it is read.
    pub(super) fault: Option<Fault>,
    /// A response was completed.
    pub(super) completed: bool,
    /// A response said that it is the last one.
    pub(super) last: bool,
}

/// The queue, the request in flight and the events of one connection.
#[derive(Default)]
pub(super) struct Exchanges {
    waiting: VecDeque<Waiting>,
    in_flight: Option<Box<InFlight>>,
    events: VecDeque<Event>,
}

impl Exchanges {
    pub(super) fn enqueue(&mut self, waiting: Waiting, max_queue: usize) -> Result<(), Fault> {
        if self.waiting.len() >= max_queue {
            return Err(Fault::QueueFull);
        }
        self.waiting.push_back(waiting);
        Ok(())
    }

    /// The next request to write, if none is in flight.
    pub(super) fn next_to_send(&mut self, now: UnixMillis, limits: Limits) -> Option<Waiting> {
        if self.in_flight.is_some() {
            return None;
        }
        let waiting = self.waiting.pop_front()?;
        let parser = ResponseParser::new(waiting.to_head, limits);
        self.in_flight = Some(Box::new(InFlight { id: waiting.id, parser, sent_at: now }));
        Some(waiting)
    }

    /// Reads decrypted bytes. Those that belong to no request are a fault: the next request is not sent yet.
    pub(super) fn read(&mut self, plaintext: &[u8], reading: &mut Reading) {
        if reading.fault.is_some() || plaintext.is_empty() {
            return;
        }
        let Some(in_flight) = &mut self.in_flight else {
            reading.fault = Some(Fault::Http(HttpFault::Unsolicited));
            return;
        };
        match in_flight.parser.feed(plaintext) {
            Err(fault) => reading.fault = Some(fault),
            Ok(taken) => {
                self.complete(reading);
                if taken < plaintext.len() {
                    reading.fault = Some(Fault::Http(HttpFault::Unsolicited));
                }
            }
        }
    }

    /// The provider closed, authenticated.
    pub(super) fn peer_closed(&mut self, reading: &mut Reading) {
        reading.last = true;
        if let Some(in_flight) = &mut self.in_flight {
            in_flight.parser.close();
            self.complete(reading);
        }
    }

    /// Fails whatever is in flight or waiting with the same fault, or the connection if there is nothing.
    pub(super) fn fail_all(&mut self, fault: Fault) {
        if self.is_empty() {
            self.events.push_back(Event::Failed { exchange: None, fault, sent: false });
        }
        if let Some(in_flight) = self.in_flight.take() {
            self.fail_one(in_flight.id, fault, true);
        }
        while let Some(waiting) = self.waiting.pop_front() {
            self.fail_one(waiting.id, fault, false);
        }
    }

    pub(super) fn fail_one(&mut self, id: ExchangeId, fault: Fault, sent: bool) {
        self.push(Event::Failed { exchange: Some(id), fault, sent });
    }

    pub(super) fn push(&mut self, event: Event) {
        self.events.push_back(event);
    }

    pub(super) fn next_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// Nothing in flight and nothing waiting.
    pub(super) fn is_empty(&self) -> bool {
        self.in_flight.is_none() && self.waiting.is_empty()
    }

    /// Some of the response in flight has arrived.
    pub(super) fn has_started(&self) -> bool {
        self.in_flight.as_ref().is_some_and(|in_flight| in_flight.parser.has_started())
    }

    /// When the response in flight must be further than it is, and the fault if it is not.
    pub(super) fn deadline(&self, limits: &Limits) -> Option<(UnixMillis, Fault)> {
        let in_flight = self.in_flight.as_ref()?;
        let whole = (in_flight.sent_at.plus(limits.response_ms), Fault::ResponseTimeout);
        if in_flight.parser.has_head() {
            return Some(whole);
        }
        let head = (in_flight.sent_at.plus(limits.header_ms), Fault::HeaderTimeout);
        Some(if head.0 <= whole.0 { head } else { whole })
    }

    fn complete(&mut self, reading: &mut Reading) {
        if !self.in_flight.as_ref().is_some_and(|in_flight| in_flight.parser.is_complete()) {
            return;
        }
        let Some(in_flight) = self.in_flight.take() else { return };
        let InFlight { id: exchange, parser, .. } = *in_flight;
        let Some(response) = parser.into_response() else { return };
        reading.completed = true;
        reading.last |= !response.keeps_alive;
        let (status, headers, body) = (response.status, response.headers, response.body);
        self.events.push_back(Event::Response { exchange, status, headers, body });
    }
}
