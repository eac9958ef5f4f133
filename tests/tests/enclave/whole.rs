//! The whole system with the image in its place: a person's commands, gateway, relay, egress, and the enclave behind vsock.

use crate::artefacts::{image, live, program};
use crate::ceremony::{Operators, tell_time};
use crate::host::{Client, Host, Sandbox, Witness};
use crate::machine::{Machine, Signer, Turn};
use crate::person::account;
use crate::publishers::{self, Publishers};
use stack::Folder;
use verify::measurement::{Hex, Name, Registers};
use wire::manifest::Reach;

/// Whose policy goes by releases takes the image when both publishers have signed what it measures, and not before.
fn accept_once_signed(client: &Client, publishers: &Publishers) {
    for name in publishers::NAMES {
        let verified = client.run(&["verify", "--json"], b"");
        assert!(
            verified.code == 1 && verified.err.contains("release_signatures_missing"),
            "{}",
            verified.out
        );
        publishers.sign(name);
    }
}

#[test]
fn an_account_is_linked_read_and_rotated_through_an_image_that_a_quorum_provisioned() {
    let folder = Folder::new();
    let sandbox = Sandbox::start(&folder);
    // The same program; the sandbox's root is an input that is measured.
    let image = image(&folder, "sandbox.eif", &program(), &[("sandbox-root.der", &sandbox.authority)]);
    let live = live();
    let differs = |at| image.registers.value(Name::Pcr(at)) != live.registers.value(Name::Pcr(at));
    assert_eq!([0, 1, 2].map(differs), [true, false, true]);

    let (signer, turn) = (Signer::make(&folder), Turn::take());
    let mut machine = Machine::boot(&image.file, &signer, &turn);
    tell_time(&mut machine.channel);
    let witness = Witness::start(&folder, "witness");
    Operators::new(Reach::Sandbox, &[&image.registers])
        .witnessed_by(&witness.key)
        .provision(&mut machine.channel, &signer.root());
    let host = Host::start(&machine, folder.join("run"), &folder.join("register"), &sandbox, &[&witness]);

    let client = Client { url: host.url.clone(), folder: &folder, root: &signer.root };
    match Publishers::of(&folder, &image) {
        Some(publishers) => accept_once_signed(&client, &publishers),
        None => {
            eprintln!(
                "#### No release of this image: commit what it is measured of. Accepted as it was measured. ####"
            );
            client.accept(&[&image.registers]);
        }
    }
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
    let before = client.quantities();
    client.done(&["rotate", "--all"], b"");
    assert_eq!(client.quantities(), before);
}
