//! System calls (seccomp): those that roles make, each with what makes it. Those that nobody but an intruder makes end the
//! process, and with it everything that `up` started; any other answers ENOSYS, as a kernel would that has no such call, for
//! which libraries have another way (docs/decisions/least-privilege.md).

use super::{Held, Kept};
use seccompiler::{
    BackendError, BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
    SeccompRule, TargetArch,
};
use std::collections::BTreeMap;

type Rules = BTreeMap<i64, Vec<SeccompRule>>;
type Calls = &'static [(i64, &'static str)];

/// Every role, whatever the arguments.
const ALWAYS: Calls = &[
    // Connections.
    (libc::SYS_read, "connections, files"),
    (libc::SYS_write, "connections, the log"),
    (libc::SYS_readv, "connections"),
    (libc::SYS_writev, "connections: several frames at once"),
    (libc::SYS_recvfrom, "connections"),
    (libc::SYS_sendto, "connections"),
    (libc::SYS_recvmsg, "connections"),
    (libc::SYS_sendmsg, "connections"),
    (libc::SYS_accept4, "a caller, a client"),
    (libc::SYS_shutdown, "the end of a connection"),
    (libc::SYS_close, "the end of anything"),
    (libc::SYS_getsockname, "the library of sockets"),
    (libc::SYS_getpeername, "the library of sockets"),
    (libc::SYS_getsockopt, "whose socket it is; whether connecting came to anything"),
    (libc::SYS_epoll_ctl, "waiting"),
    (libc::SYS_epoll_pwait, "waiting"),
    (libc::SYS_ppoll, "waiting"),
    // Files: landlock says which.
    (libc::SYS_openat, "files that it keeps"),
    (libc::SYS_fstat, "files"),
    (libc::SYS_newfstatat, "files"),
    (libc::SYS_statx, "files"),
    (libc::SYS_lseek, "files"),
    (libc::SYS_pread64, "files"),
    (libc::SYS_getdents64, "folders"),
    (libc::SYS_readlinkat, "whether a file's name is a link"),
    (libc::SYS_faccessat, "whether a file is there"),
    // Memory, and the threads that files are read on.
    (libc::SYS_munmap, "the allocator"),
    (libc::SYS_mremap, "the allocator"),
    (libc::SYS_madvise, "the allocator, the end of a thread"),
    (libc::SYS_brk, "the allocator"),
    (libc::SYS_futex, "locks"),
    (libc::SYS_sched_yield, "locks"),
    (libc::SYS_sched_getaffinity, "how many threads are worth while"),
    (libc::SYS_set_robust_list, "the start of a thread"),
    (libc::SYS_rseq, "the start of a thread"),
    (libc::SYS_sigaltstack, "the start of a thread"),
    (libc::SYS_exit, "the end of a thread"),
    (libc::SYS_exit_group, "the end"),
    (libc::SYS_gettid, "locks, abort"),
    (libc::SYS_getpid, "abort; fork detection of the cryptographic library"),
    (libc::SYS_getuid, "the library of the database"),
    (libc::SYS_geteuid, "whose socket it is"),
    (libc::SYS_rt_sigaction, "signals"),
    (libc::SYS_rt_sigprocmask, "signals, the start of a thread"),
    (libc::SYS_rt_sigreturn, "signals"),
    // Time and chance.
    (libc::SYS_clock_gettime, "time, where the vDSO cannot serve it"),
    (libc::SYS_gettimeofday, "the same, of the database"),
    (libc::SYS_clock_nanosleep, "waiting for another"),
    (libc::SYS_nanosleep, "the same"),
    (libc::SYS_restart_syscall, "waiting, after a signal"),
    (libc::SYS_getrandom, "keys"),
];

