//! Overload: more requests than anyone may send, sealed and not.

use crate::{assert_clean, linked, wait_for_call};
use stack::LONG;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::thread;

/// More than one connection may have under way.
const CLIENTS: usize = 8;
/// From each of eight threads: together more than one address may send at once and keep up.
const FLOOD: usize = 1500;

#[test]
fn no_secret_leaves_the_enclave_under_overload() {
    let mut run = linked();
    run.misbehave(r#"{"effect": {"kind": "delay", "ms": 2500}}"#);
    run.forget_calls();
    let homes = run.copies_of_the_home(CLIENTS);
    let mut clients: Vec<_> =
        homes.iter().map(|home| run.begin_in(&home.join("client"), &["balances"])).collect();
    wait_for_call(&run, "Balance");
    let answers: Vec<String> = thread::scope(|scope| {
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(|| flood(run.port()))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let refused: usize = answers.iter().map(|answer| answer.matches("HTTP/1.1 429").count()).sum();
    assert!(refused > 0, "the flood was beyond the limits");
    assert_clean(&run.search());

    let ends: Vec<_> = clients.iter_mut().map(|client| client.wait().unwrap().code()).collect();
    assert!(ends.iter().any(|code| *code != Some(0)), "more at once than one connection may have: {ends:?}");
    assert_clean(&run.search());
    run.terminate();
    assert_clean(&run.search_remains());
}

/// Sends requests whose seal nobody can open, one behind the other without waiting, and returns what was answered.
fn flood(port: u16) -> String {
    let stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.set_read_timeout(Some(LONG)).unwrap();
    let mut writer = stream.try_clone().unwrap();
    let request = b"POST /v1/requests HTTP/1.1\r\nhost: localhost\r\ncontent-type: message/ohttp-req\r\ncontent-length: 8\r\n\r\nnonsense";
    let writing = thread::spawn(move || {
        // The gateway may close what is too much.
        let _ = writer.write_all(&request.repeat(FLOOD));
        let _ = writer.shutdown(std::net::Shutdown::Write);
    });
    let mut answers = Vec::new();
    let _ = (&stream).read_to_end(&mut answers);
    writing.join().unwrap();
    String::from_utf8_lossy(&answers).into_owned()
}
