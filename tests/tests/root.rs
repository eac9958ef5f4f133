//! A root that operators hold: the whole way over the real processes, and everything that is refused on it.
#![expect(clippy::unwrap_used, reason = "tests")]

#[path = "root/operators.rs"]
mod operators;
#[path = "root/recorder.rs"]
mod recorder;

use operators::{Operators, manifest, pcr0, said};
use recorder::Recorder;
use serde_json::Value;
use stack::{Folder, Stack, http, tensfer};
use std::process::Command;
use wire::Canonical;
use wire::ceremony::{Answer, Ceremony, CeremonyFault};

const QUORUM: [&str; 2] = ["--root", "quorum"];

/// A client's balances, in JSON.
fn balances(operators: &Operators, stack: &Stack) -> Value {
    serde_json::from_str(&operators.done(stack, &["balances", "--json"])).unwrap()
}

#[test]
fn a_quorum_makes_a_root_and_brings_it_back_and_an_account_outlives_the_restart() {
    let folder = Folder::new();
    let data = folder.join("data");
    let stack = Stack::start_as(&data, &QUORUM);
    let operators = Operators::new(&folder);
    operators.genesis(&stack);
    // Not one approver nor one holder alone.
    let alone = operators.run(&stack, &operators.release_words("dot", &["ada"]));
    assert_eq!(alone.code, 1, "{}", alone.out);
    assert!(alone.err.contains("approvals_missing"), "{}", alone.err);
    let refused = operators.run(&stack, &["verify"]);
    assert_eq!(refused.code, 4, "{}", refused.err);
    assert!(refused.err.contains("not_provisioned"), "{}", refused.err);

    assert!(operators.release(&stack, "dot").out.contains("collecting"));
    let status: Value = serde_json::from_str(&operators.done(&stack, &["root", "status", "--json"])).unwrap();
    assert_eq!((&status["phase"], &status["released"]), (&"collecting".into(), &serde_json::json!(["1"])));
    assert!(operators.release(&stack, "fay").out.contains("provisioned"));
    assert!(operators.done(&stack, &["verify"]).contains("simulated"));
    operators.link(&stack);
    let before = balances(&operators, &stack);
    assert_eq!(before["coverage"]["complete"], true, "{before:#}");
    stack.stop();

    let stack = Stack::start_as(&data, &QUORUM);
    let waiting = operators.run(&stack, &["balances"]);
    assert_eq!(waiting.code, 4, "{}", waiting.err);
    assert!(waiting.err.contains("has no root until"), "{}", waiting.err);
    // Another pair than before.
    operators.release(&stack, "eve");
    operators.release(&stack, "dot");
    let after = balances(&operators, &stack);
    assert_eq!(after["connections"][0]["accounts"], before["connections"][0]["accounts"]);
    let late = operators.run(&stack, &operators.release_words("fay", &["ada", "ben"]));
    assert_eq!(late.code, 1, "{}", late.out);
    assert!(late.err.contains("(provisioned)"), "{}", late.err);
}

#[test]
fn what_a_holder_must_not_release_stays_with_them() {
    let folder = Folder::new();
    let stack = Stack::start_as(&folder.join("data"), &QUORUM);
    let operators = Operators::new(&folder);
    operators.genesis(&stack);
    let refused = |words: &[String], code: &str| {
        let said = operators.run(&stack, words);
        assert_eq!(said.code, 1, "{code}: {}", said.out);
        assert!(said.err.contains(code), "{code}: {}", said.err);
    };
    let words = operators.release_words("dot", &["ada", "ben"]);

    // A simulation that nobody allowed; another program; a manifest that is over, or of another lineage.
    let bare = said(operators.bare(&stack).args(&words));
    assert!(bare.err.contains("simulated_not_allowed"), "{}", bare.err);
    let measured = format!("PCR0 = \"{}", &pcr0()[..2]);
    for (name, from, to, code) in [
        ("measured", measured.as_str(), "PCR0 = \"e7", "measurement_mismatch"),
        ("over", "until = \"2027", "until = \"2026", "manifest_over"),
        ("renamed", "name = \"example\"", "name = \"other\"", "other_lineage"),
        ("lowered", "[approvers]\nthreshold = 2", "[approvers]\nthreshold = 1", "other_lineage"),
        ("live", "environment = \"sandbox\"", "environment = \"live\"", "other_lineage"),
    ] {
        operators.alter("next", name, |text| {
            text.replacen(from, to, 1).replace("until = \"2026-12-31", "until = \"2026-01-02")
        });
        operators.approve_as(&stack, name, &["ada", "ben"]);
        refused(&operators.release_of(name, "dot", "genesis"), code);
    }
    // Another genesis's share is not this manifest's; and a file that is gone is said to be.
    stack.stop();
    let stack = Stack::start_as(&folder.join("data"), &QUORUM);
    operators.genesis_as(&stack, "other-genesis", "other-next");
    let other = operators.run(&stack, &operators.release_of("next", "dot", "other-genesis"));
    assert!(other.err.contains("share_wrong"), "{}", other.err);
    std::fs::remove_file(folder.join("genesis")).unwrap();
    let lost = operators.run(&stack, &words);
    assert_eq!(lost.code, 2, "{}", lost.out);
    assert!(lost.err.contains("there is no genesis"), "{}", lost.err);
    let status: Value = serde_json::from_str(&operators.done(&stack, &["root", "status", "--json"])).unwrap();
    assert_eq!(status["released"], serde_json::json!([]), "nobody's share left them");
}

