//! New epochs of each class, and what going over to a manifest opens.

use super::*;
use verify::manifest::with_made;
use wire::Refusal;
use wire::ceremony::Share;
use wire::manifest::{Stage, Step};

/// The manifest that asks for epoch 2 of these classes.
fn asking(scene: &Scene, classes: &[Class]) -> Manifest {
    let step = |class: &Class| Step { stage: Stage::Make, class: class.name().into(), epoch: 2 };
    Manifest { nonce: 3, steps: Some(classes.iter().map(step).collect()), ..scene.manifest() }
}

pub(super) fn begun(scene: &Scene, machine: &mut Machine, asking: &Manifest) -> Genesis {
    match machine.step(&Ceremony::Begin(scene.operators.propose(asking))) {
        Answer::Genesis(attested) => Genesis::from_bytes(&attested.document).unwrap(),
        other => panic!("not begun: {other:?}"),
    }
}

/// Without the steps of these classes: they are current from then on.
fn promoting(pending: &Manifest, nonce: u32, classes: &[Class]) -> Manifest {
    let is_left = |step: &&Step| !classes.iter().any(|class| class.name() == step.class);
    let left: Vec<Step> = pending.steps().iter().filter(is_left).cloned().collect();
    Manifest { nonce, steps: (!left.is_empty()).then_some(left), ..pending.clone() }
}

pub(super) fn adopt(scene: &Scene, machine: &mut Machine, manifest: &Manifest) {
    let answer = machine.step(&Ceremony::Adopt(scene.operators.propose(manifest)));
    assert!(matches!(answer, Answer::Status(_)), "{answer:?}");
}

/// Of each class that is held, the epoch to seal under and how many are held.
pub(super) fn epochs(machine: &Machine) -> Vec<(Class, u32, usize)> {
    let identity = identity(machine);
    let of =
        |class: Class| identity.epochs_of(class).map(|held| (class, held.current, held.commitments.len()));
    Class::ALL.into_iter().filter_map(of).collect()
}

/// A start that two holders give everything of these classes, of both geneses.
fn booted_again(scene: &Scene, manifest: &Manifest, begun: &Genesis, classes: &[Class]) -> Machine {
    booted_in(Machine::of(scene.vendor.enclave(OLD)), scene, manifest, begun, classes)
}

fn booted_in(
    mut machine: Machine,
    scene: &Scene,
    manifest: &Manifest,
    begun: &Genesis,
    classes: &[Class],
) -> Machine {
    let document = machine.setup_of(scene.operators.propose(manifest)).document;
    for number in [1, 3] {
        let held = [&scene.genesis, begun].map(|genesis| scene.operators.held(genesis, number));
        let all = held.iter().flat_map(|held| Shares::from_bytes(held).unwrap().shares);
        let place = |share: &Share<'_>| classes.iter().position(|class| class.name() == share.class);
        let mut shares: Vec<Share<'_>> = all.filter(|share| place(share).is_some()).collect();
        shares.sort_by_key(|share| (place(share), share.epoch));
        machine.release(seal(&document, number, &Shares { shares }));
    }
    machine
}

#[test]
fn each_class_gets_epochs_of_its_own_and_class_owners_are_of_the_same_program() {
    let scene = Scene::new();
    let mut machine = scene.booted(&ALL, &ALL);
    let asking = asking(&scene, &ALL);
    let begun = begun(&scene, &mut machine, &asking);
    let first: Vec<_> = scene.genesis.roots.iter().map(|root| (root.class(), root.program)).collect();
    assert_eq!(begun.roots.iter().map(|root| (root.class(), root.program)).collect::<Vec<_>>(), first);
    let pending = Manifest { nonce: 4, ..with_made(&asking, &begun.roots) };
    adopt(&scene, &mut machine, &pending);
    assert_eq!(epochs(&machine), ALL.map(|class| (class, 1, 2)));
    let owners = promoting(&pending, 5, &[Class::Owner]);
    adopt(&scene, &mut machine, &owners);
    let mixed = [(Class::Any, 1, 2), (Class::Delayed, 1, 2), (Class::Owner, 2, 2)];
    assert_eq!(epochs(&machine), mixed, "one class goes on without the others");
    assert_eq!(epochs(&booted_again(&scene, &owners, &begun, &ALL)), mixed, "and comes back so");
    adopt(&scene, &mut machine, &promoting(&pending, 6, &ALL));
    assert_eq!(epochs(&machine), ALL.map(|class| (class, 2, 2)));
}

