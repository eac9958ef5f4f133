//! Requests and responses over an established connection.

use super::super::HttpFault;
use super::*;

const OK: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

#[test]
fn a_request_is_written_as_it_was_given() {
    let mut pair = Pair::established();
    let headers = [("API-Key", "public"), ("api-sign", "c2ln")];
    let request = Request {
        method: Method::Post,
        target: "/0/private/Balance?a=b",
        headers: &headers,
        body: b"nonce=1",
    };
    pair.send(1, &request);
    let expected = format!(
        "POST /0/private/Balance?a=b HTTP/1.1\r\nhost: {DIALLED}\r\naccept-encoding: identity\r\n\
         API-Key: public\r\napi-sign: c2ln\r\ncontent-length: 7\r\n\r\nnonce=1"
    );
    assert_eq!(pair.provider.request(), expected);
}

#[test]
fn m18_a_request_is_encoded_without_leaving_unwiped_copies_behind() {
    // The one buffer is of type `Zeroizing` and exactly as large as what is in it: it was never moved.
    let headers = [("API-Key", "canary"), ("api-sign", "canary")];
    for (method, body) in
        [(Method::Post, &b"canary"[..]), (Method::Put, b""), (Method::Delete, b""), (Method::Get, b"")]
    {
        let request = Request { method, target: "/canary?canary", headers: &headers, body };
        let bytes: zeroize::Zeroizing<Vec<u8>> = request.encode(DIALLED).unwrap();
        assert_eq!(bytes.len(), bytes.capacity(), "{method:?}");
    }
}

#[test]
fn a_connection_carries_one_exchange_after_another() {
    let mut pair = Pair::established();
    for id in 0..5 {
        pair.send(id, &get(&format!("/{id}")));
        assert!(pair.provider.request().starts_with(&format!("GET /{id} HTTP/1.1\r\n")));
        assert!(!pair.client.is_idle());
        pair.respond(format!("HTTP/1.1 200 OK\r\nX-Id: {id}\r\nContent-Length: 1\r\n\r\n{id}").as_bytes());
        let events = pair.events();
        assert_eq!(response(&events[0]), (id, 200, id.to_string().as_bytes()));
        assert_eq!(events.len(), 1);
        assert!(pair.client.is_idle());
    }
}

#[test]
fn requests_queued_before_the_handshake_are_sent_in_order_one_at_a_time() {
    let mut pair = Pair::new();
    for id in 0..3 {
        pair.client.send(ExchangeId(id), &get(&format!("/{id}")));
    }
    pair.settle(NOW);
    assert_eq!(pair.events(), [Event::Ready]);
    for id in 0..3 {
        let request = pair.provider.request();
        assert!(request.starts_with(&format!("GET /{id} ")));
        assert_eq!(request.matches("HTTP/1.1").count(), 1, "one in flight");
        pair.respond(OK);
        assert_eq!(response(&pair.events()[0]), (id, 200, b"ok".as_slice()));
    }
}

#[test]
fn response_headers_are_read_without_regard_to_case() {
    let mut pair = Pair::established();
    pair.send(1, &get("/"));
    pair.respond(b"HTTP/1.1 429 Too Many Requests\r\nRETRY-After: \t7 \r\nSet-Cookie: a\r\nset-cookie: b\r\nContent-Length: 0\r\n\r\n");
    let Some(Event::Response { status: 429, headers, body, .. }) = pair.client.next_event() else { panic!() };
    assert_eq!(headers.get("retry-after"), Some("7"));
    assert_eq!(headers.all("set-cookie").collect::<Vec<_>>(), ["a", "b"]);
    assert_eq!((headers.get("x"), body.len(), headers.len()), (None, 0, 4));
}

#[test]
fn a_redirect_is_a_response_and_is_not_followed() {
    let mut pair = Pair::established();
    pair.send(1, &get("/"));
    pair.provider.request();
    pair.respond(b"HTTP/1.1 302 Found\r\nLocation: https://evil.test/\r\nContent-Length: 0\r\n\r\n");
    assert_eq!(response(&pair.events()[0]), (1, 302, b"".as_slice()));
    assert_eq!(pair.provider.request(), "");
}

