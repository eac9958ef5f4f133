//! A thousand `balances` of a thousand owners in flight, each with a TLS connection to the provider of its own.
//!
//! The owners link on one start of the stack. The measured start is another, on the same folder, so that every
//! connection to the provider is opened within the measured time; then all ask again, over connections kept alive.

use crate::account;
use crate::client::Enclave;
use crate::machine;
use crate::owner::{Owner, balances_of_all, lines, link_all};
use serde::Serialize;
use stack::{Folder, Stack};
use std::collections::BTreeMap;
use std::path::Path;

const OWNERS: usize = 1000;
const ENCLAVE: &str = "tensfer-enclave-simulated";
/// Options of the sandbox; that it waits so long before every answer is for the measured start alone.
const LINKING: &[&str] = &["--load-accounts", "1000", "--unlimited"];
const MEASURED: &[&str] = &["--load-accounts", "1000", "--unlimited", "--delay", "200"];

#[derive(Serialize)]
pub struct Report {
    owners: usize,
    provider_delay_ms: u64,
    /// From the first request sent to the last answer received, connections to the provider opened on the way.
    cold_ms: u128,
    cold_cpu_ms: BTreeMap<String, u64>,
    /// The same over connections kept alive.
    warm_ms: u128,
    warm_cpu_ms: BTreeMap<String, u64>,
    /// TLS connections to the provider before, between and after.
    provider_connections: [usize; 3],
    /// The most that was ever resident.
    enclave_peak_kib: u64,
}

pub fn measure() -> Report {
    machine::lift_descriptor_limit();
    let folder = Folder::new();
    let data = folder.join("data");
    let mut owners: Vec<Owner> = account::generated(OWNERS).into_iter().map(Owner::new).collect();
    link(&data, &mut owners);

    let stack = Stack::start_with(&data, MEASURED);
    let provider = machine::provider_port(&stack);
    let enclave = Enclave::verify(&stack);
    let mut lines = lines(stack.port(), OWNERS);
    let mut connections = [machine::connections_to(provider), 0, 0];
    let before = machine::cpu_ms(&stack);
    let cold = balances_of_all(&enclave, &mut lines, &mut owners);
    let between = machine::cpu_ms(&stack);
    connections[1] = machine::connections_to(provider);
    let warm = balances_of_all(&enclave, &mut lines, &mut owners);
    let after = machine::cpu_ms(&stack);
    connections[2] = machine::connections_to(provider);
    assert!(connections[1] >= OWNERS, "owners share connections: {connections:?}");
    Report {
        owners: OWNERS,
        provider_delay_ms: 200,
        cold_ms: cold.as_millis(),
        cold_cpu_ms: machine::spent(&before, &between),
        warm_ms: warm.as_millis(),
        warm_cpu_ms: machine::spent(&between, &after),
        provider_connections: connections,
        enclave_peak_kib: machine::peak_kib(stack.running(ENCLAVE).pid),
    }
}

fn link(data: &Path, owners: &mut [Owner]) {
    let stack = Stack::start_with(data, LINKING);
    link_all(&Enclave::verify(&stack), stack.port(), owners);
    stack.stop();
}
