//! A sealed request per core: open, authorise, reply, with receipts and padding on; beside its floor.
//!
//! The request is an `inspect`: the seal is opened, the envelope, the owner's signature checked, the receipt signed,
//! the reply padded and sealed. The floor is what no implementation can do without, by the library alone, on messages
//! of the same sizes: X25519 and ML-KEM-768 decapsulation with their combiner, the HPKE key schedule and the reply's
//! keys, the owner's signature, the receipt's signature, and the AEADs of request, envelope and reply with key
//! set-up. Not in the floor: framing, Oblivious and Binary HTTP, CBOR, hashes that name things, the envelope's key
//! derivations, every check, every allocation.
//!
//! CPU time. Rounds of both alternate and the median round counts, so that whatever else the machine does weighs on
//! both alike.
//! `cargo run --release --example request_bench` prints one JSON object for each owner algorithm.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::float_arithmetic,
    reason = "a measurement, not part of the enclave"
)]

#[path = "cpu/mod.rs"]
mod cpu;
#[path = "request_bench/floor.rs"]
mod floor;
#[path = "../tests/hostile/support/mod.rs"]
#[expect(dead_code, unused_imports, reason = "the tests use more of it")]
mod support;

use floor::{Floor, Sizes};
use std::hint::black_box;
use support::{Answer, Machine, Owner, Sealed, host};
use wire::frame::Kind;
use wire::operation::Op;

const ROUNDS: usize = 61;
const REQUESTS: usize = 50;

fn main() {
    for (algorithm, make) in [("EdDSA", Owner::eddsa as fn() -> Owner), ("ES256", Owner::es256)] {
        measure(algorithm, make);
    }
}

fn measure(algorithm: &str, make: fn() -> Owner) {
    let mut machine = host(1);
    let owners: Vec<Owner> = (0..REQUESTS).map(|_| make()).collect();
    let sizes = sizes(&mut machine, &owners[0]);
    let floor = Floor::new(&sizes, algorithm);
    let (mut ours, mut floors) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let requests: Vec<Sealed> =
            owners.iter().map(|owner| owner.draft(&machine, Op::Inspect).seal(&[&owner.device])).collect();
        ours.push(micros(|| serve(&mut machine, &requests)));
        floors.push(micros(|| (0..REQUESTS).for_each(|_| floor.once())));
    }
    let [ours, floor] = [ours, floors].map(median);
    println!(
        r#"{{"owner_algorithm": "{algorithm}", "microseconds": {ours:.1}, "floor_microseconds": {floor:.1}, "ratio": {:.3}, "per_second": {:.0}, "request_bytes": {}, "reply_bytes": {}}}"#,
        floor / ours,
        1e6 / ours,
        sizes.request,
        sizes.reply,
    );
}

/// All that came in one read of the channel: their states are in one head or two. The host's and the witness's part of it
/// is counted, too: some thirty microseconds a head.
fn serve(machine: &mut Machine, requests: &[Sealed]) {
    requests.iter().for_each(|request| machine.deliver(&request.bytes));
    machine.collect();
    assert_eq!(black_box(machine.take(Kind::Reply)).len(), requests.len());
}

/// The sizes of one real exchange, which the floor takes over.
fn sizes(machine: &mut Machine, owner: &Owner) -> Sizes {
    let sealed = owner.draft(machine, Op::Inspect).seal(&[&owner.device]);
    let Answer::Reply(reply) = machine.request(&sealed.bytes) else { panic!("no reply") };
    let outcome = sealed.open(Answer::Reply(reply.clone()), machine);
    outcome.result.expect("the request is served");
    Sizes { request: sealed.bytes.len(), envelope: owner.envelope.len(), reply: reply.len() }
}

fn micros(work: impl FnOnce()) -> f64 {
    cpu::time(work).as_secs_f64() * 1e6 / REQUESTS as f64
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
