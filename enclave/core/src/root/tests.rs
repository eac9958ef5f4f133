#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use super::*;
use proptest::prelude::*;
use wire::identity::Phase;
use wire::provision::EpochRoot as Given;

const A: [u8; 32] = [0xa1; 32];
const B: [u8; 32] = [0xb2; 32];
const C: [u8; 32] = [0xc3; 32];

fn provision<'b>(epochs: &[(u32, &'b [u8])]) -> Provision<'b> {
    let epochs = epochs.iter().map(|&(epoch, root)| Given::of_any(epoch, root)).collect();
    Provision { epochs, sandbox: None, current: None, witnessed: None, relying_parties: Vec::new() }
}

fn held(epochs: &[(u32, &[u8])]) -> Roots {
    Roots::provision(&provision(epochs)).unwrap()
}

/// Of class `any`: oldest, current, newest.
fn range(roots: &Roots) -> (u32, u32, u32) {
    (roots.any().oldest(), roots.any().current(), roots.any().newest())
}

#[test]
fn epochs_ascend_without_a_gap_and_never_change() {
    let mut roots = ClassRoots::new(Class::Any, 4, &Secret::copied(&A)).unwrap();
    assert_eq!(roots.add(5, &Secret::copied(&B)), Ok(()));
    assert_eq!(roots.add(5, &Secret::copied(&B)), Err(RootFault::Repeated));
    assert_eq!(roots.add(5, &Secret::copied(&C)), Err(RootFault::Changed));
    assert_eq!(roots.add(4, &Secret::copied(&C)), Err(RootFault::Changed));
    assert_eq!(roots.add(3, &Secret::copied(&C)), Err(RootFault::Gap));
    assert_eq!(roots.add(7, &Secret::copied(&C)), Err(RootFault::Gap));
    assert_eq!((roots.oldest(), roots.current()), (4, 5));
    assert_eq!(roots.epochs().commitments.len(), 2);
}

#[test]
fn a_first_provisioning_is_whole_or_refused() {
    let refused = |epochs: &[(u32, &[u8])]| Roots::provision(&provision(epochs)).unwrap_err();
    assert_eq!(held(&[(1, &A), (2, &B)]).any().current(), 2);
    assert_eq!(refused(&[]), RootFault::Missing);
    assert_eq!(refused(&[(0, &A)]), RootFault::Missing);
    assert_eq!(refused(&[(1, &A[..31])]), RootFault::Length);
    assert_eq!(refused(&[(1, &A), (3, &B)]), RootFault::Gap);
    assert_eq!(refused(&[(2, &A), (1, &B)]), RootFault::Gap);
    assert_eq!(refused(&[(1, &A), (1, &A)]), RootFault::Repeated);
    assert_eq!(refused(&[(1, &A), (1, &B)]), RootFault::Changed);
    assert_eq!(refused(&[(u32::MAX, &A), (1, &B)]), RootFault::Gap);
}

#[test]
fn a_later_provisioning_adds_epochs_and_changes_nothing_else() {
    let mut roots = held(&[(1, &A), (2, &B)]);
    let before = roots.epochs();
    for (epochs, fault) in [
        (provision(&[(1, &A), (2, &C), (3, &C)]), RootFault::Changed),
        (provision(&[(2, &B), (3, &C)]), RootFault::Gap),
        (provision(&[(1, &A)]), RootFault::Gap),
        (provision(&[(1, &A), (2, &B), (4, &C)]), RootFault::Gap),
        (provision(&[]), RootFault::Missing),
    ] {
        assert_eq!(roots.extend(&epochs), Err(fault));
        assert_eq!(roots.epochs(), before, "refused: everything is as it was");
    }
    assert_eq!(roots.extend(&provision(&[(1, &A), (2, &B)])), Ok(()));
    assert_eq!(roots.epochs(), before);
    assert_eq!(roots.extend(&provision(&[(1, &A), (2, &B), (3, &C)])), Ok(()));
    assert_eq!(roots.any().current(), 3);
    assert_eq!(roots.epochs().commitments[..2], before.commitments);
}

