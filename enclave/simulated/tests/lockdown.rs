//! Each layer of the lockdown, tried from inside, and the whole of it.
//!
//! Every attempt is first shown to work without the layer: a probe that cannot succeed would prove nothing.
#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

use simulated::lockdown::Layer;
use std::io::{BufRead, BufReader};
use std::os::unix::process::ExitStatusExt;

use std::process::{Command, ExitStatus, Stdio};

#[derive(Debug, PartialEq, Eq)]
enum Came {
    Worked,
    Refused,
    Killed,
}

fn probe(layers: &[Layer], attempt: &str) -> Command {
    let mut examples = std::env::current_exe().unwrap();
    examples.pop();
    examples.pop();
    let program = examples.join("examples").join("probe");
    let mut command = Command::new(program);
    command.args(layers.iter().map(|layer| layer.name())).arg("--").arg(attempt);
    command.current_dir("/").stdin(Stdio::piped()).stderr(Stdio::inherit());
    command
}

fn attempt(layers: &[Layer], attempt: &str) -> Came {
    came(probe(layers, attempt).status().unwrap(), attempt)
}

fn came(status: ExitStatus, attempt: &str) -> Came {
    match (status.code(), status.signal()) {
        (Some(0), _) => Came::Worked,
        (Some(10), _) => Came::Refused,
        (_, Some(libc::SIGSYS)) => Came::Killed,
        other => panic!("{attempt}: {other:?}"),
    }
}

#[test]
fn the_locked_down_process_still_runs() {
    assert_eq!(attempt(&Layer::ALL, "nothing"), Came::Worked);
}

#[test]
fn without_lockdown_every_attempt_works() {
    for what in [
        "read a file",
        "write a file",
        "list a folder",
        "connect",
        "listen",
        "open a unix socket",
        "start a program",
        "start a thread",
        "signal its parent",
        "trace itself",
        "map memory to run",
    ] {
        assert_eq!(attempt(&[], what), Came::Worked, "{what}");
    }
}

#[test]
fn locked_down_no_attempt_works() {
    for what in [
        "read a file",
        "write a file",
        "list a folder",
        "connect",
        "listen",
        "open a unix socket",
        "start a program",
        "start a thread",
        "signal its parent",
        "become root",
        "trace itself",
        "map memory to run",
    ] {
        assert_eq!(attempt(&Layer::ALL, what), Came::Killed, "{what}");
    }
}

#[test]
fn landlock_alone_takes_the_file_system_and_tcp_away() {
    for what in ["read a file", "write a file", "list a folder", "connect", "listen", "start a program"] {
        assert_eq!(attempt(&[Layer::NoNewPrivileges, Layer::NoFiles], what), Came::Refused, "{what}");
    }
}

#[test]
fn landlock_alone_keeps_signals_inside() {
    assert_eq!(attempt(&[Layer::NoNewPrivileges, Layer::NoFiles], "signal its parent"), Came::Refused);
}

#[test]
fn an_empty_namespace_alone_reaches_nobody() {
    assert_eq!(attempt(&[Layer::NoNetwork], "connect"), Came::Refused);
}

#[test]
fn privileges_do_not_come_back() {
    assert_eq!(attempt(&[Layer::NoPrivileges], "become root"), Came::Refused);
}

#[test]
fn m18_an_aborting_process_leaves_no_core_file() {
    let folder = std::env::temp_dir().join(format!("tensfer-core-{}", std::process::id()));
    std::fs::create_dir(&folder).unwrap();
    let status = probe(&[Layer::NotDumpable], "abort").current_dir(&folder).status().unwrap();
    assert_eq!(status.signal(), Some(libc::SIGABRT));
    assert!(!status.core_dumped());
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 0);
    std::fs::remove_dir(&folder).unwrap();
}

#[test]
fn a_panic_ends_the_process_and_quotes_nothing() {
    let ended = probe(&Layer::ALL, "panic").stderr(Stdio::piped()).output().unwrap();
    assert!(!ended.status.success());
    let said = String::from_utf8(ended.stderr).unwrap();
    assert!(said.ends_with("enclave: ended by a fault of its own\n"), "{said}");
    assert!(!said.contains("probe-secret") && !said.contains("panicked"), "{said}");
}

#[test]
fn m18_another_process_of_the_same_user_cannot_read_its_memory() {
    let readable = |layers: &[Layer]| {
        let mut child = as_nobody(&mut probe(layers, "hold still")).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let words: Vec<&str> = line.split_whitespace().collect();
        let [pid, address, length] = words[..] else { panic!("unexpected: {line}") };
        let script = format!(
            "import sys; m = open('/proc/{pid}/mem', 'rb'); m.seek({address}); sys.stdout.buffer.write(m.read({length}))"
        );
        let read = as_nobody(Command::new("/usr/bin/python3").arg("-c").arg(script)).output().unwrap();
        drop(child.stdin.take());
        child.wait().unwrap();
        read.status.success() && read.stdout == b"tensfer-probe-secret"
    };
    assert!(readable(&[]), "the attack works where nothing is locked down");
    assert!(!readable(&[Layer::NotDumpable]));
}

/// Root reads everything, so both sides run as somebody else.
fn as_nobody(command: &mut Command) -> &mut Command {
    use std::os::unix::process::CommandExt;
    if rustix::process::geteuid().is_root() { command.uid(65534).gid(65534) } else { command }
}