#[test]
fn one_holder_twice_another_manifest_and_an_older_one_are_refused_by_name() {
    let folder = Folder::new();
    let stack = Stack::start_as(&folder.join("data"), &QUORUM);
    let operators = Operators::new(&folder);
    operators.genesis(&stack);
    operators.release(&stack, "dot");
    let again = operators.run(&stack, &operators.release_words("dot", &["ada", "ben"]));
    assert_eq!(again.code, 1, "{}", again.out);
    assert!(again.err.contains("holder_twice") && again.err.contains("`dot`"), "{}", again.err);

    operators.alter("next", "newer", |text| text.replace("nonce = 2", "nonce = 3"));
    operators.approve_as(&stack, "newer", &["ada", "ben"]);
    let other = operators.run(&stack, &operators.release_of("newer", "eve", "genesis"));
    assert!(other.err.contains("other_manifest"), "{}", other.err);
    // Eve was about to trust the newer one: from now on, no older one.
    stack.stop();
    let stack = Stack::start_as(&folder.join("data"), &QUORUM);
    let newer = operators.run(&stack, &operators.release_of("newer", "eve", "genesis"));
    assert_eq!(newer.code, 0, "{}", newer.err);
    let older = operators.run(&stack, &operators.release_words("eve", &["ada", "ben"]));
    assert_eq!(older.code, 1, "{}", older.out);
    assert!(older.err.contains("manifest_older"), "{}", older.err);
}

#[test]
fn a_host_that_answers_with_old_evidence_gets_no_share_and_a_release_that_it_kept_opens_nothing() {
    let folder = Folder::new();
    let stack = Stack::start_as(&folder.join("data"), &QUORUM);
    let operators = Operators::new(&folder);
    operators.genesis(&stack);
    let words = operators.release_words("dot", &["ada", "ben"]);

    let recorder = Recorder::before(stack.port());
    let through = said(operators.command_to(&stack, &recorder.url()).args(&words));
    assert_eq!(through.code, 0, "{}", through.err);
    let exchanges = recorder.exchanges();
    assert_eq!(exchanges.len(), 2, "a setup and a release");
    let (setup, release) = (&exchanges[0], &exchanges[1]);

    // The very answer that was good for one nonce is none for the next.
    let replaying = Recorder::answering(setup.answer.clone());
    let stale = said(
        operators.command_to(&stack, &replaying.url()).args(operators.release_words("eve", &["ada", "ben"])),
    );
    assert_eq!(stale.code, 1, "{}", stale.out);
    assert!(stale.err.contains("binding_mismatch"), "{}", stale.err);
    assert_eq!(replaying.exchanges().len(), 1, "no release followed");

    let fault = |stack: &Stack| {
        let url = format!("{}/v1/ceremony", stack.url());
        let answer = http::post(&url, "application/cbor", &release.asked);
        match Answer::from_bytes(&answer.body).unwrap() {
            Answer::Refused(refused) => refused.fault,
            other => unreachable!("the release was taken: {other:?}"),
        }
    };
    assert!(matches!(Ceremony::from_bytes(&release.asked), Ok(Ceremony::Release(_))));
    assert_eq!(fault(&stack), CeremonyFault::HolderTwice);
    stack.stop();
    let stack = Stack::start_as(&folder.join("data"), &QUORUM);
    assert_eq!(fault(&stack), CeremonyFault::NoSetup);
    operators.release(&stack, "eve");
    assert_eq!(fault(&stack), CeremonyFault::SetupOver);
}

