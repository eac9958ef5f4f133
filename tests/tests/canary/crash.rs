//! Crashes: whatever dies, and however, leaves nothing behind.

use crate::{assert_clean, linked, wait_for_call};
use rustix::process::{Pid, Resource, Rlimit, Signal, getrlimit, kill_process, setrlimit};
use stack::canary::{Run, Stopped};
use stack::{Folder, Running};
use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

#[test]
fn the_enclave_killed_in_mid_request_leaves_no_secret() {
    dies_in_mid_request("tensfer-enclave-simulated", Signal::KILL);
}

#[test]
fn the_relay_killed_in_mid_request_leaves_no_secret() {
    dies_in_mid_request("relay", Signal::KILL);
}

#[test]
fn the_gateway_killed_in_mid_request_leaves_no_secret() {
    dies_in_mid_request("gateway", Signal::KILL);
}

#[test]
fn egress_killed_in_mid_request_leaves_no_secret() {
    dies_in_mid_request("egress", Signal::KILL);
}

#[test]
fn an_enclave_that_aborts_as_in_a_panic_leaves_no_secret_and_no_core_file() {
    dies_in_mid_request("tensfer-enclave-simulated", Signal::ABORT);
}

#[test]
fn an_enclave_that_faults_leaves_no_secret_and_no_core_file() {
    dies_in_mid_request("tensfer-enclave-simulated", Signal::SEGV);
}

/// Where this machine writes core files into the working directory, a process that may write one does: so that none
/// was found above says something.
#[test]
fn a_process_that_may_leave_a_core_file_leaves_one_here() {
    let pattern = fs::read_to_string("/proc/sys/kernel/core_pattern").unwrap();
    if pattern.starts_with('|') || pattern.contains('/') || getrlimit(Resource::Core).maximum == Some(0) {
        // They go elsewhere, or nowhere; what is asserted above is the limit of zero bytes, and what `up` was told.
        return;
    }
    let folder = Folder::new();
    let script = "ulimit -c unlimited && kill -SEGV $$";
    let died = Command::new("sh").args(["-c", script]).current_dir(folder.path()).status().unwrap();
    assert!(died.core_dumped() && !cores(folder.path()).is_empty(), "{died}");
}

/// A request is with the exchange, everyone else stands still, and one process dies by a signal.
fn dies_in_mid_request(name: &str, signal: Signal) {
    // What this process may do, those that it starts may do, unless they give it up.
    let most = getrlimit(Resource::Core).maximum;
    setrlimit(Resource::Core, Rlimit { current: most, maximum: most }).unwrap();
    let mut run = linked();
    let before = (Vec::<String>::new(), cores(Path::new("/")));
    for process in run.processes() {
        assert_no_core(&process);
    }
    run.misbehave(r#"{"effect": {"kind": "silence"}}"#);
    run.forget_calls();
    let balances = run.begin(&["balances"]);
    wait_for_call(&run, "Balance");

    let (dying, others): (Vec<Running>, Vec<Running>) =
        run.processes().into_iter().partition(|process| process.name() == name);
    let survivors = Stopped::stop(others);
    let dying = Pid::from_raw(dying[0].pid.try_into().unwrap()).unwrap();
    // Rust's handler of faults looks at the first one, gives up its place and returns: a true fault happens again.
    while !has_ended(&run, dying) {
        kill_process(dying, signal).unwrap();
        std::thread::sleep(Duration::from_millis(20));
    }
    assert_clean(&run.search_stopped(&survivors));
    drop(survivors);

    let ended = run.finish(balances, b"");
    assert!(!ended.status.success());
    assert_clean(&run.search_remains());
    assert!(!run.log().contains("core dumped"), "{}", run.log());
    assert_eq!(cores(&run.path("work")), before.0);
    assert_eq!(cores(Path::new("/")), before.1);
}

fn has_ended(run: &Run, pid: Pid) -> bool {
    !run.processes().iter().any(|process| i32::try_from(process.pid) == Ok(pid.as_raw_nonzero().get()))
}

/// Names in a folder that a core file could have.
fn cores(folder: &Path) -> Vec<String> {
    let names =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned());
    names.filter(|name| name.contains("core")).collect()
}

/// Limits of zero, soft and hard: the process cannot raise them again.
fn assert_no_core(process: &Running) {
    let limits = fs::read_to_string(format!("/proc/{}/limits", process.pid)).unwrap();
    let core = limits.lines().find_map(|line| line.strip_prefix("Max core file size")).unwrap();
    assert_eq!(core.split_whitespace().collect::<Vec<_>>(), ["0", "0", "bytes"], "{process:?}");
}
