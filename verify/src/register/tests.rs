use super::*;
use wire::consent::Class;
use wire::register::{Backup, Counts, Grounds};
use wire::{BootId, RegisterId, UnixMillis};

fn statement() -> Statement {
    Statement {
        version: 1,
        register: RegisterId([1; 16]),
        chapter: 3,
        counter: 40,
        epoch: 5,
        current: 6,
        root: Hash([2; 32]),
        counts: Counts { held: 4, rewrapped: 3, revoked: 2, absent: 1 },
        boot: BootId([3; 16]),
        time: UnixMillis(9),
        previous: None,
        class: Class::Any,
        others: 2,
        without_backup: 1,
    }
}

fn completion() -> Completion {
    let current = vec![(Class::Any, 6), (Class::Delayed, 2)];
    Completion { statement: statement(), hash: Hash([7; 32]), current }
}

#[test]
fn a_later_statement_is_of_the_same_register_and_nothing_in_it_goes_back() {
    let earlier = statement();
    let next = |change: fn(&mut Statement)| {
        let mut next = Statement { chapter: 4, counter: 41, ..statement() };
        change(&mut next);
        later(&earlier, &next)
    };
    assert_eq!(next(|_| ()), Ok(()));
    assert_eq!(next(|next| next.counts.absent = 9), Ok(()));
    // Of another class, its own counts and epochs; every connection is still there.
    let of_owner = |next: &mut Statement| {
        (next.class, next.current, next.epoch) = (Class::Owner, 2, 1);
        (next.counts, next.others) = (Counts { held: 2, ..Counts::default() }, 10);
    };
    assert_eq!(next(of_owner), Ok(()));
    for back in [
        next(|next| next.register = RegisterId([9; 16])),
        next(|next| next.chapter = 3),
        next(|next| next.counter = 40),
        next(|next| next.counts.held = 3),
        next(|next| (next.counts.revoked, next.counts.held) = (1, 5)),
        next(|next| next.current = 5),
        next(|next| next.others = 1),
        next(|next| (next.class, next.counts.held, next.others) = (Class::Owner, 0, 5)),
        later(&earlier, &earlier),
    ] {
        assert_eq!(back, Err(Unproven::NotLater));
    }
}

#[test]
fn an_epoch_that_was_destroyed_on_another_statement_or_with_others_given_up_is_told() {
    let completion = completion();
    let destroyed = |epoch, statement, absent| Destruction {
        version: 1,
        epoch,
        oldest: 6,
        current: 6,
        boot: BootId([3; 16]),
        time: UnixMillis(10),
        destroyed: Some(Grounds { statement: Hash(statement), absent, commitment: Hash([8; 32]) }),
        class: Class::Any,
    };
    assert_eq!(destroyed_on(&destroyed(5, [7; 32], 1), &completion), Ok(()));
    assert_eq!(destroyed_on(&destroyed(4, [7; 32], 1), &completion), Ok(()));
    let without = Destruction { destroyed: None, ..destroyed(5, [7; 32], 1) };
    let of_owner = Destruction { class: Class::Owner, ..destroyed(5, [7; 32], 1) };
    for other in
        [of_owner, destroyed(6, [7; 32], 1), destroyed(5, [6; 32], 1), destroyed(5, [7; 32], 0), without]
    {
        assert_eq!(destroyed_on(&other, &completion), Err(Unproven::OtherGrounds));
    }
}

/// An owner's entry of generation 4, in epoch 5 of class `any`.
fn mine() -> (Own, Entry) {
    let id = ConnectionId([6; 16]);
    let own = Own { connection: id, generation: 4, payload: [9; 32] };
    let entry = Entry {
        name: name(id),
        state: State::Held,
        backup: Backup::Unsaid,
        class: Class::Any,
        epoch: 5,
        generation: 4,
        payload: [9; 32],
    };
    (own, entry)
}

#[test]
fn who_moved_is_not_absent_and_still_not_behind() {
    let (mine, entry) = mine();
    let check = |entry: Entry| own(&completion(), &entry, &mine);
    assert_eq!(check(entry), Err(Unproven::Absent));
    assert_eq!(check(Entry { epoch: 6, ..entry }), Ok(()));
    let gone = Entry { state: State::Moved, ..entry };
    assert_eq!(check(gone), Ok(()));
    assert_eq!(check(Entry { generation: 3, ..gone }), Err(Unproven::RolledBack));
    assert_eq!(check(Entry { payload: [8; 32], ..gone }), Err(Unproven::RolledBack));
}

#[test]
fn a_statement_of_another_class_hides_nobody_who_is_not_in_the_current_epoch_of_theirs() {
    let (mine, entry) = mine();
    let check = |class, epoch| own(&completion(), &Entry { class, epoch, ..entry }, &mine);
    assert_eq!(check(Class::Delayed, 1), Err(Unproven::Absent));
    assert_eq!(check(Class::Delayed, 2), Ok(()));
    assert_eq!(check(Class::Owner, 9), Err(Unproven::OtherClass), "its enclave has no root of that class");
}

#[test]
fn every_reason_has_a_code_of_its_own() {
    let codes: std::collections::BTreeSet<&str> = Unproven::ALL.iter().map(|reason| reason.code()).collect();
    assert_eq!(codes.len(), Unproven::ALL.len());
}
