//! Rotation and its crash points, stale generations, forgetting, and swapped envelopes.

use crate::support::{Key, Machine, Owner, host};
use wire::operation::{Inspected, Op, Rotate, Rotated};
use wire::owner::{OwnerKey, OwnerRole};
use wire::{Canonical, Refusal};

/// What to rotate.
#[derive(Clone, Default)]
struct Change {
    data_key: bool,
    epoch: bool,
    share: Option<[u8; 32]>,
    owners: Option<Vec<OwnerKey>>,
}

const DATA_KEY: Change = Change { data_key: true, epoch: false, share: None, owners: None };

impl Change {
    fn args(&self) -> Vec<u8> {
        let share = self.share.as_ref().map(|share| share.as_slice().into());
        Rotate { data_key: self.data_key, epoch: self.epoch, share, owners: self.owners.clone(), class: None }
            .to_bytes()
    }
}

fn rotate(machine: &mut Machine, owner: &mut Owner, change: &Change) -> Result<Rotated, Refusal> {
    let mut draft = owner.draft(machine, Op::Rotate);
    draft.args = change.args();
    owner.ask_twice_signed(machine, &draft).map(|result| Rotated::from_bytes(&result).unwrap())
}

fn inspect(machine: &mut Machine, owner: &mut Owner) -> Result<Inspected, Refusal> {
    owner.ask(machine, Op::Inspect).map(|result| Inspected::from_bytes(&result).unwrap())
}

#[test]
fn each_part_rotates_alone_and_all_together() {
    let (mut machine, mut owner) = (host(1), Owner::eddsa());
    let share = Some([5; 32]);
    for (change, expected) in [
        (DATA_KEY, 2),
        (Change { epoch: true, ..Change::default() }, 2),
        (Change { share, ..Change::default() }, 3),
        (Change { data_key: true, epoch: true, share: Some([6; 32]), owners: Some(owner.keys()) }, 4),
    ] {
        let rotated = rotate(&mut machine, &mut owner, &change).unwrap();
        assert_eq!(rotated.generation, expected);
        owner.envelope = rotated.envelope;
        owner.share = change.share.unwrap_or(owner.share);
        owner.ask(&mut machine, Op::Acknowledge).unwrap();
        let inspected = inspect(&mut machine, &mut owner).unwrap();
        assert_eq!((inspected.generation, inspected.current), (expected, true));
    }
}

#[test]
fn rotating_nothing_is_refused() {
    let (mut machine, mut owner) = (host(1), Owner::eddsa());
    assert_eq!(rotate(&mut machine, &mut owner, &Change::default()), Err(Refusal::NothingToRotate));
}

#[test]
fn m21_a_rotation_is_pending_until_it_is_acknowledged_and_the_old_one_works_until_then() {
    let (mut machine, mut owner) = (host(1), Owner::eddsa());
    let old = owner.envelope.clone();
    let rotated = rotate(&mut machine, &mut owner, &DATA_KEY).unwrap();
    assert!(inspect(&mut machine, &mut owner).unwrap().current, "the old one");

    owner.envelope = rotated.envelope.clone();
    assert!(!inspect(&mut machine, &mut owner).unwrap().current, "pending");
    assert_eq!(rotate(&mut machine, &mut owner, &DATA_KEY), Err(Refusal::GenerationPending));

    owner.ask(&mut machine, Op::Acknowledge).unwrap();
    owner.envelope = old;
    assert_eq!(inspect(&mut machine, &mut owner).err(), Some(Refusal::StaleGeneration));
    owner.envelope = rotated.envelope;
    assert!(inspect(&mut machine, &mut owner).unwrap().current);
}

#[test]
fn m21_a_lost_rotation_reply_loses_no_key() {
    let (mut machine, mut owner) = (host(1), Owner::eddsa());
    let lost = rotate(&mut machine, &mut owner, &DATA_KEY).unwrap();
    let second = rotate(&mut machine, &mut owner, &DATA_KEY).unwrap();
    assert!(second.generation > lost.generation, "no two envelopes of one generation");
    owner.envelope = lost.envelope;
    assert_eq!(owner.ask(&mut machine, Op::Acknowledge), Err(Refusal::StaleGeneration));
    owner.envelope = second.envelope;
    owner.ask(&mut machine, Op::Acknowledge).unwrap();
    inspect(&mut machine, &mut owner).unwrap();
}

