//! Linking: owners prove possession, the provider is asked, and what comes back is sealed and signed.

use crate::support::{
    Authority, Behaviour, CREDENTIAL, Draft, Exchange, Key, Machine, Owner, envelope_of, host, roots,
    sandbox, sha256,
};
use aws_lc_rs::signature::{ED25519, UnparsedPublicKey};
use wire::capability::{Finding, State};
use wire::cose::{self, Protected, Sign1};
use wire::operation::{Inspected, Link, Linked, Op};
use wire::owner::OwnerRole;
use wire::transcript::domain;
use wire::{Canonical, Refusal};

#[test]
fn a_linked_account_has_an_envelope_and_a_signed_finding() {
    let authority = Authority::sandbox();
    for mut owner in [Owner::eddsa(), Owner::es256()] {
        let (mut machine, mut exchange) = (sandbox(1, &authority), Exchange::honest(&authority));
        let draft = owner.link_draft(&machine, "kraken", CREDENTIAL);
        let result = owner.ask_over(&mut machine, &mut exchange, &draft).unwrap();
        let linked = Linked::from_bytes(&result).unwrap();

        let finding = verified_finding(&linked.finding, &machine.identity().1.receipt_key);
        assert_eq!((finding.connection, finding.exchange.as_str()), (owner.connection, "kraken"));
        let state = |name: &str| finding.capabilities.iter().find(|c| c.name == name).unwrap().state;
        assert_eq!((state("read"), state("trade"), state("withdraw")), (State::Yes, State::No, State::No));

        owner.envelope = linked.envelope;
        let inspected = Inspected::from_bytes(&owner.ask(&mut machine, Op::Inspect).unwrap()).unwrap();
        assert_eq!((inspected.generation, inspected.current), (1, true));
        assert_eq!(inspected.finding, finding);
        assert_eq!(owner.last.0, 2, "one chain of receipts from the link on");
    }
}

#[test]
fn every_owner_key_proves_possession_over_the_link_request() {
    let (mut machine, owner) = (host(1), Owner::eddsa());
    let draft = owner.link_draft(&machine, "kraken", CREDENTIAL);
    for (by, expected) in [
        (vec![&owner.device], Refusal::PossessionNotProven),
        (vec![&owner.second], Refusal::NotAuthorised),
        (vec![], Refusal::NotAuthorised),
    ] {
        let sealed = draft.seal(&by);
        let answer = machine.request(&sealed.bytes);
        assert_eq!(sealed.open(answer, &machine).result, Err(expected));
    }
    let stranger = Key::eddsa(OwnerRole::Second);
    let sealed = draft.seal(&[&owner.device, &owner.second, &stranger]);
    let answer = machine.request(&sealed.bytes);
    assert_eq!(sealed.open(answer, &machine).result, Err(Refusal::NotAuthorised));
}

