//! `tensfer witness` as a process: what it has said once it stands by, whenever it is killed.

use rustix::process::Signal;
use stack::authority::Authority;
use stack::caller::Caller;
use stack::{Folder, LONG, Process, run, tensfer, trace};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use verify::witness::examine;
use wire::evidence::Hash;
use wire::manifest::{Signer, SigningKey};
use wire::owner::OwnerAlgorithm;
use wire::witness::{Accepted, Advance, Answer, Promise, Take};
use wire::{BootId, Canonical};

const DEPLOYMENT: Hash = Hash([7; 32]);
const TAKE_LINE: u8 = 0x43;
const ADVANCE_LINE: u8 = 0x44;
const DONE: u8 = 0x7e;
const FAILED: u8 = 0x7f;

fn command(data: &Path) -> Command {
    let mut command = Command::new(tensfer());
    command.arg("witness").arg("--data").arg(data);
    command
}

fn start(data: &Path) -> Process {
    let witness = Process::start(&mut command(data));
    witness.line("ready ", LONG);
    witness
}

/// A relay's connection.
struct Relay(Caller);

impl Relay {
    fn connect(data: &Path) -> io::Result<Relay> {
        Relay::showing(data, Some(&data.join("run/relay")))
    }

    fn showing(data: &Path, shown: Option<&Path>) -> io::Result<Relay> {
        Caller::showing(&data.join("run"), "witness", shown).map(Relay)
    }

    /// The answer's number and body; an error when the witness is gone, or closes the connection.
    fn ask(&mut self, operation: u8, body: &[u8]) -> io::Result<(u8, Vec<u8>)> {
        let answer = self.0.ask(operation, body);
        answer.map(|(number, _, body)| (number, body)).ok_or(io::ErrorKind::UnexpectedEof.into())
    }

    fn take(&mut self, key: &Signer, term: u64) -> io::Result<Answer> {
        self.told(key, TAKE_LINE, &take(term).to_bytes())
    }

    fn advance(&mut self, key: &Signer, term: u64, counter: u64) -> io::Result<Answer> {
        self.told(key, ADVANCE_LINE, &advance(term, counter).to_bytes())
    }

    fn told(&mut self, key: &Signer, operation: u8, asked: &[u8]) -> io::Result<Answer> {
        let (number, answer) = self.ask(operation, asked)?;
        assert_eq!(number, DONE);
        Ok(examine(&answer, std::slice::from_ref(key)).expect("by the witness's own key").1)
    }
}

fn take(term: u64) -> Take {
    Take { deployment: DEPLOYMENT, line: 0, term, boot: BootId([1; 16]), nonce: Hash([2; 32]) }
}

fn advance(term: u64, counter: u64) -> Advance {
    let mut head = Hash([0; 32]);
    head.0[..8].copy_from_slice(&counter.to_be_bytes());
    Advance { deployment: DEPLOYMENT, line: 0, term, boot: BootId([1; 16]), counter, head }
}

/// What `tensfer witness key` prints.
fn key(data: &Path) -> Signer {
    let printed = run(Command::new(tensfer()).args(["witness", "key", "--data"]).arg(data), b"");
    assert!(printed.status.success(), "{}", String::from_utf8_lossy(&printed.stderr));
    let text = String::from_utf8(printed.stdout).unwrap();
    let public = text.trim().strip_prefix("ed25519:").expect("the form of a manifest");
    let public = base64::Engine::decode(&base64::engine::general_purpose::STANDARD, public).unwrap();
    Signer { alias: "w".into(), key: SigningKey { algorithm: OwnerAlgorithm::EdDsa, public } }
}

#[test]
fn it_answers_by_the_key_that_it_prints_and_goes_on_where_it_stopped() {
    let folder = Folder::new();
    let data = folder.join("witness");
    let witness = start(&data);
    let signer = key(&data);
    let mut relay = Relay::connect(&data).unwrap();
    let promise = |take, accepted| Answer::Promise(Promise { take, accepted });
    assert_eq!(relay.take(&signer, 1).unwrap(), promise(take(1), None));
    assert_eq!(relay.advance(&signer, 1, 1).unwrap(), Answer::Cosignature(advance(1, 1)));
    assert_eq!(relay.ask(TAKE_LINE, b"no take").unwrap(), (FAILED, Vec::new()));
    witness.stop(LONG);
    let _witness = start(&data);
    assert_eq!(key(&data), signer);
    let mut relay = Relay::connect(&data).unwrap();
    assert!(matches!(relay.advance(&signer, 1, 2).unwrap(), Answer::Cosignature(_)));
    let accepted = Some(advance(1, 2).accepted());
    assert_eq!(relay.take(&signer, 2).unwrap(), promise(take(2), accepted));
}

