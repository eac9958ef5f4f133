//! What `balances` adds to the provider calls that it makes: one owner after another asks through the whole stack,
//! then makes the same calls itself, both over connections kept alive.
//!
//! An answer through the stack counts from before it is signed and sealed to after its receipt is checked; a direct
//! one from before it is signed to after its JSON is parsed. With prices known (the enclave keeps them for seconds,
//! for every owner) `balances` makes one call at kraken; a round that had to fetch prices is counted like any other.

use crate::account::{self, Account, HOST};
use crate::client::{Enclave, now};
use crate::http::{Http, connect};
use crate::machine;
use crate::owner::{Owner, balances, balances_of_all, check_holdings, lines, link_all};
use rustls::pki_types::CertificateDer;
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use serde::Serialize;
use stack::{Folder, Stack};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Instant;
use wire::operation::Op;

/// Many, so that no key has to wait for its exchange's limit.
const OWNERS: usize = 60;
const ROUNDS: usize = 8;
const SANDBOX: &[&str] = &["--load-accounts", "120", "--unlimited"];

#[derive(Serialize)]
pub struct Report {
    pairs: usize,
    /// Medians, microseconds.
    stack_us: i128,
    direct_us: i128,
    /// Median of the differences of each pair.
    added_us: i128,
    added_p90_us: i128,
}

type Tls = StreamOwned<ClientConnection, TcpStream>;

pub fn measure() -> Report {
    let folder = Folder::new();
    let stack = Stack::start_with(&folder.join("data"), SANDBOX);
    let enclave = Enclave::verify(&stack);
    // A key's nonces grow, so the key that the enclave holds cannot be used beside it: each owner has a twin.
    let mut accounts = account::generated(2 * OWNERS);
    let twins = accounts.split_off(OWNERS);
    let mut through: Vec<Owner> = accounts.into_iter().map(Owner::new).collect();
    link_all(&enclave, stack.port(), &mut through);
    let mut lines = lines(stack.port(), OWNERS);
    balances_of_all(&enclave, &mut lines, &mut through);
    let config = tls(&stack);
    let port = machine::provider_port(&stack);
    let open = |twin: Account| (twin, Http::new(open(&config, port)));
    let mut direct: Vec<(Account, Http<Tls>)> = twins.into_iter().map(open).collect();

    let mut pairs = Vec::new();
    for round in 0..=ROUNDS {
        for ((owner, line), (twin, provider)) in through.iter_mut().zip(&mut lines).zip(&mut direct) {
            let pair = if round % 2 == 0 {
                let direct = ask_directly(twin, provider);
                (ask_through(&enclave, owner, line), direct)
            } else {
                (ask_through(&enclave, owner, line), ask_directly(twin, provider))
            };
            // The first round opens nothing any more, but warms everything.
            if round > 0 {
                pairs.push(pair);
            }
        }
    }
    Report {
        pairs: pairs.len(),
        stack_us: at(50, pairs.iter().map(|(stack, _)| *stack)),
        direct_us: at(50, pairs.iter().map(|(_, direct)| *direct)),
        added_us: at(50, pairs.iter().map(|(stack, direct)| stack - direct)),
        added_p90_us: at(90, pairs.iter().map(|(stack, direct)| stack - direct)),
    }
}

fn ask_through(enclave: &Enclave, owner: &mut Owner, line: &mut Http<TcpStream>) -> i128 {
    let start = Instant::now();
    let sent = enclave.seal(owner, Op::Balances, &balances());
    line.send(&sent.bytes);
    let response = line.receive();
    let result = enclave.open(owner, &sent, &response);
    let took = micros(start);
    check_holdings(owner, &result);
    took
}

fn ask_directly(account: &Account, provider: &mut Http<Tls>) -> i128 {
    let start = Instant::now();
    provider.send(&account.balances_request(now().0));
    let response = provider.receive();
    let answer: serde_json::Value = serde_json::from_slice(&response.body).expect("JSON");
    let took = micros(start);
    assert_eq!(answer["error"].as_array().map(Vec::len), Some(0), "{answer}");
    took
}

fn tls(stack: &Stack) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    let root =
        std::fs::read(stack.data().join("run/sandbox-root.der")).expect("`up` keeps the sandbox's root");
    roots.add(CertificateDer::from(root)).expect("a root certificate");
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    Arc::new(builder.expect("TLS 1.3").with_root_certificates(roots).with_no_client_auth())
}

fn open(config: &Arc<ClientConfig>, port: u16) -> Tls {
    let name = HOST.try_into().expect("a host name");
    let session = ClientConnection::new(Arc::clone(config), name).expect("a client");
    StreamOwned::new(session, connect(port))
}

fn micros(start: Instant) -> i128 {
    i128::try_from(start.elapsed().as_micros()).expect("less than an aeon")
}

/// The value below which so many per cent lie.
fn at(percent: usize, values: impl Iterator<Item = i128>) -> i128 {
    let mut values: Vec<i128> = values.collect();
    values.sort_unstable();
    values[values.len() * percent / 100]
}
