//! What floods leave behind: nothing that grows with them. One test in a process of its own, because it reads the
//! process's memory.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

#[path = "../hostile/support/mod.rs"]
#[expect(dead_code, unused_imports, reason = "the hostile host uses more of it")]
mod support;

use support::{Authority, Behaviour, Exchange, Key, Machine, Owner, sandbox};
use wire::frame::Kind;
use wire::operation::Op;
use wire::owner::OwnerRole;

/// One wave of a flood.
type Flood = fn(&mut Machine, &mut Exchange, usize);

const ROUNDS: usize = 3_000;
const MIB: usize = 1 << 20;

#[test]
fn m07_floods_leave_no_memory_behind() {
    let authority = Authority::sandbox();
    let mut machine = sandbox(1, &authority);
    let mut exchange = Exchange::honest(&authority);
    let floods: [(&str, Flood); 5] = [
        ("nonces that nobody waits for", nonces),
        ("requests that do not open", unsealable),
        ("requests without an owner", strangers),
        ("calls that the host cancels", cancelled),
        ("egress frames for nobody", egress),
    ];
    for (name, flood) in floods {
        (0..ROUNDS / 10).for_each(|round| flood(&mut machine, &mut exchange, round));
        let before = resident();
        (0..ROUNDS).for_each(|round| flood(&mut machine, &mut exchange, round));
        let grown = resident().saturating_sub(before);
        assert!(grown < 24 * MIB, "{name}: {} MiB more than before", grown / MIB);
    }
}

fn nonces(machine: &mut Machine, _: &mut Exchange, round: usize) {
    let stream = u32::try_from(round).unwrap();
    machine.frame(Kind::Attest, stream, &[7; 32]);
    machine.frame(Kind::Cancel, stream, &[]);
}

fn unsealable(machine: &mut Machine, _: &mut Exchange, _: usize) {
    let owner = Key::eddsa(OwnerRole::Device);
    let mut bytes = support::Draft::new(machine, Op::Inspect, Vec::new()).seal(&[&owner]).bytes;
    *bytes.last_mut().unwrap() ^= 1;
    machine.request(&bytes);
}

fn strangers(machine: &mut Machine, _: &mut Exchange, _: usize) {
    let owner = Owner::eddsa();
    let stranger = Key::eddsa(OwnerRole::Device);
    let sealed = owner.draft(machine, Op::Inspect).seal(&[&stranger]);
    machine.request(&sealed.bytes);
}

fn cancelled(machine: &mut Machine, exchange: &mut Exchange, _: usize) {
    let owner = Owner::eddsa();
    exchange.behaviour = Behaviour::Mute;
    let sealed = owner.balances_draft(machine, "EUR").seal(&[&owner.device]);
    let stream = machine.begin(&sealed.bytes);
    exchange.run(machine);
    machine.frame(Kind::Cancel, stream, &[]);
    exchange.run(machine);
    machine.answer(stream);
    exchange.opened.clear();
}

fn egress(machine: &mut Machine, _: &mut Exchange, round: usize) {
    let stream = u32::try_from(round).unwrap().wrapping_mul(0x9e37_79b9);
    machine.frame(Kind::EgressConnected, stream, &[]);
    machine.frame(Kind::EgressReceived, stream, &[0x16; 4096]);
}

/// Resident bytes of this process.
fn resident() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("the kernel says it");
    line.trim().trim_end_matches(" kB").parse::<usize>().unwrap() * 1024
}
