//! What is set in a file and in the environment is what a server goes by.

use stack::{Folder, LONG, Process, http, run, tensfer};
use std::fs;
use std::process::Command;

#[test]
fn a_server_goes_by_its_file_and_says_what_it_goes_by() {
    let folder = Folder::new();
    let (file, data) = (folder.join("tensfer.toml"), folder.join("data"));
    let text = format!("[up]\ndata = \"{}\"\nport = 0\nrequire_confinement = true\n", data.display());
    fs::write(&file, text).unwrap();
    let tensfer = |words: &[&str]| {
        let mut command = Command::new(tensfer());
        command.env("TENSFER_CONFIG", &file).args(words);
        command
    };
    let started = Process::start(&mut tensfer(&["up"]));
    let url = started.line("ready ", LONG);
    assert_eq!(http::get(&format!("{url}/v1/health")).status, 200);
    assert!(data.join("run/relay.sock").exists());
    assert_eq!(started.stop(LONG).code, Some(0));

    let shown = run(tensfer(&["config"]).env("TENSFER_UP_CERTIFICATE_LIFE", "60"), b"");
    let shown = String::from_utf8(shown.stdout).unwrap();
    assert!(shown.contains(&format!("port = 0  # {}:3\n", file.display())), "{shown}");
    assert!(shown.contains("certificate_life = 60  # TENSFER_UP_CERTIFICATE_LIFE\n"), "{shown}");

    fs::write(&file, "[up]\nprot = 0\n").unwrap();
    for words in [&["up"][..], &["config"], &["relay", "--run", "/"]] {
        let refused = run(&mut tensfer(words), b"");
        assert_eq!(refused.status.code(), Some(2), "{words:?}");
        let said = String::from_utf8_lossy(&refused.stderr);
        assert!(said.contains(":2: nothing is called `prot`; the nearest that there is: `port`"), "{said}");
    }
}
