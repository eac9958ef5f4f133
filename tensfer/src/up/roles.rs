//! One role, one process: `tensfer gateway`, `tensfer identity`, `tensfer relay`, `tensfer egress`.

use super::{confined, database, edge, spawn};
use anyhow::{Context, bail};
use host::calls::Role;
use host::confinement::Kept;
use host::egress::Allow;
use host::gateway::Limits;
use host::identity::{Environment, Place};
use host::process::{Stop, harden};
use host::signatures::Authority;
use host::transport::{Address, Listener};
use host::workload::{Source, Workload};
use std::io::Write;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use wire::identity::RelyingParty;

/// How a role shows others who it is.
#[derive(Debug, clap::Args)]
struct Shown {
    /// Folder of this role's certificate, key and authorities (svid.pem, svid_key.pem, svid_bundle.pem), which an agent
    /// keeps new. Without it, `tensfer up` certifies this process over descriptor 3.
    #[arg(long, value_name = "DIR")]
    certificates: Option<PathBuf>,
    #[command(flatten)]
    confined: confined::ConfinedOptions,
}

impl Shown {
    /// Gives up what `role` does not need, once everything that does is open.
    fn confine(&self, role: Role, kept: Kept) -> anyhow::Result<()> {
        let kept = match &self.certificates {
            Some(folder) => kept.and_kept_new(folder),
            None => kept,
        };
        self.confined.apply(role, &kept)
    }
}

#[derive(Debug, clap::Args)]
pub struct Gateway {
    /// Folder of the roles' sockets.
    #[arg(long, value_name = "DIR")]
    run: PathBuf,
    #[command(flatten)]
    shown: Shown,
    #[command(flatten)]
    edge: edge::Options,
    /// Folder of what is stated about rotations, which anybody may read; there when the gateway starts.
    #[arg(long, value_name = "DIR")]
    rotation: Option<PathBuf>,
}

#[derive(Debug, clap::Args)]
pub struct Identity {
    /// Folder of the roles' sockets.
    #[arg(long, value_name = "DIR")]
    run: PathBuf,
    #[command(flatten)]
    shown: Shown,
    /// Folder of the database's file, if it is one.
    #[arg(long, value_name = "DIR")]
    folder: PathBuf,
    #[command(flatten)]
    database: database::DatabaseOptions,
    /// A URL by which clients reach the gateway; repeat for several. Requests that were signed for another count for nothing.
    #[arg(long = "url", value_name = "URL", required = true, value_parser = edge::authority)]
    urls: Vec<Authority>,
    /// A page at which people use passkeys, as browsers name it (`https://HOST:PORT`); repeat for several. A passkey is for
    /// the page's own host. Without any, nobody signs up or in.
    #[arg(long = "origin", value_name = "URL", value_parser = edge::relying_party)]
    origins: Vec<RelyingParty>,
    /// Whose money: keys of the other environment are refused.
    #[arg(long, value_parser = environment)]
    serves: Environment,
}

fn environment(text: &str) -> Result<Environment, &'static str> {
    Environment::from_name(text).ok_or("`sandbox` or `live`")
}

#[derive(Debug, clap::Args)]
pub struct Relay {
    /// Folder of the roles' sockets.
    #[arg(long, value_name = "DIR")]
    run: PathBuf,
    #[command(flatten)]
    shown: Shown,
    /// Folder of the relay's own, in which the register lies (`DIR/register`).
    #[arg(long, value_name = "DIR")]
    folder: PathBuf,
    /// Folder of a witness's socket, one for each.
    #[arg(long, value_name = "DIR")]
    witness: Vec<PathBuf>,
}

#[derive(Debug, clap::Args)]
pub struct Egress {
    /// Folder of the roles' sockets.
    #[arg(long, value_name = "DIR")]
    run: PathBuf,
    #[command(flatten)]
    shown: Shown,
    /// Take `*.sandbox.test` to this port of 127.0.0.1, and nothing else anywhere. Without it: the exchanges of the
    /// catalogue, and nothing else.
    #[arg(long, value_name = "PORT")]
    sandbox: Option<u16>,
}

/// Serves HTTP until a signal.
pub fn gateway(args: Gateway) -> anyhow::Result<()> {
    on_one_thread(&args.shown, async |given| {
        let mut stop = Stop::listen()?;
        let edge = args.edge.open()?;
        let (run, limits) = (Address::from(args.run), Limits::default());
        let me = known(Role::Gateway, given).await?;
        let mut kept = args.edge.kept();
        kept.sockets = true;
        kept.read.extend(args.rotation.clone());
        let gateway = host::gateway::Gateway::bind(edge, me, run, args.rotation, limits)?;
        args.shown.confine(Role::Gateway, kept)?;
        ready(&args.edge.url(gateway.port()))?;
        Ok(gateway.serve(stop.asked()).await?)
    })
}

