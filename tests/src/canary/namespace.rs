//! Being let look into processes that let nobody look (`PR_SET_DUMPABLE`).
//!
//! Root may. So may, as an ordinary user, whoever made the user namespace that they were executed in: its maker has every
//! capability over it (user_namespaces(7)), CAP_SYS_PTRACE too. And their files in `/proc`, which belong to that
//! namespace's root, belong to its maker, because that is who its root is mapped to.

use crate::run;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::LazyLock;

/// capabilities(7)
const CAP_SYS_PTRACE: u64 = 1 << 19;

/// A command whose process we may look into whatever it forbids: as it is where we are root, else in a user namespace
/// of its own.
///
/// # Panics
/// Where neither is allowed: a search that sees nothing proves nothing, so no test of it is skipped.
pub(super) fn visible(program: &Path) -> Command {
    static NAMESPACES: LazyLock<Result<(), String>> = LazyLock::new(try_namespace);
    if is_root() {
        return Command::new(program);
    }
    if let Err(why) = &*NAMESPACES {
        panic!("{}", advice(why));
    }
    let mut command = in_namespace();
    command.arg(program);
    command
}

/// util-linux's `unshare` executes the program in its own place: the process is our child under the same id.
fn in_namespace() -> Command {
    let mut command = Command::new("unshare");
    command.args(["--user", "--map-root-user", "--"]);
    command
}

fn try_namespace() -> Result<(), String> {
    let tried = run(in_namespace().arg("true"), b"");
    if tried.status.success() {
        Ok(())
    } else {
        Err(String::from_utf8_lossy(&tried.stderr).trim().to_owned())
    }
}

fn advice(why: &str) -> String {
    format!(
        "these tests read the memory of processes that forbid it: that takes root, or a user namespace, and this \
         machine allows you none ({why}). Allow them (`sysctl kernel.unprivileged_userns_clone=1`, \
         `user.max_user_namespaces` above 0, on Ubuntu `kernel.apparmor_restrict_unprivileged_userns=0`; in a container \
         `--security-opt seccomp=unconfined`), or run the tests as root with CAP_SYS_PTRACE"
    )
}

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
        && fs::read_to_string("/proc/self/status")
            .is_ok_and(|status| effective(&status) & CAP_SYS_PTRACE != 0)
}

/// The effective capabilities in `/proc/PID/status`.
fn effective(status: &str) -> u64 {
    let line = status.lines().find_map(|line| line.strip_prefix("CapEff:"));
    line.and_then(|digits| u64::from_str_radix(digits.trim(), 16).ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn root_without_the_capability_is_not_taken_for_one_who_may_look() {
        assert_ne!(effective("Name:\tx\nCapEff:\t000001ffffffffff\n") & CAP_SYS_PTRACE, 0);
        assert_eq!(effective("Name:\tx\nCapEff:\t00000000a80425fb\n") & CAP_SYS_PTRACE, 0);
        assert_eq!(effective("Name:\tx\n"), 0);
    }

    #[test]
    fn who_may_not_look_is_told_why_and_what_to_do() {
        let told = advice("unshare: unshare failed: Operation not permitted");
        assert!(told.contains("Operation not permitted") && told.contains("sysctl") && told.contains("root"));
    }
}
