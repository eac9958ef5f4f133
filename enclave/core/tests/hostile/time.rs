//! A clock that lies: frozen, jumping, backwards, and too far from the owner's.

use crate::support::{Authority, BUILT, Behaviour, Exchange, Owner, host, sandbox, sha256};
use wire::operation::Op;
use wire::request::MAX_VALIDITY_MS;
use wire::{Refusal, UnixMillis};

const TOLERANCE: u64 = 120_000;

#[test]
fn m19_a_host_clock_two_minutes_off_is_tolerated_and_more_is_said_to_be_the_clock() {
    for (offset, expected) in [(TOLERANCE, None), (TOLERANCE + 1, Some(Refusal::ClockDisagrees))] {
        for ahead in [true, false] {
            let (mut machine, mut owner) = (host(1), Owner::eddsa());
            let now = crate::support::NOW;
            machine.claim(if ahead { now.plus(offset) } else { now.minus(offset) });
            let mut draft = owner.draft(&machine, Op::Inspect);
            draft.expires = draft.issued.plus(MAX_VALIDITY_MS);
            // At the very end of its validity a request is over.
            let expected = if ahead && expected.is_none() { Some(Refusal::Expired) } else { expected };
            assert_eq!(owner.ask_draft(&mut machine, &draft).err(), expected, "{offset} {ahead}");
        }
    }
}

#[test]
fn m19_evidence_is_given_whatever_the_clock_says() {
    let mut machine = host(1);
    for time in [UnixMillis(0), BUILT, crate::support::NOW.plus(1 << 40)] {
        machine.claim(time);
        machine.pass(20_000);
        let evidence = machine.evidence([7; 32]);
        assert_eq!(evidence.identity, machine.identity().0);
    }
}

#[test]
fn a_frozen_clock_keeps_no_request_alive_and_lets_none_be_replayed() {
    let (mut machine, mut owner) = (host(1), Owner::eddsa());
    let draft = owner.draft(&machine, Op::Inspect);
    let sealed = draft.seal(&[&owner.device]);
    machine.request(&sealed.bytes);
    let mut refused = Vec::new();
    for _ in 0..20 {
        machine.pass(30_000);
        machine.claim(crate::support::NOW);
        let answer = machine.request(&sealed.bytes);
        refused.push(sealed.open(answer, &machine).result.unwrap_err());
    }
    assert_eq!(refused[0], Refusal::Replayed);
    let over =
        |refusal: &Refusal| matches!(refusal, Refusal::Replayed | Refusal::Expired | Refusal::ClockDisagrees);
    assert!(refused.iter().all(over), "{refused:?}");
    assert_ne!(refused[19], Refusal::Replayed, "and it is not remembered for ever");
    let _ = owner.ask(&mut machine, Op::Inspect);
}

#[test]
fn a_clock_that_runs_back_below_what_an_owner_signed_is_refused() {
    let (mut machine, mut owner) = (host(1), Owner::eddsa());
    owner.ask(&mut machine, Op::Inspect).unwrap();
    let back = crate::support::NOW.minus(2 * TOLERANCE + 1_000);
    machine.claim(back);
    let mut draft = owner.draft(&machine, Op::Inspect);
    (draft.issued, draft.expires) = (back, back.plus(60_000));
    assert_eq!(owner.ask_draft(&mut machine, &draft), Err(Refusal::ClockDisagrees));
}

#[test]
fn no_time_before_the_build_is_believed() {
    let (mut machine, mut owner) = (host(1), Owner::eddsa());
    let before = BUILT.minus(TOLERANCE + 1);
    machine.claim(before);
    let mut draft = owner.draft(&machine, Op::Inspect);
    (draft.issued, draft.expires) = (before, before.plus(60_000));
    assert_eq!(owner.ask_draft(&mut machine, &draft), Err(Refusal::ClockDisagrees));
}

#[test]
fn a_host_and_an_owner_at_the_end_of_time_overflow_nothing() {
    for end in [u64::MAX - 500, u64::MAX] {
        let authority = Authority::sandbox();
        let (mut machine, mut exchange) = (sandbox(1, &authority), Exchange::honest(&authority));
        exchange.behaviour = Behaviour::Unreachable;
        let mut owner = Owner::eddsa();
        machine.claim(UnixMillis(end));
        let mut draft = owner.balances_draft(&machine, "EUR");
        (draft.issued, draft.expires) = (UnixMillis(u64::MAX - 100_000), UnixMillis(u64::MAX));
        let asked = owner.ask_over(&mut machine, &mut exchange, &draft);
        assert_eq!(asked, Err(Refusal::ClockDisagrees));
        machine.claim(crate::support::NOW);
        owner.ask(&mut machine, Op::Inspect).expect("nobody's clock was moved for the others");
    }
}

