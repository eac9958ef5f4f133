//! Floods: everything has a bound, and at the bound a refusal.

use crate::support::{
    Answer, Authority, Behaviour, Exchange, Key, NOW, Owner, Sealed, envelope_of, host, roots, sandbox,
};
use enclave::Fatal;
use std::collections::BTreeSet;
use wire::evidence::Evidence;
use wire::frame::{Frame, Kind};
use wire::operation::Op;
use wire::owner::OwnerRole;
use wire::{Canonical, Refusal};

#[test]
fn a_flood_of_nonces_is_answered_by_few_quotes() {
    let mut machine = host(1);
    for stream in 0..5_000u32 {
        let nonce: [u8; 32] = core::array::from_fn(|at| (stream >> (8 * (at % 4))) as u8);
        machine.frame(Kind::Attest, stream, &nonce);
    }
    machine.pass(10);
    let answers = machine.take(Kind::Evidence);
    assert_eq!(answers.len(), 5_000);
    let quotes: BTreeSet<Vec<u8>> =
        answers.iter().map(|(_, body)| Evidence::from_bytes(body).unwrap().document).collect();
    assert_eq!(quotes.len(), 5);
}

#[test]
fn a_host_that_takes_nothing_is_refused_and_then_the_enclave_ends() {
    let mut machine = host(1);
    let batch = wire::rewrap::Rewrap { envelopes: vec![wire::rewrap::Bytes(vec![1; 4]); 4_096] }.to_bytes();
    let mut frames = 0u64;
    let end = loop {
        let frame = Frame { kind: Kind::Rewrap, stream: 1, body: &batch };
        match machine.enclave.handle(frame, 1_000) {
            Ok(()) => frames += 1,
            Err(fatal) => break fatal,
        }
        assert!(frames < 20_000_000, "it ends");
    };
    assert_eq!(end, Fatal::Channel);
    let mut out = Vec::new();
    machine.enclave.take_output(&mut out);
    assert!(out.len() < 128 << 20, "{} bytes are kept at most", out.len());
    let refusal = Refusal::Overloaded.number().to_be_bytes();
    assert!(out.ends_with(&refusal), "what came last was refused");
}

#[test]
fn one_owner_who_floods_uses_up_their_own_quota_and_nobody_elses() {
    let (mut machine, mut flooder, mut other) = (host(1), Owner::eddsa(), Owner::eddsa());
    for _ in 0..1_024 {
        flooder.ask(&mut machine, Op::Inspect).unwrap();
    }
    let counter = flooder.last.0;
    assert_eq!(flooder.ask(&mut machine, Op::Inspect), Err(Refusal::QuotaReached));
    assert_eq!(flooder.last.0, counter, "what was not served moves no receipts");
    other.ask(&mut machine, Op::Inspect).unwrap();

    // A new share or generation is no new quota; the same id over another key is.
    flooder.device = core::mem::replace(&mut other.device, Key::eddsa(OwnerRole::Device));
    flooder.envelope = envelope_of(&flooder, &roots(1));
    assert_eq!(flooder.ask(&mut machine, Op::Inspect), Err(Refusal::QuotaReached), "a new owner set");
    other.connection = flooder.connection;
    other.envelope = envelope_of(&other, &roots(1));
    other.ask(&mut machine, Op::Inspect).expect("who chose the same id has a quota of their own");

    machine.pass(240_001);
    let mut later = flooder.draft(&machine, Op::Inspect);
    (later.issued, later.expires) = (NOW.plus(240_001), NOW.plus(300_000));
    flooder.ask_draft(&mut machine, &later).expect("four minutes later");
}

#[test]
fn requests_that_an_owner_did_not_sign_use_up_nothing_of_theirs() {
    let (mut machine, mut owner) = (host(1), Owner::eddsa());
    let stranger = Key::eddsa(OwnerRole::Device);
    for _ in 0..1_100 {
        let draft = owner.draft(&machine, Op::Inspect);
        assert_eq!(owner.ask_by(&mut machine, &draft, &[&stranger]), Err(Refusal::NotAuthorised));
    }
    owner.ask(&mut machine, Op::Inspect).unwrap();
}

#[test]
fn a_thousand_replies_that_the_host_takes_at_once_are_whole() {
    let mut machine = host(1);
    let owners: Vec<Owner> = (0..1_000).map(|_| Owner::eddsa()).collect();
    for owner in &owners {
        let sealed = owner.draft(&machine, Op::Inspect).seal(&[&owner.device]);
        machine.deliver(&sealed.bytes);
    }
    machine.collect();
    assert_eq!(machine.take(Kind::Reply).len(), 1_000);
}

#[test]
fn frames_for_nobody_are_swallowed() {
    let mut machine = host(1);
    let body = vec![0x17; 16 << 10];
    for stream in 0..20_000 {
        for kind in [Kind::EgressReceived, Kind::EgressConnected, Kind::EgressGone, Kind::Cancel] {
            machine.frame(kind, stream, &body);
        }
    }
    for kind in [Kind::EgressSend, Kind::EgressClose, Kind::Reply, Kind::Refused] {
        assert!(machine.take(kind).is_empty());
    }
}

#[test]
fn calls_beyond_the_bound_are_refused_and_those_within_it_still_end() {
    let authority = Authority::sandbox();
    let (mut machine, mut exchange) = (sandbox(1, &authority), Exchange::honest(&authority));
    exchange.behaviour = Behaviour::Silent;
    let mut waiting: Vec<(Sealed, u32)> = Vec::new();
    let mut refused = 0;
    for _ in 0..4_100 {
        let owner = Owner::eddsa();
        let sealed = owner.balances_draft(&machine, "EUR").seal(&[&owner.device]);
        let stream = machine.begin(&sealed.bytes);
        match machine.answer(stream) {
            Answer::Nothing => waiting.push((sealed, stream)),
            answer => {
                assert_eq!(sealed.open(answer, &machine).result, Err(Refusal::Overloaded));
                refused += 1;
            }
        }
    }
    assert_eq!((waiting.len(), refused), (4_096, 4));
    machine.pass(60_000);
    for (sealed, stream) in waiting {
        let answer = machine.answer(stream);
        assert_eq!(sealed.open(answer, &machine).result, Err(Refusal::ProviderTimeout));
    }
    let mut owner = Owner::eddsa();
    machine.claim(crate::support::NOW);
    owner.ask(&mut machine, Op::Inspect).unwrap();
}

#[test]
fn a_huge_frame_that_is_no_request_is_refused() {
    let mut machine = host(1);
    let key = machine.identity().1.hpke_keys[0].id;
    let mut huge = vec![key; (2 << 20) - 5];
    huge[1..7].copy_from_slice(&[0x64, 0x7a, 0, 1, 0, 2]);
    assert!(matches!(machine.request(&huge), Answer::Refused(Refusal::Unsealable)));
}
