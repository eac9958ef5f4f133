//! Verification from evidence to sealer, each check failing alone.

use super::*;
use crate::expect::{Kind, Reaches};
use crate::testing::enclave::{Enclave, NOW, hpke_key, stray_public_key};
use crate::testing::machine::Machine;
use crate::{Root, VendorRoots};
use wire::evidence::Form;
use wire::identity::TeeKind;
use wire::transcript::{Transcript, domain};

const NONCE: Nonce = [7; 32];

/// What is changed, the refusal that it leads to, and the check that fails.
type Change<'c, T> = (&'c dyn Fn(&mut T), Refused, &'static str);

fn refused(evidence: &Evidence, expect: &Expect, at: UnixMillis) -> (Refused, &'static str) {
    let outcome = check(&evidence.to_bytes(), &NONCE, expect, at);
    let failed = outcome.checks.last().filter(|check| !check.ok).map_or("none", |check| check.name);
    (outcome.verdict.expect_err("a refusal"), failed)
}

fn verified(enclave: &Enclave) -> Verified<Hardware> {
    let evidence = enclave.evidence(&NONCE).to_bytes();
    match check(&evidence, &NONCE, &enclave.expected(), NOW).verdict {
        Ok(Verdict::Hardware(verified)) => verified,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_verified_enclave_opens_what_its_sealer_seals() {
    let enclave = Enclave::hardware();
    let evidence = enclave.evidence(&NONCE);
    let outcome = check(&evidence.to_bytes(), &NONCE, &enclave.expected(), NOW);
    let names: Vec<&str> = outcome.checks.iter().map(|check| check.name).collect();
    assert_eq!(
        names,
        [
            "policy",
            "evidence",
            "kind",
            "chain",
            "signature",
            "validity",
            "not_debug",
            "measurement",
            "binding",
            "identity",
            "environment",
            "manifest",
            "root_commitment",
            "connectors",
            "log_key",
            "minimum_version",
            "identity_fresh",
            "receipt_key",
            "sealing_key"
        ]
    );
    assert!(outcome.checks.iter().all(|check| check.ok));
    let Ok(Verdict::Hardware(verified)) = outcome.verdict else { panic!("{:?}", outcome.verdict) };
    assert_eq!(verified.identity(), &enclave.identity);
    assert_eq!(verified.identity_hash(), identity_hash(&evidence.identity));

    let sealer = verified.sealer(NOW).unwrap();
    let (hash, key) = (sealer.encapsulated_key_hash(), sealer.key_id());
    let request = bhttp::Request::post("/v1/request", b"body".to_vec().into());
    let (sealed, opener) = sealer.seal(&request.to_padded_bytes().unwrap()).unwrap();
    let opened = ohttp::open_request([&enclave.recipient], &sealed).unwrap();
    assert_eq!((opened.encapsulated_key_hash, opened.key_id), (hash, key));
    assert!(bhttp::Request::from_bytes(&opened.plaintext).unwrap() == request);

    let reply = Reply {
        version: WIRE_VERSION,
        result: Some(vec![1]),
        refusal: None,
        receipt: vec![2],
        mark: None,
        grant: None,
    };
    let response = bhttp::Response::new(200, reply.to_bytes().into()).to_padded_bytes().unwrap();
    let sealed = opened.reply.seal(&response).unwrap();
    assert_eq!(open_reply(&opener, &sealed), Ok(reply));
}

#[test]
fn machines_of_every_vendor_lead_to_a_sealer() {
    for machine in [Machine::sev_snp(), Machine::tdx()] {
        let evidence = machine.evidence(&NONCE).to_bytes();
        let outcome = check(&evidence, &NONCE, &machine.expected(), NOW);
        let Ok(Verdict::Hardware(verified)) = outcome.verdict else { panic!("{:?}", outcome.verdict) };
        assert_eq!(verified.identity(), &machine.enclave.identity);
        assert!(verified.sealer(NOW).is_ok());
        let twice = check(&evidence, &[8; 32], &machine.expected(), NOW);
        assert_eq!(twice.verdict.unwrap_err(), Refused::BindingMismatch, "another client's nonce");
    }
}

#[test]
fn what_a_machines_evidence_says_of_itself_is_no_more_than_a_hint() {
    let (snp, tdx) = (Machine::sev_snp(), Machine::tdx());
    let cases: [(&Machine, Change<'_, Evidence>); 5] = [
        (&snp, (&|evidence| evidence.form = Form::Nitro, Refused::Malformed, "kind")),
        (&snp, (&|evidence| evidence.form = Form::Tdx, Refused::Malformed, "kind")),
        (&snp, (&|evidence| evidence.certificates.clear(), Refused::CertificateMissing, "chain")),
        (&tdx, (&|evidence| evidence.form = Form::SevSnp, Refused::DocumentTooLong, "kind")),
        (&tdx, (&|evidence| evidence.collateral = None, Refused::CollateralMissing, "collateral")),
    ];
    for (machine, (change, reason, name)) in cases {
        let mut evidence = machine.evidence(&NONCE);
        change(&mut evidence);
        assert_eq!(refused(&evidence, &machine.expected(), NOW), (reason, name));
    }
}

#[test]
fn a_machine_of_one_vendor_is_not_another_ones() {
    let mut machine = Machine::sev_snp();
    machine.enclave.identity.tee = TeeKind::Nitro;
    let evidence = machine.evidence(&NONCE);
    assert_eq!(refused(&evidence, &machine.expected(), NOW), (Refused::IdentityKind, "identity"));
    machine.enclave.identity.tee = TeeKind::SevSnp;
    let mut expect = machine.expected();
    expect.kinds = vec![Kind::Nitro, Kind::Tdx];
    assert_eq!(refused(&machine.evidence(&NONCE), &expect, NOW), (Refused::KindNotAllowed, "kind"));
}

#[test]
fn simulated_evidence_is_refused_by_default() {
    let enclave = Enclave::simulated();
    let evidence = enclave.evidence(&NONCE);
    let mut expect = enclave.expected();
    assert!(matches!(check(&evidence.to_bytes(), &NONCE, &expect, NOW).verdict, Ok(Verdict::Simulated(_))));
    expect.dangerous_simulated = None;
    assert_eq!(refused(&evidence, &expect, NOW), (Refused::SimulatedNotAllowed, "chain"));
    expect.dangerous_simulated = Some(Enclave::simulated().root());
    assert_eq!(refused(&evidence, &expect, NOW), (Refused::SimulatedNotAllowed, "chain"));
    expect.vendors = VendorRoots::default().dangerous_instead(Kind::Nitro, vec![enclave.root()]);
    assert_eq!(refused(&evidence, &expect, NOW), (Refused::SimulationUnderVendorRoot, "chain"));
}

#[test]
fn naming_a_simulation_does_not_loosen_anything_for_hardware() {
    let enclave = Enclave::hardware();
    let mut expect = enclave.expected();
    expect.dangerous_simulated = Some(enclave.root());
    let outcome = check(&enclave.evidence(&NONCE).to_bytes(), &NONCE, &expect, NOW);
    assert!(matches!(outcome.verdict, Ok(Verdict::Hardware(_))), "a vendor's root stays a vendor's");
    expect.vendors = VendorRoots::default();
    assert_eq!(refused(&enclave.evidence(&NONCE), &expect, NOW), (Refused::SimulationUnmarked, "chain"));
    expect.dangerous_simulated = Some(Root::aws_nitro_g1());
    assert_eq!(refused(&enclave.evidence(&NONCE), &expect, NOW), (Refused::RootNotPinned, "chain"));
}

#[test]
fn a_kind_that_is_not_allowed_is_refused_first() {
    let enclave = Enclave::hardware();
    let mut expect = enclave.expected();
    expect.kinds.clear();
    assert_eq!(refused(&enclave.evidence(&NONCE), &expect, NOW), (Refused::KindNotAllowed, "kind"));
}

#[test]
fn m01_an_empty_policy_refuses_whatever_the_evidence() {
    let enclave = Enclave::hardware();
    let mut expect = enclave.expected();
    expect.measurements = crate::measurement::Policy::new();
    assert_eq!(refused(&enclave.evidence(&NONCE), &expect, NOW), (Refused::EmptyPolicy, "policy"));
}

#[test]
fn m06_evidence_for_another_nonce_or_identity_is_refused() {
    let enclave = Enclave::hardware();
    let expect = enclave.expected();
    let mismatch = (Refused::BindingMismatch, "binding");
    assert_eq!(refused(&enclave.evidence(&[8; 32]), &expect, NOW), mismatch, "another client's");

    let mut other = enclave.evidence(&NONCE);
    let mut identity = enclave.identity.clone();
    identity.hpke_keys[0].public = stray_public_key();
    other.identity = identity.to_bytes();
    assert_eq!(refused(&other, &expect, NOW), mismatch, "the host's own key in the identity");

    let mut other = enclave.evidence(&NONCE);
    other.inclusion.path[0].0[0] ^= 1;
    assert_eq!(refused(&other, &expect, NOW), mismatch);
    other.inclusion.path.clear();
    assert_eq!(refused(&other, &expect, NOW), (Refused::NonceMismatch, "binding"));

    let mut other = enclave.evidence(&NONCE);
    other.document = enclave.document(&[]);
    assert_eq!(refused(&other, &expect, NOW), mismatch, "no report data");
}

#[test]
fn m10_the_binding_is_domain_separated_and_length_delimited() {
    let (root, identity) = ([9; 32], b"identity".as_slice());
    let identity_hash = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA512, identity);
    let sha512 =
        |bytes: &[u8]| aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA512, bytes).as_ref().to_vec();
    let data = binding::report_data(&root, identity).to_vec();
    let undelimited = [domain::EVIDENCE.as_bytes(), &root, identity_hash.as_ref()].concat();
    assert_ne!(data, sha512(&undelimited));
    let other_domain = Transcript::new(domain::RECEIPT).field(&root).field(identity_hash.as_ref()).bytes();
    assert_ne!(data, sha512(&other_domain));
    let delimited = Transcript::new(domain::EVIDENCE).field(&root).field(identity_hash.as_ref()).bytes();
    assert_eq!(data, sha512(&delimited));
}

#[test]
fn m19_a_wrong_clock_is_named_with_its_offset_if_the_nonce_proves_it() {
    let enclave = Enclave::hardware();
    let (evidence, expect) = (enclave.evidence(&NONCE), enclave.expected());
    let three_days = 3 * 86_400_000;
    let ahead = Refused::ClockSkew { seconds: 259_200 };
    assert_eq!(refused(&evidence, &expect, NOW.plus(three_days)), (ahead, "validity"));
    let behind = Refused::ClockSkew { seconds: -259_200 };
    assert_eq!(refused(&evidence, &expect, NOW.minus(three_days)), (behind, "validity"));
    let small = 4 * 60_000;
    for at in [NOW.plus(small), NOW.minus(small)] {
        assert!(check(&evidence.to_bytes(), &NONCE, &expect, at).verdict.is_ok(), "leeway");
    }
    let replayed = enclave.evidence(&[8; 32]);
    let (reason, _) = refused(&replayed, &expect, NOW.plus(three_days));
    assert!(
        matches!(reason, Refused::Expired { .. }),
        "an old document is not the clock's fault: {reason:?}"
    );
}

#[test]
fn m20_a_verification_yields_no_sealer_once_it_is_no_longer_fresh() {
    let verified = verified(&Enclave::hardware());
    let freshness = crate::expect::DEFAULT_FRESHNESS_MS;
    assert_eq!(verified.valid_until(), NOW.plus(freshness));
    assert!(verified.sealer(NOW.plus(freshness - 1)).is_ok());
    for late in [freshness, freshness + 1, u64::MAX] {
        assert_eq!(verified.sealer(NOW.plus(late)).err(), Some(Refused::VerificationExpired));
    }
}

#[test]
fn m20_a_verification_ends_with_the_identity_and_the_sealing_key() {
    let mut enclave = Enclave::hardware();
    enclave.identity.expires = NOW.plus(1_000);
    assert_eq!(verified(&enclave).valid_until(), NOW.plus(1_000 + crate::expect::DEFAULT_LEEWAY_MS));
    enclave.identity.hpke_keys[0].not_after = NOW.plus(500);
    let short = verified(&enclave);
    assert!(short.sealer(NOW).is_ok());
    assert_eq!(short.sealer(NOW.plus(500)).err(), Some(Refused::NoSealingKey));
}

#[test]
fn m20_a_verification_counts_from_the_document_and_ends_with_its_certificate() {
    let freshness = crate::expect::DEFAULT_FRESHNESS_MS;
    let mut enclave = Enclave::hardware();
    enclave.timestamp = NOW.minus(120_000);
    assert_eq!(verified(&enclave).valid_until(), NOW.minus(120_000).plus(freshness));
    enclave.timestamp = NOW.plus(120_000);
    assert_eq!(verified(&enclave).valid_until(), NOW.plus(freshness), "a clock that is behind gains nothing");

    let mut enclave = Enclave::hardware();
    enclave.identity.expires = NOW.plus(100 * 3_600_000);
    let mut expect = enclave.expected();
    expect.freshness = u64::MAX;
    let outcome = check(&enclave.evidence(&NONCE).to_bytes(), &NONCE, &expect, NOW);
    let Ok(Verdict::Hardware(verified)) = outcome.verdict else { panic!("{:?}", outcome.verdict) };
    let midnight = NOW.plus(12 * 3_600_000);
    assert_eq!(verified.valid_until(), midnight.plus(expect.leeway));
}

#[test]
fn the_next_sealing_key_is_used_when_the_first_has_ended() {
    let mut enclave = Enclave::hardware();
    let next = ohttp::Recipient::generate(2).unwrap();
    enclave.identity.hpke_keys[0].not_after = NOW.plus(500);
    enclave.identity.hpke_keys.push(hpke_key(&next));
    let verified = verified(&enclave);
    assert_eq!(verified.sealer(NOW).unwrap().key_id(), 1);
    assert_eq!(verified.sealer(NOW.plus(500)).unwrap().key_id(), 2);
}

#[test]
fn every_named_expectation_is_compared() {
    let enclave = Enclave::hardware();
    let evidence = enclave.evidence(&NONCE);
    let with = |change: &dyn Fn(&mut Expect)| {
        let mut expect = enclave.expected();
        change(&mut expect);
        expect
    };
    let all = with(&|e| {
        e.environment = Some(Reaches::Live);
        e.manifest = Some([4; 32]);
        e.root_commitments = vec![(2, [0x22; 32])];
        e.connectors = Some([5; 32]);
        e.minimum_version = Some(Version(0, 3, 0));
    });
    assert!(check(&evidence.to_bytes(), &NONCE, &all, NOW).verdict.is_ok());
    let refusals: [Change<'_, Expect>; 9] = [
        (&|e| e.environment = Some(Reaches::AnySandbox), Refused::EnvironmentMismatch, "environment"),
        (&|e| e.environment = Some(Reaches::Sandbox([0; 32])), Refused::EnvironmentMismatch, "environment"),
        (&|e| e.manifest = Some([0; 32]), Refused::ManifestMismatch, "manifest"),
        (&|e| e.root_commitments = vec![(2, [0; 32])], Refused::RootCommitmentMismatch, "root_commitment"),
        (&|e| e.root_commitments = vec![(3, [0x22; 32])], Refused::RootCommitmentMismatch, "root_commitment"),
        (&|e| e.connectors = Some([0; 32]), Refused::ConnectorsMismatch, "connectors"),
        (&|e| e.log_key = Some([0; 32]), Refused::LogKeyMismatch, "log_key"),
        (&|e| e.minimum_version = Some(Version(0, 3, 1)), Refused::VersionTooOld, "minimum_version"),
        (&|e| e.minimum_version = Some(Version(1, 0, 0)), Refused::VersionTooOld, "minimum_version"),
    ];
    for (change, reason, name) in refusals {
        assert_eq!(refused(&evidence, &with(change), NOW), (reason, name));
    }
}

#[test]
fn an_identity_that_is_not_fit_is_refused() {
    let changes: [Change<'_, Identity>; 13] = [
        (&|i| i.version = 2, Refused::IdentityMalformed, "identity"),
        (&|i| i.tee = TeeKind::Simulated, Refused::IdentityKind, "identity"),
        (&|i| i.tee = TeeKind::Tdx, Refused::IdentityKind, "identity"),
        (&|i| i.epochs.commitments.reverse(), Refused::IdentityMalformed, "identity"),
        (&|i| i.epochs.oldest = 0, Refused::IdentityMalformed, "identity"),
        (&|i| i.epochs.oldest = i.epochs.current + 1, Refused::IdentityMalformed, "identity"),
        (&|i| i.epochs.current = 9, Refused::IdentityMalformed, "identity"),
        (&|i| i.expires = NOW.minus(600_000), Refused::IdentityExpired, "identity_fresh"),
        (&|i| i.issued = NOW.plus(600_000), Refused::IdentityExpired, "identity_fresh"),
        (&|i| i.receipt_key = [0; 32], Refused::ReceiptKey, "receipt_key"),
        (&|i| i.hpke_keys.clear(), Refused::NoSealingKey, "sealing_key"),
        (&|i| i.hpke_keys[0].suite.kem = 0x0020, Refused::NoSealingKey, "sealing_key"),
        (&|i| i.hpke_keys[0].public.truncate(1215), Refused::NoSealingKey, "sealing_key"),
    ];
    for (change, reason, name) in changes {
        let mut enclave = Enclave::hardware();
        change(&mut enclave.identity);
        assert_eq!(refused(&enclave.evidence(&NONCE), &enclave.expected(), NOW), (reason, name));
    }
    let mut enclave = Enclave::simulated();
    enclave.identity.tee = TeeKind::Nitro;
    let refused = refused(&enclave.evidence(&NONCE), &enclave.expected(), NOW);
    assert_eq!(refused, (Refused::IdentityKind, "identity"), "a simulation that calls itself hardware");
}

#[test]
fn an_emulated_machine_runs_the_program_for_nitro_and_is_simulated_all_the_same() {
    let mut enclave = Enclave::simulated();
    enclave.module = "dev-simulated-emulated-1".to_owned();
    let identity = refused(&enclave.evidence(&NONCE), &enclave.expected(), NOW);
    assert_eq!(identity, (Refused::IdentityKind, "identity"), "a simulation that calls itself emulated");
    enclave.identity.tee = TeeKind::Nitro;
    let evidence = enclave.evidence(&NONCE).to_bytes();
    let verdict = check(&evidence, &NONCE, &enclave.expected(), NOW).verdict;
    assert!(matches!(verdict, Ok(Verdict::Simulated(_))), "{verdict:?}");
    let hardware = Expect { dangerous_simulated: None, ..enclave.expected() };
    assert_eq!(refused(&enclave.evidence(&NONCE), &hardware, NOW), (Refused::SimulatedNotAllowed, "chain"));
}

#[test]
fn m09_evidence_in_another_encoding_is_refused() {
    let enclave = Enclave::hardware();
    let bytes = enclave.evidence(&NONCE).to_bytes();
    let trailing = [bytes.as_slice(), &[0]].concat();
    for bad in [&trailing[..], &bytes[..bytes.len() - 1], &[]] {
        let outcome = check(bad, &NONCE, &enclave.expected(), NOW);
        assert_eq!(outcome.verdict.err(), Some(Refused::Malformed));
    }
    let mut evidence = enclave.evidence(&NONCE);
    evidence.version = 2;
    assert_eq!(refused(&evidence, &enclave.expected(), NOW), (Refused::Malformed, "evidence"));
}

#[test]
fn a_reply_that_is_not_one_is_refused() {
    let enclave = Enclave::hardware();
    let verified = verified(&enclave);
    let answer = |content: Vec<u8>| {
        let (sealed, opener) = verified.sealer(NOW).unwrap().seal(b"request").unwrap();
        let opened = ohttp::open_request([&enclave.recipient], &sealed).unwrap();
        let response = bhttp::Response::new(200, content.into()).to_padded_bytes().unwrap();
        let mut sealed = opened.reply.seal(&response).unwrap();
        let opened = open_reply(&opener, &sealed);
        *sealed.last_mut().unwrap() ^= 1;
        assert_eq!(open_reply(&opener, &sealed), Err(Refused::ReplyMalformed), "altered");
        opened
    };
    let reply = |version, result, refusal| {
        Reply { version, result, refusal, receipt: vec![0], mark: None, grant: None }.to_bytes()
    };
    assert!(answer(reply(1, None, Some(wire::Refusal::Internal))).is_ok());
    for content in [
        reply(2, Some(vec![1]), None),
        reply(1, None, None),
        reply(1, Some(vec![1]), Some(wire::Refusal::Internal)),
        Vec::new(),
        b"{}".to_vec(),
    ] {
        assert_eq!(answer(content), Err(Refused::ReplyMalformed));
    }
}

#[test]
fn a_verified_enclave_prints_no_key() {
    let printed = format!("{:?}", verified(&Enclave::hardware()));
    assert_eq!(printed, format!("Verified(i-test-enc0, until {})", NOW.0 + 600_000));
}