#[test]
fn every_cut_of_the_byte_stream_gives_the_same_events() {
    // One provider's stream, recorded, cannot be replayed to another handshake: each cut is a new connection.
    let chunked = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nT: v\r\n\r\n";
    let authority = Authority::sandbox();
    let trust = Trust::sandbox(authority.der()).unwrap();
    let config = Provider::config(&authority.issue(&[DIALLED]), BOTH);
    for cut in 0.. {
        let client = Connection::open(&trust, HOST, false, Limits::default(), NOW).unwrap();
        let mut pair = Pair { client, provider: Provider::accept(config.clone()) };
        pair.client.send(ExchangeId(1), &get("/"));
        pair.provider.receive(&pair.client.take_output().unwrap());
        let flight = pair.provider.output();
        if cut > flight.len() {
            break;
        }
        let (first, second) = flight.split_at(cut);
        pair.client.receive(first, NOW);
        pair.client.receive(second, NOW);
        pair.settle(NOW);
        pair.provider.respond(chunked);
        let flight = pair.provider.output();
        let (first, second) = flight.split_at(cut % flight.len());
        pair.client.receive(first, NOW);
        pair.client.receive(second, NOW);
        let events = pair.events();
        assert_eq!(events[0], Event::Ready, "cut at {cut}");
        assert_eq!(response(&events[1]), (1, 200, b"abcde".as_slice()), "cut at {cut}");
    }
}

#[test]
fn a_stream_in_single_bytes_gives_the_same_events() {
    let mut pair = Pair::new();
    pair.client.send(ExchangeId(1), &get("/"));
    for plaintext in [b"".as_slice(), OK] {
        pair.provider.receive(&pair.client.take_output().unwrap());
        pair.provider.respond(plaintext);
        for byte in pair.provider.output() {
            pair.client.receive(&[byte], NOW);
        }
    }
    let events = pair.events();
    assert_eq!(events[0], Event::Ready);
    assert_eq!(response(&events[1]), (1, 200, b"ok".as_slice()));
}

