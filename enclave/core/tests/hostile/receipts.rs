//! Receipts: one for every sealed reply, one chain for each connection, and nothing that can be dropped unseen.

use crate::support::{Answer, Machine, Owner, host, sha256};
use verify::receipt::About;
use wire::operation::Op;
use wire::receipt::Receipt;
use wire::{Canonical, Refusal};

fn receipt_of(machine: &mut Machine, owner: &Owner, op: Op) -> Receipt {
    let sealed = owner.draft(machine, op).seal(&[&owner.device]);
    let answer = machine.request(&sealed.bytes);
    sealed.open(answer, machine).receipt
}

fn hash(receipt: &Receipt) -> Option<[u8; 32]> {
    Some(sha256(&receipt.to_bytes()))
}

#[test]
fn receipts_of_a_connection_form_a_chain_through_refusals_too() {
    let (mut machine, mut owner) = (host(1), Owner::eddsa());
    let first = receipt_of(&mut machine, &owner, Op::Inspect);
    assert_eq!((first.counter, first.previous), (1, None));
    owner.last = (1, hash(&first));
    let second = receipt_of(&mut machine, &owner, Op::Export);
    assert_eq!((second.counter, second.connection, second.refusal), (0, None, Some(Refusal::Malformed)));
    owner.ask(&mut machine, Op::Forget).unwrap();
    let (counter, last) = owner.last;
    assert_eq!(counter, 2);
    let refused = receipt_of(&mut machine, &owner, Op::Inspect);
    assert_eq!(refused.refusal, Some(Refusal::Forgotten));
    assert_eq!(owner.last, (counter, last), "a connection that is over has no new receipts");
}

#[test]
fn the_clients_own_check_follows_the_chain_and_sees_the_gap() {
    let (mut machine, mut owner) = (host(1), Owner::eddsa());
    let identity = machine.identity().1;
    let mut last = None;
    for round in 0..4 {
        let drops = round == 3;
        if drops {
            let dropped = owner.draft(&machine, Op::Inspect).seal(&[&owner.device]);
            machine.request(&dropped.bytes);
        }
        let sealed = owner.draft(&machine, Op::Inspect).seal(&[&owner.device]);
        let answer = machine.request(&sealed.bytes);
        let outcome = sealed.open(answer, &machine);
        let (request, reply) = (sealed.signed.as_slice(), &outcome.reply);
        let about =
            About { op: Op::Inspect, connection: Some(owner.connection), request, reply, grant: None, last };
        match verify::receipt::check(&identity, &about) {
            Ok(checked) => {
                assert!(!drops && !checked.boot_changed);
                last = checked.last;
                owner.last = last.map(|last| (last.counter, Some(last.hash))).unwrap();
            }
            Err(refused) => assert!(drops && refused == verify::Refused::ReceiptGap, "{refused:?}"),
        }
    }
    assert_eq!(last.unwrap().counter, 3);
}

#[test]
fn a_reply_that_the_host_dropped_shows_as_a_gap() {
    let (mut machine, mut owner) = (host(1), Owner::eddsa());
    owner.ask(&mut machine, Op::Inspect).unwrap();
    let dropped = receipt_of(&mut machine, &owner, Op::Inspect);
    let seen = receipt_of(&mut machine, &owner, Op::Inspect);
    assert_eq!(owner.last.0, 1);
    assert_eq!(seen.counter, 3);
    assert_eq!(seen.previous, hash(&dropped));
    assert_ne!(seen.previous, owner.last.1);
}

#[test]
fn nobody_but_the_owner_moves_the_chain() {
    let (mut machine, mut owner) = (host(1), Owner::eddsa());
    owner.ask(&mut machine, Op::Inspect).unwrap();
    let unsigned = owner.draft(&machine, Op::Inspect).seal(&[]);
    let answer = machine.request(&unsigned.bytes);
    let outcome = unsigned.open(answer, &machine);
    assert_eq!(outcome.result, Err(Refusal::NotAuthorised));
    assert_eq!((outcome.receipt.connection, outcome.receipt.counter), (None, 0));
    assert_eq!(receipt_of(&mut machine, &owner, Op::Inspect).counter, 2);
}

#[test]
fn a_second_enclave_goes_on_from_the_clients_counter_and_shows_another_boot() {
    let (mut first, mut second, mut owner) = (host(1), host(2), Owner::eddsa());
    for _ in 0..3 {
        owner.ask(&mut first, Op::Inspect).unwrap();
    }
    let receipt = receipt_of(&mut second, &owner, Op::Inspect);
    assert_eq!((receipt.counter, receipt.previous), (4, owner.last.1));
    assert_ne!(receipt.boot, first.identity().1.boot);
    assert_eq!(receipt.boot, second.identity().1.boot);
}

#[test]
fn a_counter_that_no_client_can_hold_is_refused() {
    let (mut machine, mut owner) = (host(1), Owner::eddsa());
    for (last, expected) in [
        ((0, Some([1; 32])), Refusal::Malformed),
        ((5, None), Refusal::Malformed),
        ((u64::MAX, Some([1; 32])), Refusal::CounterGap),
    ] {
        let mut draft = owner.draft(&machine, Op::Inspect);
        draft.last = last;
        assert_eq!(owner.ask_draft(&mut machine, &draft), Err(expected));
    }
}

#[test]
fn requests_that_the_host_reordered_are_each_served_once() {
    let (mut machine, owner) = (host(1), Owner::eddsa());
    let sealed: Vec<_> = (0..5).map(|_| owner.draft(&machine, Op::Inspect).seal(&[&owner.device])).collect();
    let mut counters = Vec::new();
    for which in [3, 0, 4, 1, 2] {
        let answer = machine.request(&sealed[which].bytes);
        let outcome = sealed[which].open(answer, &machine);
        outcome.result.unwrap();
        counters.push(outcome.receipt.counter);
    }
    assert_eq!(counters, [1, 2, 3, 4, 5]);
    for sealed in &sealed {
        let answer = machine.request(&sealed.bytes);
        assert_eq!(sealed.open(answer, &machine).result, Err(Refusal::Replayed));
    }
}

#[test]
fn a_request_that_does_not_open_moves_nothing() {
    let (mut machine, owner) = (host(1), Owner::eddsa());
    let mut broken = owner.draft(&machine, Op::Inspect).seal(&[&owner.device]).bytes;
    *broken.last_mut().unwrap() ^= 1;
    assert!(matches!(machine.request(&broken), Answer::Refused(Refusal::Unsealable)));
    assert_eq!(receipt_of(&mut machine, &owner, Op::Inspect).counter, 1);
}
