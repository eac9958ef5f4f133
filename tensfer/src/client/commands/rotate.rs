//! `rotate`: a new data key, epoch, share or owner keys. What came back is stored before it is acknowledged.
//!
//! A crash at any step loses nothing: before the reply is stored the old envelope is in use; once it is stored the next
//! command acknowledges it; only then is the old one given up.

mod provider_key;

use super::{print, print_json};
use crate::client::encode::canonical_secret;
use crate::client::failure::{Failure, Result, Told};
use crate::client::home::Home;
use crate::client::home::keys::SigningKey;
use crate::client::home::record::{Record, Slot};
use crate::client::home::rings::Ring;
use crate::client::linked::Linked;
use crate::client::options::Options;
use crate::client::session::{Enclave, Session};
use crate::client::terminal::{Progress, printable, say};
use serde::Serialize;
use wire::consent::Class;
use wire::operation::{self, Op, Rotated};
use wire::owner::{OwnerKey, OwnerRole};
use wire::{Canonical, Refusal};

#[derive(clap::Args, Debug)]
#[command(
    after_help = "Examples:\n  tensfer rotate kraken\n  tensfer rotate --all --epoch\n  tensfer rotate --all --owner-keys\n  tensfer rotate kraken --consent owner\n  tensfer rotate deribit --provider-key\n\n\
    Without a flag: data key, epoch and share. A new share and new owner keys need your second factor:\n  \
    tensfer rotate kraken --share --second-factor /media/stick/second-factor.key"
)]
#[command(group(clap::ArgGroup::new("which").required(true).args(["id", "all"])))]
pub struct Args {
    /// The connection's id or name.
    id: Option<String>,

    /// Every connection.
    #[arg(long)]
    all: bool,

    /// Encrypt the credential anew, under a new data key.
    #[arg(long)]
    data_key: bool,

    /// Wrap to the enclave's current epoch, as each of the others does.
    #[arg(long)]
    epoch: bool,

    /// Use a new version of your share; needs your second factor.
    #[arg(long)]
    share: bool,

    /// Make new owner keys; needs your second factor.
    #[arg(long)]
    owner_keys: bool,

    /// Which later programs may open it: `any` that the operators sign for, such a program once it was public for some days
    /// (`delayed`), or none without your word (`owner`). A looser one needs your second factor.
    #[arg(long, value_name = "CLASS", value_parser = super::link::class)]
    consent: Option<Class>,

    /// Have the exchange make another key with the same rights, use that, and delete the one before it there.
    #[arg(long, conflicts_with_all = ["data_key", "epoch", "share", "owner_keys", "consent"])]
    provider_key: bool,

    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// What to renew.
#[derive(Clone, Debug)]
struct Change {
    data_key: bool,
    epoch: bool,
    share: bool,
    /// Device key and second factor of the new set; both lie in the key files already.
    owners: Option<Vec<OwnerKey>>,
    class: Option<Class>,
}

/// One connection, and what came of it.
struct Outcome {
    connection: String,
    name: String,
    exchange: String,
    renewed: Result<Renewed>,
}

/// An envelope before and after; nothing was done where it was in the current epoch already.
#[derive(Debug)]
struct Renewed {
    before: State,
    after: Option<State>,
}

/// Where an envelope is.
#[derive(Clone, Copy, Debug)]
struct State {
    generation: u64,
    epoch: u32,
    class: Class,
}

/// What `--json` prints of one connection.
#[derive(Debug, Serialize)]
struct Line<'o> {
    connection: &'o str,
    name: &'o str,
    exchange: &'o str,
    /// Whether the envelope was renewed.
    rotated: bool,
    generation: Option<u64>,
    epoch: Option<u32>,
    /// The class of programs that may open it.
    consent: Option<String>,
    error: Option<Told>,
}

pub fn run(options: &Options, args: &Args) -> Result<()> {
    let home = options.home()?;
    let session = Session::open(&home, options.gateway(None)?, options.expect_enclave()?)?;
    if args.provider_key {
        let linked = Linked::open(&home, &session)?;
        let records = chosen(&home, &session, args)?;
        return provider_key::run(&linked, records, args.all, args.json);
    }
    report(rotate_all(&home, &session, args)?, args.json)
}

