//! Consent classes: which roots a boot by holders and a handover yield, and when.

mod epochs;
mod newer;

use super::support::{Machine, NONCE, NOW, Operators, made_with_classes, seal};
use super::vendor::Vendor;
use wire::Canonical;
use wire::ceremony::{
    Answer, Ceremony, CeremonyFault, Genesis, HandOver, Inherit, Proposal, Release, Shares,
};
use wire::consent::Class;
use wire::identity::Identity;
use wire::manifest::{Manifest, Program, Register};

/// What the programs of the first manifest measure, and of a newer one.
const OLD: u8 = 7;
const NEW: u8 = 8;
const HOURS: u16 = 2;
const HOUR_MS: u64 = 3_600_000;

struct Scene {
    operators: Operators,
    genesis: Genesis,
    vendor: Vendor,
}

impl Scene {
    fn new() -> Scene {
        let (operators, genesis) = made_with_classes(HOURS);
        Scene { operators, genesis, vendor: Vendor::new() }
    }

    fn manifest(&self) -> Manifest {
        self.operators.next(&self.genesis)
    }

    /// A newer manifest that lets a newer program have roots beside the older one.
    fn newer(&self) -> Manifest {
        let mut manifest = Manifest { nonce: 3, ..self.manifest() };
        let register = Register { name: "PCR0".into(), value: [NEW; 48] };
        manifest.programs.push(Program { registers: vec![register], ..manifest.programs[0].clone() });
        manifest
    }

    /// Holder `number`'s release of the shares of these classes alone.
    fn release(&self, number: u8, document: &[u8], classes: &[Class]) -> Release {
        let held = self.operators.held(&self.genesis, number);
        let shares = Shares::from_bytes(&held).unwrap();
        let wanted =
            |share: &wire::ceremony::Share<'_>| classes.iter().any(|class| class.name() == share.class);
        seal(document, number, &Shares { shares: shares.shares.into_iter().filter(wanted).collect() })
    }

    /// What an enclave has after two holders released these classes each.
    fn booted(&self, first: &[Class], second: &[Class]) -> Machine {
        let mut machine = Machine::of(self.vendor.enclave(OLD));
        let document = machine.setup_of(self.operators.propose(&self.manifest())).document;
        machine.release(self.release(1, &document, first));
        machine.release(self.release(2, &document, second));
        machine
    }

    fn asked(&self, old: &mut Machine, new: &mut Machine, next: &Manifest) -> HandOver {
        let Answer::Challenge(challenge) = old.step(&Ceremony::Challenge) else { panic!("no challenge") };
        let proposal = Proposal { nonce: challenge.nonce, ..self.operators.propose(next) };
        HandOver { setup: new.setup_of(proposal.clone()), proposal }
    }

    /// What a successor that measures this has after a handover.
    fn inherited(&self, old: &mut Machine, measured: u8, next: &Manifest) -> Machine {
        self.inherited_from(old, &self.manifest(), measured, next)
    }

    /// The same of a predecessor that runs under this manifest.
    fn inherited_from(&self, old: &mut Machine, own: &Manifest, measured: u8, next: &Manifest) -> Machine {
        let mut new = Machine::of(self.vendor.enclave(measured));
        new.monotonic = old.monotonic;
        new.claim(now(old));
        let asked = self.asked(old, &mut new, next);
        let Answer::HandOver(handover) = old.step(&Ceremony::HandOver(asked)) else {
            panic!("not handed over")
        };
        let inherit = Inherit { proposal: self.operators.propose(own), handover };
        let answer = new.step(&Ceremony::Inherit(inherit));
        assert!(matches!(answer, Answer::Status(_)), "{answer:?}");
        new
    }

    fn announce(&self, machine: &mut Machine, next: &Manifest) -> Answer {
        machine.step(&Ceremony::Announce(self.operators.propose(next)))
    }
}

/// What the machine's host has claimed, and what its counter has run since.
fn now(machine: &Machine) -> wire::UnixMillis {
    NOW.plus(machine.monotonic - 1_000)
}

fn identity(machine: &Machine) -> Identity {
    Identity::from_bytes(machine.enclave().unwrap().identity()).unwrap()
}

fn classes(machine: &Machine) -> Vec<Class> {
    let identity = identity(machine);
    assert!(identity.is_coherent());
    Class::ALL.into_iter().filter(|class| identity.epochs_of(*class).is_some()).collect()
}

const ALL: [Class; 3] = Class::ALL;
const ANY: [Class; 1] = [Class::Any];

#[test]
fn a_genesis_makes_a_root_for_each_class_and_names_the_program_of_class_owners() {
    let scene = Scene::new();
    let made: Vec<(Option<Class>, bool)> =
        scene.genesis.roots.iter().map(|root| (root.class(), root.program.is_some())).collect();
    let expected = [(Some(Class::Any), false), (Some(Class::Delayed), false), (Some(Class::Owner), true)];
    assert_eq!(made, expected);
    let program = verify::consent::program_name(&scene.manifest().programs[0]);
    assert_eq!(scene.genesis.roots[2].program, Some(program));
    scene.manifest().check_form().unwrap();
    // Of two programs of this kind of TEE, it would not be said whose root it is.
    let mut operators = Operators::new(3, 3);
    operators.delay = Some(HOURS);
    let mut manifest = operators.manifest();
    manifest.programs.push(scene.newer().programs[1].clone());
    let refused = Machine::start().refused(&Ceremony::Genesis(operators.propose(&manifest)));
    assert_eq!(refused, (CeremonyFault::ProgramAmbiguous, None));
}

