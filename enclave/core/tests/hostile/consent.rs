//! Consent classes: who chooses them, and what an enclave without a class's root can do.

use crate::support::book::{Book, read_out_of};
use crate::support::{Answer, Machine, Owner, host, roots_of_all, two_epochs_of_all};
use enclave::egress::Trust;
use wire::consent::Class;
use wire::envelope::Envelope;
use wire::frame::Kind;
use wire::operation::{Inspected, Op, Rotate, Rotated};
use wire::register::Statement;
use wire::rewrap::{Bytes, Rewrap, RewrapResult, Rewrapped};
use wire::{Canonical, Refusal};

fn rewrap(machine: &mut Machine, envelopes: &[&[u8]]) -> Vec<RewrapResult> {
    let envelopes = envelopes.iter().map(|envelope| Bytes(envelope.to_vec())).collect();
    machine.frame(Kind::Rewrap, 9_999, &Rewrap { envelopes }.to_bytes());
    match machine.answer(9_999) {
        Answer::Reply(body) => Rewrapped::from_bytes(&body).unwrap().results,
        other => panic!("{other:?}"),
    }
}

/// An enclave with a root of each class.
fn with_all() -> Machine {
    Machine::start(1, roots_of_all(), Trust::live())
}

fn to(class: Class) -> Vec<u8> {
    Rotate { data_key: false, epoch: false, share: None, owners: None, class: Some(class) }.to_bytes()
}

#[test]
fn an_enclave_without_a_classs_root_opens_re_wraps_and_moves_nothing_of_it() {
    let mut machine = host(1);
    for class in [Class::Delayed, Class::Owner] {
        let mut owner = Owner::of_class(class);
        assert_eq!(owner.ask(&mut machine, Op::Inspect), Err(Refusal::ClassNotHeld));
        let mut draft = owner.draft(&machine, Op::Rotate);
        draft.args = to(Class::Any);
        assert_eq!(owner.ask_twice_signed(&mut machine, &draft), Err(Refusal::ClassNotHeld));
        let refused = RewrapResult { envelope: None, refusal: Some(Refusal::ClassNotHeld) };
        assert_eq!(rewrap(&mut machine, &[&owner.envelope]), [refused]);
    }
    // Nor does it take an envelope into a class that it could not open afterwards.
    let mut owner = Owner::eddsa();
    let mut draft = owner.draft(&machine, Op::Rotate);
    draft.args = to(Class::Owner);
    assert_eq!(owner.ask_draft(&mut machine, &draft), Err(Refusal::ClassNotHeld));
    assert!(owner.ask(&mut machine, Op::Inspect).is_ok(), "and the old one is still in use");
}

#[test]
fn a_host_that_writes_another_class_into_an_envelope_gets_nothing_of_it() {
    let mut machine = with_all();
    for held in Class::ALL {
        let owner = Owner::of_class(held);
        for class in Class::ALL.into_iter().filter(|class| *class != held) {
            let mut envelope = Envelope::from_bytes(&owner.envelope).unwrap();
            envelope.header.class = class;
            let mut owner = Owner::of_class(held);
            (owner.connection, owner.envelope) = (envelope.header.connection, envelope.to_bytes());
            assert_eq!(
                owner.ask(&mut machine, Op::Inspect),
                Err(Refusal::EnvelopeRefused),
                "{held} as {class}"
            );
            let results = rewrap(&mut machine, &[&owner.envelope]);
            assert_eq!(results[0].refusal, Some(Refusal::EnvelopeRefused), "{held} as {class}");
        }
    }
}

#[test]
fn a_stricter_class_takes_the_device_key_and_a_looser_one_both_factors() {
    let mut machine = with_all();
    let mut owner = Owner::eddsa();
    let steps = [(Class::Delayed, false), (Class::Owner, false), (Class::Delayed, true), (Class::Any, true)];
    for (generation, (class, is_looser)) in (2..).zip(steps) {
        let mut draft = owner.draft(&machine, Op::Rotate);
        draft.args = to(class);
        if is_looser {
            assert_eq!(owner.ask_draft(&mut machine, &draft), Err(Refusal::SecondFactorNeeded), "{class}");
            draft = owner.draft(&machine, Op::Rotate);
            draft.args = to(class);
        }
        let rotated = match is_looser {
            true => owner.ask_twice_signed(&mut machine, &draft),
            false => owner.ask_draft(&mut machine, &draft),
        };
        let rotated = Rotated::from_bytes(&rotated.unwrap()).unwrap();
        owner.envelope = rotated.envelope;
        owner.ask(&mut machine, Op::Acknowledge).unwrap();
        let inspected = Inspected::from_bytes(&owner.ask(&mut machine, Op::Inspect).unwrap()).unwrap();
        assert_eq!((inspected.class, inspected.generation), (class, generation));
    }
}

#[test]
fn re_wrapping_keeps_the_class_and_takes_its_own_newest_epoch() {
    let mut machine = Machine::start(1, two_epochs_of_all(), Trust::live());
    for class in Class::ALL {
        let mut owner = Owner::of_class(class);
        let results = rewrap(&mut machine, &[&owner.envelope]);
        owner.envelope = results[0].envelope.clone().unwrap().0;
        let inspected = Inspected::from_bytes(&owner.ask(&mut machine, Op::Inspect).unwrap()).unwrap();
        assert_eq!((inspected.class, inspected.epoch, inspected.generation), (class, 2, 1));
    }
}

#[test]
fn completion_counts_the_connections_of_its_class_and_has_every_connection_in_its_tree() {
    let mut machine = Machine::start(1, two_epochs_of_all(), Trust::live());
    let mut book = Book::default();
    // One of class any, two of delayed, three of owner; of each class the first moves on, the others stay in epoch 1.
    for (class, count) in [(Class::Any, 1), (Class::Delayed, 2), (Class::Owner, 3)] {
        for number in 0..count {
            let mut owner = Owner::of_class(class);
            if number == 0 {
                owner.envelope = rewrap(&mut machine, &[&owner.envelope])[0].envelope.clone().unwrap().0;
            }
            owner.ask(&mut machine, Op::Acknowledge).unwrap();
        }
    }
    book.keep(&mut machine);
    let mut counts = Vec::new();
    for class in Class::ALL {
        let log = book.entries.iter().map(|entry| entry.to_vec()).collect();
        let signed = read_out_of(&mut machine, class, 1, log, book.sorted()).unwrap();
        book.keep(&mut machine);
        let identity = machine.identity().1;
        let statement: Statement = verify::register::completion(&identity, &signed).unwrap().statement;
        assert_eq!((statement.class, statement.connections()), (class, Some(6)));
        counts.push((statement.counts.held, statement.counts.absent, statement.others));
    }
    assert_eq!(counts, [(1, 0, 5), (1, 1, 4), (1, 2, 3)]);
}
