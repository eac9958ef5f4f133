//! New epochs by quorum: begun, held as pending, and current, by approvers' word alone; and what ends on the way.

use super::keeper::Keeper;
use super::support::{Machine, NONCE, Operators, made, seal};
use super::vendor::Vendor;
use verify::manifest::{hash, with_made};
use verify::setup::{About, report_data};
use wire::Canonical;
use wire::ceremony::{
    Answer, Ceremony, CeremonyFault, Genesis, HandOver, Inherit, Phase, Proposal, Share, Shares,
};
use wire::identity::{Epochs, Identity, RelyingParty};
use wire::manifest::{Manifest, Signer, Signers, SigningKey, Stage, Step};
use wire::owner::OwnerAlgorithm;

/// What the manifest's program measures.
pub const PROGRAM: u8 = 7;

pub struct Scene {
    pub operators: Operators,
    pub genesis: Genesis,
    pub vendor: Vendor,
}

impl Scene {
    pub fn new() -> Scene {
        let (operators, genesis) = made();
        Scene { operators, genesis, vendor: Vendor::new() }
    }

    /// The manifest that enclaves run under, of nonce 2.
    pub fn own(&self) -> Manifest {
        self.operators.next(&self.genesis)
    }

    /// A proposal, by as many approvers as it takes.
    pub fn propose(&self, manifest: &Manifest) -> Proposal {
        self.operators.propose(manifest)
    }

    /// Asks for epoch 2 of class `any`.
    pub fn asking(&self) -> Manifest {
        Manifest { nonce: 3, steps: Some(vec![step(2)]), ..self.own() }
    }

    /// Commits to what was made, as pending.
    pub fn pending(&self, begun: &Genesis) -> Manifest {
        Manifest { nonce: 4, ..with_made(&self.asking(), &begun.roots) }
    }

    /// Makes it current.
    pub fn promoted(&self, begun: &Genesis) -> Manifest {
        Manifest { nonce: 5, steps: None, ..self.pending(begun) }
    }

    /// An enclave that two holders have given epoch 1.
    pub fn running(&self) -> Machine {
        self.run(Machine::of(self.vendor.enclave(PROGRAM)))
    }

    /// The same of any start.
    pub fn run(&self, machine: Machine) -> Machine {
        self.released(machine, &self.own())
    }

    /// A start under another manifest of these roots.
    pub fn run_under(&self, manifest: &Manifest) -> Machine {
        self.released(Machine::of(self.vendor.enclave(PROGRAM)), manifest)
    }

    fn released(&self, mut machine: Machine, manifest: &Manifest) -> Machine {
        let document = machine.setup_of(self.operators.propose(manifest)).document;
        machine.release(self.operators.release(&self.genesis, 1, &document));
        machine.release(self.operators.release(&self.genesis, 2, &document));
        machine
    }

    /// A start that two holders give everything that a manifest commits to.
    pub fn booted(&self, manifest: &Manifest, begun: &Genesis) -> Machine {
        self.boot(Machine::of(self.vendor.enclave(PROGRAM)), manifest, begun)
    }

    /// The same, whose host has what another one kept.
    pub fn booted_on(&self, kept: Keeper, manifest: &Manifest, begun: &Genesis) -> Machine {
        self.boot(Machine::of(self.vendor.enclave(PROGRAM)).on(kept), manifest, begun)
    }

    fn boot(&self, mut machine: Machine, manifest: &Manifest, begun: &Genesis) -> Machine {
        let document = machine.setup_of(self.operators.propose(manifest)).document;
        for number in [1, 3] {
            let (first, second) =
                (self.operators.held(&self.genesis, number), self.operators.held(begun, number));
            let all = [Shares::from_bytes(&first).unwrap(), Shares::from_bytes(&second).unwrap()];
            let shares: Vec<Share<'_>> = all.into_iter().flat_map(|shares| shares.shares).collect();
            machine.release(seal(&document, number, &Shares { shares }));
        }
        machine
    }

    pub fn begin(&self, machine: &mut Machine) -> Genesis {
        begun(machine, self.operators.propose(&self.asking()))
    }

