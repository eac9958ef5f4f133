//! A witness is replaced while the root goes from one machine to another: no holder is asked, and nothing is lost.

use crate::artefacts::{image, measurements, program};
use crate::commands::Operators;
use crate::host::{Client, Host, LINE, Sandbox, Witness};
use crate::machine::{Machine, Signer, Turn};
use crate::person::account;
use serde_json::Value;
use stack::Folder;
use std::time::{Duration, Instant};

#[test]
fn a_machine_that_takes_over_the_root_goes_over_to_other_witnesses_and_the_one_before_has_lost_the_line() {
    let folder = Folder::new();
    let sandbox = Sandbox::start(&folder);
    let [former, newer] = ["former", "newer"].map(|name| Witness::start(&folder, name));
    let (signer, turn) = (Signer::make(&folder), Turn::take());
    let inputs =
        [("peers-root.der", signer.root.as_path()), ("sandbox-root.der", sandbox.authority.as_path())];
    let image = image(&folder, "image.eif", &program(), &inputs);
    let operators = Operators { folder: &folder, signer: &signer };
    operators.keys(&[("former", &former), ("newer", &newer)]);
    std::fs::write(folder.join("image.json"), measurements(&image).to_string()).unwrap();

    let mut first = Machine::boot(&image.file, &signer, &turn);
    let register = folder.join("register");
    let one = Host::start(&first, folder.join("one"), &register, &sandbox, &[&former]);
    operators.root(
        "draft --name example --from 2026-01-01T00:00:00Z --until 2027-12-31T00:00:00Z --measurements @image.json \
         --approvals 1 --approver ada=@ada.public --shares 1 --holder dot=@dot.public --witness one=@former.public \
         --output @1",
    );
    operators.approve("1", "");
    operators.step("genesis", &one, "1", " --output @genesis --next @2");
    operators.approve("2", " --genesis @genesis");
    operators.step("release", &one, "2", " --genesis @genesis --key @dot.key");
    let mut client = Client { url: one.url.clone(), folder: &folder, root: &signer.root };
    client.accept(&[&image.registers]);
    client.wait_for_line();
    let account = account("kraken", "reader");
    let credentials = account["credentials"].to_string();
    client.done(&["link", "kraken", "--credentials", "-", "--name", "main"], credentials.as_bytes());
    let before = client.quantities();

    operators.root("next --after @2 --witness two=@newer.public --output @3");
    operators.approve("3", " --genesis @genesis");
    let mut second = Machine::boot(&image.file, &signer, &turn);
    let two = Host::start(&second, folder.join("two"), &folder.join("nothing"), &sandbox, &[]);
    let to = two.run.display();
    operators.step("handover", &one, "3", &format!(" --to {to} --from-manifest @2 --from-approval @2.ada"));

    // The state goes to the second machine's host, which reaches the former witness this once.
    drop((one, two));
    second.change_host();
    let three = Host::start(&second, folder.join("three"), &register, &sandbox, &[&former, &newer]);
    client.url = three.url.clone();
    client.wait_for_line();
    assert_eq!(client.quantities(), before);
    assert_eq!(line(&operators, &three), "held");
    drop(three);

    // It needs nobody but the newer one from then on; and the machine before has nothing to go on from.
    second.change_host();
    first.change_host();
    let four = Host::start(&second, folder.join("four"), &register, &sandbox, &[&newer]);
    client.url = four.url.clone();
    client.wait_for_line();
    assert_eq!(client.quantities(), before);
    drop(four);
    let back = Host::start(&first, folder.join("back"), &register, &sandbox, &[&former]);
    client.url = back.url.clone();
    // What its host brings it says so. A client that has seen a later state believes it nothing either.
    let until = Instant::now() + LINE;
    while line(&operators, &back) == "asking" && Instant::now() < until {
        std::thread::sleep(Duration::from_millis(200));
    }
    assert_eq!(line(&operators, &back), "lost");
    let refused = client.run(&["balances"], b"");
    assert!(refused.code != 0 && refused.err.contains("rolled_back"), "{}{}", refused.out, refused.err);
}

/// How it stands with the witnesses, by the enclave's own word.
fn line(operators: &Operators<'_>, host: &Host) -> String {
    let status = operators.root(&format!("status --json --run {}", host.run.display()));
    let status: Value = serde_json::from_str(&status).unwrap();
    status["line"]["state"].as_str().unwrap().to_owned()
}
