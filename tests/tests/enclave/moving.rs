//! Two machines of two programs: what an owner reserved moves from the older to the newer one, by the commands that operators and
//! owners give.

use crate::artefacts::{image, measurements, program};
use crate::commands::Operators;
use crate::host::{Client, Host, Sandbox, Witness};
use crate::machine::{Machine, Signer, Turn};
use crate::person::account;
use stack::Folder;

#[test]
fn an_account_that_waits_for_its_owners_word_moves_to_a_newer_program_in_another_machine() {
    let folder = Folder::new();
    let (sandbox, witness) = (Sandbox::start(&folder), Witness::start(&folder, "witness"));
    let (signer, turn) = (Signer::make(&folder), Turn::take());
    // Another measured input is another program.
    let inputs =
        [("peers-root.der", signer.root.as_path()), ("sandbox-root.der", sandbox.authority.as_path())];
    let older = image(&folder, "older.eif", &program(), &inputs);
    let newer = image(&folder, "newer.eif", &program(), &[inputs[0], inputs[1], ("another", inputs[0].1)]);
    let operators = Operators { folder: &folder, signer: &signer };
    operators.keys(&[("witness", &witness)]);
    for (name, image) in [("older.json", &older), ("newer.json", &newer)] {
        std::fs::write(folder.join(name), measurements(image).to_string()).unwrap();
    }

    let mut first = Machine::boot(&older.file, &signer, &turn);
    let (register, nothing) = (folder.join("register"), folder.join("nothing"));
    let one = Host::start(&first, folder.join("one"), &register, &sandbox, &[&witness]);
    operators.root(
        "draft --name example --from 2026-01-01T00:00:00Z --until 2027-12-31T00:00:00Z --classes any,owner \
         --measurements @older.json --approvals 1 --approver ada=@ada.public --shares 1 --holder dot=@dot.public \
         --witness one=@witness.public --output @1",
    );
    operators.approve("1", "");
    operators.step("genesis", &one, "1", " --output @genesis --next @2");
    operators.approve("2", " --genesis @genesis");
    operators.step("release", &one, "2", " --genesis @genesis --key @dot.key");
    let mut client = Client { url: one.url.clone(), folder: &folder, root: &signer.root };
    client.accept(&[&older.registers, &newer.registers]);
    client.wait_for_line();
    let account = account("kraken", "reader");
    client.done(
        &["link", "kraken", "--credentials", "-", "--name", "main", "--consent", "owner"],
        account["credentials"].to_string().as_bytes(),
    );
    let before = client.quantities();

    // The operators let the newer program in, which gets class `any`, and makes its own root of class `owner`.
    operators.root("next --after @2 --measurements @newer.json --output @3");
    operators.approve("3", " --genesis @genesis");
    operators.step("adopt", &one, "3", "");
    let mut second = Machine::boot(&newer.file, &signer, &turn);
    let two = Host::start(&second, folder.join("two"), &nothing, &sandbox, &[]);
    operators.step("handover", &one, "3", &format!(" --to {}", two.run.display()));
    operators.root("next --after @3 --make owner --output @4");
    operators.approve("4", "");
    operators.step("begin", &two, "4", " --output @second --next @5");
    operators.root("opened --genesis @second --key @dot.key --output @second.dot");
    operators.approve("5", " --genesis @genesis --genesis @second --opened @second.dot");
    for host in [&one, &two] {
        operators.step("adopt", host, "5", "");
    }

    // The line goes to the newer program, and the account is still the older one's.
    drop((one, two));
    first.change_host();
    second.change_host();
    let old = Host::start(&first, folder.join("old"), &folder.join("empty"), &sandbox, &[]);
    let new = Host::start(&second, folder.join("new"), &register, &sandbox, &[&witness]);
    client.url = new.url.clone();
    let refused = client.run(&["balances"], b"");
    assert!(refused.code != 0 && refused.err.contains("unknown_epoch"), "{}{}", refused.out, refused.err);
    client.url = old.url.clone();
    let place = |words: &[&str]| {
        let upgrade = client.json(&[&["upgrade", "--to", &new.url, "--json"], words].concat(), b"");
        upgrade["connections"][0]["place"].clone()
    };
    assert_eq!(place(&["--status"]), "old");
    assert_eq!(place(&["--yes"]), "new");
    assert_eq!(place(&["--status"]), "new");
    // The older one may go.
    drop((old, first));
    client.url = new.url.clone();
    assert_eq!(client.quantities(), before);
}
