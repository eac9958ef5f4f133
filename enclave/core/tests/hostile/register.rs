//! The register: what is recorded when, and a host that drops, alters, repeats or reorders what it keeps.

use crate::support::book::{Book, destroy, read_out, step};
use crate::support::keeper::Keeper;
use crate::support::{Answer, Machine, Owner, host, roots};
use enclave::egress::Trust;
use proptest::prelude::*;
use wire::frame::Kind;
use wire::freshness::Commit;
use wire::operation::{Op, Rotate, Rotated};
use wire::register::{Conclude, Entry, Kept, State};
use wire::rewrap::{Bytes, Rewrap};
use wire::{Canonical, Refusal};

/// An enclave at epoch 2 with owners whose envelopes are in epoch 1, all of them recorded.
fn stage(owners: usize) -> (Machine, Vec<Owner>, Book) {
    let mut machine = Machine::start(1, roots(2), Trust::live());
    let mut owners: Vec<Owner> = (0..owners).map(|_| Owner::eddsa()).collect();
    let mut book = Book::default();
    owners.iter_mut().for_each(|owner| {
        owner.ask(&mut machine, Op::Acknowledge).unwrap();
    });
    book.keep(&mut machine);
    (machine, owners, book)
}

fn log_of(book: &Book) -> Vec<Vec<u8>> {
    book.entries.iter().map(|entry| entry.to_vec()).collect()
}

#[test]
fn what_becomes_of_an_envelope_is_recorded_before_the_reply_says_so() {
    let (mut machine, mut owner, mut book) = (host(1), Owner::eddsa(), Book::default());
    let recorded = |machine: &mut Machine, owner: &mut Owner, op: Op| {
        let sealed = owner.draft(machine, op).seal(&[&owner.device]);
        machine.keeper.is_silent = true;
        let stream = machine.begin(&sealed.bytes);
        let commit = loop {
            assert!(matches!(machine.answer(stream), Answer::Nothing), "{op:?} leaves nothing before");
            let (kind, on, body) = machine.keeper.unanswered.remove(0);
            machine.keeper.is_silent = false;
            let answers = machine.keeper.answer(kind, on, &body);
            machine.keeper.is_silent = true;
            answers.iter().for_each(|(kind, on, body)| machine.frame(*kind, *on, body));
            if kind == Kind::Commit {
                break Commit::from_bytes(&body).unwrap();
            }
        };
        machine.keeper.is_silent = false;
        assert!(matches!(machine.answer(stream), Answer::Reply(_)), "{op:?}");
        let entry = Entry::from_bytes(commit.entries.as_slice().try_into().unwrap()).unwrap();
        assert_eq!(entry.name, verify::register::name(owner.connection));
        let bytes = commit.to_bytes();
        assert!(!bytes.windows(16).any(|bytes| bytes == owner.connection.0), "the id is not told");
        (entry.state, entry.epoch, entry.generation)
    };
    assert_eq!(recorded(&mut machine, &mut owner, Op::Acknowledge), (State::Held, 1, 1));
    assert_eq!(recorded(&mut machine, &mut owner, Op::Forget), (State::Revoked, 1, 1));
    // What only reads records nothing.
    let mut other = Owner::eddsa();
    other.ask(&mut machine, Op::Inspect).unwrap();
    book.keep(&mut machine);
    assert_eq!(book.entries.len(), 2);
}

#[test]
fn a_rotated_envelope_is_recorded_when_its_owner_has_it_and_not_before() {
    let (mut machine, mut owners, mut book) = stage(1);
    let owner = &mut owners[0];
    let mut draft = owner.draft(&machine, Op::Rotate);
    draft.args = Rotate { data_key: true, epoch: true, share: None, owners: None, class: None }.to_bytes();
    let rotated = Rotated::from_bytes(&owner.ask_draft(&mut machine, &draft).unwrap()).unwrap();
    book.keep(&mut machine);
    assert_eq!(book.entries.len(), 1, "the owner may never get it, and holds the old one then");
    owner.envelope = rotated.envelope;
    owner.ask(&mut machine, Op::Acknowledge).unwrap();
    book.keep(&mut machine);
    let entry = Entry::from_bytes(&book.entries[1]).unwrap();
    assert_eq!((entry.state, entry.epoch, entry.generation), (State::Held, 2, 2));
}

