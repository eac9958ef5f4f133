//! Envelopes re-wrapped in bulk by a start that has met none of their owners: what the map has of them counts
//! (docs/spec/frames.md §4).

use crate::support::book::Book;
use crate::support::keeper::Keeper;
use crate::support::{Answer, Machine, Owner, roots};
use enclave::egress::Trust;
use std::collections::BTreeSet;
use verify::register::completion;
use wire::frame::Kind;
use wire::freshness::{Found, Lookup};
use wire::operation::{Op, Rotate, Rotated};
use wire::register::Counts;
use wire::rewrap::{Bytes, Rewrap, Rewrapped};
use wire::{Canonical, Refusal};

const STREAM: u32 = 9_999;

/// Asks for these to be re-wrapped.
fn ask(machine: &mut Machine, envelopes: &[Vec<u8>]) {
    let envelopes = envelopes.iter().cloned().map(Bytes).collect();
    machine.frame(Kind::Rewrap, STREAM, &Rewrap { envelopes }.to_bytes());
}

/// What each is refused for; `None`: it was re-wrapped.
fn told(machine: &mut Machine) -> Vec<Option<Refusal>> {
    let Answer::Reply(body) = machine.answer(STREAM) else { panic!("no results") };
    let results = Rewrapped::from_bytes(&body).unwrap().results;
    assert!(results.iter().all(|result| result.envelope.is_some() != result.refusal.is_some()));
    results.into_iter().map(|result| result.refusal).collect()
}

fn rewrap(machine: &mut Machine, envelopes: &[Vec<u8>]) -> Vec<Option<Refusal>> {
    ask(machine, envelopes);
    told(machine)
}

fn start(seed: u8, keeper: Keeper) -> Machine {
    Machine::start_with(seed, roots(2), Trust::live(), keeper)
}

/// The next generation, not acknowledged yet.
fn rotated(machine: &mut Machine, owner: &mut Owner) -> Vec<u8> {
    let mut draft = owner.draft(machine, Op::Rotate);
    draft.args = Rotate { data_key: true, epoch: false, share: None, owners: None, class: None }.to_bytes();
    Rotated::from_bytes(&owner.ask_draft(machine, &draft).unwrap()).unwrap().envelope
}

/// What the enclave has asked its host, which says nothing.
fn asked(machine: &mut Machine) -> Option<(Kind, u32, Vec<u8>)> {
    (!machine.keeper.unanswered.is_empty()).then(|| machine.keeper.unanswered.remove(0))
}

fn lookup(machine: &mut Machine) -> (u32, Lookup) {
    match asked(machine) {
        Some((Kind::Lookup, stream, body)) => (stream, Lookup::from_bytes(&body).unwrap()),
        other => panic!("no lookup: {other:?}"),
    }
}

#[test]
fn what_an_earlier_start_saw_forgotten_or_superseded_is_not_renewed_and_is_counted_as_what_it_is() {
    let mut machine = start(1, Keeper::new(1, 1));
    let mut owners: Vec<Owner> = (0..5).map(|_| Owner::eddsa()).collect();
    owners.iter_mut().for_each(|owner| drop(owner.ask(&mut machine, Op::Acknowledge).unwrap()));
    let [held, gone, newer, waiting, lost] = owners.as_mut_slice() else { panic!("five of them") };
    gone.ask(&mut machine, Op::Forget).unwrap();
    let superseded = newer.envelope.clone();
    newer.envelope = rotated(&mut machine, newer);
    newer.ask(&mut machine, Op::Acknowledge).unwrap();
    let pending = rotated(&mut machine, waiting);
    let passed_over = rotated(&mut machine, lost);
    rotated(&mut machine, lost);

    let mut next = start(2, machine.keeper);
    let newcomer = Owner::eddsa();
    let forgotten = gone.envelope.clone();
    let told = rewrap(
        &mut next,
        &[
            held.envelope.clone(),
            forgotten.clone(),
            superseded,
            newer.envelope.clone(),
            waiting.envelope.clone(),
            pending,
            passed_over,
            lost.envelope.clone(),
            newcomer.envelope.clone(),
            forgotten,
            b"junk".to_vec(),
        ],
    );
    let (stale, gone) = (Some(Refusal::StaleGeneration), Some(Refusal::Forgotten));
    let expected = [None, gone, stale, None, None, None, stale, None, None, gone, Some(Refusal::Malformed)];
    assert_eq!(told, expected);

    let mut book = Book::default();
    book.keep(&mut next);
    let statement = book.conclude(&mut next, 1).unwrap();
    let counts = completion(&next.identity().1, &statement).unwrap().statement.counts;
    assert_eq!(counts, Counts { held: 0, rewrapped: 5, revoked: 1, absent: 0 });
}

