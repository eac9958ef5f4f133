//! Time is passed in, and an answer that never comes has a defined outcome.

use super::*;

const LIMITS: Limits = Limits {
    connect_ms: 100,
    handshake_ms: 200,
    header_ms: 300,
    response_ms: 500,
    idle_ms: 1_000,
    max_body: 1 << 20,
    max_head: 1 << 16,
    max_headers: 100,
    max_queue: 4,
};

fn ready() -> Pair {
    let mut pair = Pair::with_limits(LIMITS);
    pair.settle(NOW);
    assert_eq!(pair.events(), [Event::Ready]);
    pair
}

#[test]
fn a_stream_that_never_answers_is_given_up() {
    let mut pair = Pair::with_limits(LIMITS);
    pair.client.send(ExchangeId(1), &get("/"));
    assert_eq!(pair.client.next_deadline(), Some(later(100)));
    pair.client.tick(later(99));
    assert_eq!(pair.events(), []);
    pair.client.tick(later(100));
    assert_eq!(pair.events(), [unsent(1, Fault::ConnectTimeout), Event::Closed]);
}

#[test]
fn a_handshake_that_drips_is_given_up() {
    let mut pair = Pair::with_limits(LIMITS);
    pair.provider.receive(&pair.client.take_output().unwrap());
    for (at, byte) in (50..).step_by(10).zip(pair.provider.output()) {
        pair.client.receive(&[byte], later(at));
    }
    assert_eq!(pair.events(), [broken(Fault::HandshakeTimeout), Event::Closed]);
}

#[test]
fn a_head_that_drips_is_given_up() {
    let mut pair = ready();
    pair.send(1, &get("/"));
    for at in (0..).step_by(10).take(60) {
        if pair.client.next_deadline().is_some() {
            pair.provider.respond(if at == 0 { b"HTTP/1.1 200 OK\r\nX: " } else { b"x" });
            pair.settle(later(at));
        }
    }
    assert_eq!(pair.events(), [failed(1, Fault::HeaderTimeout), Event::Closed]);
}

#[test]
fn a_body_that_drips_is_given_up() {
    let mut pair = ready();
    pair.send(1, &get("/"));
    pair.provider.respond(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n");
    for at in (0..=500).step_by(10) {
        pair.provider.respond(b"x");
        pair.settle(later(at));
    }
    assert_eq!(pair.events(), [failed(1, Fault::ResponseTimeout), Event::Closed]);
}

#[test]
fn bytes_that_come_after_the_deadline_come_too_late() {
    let mut pair = ready();
    pair.send(1, &get("/"));
    pair.provider.respond(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    pair.settle(later(300));
    assert_eq!(pair.events(), [failed(1, Fault::HeaderTimeout), Event::Closed]);
}

#[test]
fn an_idle_connection_is_closed_without_a_fault() {
    let mut pair = ready();
    pair.send(1, &get("/"));
    pair.provider.respond(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    pair.settle(later(200));
    pair.events();
    assert_eq!(pair.client.next_deadline(), Some(later(1_200)), "idle since its last response");
    pair.client.tick(later(1_199));
    assert!(pair.client.is_idle());
    pair.client.tick(later(1_200));
    assert_eq!(pair.events(), [Event::Closed]);
    assert!(!pair.client.is_idle());
}

#[test]
fn each_request_has_its_own_time_from_when_it_is_sent() {
    let mut pair = ready();
    pair.client.send(ExchangeId(1), &get("/1"));
    pair.client.send(ExchangeId(2), &get("/2"));
    pair.settle(later(250));
    pair.provider.respond(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    pair.settle(later(250));
    assert_eq!(pair.events().len(), 1);
    assert_eq!(pair.client.next_deadline(), Some(later(550)));
}

#[test]
fn a_clock_that_goes_back_or_jumps_extends_nothing() {
    let mut pair = ready();
    pair.send(1, &get("/"));
    pair.client.tick(later(299));
    pair.client.tick(UnixMillis(0));
    assert_eq!(pair.client.next_deadline(), Some(later(300)));
    pair.client.tick(UnixMillis(u64::MAX));
    assert_eq!(pair.events(), [failed(1, Fault::HeaderTimeout), Event::Closed]);
}
