//! An empty network namespace.

use super::Held;
use rustix::thread::UnshareFlags;

pub fn leave() -> Held {
    if unshare(UnshareFlags::NEWNET) || unshare(UnshareFlags::NEWUSER | UnshareFlags::NEWNET) {
        Held::Yes
    } else {
        Held::No("the kernel allows this user no namespace")
    }
}

#[expect(unsafe_code, reason = "the call is unsafe for shared file tables, which these flags leave alone")]
fn unshare(flags: UnshareFlags) -> bool {
    // SAFETY: neither flag unshares file descriptors; the process has one thread.
    unsafe { rustix::thread::unshare_unsafe(flags) }.is_ok()
}
