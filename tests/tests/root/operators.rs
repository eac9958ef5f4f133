//! Three approvers and three holders, each with a key file, in one folder.

use aws_lc_rs::digest::{SHA384, digest};
use serde_json::Value;
use stack::{Folder, Stack, enclave, run, tensfer};
use std::path::PathBuf;
use std::process::Command;

const APPROVERS: [&str; 3] = ["ada", "ben", "cyd"];
const HOLDERS: [&str; 3] = ["dot", "eve", "fay"];
const MARK: &[u8] = b"DEVELOPMENT - NOT A TEE";

pub struct Operators {
    folder: PathBuf,
    approvers: Vec<String>,
    holders: Vec<String>,
}

#[derive(Debug)]
pub struct Said {
    pub code: i32,
    pub out: String,
    pub err: String,
}

pub fn said(command: &mut Command) -> Said {
    let output = run(command, b"");
    Said {
        code: output.status.code().unwrap(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What simulated evidence measures of the program that runs.
pub fn pcr0() -> String {
    hex(digest(&SHA384, &std::fs::read(enclave()).unwrap()).as_ref())
}

/// The source of a manifest for this machine's simulated enclave, or for a made-up one of another kind.
pub fn manifest(operators: &Operators, tee: &str, nonce: u32) -> String {
    let members = |name: &str, aliases: &[&str], keys: &[String]| {
        let members = aliases.iter().zip(keys);
        members
            .map(|(alias, key)| format!("[[{name}.members]]\nalias = \"{alias}\"\nkey = \"{key}\"\n"))
            .collect::<String>()
    };
    let mark = hex(digest(&SHA384, MARK).as_ref());
    format!(
        "format = \"tensfer root manifest\"\nversion = 1\nname = \"example\"\nnonce = {nonce}\nenvironment = \"sandbox\"\n\
         minimum_version = \"0.1.0\"\nfrom = \"2026-01-01T00:00:00Z\"\nuntil = \"2027-12-31T00:00:00Z\"\nclasses = [\"any\"]\n\
         [approvers]\nthreshold = 2\n{}[holders]\nthreshold = 2\n{}\
         [[programs]]\ntee = \"{tee}\"\n[programs.registers]\nPCR0 = \"{}\"\nPCR1 = \"{mark}\"\nPCR2 = \"{mark}\"\n",
        members("approvers", &APPROVERS, &operators.approvers),
        members("holders", &HOLDERS, &operators.holders),
        pcr0(),
    )
}

impl Operators {
    /// Makes everybody's keys, and the first manifest, signed by two.
    pub fn new(folder: &Folder) -> Operators {
        let mut operators =
            Operators { folder: folder.path().to_path_buf(), approvers: Vec::new(), holders: Vec::new() };
        std::fs::write(operators.path("passphrase"), "correct horse\n").unwrap();
        let private = std::os::unix::fs::PermissionsExt::from_mode(0o600);
        std::fs::set_permissions(operators.path("passphrase"), private).unwrap();
        let key = |role: &str, alias: &str| {
            let mut command = Command::new(tensfer());
            command.args(["root", "key", role, "--simulated", "--json", "--output"]);
            command.arg(operators.path(&format!("{alias}.key")));
            command.arg("--passphrase-file").arg(operators.path("passphrase"));
            let made = said(&mut command);
            assert_eq!(made.code, 0, "{}", made.err);
            let made: Value = serde_json::from_str(&made.out).unwrap();
            assert_eq!(made["role"], role);
            made["key"].as_str().unwrap().to_owned()
        };
        let approvers = APPROVERS.map(|alias| key("approver", alias)).to_vec();
        let holders = HOLDERS.map(|alias| key("holder", alias)).to_vec();
        (operators.approvers, operators.holders) = (approvers, holders);
        std::fs::write(operators.path("manifest"), manifest(&operators, "simulated", 1)).unwrap();
        operators
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    fn word(&self, name: &str) -> String {
        self.path(name).to_str().unwrap().to_owned()
    }

    /// The client at another server's address, with the simulation of `stack` allowed.
    pub fn command_to(&self, stack: &Stack, url: &str) -> Command {
        let mut command = Command::new(tensfer());
        command.env("TENSFER_HOME", self.path("home")).args(["--server", url]);
        command.arg("--dangerous-simulated").arg(stack.simulation_root());
        command.arg("--passphrase-file").arg(self.path("passphrase"));
        command
    }

    /// The client, with no simulation allowed.
    pub fn bare(&self, stack: &Stack) -> Command {
        let mut command = Command::new(tensfer());
        command.env("TENSFER_HOME", self.path("home")).args(["--server", stack.url()]);
        command.arg("--passphrase-file").arg(self.path("passphrase"));
        command
    }

    pub fn run(&self, stack: &Stack, words: &[impl AsRef<str>]) -> Said {
        let mut command = self.command_to(stack, stack.url());
        said(command.args(words.iter().map(AsRef::as_ref)))
    }

    pub fn done(&self, stack: &Stack, words: &[impl AsRef<str>]) -> String {
        let said = self.run(stack, words);
        assert_eq!(said.code, 0, "{}", said.err);
        said.out
    }

    /// Approves the first manifest, makes the roots, and approves what commits to them.
    pub fn genesis(&self, stack: &Stack) {
        self.approve_as(stack, "manifest", &["ada", "ben"]);
        self.genesis_as(stack, "genesis", "next");
        for alias in ["ada", "ben"] {
            let mut words = self.approve_words("next", alias);
            words.extend(["--genesis".to_owned(), self.word("genesis")]);
            let said = self.run(stack, &words);
            assert_eq!(said.code, 0, "{}", said.err);
            assert!(said.err.contains("commitment = ") && !said.err.contains("warning"), "{}", said.err);
        }
    }

    pub fn genesis_as(&self, stack: &Stack, output: &str, next: &str) {
        let made = self.done(stack, &self.genesis_words("manifest", output, next));
        assert!(made.contains("root 1 of class any: "), "{made}");
    }

    pub fn genesis_words(&self, manifest: &str, output: &str, next: &str) -> Vec<String> {
        let mut words = self.proposed("genesis", manifest, &["ada", "ben"]);
        words.extend(["--output".to_owned(), self.word(output), "--next".to_owned(), self.word(next)]);
        words
    }

    /// Approves a manifest of this name, by each of them.
    pub fn approve_as(&self, stack: &Stack, manifest: &str, aliases: &[&str]) {
        for alias in aliases {
            self.done(stack, &self.approve_words(manifest, alias));
        }
    }

    fn approve_words(&self, manifest: &str, alias: &str) -> Vec<String> {
        let named = ["root", "approve", "--yes", "--manifest"].map(str::to_owned);
        let key = ["--key".to_owned(), self.word(&format!("{alias}.key"))];
        let output = ["--output".to_owned(), self.word(&format!("{manifest}.{alias}"))];
        [&named[..], &[self.word(manifest)], &key, &output].concat()
    }

    fn proposed(&self, command: &str, manifest: &str, approvers: &[&str]) -> Vec<String> {
        let mut words =
            vec!["root".to_owned(), command.to_owned(), "--manifest".to_owned(), self.word(manifest)];
        for alias in approvers {
            words.extend(["--approval".to_owned(), self.word(&format!("{manifest}.{alias}"))]);
        }
        words
    }

    /// Releases a share under the manifest that the genesis led to.
    pub fn release(&self, stack: &Stack, holder: &str) -> Said {
        let said = self.run(stack, &self.release_words(holder, &["ada", "ben"]));
        assert_eq!(said.code, 0, "{}", said.err);
        assert!(said.err.contains("NOT A TEE") || said.out.contains("phase"), "{}", said.err);
        said
    }

    pub fn release_words(&self, holder: &str, approvers: &[&str]) -> Vec<String> {
        let mut words = self.proposed("release", "next", approvers);
        words.extend(self.share(holder, "genesis"));
        words
    }

    /// As `release_words`, under another manifest, with what another genesis made.
    pub fn release_of(&self, manifest: &str, holder: &str, genesis: &str) -> Vec<String> {
        let mut words = self.proposed("release", manifest, &["ada", "ben"]);
        words.extend(self.share(holder, genesis));
        words
    }

    pub fn handover_words(&self, successor: &Stack) -> Vec<String> {
        let mut words = self.proposed("handover", "next", &["ada", "ben"]);
        words.extend(["--to".to_owned(), successor.url().to_owned()]);
        words
    }

    fn share(&self, holder: &str, genesis: &str) -> [String; 4] {
        let key = self.word(&format!("{holder}.key"));
        ["--genesis".to_owned(), self.word(genesis), "--key".to_owned(), key]
    }

    /// Writes another manifest from one that is there.
    pub fn alter(&self, from: &str, to: &str, change: impl Fn(&str) -> String) {
        let text = std::fs::read_to_string(self.path(from)).unwrap();
        let altered = change(&text);
        assert_ne!(altered, text, "{to}");
        std::fs::write(self.path(to), altered).unwrap();
    }

    /// A copy of a manifest and its approvals under another name.
    pub fn copy_approvals(&self, from: &str, to: &str) {
        for end in ["", ".ada", ".ben"] {
            std::fs::copy(self.path(&format!("{from}{end}")), self.path(&format!("{to}{end}"))).unwrap();
        }
    }

    /// Links an account of the sandbox.
    pub fn link(&self, stack: &Stack) {
        let accounts =
            run(Command::new(tensfer()).args(["sandbox", "accounts", "--json", "--exchange", "okx"]), b"");
        let accounts: Vec<Value> = serde_json::from_slice(&accounts.stdout).unwrap();
        let account = accounts.iter().find(|account| account["name"] == "reader").unwrap();
        let mut command = self.command_to(stack, stack.url());
        let linked = run(
            command.args(["link", "okx", "--credentials", "-"]),
            account["credentials"].to_string().as_bytes(),
        );
        assert!(linked.status.success(), "{}", String::from_utf8_lossy(&linked.stderr));
    }
}
