//! Tokens that a provider replaces, while the host holds its answer back.

use crate::freshness::withhold_what_is_committed;
use crate::support::{Authority, Draft, Exchange, Key, Machine, NOW, Owner, envelope_at, roots, sandbox};
use enclave::egress::Trust;
use wire::authorisation::Refreshed;
use wire::operation::{Inspected, Op, Rotate, Rotated};
use wire::owner::OwnerRole;
use wire::{Canonical, Refusal};

const HOSTS: [&str; 2] = ["login.coinbase.com.sandbox.test", "api.coinbase.com.sandbox.test"];

/// An owner whose access token is over, and the provider, which gives another refresh token at each use.
fn expired(authority: &Authority) -> (Owner, Exchange) {
    let mut owner = Owner::eddsa();
    owner.credential = format!(
        r#"{{"clientId":"id","clientSecret":"s","access_token":"a0","refresh_token":"r0","expires":"{}"}}"#,
        NOW.0
    )
    .into_bytes();
    owner.envelope = envelope_at("coinbase_oauth", &owner, &roots(1));
    let mut exchange = Exchange::with(&authority.issue(&HOSTS));
    let mut used = 0;
    exchange.node = Some(Box::new(move |body: &str| {
        assert!(body.contains(&format!("refresh_token=r{used}&")), "{body}");
        used += 1;
        Some(format!(
            r#"{{"access_token":"a{used}","refresh_token":"r{used}","token_type":"bearer","expires_in":3600}}"#
        ))
    }));
    (owner, exchange)
}

fn acknowledge(owner: &mut Owner, machine: &mut Machine) {
    let draft = owner.draft(machine, Op::Acknowledge).now(machine);
    owner.ask_draft(machine, &draft).unwrap();
}

fn refresh(owner: &mut Owner, machine: &mut Machine, exchange: &mut Exchange) -> Result<Vec<u8>, Refusal> {
    let draft: Draft = owner.draft(machine, Op::Refresh).now(machine);
    owner.ask_over(machine, exchange, &draft)
}

#[test]
fn an_owner_who_was_taken_off_while_a_refresh_was_under_way_stays_off() {
    let authority = Authority::sandbox();
    let (mut owner, mut exchange) = expired(&authority);
    let mut machine = sandbox(1, &authority);
    // A thief of the device key asks, and the host holds the provider's answer back.
    let sealed = owner.draft(&machine, Op::Refresh).seal(&[&owner.device]);
    let stream = machine.begin(&sealed.bytes);
    // Meanwhile the owner takes that key off, and stores the new envelope.
    let new = [Key::eddsa(OwnerRole::Device), Key::eddsa(OwnerRole::Second)];
    let owners = new.iter().map(|key| key.public.clone()).collect();
    let mut draft = owner.draft(&machine, Op::Rotate);
    draft.args =
        Rotate { data_key: true, epoch: false, share: None, owners: Some(owners), class: None }.to_bytes();
    let rotated = draft.seal(&[&owner.device, &owner.second, &new[0], &new[1]]);
    let answer = machine.request(&rotated.bytes);
    let result = rotated.open(answer, &machine).result.unwrap();
    let stolen = core::mem::replace(&mut owner.envelope, Rotated::from_bytes(&result).unwrap().envelope);
    [owner.device, owner.second] = new;
    acknowledge(&mut owner, &mut machine);
    // The answer comes: no envelope of the old owners is made above the new one.
    exchange.run(&mut machine);
    let answer = machine.answer(stream);
    assert_eq!(sealed.open(answer, &machine).result, Err(Refusal::StaleGeneration));
    assert_ne!(stolen, owner.envelope);
    let inspected = Inspected::from_bytes(&owner.ask(&mut machine, Op::Inspect).unwrap()).unwrap();
    assert!(inspected.current && inspected.owners == owner.keys());
    // And the tokens are not lost: the owner gets what the provider gave, without asking it again.
    let refreshed = refresh(&mut owner, &mut machine, &mut exchange).unwrap();
    assert_eq!(Refreshed::from_bytes(&refreshed).unwrap().generation, 3);
    assert_eq!(exchange.requests.len(), 1);
}

#[test]
fn what_a_provider_gives_goes_into_the_current_epoch_and_never_into_one_that_is_retained() {
    let authority = Authority::sandbox();
    let (mut owner, mut exchange) = expired(&authority);
    let mut machine = Machine::start(1, roots(2), Trust::sandbox(authority.der()).unwrap());
    let refreshed = refresh(&mut owner, &mut machine, &mut exchange).unwrap();
    assert_eq!(Refreshed::from_bytes(&refreshed).unwrap().epoch, 2);
}

#[test]
fn tokens_that_are_spent_by_an_older_envelope_are_replaced_for_the_newer_one_too() {
    let authority = Authority::sandbox();
    let (mut owner, mut exchange) = expired(&authority);
    let mut machine = sandbox(1, &authority);
    let first = Refreshed::from_bytes(&refresh(&mut owner, &mut machine, &mut exchange).unwrap()).unwrap();
    // An hour later another copy of the owner's home, which has not heard of it, refreshes again: the same tokens.
    machine.pass(3_600_000);
    machine.claim(NOW.plus(machine.monotonic));
    let sealed = owner.draft(&machine, Op::Refresh).now(&machine).seal(&[&owner.device]);
    let stream = machine.begin(&sealed.bytes);
    // While the provider answers, the first copy says that it has stored them, and wants new ones.
    owner.envelope = first.envelope;
    acknowledge(&mut owner, &mut machine);
    let draft = owner.draft(&machine, Op::Refresh).now(&machine);
    assert_eq!(owner.ask_draft(&mut machine, &draft), Err(Refusal::RefreshUnderWay));
    exchange.run(&mut machine);
    let answer = machine.answer(stream);
    assert_eq!(sealed.open(answer, &machine).result, Err(Refusal::StaleGeneration));
    let refreshed = refresh(&mut owner, &mut machine, &mut exchange).unwrap();
    assert_eq!(Refreshed::from_bytes(&refreshed).unwrap().generation, 3);
    assert_eq!(exchange.requests.len(), 2, "no token was used twice");
}

#[test]
fn tokens_whose_envelope_was_never_committed_are_handed_out_again_and_the_provider_is_asked_once() {
    let authority = Authority::sandbox();
    let (mut owner, mut exchange) = expired(&authority);
    let mut machine = sandbox(1, &authority);
    let sealed = owner.draft(&machine, Op::Refresh).seal(&[&owner.device]);
    let stream = machine.begin(&sealed.bytes);
    machine.keeper.is_silent = true;
    exchange.run(&mut machine);
    withhold_what_is_committed(&mut machine);
    let answer = machine.answer(stream);
    assert_eq!(sealed.open(answer, &machine).result, Err(Refusal::NoQuorum));
    let refreshed = refresh(&mut owner, &mut machine, &mut exchange).unwrap();
    assert_eq!(Refreshed::from_bytes(&refreshed).unwrap().generation, 3, "above the one that was not told");
    assert_eq!(exchange.requests.len(), 1);
}
