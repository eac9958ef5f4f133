//! The response parser's verdicts, one line a case.

use super::super::HttpFault;
use super::super::http::ResponseParser;
use super::*;

/// Status and body of a complete response, and whether the connection can go on.
fn read(to_head: bool, bytes: &[u8]) -> Result<Option<(u16, Vec<u8>, bool)>, Fault> {
    let mut parser = ResponseParser::new(to_head, Limits { max_body: 1 << 16, ..Limits::default() });
    let taken = parser.feed(bytes)?;
    assert!(taken == bytes.len() || parser.is_complete(), "only a complete response leaves bytes");
    assert_eq!(taken, bytes.len(), "this test has no leftovers");
    let response = parser.into_response();
    Ok(response.map(|response| (response.status, response.body, response.keeps_alive)))
}

fn body(bytes: &str) -> Vec<u8> {
    read(false, bytes.as_bytes()).unwrap().expect("complete").1
}

fn fault(bytes: &str) -> Fault {
    read(false, bytes.as_bytes()).expect_err(bytes)
}

fn http_fault(bytes: &str) -> HttpFault {
    match fault(bytes) {
        Fault::Http(fault) => fault,
        other => panic!("{other:?}"),
    }
}

fn with(fields: &str) -> String {
    format!("HTTP/1.1 200 OK\r\n{fields}\r\n")
}

fn chunked(rest: &str) -> String {
    format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{rest}")
}

#[test]
fn status_lines_are_strict() {
    for line in
        ["HTTP/1.1 200", "HTTP/1.1 200 ", "HTTP/1.1 200 OK", "HTTP/1.1 999 x\ty z", "HTTP/1.1 520 \u{e9}"]
    {
        assert!(
            read(false, format!("{line}\r\nContent-Length: 0\r\n\r\n").as_bytes()).unwrap().is_some(),
            "{line}"
        );
    }
    for line in [
        "",
        "HTTP/1.1",
        "HTTP/1.1  200",
        "HTTP/2 200",
        "HTTP/1.2 200",
        "HTTP/0.9 200",
        "http/1.1 200",
        "HTTP/1.1 20",
        "HTTP/1.1 2000",
        "HTTP/1.1 099",
        "HTTP/1.1 +20",
        "HTTP/1.1 20x",
        "HTTP/1.1\t200",
        " HTTP/1.1 200",
        "ICY 200",
    ] {
        assert_eq!(http_fault(&format!("{line}\r\n\r\n")), HttpFault::StatusLine, "{line}");
    }
}

#[test]
fn lines_end_in_crlf_and_hold_no_control_bytes() {
    for head in
        ["HTTP/1.1 200 OK\n\n", "HTTP/1.1 200 OK\r\r\n", "HTTP/1.1 200 O\0K\r\n", "HTTP/1.1 200 OK\r\nA: b\n"]
    {
        assert_eq!(http_fault(head), HttpFault::Line, "{head:?}");
    }
    for value in ["a\rb", "a\0b", "a\u{7f}b", "\u{1}"] {
        assert_eq!(http_fault(&with(&format!("A: {value}\r\n"))), HttpFault::Line, "{value:?}");
    }
}

#[test]
fn header_fields_are_strict_and_not_folded() {
    for field in ["A", "A b: c", "A : b", ": b", "A\t: b", "(A): b", " folded", "\tfolded", "A:b\r\n folded"]
    {
        assert_eq!(http_fault(&with(&format!("{field}\r\n"))), HttpFault::HeaderField, "{field:?}");
    }
}

#[test]
fn length_and_chunked_together_are_refused() {
    for fields in [
        "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked\r\nContent-Length: 2\r\n",
    ] {
        assert_eq!(http_fault(&with(fields)), HttpFault::Framing);
    }
    assert_eq!(http_fault("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"), HttpFault::Framing);
}

#[test]
fn content_length_is_one_plain_number() {
    assert_eq!(body(&(with("Content-Length: 2\r\nContent-Length: 2\r\n") + "ok")), b"ok");
    for value in ["", "-1", "+1", "1 1", "0x1", "1,1", "1, 2", "18446744073709551616", "1.0", "१"] {
        assert_eq!(
            http_fault(&with(&format!("Content-Length: {value}\r\n"))),
            HttpFault::ContentLength,
            "{value}"
        );
    }
    let differing = with("Content-Length: 2\r\nContent-Length: 3\r\n");
    assert_eq!(http_fault(&differing), HttpFault::ContentLength);
}

#[test]
fn transfer_encoding_is_chunked_or_refused() {
    for fields in [
        "Transfer-Encoding: gzip, chunked\r\n",
        "Transfer-Encoding: identity\r\n",
        "Transfer-Encoding: chunked, chunked\r\n",
        "Transfer-Encoding: \r\n",
        "Transfer-Encoding: xchunked\r\n",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked;q=1\r\n",
    ] {
        assert_eq!(http_fault(&with(fields)), HttpFault::TransferEncoding, "{fields}");
    }
}

