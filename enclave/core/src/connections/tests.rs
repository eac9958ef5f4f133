#![expect(clippy::unwrap_used, reason = "a test may fail loudly")]

use super::*;
use wire::envelope::Purpose;

const ID: ConnectionId = ConnectionId([7; 16]);
const ORGANISATION: OrganisationId = OrganisationId([8; 16]);
const KEY: CredentialName = CredentialName::FIRST;

fn header(generation: u64) -> Header {
    Header {
        organisation: ORGANISATION,
        connection: ID,
        owners: [9; 32],
        purpose: Purpose::ExchangeCredential,
        generation,
        class: wire::consent::Class::Any,
    }
}

fn linked() -> Connections {
    let mut connections = Connections::default();
    connections.begin(ID, ORGANISATION, KEY).unwrap();
    connections
}

#[test]
fn m21_the_old_generation_works_until_the_new_one_is_acknowledged_and_never_after() {
    let mut connections = linked();
    let next = connections.next_generation(ID).unwrap();
    connections.set_pending(ID, next);
    assert_eq!(connections.admit(&header(1), KEY), Ok(Standing::Current));
    assert_eq!(connections.admit(&header(2), KEY), Ok(Standing::Pending));
    connections.acknowledge(&header(2));
    assert_eq!(connections.admit(&header(1), KEY), Err(Refusal::StaleGeneration));
    assert_eq!(connections.admit(&header(2), KEY), Ok(Standing::Current));
}

#[test]
fn m21_a_rotation_whose_reply_was_lost_is_superseded_and_not_a_second_latest() {
    let mut connections = linked();
    for expected in [2, 3] {
        let next = connections.next_generation(ID).unwrap();
        assert_eq!(next, expected);
        connections.set_pending(ID, next);
    }
    assert_eq!(connections.admit(&header(2), KEY), Err(Refusal::StaleGeneration));
    assert_eq!(connections.admit(&header(3), KEY), Ok(Standing::Pending));
    assert_eq!(connections.admit(&header(1), KEY), Ok(Standing::Current));
}

#[test]
fn acknowledging_twice_changes_nothing() {
    let mut connections = linked();
    connections.set_pending(ID, 2);
    connections.acknowledge(&header(2));
    connections.acknowledge(&header(2));
    assert_eq!(connections.admit(&header(2), KEY), Ok(Standing::Current));
    assert_eq!(connections.next_generation(ID), Ok(3));
}

#[test]
fn a_generation_that_another_start_made_waits_to_be_acknowledged() {
    let mut connections = Connections::default();
    assert_eq!(connections.admit(&header(4), KEY), Ok(Standing::Current));
    assert_eq!(connections.admit(&header(5), KEY), Ok(Standing::Pending));
    assert_eq!(connections.admit(&header(3), KEY), Err(Refusal::StaleGeneration));
}

#[test]
fn a_forgotten_connection_stays_forgotten() {
    let mut connections = linked();
    connections.forget(ID);
    assert_eq!(connections.admit(&header(1), KEY), Err(Refusal::Forgotten));
    assert_eq!(connections.begin(ID, ORGANISATION, KEY), Err(Refusal::Forgotten));
}

#[test]
fn receipts_go_on_from_the_larger_counter() {
    let mut connections = linked();
    let none = LastReceipt { counter: 0, hash: None };
    assert_eq!(connections.next_receipt(ID, none), (1, None));
    connections.note_receipt(ID, 1, [1; 32]);
    assert_eq!(connections.next_receipt(ID, none), (2, Some([1; 32])));
    let ahead = LastReceipt { counter: 9, hash: Some([9; 32]) };
    assert_eq!(connections.next_receipt(ID, ahead), (10, Some([9; 32])));
}

#[test]
fn a_counter_without_its_receipt_is_malformed() {
    let check = |counter, hash| LastReceipt { counter, hash }.check().err();
    assert_eq!(check(0, None), None);
    assert_eq!(check(3, Some([1; 32])), None);
    assert_eq!(check(0, Some([1; 32])), Some(Refusal::Malformed));
    assert_eq!(check(3, None), Some(Refusal::Malformed));
    assert_eq!(check(u64::MAX, Some([1; 32])), Some(Refusal::CounterGap));
}

fn id(number: usize) -> ConnectionId {
    ConnectionId((number as u128).to_be_bytes())
}

/// An envelope of a connection of its own.
fn envelope(number: usize) -> Header {
    Header { connection: id(number), ..header(1) }
}

/// A key for every connection, as many as one key may have.
fn key(number: usize) -> CredentialName {
    CredentialName::numbered(number / usize::from(MAX_CONNECTIONS_OF_ONE))
}

#[test]
fn one_exchange_key_links_no_more_than_its_share_of_the_table() {
    let (mut connections, bound) = (Connections::default(), usize::from(MAX_CONNECTIONS_OF_ONE));
    let own = CredentialName::numbered(1);
    let mut link = |number| connections.begin(id(number), ORGANISATION, own);
    assert!((0..bound).all(|number| link(number).is_ok()));
    assert_eq!(link(bound), Err(Refusal::TooManyLinks));
    assert_eq!(connections.check_link_room(own), Err(Refusal::TooManyLinks));
    connections.forget(id(0));
    assert_eq!(connections.begin(id(bound), ORGANISATION, own), Err(Refusal::TooManyLinks), "for ever");
    connections.begin(id(bound), ORGANISATION, CredentialName::numbered(2)).unwrap();
    connections.admit(&envelope(bound + 1), own).unwrap();
}

#[test]
fn envelopes_that_one_key_gathered_over_many_starts_do_not_fill_the_table_either() {
    let (mut connections, bound) = (Connections::default(), usize::from(MAX_CONNECTIONS_OF_ONE));
    assert!((0..bound).all(|number| connections.admit(&envelope(number), KEY).is_ok()));
    assert_eq!(connections.admit(&envelope(bound), KEY), Err(Refusal::TooManyLinks));
    assert_eq!(connections.admit(&envelope(0), KEY), Ok(Standing::Current), "what is known stays known");
    connections.begin(id(bound), ORGANISATION, KEY).unwrap();
}

#[test]
fn newcomers_never_shut_out_an_owner_who_has_an_envelope() {
    let mut connections = Connections::default();
    for number in 0..MAX_LINKED {
        connections.begin(id(number), ORGANISATION, key(number)).unwrap();
    }
    let late = MAX_CONNECTIONS + 1;
    assert_eq!(connections.check_link_room(key(late)), Err(Refusal::Overloaded));
    assert_eq!(connections.begin(id(late), ORGANISATION, key(late)), Err(Refusal::Overloaded));
    for number in MAX_LINKED..MAX_CONNECTIONS {
        connections.admit(&envelope(number), key(number)).unwrap();
    }
    assert_eq!(connections.admit(&envelope(late), key(late)), Err(Refusal::Overloaded));
    assert_eq!(connections.admit(&envelope(0), key(0)), Ok(Standing::Current), "the old are kept");
}