#[test]
fn a_batch_is_looked_up_in_few_frames_each_name_once_and_what_is_met_or_no_envelope_not_at_all() {
    let mut machine = start(1, Keeper::new(1, 1));
    let mut met = Owner::eddsa();
    met.ask(&mut machine, Op::Inspect).unwrap();
    let owners: Vec<Owner> = (0..600).map(|_| Owner::eddsa()).collect();
    let mut envelopes: Vec<Vec<u8>> = owners.iter().map(|owner| owner.envelope.clone()).collect();
    envelopes.extend([owners[0].envelope.clone(), met.envelope.clone(), b"junk".to_vec()]);
    machine.keeper.is_silent = true;
    ask(&mut machine, &envelopes);
    let mut names = Vec::new();
    for count in [512, 88] {
        let (stream, lookup) = lookup(&mut machine);
        assert_eq!((lookup.names.len(), asked(&mut machine)), (count, None), "one at a time");
        let found = machine.keeper.find(&lookup.names);
        names.extend(lookup.names.into_iter().map(|name| name.0));
        machine.frame(Kind::Found, stream, &found.to_bytes());
    }
    let expected: BTreeSet<_> = owners.iter().map(|owner| verify::register::name(owner.connection)).collect();
    assert_eq!((names.len(), names.into_iter().collect::<BTreeSet<_>>()), (600, expected));
    assert!(matches!(asked(&mut machine), Some((Kind::Commit, ..))), "then it is done, and waits for a head");
}

#[test]
fn what_its_owner_does_while_a_batch_is_looked_up_counts_more_than_what_was_found() {
    let mut before = start(1, Keeper::new(1, 1));
    let (mut owner, other) = (Owner::eddsa(), Owner::eddsa());
    owner.ask(&mut before, Op::Inspect).unwrap();
    let mut machine = start(2, before.keeper);
    machine.keeper.is_silent = true;
    ask(&mut machine, &[owner.envelope.clone(), other.envelope.clone()]);
    let (stream, lookup) = lookup(&mut machine);
    let found = machine.keeper.find(&lookup.names);
    machine.keeper.is_silent = false;
    owner.ask(&mut machine, Op::Forget).unwrap();
    machine.frame(Kind::Found, stream, &found.to_bytes());
    assert_eq!(told(&mut machine), [Some(Refusal::Forgotten), None]);
}

#[test]
fn m06_a_host_that_shows_something_else_or_nothing_has_nothing_re_wrapped() {
    let mut first = start(1, Keeper::new(1, 1));
    let mut owner = Owner::eddsa();
    owner.ask(&mut first, Op::Forget).unwrap();
    let nothing = Found { proofs: Vec::new() };
    let mut machine = start(2, first.keeper.clone());
    let empty = Keeper::new(1, 1);
    machine.keeper.is_silent = true;
    for what in ["not in the map", "another's", "nothing"] {
        ask(&mut machine, std::slice::from_ref(&owner.envelope));
        // The host is asked again, a few times.
        for _ in 0..3 {
            let (stream, lookup) = lookup(&mut machine);
            let found = match what {
                "not in the map" => empty.find(&lookup.names),
                "another's" => {
                    let mut found = machine.keeper.find(&lookup.names);
                    found.proofs.iter_mut().for_each(|proof| proof.leaf.as_mut().unwrap().name.0[31] ^= 1);
                    found
                }
                _ => nothing.clone(),
            };
            machine.frame(Kind::Found, stream, &found.to_bytes());
        }
        assert!(matches!(machine.answer(STREAM), Answer::Refused(Refusal::RegisterMismatch)), "{what}");
    }
    ask(&mut machine, std::slice::from_ref(&owner.envelope));
    machine.pass(9_999);
    assert!(matches!(machine.answer(STREAM), Answer::Nothing));
    machine.pass(1);
    assert!(matches!(machine.answer(STREAM), Answer::Refused(Refusal::NoQuorum)));
    // What comes too late is for nobody.
    let (stream, lookup) = lookup(&mut machine);
    let found = machine.keeper.find(&lookup.names);
    machine.frame(Kind::Found, stream, &found.to_bytes());
    assert!(machine.said_nothing());
}

#[test]
fn batches_that_wait_are_few_and_go_with_their_host() {
    let mut machine = start(1, Keeper::new(1, 1));
    let owner = Owner::eddsa();
    machine.keeper.is_silent = true;
    let body = Rewrap { envelopes: vec![Bytes(owner.envelope.clone())] }.to_bytes();
    (1..=17).for_each(|stream| machine.frame(Kind::Rewrap, stream, &body));
    assert!(matches!(machine.answer(17), Answer::Refused(Refusal::Overloaded)));
    assert!(matches!(machine.answer(16), Answer::Nothing));
    let (stream, lookup) = lookup(&mut machine);
    let found = machine.keeper.find(&lookup.names);
    machine.host_gone();
    machine.frame(Kind::Found, stream, &found.to_bytes());
    assert!(machine.said_nothing(), "what one host asked is never told to the next");
}