/// The names that these have on the older of the two processors.
#[cfg(target_arch = "x86_64")]
const OLDER: Calls = &[
    (libc::SYS_epoll_wait, "waiting"),
    (libc::SYS_poll, "waiting"),
    (libc::SYS_stat, "files"),
    (libc::SYS_lstat, "files"),
    (libc::SYS_access, "whether a file is there"),
    (libc::SYS_readlink, "whether a file's name is a link"),
];
#[cfg(not(target_arch = "x86_64"))]
const OLDER: Calls = &[];

/// Roles with a folder of their own.
const WRITES: Calls = &[
    (libc::SYS_pwrite64, "the register, the database"),
    (libc::SYS_fsync, "what is kept is on the disk before anybody is told"),
    (libc::SYS_fdatasync, "the same"),
    (libc::SYS_ftruncate, "the database's log"),
    (libc::SYS_renameat, "a file is replaced whole"),
    (libc::SYS_renameat2, "the same"),
    (libc::SYS_unlinkat, "what was replaced"),
    (libc::SYS_mkdirat, "a register in the place of one that was put aside"),
    (libc::SYS_fchmod, "the database's files"),
];
#[cfg(target_arch = "x86_64")]
const OLDER_WRITES: Calls = &[
    (libc::SYS_rename, "a file is replaced whole"),
    (libc::SYS_unlink, "what was replaced"),
    (libc::SYS_mkdir, "a register in the place of one that was put aside"),
];
#[cfg(not(target_arch = "x86_64"))]
const OLDER_WRITES: Calls = &[];

/// Roles that connect to anybody.
const CONNECTS: Calls = &[(libc::SYS_connect, "another role, a provider, the database")];

/// Roles that have names resolved.
const RESOLVES: Calls = &[(libc::SYS_sendmmsg, "questions to name servers")];

/// What nobody but an intruder does.
const ENDS: Calls = &[
    (libc::SYS_execve, "another program"),
    (libc::SYS_execveat, "another program"),
    (libc::SYS_ptrace, "another process's memory"),
    (libc::SYS_process_vm_readv, "another process's memory"),
    (libc::SYS_process_vm_writev, "another process's memory"),
    (libc::SYS_pidfd_getfd, "another process's descriptors"),
    (libc::SYS_kcmp, "what another process has open"),
    (libc::SYS_unshare, "a user namespace, in which it is root"),
    (libc::SYS_setns, "another namespace"),
    (libc::SYS_mount, "another file system"),
    (libc::SYS_umount2, "another file system"),
    (libc::SYS_pivot_root, "another file system"),
    (libc::SYS_chroot, "another file system"),
    (libc::SYS_open_tree, "another file system"),
    (libc::SYS_move_mount, "another file system"),
    (libc::SYS_fsopen, "another file system"),
    (libc::SYS_open_by_handle_at, "a file without its path"),
    (libc::SYS_bpf, "code in the kernel"),
    (libc::SYS_init_module, "code in the kernel"),
    (libc::SYS_finit_module, "code in the kernel"),
    (libc::SYS_delete_module, "code in the kernel"),
    (libc::SYS_kexec_load, "another kernel"),
    (libc::SYS_reboot, "another kernel"),
    (libc::SYS_perf_event_open, "what other processes do"),
    (libc::SYS_userfaultfd, "races in the kernel"),
    (libc::SYS_io_uring_setup, "calls that no filter sees"),
    (libc::SYS_add_key, "the kernel's keys"),
    (libc::SYS_request_key, "the kernel's keys"),
    (libc::SYS_keyctl, "the kernel's keys"),
    (libc::SYS_setuid, "another user"),
    (libc::SYS_setresuid, "another user"),
    (libc::SYS_settimeofday, "the clock"),
    (libc::SYS_clock_settime, "the clock"),
];

/// Namespaces that a new thread could ask for.
const NAMESPACES: i32 = libc::CLONE_NEWNS
    | libc::CLONE_NEWCGROUP
    | libc::CLONE_NEWUTS
    | libc::CLONE_NEWIPC
    | libc::CLONE_NEWUSER
    | libc::CLONE_NEWPID
    | libc::CLONE_NEWNET;

