//! Epochs: adding one, re-wrapping to it in bulk, and what a re-wrap refuses.

use crate::support::{Answer, Machine, Owner, host, roots};
use enclave::egress::Trust;
use wire::frame::Kind;
use wire::operation::{Inspected, Op, Rotate, Rotated};
use wire::provision::{EpochRoot, Provision};
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

fn refused(refusal: Refusal) -> RewrapResult {
    RewrapResult { envelope: None, refusal: Some(refusal) }
}

#[test]
fn m22_an_epoch_is_added_while_running_and_envelopes_move_to_it_without_their_owners() {
    let (mut machine, mut owner) = (host(1), Owner::eddsa());
    let before = machine.identity().1;
    let (one, two) = ([1; 32], [2; 32]);
    let epochs = [(1, &one), (2, &two)];
    let epochs = epochs.map(|(epoch, root)| EpochRoot::of_any(epoch, root.as_slice())).into();
    machine
        .enclave
        .add_epochs(&Provision {
            epochs,
            sandbox: None,
            current: None,
            witnessed: None,
            relying_parties: Vec::new(),
        })
        .unwrap();
    let after = machine.identity().1;
    assert_eq!((before.epochs.current, after.epochs.current), (1, 2));
    assert_eq!(after.epochs.commitments[0], before.epochs.commitments[0]);

    let results = rewrap(&mut machine, &[&owner.envelope]);
    owner.envelope = results[0].envelope.clone().unwrap().0;
    let inspected = Inspected::from_bytes(&owner.ask(&mut machine, Op::Inspect).unwrap()).unwrap();
    assert_eq!((inspected.epoch, inspected.generation, inspected.current), (2, 1, true));
}

#[test]
fn an_envelope_of_an_epoch_that_is_not_held_is_refused() {
    let mut owner = Owner::eddsa();
    owner.envelope = crate::support::envelope_of(&owner, &roots(2));
    let mut machine = host(1);
    assert_eq!(owner.ask(&mut machine, Op::Inspect), Err(Refusal::UnknownEpoch));
    assert_eq!(rewrap(&mut machine, &[&owner.envelope]), [refused(Refusal::UnknownEpoch)]);
}

#[test]
fn rewrapping_refuses_a_generation_that_its_owner_left_behind_and_a_forgotten_connection() {
    let mut machine = Machine::start(1, roots(2), Trust::live());
    let (mut a, mut b) = (Owner::eddsa(), Owner::eddsa());
    let old = a.envelope.clone();
    let mut draft = a.draft(&machine, Op::Rotate);
    draft.args = Rotate { data_key: true, epoch: false, share: None, owners: None, class: None }.to_bytes();
    let rotated = a.ask_draft(&mut machine, &draft).unwrap();
    a.envelope = Rotated::from_bytes(&rotated).unwrap().envelope;
    a.ask(&mut machine, Op::Acknowledge).unwrap();
    b.ask(&mut machine, Op::Forget).unwrap();
    let results = rewrap(&mut machine, &[&old, &a.envelope, &b.envelope, b"junk"]);
    assert_eq!(results[0], refused(Refusal::StaleGeneration));
    assert!(results[1].envelope.is_some());
    assert_eq!(results[2], refused(Refusal::Forgotten));
    assert_eq!(results[3], refused(Refusal::Malformed));
}

#[test]
fn a_malformed_batch_is_refused_whole() {
    let mut machine = host(1);
    for body in [&b""[..], b"\xa1\x00", &[0xff; 4000]] {
        machine.frame(Kind::Rewrap, 1, body);
        assert!(matches!(machine.answer(1), Answer::Refused(Refusal::Malformed)));
    }
    let many = Rewrap { envelopes: vec![Bytes(vec![0]); 4097] }.to_bytes();
    machine.frame(Kind::Rewrap, 1, &many);
    assert!(matches!(machine.answer(1), Answer::Refused(Refusal::Malformed)));
}
