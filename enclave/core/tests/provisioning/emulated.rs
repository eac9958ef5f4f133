//! Emulated peers: in a sandbox whose image names the development signer, and nowhere else.

use super::support::{Machine, NONCE, Operators, made};
use super::vendor::Vendor;
use enclave::Attester;
use enclave::egress::Trust;
use rcgen::{
    BasicConstraints, CertificateParams, GeneralSubtree, IsCa, KeyPair, KeyUsagePurpose, NameConstraints,
};
use wire::ceremony::{Answer, Ceremony, CeremonyFault, Genesis, HandOver, Inherit, Proposal};
use wire::manifest::{Manifest, Reach};

/// What the manifest's program measures.
const OWN: u8 = 7;

struct Scene {
    operators: Operators,
    genesis: Genesis,
    signer: Vendor,
    reach: Reach,
}

impl Scene {
    fn among(reach: Reach) -> Scene {
        let (operators, genesis) = made();
        Scene { operators, genesis, signer: Vendor::development(), reach }
    }

    fn manifest(&self) -> Manifest {
        Manifest { environment: self.reach, ..self.operators.next(&self.genesis) }
    }

    fn machine(&self, attester: Box<dyn Attester>) -> Machine {
        Machine::among(if self.reach == Reach::Live { Trust::live() } else { sandbox() }, attester)
    }

    fn running(&self, attester: Box<dyn Attester>) -> Machine {
        let mut machine = self.machine(attester);
        let document = machine.setup_of(self.operators.propose(&self.manifest())).document;
        machine.release(self.operators.release(&self.genesis, 1, &document));
        machine.release(self.operators.release(&self.genesis, 2, &document));
        machine
    }

    /// What becomes of a handover: the predecessor's refusal, or else what the successor answers.
    fn hand_over(&self, old: &mut Machine, new: &mut Machine) -> Result<(), CeremonyFault> {
        let Answer::Challenge(challenge) = old.step(&Ceremony::Challenge) else { panic!("no challenge") };
        let proposal = Proposal { nonce: challenge.nonce, ..self.operators.propose(&self.manifest()) };
        let setup = new.setup_of(proposal.clone());
        let handover = match old.step(&Ceremony::HandOver(HandOver { proposal, setup })) {
            Answer::HandOver(handover) => handover,
            Answer::Refused(refused) => return Err(refused.fault),
            other => panic!("{other:?}"),
        };
        let proposal = Proposal { nonce: NONCE, ..self.operators.propose(&self.manifest()) };
        match new.step(&Ceremony::Inherit(Inherit { proposal, handover })) {
            Answer::Status(_) => Ok(()),
            Answer::Refused(refused) => Err(refused.fault),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn in_a_sandbox_emulated_machines_hand_over_under_a_signer_that_both_images_name() {
    let scene = Scene::among(Reach::Sandbox);
    let mut old = scene.running(scene.signer.enclave(OWN));
    let mut new = scene.machine(scene.signer.enclave(OWN));
    assert_eq!(scene.hand_over(&mut old, &mut new), Ok(()));
    assert!(new.enclave().is_some());
    // Another program gets nothing, whoever vouches for it; nor does the same one under another signer.
    let mut other = scene.machine(scene.signer.enclave(OWN + 1));
    assert_eq!(scene.hand_over(&mut old, &mut other), Err(CeremonyFault::SuccessorRefused));
    let mut strange = scene.machine(Vendor::development().enclave(OWN));
    assert_eq!(scene.hand_over(&mut old, &mut strange), Err(CeremonyFault::SuccessorRefused));
}

#[test]
fn m17_an_image_that_names_no_signer_takes_no_emulated_machine_for_a_peer() {
    let scene = Scene::among(Reach::Sandbox);
    let mut doubting = scene.running(scene.signer.doubting(OWN));
    let mut new = scene.machine(scene.signer.enclave(OWN));
    assert_eq!(scene.hand_over(&mut doubting, &mut new), Err(CeremonyFault::SuccessorRefused));
    // Nor does it take anything from one.
    let mut old = scene.running(scene.signer.enclave(OWN));
    let mut doubting = scene.machine(scene.signer.doubting(OWN));
    assert_eq!(scene.hand_over(&mut old, &mut doubting), Err(CeremonyFault::PredecessorRefused));
    assert!(doubting.enclave().is_none());
}

#[test]
fn m17_among_the_real_exchanges_a_signer_counts_for_nothing_even_if_a_program_names_one() {
    let scene = Scene::among(Reach::Live);
    let mut old = scene.running(scene.signer.enclave(OWN));
    let mut new = scene.machine(scene.signer.enclave(OWN));
    assert_eq!(scene.hand_over(&mut old, &mut new), Err(CeremonyFault::SuccessorRefused));
}

/// The exchanges of a sandbox whose root nobody has the key of.
fn sandbox() -> Trust {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    params.name_constraints = Some(NameConstraints {
        permitted_subtrees: vec![GeneralSubtree::DnsName("sandbox.test".to_owned())],
        excluded_subtrees: Vec::new(),
    });
    Trust::sandbox(params.self_signed(&KeyPair::generate().unwrap()).unwrap().der()).unwrap()
}