#[test]
fn a_rewrap_in_bulk_is_recorded_and_keeps_the_payloads_hash() {
    let (mut machine, owners, mut book) = stage(3);
    let envelopes = owners.iter().map(|owner| Bytes(owner.envelope.clone())).chain([Bytes(vec![1])]);
    machine.frame(Kind::Rewrap, 7, &Rewrap { envelopes: envelopes.collect() }.to_bytes());
    book.keep(&mut machine);
    assert_eq!(book.entries.len(), 6, "what was refused is not recorded");
    for (before, after) in book.entries[..3].iter().zip(&book.entries[3..]) {
        let (before, after) = (Entry::from_bytes(before).unwrap(), Entry::from_bytes(after).unwrap());
        assert_eq!((after.state, after.epoch), (State::Rewrapped, 2));
        assert_eq!(
            (before.name, before.payload, before.generation),
            (after.name, after.payload, after.generation)
        );
    }
}

#[test]
fn every_head_is_signed_chained_and_has_the_root_of_what_is_kept() {
    let (mut machine, mut owners, mut book) = stage(5);
    let identity = machine.identity().1;
    let mut before = book.head();
    for owner in &mut owners {
        owner.ask(&mut machine, Op::Acknowledge).unwrap();
        book.keep(&mut machine);
        let kept = Kept::from_bytes(book.kept.as_ref().unwrap()).unwrap();
        let head = verify::register::head(&identity, &kept.head.0).unwrap();
        let mut tree = verify::merkle::Frontier::default();
        book.entries.iter().for_each(|entry| tree.push(verify::merkle::leaf(entry)));
        assert_eq!((head.size, head.root.0), (tree.size(), tree.root()));
        assert_eq!(head.counter, before.counter + 1);
        let previous = crate::support::sha256(&before.to_bytes());
        assert_eq!(head.previous.map(|hash| hash.0), Some(previous));
        before = head;
    }
    let mut forged = Kept::from_bytes(book.kept.as_ref().unwrap()).unwrap().head.0;
    *forged.last_mut().unwrap() ^= 1;
    assert_eq!(verify::register::head(&identity, &forged), Err(verify::register::Unproven::Signature));
}

#[test]
fn m21_a_later_start_goes_on_from_what_was_kept() {
    let (machine, _, mut book) = stage(5);
    let before = book.head();
    let mut later = Machine::start_with(2, roots(2), Trust::live(), machine.keeper.clone());
    let mut newcomer = Owner::eddsa();
    newcomer.ask(&mut later, Op::Acknowledge).unwrap();
    book.keep(&mut later);
    let after = book.head();
    assert_eq!((after.register, after.size, after.counter), (before.register, 6, before.counter + 2));
    assert_ne!(after.boot, before.boot);
    assert!(book.conclude(&mut later, 1).is_ok());
}

#[test]
fn a_register_of_other_roots_or_an_altered_one_is_refused() {
    let (machine, _, book) = stage(5);
    let good = Kept::from_bytes(book.kept.as_ref().unwrap()).unwrap();
    let refused = |alter: &dyn Fn(&mut Kept)| {
        let (mut kept, mut keeper) = (good.clone(), machine.keeper.clone());
        alter(&mut kept);
        keeper.kept = Some(kept.to_bytes());
        refusal_at_start(2, keeper)
    };
    assert_eq!(refused(&|kept| kept.seal.0[0] ^= 1), Refusal::RegisterMismatch);
    assert_eq!(refused(&|kept| kept.peaks[0].0[0] ^= 1), Refusal::RegisterMismatch);
    assert_eq!(refused(&|kept| kept.peaks.swap(0, 1)), Refusal::RegisterMismatch);
    assert_eq!(refused(&|kept| kept.peaks.truncate(1)), Refusal::RegisterMismatch);
    assert_eq!(refused(&|kept| kept.head.0.truncate(9)), Refusal::Malformed);
    // The seal covers the signed bytes, each of them; who signed them is of no interest to a later start.
    let payload = wire::cose::Sign1::from_bytes(&good.head.0).unwrap().payload.unwrap().len();
    let end = good.head.0.len() - 66;
    for at in end - payload..end {
        let altered = refused(&|kept| kept.head.0[at] ^= 1);
        let told = [Refusal::Malformed, Refusal::RegisterMismatch, Refusal::UnknownEpoch];
        assert!(told.contains(&altered), "byte {at}: {altered:?}");
    }
    assert_eq!(refusal_at_start(1, machine.keeper.clone()), Refusal::UnknownEpoch);
}