pub fn forbid(kept: &Kept) -> Held {
    match compile(kept) {
        Ok(filters) if filters.iter().all(|filter| seccompiler::apply_filter(filter).is_ok()) => Held::Yes,
        Ok(_) => Held::No("the kernel has no seccomp filters"),
        Err(_) => Held::No("no filter for this processor"),
    }
}

/// Of two filters the stricter counts. The one that ends the process goes first: the other leaves no way to add one.
fn compile(kept: &Kept) -> Result<[BpfProgram; 2], BackendError> {
    let arch = TargetArch::try_from(std::env::consts::ARCH)?;
    let ends = SeccompFilter::new(any(&[ENDS]), SeccompAction::Allow, SeccompAction::KillProcess, arch)?;
    let absent = SeccompAction::Errno(libc::ENOSYS.unsigned_abs());
    let allowed = SeccompFilter::new(allowed(kept)?, absent, SeccompAction::Allow, arch)?;
    Ok([ends.try_into()?, allowed.try_into()?])
}

fn any(lists: &[Calls]) -> Rules {
    lists.iter().flat_map(|calls| calls.iter()).map(|(call, _why)| (*call, Vec::new())).collect()
}

fn allowed(kept: &Kept) -> Result<Rules, BackendError> {
    let mut rules = any(&[ALWAYS, OLDER]);
    if !kept.written.is_empty() {
        rules.extend(any(&[WRITES, OLDER_WRITES]));
    }
    if kept.sockets || kept.names || !kept.ports.is_empty() {
        rules.extend(any(&[CONNECTS]));
        rules.insert(libc::SYS_socket, sockets(kept)?);
    }
    if kept.names {
        rules.extend(any(&[RESOLVES]));
    }
    for call in [libc::SYS_mmap, libc::SYS_mprotect] {
        // The libraries of name services are loaded into memory that is never written; nothing else becomes code.
        let code = if kept.names && call == libc::SYS_mmap {
            libc::PROT_EXEC | libc::PROT_WRITE
        } else {
            libc::PROT_EXEC
        };
        let mut ways = vec![rule([masked(2, libc::PROT_EXEC, 0)?])?];
        if code != libc::PROT_EXEC {
            ways.push(rule([masked(2, code, libc::PROT_EXEC)?])?);
        }
        rules.insert(call, ways);
    }
    // Threads, and no processes. `clone3` keeps its flags where no filter sees them: libraries do without it.
    rules.insert(
        libc::SYS_clone,
        vec![rule([masked(0, libc::CLONE_THREAD | NAMESPACES, libc::CLONE_THREAD)?])?],
    );
    // A thread's name, and no other of the many things that this call does.
    rules.insert(libc::SYS_prctl, vec![rule([is(0, libc::PR_SET_NAME)?])?]);
    // abort() raises SIGABRT in the calling thread, and no other signal is sent.
    rules.insert(libc::SYS_tgkill, vec![rule([is(2, libc::SIGABRT)?])?]);
    // Limits are read, and our own.
    let none = SeccompCondition::new(2, SeccompCmpArgLen::Qword, SeccompCmpOp::Eq, 0)?;
    rules.insert(libc::SYS_prlimit64, vec![rule([is(0, 0)?, none])?]);
    rules.insert(libc::SYS_fcntl, each(1, &FCNTL)?);
    rules.insert(libc::SYS_ioctl, each(1, &[FIONBIO, FIONREAD, TCGETS])?);
    rules.insert(libc::SYS_setsockopt, options()?);
    Ok(rules)
}

