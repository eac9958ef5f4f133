//! Where a browser brings the provider's answer to: a port of this machine's loopback (RFC 8252 §7.3, §8.3).
//!
//! What comes with another state is somebody else's, and neither ends the wait nor reaches the enclave.

use crate::client::failure::{Failure, Fault, Result};
use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::thread::sleep;
use std::time::{Duration, Instant};
use zeroize::Zeroizing;

/// The path of the redirect address: fixed, because providers compare everything but a loopback's port.
const PATH: &str = "/tensfer";
/// The largest request head that is read.
const MAX_HEAD: usize = 16 << 10;
/// How long one browser connection may take.
const PATIENCE: Duration = Duration::from_secs(5);
const POLL: Duration = Duration::from_millis(50);

/// A listener that takes one answer.
pub struct Redirect {
    listener: TcpListener,
    port: u16,
}

impl Redirect {
    /// Listens on 127.0.0.1; 0 takes a free port.
    pub fn listen(port: u16) -> Result<Redirect> {
        let failed = |_| {
            Failure::internal(format!("this machine has no room to listen on port {port} of 127.0.0.1"))
                .hint("name another port that your OAuth client allows, with `--redirect-port PORT`")
        };
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).map_err(failed)?;
        listener.set_nonblocking(true).map_err(failed)?;
        let port = listener.local_addr().map_err(failed)?.port();
        Ok(Redirect { listener, port })
    }

    /// The redirect address.
    pub fn uri(&self) -> String {
        format!("http://127.0.0.1:{}{PATH}", self.port)
    }

    /// Waits for the answer with this state; gives its query as it came.
    pub fn wait(&self, state: &str, limit: Duration) -> Result<Zeroizing<String>> {
        let deadline = Instant::now() + limit;
        while Instant::now() < deadline {
            match self.listener.accept() {
                Ok((stream, _)) => {
                    if let Some(query) = self.serve(stream, state) {
                        return Ok(query);
                    }
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => sleep(POLL),
                Err(_) => sleep(POLL),
            }
        }
        Err(Failure::new(Fault::Refused, "authorisation_timeout", "nobody answered in the browser in time")
            .hint("begin again; nothing was linked"))
    }

    /// Answers one connection. A browser that says nothing, or another page's request, is let go.
    fn serve(&self, mut stream: TcpStream, state: &str) -> Option<Zeroizing<String>> {
        stream.set_nonblocking(false).ok()?;
        stream.set_read_timeout(Some(PATIENCE)).ok()?;
        stream.set_write_timeout(Some(PATIENCE)).ok()?;
        let head = read_head(&mut stream)?;
        let query = self.query(&head).filter(|query| has_state(query, state));
        let (status, text) = match query {
            Some(_) => {
                ("200 OK", "Tensfer has the answer. You can close this page and go back to your terminal.")
            }
            None => ("404 Not Found", "There is nothing here."),
        };
        let _ = stream.write_all(page(status, text).as_bytes());
        query.map(|query| Zeroizing::new(query.to_owned()))
    }

    /// The query of a request for our page; the name it was asked under is ours, so no other name leads here.
    fn query<'h>(&self, head: &'h str) -> Option<&'h str> {
        let mut lines = head.split("\r\n");
        let target = lines.next()?.strip_prefix("GET ")?.strip_suffix(" HTTP/1.1")?;
        let host = lines.find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case("host").then(|| value.trim())
        })?;
        let (path, query) = target.split_once('?')?;
        (path == PATH && host == format!("127.0.0.1:{}", self.port)).then_some(query)
    }
}

fn read_head(stream: &mut TcpStream) -> Option<Zeroizing<String>> {
    let deadline = Instant::now() + PATIENCE;
    let mut head = Zeroizing::new(Vec::with_capacity(MAX_HEAD));
    let mut part = Zeroizing::new([0; 1024]);
    while !head.windows(4).any(|end| end == b"\r\n\r\n") {
        let read = stream.read(part.as_mut_slice()).ok().filter(|read| *read > 0)?;
        if head.len() + read > MAX_HEAD || Instant::now() > deadline {
            return None;
        }
        head.extend_from_slice(&part[..read]);
    }
    std::str::from_utf8(&head).ok().map(|head| Zeroizing::new(head.to_owned()))
}

/// The state is base64url: no escapes in it, so as it was sent is the only way to write it.
fn has_state(query: &str, state: &str) -> bool {
    query.split('&').filter_map(|pair| pair.strip_prefix("state=")).any(|given| given == state)
}

/// A page without anything that could run, load or be kept.
fn page(status: &str, text: &str) -> String {
    let body = format!("<!doctype html><meta charset=\"utf-8\"><title>Tensfer</title><p>{text}</p>\n");
    format!(
        "HTTP/1.1 {status}\r\ncontent-type: text/html; charset=utf-8\r\ncontent-length: {}\r\n\
         content-security-policy: default-src 'none'; frame-ancestors 'none'\r\nx-content-type-options: nosniff\r\n\
         referrer-policy: no-referrer\r\ncache-control: no-store\r\nconnection: close\r\n\r\n{body}",
        body.len()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const STATE: &str = "c3RhdGU";

    fn browse(port: u16, target: &str, host: &str) -> String {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap();
        stream.write_all(format!("GET {target} HTTP/1.1\r\nHost: {host}\r\n\r\n").as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    #[test]
    fn only_the_answer_with_our_state_on_our_page_ends_the_wait() {
        let redirect = Redirect::listen(0).unwrap();
        let (port, uri) = (redirect.port, redirect.uri());
        assert_eq!(uri, format!("http://127.0.0.1:{port}/tensfer"));
        let browser = std::thread::spawn(move || {
            let own = format!("127.0.0.1:{port}");
            for (target, host) in [
                ("/tensfer?code=theirs&state=other", own.as_str()),
                ("/tensfer?code=theirs", &own),
                ("/favicon.ico", &own),
                ("/other?code=theirs&state=c3RhdGU", &own),
                ("/tensfer?code=theirs&state=c3RhdGU", "evil.example"),
                ("/tensfer?code=theirs&notstate=c3RhdGU", &own),
            ] {
                let answer = browse(port, target, host);
                assert!(answer.starts_with("HTTP/1.1 404 "), "{target} {host}: {answer}");
            }
            browse(port, "/tensfer?code=ours&state=c3RhdGU", &own)
        });
        let query = redirect.wait(STATE, Duration::from_secs(20)).unwrap();
        assert_eq!(query.as_str(), "code=ours&state=c3RhdGU");
        let answer = browser.join().unwrap();
        assert!(answer.starts_with("HTTP/1.1 200 ") && answer.contains("default-src 'none'"), "{answer}");
        assert!(!answer.contains("ours"), "the page shows no code: {answer}");
    }

    #[test]
    fn a_browser_that_never_comes_ends_in_a_sentence() {
        let redirect = Redirect::listen(0).unwrap();
        let failure = redirect.wait(STATE, Duration::from_millis(120)).unwrap_err();
        assert_eq!(failure.code, "authorisation_timeout");
    }
}
