//! One TLS connection to one provider host, for one owner.

use std::sync::Arc;

use rustls::pki_types::ServerName;
use wire::UnixMillis;

use super::clock::ClaimedClock;
use super::exchanges::{Event, ExchangeId, Exchanges, Reading, Waiting};
use super::fault::{Fault, HttpFault};
use super::limits::Limits;
use super::request::{Method, Request};
use super::tls::Tls;
use super::trust::Trust;

/// A client connection as a state machine: it never waits, reads no clock and opens no socket.
///
/// The core moves bytes ([`receive`](Self::receive), [`take_output`](Self::take_output)), passes time and takes
/// events. [`Event::Closed`] comes exactly once, after everything else that became of the connection.
///
/// INVARIANT: used by one owner only; nothing is shared between connections but configuration (no session
/// tickets, no resumption), so no owner's traffic can be linked to or resumed by another's.
pub struct Connection {
    tls: Tls,
    exchanges: Exchanges,
    phase: Phase,
    limits: Limits,
    clock: Arc<ClaimedClock>,
    host: Box<str>,
    /// The latest time passed in. Never goes back: a lying clock cannot revive a certificate or a deadline.
    now: UnixMillis,
}

/// How far the connection is, and since when.
#[derive(Clone, Copy)]
enum Phase {
    Connecting {
        since: UnixMillis,
    },
    Handshaking {
        since: UnixMillis,
    },
    /// Established; `since` is when it last became idle.
    Open {
        since: UnixMillis,
    },
    Over,
}

impl Connection {
    /// Starts a connection; the first output is the ClientHello.
    ///
    /// `provider_host` is the connector's name for the host (lower-case DNS name, no port); what is dialled,
    /// named in SNI and in `Host` is [`Trust::transport_host`] of it. `tls12`: the connector declares that this
    /// provider speaks no TLS 1.3; TLS 1.2 with ECDHE and AEAD is then accepted too.
    ///
    /// # Errors
    /// [`Fault::BadHost`] if it is no DNS name, [`Fault::Internal`] if TLS cannot start. Both are ours.
    pub fn open(
        trust: &Trust,
        provider_host: &str,
        tls12: bool,
        limits: Limits,
        now: UnixMillis,
    ) -> Result<Self, Fault> {
        let host = trust.transport_host(provider_host).into_boxed_str();
        let name = server_name(&host)?;
        let clock = trust.clock();
        let tls = Tls::open(trust.config(tls12)?, name)?;
        let (exchanges, phase) = (Exchanges::default(), Phase::Connecting { since: now });
        Ok(Self { tls, exchanges, phase, limits, clock, host, now })
    }

    /// Queues a request: one is in flight at a time, in the order of the calls.
    ///
    /// A request that is refused ([`Fault::BadRequest`], [`Fault::QueueFull`], [`Fault::NotOpen`]) fails alone,
    /// by an event, with nothing written.
    pub fn send(&mut self, exchange: ExchangeId, request: &Request<'_>) {
        if let Err(fault) = self.enqueue(exchange, request) {
            self.exchanges.fail_one(exchange, fault, false);
        }
        self.write_next();
    }

    /// Takes bytes that the host says came from the provider.
    pub fn receive(&mut self, bytes: &[u8], now: UnixMillis) {
        self.tick(now);
        if bytes.is_empty() || self.is_over() {
            return;
        }
        if let Phase::Connecting { .. } = self.phase {
            self.phase = Phase::Handshaking { since: self.now };
        }
        self.clock.set(self.now);
        let mut reading = Reading::default();
        let exchanges = &mut self.exchanges;
        let result = self.tls.receive(bytes, &mut |plaintext| exchanges.read(plaintext, &mut reading));
        self.announce_ready();
        if self.tls.is_peer_closed() && reading.fault.is_none() {
            self.exchanges.peer_closed(&mut reading);
        }
        match (reading.fault, result) {
            (Some(fault), _) | (None, Err(fault)) => self.fail(fault),
            (None, Ok(())) if reading.last => self.end(),
            (None, Ok(())) => {
                self.note_idle(reading.completed);
                self.write_next();
            }
        }
    }

    /// The host says that the stream is closed. Nothing unauthenticated ends a response: see [`Fault::Truncated`].
    pub fn host_closed(&mut self) {
        match self.phase {
            Phase::Over => {}
            Phase::Connecting { .. } => self.fail(Fault::Unreachable),
            Phase::Open { .. } if self.exchanges.is_empty() => self.finish(),
            Phase::Open { .. } if self.exchanges.has_started() => self.fail(Fault::Truncated),
            Phase::Handshaking { .. } | Phase::Open { .. } => self.fail(Fault::ClosedByHost),
        }
    }

