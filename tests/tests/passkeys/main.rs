//! A passkey as an owner's second factor, over the running processes: an authenticator and a browser's half that are not ours
//! (crate `passkey`) make the assertions, and the enclave alone judges them. Nothing between has a say.

mod authenticator;
mod client;

use authenticator::{Authenticator, Person};
use client::{Enclave, Owner};
use serde_json::Value;
use stack::{Stack, tensfer};
use std::process::Command;
use wire::action::{Instruction, Kind, Outcome, Reference, Status};
use wire::operation::{Inspected, Link, Linked, Nothing, Op};
use wire::{Canonical, Refusal};

const ADDRESS: &str = "0x52908400098527886E0F7030069857D2E4169EE7";

/// The credential of the sandbox's account that may do everything.
fn credential() -> String {
    let output = stack::run(
        Command::new(tensfer()).args(["sandbox", "accounts", "--json", "--exchange", "binance"]),
        b"",
    );
    let accounts: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
    let account = accounts.iter().find(|account| account["name"] == "everything").unwrap();
    account["credentials"].to_string()
}

/// An owner whose second factor is a passkey for the page at `origin`, and who has not linked anything.
fn newcomer(stack: &Stack, person: Person) -> (Enclave, Owner) {
    let enclave = Enclave::verify(stack);
    let owner = Owner::new(Authenticator::register(stack.url(), person));
    (enclave, owner)
}

fn link(enclave: &Enclave, owner: &mut Owner) -> Result<(), Refusal> {
    let credential = credential();
    let args = Link {
        exchange: "binance",
        credential: credential.as_bytes().into(),
        owners: owner.keys(),
        organisation: wire::OrganisationId([1; 16]),
        connection: owner.connection,
        class: wire::consent::Class::Any,
    };
    let linked = enclave.ask_by_both(owner, Op::Link, &args.to_bytes())?;
    owner.envelope = Some(Linked::from_bytes(&linked).unwrap().envelope);
    enclave.ask(owner, Op::Acknowledge, &Nothing {}.to_bytes()).map(|_| ())
}

fn withdrawal(reference: u8) -> Vec<u8> {
    Instruction {
        chain: Some("eip155:1".into()),
        address: Some(ADDRESS.into()),
        fee_included: true,
        max_fee: Some("3".into()),
        ..Instruction::new(Kind::Withdraw, Reference([reference; 16]), "USDC", "100".parse().unwrap())
    }
    .to_bytes()
}

#[test]
fn an_account_is_linked_and_paid_from_with_a_passkey_and_not_without_its_person() {
    let stack = Stack::start();
    let (enclave, mut owner) = newcomer(&stack, Person::Verified);
    link(&enclave, &mut owner).unwrap();
    let inspected = enclave.ask(&mut owner, Op::Inspect, &Nothing {}.to_bytes()).unwrap();
    let owners = Inspected::from_bytes(&inspected).unwrap().owners;
    assert_eq!(owners, owner.keys());
    let passkey = owners[1].passkey.as_ref().unwrap();
    assert_eq!((passkey.relying_party.as_str(), passkey.origins[0].as_str()), ("localhost", stack.url()));

    let refused = enclave.ask(&mut owner, Op::Act, &withdrawal(1));
    assert_eq!(refused, Err(Refusal::SecondFactorNeeded), "the device's key alone moves nothing");
    owner.passkey.person(Person::Present);
    let refused = enclave.ask_by_both(&mut owner, Op::Act, &withdrawal(1));
    assert_eq!(refused, Err(Refusal::NotAuthorised), "somebody was there, and nobody knows who");
    owner.passkey.person(Person::Verified);
    owner.passkey.visit("http://localhost:1");
    let refused = enclave.ask_by_both(&mut owner, Op::Act, &withdrawal(1));
    assert_eq!(refused, Err(Refusal::NotAuthorised), "at a page of another port");
    owner.passkey.visit(stack.url());
    let outcome = enclave.ask_by_both(&mut owner, Op::Act, &withdrawal(1)).unwrap();
    assert_eq!(Outcome::from_bytes(&outcome).unwrap().status, Status::Pending);
}

#[test]
fn an_assertion_moves_nothing_but_what_its_person_was_asked_for() {
    let stack = Stack::start();
    let (enclave, mut owner) = newcomer(&stack, Person::Verified);
    link(&enclave, &mut owner).unwrap();
    let sent = enclave.seal(&mut owner, Op::Act, &withdrawal(2), true);
    let assertion = sent.signatures[1].clone();
    let of_another =
        enclave.seal_by(&owner, Op::Act, &withdrawal(3), |device| vec![device, assertion.clone()]);
    assert_eq!(enclave.deliver(&mut owner, &of_another), Err(Refusal::NotAuthorised));
    let made = |owner: &mut Owner, at: usize| {
        let mut sent = enclave.seal(owner, Op::Act, &withdrawal(4), true).signatures[1].clone();
        let at = at % sent.len();
        sent[at] ^= 0x10;
        sent
    };
    for at in (0..assertion.len()).step_by(17) {
        let altered = made(&mut owner, at);
        let sealed = enclave.seal_by(&owner, Op::Act, &withdrawal(4), |device| vec![device, altered]);
        let refused = enclave.deliver(&mut owner, &sealed).unwrap_err();
        assert!(matches!(refused, Refusal::NotAuthorised | Refusal::Malformed), "byte {at}: {refused:?}");
    }
    let outcome = enclave.deliver(&mut owner, &sent).unwrap();
    assert_eq!(Outcome::from_bytes(&outcome).unwrap().status, Status::Pending);
    assert_eq!(enclave.deliver(&mut owner, &sent), Err(Refusal::Replayed));
}

#[test]
fn a_passkey_for_pages_that_are_not_served_here_enters_no_envelope() {
    let stack = Stack::start();
    let served = enclave_parties(&stack);
    assert_eq!(served, [("localhost".to_owned(), vec![stack.url().to_owned()])]);
    let enclave = Enclave::verify(&stack);
    let mut owner = Owner::new(Authenticator::register("https://vault.example", Person::Verified));
    assert_eq!(link(&enclave, &mut owner), Err(Refusal::PasskeyNotServed));
}

/// What the enclave's identity says.
fn enclave_parties(stack: &Stack) -> Vec<(String, Vec<String>)> {
    let identity = Enclave::verify(stack).identity();
    identity.relying_parties.into_iter().map(|party| (party.id, party.origins)).collect()
}
