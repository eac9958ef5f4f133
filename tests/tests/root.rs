//! A root that operators hold: the whole way over the real processes, and everything that is refused on it.
#![expect(clippy::unwrap_used, reason = "tests")]

#[path = "root/operators.rs"]
mod operators;
#[path = "root/recorder.rs"]
mod recorder;
#[path = "root/replacing.rs"]
mod replacing;
#[path = "root/softhsm.rs"]
mod softhsm;
#[path = "root/token.rs"]
mod token;

use operators::{HOLDERS, Operators, manifest, pcr0, said};
use recorder::{Recorder, ceremony};
use serde_json::Value;
use stack::authority::Authority;
use stack::caller::Caller;
use stack::{Folder, Stack, http, tensfer};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};
use wire::Canonical;
use wire::ceremony::{Answer, Ceremony, CeremonyFault, Phase};
use wire::frame::Kind;

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
fn a_drafted_manifest_is_the_one_that_operators_would_have_written_by_hand() {
    let folder = Folder::new();
    let operators = Operators::new(&folder);
    let drafted = said(operators.client().args(operators.draft_words("drafted")));
    assert_eq!(drafted.code, 0, "{}", drafted.err);
    let drafted: Value = serde_json::from_str(&drafted.out).unwrap();
    let approved = |name: &str| {
        let said = said(operators.client().args(operators.approve_words(name, "ada")).arg("--json"));
        assert_eq!(said.code, 0, "{}", said.err);
        serde_json::from_str::<Value>(&said.out).unwrap()["manifest"].clone()
    };
    let by_hand = approved("manifest");
    assert_eq!((&drafted["manifest"], &approved("drafted")), (&by_hand, &by_hand));
    let refused = |words: &[String], why: &str| {
        let said = said(operators.client().args(words));
        assert!(said.code == 2 && said.err.contains(why), "{}: {}", said.code, said.err);
    };
    refused(&operators.draft_words("drafted"), "exists already");
    let swapped = |from: &str, to: &str| -> Vec<String> {
        operators.draft_words("other").iter().map(|word| word.replace(from, to)).collect()
    };
    refused(&swapped("ada.public", "ada.key"), "holds no public key");
    refused(&swapped("ada.public", "none.public"), "there is no file of a public key");
    refused(&swapped("ada.public", "dot.public"), "approvers have");
    refused(&swapped("ada=", "ben="), "that makes no manifest");
    assert!(!operators.path("other").exists());
}

/// Whether the enclave seals under this epoch.
fn seals_under(operators: &Operators, stack: &Stack, epoch: u32) -> bool {
    operators.done(stack, &["verify"]).contains(&format!("epoch    {epoch} (oldest that opens: 1)"))
}

/// Begins epoch 2, and has the enclave hold it as pending.
fn begin(operators: &Operators, stack: &Stack) {
    operators.alter("next", "asking", |text| {
        text.replace("nonce = 2", "nonce = 3") + "\n[[steps]]\nstage = \"make\"\nclass = \"any\"\nepoch = 2\n"
    });
    operators.approve_as(stack, "asking", &["ada", "ben"]);
    let begun = operators.done(stack, &operators.making_words("begin", "asking", "second", "pending"));
    assert!(begun.contains("root 2 of class any: "), "{begun}");
    // Approvers compare it with what both made.
    let one = operators.run(stack, &operators.approve_words_of("pending", "ada", &["second"]));
    assert!(one.err.contains("other_roots"), "{}", one.err);
    for alias in ["ada", "ben"] {
        operators.done(stack, &operators.approve_words_of("pending", alias, &["genesis", "second"]));
    }
    operators.done(stack, &operators.adopt_words("pending"));
    // While the simulation's root is known that vouches for it.
    operators.open(stack, "second", &HOLDERS);
}

/// Makes epoch 2 current.
fn promote(operators: &Operators, stack: &Stack) {
    operators.alter("pending", "promoted", |text| {
        let (kept, _) = text.split_once("\n[[steps]]").unwrap();
        kept.replace("nonce = 4", "nonce = 5") + "\n"
    });
    // What no holder has opened would end with the enclave that made it.
    let few = operators.approve_words_opened("promoted", "ada", "second", &["dot", "fay"]);
    let refused = operators.run(stack, &few);
    assert!(refused.err.contains("not_opened") && refused.err.contains("have eve run"), "{}", refused.err);
    for alias in ["ada", "ben"] {
        operators.done(stack, &operators.approve_words_opened("promoted", alias, "second", &HOLDERS));
    }
    operators.done(stack, &operators.adopt_words("promoted"));
}

