//! A person with a home of their own, before a stack whose Coinbase is the independent provider.

use crate::browser::Browser;
use crate::provider::{CLIENT, Provider, SECRET};
use serde_json::{Value, json};
use stack::{Ended, Folder, Process, Stack, http, run, tensfer};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

const LIMIT: Duration = Duration::from_secs(60);

pub struct Person {
    pub provider: Provider,
    pub stack: Stack,
    pub folder: Folder,
}

pub struct Said {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Person {
    pub fn start(lifetime: u32) -> Person {
        let (provider, folder) = (Provider::start(lifetime), Folder::new());
        let upstreams = provider.upstreams();
        let options: Vec<&str> = upstreams.iter().map(String::as_str).collect();
        let stack = Stack::start_with(&folder.join("data"), &options);
        let client = json!({"clientId": CLIENT, "clientSecret": SECRET});
        std::fs::write(folder.join("client.json"), client.to_string()).unwrap();
        Person { provider, stack, folder }
    }

    /// The same before another start of the server; `meanwhile` has the folder of its data while nothing runs.
    pub fn restarted(self, meanwhile: impl FnOnce(&Path)) -> Person {
        let Person { provider, stack, folder } = self;
        let (data, upstreams) = (stack.data().to_path_buf(), provider.upstreams());
        stack.stop();
        meanwhile(&data);
        let options: Vec<&str> = upstreams.iter().map(String::as_str).collect();
        let stack = Stack::start_with(&data, &options);
        Person { provider, stack, folder }
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(tensfer());
        command
            .env("TENSFER_HOME", self.folder.join("home"))
            .args(["--server", self.stack.url()])
            .args(arguments);
        command.arg("--dangerous-simulated").arg(self.stack.simulation_root());
        command
    }

    pub fn run(&self, arguments: &[&str]) -> Said {
        let output = run(&mut self.command(arguments), b"");
        Said {
            code: output.status.code().unwrap(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }

    pub fn done(&self, arguments: &[&str]) -> String {
        let said = self.run(arguments);
        assert_eq!(said.code, 0, "{arguments:?}: {}", said.err);
        said.out
    }

    pub fn json(&self, arguments: &[&str]) -> Value {
        serde_json::from_str(&self.done(arguments)).unwrap()
    }

    /// Begins `tensfer link coinbase --oauth`, and gives it with the address that it prints.
    pub fn begin(&self) -> (Process, String) {
        let client = self.folder.join("client.json");
        let arguments = ["link", "coinbase", "--oauth", "--json", "--credentials", client.to_str().unwrap()];
        let process = Process::start(&mut self.command(&arguments));
        let deadline = Instant::now() + LIMIT;
        loop {
            let log = process.log();
            if let Some(url) = log.lines().find(|line| line.starts_with("https://")) {
                return (process, url.to_owned());
            }
            assert!(Instant::now() < deadline, "no address: {log}\n{}", self.stack.process().log());
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Signs in, and gives the address that the browser is sent back to.
    pub fn consent(&self, url: &str) -> String {
        Browser::new(self.provider.authorisation).sign_in(url)
    }

    /// The whole flow.
    pub fn link(&self) -> Value {
        let (process, url) = self.begin();
        let back = self.consent(&url);
        assert_eq!(http::get(&back).status, 200);
        let ended = process.wait(LIMIT);
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
        serde_json::from_str(&ended.stdout).unwrap()
    }

    pub fn wait(&self, process: Process) -> Ended {
        process.wait(LIMIT)
    }
}
