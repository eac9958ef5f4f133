//! `tensfer root rotate conclude|destroy|proof`: a rotation to its end, with what proves it.
//!
//! Each can be given again after any crash: a conclusion begins anew; an epoch is destroyed in the enclave first, then in
//! the file, and its statement is written last, so nobody ever sees one about a root that is still there.

use super::book::{Book, head};
use super::enclave::Enclave;
use crate::up::Data;
use crate::up::folder::{Folder, replace, sync_folder};
use crate::up::quorum::is_of_quorum;
use crate::up::root::RootFile;
use anyhow::{Context, bail};
use host::proofs::{self, Hashes, Of, Proofs};
use serde_json::{Value, json};
use std::io::{IsTerminal, Write};
use std::path::PathBuf;
use verify::merkle::{leaf, node};
use wire::consent::Class;
use wire::cose::Sign1;
use wire::register::{Conclude, Destroy, Destruction, ENTRY, MAX_ENTRIES, Published, Statement};
use wire::rewrap::Bytes;
use wire::{Canonical, ConnectionId};

#[derive(Debug, clap::Args)]
pub struct ConcludeArgs {
    #[command(flatten)]
    data: Data,
    /// The epoch that connections were to leave, with those before it [default: the one before the current one].
    #[arg(value_name = "EPOCH")]
    epoch: Option<u32>,
    /// The consent class whose connections are counted: any, delayed or owner.
    #[arg(long, value_name = "CLASS", default_value = "any", value_parser = class)]
    class: Class,
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
    /// Of roots that operators hold, the consent class [default: any]; of the simulation's, all of them go together.
    #[arg(long, value_name = "CLASS", value_parser = class)]
    class: Option<Class>,
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
    /// Print JSON: connection, proof.
    #[arg(long)]
    json: bool,
}

fn class(text: &str) -> Result<Class, String> {
    Class::parse(text).ok_or_else(|| "a class is any, delayed or owner".to_owned())
}

fn connection(text: &str) -> Result<ConnectionId, String> {
    ConnectionId::parse(text).ok_or_else(|| "write it as conn_ and 32 hexadecimal digits".to_owned())
}

pub fn conclude(args: &ConcludeArgs) -> anyhow::Result<()> {
    let folder = Folder::find(&args.data)?;
    let epoch = args.epoch.map_or_else(|| before_current(&folder, args.class), Ok)?;
    let (statement, path) = run(async {
        let mut enclave = Enclave::connect(&folder.run()).await?;
        read_out(&mut enclave, &folder, args.class, epoch).await
    })?;
    if args.json {
        println!("{:#}", shown(&statement, &path));
    } else {
        let counts = statement.counts;
        println!(
            "class {}, epoch {epoch}: {} left it by their owners' word, {} re-wrapped, {} revoked, {} still in it; {} of other \
             classes",
            statement.class, counts.held, counts.rewrapped, counts.revoked, counts.absent, statement.others
        );
        if statement.without_backup > 0 {
            println!(
                "of those still in it, {} are wallets whose owners have not confirmed their words",
                statement.without_backup
            );
        }
        println!("{}", path.display());
    }
    Ok(())
}

