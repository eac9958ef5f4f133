//! Witnesses who take the place of others (docs/spec/freshness.md §8), and a host that would have the line begin anew with
//! them, or go on before both.

use crate::support::keeper::{Keeper, payload};
use crate::support::{Answer, Machine, NOW, Owner, roots};
use aws_lc_rs::digest::{SHA256, digest};
use enclave::egress::Trust;
use wire::evidence::Hash;
use wire::frame::Kind;
use wire::freshness::{Commit, TERMS, generation_of, term_of};
use wire::operation::Op;
use wire::witness::{Accepted, Advance, MAX_LEAP, Take};
use wire::{BootId, Canonical, Refusal};

/// Of four that there are, two of these three have to sign. Then the third loses its disk.
const FIRST: [usize; 3] = [0, 1, 2];
const SECOND: [usize; 3] = [0, 1, 3];
const THIRD: [usize; 3] = [3, 4, 5];

fn start(seed: u8, keeper: Keeper) -> Machine {
    Machine::start_with(seed, roots(1), Trust::live(), keeper)
}

/// What the host has, with an enclave whose manifest names the witnesses of so many generations.
fn under(keeper: &Keeper, generations: &[[usize; 3]]) -> Keeper {
    let generations = generations.iter().map(|members| (2, members.to_vec())).collect();
    Keeper { generations, commits: Vec::new(), left: None, is_silent: false, ..keeper.clone() }
}

fn six() -> Keeper {
    under(&Keeper::new(2, 6), &[FIRST])
}

fn sleep(keeper: &mut Keeper, asleep: &[usize]) {
    for (at, witness) in keeper.witnesses.iter_mut().enumerate() {
        witness.is_awake = !asleep.contains(&at);
    }
}

/// A line with somebody in it who has gone, and what the host kept before they went.
fn left() -> (Owner, Keeper, Keeper) {
    let (mut machine, mut owner) = (start(1, six()), Owner::eddsa());
    owner.ask(&mut machine, Op::Inspect).unwrap();
    let old = machine.keeper.clone();
    // One of them does not hear of the last head.
    sleep(&mut machine.keeper, &[0]);
    owner.ask(&mut machine, Op::Forget).unwrap();
    sleep(&mut machine.keeper, &[]);
    (owner, machine.keeper, old)
}

fn serves(machine: &mut Machine, owner: &mut Owner) -> Result<(), Refusal> {
    match owner.ask(machine, Op::Inspect) {
        Err(Refusal::Forgotten) => Ok(()),
        Err(refusal) => Err(refusal),
        Ok(_) => panic!("an older state is served"),
    }
}

fn sha256(bytes: &[u8]) -> Hash {
    Hash(digest(&SHA256, bytes).as_ref().try_into().unwrap())
}

#[test]
fn a_witness_that_lost_its_disk_is_replaced_and_the_line_goes_on_before_the_new_ones_alone() {
    let (mut owner, mut kept, _) = left();
    sleep(&mut kept, &[2]);
    let mut machine = start(2, under(&kept, &[FIRST, SECOND]));
    serves(&mut machine, &mut owner).unwrap();
    let head = machine.keeper.head();
    assert_eq!((head.group, head.closed_for), (Some(machine.keeper.group(1)), None));
    // Whoever was there before is not needed any more, nor asked.
    let mut later = machine.keeper.clone();
    sleep(&mut later, &[0, 2]);
    serves(&mut start(3, later), &mut owner).unwrap();
    // Nor is any of them when they are all replaced, one after another.
    let mut third = start(4, under(&machine.keeper, &[FIRST, SECOND, THIRD]));
    serves(&mut third, &mut owner).unwrap();
    sleep(&mut third.keeper, &[0, 1, 2]);
    serves(&mut start(5, third.keeper.clone()), &mut owner).unwrap();
    assert_eq!(generation_of(third.keeper.head().term), 2);
}

#[test]
fn whatever_is_told_before_the_new_ones_is_later_than_all_before() {
    let mut kept = six();
    // However high the terms of those before have got.
    let boot = BootId([7; 16]);
    for take in 1..=3 {
        let term = take * MAX_LEAP;
        let take = Take { deployment: kept.group(0), line: 0, term, boot, nonce: Hash([0; 32]) };
        assert!(kept.witnesses.iter_mut().all(|witness| witness.take(&take).is_some()));
    }
    let (mut machine, mut owner) = (start(1, kept), Owner::eddsa());
    owner.ask(&mut machine, Op::Forget).unwrap();
    let before = machine.keeper.head();
    assert!(before.term > 3 * MAX_LEAP && before.term < TERMS, "{}", before.term);
    let mut machine = start(2, under(&machine.keeper, &[FIRST, SECOND]));
    serves(&mut machine, &mut owner).unwrap();
    let after = machine.keeper.head();
    assert!((after.term, after.counter) > (before.term, before.counter), "{after:?}");
    assert!(after.counter > before.counter && after.term > TERMS);
    assert_eq!(term_of(1, TERMS), None, "a term never grows into the next generation");
}

