//! Files, TCP ports, and signals and abstract sockets of other processes (landlock).

use super::{Held, Kept};
use landlock::{
    ABI, Access, AccessFs, AccessNet, BitFlags, NetPort, PathBeneath, PathFd, Ruleset, RulesetAttr,
    RulesetCreatedAttr, RulesetError, RulesetStatus, Scope,
};
use std::path::Path;

/// What is asked for; an older kernel gives less, and says so.
const WANTED: ABI = ABI::V6;
/// What the C library reads to resolve a name, and the libraries that it loads by what it read.
const SETTINGS: [&str; 9] = [
    "/etc/resolv.conf",
    "/etc/hosts",
    "/etc/nsswitch.conf",
    "/etc/host.conf",
    "/etc/gai.conf",
    "/etc/services",
    "/etc/protocols",
    "/etc/passwd",
    "/etc/ld.so.cache",
];
const LIBRARIES: [&str; 4] = ["/lib", "/lib64", "/usr/lib", "/usr/lib64"];

pub fn forbid(kept: &Kept) -> Held {
    match restrict(kept) {
        Ok(RulesetStatus::FullyEnforced) => Held::Yes,
        Ok(RulesetStatus::PartiallyEnforced) => {
            Held::Partly("the kernel's landlock is older than of Linux 6.12")
        }
        Ok(RulesetStatus::NotEnforced) | Err(_) => Held::No("the kernel has no landlock"),
    }
}

fn restrict(kept: &Kept) -> Result<RulesetStatus, RulesetError> {
    let mut ruleset = Ruleset::default()
        .handle_access(AccessFs::from_all(WANTED))?
        .handle_access(AccessNet::from_all(WANTED))?
        .scope(Scope::from_all(WANTED))?
        .create()?;
    let read = AccessFs::ReadFile | AccessFs::ReadDir;
    let written = read
        | AccessFs::WriteFile
        | AccessFs::Truncate
        | AccessFs::MakeReg
        | AccessFs::RemoveFile
        | AccessFs::MakeDir
        | AccessFs::RemoveDir;
    for (paths, access) in [(&kept.read, read), (&kept.written, written)] {
        for path in paths {
            ruleset = allow(ruleset, path, access)?;
        }
    }
    if kept.names {
        for path in names() {
            ruleset = allow(ruleset, &path, AccessFs::ReadFile.into())?;
        }
    }
    for port in &kept.ports {
        ruleset = ruleset.add_rule(NetPort::new(*port, AccessNet::ConnectTcp))?;
    }
    Ok(ruleset.restrict_self()?.ruleset)
}

/// A rule goes with what is there now: a file that is put in this one's place later is another.
fn allow(
    ruleset: landlock::RulesetCreated,
    path: &Path,
    access: BitFlags<AccessFs>,
) -> Result<landlock::RulesetCreated, RulesetError> {
    let Ok(found) = path.metadata() else { return Ok(ruleset) };
    let Ok(opened) = PathFd::new(path) else { return Ok(ruleset) };
    let access = if found.is_dir() { access } else { access & AccessFs::from_file(WANTED) };
    ruleset.add_rule(PathBeneath::new(opened, access))
}

/// The settings are often replaced by new files: so all of `/etc` for a user that has nothing there but what everybody may
/// read, and for root, who could read everything in it, those that are there now.
fn names() -> Vec<std::path::PathBuf> {
    let mut paths: Vec<_> = LIBRARIES.map(Into::into).into();
    if !rustix::process::geteuid().is_root() {
        paths.push("/etc".into());
    }
    for setting in SETTINGS.map(Path::new) {
        paths.push(setting.to_path_buf());
        // `/run/systemd/resolve/stub-resolv.conf` and its like.
        let found = setting.canonicalize().ok();
        let folder = found.as_deref().and_then(Path::parent).filter(|folder| !folder.starts_with("/etc"));
        paths.extend(folder.map(Path::to_path_buf));
    }
    paths
}
