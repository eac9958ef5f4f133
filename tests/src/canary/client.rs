//! The client's commands in one run, on a machine that is its owner's.

use super::namespace::visible;
use super::run::{Run, log, read_log};
use super::scanner::Scanner;
use super::secrets::{roots, secrets};
use crate::{Folder, Running, descendants, tensfer};
use serde_json::Value;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// What a command of the client left.
#[derive(Debug)]
pub struct Client {
    pub status: ExitStatus,
    pub stdout: String,
    pub stderr: String,
}

impl Run {
    /// Runs a command of the client to its end, then marks what it made.
    pub fn client(&mut self, arguments: &[&str], input: &[u8]) -> Client {
        let child = self.begin(arguments);
        self.finish(child, input)
    }

    /// Runs `then` while the record of a connection has another value in its current slot.
    pub fn with_record(&mut self, name: &str, field: &str, value: u64, then: impl FnOnce(&mut Run)) {
        let records =
            fs::read_dir(self.home().join("simulated/connections")).expect("the client has connections");
        let read = |path: PathBuf| fs::read_to_string(&path).ok().map(|text| (path, text));
        let parse = |text: &str| serde_json::from_str::<Value>(text).expect("a record is JSON");
        let found = records
            .filter_map(|entry| read(entry.ok()?.path()))
            .find(|(_, text)| parse(text)["name"] == name);
        let (path, before) = found.unwrap_or_else(|| panic!("no connection {name}"));
        let mut record = parse(&before);
        record["current"][field] = value.into();
        fs::write(&path, record.to_string()).expect("the home is ours");
        // What this record would open with is not what its envelope was sealed with.
        self.marking = false;
        then(self);
        self.marking = true;
        fs::write(&path, before).expect("the home is ours");
    }

    /// Copies of the client's home: one owner on several machines, each with a command of its own under way.
    pub fn copies_of_the_home(&self, count: usize) -> Vec<Folder> {
        let copy = |_| {
            let folder = Folder::new();
            let copied = Command::new("cp").arg("-r").arg(self.home()).arg(folder.join("client")).status();
            assert!(copied.expect("`cp` runs").success());
            folder
        };
        (0..count).map(copy).collect()
    }

    /// A command of the client that waits for its input, with its outputs in the logs.
    pub fn begin(&mut self, arguments: &[&str]) -> Child {
        self.begin_in(&self.home(), arguments)
    }

    /// As [`Run::begin`], on another home.
    pub fn begin_in(&mut self, home: &Path, arguments: &[&str]) -> Child {
        self.commands += 1;
        visible(&tensfer())
            .args(["--server", self.url(), "--dangerous-simulated"])
            .arg(self.path("data/simulation-root.der"))
            .args(arguments)
            .current_dir(self.path("work"))
            .env_clear()
            .env("TENSFER_HOME", home)
            .env("TMPDIR", self.path("temporary"))
            .stdin(Stdio::piped())
            .stdout(log(&self.folder, &format!("client-{}.out", self.commands)))
            .stderr(log(&self.folder, &format!("client-{}.err", self.commands)))
            .spawn()
            .expect("`tensfer` starts")
    }

    /// The address that the command which began last told its owner to open.
    ///
    /// # Panics
    /// When it tells none.
    pub fn address(&self) -> String {
        let deadline = Instant::now() + Duration::from_secs(60);
        loop {
            let said = read_log(&self.folder, &format!("client-{}.err", self.commands));
            let whole = said.rsplit_once('\n').map_or("", |(lines, _)| lines);
            if let Some(url) = whole.lines().find(|line| line.starts_with("https://")) {
                return url.to_owned();
            }
            assert!(Instant::now() < deadline, "no address: {said}");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Waits for the end of what [`Run::begin`] began last.
    pub fn finish(&mut self, mut child: Child, input: &[u8]) -> Client {
        // A command that ends without reading closes its input.
        let _ = child.stdin.take().expect("standard input is piped").write_all(input);
        let status = child.wait().expect("the program is our child");
        if self.marking {
            self.remember();
        }
        let read = |end: &str| read_log(&self.folder, &format!("client-{}.{end}", self.commands));
        Client { status, stdout: read("out"), stderr: read("err") }
    }

    /// Marks what is secret now, beside all that was.
    pub fn remember(&mut self) {
        let realm = self.home().join("simulated");
        if realm.join("connections").is_dir() {
            self.marks = std::mem::take(&mut self.marks)
                .and(&secrets(&realm, &roots(&self.path("data/simulated-root"))));
        }
    }

    /// Links one of the accounts, and searches command line and environment while the command waits for the credential.
    ///
    /// # Panics
    /// When that fails, or finds anything.
    pub fn link(&mut self, number: usize) {
        let (exchange, credential) =
            (self.accounts[number].exchange.clone(), self.accounts[number].credentials());
        let child = self.begin(&["link", &exchange, "--credentials", "-"]);
        let waiting = executed(&child);
        assert_eq!(Scanner::new(&self.marks).search_process(&waiting), []);
        let linked = self.finish(child, &credential);
        assert!(linked.status.success(), "{}", linked.stderr);
    }

    /// The client's directory: its owner's machine.
    pub fn home(&self) -> PathBuf {
        self.path("home/client")
    }
}

/// The started client as `/proc` shows it, once it is what is executed: before, for a moment, there are no arguments, or
/// those of what makes its namespace.
fn executed(child: &Child) -> Running {
    loop {
        let running =
            descendants(child.id()).into_iter().next().expect("a child that is not waited for is there");
        if running.arguments.first().is_some_and(|program| Path::new(program) == tensfer())
            || running.is_zombie
        {
            return running;
        }
    }
}
