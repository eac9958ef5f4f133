//! Slow uploads, over TCP: they cost their senders a connection, and nobody else an answer.

use super::listener::talk;
use crate::calls::Role;
use crate::gateway::{Edge, Gateway, Limits};
use crate::relay::Relay;
use crate::testing::{Folder, LONG, soon, workload};
use crate::transport::{Reader, frame};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UnixStream};
use wire::frame::Kind;

const HEAD: &str = "POST /v1/requests HTTP/1.1\r\nhost: localhost\r\ncontent-type: message/ohttp-req\r\n";

/// A gateway before a relay and an enclave that answers every request.
async fn serve(limits: Limits) -> (Folder, u16) {
    let folder = relay_and_enclave();
    let gateway =
        Gateway::bind(Edge::Localhost(0), workload(Role::Gateway), folder.address(), None, limits).unwrap();
    let port = gateway.port();
    tokio::spawn(gateway.serve(std::future::pending()));
    (folder, port)
}

/// A folder with the socket of a relay, behind which an enclave answers every request.
pub fn relay_and_enclave() -> Folder {
    let folder = Folder::new();
    let (host, enclave) = UnixStream::pair().unwrap();
    let (run, register) = (folder.path().to_path_buf(), folder.path().join("register"));
    let relay = Relay::bind(host, workload(Role::Relay), run, register, Vec::new()).unwrap();
    tokio::spawn(relay.serve());
    let (reader, mut writer) = enclave.into_split();
    tokio::spawn(async move {
        let mut reader = Reader::new(reader);
        while let Ok(Some(message)) = reader.next().await {
            if message.number == Kind::Request as u8 {
                let reply = frame(Kind::Reply as u8, message.stream, b"answered").unwrap();
                writer.write_all(&reply).await.unwrap();
            }
        }
    });
    folder
}

/// Sends the head and the first chunk of a body, and never its end.
async fn dawdle(port: u16, sent: usize) -> TcpStream {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    let head = format!("{HEAD}transfer-encoding: chunked\r\n\r\n{sent:x}\r\n");
    // It may have to give way while it sends.
    let _ = stream.write_all(&[head.as_bytes(), &vec![7; sent]].concat()).await;
    stream
}

async fn ask_honestly(port: u16) -> String {
    let request = format!("{HEAD}connection: close\r\ncontent-length: 4000\r\n\r\n{}", "x".repeat(4000));
    talk(port, request.as_bytes()).await
}

#[tokio::test]
async fn two_hundred_slow_uploads_keep_no_honest_request_out() {
    // One byte each; and together more than there is room for.
    for sent in [1, 400_000] {
        // Whoever waits for one of them waits for as long as a test may.
        let (_folder, port) = serve(Limits { stall: 2 * LONG, body: 2 * LONG, ..Limits::default() }).await;
        let mut dawdlers = Vec::new();
        for _ in 0..200 {
            dawdlers.push(tokio::spawn(dawdle(port, sent)));
        }
        for _ in 0..20 {
            let answer = soon(ask_honestly(port)).await;
            assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("answered"), "{answer}");
        }
        let mut streams = Vec::new();
        for dawdler in dawdlers {
            streams.push(soon(dawdler).await.unwrap());
        }
        let answer = soon(ask_honestly(port)).await;
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        drop(streams);
    }
}

#[tokio::test]
async fn an_upload_that_gave_way_is_told_to_try_again() {
    let (_folder, port) = serve(Limits { buffered: 100_000, ..Limits::default() }).await;
    let mut slow = dawdle(port, 90_000).await;
    // What it sent is there once a small request finds no room beside it.
    let mut answer = vec![0; 4096];
    let read = loop {
        assert!(ask_honestly(port).await.starts_with("HTTP/1.1 200"));
        let _others = dawdle(port, 50_000).await;
        if let Ok(read) = tokio::time::timeout(Duration::from_millis(100), slow.read(&mut answer)).await {
            break read.unwrap();
        }
    };
    let answer = String::from_utf8_lossy(&answer[..read]).into_owned();
    assert!(answer.starts_with("HTTP/1.1 503") && answer.contains("busy"), "{answer}");
    assert!(answer.contains("retry-after"), "{answer}");
}

#[tokio::test]
async fn a_body_that_drips_is_ended_long_before_one_that_flows() {
    // A machine that pauses as long as a body may shows nothing: then once more.
    while !drips_and_flows(Duration::from_millis(600)).await {}
}

/// Whether what flowed was never held up for half of what a stride may take.
async fn drips_and_flows(stall: Duration) -> bool {
    let (_folder, port) = serve(Limits { stall, stride: 1000, ..Limits::default() }).await;
    let mut dripping = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    let mut flowing = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    let head = |length: usize| format!("{HEAD}content-length: {length}\r\n\r\n");
    dripping.write_all(head(10_000).as_bytes()).await.unwrap();
    flowing.write_all(head(10_000).as_bytes()).await.unwrap();
    for _ in 0..10 {
        let _ = dripping.write_all(b"x").await;
        // It may have ended where the machine paused.
        let flows = flowing.write_all(&[b'x'; 1000]).await.is_ok();
        let pause = Instant::now();
        tokio::time::sleep(stall / 6).await;
        if !flows || pause.elapsed() > stall / 2 {
            return false;
        }
    }
    let mut answer = [0; 15];
    soon(flowing.read_exact(&mut answer)).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 200 OK");
    soon(dripping.read_exact(&mut answer)).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 408 Re");
    true
}
