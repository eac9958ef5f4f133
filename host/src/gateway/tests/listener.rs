//! The listener itself, over TCP.

use crate::calls::Role;
use crate::gateway::tls::tests::example;
use crate::gateway::{Edge, Gateway, Limits, NotBound};
use crate::testing::workload;
use crate::testing::{Folder, soon};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::oneshot;

pub async fn talk(port: u16, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    stream.write_all(bytes).await.unwrap();
    let mut answer = Vec::new();
    let _ = soon(stream.read_to_end(&mut answer)).await;
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test]
async fn a_port_in_use_is_said_so() {
    let folder = Folder::new();
    let first =
        Gateway::bind(Edge::Localhost(0), workload(Role::Gateway), folder.address(), None, Limits::default())
            .unwrap();
    let second = Gateway::bind(
        Edge::Localhost(first.port()),
        workload(Role::Gateway),
        folder.address(),
        None,
        Limits::default(),
    )
    .unwrap_err();
    assert!(matches!(second, NotBound::PortInUse(port) if port == first.port()));
    assert!(second.to_string().contains("--port"));
}

#[tokio::test]
async fn what_is_not_http_and_what_comes_too_slowly_is_closed_and_the_rest_is_served() {
    let folder = Folder::new();
    let limits =
        Limits { header: Duration::from_millis(200), body: Duration::from_millis(200), ..Limits::default() };
    let gateway =
        Gateway::bind(Edge::Localhost(0), workload(Role::Gateway), folder.address(), None, limits).unwrap();
    let port = gateway.port();
    let (stop, stopped) = oneshot::channel::<()>();
    let serving = tokio::spawn(gateway.serve(async { stopped.await.unwrap_or_default() }));
    let garbage = talk(port, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03").await;
    assert!(garbage.is_empty() || garbage.starts_with("HTTP/1.1 400"), "{garbage}");
    assert!(talk(port, b"GET /v1/health HTTP/1.1\r\nhost: local").await.is_empty());
    let slow = b"POST /v1/requests HTTP/1.1\r\nhost: localhost\r\ncontent-type: message/ohttp-req\r\ncontent-length: 10\r\n\r\nx";
    let slow = talk(port, slow).await;
    assert!(slow.starts_with("HTTP/1.1 408") && slow.contains("body_too_slow"), "{slow}");
    let long = format!("GET /{} HTTP/1.1\r\nhost: localhost\r\n\r\n", "x".repeat(100_000));
    assert!(talk(port, long.as_bytes()).await.starts_with("HTTP/1.1 4"));
    let good =
        talk(port, b"GET /v1/exchanges HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").await;
    assert!(good.starts_with("HTTP/1.1 200"), "{good}");
    stop.send(()).unwrap();
    soon(serving).await.unwrap().unwrap();
    assert!(TcpStream::connect(("127.0.0.1", port)).await.is_err());
}

#[tokio::test]
async fn connections_that_ask_nothing_give_way_to_who_comes() {
    let folder = Folder::new();
    let limits = Limits { connections: 3, ..Limits::default() };
    let gateway =
        Gateway::bind(Edge::Localhost(0), workload(Role::Gateway), folder.address(), None, limits).unwrap();
    let port = gateway.port();
    tokio::spawn(gateway.serve(std::future::pending()));
    let mut idle = Vec::new();
    for _ in 0..3 {
        idle.push(TcpStream::connect(("127.0.0.1", port)).await.unwrap());
    }
    for _ in 0..3 {
        let asked = b"GET /v1/exchanges HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
        assert!(talk(port, asked).await.starts_with("HTTP/1.1 200"));
    }
    assert_eq!(soon(idle[0].read(&mut [0; 1])).await.unwrap_or(0), 0, "the first gave way");
}

#[tokio::test]
async fn who_makes_connections_too_fast_is_closed_unanswered_and_others_are_not() {
    let folder = Folder::new();
    // One, and the next a second later.
    let limits = Limits { arrivals_per_second: 1, arrivals_burst: 1, ..Limits::default() };
    let edge = Edge::Tls(([0, 0, 0, 0], 0).into(), Box::new(example(&folder)));
    let gateway = Gateway::bind(edge, workload(Role::Gateway), folder.address(), None, limits).unwrap();
    let port = gateway.port();
    tokio::spawn(gateway.serve(std::future::pending()));
    let connect = async |address: &str| {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind(format!("{address}:0").parse().unwrap()).unwrap();
        let mut stream = socket.connect(([127, 0, 0, 1], port).into()).await.unwrap();
        // No handshake: what begins one is answered by an alert, and what comes too fast by nothing.
        let _ = stream.write_all(b"\0\0\0\0\0\0\0\0").await;
        let mut answer = Vec::new();
        let _ = soon(stream.read_to_end(&mut answer)).await;
        !answer.is_empty()
    };
    assert!(connect("127.0.0.1").await);
    let mut answered = 0;
    for _ in 0..10 {
        answered += usize::from(connect("127.0.0.1").await);
    }
    assert!(answered < 10, "all were answered");
    assert!(connect("127.0.0.2").await);
}
