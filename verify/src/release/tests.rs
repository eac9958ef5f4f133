//! Releases against publishers, programs, times and builds: each condition failing alone.

use super::*;
use crate::client::{self, Verdict};
use crate::expect::Expect;
use crate::measurement::Policy;
use crate::testing::enclave::{Enclave, NOW};
use crate::testing::machine::Machine;
use crate::testing::{unhex, vector};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _};
use wire::cose::{EDDSA, ES256, Protected, Sign1};
use wire::evidence::{Evidence, Hash};
use wire::identity::Build;
use wire::manifest::{Program as Measured, Register, Signer};
use wire::owner::OwnerAlgorithm;
use wire::release::Released as Listed;

const NONCE: [u8; 32] = [7; 32];
const DAY_MS: u64 = 86_400_000;

enum Pair {
    Ed25519(Ed25519KeyPair),
    P256(EcdsaKeyPair),
}

struct Publisher {
    alias: &'static str,
    pair: Pair,
}

impl Publisher {
    fn ed25519(alias: &'static str) -> Publisher {
        Publisher { alias, pair: Pair::Ed25519(Ed25519KeyPair::generate().unwrap()) }
    }

    fn p256(alias: &'static str) -> Publisher {
        Publisher {
            alias,
            pair: Pair::P256(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap()),
        }
    }

    fn key(&self) -> SigningKey {
        match &self.pair {
            Pair::Ed25519(pair) => {
                SigningKey { algorithm: OwnerAlgorithm::EdDsa, public: pair.public_key().as_ref().to_vec() }
            }
            Pair::P256(pair) => {
                SigningKey { algorithm: OwnerAlgorithm::Es256, public: pair.public_key().as_ref().to_vec() }
            }
        }
    }

    fn sign(&self, hash: &[u8; 32]) -> Vec<u8> {
        self.sign_under(hash, domain::RELEASE_SIGNATURE, key_name(&self.key()))
    }

    fn sign_under(&self, hash: &[u8; 32], domain: &str, name: [u8; 32]) -> Vec<u8> {
        let algorithm = if matches!(self.pair, Pair::Ed25519(_)) { EDDSA } else { ES256 };
        let protected = Protected { algorithm, key: name }.to_bytes();
        let signed = cose::to_be_signed(&protected, domain, hash);
        let signature = match &self.pair {
            Pair::Ed25519(pair) => pair.sign(&signed).as_ref().to_vec(),
            Pair::P256(pair) => pair.sign(&SystemRandom::new(), &signed).unwrap().as_ref().to_vec(),
        };
        Sign1 { protected: &protected, payload: None, signature: &signature }.to_bytes()
    }
}

/// Two of three, of both algorithms.
fn publishers() -> ([Publisher; 3], Publishers) {
    let all = [Publisher::ed25519("ada"), Publisher::p256("ben"), Publisher::ed25519("cyd")];
    let members =
        all.iter().map(|one| Signer { alias: one.alias.to_owned(), key: one.key() }).collect::<Vec<_>>();
    let trusted = Publishers::new(Signers { threshold: 2, members }).unwrap();
    (all, trusted)
}

fn listed(tee: TeeKind, environment: Reach, registers: &[(&str, u8)]) -> Listed {
    let registers =
        registers.iter().map(|(name, fill)| Register { name: (*name).to_owned(), value: [*fill; 48] });
    Listed { environment, program: Measured { tee, registers: registers.collect() } }
}

/// Of the enclaves that tests own: their registers, build and connectors.
fn release() -> Release {
    Release {
        version: 1,
        name: "example".to_owned(),
        build: Build { version: "0.3.0".to_owned(), commit: "c0".repeat(20) },
        connectors: Hash([5; 32]),
        from: UnixMillis(NOW.0 - DAY_MS),
        until: UnixMillis(NOW.0 + DAY_MS),
        programs: vec![
            listed(TeeKind::Nitro, Reach::Live, &[("PCR0", 1), ("PCR1", 2), ("PCR2", 3)]),
            listed(TeeKind::SevSnp, Reach::Live, &[("MEASUREMENT", 0x11)]),
            listed(TeeKind::Tdx, Reach::Live, &[("MRTD", 0x11)]),
        ],
        minimum_tcb: MinimumTcb::default(),
    }
}

