//! `tensfer root rotate`, `tensfer root epoch new`: the steps of an epoch's life, for the simulated root.
//!
//! Each step changes the file first, durably, and is then handed to the enclave that runs. Broken off anywhere and given
//! again, a step goes on where it stopped; one that was taken says so.

mod book;
mod enclave;
mod finish;

use super::control::announce_epochs;
use super::folder::Folder;
use super::provision::Held;
use super::quorum::refuse_quorum;
use super::root::{RootFile, Roots, Step};
use super::{Data, NewEpoch};
use anyhow::{Context, bail};
use serde_json::{Value, json};
use wire::identity::Phase;

#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Make the root of the next epoch: held and opened everywhere before anything is sealed under it.
    Begin(Begin),
    /// Seal under the pending epoch from now on; the one before it is retained.
    Promote(Promote),
    /// Have the enclave state who has left an epoch and who has not, over all recorded connections.
    Conclude(finish::ConcludeArgs),
    /// Destroy the oldest epoch, on such a statement: no envelope of it ever opens again.
    Destroy(finish::DestroyArgs),
    /// Write the proof that a connection is in the last statement.
    Proof(finish::ProofArgs),
    /// Show the epochs and where each is in its life.
    Status(Status),
}

#[derive(Debug, clap::Args)]
pub struct Begin {
    #[command(flatten)]
    data: Data,
    /// The epoch that is current now: the step is refused from any other state.
    #[arg(long, value_name = "EPOCH")]
    from: Option<u32>,
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
pub struct Promote {
    #[command(flatten)]
    data: Data,
    /// The epoch that is pending now: the step is refused for any other.
    #[arg(value_name = "EPOCH")]
    epoch: Option<u32>,
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
pub struct Status {
    #[command(flatten)]
    data: Data,
    #[arg(long)]
    json: bool,
}

pub fn run(command: Command) -> anyhow::Result<()> {
    host::process::harden()?;
    match command {
        Command::Begin(args) => take(&args.data, args.json, "begun", |file| file.begin(args.from)),
        Command::Promote(args) => take(&args.data, args.json, "promoted", |file| file.promote(args.epoch)),
        Command::Conclude(args) => finish::conclude(&args),
        Command::Destroy(args) => finish::destroy(&args),
        Command::Proof(args) => finish::proof(&args),
        Command::Status(args) => status(&args),
    }
}

/// `tensfer root epoch new`: begins an epoch and promotes it.
pub fn add(args: &NewEpoch) -> anyhow::Result<()> {
    host::process::harden()?;
    let folder = Folder::find(&args.data)?;
    refuse_quorum(folder.path())?;
    let file = RootFile::of(folder.path());
    let epoch = file.add_epoch()?;
    let is_running = hand_over(&folder, &file.load()?).with_context(|| format!("epoch {epoch} is kept"))?;
    if args.json {
        println!("{:#}", json!({ "epoch": epoch, "enclave": is_running }));
    } else {
        println!("epoch {epoch}");
    }
    eprintln!("{}", if is_running { RUNNING } else { NOT_RUNNING });
    Ok(())
}

const RUNNING: &str = "The running enclave has it.";
const NOT_RUNNING: &str = "No `tensfer up` runs on this folder; the next one starts with it.";

fn take(
    data: &Data,
    as_json: bool,
    what: &str,
    step: impl FnOnce(&RootFile) -> Result<Step, super::root::RootError>,
) -> anyhow::Result<()> {
    let folder = Folder::find(data)?;
    refuse_quorum(folder.path())?;
    let file = RootFile::of(folder.path());
    let Step { epoch, already } = step(&file)?;
    let roots = file.load()?;
    // Also when the step had been taken: whoever took it may have died before the enclave had it.
    let is_running = hand_over(&folder, &roots)
        .with_context(|| format!("epoch {epoch} is {what} in the file; give the command again"))?;
    if as_json {
        let mut value = phases(&roots);
        value["step"] = json!({ "epoch": epoch, "done": what, "already": already, "enclave": is_running });
        println!("{value:#}");
    } else {
        println!("epoch {epoch} {what}{}", if already { " already" } else { "" });
        eprintln!("{}", if is_running { RUNNING } else { NOT_RUNNING });
    }
    Ok(())
}

/// Hands the file's roots to the enclave, if one runs here, and compares what it then holds.
fn hand_over(folder: &Folder, roots: &Roots) -> anyhow::Result<bool> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let held = runtime.block_on(announce_epochs(&folder.run()));
    let Some(held) = held.context("the running enclave was not told")? else { return Ok(false) };
    let kept = Held { oldest: roots.oldest(), current: roots.current(), newest: roots.newest() };
    if held != kept {
        bail!("the running enclave holds {held:?} and the file {kept:?}");
    }
    Ok(true)
}

fn status(args: &Status) -> anyhow::Result<()> {
    let folder = Folder::find(&args.data)?;
    refuse_quorum(folder.path())?;
    let roots = RootFile::of(folder.path()).load()?;
    if args.json {
        println!("{:#}", phases(&roots));
        return Ok(());
    }
    if roots.oldest() > 1 {
        println!("1 to {}: {}", roots.oldest() - 1, Phase::Destroyed.name());
    }
    for epoch in roots.oldest()..=roots.newest() {
        println!("{epoch}: {}", roots.phase(epoch).name());
    }
    Ok(())
}

fn phases(roots: &Roots) -> Value {
    let held = roots.oldest()..=roots.newest();
    let epochs: Vec<Value> =
        held.map(|epoch| json!({ "epoch": epoch, "phase": roots.phase(epoch).name() })).collect();
    json!({ "oldest": roots.oldest(), "current": roots.current(), "newest": roots.newest(), "epochs": epochs })
}
