//! `upgrade`: envelopes of class `owner` move to a newer program, one by one, by their owner's word (docs/spec/moving.md).
//!
//! A crash at any step loses nothing: the old envelope stays in use until the new one is stored and acknowledged; the next
//! command goes on from there.

mod program;

use super::{print, print_json};
use crate::client::failure::{Failure, Result, Told};
use crate::client::home::Home;
use crate::client::home::keys::SigningKey;
use crate::client::home::realm::Realm;
use crate::client::home::record::{Record, Slot};
use crate::client::home::rings::Ring;
use crate::client::linked::Linked;
use crate::client::options::Options;
use crate::client::session::{Enclave, Session, Shown};
use crate::client::table::{Align, Table};
use crate::client::terminal::{Progress, ask_line, can_ask, counted, printable, say};
use program::Program;
use serde::Serialize;
use wire::consent::Class;
use wire::moving::{Capsule, HandOn};
use wire::operation::{Op, Rotated};
use wire::owner::OwnerRole;
use wire::{Canonical, Refusal};

#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:\n  \
    tensfer upgrade --to https://new.example --status\n  \
    tensfer upgrade --to https://new.example\n  \
    tensfer upgrade kraken --to https://new.example --yes --second-factor /media/stick/second-factor.key\n\n\
    `--server` is where the old program answers. Your policy has to accept both programs. Only accounts of consent class `owner` \
    wait for your word: the others the new program opens by itself.")]
pub struct Args {
    /// The connection's id or name; all of class `owner` without it.
    id: Option<String>,

    /// The server of the new program: `https://HOST`, or `http://localhost:PORT`.
    #[arg(long, value_name = "URL")]
    to: String,

    /// Show both programs and what would move; move nothing.
    #[arg(long)]
    status: bool,

    /// Do not ask.
    #[arg(long)]
    yes: bool,

    /// Print JSON: from, to, connections.
    #[arg(long)]
    json: bool,
}

/// Where an account's envelope is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Place {
    /// With the old program.
    Old,
    /// Stored, and not known to be acknowledged by the new one.
    Moving,
    New,
}

/// One connection, and what came of it.
struct Outcome {
    connection: String,
    name: String,
    exchange: String,
    place: Place,
    generation: Option<u64>,
    epoch: Option<u32>,
    failure: Option<Failure>,
}

/// What `--json` prints.
#[derive(Serialize)]
struct Report<'o> {
    from: &'o Program,
    to: &'o Program,
    connections: Vec<Line<'o>>,
}

#[derive(Serialize)]
struct Line<'o> {
    connection: &'o str,
    name: &'o str,
    exchange: &'o str,
    place: Place,
    generation: Option<u64>,
    epoch: Option<u32>,
    error: Option<Told>,
}

/// A verified enclave that another one can be shown.
trait Successor: Enclave {
    fn server(&self) -> &str;
    /// Whether an epoch of class `owner` is its program's.
    fn has_epoch(&self, epoch: u32) -> bool;
    /// Evidence over a fresh nonce, verified here.
    fn show(&self) -> Result<Shown>;
}

impl Successor for Session {
    fn server(&self) -> &str {
        Session::server(self)
    }

    fn has_epoch(&self, epoch: u32) -> bool {
        let identity = self.identity();
        let owners = identity.epochs_of(Class::Owner);
        owners.is_some_and(|owners| owners.commitments.iter().any(|one| one.epoch == epoch))
    }

    fn show(&self) -> Result<Shown> {
        Session::show(self)
    }
}

pub fn run(options: &Options, args: &Args) -> Result<()> {
    let home = options.home()?;
    let new = Session::open(&home, options.gateway(Some(&args.to))?, options.expect_enclave()?)?;
    // An older version than was met before is what is left behind here.
    let old = Session::open_former(&home, options.gateway(None)?, options.expect_enclave()?)?;
    if old.server() == new.server() {
        return Err(Failure::usage("the old and the new program answer at two addresses")
            .hint("name the old one's with `--server URL`, and the new one's with `--to URL`"));
    }
    if old.realm() != new.realm() {
        return Err(Realm::mixed(old.realm(), new.realm()));
    }
    let programs = [Program::of(&old), Program::of(&new)];
    let records = chosen(&home, &new, args)?;
    say(program::table(&programs));
    let outcomes = match args.status {
        true => records.iter().map(|record| Outcome::of(record, place(record, &new), None)).collect(),
        false => upgrade(&home, &old, &new, (records, &programs), |waiting| agree(args, waiting))?,
    };
    report(&programs, outcomes, args.json)
}

