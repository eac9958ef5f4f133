//! `rotation rewrap`: many envelopes at once, in batches; broken off anywhere and given again, it goes on.

use super::super::{print, print_json};
use super::sequence::{Item, read, write};
use crate::client::failure::{Failure, Result};
use crate::client::gateway::Gateway;
use crate::client::options::Options;
use crate::client::terminal::Progress;
use serde::Serialize;
use std::collections::VecDeque;
use std::fs::{File, OpenOptions};
use std::io::{BufReader, ErrorKind, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use wire::rewrap::{Bytes, MAX_REWRAP, Rewrap, RewrapResult, Rewrapped};
use wire::{Canonical, Refusal};

/// Bytes of envelopes in one request: with their heads they stay below what the protocol allows.
const BATCH: usize = 900_000;
/// Batches on their way at once.
const IN_FLIGHT: usize = 4;

#[derive(clap::Args, Debug)]
#[command(after_help = "Example:\n  tensfer rotation rewrap envelopes.cbor envelopes-in-epoch-5.cbor\n\n\
    Both files are CBOR sequences (RFC 8742) of byte strings. What is refused has its number in the place of the envelope.")]
pub struct Args {
    /// The envelopes.
    from: PathBuf,

    /// Where they go, in the same order. If it is there, it is what an earlier run has done.
    to: PathBuf,

    /// Print JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Default, Serialize)]
struct Done {
    /// Of them, by an earlier run.
    resumed: u64,
    rewrapped: u64,
    refused: u64,
}

pub fn run(options: &Options, args: &Args) -> Result<ExitCode> {
    let gateway = options.gateway(None)?;
    let mut from = BufReader::new(File::open(&args.from).map_err(|error| at(&args.from, &error))?);
    let (mut to, mut done) = resume(&args.to)?;
    for _ in 0..done.resumed {
        if next(&mut from, &args.from)?.is_none() {
            return Err(Failure::usage(format!(
                "`{}` has more envelopes than `{}`: it is of another run",
                args.to.display(),
                args.from.display()
            )));
        }
    }
    {
        let _progress = Progress::start("re-wrapping");
        in_flight(
            &gateway,
            || batch(&mut from, &args.from),
            |results| write_results(&mut to, args, &mut done, results),
        )?;
    }
    to.sync_all().map_err(|error| at(&args.to, &error))?;
    if args.json {
        print_json(&done)?;
    } else {
        print(&format!("re-wrapped {}, refused {}\n", done.rewrapped, done.refused))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Asks about batch after batch, with some on their way at once, and hands the answers on in their order: the enclave
/// works while the next batch is read and the last one written.
fn in_flight(
    gateway: &Gateway,
    mut next: impl FnMut() -> Result<Vec<Bytes>>,
    mut answered: impl FnMut(Vec<RewrapResult>) -> Result<()>,
) -> Result<()> {
    std::thread::scope(|scope| {
        let mut asked = VecDeque::new();
        loop {
            let batch = next()?;
            let is_last = batch.is_empty();
            if !is_last {
                asked.push_back(scope.spawn(move || ask(gateway, batch)));
            }
            while asked.len() >= IN_FLIGHT || is_last {
                let Some(first) = asked.pop_front() else { return Ok(()) };
                let results = first.join();
                answered(results.map_err(|_| Failure::internal("this program failed while it asked"))??)?;
            }
        }
    })
}

/// Writes what became of one batch, and counts it.
fn write_results(to: &mut File, args: &Args, done: &mut Done, results: Vec<RewrapResult>) -> Result<()> {
    let mut out = Vec::new();
    for result in results {
        let item = match (result.envelope, result.refusal) {
            (Some(envelope), None) => Item::Envelope(envelope.0),
            (None, Some(refusal)) => Item::Refused(refusal.number()),
            _ => return Err(unreadable()),
        };
        let count = if matches!(item, Item::Envelope(_)) { &mut done.rewrapped } else { &mut done.refused };
        *count += 1;
        write(&item, &mut out);
    }
    to.write_all(&out).and_then(|()| to.sync_data()).map_err(|error| at(&args.to, &error))
}

/// What an earlier run has done; an item that its end cut off is done again.
fn resume(path: &Path) -> Result<(File, Done)> {
    let failed = |error: std::io::Error| at(path, &error);
    let mut options = OpenOptions::new();
    let mut file = options.read(true).write(true).create(true).truncate(false).mode(0o600).open(path);
    let file = file.as_mut().map_err(|error| at(path, error))?;
    let (mut done, mut whole) = (Done::default(), 0);
    let mut source = BufReader::new(&*file);
    loop {
        match read(&mut source) {
            // A file system that lost power may have left zeros behind what was written.
            Ok(Some((Item::Refused(number), _))) if Refusal::from_number(number).is_none() => break,
            Ok(Some((item, length))) => {
                whole += length;
                done.resumed += 1;
                let count =
                    if matches!(item, Item::Envelope(_)) { &mut done.rewrapped } else { &mut done.refused };
                *count += 1;
            }
            Ok(None) => break,
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => break,
            Err(error) => return Err(failed(error)),
        }
    }
    let mut file = file.try_clone().map_err(failed)?;
    file.set_len(whole).map_err(failed)?;
    file.seek(SeekFrom::Start(whole)).map_err(failed)?;
    Ok((file, done))
}

/// The next envelopes that fit into one request; none at the end.
fn batch(from: &mut BufReader<File>, path: &Path) -> Result<Vec<Bytes>> {
    let (mut batch, mut bytes) = (Vec::new(), 0);
    while batch.len() < MAX_REWRAP && bytes < BATCH - wire::envelope::MAX_ENVELOPE {
        let Some(envelope) = next(from, path)? else { break };
        bytes += envelope.len() + 8;
        batch.push(Bytes(envelope));
    }
    Ok(batch)
}

fn next(from: &mut BufReader<File>, path: &Path) -> Result<Option<Vec<u8>>> {
    match read(from).map_err(|error| at(path, &error))? {
        None => Ok(None),
        Some((Item::Envelope(envelope), _)) => Ok(Some(envelope)),
        // It was refused before: whatever it was, it is refused again.
        Some((Item::Refused(_), _)) => Ok(Some(Vec::new())),
    }
}

fn ask(gateway: &Gateway, envelopes: Vec<Bytes>) -> Result<Vec<RewrapResult>> {
    let count = envelopes.len();
    let answer = gateway.rewrap(&Rewrap { envelopes }.to_bytes())?;
    let results = Rewrapped::from_bytes(&answer).map_err(|_| unreadable())?.results;
    if results.len() == count { Ok(results) } else { Err(unreadable()) }
}

fn unreadable() -> Failure {
    Failure::host("unreadable", "the server answered with something unreadable")
}

fn at(path: &Path, error: &std::io::Error) -> Failure {
    Failure::usage(format!("`{}`: {error}", path.display()))
}
