//! An enclave hands its roots to a successor, and to nobody else.

use super::support::{Machine, NONCE, NOW, Operators, made};
use super::vendor::Vendor;
use aws_lc_rs::digest::{SHA256, digest};
use wire::Canonical;
use wire::ceremony::{
    Answer, Attested, Ceremony, CeremonyFault, Genesis, HandOver, Handover, Inherit, Phase, Proposal,
};
use wire::identity::Identity;
use wire::manifest::{Manifest, Program, Register};

/// What the programs of the first manifest measure, and of a newer one.
const OLD: u8 = 7;
const NEW: u8 = 8;

struct Scene {
    operators: Operators,
    genesis: Genesis,
    vendor: Vendor,
}

impl Scene {
    fn new() -> Scene {
        let (operators, genesis) = made();
        Scene { operators, genesis, vendor: Vendor::new() }
    }

    fn manifest(&self) -> Manifest {
        self.operators.next(&self.genesis)
    }

    /// A newer manifest that lets a newer program have the roots, and the older one no more.
    fn newer(&self) -> Manifest {
        let register = Register { name: "PCR0".into(), value: [NEW; 48] };
        let programs = vec![Program { registers: vec![register], ..self.manifest().programs.remove(0) }];
        Manifest { nonce: 3, programs, ..self.manifest() }
    }

    /// An enclave with its roots, by quorum.
    fn running(&self) -> Machine {
        let mut machine = Machine::of(self.vendor.enclave(OLD));
        let document = machine.setup_of(self.operators.propose(&self.manifest())).document;
        machine.release(self.operators.release(&self.genesis, 1, &document));
        machine.release(self.operators.release(&self.genesis, 2, &document));
        machine
    }

    /// A start that waits, of a program that measures this.
    fn waiting(&self, measured: u8) -> Machine {
        Machine::of(self.vendor.enclave(measured))
    }

    fn propose(&self, manifest: &Manifest, nonce: [u8; 32]) -> Proposal {
        Proposal { nonce, ..self.operators.propose(manifest) }
    }

    /// The predecessor's part: a challenge, the successor's setup under `next`, and what is asked with them.
    fn asked(&self, old: &mut Machine, new: &mut Machine, next: &Manifest) -> HandOver {
        let proposal = self.propose(next, challenge(old));
        HandOver { setup: new.setup_of(proposal.clone()), proposal }
    }

    fn inherit(&self, handover: Attested) -> Ceremony {
        Ceremony::Inherit(Inherit { proposal: self.operators.propose(&self.manifest()), handover })
    }
}

fn challenge(machine: &mut Machine) -> [u8; 32] {
    match machine.step(&Ceremony::Challenge) {
        Answer::Challenge(challenge) => challenge.nonce,
        other => panic!("no challenge: {other:?}"),
    }
}

fn handed(machine: &mut Machine, asked: HandOver) -> Attested {
    match machine.step(&Ceremony::HandOver(asked)) {
        Answer::HandOver(attested) => attested,
        other => panic!("not handed over: {other:?}"),
    }
}

fn commitments(machine: &Machine) -> (Option<[u8; 32]>, Vec<wire::identity::EpochCommitment>) {
    let identity = Identity::from_bytes(machine.enclave().unwrap().identity()).unwrap();
    (identity.manifest, identity.epochs.commitments)
}

#[test]
fn a_replica_and_a_newer_program_inherit_the_roots_without_any_holder() {
    let scene = Scene::new();
    for (next, measured) in [(scene.manifest(), OLD), (scene.newer(), NEW)] {
        let (mut old, mut new) = (scene.running(), scene.waiting(measured));
        let asked = scene.asked(&mut old, &mut new, &next);
        let attested = handed(&mut old, asked);
        let Answer::Status(status) = new.step(&scene.inherit(attested)) else { panic!("not inherited") };
        assert_eq!(status.phase, Phase::Provisioned);
        let (manifest, roots) = commitments(&new);
        assert_eq!(manifest, Some(verify::manifest::hash(&next.to_bytes())));
        assert_eq!(roots, commitments(&old).1);
        // And who inherited can hand on.
        let mut third = scene.waiting(measured);
        let asked = scene.asked(&mut new, &mut third, &next);
        let proposal = scene.operators.propose(&next);
        let handover = handed(&mut new, asked);
        let inherited = third.step(&Ceremony::Inherit(Inherit { proposal, handover }));
        assert!(matches!(inherited, Answer::Status(_)), "{inherited:?}");
    }
}

