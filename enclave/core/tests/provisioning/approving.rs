//! Manifests that do not count.

use super::support::{DAY_MS, Machine, NOW, Operators, approval, made, public};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P256_SHA256_FIXED_SIGNING, Ed25519KeyPair};
use aws_lc_rs::signature::{EcdsaKeyPair, EcdsaSigningAlgorithm, KeyPair};
use verify::manifest::{hash, key_name, to_be_approved};
use wire::Canonical;
use wire::ceremony::{Ceremony, CeremonyFault, Proposal};
use wire::cose::{EDDSA, ES256, Protected, Sign1, to_be_signed};
use wire::identity::TeeKind;
use wire::manifest::{Manifest, Reach, SigningKey};
use wire::owner::OwnerAlgorithm;
use wire::rewrap::Bytes;
use wire::transcript::domain;

/// The fault that a setup and a genesis of the same proposal get.
fn refused(proposal: &Proposal) -> (CeremonyFault, Option<u8>) {
    let setup = Machine::start().refused(&Ceremony::Setup(proposal.clone()));
    let genesis = Machine::start().refused(&Ceremony::Genesis(proposal.clone()));
    assert_eq!(setup, genesis);
    setup
}

#[test]
fn fewer_approvals_than_the_threshold_or_one_approver_twice_are_refused_by_name() {
    let (operators, genesis) = made();
    let manifest = operators.next(&genesis);
    assert_eq!(refused(&operators.propose_by(&manifest, &[])).0, CeremonyFault::ApprovalsMissing);
    assert_eq!(refused(&operators.propose_by(&manifest, &[2])).0, CeremonyFault::ApprovalsMissing);
    let twice = operators.propose_by(&manifest, &[1, 1]);
    assert_eq!(refused(&twice), (CeremonyFault::ApproverTwice, Some(2)));
    let enough_and_twice = operators.propose_by(&manifest, &[0, 1, 0]);
    assert_eq!(refused(&enough_and_twice), (CeremonyFault::ApproverTwice, Some(1)));
}

#[test]
fn an_approval_of_another_manifest_key_domain_or_form_refuses_the_whole_proposal() {
    let (operators, genesis) = made();
    let manifest = operators.next(&genesis);
    let other = Manifest { nonce: 3, ..manifest.clone() };
    let stranger = Ed25519KeyPair::generate().unwrap();
    let name = hash(&manifest.to_bytes());
    let good = operators.approve(2, &manifest);
    let protected = Protected { algorithm: EDDSA, key: key_name(&public(&stranger)) }.to_bytes();
    let signature = stranger.sign(&to_be_signed(&protected, domain::OWNER_REQUEST, &name));
    let attached = Sign1::from_bytes(&good).unwrap();
    for bad in [
        operators.approve(2, &other),
        approval(&stranger, &name),
        Sign1 { protected: &protected, payload: None, signature: signature.as_ref() }.to_bytes(),
        Sign1 { payload: Some(&name), ..attached }.to_bytes(),
        Sign1 { signature: &attached.signature[..63], ..attached }.to_bytes(),
        good[..good.len() - 1].to_vec(),
        Vec::new(),
    ] {
        let mut proposal = operators.propose(&manifest);
        proposal.approvals.push(Bytes(bad));
        assert_eq!(refused(&proposal), (CeremonyFault::ApprovalRefused, None));
    }
    let mut many = operators.propose(&manifest);
    many.approvals = vec![Bytes(good); 17];
    assert_eq!(refused(&many).0, CeremonyFault::Malformed);
}

/// A manifest with one approver, whose key is on P-256.
fn by_p256(algorithm: &'static EcdsaSigningAlgorithm) -> Proposal {
    let (operators, _) = made();
    let document = EcdsaKeyPair::generate_pkcs8(algorithm, &SystemRandom::new()).unwrap();
    let pair = EcdsaKeyPair::from_pkcs8(algorithm, document.as_ref()).unwrap();
    let key = SigningKey { algorithm: OwnerAlgorithm::Es256, public: pair.public_key().as_ref().to_vec() };
    let mut manifest = operators.manifest();
    manifest.approvers.threshold = 1;
    manifest.approvers.members[0].key = key.clone();
    let protected = Protected { algorithm: ES256, key: key_name(&key) }.to_bytes();
    let signed = to_be_approved(&protected, &hash(&manifest.to_bytes()));
    let signature = pair.sign(&SystemRandom::new(), &signed).unwrap();
    let approval = Sign1 { protected: &protected, payload: None, signature: signature.as_ref() };
    let approvals = vec![Bytes(approval.to_bytes())];
    Proposal { manifest: manifest.to_bytes(), approvals, nonce: [1; 32] }
}

#[test]
fn m04_der_signature_is_refused_where_the_raw_one_counts() {
    Machine::start().genesis_of_any_nonce(by_p256(&ECDSA_P256_SHA256_FIXED_SIGNING));
    assert_eq!(refused(&by_p256(&ECDSA_P256_SHA256_ASN1_SIGNING)).0, CeremonyFault::ApprovalRefused);
}