fn released(release: &Release) -> Released {
    let ([ada, ben, _], trusted) = publishers();
    let bytes = release.to_bytes();
    let signatures = [ada.sign(&hash(&bytes)), ben.sign(&hash(&bytes))];
    Released::check(&bytes, signatures.iter().map(Vec::as_slice), &trusted).unwrap()
}

/// What accepts the enclave's vendor, and of programs these releases alone.
fn expecting(mut vendor: Expect, releases: &[Release]) -> Expect {
    vendor.measurements = Policy::new();
    vendor.releases = releases.iter().map(released).collect();
    vendor
}

fn nitro() -> Enclave {
    let mut enclave = Enclave::hardware();
    enclave.identity.build = release().build;
    enclave
}

/// The refusal and the check that failed; `None`: verified.
fn refusal(evidence: &Evidence, expect: &Expect, at: UnixMillis) -> Option<(Refused, &'static str)> {
    let outcome = client::check(&evidence.to_bytes(), &NONCE, expect, at);
    let failed = outcome.checks.last().map_or("", |check| check.name);
    outcome.verdict.err().map(|refused| (refused, failed))
}

#[test]
fn a_release_counts_with_as_many_different_publishers_as_the_threshold_and_not_one_fewer() {
    let ([ada, ben, cyd], trusted) = publishers();
    let bytes = release().to_bytes();
    let name = hash(&bytes);
    let check = |signatures: &[Vec<u8>]| {
        Released::check(&bytes, signatures.iter().map(Vec::as_slice), &trusted)
            .map(|released| released.hash())
    };
    assert_eq!(check(&[ada.sign(&name), cyd.sign(&name)]), Ok(name));
    assert_eq!(check(&[cyd.sign(&name), ben.sign(&name), ada.sign(&name)]), Ok(name));
    assert_eq!(check(&[]), Err(NotReleased::TooFew(0, 2)));
    assert_eq!(check(&[ben.sign(&name)]), Err(NotReleased::TooFew(1, 2)));
    assert_eq!(check(&[ada.sign(&name), ada.sign(&name)]), Err(NotReleased::Twice("ada".to_owned())));
    assert_eq!(
        check(&[ben.sign(&name), ben.sign(&name), ada.sign(&name)]),
        Err(NotReleased::Twice("ben".to_owned())),
        "another signature of the same key is the same publisher"
    );
}

#[test]
fn a_signature_that_does_not_count_refuses_the_release_and_is_never_ignored() {
    let ([ada, ben, cyd], trusted) = publishers();
    let bytes = release().to_bytes();
    let name = hash(&bytes);
    let stranger = Publisher::ed25519("eve");
    let mut other = release();
    other.build.version = "0.3.1".to_owned();
    let mut der = ben.sign(&name);
    der.pop();
    for bad in [
        stranger.sign(&name),
        // Her key, under a publisher's name.
        stranger.sign_under(&name, domain::RELEASE_SIGNATURE, key_name(&cyd.key())),
        cyd.sign(&hash(&other.to_bytes())),
        cyd.sign_under(&name, domain::MANIFEST_APPROVAL, key_name(&cyd.key())),
        cyd.sign_under(&name, domain::RELEASE_SIGNATURE, manifest_name(&cyd.key())),
        der,
        Vec::new(),
    ] {
        let signatures = [ada.sign(&name), ben.sign(&name), bad];
        let checked = Released::check(&bytes, signatures.iter().map(Vec::as_slice), &trusted);
        assert_eq!(checked.err(), Some(NotReleased::Signature));
    }
}

fn manifest_name(key: &SigningKey) -> [u8; 32] {
    crate::manifest::key_name(key)
}