#[test]
fn what_cannot_be_linked_is_refused_before_any_provider_is_asked() {
    let authority = Authority::sandbox();
    let (mut machine, mut exchange) = (sandbox(1, &authority), Exchange::honest(&authority));
    for (name, credential, expected) in [
        ("mtgox", CREDENTIAL, Refusal::UnknownExchange),
        ("", CREDENTIAL, Refusal::UnknownExchange),
        ("kraken", &b"{}"[..], Refusal::CredentialMalformed),
        ("kraken", b"not json", Refusal::CredentialMalformed),
        ("kraken", br#"{"apiKey":"k","secret":"c2VjcmV0","extra":"x"}"#, Refusal::CredentialMalformed),
        ("kraken", br#"{"apiKey":"k","secret":"!!!"}"#, Refusal::CredentialMalformed),
    ] {
        let mut owner = Owner::eddsa();
        let draft = owner.link_draft(&machine, name, credential);
        assert_eq!(owner.ask_over(&mut machine, &mut exchange, &draft), Err(expected), "{name}");
    }
    assert!(exchange.opened.is_empty());
}

#[test]
fn a_credential_that_the_provider_refuses_is_not_linked() {
    let authority = Authority::sandbox();
    let (mut machine, mut exchange) = (sandbox(1, &authority), Exchange::honest(&authority));
    let mut owner = Owner::eddsa();
    let draft = owner.link_draft(&machine, "kraken", br#"{"apiKey":"revoked","secret":"c2VjcmV0"}"#);
    assert_eq!(owner.ask_over(&mut machine, &mut exchange, &draft), Err(Refusal::CredentialRefused));

    let again = owner.link_draft(&machine, "kraken", CREDENTIAL);
    owner.ask_over(&mut machine, &mut exchange, &again).expect("a failed link leaves nothing behind");
}

#[test]
fn a_connection_id_is_linked_once() {
    let authority = Authority::sandbox();
    let (mut machine, mut exchange) = (sandbox(1, &authority), Exchange::honest(&authority));
    let (mut owner, mut thief) = (Owner::eddsa(), Owner::eddsa());
    let draft = owner.link_draft(&machine, "kraken", CREDENTIAL);
    owner.ask_over(&mut machine, &mut exchange, &draft).unwrap();
    let before = owner.last;

    thief.connection = owner.connection;
    let draft = thief.link_draft(&machine, "kraken", CREDENTIAL);
    assert_eq!(thief.ask_over(&mut machine, &mut exchange, &draft), Err(Refusal::Replayed));
    let again = owner.link_draft(&machine, "kraken", CREDENTIAL);
    assert_eq!(owner.ask_over(&mut machine, &mut exchange, &again), Err(Refusal::Replayed));
    assert_eq!(owner.last, before, "nobody else moves this connection's receipts");
}

/// Links as another owner. Links of one key may have to wait for their exchange's limit, so time passes.
fn link(machine: &mut Machine, exchange: &mut Exchange, credential: &[u8]) -> Result<Vec<u8>, Refusal> {
    let mut owner = Owner::eddsa();
    let draft = owner.link_draft(machine, "kraken", credential).now(machine);
    owner.ask_over(machine, exchange, &draft)
}

#[test]
fn one_exchange_key_links_128_times_in_a_start_and_shuts_nobody_out() {
    let authority = Authority::sandbox();
    let (mut machine, mut exchange) = (sandbox(1, &authority), Exchange::honest(&authority));
    for _ in 0..128 {
        link(&mut machine, &mut exchange, CREDENTIAL).unwrap();
    }
    let asked = exchange.requests.len();
    let same_key = br#"{ "secret": "bWFya2VkLXNlY3JldA==", "apiKey": "marked-key" }"#;
    for spelling in [CREDENTIAL, same_key] {
        let refused = link(&mut machine, &mut exchange, spelling);
        assert_eq!(refused, Err(Refusal::TooManyLinks));
    }
    assert_eq!(exchange.requests.len(), asked, "the provider is not asked");

    let mut owner = Owner::eddsa();
    owner.credential = CREDENTIAL.to_vec();
    owner.envelope = envelope_of(&owner, &roots(1));
    let inspect = owner.draft(&machine, Op::Inspect).now(&machine);
    owner.ask_draft(&mut machine, &inspect).expect("an envelope of the very same key opens");
    let other = br#"{"apiKey":"another-key","secret":"bWFya2VkLXNlY3JldA=="}"#;
    link(&mut machine, &mut exchange, other).unwrap();
}

#[test]
fn links_at_once_pass_the_bound_of_their_key_no_more_than_one_after_another() {
    let authority = Authority::sandbox();
    let (mut machine, mut exchange) = (sandbox(1, &authority), Exchange::honest(&authority));
    for _ in 0..120 {
        link(&mut machine, &mut exchange, CREDENTIAL).unwrap();
    }
    machine.pass(60_000);
    let sealed: Vec<_> = (0..20)
        .map(|_| {
            let owner = Owner::eddsa();
            let draft = owner.link_draft(&machine, "kraken", CREDENTIAL).now(&machine);
            draft.seal(&[&owner.device, &owner.second])
        })
        .collect();
    let streams: Vec<u32> = sealed.iter().map(|sealed| machine.begin(&sealed.bytes)).collect();
    exchange.run_for(&mut machine, 50_000);
    let mut results = Vec::new();
    for (sealed, stream) in sealed.iter().zip(streams) {
        let answer = machine.answer(stream);
        results.push(sealed.open(answer, &machine).result);
    }
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 8);
    assert_eq!(results.iter().filter(|result| **result == Err(Refusal::TooManyLinks)).count(), 12);
}

#[test]
fn two_links_of_one_id_at_once_make_one_connection() {
    let authority = Authority::sandbox();
    let (mut machine, mut exchange) = (sandbox(1, &authority), Exchange::honest(&authority));
    let (owner, mut other) = (Owner::eddsa(), Owner::eddsa());
    other.connection = owner.connection;
    let sealed = [&owner, &other]
        .map(|who| who.link_draft(&machine, "kraken", CREDENTIAL).seal(&[&who.device, &who.second]));
    let streams = [machine.begin(&sealed[0].bytes), machine.begin(&sealed[1].bytes)];
    exchange.run_for(&mut machine, 1_000);
    let outcomes: Vec<_> = (0..2)
        .map(|which| {
            let answer = machine.answer(streams[which]);
            sealed[which].open(answer, &machine)
        })
        .collect();
    assert_eq!(outcomes.iter().filter(|outcome| outcome.result.is_ok()).count(), 1);
    let refused = outcomes.iter().find(|outcome| outcome.result.is_err()).unwrap();
    assert_eq!(refused.result, Err(Refusal::Replayed));
    assert_eq!(refused.receipt.connection, None);
}

#[test]
fn a_failed_link_under_the_id_of_another_moves_none_of_their_receipts() {
    let authority = Authority::sandbox();
    let (mut machine, mut exchange) = (sandbox(1, &authority), Exchange::honest(&authority));
    let (mut owner, mut thief) = (Owner::eddsa(), Owner::eddsa());
    thief.connection = owner.connection;
    let revoked = br#"{"apiKey":"revoked","secret":"c2VjcmV0"}"#;
    let sealed = thief.link_draft(&machine, "kraken", revoked).seal(&[&thief.device, &thief.second]);
    let stream = machine.begin(&sealed.bytes);
    owner.ask(&mut machine, Op::Inspect).unwrap();
    exchange.run_for(&mut machine, 1_000);
    let answer = machine.answer(stream);
    let outcome = sealed.open(answer, &machine);
    assert_eq!(outcome.result, Err(Refusal::CredentialRefused));
    assert_eq!((outcome.receipt.connection, outcome.receipt.previous), (None, None));
    owner.ask(&mut machine, Op::Inspect).unwrap();
    assert_eq!(owner.last.0, 2, "the owner's own requests, and no other");
}

#[test]
fn a_link_with_an_envelope_or_without_a_share_is_malformed() {
    let (mut machine, owner) = (host(1), Owner::eddsa());
    let wrong: [fn(&mut Draft); 3] = [
        |draft| draft.envelope = Some(vec![1]),
        |draft| draft.share = None,
        |draft| draft.share = Some(vec![1; 33]),
    ];
    for change in wrong {
        let mut draft = owner.link_draft(&machine, "kraken", CREDENTIAL);
        change(&mut draft);
        let sealed = draft.seal(&[&owner.device, &owner.second]);
        let answer = machine.request(&sealed.bytes);
        assert_eq!(sealed.open(answer, &machine).result, Err(Refusal::Malformed));
    }
}

#[test]
fn an_owner_set_without_a_device_key_links_nothing() {
    let (mut machine, owner) = (host(1), Owner::eddsa());
    let link = Link {
        exchange: "kraken",
        credential: CREDENTIAL.into(),
        owners: vec![owner.second.public.clone()],
        organisation: owner.organisation,
        connection: owner.connection,
        class: wire::consent::Class::Any,
    };
    let mut draft = Draft::new(&machine, Op::Link, link.to_bytes());
    draft.share = Some(owner.share.to_vec());
    let sealed = draft.seal(&[&owner.second]);
    let answer = machine.request(&sealed.bytes);
    assert_eq!(sealed.open(answer, &machine).result, Err(Refusal::Malformed));
}

#[test]
fn a_link_whose_provider_is_down_is_refused_and_can_be_tried_again() {
    let authority = Authority::sandbox();
    let (mut machine, mut exchange) = (sandbox(1, &authority), Exchange::honest(&authority));
    let mut owner = Owner::eddsa();
    exchange.behaviour = Behaviour::Maintenance;
    let draft = owner.link_draft(&machine, "kraken", CREDENTIAL);
    assert_eq!(owner.ask_over(&mut machine, &mut exchange, &draft), Err(Refusal::Maintenance));
    exchange.behaviour = Behaviour::Honest;
    machine.claim(crate::support::NOW);
    let draft = owner.link_draft(&machine, "kraken", CREDENTIAL);
    owner.ask_over(&mut machine, &mut exchange, &draft).unwrap();
}

fn verified_finding(bytes: &[u8], key: &[u8; 32]) -> Finding {
    let sign1 = Sign1::from_bytes(bytes).unwrap();
    assert_eq!(sign1.protected().unwrap(), Protected { algorithm: cose::EDDSA, key: sha256(key) });
    let payload = sign1.payload.unwrap();
    let verify = |domain| {
        let signed = cose::to_be_signed(sign1.protected, domain, payload);
        UnparsedPublicKey::new(&ED25519, key).verify(&signed, sign1.signature)
    };
    verify(domain::CAPABILITY).unwrap();
    assert!(verify(domain::RECEIPT).is_err(), "a finding is no receipt");
    Finding::from_bytes(payload).unwrap()
}
