//! One run of the whole system whose every file, line of output and process can be searched.

use super::account::Account;
use super::marks::Marks;
use super::namespace::visible;
use crate::process::pid;
use crate::{Folder, Running, Stack, descendants, http, tensfer};
use rustix::process::{Signal, kill_process};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

const START: Duration = Duration::from_secs(60);
pub(super) const ENCLAVE: &str = "tensfer-enclave-simulated";
pub(super) const SANDBOX: &str = "sandbox";

/// `tensfer up` in a folder of its own: data, working directory, temporary files, logs and the client's home.
#[derive(Debug)]
pub struct Run {
    up: Child,
    url: String,
    control: String,
    pub(super) accounts: Vec<Account>,
    /// Grows with each command of the client: what was secret once stays secret.
    pub(super) marks: Marks,
    /// Whether what a command made is marked.
    pub(super) marking: bool,
    pub(super) commands: u32,
    pub(super) folder: Folder,
}

impl Run {
    /// Starts the system. The given credentials are secrets from now on.
    ///
    /// # Panics
    /// When it does not get ready.
    pub fn start(accounts: Vec<Account>) -> Run {
        let folder = Folder::new();
        for name in ["work", "temporary", "home", "logs"] {
            fs::create_dir(folder.join(name)).expect("the folder is ours");
        }
        let mut command = visible(&tensfer());
        Stack::arguments(&mut command, &folder.join("data"));
        command.args(["--", "--control", "0", "--unlimited", "--load-accounts", "1"]);
        let up = command
            .current_dir(folder.join("work"))
            .env_clear()
            .env("TMPDIR", folder.join("temporary"))
            .env("HOME", folder.join("home"))
            .stdin(Stdio::null())
            .stdout(log(&folder, "up.out"))
            .stderr(log(&folder, "up.err"))
            .spawn()
            .expect("`tensfer up` starts");
        let marks = accounts.iter().fold(Marks::new(), |marks, account| marks.and(&account.marks()));
        let mut run = Run {
            up,
            url: String::new(),
            control: String::new(),
            accounts,
            marks,
            marking: true,
            commands: 0,
            folder,
        };
        run.url = run.wait_for("up.out", "ready ");
        run.control = run.wait_for("up.err", "control ");
        run
    }

    pub fn url(&self) -> &str {
        &self.url
    }

    pub fn port(&self) -> u16 {
        self.url.rsplit(':').next().and_then(|port| port.parse().ok()).expect("the URL ends in a port")
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// The accounts whose credentials are marked.
    pub fn accounts(&self) -> &[Account] {
        &self.accounts
    }

    /// What is secret so far.
    pub fn marks(&self) -> &Marks {
        &self.marks
    }

    /// An account more, whose credential is secret from now on, and lies with its exchange and in an export by right.
    pub fn add(&mut self, account: Account) {
        self.mark(&account.marks());
        self.accounts.push(account);
    }

    /// Marks more.
    pub fn mark(&mut self, marks: &Marks) {
        self.marks = std::mem::take(&mut self.marks).and(marks);
    }

    /// Tells the sandbox to misbehave (`docs/spec/sandbox.md`).
    pub fn misbehave(&self, fault: &str) {
        let set = http::post(&format!("{}/v1/faults", self.control), "application/json", fault.as_bytes());
        assert_eq!(set.status, 201, "{}", set.text());
    }

    /// A person who is signed in to an account allows a client's address: where their browser is sent back to.
    ///
    /// # Panics
    /// When the sandbox refuses.
    pub fn authorise(&self, exchange: &str, account: &str, url: &str) -> String {
        let opened = serde_json::json!({"exchange": exchange, "account": account, "url": url});
        let opened = opened.to_string();
        let to = format!("{}/v1/authorise", self.control);
        let answer = http::post(&to, "application/json", opened.as_bytes());
        assert_eq!(answer.status, 200, "{}", answer.text());
        let answer: serde_json::Value = serde_json::from_slice(&answer.body).expect("JSON");
        answer["location"].as_str().expect("a location").to_owned()
    }

    /// Ends all misbehaviour.
    pub fn behave(&self) {
        assert_eq!(http::request("DELETE", &format!("{}/v1/faults", self.control), &[], b"").status, 200);
    }

    /// Forgets the calls that the sandbox has seen.
    pub fn forget_calls(&self) {
        assert_eq!(http::request("DELETE", &format!("{}/v1/calls", self.control), &[], b"").status, 200);
    }

    /// Calls that the sandbox has seen.
    pub fn calls(&self) -> String {
        http::get(&format!("{}/v1/calls", self.control)).text()
    }

    /// `up` and all that it started, `up` last.
    pub fn processes(&self) -> Vec<Running> {
        let mut processes = descendants(self.up.id());
        processes.retain(|process| !process.is_zombie);
        processes.reverse();
        processes
    }

    pub fn running(&self, name: &str) -> Running {
        let processes = self.processes();
        processes
            .iter()
            .find(|process| process.name() == name)
            .unwrap_or_else(|| panic!("{processes:?}"))
            .clone()
    }

    pub fn enclave(&self) -> Running {
        self.running(ENCLAVE)
    }

    /// Asks `up` to end, and all others with it.
    pub fn terminate(&self) {
        kill_process(pid(self.up.id()), Signal::TERM).expect("`up` runs");
    }

    /// Waits until `up` and with it all others have ended.
    ///
    /// # Panics
    /// When that takes too long.
    pub fn wait_for_end(&mut self) {
        let deadline = Instant::now() + START;
        while self.up.try_wait().expect("the program is our child").is_none() {
            assert!(Instant::now() < deadline, "`up` does not end");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// What `up` and its processes logged.
    pub fn log(&self) -> String {
        read_log(&self.folder, "up.err")
    }

    /// The rest of the first line in a log that has `prefix` in it.
    fn wait_for(&mut self, name: &str, prefix: &str) -> String {
        let deadline = Instant::now() + START;
        loop {
            let text = read_log(&self.folder, name);
            let whole = text.rsplit_once('\n').map_or("", |(lines, _)| lines);
            if let Some(found) = whole.lines().find_map(|line| Some(line.split_once(prefix)?.1.to_owned())) {
                return found;
            }
            let ended = self.up.try_wait().expect("the program is our child");
            assert!(ended.is_none() && Instant::now() < deadline, "no `{prefix}`:\n{}", self.log());
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        // The kernel ends the others with it.
        let _ = self.up.kill();
        let _ = self.up.wait();
    }
}

pub(super) fn log(folder: &Folder, name: &str) -> File {
    File::create(folder.join("logs").join(name)).expect("the folder is ours")
}

pub(super) fn read_log(folder: &Folder, name: &str) -> String {
    let path: &Path = &folder.join("logs").join(name);
    String::from_utf8_lossy(&fs::read(path).unwrap_or_default()).into_owned()
}
