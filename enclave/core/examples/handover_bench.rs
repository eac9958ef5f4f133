//! An enclave hands its roots to a replica: what both compute, from the challenge to the roots.
//!
//! `cargo run --release --example handover_bench` prints `{handover_microseconds}`, a median. The vendor is
//! made up and both run in this process: what messages take on their way is not counted.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::float_arithmetic,
    reason = "a measurement, not part of the enclave"
)]

#[expect(dead_code, reason = "a hostile host has more of it")]
#[path = "../tests/hostile/support/keeper.rs"]
mod keeper;
#[path = "../tests/provisioning/support.rs"]
#[expect(dead_code, reason = "the tests use more of it")]
mod support;
#[path = "../tests/provisioning/vendor.rs"]
#[expect(dead_code, reason = "the tests use more of it")]
mod vendor;

use std::time::Instant;
use support::{Machine, Operators, made};
use vendor::Vendor;
use wire::ceremony::{Answer, Ceremony, Genesis, HandOver, Inherit, Phase, Proposal};

/// What the program measures.
const PROGRAM: u8 = 7;
const ROUNDS: usize = 21;

fn main() {
    let (operators, genesis) = made();
    let vendor = Vendor::new();
    let mut running = running(&operators, &genesis, &vendor);
    let mut took = Vec::new();
    for _ in 0..ROUNDS {
        let mut replica = Machine::of(vendor.enclave(PROGRAM));
        let began = Instant::now();
        hand_over(&operators, &genesis, &mut running, &mut replica);
        took.push(began.elapsed().as_secs_f64() * 1e6);
    }
    took.sort_by(f64::total_cmp);
    println!("{{\"handover_microseconds\": {:.0}}}", took[ROUNDS / 2]);
}

/// An enclave with its roots, by quorum.
fn running(operators: &Operators, genesis: &Genesis, vendor: &Vendor) -> Machine {
    let mut machine = Machine::of(vendor.enclave(PROGRAM));
    let manifest = operators.next(genesis);
    let document = machine.setup_of(operators.propose(&manifest)).document;
    machine.release(operators.release(genesis, 1, &document));
    machine.release(operators.release(genesis, 2, &document));
    machine
}

fn hand_over(operators: &Operators, genesis: &Genesis, old: &mut Machine, new: &mut Machine) {
    let manifest = operators.next(genesis);
    let Answer::Challenge(challenge) = old.step(&Ceremony::Challenge) else { panic!("no challenge") };
    let proposal = Proposal { nonce: challenge.nonce, ..operators.propose(&manifest) };
    let setup = new.setup_of(proposal.clone());
    let asked = Ceremony::HandOver(HandOver { setup, proposal });
    let Answer::HandOver(handover) = old.step(&asked) else { panic!("not handed over") };
    let inherit = Ceremony::Inherit(Inherit { proposal: operators.propose(&manifest), handover });
    let Answer::Status(status) = new.step(&inherit) else { panic!("not inherited") };
    assert_eq!(status.phase, Phase::Provisioned);
}
