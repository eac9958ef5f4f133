use super::*;
use crate::testing::enclave::{Enclave, NOW, stray_public_key};
use crate::testing::{unhex, vector};
use crate::{Verdict, client};
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use wire::BootId;
use wire::cose::{EDDSA, Protected, Sign1};
use wire::evidence::{Evidence, Form, Inclusion};
use wire::manifest::{
    Holder, Holders, Manifest, Program, Reach, Register, RootCommitment, Signer, Signers, SigningKey, Stage,
    Step,
};
use wire::owner::OwnerAlgorithm;

const NONCE: Nonce = [0x4e; 32];
const HOUR_MS: u64 = 3_600_000;

/// One approver and one holder, for the programs of the tests' enclaves.
fn approved(tee: TeeKind, roots: bool, change: impl FnOnce(&mut Manifest)) -> Approved {
    let pair = Ed25519KeyPair::generate().unwrap();
    let key = SigningKey { algorithm: OwnerAlgorithm::EdDsa, public: pair.public_key().as_ref().to_vec() };
    let protected = Protected { algorithm: EDDSA, key: manifest::key_name(&key) }.to_bytes();
    let registers = (0..3u8).map(|at| Register { name: format!("PCR{at}"), value: [at + 1; 48] });
    let mut manifest = Manifest {
        version: 1,
        name: "example".to_owned(),
        nonce: 1,
        environment: Reach::Live,
        approvers: Signers { threshold: 1, members: vec![Signer { alias: "ada".to_owned(), key }] },
        holders: Holders {
            threshold: 1,
            members: vec![Holder { alias: "dot".to_owned(), key: stray_public_key() }],
        },
        programs: vec![Program { tee, registers: registers.collect() }],
        minimum_version: "0.3.0".to_owned(),
        witnesses: Signers { threshold: 0, members: Vec::new() },
        classes: vec!["any".to_owned()],
        from: NOW.minus(HOUR_MS),
        until: NOW.plus(HOUR_MS),
        steps: None,
        reshare: None,
        first: None,
        notices: None,
        replaced: None,
        relying_parties: None,
        roots: if roots { self::roots() } else { Vec::new() },
        delay: None,
    };
    change(&mut manifest);
    let bytes = manifest.to_bytes();
    let signature = pair.sign(&manifest::to_be_approved(&protected, &manifest::hash(&bytes)));
    let approval = Sign1 { protected: &protected, payload: None, signature: signature.as_ref() }.to_bytes();
    Approved::check(&bytes, [approval.as_slice()]).unwrap()
}

fn roots() -> Vec<RootCommitment> {
    vec![RootCommitment {
        class: "any".to_owned(),
        epoch: 1,
        commitment: Hash([1; 32]),
        shares: vec![Hash([2; 32])],
        program: None,
    }]
}

fn setup(enclave: &Enclave, approved: &Approved) -> Setup {
    Setup {
        version: 1,
        boot: BootId([3; 16]),
        suite: SUITE,
        key: stray_public_key(),
        manifest: Hash(approved.hash()),
        tee: enclave.identity.tee,
        environment: enclave.identity.environment,
        build: enclave.identity.build.clone(),
        connectors: Hash([5; 32]),
        issued: NOW,
        expires: NOW.plus(HOUR_MS),
    }
}

fn attested(enclave: &Enclave, about: About, nonce: &Nonce, document: Vec<u8>) -> ceremony::Attested {
    let evidence = enclave.document(&report_data(about, nonce, &document));
    of_nitro(document, evidence)
}

fn of_nitro(document: Vec<u8>, evidence: Vec<u8>) -> ceremony::Attested {
    let (form, certificates) = (Form::Nitro, Vec::new());
    ceremony::Attested { version: 1, document, evidence, form, certificates, collateral: None }
}

/// What the manifest asks for, with the roots of trust of this enclave.
fn expect(enclave: &Enclave, approved: &Approved) -> Expect {
    let mut expect = manifest::expect(approved.manifest());
    let trusted = enclave.expected();
    (expect.vendors, expect.dangerous_simulated) = (trusted.vendors, trusted.dangerous_simulated);
    expect
}

fn verdict(enclave: &Enclave, approved: &Approved, setup: &Setup) -> Result<Ready, SetupRefused> {
    let answer = attested(enclave, About::Setup, &NONCE, setup.to_bytes());
    check_setup(&answer, &NONCE, approved, &expect(enclave, approved), NOW).verdict
}

