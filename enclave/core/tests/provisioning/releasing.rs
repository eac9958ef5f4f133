//! Shares that do not count, and what an enclave says before and after it has its roots.

use super::support::{Machine, Operators, made, seal};
use wire::Canonical;
use wire::Refusal;
use wire::ceremony::{Ceremony, CeremonyFault, Genesis, Phase, Release, Share, Shares};
use wire::frame::Kind;

const HOUR_MS: u64 = 3_600_000;

/// A start that waits for shares, and its setup document.
fn waiting(operators: &Operators, genesis: &Genesis) -> (Machine, Vec<u8>) {
    let mut machine = Machine::start();
    let document = machine.setup(operators.propose(&operators.next(genesis)));
    (machine, document)
}

fn refused(machine: &mut Machine, release: Release) -> (CeremonyFault, Option<u8>) {
    machine.refused(&Ceremony::Release(release))
}

#[test]
fn a_share_before_any_setup_is_refused() {
    let (operators, genesis) = made();
    let (_, document) = waiting(&operators, &genesis);
    let release = operators.release(&genesis, 1, &document);
    assert_eq!(refused(&mut Machine::start(), release), (CeremonyFault::NoSetup, None));
}

#[test]
fn one_holder_twice_is_refused_by_name_and_counts_once() {
    let (operators, genesis) = made();
    let (mut machine, document) = waiting(&operators, &genesis);
    machine.release(operators.release(&genesis, 2, &document));
    let again = refused(&mut machine, operators.release(&genesis, 2, &document));
    assert_eq!(again, (CeremonyFault::HolderTwice, Some(2)));
    // The same share under another number is not that holder's.
    let held = operators.held(&genesis, 2);
    let posing = seal(&document, 3, &Shares::from_bytes(&held).unwrap());
    assert_eq!(refused(&mut machine, posing), (CeremonyFault::ShareWrong, Some(3)));
    assert_eq!(machine.status().released, [2]);
    assert_eq!(machine.release(operators.release(&genesis, 3, &document)).phase, Phase::Provisioned);
}

#[test]
fn a_wrong_share_is_named_and_the_right_ones_still_count() {
    let (operators, genesis) = made();
    let (mut machine, document) = waiting(&operators, &genesis);
    let held = operators.held(&genesis, 1);
    let right = Shares::from_bytes(&held).unwrap();
    let share: [u8; 32] = right.shares[0].share[..].try_into().unwrap();
    let mut altered = share;
    altered[31] ^= 1;
    let one = |class, epoch, share| Share { class, epoch, share: <&minicbor::bytes::ByteSlice>::from(share) };
    for shares in [
        vec![one("any", 1, &altered[..])],
        vec![one("any", 1, &share[..31])],
        vec![one("any", 2, &share[..])],
        vec![one("all", 1, &share[..])],
        vec![],
        vec![one("any", 1, &share[..]), one("any", 2, &share[..])],
    ] {
        let wrong = refused(&mut machine, seal(&document, 1, &Shares { shares }));
        assert_eq!(wrong, (CeremonyFault::ShareWrong, Some(1)));
    }
    assert_eq!(machine.status().released, [0; 0]);
    machine.release(seal(&document, 1, &right));
    assert_eq!(machine.release(operators.release(&genesis, 2, &document)).phase, Phase::Provisioned);
}

#[test]
fn a_release_that_was_made_for_another_start_or_holder_does_not_open() {
    let (operators, genesis) = made();
    let (_, other) = waiting(&operators, &genesis);
    let (mut machine, document) = waiting(&operators, &genesis);
    let replayed = operators.release(&genesis, 1, &other);
    assert_eq!(refused(&mut machine, replayed.clone()), (CeremonyFault::SetupOver, None));
    // A host that changes what is written outside of the seal.
    let right = operators.release(&genesis, 1, &document);
    let redirected = Release { setup: right.setup, ..replayed };
    assert_eq!(refused(&mut machine, redirected), (CeremonyFault::ShareUnsealable, Some(1)));
    let renumbered = Release { holder: 2, ..right.clone() };
    assert_eq!(refused(&mut machine, renumbered), (CeremonyFault::ShareUnsealable, Some(2)));
    for number in [0, 4, 255] {
        let unknown = Release { holder: number, ..right.clone() };
        assert_eq!(refused(&mut machine, unknown).0, CeremonyFault::UnknownHolder);
    }
    let mut cut = right;
    cut.sealed.encapsulated.pop();
    assert_eq!(refused(&mut machine, cut).0, CeremonyFault::ShareUnsealable);
}

