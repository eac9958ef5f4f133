//! Dumps, users, capabilities.

use super::Held;
use rustix::process::{DumpableBehavior, Resource, Rlimit, Signal, geteuid};
use rustix::thread::{CapabilitySet, CapabilitySets, Gid, Uid};

/// `nobody` and `nogroup` on Debian: a user that owns nothing.
const NOBODY: u32 = 65534;

pub fn forbid_dumps() -> Held {
    let none = Rlimit { current: Some(0), maximum: Some(0) };
    if rustix::process::setrlimit(Resource::Core, none).is_err() {
        return Held::No("core files cannot be switched off");
    }
    match rustix::process::set_dumpable_behavior(DumpableBehavior::NotDumpable) {
        Ok(()) => Held::Yes,
        Err(_) => Held::No("the kernel keeps the process dumpable"),
    }
}

pub fn forbid_new() -> Held {
    match rustix::thread::set_no_new_privs(true) {
        Ok(()) => Held::Yes,
        Err(_) => Held::No("the kernel has no such switch"),
    }
}

/// Becomes `nobody` without capabilities, and without capabilities also where it cannot become `nobody`. The process has
/// one thread, so the thread's ids are the process's.
pub fn drop_all() -> Held {
    let was_root = geteuid().is_root();
    let changed = if was_root { become_nobody() } else { Ok(()) };
    let none = CapabilitySets {
        effective: CapabilitySet::empty(),
        permitted: CapabilitySet::empty(),
        inheritable: CapabilitySet::empty(),
    };
    if rustix::thread::set_capabilities(None, none).is_err() {
        return Held::No("capabilities cannot be dropped");
    }
    if changed.is_err() {
        return Held::No("started as root and cannot become another user");
    }
    // Changing the user makes the process dumpable again, and forgets who to die with.
    let dumpable = rustix::process::set_dumpable_behavior(DumpableBehavior::NotDumpable);
    let mortal = rustix::process::set_parent_process_death_signal(Some(Signal::KILL));
    match (dumpable, mortal, was_root) {
        (Ok(()), Ok(()), true) => Held::Yes,
        (Ok(()), Ok(()), false) => Held::Partly("shares its user with the host's processes"),
        _ => Held::No("the process became dumpable again"),
    }
}

fn become_nobody() -> rustix::io::Result<()> {
    let (gid, uid) = (Gid::from_raw(NOBODY), Uid::from_raw(NOBODY));
    rustix::thread::set_thread_groups(&[])?;
    rustix::thread::set_thread_res_gid(gid, gid, gid)?;
    rustix::thread::set_thread_res_uid(uid, uid, uid)
}
