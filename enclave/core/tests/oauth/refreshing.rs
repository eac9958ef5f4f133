//! Refresh tokens that stay the same.

use crate::flow::World;
use crate::server::Like;
use wire::Refusal;

const STAYING: Like = Like { push: false, rotate: false, lifetime: 60 };

#[test]
fn a_refresh_token_that_does_not_rotate_serves_again_and_again() {
    let mut world = World::start(STAYING);
    world.link("plain");
    for round in 1..=3 {
        world.pass(61_000);
        assert_eq!(world.balances(), Err(Refusal::RefreshNeeded));
        world.refresh().unwrap();
        assert_eq!(world.balances().unwrap().len(), 1);
        assert_eq!(world.server.grants("refresh_token"), vec![200; round]);
    }
}

#[test]
fn of_two_copies_of_a_home_both_go_on_where_nothing_rotates() {
    let mut world = World::start(STAYING);
    world.link("plain");
    let copy = world.owner.envelope.clone();
    world.pass(61_000);
    world.refresh().unwrap();
    // The old generation is over in this start; its refresh token is not.
    let newer = core::mem::replace(&mut world.owner.envelope, copy);
    assert_eq!(world.refresh(), Err(Refusal::StaleGeneration));
    world.owner.envelope = newer;
    world.pass(61_000);
    world.refresh().unwrap();
    assert_eq!(world.balances().unwrap().len(), 1);
    assert_eq!(world.server.grants("refresh_token"), [200, 200]);
}

#[test]
fn where_refresh_tokens_are_said_to_stay_the_enclave_renews_on_the_way_and_the_owner_stores_nothing() {
    let mut world = World::start(STAYING);
    world.link("staying");
    let envelope = world.owner.envelope.clone();
    for round in 1..=3 {
        world.pass(61_000);
        assert_eq!(world.balances().unwrap().len(), 1);
        assert_eq!(world.balances().unwrap().len(), 1, "one token serves them all");
        assert_eq!(world.server.grants("refresh_token"), vec![200; round]);
    }
    assert_eq!(world.owner.envelope, envelope);
    // Whoever asks for an envelope with the tokens gets them.
    world.refresh().unwrap();
    assert_ne!(world.owner.envelope, envelope);
    assert_eq!(world.balances().unwrap().len(), 1);
}

#[test]
fn a_refresh_token_that_rotates_although_it_was_said_to_stay_is_not_lost() {
    let mut world = World::start(Like { rotate: true, ..STAYING });
    world.link("staying");
    for round in 1..=3 {
        world.pass(61_000);
        assert_eq!(world.balances().unwrap().len(), 1, "each token is used once");
        assert_eq!(world.server.grants("refresh_token"), vec![200; round]);
    }
    world.pass(61_000);
    world.refresh().unwrap();
    world.pass(61_000);
    assert_eq!(world.balances().unwrap().len(), 1);
    assert!(world.server.grants("refresh_token").iter().all(|status| *status == 200));
}
