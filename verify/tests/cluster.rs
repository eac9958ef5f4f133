//! Witnesses, several enclaves and a hostile host: no schedule forks a line or loses a released result.
//!
//! Each of these rules was broken by hand, one at a time, and these properties failed. Lost: a term below the promised
//! one, an advance in another term, a counter that goes back, a promise that forgets or does not name what was accepted
//! in an earlier term, an answer before the write, one witness counted twice, a promise for another take, the head of the
//! highest counter instead of the highest term, any head that the host shows, one before the named one, its hash without
//! its place. Forked: a threshold of half, a cosignature of another head. Two rules cover for each other, and nothing
//! failed until both were broken (forked): a term is promised once, and only that boot advances in it.
//!
//! Of witnesses who replace others, likewise. Lost: no quorum of the former ones asked, a head of any group taken for the
//! former ones' last, a close for another group gone on from, one name for all groups, a head that one's own witnesses name
//! passed over, the former ones' last head known by its hash without its place. Forked: the first head made before the
//! close is committed, a close committed by fewer, a closed head gone on from by those before, a head of another group taken
//! for one's own, a line founded where nobody had gone over to the former ones. Two rules cover for each other: a head of
//! the same generation and another group is not one's own, and has left.
//!
//! What these do not show: a host that has fewer heads than were made, for the model keeps every one.

#[path = "cluster/model.rs"]
mod model;

use model::{Broken, Chosen, Cluster, Reached};
use proptest::prelude::*;
use proptest::strategy::ValueTree;

