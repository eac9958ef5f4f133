//! A program's machine: its home, the keys in it, and our commands there.

use crate::{Folder, Stack, run, tensfer};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use std::path::Path;
use std::process::Command;

pub struct Program {
    pub folder: Folder,
}

/// What a command said.
pub struct Said {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

impl Program {
    #[expect(clippy::new_without_default, reason = "it makes a folder on disk: nothing to default to")]
    pub fn new() -> Program {
        Program { folder: Folder::new() }
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(tensfer());
        command.env("TENSFER_HOME", self.folder.join("home")).args(arguments);
        command
    }

    pub fn run(&self, arguments: &[&str]) -> Said {
        let output = run(&mut self.command(arguments), b"");
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("commands say text");
        Said { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
    }

    /// Of a command that succeeds.
    #[track_caller]
    pub fn json(&self, arguments: &[&str]) -> Value {
        let said = self.run(&[arguments, &["--json"]].concat());
        assert_eq!(said.code, Some(0), "{arguments:?}: {}", said.err);
        serde_json::from_str(&said.out).expect("it is JSON")
    }

    #[track_caller]
    pub fn refused(&self, arguments: &[&str], code: &str) {
        let said = self.run(arguments);
        assert_eq!(said.code, Some(1), "{arguments:?}: {}", said.err);
        assert!(said.err.contains(&format!("({code}")), "{arguments:?}: {}", said.err);
    }

    /// The invitation for a new organisation's first key.
    pub fn invitation(&self, data: &Path) -> String {
        let data = data.to_str().expect("folders of tests have plain names");
        let created = self.json(&["organisations", "create", "Example Ltd.", "--data", data]);
        created["invitation"].as_str().expect("a code").to_owned()
    }

    /// A new organisation's first key, as the server shows it.
    pub fn join(&self, stack: &Stack, name: &str) -> Value {
        let code = self.invitation(stack.data());
        self.json(&["keys", "make", "--invitation", &code, "--name", name, "--server", stack.url()])
    }

    /// The algorithm of a key that is here, and the private half, PKCS #8.
    pub fn pair(&self, name: &str) -> (String, Vec<u8>) {
        let path = self.folder.join("home/api-keys").join(format!("{name}.json"));
        let written = std::fs::read(path).expect("the key is here");
        let written: Value = serde_json::from_slice(&written).expect("it is JSON");
        let text = |member: &str| written[member].as_str().expect("a text");
        (text("algorithm").to_owned(), STANDARD.decode(text("private_key")).expect("it is base64"))
    }
}
