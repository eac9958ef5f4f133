//! `rotate --provider-key`: another key at the exchange in the place of the one in use.
//!
//! In steps, of which each may be broken off and taken up by the same command: the enclave has the key made and tries it;
//! its envelope is stored, then acknowledged; then the key before it is deleted there.

use super::super::{print, print_json};
use crate::client::failure::{Failure, Result, Told};
use crate::client::finding;
use crate::client::home::record::Record;
use crate::client::linked::Linked;
use crate::client::terminal::{Progress, counted, printable, say};
use serde::Serialize;
use wire::operation::Op;
use wire::provider_key::{KeyMade, KeyRetired, RotateKey, Step};
use wire::{Canonical, Refusal};

/// What came of one connection.
#[derive(Debug, Default, Serialize)]
pub struct Rotated {
    pub connection: String,
    pub name: String,
    pub exchange: String,
    pub generation: Option<u64>,
    /// Whether a key was made now; otherwise an earlier rotation was brought to its end.
    pub made: bool,
    /// Keys that the exchange deleted.
    pub deleted: u32,
    /// Why it was not finished.
    pub error: Option<Told>,
}

/// Each in turn: a provider's own limits for such calls are narrow. With `skips`, those whose provider has no such call are
/// told and left out.
pub fn run(linked: &Linked<'_>, records: Vec<Record>, skips: bool, json: bool) -> Result<()> {
    let (mut rotated, mut failed) = (Vec::new(), None);
    let progress = Progress::start(format!("rotating {} at their exchanges", records.len()));
    for mut record in records {
        progress.update(format!("rotating the key of {}", printable(&record.name)));
        match rotate(linked, &mut record) {
            Ok(done) => rotated.push(done),
            Err(failure) if skips && failure.code == Refusal::NotOffered.code() => {
                say(format!("note: `{}` is left as it is: {}", printable(&record.name), failure.sentence));
            }
            Err(failure) => {
                say(format!("`{}` was not finished", printable(&record.name)));
                rotated.push(Rotated { error: Some(Told::from(&failure)), ..Rotated::of(&record) });
                failed = failed.or(Some(failure));
            }
        }
    }
    drop(progress);
    if json {
        print_json(&rotated)?;
    } else {
        print(&rotated.iter().filter_map(line).collect::<String>())?;
    }
    failed.map_or(Ok(()), Err)
}

fn line(rotated: &Rotated) -> Option<String> {
    let generation = rotated.generation?;
    let what = if rotated.made { "a new key is in use" } else { "the last rotation is finished" };
    let deleted = counted(rotated.deleted.into(), "old key", "old keys");
    let (name, exchange) = (printable(&rotated.name), printable(&rotated.exchange));
    Some(format!("{name}: {what}, generation {generation}; {deleted} deleted at {exchange}\n"))
}

impl Rotated {
    fn of(record: &Record) -> Rotated {
        let (connection, name, exchange) =
            (record.id.to_string(), record.name.clone(), record.exchange.clone());
        Rotated { connection, name, exchange, ..Rotated::default() }
    }
}

/// Where an earlier rotation still has a key to delete, that is all that is done.
pub fn rotate(linked: &Linked<'_>, record: &mut Record) -> Result<Rotated> {
    linked.resume(record)?;
    let made = !record.retiring;
    if made {
        make(linked, record)?;
    }
    let deleted = retire(linked, record)?;
    let generation = Some(record.current()?.generation);
    Ok(Rotated { generation, made, deleted, ..Rotated::of(record) })
}

/// A new key, stored before anything is said of it.
fn make(linked: &Linked<'_>, record: &mut Record) -> Result<()> {
    let before = record.current()?.clone();
    let args = RotateKey { step: Step::Make }.to_bytes();
    let answer = linked.send(record, &before, Op::RotateKey, &args, &[])?;
    let identity = answer.identity.clone();
    let (result, _) = linked.finish(record, Ok(answer))?;
    let made = KeyMade::from_bytes(&result).map_err(|_| unreadable())?;
    finding::check(&made.finding, &identity, record)?;
    let slot = record.slot(made.envelope, before.share_version, before.owners.clone(), before.class())?;
    if (slot.generation, slot.epoch) != (made.generation, made.epoch) || slot.generation <= before.generation
    {
        return Err(unreadable());
    }
    (record.pending, record.retiring) = (Some(slot), true);
    linked.home.save(record)?;
    linked.acknowledge(record)?;
    // Only now: where it is never in use, the one before it is what the finding is of.
    record.finding = made.finding;
    linked.home.save(record)
}

/// The key before it, deleted by the new one.
fn retire(linked: &Linked<'_>, record: &mut Record) -> Result<u32> {
    let slot = record.current()?.clone();
    let args = RotateKey { step: Step::Retire }.to_bytes();
    let result = linked.ask(record, &slot, Op::RotateKey, &args, &[]).map_err(|failure| {
        failure.hint("the new key is in use, and the one before it is still good: run the same command again")
    })?;
    let retired = KeyRetired::from_bytes(&result).map_err(|_| unreadable())?;
    record.retiring = false;
    linked.home.save(record)?;
    Ok(retired.deleted)
}

fn unreadable() -> Failure {
    Failure::internal("the enclave answered with something unreadable")
}