#[test]
fn interim_and_final_responses_and_tickets_may_arrive_in_one_piece() {
    let mut pair = Pair::new();
    pair.client.send(ExchangeId(1), &get("/"));
    pair.provider.receive(&pair.client.take_output().unwrap());
    let hello = pair.provider.output();
    pair.client.receive(&hello, NOW);
    pair.provider.receive(&pair.client.take_output().unwrap());
    // The session tickets that the server sends now, 103, and the final response: one chunk of bytes.
    pair.provider.respond(b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n");
    pair.provider.respond(OK);
    let coalesced = pair.provider.output();
    pair.client.receive(&coalesced, NOW);
    let events = pair.events();
    assert_eq!(response(&events[1]), (1, 200, b"ok".as_slice()));
}

#[test]
fn a_second_response_to_one_request_ends_the_connection() {
    let mut pair = Pair::established();
    pair.client.send(ExchangeId(1), &get("/1"));
    pair.client.send(ExchangeId(2), &get("/2"));
    pair.settle(NOW);
    let twice = [OK, b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nfake"].concat();
    pair.respond(&twice);
    let events = pair.events();
    assert_eq!(response(&events[0]), (1, 200, b"ok".as_slice()));
    assert_eq!(events[1..], [unsent(2, Fault::Http(HttpFault::Unsolicited)), Event::Closed]);
}

#[test]
fn bytes_without_a_request_end_the_connection() {
    let mut pair = Pair::established();
    pair.respond(OK);
    assert_eq!(pair.events(), [broken(Fault::Http(HttpFault::Unsolicited)), Event::Closed]);
}

#[test]
fn connection_close_ends_it_after_the_response_and_returns_what_was_not_sent() {
    for head in ["HTTP/1.1 200 OK\r\nConnection: x, Close\r\n", "HTTP/1.0 200 OK\r\n"] {
        let mut pair = Pair::established();
        pair.client.send(ExchangeId(1), &get("/1"));
        pair.client.send(ExchangeId(2), &get("/2"));
        pair.settle(NOW);
        pair.respond(format!("{head}Content-Length: 2\r\n\r\nok").as_bytes());
        let events = pair.events();
        assert_eq!(response(&events[0]), (1, 200, b"ok".as_slice()));
        assert_eq!(events[1..], [unsent(2, Fault::ClosedByProvider), Event::Closed]);
        assert!(!pair.provider.request().contains("/2"));
    }
}

#[test]
fn a_body_without_length_ends_with_the_providers_authenticated_close() {
    let mut pair = Pair::established();
    pair.send(1, &get("/"));
    pair.provider.respond(b"HTTP/1.1 200 OK\r\n\r\nuntil the end");
    pair.provider.close();
    pair.settle(NOW);
    let events = pair.events();
    assert_eq!(response(&events[0]), (1, 200, b"until the end".as_slice()));
    assert_eq!(events[1..], [Event::Closed]);
}

#[test]
fn a_host_that_cuts_the_stream_yields_truncated_and_never_a_short_body() {
    let head = "HTTP/1.1 200 OK\r\n";
    for response in [
        format!("{head}\r\nuntil the end"),
        format!("{head}Content-Length: 100\r\n\r\nshort"),
        format!("{head}Transfer-Encoding: chunked\r\n\r\n5\r\nwhole\r\n"),
        format!("{head}Transfer-Encoding: chunked\r\n\r\n5\r\nwhole\r\n0\r\n"),
        head.to_owned(),
    ] {
        let mut pair = Pair::established();
        pair.send(1, &get("/"));
        pair.respond(response.as_bytes());
        pair.client.host_closed();
        assert_eq!(pair.events(), [failed(1, Fault::Truncated), Event::Closed], "{response}");
    }
}

#[test]
fn a_response_cut_inside_a_record_is_truncated() {
    let mut pair = Pair::established();
    pair.send(1, &get("/"));
    pair.provider.respond(b"HTTP/1.1 200 OK\r\n\r\nfirst");
    pair.provider.respond(b"second");
    let bytes = pair.provider.output();
    pair.client.receive(&bytes[..bytes.len() - 1], NOW);
    pair.client.host_closed();
    assert_eq!(pair.events(), [failed(1, Fault::Truncated), Event::Closed]);
}

#[test]
fn an_authenticated_close_inside_a_response_is_the_providers_fault() {
    let mut pair = Pair::established();
    pair.send(1, &get("/"));
    pair.provider.respond(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort");
    pair.provider.close();
    pair.settle(NOW);
    assert_eq!(pair.events(), [failed(1, Fault::Http(HttpFault::Incomplete)), Event::Closed]);
}

#[test]
fn a_close_before_any_answer_says_who_closed() {
    let mut pair = Pair::established();
    pair.send(1, &get("/"));
    pair.provider.close();
    pair.settle(NOW);
    assert_eq!(pair.events(), [failed(1, Fault::ClosedByProvider), Event::Closed]);

    let mut pair = Pair::established();
    pair.send(1, &get("/"));
    pair.client.host_closed();
    assert_eq!(pair.events(), [failed(1, Fault::ClosedByHost), Event::Closed]);
}

#[test]
fn an_idle_connection_that_ends_is_no_fault() {
    let mut pair = Pair::established();
    pair.client.host_closed();
    assert_eq!(pair.events(), [Event::Closed]);
    let mut pair = Pair::established();
    pair.provider.close();
    pair.settle(NOW);
    assert_eq!(pair.events(), [Event::Closed]);
}

#[test]
fn closing_says_goodbye_and_fails_what_is_open() {
    let mut pair = Pair::established();
    pair.client.send(ExchangeId(1), &get("/1"));
    pair.client.send(ExchangeId(2), &get("/2"));
    pair.client.close();
    pair.client.close();
    assert_eq!(pair.events(), [failed(1, Fault::ClosedByUs), unsent(2, Fault::ClosedByUs), Event::Closed]);
    let goodbye = pair.client.take_output().unwrap();
    pair.provider.receive(&goodbye);
    assert!(!pair.provider.tls().wants_read(), "the provider saw close_notify");
}

#[test]
fn a_connection_that_is_over_takes_nothing_more() {
    let mut pair = Pair::established();
    pair.client.close();
    pair.events();
    pair.client.take_output();
    pair.client.send(ExchangeId(3), &get("/"));
    pair.respond(OK);
    pair.client.host_closed();
    pair.client.tick(later(1_000_000));
    assert_eq!(pair.events(), [unsent(3, Fault::NotOpen)]);
    assert_eq!((pair.client.take_output(), pair.client.next_deadline()), (None, None));
}

#[test]
fn a_body_above_the_limit_is_refused_however_it_is_framed() {
    let limits = Limits { max_body: 1_000, ..Limits::default() };
    let filler = "x".repeat(1_001);
    for response in [
        "HTTP/1.1 200 OK\r\nContent-Length: 1001\r\n\r\n".to_owned(),
        "HTTP/1.1 200 OK\r\nContent-Length: 18446744073709551615\r\n\r\n".to_owned(),
        format!("HTTP/1.1 200 OK\r\n\r\n{filler}"),
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3e9\r\n".to_owned(),
        format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3e8\r\n{}\r\n1\r\n", &filler[1..]),
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n".to_owned(),
    ] {
        let mut pair = Pair::with_limits(limits);
        pair.settle(NOW);
        pair.events();
        pair.send(1, &get("/"));
        pair.respond(response.as_bytes());
        assert_eq!(pair.events(), [failed(1, Fault::TooLarge), Event::Closed], "{response:.60}");
    }
}

#[test]
fn a_body_of_exactly_the_limit_arrives_whole() {
    let body = vec![b'x'; Limits::default().max_body];
    let mut pair = Pair::established();
    pair.send(1, &get("/"));
    pair.provider.respond(format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len()).as_bytes());
    // The server's buffer is small: response and transport alternate, as on a network.
    for piece in body.chunks(32 << 10) {
        pair.provider.respond(piece);
        pair.settle(NOW);
    }
    assert!(response(&pair.events()[0]) == (1, 200, &body));
}

#[test]
fn a_response_split_over_many_records_is_put_together() {
    let mut pair = Pair::established();
    pair.send(1, &get("/"));
    for byte in OK {
        pair.provider.respond(&[*byte]);
    }
    pair.settle(NOW);
    assert_eq!(response(&pair.events()[0]), (1, 200, b"ok".as_slice()));
}

#[test]
fn a_request_larger_than_a_record_arrives_whole() {
    let mut pair = Pair::established();
    let body = "y".repeat(100_000);
    let request = Request { method: Method::Put, target: "/", headers: &[], body: body.as_bytes() };
    pair.send(1, &request);
    assert!(pair.provider.request().ends_with(&format!("content-length: 100000\r\n\r\n{body}")));
}

#[test]
fn an_altered_record_is_the_hosts_fault_and_what_came_before_it_still_counts() {
    let mut pair = Pair::established();
    pair.send(1, &get("/1"));
    pair.provider.respond(OK);
    let mut bytes = pair.provider.output();
    pair.client.send(ExchangeId(2), &get("/2"));
    pair.provider.respond(OK);
    let mut altered = pair.provider.output();
    *altered.last_mut().unwrap() ^= 1;
    bytes.extend(altered);
    pair.client.receive(&bytes, NOW);
    let events = pair.events();
    assert_eq!(response(&events[0]), (1, 200, b"ok".as_slice()));
    assert_eq!(events[1..], [unsent(2, Fault::Corrupted), Event::Closed]);
}

#[test]
fn replayed_and_dropped_records_are_refused() {
    for drop in [true, false] {
        let mut pair = Pair::established();
        pair.send(1, &get("/"));
        pair.provider.respond(b"HTTP/1.1 200 OK\r\n");
        let first = pair.provider.output();
        pair.provider.respond(b"Content-Length: 0\r\n\r\n");
        let second = pair.provider.output();
        let stream = if drop { second } else { [first.clone(), first, second].concat() };
        pair.client.receive(&stream, NOW);
        assert_eq!(pair.events(), [failed(1, Fault::Corrupted), Event::Closed]);
    }
}
