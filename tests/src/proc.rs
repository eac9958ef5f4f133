//! What the kernel says of running processes.

use crate::process::pid;
use rustix::process::{Signal, kill_process};
use std::fs;

/// One process as `/proc` shows it.
#[derive(Clone, Debug)]
pub struct Running {
    pub pid: u32,
    pub parent: u32,
    /// The command line; empty for one that has ended and is not waited for.
    pub arguments: Vec<String>,
    pub is_zombie: bool,
}

impl Running {
    /// A short name: the subcommand of `tensfer`, or the program's file name.
    pub fn name(&self) -> &str {
        let program = self.arguments.first().map_or("", |path| path.rsplit('/').next().unwrap_or(path));
        match self.arguments.get(1) {
            Some(subcommand) if program == "tensfer" => subcommand,
            _ => program,
        }
    }

    /// SIGKILL: no process sees it coming.
    pub fn kill(&self) {
        kill_process(pid(self.pid), Signal::KILL).expect("the process runs");
    }
}

/// `root` and every process below it, parents first.
pub fn descendants(root: u32) -> Vec<Running> {
    let all: Vec<Running> = fs::read_dir("/proc")
        .expect("/proc is mounted")
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .filter_map(look)
        .collect();
    let mut found: Vec<Running> = all.iter().filter(|process| process.pid == root).cloned().collect();
    let mut next = 0;
    while let Some(parent) = found.get(next).map(|process| process.pid) {
        found.extend(all.iter().filter(|process| process.parent == parent).cloned());
        next += 1;
    }
    found
}

/// Whether a process runs under this id; one that ended and is not waited for does not.
pub fn is_alive(pid: u32) -> bool {
    look(pid).is_some_and(|process| !process.is_zombie)
}

/// Proportional set size in KiB (shared pages divided by their sharers). Where the kernel does not let us read it
/// (another user's, or not dumpable), the resident set: never less.
pub fn memory_kib(pid: u32) -> u64 {
    let field = |file: &str, name: &str| {
        let text = fs::read_to_string(format!("/proc/{pid}/{file}")).ok()?;
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
        line.trim().strip_suffix("kB")?.trim().parse().ok()
    };
    field("smaps_rollup", "Pss").or_else(|| field("status", "VmRSS")).unwrap_or(0)
}

fn look(pid: u32) -> Option<Running> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // `pid (name) state parent …`; the name may hold spaces and parentheses.
    let mut fields = stat.get(stat.rfind(')')? + 1..)?.split_whitespace();
    let state = fields.next()?;
    let parent = fields.next()?.parse().ok()?;
    let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    let arguments = line
        .split(|byte| *byte == 0)
        .filter(|argument| !argument.is_empty())
        .map(|argument| String::from_utf8_lossy(argument).into_owned())
        .collect();
    Some(Running { pid, parent, arguments, is_zombie: matches!(state, "Z" | "X") })
}
