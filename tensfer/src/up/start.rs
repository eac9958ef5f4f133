//! `tensfer up`, top to bottom.

use super::certify::{self, certified};
use super::children::Children;
use super::control::Control;
use super::folder::{Folder, replace};
use super::provision::{Surroundings, provision};
use super::quorum;
use super::root::RootFile;
use super::spawn::Program;
use super::witnesses::Witnesses;
use super::{Args, RootSource};
use anyhow::{Context, bail};
use host::calls::Role;
use host::process::{Stop, harden};
use host::transport::{Address, Listener};
use host::workload::{Authority, Source, Workload};
use std::ffi::OsStr;
use std::io::{IsTerminal, Write};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::net::UnixStream;

const ENCLAVE: &str = "tensfer-enclave-simulated";

/// Starts everything, serves until someone asks to stop or something ends, and leaves nothing running.
pub fn run(args: Args) -> anyhow::Result<()> {
    rustix::process::umask(rustix::fs::Mode::from_bits_retain(0o077));
    harden()?;
    let folder = Folder::open(&args.data)?;
    let _lock = folder.lock("tensfer up")?;
    folder.make_roles_own()?;
    // This thread starts every process and lives as long as `up`: the kernel ends them with it.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let mut stop = Stop::listen()?;
        let mut children = Children::default();
        let outcome = tokio::select! {
            outcome = serve(&mut children, &folder, args) => outcome,
            () = stop.asked() => Ok(()),
        };
        children.stop().await;
        // Those that were confined could not.
        folder.remove_sockets();
        outcome
    })
}

/// Returns only when something ended that should not have.
async fn serve(children: &mut Children, folder: &Folder, args: Args) -> anyhow::Result<()> {
    let source = args.root;
    let authority = Arc::new(certify::authority(&args)?);
    let operators = certify::operators(&authority, &folder.run())?;
    let (control, url) = start(children, folder, &authority, args).await?;
    warn(&folder.simulation_root());
    if source == RootSource::Quorum {
        let _ = writeln!(
            std::io::stderr(),
            "It has no root until its operators release their shares: tensfer root status"
        );
    }
    announce(&url)?;
    tokio::select! {
        (name, status) = children.first_end() => bail!("{name} ended ({status}), so everything does"),
        error = control.serve() => Err(error).context("the operator's socket"),
        never = operators.keep() => match never {},
    }
}