#[test]
fn the_scripts_releases_and_signatures_are_accepted_and_named_as_it_names_them() {
    let vectors: serde_json::Value = serde_json::from_slice(&vector("release.json")).unwrap();
    let bytes = |value: &serde_json::Value| unhex(value.as_str().unwrap());
    for case in vectors["releases"].as_array().unwrap() {
        let encoded = bytes(&case["encoded"]);
        let listed = read(&encoded).unwrap();
        assert_eq!(listed.to_bytes(), encoded);
        assert_eq!(hash(&encoded).to_vec(), bytes(&case["hash"]));
        let signatures = case["signatures"].as_array().unwrap();
        let members = signatures.iter().map(|one| {
            let algorithm = if one["algorithm"] == 0 { OwnerAlgorithm::EdDsa } else { OwnerAlgorithm::Es256 };
            let key = SigningKey { algorithm, public: bytes(&one["public"]) };
            assert_eq!(key_name(&key).to_vec(), bytes(&one["kid"]));
            Signer { alias: one["alias"].as_str().unwrap().to_owned(), key }
        });
        let publishers = Publishers::new(Signers { threshold: 3, members: members.collect() }).unwrap();
        let signatures: Vec<Vec<u8>> = signatures.iter().map(|one| bytes(&one["signature"])).collect();
        let released = Released::check(&encoded, signatures.iter().map(Vec::as_slice), &publishers).unwrap();
        assert_eq!(released.release(), &listed);
    }
}

#[test]
fn publishers_who_could_count_twice_or_never_are_none() {
    let key = Publisher::ed25519("ada").key();
    let member = |alias: &str| Signer { alias: alias.to_owned(), key: key.clone() };
    for (threshold, members) in [
        (0, vec![member("ada")]),
        (2, vec![member("ada")]),
        (1, vec![]),
        (1, vec![member("ada"), member("ben")]),
    ] {
        assert!(Publishers::new(Signers { threshold, members }).is_none());
    }
}

#[test]
fn bytes_that_are_no_release_in_its_one_form_are_refused_whoever_signed() {
    let (_, trusted) = publishers();
    let mut malformed = release();
    malformed.until = malformed.from;
    let mut trailing = release().to_bytes();
    trailing.push(0);
    for (bytes, refused) in [
        (malformed.to_bytes(), NotReleased::Form(ReleaseFault::Validity)),
        (trailing, NotReleased::Malformed),
        (Vec::new(), NotReleased::Malformed),
    ] {
        assert_eq!(Released::check(&bytes, [], &trusted).err(), Some(refused));
    }
}

#[test]
fn a_program_of_a_release_is_verified_with_its_build_and_named_by_it() {
    let enclave = nitro();
    let expect = expecting(enclave.expected(), &[release()]);
    let outcome = client::check(&enclave.evidence(&NONCE).to_bytes(), &NONCE, &expect, NOW);
    let names: Vec<&str> = outcome.checks.iter().map(|check| check.name).collect();
    assert!(names.contains(&"release") && names.contains(&"build"), "{names:?}");
    let Ok(Verdict::Hardware(verified)) = outcome.verdict else { panic!("{:?}", outcome.verdict) };
    assert_eq!(verified.release(), Some("example"));
    for machine in [Machine::sev_snp(), Machine::tdx()] {
        let mut machine = machine;
        machine.enclave.identity.build = release().build;
        let expect = expecting(machine.expected(), &[release()]);
        assert_eq!(refusal(&machine.evidence(&NONCE), &expect, NOW), None);
    }
}

#[test]
fn a_verification_ends_with_its_release() {
    let mut soon = release();
    soon.until = NOW.plus(60_000);
    let enclave = nitro();
    let expect = expecting(enclave.expected(), &[soon]);
    let outcome = client::check(&enclave.evidence(&NONCE).to_bytes(), &NONCE, &expect, NOW);
    let Ok(Verdict::Hardware(verified)) = outcome.verdict else { panic!("{:?}", outcome.verdict) };
    assert_eq!(verified.valid_until(), NOW.plus(60_000));
}

type Alter<'a> = &'a dyn Fn(&mut Release);

