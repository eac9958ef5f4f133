use super::*;
use crate::holder;
use crate::testing::{unhex, vector};
use serde_json::Value;
use wire::ceremony::{handover_info, held_info, released_info};
use wire::manifest::{ManifestFault, Replaced, RootCommitment, Signer};

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
        let receipt = holder::receipt("any", 1, number, &share);
        assert_eq!(receipt.to_vec(), bytes(&case[1]));
        assert_eq!(holder::commitment("any", 1, number, &receipt).0.to_vec(), bytes(&case[2]));
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

/// With `threshold` of `number` witnesses.
fn with_witnesses(threshold: u8, number: u8) -> Manifest {
    let mut manifest = read(&bytes(&vectors()["manifests"][1]["encoded"])).unwrap();
    let key = |number| SigningKey { algorithm: OwnerAlgorithm::EdDsa, public: vec![number; 32] };
    let members = (1..=number).map(|number| Signer { alias: format!("w{number}"), key: key(number) });
    manifest.witnesses = wire::manifest::Signers { threshold, members: members.collect() };
    manifest
}

#[test]
fn a_manifest_of_whose_witnesses_half_suffice_is_refused_whoever_approved_it() {
    for (threshold, number) in [(1, 1), (2, 2), (2, 3), (3, 4), (16, 16)] {
        assert!(read(&with_witnesses(threshold, number).to_bytes()).is_ok(), "{threshold} of {number}");
    }
    for (threshold, number) in [(0, 1), (1, 2), (1, 3), (2, 4), (8, 16), (4, 3), (1, 0), (9, 17)] {
        let manifest = with_witnesses(threshold, number);
        assert_eq!(manifest.check_form(), Err(ManifestFault::Threshold), "{threshold} of {number}");
        let refused = read(&manifest.to_bytes()).map_err(|refused| refused.fault);
        assert_eq!(refused.err(), Some(CeremonyFault::ManifestMalformed));
    }
}

#[test]
fn a_deployment_is_known_by_its_first_root_even_when_that_is_over() {
    let mut manifest = with_witnesses(2, 3);
    let first = manifest.roots[0].commitment;
    assert_eq!(manifest.first_root(), Some(&first));
    manifest.first = Some(first);
    assert_eq!(manifest.check_form(), Err(ManifestFault::FirstRoot), "said twice");
    manifest.roots[0].epoch = 2;
    assert_eq!((manifest.first_root(), manifest.check_form()), (Some(&first), Ok(())));
    manifest.first = None;
    assert_eq!((manifest.first_root(), manifest.check_form()), (None, Err(ManifestFault::FirstRoot)));
    manifest.witnesses = with_witnesses(0, 0).witnesses;
    assert_eq!(manifest.check_form(), Err(ManifestFault::FirstRoot), "witnesses may be named later");
}

#[test]
fn first_roots_that_are_over_and_notices_are_as_the_script_has_them_and_in_no_other_form() {
    let vectors = vectors();
    let over = read(&bytes(&vectors["manifests"][2]["encoded"])).unwrap();
    let before = read(&bytes(&vectors["manifests"][1]["encoded"])).unwrap();
    assert_eq!(over.first_root(), before.first_root());
    let noticed = read(&bytes(&vectors["manifests"][3]["encoded"])).unwrap();
    let [notice] = noticed.notices() else { panic!("{:?}", noticed.notices()) };
    assert_eq!((notice.class.as_str(), notice.epoch, notice.absent, notice.hours), ("any", 1, 1 << 32, 168));
    let replaced = read(&bytes(&vectors["manifests"][4]["encoded"])).unwrap();
    let aliases = |signers: &wire::manifest::Signers| {
        signers.members.iter().map(|member| member.alias.clone()).collect::<Vec<_>>()
    };
    let former = replaced.replaced.as_ref().map(|replaced| aliases(&replaced.former));
    assert_eq!((replaced.generation(), former), (1, Some(names(&["w21", "w22", "w23"]))));
    assert_eq!((noticed.generation(), aliases(&replaced.witnesses)), (0, names(&["w21", "w22", "w24"])));
    for case in vectors["refused"].as_array().unwrap() {
        let encoded = bytes(&case["encoded"]);
        let fault = Manifest::from_bytes(&encoded).unwrap().check_form().unwrap_err();
        assert_eq!(format!("{fault:?}"), case["fault"].as_str().unwrap(), "{}", case["why"]);
        assert_eq!(read(&encoded).unwrap_err().fault, CeremonyFault::ManifestMalformed);
    }
}

