//! Hostile bytes: never a panic, never more memory than the limits allow.

use proptest::prelude::*;

use super::super::{HttpFault, fuzz_http_response};
use super::*;

#[test]
fn garbage_instead_of_tls_is_refused() {
    for garbage in [&b"HTTP/1.1 400 Bad Request\r\n\r\n"[..], &[0; 64], &[0xff; 64], b"SSH-2.0-x\r\n"] {
        let mut pair = Pair::new();
        pair.client.send(ExchangeId(1), &get("/"));
        pair.client.receive(garbage, NOW);
        assert_eq!(pair.events(), [unsent(1, Fault::NotTls), Event::Closed], "{garbage:?}");
    }
}

#[test]
fn garbage_before_the_real_handshake_is_refused() {
    let mut pair = Pair::new();
    pair.provider.receive(&pair.client.take_output().unwrap());
    let flight = [b"x".to_vec(), pair.provider.output()].concat();
    pair.client.receive(&flight, NOW);
    assert_eq!(pair.events(), [broken(Fault::NotTls), Event::Closed]);
}

#[test]
fn garbage_after_the_authenticated_close_is_not_read() {
    let mut pair = Pair::established();
    pair.send(1, &get("/"));
    pair.provider.respond(b"HTTP/1.1 200 OK\r\n\r\nall");
    pair.provider.close();
    let stream = [pair.provider.output(), vec![0x17; 300_000]].concat();
    pair.client.receive(&stream, NOW);
    let events = pair.events();
    assert_eq!(response(&events[0]), (1, 200, b"all".as_slice()));
    assert_eq!(events[1..], [Event::Closed]);
    assert_eq!(pair.client.take_output().map(|goodbye| goodbye.len()), Some(24), "one close_notify");
    assert_eq!(pair.client.held_bytes(), 0);
}

#[test]
fn garbage_between_records_is_the_hosts_fault() {
    let mut pair = Pair::established();
    pair.send(1, &get("/"));
    pair.client.receive(&[0x17, 3, 3, 0, 32].iter().chain(&[0; 32]).copied().collect::<Vec<u8>>(), NOW);
    assert_eq!(pair.events(), [failed(1, Fault::Corrupted), Event::Closed]);
}

#[test]
fn a_host_that_closes_before_the_handshake_is_blamed() {
    let mut pair = Pair::new();
    pair.client.host_closed();
    assert_eq!(pair.events(), [broken(Fault::Unreachable), Event::Closed]);
    let mut pair = Pair::new();
    pair.provider.receive(&pair.client.take_output().unwrap());
    let flight = pair.provider.output();
    pair.client.receive(&flight[..100], NOW);
    pair.client.host_closed();
    assert_eq!(pair.events(), [broken(Fault::ClosedByHost), Event::Closed]);
}

#[test]
fn a_forged_close_during_the_handshake_is_not_believed() {
    let mut pair = Pair::new();
    pair.client.receive(&[0x15, 3, 3, 0, 2, 1, 0], NOW);
    assert_eq!(pair.events(), []);
    pair.settle(NOW);
    assert_eq!(pair.events(), [Event::Ready], "it changed nothing");
}

#[test]
fn a_row_of_forged_alerts_is_refused() {
    let mut pair = Pair::new();
    for _ in 0..100 {
        pair.client.receive(&[0x15, 3, 3, 0, 2, 1, 0], NOW);
    }
    assert_eq!(pair.events(), [broken(Fault::TlsProtocol), Event::Closed]);
}

#[test]
fn an_endless_handshake_message_does_not_fill_memory() {
    // A certificate message that announces 16 MiB, in records that never complete it.
    let mut client = Pair::new().client;
    let record = [&[0x16, 3, 3, 0x40, 0][..], &[0x0b, 0xff, 0xff, 0xff], &[0; 0x4000 - 4]].concat();
    for _ in 0..64 {
        client.receive(&record, NOW);
    }
    assert!(client.held_bytes() <= 128 << 10);
    assert_eq!(client.next_deadline(), None, "it was given up");
}

