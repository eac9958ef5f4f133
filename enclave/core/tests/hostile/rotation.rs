//! A rotation to its end: completion that is proven, the destruction of an epoch, and what a host can do about both.

use crate::support::book::{Book, destroy};
use crate::support::{Answer, Machine, Owner, envelope_of, roots};
use enclave::egress::Trust;
use enclave::root::Roots;
use enclave::secret::Secret;
use proptest::prelude::*;
use verify::register::{
    Completion, Own, Unproven, completion, destroyed_on, destruction, included, later, name, own,
};
use wire::frame::Kind;
use wire::operation::{Op, Rotate, Rotated};
use wire::provision::{EpochRoot, Provision};
use wire::register::Counts;
use wire::rewrap::{Bytes, Rewrap, Rewrapped};
use wire::{Canonical, Refusal};

fn rewrap(machine: &mut Machine, envelopes: &[&Vec<u8>]) -> Vec<Option<Vec<u8>>> {
    let envelopes = envelopes.iter().map(|envelope| Bytes((*envelope).clone())).collect();
    machine.frame(Kind::Rewrap, 77, &Rewrap { envelopes }.to_bytes());
    let (_, body) = machine.take(Kind::Rewrapped).remove(0);
    let results = Rewrapped::from_bytes(&body).unwrap().results;
    results.into_iter().map(|result| result.envelope.map(|envelope| envelope.0)).collect()
}

/// The owner moves their envelope to the current epoch themselves.
fn renew(machine: &mut Machine, owner: &mut Owner) {
    let mut draft = owner.draft(machine, Op::Rotate);
    draft.args = Rotate { data_key: false, epoch: true, share: None, owners: None, class: None }.to_bytes();
    let rotated = Rotated::from_bytes(&owner.ask_draft(machine, &draft).unwrap()).unwrap();
    owner.envelope = rotated.envelope;
    owner.ask(machine, Op::Acknowledge).unwrap();
}

/// What the owner knows by the envelope they hold alone.
fn own_of(owner: &Owner) -> Own {
    let envelope = wire::envelope::Envelope::from_bytes(&owner.envelope).unwrap();
    // The wrap is the last member: its key, and everything behind.
    let body = owner.envelope.len() - wrap_length(envelope.wrap.epoch);
    Own {
        connection: owner.connection,
        generation: envelope.header.generation,
        payload: crate::support::sha256(&owner.envelope[..body]),
    }
}

fn wrap_length(epoch: u32) -> usize {
    let number = match epoch {
        0..24 => 1,
        24..256 => 2,
        256..65_536 => 3,
        _ => 5,
    };
    // Key and head of the map, epoch, nonce, ciphertext, each with key and head.
    2 + (1 + number) + (2 + 12) + (3 + 76)
}

/// Three owners in epoch 1, one of them forgotten; epoch 2 is current. What is missing is said by each test.
fn stage() -> (Machine, Vec<Owner>, Book) {
    let mut machine = Machine::start(1, roots(2), Trust::live());
    let mut owners: Vec<Owner> = (0..4).map(|_| Owner::eddsa()).collect();
    let mut book = Book::default();
    owners.iter_mut().for_each(|owner| drop(owner.ask(&mut machine, Op::Acknowledge).unwrap()));
    owners[3].ask(&mut machine, Op::Forget).unwrap();
    book.keep(&mut machine);
    (machine, owners, book)
}

/// Reads the register out, and checks what is stated then.
fn conclude(machine: &mut Machine, book: &mut Book, epoch: u32) -> Completion {
    let signed = book.conclude(machine, epoch).unwrap();
    completion(&machine.identity().1, &signed).unwrap()
}

#[test]
fn completion_counts_every_connection_once_and_every_owner_finds_theirs() {
    let (mut machine, mut owners, mut book) = stage();
    renew(&mut machine, &mut owners[0]);
    let rewrapped = rewrap(&mut machine, &[&owners[1].envelope]);
    book.keep(&mut machine);
    let completion = conclude(&mut machine, &mut book, 1);
    let statement = &completion.statement;
    assert_eq!(statement.counts, Counts { held: 1, rewrapped: 1, revoked: 1, absent: 1 });
    assert_eq!((statement.epoch, statement.current, statement.chapter, book.chapter), (1, 2, 1, 2));

    owners[1].envelope = rewrapped[0].clone().unwrap();
    let verdicts: Vec<Result<(), Unproven>> = owners
        .iter()
        .map(|owner| {
            let proof = book.proof(&name(owner.connection), 4).unwrap();
            let entry = included(statement, &proof).unwrap();
            own(&completion, &entry, &own_of(owner))
        })
        .collect();
    assert_eq!(verdicts, [Ok(()), Ok(()), Err(Unproven::Absent), Ok(())]);
    assert!(book.proof(&name(Owner::eddsa().connection), 4).is_none(), "who was never recorded has no proof");
}