    pub fn adopt(&self, machine: &mut Machine, manifest: &Manifest) {
        let answer = machine.step(&Ceremony::Adopt(self.operators.propose(manifest)));
        assert!(matches!(answer, Answer::Status(status) if status.phase == Phase::Provisioned));
        assert_eq!(identity(machine).manifest, Some(hash(&manifest.to_bytes())));
    }

    pub fn refused(&self, machine: &mut Machine, manifest: &Manifest) -> CeremonyFault {
        machine.refused(&Ceremony::Adopt(self.operators.propose(manifest))).0
    }
}

/// Asks for an epoch of class `any`.
pub fn step(epoch: u32) -> Step {
    Step { stage: Stage::Make, class: "any".into(), epoch }
}

pub fn begun(machine: &mut Machine, proposal: Proposal) -> Genesis {
    match machine.step(&Ceremony::Begin(proposal)) {
        Answer::Genesis(attested) => Genesis::from_bytes(&attested.document).unwrap(),
        other => panic!("not begun: {other:?}"),
    }
}

pub fn identity(machine: &Machine) -> Identity {
    Identity::from_bytes(machine.enclave().unwrap().identity()).unwrap()
}

/// The epoch to seal under, and those that are held.
pub fn held(machine: &Machine) -> (u32, Vec<u32>) {
    let Epochs { current, commitments, .. } = identity(machine).epochs;
    (current, commitments.iter().map(|epoch| epoch.epoch).collect())
}

#[test]
fn an_epoch_is_begun_held_as_pending_and_current_by_three_manifests_of_the_approvers() {
    let scene = Scene::new();
    let mut machine = scene.running();
    let begun = scene.begin(&mut machine);
    assert_eq!((begun.roots.len(), begun.roots[0].epoch, begun.recovered), (1, 2, 3));
    assert_eq!(held(&machine), (1, vec![1]), "nothing is held before a manifest commits to it");
    scene.adopt(&mut machine, &scene.pending(&begun));
    assert_eq!(held(&machine), (1, vec![1, 2]));
    assert_eq!(identity(&machine).epochs.commitments[1].commitment, begun.roots[0].commitment.0);
    scene.adopt(&mut machine, &scene.promoted(&begun));
    assert_eq!(held(&machine), (2, vec![1, 2]));
}

#[test]
fn each_step_given_again_changes_nothing_and_no_step_leads_back() {
    let scene = Scene::new();
    let mut machine = scene.running();
    let begun = scene.begin(&mut machine);
    assert_eq!(scene.begin(&mut machine), begun, "an answer that was lost is given again");
    for manifest in [scene.pending(&begun), scene.promoted(&begun)] {
        scene.adopt(&mut machine, &manifest);
        let before = held(&machine);
        scene.adopt(&mut machine, &manifest);
        assert_eq!(held(&machine), before);
    }
    // Older manifests, and the request itself, are over.
    for old in [scene.own(), scene.pending(&begun)] {
        assert_eq!(scene.refused(&mut machine, &old), CeremonyFault::NotASuccessor);
    }
    let again = machine.refused(&Ceremony::Begin(scene.operators.propose(&scene.asking())));
    assert_eq!(again.0, CeremonyFault::NothingToMake);
    let back = Manifest { nonce: 9, ..scene.pending(&begun) };
    assert_eq!(scene.refused(&mut machine, &back), CeremonyFault::NotASuccessor);
}

#[test]
fn no_enclave_that_runs_goes_over_to_witnesses_from_whom_it_has_no_line() {
    let scene = Scene::new();
    let mut machine = scene.running();
    let key = SigningKey { algorithm: OwnerAlgorithm::EdDsa, public: vec![7; 32] };
    let witnesses = Signers { threshold: 1, members: vec![Signer { alias: "wit".into(), key }] };
    let first = Manifest { nonce: 9, witnesses, ..scene.own() };
    assert_eq!(scene.refused(&mut machine, &first), CeremonyFault::NotASuccessor);
    // A start has it from them.
    assert!(identity(&scene.run_under(&first)).freshness.is_some());
}