/// What a start with so many epochs says of what its host kept.
fn refusal_at_start(epochs: u32, keeper: Keeper) -> Refusal {
    match Machine::start_with(2, roots(epochs), Trust::live(), keeper).answer(0) {
        Answer::Refused(refusal) => refusal,
        answer => panic!("it is taken: {answer:?}"),
    }
}

#[test]
fn a_register_from_which_anything_is_left_out_added_altered_or_repeated_is_not_concluded() {
    let (mut machine, mut owners, mut book) = stage(9);
    owners[3].ask(&mut machine, Op::Acknowledge).unwrap();
    book.keep(&mut machine);
    let (log, sorted) = (log_of(&book), book.sorted());
    let mut refused = |what: &str, log: Vec<Vec<u8>>, sorted: Vec<Vec<u8>>| {
        let outcome = read_out(&mut machine, 1, log, sorted);
        assert_eq!(outcome.map(|_| ()), Err(Refusal::RegisterMismatch), "{what}");
    };
    let edit = |of: &[Vec<u8>], edit: &dyn Fn(&mut Vec<Vec<u8>>)| {
        let mut edited = of.to_vec();
        edit(&mut edited);
        edited
    };
    let absent = |entry: &mut Vec<u8>, at: usize| entry[at] = 2;
    refused("dropped from the log", edit(&log, &|log| drop(log.remove(4))), sorted.clone());
    refused("cut off", edit(&log, &|log| drop(log.pop())), sorted.clone());
    refused("added", edit(&log, &|log| log.push(log[0].clone())), sorted.clone());
    refused("swapped", edit(&log, &|log| log.swap(1, 2)), sorted.clone());
    refused("moved to epoch 2 in the log", edit(&log, &|log| absent(&mut log[2], 36)), sorted.clone());
    refused("left out of the sorted pass", log.clone(), edit(&sorted, &|sorted| drop(sorted.remove(4))));
    refused("moved to epoch 2", log.clone(), edit(&sorted, &|sorted| absent(&mut sorted[2], 44)));
    refused("said to be revoked", log.clone(), edit(&sorted, &|sorted| sorted[2][40] = 2));
    refused("twice", log.clone(), edit(&sorted, &|sorted| sorted.insert(2, sorted[2].clone())));
    refused("not sorted", log.clone(), edit(&sorted, &|sorted| sorted.swap(1, 2)));
    refused("another place", log.clone(), edit(&sorted, &|sorted| sorted[8][7] ^= 64));
    refused("an older word instead of the last", log.clone(), {
        let (older, newer) =
            (sorted.iter().position(|one| one[7] == 3), sorted.iter().position(|one| one[7] == 9));
        edit(&sorted, &|sorted| sorted[newer.unwrap()] = sorted[older.unwrap()].clone())
    });
    refused("only one pass", log.clone(), Vec::new());
    assert!(read_out(&mut machine, 1, log, sorted).is_ok(), "as it is, it is concluded");
}

#[test]
fn steps_out_of_turn_are_refused() {
    let (mut machine, _, book) = stage(2);
    assert_eq!(step(&mut machine, &Conclude::Log(Vec::new())), Err(Refusal::NotConcluded));
    assert_eq!(step(&mut machine, &Conclude::Finish), Err(Refusal::NotConcluded));
    for epoch in [0, 2, 3, u32::MAX] {
        assert_eq!(
            step(&mut machine, &Conclude::Begin(epoch, wire::consent::Class::Any)),
            Err(Refusal::EpochInUse),
            "{epoch}"
        );
    }
    step(&mut machine, &Conclude::Begin(1, wire::consent::Class::Any)).unwrap();
    assert_eq!(step(&mut machine, &Conclude::Log(vec![0; 76])), Err(Refusal::Malformed));
    assert_eq!(step(&mut machine, &Conclude::Sorted(Vec::new())), Err(Refusal::RegisterMismatch));
    step(&mut machine, &Conclude::Log(book.entries.concat())).unwrap();
    assert_eq!(step(&mut machine, &Conclude::Sorted(vec![0; 84])), Err(Refusal::Malformed));
    assert_eq!(step(&mut machine, &Conclude::Sorted(vec![0; 85])), Err(Refusal::Malformed));
    assert_eq!(destroy(&mut machine, 1, 2).map(|_| ()), Err(Refusal::NotConcluded));
    for body in [&b""[..], b"\xff", &[0; 500]] {
        machine.frame(Kind::Conclude, 1, body);
        assert!(matches!(machine.answer(1), crate::support::Answer::Refused(Refusal::Malformed)));
    }
}

