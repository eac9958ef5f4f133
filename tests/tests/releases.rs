//! Releases and policies over the real processes: what publishers sign, and what a client accepts by it.
#![expect(clippy::unwrap_used, reason = "tests")]

#[path = "cli/person.rs"]
#[expect(dead_code, reason = "other tests use more of it")]
mod person;

use aws_lc_rs::digest::{SHA384, digest};
use person::{Person, Said, said};
use serde_json::Value;
use stack::{Folder, Stack, enclave, tensfer};
use std::path::PathBuf;
use std::process::Command;

const MARK: &[u8] = b"DEVELOPMENT - NOT A TEE";

/// Publishers with their keys in a folder.
struct Publishers {
    folder: Folder,
}

impl Publishers {
    fn new() -> Publishers {
        let publishers = Publishers { folder: Folder::new() };
        std::fs::write(publishers.folder.join("passphrase"), "correct horse\n").unwrap();
        publishers
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    fn run(&self, words: &[&str]) -> Said {
        let mut command = Command::new(tensfer());
        command.current_dir(self.path("")).env("TENSFER_HOME", self.path("home")).args(words);
        said(command.args(["--passphrase-file", "passphrase"]), b"")
    }

    fn done(&self, words: &[&str]) -> String {
        let said = self.run(words);
        assert_eq!(said.code, 0, "{words:?}: {}", said.err);
        said.out
    }

    /// A new key; its public half.
    fn key(&self, alias: &str) -> String {
        let file = format!("{alias}.key");
        let made = self.done(&["release", "key", "--simulated", "--output", &file, "--json"]);
        let made: Value = serde_json::from_str(&made).unwrap();
        made["key"].as_str().unwrap().to_owned()
    }

    /// The release of this machine's simulated enclave, as a build that it says it is not: tests build no commit.
    fn write(&self, file: &str, change: impl Fn(String) -> String) {
        let (pcr0, mark) = (digest(&SHA384, &std::fs::read(enclave()).unwrap()), digest(&SHA384, MARK));
        let text = format!(
            "format = \"tensfer release\"\nversion = 1\nname = \"example\"\nbuild = \"0.1.0\"\ncommit = \"{}\"\n\
             connectors = \"{}\"\nfrom = \"2026-01-01T00:00:00Z\"\nuntil = \"2027-12-31T00:00:00Z\"\n\
             [[programs]]\ntee = \"simulated\"\nenvironment = \"sandbox\"\n[programs.registers]\n\
             PCR0 = \"{}\"\nPCR1 = \"{}\"\n",
            "c0".repeat(20),
            "07".repeat(32),
            hex(pcr0.as_ref()),
            hex(mark.as_ref()),
        );
        std::fs::write(self.path(file), change(text)).unwrap();
    }

    fn sign(&self, file: &str, alias: &str) -> Said {
        self.run(&["release", "sign", file, "--key", &format!("{alias}.key"), "--yes"])
    }

    /// A policy that trusts so many of these keys; in a folder of its own, with a folder for releases.
    fn policy(&self, threshold: u8, keys: &[&str]) -> PathBuf {
        let keys = keys
            .iter()
            .enumerate()
            .map(|(number, key)| format!("[[releases.keys]]\nalias = \"k{number}\"\nkey = \"{key}\"\n"));
        let text = format!(
            "format = \"tensfer policy\"\nversion = 1\n[releases]\nthreshold = {threshold}\nfolder = \"trusted\"\n{}",
            keys.collect::<String>()
        );
        std::fs::create_dir_all(self.path("trusted")).unwrap();
        std::fs::write(self.path("policy.toml"), text).unwrap();
        self.path("policy.toml")
    }

    fn check(&self, file: &str, more: &[&str]) -> (i32, String) {
        let said = self.run(&[&["release", "check", file, "--policy", "policy.toml"], more].concat());
        (said.code, if said.code == 0 { said.out } else { said.err })
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn a_release_counts_once_enough_of_the_trusted_keys_signed_it_and_only_while_it_holds() {
    let publishers = Publishers::new();
    let [ada, ben, _] = ["ada", "ben", "eve"].map(|alias| publishers.key(alias));
    publishers.policy(2, &[&ada, &ben]);
    publishers.write("release.toml", |text| text);
    let refused = |code: &str, more: &[&str]| {
        let (exit, told) = publishers.check("release.toml", more);
        assert_eq!(exit, 1, "{told}");
        assert!(told.contains(&format!("({code})")), "{told}");
    };
    refused("release_signatures_missing", &[]);
    assert_eq!(publishers.sign("release.toml", "ada").code, 0);
    refused("release_signatures_missing", &[]);
    let twice = publishers.sign("release.toml", "ada");
    assert_eq!(twice.code, 2);
    assert!(twice.err.contains("has signed this release already"), "{}", twice.err);
    assert_eq!(publishers.sign("release.toml", "ben").code, 0);
    let (exit, told) = publishers.check("release.toml", &[]);
    assert_eq!(exit, 0, "{told}");
    assert!(told.contains("example 0.1.0, commit c0c0") && told.contains("signed by k0, k1"), "{told}");
    refused("release_not_yet_valid", &["--at", "2025-12-31T23:59:59Z"]);
    refused("release_over", &["--at", "2027-12-31T00:00:00Z"]);
    let shown = publishers.done(&["release", "show", "release.toml", "--json"]);
    let shown: Value = serde_json::from_str(&shown).unwrap();
    assert_eq!(shown["signed_by"].as_array().unwrap().len(), 2);

    // A signature repeated, a stranger's beside enough others, a word changed after signing.
    let good = std::fs::read_to_string(publishers.path("release.toml")).unwrap();
    let lines: Vec<&str> = good.lines().filter(|line| line.starts_with("    \"")).collect();
    std::fs::write(publishers.path("release.toml"), good.replacen(lines[0], lines[1], 1)).unwrap();
    refused("release_signer_twice", &[]);
    std::fs::write(publishers.path("release.toml"), &good).unwrap();
    assert_eq!(publishers.sign("release.toml", "eve").code, 0);
    refused("release_signature", &[]);
    std::fs::write(publishers.path("release.toml"), good.replace("2027-12-31", "2027-12-30")).unwrap();
    refused("release_signature", &[]);
    std::fs::write(publishers.path("release.toml"), good.replace("version = 1", "version = 1\nextra = 1"))
        .unwrap();
    refused("release_malformed", &[]);
}

#[test]
fn a_client_whose_policy_goes_by_releases_sends_nothing_to_what_no_release_describes() {
    let stack = Stack::start();
    let person = Person::new(&stack);
    let publishers = Publishers::new();
    let ada = publishers.key("ada");
    let policy = publishers.policy(1, &[&ada]);
    let refused = |code: &str| {
        let verified = person.run(&["verify", "--policy", policy.to_str().unwrap(), "--json"]);
        assert_eq!(verified.code, 1, "{}", verified.err);
        let judgement: Value = serde_json::from_str(&verified.out).unwrap();
        assert_eq!((&judgement["verdict"], &judgement["reason"]), (&"refused".into(), &code.into()));
        let linked =
            person.run(&["link", "kraken", "--credentials", "-", "--policy", policy.to_str().unwrap()]);
        assert_eq!(linked.code, 1, "{}", linked.err);
        assert!(linked.err.contains(&format!("({code})")), "{}", linked.err);
        assert!(!person.home().join("simulated/connections").exists());
    };
    let file = publishers.path("trusted/release.toml");
    let with = |change: &dyn Fn(String) -> String| {
        publishers.write("trusted/release.toml", change);
        assert_eq!(publishers.sign("trusted/release.toml", "ada").code, 0);
    };
    // Without any release the simulation's own marks suffice, as they do without a policy.
    assert_eq!(person.run(&["verify", "--policy", policy.to_str().unwrap()]).code, 0);
    with(&|text| text);
    refused("release_mismatch");
    with(&|text| text.replace("2027-12-31", "2026-02-01"));
    refused("release_over");
    with(&|text| text.replace("2026-01-01", "2027-01-01"));
    refused("release_not_yet_valid");
    with(&|text| text.replace("PCR0 = \"", "PCR3 = \""));
    refused("measurement_mismatch");
    with(&|text| text.replace("environment = \"sandbox\"", "environment = \"live\""));
    refused("release_mismatch");
    publishers.write("trusted/release.toml", |text| text);
    let unsigned = person.run(&["verify", "--policy", policy.to_str().unwrap()]);
    assert!(unsigned.err.contains("(release_signatures_missing)"), "{}", unsigned.err);
    std::fs::remove_file(file).unwrap();
}

#[test]
fn a_version_that_was_worked_with_only_rises_and_a_server_that_goes_back_is_refused() {
    let stack = Stack::start();
    let person = Person::new(&stack);
    person.link_all();
    let path = person.home().join("simulated/versions.json");
    let kept = std::fs::read_to_string(&path).unwrap();
    assert!(kept.contains("\"0.1.0\""), "{kept}");
    // As if a newer program had been here.
    std::fs::write(&path, kept.replace("0.1.0", "0.2.0")).unwrap();
    let refused = person.run(&["balances"]);
    assert_eq!(refused.code, 1, "{}", refused.err);
    assert!(refused.err.contains("you have worked with 0.2.0 at this address before"), "{}", refused.err);
    let verified = person.run(&["verify", "--json"]);
    assert_eq!(verified.code, 1);
    let judgement: Value = serde_json::from_str(&verified.out).unwrap();
    assert_eq!(judgement["reason"], "version_too_old");
    assert!(std::fs::read_to_string(&path).unwrap().contains("0.2.0"), "what is refused lowers nothing");
    std::fs::write(&path, kept).unwrap();
    assert_eq!(person.run(&["balances"]).code, 0);

    let policy = person.folder.join("policy.toml");
    let text = "format = \"tensfer policy\"\nversion = 1\nminimum_version = \"0.2.0\"\n[[accept]]\n";
    std::fs::write(&policy, format!("{text}PCR0 = \"{}\"\n", "01".repeat(48))).unwrap();
    let refused = person.run(&["balances", "--policy", policy.to_str().unwrap()]);
    assert!(refused.err.contains("(version_too_old)"), "{}", refused.err);
}

#[test]
fn a_policy_of_the_former_form_is_refused_and_never_taken_for_none() {
    let stack = Stack::start();
    let person = Person::new(&stack);
    std::fs::create_dir_all(person.home()).unwrap();
    std::fs::write(person.home().join("policy.json"), "{}").unwrap();
    let refused = person.run(&["verify"]);
    assert_eq!(refused.code, 1);
    assert!(
        refused.err.contains("(policy_refused)") && refused.err.contains("policy.toml"),
        "{}",
        refused.err
    );
}
