//! Organisations and API keys over the real processes: the commands, and what is left when `identity` is killed.

use serde_json::Value;
use stack::{Folder, Program, Stack, run};
use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

fn organisation_of(key: &Value) -> &str {
    key["organisation"].as_str().unwrap()
}

fn id(key: &Value) -> String {
    key["id"].as_str().unwrap().to_owned()
}

#[test]
fn a_program_gets_a_key_by_an_invitation_and_signs_what_it_asks() {
    let stack = Stack::start();
    let (machine, other) = (Program::new(), Program::new());
    let code = machine.invitation(stack.data());
    let make = ["keys", "make", "--invitation", &code, "--name", "backend", "--server", stack.url()];
    let first = machine.json(&make);
    let file = machine.folder.join("home/api-keys/backend.json");
    assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    other.refused(&make, "invitation_refused");
    assert!(!other.folder.join("home/api-keys/backend.json").exists(), "nothing is kept of what was refused");

    let organisation = machine.run(&["request", "GET", "/v1/organisation"]);
    assert_eq!(organisation.code, Some(0), "{}", organisation.err);
    assert!(organisation.out.contains("\"name\":\"Example Ltd.\""), "{}", organisation.out);

    let reports = machine.json(&[
        "keys",
        "make",
        "--name",
        "reports",
        "--by",
        "backend",
        "--scope",
        "keys:read",
        "--network",
        "127.0.0.0/8",
        "--algorithm",
        "ecdsa-p256-sha256",
    ]);
    assert_eq!(reports["created_by"], first["id"]);
    let listed = machine.json(&["keys", "list", "--key", "reports"]);
    let ids: BTreeSet<String> = listed["keys"].as_array().unwrap().iter().map(id).collect();
    assert_eq!(ids, BTreeSet::from([id(&first), id(&reports)]));
    machine.refused(&["request", "GET", "/v1/organisation", "--key", "reports"], "scope_missing");
    machine.refused(
        &["keys", "make", "--name", "more", "--by", "reports", "--scope", "keys:read"],
        "scope_missing",
    );

    let rotated = machine.json(&["keys", "rotate", "backend", "--overlap-hours", "0"]);
    assert_ne!(rotated["id"], first["id"]);
    let old = machine.json(&["keys", "show", &id(&first), "--key", "backend"]);
    assert_eq!(old["replaced_by"], rotated["id"]);
    assert!(old["revoked"].is_u64() && old["last_used"]["from"].is_string(), "{old}");

    let data = stack.data().to_str().unwrap();
    let invited = machine.json(&["organisations", "invite", organisation_of(&first), "--data", data]);
    let code = invited["invitation"].as_str().unwrap();
    let again =
        machine.json(&["keys", "make", "--name", "again", "--invitation", code, "--server", stack.url()]);
    assert_eq!(again["organisation"], first["organisation"]);
    let unknown = format!("org_{}", "0".repeat(32));
    machine.refused(&["organisations", "invite", &unknown, "--data", data], "organisation_not_found");

    machine.json(&["keys", "revoke", "reports", "--key", "backend"]);
    machine.refused(&["request", "GET", "/v1/keys", "--key", "reports"], "key_revoked");
    let missing = machine.run(&["request", "GET", "/v1/nothing", "--key", "backend", "-i"]);
    assert_eq!(missing.code, Some(1));
    assert!(missing.out.starts_with("404\n") && missing.err.contains("(not_found"), "{}", missing.err);
}

#[test]
fn what_leaves_for_the_server_is_signed_with_the_key_that_was_named_and_with_none_elsewhere() {
    let stack = Stack::start();
    let machine = Program::new();
    machine.join(&stack, "backend");
    machine.json(&["keys", "make", "--name", "sealed", "--by", "backend", "--scope", "keys:read"]);
    let root = stack.simulation_root();
    let verify = |key: &str| {
        let words = ["--server", stack.url(), "--dangerous-simulated", root.to_str().unwrap()];
        machine.run(&[&["verify", "--api-key", key], &words[..]].concat())
    };
    let verified = verify("sealed");
    assert_eq!(verified.code, Some(0), "{}", verified.err);

    let elsewhere = Stack::start();
    let words = ["verify", elsewhere.url(), "--api-key", "sealed"];
    let refused = machine.run(&words);
    assert!(refused.code == Some(2) && refused.err.contains("is for "), "{}", refused.err);
    machine.json(&["keys", "revoke", "sealed", "--key", "backend"]);
    let revoked = verify("sealed");
    assert!(revoked.code == Some(1) && revoked.err.contains("(key_revoked"), "{}", revoked.err);
    assert_eq!(verify("backend").code, Some(0));
}