#[test]
fn a_successor_of_another_program_or_vendor_gets_nothing() {
    let scene = Scene::new();
    let refused = Ok((CeremonyFault::SuccessorRefused, None));
    let tried = |mut new: Machine, next: &Manifest| {
        let mut old = scene.running();
        let asked = scene.asked(&mut old, &mut new, next);
        Ok::<_, ()>(old.refused(&Ceremony::HandOver(asked)))
    };
    // The old program where the new manifest has the new one only, and the other way round.
    assert_eq!(tried(scene.waiting(OLD), &scene.newer()), refused);
    assert_eq!(tried(scene.waiting(NEW), &scene.manifest()), refused);
    assert_eq!(tried(Machine::of(Vendor::new().enclave(OLD)), &scene.manifest()), refused);
    // A quote that is none.
    assert_eq!(tried(Machine::start(), &scene.manifest()), refused);
}

#[test]
fn m06_a_challenge_serves_once_and_evidence_for_another_nonce_never() {
    let scene = Scene::new();
    let (mut old, mut new) = (scene.running(), scene.waiting(OLD));
    let asked = scene.asked(&mut old, &mut new, &scene.manifest());
    handed(&mut old, asked.clone());
    let unknown = (CeremonyFault::ChallengeUnknown, None);
    assert_eq!(old.refused(&Ceremony::HandOver(asked.clone())), unknown, "replayed");
    // A fresh challenge, and the old evidence with it.
    let nonce = challenge(&mut old);
    let stale = HandOver { proposal: Proposal { nonce, ..asked.proposal.clone() }, setup: asked.setup };
    assert_eq!(old.refused(&Ceremony::HandOver(stale)), (CeremonyFault::SuccessorRefused, None));
    // One that nobody gave out, and one that waited for too long.
    let invented = scene.propose(&scene.manifest(), NONCE);
    let asked = HandOver { setup: new.setup_of(invented.clone()), proposal: invented };
    assert_eq!(old.refused(&Ceremony::HandOver(asked)), unknown);
    let late = scene.asked(&mut old, &mut new, &scene.manifest());
    old.monotonic += 600_000;
    assert_eq!(old.refused(&Ceremony::HandOver(late)), unknown);
}

#[test]
fn an_older_manifest_or_another_of_the_same_nonce_or_lineage_inherits_nothing() {
    let scene = Scene::new();
    let with = |change: fn(&mut Manifest)| {
        let mut manifest = scene.manifest();
        change(&mut manifest);
        let (mut old, mut new) = (scene.running(), scene.waiting(OLD));
        let asked = scene.asked(&mut old, &mut new, &manifest);
        old.refused(&Ceremony::HandOver(asked)).0
    };
    assert_eq!(with(|m| m.nonce = 1), CeremonyFault::NotASuccessor);
    assert_eq!(
        with(|m| m.until = m.until.plus(1)),
        CeremonyFault::NotASuccessor,
        "nonce 2 is another manifest"
    );
    assert_eq!(with(|m| (m.nonce, m.holders.threshold) = (3, 1)), CeremonyFault::NotASuccessor);
    assert_eq!(with(|m| (m.nonce, m.approvers.threshold) = (3, 1)), CeremonyFault::NotASuccessor);
    assert_eq!(with(|m| (m.nonce, m.name) = (3, "other".into())), CeremonyFault::NotASuccessor);
    assert_eq!(
        with(|m| {
            m.nonce = 3;
            m.roots.push(wire::manifest::RootCommitment { epoch: 2, ..m.roots[0].clone() });
        }),
        CeremonyFault::RootsMissing,
        "a root that this enclave does not have"
    );
    // Without its approvals it is no manifest at all.
    let (mut old, mut new) = (scene.running(), scene.waiting(OLD));
    let mut asked = scene.asked(&mut old, &mut new, &scene.manifest());
    asked.proposal.approvals.pop();
    assert_eq!(old.refused(&Ceremony::HandOver(asked)).0, CeremonyFault::ApprovalsMissing);
}

