//! A host that brings an older state of its data, over the real processes: the enclave refuses it where a witness
//! remembers, and the owner's own client where nobody else does.
#![expect(clippy::unwrap_used, reason = "tests")]

#[path = "cli/person.rs"]
#[expect(dead_code, reason = "other tests use more of it")]
mod person;

use person::{Person, Said, account};
use serde_json::Value;
use stack::{Folder, Process, Stack, run, tensfer};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

const READY: Duration = Duration::from_secs(30);

/// A witness that the host does not have: its folder is nobody's to restore.
struct Elsewhere {
    folder: PathBuf,
    _process: Process,
}

impl Elsewhere {
    fn start(folder: PathBuf) -> Elsewhere {
        let process = Process::start(Command::new(tensfer()).arg("witness").arg("--data").arg(&folder));
        process.line("ready ", READY);
        Elsewhere { folder, _process: process }
    }

    fn up(&self, data: &Path) -> Stack {
        Stack::start_as(data, &["--witness", self.folder.to_str().unwrap()])
    }
}

fn copy(from: &Path, to: &Path) {
    let copied = run(Command::new("cp").arg("-a").arg(from).arg(to), b"");
    assert!(copied.status.success(), "{}", String::from_utf8_lossy(&copied.stderr));
}

/// The same person, before another start.
fn moved<'s>(person: Person<'_>, stack: &'s Stack) -> Person<'s> {
    Person { url: stack.url().to_owned(), stack, folder: person.folder }
}

/// Asks until the enclave has its line, or has been refused it for good.
fn settled(person: &Person<'_>, arguments: &[&str]) -> Said {
    let deadline = Instant::now() + READY;
    loop {
        let said = person.run(arguments);
        if said.code == 0 || !said.err.contains("no_quorum") || Instant::now() > deadline {
            return said;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
}

const ASK: &[&str] = &["rotate", "kraken", "--data-key"];

#[test]
fn a_host_that_restores_its_data_from_a_copy_is_refused_by_the_enclave_and_served_again_with_what_is_last() {
    let folder = Folder::new();
    let witness = Elsewhere::start(folder.join("witness"));
    let (data, old, last) = (folder.join("data"), folder.join("old"), folder.join("last"));
    let stack = witness.up(&data);
    let person = Person::new(&stack);
    person.link(&account("kraken", "reader"), "kraken");
    let person_folder = person.folder;
    stack.stop();
    copy(&data, &old);

    let stack = witness.up(&data);
    let person = Person { url: stack.url().to_owned(), stack: &stack, folder: person_folder };
    assert_eq!(settled(&person, ASK).code, 0);
    let person_folder = person.folder;
    stack.stop();
    std::fs::rename(&data, &last).unwrap();
    std::fs::rename(&old, &data).unwrap();

    let stack = witness.up(&data);
    let person = Person { url: stack.url().to_owned(), stack: &stack, folder: person_folder };
    let refused = settled(&person, ASK);
    assert_eq!(refused.code, 4, "{}", refused.err);
    assert!(refused.err.contains("rolled_back"), "{}", refused.err);
    // Its operator brings what was kept last, and it goes on as it stands there.
    let register = data.join("relay/register");
    std::fs::rename(&register, data.join("relay/register.refused")).unwrap();
    std::fs::rename(last.join("relay/register"), &register).unwrap();
    let deadline = Instant::now() + READY;
    let served = loop {
        let said = settled(&person, ASK);
        if said.code == 0 || Instant::now() > deadline {
            break said;
        }
        std::thread::sleep(Duration::from_millis(100));
    };
    assert_eq!(served.code, 0, "{}", served.err);
}

#[test]
fn a_host_that_restores_its_witness_as_well_is_an_alarm_for_who_saw_more() {
    let folder = Folder::new();
    let (data, old) = (folder.join("data"), folder.join("old"));
    let stack = Stack::start_in(&data);
    let person = Person::new(&stack);
    person.link(&account("kraken", "reader"), "kraken");
    let person_folder = person.folder;
    stack.stop();
    copy(&data, &old);

    let stack = Stack::start_in(&data);
    let person = Person { url: stack.url().to_owned(), stack: &stack, folder: person_folder };
    for _ in 0..3 {
        let said = settled(&person, ASK);
        assert_eq!(said.code, 0, "{}", said.err);
    }
    let seen = person.json(&["connections", "--json"])[0]["mark"].clone();
    assert!(seen["counter"].as_u64() >= Some(3), "{seen}");
    let deployments = person.json(&["status", "--deployments", "--json"]);
    assert_eq!((&deployments[0]["lines"][0], &deployments[0]["connections"][1]), (&seen, &Value::Null));
    assert!(person.done(&["status", "--deployments"]).contains(&seen["head"].as_str().unwrap()[..16]));
    let person_folder = person.folder;
    stack.stop();
    std::fs::remove_dir_all(&data).unwrap();
    std::fs::rename(&old, &data).unwrap();

    let stack = Stack::start_in(&data);
    let person = Person { url: stack.url().to_owned(), stack: &stack, folder: person_folder };
    let alarmed = settled(&person, &["rotate", "kraken", "--data-key"]);
    assert_eq!(alarmed.code, 1, "{}", alarmed.err);
    let named = ["rolled_back", "forked"].into_iter().any(|code| alarmed.err.contains(code));
    assert!(named && alarmed.err.contains("ALARM"), "{}", alarmed.err);
    assert_eq!(person.json(&["connections", "--json"])[0]["mark"], seen, "an alarm lowers nothing");
}

#[test]
fn of_two_on_one_copied_folder_and_one_witness_at_most_one_serves_and_the_latest_data_serve_again() {
    let folder = Folder::new();
    let witness = Elsewhere::start(folder.join("witness"));
    let (data, twin) = (folder.join("data"), folder.join("twin"));
    let stack = witness.up(&data);
    let person = Person::new(&stack);
    person.link(&account("kraken", "reader"), "kraken");
    let person_folder = person.folder;
    stack.stop();
    copy(&data, &twin);

    // The first goes on, so the twin's data are behind; but its enclave takes the line before it can tell.
    let (one, two) = (witness.up(&data), witness.up(&twin));
    let person = Person { url: one.url().to_owned(), stack: &one, folder: person_folder };
    let first = settled(&person, ASK);
    let person = moved(person, &two);
    let second = settled(&person, ASK);
    let refused: Vec<&Said> = [&first, &second].into_iter().filter(|said| said.code != 0).collect();
    assert!(!refused.is_empty(), "both served");
    for said in refused {
        let named = ["line_lost", "no_quorum", "rolled_back"].into_iter().any(|code| said.err.contains(code));
        assert!(named, "{}", said.err);
        // Whoever is refused for good is told what that means.
        let is_lost = said.err.contains("line_lost");
        assert_eq!(said.err.contains("two enclaves run on one state"), is_lost, "{}", said.err);
    }
    let person_folder = person.folder;
    one.stop();
    two.stop();

    // Whichever of them has the latest state serves, alone, as if nothing had been.
    let serving = [&data, &twin].into_iter().filter(|data| {
        let stack = witness.up(data);
        let person = Person { url: stack.url().to_owned(), stack: &stack, folder: Folder::new() };
        copy(&person_folder.join("home"), &person.home());
        copy(&person_folder.join("passphrase"), &person.folder.join("passphrase"));
        let said = settled(&person, ASK);
        stack.stop();
        assert!(said.code == 0 || said.err.contains("rolled_back"), "{}", said.err);
        said.code == 0
    });
    assert_eq!(serving.count(), 1);
}