#[test]
fn m06_no_older_state_comes_in_with_the_new_witnesses() {
    let (_, kept, old) = left();
    let brought = Keeper { witnesses: kept.witnesses.clone(), ..old.clone() };
    let nothing = Keeper { kept: None, links: Vec::new(), ..brought.clone() };
    // One that heard of the last head is enough, and without two nothing is known.
    for (asleep, refusal) in [
        (vec![], Refusal::RolledBack),
        (vec![2], Refusal::RolledBack),
        (vec![0], Refusal::RolledBack),
        (vec![1, 2], Refusal::NoQuorum),
        (vec![0, 1, 2], Refusal::NoQuorum),
    ] {
        for older in [&brought, &nothing] {
            let mut older = under(older, &[FIRST, [3, 4, 5]]);
            sleep(&mut older, &asleep);
            let mut next = start(2, older);
            let mut owner = Owner::eddsa();
            assert_eq!(owner.ask(&mut next, Op::Inspect), Err(refusal), "{asleep:?}");
        }
    }
}

#[test]
fn m06_nor_when_the_host_has_the_old_head_accepted_in_the_enclaves_name() {
    let (_, kept, old) = left();
    let (head, boot) = (sha256(&payload(old.kept.as_ref().unwrap())), BootId([7; 16]));
    let at = Accepted { term: old.head().term, counter: old.head().counter, head };
    // Before the new ones as what it is, and before the former ones as the last of all.
    let forged = |generation: u16, term, counter| {
        let mut keeper =
            under(&Keeper { witnesses: kept.witnesses.clone(), ..old.clone() }, &[FIRST, SECOND]);
        let deployment = keeper.group(generation);
        let take = Take { deployment, line: 0, term, boot, nonce: Hash([0; 32]) };
        let advance = Advance { deployment, line: 0, term, boot, counter, head };
        for witness in &mut keeper.witnesses {
            let _ = (witness.take(&take), witness.advance(&advance).unwrap());
        }
        keeper
    };
    for keeper in [forged(1, at.term, at.counter), forged(0, 9, u64::MAX), forged(0, 9, at.counter)] {
        let mut next = start(2, keeper);
        assert!(matches!(next.answer(0), Answer::Refused(Refusal::RolledBack)));
        assert_eq!(Owner::eddsa().ask(&mut next, Op::Inspect), Err(Refusal::RolledBack));
    }
}

#[test]
fn m06_a_start_under_the_manifest_before_serves_nobody_once_the_former_witnesses_are_closed() {
    let (mut owner, kept, _) = left();
    let mut machine = start(2, under(&kept, &[FIRST, SECOND]));
    serves(&mut machine, &mut owner).unwrap();
    // With all that there is, for good.
    let mut before = start(3, under(&machine.keeper, &[FIRST]));
    assert!(matches!(before.answer(0), Answer::Refused(Refusal::LineLost)));
    assert_eq!(serves(&mut before, &mut owner), Err(Refusal::LineLost));
    before.pass(20_000);
    assert_eq!(serves(&mut before, &mut owner), Err(Refusal::LineLost));
    // With the host's data of then: there is something later.
    let then = Keeper { witnesses: machine.keeper.witnesses.clone(), ..kept.clone() };
    let mut before = start(4, under(&then, &[FIRST]));
    assert_eq!(serves(&mut before, &mut owner), Err(Refusal::RolledBack));
    // A start that ran all the time has lost the line, too.
    let (mut running, mut other) = (start(5, six()), Owner::eddsa());
    other.ask(&mut running, Op::Inspect).unwrap();
    let mut next = start(6, under(&running.keeper, &[FIRST, SECOND]));
    other.ask(&mut next, Op::Inspect).unwrap();
    running.keeper.witnesses = next.keeper.witnesses.clone();
    assert_eq!(other.ask(&mut running, Op::Forget), Err(Refusal::LineLost));
}

#[test]
fn m06_of_two_manifests_that_replace_the_same_witnesses_one_gets_the_line() {
    let (mut owner, kept, _) = left();
    let mut machine = start(2, under(&kept, &[FIRST, SECOND]));
    serves(&mut machine, &mut owner).unwrap();
    let mut rival = start(3, under(&machine.keeper, &[FIRST, THIRD]));
    assert_eq!(serves(&mut rival, &mut owner), Err(Refusal::LineLost));
    // Nor with the head that closed the others for the first one as the last that is kept.
    let mut closed = machine.keeper.clone();
    let closing = machine.keeper.commits.first().unwrap();
    closed.kept = Some(closing.kept.clone());
    assert_eq!(closed.head().closed_for, Some(machine.keeper.group(1)));
    closed.links.retain(|link| sha256(&link.0) != sha256(&payload(&closing.kept)));
    assert_eq!(serves(&mut start(4, under(&closed, &[FIRST, THIRD])), &mut owner), Err(Refusal::LineLost));
}

#[test]
fn nobody_goes_over_from_witnesses_to_whom_nobody_went_over() {
    let (mut owner, kept, _) = left();
    let nothing = Keeper { kept: None, links: Vec::new(), ..kept.clone() };
    for brought in [&kept, &nothing] {
        let mut skipped = start(2, under(brought, &[FIRST, SECOND, THIRD]));
        assert_eq!(owner.ask(&mut skipped, Op::Inspect), Err(Refusal::RolledBack));
    }
    let between = start(3, under(&kept, &[FIRST, SECOND]));
    serves(&mut start(4, under(&between.keeper, &[FIRST, SECOND, THIRD])), &mut owner).unwrap();
}