/// Starts every process, the slow ones beside each other.
async fn start(
    children: &mut Children,
    folder: &Folder,
    authority: &Arc<Authority>,
    args: Args,
) -> anyhow::Result<(Control, String)> {
    let this = std::env::current_exe().context("this program's own path")?;
    let (run, sandbox_root) = (folder.run(), folder.run().join("sandbox-root.der"));
    // First, because it finds out whether the port is free.
    let gateway = children.start(
        Program::own("gateway", &this)
            .with(run_option(&run))
            .with(args.edge.passed_on()?)
            .with(["--rotation".into(), folder.rotation()])
            .with(args.confined.passed_on())
            .with_channel(certified(authority, Role::Gateway)?),
    )?;
    let mut witnesses = Witnesses::start(children, &this, folder, args.witness, args.confined)?;
    let sandbox = Program::own("sandbox", &this).with([
        OsStr::new("--port"),
        OsStr::new("0"),
        OsStr::new("--ca"),
        sandbox_root.as_os_str(),
    ]);
    let sandbox = children.start(sandbox.with(args.sandbox))?;
    let (mut channel, enclave_end) = UnixStream::pair()?;
    children.start(enclave(&this, enclave_end)?)?;
    let url = gateway.ready().await?;
    let identity = identity(&this, folder, &args.edge, &args.database, &url)?;
    let identity = identity.with(args.confined.passed_on());
    let identity = children.start(identity.with_channel(certified(authority, Role::Identity)?))?;
    let sandbox_port = port_of(&sandbox.ready().await?)?;
    let egress = Program::own("egress", &this)
        .with(run_option(&run))
        .with(["--sandbox", &sandbox_port.to_string()])
        .with(args.confined.passed_on())
        .with_channel(certified(authority, Role::Egress)?);
    let egress = children.start(egress)?;

    let sandbox = std::fs::read(&sandbox_root).context("the sandbox's root certificate")?;
    let relying_parties = args.edge.relying_parties(port_of(&url)?);
    let surroundings = Surroundings { sandbox, witnessed: witnesses.witnessed().await?, relying_parties };
    let root = RootFile::of(folder.path());
    let evidence_root = provision(&mut channel, &quorum::roots(folder, args.root)?, &surroundings).await?;
    replace(&folder.simulation_root(), &evidence_root).context("simulation-root.der")?;

    // From here on the relay owns the channel; what stays with us is written to only when it lends it.
    let channel = channel.into_std()?;
    let relay = Program::own("relay", &this)
        .with(run_option(&run))
        .with(["--folder".into(), folder.relay()])
        .with(args.confined.passed_on())
        .with(witnesses.options())
        .with_input(channel.try_clone()?.into())
        .with_channel(certified(authority, Role::Relay)?);
    let relay = children.start(relay)?;
    identity.ready().await?;
    egress.ready().await?;
    relay.ready().await?;
    let me = Workload::new(Role::Up, Source::Authority(Arc::clone(authority)));
    let run = Address::from(run);
    let listener = Listener::bind(&run, me.clone())?;
    let channel = UnixStream::from_std(channel)?;
    Ok((Control { listener, me, root, run, channel, surroundings }, url))
}

/// The program beside this one. It is given the channel and nothing else.
fn enclave(this: &Path, channel: UnixStream) -> anyhow::Result<Program> {
    let channel = channel.into_std()?;
    channel.set_nonblocking(false)?;
    let path = this.with_file_name(ENCLAVE);
    Ok(Program {
        name: "enclave",
        path,
        arguments: Vec::new(),
        input: None,
        channel: Some(OwnedFd::from(channel)),
    })
}

/// Requests have to be signed for this gateway. Whoever is served by a simulated enclave moves no real money.
fn identity(
    this: &Path,
    folder: &Folder,
    edge: &super::edge::Options,
    database: &super::database::DatabaseOptions,
    url: &str,
) -> anyhow::Result<Program> {
    let port = port_of(url)?;
    let urls = edge.urls(port).into_iter().flat_map(|url| ["--url".to_owned(), url]);
    let parties = edge.relying_parties(port).into_iter().flat_map(|party| party.origins);
    let origins = parties.flat_map(|origin| ["--origin".to_owned(), origin]);
    Ok(Program::own("identity", this)
        .with(run_option(&folder.run()))
        .with(["--folder".into(), folder.identity()?])
        .with(database.passed_on()?)
        .with(["--serves", "sandbox"])
        .with(urls)
        .with(origins))
}

fn run_option(run: &Path) -> [PathBuf; 2] {
    ["--run".into(), run.to_path_buf()]
}

/// The port of `https://127.0.0.1:PORT`.
fn port_of(url: &str) -> anyhow::Result<u16> {
    let port = url.rsplit(':').next().and_then(|port| port.parse().ok());
    port.with_context(|| format!("a process is ready at `{url}`, which has no port"))
}

fn warn(root: &Path) {
    let colour = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    let (red, plain) = if colour { ("\x1b[1;31m", "\x1b[0m") } else { ("", "") };
    let _ = writeln!(
        std::io::stderr(),
        "{red}SIMULATED enclave: whoever runs this machine can read every key in it. For development only.{plain}\n\
         Clients accept it only if they name its root: tensfer --dangerous-simulated {} …",
        root.display()
    );
}

fn announce(url: &str) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "ready {url}")?;
    Ok(out.flush()?)
}