#[test]
fn m21_an_enclave_that_is_killed_at_any_step_comes_back_with_one_current_epoch_and_loses_none() {
    let scene = Scene::new();
    let mut machine = scene.running();
    let lost = scene.begin(&mut machine);
    // Killed before a manifest commits to it: nothing was sealed under it, and another one is made.
    let mut machine = scene.running();
    let begun = scene.begin(&mut machine);
    assert_ne!(begun.roots, lost.roots);
    assert_eq!(scene.refused(&mut machine, &scene.pending(&lost)), CeremonyFault::EpochNotBegun);
    // Killed when it is committed to, whether it was adopted or not: holders bring it back, pending.
    let mut machine = scene.booted(&scene.pending(&begun), &begun);
    assert_eq!(held(&machine), (1, vec![1, 2]));
    scene.adopt(&mut machine, &scene.promoted(&begun));
    assert_eq!(held(&machine), (2, vec![1, 2]));
    // And killed after it was made current.
    assert_eq!(held(&scene.booted(&scene.promoted(&begun), &begun)), (2, vec![1, 2]));
}

#[test]
fn m06_an_older_request_that_is_given_again_takes_nothing_away_from_what_a_newer_one_made() {
    let scene = Scene::new();
    let mut machine = scene.running();
    let older = scene.operators.propose(&scene.asking());
    begun(&mut machine, older.clone());
    let asking = Manifest { nonce: 4, ..scene.asking() };
    let newer = begun(&mut machine, scene.operators.propose(&asking));
    // The host kept the first request, and another of the same nonce was approved by mistake.
    let twin = Manifest { until: asking.until.minus(1), ..asking.clone() };
    for again in [older, scene.operators.propose(&twin)] {
        assert_eq!(machine.refused(&Ceremony::Begin(again)).0, CeremonyFault::NothingToMake);
    }
    assert_eq!(begun(&mut machine, scene.operators.propose(&asking)), newer, "the newer one stands");
    scene.adopt(&mut machine, &Manifest { nonce: 5, ..with_made(&asking, &newer.roots) });
    assert_eq!(held(&machine), (1, vec![1, 2]));
}

#[test]
fn what_was_begun_is_over_when_a_newer_manifest_passes_it_by() {
    let scene = Scene::new();
    let mut machine = scene.running();
    let begun = scene.begin(&mut machine);
    scene.adopt(&mut machine, &Manifest { nonce: 4, until: scene.own().until.plus(1), ..scene.own() });
    let late = Manifest { nonce: 5, ..scene.pending(&begun) };
    assert_eq!(scene.refused(&mut machine, &late), CeremonyFault::EpochNotBegun);
    assert_eq!(held(&machine), (1, vec![1]));
}

#[test]
fn a_replica_inherits_a_pending_epoch_as_pending() {
    let scene = Scene::new();
    let mut old = scene.running();
    let begun = scene.begin(&mut old);
    let manifest = scene.pending(&begun);
    scene.adopt(&mut old, &manifest);
    let Answer::Challenge(challenge) = old.step(&Ceremony::Challenge) else { panic!("no challenge") };
    let mut new = Machine::of(scene.vendor.enclave(PROGRAM));
    let proposal = Proposal { nonce: challenge.nonce, ..scene.operators.propose(&manifest) };
    let setup = new.setup_of(proposal.clone());
    let Answer::HandOver(handover) = old.step(&Ceremony::HandOver(HandOver { proposal, setup })) else {
        panic!("not handed over")
    };
    let proposal = scene.operators.propose(&manifest);
    let status = new.step(&Ceremony::Inherit(Inherit { proposal, handover }));
    assert!(matches!(status, Answer::Status(_)), "{status:?}");
    assert_eq!(held(&new), (1, vec![1, 2]));
    scene.adopt(&mut new, &scene.promoted(&begun));
    assert_eq!(held(&new), (2, vec![1, 2]));
}