#[test]
fn a_quorum_begins_an_epoch_makes_it_current_and_an_account_moves_into_it_and_outlives_a_kill() {
    let folder = Folder::new();
    let data = folder.join("data");
    let stack = Stack::start_as(&data, &QUORUM);
    let operators = Operators::new(&folder);
    operators.genesis(&stack);
    for holder in ["dot", "eve"] {
        operators.release(&stack, holder);
    }
    operators.link(&stack);
    let before = balances(&operators, &stack);
    assert!(seals_under(&operators, &stack, 1));

    begin(&operators, &stack);
    assert!(seals_under(&operators, &stack, 1));
    // Killed while it is pending: any two holders bring both epochs back.
    stack.stop();
    let stack = Stack::start_as(&data, &QUORUM);
    for holder in ["eve", "fay"] {
        operators.done(&stack, &operators.release_of_all("pending", holder, &["genesis", "second"]));
    }
    assert!(seals_under(&operators, &stack, 1));

    promote(&operators, &stack);
    assert!(seals_under(&operators, &stack, 2));
    operators.done(&stack, &["rotate", "--all", "--epoch"]);
    let after = balances(&operators, &stack);
    assert_eq!(after["connections"][0]["accounts"], before["connections"][0]["accounts"]);
}

/// `tensfer root rotate`, of whoever runs the host.
fn rotate(data: &Path, words: &[&str]) -> operators::Said {
    said(Command::new(tensfer()).args(["root", "rotate"]).args(words).arg("--data").arg(data).arg("--json"))
}

#[test]
fn a_quorum_ends_an_epoch_once_everybody_has_left_it_and_whoever_doubts_it_can_check() {
    let folder = Folder::new();
    let data = folder.join("data");
    let stack = Stack::start_as(&data, &QUORUM);
    let operators = Operators::new(&folder);
    operators.name_witness(&stack);
    operators.genesis(&stack);
    for holder in ["dot", "eve"] {
        operators.release(&stack, holder);
    }
    operators.link(&stack);
    begin(&operators, &stack);
    promote(&operators, &stack);
    let approve = |manifest: &str, geneses: &[&str]| {
        for alias in ["ada", "ben"] {
            let mut words = operators.approve_words_opened(manifest, alias, "second", &HOLDERS);
            geneses.iter().for_each(|made| words.extend(["--genesis".to_owned(), operators.word(made)]));
            operators.done(&stack, &words);
        }
    };
    let refused = |manifest: &str, why: &str| {
        let said = operators.run(&stack, &operators.adopt_words(manifest));
        assert_eq!(said.code, 1, "{}", said.out);
        assert!(said.err.contains(why), "{}", said.err);
    };
    operators.end(&stack, "promoted", 1, "early");
    approve("early", &["second"]);
    refused("early", "not_concluded");
    assert_eq!(rotate(&data, &["destroy", "1"]).code, 4, "the host alone destroys nothing");
    // The account is still in it.
    let concluded = |absent: u64| {
        let said = rotate(&data, &["conclude"]);
        assert_eq!(said.code, 0, "{}", said.err);
        let shown: Value = serde_json::from_str(&said.out).unwrap();
        assert_eq!((&shown["epoch"], &shown["absent"]), (&1.into(), &absent.into()));
    };
    concluded(1);
    refused("early", "not_concluded");
    // Whoever is in it gets notice, and hears of it by whatever they do.
    operators.notice(&stack, "promoted", &data.join("rotation/completion-1.cbor"), "noticed");
    approve("noticed", &["genesis", "second"]);
    operators.done(&stack, &operators.adopt_words("noticed"));
    let shown = operators.done(&stack, &["verify"]);
    assert!(shown.contains("notice   epoch 1 of class any ends with who is in it"), "{shown}");
    let warned = || operators.run(&stack, &["balances"]).err.contains("WARNING: you LOSE `okx`");
    assert!(warned());
    operators.end(&stack, "noticed", 1, "over");
    approve("over", &["second"]);
    refused("over", "notice_runs");
    operators.done(&stack, &["rotate", "--all", "--epoch"]);
    assert!(!warned(), "they have left");
    concluded(0);
    operators.done(&stack, &operators.adopt_words("over"));
    let shown = operators.done(&stack, &["verify"]);
    assert!(shown.contains("epoch    2 (oldest that opens: 2)"), "{shown}");
    let said = rotate(&data, &["destroy", "1"]);
    assert_eq!(said.code, 0, "{}", said.err);
    let statement = |name: &str| data.join(name).to_str().unwrap().to_owned();
    let (completion, destruction) =
        (statement("rotation/completion-1.cbor"), statement("rotation/destruction-1.cbor"));
    let checked =
        ["rotation", "verify", &completion, "--destruction", &destruction, "--json"].map(str::to_owned);
    let checked: Value = serde_json::from_str(&operators.done(&stack, &checked)).unwrap();
    assert_eq!((&checked["verdict"], &checked["destroyed"]), (&"complete".into(), &1.into()));
    stack.stop();
    // Of what is over, nobody releases a share any more.
    let stack = Stack::start_as(&data, &QUORUM);
    let boot = |stack: &Stack| {
        for holder in ["dot", "fay"] {
            operators.done(stack, &operators.release_of_all("over", holder, &["genesis", "second"]));
        }
    };
    boot(&stack);
    assert_eq!(settled(&operators, &stack).code, 0);
    stack.stop();
    // The witness knows the deployment by its first root, which is over: the state before is an older one still.
    let (register, old, last) = (data.join("relay/register"), folder.join("old"), folder.join("last"));
    copy(&register, &old);
    let stack = Stack::start_as(&data, &QUORUM);
    boot(&stack);
    assert_eq!(settled(&operators, &stack).code, 0);
    stack.stop();
    std::fs::rename(&register, &last).unwrap();
    std::fs::rename(&old, &register).unwrap();
    let stack = Stack::start_as(&data, &QUORUM);
    boot(&stack);
    let refused = settled(&operators, &stack);
    assert!(refused.code == 4 && refused.err.contains("rolled_back"), "{}", refused.err);
}

