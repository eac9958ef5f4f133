//! The whole system with the image in its place: a person's commands, gateway, relay, egress, and the enclave behind vsock.

use crate::artefacts::{image, live, program};
use crate::ceremony::{Operators, tell_time};
use crate::machine::Machine;
use crate::person::{Said, account, said};
use serde_json::Value;
use stack::{Folder, Process, tensfer};
use std::os::fd::OwnedFd;
use std::path::Path;
use std::process::Command;
use std::time::Duration;
use verify::measurement::{Hex, Name, Registers};
use wire::manifest::Reach;

const START: Duration = Duration::from_secs(60);

#[test]
fn an_account_is_linked_read_and_rotated_through_an_image_that_a_quorum_provisioned() {
    let folder = Folder::new();
    let authority = folder.join("sandbox-root.der");
    let sandbox = role("sandbox", &["--port", "0", "--ca", authority.to_str().unwrap()]);
    let sandbox_port = sandbox.line("ready ", START).rsplit(':').next().unwrap().to_owned();
    // The same program; the sandbox's root is an input that is measured.
    let image = image(&folder, &program(), &[("sandbox-root.der", &authority)]);
    let live = live();
    let differs = |at| image.registers.value(Name::Pcr(at)) != live.registers.value(Name::Pcr(at));
    assert_eq!([0, 1, 2].map(differs), [true, false, true]);

    let mut machine = Machine::boot(&image.file);
    let root = machine.root();
    tell_time(&mut machine.channel);
    Operators::new(Reach::Sandbox, &[&image.registers]).provision(&mut machine.channel, &root);
    let run = folder.path().to_str().unwrap();
    let _egress = ready(role("egress", &["--run", run, "--sandbox", &sandbox_port]));
    let channel = OwnedFd::from(machine.channel.try_clone().unwrap());
    let relay = Process::start_with_input(
        Command::new(tensfer()).args(["relay", "--run", run, "--register", run]),
        channel,
    );
    let _relay = ready(relay);
    let gateway = role("gateway", &["--run", run, "--port", "0"]);
    let url = gateway.line("ready ", START);

    let client = Client { url, folder: &folder, root: &machine.root };
    client.accept(&image.registers);
    let verify = |registers: &Registers| {
        let pcr0 = format!("PCR0={}", Hex(registers.value(Name::Pcr(0)).unwrap()));
        client.run(&["verify", "--json", "--measurement", &pcr0], b"")
    };
    let verified = verify(&image.registers);
    assert!(verified.code == 0 && verified.out.contains("\"simulated\""), "{}{}", verified.out, verified.err);
    let refused = verify(&live.registers);
    assert!(refused.code == 1 && refused.out.contains("measurement_mismatch"), "{}", refused.out);
    let account = account("kraken", "reader");
    client.json(
        &["link", "kraken", "--credentials", "-", "--name", "main", "--json"],
        account["credentials"].to_string().as_bytes(),
    );
    let before = client.json(&["balances", "--json"], b"");
    client.done(&["rotate", "--all"], b"");
    let after = client.json(&["balances", "--json"], b"");
    let assets = |portfolio: &Value| portfolio["connections"][0]["accounts"].clone();
    assert!(assets(&before)[0]["assets"].as_array().is_some_and(|assets| !assets.is_empty()), "{before}");
    assert_eq!(quantities(&before), quantities(&after));
}

/// Each asset with its total: prices move meanwhile.
fn quantities(portfolio: &Value) -> Vec<(String, String)> {
    let accounts = portfolio["connections"][0]["accounts"].as_array().unwrap();
    let assets = accounts.iter().flat_map(|account| account["assets"].as_array().unwrap());
    assets.map(|asset| (asset["symbol"].to_string(), asset["total"].to_string())).collect()
}

fn role(name: &str, arguments: &[&str]) -> Process {
    Process::start(Command::new(tensfer()).arg(name).args(arguments))
}

fn ready(process: Process) -> Process {
    process.line("ready ", START);
    process
}

struct Client<'t> {
    url: String,
    folder: &'t Folder,
    root: &'t Path,
}

impl Client<'_> {
    /// From here on every command takes this program and no other.
    fn accept(&self, program: &Registers) {
        let registers: serde_json::Map<String, Value> =
            program.iter().map(|(name, value)| (name.to_string(), Hex(value).to_string().into())).collect();
        let policy = serde_json::json!({"format": "tensfer policy", "version": 1, "accept": [registers]});
        std::fs::create_dir(self.folder.join("home")).unwrap();
        std::fs::write(self.folder.join("home/policy.json"), policy.to_string()).unwrap();
    }

    fn run(&self, arguments: &[&str], stdin: &[u8]) -> Said {
        let mut command = Command::new(tensfer());
        command.env("TENSFER_HOME", self.folder.join("home")).args(["--server", &self.url]).args(arguments);
        command.arg("--dangerous-simulated").arg(self.root);
        let passphrase = self.folder.join("passphrase");
        std::fs::write(&passphrase, "correct horse\n").unwrap();
        said(command.arg("--passphrase-file").arg(passphrase), stdin)
    }

    fn done(&self, arguments: &[&str], stdin: &[u8]) -> String {
        let said = self.run(arguments, stdin);
        assert_eq!(said.code, 0, "{arguments:?}: {}", said.err);
        said.out
    }

    fn json(&self, arguments: &[&str], stdin: &[u8]) -> Value {
        serde_json::from_str(&self.done(arguments, stdin)).unwrap()
    }
}
