//! What a process that is confined as a role keeps, tried from inside it.
//!
//! Every attempt is first shown to work without: one that cannot succeed would prove nothing.

use std::fs;
use std::net::TcpListener;
use std::os::unix::net::UnixListener;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

#[derive(Debug, PartialEq, Eq)]
enum Came {
    Worked,
    Refused,
    NotConfined,
    Killed,
}

const EVERYTHING: [&str; 1] = ["everything"];

fn probe(kept: &[&str], attempt: &[&str]) -> Output {
    let mut folder = std::env::current_exe().unwrap();
    folder.pop();
    folder.pop();
    let mut command = Command::new(folder.join("examples").join("confined"));
    command.args(kept).arg("--").args(attempt).output().unwrap()
}

fn came(kept: &[&str], attempt: &[&str]) -> Came {
    let status = probe(kept, attempt).status;
    match (status.code(), status.signal()) {
        (Some(0), _) => Came::Worked,
        (Some(10), _) => Came::Refused,
        (Some(20), _) => Came::NotConfined,
        (_, Some(libc::SIGSYS)) => Came::Killed,
        other => panic!("{attempt:?}: {other:?}"),
    }
}

/// Works without confinement, and comes to this with it.
fn comes(kept: &[&str], attempt: &[&str], expected: Came) {
    assert_eq!(came(&EVERYTHING, attempt), Came::Worked, "{attempt:?}, without confinement");
    assert_eq!(came(kept, attempt), expected, "{attempt:?}, confined to {kept:?}");
}

/// A folder with a file in it.
fn folder(path: PathBuf) -> PathBuf {
    fs::create_dir_all(&path).unwrap();
    fs::write(path.join("file"), "text").unwrap();
    path
}