/// A change of the account, asked for until the enclave has its line, or has been refused it for good.
fn settled(operators: &Operators, stack: &Stack) -> operators::Said {
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        let said = operators.run(stack, &["rotate", "--all", "--data-key"]);
        if said.code == 0 || !said.err.contains("no_quorum") || Instant::now() > deadline {
            return said;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
}

fn copy(from: &Path, to: &Path) {
    let copied = said(Command::new("cp").arg("-a").arg(from).arg(to));
    assert_eq!(copied.code, 0, "{}", copied.err);
}

#[test]
fn holders_give_the_roots_to_others_and_their_own_keys_are_destroyed_when_those_have_them() {
    let folder = Folder::new();
    let data = folder.join("data");
    let stack = Stack::start_as(&data, &QUORUM);
    let operators = Operators::new(&folder);
    operators.genesis(&stack);
    for holder in ["dot", "eve"] {
        operators.release(&stack, holder);
    }
    operators.link(&stack);
    let before = balances(&operators, &stack);
    stack.stop();

    let stack = Stack::start_as(&data, &QUORUM);
    operators.ask_for(&stack, &["gus", "hal"]);
    let unasked = operators.run(&stack, &operators.release_of("asking", "dot", "genesis"));
    assert!(unasked.err.contains("2 of gus, hal") && unasked.err.contains("new_holders"), "{}", unasked.err);
    assert!(operators.give_away(&stack, "dot").contains("collecting"));
    assert!(operators.give_away(&stack, "fay").contains("reshared"));
    operators.take_over(&stack);
    let vouches = std::fs::read(stack.simulation_root()).unwrap();
    // Until the new holders are there, the old ones still boot under their manifest.
    stack.stop();
    let stack = Stack::start_as(&data, &QUORUM);
    for holder in ["dot", "fay"] {
        operators.release(&stack, holder);
    }
    assert_eq!(balances(&operators, &stack)["connections"], before["connections"]);
    stack.stop();
    let stack = Stack::start_as(&data, &QUORUM);
    for holder in ["gus", "hal"] {
        operators.done(&stack, &operators.release_of("after", holder, "anew"));
    }
    assert_eq!(balances(&operators, &stack)["connections"], before["connections"]);

    // What was split is verified as of the start that split it.
    std::fs::write(stack.simulation_root(), vouches).unwrap();
    operators.open(&stack, "anew", &["gus", "hal"]);
    let destroy = |key: &str, opened: &[&str]| operators.run(&stack, &operators.destroy_words(key, opened));
    for (key, opened, why) in [
        ("dot", &["gus"][..], "not_opened"),
        ("gus", &["gus", "hal"], "not_a_holder"),
        ("ada", &["gus", "hal"], ""),
    ] {
        let refused = destroy(key, opened);
        assert!(refused.code != 0 && refused.err.contains(why), "{}", refused.err);
        assert!(operators.path(&format!("{key}.key")).exists(), "{key}");
    }
    let destroyed = destroy("dot", &["gus", "hal"]);
    assert_eq!(destroyed.code, 0, "{}", destroyed.err);
    assert!(!operators.path("dot.key").exists());
    // Whoever still has an old key does nothing with it under what is approved now.
    let old = operators.run(&stack, &operators.release_of("after", "eve", "genesis"));
    assert!(old.err.contains("other_lineage"), "{}", old.err);
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
    let bare = said(&mut operators.bare(&stack.run(), &words));
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

    let recorder = Recorder::before(stack.run());
    let through = said(&mut operators.command_at(&stack, recorder.run(), &words));
    assert_eq!(through.code, 0, "{}", through.err);
    let exchanges = recorder.exchanges();
    assert_eq!(exchanges.len(), 2, "a setup and a release");
    let (setup, release) = (&exchanges[0], &exchanges[1]);

    // The very answer that was good for one nonce is none for the next.
    let replaying = Recorder::answering(setup.answer.clone());
    let words = operators.release_words("eve", &["ada", "ben"]);
    let stale = said(&mut operators.command_at(&stack, replaying.run(), &words));
    assert_eq!(stale.code, 1, "{}", stale.out);
    assert!(stale.err.contains("binding_mismatch"), "{}", stale.err);
    assert_eq!(replaying.exchanges().len(), 1, "no release followed");

    let fault = |stack: &Stack| match Answer::from_bytes(&ceremony(&stack.run(), &release.asked)).unwrap() {
        Answer::Refused(refused) => refused.fault,
        other => unreachable!("the release was taken: {other:?}"),
    };
    assert!(matches!(Ceremony::from_bytes(&release.asked), Ok(Ceremony::Release(_))));
    assert_eq!(fault(&stack), CeremonyFault::HolderTwice);
    stack.stop();
    let stack = Stack::start_as(&folder.join("data"), &QUORUM);
    assert_eq!(fault(&stack), CeremonyFault::NoSetup);
    operators.release(&stack, "eve");
    assert_eq!(fault(&stack), CeremonyFault::SetupOver);
}

/// Who reaches the gateway alone can neither take a step nor disturb one.
#[test]
fn a_step_of_provisioning_is_taken_from_the_hosts_operator_and_from_nobody_else() {
    use std::os::unix::fs::PermissionsExt;
    let folder = Folder::new();
    let stack = Stack::start_as(&folder.join("data"), &QUORUM);
    let step = Ceremony::Status.to_bytes();
    let public = http::post(&format!("{}/v1/ceremony", stack.url()), "application/cbor", &step);
    assert_eq!(public.status, 404);
    assert!(String::from_utf8(public.body).unwrap().contains("not_found"));

    let run = stack.run();
    let asked = |shown: Option<&Path>| {
        let mut caller = Caller::showing(&run, "relay", shown).unwrap();
        caller.ask(Kind::Ceremony as u8, &step)
    };
    assert_eq!(asked(None), None, "nobody");
    let stranger = folder.join("stranger");
    Authority::new().certify("operator", &stranger);
    assert_eq!(asked(Some(&stranger)), None, "an operator of another authority's");
    let (number, _, body) = asked(Some(&run.join("operator"))).unwrap();
    assert_eq!(number, Kind::CeremonyAnswer as u8);
    let Answer::Status(status) = Answer::from_bytes(&body).unwrap() else { unreachable!("no status") };
    assert_eq!(status.phase, Phase::Waiting);
    let mode = |name: &str| std::fs::metadata(stack.run().join(name)).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(""), mode("relay.sock")), (0o700, 0o600));
    assert_eq!((mode("operator"), mode("operator/svid_key.pem")), (0o700, 0o600));

    let operators = Operators::new(&folder);
    let named = said(&mut operators.bare(&stack.run(), &["--server", stack.url(), "root", "status"]));
    assert!(named.code == 2 && named.err.contains("relay's socket"), "{}", named.err);
    let nowhere = said(&mut operators.bare(folder.path(), &["root", "status"]));
    assert!(nowhere.code == 4 && nowhere.err.contains("ssh -N -L"), "{}", nowhere.err);
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
