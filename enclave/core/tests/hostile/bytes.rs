//! Bytes that were altered, cut, repeated, reordered or made up.

use crate::support::{Answer, Owner, host};
use enclave::Fatal;
use wire::frame::{Frame, Kind};
use wire::operation::Op;
use wire::{Canonical, Refusal};

#[test]
fn every_altered_byte_of_a_sealed_request_is_refused() {
    let (mut machine, owner) = (host(1), Owner::eddsa());
    let sealed = owner.draft(&machine, Op::Inspect).seal(&[&owner.device]);
    for at in 0..sealed.bytes.len() {
        let mut altered = sealed.bytes.clone();
        altered[at] ^= 1;
        match machine.request(&altered) {
            Answer::Refused(Refusal::UnknownKey) => assert!(at < 7, "byte {at}"),
            Answer::Refused(Refusal::Unsealable) => assert!(at >= 7, "byte {at}"),
            other => panic!("byte {at}: {other:?}"),
        }
    }
    assert!(matches!(machine.request(&sealed.bytes), Answer::Reply(_)), "unaltered it is served");
}

#[test]
fn every_truncation_of_a_sealed_request_is_refused() {
    let (mut machine, owner) = (host(1), Owner::eddsa());
    let sealed = owner.draft(&machine, Op::Inspect).seal(&[&owner.device]);
    for end in 0..sealed.bytes.len() {
        assert!(matches!(machine.request(&sealed.bytes[..end]), Answer::Refused(_)), "cut at {end}");
    }
}

#[test]
fn every_altered_byte_of_an_envelope_is_refused() {
    let (mut machine, mut owner) = (host(1), Owner::eddsa());
    let envelope = owner.envelope.clone();
    for at in 0..envelope.len() {
        owner.envelope[at] ^= 1;
        let refusal = owner.ask(&mut machine, Op::Inspect).unwrap_err();
        let expected = [Refusal::Malformed, Refusal::EnvelopeRefused, Refusal::UnknownEpoch];
        assert!(expected.contains(&refusal), "byte {at}: {refusal:?}");
        owner.envelope[at] ^= 1;
    }
    owner.ask(&mut machine, Op::Inspect).unwrap();
}

#[test]
fn every_altered_byte_of_a_reply_is_noticed() {
    let (mut machine, owner) = (host(1), Owner::eddsa());
    let sealed = owner.draft(&machine, Op::Inspect).seal(&[&owner.device]);
    let Answer::Reply(body) = machine.request(&sealed.bytes) else { panic!("no reply") };
    for at in 0..body.len() {
        let mut altered = body.clone();
        altered[at] ^= 1;
        assert!(!sealed.opens(&altered), "byte {at}");
    }
    assert!(sealed.opens(&body));
}

#[test]
fn m06_a_replayed_request_is_refused_and_its_reply_tells_nothing_to_others() {
    let (mut machine, owner) = (host(1), Owner::eddsa());
    let sealed = owner.draft(&machine, Op::Inspect).seal(&[&owner.device]);
    let answer = machine.request(&sealed.bytes);
    sealed.open(answer, &machine).result.unwrap();
    for _ in 0..3 {
        let answer = machine.request(&sealed.bytes);
        assert_eq!(sealed.open(answer, &machine).result, Err(Refusal::Replayed));
    }
}

#[test]
fn a_nonce_used_in_another_request_is_refused() {
    let (mut machine, mut owner) = (host(1), Owner::eddsa());
    let mut draft = owner.draft(&machine, Op::Inspect);
    owner.ask_draft(&mut machine, &draft).unwrap();
    draft.op = Op::Forget;
    assert_eq!(owner.ask_draft(&mut machine, &draft), Err(Refusal::Replayed));
}

#[test]
fn a_request_to_an_enclave_that_started_again_does_not_open() {
    let (mut machine, owner) = (host(1), Owner::eddsa());
    let sealed = owner.draft(&machine, Op::Inspect).seal(&[&owner.device]);
    machine.request(&sealed.bytes);
    let mut again = host(1);
    assert!(matches!(
        again.request(&sealed.bytes),
        Answer::Refused(Refusal::Unsealable | Refusal::UnknownKey)
    ));
}

#[test]
fn replies_handed_to_the_wrong_client_do_not_open() {
    let (mut machine, a, b) = (host(1), Owner::eddsa(), Owner::eddsa());
    let for_a = a.draft(&machine, Op::Inspect).seal(&[&a.device]);
    let for_b = b.draft(&machine, Op::Inspect).seal(&[&b.device]);
    let (Answer::Reply(to_a), Answer::Reply(to_b)) =
        (machine.request(&for_a.bytes), machine.request(&for_b.bytes))
    else {
        panic!("no replies")
    };
    assert!(for_a.opens(&to_a) && for_b.opens(&to_b));
    assert!(!for_a.opens(&to_b) && !for_b.opens(&to_a));
}

#[test]
fn m17_the_core_has_no_frame_that_provisions_or_simulates() {
    let mut machine = host(1);
    let provision = wire::provision::Provision { epochs: Vec::new(), sandbox: None }.to_bytes();
    let frame = Frame { kind: Kind::Provision, stream: 0, body: &provision };
    assert_eq!(machine.enclave.handle(frame, 1_000), Err(Fatal::Frame));
}

#[test]
fn a_frame_that_only_an_enclave_sends_ends_it() {
    for kind in Kind::ALL.iter().copied().filter(|kind| !kind.is_from_host()) {
        let mut machine = host(1);
        let frame = Frame { kind, stream: 0, body: &[] };
        assert_eq!(machine.enclave.handle(frame, 1_000), Err(Fatal::Frame), "{kind:?}");
    }
}

#[test]
fn a_time_that_is_not_eight_bytes_ends_it() {
    for body in [&[][..], &[0; 7], &[0; 9]] {
        let mut machine = host(1);
        let frame = Frame { kind: Kind::Time, stream: 0, body };
        assert_eq!(machine.enclave.handle(frame, 1_000), Err(Fatal::Frame));
    }
}

#[test]
fn frames_for_streams_that_nobody_opened_are_ignored() {
    let mut machine = host(1);
    for kind in [Kind::Cancel, Kind::EgressConnected, Kind::EgressReceived, Kind::EgressGone] {
        machine.frame(kind, 77, b"bytes");
        assert!(matches!(machine.answer(77), Answer::Nothing));
    }
}
