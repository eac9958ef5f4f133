//! Locked memory.

use super::Held;
use rustix::mm::MlockAllFlags;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// As large as the stack ever gets, and more: an operation of a debug build takes some 200 KiB.
const STACK: usize = 512 << 10;

/// Makes the stack as large as it will be. A locked stack does not grow once more is locked than the limit allows, which
/// root may do and an ordinary user may not; the process would end in the middle of a request (SIGSEGV).
#[inline(never)]
fn grow_stack() {
    std::hint::black_box([0u8; STACK]);
}

/// Locks all memory, now and later, where the limit allows for all of it.
///
/// Under a limit, locking what comes later would make allocations fail in the middle of a request: then only what
/// is there now is locked.
pub fn lock() -> Held {
    grow_stack();
    let unlimited = Rlimit { current: None, maximum: None };
    if setrlimit(Resource::Memlock, unlimited).is_err() {
        let limit = getrlimit(Resource::Memlock);
        let raised = Rlimit { current: limit.maximum, maximum: limit.maximum };
        if setrlimit(Resource::Memlock, raised).is_err() {
            return Held::No("the limit of locked memory cannot be raised");
        }
    }
    if getrlimit(Resource::Memlock).current.is_none() {
        let all = MlockAllFlags::CURRENT | MlockAllFlags::FUTURE | MlockAllFlags::ONFAULT;
        return match rustix::mm::mlockall(all) {
            Ok(()) => Held::Yes,
            Err(_) => Held::No("the kernel refuses to lock memory"),
        };
    }
    match rustix::mm::mlockall(MlockAllFlags::CURRENT | MlockAllFlags::ONFAULT) {
        Ok(()) => Held::Partly("only what was there at start: the limit of locked memory is finite"),
        Err(_) => Held::No("the limit of locked memory is too small"),
    }
}
