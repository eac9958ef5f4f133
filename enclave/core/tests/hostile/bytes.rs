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
fn m24_a_share_of_the_seal_that_contributes_nothing_is_refused() {
    let (mut machine, owner) = (host(1), Owner::eddsa());
    let sealed = owner.draft(&machine, Op::Inspect).seal(&[&owner.device]);
    // 0, 1, and a point of order 8 (RFC 7748 §6.1: all give the zero secret).
    let order_8 = [
        0xe0, 0xeb, 0x7a, 0x7c, 0x3b, 0x41, 0xb8, 0xae, 0x16, 0x56, 0xe3, 0xfa, 0xf1, 0x9f, 0xc4, 0x6a, 0xda,
        0x09, 0x8d, 0xeb, 0x9c, 0x32, 0xb1, 0xfd, 0x86, 0x62, 0x05, 0x16, 0x5f, 0x49, 0xb8, 0x00,
    ];
    let one: [u8; 32] = core::array::from_fn(|at| u8::from(at == 0));
    for point in [[0; 32], one, order_8] {
        let mut bytes = sealed.bytes.clone();
        bytes[7 + 1088..7 + 1120].copy_from_slice(&point);
        assert!(matches!(machine.request(&bytes), Answer::Refused(Refusal::Unsealable)));
    }
}

#[test]
fn nothing_of_an_enclave_is_printed() {
    let machine = host(1);
    let boot = machine.identity().1.boot;
    assert_eq!(format!("{:?}", machine.enclave), format!("Enclave({boot})"));
    assert_eq!(format!("{:#?}", machine.enclave), format!("Enclave({boot})"));
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
    let provision = wire::provision::Provision {
        epochs: Vec::new(),
        sandbox: None,
        current: None,
        witnessed: None,
        relying_parties: Vec::new(),
    }
    .to_bytes();
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
