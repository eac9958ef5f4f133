//! A root of class `owner` for a program that was not there at the genesis: made in it, for it alone.

use super::epochs::{adopt, begun, epochs};
use super::*;
use enclave::{AttestFailed, Attestation, Attester};
use verify::consent::program_name;
use verify::manifest::with_made;
use verify::measurement::{Name, Registers};
use wire::UnixMillis;
use wire::evidence::Hash;
use wire::identity::TeeKind;
use wire::manifest::{ManifestFault, Stage, Step};

const ASKED: u32 = 4;

/// An enclave of the old program with every class, and one of the newer program that inherited from it.
fn two(scene: &Scene) -> (Machine, Machine) {
    let mut old = scene.booted(&ALL, &ALL);
    let new = scene.inherited(&mut old, NEW, &scene.newer());
    assert_eq!(classes(&new), ANY);
    adopt(scene, &mut old, &scene.newer());
    (old, new)
}

/// Asks for this epoch of class `owner`, under the roots of `own`.
fn asking(own: &Manifest, epoch: u32) -> Manifest {
    let step = Step { stage: Stage::Make, class: "owner".into(), epoch };
    Manifest { nonce: own.nonce + 1, steps: Some(vec![step]), ..own.clone() }
}

/// Commits to what was made.
fn committing(asking: &Manifest, made: &Genesis) -> Manifest {
    Manifest { nonce: asking.nonce + 1, ..with_made(asking, &made.roots) }
}

fn name(scene: &Scene, place: usize) -> Option<Hash> {
    Some(program_name(&scene.newer().programs[place]))
}

#[test]
fn a_newer_program_makes_its_own_root_of_class_owner_and_the_older_one_has_nothing_of_it() {
    let scene = Scene::new();
    let (mut old, mut new) = two(&scene);
    let asking = asking(&scene.newer(), 2);
    assert_eq!(asking.nonce, ASKED);
    let made = begun(&scene, &mut new, &asking);
    let said: Vec<_> = made.roots.iter().map(|root| (root.class(), root.epoch, root.program)).collect();
    assert_eq!(said, [(Some(Class::Owner), 2, name(&scene, 1))]);
    assert_eq!(begun(&scene, &mut new, &asking), made, "an answer that was lost is given again");
    assert_eq!(classes(&new), ANY, "nothing is held before a manifest commits to it");
    let next = committing(&asking, &made);
    next.check_form().unwrap();
    assert_eq!(next.steps, None, "the first of a program is current at once");
    adopt(&scene, &mut new, &next);
    assert_eq!(epochs(&new), [(Class::Any, 1, 1), (Class::Owner, 2, 1)]);
    adopt(&scene, &mut old, &next);
    assert_eq!(epochs(&old), ALL.map(|class| (class, 1, 1)), "another program's epoch is none of its own");
    // Each goes on to successors of its own program, and the newer one's root is in no other's hands.
    let heirs = [(OLD, vec![1, 1, 1]), (NEW, vec![1])].map(|(measured, expected)| {
        let heir = scene.inherited_from(&mut old, &next, measured, &next);
        assert_eq!(epochs(&heir).iter().map(|(_, current, _)| *current).collect::<Vec<_>>(), expected);
        classes(&heir)
    });
    assert_eq!(heirs, [ALL.to_vec(), ANY.to_vec()]);
    let heir = scene.inherited_from(&mut new, &next, NEW, &next);
    assert_eq!(epochs(&heir), [(Class::Any, 1, 1), (Class::Owner, 2, 1)]);
}

