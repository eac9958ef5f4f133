//! The search sees: a leak planted in each searched place, in each encoding, is found, and nothing else is.

use stack::canary::{Encoding, Leak, Marks, Place, Scanner};
use stack::{Folder, Running, descendants};
use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::ffi::OsStringExt;
use std::process::{Child, Command, Stdio};

#[test]
fn a_leak_planted_in_memory_is_found() {
    let planted = Planted::make();
    let mut holder = Holder::start(&mut Command::new("sh"), "IFS= read -r held; echo; IFS= read -r end");
    assert_eq!(planted.scanner.search_memory(&holder.running()).leaks, []);
    holder.tell(&planted.all());
    let memory = planted.scanner.search_memory(&holder.running());
    planted.assert_found(&memory.leaks, |place| matches!(place, Place::Memory { .. }));
    assert!(memory.unreadable.is_empty(), "{:?}", memory.unreadable);
}

#[test]
fn a_leak_planted_on_a_command_line_is_found() {
    let planted = Planted::make();
    let arguments = planted.leaks.iter().map(|(_, text)| OsString::from_vec(text.clone()));
    // Started as `sh -c SCRIPT NAME ARGUMENT…`.
    let mut command = Command::new("sh");
    command.args(["-c", "echo; IFS= read -r end", "sh"]).args(arguments);
    let mut holder = Holder::spawn(&mut command);
    holder.wait();
    let leaks = planted.scanner.search_process(&holder.running());
    planted.assert_found(&leaks, |place| matches!(place, Place::Arguments(_)));
}

#[test]
fn a_leak_planted_in_an_environment_is_found() {
    let planted = Planted::make();
    let mut command = Command::new("sh");
    for (number, (_, text)) in planted.leaks.iter().enumerate() {
        command.env(format!("PLANTED_{number}"), OsString::from_vec(text.clone()));
    }
    let mut holder = Holder::start(&mut command, "echo; IFS= read -r end");
    holder.wait();
    let leaks = planted.scanner.search_process(&holder.running());
    planted.assert_found(&leaks, |place| matches!(place, Place::Environment(_)));
}

#[test]
fn a_leak_planted_in_a_log_is_found() {
    let planted = Planted::make();
    let output = stack::run(Command::new("sh").args(["-c", "cat >&2"]), &planted.all());
    let leaks = planted.scanner.search_output("a program", &output.stderr);
    planted.assert_found(&leaks, |place| matches!(place, Place::Output { .. }));
    assert_eq!(planted.scanner.search_output("a program", &output.stdout), []);
}

#[test]
fn a_leak_planted_in_a_file_is_found_however_deep() {
    let planted = Planted::make();
    let folder = Folder::new();
    fs::create_dir_all(folder.join("a/b")).unwrap();
    for (number, (_, text)) in planted.leaks.iter().enumerate() {
        fs::write(folder.join(format!("a/b/{number}.json")), [b"{\"x\": \"", &text[..], b"\"}"].concat())
            .unwrap();
    }
    let leaks = planted.scanner.search_folder(folder.path(), &[]);
    planted.assert_found(&leaks, |place| matches!(place, Place::File { .. }));
    let excepted = folder.join("a/b/0.json");
    assert_eq!(planted.scanner.search_folder(folder.path(), &[excepted]).len(), leaks.len() - 1);
}

#[test]
fn a_leak_planted_in_a_databases_pages_is_found_also_across_a_piece_of_reading() {
    let planted = Planted::make();
    let folder = Folder::new();
    let mut pages = b"SQLite format 3\0".to_vec();
    for (number, (_, text)) in planted.leaks.iter().enumerate() {
        // Reading goes by 4 MiB: each leak lies across such a boundary, at another place in itself.
        pages.resize((number + 1) * (4 << 20) - 1 - number * text.len() / planted.leaks.len(), number as u8);
        pages.extend_from_slice(text);
    }
    fs::write(folder.join("store.sqlite"), &pages).unwrap();
    let leaks = planted.scanner.search_folder(folder.path(), &[]);
    planted.assert_found(&leaks, |place| matches!(place, Place::File { .. }));
}

#[test]
fn a_leak_planted_in_a_file_that_is_deleted_and_still_open_is_found() {
    let planted = Planted::make();
    let folder = Folder::new();
    fs::write(folder.join("gone"), planted.all()).unwrap();
    let script = "exec 3<gone; rm gone; echo; IFS= read -r end";
    let mut holder = Holder::start(Command::new("sh").current_dir(folder.path()), script);
    holder.wait();
    assert_eq!(planted.scanner.search_folder(folder.path(), &[]), []);
    let leaks = planted.scanner.search_process(&holder.running());
    planted.assert_found(&leaks, |place| matches!(place, Place::OpenFile { .. }));
}

