//! `tensfer up` and what it starts: the host's roles, the simulated enclave and the sandbox provider, as processes
//! that end when it does.

pub mod certify;
mod children;
pub mod confined;
mod control;
pub mod database;
mod edge;
pub mod folder;
mod provision;
mod quorum;
mod roles;
mod root;
pub mod rotate;
mod spawn;
mod start;
mod witnesses;

use host::workload::{LIFE, MOST};
use std::path::PathBuf;
use std::process::ExitCode;

/// Exit code: the host's fault.
const HOST: u8 = 4;

/// What runs on a server.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Start everything on this machine: a SIMULATED enclave, the host and the sandbox exchanges.
    Up(Args),
    /// Serve HTTP to clients (started by `up`).
    Gateway(roles::Gateway),
    /// Keep organisations and API keys, and say who asks (started by `up`).
    Identity(roles::Identity),
    /// Carry frames to and from the enclave, whose channel is standard input (started by `up`).
    Relay(roles::Relay),
    /// Carry the enclave's bytes to providers (started by `up`).
    Egress(roles::Egress),
}

#[derive(Debug, clap::Subcommand)]
pub enum Epoch {
    /// Add an epoch to the simulated root, current at once, and hand it to the enclave if one runs.
    New(NewEpoch),
}

#[derive(Debug, clap::Args)]
pub struct NewEpoch {
    #[command(flatten)]
    data: Data,
    /// Print JSON: epoch, enclave.
    #[arg(long)]
    json: bool,
}

/// Options of `tensfer up`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    data: Data,
    /// Where the enclave's root comes from.
    #[arg(long, value_enum, default_value = "file")]
    root: RootSource,
    #[command(flatten)]
    edge: edge::Options,
    #[command(flatten)]
    database: database::DatabaseOptions,
    #[command(flatten)]
    confined: confined::ConfinedOptions,
    /// Seconds that the certificates of our own processes are good for; each gets the next by itself, after half of them.
    #[arg(long, value_name = "SECONDS", default_value_t = LIFE.as_secs(), value_parser = clap::value_parser!(u64).range(10..=MOST.as_secs()))]
    certificate_life: u64,
    /// Data folder of a witness that runs (`tensfer witness`), one for each; a majority has to agree. Without any, one is
    /// started beside the others.
    #[arg(long, value_name = "DIR")]
    witness: Vec<PathBuf>,
    /// Options of `tensfer sandbox`, after `--`.
    #[arg(last = true, value_name = "SANDBOX OPTIONS")]
    sandbox: Vec<String>,
}

/// Where a root comes from. A folder keeps to one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum RootSource {
    /// A file in the data folder, made at the first start: whoever reads it has the root.
    File,
    /// Operators, each of whom releases a share (`tensfer root`).
    Quorum,
}

#[derive(Debug, clap::Args)]
pub struct Data {
    /// Folder of the server's data [default: $XDG_DATA_HOME/tensfer-server].
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
}

/// Runs a command of the server to its end. Whatever fails here is the host's fault.
pub fn run(command: Command) -> ExitCode {
    let outcome = match command {
        Command::Up(args) => start::run(args),
        Command::Gateway(args) => roles::gateway(args),
        Command::Identity(args) => roles::identity(args),
        Command::Relay(args) => roles::relay(args),
        Command::Egress(args) => roles::egress(args),
    };
    ended(outcome)
}

/// Looks after the simulated enclave's root.
pub fn run_epoch(Epoch::New(args): Epoch) -> ExitCode {
    ended(rotate::add(&args))
}

/// Takes a step of its rotation.
pub fn run_rotate(command: rotate::Command) -> ExitCode {
    ended(rotate::run(command))
}

fn ended(outcome: anyhow::Result<()>) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::from(HOST)
        }
    }
}