#[test]
fn an_older_epoch_is_not_slipped_in_later() {
    let mut roots = held(&[(2, &B)]);
    assert_eq!(roots.extend(&provision(&[(1, &A), (2, &B)])), Err(RootFault::Gap));
}

#[test]
fn the_number_of_epochs_is_bounded() {
    let mut roots = ClassRoots::new(Class::Any, 1, &Secret::copied(&A)).unwrap();
    let last = u32::try_from(MAX_EPOCHS).unwrap();
    for epoch in 2..=last {
        roots.add(epoch, &Secret::copied(&B)).unwrap();
    }
    assert_eq!(roots.add(last + 1, &Secret::copied(&B)), Err(RootFault::TooMany));
}

/// Every state that a few epochs can be in, by the steps that lead there.
#[test]
fn m21_every_state_has_one_current_epoch_and_a_step_out_of_turn_changes_nothing() {
    let root = |epoch: u32| Secret::copied(&[u8::try_from(epoch).unwrap(); 32]);
    let mut roots = ClassRoots::new(Class::Any, 1, &root(1)).unwrap();
    assert_eq!(roots.promote(2), Err(RootFault::NotPending));
    assert_eq!(roots.destroy(1), Err(RootFault::InUse));
    assert_eq!(roots.begin(2, &root(2)), Ok(Stepped::Done));
    assert_eq!((roots.current(), roots.newest(), roots.epochs().phase(2)), (1, 2, Some(Phase::Pending)));
    assert_eq!(roots.begin(2, &root(2)), Ok(Stepped::Already));
    assert_eq!(roots.begin(2, &root(9)), Err(RootFault::Changed), "a root never changes once it is there");
    assert_eq!(roots.begin(3, &root(3)), Err(RootFault::AlreadyRotating));
    assert_eq!(roots.destroy(2), Err(RootFault::InUse));
    assert_eq!(roots.promote(2), Ok(Stepped::Done));
    assert_eq!(roots.promote(2), Ok(Stepped::Already));
    assert_eq!(roots.promote(1), Err(RootFault::NotPending), "nothing goes back");
    roots.add(3, &root(3)).unwrap();
    assert_eq!(roots.destroy(2), Err(RootFault::NotOldest));
    assert_eq!(roots.destroy(1), Ok(Stepped::Done));
    assert_eq!(roots.destroy(1), Ok(Stepped::Already));
    assert_eq!(roots.begin(1, &root(1)), Err(RootFault::Gap), "a destroyed epoch does not come back");
    assert_eq!((roots.oldest(), roots.current()), (2, 3));
    assert_eq!(roots.destroy(2), Ok(Stepped::Done));
    assert_eq!(roots.destroy(3), Err(RootFault::InUse));
    let phases = [0, 1, 2, 3, 4].map(|epoch| roots.epochs().phase(epoch));
    assert_eq!(phases, [None, Some(Phase::Destroyed), Some(Phase::Destroyed), Some(Phase::Current), None]);
}

#[test]
fn a_provisioning_names_the_epoch_to_seal_under_and_nothing_goes_back() {
    let with = |epochs, current| Provision { current: Some(current), ..provision(epochs) };
    let mut roots = Roots::provision(&with(&[(4, &A), (5, &B)], 4)).unwrap();
    assert_eq!(range(&roots), (4, 4, 5));
    for current in [0, 3, 6] {
        assert_eq!(Roots::provision(&with(&[(4, &A), (5, &B)], current)).unwrap_err(), RootFault::NotPending);
    }
    assert_eq!(Roots::provision(&with(&[(4, &A), (5, &B), (6, &C)], 4)).unwrap_err(), RootFault::NotPending);
    assert_eq!(roots.extend(&with(&[(4, &A), (5, &B)], 5)), Ok(()));
    assert_eq!(roots.any().current(), 5);
    assert_eq!(roots.extend(&with(&[(4, &A), (5, &B)], 4)), Err(RootFault::NotPending));
    assert_eq!(roots.extend(&with(&[(5, &B)], 5)), Err(RootFault::Gap), "no epoch goes by being left out");
    assert_eq!(roots.destroy(Class::Any, 4), Ok(Stepped::Done));
    assert_eq!(roots.extend(&with(&[(4, &A), (5, &B)], 5)), Err(RootFault::Gap), "and none comes back");
    assert_eq!(roots.extend(&with(&[(5, &B), (6, &C)], 5)), Ok(()));
    assert_eq!(range(&roots), (5, 5, 6));
}

