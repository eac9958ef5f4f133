//! A person at a terminal: a directory of their own, and the client with a running stack as its server.

use serde_json::Value;
use stack::{Folder, Stack, run, tensfer};
use std::ffi::OsStr;
use std::path::PathBuf;
use std::process::Command;

/// Two accounts whose exchanges let every account type be read.
pub const ACCOUNTS: [(&str, &str); 2] = [("binance", "everything"), ("okx", "reader")];

/// A person's directory before one running stack.
pub struct Person<'s> {
    pub url: String,
    pub stack: &'s Stack,
    pub folder: Folder,
}

#[derive(Debug)]
pub struct Said {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl<'s> Person<'s> {
    pub fn new(stack: &'s Stack) -> Person<'s> {
        let folder = Folder::new();
        std::fs::write(folder.join("passphrase"), "correct horse\n").unwrap();
        Person { url: stack.url().to_owned(), stack, folder }
    }

    pub fn home(&self) -> PathBuf {
        self.folder.join("home")
    }

    /// The client without anything that makes it trust or unlock.
    pub fn bare(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(tensfer());
        command.env("TENSFER_HOME", self.home()).args(["--server", &self.url]).args(arguments);
        command
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.bare(arguments);
        command.arg("--dangerous-simulated").arg(self.stack.simulation_root());
        command.arg("--passphrase-file").arg(self.folder.join("passphrase"));
        command
    }

    pub fn run(&self, arguments: &[&str]) -> Said {
        said(&mut self.command(arguments), b"")
    }

    /// Runs the client at a terminal of its own (util-linux's `script`), where somebody types; everything shown is `out`.
    pub fn at_a_terminal(&self, arguments: &[&str], typed: &str) -> Said {
        let mut client = self.bare(arguments);
        client.arg("--dangerous-simulated").arg(self.stack.simulation_root());
        let quoted = |text: &OsStr| format!("'{}'", text.to_str().unwrap());
        let words = std::iter::once(client.get_program()).chain(client.get_args()).map(quoted);
        let line = words.collect::<Vec<_>>().join(" ");
        let mut command = Command::new("script");
        command.env("TENSFER_HOME", self.home()).args([
            "--quiet",
            "--return",
            "--command",
            &line,
            "/dev/null",
        ]);
        said(&mut command, typed.as_bytes())
    }

    /// Runs what must succeed; gives standard output.
    pub fn done(&self, arguments: &[&str]) -> String {
        let said = self.run(arguments);
        assert_eq!(said.code, 0, "{arguments:?}: {}", said.err);
        said.out
    }

    pub fn json(&self, arguments: &[&str]) -> Value {
        serde_json::from_str(&self.done(arguments)).unwrap()
    }

    pub fn link(&self, account: &Value, name: &str) -> Value {
        let exchange = account["exchange"].as_str().unwrap();
        let mut command = self.command(&["link", exchange, "--credentials", "-", "--name", name, "--json"]);
        let said = said(&mut command, account["credentials"].to_string().as_bytes());
        assert_eq!(said.code, 0, "{}", said.err);
        serde_json::from_str(&said.out).unwrap()
    }

    /// Links the two accounts under their exchanges' names.
    pub fn link_all(&self) {
        for (exchange, name) in ACCOUNTS {
            self.link(&account(exchange, name), exchange);
        }
    }
}

pub fn said(command: &mut Command, stdin: &[u8]) -> Said {
    let output = run(command, stdin);
    Said {
        code: output.status.code().unwrap(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

pub fn account(exchange: &str, name: &str) -> Value {
    let output =
        run(Command::new(tensfer()).args(["sandbox", "accounts", "--json", "--exchange", exchange]), b"");
    let accounts: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
    accounts.into_iter().find(|account| account["exchange"] == exchange && account["name"] == name).unwrap()
}