#[test]
fn a_manifest_that_is_not_for_this_enclave_or_this_time_is_refused_by_name() {
    let operators = Operators::new(3, 3);
    let changed = |change: fn(&mut Manifest)| {
        let mut manifest = operators.manifest();
        change(&mut manifest);
        refused(&operators.propose(&manifest)).0
    };
    assert_eq!(changed(|m| m.environment = Reach::Sandbox), CeremonyFault::EnvironmentMismatch);
    assert_eq!(changed(|m| m.minimum_version = "0.1.1".into()), CeremonyFault::VersionTooOld);
    assert_eq!(changed(|m| m.from = NOW.plus(1_000)), CeremonyFault::ManifestNotYetValid);
    assert_eq!(changed(|m| m.until = NOW), CeremonyFault::ManifestOver);
    assert_eq!(
        changed(|m| {
            m.programs[0].tee = TeeKind::SevSnp;
            m.programs[0].registers[0].name = "MEASUREMENT".into();
        }),
        CeremonyFault::TeeNotListed
    );
}

#[test]
fn without_a_time_no_manifest_is_judged() {
    let operators = Operators::new(3, 3);
    let step = Ceremony::Genesis(operators.propose(&operators.manifest()));
    assert_eq!(Machine::started().refused(&step).0, CeremonyFault::ClockUnset);
    // And a host whose clock is years back does not revive a manifest from before the program was built.
    let mut machine = Machine::started();
    machine.claim(NOW.minus(5 * 365 * DAY_MS));
    let mut old = operators.manifest();
    (old.from, old.until) = (NOW.minus(6 * 365 * DAY_MS), NOW.minus(5 * 365 * DAY_MS));
    assert_eq!(machine.refused(&Ceremony::Genesis(operators.propose(&old))).0, CeremonyFault::ManifestOver);
}

#[test]
fn a_manifest_that_breaks_a_rule_of_its_form_is_refused() {
    let (operators, genesis) = made();
    let good = operators.next(&genesis);
    assert!(good.check_form().is_ok());
    let changes: [fn(&mut Manifest); 35] = [
        |m| m.version = 2,
        |m| m.name = String::new(),
        |m| m.name = "Example".into(),
        |m| m.nonce = 0,
        |m| m.approvers.threshold = 0,
        |m| m.approvers.threshold = 4,
        |m| m.approvers.members[1].alias = "approver-0".into(),
        |m| m.approvers.members[1].key = m.approvers.members[0].key.clone(),
        |m| m.approvers.members[1].key.public.push(0),
        |m| m.holders.threshold = 0,
        |m| m.holders.threshold = 4,
        |m| m.holders.members[2].key = m.holders.members[0].key.clone(),
        |m| m.holders.members[2].key.truncate(1215),
        |m| m.holders.members[2].alias = "two words".into(),
        |m| m.programs.clear(),
        |m| m.programs[0].registers.clear(),
        |m| m.programs[0].registers[0].value = [0; 48],
        |m| m.programs[0].registers[0].name = "PCR32".into(),
        |m| m.programs[0].registers[0].name = "MRTD".into(),
        |m| {
            let mut simulated = m.programs[0].clone();
            simulated.tee = TeeKind::Simulated;
            m.programs.push(simulated);
        },
        |m| m.minimum_version = "1".into(),
        |m| m.witnesses.threshold = 1,
        |m| m.classes.clear(),
        |m| m.classes.push("later".into()),
        |m| m.classes = vec!["owner".into()],
        |m| m.classes = vec!["any".into(), "owner".into(), "delayed".into()],
        |m| m.classes.push("delayed".into()),
        |m| m.delay = Some(48),
        |m| m.classes.push("any".into()),
        |m| m.until = m.from,
        |m| m.until = m.from.plus(732 * DAY_MS),
        |m| m.roots[0].epoch = 0,
        |m| {
            m.roots[0].shares.pop();
        },
        |m| m.roots.push(m.roots[0].clone()),
        |m| m.roots[0].class = "other".into(),
    ];
    for (number, change) in changes.iter().enumerate() {
        let mut manifest = good.clone();
        change(&mut manifest);
        assert_eq!(refused(&operators.propose(&manifest)).0, CeremonyFault::ManifestMalformed, "{number}");
    }
}

#[test]
fn m09_a_manifest_in_another_encoding_or_with_an_unknown_field_is_refused() {
    let (operators, genesis) = made();
    let proposal = operators.propose(&operators.next(&genesis));
    // The map's head says one member more, and a member with a key that nobody knows follows.
    let mut unknown = proposal.clone();
    unknown.manifest[0] += 1;
    unknown.manifest.extend([0x0d, 0x00]);
    let mut indefinite = proposal.clone();
    indefinite.manifest[0] = 0xbf;
    indefinite.manifest.push(0xff);
    let mut trailing = proposal;
    trailing.manifest.push(0);
    for bad in [unknown, indefinite, trailing] {
        assert_eq!(refused(&bad).0, CeremonyFault::ManifestMalformed);
    }
}
