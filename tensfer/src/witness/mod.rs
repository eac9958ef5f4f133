//! `tensfer witness`: a process that remembers the last head of each line (docs/spec/witnesses.md §6). It answers who
//! reaches its socket, and asks nobody.

mod keeper;
mod serve;

use crate::up::confined;
use crate::up::folder::Folder;
use anyhow::Context;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use host::calls::Role;
use host::confinement::Kept;
use host::process::{Stop, harden};
use keeper::Keeper;
use serde_json::json;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use wire::manifest::SigningKey;
use wire::owner::OwnerAlgorithm;

/// Exit code: the host's fault.
const HOST: u8 = 4;

#[derive(Debug, clap::Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "Examples:\n  \
    tensfer witness --data ~/witness\n  \
    tensfer witness key --data ~/witness\n\
    Never restore its folder from a backup, and never run a copy of it: what it forgot, it may contradict. A witness \
    whose disk is lost starts with a new folder, and the manifest names its new key."
)]
pub struct Args {
    #[command(subcommand)]
    command: Option<Command>,

    #[command(flatten)]
    data: Option<Data>,

    #[command(flatten)]
    confined: confined::ConfinedOptions,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Print the public key, as a manifest has it.
    Key(Key),
}

#[derive(Debug, clap::Args)]
struct Key {
    #[command(flatten)]
    data: Data,
    /// Print JSON: role, key.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
struct Data {
    /// Folder of the witness's key and memory; made at the first start.
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
}

/// Runs it until a signal, or prints its key.
pub fn run(args: Args) -> ExitCode {
    let outcome = match args {
        Args { command: Some(Command::Key(args)), .. } => print_key(&args),
        Args { data: Some(data), confined, .. } => serve(&data, confined),
        Args { .. } => Err(anyhow::anyhow!("name the witness's folder with `--data`")),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::from(HOST)
        }
    }
}

fn serve(Data { data }: &Data, confined: confined::ConfinedOptions) -> anyhow::Result<()> {
    rustix::process::umask(rustix::fs::Mode::from_bits_retain(0o077));
    harden()?;
    let folder = Folder::make(data)?;
    let _lock = folder.lock("tensfer witness")?;
    let keeper = Keeper::open(folder.path())?;
    let ready = format!("ready {}", key_text(&keeper.key()));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let mut stop = Stop::listen()?;
        let run = folder.run();
        let witness = serve::Witness::bind(&run, keeper)?;
        let written = vec![keeper::kept(folder.path()), run];
        confined.apply(Role::Witness, &Kept { written, ..Kept::default() })?;
        say(&ready)?;
        tokio::select! {
            error = witness.serve() => Err(error).context("the witness cannot go on"),
            () = stop.asked() => Ok(()),
        }
    })
}

/// The public key of the witness with this folder, which has started once; it may run meanwhile.
pub fn public_key(data: &Path) -> anyhow::Result<SigningKey> {
    let folder = Folder::at(data)?;
    Ok(keeper::key_at(folder.path())?)
}

fn print_key(args: &Key) -> anyhow::Result<()> {
    let key = key_text(&public_key(&args.data.data)?);
    let shown = match args.json {
        true => format!("{:#}", json!({ "role": "witness", "key": key })),
        false => key,
    };
    Ok(say(&shown)?)
}

/// As a manifest has it.
fn key_text(key: &SigningKey) -> String {
    format!("ed25519:{}", STANDARD.encode(&key.public))
}

/// Reads what [`key_text`] writes, and `tensfer witness` says when it is ready.
pub fn parse_key(text: &str) -> Option<SigningKey> {
    let public = STANDARD.decode(text.strip_prefix("ed25519:")?).ok()?;
    (public.len() == 32).then_some(SigningKey { algorithm: OwnerAlgorithm::EdDsa, public })
}

fn say(line: &str) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}")?;
    out.flush()
}
