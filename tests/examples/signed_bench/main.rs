//! What a signed request costs gateway and identity together, for `make bench`, beside nginx that does TLS, asks `auth_request` and
//! passes on, and the signatures that ours has to check and make besides; prints one JSON object.
//!
//! Both are asked in turns by the same client, over as many kept-alive connections of TLS 1.3 and HTTP/1.1. Build `tensfer` and the
//! enclave's programs in release first: `make build`; nginx: `scripts/deps nginx`.

#[path = "../../tests/edge/authority.rs"]
mod authority;
mod client;
#[path = "../../tests/edge/gateway.rs"]
#[expect(dead_code, reason = "the tests use all of it")]
mod gateway;
mod nginx;
mod signing;

use authority::Authority;
use client::{Load, Server};
use nginx::Nginx;
use serde_json::json;
use signing::Signer;
use stack::{Folder, Program, Stack};
use std::time::Duration;

const ROUNDS: usize = 5;
const CONNECTIONS: usize = 32;
/// Of one connection in a round: with those of `client`'s pace, less than one key may ask.
const REQUESTS: usize = 150;
const TARGET: &str = "/v1/organisation";

fn main() {
    let authority = Authority::new();
    authority.issue();
    let folder = Folder::new();
    let stack = start(&authority, &folder);
    let (certificate, root) = (authority.certificate(), authority.root());
    let signers = signers(&stack, &root);
    let nginx = Nginx::start(&certificate, &authority.key());
    let ours = Server {
        port: stack.port(),
        pids: vec![stack.running("gateway").pid, stack.running("identity").pid],
    };
    let theirs = Server { port: nginx.port, pids: nginx.pids() };
    let load = Load::new(&root, CONNECTIONS);

    let (mut signed, mut plain) = (Vec::new(), Vec::new());
    for round in 0..=ROUNDS {
        let requests: Vec<Vec<Vec<u8>>> = signers
            .iter()
            .map(|signer| (0..REQUESTS).map(|_| signer.get(ours.port, TARGET)).collect())
            .collect();
        let bare = vec![vec![get(theirs.port); REQUESTS]; CONNECTIONS];
        let (mine, nginxs) = (load.drive(&ours, &requests), load.drive(&theirs, &bare));
        // The first round opens and warms everything.
        if round > 0 {
            signed.push(mine);
            plain.push(nginxs);
        }
    }
    let alone = latencies(&load, &ours, &theirs, &signers[0]);
    let (verify, sign) = signing::primitives();
    let cpu = |rounds: &[client::Driven]| median(rounds.iter().map(|round| round.cpu_us).collect());
    let floor = cpu(&plain) + 2 * verify + sign;
    println!(
        "{}",
        json!({
            "requests": ROUNDS * CONNECTIONS * REQUESTS,
            "connections": CONNECTIONS,
            "cpu_us": cpu(&signed),
            "cpu_of_us": { "gateway": of(&signed, 0), "identity": of(&signed, 1) },
            "nginx_cpu_us": cpu(&plain),
            "verify_us": verify,
            "sign_us": sign,
            "floor_us": floor,
            "ratio_percent": 100 * cpu(&signed) / floor,
            "per_second": median(signed.iter().map(|round| round.per_second).collect()),
            "nginx_per_second": median(plain.iter().map(|round| round.per_second).collect()),
            "alone": alone,
        })
    );
}

fn start(authority: &Authority, folder: &Folder) -> Stack {
    let (certificate, key) = (authority.certificate(), authority.key());
    let words = ["--listen", "127.0.0.1:0", "--host", "localhost", "--tls-certificate"];
    let files = [certificate.to_str().unwrap(), "--tls-key", key.to_str().unwrap()];
    Stack::start_over_tls(&folder.join("data"), &[&words[..], &files[..]].concat())
}

/// A key for each connection, since a key has a rate of its own.
fn signers(stack: &Stack, root: &std::path::Path) -> Vec<Signer> {
    let program = Program::new();
    let ca = root.to_str().unwrap();
    let code = program.invitation(stack.data());
    let server = ["--server", stack.url(), "--server-ca", ca];
    program.json(&[&["keys", "make", "--invitation", &code, "--name", "first"], &server[..]].concat());
    (0..CONNECTIONS)
        .map(|number| {
            let name = format!("bench-{number}");
            let words = ["keys", "make", "--name", &name, "--by", "first", "--scope", "organisation:read"];
            let key = program.json(&[&words[..], &["--server-ca", ca]].concat());
            Signer::new(key["id"].as_str().unwrap(), &program.pair(&name).1)
        })
        .collect()
}

/// One connection, one request after the other: in microseconds, the median and what one in a hundred takes longer than.
fn latencies(load: &Load, ours: &Server, theirs: &Server, signer: &Signer) -> serde_json::Value {
    let many = 1500;
    let mine = load.drive(ours, &[(0..many).map(|_| signer.get(ours.port, TARGET)).collect()]).took_us;
    let nginxs = load.drive(theirs, &[vec![get(theirs.port); many]]).took_us;
    let at = |mut took: Vec<u64>, percent: usize| {
        took.sort_unstable();
        took[took.len() * percent / 100]
    };
    let added = at(mine.clone(), 99).saturating_sub(at(nginxs.clone(), 99));
    json!({
        "p50_us": at(mine.clone(), 50), "p99_us": at(mine, 99),
        "nginx_p50_us": at(nginxs.clone(), 50), "nginx_p99_us": at(nginxs, 99), "added_p99_us": added,
    })
}

fn get(port: u16) -> Vec<u8> {
    format!("GET {TARGET} HTTP/1.1\r\nhost: localhost:{port}\r\n\r\n").into_bytes()
}

fn of(rounds: &[client::Driven], process: usize) -> u64 {
    median(rounds.iter().map(|round| round.cpu_of_us[process]).collect())
}

fn median(mut values: Vec<u64>) -> u64 {
    values.sort_unstable();
    values[values.len() / 2]
}

/// User and system time (proc(5), stat); its ticks are hundredths of a second.
fn cpu_time(pid: u32) -> Duration {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let fields: Vec<&str> = stat[stat.rfind(')').unwrap() + 2..].split(' ').collect();
    let ticks: u64 = [fields[11], fields[12]].iter().map(|ticks| ticks.parse::<u64>().unwrap()).sum();
    Duration::from_millis(10 * ticks)
}
