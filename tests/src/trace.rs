//! Killing a program before a chosen call of the kernel, found by running it under ptrace.

use libc::{c_long, c_void, pid_t};
use std::mem::MaybeUninit;
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use std::ptr::null_mut;

/// Calls that change a file, a folder, or what another process knows.
const CHANGING: &[c_long] = &[
    libc::SYS_write,
    libc::SYS_pwrite64,
    libc::SYS_writev,
    libc::SYS_sendto,
    libc::SYS_sendmsg,
    libc::SYS_rename,
    libc::SYS_renameat,
    libc::SYS_renameat2,
    libc::SYS_link,
    libc::SYS_linkat,
    libc::SYS_unlink,
    libc::SYS_unlinkat,
    libc::SYS_mkdir,
    libc::SYS_fsync,
    libc::SYS_fdatasync,
    libc::SYS_ftruncate,
    libc::SYS_copy_file_range,
    libc::SYS_sendfile,
];

/// Runs a program of one thread and kills it before the `number`th call that changes something, counted from 1. `false`:
/// it made fewer, and ended by itself.
///
/// # Panics
/// When this process may not trace its children.
#[expect(unsafe_code, reason = "the kernel's interface for tracing has no safe form")]
#[expect(clippy::zombie_processes, reason = "its end was waited for where it ended by itself")]
pub fn kill_before(command: &mut Command, number: u32) -> bool {
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    // SAFETY: between fork and exec, one call of the kernel without memory of ours.
    unsafe {
        command.pre_exec(|| {
            match libc::ptrace(libc::PTRACE_TRACEME, 0, null_mut::<c_void>(), null_mut::<c_void>()) {
                0 => Ok(()),
                _ => Err(std::io::Error::last_os_error()),
            }
        });
    }
    let mut child = command.spawn().expect("a child that may be traced");
    let pid = pid_t::try_from(child.id()).expect("a process id");
    // It stops at its exec first.
    let mut stop = next_stop(pid);
    let options = libc::PTRACE_O_TRACESYSGOOD | libc::PTRACE_O_EXITKILL;
    ask(libc::PTRACE_SETOPTIONS, pid, options as usize);
    let mut found = 0;
    loop {
        let passed_on = match stop {
            Stop::Ended => return false,
            Stop::Call => {
                if entered(pid).is_some_and(|call| CHANGING.contains(&call)) {
                    found += 1;
                }
                if found == number {
                    child.kill().expect("a child of ours");
                    child.wait().expect("a child of ours");
                    return true;
                }
                0
            }
            Stop::Signal(libc::SIGTRAP) => 0,
            Stop::Signal(signal) => signal,
        };
        ask(libc::PTRACE_SYSCALL, pid, usize::try_from(passed_on).unwrap_or_default());
        stop = next_stop(pid);
    }
}

enum Stop {
    Ended,
    /// At its entry into the kernel, or its return from it.
    Call,
    Signal(i32),
}

#[expect(unsafe_code, reason = "the kernel's interface for tracing has no safe form")]
fn next_stop(pid: pid_t) -> Stop {
    let mut status = 0;
    // SAFETY: the status is ours.
    let waited = unsafe { libc::waitpid(pid, &raw mut status, 0) };
    if waited != pid || !libc::WIFSTOPPED(status) {
        return Stop::Ended;
    }
    match libc::WSTOPSIG(status) {
        signal if signal == libc::SIGTRAP | 0x80 => Stop::Call,
        signal => Stop::Signal(signal),
    }
}

#[expect(unsafe_code, reason = "the kernel's interface for tracing has no safe form")]
fn ask(request: libc::c_uint, pid: pid_t, data: usize) {
    // SAFETY: neither request writes to memory of ours.
    let asked = unsafe { libc::ptrace(request, pid, null_mut::<c_void>(), data) };
    assert_eq!(asked, 0, "{}", std::io::Error::last_os_error());
}

/// The number of the call that it is about to make; `None` on its way back.
#[expect(unsafe_code, reason = "the kernel's interface for tracing has no safe form")]
fn entered(pid: pid_t) -> Option<c_long> {
    let mut info = MaybeUninit::<libc::ptrace_syscall_info>::zeroed();
    // SAFETY: the kernel writes at most the size that it is given; what it does not write is zero, which every field may be.
    let info = unsafe {
        libc::ptrace(libc::PTRACE_GET_SYSCALL_INFO, pid, size_of_val(&info), info.as_mut_ptr());
        info.assume_init()
    };
    // SAFETY: at an entry that is the member of the union that is there.
    let number = || unsafe { info.u.entry.nr };
    (info.op == libc::PTRACE_SYSCALL_INFO_ENTRY).then(|| c_long::try_from(number()).unwrap_or(-1))
}