/// One step of whoever schedules: the host, chance, or an operator who starts things.
#[derive(Clone, Debug)]
enum Step {
    Boot {
        generation: usize,
    },
    /// A take, as far as it gets, and some heads: each reaches some witnesses, and some answers come back. The host shows
    /// its heads from the newest, or tries the oldest first.
    Reign {
        enclave: usize,
        oldest_first: bool,
        reach: Vec<(Reached, Reached)>,
    },
    /// A fresh start under the manifest of a generation, and as far as that gets.
    Start {
        generation: usize,
        reach: Vec<(Reached, Reached)>,
    },
    Take {
        enclave: usize,
        there: Reached,
        back: Reached,
    },
    /// Of the witnesses before its own.
    Follow {
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

/// A line's life: which witnesses there are, who of them in each generation, and what happens.
#[derive(Clone, Debug)]
struct Schedule {
    witnesses: u8,
    generations: Vec<Chosen>,
    steps: Vec<Step>,
}

fn step(forging: u32) -> impl Strategy<Value = Step> {
    // Most messages arrive, or there would be nothing to lose.
    let one = || (0..6u8).prop_map(|witness| 1 << witness);
    let reached = || prop_oneof![3 => Just(Reached::MAX), 2 => one(), 2 => one().prop_map(|one| !one), 1 => any::<Reached>()];
    let (enclave, there, back) = (0..4usize, reached(), reached());
    let each = (enclave.clone(), there, back);
    let started = prop_oneof![
        1 => (0..3usize).prop_map(|generation| Step::Boot { generation }),
        2 => (0..3usize, proptest::collection::vec((reached(), reached()), 1..8))
            .prop_map(|(generation, reach)| Step::Start { generation, reach }),
    ];
    prop_oneof![
        3 => started,
        8 => (enclave.clone(), any::<bool>(), proptest::collection::vec((reached(), reached()), 1..8))
            .prop_map(|(enclave, oldest_first, reach)| Step::Reign { enclave, oldest_first, reach }),
        3 => each.clone().prop_map(|(enclave, there, back)| Step::Take { enclave, there, back }),
        2 => each.clone().prop_map(|(enclave, there, back)| Step::Follow { enclave, there, back }),
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
    (witnesses, steps).prop_map(|((witnesses, threshold), steps)| {
        let members = Reached::MAX >> (8 - witnesses);
        Schedule { witnesses, generations: vec![Chosen { members, threshold, former: usize::MAX }], steps }
    })
}

/// Six witnesses, of whom each generation has some: all others, or but one. With a rival, two manifests replace the same.
fn replacing(forging: u32, has_rival: bool) -> impl Strategy<Value = Schedule> {
    let few = (1..64u8).prop_filter("few are reached together", |members: &u8| members.count_ones() <= 4);
    let chosen = few.prop_flat_map(|members| {
        let number = u8::try_from(members.count_ones()).expect("at most six");
        (number / 2 + 1..=number).prop_map(move |threshold| Chosen { members, threshold, former: 0 })
    });
    let generations = proptest::collection::vec(chosen, 2..=3);
    let generations =
        generations.prop_filter("they differ", |all| all.windows(2).all(|two| two[0] != two[1]));
    let steps = proptest::collection::vec(step(forging), 1..40);
    (generations, steps, any::<bool>()).prop_map(move |(mut generations, steps, is_rival)| {
        for (at, chosen) in generations.iter_mut().enumerate() {
            chosen.former = if has_rival && is_rival { at.min(1) } else { at }.wrapping_sub(1);
        }
        Schedule { witnesses: 6, generations, steps }
    })
}

/// Most schedules take the line and commit in it a few times.
fn run(schedule: &Schedule) -> (Cluster, Result<(), Broken>) {
    let mut cluster = Cluster::new(schedule.witnesses, &schedule.generations);
    cluster.boot(0);
    let outcome = schedule.steps.iter().try_for_each(|step| take_step(&mut cluster, step));
    (cluster, outcome)
}

fn take_step(cluster: &mut Cluster, step: &Step) -> Result<(), Broken> {
    let number = cluster.enclaves();
    match *step {
        Step::Boot { generation } => {
            cluster.boot(generation);
            Ok(())
        }
        Step::Reign { enclave, oldest_first, ref reach } => {
            cluster.reign(enclave % number, oldest_first, reach)
        }
        Step::Start { generation, ref reach } => {
            let enclave = cluster.boot(generation);
            cluster.reign(enclave, false, reach)
        }
        Step::Take { enclave, there, back } => cluster.take(enclave % number, there, back),
        Step::Follow { enclave, there, back } => cluster.follow(enclave % number, there, back),
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
        let there = schedule.spared(&[0], lost);
        let asks = cluster.recover(0, there);
        prop_assert!(matches!(asks, Ok(asks) if asks <= 3 + u32::from(schedule.witnesses)), "{:?}", asks);
    }

}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, ..ProptestConfig::default() })]

    #[test]
    fn witnesses_who_replace_others_fork_no_line_and_lose_no_released_result(schedule in replacing(0, true)) {
        prop_assert_eq!(run(&schedule).1, Ok(()));
    }

    #[test]
    fn nor_do_they_where_a_host_asks_both_in_the_enclaves_name(schedule in replacing(4, true)) {
        prop_assert_eq!(run(&schedule).1, Ok(()));
    }

    #[test]
    fn with_an_honest_host_and_a_threshold_of_both_the_line_goes_on_before_the_newer_ones(schedule in replacing(0, false), lost in any::<Reached>()) {
        let (mut cluster, outcome) = run(&schedule);
        prop_assert_eq!(outcome, Ok(()));
        let now = cluster.generation();
        let last = schedule.generations.len() - 1;
        for generation in now..=last {
            let before = generation.saturating_sub(1);
            let there = schedule.spared(&[before, generation], lost);
            let asks = cluster.recover(generation, there);
            prop_assert!(matches!(asks, Ok(asks) if asks <= 40), "{:?} at {} of {}", asks, generation, last);
        }
        // Nobody needs those before them any more.
        let there = schedule.spared(&[last], lost) & schedule.generations[last].members;
        let asks = cluster.recover(last, there);
        prop_assert!(matches!(asks, Ok(asks) if asks <= 20), "{:?}", asks);
    }
}

impl Schedule {
    /// All witnesses but as many as each of these generations may lose, whichever they are.
    fn spared(&self, generations: &[usize], lost: Reached) -> Reached {
        let mut there = Reached::MAX;
        for bit in (0..self.witnesses).filter(|bit| lost >> bit & 1 == 1) {
            let fewer = there & !(1 << bit);
            let suffices = |generation: &usize| {
                let Chosen { members, threshold, .. } = self.generations[*generation];
                (members & fewer).count_ones() >= u32::from(threshold)
            };
            there = if generations.iter().all(suffices) { fewer } else { there };
        }
        there
    }
}

#[test]
fn the_schedules_are_worth_running() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let (mut commits, mut takeovers, mut closings, mut gone_over) = (0, 0, 0, 0);
    for number in 0..1_000 {
        let schedule = match number % 2 {
            0 => schedule(0).new_tree(&mut runner).unwrap().current(),
            _ => replacing(0, true).new_tree(&mut runner).unwrap().current(),
        };
        let (cluster, outcome) = run(&schedule);
        assert_eq!(outcome, Ok(()));
        commits += cluster.commits;
        takeovers += cluster.takeovers;
        closings += cluster.closings;
        gone_over += cluster.released_by_newer();
    }
    let all = format!("{commits} commits, {gone_over} of them newer; {takeovers} takes, {closings} closings");
    println!("{all}");
    assert!(commits > 1_000 && takeovers > 1_000 && closings > 100 && gone_over > 100, "{all}");
}
