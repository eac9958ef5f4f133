//! Witnesses, several enclaves and a hostile host: no schedule forks a line or loses a released result.
//!
//! Each of these rules was broken by hand, one at a time, and these properties failed. Lost: a term below the promised
//! one, an advance in another term, a counter that goes back, a promise that forgets or does not name what was accepted
//! in an earlier term, an answer before the write, one witness counted twice, a promise for another take, the head of the
//! highest counter instead of the highest term, any head that the host shows, one before the named one, its hash without
//! its place. Forked: a threshold of half, a cosignature of another head. Two rules cover for each other, and nothing
//! failed until both were broken (forked): a term is promised once, and only that boot advances in it.
//!
//! What these do not show: a host that has fewer heads than were made, for the model keeps every one; and other witnesses
//! than the first, for no manifest replaces them.

#[path = "cluster/model.rs"]
mod model;

use model::{Broken, Cluster, Reached};
use proptest::prelude::*;
use proptest::strategy::ValueTree;

/// One step of whoever schedules: the host, chance, or an operator who starts things.
#[derive(Clone, Debug)]
enum Step {
    Boot,
    /// A take, as far as it gets, and some heads: each reaches some witnesses, and some answers come back. The host shows
    /// its heads from the newest, or tries the oldest first.
    Reign {
        enclave: usize,
        oldest_first: bool,
        reach: Vec<(Reached, Reached)>,
    },
    Take {
        enclave: usize,
        there: Reached,
        back: Reached,
    },
    Show {
        enclave: usize,
        from_newest: usize,
    },
    Advance {
        enclave: usize,
        there: Reached,
        back: Reached,
    },
    Again {
        enclave: usize,
        there: Reached,
        back: Reached,
    },
    Replay {
        message: usize,
        to: usize,
    },
    Crash {
        witness: usize,
    },
    /// In the name of an enclave, which did not ask.
    Forge {
        witness: usize,
        enclave: usize,
        leap: u64,
        head: Option<usize>,
    },
}

/// A line's life: which witnesses there are, and what happens.
#[derive(Clone, Debug)]
struct Schedule {
    witnesses: u8,
    threshold: u8,
    steps: Vec<Step>,
}

fn step(forging: u32) -> impl Strategy<Value = Step> {
    // Most messages arrive, or there would be nothing to lose.
    let one = || (0..5u8).prop_map(|witness| 1 << witness);
    let reached = || prop_oneof![2 => Just(Reached::MAX), 2 => one(), 2 => one().prop_map(|one| !one), 1 => any::<Reached>()];
    let (enclave, there, back) = (0..3usize, reached(), reached());
    let each = (enclave.clone(), there, back);
    prop_oneof![
        1 => Just(Step::Boot),
        8 => (enclave.clone(), any::<bool>(), proptest::collection::vec((reached(), reached()), 1..5))
            .prop_map(|(enclave, oldest_first, reach)| Step::Reign { enclave, oldest_first, reach }),
        3 => each.clone().prop_map(|(enclave, there, back)| Step::Take { enclave, there, back }),
        2 => (enclave.clone(), 0..8usize)
            .prop_map(|(enclave, from_newest)| Step::Show { enclave, from_newest }),
        3 => each.clone().prop_map(|(enclave, there, back)| Step::Advance { enclave, there, back }),
        4 => each.prop_map(|(enclave, there, back)| Step::Again { enclave, there, back }),
        4 => (0..40usize, 0..8usize).prop_map(|(message, to)| Step::Replay { message, to }),
        2 => (0..8usize).prop_map(|witness| Step::Crash { witness }),
        forging => (0..8usize, enclave, 1..4u64, proptest::option::of(0..12usize))
            .prop_map(|(witness, enclave, leap, head)| Step::Forge { witness, enclave, leap, head }),
    ]
}

/// Any number of witnesses up to five, and any threshold that is more than half of them.
fn schedule(forging: u32) -> impl Strategy<Value = Schedule> {
    let witnesses = (1..=5u8).prop_flat_map(|number| (Just(number), number / 2 + 1..=number));
    let steps = proptest::collection::vec(step(forging), 1..40);
    (witnesses, steps).prop_map(|((witnesses, threshold), steps)| Schedule { witnesses, threshold, steps })
}

/// Most schedules take the line and commit in it a few times.
fn run(schedule: &Schedule) -> (Cluster, Result<(), Broken>) {
    let mut cluster = Cluster::new(schedule.witnesses, schedule.threshold);
    cluster.boot();
    let outcome = schedule.steps.iter().try_for_each(|step| take_step(&mut cluster, step));
    (cluster, outcome)
}

fn take_step(cluster: &mut Cluster, step: &Step) -> Result<(), Broken> {
    let number = cluster.enclaves();
    match *step {
        Step::Boot => {
            cluster.boot();
            Ok(())
        }
        Step::Reign { enclave, oldest_first, ref reach } => {
            cluster.reign(enclave % number, oldest_first, reach)
        }
        Step::Take { enclave, there, back } => cluster.take(enclave % number, there, back),
        Step::Show { enclave, from_newest } => cluster.show(enclave % number, from_newest),
        Step::Advance { enclave, there, back } => cluster.advance(enclave % number, there, back),
        Step::Again { enclave, there, back } => cluster.again(enclave % number, there, back),
        Step::Replay { message, to } => cluster.replay(message, to),
        Step::Crash { witness } => {
            cluster.crash(witness);
            Ok(())
        }
        Step::Forge { witness, enclave, leap, head } => {
            cluster.forge(witness, enclave % number, leap, head);
            Ok(())
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3_000, ..ProptestConfig::default() })]

    #[test]
    fn no_schedule_forks_a_line_or_loses_a_released_result(schedule in schedule(0)) {
        prop_assert_eq!(run(&schedule).1, Ok(()));
    }

    #[test]
    fn nor_does_a_host_that_asks_witnesses_in_the_enclaves_name(schedule in schedule(4)) {
        prop_assert_eq!(run(&schedule).1, Ok(()));
    }

    #[test]
    fn with_an_honest_host_and_a_threshold_of_witnesses_the_line_goes_on(schedule in schedule(0), lost in any::<Reached>()) {
        let (mut cluster, outcome) = run(&schedule);
        prop_assert_eq!(outcome, Ok(()));
        // As many as may be lost, whichever they are.
        let spare = schedule.witnesses - schedule.threshold;
        let mut there = Reached::MAX;
        let candidates = (0..schedule.witnesses).filter(|bit| lost >> bit & 1 == 1);
        candidates.take(usize::from(spare)).for_each(|bit| there &= !(1 << bit));
        let asks = cluster.recover(there);
        prop_assert!(matches!(asks, Ok(asks) if asks <= 3 + u32::from(schedule.witnesses)), "{:?}", asks);
    }
}

#[test]
fn the_schedules_are_worth_running() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let (mut commits, mut takeovers) = (0, 0);
    for _ in 0..500 {
        let schedule = schedule(0).new_tree(&mut runner).unwrap().current();
        let (cluster, outcome) = run(&schedule);
        assert_eq!(outcome, Ok(()));
        commits += cluster.commits;
        takeovers += cluster.takeovers;
    }
    assert!(commits > 500 && takeovers > 500, "{commits} commits after {takeovers} takes in 500 schedules");
}