#[test]
fn m07_nothing_is_decompressed() {
    for coding in ["gzip", "br", "zstd", "identity, gzip"] {
        let fields = format!("Content-Encoding: {coding}\r\nContent-Length: 0\r\n");
        assert_eq!(http_fault(&with(&fields)), HttpFault::ContentEncoding);
    }
    assert_eq!(body(&with("Content-Encoding: identity\r\nContent-Length: 0\r\n")), b"");
}

#[test]
fn chunks_are_joined_and_trailers_dropped() {
    assert_eq!(body(&chunked("0\r\n\r\n")), b"");
    assert_eq!(body(&chunked("5\r\nhello\r\n1\r\n!\r\n0\r\n\r\n")), b"hello!");
    assert_eq!(body(&chunked("A\r\n0123456789\r\n00\r\n\r\n")), b"0123456789");
    assert_eq!(
        body(&chunked("a;name=\"v\"; b\r\n0123456789\r\n0;x\r\nTrailer: t\r\nContent-Length: 9\r\n\r\n")),
        b"0123456789"
    );
    assert_eq!(body(&chunked("4\r\n\r\n\r\n\r\n0\r\n\r\n")), b"\r\n\r\n");
}

#[test]
fn bad_chunks_are_refused() {
    for rest in [
        "\r\n",
        "x\r\n",
        "-1\r\n",
        "+1\r\n",
        " 1\r\n",
        "0x1\r\n",
        "1 2\r\n",
        "1,\r\n",
        ";ext\r\n",
        "10000000000000000\r\n",
        "1\r\nab\r\n",
        "1\r\na1\r\n",
        "0\r\nbad trailer\r\n",
    ] {
        assert!(matches!(http_fault(&chunked(rest)), HttpFault::Chunk | HttpFault::HeaderField), "{rest:?}");
    }
    for rest in ["1\na\r\n", "0\n\n", "1\r\na\n"] {
        assert!(matches!(http_fault(&chunked(rest)), HttpFault::Chunk | HttpFault::Line), "{rest:?}");
    }
}

#[test]
fn chunk_extensions_and_trailers_are_bounded() {
    assert_eq!(http_fault(&chunked(&format!("1;{}", "x".repeat(300)))), HttpFault::Chunk);
    let extended = format!("1;{}\r\na\r\n", "x".repeat(200));
    assert_eq!(http_fault(&chunked(&extended.repeat(30))), HttpFault::Chunk);
    assert_eq!(http_fault(&chunked(&format!("0\r\n{}", "A: b\r\n".repeat(200)))), HttpFault::Chunk);
    assert_eq!(http_fault(&chunked(&format!("0\r\nA: {}", "x".repeat(9_000)))), HttpFault::Chunk);
    assert_eq!(
        http_fault(&chunked(&format!("0\r\n{}", format!("A: {}\r\n", "x".repeat(900)).repeat(10)))),
        HttpFault::Chunk
    );
}

#[test]
fn header_fields_are_bounded_in_number_and_bytes() {
    assert_eq!(fault(&with(&"A: b\r\n".repeat(129))), Fault::TooLarge);
    assert_eq!(fault(&with(&format!("A: {}\r\n", "x".repeat(64 << 10)))), Fault::TooLarge);
}

#[test]
fn responses_that_have_no_body_have_none() {
    for status in [204, 304] {
        let head = format!("HTTP/1.1 {status} x\r\nContent-Length: 10\r\n\r\n");
        assert_eq!(read(false, head.as_bytes()).unwrap(), Some((status, Vec::new(), true)));
    }
    for fields in ["Content-Length: 10\r\n", "Transfer-Encoding: chunked\r\n", ""] {
        let head = with(fields);
        assert_eq!(read(true, head.as_bytes()).unwrap(), Some((200, Vec::new(), true)), "{fields}");
    }
}

#[test]
fn interim_responses_are_skipped_and_switching_protocols_is_refused() {
    let responses =
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\nContent-Length: 7\r\n\r\n"
            .to_owned()
            + &with("Content-Length: 2\r\n")
            + "ok";
    assert_eq!(body(&responses), b"ok");
    assert_eq!(http_fault("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n"), HttpFault::Interim);
}

#[test]
fn what_follows_a_complete_response_is_left_alone() {
    let mut parser = ResponseParser::new(false, Limits::default());
    let head = with("Content-Length: 2\r\n");
    let taken = parser.feed(format!("{head}okHTTP/1.1 200").as_bytes()).unwrap();
    assert_eq!(taken, head.len() + 2);
    assert!(parser.is_complete());
}

#[test]
fn a_body_without_length_is_incomplete_until_the_authenticated_close() {
    let mut parser = ResponseParser::new(false, Limits::default());
    parser.feed(b"HTTP/1.1 200 OK\r\n\r\nbody").unwrap();
    assert!(!parser.is_complete());
    parser.close();
    let response = parser.into_response().unwrap();
    assert_eq!((response.body.as_slice(), response.keeps_alive), (b"body".as_slice(), false));
}

#[test]
fn an_announced_length_allocates_nothing_before_bytes_arrive() {
    let mut parser = ResponseParser::new(false, Limits::default());
    parser.feed(with("Content-Length: 8388608\r\n").as_bytes()).unwrap();
    assert!(parser.body_capacity() <= 16 << 10);
}
