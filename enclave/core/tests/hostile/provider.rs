//! The host between the enclave and a provider: answering in its place, cutting, altering, saying nothing.

use crate::support::{Answer, Authority, Behaviour, CREDENTIAL, Exchange, HOST, Identity, Owner, sandbox};
use wire::balance::{Account, Holdings};
use wire::frame::Kind;
use wire::operation::Op;
use wire::{Canonical, Refusal};

/// What a host in between can bring about.
const IN_BETWEEN: [Refusal; 4] = [
    Refusal::ProviderUnauthentic,
    Refusal::ProviderUnreachable,
    Refusal::ProviderTimeout,
    Refusal::ProviderFailed,
];

#[test]
fn a_host_that_answers_in_the_providers_place_gets_no_byte_of_the_request() {
    let authority = Authority::sandbox();
    let (own, unconstrained) = (Authority::sandbox(), Authority::constrained_to(&[]));
    for identity in [
        Identity::self_signed(&[HOST]),
        own.issue(&[HOST]),
        unconstrained.issue(&[HOST]),
        authority.issue(&["api.binance.com.sandbox.test"]),
        authority.issue(&["sandbox.test"]),
        authority.issue_with(&[HOST], |leaf| leaf.not_after = rcgen::date_time_ymd(2026, 2, 1)),
    ] {
        let (mut machine, mut exchange, mut owner) =
            (sandbox(1, &authority), Exchange::with(&identity), Owner::eddsa());
        let draft = owner.link_draft(&machine, "kraken", CREDENTIAL);
        assert_eq!(owner.ask_over(&mut machine, &mut exchange, &draft), Err(Refusal::ProviderUnauthentic));
        assert!(exchange.requests.is_empty());
    }
}

#[test]
fn m08_a_provider_that_never_answers_has_a_deadline() {
    for (behaviour, expected) in [
        (Behaviour::Silent, Refusal::ProviderTimeout),
        (Behaviour::Mute, Refusal::ProviderTimeout),
        (Behaviour::Unreachable, Refusal::ProviderUnreachable),
        (Behaviour::Truncates, Refusal::ProviderUnreachable),
        (Behaviour::Corrupts, Refusal::ProviderUnauthentic),
        (Behaviour::Maintenance, Refusal::Maintenance),
        (Behaviour::Nonsense, Refusal::ProviderFailed),
    ] {
        let authority = Authority::sandbox();
        let (mut machine, mut exchange, mut owner) =
            (sandbox(1, &authority), Exchange::honest(&authority), Owner::eddsa());
        exchange.behaviour = behaviour;
        let draft = owner.balances_draft(&machine, "EUR");
        let refused = owner.ask_over(&mut machine, &mut exchange, &draft);
        assert_eq!(refused, Err(expected), "{behaviour:?}");
        assert!(machine.monotonic < 1_000 + 95_000);
    }
}

#[test]
fn every_altered_byte_of_an_answer_is_noticed_or_means_nothing() {
    let authority = Authority::sandbox();
    let ask = |flips| {
        let (mut machine, mut exchange, mut owner) =
            (sandbox(1, &authority), Exchange::honest(&authority), Owner::eddsa());
        exchange.flips = flips;
        let draft = owner.balances_draft(&machine, "EUR");
        let result = owner.ask_over(&mut machine, &mut exchange, &draft)?;
        Ok(Holdings::from_bytes(&result).unwrap().accounts)
    };
    let honest = ask(None).unwrap();
    let mut unnoticed = 0;
    for at in 0..400 {
        match ask(Some(at)) {
            Err(refused) => assert!(IN_BETWEEN.contains(&refused), "byte {at}: {refused:?}"),
            Ok(accounts) => {
                // A public answer that was altered leaves assets unpriced, and nothing else.
                let priced = accounts[0].assets.iter().any(|asset| asset.price.is_some());
                let expected = if priced { honest.clone() } else { unpriced(honest.clone()) };
                assert_eq!(accounts, expected, "byte {at}");
                unnoticed += 1;
            }
        }
    }
    // Type and version of a TLS 1.3 record have one value each and are not read (RFC 8446 §5.1, §5.2).
    assert!(unnoticed <= 16, "{unnoticed}");
}

fn unpriced(mut accounts: Vec<Account>) -> Vec<Account> {
    for asset in accounts.iter_mut().flat_map(|account| &mut account.assets) {
        (asset.price, asset.value) = (None, None);
    }
    accounts
}