#[test]
fn m21_a_lost_acknowledgement_is_sent_again() {
    let (mut machine, mut owner) = (host(1), Owner::eddsa());
    owner.envelope = rotate(&mut machine, &mut owner, &DATA_KEY).unwrap().envelope;
    owner.ask(&mut machine, Op::Acknowledge).unwrap();
    owner.ask(&mut machine, Op::Acknowledge).unwrap();
}

#[test]
fn m21_an_enclave_that_died_between_rotation_and_acknowledgement_loses_neither_generation() {
    for keeps_new in [false, true] {
        let (mut machine, mut owner) = (host(1), Owner::eddsa());
        let rotated = rotate(&mut machine, &mut owner, &DATA_KEY).unwrap();
        if keeps_new {
            owner.envelope = rotated.envelope;
        }
        let mut next = host(2);
        inspect(&mut next, &mut owner).unwrap();
        owner.ask(&mut next, Op::Acknowledge).unwrap();
        rotate(&mut next, &mut owner, &DATA_KEY).unwrap();
    }
}

#[test]
fn new_owners_need_both_factors_of_the_old_and_possession_of_the_new() {
    let (mut machine, mut owner) = (host(1), Owner::eddsa());
    let (device, second) = (Key::es256(OwnerRole::Device), Key::es256(OwnerRole::Second));
    let new = vec![device.public.clone(), second.public.clone()];
    let mut draft = owner.draft(&machine, Op::Rotate);
    draft.args = Change { owners: Some(new.clone()), ..Change::default() }.args();

    let ask = |machine: &mut Machine, by: &[&Key]| {
        let sealed = draft.seal(by);
        let answer = machine.request(&sealed.bytes);
        sealed.open(answer, machine).result
    };
    let (old_device, old_second) = (&owner.device, &owner.second);
    assert_eq!(ask(&mut machine, &[old_device, &device, &second]), Err(Refusal::SecondFactorNeeded));
    assert_eq!(ask(&mut machine, &[&device, &second]), Err(Refusal::NotAuthorised));
    assert_eq!(ask(&mut machine, &[old_device, old_second]), Err(Refusal::PossessionNotProven));
    assert_eq!(ask(&mut machine, &[old_device, old_second, &device]), Err(Refusal::PossessionNotProven));
    let rotated = ask(&mut machine, &[old_device, old_second, &device, &second]).unwrap();

    owner.envelope = Rotated::from_bytes(&rotated).unwrap().envelope;
    assert_eq!(inspect(&mut machine, &mut owner).err(), Some(Refusal::NotAuthorised), "the old key");
    (owner.device, owner.second) = (device, second);
    owner.ask(&mut machine, Op::Acknowledge).unwrap();
    assert_eq!(inspect(&mut machine, &mut owner).unwrap().owners, new);
}

#[test]
fn a_new_share_needs_both_factors_and_a_new_data_key_or_epoch_does_not() {
    let (mut machine, mut owner) = (host(1), Owner::eddsa());
    let by_device = |machine: &mut Machine, owner: &mut Owner, change: Change| {
        let mut draft = owner.draft(machine, Op::Rotate);
        draft.args = change.args();
        owner.ask_draft(machine, &draft).map(|result| Rotated::from_bytes(&result).unwrap())
    };
    let share = Some([5; 32]);
    for change in [
        Change { share, ..Change::default() },
        Change { share, ..DATA_KEY },
        Change { share: Some(owner.share), ..Change::default() },
        Change { data_key: true, epoch: true, share, owners: Some(owner.keys()) },
    ] {
        assert_eq!(by_device(&mut machine, &mut owner, change), Err(Refusal::SecondFactorNeeded));
    }
    let mut draft = owner.draft(&machine, Op::Rotate);
    draft.args = Change { share, ..Change::default() }.args();
    let sealed = draft.seal(&[&owner.second]);
    let answer = machine.request(&sealed.bytes);
    assert_eq!(sealed.open(answer, &machine).result, Err(Refusal::NotAuthorised), "the second factor alone");

    for change in [DATA_KEY, Change { epoch: true, ..DATA_KEY }] {
        owner.envelope = by_device(&mut machine, &mut owner, change).unwrap().envelope;
        owner.ask(&mut machine, Op::Acknowledge).unwrap();
    }
    by_device(&mut machine, &mut owner, Change { epoch: true, ..Change::default() }).unwrap();
}

