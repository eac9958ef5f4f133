//! Locks itself down with the layers named before `--`, then tries what is named after it. For `tests/lockdown.rs`.
//!
//! Exit codes: 0 it worked, 10 it was refused; a signal if the kernel ended the process.
#![expect(clippy::print_stdout, clippy::print_stderr, clippy::expect_used, reason = "a test program")]

use simulated::lockdown::{Held, Layer, apply};
use std::io::{Read, Write};
use std::process::{Command, ExitCode};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let mut halves = arguments.split(|argument| argument == "--");
    let (layers, attempt) = (halves.next().unwrap_or_default(), halves.next().unwrap_or_default());
    let parent = std::os::unix::process::parent_id();
    for name in layers {
        let layer = Layer::ALL.into_iter().find(|layer| layer.name() == name).expect("a layer's name");
        match apply(layer) {
            Held::Yes => {}
            Held::Partly(why) => eprintln!("{name}: partly: {why}"),
            Held::No(why) => {
                eprintln!("{name}: {why}");
                return ExitCode::from(20);
            }
        }
    }
    let attempt = attempt.first().expect("something to try");
    if try_it(attempt, parent) { ExitCode::SUCCESS } else { ExitCode::from(10) }
}

fn try_it(attempt: &str, parent: u32) -> bool {
    match attempt {
        "nothing" => true,
        "read a file" => std::fs::read("/etc/passwd").is_ok(),
        "write a file" => write_a_file(),
        "list a folder" => std::fs::read_dir("/").is_ok(),
        "connect" => std::net::TcpStream::connect("127.0.0.1:9").is_err_and(|error| {
            // Refused by nobody listening means that the packet went out.
            error.kind() == std::io::ErrorKind::ConnectionRefused
        }),
        "listen" => std::net::TcpListener::bind("127.0.0.1:0").is_ok(),
        "open a unix socket" => std::os::unix::net::UnixStream::pair().is_ok(),
        "start a program" => Command::new("/bin/true").status().is_ok_and(|status| status.success()),
        "start a thread" => std::thread::Builder::new().spawn(|| {}).is_ok(),
        "signal its parent" => signal(parent),
        "become root" => rustix::thread::set_thread_uid(rustix::process::Uid::ROOT).is_ok(),
        "trace itself" => trace_me(),
        "map memory to run" => map_executable(),
        "hold still" => hold_still(),
        "abort" => std::process::abort(),
        "panic" => panic_over_a_secret(),
        _ => false,
    }
}

/// A file of this process alone: another user may have run the same test.
fn write_a_file() -> bool {
    let path = format!("/tmp/tensfer-lockdown-probe-{}", std::process::id());
    let written = std::fs::write(&path, b"x").is_ok();
    let _ = std::fs::remove_file(&path);
    written
}

fn signal(parent: u32) -> bool {
    rustix::process::Pid::from_raw(parent.cast_signed())
        .is_some_and(|parent| rustix::process::test_kill_process(parent).is_ok())
}

/// Prints where a marked secret is in memory, then waits for standard input to end.
fn hold_still() -> bool {
    let secret: Vec<u8> = b"tensfer-".iter().chain(b"probe-secret").copied().collect();
    println!("{} {:p} {}", std::process::id(), secret.as_ptr(), secret.len());
    let flushed = std::io::stdout().flush().is_ok();
    let read = std::io::stdin().read(&mut [0u8; 1]).is_ok();
    flushed && read && !secret.is_empty()
}

/// What the enclave does with a panic, whose own message would quote the secret.
fn panic_over_a_secret() -> bool {
    channel::faults::say_nothing_of_panics();
    let secret = ["tensfer-", "probe-secret"].concat();
    secret.parse::<u32>().map_err(|_| &secret).expect("a fault") == 0
}

#[expect(unsafe_code, reason = "the call itself is what is tried")]
fn trace_me() -> bool {
    // SAFETY: PTRACE_TRACEME takes no pointers.
    unsafe { libc::ptrace(libc::PTRACE_TRACEME, 0, 0, 0) == 0 }
}

#[expect(unsafe_code, reason = "the call itself is what is tried")]
fn map_executable() -> bool {
    let protection = libc::PROT_READ | libc::PROT_WRITE | libc::PROT_EXEC;
    // SAFETY: an anonymous mapping that nothing uses.
    let mapped = unsafe {
        libc::mmap(std::ptr::null_mut(), 4096, protection, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS, -1, 0)
    };
    mapped != libc::MAP_FAILED
}