#[test]
fn a_share_is_sealed_to_a_setup_that_was_verified_until_it_is_stale() {
    let enclave = Enclave::hardware();
    let approved = approved(TeeKind::Nitro, true, |_| ());
    let ready = verdict(&enclave, &approved, &setup(&enclave, &approved)).unwrap();
    assert!(!ready.simulated);
    let shares = Shares { shares: Vec::new() };
    assert!(ready.seal(1, &shares, NOW).is_ok());
    let late = ready.seal(1, &shares, NOW.plus(expect(&enclave, &approved).freshness));
    assert_eq!(late.unwrap_err(), SetupRefused::Evidence(Refused::VerificationExpired));
}

#[test]
fn report_data_is_the_scripts() {
    let file: serde_json::Value = serde_json::from_slice(&vector("provisioning.json")).unwrap();
    let case = &file["report_data"];
    let bytes = |name: &str| unhex(case[name].as_str().unwrap());
    let nonce = bytes("nonce").try_into().unwrap();
    for (about, name) in [(About::Setup, "setup"), (About::Genesis, "genesis"), (About::Handover, "handover")]
    {
        assert_eq!(report_data(about, &nonce, &bytes("document")).to_vec(), bytes(name));
    }
}

#[test]
fn m15_no_setup_passes_as_a_genesis_or_an_identity_nor_the_other_way_round() {
    let enclave = Enclave::hardware();
    let approved = approved(TeeKind::Nitro, false, |_| ());
    let expect = expect(&enclave, &approved);
    let binding = SetupRefused::Evidence(Refused::BindingMismatch);
    let document = setup(&enclave, &approved).to_bytes();
    for about in [About::Setup, About::Genesis, About::Handover] {
        let answer = attested(&enclave, about, &NONCE, document.clone());
        let as_handover = check_handover(&answer, &NONCE, &approved, &expect, NOW).verdict.err();
        let is_handover = about == About::Handover;
        assert_eq!(as_handover, Some(if is_handover { SetupRefused::Malformed } else { binding }));
        let as_genesis = check_genesis(&answer, &NONCE, &approved, &expect, NOW).verdict.err();
        let as_setup = check_setup(&answer, &NONCE, &approved, &expect, NOW).verdict.err();
        // Under its own domain a setup is none of a genesis's form; under the other it is not bound.
        let expected = match about {
            About::Setup => (Some(binding), None),
            About::Genesis => (Some(SetupRefused::Malformed), Some(binding)),
            About::Handover => (Some(binding), Some(binding)),
        };
        assert_eq!((as_genesis, as_setup), expected);
    }
    // The very identity of a running enclave, with its own evidence, is no setup.
    let evidence = enclave.evidence(&NONCE);
    let posing = of_nitro(evidence.identity.clone(), evidence.document);
    assert_eq!(check_setup(&posing, &NONCE, &approved, &expect, NOW).verdict.err(), Some(binding));
    // And a setup's evidence vouches for no identity, even for one of a single nonce.
    for about in [About::Setup, About::Genesis, About::Handover] {
        let identity = enclave.identity.to_bytes();
        let answer = attested(&enclave, about, &NONCE, identity.clone());
        let inclusion = Inclusion { index: 0, size: 1, path: Vec::new() };
        let evidence =
            Evidence { identity, document: answer.evidence, inclusion, ..enclave.evidence(&NONCE) };
        let verdict = client::check(&evidence.to_bytes(), &NONCE, &enclave.expected(), NOW).verdict;
        assert!(matches!(verdict, Err(Refused::BindingMismatch)), "{verdict:?}");
    }
    let genuine = client::check(&enclave.evidence(&NONCE).to_bytes(), &NONCE, &enclave.expected(), NOW);
    assert!(matches!(genuine.verdict, Ok(Verdict::Hardware(_))));
}

