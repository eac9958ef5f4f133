//! A host that starts an enclave with older roots of class `delayed` or `owner` than the line's last head speaks of, or brings a
//! head that says something else of them (docs/spec/rotation.md §3).

use crate::support::book::{Book, destroy_of, read_out_of};
use crate::support::keeper::Keeper;
use crate::support::{Machine, Owner, roots, two_epochs_of_all};
use enclave::egress::Trust;
use enclave::root::{ClassRoots, Roots};
use enclave::secret::Secret;
use wire::consent::Class;
use wire::operation::Op;
use wire::reached::{AllReached, Reached};
use wire::register::Kept;
use wire::{Canonical, Refusal};

const OTHERS: [Class; 2] = [Class::Delayed, Class::Owner];

fn start(seed: u8, roots: Roots, keeper: Keeper) -> Machine {
    Machine::start_with(seed, roots, Trust::live(), keeper)
}

/// Both epochs of class `any`, and of the others as many as are named.
fn with(delayed: u32, owner: u32) -> Roots {
    let mut roots = roots(2);
    for (class, fill, newest) in [(Class::Delayed, 0xd0, delayed), (Class::Owner, 0xe0, owner)] {
        if newest > 0 {
            roots.add_class(ClassRoots::new(class, 1, &Secret::copied(&[fill; 32])).unwrap()).unwrap();
        }
        if newest > 1 {
            roots.add(class, 2, &Secret::copied(&[fill + 2; 32])).unwrap();
        }
    }
    roots
}

/// What a host has kept once every class is in its second epoch.
fn rotated() -> Keeper {
    start(1, two_epochs_of_all(), Keeper::new(1, 1)).keeper
}

fn kept(keeper: &Keeper) -> Kept {
    Kept::from_bytes(keeper.kept.as_ref().unwrap()).unwrap()
}

fn said(keeper: &Keeper) -> Vec<(Class, u32, u32)> {
    kept(keeper).reached.0.iter().map(|one| (one.class, one.oldest, one.current)).collect()
}

#[test]
fn m06_a_start_with_older_roots_of_any_class_takes_no_line_and_serves_nothing() {
    let keeper = rotated();
    assert_eq!(said(&keeper), [(Class::Delayed, 1, 2), (Class::Owner, 1, 2)]);
    for (delayed, owner) in [(1, 2), (2, 1), (1, 1), (0, 1), (1, 0)] {
        let mut older = start(2, with(delayed, owner), keeper.clone());
        for class in Class::ALL {
            let refused = Owner::of_class(class).ask(&mut older, Op::Inspect);
            assert_eq!(refused, Err(Refusal::UnknownEpoch), "{class} with {delayed} and {owner}");
        }
    }
    let mut same = start(3, with(2, 2), keeper);
    assert!(Owner::of_class(Class::Owner).ask(&mut same, Op::Inspect).is_ok());
}

#[test]
fn an_enclave_without_a_class_leaves_what_heads_say_of_it_as_it_is() {
    let (mut keeper, before) = (rotated(), said(&rotated()));
    for seed in 2..6 {
        let held = if seed % 2 == 0 { with(0, 0) } else { with(0, 2) };
        let mut without = start(seed, held, keeper);
        assert!(Owner::eddsa().ask(&mut without, Op::Inspect).is_ok());
        assert_eq!(said(&without.keeper), before);
        keeper = without.keeper;
    }
    let older = Owner::of_class(Class::Delayed).ask(&mut start(6, with(1, 0), keeper), Op::Inspect);
    assert_eq!(older, Err(Refusal::UnknownEpoch));
}

#[test]
fn m21_no_destroyed_epoch_of_any_class_comes_back_with_an_older_file_of_roots() {
    let mut machine = start(1, two_epochs_of_all(), Keeper::new(1, 1));
    let mut book = Book::default();
    for class in OTHERS {
        book.keep(&mut machine);
        let log = book.entries.iter().map(|entry| entry.to_vec()).collect();
        read_out_of(&mut machine, class, 1, log, book.sorted()).unwrap();
        destroy_of(&mut machine, class, 1, 0).unwrap();
    }
    assert_eq!(said(&machine.keeper), [(Class::Delayed, 2, 2), (Class::Owner, 2, 2)]);
    // One that has not the class in between changes nothing of that.
    let between = start(2, with(0, 0), machine.keeper);
    let mut next = start(3, two_epochs_of_all(), between.keeper);
    for class in OTHERS {
        let epochs = next.identity().1.epochs_of(class).cloned().unwrap();
        assert_eq!((epochs.oldest, epochs.current), (2, 2), "{class}");
        assert_eq!(Owner::of_class(class).ask(&mut next, Op::Inspect), Err(Refusal::UnknownEpoch), "{class}");
    }
    assert!(Owner::eddsa().ask(&mut next, Op::Inspect).is_ok(), "class any has its first one still");
}

#[test]
fn m06_what_a_host_says_of_the_epochs_beside_the_head_is_what_the_head_commits_to_or_nothing_is_taken() {
    let keeper = rotated();
    let good = kept(&keeper);
    let of = |class, oldest, current| Reached { class, oldest, current, program: None };
    let lower = vec![of(Class::Delayed, 1, 1), of(Class::Owner, 1, 1)];
    let later = vec![of(Class::Delayed, 1, 3), of(Class::Owner, 1, 3)];
    let twice = [&good.reached.0[..], &good.reached.0[1..]].concat();
    for altered in [Vec::new(), lower, later, good.reached.0[..1].to_vec(), twice] {
        for roots in [with(1, 1), with(2, 2)] {
            let kept = Kept { reached: AllReached(altered.clone()), ..good.clone() }.to_bytes();
            let mut next = start(2, roots, Keeper { kept: Some(kept), ..keeper.clone() });
            let refused = Owner::of_class(Class::Owner).ask(&mut next, Op::Inspect);
            assert_eq!(refused, Err(Refusal::RegisterMismatch), "{altered:?}");
        }
    }
}

#[test]
fn a_line_from_before_heads_said_so_is_taken_and_says_it_from_then_on() {
    let first = start(1, roots(2), Keeper::new(1, 1));
    assert_eq!((said(&first.keeper), first.keeper.head().reached), (Vec::new(), None), "of class any alone");
    let next = start(2, two_epochs_of_all(), first.keeper);
    assert_eq!(said(&next.keeper), [(Class::Delayed, 1, 2), (Class::Owner, 1, 2)]);
}
