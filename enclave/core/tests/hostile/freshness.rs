//! A host that brings older state, starts two enclaves from one, withholds, swaps or forges what keeps them apart
//! (docs/spec/freshness.md).

use crate::support::keeper::Keeper;
use crate::support::{Answer, Machine, NOW, Owner, Sealed, roots};
use enclave::egress::Trust;
use wire::evidence::Hash;
use wire::frame::Kind;
use wire::freshness::{Commit, Committed, Found, Lookup};
use wire::operation::{Op, Rotate, Rotated};
use wire::rewrap::Bytes;
use wire::witness::{Advance, Answer as Word};
use wire::{BootId, Canonical, Refusal};

fn start(seed: u8, keeper: Keeper) -> Machine {
    Machine::start_with(seed, roots(1), Trust::live(), keeper)
}

fn renew(machine: &mut Machine, owner: &mut Owner) {
    let mut draft = owner.draft(machine, Op::Rotate);
    draft.args = Rotate { data_key: true, epoch: false, share: None, owners: None, class: None }.to_bytes();
    let rotated = Rotated::from_bytes(&owner.ask_draft(machine, &draft).unwrap()).unwrap();
    owner.envelope = rotated.envelope;
    owner.ask(machine, Op::Acknowledge).unwrap();
}

/// Delivers a request; every frame that the enclave asks of its host waits in `unanswered`.
fn begin(machine: &mut Machine, owner: &Owner, op: Op) -> (Sealed, u32) {
    let sealed = owner.draft(machine, op).seal(&[&owner.device]);
    machine.keeper.is_silent = true;
    let stream = machine.begin(&sealed.bytes);
    (sealed, stream)
}

/// The host makes what it is asked to commit durable, and has nothing witnessed: in time, it is refused. Asked for it again,
/// the host has it witnessed.
pub fn withhold_what_is_committed(machine: &mut Machine) {
    let commit = until_commit(machine);
    machine.keeper.store(&commit);
    machine.pass(10_000);
    machine.keeper.unanswered.clear();
    machine.keeper.is_silent = false;
    machine.pass(10_000);
}

/// Answers lookups until the enclave has made a head: what it asks to be committed.
pub fn until_commit(machine: &mut Machine) -> Commit {
    loop {
        let (kind, stream, body) = machine.keeper.unanswered.remove(0);
        match kind {
            Kind::Commit => return Commit::from_bytes(&body).unwrap(),
            Kind::Lookup => {
                let found = machine.keeper.find(&Lookup::from_bytes(&body).unwrap().names);
                machine.frame(Kind::Found, stream, &found.to_bytes());
            }
            kind => panic!("{kind:?}"),
        }
    }
}

fn is_held_back(machine: &mut Machine, stream: u32) -> bool {
    matches!(machine.answer(stream), Answer::Nothing)
}

#[test]
fn m21_what_one_start_knew_of_a_connection_the_next_one_knows() {
    let (mut machine, mut owner, mut gone) = (start(1, Keeper::new(1, 1)), Owner::eddsa(), Owner::eddsa());
    let old = owner.envelope.clone();
    renew(&mut machine, &mut owner);
    gone.ask(&mut machine, Op::Forget).unwrap();
    let mut next = start(2, machine.keeper.clone());
    assert_eq!(gone.ask(&mut next, Op::Inspect), Err(Refusal::Forgotten));
    let counter = owner.last.0;
    owner.ask(&mut next, Op::Inspect).unwrap();
    assert_eq!(owner.last.0, counter + 1, "receipts go on");
    owner.last = (0, None);
    owner.ask(&mut next, Op::Inspect).unwrap();
    assert_eq!(owner.last.0, counter + 2, "whatever the client says");
    owner.envelope = old;
    assert_eq!(owner.ask(&mut next, Op::Inspect), Err(Refusal::StaleGeneration));
    assert_eq!(next.keeper.head().map.0, next.keeper.root(), "what is kept is what was signed");
}