#[test]
fn a_boot_yields_the_classes_that_enough_holders_released_and_never_less_than_any() {
    let scene = Scene::new();
    let booted = |first: &[Class], second: &[Class]| classes(&scene.booted(first, second));
    assert_eq!(booted(&ALL, &ALL), ALL);
    assert_eq!(booted(&ANY, &ANY), ANY);
    assert_eq!(booted(&ALL, &ANY), ANY, "one holder's share of a class is not enough");
    assert_eq!(booted(&ALL, &[Class::Any, Class::Owner]), [Class::Any, Class::Owner]);
    let mut machine = Machine::of(scene.vendor.enclave(OLD));
    let document = machine.setup_of(scene.operators.propose(&scene.manifest())).document;
    let without = Ceremony::Release(scene.release(1, &document, &[Class::Delayed, Class::Owner]));
    assert_eq!(machine.refused(&without), (CeremonyFault::ShareWrong, Some(1)));
    let nothing = Ceremony::Release(scene.release(1, &document, &[]));
    assert_eq!(machine.refused(&nothing), (CeremonyFault::ShareWrong, Some(1)));
}

#[test]
fn a_replica_of_the_same_program_inherits_every_class_at_once() {
    let scene = Scene::new();
    let mut old = scene.booted(&ALL, &ALL);
    for next in [scene.manifest(), scene.newer()] {
        let new = scene.inherited(&mut old, OLD, &next);
        assert_eq!(classes(&new), ALL);
        let (old, new) = (identity(&old), identity(&new));
        assert_eq!((old.epochs, old.classes), (new.epochs, new.classes));
    }
}

#[test]
fn a_newer_program_gets_class_any_alone_until_it_was_announced_for_the_hours_that_the_manifest_says() {
    let scene = Scene::new();
    let mut old = scene.booted(&ALL, &ALL);
    assert_eq!(classes(&scene.inherited(&mut old, NEW, &scene.newer())), ANY, "never announced");
    assert!(matches!(scene.announce(&mut old, &scene.newer()), Answer::Status(_)));
    let announced = identity(&old).announced;
    assert_eq!(announced.len(), 1, "it is public: {announced:?}");
    assert_eq!(announced[0].manifest.0, verify::manifest::hash(&scene.newer().to_bytes()));
    assert_eq!(classes(&scene.inherited(&mut old, NEW, &scene.newer())), ANY);
    old.monotonic += u64::from(HOURS) * HOUR_MS - 1;
    assert_eq!(classes(&scene.inherited(&mut old, NEW, &scene.newer())), ANY);
    assert!(
        matches!(scene.announce(&mut old, &scene.newer()), Answer::Status(_)),
        "again: nothing begins anew"
    );
    old.monotonic += 1;
    let new = scene.inherited(&mut old, NEW, &scene.newer());
    assert_eq!(classes(&new), [Class::Any, Class::Delayed], "and class owner's root never");
}

#[test]
fn the_hosts_clock_hastens_no_class() {
    let scene = Scene::new();
    let mut old = scene.booted(&ALL, &ALL);
    scene.announce(&mut old, &scene.newer());
    old.claim(NOW.plus(u64::from(HOURS) * HOUR_MS + 1));
    let mut new = Machine::of(scene.vendor.enclave(NEW));
    new.claim(NOW.plus(u64::from(HOURS) * HOUR_MS + 1));
    let asked = scene.asked(&mut old, &mut new, &scene.newer());
    let Answer::HandOver(handover) = old.step(&Ceremony::HandOver(asked)) else { panic!("not handed over") };
    let proposal = scene.operators.propose(&scene.manifest());
    new.step(&Ceremony::Inherit(Inherit { proposal, handover }));
    assert_eq!(classes(&new), ANY);
}

#[test]
fn only_an_approved_manifest_that_succeeds_is_announced_and_no_simulation_or_waiting_start_does() {
    let scene = Scene::new();
    let mut old = scene.booted(&ALL, &ALL);
    let mut unapproved = scene.operators.propose(&scene.newer());
    unapproved.approvals.pop();
    assert_eq!(old.refused(&Ceremony::Announce(unapproved)).0, CeremonyFault::ApprovalsMissing);
    for change in [
        (|m| m.nonce = 1) as fn(&mut Manifest),
        |m| m.name = "other".into(),
        |m| m.delay = Some(HOURS - 1),
        |m| m.classes.truncate(2),
    ] {
        let mut manifest = scene.newer();
        change(&mut manifest);
        manifest.roots.retain(|root| manifest.classes.contains(&root.class));
        let refused = old.refused(&Ceremony::Announce(scene.operators.propose(&manifest)));
        assert_eq!(refused.0, CeremonyFault::NotASuccessor);
    }
    assert!(identity(&old).announced.is_empty());
    let mut waiting = Machine::of(scene.vendor.enclave(NEW));
    let announce = Ceremony::Announce(scene.operators.propose(&scene.newer()));
    assert_eq!(waiting.refused(&announce), (CeremonyFault::NotProvisioned, None));
}

#[test]
fn an_enclave_without_a_class_hands_on_what_it_has() {
    let scene = Scene::new();
    let mut old = scene.booted(&ANY, &ANY);
    assert_eq!(classes(&scene.inherited(&mut old, OLD, &scene.manifest())), ANY);
    assert_eq!(scene.operators.propose(&scene.manifest()).nonce, NONCE);
}