#[test]
fn m21_what_a_newer_program_made_comes_back_from_its_holders_to_that_program_alone() {
    let scene = Scene::new();
    let (_, mut new) = two(&scene);
    let asking = asking(&scene.newer(), 2);
    let lost = begun(&scene, &mut new, &asking);
    // The start that made it ends before a manifest commits to it: nothing was sealed under it, and another is made.
    let (_, mut new) = two(&scene);
    let made = begun(&scene, &mut new, &asking);
    assert_ne!(made.roots, lost.roots);
    let next = committing(&asking, &made);
    let holders = [1, 3].map(|number| {
        (scene.operators.held(&scene.genesis, number), scene.operators.held(&made, number), number)
    });
    let boot = |measured, classes: &[Class]| {
        let mut machine = Machine::of(scene.vendor.enclave(measured));
        let document = machine.setup_of(scene.operators.propose(&next)).document;
        for (first, later, number) in &holders {
            let (first, later) = (Shares::from_bytes(first).unwrap(), Shares::from_bytes(later).unwrap());
            let owners = if measured == NEW { later.shares } else { Vec::new() };
            let wanted =
                |share: &wire::ceremony::Share<'_>| classes.iter().any(|class| class.name() == share.class);
            let is_own = |share: &wire::ceremony::Share<'_>| measured == OLD || share.class != "owner";
            let shares = first.shares.into_iter().filter(|share| wanted(share) && is_own(share));
            let shares = shares.chain(owners).collect();
            machine.release(seal(&document, *number, &Shares { shares }));
        }
        epochs(&machine)
    };
    assert_eq!(boot(NEW, &ANY), [(Class::Any, 1, 1), (Class::Owner, 2, 1)]);
    assert_eq!(boot(OLD, &ALL), ALL.map(|class| (class, 1, 1)));
}

#[test]
fn a_start_that_made_no_root_takes_none_and_runs_without_the_class() {
    let scene = Scene::new();
    let (_, mut new) = two(&scene);
    let (_, mut replica) = two(&scene);
    let asking = asking(&scene.newer(), 2);
    let made = begun(&scene, &mut new, &asking);
    // A replica made another one, which nothing commits to.
    begun(&scene, &mut replica, &asking);
    let next = committing(&asking, &made);
    adopt(&scene, &mut replica, &next);
    assert_eq!(classes(&replica), ANY);
    // A later manifest that leaves the root out is none that follows.
    adopt(&scene, &mut new, &next);
    let without = Manifest { nonce: 9, ..scene.newer() };
    for machine in [&mut new, &mut replica] {
        let refused = machine.refused(&Ceremony::Adopt(scene.operators.propose(&without)));
        assert_eq!(refused.0, CeremonyFault::NotASuccessor);
    }
}

#[test]
fn once_a_newer_program_has_a_root_the_older_ones_get_no_further_epoch() {
    let scene = Scene::new();
    let (mut old, mut new) = two(&scene);
    let first = asking(&scene.newer(), 2);
    let made = begun(&scene, &mut new, &first);
    let next = committing(&first, &made);
    adopt(&scene, &mut new, &next);
    adopt(&scene, &mut old, &next);
    let later = asking(&next, 3);
    let step = Ceremony::Begin(scene.operators.propose(&later));
    assert_eq!(old.refused(&step), (CeremonyFault::NothingToMake, None));
    let made = begun(&scene, &mut new, &later);
    assert_eq!(made.roots[0].program, name(&scene, 1));
    let pending = committing(&later, &made);
    assert_eq!(pending.steps().len(), 1, "an epoch after another is pending first");
    adopt(&scene, &mut old, &pending);
    adopt(&scene, &mut new, &pending);
    assert_eq!(epochs(&new), [(Class::Any, 1, 1), (Class::Owner, 2, 2)]);
    let promoted = Manifest { nonce: pending.nonce + 1, steps: None, ..pending };
    adopt(&scene, &mut old, &promoted);
    adopt(&scene, &mut new, &promoted);
    assert_eq!(epochs(&new), [(Class::Any, 1, 1), (Class::Owner, 3, 2)]);
    assert_eq!(epochs(&old), ALL.map(|class| (class, 1, 1)));
}

#[test]
fn whose_root_it_is_has_to_be_plain_and_a_program_that_has_one_makes_no_first_one_again() {
    let scene = Scene::new();
    let (mut old, _) = two(&scene);
    let step = Ceremony::Begin(scene.operators.propose(&asking(&scene.newer(), 2)));
    // The old program has the class: what it begins is its own next epoch.
    let Answer::Genesis(attested) = old.step(&step) else { panic!("not begun") };
    let made = Genesis::from_bytes(&attested.document).unwrap();
    assert_eq!(made.roots[0].program, name(&scene, 0));
    // One of it that was given no class `owner` begins none beside the one that there is.
    let mut without = scene.booted(&ANY, &ANY);
    adopt(&scene, &mut without, &scene.newer());
    assert_eq!(without.refused(&step), (CeremonyFault::NothingToMake, None));
    // And where nobody vouches for what an enclave is, the manifest has to list one program of its kind.
    let mut unknown = Machine::start();
    let document = unknown.setup(scene.operators.propose(&scene.newer()));
    for number in [1, 2] {
        unknown.release(scene.release(number, &document, &ANY));
    }
    assert_eq!(unknown.refused(&step), (CeremonyFault::ProgramAmbiguous, None));
}

