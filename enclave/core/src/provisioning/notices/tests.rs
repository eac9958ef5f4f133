#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use super::*;
use serde_json::Value;
use wire::Canonical;
use wire::evidence::Hash;

const SAID: Hash = Hash([5; 32]);

/// The script's manifest, with these notices.
fn manifest(notices: &[Notice]) -> Manifest {
    let file: Value = serde_json::from_str(include_str!("../../../../../vectors/provisioning.json")).unwrap();
    let text = file["manifests"][1]["encoded"].as_str().unwrap();
    let bytes: Vec<u8> =
        (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect();
    Manifest { notices: Some(notices.to_vec()), ..Manifest::from_bytes(&bytes).unwrap() }
}

fn notice(class: Class, epoch: u32, absent: u64) -> Notice {
    Notice { class: class.name().into(), epoch, statement: SAID, absent, hours: 200 }
}

fn stated(class: Class, absent: u64, without_backup: u64) -> Grounded {
    Grounded { class, epoch: 4, statement: Hash([6; 32]), absent, without_backup }
}

const RUN: u64 = 200 * HOUR_MS;

fn at(monotonic: u64) -> (u64, UnixMillis) {
    (monotonic, UnixMillis(1_000 + monotonic))
}

#[test]
fn leave_is_for_the_class_the_epochs_and_the_number_that_had_notice_for_its_hours() {
    let mut notices = Notices::default();
    notices.go_over(&manifest(&[notice(Class::Any, 4, 3), notice(Class::Owner, 2, 1)]), at(500));
    let leave = |class, epoch, counted: &Grounded, at| notices.leave(class, epoch, counted, at);
    let three = stated(Class::Any, 3, 0);
    assert_eq!(leave(Class::Any, 4, &three, 500 + RUN), Ok(Leave::after_notice(3)));
    assert_eq!(leave(Class::Any, 3, &three, u64::MAX), Ok(Leave::after_notice(3)), "one before it");
    assert_eq!(leave(Class::Any, 4, &three, 500 + RUN - 1), Err(CeremonyFault::NoticeRuns));
    assert_eq!(leave(Class::Any, 5, &three, u64::MAX), Err(CeremonyFault::NotConcluded), "a later epoch");
    assert_eq!(leave(Class::Delayed, 4, &three, u64::MAX), Err(CeremonyFault::NotConcluded), "another class");
    assert_eq!(leave(Class::Owner, 2, &three, u64::MAX), Err(CeremonyFault::NoticeDiffers), "two too many");
    let with_wallet = stated(Class::Any, 3, 1);
    assert_eq!(leave(Class::Any, 4, &with_wallet, u64::MAX), Err(CeremonyFault::BackupMissing));
    let nobody = stated(Class::Delayed, 0, 0);
    assert_eq!(leave(Class::Delayed, 1, &nobody, 0), Ok(Leave::NONE), "nobody has to be warned");
}

#[test]
fn leave_that_was_given_stays_for_who_asks_again() {
    let mut notices = Notices::default();
    notices.give(Class::Any, 3, Leave::after_notice(2));
    notices.give(Class::Any, 2, Leave::NONE);
    assert_eq!(notices.given(Class::Any, 3), Leave::after_notice(2));
    for (class, epoch) in [(Class::Any, 2), (Class::Any, 4), (Class::Owner, 3)] {
        assert_eq!(notices.given(class, epoch), Leave::NONE);
    }
}

#[test]
fn a_notice_that_is_repeated_runs_on_and_any_other_begins() {
    let mut notices = Notices::default();
    let (first, second) = (notice(Class::Any, 4, 3), notice(Class::Any, 4, 2));
    notices.go_over(&manifest(std::slice::from_ref(&first)), at(10));
    notices.go_over(&manifest(&[first.clone(), notice(Class::Owner, 2, 1)]), at(20));
    let since = |notices: &Notices| notices.said().iter().map(|said| said.since.0).collect::<Vec<_>>();
    assert_eq!(since(&notices), [1_010, 1_020]);
    notices.go_over(&manifest(&[second]), at(30));
    assert_eq!(since(&notices), [1_030], "another number is another notice");
    notices.go_over(&manifest(&[first]), at(40));
    assert_eq!(since(&notices), [1_040], "and the one from before comes anew");
}
