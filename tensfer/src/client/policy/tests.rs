//! Policies: what they accept, and that nothing misspelt, missing or unsigned loosens them.

use super::*;
use crate::client::commands::root::manifest::public_text;
use crate::client::release;
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use std::fs::{Permissions, set_permissions, write};
use std::os::unix::fs::PermissionsExt;
use wire::Canonical;
use wire::cose::{EDDSA, Protected, Sign1};
use wire::manifest::SigningKey;
use wire::owner::OwnerAlgorithm;

fn policy(more: &str) -> String {
    format!("format = \"tensfer policy\"\nversion = 1\n{more}")
}

fn accept(registers: &[(&str, u8)]) -> String {
    let registers = registers.iter().map(|(name, fill)| format!("{name} = \"{}\"\n", hex(*fill)));
    format!("[[accept]]\n{}", registers.collect::<String>())
}

fn hex(byte: u8) -> String {
    format!("{byte:02x}").repeat(48)
}

#[test]
fn a_policy_accepts_any_of_its_programs_and_says_what_they_reach_and_how_old_they_may_be() {
    let text = policy(&format!(
        "environment = \"live\"\nminimum_version = \"0.10.0\"\n{}{}",
        accept(&[("PCR0", 1), ("PCR1", 2)]),
        accept(&[("PCR0", 2)])
    ));
    let policy = Policy::parse(&text).unwrap();
    assert_eq!(policy.environment, Some(Environment::Live));
    assert_eq!(policy.minimum_version, Version::parse("0.10.0"));
    let first = Registers::new().with(Name::Pcr(0), [1; 48]).unwrap().with(Name::Pcr(1), [2; 48]).unwrap();
    let second = Registers::new().with(Name::Pcr(0), [2; 48]).unwrap();
    assert_eq!(policy.measurements(), Measurements::new().or(first).or(second));
}

#[test]
fn m01_a_policy_that_names_nothing_or_says_anything_unknown_is_refused() {
    let good = policy(&accept(&[("PCR0", 1)]));
    assert!(Policy::parse(&good).is_ok());
    for bad in [
        policy(""),
        policy("[[accept]]\n"),
        policy(&accept(&[("PCR0", 0)])),
        policy(&accept(&[("PCR0", 1), ("PCR0", 1)])),
        policy(&accept(&[("PCR", 1)])),
        policy(&format!("[[accept]]\nPCR0 = \"{}\"", &hex(1)[2..])),
        policy("[[accept]]\nPCR0 = 1"),
        policy(&format!("environment = \"anything\"\n{}", accept(&[("PCR0", 1)]))),
        policy(&format!("dangerous_simulated = true\n{}", accept(&[("PCR0", 1)]))),
        policy(&format!("minimum_version = \"0.2\"\n{}", accept(&[("PCR0", 1)]))),
        policy(&accept(&[("PCR0", 1)]).repeat(65)),
        good.replace("tensfer policy", "tensfer polcy"),
        good.replace("version = 1", "version = 2"),
        good.replace("accept", "acept"),
        String::new(),
    ] {
        assert!(Policy::parse(&bad).is_err(), "{bad}");
    }
}

#[test]
fn a_policy_that_others_may_write_is_refused_and_a_missing_one_is_none() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("policy.toml");
    assert!(Policy::read(&path).unwrap().is_none());
    write(&path, policy(&accept(&[("PCR0", 1)]))).unwrap();
    set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
    assert!(Policy::read(&path).unwrap().is_some());
    set_permissions(&path, Permissions::from_mode(0o664)).unwrap();
    assert!(Policy::read(&path).unwrap_err().to_string().contains("chmod 600"));
    set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
    write(&path, "{").unwrap();
    assert_eq!(Policy::read(&path).unwrap_err().code, "policy_refused");
    assert_eq!(Policy::refuse_former(&path).unwrap_err().code, "policy_refused");
    assert_eq!(Policy::refuse_former(&directory.path().join("policy.json")), Ok(()));
}

