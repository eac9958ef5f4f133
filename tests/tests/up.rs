//! `tensfer up`: what it starts, how all of it ends, and what it leaves behind.

use rustix::process::Signal;
use stack::{Folder, LONG, Process, Running, Stack, descendants, http, is_alive, run, tensfer};
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};
use wire::{Canonical, Identity};

const ROLES: [&str; 7] =
    ["gateway", "identity", "sandbox", "tensfer-enclave-simulated", "egress", "relay", "witness"];
const NONCE: &str = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";

/// Waits until none of them runs any more.
fn all_gone(processes: &[Running], limit: Duration) {
    let deadline = Instant::now() + limit;
    while let Some(alive) = processes.iter().find(|process| is_alive(process.pid)) {
        assert!(Instant::now() < deadline, "{} still runs after {limit:?}", alive.name());
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn identity(stack: &Stack) -> Identity {
    let answer = http::get(&format!("{}/v1/attestation?nonce={NONCE}", stack.url()));
    assert_eq!(answer.status, 200, "{}", answer.text());
    let evidence = wire::evidence::Evidence::from_bytes(&answer.body).unwrap();
    Identity::from_bytes(&evidence.identity).unwrap()
}

#[test]
fn it_serves_after_the_line_that_says_so_and_each_role_is_a_process() {
    let stack = Stack::start();
    assert_eq!(stack.url(), format!("http://localhost:{}", stack.port()));
    assert_eq!(http::get(&format!("{}/v1/health", stack.url())).status, 200);
    let mut names: Vec<String> = stack.processes().iter().map(|process| process.name().to_owned()).collect();
    names.sort();
    let mut expected = [&ROLES[..], &["up"]].concat();
    expected.sort_unstable();
    assert_eq!(names, expected);
    assert!(stack.simulation_root().is_file());
    assert!(stack.process().log().contains("SIMULATED"), "{}", stack.process().log());
    let ended = stack.stop();
    // Nothing but the one line was ever on standard output.
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(0), ""), "{}", ended.stderr);
}

#[test]
fn a_signal_ends_everything_and_takes_the_sockets_with_it() {
    for signal in [Signal::TERM, Signal::INT] {
        let folder = Folder::new();
        let stack = Stack::start_in(&folder.join("data"));
        let processes = stack.processes();
        stack.process().signal(signal);
        let ended = stack.wait();
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
        all_gone(&processes, Duration::ZERO);
        let sockets = std::fs::read_dir(folder.join("data/run")).unwrap();
        assert_eq!(
            sockets.filter(|entry| entry.as_ref().unwrap().file_type().unwrap().is_socket()).count(),
            0
        );
    }
}

#[test]
fn a_signal_before_it_is_ready_ends_everything_too() {
    for wait in [0, 20, 60, 120, 200] {
        let folder = Folder::new();
        let process = Process::start(&mut Stack::command(&folder.join("data")));
        std::thread::sleep(Duration::from_millis(wait));
        let processes = descendants(process.pid());
        process.signal(Signal::TERM);
        process.wait(LONG);
        all_gone(&processes, LONG);
    }
}

#[test]
fn its_sudden_death_leaves_nothing_running() {
    let stack = Stack::start();
    let processes = stack.processes();
    assert_eq!(processes.len(), 1 + ROLES.len());
    processes[0].kill();
    all_gone(&processes[1..], LONG);
    drop(stack);
}

#[test]
fn its_sudden_death_before_it_is_ready_leaves_nothing_running() {
    for wait in [5, 15, 30, 50, 80, 120, 200] {
        let folder = Folder::new();
        let process = Process::start(&mut Stack::command(&folder.join("data")));
        std::thread::sleep(Duration::from_millis(wait));
        process.signal(Signal::STOP);
        let processes = descendants(process.pid());
        process.signal(Signal::KILL);
        process.wait(LONG);
        all_gone(&processes, LONG);
    }
}

#[test]
fn the_death_of_any_process_ends_all_of_them_and_is_named() {
    for role in ROLES {
        let stack = Stack::start();
        let processes = stack.processes();
        stack.running(role).kill();
        let ended = stack.wait();
        assert_eq!(ended.code, Some(4), "{role}: {}", ended.stderr);
        let name = if role == "tensfer-enclave-simulated" { "enclave" } else { role };
        assert!(ended.stderr.contains(&format!("error: {name} ended")), "{role}: {}", ended.stderr);
        all_gone(&processes, Duration::ZERO);
    }
}

#[test]
fn two_on_one_folder_are_refused_and_the_first_goes_on() {
    let stack = Stack::start();
    let second = run(&mut Stack::command(stack.data()), b"");
    let stderr = String::from_utf8_lossy(&second.stderr);
    assert_eq!((second.status.code(), second.stdout.len()), (Some(4), 0), "{stderr}");
    assert!(stderr.contains("another `tensfer up` runs"), "{stderr}");
    assert_eq!(http::get(&format!("{}/v1/health", stack.url())).status, 200);
}

#[test]
fn a_folder_is_free_again_after_any_end() {
    let folder = Folder::new();
    let data = folder.join("data");
    let first = Stack::start_in(&data);
    let root = std::fs::read(data.join("simulated-root")).unwrap();
    let evidence_root = std::fs::read(first.simulation_root()).unwrap();
    let boot = identity(&first).boot;
    first.processes()[0].kill();
    first.wait();
    let second = Stack::start_in(&data);
    assert_eq!(std::fs::read(data.join("simulated-root")).unwrap(), root, "the root stays");
    assert_ne!(
        std::fs::read(second.simulation_root()).unwrap(),
        evidence_root,
        "evidence has a root of its own each time"
    );
    assert_ne!(identity(&second).boot, boot);
}

