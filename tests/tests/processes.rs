//! Our own processes among themselves, as they really run.

#[path = "cli/person.rs"]
#[expect(dead_code, reason = "other tests use more of it")]
mod person;

use person::{Person, account};
use stack::authority::Authority;
use stack::caller::Caller;
use stack::{Folder, LONG, Process, Stack, http, run, tensfer};
use std::io::Write;
use std::os::unix::net::UnixStream;
use std::process::Command;
use std::time::{Duration, Instant};

const NONCE: &str = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
/// The shortest that there is.
const LIFE: Duration = Duration::from_secs(10);

#[test]
fn calls_go_on_while_the_certificates_that_they_began_with_end() {
    let folder = Folder::new();
    let stack = Stack::start_as(&folder.join("data"), &["--certificate-life", "10"]);
    let shown = || std::fs::read(stack.run().join("operator/svid.pem")).unwrap();
    let (first, began) = (shown(), Instant::now());
    let mut asked = 0;
    while began.elapsed() < LIFE * 2 + LIFE / 2 {
        let answer = http::get(&format!("{}/v1/attestation?nonce={NONCE}", stack.url()));
        assert_eq!(answer.status, 200, "after {asked} calls: {}", answer.text());
        asked += 1;
    }
    assert!(asked > 20, "{asked} calls");
    assert_ne!(shown(), first, "operators' certificate was renewed");
    assert!(Caller::operator(&stack.run(), "relay").ask(0x03, &[7; 32]).is_some());
    let ended = stack.stop();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(!ended.stderr.contains("closed a connection"), "{}", ended.stderr);
}

/// An exchange that takes its time, so that at any moment something is on every link: gateway, relay, egress, witness.
#[test]
fn calls_that_are_under_way_while_certificates_are_renewed_are_all_answered() {
    let folder = Folder::new();
    let options = ["--certificate-life", "10", "--", "--delay", "2500"];
    let stack = Stack::start_as(&folder.join("data"), &options);
    let persons = ["one", "two", "three"].map(|name| {
        let person = Person::new(&stack);
        person.link(&account("kraken", "reader"), name);
        person
    });
    let commands = persons.each_ref().map(|person| person.command(&["balances"]));
    let (shown, began) = (stack.run().join("operator/svid.pem"), Instant::now());
    let ask = |mut command: Command| {
        let mut renewed_meanwhile = 0;
        while began.elapsed() < LIFE * 2 + LIFE / 2 {
            let before = std::fs::read(&shown).unwrap();
            let answer = run(&mut command, b"");
            let said = String::from_utf8_lossy(&answer.stderr);
            assert!(answer.status.success(), "after {:?}: {said}", began.elapsed());
            renewed_meanwhile += usize::from(std::fs::read(&shown).unwrap() != before);
        }
        renewed_meanwhile
    };
    let renewed: usize = std::thread::scope(|all| {
        let asking = commands.map(|command| all.spawn(|| ask(command)));
        asking.into_iter().map(|asked| asked.join().unwrap()).sum()
    });
    assert!(renewed >= 3, "{renewed} answers came over a renewal");
    let ended = stack.stop();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
}

#[test]
fn whoever_shows_no_certificate_of_this_start_is_answered_by_no_role() {
    let folder = Folder::new();
    let before = Stack::start_in(&folder.join("data"));
    let kept = folder.join("kept");
    std::fs::create_dir(&kept).unwrap();
    for file in ["svid.pem", "svid_key.pem"] {
        std::fs::copy(before.run().join("operator").join(file), kept.join(file)).unwrap();
    }
    before.stop();
    let stack = Stack::start_in(&folder.join("data"));
    let made_up = folder.join("made-up");
    let authority = Authority::new();
    for shown in ["operator", "gateway", "relay", "up"] {
        let _ = std::fs::remove_dir_all(&made_up);
        authority.certify(shown, &made_up);
        for role in ["up", "relay", "egress", "identity"] {
            for folder in [None, Some(&*made_up), Some(&*kept)] {
                let mut caller = Caller::showing(&stack.run(), role, folder).unwrap();
                for operation in [0x03, 0x04, 0x07, 0x40, 0x42, 0x90] {
                    assert_eq!(caller.ask(operation, &[7; 32]), None, "{role}: {shown}, {folder:?}");
                }
            }
        }
    }
    for role in ["up", "relay", "egress", "identity"] {
        let mut plain = UnixStream::connect(stack.run().join(format!("{role}.sock"))).unwrap();
        plain.write_all(&[&[1, 1, 0, 0, 0, 37, 3, 0, 0, 0, 1], &[7; 32][..]].concat()).unwrap();
        let mut answer = Vec::new();
        let _ = std::io::Read::read_to_end(&mut plain, &mut answer);
        assert!(answer.first().is_none_or(|first| *first == 0x15), "at most an alert of {role}: {answer:?}");
    }
    // They serve those whom they know all the same.
    assert_eq!(http::get(&format!("{}/v1/attestation?nonce={NONCE}", stack.url())).status, 200);
    assert!(Caller::operator(&stack.run(), "relay").ask(0x03, &[7; 32]).is_some());
}

#[test]
fn a_role_that_nobody_certifies_does_not_start() {
    let folder = Folder::new();
    let words = ["egress", "--run", folder.path().to_str().unwrap(), "--sandbox", "1"];
    let alone = run(Command::new(tensfer()).args(words), b"");
    assert_eq!(alone.status.code(), Some(4));
    assert!(String::from_utf8_lossy(&alone.stderr).contains("nobody certifies this process"));

    let another = folder.join("another");
    Authority::new().certify("relay", &another);
    let another = another.to_str().unwrap().to_owned();
    let wrong = run(Command::new(tensfer()).args(words).args(["--certificates", &another]), b"");
    assert_eq!(wrong.status.code(), Some(4));
    assert!(String::from_utf8_lossy(&wrong.stderr).contains("of another role"));

    let own = folder.join("own");
    Authority::new().certify("egress", &own);
    let started = Process::start(Command::new(tensfer()).args(words).arg("--certificates").arg(&own));
    started.line("ready ", LONG);
}
