//! The first and only process of the machine: what the kernel leaves to it, and the machine's end.
//!
//! It starts no other process, so there is none to reap; there is no shell, no file system but the kernel's own, no swap and no network.

use rustix::fs::{Mode, OFlags, open};
use rustix::io::Errno;
use rustix::mount::{MountFlags, mount};
use rustix::process::Pid;
use rustix::stdio::{dup2_stderr, dup2_stdin, dup2_stdout};
use rustix::system::{RebootCommand, reboot};
use std::os::fd::{AsRawFd, IntoRawFd};

/// Whether this is the machine's first process. Elsewhere somebody else is in charge, and what is measured is not this program.
pub fn is_ours() -> bool {
    rustix::process::getpid() == Pid::INIT
}

/// Mounts the devices, and opens the console if there is one. Before it, no descriptor need be open.
pub fn prepare() -> Result<(), Errno> {
    mount("devtmpfs", "/dev", "devtmpfs", MountFlags::NOSUID | MountFlags::NOEXEC, None)?;
    let terminal = OFlags::RDWR | OFlags::NOCTTY;
    let console = open("/dev/console", terminal, Mode::empty())
        .or_else(|_| open("/dev/null", terminal, Mode::empty()))?;
    dup2_stdin(&console)?;
    dup2_stdout(&console)?;
    dup2_stderr(&console)?;
    if console.as_raw_fd() <= 2 {
        // The kernel had opened none: this one is standard input now, and stays.
        let _ = console.into_raw_fd();
    }
    ignore_broken_pipes();
    Ok(())
}

/// A host that hangs up shows as an error of the write. The standard library sees to that only in programs that it starts itself.
#[expect(unsafe_code, reason = "no safe wrapper for signal(2) is at hand")]
fn ignore_broken_pipes() {
    // SAFETY: no handler is installed; the process has one thread.
    unsafe { libc::signal(libc::SIGPIPE, libc::SIG_IGN) };
}

/// Ends the machine. Its memory goes with it.
pub fn end() -> ! {
    // A first process that returns makes the kernel panic, which ends the machine too (`panic=1`).
    let _ = reboot(RebootCommand::Restart);
    std::process::abort()
}

/// Stirs bytes into the kernel's generator, which the cryptographic library draws from.
pub fn stir(bytes: &[u8]) -> Result<(), Errno> {
    let random = open("/dev/random", OFlags::WRONLY | OFlags::CLOEXEC, Mode::empty())?;
    match rustix::io::write(&random, bytes)? {
        written if written == bytes.len() => Ok(()),
        _ => Err(Errno::IO),
    }
}
