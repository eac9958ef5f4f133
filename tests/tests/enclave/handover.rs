//! Two machines: the second takes the roots of the first, and an account goes on there.

use crate::artefacts::{image, program};
use crate::ceremony::{Operators, tell_time};
use crate::files::proposed;
use crate::host::{Client, Host, Sandbox, Witness};
use crate::machine::{Machine, Signer, Turn};
use crate::person::{Said, account, said};
use serde_json::Value;
use stack::{Folder, tensfer};
use std::path::Path;
use std::process::Command;
use verify::measurement::Name;
use wire::manifest::Reach;

#[test]
fn a_machine_hands_its_root_to_another_of_its_program_and_to_no_other_and_an_account_goes_on_there() {
    let folder = Folder::new();
    let (sandbox, witness) = (Sandbox::start(&folder), Witness::start(&folder, "witness"));
    let (signer, turn) = (Signer::make(&folder), Turn::take());
    // The same program; whom it believes to be an exchange, and to vouch for a peer, are inputs that are measured.
    let own = [("peers-root.der", signer.root.as_path()), ("sandbox-root.der", &sandbox.authority)];
    let image_of = |name: &str, inputs: &[(&str, &Path)]| image(&folder, name, &program(), inputs);
    let (own, other) =
        (image_of("own.eif", &own), image_of("other.eif", &[own[0], own[1], ("another", &signer.root)]));
    let same = |at| own.registers.value(Name::Pcr(at)) == other.registers.value(Name::Pcr(at));
    assert_eq!([0, 1, 2].map(same), [false, true, false]);

    let mut first = Machine::boot(&own.file, &signer, &turn);
    tell_time(&mut first.channel);
    let operators = Operators::new(Reach::Sandbox, &[&own.registers]).witnessed_by(&witness.key);
    let manifest = operators.provision(&mut first.channel, &signer.root());
    let manifest = proposed(folder.path(), &manifest);
    let state = folder.join("state");
    let one = Host::start(&first, folder.join("one"), &state, &sandbox, &[&witness]);
    let mut client = Client { url: one.url.clone(), folder: &folder, root: &signer.root };
    client.accept(&[&own.registers]);
    let account = account("kraken", "reader");
    let credentials = account["credentials"].to_string();
    client.done(&["link", "kraken", "--credentials", "-", "--name", "main"], credentials.as_bytes());
    let before = client.quantities();

    let stranger = Machine::boot(&other.file, &signer, &turn);
    let elsewhere =
        Host::start(&stranger, folder.join("elsewhere"), &folder.join("nothing"), &sandbox, &[&witness]);
    let refused = hand_over(&one, &elsewhere, &manifest);
    assert!(refused.code == 4 && refused.err.contains("successor_refused"), "{}{}", refused.out, refused.err);
    assert_eq!(phase(&elsewhere), "collecting");
    drop((elsewhere, stranger));

    let mut second = Machine::boot(&own.file, &signer, &turn);
    let two = Host::start(&second, folder.join("two"), &folder.join("empty"), &sandbox, &[&witness]);
    assert_eq!(phase(&two), "waiting");
    let so_far = [first.cpu_time(), second.cpu_time()];
    let handed = hand_over(&one, &two, &manifest);
    assert!(handed.code == 0 && handed.out.contains("provisioned"), "{}{}", handed.out, handed.err);
    // What both emulators took until both had verified, sealed and opened, and the second was an enclave.
    let took = [first.cpu_time() - so_far[0], second.cpu_time() - so_far[1]];
    println!("handover_cpu_seconds {:.2} {:.2}", took[0].as_secs_f64(), took[1].as_secs_f64());

    // The second machine goes on from the state that the first one left, which a host has to bring.
    drop((one, two, first));
    second.change_host();
    let two = Host::start(&second, folder.join("three"), &state, &sandbox, &[&witness]);
    client.url = two.url.clone();
    client.wait_for_line();
    assert_eq!(client.quantities(), before);
}

fn hand_over(from: &Host, to: &Host, manifest: &[String]) -> Said {
    let mut command = Command::new(tensfer());
    command.args(["root", "handover", "--run"]).arg(&from.run).arg("--to").arg(&to.run).args(manifest);
    said(&mut command, b"")
}

/// How far an enclave is, by its host's word.
fn phase(host: &Host) -> String {
    let said = said(Command::new(tensfer()).args(["root", "status", "--json", "--run"]).arg(&host.run), b"");
    assert_eq!(said.code, 0, "{}", said.err);
    let status: Value = serde_json::from_str(&said.out).unwrap();
    status["phase"].as_str().unwrap().to_owned()
}
