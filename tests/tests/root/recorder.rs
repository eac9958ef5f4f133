//! A host in the middle: passes a gateway's answers on and keeps a copy, or says the same thing to everybody.

use stack::http;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// A body that was sent to `/v1/ceremony`, and the one that came back.
#[derive(Clone, Debug)]
pub struct Exchange {
    pub asked: Vec<u8>,
    pub answer: Vec<u8>,
}

/// Listens on loopback until the test ends.
pub struct Recorder {
    port: u16,
    exchanges: Arc<Mutex<Vec<Exchange>>>,
}

impl Recorder {
    /// Before the gateway on this port.
    pub fn before(port: u16) -> Recorder {
        Recorder::start(move |asked| {
            http::post(&format!("http://localhost:{port}/v1/ceremony"), "application/cbor", asked).body
        })
    }

    /// With one answer for everybody.
    pub fn answering(answer: Vec<u8>) -> Recorder {
        Recorder::start(move |_| answer.clone())
    }

    fn start(answer: impl Fn(&[u8]) -> Vec<u8> + Send + 'static) -> Recorder {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let exchanges = Arc::new(Mutex::new(Vec::new()));
        let recorder = Recorder { port, exchanges: Arc::clone(&exchanges) };
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                while let Some(asked) = body(&mut stream) {
                    let answer = answer(&asked);
                    let head = format!(
                        "HTTP/1.1 200 OK\r\ncontent-type: application/cbor\r\ncontent-length: {}\r\n\r\n",
                        answer.len()
                    );
                    exchanges.lock().unwrap().push(Exchange { asked, answer: answer.clone() });
                    stream.write_all(&[head.as_bytes(), &answer].concat()).unwrap();
                }
            }
        });
        recorder
    }

    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    pub fn exchanges(&self) -> Vec<Exchange> {
        self.exchanges.lock().unwrap().clone()
    }
}

/// The body of the next request on this connection; `None` at its end.
fn body(stream: &mut TcpStream) -> Option<Vec<u8>> {
    let mut reader = BufReader::new(&mut *stream);
    let mut length = None;
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        let lower = line.to_ascii_lowercase();
        if let Some(value) = lower.strip_prefix("content-length:") {
            length = value.trim().parse().ok();
        }
        if line == "\r\n" {
            break;
        }
    }
    let mut body = vec![0; length?];
    reader.read_exact(&mut body).ok()?;
    Some(body)
}