fn rotate_all(home: &Home, enclave: &dyn Enclave, args: &Args) -> Result<Vec<Outcome>> {
    let mut linked = Linked::open(home, enclave)?;
    let records = chosen(home, enclave, args)?;
    let loosens = records.iter().any(|record| args.loosens(record));
    let mut second = if args.changes_who_opens() || loosens { Some(second_factor(&linked)?) } else { None };
    let owners = match &mut second {
        Some(second) if args.owner_keys => Some(new_owners(&mut linked, second)?),
        _ => None,
    };
    let change = Change::new(args, owners);
    let progress = Progress::start(format!("rotating {}", records.len()));
    let outcomes: Vec<Outcome> = records
        .into_iter()
        .map(|mut record| {
            let renewed = rotate(&linked, second.as_ref(), &mut record, &change);
            let Record { id, name, exchange, .. } = record;
            Outcome { connection: id.to_string(), name, exchange, renewed }
        })
        .collect();
    drop(progress);
    if let Some(second) = second.as_mut().filter(|_| args.owner_keys) {
        home.drop_unused_keys(enclave.realm(), &mut linked.owner, second)?;
    }
    Ok(outcomes)
}

fn chosen(home: &Home, enclave: &dyn Enclave, args: &Args) -> Result<Vec<Record>> {
    match &args.id {
        Some(id) => Ok(vec![home.connection(enclave.realm(), id)?]),
        None => home.connections_in(enclave.realm()),
    }
}

/// Prints what was done; the first failure is the command's, the others are told.
fn report(outcomes: Vec<Outcome>, json: bool) -> Result<()> {
    if json {
        print_json(&outcomes.iter().map(Outcome::line).collect::<Vec<_>>())?;
    }
    let mut failed = None;
    for outcome in outcomes {
        match (outcome.renewed, &failed) {
            (Ok(_), _) if json => {}
            (Ok(renewed), _) => print(&renewed.text(&printable(&outcome.name)))?,
            (Err(failure), None) => failed = Some(failure),
            (Err(failure), Some(_)) => say(failure.to_string()),
        }
    }
    failed.map_or(Ok(()), Err)
}

fn rotate(
    linked: &Linked<'_>,
    second: Option<&Ring>,
    record: &mut Record,
    change: &Change,
) -> Result<Renewed> {
    linked.resume(record)?;
    let before = record.current()?.clone();
    let state = State::of(&before);
    let Some(change) = change.sensible(&before, linked.enclave.current_epoch_of(before.class())) else {
        return Ok(Renewed { before: state, after: None });
    };
    let slot = match renew(linked, second, record, &change) {
        // Another copy of this directory went ahead, or came back: what is here is acknowledged first.
        Err(failure) if failure.code == Refusal::GenerationPending.code() => {
            record.pending = record.current.clone();
            linked.acknowledge(record)?;
            renew(linked, second, record, &change)?
        }
        renewed => renewed?,
    };
    record.pending = Some(slot);
    linked.home.save(record)?;
    linked.acknowledge(record)?;
    let after = record.current()?;
    Ok(Renewed { before: state, after: Some(State::of(after)) })
}

/// Asks for the next envelope. The share's version is taken before it is used, and never again.
fn renew(linked: &Linked<'_>, second: Option<&Ring>, record: &mut Record, change: &Change) -> Result<Slot> {
    let before = record.current()?.clone();
    let share_version = match change.share {
        true => take_share_version(linked, record, &before)?,
        false => before.share_version,
    };
    let share = match change.share {
        true => Some(linked.share(record.id, share_version)?),
        false => None,
    };
    let args = operation::Rotate {
        data_key: change.data_key,
        epoch: change.epoch,
        share: share.as_ref().map(|share| share.as_slice().into()),
        owners: change.owners.clone(),
        class: change.class,
    };
    let args = canonical_secret(&args, 1024);
    let class = change.class.unwrap_or(before.class());
    let others = match second.filter(|_| change.share || change.owners.is_some() || class < before.class()) {
        Some(second) => co_signers(linked, second, &before, change.owners.as_deref().unwrap_or_default())?,
        None => Vec::new(),
    };
    let result = linked.ask(record, &before, Op::Rotate, &args, &others)?;
    let unreadable = || Failure::internal("the enclave answered with something unreadable");
    let rotated = Rotated::from_bytes(&result).map_err(|_| unreadable())?;
    let owners = change.owners.clone().unwrap_or_else(|| before.owners.clone());
    let slot = record.slot(rotated.envelope, share_version, owners, class)?;
    let renewed = change.data_key || change.share || change.owners.is_some() || change.class.is_some();
    if (slot.generation, slot.epoch) != (rotated.generation, rotated.epoch)
        || renewed != (slot.generation > before.generation)
    {
        return Err(unreadable());
    }
    Ok(slot)
}

fn take_share_version(linked: &Linked<'_>, record: &mut Record, before: &Slot) -> Result<u64> {
    linked.in_its_environment(record)?;
    record.share_version = record.share_version.max(before.share_version) + 1;
    linked.home.save(record)?;
    Ok(record.share_version)
}

