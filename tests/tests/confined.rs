//! Our own processes as they really run: each keeps what it needs, and the kernel holds it to that.

use stack::{Folder, Stack, http};
use std::fs;
use std::os::unix::fs::symlink;

const ROLES: [&str; 5] = ["gateway", "identity", "relay", "egress", "witness"];

/// A field of each thread's status.
fn threads(pid: u32, field: &str) -> Vec<String> {
    let tasks = fs::read_dir(format!("/proc/{pid}/task")).unwrap();
    let status = tasks.map(|task| fs::read_to_string(task.unwrap().path().join("status")).unwrap());
    let named = |status: String| {
        let line = status.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':'));
        line.unwrap().trim().to_owned()
    };
    status.map(named).collect()
}

#[test]
fn every_thread_of_every_role_is_held_by_the_kernel() {
    let folder = Folder::new();
    let stack = Stack::start_as(&folder.join("data"), &["--require-confinement"]);
    for role in ROLES {
        let pid = stack.running(role).pid;
        for (field, expected) in
            [("Seccomp", "2"), ("Seccomp_filters", "2"), ("NoNewPrivs", "1"), ("CapEff", "0000000000000000")]
        {
            let held = threads(pid, field);
            assert!(held.iter().all(|value| value == expected), "{role}: {field}: {held:?}");
        }
    }
    // The database's thread is there, and began after that.
    assert!(threads(stack.running("identity").pid, "Seccomp").len() > 1);
    let ended = stack.stop();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(!ended.stderr.contains("confined"), "{}", ended.stderr);
}

/// Whoever could have the gateway read a file of their choice gets none that is not meant for everybody.
#[test]
fn the_gateway_that_runs_reads_what_is_published_and_not_what_makes_an_operator() {
    let stack = Stack::start();
    let published = stack.data().join("rotation/completion.cbor");
    let ask = || http::get(&format!("{}/v1/rotation/completion", stack.url()));
    assert_eq!(ask().status, 404);
    fs::write(&published, "stated").unwrap();
    let served = ask();
    assert_eq!((served.status, served.text().as_str()), (200, "stated"));
    let outside = [
        stack.run().join("operator/svid_key.pem"),
        stack.data().join("simulated-root"),
        "/etc/passwd".into(),
    ];
    for file in outside {
        fs::read(&file).unwrap();
        fs::remove_file(&published).unwrap();
        symlink(&file, &published).unwrap();
        assert_eq!(ask().status, 500, "{}", file.display());
    }
}

#[test]
fn a_register_where_former_versions_had_it_is_taken_along_and_two_are_nobodys_to_choose_from() {
    let folder = Folder::new();
    let data = folder.join("data");
    Stack::start_in(&data).stop();
    let (former, now) = (data.join("register"), data.join("relay/register"));
    assert!(now.join("journal").exists() && !former.exists());
    fs::rename(&now, &former).unwrap();
    let mark = former.join("mark");
    fs::write(&mark, "kept").unwrap();
    Stack::start_in(&data).stop();
    assert!(now.join("mark").exists() && !former.exists());
    fs::create_dir(&former).unwrap();
    let refused = stack::run(&mut Stack::command(&data), b"");
    assert_eq!(refused.status.code(), Some(4));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("there is a register at"));
}