#[test]
fn m06_a_start_on_older_state_is_refused_and_serves_nothing() {
    let (mut machine, mut owner) = (start(1, Keeper::new(1, 1)), Owner::eddsa());
    owner.ask(&mut machine, Op::Inspect).unwrap();
    let mut old = machine.keeper.clone();
    owner.ask(&mut machine, Op::Forget).unwrap();
    old.witnesses = machine.keeper.witnesses.clone();
    let nothing = Keeper { witnesses: old.witnesses.clone(), ..Keeper::new(1, 1) };
    for older in [old, nothing] {
        let mut next = start(2, older);
        assert!(matches!(next.answer(0), Answer::Refused(Refusal::RolledBack)));
        assert_eq!(owner.ask(&mut next, Op::Inspect), Err(Refusal::RolledBack));
        // The latest state, brought later, is taken.
        let witnesses = next.keeper.witnesses.clone();
        next.keeper = Keeper { witnesses, ..machine.keeper.clone() };
        next.pass(2_000);
        assert_eq!(owner.ask(&mut next, Op::Inspect), Err(Refusal::Forgotten));
    }
}

#[test]
fn m06_an_old_head_that_was_accepted_under_a_high_counter_is_not_the_last_one() {
    let (mut machine, mut owner) = (start(1, Keeper::new(1, 1)), Owner::eddsa());
    owner.ask(&mut machine, Op::Inspect).unwrap();
    let mut old = machine.keeper.clone();
    let accepted = Advance::from_bytes(&machine.keeper.commits.last().unwrap().advance.0).unwrap();
    owner.ask(&mut machine, Op::Forget).unwrap();
    old.witnesses = machine.keeper.witnesses.clone();
    // Anybody can ask a witness in the name of whoever holds the term.
    old.witnesses[0].advance(&Advance { counter: 1_000_000, ..accepted }).unwrap();
    assert!(matches!(start(2, old).answer(0), Answer::Refused(Refusal::RolledBack)));
}

#[test]
fn m06_of_two_starts_from_one_state_only_the_later_one_changes_anything() {
    let (mut first, mut owner) = (start(1, Keeper::new(2, 3)), Owner::eddsa());
    owner.ask(&mut first, Op::Inspect).unwrap();
    let mut second = start(2, first.keeper.clone());
    first.keeper.witnesses = second.keeper.witnesses.clone();
    let counter = owner.last;
    assert_eq!(owner.ask(&mut first, Op::Forget), Err(Refusal::LineLost));
    assert_eq!(owner.last, counter, "no receipt of it");
    assert_eq!(owner.ask(&mut first, Op::Inspect), Err(Refusal::LineLost), "for good");
    owner.ask(&mut second, Op::Inspect).unwrap();
}

#[test]
fn without_a_quorum_nothing_leaves_and_with_one_again_everything_goes_on() {
    let (mut machine, mut owner) = (start(1, Keeper::new(2, 3)), Owner::eddsa());
    owner.ask(&mut machine, Op::Inspect).unwrap();
    let sleep = |machine: &mut Machine, awake| {
        machine.keeper.witnesses[1..].iter_mut().for_each(|witness| witness.is_awake = awake);
    };
    sleep(&mut machine, false);
    let sealed = owner.draft(&machine, Op::Forget).seal(&[&owner.device]);
    let stream = machine.begin(&sealed.bytes);
    assert!(is_held_back(&mut machine, stream));
    machine.pass(9_999);
    assert!(is_held_back(&mut machine, stream));
    machine.pass(1);
    let answer = machine.answer(stream);
    let outcome = sealed.open(answer, &machine);
    assert_eq!((outcome.result, outcome.receipt.connection), (Err(Refusal::NoQuorum), None));
    let draft = owner.draft(&machine, Op::Inspect).now(&machine);
    assert_eq!(owner.ask_draft(&mut machine, &draft), Err(Refusal::NoQuorum), "at once");
    // What was not told has happened: its head is signed when it is asked for again.
    sleep(&mut machine, true);
    machine.pass(10_000);
    let draft = owner.draft(&machine, Op::Inspect).now(&machine);
    assert_eq!(owner.ask_draft(&mut machine, &draft), Err(Refusal::Forgotten));
    let mut next = start(2, machine.keeper.clone());
    assert_eq!(owner.ask(&mut next, Op::Inspect), Err(Refusal::Forgotten));
}