#[test]
fn an_idle_connection_holds_no_buffers() {
    let mut pair = Pair::established();
    pair.send(1, &get("/"));
    pair.respond(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    pair.events();
    assert_eq!(pair.client.held_bytes(), 0);
}

#[test]
fn an_endless_head_is_refused() {
    for endless in ["HTTP/1.1 200 ", "HTTP/1.1 200 OK\r\nX: ", "HTTP/1.1 200 OK\r\nX:y\r\n"] {
        let mut pair = Pair::established();
        pair.send(1, &get("/"));
        pair.respond(endless.as_bytes());
        for _ in 0..20 {
            pair.respond("X:y\r\n".repeat(usize::from(endless.ends_with('\n')) * 800).as_bytes());
            pair.respond("z".repeat(usize::from(!endless.ends_with('\n')) * 4_000).as_bytes());
        }
        assert_eq!(pair.events(), [failed(1, Fault::TooLarge), Event::Closed], "{endless}");
    }
}

#[test]
fn an_endless_row_of_interim_responses_is_refused() {
    let mut pair = Pair::established();
    pair.send(1, &get("/"));
    pair.respond("HTTP/1.1 100 Continue\r\n\r\n".repeat(9).as_bytes());
    assert_eq!(pair.events(), [failed(1, Fault::Http(HttpFault::Interim)), Event::Closed]);
}

/// Pieces that make a random response likely to get far.
fn http_like() -> impl Strategy<Value = Vec<u8>> {
    let word = prop_oneof![
        Just(b"HTTP/1.1 200 OK\r\n".to_vec()),
        Just(b"HTTP/1.1 204 \r\n".to_vec()),
        Just(b"HTTP/1.0 200\r\n".to_vec()),
        Just(b"HTTP/1.1 100 Continue\r\n\r\n".to_vec()),
        Just(b"Transfer-Encoding: chunked\r\n".to_vec()),
        (0_u32..6000).prop_map(|length| format!("Content-Length: {length}\r\n").into_bytes()),
        (0_u32..5000).prop_map(|size| format!("{size:x}\r\n").into_bytes()),
        (0_usize..5000).prop_map(|size| format!("{size:x}\r\n{}\r\n", "d".repeat(size)).into_bytes()),
        Just(b"0\r\n\r\n".to_vec()),
        Just(b"\r\n".to_vec()),
        Just(b"\n".to_vec()),
        Just(b"; ext=1\r\n".to_vec()),
        proptest::collection::vec(any::<u8>(), 0..40),
    ];
    (any::<u8>(), proptest::collection::vec(word, 0..12))
        .prop_map(|(choice, words)| [vec![choice], words.concat()].concat())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn arbitrary_bytes_never_break_the_response_parser(data in proptest::collection::vec(any::<u8>(), 0..600)) {
        fuzz_http_response(&data);
    }

    #[test]
    fn arbitrary_mixtures_of_http_never_break_the_response_parser(data in http_like()) {
        fuzz_http_response(&data);
    }

    #[test]
    fn arbitrary_bytes_never_break_a_handshake(
        pieces in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..400), 0..8),
        prefix in 0_usize..3_000,
    ) {
        let mut pair = Pair::new();
        pair.client.send(ExchangeId(1), &get("/"));
        pair.provider.receive(&pair.client.take_output().unwrap());
        let flight = pair.provider.output();
        pair.client.receive(&flight[..prefix.min(flight.len())], NOW);
        for piece in &pieces {
            pair.client.receive(piece, NOW);
            prop_assert!(pair.client.held_bytes() <= 256 << 10);
        }
        pair.client.host_closed();
        let events = pair.events();
        prop_assert_eq!(events.last(), Some(&Event::Closed));
        let responses = events.iter().filter(|event| matches!(event, Event::Response { .. })).count();
        prop_assert_eq!(responses, 0);
    }

    #[test]
    fn one_altered_byte_of_the_providers_flight_never_gets_through(at in 0_usize..1_500, flip in 1_u8..=255) {
        let mut pair = Pair::new();
        pair.provider.receive(&pair.client.take_output().unwrap());
        let mut flight = pair.provider.output();
        let at = at % flight.len();
        flight[at] ^= flip;
        pair.client.receive(&flight, NOW);
        pair.client.tick(later(60_000));
        let events = pair.events();
        let ready = events.contains(&Event::Ready);
        prop_assert!(!ready || says_nothing(&flight, at), "altered at {}", at);
        prop_assert_eq!(events.last(), Some(&Event::Closed));
    }
}

/// Whether the altered byte at `at` tells the receiver nothing: the legacy version of a record is not authenticated (RFC 8446
/// section 5.1), and rustls takes an encrypted record that calls itself a handshake record for what it is; what it
/// holds says its type itself, authenticated (section 5.2).
fn says_nothing(stream: &[u8], at: usize) -> bool {
    let mut start = 0;
    while start + 5 <= stream.len() {
        let length = usize::from(u16::from_be_bytes([stream[start + 3], stream[start + 4]]));
        if at < start + 5 + length {
            return matches!(at - start, 1 | 2) || (at == start && start > 0 && stream[at] == HANDSHAKE);
        }
        start += 5 + length;
    }
    false
}

/// ContentType of RFC 8446 section 5.1.
const HANDSHAKE: u8 = 22;

#[test]
fn the_outer_type_of_an_encrypted_record_is_all_that_an_alteration_of_it_changes() {
    let mut pair = Pair::new();
    pair.provider.receive(&pair.client.take_output().unwrap());
    let mut flight = pair.provider.output();
    let last = record_starts(&flight).last().copied().unwrap();
    assert_eq!(flight[last], 23, "application data");
    flight[last] = HANDSHAKE;
    pair.client.receive(&flight, NOW);
    pair.settle(NOW);
    assert_eq!(pair.events(), [Event::Ready]);
}

fn record_starts(stream: &[u8]) -> Vec<usize> {
    let mut starts = Vec::new();
    let mut start = 0;
    while start + 5 <= stream.len() {
        starts.push(start);
        start += 5 + usize::from(u16::from_be_bytes([stream[start + 3], stream[start + 4]]));
    }
    starts
}
