//! A merchant with a home of their own, before a stack whose payment provider is a process of these tests.

use serde_json::{Value, json};
use stack::{Folder, Process, Stack, http, run, tensfer};
use std::path::PathBuf;
use std::process::{Command, Output};
use std::time::Duration;

const START: Duration = Duration::from_secs(180);

pub struct Merchant {
    _provider: Process,
    front: String,
    stack: Stack,
    pub folder: Folder,
}

/// Where `make test-oauth` put the packages.
pub fn fetched() -> PathBuf {
    PathBuf::from(std::env::var("TENSFER_PAYMENTS").expect("`make test-oauth` names the folder it fetched"))
}

impl Merchant {
    /// `provider` is a program of node's with its arguments; it takes the place of `host`.
    pub fn start(host: &str, provider: &[&str]) -> Merchant {
        let provider = Process::start(Command::new("node").current_dir(fetched()).args(provider));
        let port = provider.line("ready ", START);
        let folder = Folder::new();
        let upstream = format!("{host}=127.0.0.1:{port}");
        let stack = Stack::start_with(&folder.join("data"), &["--upstream", &upstream]);
        Merchant { _provider: provider, front: format!("http://127.0.0.1:{port}"), stack, folder }
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(tensfer());
        command.env("TENSFER_HOME", self.folder.join("home")).args(["--server", self.stack.url()]);
        command.arg("--dangerous-simulated").arg(self.stack.simulation_root()).args(arguments);
        command
    }

    pub fn run(&self, arguments: &[&str], stdin: &str) -> Output {
        run(&mut self.command(arguments), stdin.as_bytes())
    }

    pub fn link(&self, provider: &str, credential: &Value) -> Output {
        self.run(&["link", provider, "--credentials", "-"], &credential.to_string())
    }

    pub fn json(&self, arguments: &[&str]) -> Value {
        let output = self.run(arguments, "");
        serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|_| panic!("{arguments:?}: {}", String::from_utf8_lossy(&output.stderr)))
    }

    /// Gives the code that a command ends with, and what it says.
    pub fn said(&self, arguments: &[&str]) -> (i32, String) {
        let output = self.run(arguments, "");
        (output.status.code().unwrap(), String::from_utf8_lossy(&output.stderr).into_owned())
    }

    /// Starts a command, to be killed.
    pub fn begin(&self, arguments: &[&str]) -> Process {
        Process::start(&mut self.command(arguments))
    }

    /// What the provider tells these tests.
    pub fn told(&self, what: &str) -> Vec<Value> {
        serde_json::from_slice(&http::get(&format!("{}/{what}", self.front)).body).unwrap()
    }

    pub fn ask(&self, what: &str) {
        assert_eq!(http::post(&format!("{}/{what}", self.front), "text/plain", b"").status, 200);
    }

    /// What the provider saw; nothing of it may break its document.
    pub fn calls(&self) -> Vec<Value> {
        let calls = self.told("calls");
        for call in &calls {
            assert!(
                [200, 201, 401].contains(&call["status"].as_u64().unwrap()),
                "against the document: {call:#}"
            );
        }
        calls
    }
}

pub fn restricted(key: &str) -> Value {
    json!({"apiKey": key})
}
