//! Three approvers and three holders, each with a key file or one on a token, in one folder.

use super::token::SoftToken;
use aws_lc_rs::digest::{SHA384, digest};
use serde_json::Value;
use stack::{Folder, Stack, enclave, run, tensfer};
use std::path::{Path, PathBuf};
use std::process::Command;

const APPROVERS: [&str; 3] = ["ada", "ben", "cyd"];
pub const HOLDERS: [&str; 3] = ["dot", "eve", "fay"];
const MARK: &[u8] = b"DEVELOPMENT - NOT A TEE";

pub struct Operators {
    folder: PathBuf,
    /// Where some of them have their keys.
    token: Option<SoftToken>,
    on_token: &'static [&'static str],
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
    /// Makes everybody's keys, and the first manifest.
    pub fn new(folder: &Folder) -> Operators {
        Operators::with(folder, None, &[])
    }

    /// As [`Operators::new`], with the keys of these on a token.
    pub fn with_token(folder: &Folder, token: SoftToken, on_token: &'static [&'static str]) -> Operators {
        Operators::with(folder, Some(token), on_token)
    }

    fn with(folder: &Folder, token: Option<SoftToken>, on_token: &'static [&'static str]) -> Operators {
        let folder = folder.path().to_path_buf();
        let mut operators = Operators { folder, token, on_token, approvers: Vec::new(), holders: Vec::new() };
        std::fs::write(operators.path("passphrase"), "correct horse\n").unwrap();
        let private = std::os::unix::fs::PermissionsExt::from_mode(0o600);
        std::fs::set_permissions(operators.path("passphrase"), private).unwrap();
        let approvers = APPROVERS.map(|alias| operators.key("approver", alias)).to_vec();
        let holders = HOLDERS.map(|alias| operators.key("holder", alias)).to_vec();
        (operators.approvers, operators.holders) = (approvers, holders);
        std::fs::write(operators.path("manifest"), manifest(&operators, "simulated", 1)).unwrap();
        operators
    }

    /// Makes somebody's key: its public half.
    pub fn key(&self, role: &str, alias: &str) -> String {
        let mut command = self.client();
        command.args(["root", "key", role, "--json"]).args(self.token_words(alias));
        if role == "holder" || !self.is_on_token(alias) {
            command.arg("--simulated").arg("--output").arg(self.path(&format!("{alias}.key")));
        }
        let made = said(&mut command);
        assert_eq!(made.code, 0, "{}", made.err);
        std::fs::write(self.path(&format!("{alias}.public")), &made.out).unwrap();
        let made: Value = serde_json::from_str(&made.out).unwrap();
        assert_eq!(made["role"], role);
        made["key"].as_str().unwrap().to_owned()
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    pub fn word(&self, name: &str) -> String {
        self.path(name).to_str().unwrap().to_owned()
    }

    /// An operator's command at a relay in this folder, with the simulation of `stack` allowed.
    pub fn command_at(&self, stack: &Stack, run: &Path, words: &[impl AsRef<str>]) -> Command {
        let mut command = self.bare(run, words);
        command.arg("--dangerous-simulated").arg(stack.simulation_root());
        command
    }

    /// As `command_at`, with no simulation allowed.
    pub fn bare(&self, run: &Path, words: &[impl AsRef<str>]) -> Command {
        let mut command = self.client();
        command.args(words.iter().map(AsRef::as_ref)).arg("--run").arg(run);
        command
    }

    /// The first manifest, written by the command for it from what everybody printed.
    pub fn draft_words(&self, output: &str) -> Vec<String> {
        let members = |option: &str, aliases: &[&str]| {
            let member = |alias: &&str| {
                [option.to_owned(), format!("{alias}={}", self.word(&format!("{alias}.public")))]
            };
            aliases.iter().flat_map(member).collect::<Vec<_>>()
        };
        let fixed = "root draft --json --name example --from 2026-01-01T00:00:00Z --until 2027-12-31T00:00:00Z --approvals 2 --shares 2";
        let fixed: Vec<String> = fixed.split(' ').map(str::to_owned).collect();
        let program = ["--simulated-program", enclave().to_str().unwrap(), "--output", &self.word(output)]
            .map(str::to_owned);
        [&fixed[..], &members("--approver", &APPROVERS), &members("--holder", &HOLDERS), &program].concat()
    }

    /// A command of somebody's own machine.
    pub fn client(&self) -> Command {
        let mut command = Command::new(tensfer());
        command.env("TENSFER_HOME", self.path("home"));
        command.arg("--passphrase-file").arg(self.path("passphrase"));
        if let Some(token) = &self.token {
            token.plug_in(&mut command);
        }
        command
    }

    pub fn token(&self) -> &SoftToken {
        self.token.as_ref().unwrap()
    }

    /// From now on another token is there, or none.
    pub fn replace_token(&mut self, token: SoftToken) {
        self.token = Some(token);
    }

    fn is_on_token(&self, alias: &str) -> bool {
        self.on_token.contains(&alias)
    }

    /// Options that name somebody's key on the token; none, if it is in a file alone.
    pub fn token_words(&self, alias: &str) -> Vec<String> {
        if self.is_on_token(alias) { self.token().words(alias) } else { Vec::new() }
    }

    /// Options that name an approver's key.
    fn approver_words(&self, alias: &str) -> Vec<String> {
        match self.is_on_token(alias) {
            true => self.token_words(alias),
            false => vec!["--key".to_owned(), self.word(&format!("{alias}.key"))],
        }
    }

    /// Options that name a holder's key.
    pub fn holder_words(&self, alias: &str) -> Vec<String> {
        let file = ["--key".to_owned(), self.word(&format!("{alias}.key"))];
        [&file[..], &self.token_words(alias)].concat()
    }

    /// A command at the server of `stack`, of its operators on its machine or of its clients.
    fn command(&self, stack: &Stack, words: &[impl AsRef<str>]) -> Command {
        let mut command = self.client();
        command.args(words.iter().map(AsRef::as_ref));
        command.arg("--dangerous-simulated").arg(stack.simulation_root());
        match words.iter().map(AsRef::as_ref).take(2).collect::<Vec<_>>()[..] {
            ["root", "approve" | "draft" | "key" | "next" | "opened" | "destroy" | "end" | "notice"] => {}
            ["root", _] => {
                command.arg("--data").arg(stack.data());
            }
            _ => {
                command.args(["--server", stack.url()]);
            }
        }
        command
    }

    pub fn run(&self, stack: &Stack, words: &[impl AsRef<str>]) -> Said {
        said(&mut self.command(stack, words))
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

    /// The first manifest names the witness that runs beside the enclave.
    pub fn name_witness(&self, stack: &Stack) {
        let mut command = Command::new(tensfer());
        let key = said(command.args(["witness", "key", "--data"]).arg(stack.data().join("witness")));
        assert_eq!(key.code, 0, "{}", key.err);
        self.alter("manifest", "manifest", |text| {
            let member = format!("[[witnesses.members]]\nalias = \"wit\"\nkey = \"{}\"\n", key.out.trim());
            format!("{text}[witnesses]\nthreshold = 1\n{member}")
        });
    }

    /// Writes the manifest that gives a week's notice to whom a statement counts as absent.
    pub fn notice(&self, stack: &Stack, manifest: &str, completion: &Path, next: &str) {
        let (manifest, next) = (self.word(manifest), self.word(next));
        let completion = completion.to_str().unwrap();
        let words = ["root", "notice", "--manifest", &manifest, "--completion", completion, "--hours", "168"];
        self.done(stack, &[&words[..], &["--next", &next]].concat());
    }

    /// Writes the manifest that ends an epoch of class `any`.
    pub fn end(&self, stack: &Stack, manifest: &str, epoch: u32, next: &str) {
        let (epoch, manifest, next) = (epoch.to_string(), self.word(manifest), self.word(next));
        let words = ["root", "end", "--manifest", &manifest, "--epoch", &epoch, "--next", &next];
        self.done(stack, &words);
    }

    pub fn genesis_as(&self, stack: &Stack, output: &str, next: &str) {
        let made = self.done(stack, &self.genesis_words("manifest", output, next));
        assert!(made.contains("root 1 of class any: "), "{made}");
    }

    pub fn genesis_words(&self, manifest: &str, output: &str, next: &str) -> Vec<String> {
        self.making_words("genesis", manifest, output, next)
    }

    /// `genesis` or `begin`.
    pub fn making_words(&self, command: &str, manifest: &str, output: &str, next: &str) -> Vec<String> {
        let mut words = self.proposed(command, manifest, &["ada", "ben"]);
        words.extend(["--output".to_owned(), self.word(output), "--next".to_owned(), self.word(next)]);
        words
    }

    /// Approves a manifest of this name, by each of them.
    pub fn approve_as(&self, stack: &Stack, manifest: &str, aliases: &[&str]) {
        for alias in aliases {
            self.done(stack, &self.approve_words(manifest, alias));
        }
    }

    pub fn approve_words(&self, manifest: &str, alias: &str) -> Vec<String> {
        let named = ["root", "approve", "--yes", "--manifest"].map(str::to_owned);
        let output = ["--output".to_owned(), self.word(&format!("{manifest}.{alias}"))];
        [&named[..], &[self.word(manifest)], &self.approver_words(alias), &output].concat()
    }

    /// Compares the manifest with what these made.
    pub fn approve_words_of(&self, manifest: &str, alias: &str, geneses: &[&str]) -> Vec<String> {
        let mut words = self.approve_words(manifest, alias);
        geneses.iter().for_each(|genesis| words.extend(["--genesis".to_owned(), self.word(genesis)]));
        words
    }

    /// Holders show that their shares of what this made open.
    pub fn open(&self, stack: &Stack, genesis: &str, holders: &[&str]) {
        for holder in holders {
            self.done(stack, &self.opened_words(genesis, holder));
        }
    }

    pub fn opened_words(&self, genesis: &str, holder: &str) -> Vec<String> {
        let named = ["root", "opened", "--genesis"].map(str::to_owned);
        let output = ["--output".to_owned(), self.word(&format!("{genesis}.{holder}"))];
        [&named[..], &[self.word(genesis)], &self.holder_words(holder), &output].concat()
    }

    /// With the receipts of these holders for what one genesis made.
    pub fn approve_words_opened(
        &self,
        manifest: &str,
        alias: &str,
        genesis: &str,
        holders: &[&str],
    ) -> Vec<String> {
        let mut words = self.approve_words(manifest, alias);
        let files = holders.iter().map(|holder| self.word(&format!("{genesis}.{holder}")));
        files.for_each(|file| words.extend(["--opened".to_owned(), file]));
        words
    }

    pub fn adopt_words(&self, manifest: &str) -> Vec<String> {
        self.proposed("adopt", manifest, &["ada", "ben"])
    }

    /// A holder's shares of everything that these made.
    pub fn release_of_all(&self, manifest: &str, holder: &str, geneses: &[&str]) -> Vec<String> {
        let mut words = self.proposed("release", manifest, &["ada", "ben"]);
        geneses.iter().for_each(|genesis| words.extend(["--genesis".to_owned(), self.word(genesis)]));
        words.extend(self.holder_words(holder));
        words
    }

    pub fn proposed(&self, command: &str, manifest: &str, approvers: &[&str]) -> Vec<String> {
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
        words.extend(["--to".to_owned(), successor.run().to_str().unwrap().to_owned()]);
        words
    }

    fn share(&self, holder: &str, genesis: &str) -> Vec<String> {
        let genesis = ["--genesis".to_owned(), self.word(genesis)];
        [&genesis[..], &self.holder_words(holder)].concat()
    }

    /// Asks in a manifest to have the roots split to these, who get their keys now.
    pub fn ask_for(&self, stack: &Stack, holders: &[&str]) {
        let mut words = ["root", "next", "--shares", "2", "--after"].map(str::to_owned).to_vec();
        words.extend([self.word("next"), "--output".to_owned(), self.word("asking")]);
        for alias in holders {
            self.key("holder", alias);
            words.extend([
                "--holder".to_owned(),
                format!("{alias}={}", self.word(&format!("{alias}.public"))),
            ]);
        }
        self.done(stack, &words);
        self.approve_as(stack, "asking", &["ada", "ben"]);
    }

    /// Releases a holder's share of what is asked for, to whom it is to go.
    pub fn give_away(&self, stack: &Stack, holder: &str) -> String {
        self.done(stack, &self.giving_words(holder))
    }

    pub fn giving_words(&self, holder: &str) -> Vec<String> {
        let mut words = self.release_of("asking", holder, "genesis");
        words.push("--to-new-holders".to_owned());
        words
    }

    /// Fetches what was split, and approves the manifest that commits to it.
    pub fn take_over(&self, stack: &Stack) {
        self.done(stack, &self.making_words("reshare", "asking", "anew", "after"));
        for alias in ["ada", "ben"] {
            self.done(stack, &self.approve_words_of("after", alias, &["anew"]));
        }
    }

    /// Destroys the key of somebody who holds nothing any more, with the receipts of these.
    pub fn destroy_words(&self, key: &str, opened: &[&str]) -> Vec<String> {
        let mut words = self.proposed("destroy", "after", &["ada", "ben"]);
        words.extend(["--yes".to_owned(), "--genesis".to_owned(), self.word("anew")]);
        words.extend(self.holder_words(key));
        opened.iter().for_each(|holder| {
            words.extend(["--opened".to_owned(), self.word(&format!("anew.{holder}"))]);
        });
        words
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
        let mut command = self.command(stack, &["link", "okx", "--credentials", "-"]);
        let linked = run(&mut command, account["credentials"].to_string().as_bytes());
        assert!(linked.status.success(), "{}", String::from_utf8_lossy(&linked.stderr));
    }
}