#[test]
fn a_proof_of_another_connection_an_altered_one_or_of_another_statement_shows_nothing() {
    let (mut machine, owners, mut book) = stage();
    let completion = conclude(&mut machine, &mut book, 1);
    let good = book.proof(&name(owners[0].connection), 4).unwrap();
    let entry = included(&completion.statement, &good).unwrap();
    assert_eq!(own(&completion, &entry, &own_of(&owners[1])), Err(Unproven::OtherConnection));
    let mut moved = good.clone();
    moved.entry[36] = 2;
    let mut shifted = good.clone();
    shifted.index ^= 1;
    let mut resized = good.clone();
    resized.size = 5;
    let mut cut = good.clone();
    cut.path.pop();
    for altered in [moved, shifted, resized, cut] {
        assert_eq!(included(&completion.statement, &altered), Err(Unproven::Path));
    }
    let mut unknown = good.clone();
    unknown.entry[32] = 0x0c;
    assert_eq!(included(&completion.statement, &unknown), Err(Unproven::Malformed));
}

#[test]
fn m05_a_statement_that_another_enclave_signed_or_for_another_purpose_is_refused() {
    let (mut machine, _, mut book) = stage();
    let signed = book.conclude(&mut machine, 1).unwrap();
    let identity = machine.identity().1;
    let stranger = Machine::start(9, roots(2), Trust::live()).identity().1;
    assert_eq!(completion(&stranger, &signed), Err(Unproven::Signature));
    assert_eq!(destruction(&identity, &signed), Err(Unproven::Signature));
    assert_eq!(verify::register::head(&identity, &signed), Err(Unproven::Signature));
    for at in 0..signed.len() {
        let mut altered = signed.clone();
        altered[at] ^= 1;
        assert!(completion(&identity, &altered).is_err(), "byte {at}");
    }
}

#[test]
fn an_epoch_is_destroyed_on_a_statement_that_holds_and_with_leave_for_exactly_those_who_are_absent() {
    let (mut machine, mut owners, mut book) = stage();
    assert_eq!(destroy(&mut machine, 1, 0).map(|_| ()), Err(Refusal::NotConcluded));
    renew(&mut machine, &mut owners[0]);
    book.keep(&mut machine);
    let signed = book.conclude(&mut machine, 1).unwrap();
    let concluded = completion(&machine.identity().1, &signed).unwrap();
    assert_eq!(concluded.statement.counts.absent, 2);
    for given_up in [0, 1, 3] {
        assert_eq!(
            destroy(&mut machine, 1, given_up).map(|_| ()),
            Err(Refusal::AbsenteesRemain),
            "{given_up}"
        );
    }
    for in_use in [2, 3] {
        assert_eq!(destroy(&mut machine, in_use, 2).map(|_| ()), Err(Refusal::EpochInUse), "{in_use}");
    }
    let before = machine.identity().1;
    let destroyed = destroy(&mut machine, 1, 2).unwrap();
    assert!(!destroyed.already);
    let identity = machine.identity().1;
    assert_eq!((before.epochs.oldest, identity.epochs.oldest, identity.epochs.current), (1, 2, 2));
    let statement = destruction(&identity, &destroyed.statement.0).unwrap();
    assert_eq!(destroyed_on(&statement, &concluded), Ok(()));
    let grounds = statement.destroyed.unwrap();
    assert_eq!((grounds.absent, grounds.commitment.0), (2, before.epochs.commitments[0].commitment));
    assert_eq!(destruction(&before, &destroyed.statement.0), Err(Unproven::Identity), "it was held then");

    // Nothing of the epoch opens again; what left it does.
    assert_eq!(owners[1].ask(&mut machine, Op::Inspect), Err(Refusal::UnknownEpoch));
    assert_eq!(rewrap(&mut machine, &[&owners[1].envelope]), [None]);
    assert!(owners[0].ask(&mut machine, Op::Inspect).is_ok());
    // Asked again, it says the same.
    let again = destroy(&mut machine, 1, 0).unwrap();
    assert!(again.already);
    assert_eq!(destroyed_on(&destruction(&identity, &again.statement.0).unwrap(), &concluded), Ok(()));
}