/// The accounts of class `owner`.
fn chosen(home: &Home, new: &dyn Enclave, args: &Args) -> Result<Vec<Record>> {
    let is_owners =
        |record: &Record| record.current.as_ref().is_some_and(|slot| slot.class() == Class::Owner);
    let Some(id) = &args.id else {
        return Ok(home.connections_in(new.realm())?.into_iter().filter(is_owners).collect());
    };
    let record = home.connection(new.realm(), id)?;
    match is_owners(&record) {
        true => Ok(vec![record]),
        false => {
            Err(Failure::usage(format!("`{}` is not of consent class `owner`", printable(&record.name)))
                .hint("the new program opens it without your word, once its class lets it"))
        }
    }
}

/// Moves what waits, once its owner has agreed to that.
fn upgrade(
    home: &Home,
    old: &dyn Enclave,
    new: &dyn Successor,
    (records, programs): (Vec<Record>, &[Program; 2]),
    agree: impl FnOnce(u64) -> Result<()>,
) -> Result<Vec<Outcome>> {
    let waiting = records.iter().filter(|record| place(record, new) != Place::New).count();
    if waiting == 0 {
        return Ok(records.iter().map(|record| Outcome::of(record, Place::New, None)).collect());
    }
    if new.current_epoch_of(Class::Owner) == 0 {
        return Err(Failure::host(
            "class_not_held",
            "the new program has no root of class `owner` yet (class_not_held)",
        )
        .hint("its operators have one made for it (`tensfer root begin`); try again then"));
    }
    agree(waiting as u64)?;
    let way = Way::open(home, old, new, &programs[1])?;
    let progress = Progress::start("moving");
    let mut outcomes = Vec::with_capacity(records.len());
    for mut record in records {
        progress.update(format!("moving {}", printable(&record.name)));
        let failure = way.move_one(&mut record).err();
        outcomes.push(Outcome::of(&record, place(&record, new), failure));
    }
    Ok(outcomes)
}

/// Where an envelope is: the epochs of class `owner` are each of one program.
fn place(record: &Record, new: &dyn Successor) -> Place {
    let is_new = record.current.as_ref().is_some_and(|slot| new.has_epoch(slot.epoch));
    match (record.moving.is_some(), is_new) {
        (true, _) => Place::Moving,
        (false, true) => Place::New,
        (false, false) => Place::Old,
    }
}

fn agree(args: &Args, waiting: u64) -> Result<()> {
    if args.yes {
        return Ok(());
    }
    if !can_ask() {
        return Err(
            Failure::usage("nobody is there to be asked").hint("say `--yes` once you have read what moves")
        );
    }
    let what = counted(waiting, "account", "accounts");
    let answer = ask_line(&format!("type `yes` to let the new program open {what} of yours"))?;
    if answer.trim() == "yes" { Ok(()) } else { Err(Failure::refused("not_moved", "nothing was moved")) }
}

/// An owner between two verified enclaves.
struct Way<'a> {
    from: Linked<'a>,
    to: Linked<'a>,
    new: &'a dyn Successor,
    /// What the owner agreed to.
    program: &'a Program,
    second: Ring,
}

