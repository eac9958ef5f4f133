//! Confines itself to what is named before `--`, then tries what is named after it. For `tests/confinement.rs`.
//!
//! Exit codes: 0 it worked, 10 it was refused, 20 it is not confined; a signal if the kernel ended the process.

use host::calls::Role;
use host::confinement::{Demand, Kept, confine};
use seccompiler::{BpfProgram, SeccompAction, SeccompFilter, TargetArch};
use std::fs::{self, File};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream, ToSocketAddrs};
use std::os::unix::net::UnixStream;
use std::process::{Command, ExitCode, id};
use std::thread;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let mut halves = arguments.split(|argument| argument == "--");
    let (before, attempt) = (halves.next().unwrap_or_default(), halves.next().unwrap_or_default());
    let mut demand = Some(Demand::Required);
    let mut kept = Kept::default();
    for word in before {
        match word.split_once('=').unwrap_or((word, "")) {
            ("read", path) => kept.read.push(path.into()),
            ("written", path) => kept.written.push(path.into()),
            ("replaced", path) => kept = kept.and_replaced(path.as_ref()),
            ("kept new", path) => kept = kept.and_kept_new(path.as_ref()),
            ("port", port) => kept.ports.push(port.parse().expect("a port")),
            ("sockets", _) => kept.sockets = true,
            ("names", _) => kept.names = true,
            ("wanted", _) => demand = Some(Demand::Wanted),
            ("everything", _) => demand = None,
            ("without landlock", _) => forget_landlock(),
            ("a second thread", _) => drop(thread::spawn(thread::park)),
            other => panic!("{other:?}"),
        }
    }
    let parent = std::os::unix::process::parent_id();
    if let Some(Err(not)) = demand.map(|demand| confine(Role::Gateway, &kept, demand)) {
        eprintln!("{not}");
        return ExitCode::from(20);
    }
    let [attempt, of @ ..] = attempt else { panic!("something to try") };
    let of = of.first().map_or("", String::as_str);
    if works(attempt, of, parent) { ExitCode::SUCCESS } else { ExitCode::from(10) }
}

fn works(attempt: &str, of: &str, parent: u32) -> bool {
    match attempt {
        "nothing" => true,
        "read" => File::open(of).and_then(|mut file| file.read(&mut [0])).is_ok(),
        "write" => fs::write(of, "new").is_ok(),
        "replace" => replace(of).is_ok(),
        "list" => fs::read_dir(of).is_ok(),
        "connect" => TcpStream::connect(("127.0.0.1", of.parse().expect("a port"))).is_ok(),
        "listen" => TcpListener::bind("127.0.0.1:0").is_ok(),
        "call" => UnixStream::connect(of).is_ok(),
        "ask by datagram" => call(libc::SYS_socket, [libc::AF_INET.into(), libc::SOCK_DGRAM.into(), 0, 0]),
        "resolve a name" => {
            ("localhost", 443).to_socket_addrs().is_ok_and(|mut found| found.next().is_some())
        }
        "read in a thread" => {
            let of = of.to_owned();
            thread::spawn(move || fs::read(of).is_ok()).join().unwrap_or(false)
        }
        "start a program" => Command::new("/bin/true").status().is_ok_and(|status| status.success()),
        "become another program" => execute(),
        "become two" => fork(),
        "signal its parent" => call(libc::SYS_kill, [parent.into(), 0, 0, 0]),
        "trace itself" => call(libc::SYS_ptrace, [0; 4]),
        "read memory as another" => call(libc::SYS_process_vm_readv, [id().into(), 0, 0, 0]),
        "leave its namespace" => call(libc::SYS_unshare, [libc::CLONE_NEWUSER.into(), 0, 0, 0]),
        "make calls that no filter sees" => io_uring(),
        "map memory to run" => map(libc::PROT_READ | libc::PROT_WRITE | libc::PROT_EXEC),
        "map memory, and run it" => map(libc::PROT_READ | libc::PROT_EXEC),
        other => panic!("{other}"),
    }
}

/// As what must last is replaced.
fn replace(path: &str) -> std::io::Result<()> {
    let next = format!("{path}.next");
    let mut file = File::create(&next)?;
    file.write_all(b"new")?;
    file.sync_all()?;
    fs::rename(next, path)
}

#[expect(unsafe_code, reason = "the call itself is what is tried")]
fn call(number: i64, [one, two, three, four]: [i64; 4]) -> bool {
    // SAFETY: none of those that are tried is given memory.
    unsafe { libc::syscall(number, one, two, three, four) >= 0 }
}

#[expect(unsafe_code, reason = "the call itself is what is tried")]
fn io_uring() -> bool {
    let mut parameters = [0_u8; 120];
    // SAFETY: as large as the kernel's structure.
    unsafe { libc::syscall(libc::SYS_io_uring_setup, 1, parameters.as_mut_ptr()) >= 0 }
}

#[expect(unsafe_code, reason = "the call itself is what is tried")]
fn fork() -> bool {
    // SAFETY: the child does nothing but end.
    match unsafe { libc::fork() } {
        -1 => false,
        // SAFETY: as above.
        0 => unsafe { libc::_exit(0) },
        _ => true,
    }
}

#[expect(unsafe_code, reason = "the call itself is what is tried")]
fn execute() -> bool {
    let arguments = [c"/bin/true".as_ptr(), std::ptr::null()];
    // SAFETY: texts that end, in a list that ends.
    unsafe { libc::execv(c"/bin/true".as_ptr(), arguments.as_ptr()) == 0 }
}

#[expect(unsafe_code, reason = "the call itself is what is tried")]
fn map(protection: i32) -> bool {
    let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
    // SAFETY: an anonymous mapping that nothing uses.
    let mapped = unsafe { libc::mmap(std::ptr::null_mut(), 4096, libc::PROT_READ, flags, -1, 0) };
    // SAFETY: of that mapping.
    mapped != libc::MAP_FAILED && unsafe { libc::mprotect(mapped, 4096, protection) } == 0
}

/// As a kernel that has none.
fn forget_landlock() {
    let arch = TargetArch::try_from(std::env::consts::ARCH).expect("a processor with filters");
    let absent = SeccompAction::Errno(libc::ENOSYS.unsigned_abs());
    let calls = [(libc::SYS_landlock_create_ruleset, Vec::new())].into();
    let filter = SeccompFilter::new(calls, SeccompAction::Allow, absent, arch).expect("a filter");
    let program: BpfProgram = filter.try_into().expect("a filter");
    seccompiler::apply_filter(&program).expect("the kernel has filters");
}