#[test]
fn a_statement_holds_no_more_once_somebody_came_in_the_old_epoch() {
    let (mut machine, mut owners, mut book) = stage();
    book.conclude(&mut machine, 1).unwrap();
    owners[3] = Owner::eddsa();
    owners[3].envelope = envelope_of(&owners[3], &roots(1));
    owners[3].ask(&mut machine, Op::Acknowledge).unwrap();
    assert_eq!(destroy(&mut machine, 1, 3).map(|_| ()), Err(Refusal::NotConcluded));
    book.keep(&mut machine);
    book.conclude(&mut machine, 1).unwrap();
    // Who moves on, or goes, takes nothing from it: it counts no fewer than there are.
    renew(&mut machine, &mut owners[0]);
    owners[1].ask(&mut machine, Op::Forget).unwrap();
    assert!(destroy(&mut machine, 1, 4).is_ok());
}

#[test]
fn whoever_goes_on_to_another_generation_leaves_the_old_epoch_and_keeps_no_epoch_alive() {
    let (mut machine, mut owners, mut book) = stage();
    book.conclude(&mut machine, 1).unwrap();
    // A new data key alone: nobody asked for the epoch.
    let mut draft = owners[0].draft(&machine, Op::Rotate);
    draft.args = Rotate { data_key: true, epoch: false, share: None, owners: None, class: None }.to_bytes();
    let rotated = Rotated::from_bytes(&owners[0].ask_draft(&mut machine, &draft).unwrap()).unwrap();
    assert_eq!(rotated.epoch, 2);
    owners[0].envelope = rotated.envelope;
    owners[0].ask(&mut machine, Op::Acknowledge).unwrap();
    assert!(destroy(&mut machine, 1, 3).is_ok(), "the statement holds on");
    owners[0].ask(&mut machine, Op::Inspect).unwrap();
}

#[test]
fn m21_an_enclave_that_starts_without_the_epoch_says_so_and_no_more() {
    let mut machine = Machine::start(4, Roots::new(2, &Secret::copied(&[2; 32])).unwrap(), Trust::live());
    let destroyed = destroy(&mut machine, 1, 0).unwrap();
    assert!(destroyed.already);
    let statement = destruction(&machine.identity().1, &destroyed.statement.0).unwrap();
    assert_eq!((statement.epoch, statement.oldest, statement.destroyed), (1, 2, None));
}

#[test]
fn m17_the_core_has_no_frame_that_destroys_where_no_approvers_are() {
    let (mut machine, ..) = stage();
    let body = wire::register::Destroy { epoch: 1, absent: 0, class: wire::consent::Class::Any }.to_bytes();
    let frame = wire::Frame { kind: Kind::Destroy, stream: 1, body: &body };
    assert_eq!(machine.enclave.handle(frame, machine.monotonic), Err(enclave::Fatal::Frame));
}

#[test]
fn m06_a_host_that_rolls_the_register_back_is_found_out_by_owners_and_by_the_statements() {
    let (mut machine, mut owners, mut book) = stage();
    let old = book.clone();
    let before = machine.keeper.clone();
    let first = conclude(&mut machine, &mut book.clone(), 1).statement;
    // In a later start host and witnesses bring the old register together: nothing in the enclave can tell.
    let mut machine = Machine::start_with(2, roots(2), Trust::live(), before.with_colluding_witnesses());
    let mut draft = owners[0].draft(&machine, Op::Rotate);
    draft.args = Rotate { data_key: true, epoch: true, share: None, owners: None, class: None }.to_bytes();
    let rotated = Rotated::from_bytes(&owners[0].ask_draft(&mut machine, &draft).unwrap()).unwrap();
    owners[0].envelope = rotated.envelope;
    owners[0].ask(&mut machine, Op::Acknowledge).unwrap();
    book.keep(&mut machine);
    let second = conclude(&mut machine, &mut book, 1).statement;

    let mut machine = Machine::start_with(3, roots(2), Trust::live(), before.with_colluding_witnesses());
    let mut rolled_back = old.clone();
    let completion = conclude(&mut machine, &mut rolled_back, 1);
    let third = &completion.statement;
    let entry = included(third, &rolled_back.proof(&name(owners[0].connection), 4).unwrap()).unwrap();
    assert_eq!(own(&completion, &entry, &own_of(&owners[0])), Err(Unproven::RolledBack));
    assert_eq!(later(&second, third), Err(Unproven::NotLater));
    assert_eq!(later(&first, third), Err(Unproven::NotLater));

    // A register that is founded anew is another one.
    let mut machine = Machine::start(5, roots(2), Trust::live());
    let mut anew = Book::default();
    let fourth = conclude(&mut machine, &mut anew, 1).statement;
    assert_eq!(later(third, &fourth), Err(Unproven::NotLater));
    assert_eq!(fourth.counts.total(), Some(0));
}