#[test]
fn an_enclave_without_a_class_begins_no_epoch_of_it_and_goes_on_where_others_promote_it() {
    let scene = Scene::new();
    let asking = asking(&scene, &[Class::Delayed, Class::Owner]);
    let mut without = scene.booted(&ALL, &ANY);
    let step = Ceremony::Begin(scene.operators.propose(&asking));
    assert_eq!(without.refused(&step), (CeremonyFault::NothingToMake, None));
    let begun = begun(&scene, &mut scene.booted(&ALL, &ALL), &asking);
    let pending = Manifest { nonce: 4, ..with_made(&asking, &begun.roots) };
    let mut without = booted_again(&scene, &pending, &begun, &ANY);
    assert_eq!(epochs(&without), [(Class::Any, 1, 1)]);
    adopt(&scene, &mut without, &promoting(&pending, 5, &ALL));
    assert_eq!(epochs(&without), [(Class::Any, 1, 1)]);
}

#[test]
fn a_manifest_that_is_adopted_opens_class_delayed_no_earlier_than_one_that_is_announced() {
    let scene = Scene::new();
    let hours = u64::from(HOURS) * HOUR_MS;
    for is_announced in [false, true] {
        let mut old = scene.booted(&ALL, &ALL);
        // However long the enclave has run under another.
        old.monotonic += 2 * hours;
        if is_announced {
            scene.announce(&mut old, &scene.newer());
            old.monotonic += hours - 1;
        }
        adopt(&scene, &mut old, &scene.newer());
        let from = scene.newer();
        assert_eq!(classes(&scene.inherited_from(&mut old, &from, NEW, &from)), ANY);
        old.monotonic += if is_announced { 1 } else { hours - 1 };
        let reached: &[Class] = if is_announced { &[Class::Any, Class::Delayed] } else { &ANY };
        assert_eq!(classes(&scene.inherited_from(&mut old, &from, NEW, &from)), reached);
        old.monotonic += 1;
        let new = scene.inherited_from(&mut old, &from, NEW, &from);
        assert_eq!(classes(&new), [Class::Any, Class::Delayed]);
    }
}

#[test]
fn m06_a_start_under_an_older_manifest_takes_no_line_back_to_an_older_epoch_of_any_class() {
    let scene = Scene::new();
    let asking = asking(&scene, &ALL);
    let begun = begun(&scene, &mut scene.booted(&ALL, &ALL), &asking);
    let pending = Manifest { nonce: 4, ..with_made(&asking, &begun.roots) };
    let boot = |machine: Machine, manifest: &Manifest, classes: &[Class]| {
        booted_in(machine, &scene, manifest, &begun, classes)
    };
    let on = |keeper| Machine::of(scene.vendor.enclave(OLD)).on(keeper);
    for class in [Class::Delayed, Class::Owner] {
        let promoted = promoting(&pending, 5, &[class]);
        let newest = boot(Machine::of(scene.vendor.enclave(OLD)).with_line(), &promoted, &ALL);
        assert_eq!(boot(on(newest.kept()), &pending, &ALL).line_refused, Some(Refusal::UnknownEpoch));
        assert_eq!(boot(on(newest.kept()), &promoted, &ALL).line_refused, None);
        // Under the older manifest, without the class, it may: and says of the class what it was told.
        let without = boot(on(newest.kept()), &pending, &ANY);
        assert_eq!(without.line_refused, None);
        assert_eq!(boot(on(without.kept()), &pending, &ALL).line_refused, Some(Refusal::UnknownEpoch));
        // Going over to the manifest that made it current, it is taken when the host brings it again.
        let mut late = boot(on(newest.kept()), &pending, &ALL);
        adopt(&scene, &mut late, &promoted);
        late.monotonic += 2_000;
        late.line_refused = None;
        late.claim(NOW);
        assert_eq!((epochs(&late).len(), late.line_refused), (3, None));
    }
}
