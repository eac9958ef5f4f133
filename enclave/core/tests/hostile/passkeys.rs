//! A passkey as an owner's second factor, through the whole enclave: what its word is good for, and what is no word of it.

use crate::support::passkey::{Parts, USER_VERIFIED, assertion, assertion_of, assertion_with};
use crate::support::{Answer, Draft, Key, Machine, NOW, Owner, host, host_without_passkeys, sign};
use wire::operation::{Export, Inspected, Link, Op, Rotate, Rotated};
use wire::owner::{OwnerKey, OwnerRole};
use wire::{Canonical, Refusal};

fn export(owner: &Owner, machine: &Machine) -> Draft {
    let recipient = verify::hpke::RecipientKey::generate().unwrap();
    let mut draft = owner.draft(machine, Op::Export);
    draft.args = Export { recipient: recipient.public_key().bytes().to_vec() }.to_bytes();
    draft
}

/// The device key's signature, and a second one that `second` makes of the request.
fn ask(
    machine: &mut Machine,
    owner: &Owner,
    draft: &Draft,
    second: impl FnOnce(&[u8]) -> Vec<u8>,
) -> Result<Vec<u8>, Refusal> {
    let sealed = draft.seal_signing(|request| vec![sign(&owner.device, request), second(request)]);
    let answer = machine.request(&sealed.bytes);
    sealed.open(answer, machine).result
}

fn refused_with(change: impl FnOnce(&mut Parts)) -> Option<Refusal> {
    let (mut machine, owner) = (host(1), Owner::with_passkey());
    let draft = export(&owner, &machine);
    ask(&mut machine, &owner, &draft, |request| assertion_with(&owner.second, request, change)).err()
}

#[test]
fn a_passkey_is_the_second_factor_of_what_is_dangerous() {
    let (mut machine, mut owner) = (host(1), Owner::with_passkey());
    let draft = export(&owner, &machine);
    assert_eq!(owner.ask_draft(&mut machine, &draft), Err(Refusal::SecondFactorNeeded));
    assert!(owner.ask_twice_signed(&mut machine, &draft).is_ok());
    let inspected = owner.ask(&mut machine, Op::Inspect).unwrap();
    assert_eq!(Inspected::from_bytes(&inspected).unwrap().owners, owner.keys());
}

#[test]
fn a_passkey_alone_authorises_nothing() {
    let (mut machine, mut owner) = (host(1), Owner::with_passkey());
    let sealed = owner.draft(&machine, Op::Inspect).seal(&[&owner.second]);
    let answer = machine.request(&sealed.bytes);
    assert_eq!(sealed.open(answer, &machine).result, Err(Refusal::NotAuthorised));
    owner.ask(&mut machine, Op::Inspect).unwrap();
}