#[test]
fn m21_after_an_outage_of_any_length_what_is_kept_is_one_head_before_what_witnesses_know_and_is_taken() {
    let (mut machine, mut owner) = (start(1, Keeper::new(2, 3)), Owner::eddsa());
    owner.ask(&mut machine, Op::Inspect).unwrap();
    let known = machine.keeper.head().counter;
    machine.keeper.witnesses.iter_mut().for_each(|witness| witness.is_awake = false);
    for _ in 0..30 {
        machine.claim(NOW.plus(machine.monotonic));
        let sealed = owner.draft(&machine, Op::Inspect).now(&machine).seal(&[&owner.device]);
        let stream = machine.begin(&sealed.bytes);
        machine.pass(10_000);
        let answer = machine.answer(stream);
        assert_eq!(sealed.open(answer, &machine).result, Err(Refusal::NoQuorum));
    }
    assert_eq!(machine.keeper.head().counter, known + 1);
    let mut keeper = machine.keeper.clone();
    keeper.links.truncate(1);
    keeper.witnesses.iter_mut().for_each(|witness| witness.is_awake = true);
    owner.ask(&mut start(2, keeper), Op::Inspect).unwrap();
}

#[test]
fn words_of_witnesses_about_anything_else_count_nothing_and_each_witness_counts_once() {
    let (mut machine, owner) = (start(1, Keeper::new(2, 3)), Owner::eddsa());
    let (_, stream) = begin(&mut machine, &owner, Op::Inspect);
    let commit = until_commit(&mut machine);
    let advance = machine.keeper.store(&commit);
    let say = |machine: &mut Machine, answers: Vec<Bytes>| {
        let Advance { line, term, counter, .. } = advance;
        machine.frame(Kind::Committed, 0, &Committed { line, term, counter, answers }.to_bytes());
        is_held_back(machine, stream)
    };
    let others = [
        Advance { deployment: Hash([1; 32]), ..advance },
        Advance { line: 1, ..advance },
        Advance { term: advance.term + 1, ..advance },
        Advance { boot: BootId([1; 16]), ..advance },
        Advance { counter: advance.counter + 1, ..advance },
        Advance { head: Hash([1; 32]), ..advance },
    ];
    for other in others {
        let words = machine.keeper.witnesses.iter().map(|witness| witness.sign(&Word::Cosignature(other)));
        let words = words.collect();
        assert!(say(&mut machine, words), "{other:?}");
    }
    let stranger = crate::support::keeper::Witness::new(99).sign(&Word::Cosignature(advance));
    let good: Vec<Bytes> =
        machine.keeper.witnesses.iter().map(|witness| witness.sign(&Word::Cosignature(advance))).collect();
    let mut forged = good[1].clone();
    *forged.0.last_mut().unwrap() ^= 1;
    assert!(say(&mut machine, Vec::new()), "the host's word alone");
    assert!(say(&mut machine, vec![good[0].clone(), good[0].clone(), stranger, forged]), "one of three");
    assert!(say(&mut machine, vec![good[0].clone()]), "the same again");
    assert!(!say(&mut machine, vec![good[2].clone()]), "two of three");
}