#[test]
fn a_thief_of_device_key_share_and_envelope_makes_no_envelope_that_its_owner_cannot_open() {
    let (mut machine, mut owner) = (host(1), Owner::eddsa());
    let thiefs = Key::eddsa(OwnerRole::Device);
    let (alone, both) =
        (vec![thiefs.public.clone()], vec![owner.device.public.clone(), thiefs.public.clone()]);
    for (share, owners) in
        [(Some([6; 32]), None), (None, Some(&alone)), (None, Some(&both)), (Some([6; 32]), Some(&both))]
    {
        let mut draft = owner.draft(&machine, Op::Rotate);
        draft.args = Change { data_key: true, epoch: true, share, owners: owners.cloned() }.args();
        let held = [&owner.device, &thiefs];
        let sealed = draft.seal(if owners.is_some() { &held } else { &held[..1] });
        let answer = machine.request(&sealed.bytes);
        assert_eq!(sealed.open(answer, &machine).result, Err(Refusal::SecondFactorNeeded));
    }
    // What the device key does alone stays the owner's: their share, their keys.
    let mut draft = owner.draft(&machine, Op::Rotate);
    draft.args = DATA_KEY.args();
    let rotated = Rotated::from_bytes(&owner.ask_draft(&mut machine, &draft).unwrap()).unwrap();
    owner.envelope = rotated.envelope;
    assert_eq!(inspect(&mut machine, &mut owner).unwrap().owners, owner.keys());
}

#[test]
fn an_owner_set_that_no_envelope_should_have_is_refused() {
    let (mut machine, mut owner) = (host(1), Owner::eddsa());
    let device = owner.device.public.clone();
    let in_two_roles = OwnerKey { role: OwnerRole::Second, ..device.clone() };
    let short = OwnerKey { public: vec![4; 31], ..device.clone() };
    for owners in [
        vec![],
        vec![owner.second.public.clone()],
        vec![device.clone(), device.clone()],
        vec![device.clone(), in_two_roles],
        vec![device.clone(), short],
        vec![device; 9],
    ] {
        let change = Change { owners: Some(owners.clone()), ..Change::default() };
        assert_eq!(rotate(&mut machine, &mut owner, &change), Err(Refusal::Malformed), "{owners:?}");
    }
}

#[test]
fn a_forgotten_connection_is_refused_for_the_rest_of_the_start() {
    let (mut machine, mut owner) = (host(1), Owner::eddsa());
    owner.ask(&mut machine, Op::Forget).unwrap();
    for op in [Op::Inspect, Op::Acknowledge, Op::Forget] {
        assert_eq!(owner.ask(&mut machine, op), Err(Refusal::Forgotten));
    }
}

#[test]
fn m13_an_envelope_opens_for_no_other_owner_share_or_connection() {
    let mut machine = host(1);
    let (mut a, mut b) = (Owner::eddsa(), Owner::eddsa());
    core::mem::swap(&mut a.envelope, &mut b.envelope);
    assert_eq!(inspect(&mut machine, &mut a).err(), Some(Refusal::EnvelopeRefused), "another share");
    core::mem::swap(&mut a.share, &mut b.share);
    assert_eq!(inspect(&mut machine, &mut a).err(), Some(Refusal::NotAuthorised), "another owner");
}

#[test]
fn a_request_without_envelope_or_share_is_malformed() {
    let (mut machine, mut owner) = (host(1), Owner::eddsa());
    let mut draft = owner.draft(&machine, Op::Inspect);
    draft.envelope = None;
    assert_eq!(owner.ask_draft(&mut machine, &draft), Err(Refusal::Malformed));
    let mut draft = owner.draft(&machine, Op::Inspect);
    draft.share = None;
    assert_eq!(owner.ask_draft(&mut machine, &draft), Err(Refusal::Malformed));
    let mut draft = owner.draft(&machine, Op::Inspect);
    draft.share = Some(vec![1; 31]);
    assert_eq!(owner.ask_draft(&mut machine, &draft), Err(Refusal::Malformed));
}