#[test]
fn an_assertion_that_is_wrong_in_one_thing_is_no_word_of_its_owner() {
    assert_eq!(refused_with(|_| {}), None);
    let wrong: [fn(&mut Parts); 7] = [
        |parts| parts.flags &= !USER_VERIFIED,
        |parts| parts.flags &= !1,
        |parts| parts.origin = "https://evil.example",
        |parts| parts.origin = "https://app.vault.example:8443",
        |parts| parts.relying_party = "localhost",
        |parts| parts.kind = "webauthn.create",
        |parts| parts.challenge[0] ^= 1,
    ];
    for change in wrong {
        assert_eq!(refused_with(change), Some(Refusal::NotAuthorised));
    }
    assert_eq!(
        refused_with(|parts| parts.rest = r#","origin":"https://vault.example""#),
        Some(Refusal::Malformed)
    );
}

#[test]
fn an_assertion_is_for_its_own_request_and_for_that_once() {
    let (mut machine, owner) = (host(1), Owner::with_passkey());
    let (first, second) = (export(&owner, &machine), export(&owner, &machine));
    let mut made = Vec::new();
    let sealed = first.seal_signing(|request| {
        made = assertion(&owner.second, request);
        vec![sign(&owner.device, request), made.clone()]
    });
    let of_another = ask(&mut machine, &owner, &second, |_| made.clone());
    assert_eq!(of_another, Err(Refusal::NotAuthorised), "of another request");
    let answer = machine.request(&sealed.bytes);
    assert!(sealed.open(answer, &machine).result.is_ok());
    let answer = machine.request(&sealed.bytes);
    assert_eq!(sealed.open(answer, &machine).result, Err(Refusal::Replayed));
}

#[test]
fn an_assertion_for_another_enclave_is_none_for_this_one() {
    let (mut machine, other, owner) = (host(1), host(2), Owner::with_passkey());
    let mut opened = None;
    export(&owner, &other).seal_signing(|request| {
        opened = Some((request.to_vec(), sign(&owner.device, request), assertion(&owner.second, request)));
        Vec::new()
    });
    let (request, device, passkey) = opened.unwrap();
    let sealed = Draft::new(&machine, Op::Export, Vec::new()).seal_message(&request, vec![device, passkey]);
    let answer = machine.request(&sealed.bytes);
    assert_eq!(sealed.open(answer, &machine).result, Err(Refusal::WrongIdentity));
}

#[test]
fn every_byte_of_an_assertion_counts() {
    let (mut machine, owner) = (host(1), Owner::with_passkey());
    let length = assertion(&owner.second, b"").len();
    for at in 0..length {
        let draft = export(&owner, &machine);
        let refused = ask(&mut machine, &owner, &draft, |request| {
            let mut made = assertion(&owner.second, request);
            let at = at % made.len();
            made[at] ^= 1;
            made
        });
        assert!(
            matches!(refused, Err(Refusal::NotAuthorised | Refusal::Malformed)),
            "byte {at}: {refused:?}"
        );
    }
}

#[test]
fn another_passkey_does_not_speak_for_the_one_in_the_envelope() {
    let (mut machine, owner, stranger) = (host(1), Owner::with_passkey(), Key::passkey());
    let draft = export(&owner, &machine);
    let own_name = ask(&mut machine, &owner, &draft, |request| assertion(&stranger, request));
    assert_eq!(own_name, Err(Refusal::NotAuthorised));
    let owners_name = ask(&mut machine, &owner, &draft, |request| {
        assertion_of(&stranger, &owner.second.public, request, |_| {})
    });
    assert_eq!(owners_name, Err(Refusal::NotAuthorised));
}

#[test]
fn a_passkey_signs_by_assertions_alone() {
    let mut key = Key::eddsa(OwnerRole::Second);
    key.public.passkey = Key::passkey().public.passkey;
    let (mut machine, owner) = (host(1), Owner::with_second(key));
    let draft = export(&owner, &machine);
    let refused = ask(&mut machine, &owner, &draft, |request| owner.second.sign1(request));
    assert_eq!(refused, Err(Refusal::NotAuthorised), "a valid COSE_Sign1, which no person was asked for");
    assert!(ask(&mut machine, &owner, &draft, |request| assertion(&owner.second, request)).is_ok());
}

#[test]
fn a_passkey_enters_with_its_own_word_alone_and_where_the_enclave_serves_it() {
    let mut machine = host(1);
    for (key, possession, expected) in [
        (Key::passkey(), false, Refusal::PossessionNotProven),
        (Key::passkey_of("gone.example", "https://gone.example"), true, Refusal::PasskeyNotServed),
        (Key::passkey_of("vault.example", "https://x.vault.example"), true, Refusal::PasskeyNotServed),
        (Key::passkey_of("vault.example", "http://vault.example"), true, Refusal::Malformed),
    ] {
        let mut owner = Owner::eddsa();
        let owners: Vec<OwnerKey> =
            [&owner.device, &owner.second, &key].map(|key| key.public.clone()).to_vec();
        let change = Rotate { data_key: false, epoch: false, share: None, owners: Some(owners), class: None };
        let mut draft = owner.draft(&machine, Op::Rotate);
        draft.args = change.to_bytes();
        let mut by = vec![&owner.device, &owner.second];
        by.extend(possession.then_some(&key));
        let sealed = draft.seal(&by);
        let answer = machine.request(&sealed.bytes);
        assert_eq!(sealed.open(answer, &machine).result, Err(expected));

        owner.second = key;
        let draft = owner.link_draft(&machine, "kraken", b"{}");
        let by: &[&Key] = if possession { &[&owner.device, &owner.second] } else { &[&owner.device] };
        let sealed = draft.seal(by);
        let answer = machine.request(&sealed.bytes);
        assert_eq!(sealed.open(answer, &machine).result, Err(expected));
    }
}

#[test]
fn an_owner_replaces_their_second_key_by_a_passkey_and_then_that_by_another() {
    let (mut machine, mut owner) = (host(1), Owner::eddsa());
    for _ in 0..2 {
        let passkey = Key::passkey();
        let owners = vec![owner.device.public.clone(), passkey.public.clone()];
        let change = Rotate { data_key: false, epoch: false, share: None, owners: Some(owners), class: None };
        let mut draft = owner.draft(&machine, Op::Rotate);
        draft.args = change.to_bytes();
        let sealed = draft.seal(&[&owner.device, &owner.second, &passkey]);
        let answer = machine.request(&sealed.bytes);
        let outcome = sealed.open(answer, &machine);
        owner.note(&outcome.receipt);
        owner.envelope = Rotated::from_bytes(&outcome.result.unwrap()).unwrap().envelope;
        owner.second = passkey;
        owner.ask(&mut machine, Op::Acknowledge).unwrap();
        let draft = export(&owner, &machine);
        assert!(owner.ask_twice_signed(&mut machine, &draft).is_ok());
    }
}

#[test]
fn a_device_key_is_no_passkey() {
    let (mut machine, mut owner) = (host(1), Owner::eddsa());
    let mut device = Key::passkey();
    device.public.role = OwnerRole::Device;
    owner.device = device;
    let draft = owner.link_draft(&machine, "kraken", b"{}");
    assert!(Link::from_bytes(&draft.args).is_ok());
    let sealed = draft.seal(&[&owner.device, &owner.second]);
    let Answer::Reply(body) = machine.request(&sealed.bytes) else { panic!("no reply") };
    assert_eq!(sealed.open(Answer::Reply(body), &machine).result, Err(Refusal::Malformed));
}

#[test]
fn an_enclave_without_relying_parties_takes_no_passkey_and_says_so_in_its_identity() {
    let (mut machine, mut owner) = (host_without_passkeys(1), Owner::with_passkey());
    assert!(machine.identity().1.relying_parties.is_empty());
    assert_eq!(host(1).identity().1.relying_parties.len(), 2);
    let draft = export(&owner, &machine);
    assert_eq!(owner.ask_twice_signed(&mut machine, &draft), Err(Refusal::PasskeyNotServed));
    assert!(owner.ask(&mut machine, Op::Inspect).is_ok(), "what takes no second factor goes on");
    assert!(draft.issued >= NOW);
}
