//! How often: counted in what witnesses sign, before anybody is asked.

use super::scene::{Holder, Scene, body, key, seal, terms};
use crate::freshness::until_commit;
use crate::support::Answer;
use proptest::prelude::*;
use wire::frame::Kind;
use wire::freshness::{Commit, Lookup};
use wire::grant::{End, Rate, Terms};
use wire::operation::Op;
use wire::{Canonical, Refusal};

#[test]
fn what_was_used_up_or_ended_stays_so_after_a_restart() {
    let mut scene = Scene::new();
    let (spent, ended, left) = (scene.holder(1), scene.holder(9), scene.holder(2));
    for holder in [&spent, &left] {
        scene.ask(holder, Op::Balances).unwrap();
    }
    scene.end(body(&ended.grant).id).unwrap();
    for seed in 2..5 {
        assert_eq!(scene.ask(&spent, Op::Balances), Err(Refusal::GrantUsedUp));
        assert_eq!(scene.ask(&ended, Op::Balances), Err(Refusal::GrantOver));
        scene.restart(seed);
    }
    scene.ask(&left, Op::Balances).unwrap();
    assert_eq!(scene.ask(&left, Op::Balances), Err(Refusal::GrantUsedUp));
    // Ended twice is ended; and nobody but its owner ends one.
    scene.end(body(&ended.grant).id).unwrap();
    assert_eq!(scene.listed().len(), 2);
}

#[test]
fn m06_a_host_that_brings_the_state_from_before_a_use_or_an_end_gives_nobody_anything() {
    let mut scene = Scene::new();
    let holder = scene.holder(1);
    let mut old = scene.machine.keeper.clone();
    scene.ask(&holder, Op::Balances).unwrap();
    scene.end(body(&holder.grant).id).unwrap();
    old.witnesses = scene.machine.keeper.witnesses.clone();
    scene.machine.keeper = old;
    scene.restart(2);
    assert_eq!(scene.ask(&holder, Op::Balances), Err(Refusal::RolledBack));
}

#[test]
fn a_use_is_counted_in_a_committed_head_before_the_provider_is_asked() {
    let mut scene = Scene::new();
    let holder = scene.holder(1);
    let sealed = seal(&holder, &scene.draft(&holder, Op::Balances));
    scene.machine.keeper.is_silent = true;
    let stream = scene.machine.begin(&sealed.bytes);
    let commit = until_commit(&mut scene.machine);
    assert!(scene.machine.take(Kind::EgressOpen).is_empty());
    assert!(matches!(scene.machine.answer(stream), Answer::Nothing));
    // The host keeps the head, has it witnessed, and kills the enclave: nothing was asked, and the use is gone.
    let advance = scene.machine.keeper.store(&commit);
    scene.machine.keeper.witness(&advance);
    scene.machine.keeper.is_silent = false;
    scene.restart(2);
    assert_eq!(scene.ask(&holder, Op::Balances), Err(Refusal::GrantUsedUp));
    assert_eq!(scene.asked(), 0);
}

#[test]
fn a_grant_that_is_ended_while_the_provider_answers_gives_its_holder_nothing() {
    let mut scene = Scene::new();
    let holder = scene.holder(9);
    let sealed = seal(&holder, &scene.draft(&holder, Op::Balances));
    let stream = scene.machine.begin(&sealed.bytes);
    scene.end(body(&holder.grant).id).unwrap();
    scene.exchange.run(&mut scene.machine);
    let answer = scene.machine.answer(stream);
    assert_eq!(sealed.open(answer, &scene.machine).result, Err(Refusal::GrantOver));
}

#[test]
fn a_grant_that_is_ended_before_its_head_is_committed_asks_nobody() {
    let mut scene = Scene::new();
    let holder = scene.holder(9);
    let sealed = seal(&holder, &scene.draft(&holder, Op::Balances));
    scene.machine.keeper.is_silent = true;
    let stream = scene.machine.begin(&sealed.bytes);
    let commit = until_commit(&mut scene.machine);
    let mut draft = scene.owner.draft(&scene.machine, Op::Ungrant);
    draft.args = End { id: body(&holder.grant).id }.to_bytes();
    scene.machine.begin(&draft.seal(&[&scene.owner.device]).bytes);
    scene.machine.keeper.is_silent = false;
    let advance = scene.machine.keeper.store(&commit);
    let committed = scene.machine.keeper.witness(&advance);
    scene.machine.frame(Kind::Committed, 0, &committed.to_bytes());
    assert!(scene.machine.take(Kind::EgressOpen).is_empty());
    let answer = scene.machine.answer(stream);
    assert_eq!(sealed.open(answer, &scene.machine).result, Err(Refusal::GrantOver));
}

#[test]
fn so_many_in_a_span_of_time_and_then_again() {
    let mut scene = Scene::new();
    let holder = key();
    let rate = Some(Rate { uses: 2, period: 60_000 });
    let terms = Terms { rate, ..terms(&holder, 5) };
    let holder = scene.grant(holder, terms).unwrap();
    let ask = |scene: &mut Scene| scene.ask(&holder, Op::Balances).map(drop);
    assert_eq!([ask(&mut scene), ask(&mut scene)], [Ok(()); 2]);
    scene.restart(2);
    assert_eq!(ask(&mut scene), Err(Refusal::GrantUsedUp));
    scene.machine.pass(59_999);
    assert_eq!(ask(&mut scene), Err(Refusal::GrantUsedUp));
    scene.machine.pass(1);
    assert_eq!([ask(&mut scene), ask(&mut scene)], [Ok(()); 2]);
    scene.machine.pass(60_000);
    assert_eq!([ask(&mut scene), ask(&mut scene)], [Ok(()), Err(Refusal::GrantUsedUp)], "five in all");
}

