//! What an HTTP/2 client can do to a server, and what it cannot (P8.3): each ends that client's connection, and nothing
//! else.

use crate::gateway::{Gateway, Stream};
use crate::http2::{
    ACK, CONTINUATION, DATA, END_HEADERS, END_STREAM, Frame, GOAWAY, HEADERS, PING, RST_STREAM, SETTINGS,
    begin, field, frame, get, post, read, read_to, setting,
};
use stack::memory_kib;
use std::io::Write;

const EXCHANGES: &str = "/v1/exchanges";
/// `:status: 200`, whole in the static table (RFC 7541).
const OK: u8 = 0x88;
/// What the gateway may have grown by when a flood is over.
const GROWN_KIB: u64 = 24 << 10;

/// Sends until it is no longer taken, then reads to the end: whether the server said GOAWAY, and why.
fn flood(stream: &mut Stream, frames: impl Iterator<Item = Vec<u8>>) -> Option<u32> {
    for bytes in frames {
        if stream.write_all(&bytes).is_err() {
            break;
        }
    }
    let _ = stream.flush();
    let said = read_to(stream, |frame| frame.kind == GOAWAY).ok()?;
    Some(u32::from_be_bytes(said.payload[4..8].try_into().unwrap()))
}

/// Floods five connections, and finds the gateway well afterwards.
fn is_survived(frames: impl Fn() -> Box<dyn Iterator<Item = Vec<u8>>>) {
    let gateway = Gateway::start();
    assert!(gateway.serves());
    let before = memory_kib(gateway.process.pid());
    for _ in 0..5 {
        let mut stream = gateway.connect(b"h2");
        begin(&mut stream);
        let reason = flood(&mut stream, frames());
        assert_ne!(reason, Some(0), "it was not ended for what it did");
        // Whatever was said: nothing comes after it.
        while read(&mut stream).is_ok() {}
    }
    assert!(gateway.serves());
    let after = memory_kib(gateway.process.pid());
    assert!(after < before + GROWN_KIB, "{before} KiB before, {after} KiB after");
}

#[test]
fn a_request_over_http_2_is_answered() {
    let gateway = Gateway::start();
    let mut stream = gateway.connect(b"h2");
    begin(&mut stream);
    let settings = read(&mut stream).unwrap();
    assert_eq!((settings.kind, settings.flags), (SETTINGS, 0));
    // Streams at once, window of a stream, list of fields.
    let stated = [3, 4, 6].map(|number| setting(&settings, number));
    assert_eq!(stated, [Some(32), Some(64 << 10), Some(16 << 10)]);
    stream.write_all(&frame(SETTINGS, ACK, 0, &[])).unwrap();
    stream.write_all(&frame(HEADERS, END_HEADERS | END_STREAM, 1, &get("localhost", EXCHANGES))).unwrap();
    let head = read_to(&mut stream, |frame| frame.kind == HEADERS).unwrap();
    assert_eq!((head.stream, head.payload[0]), (1, OK));
}

#[test]
fn one_connections_streams_are_for_the_name_that_it_was_made_to() {
    let gateway = Gateway::start();
    let mut stream = gateway.connect(b"h2");
    begin(&mut stream);
    for (number, authority) in [(1, "vault.test"), (3, "127.0.0.1"), (5, "evil.example")] {
        let head = frame(HEADERS, END_HEADERS | END_STREAM, number, &get(authority, EXCHANGES));
        stream.write_all(&head).unwrap();
        let body = read_to(&mut stream, |frame| frame.kind == DATA && frame.stream == number).unwrap();
        let body = String::from_utf8_lossy(&body.payload).into_owned();
        assert!(body.contains("host_not_allowed"), "{authority}: {body}");
    }
}

#[test]
fn requests_that_are_reset_at_once_end_their_connection_and_nothing_else() {
    is_survived(|| {
        Box::new((0..50_000_u32).map(|number| {
            let stream = 2 * number + 1;
            let head = frame(HEADERS, END_HEADERS | END_STREAM, stream, &get("localhost", EXCHANGES));
            [head, frame(RST_STREAM, 0, stream, &8_u32.to_be_bytes())].concat()
        }))
    });
}

#[test]
fn requests_that_are_given_up_one_by_one_end_their_connection() {
    let gateway = Gateway::start();
    let mut stream = gateway.connect(b"h2");
    begin(&mut stream);
    // Each is under way before it is reset: an answer to a ping says so.
    let given_up = (0..1000_u32).take_while(|number| {
        let name = 2 * number + 1;
        let head = frame(HEADERS, END_HEADERS, name, &post("localhost", "/v1/requests", "message/ohttp-req"));
        let asked = stream.write_all(&[head, frame(PING, 0, 0, &[7; 8])].concat());
        let heard =
            asked.and_then(|()| read_to(&mut stream, |frame| frame.kind == PING && frame.flags == ACK));
        heard.is_ok() && stream.write_all(&frame(RST_STREAM, 0, name, &8_u32.to_be_bytes())).is_ok()
    });
    let given_up = given_up.count();
    assert!((100..200).contains(&given_up), "{given_up}");
    assert!(gateway.serves());
}

