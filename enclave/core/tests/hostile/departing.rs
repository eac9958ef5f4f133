//! A host that goes in the middle of everything, and the next one, which finds the enclave as it was.

use crate::support::{Answer, Authority, Exchange, Machine, NOW, Owner, envelope_at, roots, sandbox};
use wire::balance::Holdings;
use wire::frame::Kind;
use wire::freshness::ConnectionState;
use wire::operation::Op;
use wire::register::{ENTRY, Entry, State};
use wire::{Canonical, Refusal};

struct World {
    machine: Machine,
    exchange: Exchange,
    owner: Owner,
}

impl World {
    fn new() -> World {
        let authority = Authority::sandbox();
        let (machine, exchange) = (sandbox(1, &authority), Exchange::honest(&authority));
        World { machine, exchange, owner: Owner::eddsa() }
    }

    /// Balances through the host that is there now.
    fn balances(&mut self) -> Result<Holdings, Refusal> {
        let draft = self.owner.balances_draft(&self.machine, "EUR").now(&self.machine);
        let result = self.owner.ask_over(&mut self.machine, &mut self.exchange, &draft)?;
        Ok(Holdings::from_bytes(&result).unwrap())
    }
}

#[test]
fn the_next_host_finds_the_same_start_and_the_same_roots() {
    let mut world = World::new();
    let before = world.machine.identity();
    world.machine.host_gone();
    assert_eq!(world.machine.identity(), before);
    assert!(world.balances().is_ok());
}

#[test]
fn what_was_for_a_host_that_went_is_told_to_no_other() {
    let mut world = World::new();
    // A reply that nobody took, evidence that was not due yet, and a call whose provider has not answered.
    let inspect = world.owner.draft(&world.machine, Op::Inspect).seal(&[&world.owner.device]);
    world.machine.deliver(&inspect.bytes);
    world.machine.leave(Kind::Attest, &[7; 32]);
    let asked = world.owner.balances_draft(&world.machine, "EUR").seal(&[&world.owner.device]);
    world.machine.deliver(&asked.bytes);
    world.machine.host_gone();
    world.machine.pass(120_000);
    assert!(world.machine.said_nothing(), "not even that a stream is closed");
}

#[test]
fn a_call_that_lost_its_host_keeps_nothing_reserved_and_is_not_carried_out_twice_by_a_repeated_request() {
    let mut world = World::new();
    let asked = world.owner.balances_draft(&world.machine, "EUR").seal(&[&world.owner.device]);
    let lost = world.machine.begin(&asked.bytes);
    let streams = world.machine.take(Kind::EgressOpen);
    assert!(!streams.is_empty());
    world.machine.host_gone();
    // The next host knows the old one's streams, and what was asked.
    for (stream, _) in streams {
        world.machine.frame(Kind::EgressConnected, stream, &[]);
        world.machine.frame(Kind::EgressReceived, stream, b"HTTP/1.1 200 OK\r\n\r\n");
    }
    assert!(matches!(world.machine.answer(lost), Answer::Nothing));
    let repeated = world.machine.request(&asked.bytes);
    assert_eq!(asked.open(repeated, &world.machine).result, Err(Refusal::Replayed));
    assert!(world.machine.take(Kind::EgressOpen).is_empty());
    // Prices that were being fetched are fetched again for whoever asks.
    let holdings = world.balances().unwrap();
    assert!(holdings.accounts.iter().any(|account| !account.assets.is_empty()));
    assert!(world.exchange.requests.iter().any(|(_, line)| line.contains("/0/public/Ticker")));
}

#[test]
fn tokens_whose_refresh_lost_its_host_can_be_refreshed_again() {
    let authority = Authority::sandbox();
    let mut owner = Owner::eddsa();
    owner.credential = format!(
        r#"{{"clientId":"id","clientSecret":"s","access_token":"a0","refresh_token":"r0","expires":"{}"}}"#,
        NOW.0
    )
    .into_bytes();
    owner.envelope = envelope_at("coinbase_oauth", &owner, &roots(1));
    let mut machine = sandbox(1, &authority);
    let sealed = owner.draft(&machine, Op::Refresh).seal(&[&owner.device]);
    machine.begin(&sealed.bytes);
    machine.host_gone();
    let hosts = ["login.coinbase.com.sandbox.test", "api.coinbase.com.sandbox.test"];
    let mut exchange = Exchange::with(&authority.issue(&hosts));
    let given = r#"{"access_token":"a1","refresh_token":"r1","token_type":"bearer","expires_in":3600}"#;
    exchange.node = Some(Box::new(|_| Some(given.to_owned())));
    let draft = owner.draft(&machine, Op::Refresh).now(&machine);
    assert!(owner.ask_over(&mut machine, &mut exchange, &draft).is_ok());
}

#[test]
fn what_no_host_has_heard_of_goes_into_a_head_of_the_next_ones() {
    let mut world = World::new();
    assert!(world.balances().is_ok());
    let (name, told) = (verify::register::name(world.owner.connection), world.owner.last.0);
    // Recorded, and the host never showed the paths that the head of it takes.
    let lost = world.owner.draft(&world.machine, Op::Acknowledge).now(&world.machine);
    world.machine.deliver(&lost.seal(&[&world.owner.device]).bytes);
    world.machine.keeper.commits.clear();
    world.machine.host_gone();
    let commits = &world.machine.keeper.commits;
    let (entries, rest): (Vec<_>, _) = {
        let bytes: Vec<u8> = commits.iter().flat_map(|commit| commit.entries.clone()).collect();
        let (entries, rest) = bytes.as_chunks::<ENTRY>();
        (entries.iter().map(|entry| Entry::from_bytes(entry).unwrap()).collect(), rest.len())
    };
    assert_eq!(rest, 0);
    assert!(matches!(entries.as_slice(), [entry] if entry.name == name && entry.state == State::Held));
    let leaf = commits.iter().flat_map(|commit| &commit.leaves).find(|leaf| leaf.name.0 == name).unwrap();
    let state = ConnectionState::from_bytes(&leaf.state.0).unwrap();
    assert_eq!(state.counter, told + 1, "the receipt that nobody got is counted");
    assert!(world.balances().is_ok());
}

#[test]
fn a_head_that_was_handed_out_when_its_host_went_costs_the_line_and_no_root() {
    let mut world = World::new();
    assert!(world.balances().is_ok());
    let before = world.machine.identity();
    let lost = world.owner.draft(&world.machine, Op::Inspect).now(&world.machine);
    world.machine.deliver_until_committing(&lost.seal(&[&world.owner.device]).bytes);
    world.machine.host_gone();
    assert_eq!(world.machine.identity(), before);
    assert_eq!(world.balances().err(), Some(Refusal::LineLost));
}