#[test]
fn a_leak_planted_in_the_name_of_a_file_is_found() {
    let secret: [u8; 32] = random();
    let folder = Folder::new();
    let name = Encoding::Base64Url(0).encode(&secret);
    fs::write(folder.join(OsString::from_vec(name)), b"").unwrap();
    let leaks = Scanner::new(&Marks::new().with("planted", &secret)).search_folder(folder.path(), &[]);
    assert!(leaks.iter().all(|leak| matches!(leak.place, Place::FileName(_))) && !leaks.is_empty());
}

#[test]
fn the_constants_of_a_program_are_no_leak_until_it_copies_one() {
    let program = fs::read(fs::canonicalize("/bin/sh").unwrap()).unwrap();
    let mut runs = program.split(|byte| !(b' '..=b'~').contains(byte));
    let constant = runs.find(|run| run.len() > 40 && run.contains(&b'%')).or_else(|| program.get(64..104));
    let scanner = Scanner::new(&Marks::new().with("constant", constant.unwrap()));
    let mut holder = Holder::start(&mut Command::new("sh"), "IFS= read -r held; echo; IFS= read -r end");
    let quiet = scanner.search_memory(&holder.running()).leaks;
    holder.tell(constant.unwrap());
    let told = scanner.search_memory(&holder.running()).leaks;
    assert_eq!(quiet, []);
    assert!(!told.is_empty());
}

#[test]
fn a_report_says_where_and_never_what() {
    let secret: [u8; 32] = random();
    let marks = Marks::new().with("owner secret", &secret);
    let scanner = Scanner::new(&marks);
    let leaks = scanner.search_output("gateway", &[b"log: ", &secret[..]].concat());
    assert_eq!(leaks[0].to_string(), "owner secret as raw bytes in the output of gateway at 0x5");
    let told = format!("{leaks:?} {marks:?} {scanner:?}");
    assert_eq!(scanner.search_output("the report", told.as_bytes()), []);
}

/// A secret of its own for each encoding, planted in that one only; and one that is planted nowhere.
struct Planted {
    leaks: Vec<(Encoding, Vec<u8>)>,
    scanner: Scanner,
}

impl Planted {
    fn make() -> Planted {
        let secrets = Encoding::ALL.map(|encoding| (encoding, telling()));
        let marks =
            secrets.iter().fold(Marks::new().with("planted nowhere", &telling()), |marks, (e, secret)| {
                marks.with(&format!("{e:?}"), secret)
            });
        let leaks = secrets.iter().map(|(encoding, secret)| (*encoding, encoding.encode(secret))).collect();
        Planted { leaks, scanner: Scanner::new(&marks) }
    }

    /// All that is planted, in one line.
    fn all(&self) -> Vec<u8> {
        self.leaks.iter().map(|(_, text)| text.as_slice()).collect::<Vec<_>>().join(&b' ')
    }

    /// Each of them, whole, as what it is, in such a place; and nothing else.
    fn assert_found(&self, leaks: &[Leak], place: impl Fn(&Place) -> bool) {
        for leak in leaks {
            assert!(place(&leak.place), "{leak}");
            assert!(leak.whole && leak.secret == format!("{:?}", leak.encoding), "{leak}");
        }
        let found: BTreeSet<Encoding> = leaks.iter().map(|leak| leak.encoding).collect();
        assert_eq!(found, BTreeSet::from(Encoding::ALL));
    }
}

/// Random, and different in each encoding; of bytes that may stand on a command line and in a shell's variable.
fn telling() -> [u8; 32] {
    loop {
        let secret = random::<32>().map(|byte| match byte {
            b'!'..=b'[' | b']'..=b'~' | 0xa0.. => byte,
            other => 0xa0 + other % 0x60,
        });
        let texts: BTreeSet<Vec<u8>> =
            Encoding::ALL.iter().map(|encoding| encoding.encode(&secret)).collect();
        if texts.len() == Encoding::ALL.len() {
            return secret;
        }
    }
}

fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    aws_lc_rs::rand::fill(&mut bytes).unwrap();
    bytes
}

/// A shell that waits until its standard input ends.
struct Holder {
    child: Child,
}

impl Holder {
    fn start(command: &mut Command, script: &str) -> Holder {
        Holder::spawn(command.env("LC_ALL", "C").args(["-c", script]))
    }

    fn spawn(command: &mut Command) -> Holder {
        Holder { child: command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap() }
    }

    /// Writes a line, and waits until it was read.
    fn tell(&mut self, line: &[u8]) {
        self.child.stdin.as_mut().unwrap().write_all(&[line, b"\n"].concat()).unwrap();
        self.wait();
    }

    /// Waits for a line.
    fn wait(&mut self) {
        let mut line = String::new();
        BufReader::new(self.child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        assert_eq!(line, "\n");
    }

    fn running(&self) -> Running {
        descendants(self.child.id()).remove(0)
    }
}

impl Drop for Holder {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