#[test]
fn a_head_without_an_end_ends_its_connection_and_nothing_else() {
    is_survived(|| {
        let begun = frame(HEADERS, 0, 1, &get("localhost", EXCHANGES));
        let more = field(0, "x-more", &"m".repeat(8000));
        let rest = (0..10_000).map(move |_| frame(CONTINUATION, 0, 1, &more));
        Box::new(std::iter::once(begun).chain(rest))
    });
}

#[test]
fn empty_pieces_of_a_head_end_its_connection_and_nothing_else() {
    is_survived(|| {
        let begun = frame(HEADERS, 0, 1, &get("localhost", EXCHANGES));
        let rest = (0..100_000).map(|_| frame(CONTINUATION, 0, 1, &[]));
        Box::new(std::iter::once(begun).chain(rest))
    });
}

#[test]
fn more_streams_than_are_allowed_at_once_are_refused_and_one_that_ends_makes_room() {
    let gateway = Gateway::start();
    let mut stream = gateway.connect(b"h2");
    begin(&mut stream);
    read_to(&mut stream, |frame| frame.kind == SETTINGS && frame.flags == 0).unwrap();
    stream.write_all(&frame(SETTINGS, ACK, 0, &[])).unwrap();
    // Bodies that do not come.
    for number in 0..33 {
        let fields = post("localhost", "/v1/requests", "message/ohttp-req");
        stream.write_all(&frame(HEADERS, END_HEADERS, 2 * number + 1, &fields)).unwrap();
    }
    let refused = read_to(&mut stream, |frame| frame.kind == RST_STREAM).unwrap();
    assert_eq!((refused.stream, refused.payload), (65, 7_u32.to_be_bytes().to_vec()), "REFUSED_STREAM");
    stream.write_all(&frame(RST_STREAM, 0, 1, &8_u32.to_be_bytes())).unwrap();
    stream.write_all(&frame(HEADERS, END_HEADERS | END_STREAM, 67, &get("localhost", EXCHANGES))).unwrap();
    let head = read_to(&mut stream, |frame| frame.kind == HEADERS).unwrap();
    assert_eq!((head.stream, head.payload[0]), (67, OK));
}

#[test]
fn fields_that_are_too_long_and_requests_of_an_odd_form_are_refused_and_the_connection_goes_on() {
    let gateway = Gateway::start();
    let mut stream = gateway.connect(b"h2");
    begin(&mut stream);
    let long: Vec<u8> = (0..40).flat_map(|_| field(0, "x-more", &"m".repeat(400))).collect();
    let odd = [
        // More than 16 KiB of fields, though each frame is short enough.
        [get("localhost", EXCHANGES), long].concat(),
        // `CONNECT` names a host and no path.
        [field(2, "", "CONNECT"), field(1, "", "localhost")].concat(),
        // No path; no authority; a path that is none; two methods.
        [&[0x82, 0x87][..], &field(1, "", "localhost")].concat(),
        [&[0x82, 0x87][..], &field(4, "", EXCHANGES)].concat(),
        get("localhost", "nowhere"),
        [&[0x82][..], &get("localhost", EXCHANGES)].concat(),
        // What belongs to a connection of HTTP/1.1.
        [get("localhost", EXCHANGES), field(0, "transfer-encoding", "chunked")].concat(),
    ];
    for (number, fields) in (0..).zip(&odd) {
        let name = 2 * number + 1;
        let (first, rest) = fields.split_at(fields.len().min(10_000));
        let flags = if rest.is_empty() { END_HEADERS | END_STREAM } else { END_STREAM };
        stream.write_all(&frame(HEADERS, flags, name, first)).unwrap();
        if !rest.is_empty() {
            stream.write_all(&frame(CONTINUATION, END_HEADERS, name, rest)).unwrap();
        }
        let ended = |frame: &Frame| frame.stream == name && matches!(frame.kind, HEADERS | RST_STREAM);
        let said = read_to(&mut stream, ended).unwrap();
        assert!(said.kind == RST_STREAM || said.payload[0] != OK, "{fields:?}");
    }
    stream.write_all(&frame(HEADERS, END_HEADERS | END_STREAM, 99, &get("localhost", EXCHANGES))).unwrap();
    let head = read_to(&mut stream, |frame| frame.kind == HEADERS && frame.stream == 99).unwrap();
    assert_eq!(head.payload[0], OK);
}