#[test]
fn what_is_recorded_while_a_rotation_is_concluded_goes_over_into_the_next_chapter() {
    let (mut machine, _, mut book) = stage(3);
    step(&mut machine, &Conclude::Begin(1, wire::consent::Class::Any)).unwrap();
    step(&mut machine, &Conclude::Log(book.entries.concat())).unwrap();
    let sorted = book.sorted().concat();
    let mut newcomer = Owner::eddsa();
    newcomer.ask(&mut machine, Op::Acknowledge).unwrap();
    step(&mut machine, &Conclude::Sorted(sorted)).unwrap();
    let before = book.clone();
    step(&mut machine, &Conclude::Finish).unwrap();
    let last = std::mem::take(&mut machine.keeper.commits).pop().unwrap();
    assert_eq!((last.chapter, last.first, last.entries.len()), (2, 3, 77));
    book.entries = before.compacted();
    book.entries.push(last.entries.as_slice().try_into().unwrap());
    (book.chapter, book.kept) = (2, Some(last.kept));
    // It was in the epoch that was to be left: the statement does not hold any more.
    assert_eq!(destroy(&mut machine, 1, 3).map(|_| ()), Err(Refusal::NotConcluded));
    let statement = book.conclude(&mut machine, 1).unwrap();
    let identity = machine.identity().1;
    assert_eq!(verify::register::completion(&identity, &statement).unwrap().statement.counts.absent, 4);
}

#[test]
fn however_much_is_recorded_while_a_rotation_is_concluded_each_head_of_it_fits_a_frame() {
    const ENVELOPES: usize = 1_000;
    const TIMES: usize = 28;
    let (mut machine, owners, mut book) = stage(1);
    step(&mut machine, &Conclude::Begin(1, wire::consent::Class::Any)).unwrap();
    step(&mut machine, &Conclude::Log(book.entries.concat())).unwrap();
    let sorted = book.sorted().concat();
    // Above what one frame takes: 27,235 entries.
    let envelopes = vec![Bytes(owners[0].envelope.clone()); ENVELOPES];
    let body = Rewrap { envelopes }.to_bytes();
    for stream in (1..).take(TIMES) {
        machine.frame(Kind::Rewrap, stream, &body);
        assert!(matches!(machine.answer(stream), Answer::Reply(_)));
    }
    step(&mut machine, &Conclude::Sorted(sorted)).unwrap();
    let before = book.clone();
    step(&mut machine, &Conclude::Finish).unwrap();
    // All of it goes over, and the host gets it without a gap.
    let commits = machine.keeper.commits.iter().filter(|commit| commit.chapter == 2);
    let entries: usize = commits.map(|commit| commit.entries.len() / 77).sum();
    assert_eq!(entries, ENVELOPES * TIMES);
    machine.keeper.commits.retain(|commit| commit.chapter == 2);
    (book.entries, book.chapter) = (before.compacted(), 2);
    book.keep(&mut machine);
    assert_eq!(book.head().size, 1 + (ENVELOPES * TIMES) as u64);
    let mut tree = verify::merkle::Frontier::default();
    book.entries.iter().for_each(|entry| tree.push(verify::merkle::leaf(entry)));
    assert_eq!((book.head().size, book.head().root.0), (tree.size(), tree.root()));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Frames of any bytes change nothing and end nothing.
    #[test]
    fn no_bytes_make_the_register_panic(bodies in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..300), 1..8)) {
        let (mut machine, _, mut book) = stage(1);
        for body in bodies {
            machine.frame(Kind::Conclude, 1, &body);
            [Kind::Found, Kind::Taken, Kind::Committed].into_iter().for_each(|kind| machine.frame(kind, 2, &body));
            machine.enclave.destroy_epoch(3, &body, enclave::Leave::NONE);
            machine.collect();
        }
        prop_assert!(book.conclude(&mut machine, 1).is_ok());
    }
}