#[test]
fn a_frozen_or_jumping_clock_stretches_no_deadline() {
    let authority = Authority::sandbox();
    for claims in [
        vec![crate::support::NOW],
        vec![crate::support::NOW.minus(1 << 30), crate::support::NOW.plus(1 << 40)],
    ] {
        let (mut machine, mut exchange, owner) =
            (sandbox(1, &authority), Exchange::honest(&authority), Owner::eddsa());
        exchange.behaviour = Behaviour::Mute;
        let sealed = owner.balances_draft(&machine, "EUR").seal(&[&owner.device]);
        let stream = machine.begin(&sealed.bytes);
        let mut answer = Answer::Nothing;
        for second in 0..61 {
            machine.claim(claims[second % claims.len()]);
            exchange.run_for(&mut machine, 1_000);
            answer = machine.answer(stream);
            if !matches!(answer, Answer::Nothing) {
                break;
            }
        }
        assert_eq!(sealed.open(answer, &machine).result, Err(Refusal::ProviderTimeout));
    }
}

#[test]
fn a_reply_is_made_even_if_the_host_cancels() {
    let authority = Authority::sandbox();
    let (mut machine, mut exchange, owner) =
        (sandbox(1, &authority), Exchange::honest(&authority), Owner::eddsa());
    exchange.behaviour = Behaviour::Mute;
    let sealed = owner.balances_draft(&machine, "EUR").seal(&[&owner.device]);
    let stream = machine.begin(&sealed.bytes);
    exchange.run(&mut machine);
    machine.frame(Kind::Cancel, stream, &[]);
    let answer = machine.answer(stream);
    assert_eq!(sealed.open(answer, &machine).result, Err(Refusal::ProviderUnreachable));
    exchange.behaviour = Behaviour::Honest;
    exchange.run_for(&mut machine, 1_000);
}

#[test]
fn forgetting_a_connection_ends_what_it_has_under_way() {
    let authority = Authority::sandbox();
    let (mut machine, mut exchange, mut owner) =
        (sandbox(1, &authority), Exchange::honest(&authority), Owner::eddsa());
    exchange.behaviour = Behaviour::Mute;
    let sealed = owner.balances_draft(&machine, "EUR").seal(&[&owner.device]);
    let stream = machine.begin(&sealed.bytes);
    exchange.run(&mut machine);
    owner.ask(&mut machine, Op::Forget).unwrap();
    let answer = machine.answer(stream);
    assert_eq!(sealed.open(answer, &machine).result, Err(Refusal::Forgotten));
}

#[test]
fn frames_of_another_stream_do_not_pass_for_the_providers() {
    let authority = Authority::sandbox();
    let (mut machine, mut exchange) = (sandbox(1, &authority), Exchange::honest(&authority));
    let (a, b) = (Owner::eddsa(), Owner::eddsa());
    let sealed = [&a, &b].map(|owner| owner.balances_draft(&machine, "EUR").seal(&[&owner.device]));
    let streams = [machine.begin(&sealed[0].bytes), machine.begin(&sealed[1].bytes)];
    // The host crosses the wires of two streams.
    exchange.crossed = true;
    exchange.run_for(&mut machine, 90_000);
    for (sealed, stream) in sealed.iter().zip(streams) {
        let answer = machine.answer(stream);
        let refused = sealed.open(answer, &machine).result.unwrap_err();
        assert!(IN_BETWEEN.contains(&refused), "{refused:?}");
    }
    assert!(exchange.requests.is_empty());
}

#[test]
fn a_thousand_calls_are_in_flight_at_once() {
    let authority = Authority::sandbox();
    let (mut machine, mut exchange) = (sandbox(1, &authority), Exchange::honest(&authority));
    let owners: Vec<Owner> = (0..1_000).map(|_| Owner::eddsa()).collect();
    let sealed: Vec<_> =
        owners.iter().map(|owner| owner.balances_draft(&machine, "EUR").seal(&[&owner.device])).collect();
    let streams: Vec<u32> = sealed.iter().map(|sealed| machine.begin(&sealed.bytes)).collect();
    assert!(streams.iter().all(|stream| matches!(machine.answer(*stream), Answer::Nothing)));
    exchange.run_for(&mut machine, 2_000);
    for (sealed, stream) in sealed.iter().zip(streams) {
        let answer = machine.answer(stream);
        let result = sealed.open(answer, &machine).result.unwrap();
        Holdings::from_bytes(&result).unwrap();
    }
}