#[test]
fn m14_a_folder_keeps_to_the_way_its_root_comes_and_nothing_makes_another() {
    let folder = Folder::new();
    let (quorum, file) = (folder.join("quorum"), folder.join("file"));
    let stack = Stack::start_as(&quorum, &QUORUM);
    let operators = Operators::new(&folder);
    operators.genesis(&stack);
    // What is made is not made again: neither by the command, nor under the manifest that commits to it.
    let again = operators.run(&stack, &operators.genesis_words("manifest", "genesis", "next"));
    assert!(again.code == 2 && again.err.contains("exists already"), "{}", again.err);
    stack.stop();
    let stack = Stack::start_as(&quorum, &QUORUM);
    operators.copy_approvals("next", "again");
    let committed = operators.run(&stack, &operators.genesis_words("again", "second", "third"));
    assert!(committed.err.contains("roots_committed"), "{}", committed.err);
    // And a manifest from before the genesis boots nothing: what is missing is said.
    let before = operators.run(&stack, &operators.release_of("manifest", "dot", "genesis"));
    assert!(before.err.contains("share_wrong") || before.err.contains("roots_missing"), "{}", before.err);
    stack.stop();
    Stack::start_in(&file).stop();

    for (data, options) in [(&quorum, &["--root", "file"][..]), (&quorum, &[]), (&file, &QUORUM)] {
        let refused = said(Stack::command(data).args(options));
        assert_eq!((refused.code, refused.out.as_str()), (4, ""), "{}", refused.err);
        assert!(refused.err.contains("would open none of"), "{}", refused.err);
    }
    let epoch = said(Command::new(tensfer()).args(["root", "epoch", "new", "--data"]).arg(&quorum));
    assert!(epoch.code == 4 && epoch.err.contains("held by a quorum"), "{}", epoch.err);
    assert!(!quorum.join("simulated-root").exists(), "no root in a file was made");
}

#[test]
fn a_simulated_enclave_hands_its_root_to_nobody() {
    let folder = Folder::new();
    let stack = Stack::start_as(&folder.join("data"), &QUORUM);
    let operators = Operators::new(&folder);
    operators.genesis(&stack);
    let successor = Stack::start_as(&folder.join("other"), &QUORUM);
    let words = operators.handover_words(&successor);
    let early = operators.run(&stack, &words);
    assert!(early.code == 1 && early.err.contains("not_provisioned"), "{}", early.err);
    operators.release(&stack, "dot");
    operators.release(&stack, "eve");
    let refused = operators.run(&stack, &words);
    assert_eq!(refused.code, 4, "{}", refused.err);
    assert!(refused.err.contains("successor_refused"), "{}", refused.err);
    let status: Value =
        serde_json::from_str(&operators.done(&successor, &["root", "status", "--json"])).unwrap();
    assert_eq!((&status["phase"], &status["released"]), (&"collecting".into(), &serde_json::json!([])));
    // Nor does one whose root lies in a file: that is its host's.
    let file = Stack::start();
    let refused = operators.run(&file, &words);
    assert!(refused.code == 1 && refused.err.contains("nothing_to_hand_over"), "{}", refused.err);
}

#[test]
fn m18_operators_keys_are_their_owners_alone_and_of_one_use() {
    use std::os::unix::fs::PermissionsExt;
    let folder = Folder::new();
    let stack = Stack::start_as(&folder.join("data"), &QUORUM);
    let operators = Operators::new(&folder);
    for name in ["ada.key", "dot.key"] {
        let mode = std::fs::metadata(folder.join(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
        let text = std::fs::read_to_string(folder.join(name)).unwrap();
        assert!(text.contains("argon2id"), "{name} is locked by its passphrase");
    }
    let path = |name: &str| folder.join(name).to_str().unwrap().to_owned();
    let swapped = ["root", "approve", "--yes", "--manifest", &path("manifest"), "--key", &path("dot.key")];
    let refused = operators.run(&stack, &[&swapped[..], &["--output", &path("none")]].concat());
    assert_eq!(refused.code, 2, "{}", refused.err);
    assert!(refused.err.contains("another purpose"), "{}", refused.err);
    let overwriting = operators.run(&stack, &["root", "key", "approver", "--output", &path("ada.key")]);
    assert!(overwriting.code == 2 && overwriting.err.contains("exists already"), "{}", overwriting.err);
    // Keys of simulated deployments and real ones do not mix.
    let real = manifest(&operators, "nitro", 1);
    std::fs::write(folder.join("real"), real).unwrap();
    let words = ["root", "approve", "--yes", "--manifest", &path("real"), "--key", &path("ada.key")];
    let mixed = operators.run(&stack, &[&words[..], &["--output", &path("none")]].concat());
    assert!(mixed.code == 1 && mixed.err.contains("simulated keys"), "{}", mixed.err);
    assert!(!folder.join("none").exists());
}