/// Flags of descriptors, copies of them, and locks of the database.
const FCNTL: [i32; 11] = [
    libc::F_DUPFD_CLOEXEC,
    libc::F_GETFD,
    libc::F_SETFD,
    libc::F_GETFL,
    libc::F_SETFL,
    libc::F_GETLK,
    libc::F_SETLK,
    libc::F_SETLKW,
    libc::F_OFD_GETLK,
    libc::F_OFD_SETLK,
    libc::F_OFD_SETLKW,
];
/// A socket that does not wait; how much is there of a name server's answer; whether it is a terminal. The library's constants
/// have a type that differs between systems.
const FIONBIO: i32 = 0x5421;
const FIONREAD: i32 = 0x541b;
const TCGETS: i32 = 0x5401;

/// Kinds of sockets: `SOCK_STREAM` and `SOCK_DGRAM` with whatever flags.
fn sockets(kept: &Kept) -> Result<Vec<SeccompRule>, BackendError> {
    let mut ways = Vec::new();
    let mut way = |domain, kind| -> Result<(), BackendError> {
        ways.push(rule([is(0, domain)?, masked(1, 0xf, kind)?])?);
        Ok(())
    };
    if kept.sockets {
        way(libc::AF_UNIX, libc::SOCK_STREAM)?;
    }
    for domain in [libc::AF_INET, libc::AF_INET6] {
        if kept.names || !kept.ports.is_empty() {
            way(domain, libc::SOCK_STREAM)?;
        }
        if kept.names {
            way(domain, libc::SOCK_DGRAM)?;
        }
    }
    Ok(ways)
}

/// Of sockets and of TCP, but no programs for the kernel to run on packets, and no protocol in TCP's place.
fn options() -> Result<Vec<SeccompRule>, BackendError> {
    let code =
        [libc::SO_ATTACH_FILTER, libc::SO_ATTACH_BPF, SO_ATTACH_REUSEPORT_CBPF, SO_ATTACH_REUSEPORT_EBPF];
    let mut of_sockets = vec![is(1, libc::SOL_SOCKET)?];
    for option in code {
        of_sockets.push(is_not(2, option)?);
    }
    let of_tcp = [is(1, libc::IPPROTO_TCP)?, is_not(2, libc::TCP_ULP)?, is_not(2, TCP_REPAIR)?];
    // What came of a question to a name server that is not there.
    let of_ip = [is(1, libc::IPPROTO_IP)?, is(2, libc::IP_RECVERR)?];
    let of_ipv6 = [is(1, libc::IPPROTO_IPV6)?, is(2, IPV6_RECVERR)?];
    Ok(vec![SeccompRule::new(of_sockets)?, rule(of_tcp)?, rule(of_ip)?, rule(of_ipv6)?])
}

const SO_ATTACH_REUSEPORT_CBPF: i32 = 51;
const SO_ATTACH_REUSEPORT_EBPF: i32 = 52;
const TCP_REPAIR: i32 = 19;
const IPV6_RECVERR: i32 = 25;

fn each(argument: u8, values: &[i32]) -> Result<Vec<SeccompRule>, BackendError> {
    values.iter().map(|value| rule([is(argument, *value)?])).collect()
}

fn rule<const N: usize>(conditions: [SeccompCondition; N]) -> Result<SeccompRule, BackendError> {
    SeccompRule::new(conditions.into())
}

fn is(argument: u8, value: i32) -> Result<SeccompCondition, BackendError> {
    SeccompCondition::new(argument, SeccompCmpArgLen::Dword, SeccompCmpOp::Eq, bits(value))
}

fn is_not(argument: u8, value: i32) -> Result<SeccompCondition, BackendError> {
    SeccompCondition::new(argument, SeccompCmpArgLen::Dword, SeccompCmpOp::Ne, bits(value))
}

/// Of the argument's bits in `mask`, these and no others are set.
fn masked(argument: u8, mask: i32, value: i32) -> Result<SeccompCondition, BackendError> {
    let among = SeccompCmpOp::MaskedEq(bits(mask));
    SeccompCondition::new(argument, SeccompCmpArgLen::Dword, among, bits(value))
}

fn bits(value: i32) -> u64 {
    u64::from(value.cast_unsigned())
}