/// Root of an epoch, for any number of them.
fn root(epoch: u32) -> [u8; 32] {
    crate::support::sha256(&epoch.to_be_bytes())
}

fn provision(machine: &mut Machine, epochs: core::ops::RangeInclusive<u32>, current: u32) {
    let roots: Vec<(u32, [u8; 32])> = epochs.map(|epoch| (epoch, root(epoch))).collect();
    let epochs = roots.iter().map(|(epoch, root)| EpochRoot::of_any(*epoch, root.as_slice()));
    let provision = Provision {
        epochs: epochs.collect(),
        sandbox: None,
        current: Some(current),
        witnessed: None,
        relying_parties: Vec::new(),
    };
    machine.enclave.add_epochs(&provision).unwrap();
    machine.collect();
}

fn held(epochs: core::ops::RangeInclusive<u32>, current: u32) -> Roots {
    let roots: Vec<(u32, [u8; 32])> = epochs.map(|epoch| (epoch, root(epoch))).collect();
    let epochs = roots.iter().map(|(epoch, root)| EpochRoot::of_any(*epoch, root.as_slice()));
    Roots::provision(&Provision {
        epochs: epochs.collect(),
        sandbox: None,
        current: Some(current),
        witnessed: None,
        relying_parties: Vec::new(),
    })
    .unwrap()
}

#[test]
fn m06_a_start_that_has_the_last_heads_epoch_as_pending_takes_no_line_back_to_the_one_before() {
    let mut machine = Machine::start(1, held(1..=2, 2), Trust::live());
    let mut owner = Owner::eddsa();
    owner.envelope = envelope_of(&owner, &held(1..=2, 2));
    owner.ask(&mut machine, Op::Acknowledge).unwrap();
    // Its file of roots is from before the promotion.
    let mut older = Machine::start_with(2, held(1..=2, 1), Trust::live(), machine.keeper.clone());
    assert!(matches!(older.answer(0), Answer::Refused(Refusal::UnknownEpoch)));
    assert_eq!(owner.ask(&mut older, Op::Inspect), Err(Refusal::UnknownEpoch));
    // Promoted there as well, it goes on.
    provision(&mut older, 1..=2, 2);
    older.pass(2_000);
    owner.ask(&mut older, Op::Inspect).unwrap();
}

#[test]
fn m23_nothing_grows_with_a_thousand_rotations() {
    const FIRST: u32 = 256;
    let mut machine = Machine::start(1, held(FIRST..=FIRST, FIRST), Trust::live());
    let mut owners: Vec<Owner> = (0..3).map(|_| Owner::eddsa()).collect();
    owners.iter_mut().for_each(|owner| owner.envelope = envelope_of(owner, &held(FIRST..=FIRST, FIRST)));
    let (mut book, mut sizes) = (Book::default(), Vec::new());
    for epoch in FIRST..FIRST + 1000 {
        provision(&mut machine, epoch..=epoch + 1, epoch);
        provision(&mut machine, epoch..=epoch + 1, epoch + 1);
        let envelopes: Vec<&Vec<u8>> = owners.iter().map(|owner| &owner.envelope).collect();
        let moved = rewrap(&mut machine, &envelopes);
        owners.iter_mut().zip(moved).for_each(|(owner, envelope)| owner.envelope = envelope.unwrap());
        book.keep(&mut machine);
        book.conclude(&mut machine, epoch).unwrap();
        assert!(!destroy(&mut machine, epoch, 0).unwrap().already);
        book.keep(&mut machine);
        let heads = book.kept.as_ref().unwrap().len();
        sizes.push((owners[0].envelope.len(), machine.identity().0.len(), book.entries.len(), heads));
    }
    // From the second on: the first has no statement before it.
    assert!(
        sizes[1..].iter().all(|size| size.0 == sizes[1].0 && size.2 == 3),
        "{:?} … {:?}",
        sizes[1],
        sizes[999]
    );
    let (least, most) =
        (sizes[1..].iter().map(|size| size.1).min(), sizes[1..].iter().map(|size| size.1).max());
    assert!(
        most.unwrap() - least.unwrap() <= 2,
        "the identity is wider by its key's number alone: {least:?} {most:?}"
    );
    let (least, most) =
        (sizes[1..].iter().map(|size| size.3).min(), sizes[1..].iter().map(|size| size.3).max());
    assert!(most.unwrap() - least.unwrap() <= 4, "a head is wider by its numbers alone: {least:?} {most:?}");
    assert!(owners[0].ask(&mut machine, Op::Inspect).is_ok());
}