#[test]
fn m06_evidence_for_another_nonce_or_document_is_refused() {
    let enclave = Enclave::hardware();
    let approved = approved(TeeKind::Nitro, true, |_| ());
    let expect = expect(&enclave, &approved);
    let good = attested(&enclave, About::Setup, &NONCE, setup(&enclave, &approved).to_bytes());
    let binding = Some(SetupRefused::Evidence(Refused::BindingMismatch));
    assert_eq!(check_setup(&good, &[0; 32], &approved, &expect, NOW).verdict.err(), binding);
    // Another key in the place of the one that was attested.
    let swapped = ceremony::Attested { document: setup(&enclave, &approved).to_bytes(), ..good };
    assert_eq!(check_setup(&swapped, &NONCE, &approved, &expect, NOW).verdict.err(), binding);
}

#[test]
fn another_program_a_stale_document_or_a_simulation_gets_no_share() {
    let enclave = Enclave::hardware();
    let other = approved(TeeKind::Nitro, true, |m| m.programs[0].registers[1].value = [9; 48]);
    let refused = verdict(&enclave, &other, &setup(&enclave, &other)).unwrap_err();
    assert_eq!(refused, SetupRefused::Evidence(Refused::MeasurementMismatch));

    let approved = approved(TeeKind::Nitro, true, |_| ());
    let expect = expect(&enclave, &approved);
    let answer = attested(&enclave, About::Setup, &NONCE, setup(&enclave, &approved).to_bytes());
    let at = NOW.plus(2 * HOUR_MS);
    let stale = check_setup(&answer, &NONCE, &approved, &expect, at).verdict.unwrap_err();
    assert!(matches!(stale, SetupRefused::Evidence(Refused::ClockSkew { .. })), "{stale:?}");

    let simulated = Enclave::simulated();
    let answer = attested(&simulated, About::Setup, &NONCE, setup(&simulated, &approved).to_bytes());
    let refused = check_setup(&answer, &NONCE, &approved, &expect, NOW).verdict.unwrap_err();
    assert_eq!(refused, SetupRefused::Evidence(Refused::SimulatedNotAllowed));
}

#[test]
fn a_manifest_of_hardware_gives_no_share_to_a_simulation_that_was_allowed() {
    let simulated = Enclave::simulated();
    let hardware = approved(TeeKind::Nitro, true, |_| ());
    assert_eq!(verdict(&simulated, &hardware, &setup(&simulated, &hardware)).err(), Some(SetupRefused::Kind));
    let manifest = approved(TeeKind::Simulated, true, |_| ());
    assert!(verdict(&simulated, &manifest, &setup(&simulated, &manifest)).unwrap().simulated);
    let enclave = Enclave::hardware();
    assert_eq!(verdict(&enclave, &manifest, &setup(&enclave, &manifest)).err(), Some(SetupRefused::Kind));
}

#[test]
fn what_a_setup_says_is_what_the_manifest_wants() {
    let enclave = Enclave::hardware();
    let approved = approved(TeeKind::Nitro, true, |_| ());
    let changed = |change: fn(&mut Setup)| {
        let mut setup = setup(&enclave, &approved);
        change(&mut setup);
        verdict(&enclave, &approved, &setup).err()
    };
    assert_eq!(changed(|_| ()), None);
    assert_eq!(changed(|s| s.version = 2), Some(SetupRefused::Malformed));
    assert_eq!(changed(|s| s.tee = TeeKind::Simulated), Some(SetupRefused::Kind));
    assert_eq!(changed(|s| s.environment = Environment::Sandbox([1; 32])), Some(SetupRefused::Environment));
    assert_eq!(changed(|s| s.manifest = Hash([0; 32])), Some(SetupRefused::Manifest));
    assert_eq!(changed(|s| s.build.version = "0.2.9".to_owned()), Some(SetupRefused::VersionTooOld));
    assert_eq!(changed(|s| s.build.version = "new".to_owned()), Some(SetupRefused::VersionTooOld));
    assert_eq!(changed(|s| s.expires = s.issued.minus(HOUR_MS)), Some(SetupRefused::Expired));
    assert_eq!(changed(|s| s.issued = s.issued.plus(HOUR_MS)), Some(SetupRefused::Expired));
    assert_eq!(changed(|s| s.key.truncate(1215)), Some(SetupRefused::Key));
    assert_eq!(changed(|s| s.suite.aead = 1), Some(SetupRefused::Key));
}

