//! A witness that lost its disk is replaced, over the real processes.

use super::operators::{Operators, Said, said};
use super::{QUORUM, balances};
use serde_json::{Value, json};
use stack::{Folder, LONG, Process, Stack, tensfer};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

/// `tensfer witness` on a folder of its own.
struct Witness {
    folder: PathBuf,
    process: Process,
}

impl Witness {
    fn start(folder: PathBuf) -> Witness {
        let process = Process::start(Command::new(tensfer()).arg("witness").arg("--data").arg(&folder));
        process.line("ready ", LONG);
        Witness { folder, process }
    }

    fn key(&self) -> String {
        let key = said(Command::new(tensfer()).args(["witness", "key", "--data"]).arg(&self.folder));
        assert_eq!(key.code, 0, "{}", key.err);
        key.out.trim().to_owned()
    }
}

fn up(data: &Path, witnesses: &[&Witness]) -> Stack {
    let folders = witnesses.iter().flat_map(|witness| ["--witness", witness.folder.to_str().unwrap()]);
    Stack::start_as(data, &QUORUM.into_iter().chain(folders).collect::<Vec<_>>())
}

/// Two holders release under a manifest.
fn provision(operators: &Operators, stack: &Stack, manifest: &str, holders: &[&str]) {
    for holder in holders {
        operators.done(stack, &operators.release_of(manifest, holder, "genesis"));
    }
}

/// How the enclave stands with its witnesses, as soon as it is so.
fn until(operators: &Operators, stack: &Stack, state: &str) -> Value {
    let deadline = Instant::now() + LONG;
    loop {
        let status = operators.done(stack, &["root", "status", "--json"]);
        let line = serde_json::from_str::<Value>(&status).unwrap()["line"].clone();
        if line["state"] == state || Instant::now() > deadline {
            assert_eq!(line["state"], state, "{line}");
            return line;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
}

fn rotated(operators: &Operators, stack: &Stack) -> Said {
    operators.run(stack, &["rotate", "--all", "--data-key"])
}

#[test]
fn a_witness_whose_disk_is_lost_is_replaced_and_the_accounts_go_on_without_it() {
    let folder = Folder::new();
    let (data, operators) = (folder.join("data"), Operators::new(&folder));
    let [w1, w2, w3] = ["w1", "w2", "w3"].map(|name| Witness::start(folder.join(name)));
    operators.alter("manifest", "manifest", |text| {
        let member = |(alias, witness): (&str, &Witness)| {
            format!("[[witnesses.members]]\nalias = \"{alias}\"\nkey = \"{}\"\n", witness.key())
        };
        let members: String = [("w1", &w1), ("w2", &w2), ("w3", &w3)].map(member).concat();
        format!("{text}[witnesses]\nthreshold = 2\n{members}")
    });
    let stack = up(&data, &[&w1, &w2, &w3]);
    operators.genesis(&stack);
    provision(&operators, &stack, "next", &["dot", "eve"]);
    until(&operators, &stack, "held");
    operators.link(&stack);
    let before = balances(&operators, &stack);
    stack.stop();
    w3.process.stop(LONG);
    std::fs::remove_dir_all(&w3.folder).unwrap();

    // Another takes its place, in a manifest.
    let w4 = Witness::start(folder.join("w4"));
    std::fs::write(operators.path("w4.public"), w4.key()).unwrap();
    let stack = up(&data, &[&w1, &w4]);
    let w4_named = format!("w4={}", operators.word("w4.public"));
    let words = ["root", "next", "--after", &operators.word("next"), "--output", &operators.word("replaced")];
    let named = ["--witness", "w1", "--witness", "w2", "--witness", &w4_named];
    operators.done(&stack, &[&words[..], &named].concat());
    operators.approve_as(&stack, "replaced", &["ada", "ben"]);

    // One of the three that there were is too few to go over, and says so.
    provision(&operators, &stack, "replaced", &["dot", "eve"]);
    let line = until(&operators, &stack, "asking_former");
    assert_eq!(line["needed"], 2);
    let status = operators.done(&stack, &["root", "status"]);
    assert!(status.contains("asks those whose place they take"), "{status}");
    let refused = rotated(&operators, &stack);
    assert_eq!(refused.code, 4, "{}", refused.err);
    assert!(refused.err.contains("no_quorum"), "{}", refused.err);
    stack.stop();

    // Two are enough.
    let stack = up(&data, &[&w1, &w2, &w4]);
    provision(&operators, &stack, "replaced", &["dot", "eve"]);
    assert_eq!(until(&operators, &stack, "held"), json!({ "state": "held", "heard": 0, "needed": 2 }));
    let after = balances(&operators, &stack);
    assert_eq!(after["connections"][0]["accounts"], before["connections"][0]["accounts"]);
    assert_eq!(rotated(&operators, &stack).code, 0);
    stack.stop();

    // Nobody starts before the former ones any more, not even with holders who have seen no newer manifest.
    for holder in ["dot", "eve"] {
        std::fs::remove_file(operators.path(&format!("{holder}.key.released"))).unwrap();
    }
    let stack = up(&data, &[&w1, &w2, &w4]);
    provision(&operators, &stack, "next", &["dot", "eve"]);
    until(&operators, &stack, "lost");
    let lost = rotated(&operators, &stack);
    assert_eq!(lost.code, 4, "{}", lost.err);
    assert!(lost.err.contains("line_lost"), "{}", lost.err);
    stack.stop();

    // Of the three that there are, one may be away again; of the former ones nobody else is asked.
    w2.process.stop(LONG);
    let stack = up(&data, &[&w1, &w4]);
    provision(&operators, &stack, "replaced", &["dot", "eve"]);
    until(&operators, &stack, "held");
    assert_eq!(rotated(&operators, &stack).code, 0);
}
