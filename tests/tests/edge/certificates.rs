//! The certificate is replaced while the gateway runs.

use crate::authority::Authority;
use crate::gateway::{Gateway, text};
use rustix::process::Signal;
use stack::LONG;
use std::io::{Read, Write};
use std::time::{Duration, Instant};

/// The serial number that a new connection is shown.
fn serial(gateway: &Gateway) -> String {
    let said = text(&gateway.openssl("-tls1_3 -showcerts"));
    let pem = said.split("-----END CERTIFICATE-----").next().unwrap();
    pem.split("-----BEGIN CERTIFICATE-----").nth(1).unwrap().to_owned()
}

fn wait_for(gateway: &Gateway, said: &str, times: usize) {
    let begun = Instant::now();
    while gateway.process.log().matches(said).count() < times {
        assert!(begun.elapsed() < LONG, "{}", gateway.process.log());
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn ask(stream: &mut impl ReadWrite) {
    stream.write_all(b"GET /v1/problems/busy HTTP/1.1\r\nhost: localhost\r\n\r\n").unwrap();
    let mut answer = Vec::new();
    let mut part = [0; 4096];
    while !answer.ends_with(b"succeed later.\n") {
        let count = stream.read(&mut part).unwrap();
        assert!(count > 0, "closed");
        answer.extend_from_slice(&part[..count]);
    }
}

trait ReadWrite: Read + Write {}
impl<T: Read + Write> ReadWrite for T {}

#[test]
fn a_new_certificate_is_used_as_soon_as_its_files_change_and_no_connection_is_dropped() {
    let gateway = Gateway::start();
    let before = serial(&gateway);
    let mut kept = gateway.connect(b"http/1.1");
    ask(&mut kept);
    gateway.authority.issue();
    wait_for(&gateway, "read again, and is used", 1);
    let next = serial(&gateway);
    assert_ne!(next, before);
    gateway.authority.issue();
    gateway.process.signal(Signal::HUP);
    wait_for(&gateway, "read again, and is used", 2);
    assert_ne!(serial(&gateway), next);
    ask(&mut kept);
}

#[test]
fn a_broken_certificate_is_said_to_be_and_the_old_one_stays() {
    let gateway = Gateway::start();
    let before = serial(&gateway);
    std::fs::write(gateway.authority.certificate(), "nothing").unwrap();
    gateway.process.signal(Signal::HUP);
    wait_for(&gateway, "holds no certificate in PEM", 1);
    let other = Authority::new();
    other.issue();
    std::fs::copy(other.certificate(), gateway.authority.certificate()).unwrap();
    gateway.process.signal(Signal::HUP);
    wait_for(&gateway, "is not the one of the certificate", 1);
    wait_for(&gateway, "the certificate from before stays in use", 2);
    assert_eq!(serial(&gateway), before);
    assert!(gateway.serves());
}
