//! A running `tensfer up`.

use crate::{Ended, Folder, LONG, Process, Running, descendants, tensfer};
use std::path::{Path, PathBuf};
use std::process::Command;

/// `tensfer up` on a port that the kernel chose; ends with its handle.
#[derive(Debug)]
pub struct Stack {
    process: Process,
    url: String,
    data: PathBuf,
    /// Present when the folder is this stack's alone.
    _folder: Option<Folder>,
}

impl Stack {
    /// Starts on a new, empty folder.
    pub fn start() -> Stack {
        let folder = Folder::new();
        let mut stack = Stack::start_in(&folder.join("data"));
        stack._folder = Some(folder);
        stack
    }

    /// Starts on `data`, which outlives the stack.
    pub fn start_in(data: &Path) -> Stack {
        Stack::start_with(data, &[])
    }

    /// Starts on `data` with options of `tensfer sandbox`.
    pub fn start_with(data: &Path, sandbox: &[&str]) -> Stack {
        let mut command = Stack::command(data);
        if !sandbox.is_empty() {
            command.arg("--").args(sandbox);
        }
        let process = Process::start(&mut command);
        let url = process.line("ready ", LONG);
        Stack { process, url, data: data.to_path_buf(), _folder: None }
    }

    /// Starts on `data` with further options of `tensfer up`.
    pub fn start_as(data: &Path, options: &[&str]) -> Stack {
        let process = Process::start(Stack::command(data).args(options));
        let url = process.line("ready ", LONG);
        Stack { process, url, data: data.to_path_buf(), _folder: None }
    }

    /// Starts on `data` with TLS, whose options are given.
    pub fn start_over_tls(data: &Path, options: &[&str]) -> Stack {
        let mut command = Command::new(tensfer());
        let process = Process::start(command.arg("up").arg("--data").arg(data).args(options));
        let url = process.line("ready ", LONG);
        Stack { process, url, data: data.to_path_buf(), _folder: None }
    }

    /// `tensfer up --data DATA --port 0`, not yet started.
    pub fn command(data: &Path) -> Command {
        let mut command = Command::new(tensfer());
        Stack::arguments(&mut command, data);
        command
    }

    pub(crate) fn arguments(command: &mut Command, data: &Path) {
        command.arg("up").arg("--data").arg(data).args(["--port", "0"]);
    }

    /// `http://localhost:N`.
    pub fn url(&self) -> &str {
        &self.url
    }

    pub fn port(&self) -> u16 {
        self.url.rsplit(':').next().and_then(|port| port.parse().ok()).expect("the URL ends in a port")
    }

    pub fn data(&self) -> &Path {
        &self.data
    }

    /// Folder of the roles' sockets.
    pub fn run(&self) -> PathBuf {
        self.data.join("run")
    }

    /// The evidence root of this start's simulated enclave, DER.
    pub fn simulation_root(&self) -> PathBuf {
        self.data.join("simulation-root.der")
    }

    pub fn process(&self) -> &Process {
        &self.process
    }

    /// `up` and everything that it started, `up` first.
    pub fn processes(&self) -> Vec<Running> {
        descendants(self.process.pid())
    }

    /// The process with this name: a role, `sandbox` or `tensfer-enclave-simulated`.
    pub fn running(&self, name: &str) -> Running {
        let processes = self.processes();
        let found = processes.iter().find(|process| process.name() == name);
        found.unwrap_or_else(|| panic!("no {name} among {processes:?}")).clone()
    }

    /// SIGTERM, then waits for the end.
    pub fn stop(self) -> Ended {
        self.process.stop(LONG)
    }

    /// Waits for the end that something else causes.
    pub fn wait(self) -> Ended {
        self.process.wait(LONG)
    }
}