fn of_all<'b>(epochs: &[(u32, [&'b [u8; 32]; 3])]) -> Provision<'b> {
    let given = |&(epoch, [any, delayed, owner]): &(u32, [&'b [u8; 32]; 3])| Given {
        epoch,
        root: any.as_slice().into(),
        delayed: Some(delayed.as_slice().into()),
        owner: Some(owner.as_slice().into()),
    };
    Provision {
        epochs: epochs.iter().map(given).collect(),
        sandbox: None,
        current: None,
        witnessed: None,
        relying_parties: Vec::new(),
    }
}

#[test]
fn a_class_is_provisioned_in_every_epoch_or_in_none_and_does_not_go_by_being_left_out() {
    let mut roots = Roots::provision(&of_all(&[(1, [&A, &B, &C])])).unwrap();
    assert_eq!(roots.all().map(ClassRoots::class).collect::<Vec<_>>(), Class::ALL);
    let mut torn = of_all(&[(1, [&A, &B, &C]), (2, [&B, &C, &A])]);
    torn.epochs[1].owner = None;
    assert_eq!(Roots::provision(&torn).unwrap_err(), RootFault::Missing);
    assert_eq!(roots.extend(&torn), Err(RootFault::Missing));
    assert_eq!(
        roots.extend(&provision(&[(1, &A)])),
        Err(RootFault::Gap),
        "classes do not go by being left out"
    );
    assert_eq!(roots.extend(&of_all(&[(1, [&A, &C, &B])])), Err(RootFault::Changed));
    assert_eq!(roots.extend(&of_all(&[(1, [&A, &B, &C]), (2, [&B, &C, &A])])), Ok(()));
    assert_eq!(roots.all().map(ClassRoots::current).collect::<Vec<_>>(), [2, 2, 2]);
    let mut migrated = held(&[(1, &A)]);
    assert_eq!(migrated.extend(&of_all(&[(1, [&A, &B, &C])])), Ok(()), "a class may come later");
}

#[test]
fn m11_one_secret_in_three_classes_is_three_commitments() {
    let roots = Roots::provision(&of_all(&[(1, [&A, &A, &A])])).unwrap();
    let commitments = Class::ALL.map(|class| roots.commitment(class, 1).unwrap());
    assert!(
        commitments[0] != commitments[1]
            && commitments[1] != commitments[2]
            && commitments[0] != commitments[2]
    );
}

#[test]
fn a_class_that_is_not_held_takes_no_step_and_each_comes_once_after_any() {
    let class = |class, byte| ClassRoots::new(class, 1, &Secret::copied(&[byte; 32])).unwrap();
    let mut roots = Roots::new(1, &Secret::copied(&A)).unwrap();
    assert_eq!(roots.begin(Class::Owner, 2, &Secret::copied(&B)), Err(RootFault::NoClass));
    assert_eq!(roots.promote(Class::Delayed, 1), Err(RootFault::NoClass));
    assert_eq!(roots.destroy(Class::Owner, 1), Err(RootFault::NoClass));
    assert_eq!(roots.add_class(class(Class::Owner, 7)), Ok(()));
    assert_eq!(roots.add_class(class(Class::Owner, 8)), Err(RootFault::Repeated), "a root never changes");
    assert_eq!(roots.add_class(class(Class::Any, 8)), Err(RootFault::Repeated));
    assert_eq!(roots.begin(Class::Owner, 2, &Secret::copied(&B)), Ok(Stepped::Done));
    assert_eq!(
        (roots.any().newest(), roots.of(Class::Owner).unwrap().newest()),
        (1, 2),
        "classes count for themselves"
    );
    assert_eq!(Roots::collect([class(Class::Owner, 1)]).unwrap_err(), RootFault::Missing);
    assert_eq!(Roots::collect([]).unwrap_err(), RootFault::Missing);
}

