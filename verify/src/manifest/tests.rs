use super::*;
use crate::testing::{unhex, vector};
use serde_json::Value;
use wire::ceremony::{handover_info, held_info, released_info};
use wire::manifest::share_transcript;

fn vectors() -> Value {
    serde_json::from_slice(&vector("provisioning.json")).unwrap()
}

fn bytes(value: &Value) -> Vec<u8> {
    unhex(value.as_str().unwrap())
}

fn approvals(case: &Value) -> Vec<Vec<u8>> {
    case["approvals"].as_array().unwrap().iter().map(|one| bytes(&one["approval"])).collect()
}

fn check(manifest: &[u8], approvals: &[Vec<u8>]) -> Result<Approved, Refused> {
    Approved::check(manifest, approvals.iter().map(Vec::as_slice))
}

#[test]
fn the_scripts_manifests_and_approvals_are_accepted_and_named_as_it_names_them() {
    for case in vectors()["manifests"].as_array().unwrap() {
        let encoded = bytes(&case["encoded"]);
        let manifest = read(&encoded).unwrap();
        assert_eq!(manifest.to_bytes(), encoded);
        assert_eq!(hash(&encoded).to_vec(), bytes(&case["hash"]));
        for (member, expected) in manifest.approvers.members.iter().zip(case["approvals"].as_array().unwrap())
        {
            assert_eq!(key_name(&member.key).to_vec(), bytes(&expected["kid"]));
        }
        let approved = check(&encoded, &approvals(case)).unwrap();
        assert_eq!(approved.hash().to_vec(), bytes(&case["hash"]));
    }
}

#[test]
fn commitments_and_infos_are_the_scripts() {
    let vectors = vectors();
    let commitments = &vectors["commitments"];
    for (number, case) in (1u8..).zip(commitments["shares"].as_array().unwrap()) {
        let share = bytes(&case[0]).try_into().unwrap();
        assert_eq!(sha256(&share_transcript("any", 1, number, &share)).to_vec(), bytes(&case[1]));
    }
    let name = bytes(&vectors["info"]["name"]).try_into().unwrap();
    assert_eq!(held_info(&name, 2), bytes(&vectors["info"]["held"]));
    assert_eq!(released_info(&name, 2), bytes(&vectors["info"]["released"]));
    assert_eq!(handover_info(&name), bytes(&vectors["info"]["handover"]));
}

#[test]
fn every_altered_byte_of_a_manifest_or_an_approval_is_refused() {
    let vectors = vectors();
    let case = &vectors["manifests"][1];
    let (encoded, approvals) = (bytes(&case["encoded"]), approvals(case));
    // Of the holders' keys, which are most of it, some bytes are enough.
    for at in (0..encoded.len()).filter(|at| at % 37 == 0 || !(600..4000).contains(at)) {
        let mut altered = encoded.clone();
        altered[at] ^= 1;
        assert!(check(&altered, &approvals).is_err(), "byte {at}");
    }
    for (number, approval) in approvals.iter().enumerate() {
        for at in 0..approval.len() {
            let mut altered = approvals.clone();
            altered[number][at] ^= 1;
            assert!(check(&encoded, &altered).is_err(), "byte {at} of approval {number}");
        }
    }
}

#[test]
fn m01_what_evidence_has_to_prove_is_the_manifests_programs_and_nothing_else() {
    let vectors = vectors();
    let manifest = read(&bytes(&vectors["manifests"][0]["encoded"])).unwrap();
    let expect = expect(&manifest);
    assert!(!expect.measurements.is_empty());
    assert_eq!(expect.kinds, [Kind::Nitro, Kind::SevSnp]);
    let register = |name, value: u8| Registers::new().with(name, [value; 48]).unwrap();
    let nitro = register(Name::Pcr(0), 0xa0).with(Name::Pcr(1), [0xa1; 48]).unwrap();
    assert_eq!(expect.measurements.check(&nitro), Ok(()));
    assert_eq!(expect.measurements.check(&register(Name::Measurement, 0xb0)), Ok(()));
    assert!(expect.measurements.check(&register(Name::Pcr(0), 0xa0)).is_err(), "PCR1 is wanted too");
    assert!(expect.dangerous_simulated.is_none());
    assert_eq!(expect.environment, Some(Reaches::Live));
}

#[test]
fn a_successor_keeps_everything_but_programs_and_times_and_has_a_higher_nonce() {
    let vectors = vectors();
    let case = &vectors["manifests"][1];
    let manifest = read(&bytes(&case["encoded"])).unwrap();
    let approved = |change: fn(&mut Manifest)| {
        let mut manifest = manifest.clone();
        change(&mut manifest);
        Approved { hash: hash(&manifest.to_bytes()), manifest }
    };
    let old = approved(|_| ());
    let admitted: [fn(&mut Manifest); 4] = [
        |_| (),
        |m| m.nonce = 3,
        |m| (m.nonce, m.until) = (9, m.until.plus(1)),
        |m| {
            m.nonce = 3;
            m.programs.pop();
            m.minimum_version = "9.0.0".to_owned();
        },
    ];
    for change in admitted {
        assert!(old.admits(&approved(change)));
    }
    let refused: [fn(&mut Manifest); 8] = [
        |m| m.nonce = 1,
        |m| m.until = m.until.plus(1),
        |m| (m.nonce, m.name) = (3, "other".to_owned()),
        |m| (m.nonce, m.environment) = (3, Reach::Sandbox),
        |m| (m.nonce, m.approvers.threshold) = (3, 1),
        |m| (m.nonce, m.holders.threshold) = (3, 1),
        |m| (m.nonce, m.classes) = (3, vec!["other".to_owned()]),
        |m| (m.nonce, m.roots) = (3, Vec::new()),
    ];
    for (number, change) in refused.into_iter().enumerate() {
        assert!(!old.admits(&approved(change)), "{number}");
    }
}