#[test]
fn what_identity_acknowledged_is_there_after_it_was_killed_in_mid_write() {
    let folder = Folder::new();
    let data = folder.join("data");
    let stack = Stack::start_in(&data);
    let machine = Program::new();
    let first = machine.join(&stack, "backend");
    let mut acknowledged = BTreeSet::from([id(&first)]);
    let identity = stack.running("identity");
    // Killed while others ask: in whatever step each of them is.
    let made: Vec<Option<String>> = std::thread::scope(|scope| {
        let machine = &machine;
        let make = |number: usize| {
            let name = format!("key-{number}");
            let made = ["keys", "make", "--name", &name, "--by", "backend", "--scope", "keys:read", "--json"];
            let said = machine.run(&made);
            (said.code == Some(0)).then(|| id(&serde_json::from_str(&said.out).unwrap()))
        };
        let makers: Vec<_> = (0..4)
            .map(|maker| {
                scope.spawn(move || (0..8).map(|number| make(8 * maker + number)).collect::<Vec<_>>())
            })
            .collect();
        let seen = || machine.folder.join("home/api-keys/key-2.json").exists();
        while !seen() {
            std::thread::yield_now();
        }
        identity.kill();
        makers.into_iter().flat_map(|maker| maker.join().unwrap()).collect()
    });
    assert!(made.iter().any(Option::is_none), "it was killed too late");
    acknowledged.extend(made.into_iter().flatten());
    assert_eq!(stack.wait().code, Some(4), "everything ends with it");

    let stack = Stack::start_in(&data);
    let listed = list_at(&machine, &stack);
    let there: BTreeSet<String> = listed["keys"].as_array().unwrap().iter().map(id).collect();
    assert!(acknowledged.is_subset(&there), "{acknowledged:?} of {there:?}");
}

/// The list, asked of a server that has another port by now.
fn list_at(machine: &Program, stack: &Stack) -> Value {
    let path = machine.folder.join("home/api-keys/backend.json");
    let mut written: Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
    written["server"] = stack.url().into();
    std::fs::write(&path, written.to_string()).unwrap();
    machine.json(&["keys", "list", "--key", "backend"])
}

mod postgres {
    use super::*;
    use std::io::{BufRead, BufReader};
    use std::process::{Child, Stdio};

    /// A PostgreSQL that ends when its input does: with its handle.
    struct Server {
        folder: String,
        child: Child,
    }

    impl Server {
        fn start() -> Server {
            let serve = Path::new(env!("CARGO_MANIFEST_DIR")).join("postgres/serve");
            let mut child = Command::new(serve).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
            let mut line = String::new();
            BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
            let folder = line.trim_end().strip_prefix("ready ").expect("`scripts/deps database` installs it");
            Server { folder: folder.to_owned(), child }
        }

        fn url(&self) -> String {
            format!("postgres://tensfer@{}/postgres", self.folder.replace('/', "%2F"))
        }
    }

    impl Drop for Server {
        fn drop(&mut self) {
            drop(self.child.stdin.take());
            let _ = self.child.wait();
        }
    }

    #[test]
    fn keys_are_kept_in_the_database_that_was_named_and_outlive_every_process() {
        let (server, folder, machine) = (Server::start(), Folder::new(), Program::new());
        let file = folder.join("database");
        std::fs::write(&file, format!("{}\n", server.url())).unwrap();
        let (data, named) = (folder.join("data"), file.to_str().unwrap());
        let refused = run(Stack::command(&data).args(["--database-file", named]), b"");
        assert!(String::from_utf8_lossy(&refused.stderr).contains("chmod 600"), "others may read it");
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();

        let stack = Stack::start_as(&data, &["--database-file", named]);
        let key = machine.join(&stack, "backend");
        assert!(!data.join("identity/identity.db").exists());
        stack.stop();
        let stack = Stack::start_as(&data, &["--database", &server.url()]);
        assert_eq!(list_at(&machine, &stack)["keys"][0]["id"], key["id"]);
    }
}

#[test]
fn an_organisation_forbids_itself_something_and_takes_it_back() {
    let stack = Stack::start();
    let machine = Program::new();
    machine.join(&stack, "backend");
    let file = machine.folder.join("restrictions.cedar");
    let path = file.to_str().unwrap();
    let text = "// Until the audit is over.\n@id(\"no-new-keys\")\nforbid (principal, action == Tensfer::Action::\"keys.make\", resource);\n";
    std::fs::write(&file, text).unwrap();
    assert_eq!(machine.json(&["policy", "check", path])["policies"], serde_json::json!(["no-new-keys"]));
    let none = machine.run(&["policy", "fetch"]);
    assert_eq!((none.code, none.out.as_str()), (Some(0), ""));
    assert!(none.err.contains("version 0"), "{}", none.err);

    let replaced = machine.json(&["policy", "replace", path]);
    assert_eq!((&replaced["version"], &replaced["text"]), (&1.into(), &text.into()));
    let fetched = machine.run(&["policy", "fetch"]);
    assert_eq!(fetched.out, text);
    let make = ["keys", "make", "--name", "reports", "--by", "backend", "--scope", "keys:read"];
    let refused = machine.run(&make);
    assert_eq!(refused.code, Some(1));
    assert!(
        refused.err.contains("(organisation_forbids by organisation/no-new-keys, request req_"),
        "{}",
        refused.err
    );
    let explained =
        machine.run(&["policy", "explain", "keys.make", "--scope", "keys:write", "--restrictions", path]);
    assert_eq!(explained.code, Some(1));
    assert!(explained.out.contains("no-new-keys, of the organisation"), "{}", explained.out);

    // Somebody who has not seen them takes nobody's place; and what could permit is refused here already.
    machine.refused(&["policy", "replace", path], "policies_replaced");
    std::fs::write(&file, "@id(\"all\") permit (principal, action, resource);").unwrap();
    let unfit = machine.run(&["policy", "replace", path, "--replaces", "1"]);
    assert_eq!(unfit.code, Some(1));
    assert!(unfit.err.contains("all permits"), "{}", unfit.err);
    assert_eq!(machine.run(&["policy", "check", path]).code, Some(1));
    assert_eq!(machine.run(&["policy", "check", "/nowhere.cedar"]).code, Some(2));

    std::fs::write(&file, "").unwrap();
    machine.json(&["policy", "replace", path, "--replaces", "1"]);
    machine.json(&make);
}
