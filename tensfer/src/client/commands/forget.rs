//! `forget`: the enclave refuses the connection from now on, and this machine removes its envelope.

use super::revocation::{backup_needed, by_hand, is_lost_with_its_envelope};
use super::{print, print_json};
use crate::client::failure::{Failure, Result};
use crate::client::home::Home;
use crate::client::home::record::{Record, Slot};
use crate::client::linked::Linked;
use crate::client::options::Options;
use crate::client::session::{Enclave, Session};
use crate::client::terminal::{printable, say};
use host::catalogue;
use serde::Serialize;
use wire::operation::{Nothing, Op};
use wire::{Canonical, Refusal};

#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:\n  tensfer forget kraken\n  tensfer forget kraken --json")]
pub struct Args {
    /// The connection's id or name.
    id: String,

    /// Only remove it from this machine, without asking the enclave.
    #[arg(long)]
    local: bool,

    /// Also a wallet whose key is in its envelope and whose words nobody has written down: WHAT IT HOLDS IS LOST.
    #[arg(long)]
    dangerous_without_backup: bool,

    /// Print JSON: id, name, exchange, refused, at_provider, by_hand.
    #[arg(long)]
    json: bool,
}

/// What came of it.
#[derive(Debug, Serialize)]
struct Shape {
    id: String,
    name: String,
    exchange: String,
    /// It is refused by the enclave from now on.
    refused: bool,
    /// `ended`: the provider gave the authorisation up; `left`: its key is good there as before.
    at_provider: &'static str,
    /// Where it is ended by hand.
    by_hand: Option<String>,
}

pub fn run(options: &Options, args: &Args) -> Result<()> {
    let home = options.home()?;
    let (record, has_ended) = match args.local {
        true => (lost_knowingly(home.connection_anywhere(&args.id)?, args)?, false),
        false => {
            let session = Session::open(&home, options.gateway(None)?, options.expect_enclave()?)?;
            forget(&home, &session, args)?
        }
    };
    home.remove(&record)?;
    let by_hand = by_hand(&record).filter(|_| !has_ended);
    if let Some(place) = &by_hand {
        let what = if is_authorised(&record) { "look that the access is gone" } else { "delete the key" };
        say(format!(
            "hint: {what} at {} too ({}): there it is as good as before",
            printable(&record.exchange),
            printable(place)
        ));
    }
    let (name, id) = (printable(&record.name), record.id.to_string());
    if !args.json {
        return print(&format!("forgot {name} ({id})\n"));
    }
    let at_provider = if has_ended { "ended" } else { "left" };
    let Record { name, exchange, .. } = record;
    print_json(&Shape { id, name, exchange, refused: !args.local, at_provider, by_hand })
}

/// Asks the enclave; gives whether the provider ended the authorisation.
fn forget(home: &Home, enclave: &dyn Enclave, args: &Args) -> Result<(Record, bool)> {
    let linked = Linked::open(home, enclave)?;
    let mut record = lost_knowingly(home.connection(enclave.realm(), &args.id)?, args)?;
    let Some(slot) = record.pending.clone().or_else(|| record.current.clone()) else {
        return Ok((record, false));
    };
    let has_ended = match end(&linked, &mut record, &slot) {
        // An earlier `forget` was broken off after the enclave had answered.
        Err(failure) if failure.code == Refusal::Forgotten.code() => false,
        // What waits is acknowledged first, or was superseded.
        Err(failure) if is_unfinished(&failure, &record) => {
            linked.resume(&mut record)?;
            let slot = record.current()?.clone();
            end(&linked, &mut record, &slot)?
        }
        answered => answered?,
    };
    Ok((record, has_ended))
}

fn is_unfinished(failure: &Failure, record: &Record) -> bool {
    let codes = [Refusal::GenerationPending.code(), Refusal::StaleGeneration.code()];
    record.pending.is_some() && codes.contains(&failure.code)
}

/// Refuses what would be lost with its envelope, unless its owner said so.
fn lost_knowingly(record: Record, args: &Args) -> Result<Record> {
    match is_lost_with_its_envelope(&record) && !args.dangerous_without_backup {
        true => Err(backup_needed(&record, "--dangerous-without-backup")),
        false => Ok(record),
    }
}

/// Forgets the connection; where its owner authorised it at the provider, the provider ends that first. Gives whether it did.
fn end(linked: &Linked<'_>, record: &mut Record, slot: &Slot) -> Result<bool> {
    let authorised = is_authorised(record);
    let mut ask = |op| linked.ask(record, slot, op, &Nothing {}.to_bytes(), &[]).map(drop);
    if !authorised {
        return ask(Op::Forget).map(|()| false);
    }
    match ask(Op::Revoke) {
        Err(failure) if failure.code == Refusal::NotOffered.code() => ask(Op::Forget).map(|()| false),
        ended => ended.map(|()| true),
    }
}

fn is_authorised(record: &Record) -> bool {
    catalogue::find(&record.exchange).is_some_and(|exchange| exchange.oauth)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::testing::{Scripted, linked_home, supersede};

    #[test]
    fn a_connection_whose_unfinished_change_was_superseded_is_forgotten_by_the_envelope_in_use() {
        let directory = tempfile::tempdir().unwrap();
        let (home, enclave) = (linked_home(directory.path()), Scripted::new());
        supersede(&home, &enclave);
        let args = Args { id: "kraken".into(), local: false, dangerous_without_backup: false, json: false };
        let (record, has_ended) = forget(&home, &enclave, &args).unwrap();
        assert!(record.pending.is_none() && !has_ended);
    }
}
