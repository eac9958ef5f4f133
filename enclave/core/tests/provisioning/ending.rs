//! The end of an epoch by quorum: a manifest that commits to it no more, and an enclave that has stated that nobody is in it.

use super::epochs::{PROGRAM, Scene, held, identity};
use super::support::{Machine, seal};
use verify::register::{completion, destroyed_on, destruction};
use wire::Canonical;
use wire::Refusal;
use wire::ceremony::{Answer, Ceremony, CeremonyFault, Genesis, HandOver, Inherit, Phase, Proposal, Shares};
use wire::consent::Class;
use wire::evidence::Hash;
use wire::frame::Kind;
use wire::manifest::Manifest;
use wire::register::{Conclude, Concluded, Destroy, Destroyed};

/// An enclave with epoch 2 current, whose host keeps its register; and what was begun.
fn rotated(scene: &Scene) -> (Machine, Genesis) {
    let mut machine = scene.run(Machine::of(scene.vendor.enclave(PROGRAM)).with_line());
    let begun = scene.begin(&mut machine);
    scene.adopt(&mut machine, &scene.pending(&begun));
    scene.adopt(&mut machine, &scene.promoted(&begun));
    assert_eq!(held(&machine), (2, vec![1, 2]));
    (machine, begun)
}

/// Epoch 1 of class `any` is over.
fn ended(scene: &Scene, begun: &Genesis) -> Manifest {
    let first = Some(scene.genesis.roots[0].commitment);
    Manifest { nonce: 6, roots: begun.roots.clone(), first, ..scene.promoted(begun) }
}

fn conclude(machine: &mut Machine, epoch: u32) -> Vec<u8> {
    let mut step = |step: Conclude| {
        let (kind, body) = machine.frame(Kind::Conclude, &step.to_bytes()).unwrap();
        assert_eq!(kind, Kind::Concluded);
        Concluded::from_bytes(&body).unwrap()
    };
    assert_eq!(step(Conclude::Begin(epoch, Class::Any)).taken, 0, "nobody is there");
    step(Conclude::Finish).statement.unwrap().0
}

/// What a host is told when it asks for the destruction of epoch 1.
fn destroy(machine: &mut Machine) -> Result<Destroyed, Refusal> {
    let body = Destroy { epoch: 1, absent: 0, class: Class::Any }.to_bytes();
    let (kind, body) = machine.frame(Kind::Destroy, &body).unwrap();
    match kind {
        Kind::Destroyed => Ok(Destroyed::from_bytes(&body).unwrap()),
        _ => Err(Refusal::from_number(u16::from_be_bytes(body.try_into().unwrap())).unwrap()),
    }
}

#[test]
fn an_epoch_of_a_quorum_ends_by_its_approvers_word_once_the_enclave_has_stated_that_nobody_is_in_it() {
    let scene = Scene::new();
    let (mut machine, begun) = rotated(&scene);
    let over = ended(&scene, &begun);
    let commitment = scene.genesis.roots[0].commitment;
    assert_eq!(scene.refused(&mut machine, &over), CeremonyFault::NotConcluded);
    assert_eq!(held(&machine), (2, vec![1, 2]), "refused: everything is as it was");
    let signed = conclude(&mut machine, 1);
    let concluded = completion(&identity(&machine), &signed).unwrap();
    scene.adopt(&mut machine, &over);
    assert_eq!(held(&machine), (2, vec![2]));
    // The enclave says so to whoever asks, as often as they ask.
    for _ in 0..2 {
        let destroyed = destroy(&mut machine).unwrap();
        assert!(destroyed.already);
        let statement = destruction(&identity(&machine), &destroyed.statement.0).unwrap();
        assert_eq!(destroyed_on(&statement, &concluded), Ok(()));
        assert_eq!(statement.destroyed.unwrap().commitment, commitment);
    }
    scene.adopt(&mut machine, &over);
    assert_eq!(held(&machine), (2, vec![2]));
    // The next epoch is made as ever.
    let step = super::epochs::step(3);
    let asking = Manifest { nonce: 7, steps: Some(vec![step]), ..over };
    let third = super::epochs::begun(&mut machine, scene.operators.propose(&asking));
    assert_eq!(third.roots[0].epoch, 3);
}

#[test]
fn no_host_ends_an_epoch_and_no_manifest_ends_one_that_is_sealed_under() {
    let scene = Scene::new();
    let mut machine = scene.run(Machine::of(scene.vendor.enclave(PROGRAM)).with_line());
    let begun = scene.begin(&mut machine);
    scene.adopt(&mut machine, &scene.pending(&begun));
    // In passing, before anybody could have left it.
    let over = ended(&scene, &begun);
    assert_eq!(scene.refused(&mut machine, &over), CeremonyFault::NotConcluded);
    assert_eq!(held(&machine), (1, vec![1, 2]), "nor was the other one made current");
    scene.adopt(&mut machine, &scene.promoted(&begun));
    conclude(&mut machine, 1);
    assert_eq!(destroy(&mut machine).map(|_| ()), Err(Refusal::EpochInUse), "no approver has said so");
    let alone = scene.operators.propose_by(&over, &[1]);
    assert_eq!(machine.refused(&Ceremony::Adopt(alone)).0, CeremonyFault::ApprovalsMissing);
    // The current one left out, as if it were to be forgotten.
    let older = Manifest { roots: scene.own().roots, first: None, ..over };
    assert_eq!(scene.refused(&mut machine, &older), CeremonyFault::NotASuccessor);
    assert_eq!(held(&machine), (2, vec![1, 2]));
}