#[test]
fn a_line_that_was_never_begun_begins_before_the_new_ones() {
    let mut machine = start(1, under(&six(), &[FIRST, SECOND]));
    let mut owner = Owner::eddsa();
    owner.ask(&mut machine, Op::Inspect).unwrap();
    assert!(matches!(
        start(2, under(&machine.keeper, &[FIRST])).answer(0),
        Answer::Refused(Refusal::LineLost)
    ));
    let nothing = Keeper { kept: None, links: Vec::new(), ..machine.keeper.clone() };
    let mut before = start(3, under(&nothing, &[FIRST]));
    assert_eq!(owner.ask(&mut before, Op::Inspect), Err(Refusal::RolledBack));
}

#[test]
fn without_enough_of_the_former_witnesses_nothing_is_served_and_with_them_it_is() {
    let (mut owner, mut kept, _) = left();
    sleep(&mut kept, &[1, 2]);
    let mut machine = start(2, under(&kept, &[FIRST, THIRD]));
    assert_eq!(serves(&mut machine, &mut owner), Err(Refusal::NoQuorum));
    let commits = machine.keeper.commits.len();
    machine.pass(120_000);
    assert_eq!(machine.keeper.commits.len(), commits, "no head is made");
    sleep(&mut machine.keeper, &[2]);
    machine.pass(10_000);
    machine.claim(NOW.plus(machine.monotonic));
    let draft = owner.draft(&machine, Op::Inspect).now(&machine);
    assert_eq!(owner.ask_draft(&mut machine, &draft), Err(Refusal::Forgotten));
}

#[test]
fn a_close_that_only_the_new_witnesses_sign_closes_nothing() {
    let (mut owner, kept, _) = left();
    let mut machine = start(2, Keeper { is_silent: true, ..under(&kept, &[FIRST, THIRD]) });
    let advance = loop {
        let (kind, _, body) = machine.keeper.unanswered.remove(0);
        if kind == Kind::Commit {
            break machine.keeper.store(&Commit::from_bytes(&body).unwrap());
        }
        let taken = machine.keeper.take(&Take::from_bytes(&body).unwrap());
        machine.frame(Kind::Taken, 0, &taken.to_bytes());
    };
    assert_eq!((advance.deployment, machine.keeper.head().group), (machine.keeper.group(0), None));
    let closed = machine.keeper.commits.len();
    sleep(&mut machine.keeper, &[0, 1]);
    // Some of them are in it by their own rules, for a host can ask them for any term of any group.
    let Advance { deployment, line, term, boot, .. } = advance;
    let take = Take { deployment, line, term, boot, nonce: Hash([0; 32]) };
    assert!(THIRD.iter().all(|at| machine.keeper.witnesses[*at].take(&take).is_some()));
    let committed = machine.keeper.witness(&advance);
    assert!(committed.answers.len() >= 3, "they sign it");
    machine.frame(Kind::Committed, 0, &committed.to_bytes());
    assert_eq!(serves(&mut machine, &mut owner), Err(Refusal::NoQuorum), "at once");
    assert_eq!((machine.keeper.commits.len(), machine.keeper.unanswered.len()), (closed, 0));
    // With one more of those before, it is.
    sleep(&mut machine.keeper, &[0]);
    machine.keeper.is_silent = false;
    machine.pass(10_000);
    machine.claim(NOW.plus(machine.monotonic));
    let draft = owner.draft(&machine, Op::Inspect).now(&machine);
    assert_eq!(owner.ask_draft(&mut machine, &draft), Err(Refusal::Forgotten));
}

#[test]
fn m21_a_start_that_is_killed_at_any_step_of_going_over_loses_nothing() {
    let mut steps = 0;
    let mut served_before = 0;
    loop {
        let (mut owner, kept, _) = left();
        let killed = start(2, Keeper { left: Some(steps), ..under(&kept, &[FIRST, SECOND]) });
        let is_dead = killed.keeper.is_silent;
        // The manifest before serves as long as nobody has begun to close its witnesses.
        let mut before = start(3, under(&killed.keeper, &[FIRST]));
        let has_begun = !killed.keeper.commits.is_empty();
        let expected = if has_begun { Err(Refusal::LineLost) } else { Ok(()) };
        assert_eq!(serves(&mut before, &mut owner), expected, "after {steps} steps");
        served_before += usize::from(!has_begun);
        // The new one goes on from either, whichever of the former ones is gone.
        for asleep in FIRST {
            let mut keeper = under(&before.keeper, &[FIRST, SECOND]);
            sleep(&mut keeper, &[asleep]);
            serves(&mut start(4, keeper), &mut owner).unwrap();
        }
        steps += 1;
        if !is_dead {
            break;
        }
    }
    assert!(steps > 20 && served_before > 5, "{steps} steps, {served_before} times before");
}