#[test]
fn nobody_but_a_relay_is_answered() {
    let folder = Folder::new();
    let data = folder.join("witness");
    let _witness = start(&data);
    let other = folder.join("another");
    let _other = start(&other);
    let foreign = folder.join("foreign");
    Authority::new().certify("relay", &foreign);
    for shown in [None, Some(other.join("run/relay")), Some(foreign)] {
        let mut stranger = Relay::showing(&data, shown.as_deref()).unwrap();
        assert!(stranger.ask(TAKE_LINE, &take(1).to_bytes()).is_err(), "{shown:?}");
    }
    let mut relay = Relay::connect(&data).unwrap();
    for other in [0x03, 0x40, 0x45, 0x90] {
        assert!(Relay::connect(&data).unwrap().ask(other, b"").is_err(), "operation {other:#04x}");
    }
    assert!(matches!(relay.take(&key(&data), 1).unwrap(), Answer::Promise(_)));
}

#[test]
fn m18_its_files_are_its_own_and_two_on_one_folder_are_refused() {
    let folder = Folder::new();
    let data = folder.join("witness");
    let _witness = start(&data);
    for file in ["kept/key", "kept/memory", "run/witness.sock"] {
        assert_eq!(data.join(file).metadata().unwrap().permissions().mode() & 0o777, 0o600, "{file}");
    }
    let second = run(&mut command(&data), b"");
    assert_eq!(second.status.code(), Some(4));
    assert!(String::from_utf8_lossy(&second.stderr).contains("another `tensfer witness` runs"));
}

#[test]
fn m14_without_its_key_or_its_memory_it_does_not_start() {
    for lost in ["kept/key", "kept/memory"] {
        let folder = Folder::new();
        let data = folder.join("witness");
        start(&data).stop(LONG);
        std::fs::remove_file(data.join(lost)).unwrap();
        let refused = run(&mut command(&data), b"");
        let text = String::from_utf8_lossy(&refused.stderr);
        assert_eq!((refused.status.code(), refused.stdout.len()), (Some(4), 0), "{text}");
        assert!(text.contains("no backup"), "{text}");
        assert!(!data.join(lost).exists());
    }
}

/// What a relay was told before the witness died: the last term that was promised and the last head that was accepted.
#[derive(Debug, Default)]
struct Told {
    term: u64,
    accepted: Option<Accepted>,
}

/// Takes a term and advances in it, again and again, until the witness is gone.
fn press(data: &Path, dead: &AtomicBool) -> Told {
    let mut told = Told::default();
    // It may die before it ever listens.
    let mut relay = loop {
        match Relay::connect(data) {
            Ok(relay) => break relay,
            Err(_) if dead.load(Ordering::Relaxed) => return told,
            Err(_) => std::thread::sleep(Duration::from_millis(1)),
        }
    };
    // Its key is in place before it listens.
    let signer = key(data);
    for term in 1.. {
        let Ok(answer) = relay.take(&signer, term) else { return told };
        assert!(matches!(answer, Answer::Promise(_)), "{answer:?}");
        told.term = term;
        for counter in term..term + 3 {
            let Ok(answer) = relay.advance(&signer, term, counter) else { return told };
            assert_eq!(answer, Answer::Cosignature(advance(term, counter)));
            told.accepted = Some(advance(term, counter).accepted());
        }
    }
    told
}

#[test]
fn m21_whatever_it_said_it_remembers_when_it_is_killed_before_any_call_of_the_kernel() {
    let (mut call, mut said) = (0, 0);
    // However many of them its start takes: each answer is a handful, so that these are several answers.
    while said < 40 {
        call += 1;
        let folder = Folder::new();
        let data = folder.join("witness");
        let dead = AtomicBool::new(false);
        let told = std::thread::scope(|threads| {
            let relay = threads.spawn(|| press(&data, &dead));
            assert!(trace::kill_before(&mut command(&data), call), "it ended by itself");
            dead.store(true, Ordering::Relaxed);
            relay.join().unwrap()
        });
        let _witness = start(&data);
        let signer = key(&data);
        let mut relay = Relay::connect(&data).unwrap();
        let Answer::Promise(promise) = relay.take(&signer, told.term + 2).unwrap() else {
            panic!("killed before call {call}: {told:?} was followed by no promise")
        };
        let order = |accepted: Option<Accepted>| accepted.map(|accepted| accepted.order());
        assert!(order(promise.accepted) >= order(told.accepted), "call {call}: {told:?}, then {promise:?}");
        if told.term > 0 {
            assert!(matches!(relay.take(&signer, told.term).unwrap(), Answer::Refused(_)), "call {call}");
            said += 1;
        }
    }
}

#[test]
fn a_signal_ends_it_and_takes_its_socket_with_it() {
    let folder = Folder::new();
    let data = folder.join("witness");
    let witness = start(&data);
    witness.signal(Signal::TERM);
    let ended = witness.wait(LONG);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(!data.join("run/witness.sock").exists());
}
