//! Who `up` certifies: each process that it starts, in the role in which it started it, and the commands of the host's user.

use super::Args;
use anyhow::Context;
use host::calls::Role;
use host::clock::Clock;
use host::log;
use host::workload::{self, Authority, Published, Source, TrustDomain, Workload};
use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::UnixStream;

const DOMAIN: &str = "tensfer.internal";
/// The folder, beside the sockets, of what operators' commands show.
const OPERATORS: &str = "operator";

/// A new authority, for as long as this `up` lives.
pub fn authority(args: &Args) -> anyhow::Result<Authority> {
    let domain = TrustDomain::parse(DOMAIN).context("the name of our trust domain")?;
    let life = Duration::from_secs(args.certificate_life);
    Authority::make(domain, life, Clock::system()).context("the authority of our processes")
}

/// One end of a socket, for a process that is started as `role`; at the other end it is certified.
pub fn certified(authority: &Arc<Authority>, role: Role) -> io::Result<OwnedFd> {
    let (ours, theirs) = UnixStream::pair()?;
    let authority = Arc::clone(authority);
    tokio::spawn(async move {
        if let Err(error) = workload::serve(authority, role, ours).await {
            log::line(Role::Up, format_args!("{} gets no more certificates: {error}", role.name()));
        }
    });
    Ok(OwnedFd::from(theirs.into_std()?))
}

/// What operators' commands show, kept new.
pub fn operators(authority: &Arc<Authority>, run: &Path) -> anyhow::Result<Published> {
    let made = Published::make(Role::Up, Arc::clone(authority), run.join(OPERATORS), Role::Operator);
    made.context("the certificate of operators' commands")
}

/// An operator's command, as the `up` with the folder `run` knows it.
pub fn as_operator(run: &Path) -> Workload {
    Workload::new(Role::Operator, Source::Folder(run.join(OPERATORS)))
}