#[test]
fn a_busy_port_is_said_so_before_a_root_is_made() {
    let other = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = other.local_addr().unwrap().port();
    let folder = Folder::new();
    let mut command = Command::new(tensfer());
    command.args(["up", "--port", &port.to_string(), "--data"]).arg(folder.join("data"));
    let output = run(&mut command, b"");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!((output.status.code(), output.stdout.len()), (Some(4), 0), "{stderr}");
    assert!(stderr.contains(&format!("port {port} is in use")) && stderr.contains("--port"), "{stderr}");
    assert!(!folder.join("data/simulated-root").exists());
}

#[test]
fn m14_a_lost_or_damaged_root_stops_the_start_and_is_not_replaced() {
    let folder = Folder::new();
    let data = folder.join("data");
    Stack::start_in(&data).stop();
    let path = data.join("simulated-root");
    let good = std::fs::read(&path).unwrap();
    for (content, says) in
        [(None, "is gone"), (Some(&b""[..]), "is damaged"), (Some(&good[..good.len() - 1]), "is damaged")]
    {
        match content {
            Some(content) => std::fs::write(&path, content).unwrap(),
            None => std::fs::remove_file(&path).unwrap(),
        }
        let output = run(&mut Stack::command(&data), b"");
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!((output.status.code(), output.stdout.len()), (Some(4), 0), "{stderr}");
        assert!(stderr.contains(says), "{stderr}");
        assert_eq!(std::fs::read(&path).ok().as_deref(), content);
        std::fs::write(&path, &good).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    }
    assert_eq!(Stack::start_in(&data).stop().code, Some(0));
}

#[test]
fn m18_no_secret_is_in_a_command_line_an_environment_or_a_file_that_others_may_read_and_no_core_is_written() {
    let stack = Stack::start();
    let root = std::fs::read_to_string(stack.data().join("simulated-root")).unwrap();
    let secret = root.lines().nth(1).unwrap().split(' ').nth(1).unwrap();
    assert_eq!(secret.len(), 64);
    for process in stack.processes() {
        let name = process.name().to_owned();
        let line = process.arguments.join(" ");
        assert!(!line.contains(secret), "{line}");
        if process.pid != stack.process().pid() {
            // Everyone's environment is empty: nothing of ours can be in it.
            assert_eq!(
                std::fs::read(format!("/proc/{}/environ", process.pid)).unwrap_or_default(),
                b"",
                "{name}"
            );
        }
        let limits = std::fs::read_to_string(format!("/proc/{}/limits", process.pid)).unwrap();
        let core = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
        assert_eq!(core.split_whitespace().skip(4).take(2).collect::<Vec<_>>(), ["0", "0"], "{name}");
    }
    private(stack.data());
    assert!(!stack.process().log().contains(secret));
}

/// Everything below is ours alone.
fn private(folder: &Path) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let mode = entry.metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{:o} {}", mode, entry.path().display());
        if entry.file_type().unwrap().is_dir() {
            private(&entry.path());
        }
    }
}

#[test]
fn m18_the_enclave_gets_its_channel_and_nothing_else() {
    let stack = Stack::start();
    let enclave = stack.running("tensfer-enclave-simulated");
    assert_eq!(enclave.arguments.len(), 1);
    assert_eq!(std::fs::read(format!("/proc/{}/environ", enclave.pid)).unwrap_or_default(), b"");
}

#[test]
fn an_epoch_that_is_added_reaches_the_running_enclave_and_the_next_one() {
    let folder = Folder::new();
    let data = folder.join("data");
    let stack = Stack::start_in(&data);
    assert_eq!(identity(&stack).epochs.current, 1);
    let new_epoch = || {
        let output = run(Command::new(tensfer()).args(["root", "epoch", "new", "--data"]).arg(&data), b"");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    assert_eq!(new_epoch(), "epoch 2\n");
    let before = identity(&stack).epochs;
    assert_eq!((before.current, before.oldest, before.commitments.len()), (2, 1, 2));
    assert_eq!(new_epoch(), "epoch 3\n");
    assert_eq!(identity(&stack).epochs.current, 3);
    assert_eq!(stack.stop().code, Some(0));
    assert_eq!(new_epoch(), "epoch 4\n");
    let after = identity(&Stack::start_in(&data)).epochs;
    assert_eq!(after.current, 4);
    assert_eq!(&after.commitments[..2], &before.commitments[..]);
}

#[test]
fn an_epoch_is_not_added_where_no_root_is() {
    let folder = Folder::new();
    let add = |data: &Path| {
        let output = run(Command::new(tensfer()).args(["root", "epoch", "new", "--data"]).arg(data), b"");
        assert_eq!((output.status.code(), output.stdout.len()), (Some(4), 0));
    };
    add(folder.path());
    assert!(!folder.join("simulated-root").exists());
    add(&folder.join("misspelt"));
    assert!(!folder.join("misspelt").exists(), "a folder that is only looked into is not made");
}

#[test]
fn a_folder_with_a_long_name_does() {
    let folder = Folder::new();
    let stack = Stack::start_in(&folder.join("a-long-name/".repeat(12)));
    assert_eq!(http::get(&format!("{}/v1/health", stack.url())).status, 200);
}

#[test]
fn a_folder_that_others_may_write_to_is_refused() {
    let folder = Folder::new();
    std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o777)).unwrap();
    let output = run(&mut Stack::command(folder.path()), b"");
    assert_eq!(output.status.code(), Some(4));
    assert!(String::from_utf8_lossy(&output.stderr).contains("others may write"));
}