/// An enclave in a TEE whose device tells a program what was measured of it.
struct KnowsItself {
    attester: Box<dyn Attester>,
    measured: u8,
}

impl Attester for KnowsItself {
    fn kind(&self) -> TeeKind {
        self.attester.kind()
    }

    fn own_registers(&mut self) -> Option<Registers> {
        Some(Registers::new().with(Name::Pcr(0), [self.measured; 48]).unwrap())
    }

    fn attest(&mut self, report_data: &[u8; 64], time: UnixMillis) -> Result<Attestation, AttestFailed> {
        self.attester.attest(report_data, time)
    }
}

#[test]
fn an_enclave_whose_device_tells_what_was_measured_needs_nobody_to_vouch_for_it_to_itself() {
    let scene = Scene::new();
    let knows_itself = |measured| -> Box<dyn Attester> {
        Box::new(KnowsItself { attester: scene.vendor.doubting(measured), measured })
    };
    let begin = Ceremony::Begin(scene.operators.propose(&asking(&scene.newer(), 2)));
    let begun = |attester| {
        let mut machine = Machine::of(attester);
        let document = machine.setup_of(scene.operators.propose(&scene.newer())).document;
        for number in [1, 2] {
            machine.release(scene.release(number, &document, &ANY));
        }
        machine.step(&begin)
    };
    let Answer::Genesis(attested) = begun(knows_itself(NEW)) else { panic!("not begun") };
    let made = Genesis::from_bytes(&attested.document).unwrap();
    assert_eq!(made.roots[0].program, name(&scene, 1));
    // The manifest lists no such program, or what it measured nobody knows: nothing is made for another.
    for attester in [knows_itself(NEW + 1), scene.vendor.doubting(NEW)] {
        let Answer::Refused(refused) = begun(attester) else { panic!("begun") };
        assert_eq!(refused.fault, CeremonyFault::ProgramAmbiguous);
    }
}

#[test]
fn an_epoch_of_class_owner_is_of_one_program_and_a_program_has_its_epochs_together() {
    let scene = Scene::new();
    let root = |epoch, place| {
        let program = name(&scene, place);
        wire::manifest::RootCommitment { epoch, program, ..scene.genesis.roots[2].clone() }
    };
    let with = |roots: &[(u32, usize)]| {
        let mut manifest = scene.newer();
        manifest.roots.truncate(2);
        manifest.roots.extend(roots.iter().map(|(epoch, place)| root(*epoch, *place)));
        manifest.check_form()
    };
    for formed in [&[(1, 0)][..], &[(1, 0), (2, 0)], &[(1, 0), (2, 1)], &[(2, 1), (7, 0), (8, 0)]] {
        assert_eq!(with(formed), Ok(()), "{formed:?}");
    }
    for malformed in [
        &[(1, 0), (1, 1)][..],
        &[(2, 0), (1, 1)],
        &[(1, 0), (3, 0)],
        &[(1, 0), (2, 1), (3, 0)],
        &[(1, 0), (2, 1), (2, 1)],
    ] {
        assert_eq!(with(malformed), Err(ManifestFault::Roots), "{malformed:?}");
    }
    // A step is of the newest of the class, and the first of a program is never pending.
    let pending = |roots: &[(u32, usize)], epoch| {
        let mut manifest = scene.newer();
        manifest.roots.truncate(2);
        manifest.roots.extend(roots.iter().map(|(epoch, place)| root(*epoch, *place)));
        manifest.steps = Some(vec![Step { stage: Stage::Pending, class: "owner".into(), epoch }]);
        manifest.check_form()
    };
    assert_eq!(pending(&[(1, 0), (2, 1), (3, 1)], 3), Ok(()));
    for (roots, epoch) in [(&[(1, 0), (2, 1)][..], 2), (&[(1, 0), (2, 0), (3, 1)], 2), (&[(1, 0)], 1)] {
        assert_eq!(pending(roots, epoch), Err(ManifestFault::Steps), "{roots:?}");
    }
}