/// Says who asks until a signal.
pub fn identity(args: Identity) -> anyhow::Result<()> {
    on_one_thread(&args.shown, async |given| {
        let mut stop = Stop::listen()?;
        let database = args.database.choose(&args.folder)?;
        let place = Place { authorities: args.urls, environment: args.serves, parties: args.origins };
        let me = known(Role::Identity, given).await?;
        let listener = Listener::bind(&Address::from(args.run), me)?;
        // Before the database is open: its threads are to keep no more than we do.
        args.shown.confine(Role::Identity, database.kept()?)?;
        let store = database.open().await?;
        let identity = host::identity::Identity::hear(listener, store, place)?;
        ready("identity")?;
        Ok(identity.serve(stop.asked()).await?)
    })
}

/// Carries frames until a signal, or until the enclave is gone.
pub fn relay(args: Relay) -> anyhow::Result<()> {
    on_one_thread(&args.shown, async |given| {
        let mut stop = Stop::listen()?;
        let me = known(Role::Relay, given).await?;
        // What it shows to witnesses lies beside their sockets.
        let (read, written) = (args.witness.clone(), vec![args.folder.clone()]);
        let kept = Kept { read, written, sockets: true, ..Kept::default() };
        let relay = host::relay::Relay::bind(channel()?, me, args.run, args.folder, args.witness)?;
        args.shown.confine(Role::Relay, kept)?;
        ready("relay")?;
        tokio::select! {
            ended = relay.serve() => Err(ended.into()),
            () = stop.asked() => Ok(()),
        }
    })
}

/// Carries bytes until a signal.
pub fn egress(args: Egress) -> anyhow::Result<()> {
    on_one_thread(&args.shown, async |given| {
        let mut stop = Stop::listen()?;
        let allow = match args.sandbox {
            Some(port) => Allow::Sandbox(port),
            None => Allow::Live(host::catalogue::hosts().map(str::to_owned).collect()),
        };
        let me = known(Role::Egress, given).await?;
        let kept = allow.kept();
        let egress = host::egress::Egress::bind(&Address::from(args.run), me, allow)?;
        args.shown.confine(Role::Egress, kept)?;
        ready("egress")?;
        tokio::select! {
            error = egress.serve() => Err(error.into()),
            () = stop.asked() => Ok(()),
        }
    })
}

/// A role waits for sockets most of the time: one thread is enough, and little memory.
fn on_one_thread(shown: &Shown, role: impl AsyncFnOnce(Given) -> anyhow::Result<()>) -> anyhow::Result<()> {
    harden()?;
    // Before anything else is opened, and could have its number.
    let given = match &shown.certificates {
        Some(folder) => Given::Folder(folder.clone()),
        None => Given::Socket(certifier()?),
    };
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(role(given))
}

/// Where this process's certificates come from.
enum Given {
    Folder(PathBuf),
    Socket(UnixStream),
}

/// This process, once somebody has certified it as `role`.
async fn known(role: Role, given: Given) -> anyhow::Result<Workload> {
    let source = match given {
        Given::Folder(folder) => Source::Folder(folder),
        Given::Socket(socket) => Source::Inherited(tokio::net::UnixStream::from_std(socket)?),
    };
    let me = Workload::new(role, source);
    me.credential().await.context("this process cannot show who it is")?;
    Ok(me)
}

/// The socket on which `up` certifies us.
#[expect(unsafe_code, reason = "descriptor 3 has no owner in this process yet")]
fn certifier() -> anyhow::Result<UnixStream> {
    // SAFETY: this process opens nothing before it comes here; what has the number was inherited, or nothing has.
    let inherited = unsafe { BorrowedFd::borrow_raw(spawn::CHANNEL) };
    let socket = inherited.try_clone_to_owned().map(UnixStream::from);
    let Some(socket) = socket.ok().filter(|socket| socket.peer_addr().is_ok()) else {
        bail!("nobody certifies this process: `tensfer up` starts it, or name a folder with `--certificates`")
    };
    // SAFETY: as above; from here on the clone, which no program that we start gets, is the only one.
    drop(unsafe { <OwnedFd as std::os::fd::FromRawFd>::from_raw_fd(spawn::CHANNEL) });
    socket.set_nonblocking(true)?;
    Ok(socket)
}

/// The host's end of the enclave's channel: standard input.
fn channel() -> anyhow::Result<tokio::net::UnixStream> {
    let input = std::io::stdin().as_fd().try_clone_to_owned()?;
    let channel = std::os::unix::net::UnixStream::from(input);
    if channel.peer_addr().is_err() {
        bail!("standard input is not an enclave's channel; `tensfer up` starts this role");
    }
    channel.set_nonblocking(true)?;
    tokio::net::UnixStream::from_std(channel).context("the enclave's channel")
}

fn ready(what: &str) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "ready {what}")?;
    out.flush()
}