#[test]
fn m06_no_successor_has_other_witnesses_but_those_that_replace_its_own_as_they_are() {
    let approved = |nonce, manifest: Manifest| {
        let manifest = Manifest { nonce, ..manifest };
        Approved { hash: hash(&manifest.to_bytes()), manifest }
    };
    let old = approved(4, with_witnesses(2, 3));
    assert!(old.admits(&approved(5, with_witnesses(2, 3))));
    let mut replaced = with_witnesses(2, 3);
    replaced.witnesses.members[1].key.public = vec![9; 32];
    let mut renamed = with_witnesses(2, 3);
    renamed.witnesses.members[1].alias = "w9".into();
    for other in [replaced, renamed, with_witnesses(3, 3), with_witnesses(3, 4), with_witnesses(0, 0)] {
        assert!(!old.admits(&approved(5, other)));
    }
    assert!(approved(4, with_witnesses(0, 0)).admits(&approved(5, with_witnesses(2, 3))), "the first ones");

    let replacing = |generation, former: &Manifest, number| {
        let replaced = Some(Replaced { generation, former: former.witnesses.clone() });
        let manifest = Manifest { replaced, ..with_witnesses(number, number) };
        assert_eq!(manifest.check_form(), Ok(()));
        manifest
    };
    let old = with_witnesses(2, 3);
    let (first, second) = (replacing(1, &old, 2), replacing(2, &with_witnesses(2, 2), 4));
    let made: &[RootCommitment] = &[];
    let admits = |old: &Manifest, new: &Manifest| {
        let (old, new) = (approved(4, old.clone()), approved(5, new.clone()));
        (old.admits(&new), old.admits_after(made, &new))
    };
    for (old, new) in [(&old, &first), (&first, &second), (&first, &first)] {
        assert_eq!(admits(old, new), (true, true));
    }
    // A holder may not have seen the one between; an enclave has.
    assert_eq!(admits(&old, &second), (false, true));
    assert_eq!(admits(&with_witnesses(0, 0), &first), (false, true));
    let unknown = replacing(1, &with_witnesses(2, 2), 4);
    let again = Manifest { replaced: first.replaced.clone(), ..with_witnesses(4, 4) };
    for (old, new) in [
        (&old, &unknown),
        (&first, &again),
        (&first, &old),
        (&second, &first),
        (&first, &Manifest { replaced: None, ..first.clone() }),
        (&first, &replacing(1, &with_witnesses(4, 4), 2)),
    ] {
        assert_eq!(admits(old, new), (false, false));
    }
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
    let admitted: [fn(&mut Manifest); 5] = [
        |_| (),
        |m| (m.nonce, m.classes, m.delay) = (3, names(&["any", "delayed"]), Some(48)),
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
        |m| (m.nonce, m.classes) = (3, names(&["delayed"])),
        |m| (m.nonce, m.roots) = (3, Vec::new()),
    ];
    for (number, change) in refused.into_iter().enumerate() {
        assert!(!old.admits(&approved(change)), "{number}");
    }
    // Who chose `delayed` chose its hours too.
    let delayed = |nonce: u32, hours: Option<u16>| {
        let mut manifest = manifest.clone();
        (manifest.nonce, manifest.classes, manifest.delay) = (nonce, names(&["any", "delayed"]), hours);
        Approved { hash: hash(&manifest.to_bytes()), manifest }
    };
    let old = delayed(3, Some(48));
    for (hours, admitted) in [(Some(48), true), (Some(49), true), (Some(47), false), (None, false)] {
        assert_eq!(old.admits(&delayed(4, hours)), admitted, "{hours:?}");
    }
}

#[test]
fn a_notice_is_of_an_epoch_after_which_another_is_current_and_not_only_pending() {
    let mut manifest = read(&bytes(&vectors()["manifests"][3]["encoded"])).unwrap();
    let step =
        wire::manifest::Step { stage: wire::manifest::Stage::Pending, class: "any".to_owned(), epoch: 2 };
    manifest.steps = Some(vec![step]);
    assert_eq!(manifest.check_form(), Err(ManifestFault::Notices));
    manifest.notices = None;
    assert_eq!(manifest.check_form(), Ok(()));
}

#[test]
fn a_successor_leaves_out_the_oldest_epochs_alone_and_brings_none_back() {
    let manifest = read(&bytes(&vectors()["manifests"][1]["encoded"])).unwrap();
    let root = |epoch: &u32| RootCommitment { epoch: *epoch, ..manifest.roots[0].clone() };
    // Of class `any` alone.
    let approved = |nonce: u32, epochs: &[u32]| {
        let (classes, roots) = (names(&["any"]), epochs.iter().map(root).collect());
        let first = (epochs[0] > 1).then_some(manifest.roots[0].commitment);
        let manifest = Manifest { nonce, classes, roots, first, ..manifest.clone() };
        assert_eq!(manifest.check_form(), Ok(()));
        Approved { hash: hash(&manifest.to_bytes()), manifest }
    };
    let old = approved(3, &[2, 3]);
    for (epochs, admitted) in
        [(&[2, 3][..], true), (&[3], true), (&[3, 4], true), (&[2], false), (&[1, 2, 3], false), (&[4], true)]
    {
        assert_eq!(old.admits(&approved(4, epochs)), admitted, "{epochs:?}");
    }
    let mut other = approved(4, &[2, 3]).manifest;
    other.roots[0].commitment.0[0] ^= 1;
    assert!(
        !old.admits(&Approved { hash: hash(&other.to_bytes()), manifest: other }),
        "a root never changes"
    );
    let mut other = approved(4, &[3]).manifest;
    other.first = Some(wire::evidence::Hash([9; 32]));
    assert!(
        !old.admits(&Approved { hash: hash(&other.to_bytes()), manifest: other }),
        "nor does the one by which witnesses know the deployment"
    );
}

fn names(classes: &[&str]) -> Vec<String> {
    classes.iter().map(|class| (*class).to_owned()).collect()
}