fn word(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// As a server's data lies, and its witness's.
fn data() -> tempfile::TempDir {
    let data = tempfile::tempdir().unwrap();
    for name in
        ["relay/register", "identity", "rotation", "run/operator", "witness/kept", "witness/run/relay"]
    {
        folder(data.path().join(name));
    }
    fs::write(data.path().join("simulated-root"), "root").unwrap();
    data
}

#[test]
fn a_role_reads_and_writes_what_it_keeps_and_nothing_else_of_the_data_folder() {
    let data = data();
    let at = |name: &str| format!("{}/{name}", word(data.path()));
    let (own, witness) = (format!("written={}", at("relay")), format!("read={}", at("witness/run")));
    let relay = [own.as_str(), witness.as_str(), "sockets"];
    for kept in ["relay/register/file", "witness/run/relay/file"] {
        comes(&relay, &["read", &at(kept)], Came::Worked);
    }
    comes(&relay, &["replace", &at("relay/register/file")], Came::Worked);
    comes(&relay, &["replace", &at("witness/run/relay/file")], Came::Refused);
    // What makes an operator of who reads it, and another's key, lie beside what it keeps.
    for other in
        ["run/operator/file", "simulated-root", "identity/file", "rotation/file", "witness/kept/file"]
    {
        comes(&relay, &["read", &at(other)], Came::Refused);
        comes(&relay, &["read in a thread", &at(other)], Came::Refused);
        comes(&relay, &["write", &at(other)], Came::Refused);
    }
    comes(&relay, &["list", &at("run")], Came::Refused);
    comes(&relay, &["read", "/etc/passwd"], Came::Refused);
    comes(&relay, &["read", "/proc/self/environ"], Came::Refused);
}

#[test]
fn a_folder_or_file_that_somebody_else_keeps_new_is_read_wherever_its_links_lead() {
    let folder_of = tempfile::tempdir().unwrap();
    let at = |name: &str| format!("{}/{name}", word(folder_of.path()));
    let (archive, live) = (folder(folder_of.path().join("archive")), folder(folder_of.path().join("live")));
    fs::write(archive.join("chain2.pem"), "next").unwrap();
    std::os::unix::fs::symlink("../archive/file", live.join("chain.pem")).unwrap();
    folder(folder_of.path().join("other"));
    for keeps in [format!("replaced={}", at("live/chain.pem")), format!("kept new={}", at("live"))] {
        for kept in ["live/chain.pem", "live/file", "archive/chain2.pem"] {
            comes(&[&keeps], &["read", &at(kept)], Came::Worked);
        }
        comes(&[&keeps], &["read", &at("other/file")], Came::Refused);
        comes(&[&keeps], &["write", &at("live/file")], Came::Refused);
    }
}

#[test]
fn a_role_connects_to_its_ports_calls_over_sockets_if_it_calls_and_listens_to_nobody_new() {
    let data = data();
    let [asked, other] = [(); 2].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
    let _open = [&asked, &other].map(|listener| listener.try_clone().unwrap());
    let [asked, other] = [&asked, &other].map(|listener| listener.local_addr().unwrap().port().to_string());
    let socket = data.path().join("run/relay.sock");
    let _socket = UnixListener::bind(&socket).unwrap();

    let egress = [&*format!("port={asked}")];
    comes(&egress, &["connect", &asked], Came::Worked);
    comes(&egress, &["connect", &other], Came::Refused);
    comes(&egress, &["call", word(&socket)], Came::Refused);
    comes(&egress, &["ask by datagram"], Came::Refused);
    comes(&["sockets"], &["call", word(&socket)], Came::Worked);
    comes(&["sockets"], &["connect", &asked], Came::Refused);
    for kept in [&egress[..], &["sockets"], &[], &["names", "port=443"]] {
        comes(kept, &["listen"], Came::Refused);
    }
    comes(&["names", "port=443"], &["connect", &asked], Came::Refused);
}

#[test]
fn whoever_resolves_names_still_does_and_nobody_else() {
    let names = ["names", "port=443"];
    comes(&names, &["resolve a name"], Came::Worked);
    comes(&names, &["ask by datagram"], Came::Worked);
    comes(&["port=443"], &["resolve a name"], Came::Refused);
    let data = data();
    comes(&names, &["read", word(&data.path().join("simulated-root"))], Came::Refused);
}

#[test]
fn a_role_starts_no_program_looks_into_no_process_and_makes_no_code() {
    let written = ["written=/", "sockets", "names", "port=443"];
    for kept in [&[][..], &written] {
        for ends in ["become another program", "trace itself", "leave its namespace"] {
            comes(kept, &[ends], Came::Killed);
        }
        // Not every machine lets anybody do these.
        for ends in ["read memory as another", "make calls that no filter sees"] {
            assert_eq!(came(kept, &[ends]), Came::Killed, "{ends}");
        }
        for refused in ["start a program", "become two", "signal its parent", "map memory to run"] {
            comes(kept, &[refused], Came::Refused);
        }
        comes(kept, &["map memory, and run it"], Came::Refused);
        comes(kept, &["nothing"], Came::Worked);
    }
}

#[test]
fn a_kernel_without_landlock_is_named_and_refused_where_all_of_it_is_required() {
    let wanted = probe(&["wanted", "without landlock"], &["nothing"]);
    assert!(wanted.status.success());
    let said = String::from_utf8_lossy(&wanted.stderr);
    assert!(
        said.contains("not confined: no files and ports but its own: the kernel has no landlock"),
        "{said}"
    );
    let required = probe(&["without landlock"], &["nothing"]);
    assert_eq!(required.status.code(), Some(20));
    assert!(String::from_utf8_lossy(&required.stderr).contains("the kernel has no landlock"));
    // The other layers hold all the same.
    assert_eq!(came(&["wanted", "without landlock"], &["become another program"]), Came::Killed);
}

#[test]
fn a_process_with_a_second_thread_is_not_taken_for_confined() {
    for kept in [&["a second thread"][..], &["wanted", "a second thread"]] {
        assert_eq!(came(kept, &["nothing"]), Came::NotConfined);
    }
}
