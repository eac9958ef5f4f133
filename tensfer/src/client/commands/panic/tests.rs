use super::*;
use crate::client::testing::{CONNECTION, Loss, Scripted, linked_home};

const ARGS: Args = Args { yes: true, with_wallets: false, local: false, json: false };

fn end_it(home: &Home, enclave: &Scripted, args: &Args) -> Vec<Line> {
    let records = home.connections_in(Realm::Simulated).unwrap();
    end_all(home, enclave, args, records).unwrap()
}

fn receipt_exists(directory: &std::path::Path) -> bool {
    directory.join("home/simulated/panic").join(format!("{CONNECTION}.json")).exists()
}

#[test]
fn what_was_ended_is_erased_once_its_receipt_is_stored() {
    let directory = tempfile::tempdir().unwrap();
    let (home, enclave) = (linked_home(directory.path()), Scripted::new());
    let lines = end_it(&home, &enclave, &ARGS);
    assert!(lines[0].erased && lines[0].refused && lines[0].at_provider == "ended", "{lines:?}");
    assert!(receipt_exists(directory.path()));
    assert!(home.connections().unwrap().is_empty());
    assert!(home.owner(Realm::Simulated).unwrap().is_none(), "nothing is left that opens an envelope");
}

#[test]
fn what_failed_at_its_provider_is_kept_and_given_again() {
    let directory = tempfile::tempdir().unwrap();
    let (home, enclave) = (linked_home(directory.path()), Scripted::new());
    enclave.ends(AtProvider::Failed, Some(Refusal::ProviderUnreachable));
    let lines = end_it(&home, &enclave, &ARGS);
    assert!(!lines[0].erased && lines[0].refused && lines[0].fault == Some(Fault::Host), "{lines:?}");
    assert!(lines[0].by_hand.as_ref().is_some_and(|url| url.starts_with("https://")));
    assert!(receipt_exists(directory.path()));
    enclave.ends(AtProvider::Ended, None);
    assert!(end_it(&home, &enclave, &ARGS)[0].erased);
}

#[test]
fn a_lost_request_or_reply_loses_nothing_that_the_next_attempt_needs() {
    for loss in [Loss::Request(Op::Panic), Loss::Reply(Op::Panic)] {
        let directory = tempfile::tempdir().unwrap();
        let (home, enclave) = (linked_home(directory.path()), Scripted::new());
        enclave.lose(loss);
        let lines = end_it(&home, &enclave, &ARGS);
        assert!(!lines[0].erased && lines[0].at_provider == "kept", "{loss:?}: {lines:?}");
        assert!(!receipt_exists(directory.path()));
        assert_eq!(home.connections().unwrap().len(), 1);
        assert!(end_it(&home, &enclave, &ARGS)[0].erased, "{loss:?}");
    }
}

#[test]
fn where_no_call_ends_a_key_its_owner_is_told_where_to() {
    let directory = tempfile::tempdir().unwrap();
    let (home, enclave) = (linked_home(directory.path()), Scripted::new());
    enclave.ends(AtProvider::NotOffered, None);
    let lines = end_it(&home, &enclave, &ARGS);
    assert!(lines[0].erased && lines[0].fault.is_none());
    assert!(lines[0].by_hand.as_ref().is_some_and(|url| url.contains("kraken.com")), "{lines:?}");
}

#[test]
fn a_wallet_whose_words_nobody_has_is_given_up_by_name_alone() {
    let directory = tempfile::tempdir().unwrap();
    let (home, enclave) = (linked_home(directory.path()), Scripted::new());
    let mut record = home.connections().unwrap().remove(0);
    record.exchange = "bitcoin".into();
    home.save(&record).unwrap();
    let lines = end_it(&home, &enclave, &ARGS);
    assert_eq!((lines[0].at_provider, enclave.asked()), ("kept", 0), "{lines:?}");
    let lines = end_it(&home, &enclave, &Args { with_wallets: true, ..ARGS });
    assert!(lines[0].erased, "{lines:?}");
    // One that is backed up goes without being named: its words open it elsewhere.
    home.owner_or_new(Realm::Simulated).unwrap();
    record.backed_up = Some(1);
    assert!(!is_lost_with_its_envelope(&record));
}

#[test]
fn a_run_that_was_killed_after_the_last_connection_leaves_the_owners_keys_to_the_next_one() {
    let directory = tempfile::tempdir().unwrap();
    let (home, enclave) = (linked_home(directory.path()), Scripted::new());
    home.remove(&home.connections().unwrap()[0]).unwrap();
    assert!(home.owner(Realm::Simulated).unwrap().is_some());
    assert_eq!((end_it(&home, &enclave, &ARGS).len(), enclave.asked()), (0, 0));
    assert!(home.owner(Realm::Simulated).unwrap().is_none());
    assert!(end_it(&home, &enclave, &ARGS).is_empty(), "and nothing is there to erase");
}

#[test]
fn without_the_enclave_everything_here_is_erased_and_what_is_left_is_told() {
    for owner_is_gone in [false, true] {
        let directory = tempfile::tempdir().unwrap();
        let home = linked_home(directory.path());
        let mut other = home.connections().unwrap().remove(0);
        home.owner_or_new(Realm::Hardware).unwrap();
        other.realm = Realm::Hardware;
        home.save(&other).unwrap();
        if owner_is_gone {
            std::fs::remove_file(directory.path().join("home/simulated/owner.key")).unwrap();
        }
        let records = home.connections().unwrap();
        let lines = erase_all(&home, &Args { local: true, ..ARGS }, &records).unwrap();
        assert_eq!(lines.len(), 2);
        assert!(lines.iter().all(|line| line.erased && !line.refused && line.by_hand.is_some()), "{lines:?}");
        assert!(home.connections().unwrap().is_empty());
        for realm in Realm::ALL {
            assert!(home.owner(realm).unwrap().is_none(), "{realm:?}");
        }
    }
}
