//! A host around an emulated machine, and a person before it.

use crate::machine::Machine;
use crate::person::{Said, said};
use serde_json::Value;
use stack::authority::Authority;
use stack::{Folder, Process, tensfer};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};
use verify::measurement::{Hex, Registers};

const START: Duration = Duration::from_secs(60);
/// How long a line takes in an emulated machine, at most.
pub const LINE: Duration = Duration::from_secs(120);

/// The sandbox's exchanges.
pub struct Sandbox {
    _process: Process,
    port: String,
    /// DER of the root that its exchanges are under.
    pub authority: PathBuf,
}

impl Sandbox {
    pub fn start(folder: &Folder) -> Sandbox {
        let authority = folder.join("sandbox-root.der");
        let process = role("sandbox", &["--port", "0", "--ca", authority.to_str().unwrap()]);
        let port = process.line("ready ", START).rsplit(':').next().unwrap().to_owned();
        Sandbox { _process: process, port, authority }
    }
}

/// The witness of an enclave's state.
pub struct Witness {
    _process: Process,
    /// As a manifest names it.
    pub key: String,
    run: PathBuf,
}

impl Witness {
    /// With its memory in a folder of this name.
    pub fn start(folder: &Folder, name: &str) -> Witness {
        let data = folder.join(name);
        let process = role("witness", &["--data", data.to_str().unwrap()]);
        Witness { key: process.line("ready ", START), _process: process, run: data.join("run") }
    }
}

/// A relay with what it reaches, and a gateway before it.
pub struct Host {
    pub run: PathBuf,
    pub url: String,
    _processes: [Process; 3],
}

impl Host {
    /// Around this machine, with its sockets in a folder that is made, and the state of connections in another.
    pub fn start(
        machine: &Machine,
        run: PathBuf,
        register: &Path,
        sandbox: &Sandbox,
        witnesses: &[&Witness],
    ) -> Host {
        std::fs::DirBuilder::new().mode(0o700).recursive(true).create(&run).unwrap();
        let word = run.to_str().unwrap();
        let authority = Authority::new();
        for role in ["operator", "gateway", "relay", "egress"] {
            authority.certify(role, &run.join(role));
        }
        let shown = |role: &str| run.join(role).to_str().unwrap().to_owned();
        let identity = shown("egress");
        let egress = ["--run", word, "--sandbox", &sandbox.port, "--certificates", &identity];
        let egress = ready(role("egress", &egress));
        let mut relay = Command::new(tensfer());
        relay.args(["relay", "--run", word, "--certificates", &shown("relay"), "--folder"]).arg(register);
        for witness in witnesses {
            relay.arg("--witness").arg(&witness.run);
        }
        let relay = ready(Process::start_with_input(&mut relay, machine.host_end()));
        let gateway = role("gateway", &["--run", word, "--port", "0", "--certificates", &shown("gateway")]);
        let url = gateway.line("ready ", START);
        Host { run, url, _processes: [gateway, relay, egress] }
    }
}

fn role(name: &str, arguments: &[&str]) -> Process {
    Process::start(Command::new(tensfer()).arg(name).args(arguments))
}

fn ready(process: Process) -> Process {
    process.line("ready ", START);
    process
}

/// A program as it stands in a policy.
fn accepted(program: &Registers) -> String {
    let registers = program.iter().map(|(name, value)| format!("{name} = \"{}\"\n", Hex(value)));
    format!("[[accept]]\n{}", registers.collect::<String>())
}

/// A person, who accepts some programs.
pub struct Client<'t> {
    pub url: String,
    pub folder: &'t Folder,
    pub root: &'t Path,
}

impl Client<'_> {
    /// From here on every command takes these programs and no other.
    pub fn accept(&self, programs: &[&Registers]) {
        let accepted: String = programs.iter().map(|program| accepted(program)).collect();
        let policy = format!("format = \"tensfer policy\"\nversion = 1\n{accepted}");
        std::fs::create_dir(self.folder.join("home")).unwrap();
        std::fs::write(self.folder.join("home/policy.toml"), policy).unwrap();
    }

    pub fn run(&self, arguments: &[&str], stdin: &[u8]) -> Said {
        let mut command = Command::new(tensfer());
        command.env("TENSFER_HOME", self.folder.join("home")).args(["--server", &self.url]).args(arguments);
        command.arg("--dangerous-simulated").arg(self.root);
        let passphrase = self.folder.join("passphrase");
        std::fs::write(&passphrase, "correct horse\n").unwrap();
        said(command.arg("--passphrase-file").arg(passphrase), stdin)
    }

    pub fn done(&self, arguments: &[&str], stdin: &[u8]) -> String {
        let said = self.run(arguments, stdin);
        assert_eq!(said.code, 0, "{arguments:?}: {}", said.err);
        said.out
    }

    /// Asks until the enclave has taken its line; it refuses until then.
    pub fn wait_for_line(&self) {
        let until = Instant::now() + LINE;
        while self.run(&["balances", "--json"], b"").code != 0 && Instant::now() < until {
            std::thread::sleep(Duration::from_secs(1));
        }
    }

    pub fn json(&self, arguments: &[&str], stdin: &[u8]) -> Value {
        serde_json::from_str(&self.done(arguments, stdin)).unwrap()
    }

    /// Each asset of the linked account with its total: prices move meanwhile.
    pub fn quantities(&self) -> Vec<(String, String)> {
        let portfolio = self.json(&["balances", "--json"], b"");
        let accounts = portfolio["connections"][0]["accounts"].as_array().unwrap();
        let assets = accounts.iter().flat_map(|account| account["assets"].as_array().unwrap());
        let quantities: Vec<_> =
            assets.map(|asset| (asset["symbol"].to_string(), asset["total"].to_string())).collect();
        assert!(!quantities.is_empty(), "{portfolio}");
        quantities
    }
}