#[test]
fn an_enclave_that_keeps_no_register_ends_nothing_and_hands_nothing_to_a_successor_without_it() {
    let scene = Scene::new();
    let (_, begun) = rotated(&scene);
    let over = ended(&scene, &begun);
    // A replica, which no host ever gave the line.
    let mut replica = scene.booted(&scene.promoted(&begun), &begun);
    assert_eq!(scene.refused(&mut replica, &over), CeremonyFault::NotConcluded);
    let handed = hand_over(&scene, &mut replica, &over).map(|_| ());
    assert_eq!(handed, Err(CeremonyFault::NotConcluded));
    assert!(hand_over(&scene, &mut replica, &scene.promoted(&begun)).is_ok());
}

#[test]
fn m21_a_start_after_the_end_has_nothing_of_the_epoch_and_no_manifest_brings_it_back() {
    let scene = Scene::new();
    let (mut machine, begun) = rotated(&scene);
    let over = ended(&scene, &begun);
    conclude(&mut machine, 1);
    scene.adopt(&mut machine, &over);
    let replica = hand_over(&scene, &mut machine, &over).unwrap();
    assert_eq!(held(&replica), (2, vec![2]), "by inheritance");
    let mut booted = Machine::of(scene.vendor.enclave(PROGRAM));
    let document = booted.setup_of(scene.operators.propose(&over)).document;
    for number in [2, 3] {
        let held = scene.operators.held(&begun, number);
        booted.release(seal(&document, number, &Shares::from_bytes(&held).unwrap()));
    }
    assert_eq!(held(&booted), (2, vec![2]), "by its holders");
    for back in [scene.promoted(&begun), Manifest { nonce: 9, ..scene.promoted(&begun) }] {
        for machine in [&mut machine, &mut booted] {
            assert_eq!(scene.refused(machine, &back), CeremonyFault::NotASuccessor);
        }
    }
    let mut forged = Manifest { nonce: 9, ..over };
    forged.roots[0].commitment = Hash([9; 32]);
    assert_eq!(scene.refused(&mut machine, &forged), CeremonyFault::NotASuccessor);
}

#[test]
fn what_is_over_and_still_held_keeps_an_enclave_from_handing_on_the_rest_without_it() {
    let scene = Scene::new();
    let (mut machine, begun) = rotated(&scene);
    let over = ended(&scene, &begun);
    conclude(&mut machine, 1);
    // It is adopted, and the head is not committed after which the epoch goes: whoever is in it may come back until then.
    machine.pauses();
    scene.adopt(&mut machine, &over);
    assert_eq!(held(&machine), (2, vec![1, 2]));
    let handed = hand_over(&scene, &mut machine, &over).map(|_| ());
    assert_eq!(handed, Err(CeremonyFault::NotConcluded));
    machine.goes_on();
    assert_eq!(held(&machine), (2, vec![2]));
    assert_eq!(held(&hand_over(&scene, &mut machine, &over).unwrap()), (2, vec![2]));
}

#[test]
fn m06_a_start_under_an_older_manifest_takes_no_line_back_to_an_epoch_that_is_retained_or_over() {
    let scene = Scene::new();
    let (mut machine, begun) = rotated(&scene);
    // Epoch 2 was current when the last head was made; this one would seal under epoch 1 again.
    let mut older = scene.booted_on(machine.kept(), &scene.pending(&begun), &begun);
    assert_eq!((held(&older), older.line_refused), ((1, vec![1, 2]), Some(Refusal::UnknownEpoch)));
    let begin = Conclude::Begin(1, Class::Any).to_bytes();
    let (kind, _) = older.frame(Kind::Conclude, &begin).unwrap();
    assert_eq!(kind, Kind::Refused);
    // Under the manifest that made it current, it goes on.
    let later = scene.booted_on(machine.kept(), &scene.promoted(&begun), &begun);
    assert_eq!((held(&later), later.line_refused), ((2, vec![1, 2]), None));
    // Once epoch 1 is over, it is so for a start under that manifest, too, and for whoever would inherit from it.
    conclude(&mut machine, 1);
    scene.adopt(&mut machine, &ended(&scene, &begun));
    let mut later = scene.booted_on(machine.kept(), &scene.promoted(&begun), &begun);
    assert_eq!((held(&later), later.line_refused), ((2, vec![2]), None));
    let handed = hand_over(&scene, &mut later, &scene.promoted(&begun)).map(|_| ());
    assert_eq!(handed, Err(CeremonyFault::RootsMissing));
}

/// A successor of the same program under `manifest`, if it gets the roots.
fn hand_over(scene: &Scene, old: &mut Machine, manifest: &Manifest) -> Result<Machine, CeremonyFault> {
    let Answer::Challenge(challenge) = old.step(&Ceremony::Challenge) else { panic!("no challenge") };
    let mut new = Machine::of(scene.vendor.enclave(PROGRAM));
    let proposal = Proposal { nonce: challenge.nonce, ..scene.operators.propose(manifest) };
    let setup = new.setup_of(proposal.clone());
    let handover = match old.step(&Ceremony::HandOver(HandOver { proposal, setup })) {
        Answer::HandOver(handover) => handover,
        Answer::Refused(refused) => return Err(refused.fault),
        other => panic!("not handed over: {other:?}"),
    };
    let proposal = scene.operators.propose(manifest);
    let status = new.step(&Ceremony::Inherit(Inherit { proposal, handover }));
    assert!(matches!(status, Answer::Status(status) if status.phase == Phase::Provisioned));
    Ok(new)
}