#[test]
fn a_clock_that_jumps_ahead_and_comes_back_serves_again() {
    let (mut machine, mut owner) = (host(1), Owner::eddsa());
    machine.claim(crate::support::NOW.plus(1 << 40));
    assert_eq!(owner.ask(&mut machine, Op::Inspect), Err(Refusal::ClockDisagrees));
    machine.claim(crate::support::NOW);
    owner.ask(&mut machine, Op::Inspect).unwrap();
}

#[test]
fn a_jump_of_the_clock_issues_a_new_identity_but_not_at_every_frame() {
    let mut machine = host(1);
    let first = sha256(&machine.identity().0);
    machine.claim(crate::support::NOW.plus(1 << 40));
    assert_eq!(sha256(&machine.identity().0), first, "too soon after the last");
    machine.pass(10_000);
    machine.claim(crate::support::NOW);
    assert_ne!(sha256(&machine.identity().0), first);
    assert_eq!(machine.identity().1.issued, crate::support::NOW);
}

#[test]
fn a_validity_that_is_empty_backwards_or_too_long_is_malformed() {
    let (mut machine, mut owner) = (host(1), Owner::eddsa());
    let now = crate::support::NOW;
    for expires in [now, now.minus(1), now.plus(MAX_VALIDITY_MS + 1), UnixMillis(u64::MAX)] {
        let mut draft = owner.draft(&machine, Op::Inspect);
        draft.expires = expires;
        assert_eq!(owner.ask_draft(&mut machine, &draft), Err(Refusal::Malformed), "{expires:?}");
    }
}

#[test]
fn an_expired_request_is_refused() {
    let (mut machine, mut owner) = (host(1), Owner::eddsa());
    let draft = owner.draft(&machine, Op::Inspect);
    machine.pass(60_000);
    assert_eq!(owner.ask_draft(&mut machine, &draft), Err(Refusal::Expired));
}

#[test]
fn sealing_keys_end_by_the_enclaves_own_counter_whatever_the_host_claims() {
    let (mut machine, owner) = (host(1), Owner::eddsa());
    let old = owner.draft(&machine, Op::Inspect).seal(&[&owner.device]);
    let (_, before) = machine.identity();
    machine.pass(30 * 60_000);
    let (_, after) = machine.identity();
    assert_eq!(after.hpke_keys.len(), 2);
    assert_eq!(after.hpke_keys[1], before.hpke_keys[0]);
    assert_eq!(before.boot, after.boot);
    assert_eq!(before.receipt_key, after.receipt_key);
    machine.claim(crate::support::NOW);
    assert!(matches!(machine.request(&old.bytes), crate::support::Answer::Reply(_)), "still opens");
    machine.pass(30 * 60_000);
    machine.claim(crate::support::NOW);
    assert!(matches!(machine.request(&old.bytes), crate::support::Answer::Refused(Refusal::UnknownKey)));
}

#[test]
fn m20_no_identity_outlives_the_key_that_it_says_to_seal_to() {
    let mut machine = host(1);
    for _ in 0..5 {
        let (_, identity) = machine.identity();
        assert_eq!(identity.expires, identity.hpke_keys[0].not_after);
        assert_eq!(identity.expires, identity.issued.plus(60 * 60_000));
        machine.pass(30 * 60_000);
    }
}

#[test]
fn a_request_sealed_to_the_key_before_is_served_under_the_document_it_was_published_in() {
    let (mut machine, mut owner) = (host(1), Owner::eddsa());
    let mut draft = owner.draft(&machine, Op::Inspect);
    machine.pass(30 * 60_000);
    machine.claim(crate::support::NOW);
    owner.ask_draft(&mut machine, &draft).unwrap();
    draft.identity = sha256(&machine.identity().0);
    draft.nonce = [9; 16];
    assert_eq!(owner.ask_draft(&mut machine, &draft), Err(Refusal::WrongIdentity));
}
