//! What open TLS connections cost the gateway, for `make bench`; prints one JSON object.
//!
//! `edge_bench [NUMBER]`: that many connections (10,000) of HTTP/1.1, then of HTTP/2, each of which asked once and stays
//! open. Build `tensfer` in release first: `make build`.

#[path = "../../tests/edge/authority.rs"]
mod authority;
#[path = "../../tests/edge/gateway.rs"]
#[expect(dead_code, reason = "the tests use all of it")]
mod gateway;
#[path = "../../tests/edge/http2.rs"]
#[expect(dead_code, reason = "the tests use all of it")]
mod http2;

use gateway::{Gateway, Stream, raise_descriptors, shake_hands};
use http2::{END_HEADERS, END_STREAM, HEADERS, begin, frame, get, read_to};
use rustix::net::{AddressFamily, SocketType};
use rustls::{ClientConnection, StreamOwned};
use serde_json::json;
use stack::memory_kib;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddrV4, TcpStream};
use std::time::{Duration, Instant};

const CLIENTS: usize = 4;
const PATH: &str = "/v1/problems/busy";

fn main() {
    let number = std::env::args().nth(1).and_then(|word| word.parse().ok()).unwrap_or(10_000);
    raise_descriptors();
    let [http1, http2] = [&b"http/1.1"[..], b"h2"].map(|protocol| measure(protocol, number));
    println!("{}", json!({ "connections": number, "http1": http1, "http2": http2 }));
}

fn measure(protocol: &'static [u8], number: usize) -> serde_json::Value {
    let gateway = Gateway::start();
    let pid = gateway.process.pid();
    let empty = memory_kib(pid);
    let (cpu, begun) = (cpu_time(pid), Instant::now());
    let sockets: Vec<TcpStream> = std::thread::scope(|scope| {
        let clients = (0..CLIENTS).map(|client| {
            let (config, port) = (gateway.client(protocol), gateway.port);
            scope.spawn(move || {
                let numbers = (client..number).step_by(CLIENTS);
                numbers.map(|number| ask(shake_hands(&config, connect(port, number)), protocol)).collect()
            })
        });
        let clients: Vec<std::thread::ScopedJoinHandle<'_, Vec<TcpStream>>> = clients.collect();
        clients.into_iter().flat_map(|client| client.join().unwrap()).collect()
    });
    let took = begun.elapsed();
    let held = memory_kib(pid);
    let open = sockets.iter().filter(|socket| is_open(socket)).count();
    assert_eq!(open, number, "connections that were ended meanwhile");
    json!({
        "empty_kib": empty,
        "held_kib": held,
        "took_ms": took.as_millis(),
        "cpu_us_each": (cpu_time(pid) - cpu).as_micros() / number as u128,
    })
}

/// From one of 200 addresses: each has a rate of its own.
fn connect(port: u16, number: usize) -> TcpStream {
    let last = u8::try_from(number % 200).unwrap() + 2;
    let socket = rustix::net::socket(AddressFamily::INET, SocketType::STREAM, None).unwrap();
    rustix::net::bind(&socket, &SocketAddrV4::new(Ipv4Addr::new(127, 0, 0, last), 0)).unwrap();
    rustix::net::connect(&socket, &SocketAddrV4::new(Ipv4Addr::LOCALHOST, port)).unwrap();
    let socket = TcpStream::from(socket);
    socket.set_nodelay(true).unwrap();
    socket
}

/// A connection that asked once, without what the client keeps of it.
fn ask(mut stream: Stream, protocol: &[u8]) -> TcpStream {
    if protocol == b"h2" {
        begin(&mut stream);
        stream.write_all(&frame(HEADERS, END_HEADERS | END_STREAM, 1, &get("localhost", PATH))).unwrap();
        read_to(&mut stream, |frame| frame.kind == HEADERS).unwrap();
    } else {
        stream.write_all(format!("GET {PATH} HTTP/1.1\r\nhost: localhost\r\n\r\n").as_bytes()).unwrap();
        assert!(stream.read(&mut [0; 4096]).unwrap() > 0);
    }
    let StreamOwned::<ClientConnection, TcpStream> { sock, .. } = stream;
    sock
}

/// What was not read yet may still be there; an end may not.
fn is_open(mut socket: &TcpStream) -> bool {
    socket.set_nonblocking(true).unwrap();
    loop {
        match socket.read(&mut [0; 4096]) {
            Ok(0) => return false,
            Ok(_) => {}
            Err(error) => return error.kind() == std::io::ErrorKind::WouldBlock,
        }
    }
}

/// User and system time (proc(5), stat); its ticks are hundredths of a second.
fn cpu_time(pid: u32) -> Duration {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let fields: Vec<&str> = stat[stat.rfind(')').unwrap() + 2..].split(' ').collect();
    let ticks: u64 = [fields[11], fields[12]].iter().map(|ticks| ticks.parse::<u64>().unwrap()).sum();
    Duration::from_millis(10 * ticks)
}