/// Beside the device key: the second factor in force, and every new key, which proves that it is held.
fn co_signers<'k>(
    linked: &'k Linked<'_>,
    second: &'k Ring,
    before: &Slot,
    new: &[OwnerKey],
) -> Result<Vec<&'k SigningKey>> {
    let in_force = before.owner(OwnerRole::Second);
    let keys = in_force.into_iter().chain(new).map(|key| match key.role {
        OwnerRole::Device => linked.owner.devices.find(key),
        OwnerRole::Second => second.find(key),
    });
    keys.collect::<Option<Vec<_>>>().ok_or_else(|| {
        Failure::refused("key_missing", "your second factor of this connection is missing")
            .hint("name the file that holds it with `--second-factor FILE`")
    })
}

fn second_factor(linked: &Linked<'_>) -> Result<Ring> {
    let realm = linked.enclave.realm();
    linked.home.second_factor(realm)?.ok_or_else(|| {
        let path = linked.home.second_factor_path(realm);
        Failure::refused("second_factor_needed", format!("your second factor is not at `{}`", path.display()))
            .hint(
            "a new share and new owner keys need it: name its file with `--second-factor FILE`, or rotate without \
             them: `--data-key --epoch`",
        )
    })
}

/// Makes the new owner keys and stores them before any request names them.
fn new_owners(linked: &mut Linked<'_>, second: &mut Ring) -> Result<Vec<OwnerKey>> {
    let realm = linked.enclave.realm();
    linked.home.drop_unused_keys(realm, &mut linked.owner, second)?;
    let owners = vec![linked.owner.devices.add()?, second.add()?];
    linked.home.save_owner(realm, &linked.owner)?;
    linked.home.save_second_factor(realm, second)?;
    Ok(owners)
}

impl Outcome {
    fn line(&self) -> Line<'_> {
        let renewed = self.renewed.as_ref();
        let state = renewed.ok().map(|renewed| renewed.after.unwrap_or(renewed.before));
        Line {
            connection: &self.connection,
            name: &self.name,
            exchange: &self.exchange,
            rotated: renewed.is_ok_and(|renewed| renewed.after.is_some()),
            generation: state.map(|state| state.generation),
            epoch: state.map(|state| state.epoch),
            consent: state.map(|state| state.class.to_string()),
            error: renewed.err().map(Told::from),
        }
    }
}

impl Renewed {
    fn text(&self, name: &str) -> String {
        let (before, Some(after)) = (self.before, self.after) else {
            return format!("{name} is in epoch {} already\n", self.before.epoch);
        };
        let step = |what: &str, before: u64, after: u64| {
            if before == after { format!("{what} {after}") } else { format!("{what} {before} → {after}") }
        };
        let generation = step("generation", before.generation, after.generation);
        let epoch = step("epoch", before.epoch.into(), after.epoch.into());
        let class = match before.class == after.class {
            true => String::new(),
            false => format!(", consent {} → {}", before.class, after.class),
        };
        format!("rotated {name}: {generation}, {epoch}{class}\n")
    }
}

impl State {
    fn of(slot: &Slot) -> State {
        State { generation: slot.generation, epoch: slot.epoch, class: slot.class() }
    }
}

impl Args {
    /// Without a flag: data key, epoch and share.
    fn names_nothing(&self) -> bool {
        !(self.data_key || self.epoch || self.share || self.owner_keys || self.consent.is_some())
    }

    /// What the enclave does for both factors only.
    fn changes_who_opens(&self) -> bool {
        self.share || self.owner_keys || self.names_nothing()
    }

    /// Whether more programs than now could open it.
    fn loosens(&self, record: &Record) -> bool {
        let held = record.current.as_ref().map(Slot::class);
        self.consent.zip(held).is_some_and(|(asked, held)| asked < held)
    }
}

impl Change {
    fn new(args: &Args, owners: Option<Vec<OwnerKey>>) -> Change {
        let none = args.names_nothing();
        Change {
            data_key: args.data_key || none,
            epoch: args.epoch || none,
            share: args.share || none,
            owners,
            class: args.consent,
        }
    }

    /// Without an epoch or class that the envelope is in already; `None`: then nothing is left to do.
    fn sensible(&self, before: &Slot, current_epoch: u32) -> Option<Change> {
        let class = self.class.filter(|class| *class != before.class());
        let change = Change { epoch: self.epoch && before.epoch != current_epoch, class, ..self.clone() };
        let any =
            change.data_key || change.epoch || change.share || change.owners.is_some() || class.is_some();
        any.then_some(change)
    }
}

#[cfg(test)]
mod tests;
