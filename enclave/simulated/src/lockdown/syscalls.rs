//! The system calls that are left, each with what needs it. Any other one ends the process.

use super::Held;
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule,
    TargetArch,
};
use std::collections::BTreeMap;

/// Allowed whatever the arguments.
const ALLOWED: [(i64, &str); 20] = [
    (libc::SYS_read, "frames from the host"),
    (libc::SYS_write, "frames to the host"),
    (libc::SYS_poll, "waiting for either, on x86-64"),
    (libc::SYS_ppoll, "waiting for either"),
    (libc::SYS_close, "the channel, at the end"),
    (libc::SYS_clock_gettime, "the monotonic counter, where the vDSO cannot serve it"),
    (libc::SYS_getrandom, "entropy, and the cryptographic library's own"),
    (libc::SYS_munmap, "the allocator"),
    (libc::SYS_mremap, "the allocator"),
    (libc::SYS_madvise, "the allocator"),
    (libc::SYS_brk, "the allocator"),
    (libc::SYS_futex, "locks of the standard library"),
    (libc::SYS_sigaltstack, "the end of the main thread"),
    (libc::SYS_rt_sigaction, "abort"),
    (libc::SYS_rt_sigprocmask, "abort"),
    (libc::SYS_rt_sigreturn, "return from the stack guard's handler"),
    (libc::SYS_gettid, "abort"),
    (libc::SYS_getpid, "abort; fork detection of the cryptographic library"),
    (libc::SYS_exit, "the end"),
    (libc::SYS_exit_group, "the end"),
];

/// Allowed unless they ask for memory that can be run: the argument that holds `PROT_EXEC`.
const NEVER_EXECUTABLE: [(i64, u8); 2] = [(libc::SYS_mmap, 2), (libc::SYS_mprotect, 2)];

pub fn forbid() -> Held {
    match compile() {
        Ok(program) if seccompiler::apply_filter(&program).is_ok() => Held::Yes,
        Ok(_) => Held::No("the kernel has no seccomp filters"),
        Err(_) => Held::No("no filter for this processor"),
    }
}

fn compile() -> Result<BpfProgram, seccompiler::BackendError> {
    let mut rules: BTreeMap<i64, Vec<SeccompRule>> =
        ALLOWED.iter().map(|(syscall, _why)| (*syscall, Vec::new())).collect();
    for (syscall, argument) in NEVER_EXECUTABLE {
        rules.insert(syscall, vec![SeccompRule::new(vec![not_executable(argument)?])?]);
    }
    // abort() raises SIGABRT in the calling thread, and no other signal is sent.
    rules.insert(libc::SYS_tgkill, only(2, libc::SIGABRT)?);
    // The standard library asks, in debug builds, whether a descriptor that it closes is open.
    rules.insert(libc::SYS_fcntl, only(1, libc::F_GETFD)?);
    let arch = TargetArch::try_from(std::env::consts::ARCH)?;
    SeccompFilter::new(rules, SeccompAction::KillProcess, SeccompAction::Allow, arch)?.try_into()
}

/// Allowed with this value of one argument and no other.
fn only(argument: u8, value: i32) -> Result<Vec<SeccompRule>, seccompiler::BackendError> {
    let value = u64::from(value.unsigned_abs());
    let condition = SeccompCondition::new(argument, SeccompCmpArgLen::Dword, SeccompCmpOp::Eq, value)?;
    Ok(vec![SeccompRule::new(vec![condition])?])
}

fn not_executable(argument: u8) -> Result<SeccompCondition, seccompiler::BackendError> {
    let executable = u64::from(libc::PROT_EXEC.unsigned_abs());
    SeccompCondition::new(argument, SeccompCmpArgLen::Dword, SeccompCmpOp::MaskedEq(executable), 0)
}