#[test]
fn each_condition_of_a_release_refuses_alone() {
    let enclave = nitro();
    let evidence = enclave.evidence(&NONCE);
    let altered = |alter: Alter<'_>| {
        let mut release = release();
        alter(&mut release);
        refusal(&evidence, &expecting(enclave.expected(), &[release]), NOW)
    };
    let cases: [(Alter<'_>, Refused, &str); 7] = [
        (&|one| one.until = NOW, Refused::ReleaseOver, "release"),
        (&|one| one.from = NOW.plus(1), Refused::ReleaseNotYetValid, "release"),
        (
            &|one| one.programs[0].program.registers[1].value[0] ^= 1,
            Refused::MeasurementMismatch,
            "measurement",
        ),
        (&|one| one.build.version = "0.3.1".to_owned(), Refused::ReleaseMismatch, "build"),
        (&|one| one.build.commit = "d0".repeat(20), Refused::ReleaseMismatch, "build"),
        (&|one| one.connectors.0[0] ^= 1, Refused::ReleaseMismatch, "build"),
        (&|one| one.programs[0].environment = Reach::Sandbox, Refused::EnvironmentMismatch, "build"),
    ];
    for (number, (alter, refused, check)) in cases.into_iter().enumerate() {
        assert_eq!(altered(alter), Some((refused, check)), "case {number}");
    }
    // The same registers, listed for another kind of TEE.
    let simulated = |one: &mut Release| {
        one.programs =
            vec![listed(TeeKind::Simulated, Reach::Live, &[("PCR0", 1), ("PCR1", 2), ("PCR2", 3)])];
    };
    assert_eq!(altered(&simulated), Some((Refused::MeasurementMismatch, "release")));
}

#[test]
fn a_release_says_how_old_the_firmware_may_be() {
    let (mut snp, mut tdx) = (Machine::sev_snp(), Machine::tdx());
    snp.enclave.identity.build = release().build;
    tdx.enclave.identity.build = release().build;
    let with = |minimum_tcb: MinimumTcb| {
        let mut release = release();
        release.minimum_tcb = minimum_tcb;
        [&snp, &tdx].map(|machine| {
            refusal(&machine.evidence(&NONCE), &expecting(machine.expected(), &[release.clone()]), NOW)
        })
    };
    let newest = SnpTcb { fmc: 0, boot_loader: 255, tee: 255, snp: 255, microcode: 255 };
    let refused = Some((Refused::TcbTooOld, "release"));
    assert_eq!(with(MinimumTcb { sev_snp: Some(SnpTcb::default()), tdx: Some(0) }), [None, None]);
    assert_eq!(with(MinimumTcb { sev_snp: Some(newest), tdx: None }), [refused, None]);
    assert_eq!(with(MinimumTcb { sev_snp: None, tdx: Some(u64::MAX) }), [None, refused]);
}

#[test]
fn of_several_releases_of_one_program_any_suffices_and_none_stands_in_for_another_program() {
    let enclave = nitro();
    let evidence = enclave.evidence(&NONCE);
    let (mut over, mut other) = (release(), release());
    over.until = NOW;
    other.programs = vec![listed(TeeKind::Nitro, Reach::Live, &[("PCR0", 9)])];
    let with = |releases: &[Release]| refusal(&evidence, &expecting(enclave.expected(), releases), NOW);
    assert_eq!(with(&[over.clone(), other.clone(), release()]), None);
    assert_eq!(with(&[other.clone(), over]), Some((Refused::ReleaseOver, "release")));
    assert_eq!(with(&[other]), Some((Refused::MeasurementMismatch, "measurement")));
}

#[test]
fn m01_neither_releases_nor_measurements_or_an_empty_set_beside_a_release_refuses() {
    let enclave = nitro();
    let evidence = enclave.evidence(&NONCE);
    let empty = Some((Refused::EmptyPolicy, "policy"));
    assert_eq!(refusal(&evidence, &expecting(enclave.expected(), &[]), NOW), empty);
    let mut beside = expecting(enclave.expected(), &[release()]);
    beside.measurements = Policy::new().or(Registers::new());
    assert_eq!(refusal(&evidence, &beside, NOW), empty);
}

#[test]
fn what_the_caller_names_by_its_registers_needs_no_release() {
    let enclave = nitro();
    let mut over = release();
    over.until = NOW;
    let mut expect = expecting(enclave.expected(), &[over]);
    expect.measurements = enclave.expected().measurements;
    assert_eq!(refusal(&enclave.evidence(&NONCE), &expect, NOW), None);
}
