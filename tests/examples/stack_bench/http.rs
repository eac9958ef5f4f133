//! One kept-alive HTTP/1.1 connection, over TCP to the gateway or over TLS to a provider.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

/// Longer than anything that is measured may take.
const PATIENCE: Duration = Duration::from_secs(60);

pub struct Http<S> {
    stream: S,
    /// What came after the last response, or before the end of the next one.
    read: Vec<u8>,
}

pub struct Response {
    pub status: u16,
    pub body: Vec<u8>,
}

/// A connection to a loopback port, without Nagle's delay.
pub fn connect(port: u16) -> TcpStream {
    let stream = TcpStream::connect(("127.0.0.1", port)).expect("the server listens");
    stream.set_nodelay(true).expect("a socket takes options");
    stream.set_read_timeout(Some(PATIENCE)).expect("a socket takes options");
    stream
}

/// A request's bytes; `headers` come after `host` and before `content-length`.
pub fn request(method: &str, path: &str, host: &str, headers: &[(&str, &str)], body: &[u8]) -> Vec<u8> {
    let mut head = format!("{method} {path} HTTP/1.1\r\nhost: {host}\r\n");
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str(&format!("content-length: {}\r\n\r\n", body.len()));
    [head.as_bytes(), body].concat()
}

impl<S: Read + Write> Http<S> {
    pub fn new(stream: S) -> Http<S> {
        Http { stream, read: Vec::new() }
    }

    pub fn send(&mut self, request: &[u8]) {
        self.stream.write_all(request).expect("the server reads");
        self.stream.flush().expect("the server reads");
    }

    /// The next response; its body has a `content-length`, as every answer here does.
    pub fn receive(&mut self) -> Response {
        let (status, start, end) = loop {
            if let Some(found) = head(&self.read) {
                break found;
            }
            self.fill();
        };
        while self.read.len() < end {
            self.fill();
        }
        let body = self.read[start..end].to_vec();
        self.read.drain(..end);
        Response { status, body }
    }

    fn fill(&mut self) {
        let mut part = [0; 16 << 10];
        let count = self.stream.read(&mut part).expect("the server answers in time");
        assert!(
            count > 0,
            "the server closed the connection after {:?}",
            String::from_utf8_lossy(&self.read)
        );
        self.read.extend_from_slice(&part[..count]);
    }
}

/// Status, and where the body begins and ends; `None` while the head is incomplete.
fn head(bytes: &[u8]) -> Option<(u16, usize, usize)> {
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n")?;
    let head = std::str::from_utf8(&bytes[..end]).expect("a head is ASCII").to_ascii_lowercase();
    let status = head.get(9..12).and_then(|status| status.parse().ok()).expect("a status line");
    let length = head.lines().find_map(|line| line.strip_prefix("content-length:"));
    let length: usize = length.and_then(|length| length.trim().parse().ok()).expect("a content-length");
    Some((status, end + 4, end + 4 + length))
}
