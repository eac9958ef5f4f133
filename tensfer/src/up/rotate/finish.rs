//! `tensfer root rotate conclude|destroy|proof`: a rotation to its end, with what proves it.
//!
//! Each can be given again after any crash: a conclusion begins anew; an epoch is destroyed in the enclave first, then in
//! the file, and its statement is written last, so nobody ever sees one about a root that is still there.

use super::book::{Book, head};
use super::enclave::Enclave;
use crate::up::Data;
use crate::up::folder::{Folder, replace};
use crate::up::quorum::refuse_quorum;
use crate::up::root::RootFile;
use anyhow::{Context, bail};
use serde_json::{Value, json};
use std::io::{IsTerminal, Write};
use std::path::PathBuf;
use verify::merkle::{audit_path, leaf};
use wire::cose::Sign1;
use wire::register::{Conclude, Destroy, ENTRY, MAX_ENTRIES, Proof, Published, Statement};
use wire::rewrap::Bytes;
use wire::{Canonical, ConnectionId};

#[derive(Debug, clap::Args)]
pub struct ConcludeArgs {
    #[command(flatten)]
    data: Data,
    /// The epoch that connections were to leave, with those before it [default: the one before the current one].
    #[arg(value_name = "EPOCH")]
    epoch: Option<u32>,
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
pub struct DestroyArgs {
    #[command(flatten)]
    data: Data,
    /// The oldest epoch that is held.
    #[arg(value_name = "EPOCH")]
    epoch: u32,
    /// Give up exactly so many connections that are still in it: their owners can never use them again.
    #[arg(long, value_name = "NUMBER", default_value_t = 0)]
    dangerous_give_up: u64,
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
pub struct ProofArgs {
    #[command(flatten)]
    data: Data,
    /// The connection's id, conn_…
    #[arg(value_name = "CONNECTION", value_parser = connection)]
    connection: ConnectionId,
    /// Where to write it.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

fn connection(text: &str) -> Result<ConnectionId, String> {
    ConnectionId::parse(text).ok_or_else(|| "write it as conn_ and 32 hexadecimal digits".to_owned())
}

pub fn conclude(args: &ConcludeArgs) -> anyhow::Result<()> {
    let folder = Folder::find(&args.data)?;
    refuse_quorum(folder.path())?;
    let roots = RootFile::of(folder.path()).load()?;
    let epoch = args.epoch.unwrap_or(roots.current() - 1);
    let (statement, path) = run(async {
        let mut enclave = Enclave::connect(&folder.run()).await?;
        read_out(&mut enclave, &folder, epoch).await
    })?;
    if args.json {
        println!("{:#}", shown(&statement, &path));
    } else {
        let counts = statement.counts;
        println!(
            "epoch {epoch}: {} left it by their owners' word, {} re-wrapped, {} revoked, {} still in it",
            counts.held, counts.rewrapped, counts.revoked, counts.absent
        );
        println!("{}", path.display());
    }
    Ok(())
}

pub fn destroy(args: &DestroyArgs) -> anyhow::Result<()> {
    let folder = Folder::find(&args.data)?;
    refuse_quorum(folder.path())?;
    let file = RootFile::of(folder.path());
    let epoch = args.epoch;
    let mut already = file.check_destroyable(epoch)?.already;
    let path = run(async {
        let mut enclave = Enclave::connect(&folder.run()).await?;
        if !already {
            let (statement, _) = read_out(&mut enclave, &folder, epoch).await?;
            let absent = statement.counts.absent;
            // The enclave decides it; told here, it comes with what to do.
            if absent != args.dangerous_give_up {
                bail!(
                    "{absent} connections are still in epoch {epoch}: let their owners run `tensfer rotate --all --epoch`, or \
                     say `--dangerous-give-up {absent}`, and they are lost"
                );
            }
        }
        let destroyed = enclave.destroy(&Destroy { epoch, absent: args.dangerous_give_up }).await?;
        already &= file.destroy(epoch)?.already;
        let path = published(&folder, &format!("destruction-{epoch}.cbor"))?;
        enclave.publish(destroyed.statement, &path).await?;
        Ok(path)
    })?;
    if args.json {
        let mut value = super::phases(&file.load()?);
        value["step"] = json!({ "epoch": epoch, "done": "destroyed", "already": already, "enclave": true });
        value["statement"] = json!(path);
        println!("{value:#}");
    } else {
        println!("epoch {epoch} destroyed{}", if already { " already" } else { "" });
        println!("{}", path.display());
    }
    Ok(())
}

/// Writes the proof that a connection is in the last statement.
pub fn proof(args: &ProofArgs) -> anyhow::Result<()> {
    let folder = Folder::find(&args.data)?;
    let head = head(&folder.register())?.filter(|head| head.statement.is_some());
    let head = head.context("no rotation was concluded yet: `tensfer root rotate conclude`")?;
    let path = published(&folder, "completion.cbor")?;
    let bytes = std::fs::read(&path).with_context(|| format!("`{}`", path.display()))?;
    let statement = statement_of(&Published::from_bytes(&bytes)?.statement)?;
    if statement.chapter + 1 != head.chapter || statement.register != head.register {
        bail!("`{}` is not the last statement: conclude again", path.display());
    }
    let size = statement.counts.total().context("the statement's counts are out of range")?;
    let book = Book::read(&folder.register(), size)?;
    let name = verify::register::name(args.connection);
    let places = 0..u32::try_from(size)?;
    let place = places.clone().find(|place| book.entry(*place).starts_with(&name));
    let place = place.with_context(|| format!("{} was never recorded", args.connection))?;
    let leaves: Vec<[u8; 32]> = places.map(|place| leaf(book.entry(place))).collect();
    let path = audit_path(&leaves, place as usize).context("the place is in the tree")?;
    let proof = Proof { version: 1, entry: book.entry(place).to_vec(), index: place.into(), size, path };
    replace(&args.out, &proof.to_bytes()).with_context(|| format!("`{}`", args.out.display()))
}

/// Reads the register out to the enclave, twice, and publishes what it states.
async fn read_out(
    enclave: &mut Enclave,
    folder: &Folder,
    epoch: u32,
) -> anyhow::Result<(Statement, PathBuf)> {
    let size = enclave.conclude(&Conclude::Begin(epoch)).await?.taken;
    let book = Book::read(&folder.register(), size)?;
    let mut progress = Progress::new(2 * size);
    for chunk in book.log(MAX_ENTRIES) {
        enclave.conclude(&Conclude::Log(chunk.to_vec())).await?;
        progress.add(chunk.len() / ENTRY);
    }
    let sorted = book.sorted();
    book.write_base(&sorted)?;
    for places in sorted.chunks(MAX_ENTRIES) {
        let entries: Vec<_> = places.iter().map(|place| book.placed(*place)).collect();
        enclave.conclude(&Conclude::Sorted(entries.into_flattened())).await?;
        progress.add(places.len());
    }
    progress.end();
    let signed = enclave.conclude(&Conclude::Finish).await?.statement;
    let signed = signed.context("the enclave concluded without a statement")?;
    let statement = statement_of(&signed)?;
    let path = published(folder, "completion.cbor")?;
    enclave.publish(signed, &path).await?;
    std::fs::copy(&path, published(folder, &format!("completion-{epoch}.cbor"))?)?;
    Ok((statement, path))
}

/// What a signed statement says. Nobody here verifies it: its readers do.
fn statement_of(signed: &Bytes) -> anyhow::Result<Statement> {
    let signed = Sign1::from_bytes(&signed.0)?;
    Ok(Statement::from_bytes(signed.payload.unwrap_or_default())?)
}

fn shown(statement: &Statement, path: &std::path::Path) -> Value {
    let counts = statement.counts;
    json!({
        "register": statement.register.to_string(),
        "chapter": statement.chapter,
        "epoch": statement.epoch,
        "current": statement.current,
        "held": counts.held,
        "rewrapped": counts.rewrapped,
        "revoked": counts.revoked,
        "absent": counts.absent,
        "statement": path,
    })
}

/// A file of what anyone may read, in its folder.
fn published(folder: &Folder, name: &str) -> anyhow::Result<PathBuf> {
    use std::os::unix::fs::DirBuilderExt;
    let published = folder.path().join("rotation");
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(&published)?;
    Ok(published.join(name))
}

fn run<T>(work: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(work)
}

/// How far it is, on a terminal alone.
struct Progress {
    all: u64,
    done: u64,
    is_shown: bool,
}

impl Progress {
    fn new(all: u64) -> Progress {
        Progress { all, done: 0, is_shown: std::io::stderr().is_terminal() }
    }

    fn add(&mut self, entries: usize) {
        self.done += entries as u64;
        if self.is_shown && self.all > 0 {
            let _ = write!(std::io::stderr(), "\rreading the register out: {} %", 100 * self.done / self.all);
        }
    }

    fn end(&self) {
        if self.is_shown {
            eprintln!();
        }
    }
}