#[derive(Clone, Copy, Debug)]
enum Act {
    Begin,
    Promote,
    Renew(usize),
    Rewrap(usize),
    Forget(usize),
    Conclude,
    Destroy,
    /// The enclave dies; another one starts from the same roots and the register as it was kept.
    Die,
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        2 => Just(Act::Begin),
        2 => Just(Act::Promote),
        3 => (0..4_usize).prop_map(Act::Renew),
        3 => (0..4_usize).prop_map(Act::Rewrap),
        1 => (0..4_usize).prop_map(Act::Forget),
        2 => Just(Act::Conclude),
        2 => Just(Act::Destroy),
        2 => Just(Act::Die),
    ]
}

/// What a test knows beside the enclave.
struct Model {
    oldest: u32,
    current: u32,
    newest: u32,
    epoch: [u32; 4],
    revoked: [bool; 4],
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Steps and deaths in any order: counts are right, nothing is destroyed that is counted as moved, and whoever left an
    /// epoch before it went still opens.
    #[test]
    fn m21_steps_and_deaths_in_any_order_lose_no_key(acts in proptest::collection::vec(act(), 1..40)) {
        let mut owners: Vec<Owner> = (0..4).map(|_| Owner::eddsa()).collect();
        let mut machine = Machine::start(0, held(1..=1, 1), Trust::live());
        let mut book = Book::default();
        for owner in &mut owners {
            owner.envelope = envelope_of(owner, &held(1..=1, 1));
            owner.ask(&mut machine, Op::Acknowledge).unwrap();
        }
        book.keep(&mut machine);
        let mut model = Model { oldest: 1, current: 1, newest: 1, epoch: [1; 4], revoked: [false; 4] };
        for (turn, act) in (1_u8..).zip(acts) {
            let opens = |owner: usize, model: &Model| !model.revoked[owner] && model.epoch[owner] >= model.oldest;
            match act {
                Act::Begin if model.newest == model.current => {
                    model.newest += 1;
                    provision(&mut machine, model.oldest..=model.newest, model.current);
                }
                Act::Promote => {
                    model.current = model.newest;
                    provision(&mut machine, model.oldest..=model.newest, model.current);
                }
                Act::Renew(owner) if opens(owner, &model) && model.epoch[owner] != model.current => {
                    renew(&mut machine, &mut owners[owner]);
                    model.epoch[owner] = model.current;
                }
                Act::Rewrap(owner) => {
                    let moved = rewrap(&mut machine, &[&owners[owner].envelope]).remove(0);
                    if let Some(envelope) = moved {
                        owners[owner].envelope = envelope;
                        model.epoch[owner] = model.current;
                    }
                }
                Act::Forget(owner) if opens(owner, &model) => {
                    owners[owner].ask(&mut machine, Op::Forget).unwrap();
                    model.revoked[owner] = true;
                }
                Act::Conclude if model.oldest < model.current => {
                    book.keep(&mut machine);
                    let epoch = model.current - 1;
                    let counts = conclude(&mut machine, &mut book, epoch).statement.counts;
                    let absent = |owner: &usize| !model.revoked[*owner] && model.epoch[*owner] <= epoch;
                    let absent = (0..4).filter(absent).count() as u64;
                    prop_assert_eq!((counts.absent, counts.total()), (absent, Some(4)));
                }
                Act::Destroy => {
                    if let Ok(destroyed) = destroy(&mut machine, model.oldest, 0) {
                        prop_assert!(!destroyed.already);
                        model.oldest += 1;
                    }
                }
                Act::Die => {
                    book.keep(&mut machine);
                    let roots = held(model.oldest..=model.newest, model.current);
                    machine = Machine::start_with(turn, roots, Trust::live(), machine.keeper.clone());
                }
                _ => {}
            }
            book.keep(&mut machine);
            let epochs = machine.identity().1.epochs;
            prop_assert!(epochs.is_coherent());
            prop_assert_eq!((epochs.oldest, epochs.current, epochs.newest()), (model.oldest, model.current, model.newest));
            // Destroyed without leave for anybody: nobody was in it who is not revoked.
            let lost = (0..4).filter(|owner| !model.revoked[*owner] && model.epoch[*owner] < model.oldest);
            prop_assert_eq!(lost.count(), 0);
        }
        for (at, owner) in owners.iter_mut().enumerate().filter(|(at, _)| !model.revoked[*at]) {
            prop_assert!(owner.ask(&mut machine, Op::Inspect).is_ok(), "owner {}", at);
        }
    }
}