#[test]
fn a_policy_says_which_platforms_it_accepts() {
    let accept = accept(&[("MEASUREMENT", 1)]) + &accept(&[("MRTD", 2)]);
    let more = "[sev_snp]\nminimum_tcb = { snp = 24, microcode = 217 }\nhighest_vmpl = 1\n\
        [tdx]\nalso_accepted = [\"SWHardeningNeeded\"]\nminimum_evaluation = 17\n";
    let read = Policy::parse(&policy(&format!("{accept}{more}"))).unwrap();
    let snp = snp::Demands::from(read.sev_snp);
    assert_eq!((snp.minimum_tcb.snp, snp.minimum_tcb.microcode, snp.highest_vmpl), (24, 217, 1));
    let demands = read.tdx.demands();
    assert_eq!(
        (demands.also_accepted, demands.minimum_evaluation),
        (vec![tdx::Status::SwHardeningNeeded], 17)
    );
    for bad in [
        "[tdx]\nalso_accepted = [\"OutOfDate\"]",
        "[sev_snp]\nminimum_tcb = { ucode = 1 }",
        "[sev_snp]\nminimum_tcb = { snp = 256 }",
    ] {
        assert!(Policy::parse(&policy(&format!("{accept}{bad}"))).is_err(), "{bad}");
    }
}

fn key(pair: &Ed25519KeyPair) -> SigningKey {
    SigningKey { algorithm: OwnerAlgorithm::EdDsa, public: pair.public_key().as_ref().to_vec() }
}

fn signed(pairs: &[&Ed25519KeyPair]) -> String {
    let mut file = release::tests::example();
    let hash = file.hash();
    let sign = |pair: &&Ed25519KeyPair| {
        let name = ::verify::release::key_name(&key(pair));
        let protected = Protected { algorithm: EDDSA, key: name }.to_bytes();
        let signature = pair.sign(&::verify::release::to_be_signed(&protected, &hash));
        Sign1 { protected: &protected, payload: None, signature: signature.as_ref() }.to_bytes()
    };
    file.signatures = pairs.iter().map(sign).collect();
    release::text(&file)
}

fn trusting(threshold: u8, pairs: &[&Ed25519KeyPair]) -> String {
    let keys = pairs.iter().enumerate().map(|(number, pair)| {
        format!("[[releases.keys]]\nalias = \"k{number}\"\nkey = \"{}\"\n", public_text(&key(pair)))
    });
    policy(&format!("[releases]\nthreshold = {threshold}\n{}", keys.collect::<String>()))
}

#[test]
fn a_policy_goes_by_every_release_in_its_folder_and_one_that_does_not_count_refuses_all() {
    let [ada, ben, eve] = [(); 3].map(|()| Ed25519KeyPair::generate().unwrap());
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("policy.toml");
    write(&path, trusting(2, &[&ada, &ben])).unwrap();
    let released = || Policy::read(&path).unwrap().unwrap().released(&path);
    assert_eq!(released().unwrap_err().code, "policy_refused", "the folder is not there");
    let folder = directory.path().join("releases");
    std::fs::create_dir(&folder).unwrap();
    assert_eq!(released().unwrap().len(), 0, "and an empty one names no program");
    write(folder.join("README"), "not a release").unwrap();
    write(folder.join("0.2.0.toml"), signed(&[&ben, &ada])).unwrap();
    assert_eq!(released().unwrap().len(), 1);
    for (text, code) in [
        (signed(&[&ada]), "release_signatures_missing"),
        (signed(&[]), "release_signatures_missing"),
        (signed(&[&ada, &ada]), "release_signer_twice"),
        (signed(&[&ada, &ben, &eve]), "release_signature"),
        (signed(&[&ada, &ben]).replace("0.2.0", "0.2.1"), "release_signature"),
        ("format = 1".to_owned(), "release_malformed"),
    ] {
        write(folder.join("other.toml"), text).unwrap();
        let outcome = released().map_err(|failure| failure.code);
        assert_eq!(outcome.err().unwrap_or_default(), code);
    }
}

#[test]
fn release_keys_that_could_count_twice_or_never_are_refused() {
    let [ada, ben] = [(); 2].map(|()| Ed25519KeyPair::generate().unwrap());
    for bad in [trusting(0, &[&ada]), trusting(2, &[&ada]), trusting(1, &[]), trusting(1, &[&ada, &ada])] {
        assert!(Policy::parse(&bad).is_err(), "{bad}");
    }
    assert!(Policy::parse(&trusting(2, &[&ada, &ben])).is_ok());
    assert!(Policy::parse(&trusting(1, &[&ada]).replace("ed25519:", "x-wing:")).is_err());
    assert!(Policy::parse(&trusting(1, &[&ada]).replace("threshold = 1\n", "")).is_err());
}