    /// Ends the connection; exchanges that are not complete fail with [`Fault::ClosedByUs`].
    pub fn close(&mut self) {
        if self.is_over() {
            return;
        }
        if !self.exchanges.is_empty() {
            self.exchanges.fail_all(Fault::ClosedByUs);
        }
        self.finish();
    }

    /// Bytes for the host to carry to the provider.
    pub fn take_output(&mut self) -> Option<Vec<u8>> {
        self.tls.take_output()
    }

    /// What happened next.
    pub fn next_event(&mut self) -> Option<Event> {
        self.exchanges.next_event()
    }

    /// Passes time and enforces the deadlines. An idle connection that outlives its time is closed, no fault.
    pub fn tick(&mut self, now: UnixMillis) {
        self.now = self.now.max(now);
        match self.deadline() {
            Some((at, fault)) if at <= self.now => match fault {
                Some(fault) => self.fail(fault),
                None => self.finish(),
            },
            _ => {}
        }
    }

    /// When [`tick`](Self::tick) will next have something to do, if no byte arrives before.
    pub fn next_deadline(&self) -> Option<UnixMillis> {
        self.deadline().map(|(at, _)| at)
    }

    /// Established, with no request in flight or waiting: ready for the owner's next one.
    pub fn is_idle(&self) -> bool {
        matches!(self.phase, Phase::Open { .. }) && self.exchanges.is_empty()
    }

    /// The name dialled, in SNI and in `Host`.
    pub fn transport_host(&self) -> &str {
        &self.host
    }

    /// Bytes of buffers held between calls, apart from the exchanges' own.
    #[cfg(test)]
    pub(super) fn held_bytes(&self) -> usize {
        self.tls.held_bytes()
    }

    fn is_over(&self) -> bool {
        matches!(self.phase, Phase::Over)
    }

    fn enqueue(&mut self, id: ExchangeId, request: &Request<'_>) -> Result<(), Fault> {
        if self.is_over() {
            return Err(Fault::NotOpen);
        }
        let bytes = request.encode(&self.host).map_err(Fault::BadRequest)?;
        let to_head = request.method == Method::Head;
        self.exchanges.enqueue(Waiting { id, bytes, to_head }, self.limits.max_queue)
    }

    /// Encrypts the next request if its turn has come. Its buffer is wiped on the way out.
    fn write_next(&mut self) {
        if !matches!(self.phase, Phase::Open { .. }) {
            return;
        }
        if let Some(waiting) = self.exchanges.next_to_send(self.now, self.limits)
            && let Err(fault) = self.tls.write(&waiting.bytes)
        {
            self.fail(fault);
        }
    }

    fn announce_ready(&mut self) {
        if self.tls.is_established() && matches!(self.phase, Phase::Handshaking { .. }) {
            self.phase = Phase::Open { since: self.now };
            self.exchanges.push(Event::Ready);
        }
    }

    fn note_idle(&mut self, completed: bool) {
        if let Phase::Open { since } = &mut self.phase
            && completed
        {
            *since = self.now;
        }
    }

    fn deadline(&self) -> Option<(UnixMillis, Option<Fault>)> {
        match self.phase {
            Phase::Over => None,
            Phase::Connecting { since } => {
                Some((since.plus(self.limits.connect_ms), Some(Fault::ConnectTimeout)))
            }
            Phase::Handshaking { since } => {
                Some((since.plus(self.limits.handshake_ms), Some(Fault::HandshakeTimeout)))
            }
            Phase::Open { since } => match self.exchanges.deadline(&self.limits) {
                Some((at, fault)) => Some((at, Some(fault))),
                None => Some((since.plus(self.limits.idle_ms), None)),
            },
        }
    }

    /// The provider closed or announced that it will: orderly for what is complete, a fault for what is not.
    fn end(&mut self) {
        if !matches!(self.phase, Phase::Open { .. }) {
            // rustls does not believe a close_notify before the handshake is over; nor would we.
            return self.fail(Fault::ClosedByHost);
        }
        if self.exchanges.has_started() {
            return self.fail(Fault::Http(HttpFault::Incomplete));
        }
        if !self.exchanges.is_empty() {
            return self.fail(Fault::ClosedByProvider);
        }
        self.finish();
    }

    fn fail(&mut self, fault: Fault) {
        self.exchanges.fail_all(fault);
        self.finish();
    }

    fn finish(&mut self) {
        if !self.is_over() {
            self.tls.close();
            self.phase = Phase::Over;
            self.exchanges.push(Event::Closed);
        }
    }
}

/// A DNS name, and nothing that the host's resolver could take for an address.
fn server_name(host: &str) -> Result<ServerName<'static>, Fault> {
    let canonical =
        !host.ends_with('.') && host.contains('.') && !host.bytes().any(|b| b.is_ascii_uppercase());
    match ServerName::try_from(host.to_owned()) {
        Ok(name @ ServerName::DnsName(_)) if canonical => Ok(name),
        _ => Err(Fault::BadHost),
    }
}