#[test]
fn m16_a_setup_is_over_after_an_hour_and_shares_that_came_before_stay() {
    let (operators, genesis) = made();
    let (mut machine, document) = waiting(&operators, &genesis);
    machine.release(operators.release(&genesis, 1, &document));
    let late = operators.release(&genesis, 2, &document);
    machine.monotonic += HOUR_MS;
    assert_eq!(refused(&mut machine, late), (CeremonyFault::SetupOver, None));
    let again = machine.setup(operators.propose(&operators.next(&genesis)));
    assert_ne!(again, document, "another key");
    assert_eq!(machine.release(operators.release(&genesis, 2, &again)).phase, Phase::Provisioned);
}

#[test]
fn a_setup_that_is_asked_for_twice_is_the_same_for_half_of_its_life() {
    let (operators, genesis) = made();
    let (mut machine, document) = waiting(&operators, &genesis);
    machine.monotonic += HOUR_MS / 2 - 1;
    assert_eq!(machine.setup(operators.propose(&operators.next(&genesis))), document);
    machine.monotonic += 1;
    assert_ne!(machine.setup(operators.propose(&operators.next(&genesis))), document);
}

#[test]
fn another_manifest_takes_the_place_of_one_that_nobody_trusted_and_of_no_other() {
    let (operators, genesis) = made();
    let newer = wire::manifest::Manifest { nonce: 3, ..operators.next(&genesis) };
    let (mut machine, first) = waiting(&operators, &genesis);
    let document = machine.setup(operators.propose(&newer));
    let stale = refused(&mut machine, operators.release(&genesis, 1, &first));
    assert_eq!(stale, (CeremonyFault::SetupOver, None));
    machine.release(operators.release(&genesis, 1, &document));
    let other = Ceremony::Setup(operators.propose(&operators.next(&genesis)));
    assert_eq!(machine.refused(&other), (CeremonyFault::OtherManifest, None));
    assert_eq!(machine.release(operators.release(&genesis, 2, &document)).phase, Phase::Provisioned);
}

#[test]
fn shares_that_yield_another_root_than_the_manifest_commits_to_give_no_enclave() {
    let (operators, genesis) = made();
    let mut manifest = operators.next(&genesis);
    manifest.roots[0].commitment.0[0] ^= 1;
    let mut machine = Machine::start();
    let document = machine.setup(operators.propose(&manifest));
    machine.release(operators.release(&genesis, 1, &document));
    let last = refused(&mut machine, operators.release(&genesis, 2, &document));
    assert_eq!(last, (CeremonyFault::RootWrong, None));
    assert!(machine.enclave().is_none());
    assert_eq!(machine.status().phase, Phase::Waiting);
}

#[test]
fn without_its_roots_an_enclave_answers_operators_alone_and_with_them_takes_no_share() {
    let (operators, genesis) = made();
    let (mut machine, document) = waiting(&operators, &genesis);
    let not_provisioned = Some((Kind::Refused, Refusal::NotProvisioned.number().to_be_bytes().to_vec()));
    for kind in [Kind::Attest, Kind::Request, Kind::Rewrap] {
        assert_eq!(machine.frame(kind, &[0; 32]), not_provisioned);
    }
    for kind in [Kind::Cancel, Kind::EgressConnected, Kind::EgressReceived, Kind::EgressGone] {
        assert_eq!(machine.frame(kind, &[]), None);
    }
    machine.release(operators.release(&genesis, 1, &document));
    machine.release(operators.release(&genesis, 3, &document));
    let late = refused(&mut machine, operators.release(&genesis, 2, &document));
    assert_eq!(late, (CeremonyFault::Provisioned, None));
    let again = Ceremony::Genesis(operators.propose(&operators.manifest()));
    assert_eq!(machine.refused(&again), (CeremonyFault::Provisioned, None));
    let status = machine.status();
    let manifest = verify::manifest::hash(&operators.next(&genesis).to_bytes());
    assert_eq!((status.phase, status.manifest.map(|hash| hash.0)), (Phase::Provisioned, Some(manifest)));
}

#[test]
fn m17_a_root_in_a_frame_ends_a_start_that_waits_for_a_quorum() {
    for kind in [Kind::Provision, Kind::Ready, Kind::CeremonyAnswer, Kind::Evidence, Kind::EgressOpen] {
        assert_eq!(Machine::start().try_frame(kind, &[]).err(), Some(enclave::Fatal::Frame));
    }
    assert_eq!(Machine::start().try_frame(Kind::Time, &[1]).err(), Some(enclave::Fatal::Frame));
}

#[test]
fn debug_prints_no_share_and_no_key() {
    let (operators, genesis) = made();
    let (mut machine, document) = waiting(&operators, &genesis);
    machine.release(operators.release(&genesis, 1, &document));
    let printed = machine.debug();
    assert!(printed.ends_with(", Some(Collecting(1 released)))"), "{printed}");
    let held = operators.held(&genesis, 1);
    let shares = Shares::from_bytes(&held).unwrap();
    assert_eq!(format!("{shares:?}"), "Shares(1)");
    assert_eq!(format!("{:?}", shares.shares[0]), "Share(any, 1)");
}