impl<'a> Way<'a> {
    fn open(
        home: &'a Home,
        old: &'a dyn Enclave,
        new: &'a dyn Successor,
        program: &'a Program,
    ) -> Result<Way<'a>> {
        let (from, to) = (Linked::open(home, old)?, Linked::open(home, new)?);
        let realm = new.realm();
        let second = home.second_factor(realm)?.ok_or_else(|| {
            let path = home.second_factor_path(realm);
            Failure::refused(
                "second_factor_needed",
                format!("your second factor is not at `{}`", path.display()),
            )
            .hint("letting another program open an account needs both your keys: `--second-factor FILE`")
        })?;
        Ok(Way { from, to, new, program, second })
    }

    /// From wherever an earlier command left it.
    fn move_one(&self, record: &mut Record) -> Result<()> {
        if record.moving.is_some() {
            match self.to.acknowledge(record) {
                // Another copy of this directory moved it as well: what is here was superseded.
                Err(failure) if failure.code == Refusal::StaleGeneration.code() => {
                    (record.pending, record.moving) = (None, None);
                    self.to.home.save(record)?;
                }
                acknowledged => return acknowledged,
            }
        }
        if place(record, self.new) == Place::New {
            return Ok(());
        }
        let current = record.current()?.clone();
        let slot = match self.carry(record, &current) {
            // The old program had acknowledged a change whose reply never came here.
            Err(failure) if failure.code == Refusal::StaleGeneration.code() => match record.pending.clone() {
                Some(pending) => self.carry(record, &pending)?,
                None => return Err(failure),
            },
            carried => carried?,
        };
        record.pending = Some(slot);
        record.moving = Some(self.new.server().to_owned());
        self.to.home.save(record)?;
        self.to.acknowledge(record)
    }

    /// Has the old program hand on what the new one takes in: the envelope that came of it.
    fn carry(&self, record: &mut Record, slot: &Slot) -> Result<Slot> {
        let unreadable = || Failure::internal("the enclave answered with something unreadable");
        let shown = self.new.show()?;
        let program = self.program.named(&shown.registers)?;
        let args = HandOn { evidence: shown.evidence, nonce: shown.nonce, program };
        let second = self.second_key(record, slot)?;
        let capsule = self.from.ask(record, slot, Op::HandOn, &args.to_bytes(), &[second])?;
        Capsule::from_bytes(&capsule).map_err(|_| unreadable())?;
        // With tokens that were about to run out, the old program renewed them on the way.
        let renewed = record.current.clone().filter(|current| current.generation > slot.generation);
        let slot = renewed.unwrap_or_else(|| slot.clone());
        let taken = self.to.ask(record, &slot, Op::TakeIn, &capsule, &[])?;
        let taken = Rotated::from_bytes(&taken).map_err(|_| unreadable())?;
        let next = record.slot(taken.envelope, slot.share_version, slot.owners.clone(), Class::Owner)?;
        let is_next = next.generation > slot.generation && self.new.has_epoch(next.epoch);
        let is_told = (next.generation, next.epoch) == (taken.generation, taken.epoch);
        if is_next && is_told { Ok(next) } else { Err(unreadable()) }
    }

    fn second_key(&self, record: &Record, slot: &Slot) -> Result<&SigningKey> {
        let key = slot.owner(OwnerRole::Second).and_then(|key| self.second.find(key));
        key.ok_or_else(|| {
            let name = printable(&record.name);
            Failure::refused("key_missing", format!("your second factor of `{name}` is missing"))
                .hint("name the file that holds it with `--second-factor FILE`")
        })
    }
}

impl Outcome {
    fn of(record: &Record, place: Place, failure: Option<Failure>) -> Outcome {
        let slot = record.current.as_ref();
        Outcome {
            connection: record.id.to_string(),
            name: record.name.clone(),
            exchange: record.exchange.clone(),
            place,
            generation: slot.map(|slot| slot.generation),
            epoch: slot.map(|slot| slot.epoch),
            failure,
        }
    }

    fn line(&self) -> Line<'_> {
        Line {
            connection: &self.connection,
            name: &self.name,
            exchange: &self.exchange,
            place: self.place,
            generation: self.generation,
            epoch: self.epoch,
            error: self.failure.as_ref().map(Told::from),
        }
    }
}

impl Place {
    const fn words(self) -> &'static str {
        match self {
            Place::Old => "with the old program",
            Place::Moving => "on its way",
            Place::New => "with the new program",
        }
    }
}

/// Prints where everything is; the first failure is the command's, the others are told.
fn report(programs: &[Program; 2], outcomes: Vec<Outcome>, json: bool) -> Result<()> {
    if json {
        let [from, to] = programs;
        print_json(&Report { from, to, connections: outcomes.iter().map(Outcome::line).collect() })?;
    } else if outcomes.is_empty() {
        print("no account of consent class `owner` is linked here\n")?;
    } else {
        let mut table = Table::new([
            ("name", Align::Left),
            ("exchange", Align::Left),
            ("generation", Align::Right),
            ("epoch", Align::Right),
            ("", Align::Left),
        ]);
        for outcome in &outcomes {
            let number = |number: Option<String>| number.unwrap_or_default();
            table.row([
                outcome.name.clone(),
                outcome.exchange.clone(),
                number(outcome.generation.map(|generation| generation.to_string())),
                number(outcome.epoch.map(|epoch| epoch.to_string())),
                outcome.place.words().to_owned(),
            ]);
        }
        print(&table.to_string())?;
    }
    let mut failed = outcomes.into_iter().filter_map(|outcome| outcome.failure);
    let first = failed.next();
    failed.for_each(|failure| say(failure.to_string()));
    first.map_or(Ok(()), Err)
}

#[cfg(test)]
mod tests;
