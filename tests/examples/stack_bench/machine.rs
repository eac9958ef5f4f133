//! What the kernel counts of the processes that run, and of ours.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use stack::Stack;
use std::collections::BTreeMap;
use std::fs;

/// Ticks of `/proc/PID/stat` a second (`USER_HZ`).
const TICKS: u64 = 100;

/// As many descriptors as the system lets us have: a thousand owners have a connection each.
pub fn lift_descriptor_limit() {
    let maximum = getrlimit(Resource::Nofile).maximum;
    setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }).expect("up to the hard limit");
}

/// CPU time of each process so far, in milliseconds, by its name; all its threads, ended ones too.
pub fn cpu_ms(stack: &Stack) -> BTreeMap<String, u64> {
    stack.processes().iter().map(|process| (process.name().to_owned(), cpu_of(process.pid))).collect()
}

/// What each used between two readings.
pub fn spent(before: &BTreeMap<String, u64>, after: &BTreeMap<String, u64>) -> BTreeMap<String, u64> {
    after.iter().map(|(name, ms)| (name.clone(), ms - before.get(name).unwrap_or(&0))).collect()
}

/// CPU time of one process so far, in milliseconds.
pub fn cpu_of(pid: u32) -> u64 {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    // After `pid (name)`: utime and stime are the 12th and 13th field.
    let rest = stat.rsplit_once(") ").map_or("", |(_, rest)| rest);
    let ticks: u64 = rest.split(' ').skip(11).take(2).filter_map(|field| field.parse::<u64>().ok()).sum();
    ticks * 1000 / TICKS
}

/// The most that was ever resident, in KiB.
pub fn peak_kib(pid: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).expect("the process runs");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("Linux counts it");
    line.trim().trim_end_matches(" kB").parse().expect("a number")
}

/// The loopback port of the stack's sandbox: its egress is told.
pub fn provider_port(stack: &Stack) -> u16 {
    let egress = stack.running("egress");
    let at = egress.arguments.iter().position(|argument| argument == "--sandbox").expect("it has a sandbox");
    egress.arguments[at + 1].parse().expect("a port")
}

/// Established TCP connections to a port of 127.0.0.1.
pub fn connections_to(port: u16) -> usize {
    let table = fs::read_to_string("/proc/net/tcp").expect("/proc is mounted");
    let remote = format!("0100007F:{port:04X}");
    let is_one = |line: &&str| {
        let mut fields = line.split_whitespace().skip(2);
        (fields.next(), fields.next()) == (Some(remote.as_str()), Some("01"))
    };
    table.lines().filter(is_one).count()
}