#[test]
fn a_manifest_that_is_over_by_the_predecessors_clock_inherits_nothing() {
    let scene = Scene::new();
    let (mut old, mut new) = (scene.running(), scene.waiting(OLD));
    let asked = scene.asked(&mut old, &mut new, &scene.manifest());
    old.claim(scene.manifest().until);
    assert_eq!(old.refused(&Ceremony::HandOver(asked)).0, CeremonyFault::ManifestOver);
}

#[test]
fn m15_what_was_handed_over_opens_for_its_successor_and_setup_alone_and_no_share_passes_as_it() {
    let scene = Scene::new();
    let (mut old, mut new, mut other) = (scene.running(), scene.waiting(OLD), scene.waiting(OLD));
    let asked = scene.asked(&mut old, &mut new, &scene.manifest());
    let attested = handed(&mut old, asked);
    // Another start waits for the same manifest: the evidence names a setup that is not its own.
    other.setup_of(scene.operators.propose(&scene.manifest()));
    let refused = other.refused(&scene.inherit(attested.clone()));
    assert_eq!(refused, (CeremonyFault::PredecessorRefused, None));
    // The setup's own evidence is none of a handover's.
    let document = new.setup_of(scene.operators.propose(&scene.manifest()));
    let posing = Attested { evidence: document.evidence, ..attested.clone() };
    assert_eq!(new.refused(&scene.inherit(posing)).0, CeremonyFault::PredecessorRefused);
    // Altered, it is not what was attested.
    let mut handover = Handover::from_bytes(&attested.document).unwrap();
    handover.sealed.ciphertext[0] ^= 1;
    let altered = Attested { document: handover.to_bytes(), ..attested.clone() };
    assert_eq!(new.refused(&scene.inherit(altered)).0, CeremonyFault::PredecessorRefused);
    // A holder's own share, sealed as a release, is no handover even where a true enclave vouches for it.
    let release = scene.operators.release(&scene.genesis, 1, &document.document);
    handover.sealed = release.sealed;
    let name: [u8; 32] = digest(&SHA256, &document.document).as_ref().try_into().unwrap();
    let bytes = handover.to_bytes();
    let data = verify::setup::report_data(verify::setup::About::Handover, &name, &bytes);
    let evidence = scene.vendor.enclave(OLD).attest(&data, NOW).unwrap().document;
    let vouched = Attested { document: bytes, evidence, ..attested.clone() };
    assert_eq!(new.refused(&scene.inherit(vouched)).0, CeremonyFault::HandoverWrong);
    // And after all that, the right one is still taken.
    assert!(matches!(new.step(&scene.inherit(attested)), Answer::Status(_)));
}

#[test]
fn a_predecessor_that_its_own_manifest_does_not_list_is_not_believed() {
    let scene = Scene::new();
    let (mut old, mut new) = (scene.running(), scene.waiting(NEW));
    let asked = scene.asked(&mut old, &mut new, &scene.newer());
    let attested = handed(&mut old, asked);
    // The newer manifest does not list the old program: with it as the predecessor's, the evidence is refused.
    let proposal = scene.operators.propose(&scene.newer());
    let refused = new.refused(&Ceremony::Inherit(Inherit { proposal, handover: attested.clone() }));
    assert_eq!(refused, (CeremonyFault::PredecessorRefused, None));
    let mut proposal = scene.operators.propose(&scene.manifest());
    proposal.approvals.pop();
    let refused = new.refused(&Ceremony::Inherit(Inherit { proposal, handover: attested }));
    assert_eq!(refused, (CeremonyFault::ApprovalsMissing, None));
}

#[test]
fn without_roots_nothing_is_handed_over_and_with_them_nothing_is_inherited() {
    let scene = Scene::new();
    let (mut old, mut new) = (scene.running(), scene.waiting(OLD));
    assert_eq!(new.refused(&Ceremony::Challenge), (CeremonyFault::NotProvisioned, None));
    let asked = scene.asked(&mut old, &mut new, &scene.manifest());
    assert_eq!(new.refused(&Ceremony::HandOver(asked.clone())), (CeremonyFault::NotProvisioned, None));
    let inherit = scene.inherit(handed(&mut old, asked));
    assert_eq!(old.refused(&inherit), (CeremonyFault::Provisioned, None));
    assert_eq!(scene.waiting(OLD).refused(&inherit), (CeremonyFault::NoSetup, None));
    new.monotonic += 3_600_000;
    assert_eq!(new.refused(&inherit), (CeremonyFault::SetupOver, None));
}