#[test]
fn a_holder_leaves_its_owner_a_call_and_nonces_of_their_own() {
    let mut scene = Scene::new();
    let holder = scene.holder(1_000);
    let begin = |scene: &mut Scene| {
        let sealed = seal(&holder, &scene.draft(&holder, Op::Balances));
        (scene.machine.begin(&sealed.bytes), sealed)
    };
    for _ in 0..3 {
        let (stream, _) = begin(&mut scene);
        assert!(matches!(scene.machine.answer(stream), Answer::Nothing));
    }
    let (stream, sealed) = begin(&mut scene);
    let answer = scene.machine.answer(stream);
    assert_eq!(sealed.open(answer, &scene.machine).result, Err(Refusal::Overloaded));
    assert_eq!(scene.listed()[0].used, 3, "what found no room is no use");
    let own = scene.owner.balances_draft(&scene.machine, "EUR");
    let sealed = own.seal(&[&scene.owner.device]);
    let stream = scene.machine.begin(&sealed.bytes);
    assert!(matches!(scene.machine.answer(stream), Answer::Nothing), "the owner is heard");
}

/// What a holder and a host may do together.
#[derive(Clone, Copy, Debug)]
enum Move {
    Ask,
    Replay,
    /// The enclave is killed before or after the head of a use is kept.
    Kill {
        kept: bool,
    },
    Restart,
    /// An older state, with the witnesses that there are.
    RollBack,
    /// So many seconds ahead by the host's clock.
    Ahead(u64),
}

fn moves() -> impl Strategy<Value = Vec<Move>> {
    let one = prop_oneof![
        4 => Just(Move::Ask),
        1 => Just(Move::Replay),
        2 => any::<bool>().prop_map(|kept| Move::Kill { kept }),
        1 => Just(Move::Restart),
        1 => Just(Move::RollBack),
        1 => (0..90u64).prop_map(Move::Ahead),
    ];
    prop::collection::vec(one, 1..14)
}

/// Begins a use whose enclave dies before anything was released; the host has its head witnessed before, or has lost it.
fn killed(scene: &mut Scene, holder: &Holder, kept: bool, seed: u8) {
    let sealed = seal(holder, &scene.draft(holder, Op::Balances));
    scene.machine.keeper.is_silent = true;
    scene.machine.begin(&sealed.bytes);
    while let Some((kind, stream, body)) = scene.machine.keeper.unanswered.pop() {
        match kind {
            Kind::Lookup => {
                let found = scene.machine.keeper.find(&Lookup::from_bytes(&body).unwrap().names);
                scene.machine.frame(Kind::Found, stream, &found.to_bytes());
            }
            Kind::Commit if kept => {
                let advance = scene.machine.keeper.store(&Commit::from_bytes(&body).unwrap());
                scene.machine.keeper.witness(&advance);
            }
            _ => {}
        }
    }
    scene.machine.keeper.unanswered.clear();
    scene.machine.keeper.is_silent = false;
    scene.restart(seed);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn never_more_than_its_owner_allowed_is_asked_of_a_provider(moves in moves(), uses in 1..5u32) {
        let mut scene = Scene::new();
        let holder = scene.holder(uses);
        let old = scene.machine.keeper.clone();
        let mut last = None;
        for (seed, next) in (2..).zip(moves) {
            match next {
                Move::Ask => {
                    let sealed = seal(&holder, &scene.draft(&holder, Op::Balances));
                    let _ = scene.ask_sealed(&sealed).result;
                    last = Some(sealed);
                }
                // An enclave that was started since has other keys, and says so outside any seal.
                Move::Replay => {
                    if let Some(sealed) = &last {
                        scene.machine.begin(&sealed.bytes);
                        let Scene { machine, exchange, .. } = &mut scene;
                        exchange.run(machine);
                    }
                }
                Move::Kill { kept } => killed(&mut scene, &holder, kept, seed),
                Move::Restart => scene.restart(seed),
                Move::RollBack => {
                    let now = scene.machine.keeper.clone();
                    let witnesses = now.witnesses.clone();
                    scene.machine.keeper = crate::support::keeper::Keeper { witnesses, ..old.clone() };
                    scene.restart(seed);
                    // As long as nothing has happened since it is the last one.
                    if scene.ask(&holder, Op::Balances) == Err(Refusal::RolledBack) {
                        let witnesses = scene.machine.keeper.witnesses.clone();
                        scene.machine.keeper = crate::support::keeper::Keeper { witnesses, ..now };
                        scene.restart(seed.wrapping_add(100));
                    }
                }
                Move::Ahead(seconds) => scene.machine.pass(seconds * 1_000),
            }
            prop_assert!(scene.asked() <= uses as usize, "{} of {uses}", scene.asked());
        }
        let listed = scene.listed();
        prop_assert!(listed.iter().all(|state| state.used <= uses && state.used as usize >= scene.asked()));
    }
}