#[test]
fn m06_a_state_or_path_that_is_not_of_the_committed_map_is_refused() {
    let (mut machine, mut owner, mut other) = (start(1, Keeper::new(1, 1)), Owner::eddsa(), Owner::eddsa());
    owner.ask(&mut machine, Op::Inspect).unwrap();
    other.ask(&mut machine, Op::Inspect).unwrap();
    let (name, others) = (verify::register::name(owner.connection), verify::register::name(other.connection));
    let before = machine.keeper.leaves[&name].clone();
    owner.ask(&mut machine, Op::Forget).unwrap();

    // One leaf of the past, under the latest head.
    let mut keeper = machine.keeper.clone();
    keeper.leaves.insert(name, before);
    assert_eq!(owner.ask(&mut start(2, keeper), Op::Inspect), Err(Refusal::RegisterMismatch));
    // Left out.
    let mut keeper = machine.keeper.clone();
    keeper.leaves.remove(&name);
    assert_eq!(owner.ask(&mut start(3, keeper), Op::Inspect), Err(Refusal::RegisterMismatch));
    // Another connection's, or none, or too many, in its place.
    let mut next = start(4, machine.keeper.clone());
    let found = |names: &[[u8; 32]]| {
        machine.keeper.find(&names.iter().copied().map(Hash).collect::<Vec<_>>()).to_bytes()
    };
    for answer in [found(&[others]), found(&[]), found(&[name, name]), vec![0xff]] {
        let (sealed, stream) = begin(&mut next, &owner, Op::Inspect);
        while let Some((kind, on, _)) = next.keeper.unanswered.pop() {
            assert_eq!(kind, Kind::Lookup);
            next.frame(Kind::Found, on, &answer);
        }
        let answer = next.answer(stream);
        assert_eq!(sealed.open(answer, &next).result, Err(Refusal::RegisterMismatch));
    }
    next.keeper.is_silent = false;
    assert_eq!(owner.ask(&mut next, Op::Inspect), Err(Refusal::Forgotten));
    let _ = Found::from_bytes(&found(&[name])).unwrap();
}

#[test]
fn without_witnesses_what_is_dangerous_is_refused_and_the_rest_is_served() {
    let (mut machine, mut owner) = (start(1, Keeper::new(0, 0)), Owner::eddsa());
    assert_eq!(machine.identity().1.freshness, None);
    owner.ask(&mut machine, Op::Inspect).unwrap();
    let mut draft = owner.draft(&machine, Op::Rotate);
    let share = [7; 32];
    draft.args = Rotate {
        data_key: false,
        epoch: false,
        share: Some(share.as_slice().into()),
        owners: None,
        class: None,
    }
    .to_bytes();
    assert_eq!(owner.ask_twice_signed(&mut machine, &draft), Err(Refusal::NoQuorum));
    owner.ask(&mut machine, Op::Forget).unwrap();
    assert_eq!(owner.ask(&mut start(2, machine.keeper.clone()), Op::Inspect), Err(Refusal::Forgotten));
}

#[test]
fn the_identity_names_its_witnesses_and_every_reply_the_head_that_holds_it() {
    let (mut machine, owner) = (start(1, Keeper::new(2, 3)), Owner::eddsa());
    let freshness = machine.identity().1.freshness.unwrap();
    assert_eq!((freshness.lines, freshness.threshold, freshness.witnesses), (1, 2, 3));
    let sealed = owner.draft(&machine, Op::Inspect).seal(&[&owner.device]);
    let answer = machine.request(&sealed.bytes);
    let mark = sealed.open(answer, &machine).reply.mark.unwrap();
    let head = machine.keeper.head();
    assert_eq!((mark.line, mark.term, mark.counter), (0, head.term, head.counter));
    assert_eq!(mark.head.0, crate::support::sha256(&head.to_bytes()));
}

#[test]
fn a_host_that_never_answers_is_refused_in_time() {
    let (mut machine, owner) = (start(1, Keeper::new(1, 1)), Owner::eddsa());
    let (sealed, stream) = begin(&mut machine, &owner, Op::Inspect);
    machine.pass(10_000);
    let answer = machine.answer(stream);
    assert_eq!(sealed.open(answer, &machine).result, Err(Refusal::NoQuorum));
}

#[test]
fn witnesses_that_take_as_long_for_a_term_as_they_may_for_a_head_give_it() {
    let silent = Keeper { is_silent: true, ..Keeper::new(2, 3) };
    let (mut machine, mut owner) = (start(1, silent), Owner::eddsa());
    machine.pass(9_999);
    let asked = std::mem::take(&mut machine.keeper.unanswered);
    machine.keeper.is_silent = false;
    let [(kind @ Kind::Take, stream, body)] = asked.as_slice() else { panic!("{asked:?}") };
    for (kind, stream, body) in machine.keeper.answer(*kind, *stream, body) {
        machine.frame(kind, stream, &body);
    }
    let draft = owner.draft(&machine, Op::Inspect).now(&machine);
    owner.ask_draft(&mut machine, &draft).unwrap();
}