/// What an enclave says that it made, under this manifest.
fn genesis(enclave: &Enclave, approved: &Approved, roots: Vec<RootCommitment>) -> Genesis {
    Genesis {
        version: 1,
        boot: BootId([3; 16]),
        manifest: Hash(approved.hash()),
        tee: TeeKind::Nitro,
        environment: Environment::Live,
        build: enclave.identity.build.clone(),
        roots,
        sealed: vec![Sealed { encapsulated: vec![1], ciphertext: vec![2] }],
        recovered: 1,
        issued: NOW,
    }
}

/// Both have the same domain: what a manifest asked for tells them apart.
#[test]
fn m15_a_genesis_never_passes_as_a_beginning_nor_the_other_way_round() {
    let enclave = Enclave::hardware();
    let first = approved(TeeKind::Nitro, false, |_| ());
    let asking = approved(TeeKind::Nitro, true, |manifest| {
        let step = Step { stage: Stage::Make, class: "any".to_owned(), epoch: 2 };
        (manifest.nonce, manifest.steps) = (3, Some(vec![step]));
    });
    let second = vec![RootCommitment { epoch: 2, ..roots().remove(0) }];
    for (approved, right, wrong) in [(&first, roots(), second.clone()), (&asking, second, roots())] {
        let made = |roots: &[RootCommitment], of: &Approved| {
            let document = genesis(&enclave, of, roots.to_vec()).to_bytes();
            let answer = attested(&enclave, About::Genesis, &NONCE, document);
            check_genesis(&answer, &NONCE, approved, &expect(&enclave, approved), NOW).verdict.err()
        };
        assert_eq!(made(&right, approved), None);
        let both: Vec<_> = roots().into_iter().chain(right.clone()).chain(wrong.clone()).collect();
        for roots in [wrong, both] {
            assert_eq!(made(&roots, approved), Some(SetupRefused::Content));
        }
        let other = if approved.hash() == first.hash() { &asking } else { &first };
        assert_eq!(made(&right, other), Some(SetupRefused::Manifest));
    }
}

#[test]
fn a_genesis_is_of_the_manifests_classes_and_holders_and_has_proven_recovery() {
    let enclave = Enclave::hardware();
    let approved = approved(TeeKind::Nitro, false, |_| ());
    let changed = |change: fn(&mut Genesis)| {
        let mut genesis = genesis(&enclave, &approved, roots());
        change(&mut genesis);
        let answer = attested(&enclave, About::Genesis, &NONCE, genesis.to_bytes());
        check_genesis(&answer, &NONCE, &approved, &expect(&enclave, &approved), NOW).verdict.err()
    };
    assert_eq!(changed(|_| ()), None);
    assert_eq!(changed(|g| g.roots.clear()), Some(SetupRefused::Content));
    assert_eq!(changed(|g| g.roots[0].shares.clear()), Some(SetupRefused::Content));
    assert_eq!(changed(|g| g.roots[0].class = "other".to_owned()), Some(SetupRefused::Content));
    assert_eq!(changed(|g| g.sealed.clear()), Some(SetupRefused::Content));
    assert_eq!(changed(|g| g.recovered = 0), Some(SetupRefused::Content));
    assert_eq!(changed(|g| g.manifest = Hash([0; 32])), Some(SetupRefused::Manifest));
}

#[test]
fn a_kept_key_opens_what_was_sealed_to_it_and_a_damaged_one_is_none() {
    let (key, bytes) = hpke::RecipientKey::generate_kept().unwrap();
    let again = hpke::RecipientKey::kept(&bytes).unwrap();
    assert_eq!(key.public_key().bytes(), again.public_key().bytes());
    let share = ceremony::Share { class: "any", epoch: 1, share: (&[7u8; 32][..]).into() };
    let shares = Shares { shares: vec![share] };
    let sealed = seal_shares(key.public_key(), b"info", &shares).unwrap();
    assert_eq!(*open_shares(&again, b"info", &sealed).unwrap(), shares.to_bytes());
    assert!(open_shares(&again, b"other", &sealed).is_err());
    assert!(hpke::RecipientKey::kept(&bytes[1..]).is_err());
    assert!(hpke::RecipientKey::kept(&[]).is_err());
    // The secret half, the public half: one altered byte, and the two do not belong together.
    for at in [0, 1151, 1152, 2300] {
        let mut damaged = bytes.clone();
        damaged[at] ^= 1;
        assert!(hpke::RecipientKey::kept(&damaged).is_err(), "byte {at}");
    }
}
