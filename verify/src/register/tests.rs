use super::*;
use wire::register::{Counts, Grounds};
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
    }
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
    for back in [
        next(|next| next.register = RegisterId([9; 16])),
        next(|next| next.chapter = 3),
        next(|next| next.counter = 40),
        next(|next| next.counts.held = 3),
        next(|next| (next.counts.revoked, next.counts.held) = (1, 5)),
        next(|next| next.current = 5),
        later(&earlier, &earlier),
    ] {
        assert_eq!(back, Err(Unproven::NotLater));
    }
}

#[test]
fn an_epoch_that_was_destroyed_on_another_statement_or_with_others_given_up_is_told() {
    let completion = Completion { statement: statement(), hash: Hash([7; 32]) };
    let destroyed = |epoch, statement, absent| Destruction {
        version: 1,
        epoch,
        oldest: 6,
        current: 6,
        boot: BootId([3; 16]),
        time: UnixMillis(10),
        destroyed: Some(Grounds { statement: Hash(statement), absent, commitment: Hash([8; 32]) }),
    };
    assert_eq!(destroyed_on(&destroyed(5, [7; 32], 1), &completion), Ok(()));
    assert_eq!(destroyed_on(&destroyed(4, [7; 32], 1), &completion), Ok(()));
    let without = Destruction { destroyed: None, ..destroyed(5, [7; 32], 1) };
    for other in [destroyed(6, [7; 32], 1), destroyed(5, [6; 32], 1), destroyed(5, [7; 32], 0), without] {
        assert_eq!(destroyed_on(&other, &completion), Err(Unproven::OtherGrounds));
    }
}

#[test]
fn every_reason_has_a_code_of_its_own() {
    let codes: std::collections::BTreeSet<&str> = Unproven::ALL.iter().map(|reason| reason.code()).collect();
    assert_eq!(codes.len(), Unproven::ALL.len());
}
