//! Searching what the kernel shows of a process beside its memory, and holding processes still meanwhile.

use super::leak::{Leak, Place};
use super::scanner::Scanner;
use crate::process::pid;
use crate::{LONG, Running};
use rustix::process::{Signal, kill_process};
use std::fs::{self, File};
use std::io::{ErrorKind, Read};
use std::time::{Duration, Instant};

impl Scanner {
    /// Command line, environment and open files of a process.
    ///
    /// # Panics
    /// When the kernel does not let us look.
    pub fn search_process(&self, process: &Running) -> Vec<Leak> {
        let name = || format!("{} ({})", process.name(), process.pid);
        let arguments = self.search_stream(open(process, "cmdline"), |_| Place::Arguments(name()));
        let environment = self.search_stream(open(process, "environ"), |_| Place::Environment(name()));
        [arguments, environment, self.search_open_files(process)].concat()
    }

    /// Regular files, those without a name too; pipes and sockets cannot be read without taking from them.
    fn search_open_files(&self, process: &Running) -> Vec<Leak> {
        let folder = format!("/proc/{}/fd", process.pid);
        let entries = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{folder}: {error}"));
        let mut leaks = Vec::new();
        for entry in entries.flatten().map(|entry| entry.path()) {
            // Gone meanwhile, or nothing that is stored.
            let Some(metadata) = fs::metadata(&entry).ok().filter(|metadata| metadata.is_file()) else {
                continue;
            };
            let target = fs::read_link(&entry).unwrap_or_default();
            if metadata.len() == 0 || is_secret_memory(&target) || target.starts_with("/proc") {
                continue;
            }
            let file = File::open(&entry).unwrap_or_else(|error| panic!("{}: {error}", target.display()));
            leaks.extend(self.search_stream(file, |offset| Place::OpenFile {
                process: format!("{} ({})", process.name(), process.pid),
                path: target.clone(),
                offset,
            }));
        }
        leaks
    }
}

/// `memfd_secret`: the kernel reads it for nobody.
fn is_secret_memory(target: &std::path::Path) -> bool {
    target.to_string_lossy().contains("secretmem")
}

fn open(process: &Running, name: &str) -> impl Read {
    let path = format!("/proc/{}/{name}", process.pid);
    match fs::read(&path) {
        Ok(bytes) => std::io::Cursor::new(bytes),
        Err(error) if error.kind() == ErrorKind::PermissionDenied => {
            panic!("{path}: {error}. It was not started as `namespace::visible`: this does not skip")
        }
        Err(error) => panic!("{path}: {error}"),
    }
}

/// Processes that were told to stop where they are, until this is dropped.
#[derive(Debug)]
pub struct Stopped(Vec<Running>);

impl Stopped {
    /// Stops them in the given order, and waits until each has.
    ///
    /// # Panics
    /// When one does not stop.
    pub fn stop(processes: Vec<Running>) -> Stopped {
        let stopped = Stopped(processes);
        let deadline = Instant::now() + LONG;
        for process in &stopped.0 {
            kill_process(pid(process.pid), Signal::STOP)
                .unwrap_or_else(|error| panic!("{process:?}: {error}"));
            while state(process.pid) != Some('T') {
                assert!(Instant::now() < deadline, "{process:?} does not stop");
                std::thread::sleep(Duration::from_millis(1));
            }
        }
        stopped
    }

    pub fn processes(&self) -> &[Running] {
        &self.0
    }
}

impl Drop for Stopped {
    fn drop(&mut self) {
        for process in &self.0 {
            // It may have been killed meanwhile.
            let _ = kill_process(pid(process.pid), Signal::CONT);
        }
    }
}

fn state(pid: u32) -> Option<char> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.get(stat.rfind(')')? + 1..)?.trim_start().chars().next()
}