pub fn destroy(args: &DestroyArgs) -> anyhow::Result<()> {
    let folder = Folder::find(&args.data)?;
    if is_of_quorum(folder.path())? {
        return tell_of_end(args, &folder);
    }
    if args.class.is_some() {
        bail!("the simulation's classes have the same epochs, which go together: leave `--class` out");
    }
    let file = RootFile::of(folder.path());
    let epoch = args.epoch;
    let mut already = file.check_destroyable(epoch)?.already;
    let classes = file.load()?.classes();
    let path = run(async {
        let mut enclave = Enclave::connect(&folder.run()).await?;
        let absent = if already {
            classes.iter().map(|_| 0).collect()
        } else {
            count_absent(&mut enclave, &folder, classes, epoch, args.dangerous_give_up).await?
        };
        let mut statements = Vec::with_capacity(classes.len());
        // The last one is that of class `any`, which every statement before may have been about.
        for (class, absent) in classes.iter().copied().zip(absent).rev() {
            if !already {
                read_out(&mut enclave, &folder, class, epoch).await?;
            }
            statements.push((class, enclave.destroy(&Destroy { epoch, absent, class }).await?.statement));
        }
        let mut written = Vec::with_capacity(statements.len());
        for (class, statement) in statements {
            written.push((class, stated(&mut enclave, &folder, class, epoch, statement).await?));
        }
        already &= file.destroy(epoch)?.already;
        // Only now is anything stated: of a root that is in no file either.
        let mut path = PathBuf::new();
        for (class, written) in written {
            path = published(&folder, &(named("destruction", epoch, class) + ".cbor"))?;
            if written.try_exists()? {
                std::fs::rename(&written, &path)?;
                sync_folder(&path)?;
            }
        }
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

/// The epoch before the one that is sealed under: what there is to conclude.
fn before_current(folder: &Folder, class: Class) -> anyhow::Result<u32> {
    let current = if !is_of_quorum(folder.path())? {
        RootFile::of(folder.path()).load()?.current()
    } else if class.is_any() {
        head(&folder.register())?.context("nothing was recorded yet")?.epoch
    } else {
        bail!("name the epoch: the register's heads say that of class any alone");
    };
    current.checked_sub(1).context("no epoch is before epoch 0")
}

/// Of roots that operators hold, their manifest ends an epoch (`tensfer root adopt`): the enclave is asked what it says of it,
/// and that is published.
fn tell_of_end(args: &DestroyArgs, folder: &Folder) -> anyhow::Result<()> {
    let (epoch, class) = (args.epoch, args.class.unwrap_or(Class::Any));
    if args.dangerous_give_up > 0 {
        bail!(
            "of roots that operators hold the approvers give up who stays, by a notice that has run: `tensfer root notice`"
        );
    }
    let (path, already) = run(async {
        let mut enclave = Enclave::connect(&folder.run()).await?;
        let destroyed = enclave.destroy(&Destroy { epoch, absent: 0, class }).await.context(
            "have a manifest approved that commits to the epoch no more, and let the enclave go over to it: `tensfer root \
             adopt`",
        )?;
        let written = stated(&mut enclave, folder, class, epoch, destroyed.statement).await?;
        let path = published(folder, &(named("destruction", epoch, class) + ".cbor"))?;
        if written.try_exists()? {
            std::fs::rename(&written, &path)?;
            sync_folder(&path)?;
        }
        Ok((path, destroyed.already))
    })?;
    if args.json {
        let step = json!({ "epoch": epoch, "class": class.name(), "done": "destroyed", "already": already });
        println!("{:#}", json!({ "step": step, "statement": path }));
    } else {
        println!("epoch {epoch} of class {class} is destroyed in the enclave that runs");
        println!("{}", path.display());
    }
    Ok(())
}

/// Writes the statement under a name that nobody reads yet. An enclave that began without the epoch says so without grounds:
/// that takes the place of no statement, published or not, of the one that destroyed it.
async fn stated(
    enclave: &mut Enclave,
    folder: &Folder,
    class: Class,
    epoch: u32,
    signed: Bytes,
) -> anyhow::Result<PathBuf> {
    let path = published(folder, &(named("destruction", epoch, class) + ".unpublished"))?;
    let is_published = published(folder, &(named("destruction", epoch, class) + ".cbor"))?.try_exists()?;
    let destruction = Sign1::from_bytes(&signed.0)?;
    let destruction = Destruction::from_bytes(destruction.payload.unwrap_or_default())?;
    if destruction.destroyed.is_some() || !(is_published || path.try_exists()?) {
        enclave.publish(signed, &path).await?;
    }
    Ok(path)
}

/// Writes the proof that a connection is in the last statement.
pub fn proof(args: &ProofArgs) -> anyhow::Result<()> {
    let folder = Folder::find(&args.data)?;
    let head = head(&folder.register())?.filter(|head| head.statement.is_some());
    let head = head.context("no rotation was concluded yet: `tensfer root rotate conclude`")?;
    let path = published(&folder, "completion.cbor")?;
    let bytes = std::fs::read(&path).with_context(|| format!("`{}`", path.display()))?;
    let statement = Statement::claimed(&Published::from_bytes(&bytes)?.statement.0)?;
    if statement.chapter + 1 != head.chapter || statement.register != head.register {
        bail!("`{}` is not the last statement: conclude again", path.display());
    }
    let proofs = Proofs::open(&folder.rotation())?.context("the proofs were not written: conclude again")?;
    if proofs.of() != (Of { register: statement.register, chapter: statement.chapter }) {
        bail!("the proofs are of another statement: conclude again");
    }
    let proof = proofs.find(&verify::register::name(args.connection))?;
    let proof = proof.with_context(|| format!("{} was never recorded", args.connection))?;
    replace(&args.out, &proof.to_bytes()).with_context(|| format!("`{}`", args.out.display()))?;
    if args.json {
        println!("{:#}", json!({ "connection": args.connection.to_string(), "proof": args.out }));
    }
    Ok(())
}

/// How many connections of each class are still in the epoch; refused unless they are as many as are to be given up. Class
/// `any` is counted last: what stays published where it is refused is of it.
async fn count_absent(
    enclave: &mut Enclave,
    folder: &Folder,
    classes: &[Class],
    epoch: u32,
    given_up: u64,
) -> anyhow::Result<Vec<u64>> {
    let mut counts = Vec::with_capacity(classes.len());
    for class in classes.iter().rev() {
        counts.push(read_out(enclave, folder, *class, epoch).await?.0.counts.absent);
    }
    counts.reverse();
    let absent: u64 = counts.iter().sum();
    // The enclave decides it; told here, it comes with what to do.
    if absent != given_up {
        bail!(
            "{absent} connections are still in epoch {epoch}: let their owners run `tensfer rotate --all --epoch`, or say \
             `--dangerous-give-up {absent}`, and they are lost"
        );
    }
    Ok(counts)
}

/// The file of a statement about an epoch; that of class `any` has no class in its name.
fn named(what: &str, epoch: u32, class: Class) -> String {
    if class.is_any() { format!("{what}-{epoch}") } else { format!("{what}-{epoch}-{class}") }
}

/// Reads the register out to the enclave, twice, and publishes what it states.
async fn read_out(
    enclave: &mut Enclave,
    folder: &Folder,
    class: Class,
    epoch: u32,
) -> anyhow::Result<(Statement, PathBuf)> {
    let size = enclave.conclude(&Conclude::Begin(epoch, class)).await?.taken;
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
    let statement = Statement::claimed(&signed.0)?;
    // Before the statement, so that whoever has the statement finds the proofs.
    let of = Of { register: statement.register, chapter: statement.chapter };
    let entries: Vec<_> =
        book.counted(&sorted).map(|entry| Ok(entry?.to_bytes())).collect::<anyhow::Result<_>>()?;
    proofs::write(&folder.rotation(), of, entries.into_iter(), Hashes { leaf, node })?;
    let path = published(folder, "completion.cbor")?;
    enclave.publish(signed, &path).await?;
    replace(&published(folder, &(named("completion", epoch, class) + ".cbor"))?, &std::fs::read(&path)?)?;
    Ok((statement, path))
}

fn shown(statement: &Statement, path: &std::path::Path) -> Value {
    let counts = statement.counts;
    json!({
        "register": statement.register.to_string(),
        "chapter": statement.chapter,
        "class": statement.class.name(),
        "epoch": statement.epoch,
        "current": statement.current,
        "held": counts.held,
        "rewrapped": counts.rewrapped,
        "revoked": counts.revoked,
        "absent": counts.absent,
        "others": statement.others,
        "without_backup": statement.without_backup,
        "statement": path,
    })
}

/// A file of what anyone may read, in its folder.
fn published(folder: &Folder, name: &str) -> anyhow::Result<PathBuf> {
    use std::os::unix::fs::DirBuilderExt;
    let published = folder.rotation();
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