#[test]
fn steps_of_several_classes_are_taken_all_or_none() {
    let mut roots = Roots::new(1, &Secret::copied(&A)).unwrap();
    roots.add_class(ClassRoots::new(Class::Owner, 1, &Secret::copied(&B)).unwrap()).unwrap();
    roots.begin(Class::Owner, 2, &Secret::copied(&C)).unwrap();
    let (any, second) = (Secret::copied(&B), (Class::Owner, 2));
    let before = (roots.epochs(), roots.other_epochs());
    // One step of each is in order, and the other is not.
    for (promoted, begun, fault) in [
        (vec![second, (Class::Any, 2)], (Class::Any, 2), RootFault::NotPending),
        (vec![second], (Class::Any, 3), RootFault::Gap),
        (vec![second], (Class::Any, 1), RootFault::Changed),
        (vec![second], (Class::Delayed, 2), RootFault::NoClass),
    ] {
        let begun = [(begun.0, begun.1, &any)];
        assert_eq!(roots.go_over(&promoted, &begun), Err(fault));
        assert_eq!((roots.epochs(), roots.other_epochs()), before, "refused: everything is as it was");
    }
    assert_eq!(roots.go_over(&[second], &[(Class::Any, 2, &any)]), Ok(()));
    assert_eq!((range(&roots), roots.of(Class::Owner).unwrap().current()), ((1, 1, 2), 2));
}

#[test]
fn a_first_root_of_class_owner_comes_alone_and_is_current() {
    let mut roots = Roots::new(1, &Secret::copied(&A)).unwrap();
    let (first, other) = (Secret::copied(&B), Secret::copied(&C));
    let both = [(Class::Owner, 7, &first), (Class::Owner, 8, &other)];
    assert_eq!(roots.go_over(&[], &both), Err(RootFault::Repeated));
    assert_eq!(roots.go_over(&[], &[(Class::Owner, 0, &first)]), Err(RootFault::Missing));
    assert_eq!(roots.other_epochs(), []);
    assert_eq!(roots.go_over(&[], &[(Class::Owner, 7, &first), (Class::Any, 2, &other)]), Ok(()));
    let owners = roots.of(Class::Owner).unwrap();
    assert_eq!((owners.oldest(), owners.current(), range(&roots)), (7, 7, (1, 1, 2)));
}

proptest! {
    /// Steps in any order, each perhaps twice: what the types allow is what the specification says.
    #[test]
    fn m21_any_sequence_of_steps_leaves_one_current_epoch(steps in proptest::collection::vec((0..3_u8, 0..6_u32), 0..60)) {
        let root = |epoch: u32| Secret::copied(&[u8::try_from(epoch % 251).unwrap(); 32]);
        let mut roots = ClassRoots::new(Class::Any, 1, &root(1)).unwrap();
        for (step, near) in steps {
            let before = roots.epochs();
            let epoch = (roots.current() + near).saturating_sub(3).max(1);
            let outcome = match step {
                0 => roots.begin(epoch, &root(epoch)),
                1 => roots.promote(epoch),
                _ => roots.destroy(epoch),
            };
            let after = roots.epochs();
            prop_assert!(after.is_coherent());
            prop_assert!(after.oldest >= before.oldest && after.current >= before.current && after.newest() >= before.newest());
            prop_assert_eq!(outcome == Ok(Stepped::Done), after != before, "only a step that is done changes anything");
            let again = match step {
                0 => roots.begin(epoch, &root(epoch)),
                1 => roots.promote(epoch),
                _ => roots.destroy(epoch),
            };
            if outcome.is_ok() {
                prop_assert_eq!(again, Ok(Stepped::Already));
            }
            prop_assert_eq!(roots.epochs(), after);
        }
    }
}