#[test]
fn no_host_and_no_minority_of_approvers_begins_or_promotes_anything() {
    let scene = Scene::new();
    let mut machine = scene.running();
    for step in [Ceremony::Begin, Ceremony::Adopt] {
        let proposal = scene.operators.propose_by(&scene.asking(), &[1]);
        assert_eq!(machine.refused(&step(proposal)).0, CeremonyFault::ApprovalsMissing);
    }
    let begun = scene.begin(&mut machine);
    let strangers = Operators::new(3, 3);
    let taken = Manifest { approvers: strangers.manifest().approvers, ..scene.pending(&begun) };
    let fault = machine.refused(&Ceremony::Adopt(strangers.propose(&taken))).0;
    assert_eq!(fault, CeremonyFault::NotASuccessor);
    let asking = Manifest { approvers: strangers.manifest().approvers, ..scene.asking() };
    let fault = machine.refused(&Ceremony::Begin(strangers.propose(&asking))).0;
    assert_eq!(fault, CeremonyFault::NothingToMake);
    assert_eq!(held(&machine), (1, vec![1]));
}

#[test]
fn an_epoch_is_pending_before_it_is_current_and_no_enclave_runs_under_a_request() {
    let scene = Scene::new();
    let mut machine = scene.running();
    let begun = scene.begin(&mut machine);
    assert_eq!(scene.refused(&mut machine, &scene.promoted(&begun)), CeremonyFault::StepTooFar);
    assert_eq!(scene.refused(&mut machine, &scene.asking()), CeremonyFault::NotASuccessor);
    let mut waiting = Machine::start();
    let setup = Ceremony::Setup(scene.operators.propose(&scene.asking()));
    assert_eq!(waiting.refused(&setup).0, CeremonyFault::RootsMissing);
    // With a commitment that nobody made.
    let mut forged = scene.pending(&begun);
    forged.roots[1].commitment.0[0] ^= 1;
    assert_eq!(scene.refused(&mut machine, &forged), CeremonyFault::EpochNotBegun);
    // Epochs come one after the other.
    let gap = Manifest { nonce: 3, steps: Some(vec![step(3)]), ..scene.own() };
    let fault = machine.refused(&Ceremony::Begin(scene.operators.propose(&gap))).0;
    assert_eq!(fault, CeremonyFault::ManifestMalformed);
    assert_eq!(held(&machine), (1, vec![1]));
}

#[test]
fn the_evidence_of_a_beginning_is_bound_to_the_nonce_of_who_asked() {
    let scene = Scene::new();
    let mut machine = Machine::start();
    let document = machine.setup(scene.operators.propose(&scene.own()));
    machine.release(scene.operators.release(&scene.genesis, 1, &document));
    machine.release(scene.operators.release(&scene.genesis, 2, &document));
    for nonce in [NONCE, [0x11; 32]] {
        let proposal = Proposal { nonce, ..scene.operators.propose(&scene.asking()) };
        let Answer::Genesis(attested) = machine.step(&Ceremony::Begin(proposal)) else { panic!("not begun") };
        assert_eq!(attested.evidence, report_data(About::Genesis, &nonce, &attested.document));
    }
}

#[test]
fn relying_parties_are_what_the_approvers_signed_and_follow_the_next_manifest() {
    let scene = Scene::new();
    let party = |id: &str| RelyingParty { id: id.into(), origins: vec![format!("https://{id}")] };
    let with = |nonce: u32, parties: Option<Vec<RelyingParty>>| Manifest {
        nonce,
        relying_parties: parties,
        ..scene.own()
    };
    let first = vec![party("vault.example")];
    let mut machine = scene.run_under(&with(4, Some(first.clone())));
    assert_eq!(identity(&machine).relying_parties, first);
    let second = vec![party("vault.example"), party("app.example")];
    scene.adopt(&mut machine, &with(5, Some(second.clone())));
    assert_eq!(identity(&machine).relying_parties, second);
    scene.adopt(&mut machine, &with(6, None));
    assert_eq!(identity(&machine).relying_parties, []);
    let in_clear = RelyingParty { id: "localhost".into(), origins: vec!["http://localhost:8080".into()] };
    for wrong in [vec![], vec![in_clear], vec![party("a.example"); 2]] {
        let fault = scene.refused(&mut machine, &with(7, Some(wrong)));
        assert_eq!(fault, CeremonyFault::ManifestMalformed);
    }
}
