//! Positive controls on the very processes of the system: the search sees into each of them.

use crate::{linked, wait_for_call};
use stack::LONG;
use stack::canary::{DATA_KEY, DEVICE_KEY, Marks, OWNER_SECRET, Place, ROOT, SECOND_FACTOR, Scanner};
use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::net::TcpStream;
use std::time::Instant;

#[test]
fn what_a_client_sends_in_clear_is_found_in_the_gateways_memory() {
    let mut run = linked();
    let mut planted = [0; 32];
    aws_lc_rs::rand::fill(&mut planted).unwrap();
    let marks = Marks::new().with("planted", &planted);
    run.mark(&marks);
    let mut unfinished = TcpStream::connect(run.url().strip_prefix("http://").unwrap()).unwrap();
    let head = "POST /v1/requests HTTP/1.1\r\nhost: localhost\r\ncontent-type: message/ohttp-req\r\ncontent-length: 60000\r\n\r\n";
    unfinished.write_all(&[head.as_bytes(), &planted[..]].concat()).unwrap();
    let (scanner, gateway) = (Scanner::new(&marks), run.running("gateway"));
    let deadline = Instant::now() + LONG;
    while scanner.search_memory(&gateway).leaks.is_empty() {
        assert!(Instant::now() < deadline, "the gateway does not read");
    }
    let leaks = run.search();
    assert!(!leaks.is_empty());
    for leak in leaks {
        let in_gateway =
            matches!(&leak.place, Place::Memory { process, .. } if process.starts_with("gateway "));
        assert!(leak.secret == "planted" && in_gateway, "{leak}");
    }
}

#[test]
fn the_memory_of_every_process_is_seen() {
    let run = linked();
    // Each was told this folder, or was told to listen beside it; the enclave made this certificate.
    let data = run.path("data").into_os_string().into_encoded_bytes();
    let certificate = fs::read(run.path("data/simulation-root.der")).unwrap();
    let known =
        Scanner::new(&Marks::new().with("the data folder", &data).with("the certificate", &certificate));
    let processes = run.processes();
    assert_eq!(processes.len(), 8, "{processes:?}");
    for process in processes {
        let memory = known.search_memory(&process);
        assert!(memory.leaks.iter().any(|leak| leak.whole), "nothing is seen in {process:?}");
    }
}

/// Root reads a simulated enclave: the credential that is being used, for one, which is looked for and told here. Where
/// the kernel has secret memory (`memfd_secret`), that ends before what opens envelopes: it reads it for nobody.
#[test]
fn what_opens_envelopes_is_not_seen_in_the_simulated_enclave_where_the_kernel_has_secret_memory() {
    let mut run = linked();
    run.misbehave(r#"{"effect": {"kind": "silence"}}"#);
    run.forget_calls();
    let mut balances = run.begin(&["balances"]);
    wait_for_call(&run, "Balance");
    let memory = Scanner::new(run.marks()).search_memory(&run.enclave());
    balances.kill().unwrap();
    balances.wait().unwrap();
    let seen: BTreeSet<&str> = memory.leaks.iter().map(|leak| leak.secret.as_str()).collect();
    eprintln!("root sees in the simulated enclave: {seen:?}");
    if memory.unreadable.iter().any(|mapping| mapping.name.contains("secretmem")) {
        for secret in [ROOT, DATA_KEY, OWNER_SECRET, DEVICE_KEY, SECOND_FACTOR] {
            assert!(!seen.contains(secret), "{secret} lies outside of secret memory");
        }
    }
}
