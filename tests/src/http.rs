//! Just enough HTTP/1.1 to test a server that may be wrong: one request a connection, sent byte by byte as given.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(30);

/// What came back.
#[derive(Debug)]
pub struct Response {
    pub status: u16,
    /// Names in lower case, in order.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Response {
    /// The first header of that name (lower case).
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// `GET url` (`http://localhost:PORT/…`).
pub fn get(url: &str) -> Response {
    request("GET", url, &[], &[])
}

/// `POST url`.
pub fn post(url: &str, content_type: &str, body: &[u8]) -> Response {
    request("POST", url, &[("content-type", content_type)], body)
}

/// Any request; `host`, `content-length` and `connection: close` are added.
pub fn request(method: &str, url: &str, headers: &[(&str, &str)], body: &[u8]) -> Response {
    let rest = url.strip_prefix("http://").expect("a URL that starts with http://");
    let (authority, path) = rest.split_once('/').map_or((rest, ""), |(a, p)| (a, p));
    let bytes = written(method, authority, path, headers, body);
    let port = authority.rsplit(':').next().and_then(|port| port.parse().ok()).expect("a URL with a port");
    raw(port, &bytes).unwrap_or_else(|| panic!("{method} {url}: closed without a response"))
}

/// As [`request`], to the Unix socket at `socket`.
pub fn request_at(
    socket: &Path,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> Option<Response> {
    let stream = UnixStream::connect(socket).expect("the server listens");
    stream.set_read_timeout(Some(LIMIT)).expect("a socket takes a timeout");
    stream.set_write_timeout(Some(LIMIT)).expect("a socket takes a timeout");
    converse(stream, &written(method, "localhost", path.trim_start_matches('/'), headers, body))
}

fn written(method: &str, authority: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Vec<u8> {
    let mut bytes = format!("{method} /{path} HTTP/1.1\r\nhost: {authority}\r\nconnection: close\r\n");
    for (name, value) in headers {
        bytes.push_str(&format!("{name}: {value}\r\n"));
    }
    bytes.push_str(&format!("content-length: {}\r\n\r\n", body.len()));
    let mut bytes = bytes.into_bytes();
    bytes.extend_from_slice(body);
    bytes
}

/// Sends exactly `bytes` and reads to the end; `None` when nothing comes back.
pub fn raw(port: u16, bytes: &[u8]) -> Option<Response> {
    let stream = TcpStream::connect(("127.0.0.1", port)).expect("the server listens");
    stream.set_read_timeout(Some(LIMIT)).expect("a socket takes a timeout");
    stream.set_write_timeout(Some(LIMIT)).expect("a socket takes a timeout");
    converse(stream, bytes)
}

fn converse(mut stream: impl Read + Write, bytes: &[u8]) -> Option<Response> {
    // A server may answer and close before it has read everything.
    let _ = stream.write_all(bytes);
    let mut answer = Vec::new();
    let mut part = [0; 16 << 10];
    while let Ok(count @ 1..) = stream.read(&mut part) {
        answer.extend_from_slice(&part[..count]);
    }
    parse(&answer)
}

fn parse(answer: &[u8]) -> Option<Response> {
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n")?;
    let head = std::str::from_utf8(&answer[..end]).ok()?;
    let mut lines = head.split("\r\n");
    let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    let chunked = headers.iter().any(|(name, value)| name == "transfer-encoding" && value == "chunked");
    let body = &answer[end + 4..];
    let body = if chunked { dechunk(body)? } else { body.to_vec() };
    Some(Response { status, headers, body })
}

fn dechunk(mut rest: &[u8]) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let end = rest.windows(2).position(|two| two == b"\r\n")?;
        let size = usize::from_str_radix(std::str::from_utf8(&rest[..end]).ok()?, 16).ok()?;
        rest = &rest[end + 2..];
        if size == 0 {
            return Some(body);
        }
        body.extend_from_slice(rest.get(..size)?);
        rest = rest.get(size + 2..)?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chunked_body_is_joined() {
        let answer = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n";
        let response = parse(answer).unwrap();
        assert_eq!((response.status, response.body.as_slice()), (200, &b"abcde"[..]));
    }
}
