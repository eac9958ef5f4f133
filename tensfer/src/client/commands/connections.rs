//! `connections`: what is linked, from this machine's records alone. Asks nobody.

use super::{print, print_json};
use crate::client::clock::rfc3339;
use crate::client::encode::hex;
use crate::client::failure::Result;
use crate::client::finding::{self, Shown};
use crate::client::home::Home;
use crate::client::home::record::Record;
use crate::client::linked::receipt_line;
use crate::client::options::Options;
use crate::client::table::{Align, Table};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use utoipa::ToSchema;
use wire::UnixMillis;
use wire::capability::State;
use wire::freshness::Mark;

#[derive(clap::Args, Debug)]
#[command(after_help = "Example:\n  tensfer connections --json")]
pub struct Args {
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// One linked account, as programs read it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Connection)]
pub struct Entry {
    id: String,
    name: String,
    exchange: String,
    realm: &'static str,
    /// `live`, or `sandbox`: of the enclave that it was linked in.
    environment: &'static str,
    server: String,
    linked: String,
    /// `null` until the link is finished.
    generation: Option<u64>,
    epoch: Option<u32>,
    /// A newer generation is stored and not known to be acknowledged.
    pending: bool,
    capabilities: Vec<Shown>,
    receipts: u64,
    receipt_gaps: usize,
    /// Starts of the enclave that answered, newest last.
    boots: Vec<String>,
    /// The highest state seen of what serves it; `null`: nobody witnesses one.
    mark: Option<ShownMark>,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Mark)]
struct ShownMark {
    line: u8,
    term: u64,
    counter: u64,
    head: String,
}

pub fn run(options: &Options, args: &Args) -> Result<()> {
    let home = options.home()?;
    let records = home.connections()?;
    if args.json {
        return print_json(&entries(&home, &records)?);
    }
    if records.is_empty() {
        return print("nothing is linked yet\n");
    }
    print(&table(&records))
}

pub fn entries(home: &Home, records: &[Record]) -> Result<Vec<Entry>> {
    let mut marks = BTreeMap::new();
    for realm in records.iter().map(|record| record.realm).collect::<BTreeSet<_>>() {
        marks.insert(realm, home.marks(realm)?);
    }
    let mark = |record: &Record| marks.get(&record.realm)?.of(record.id);
    Ok(records.iter().map(|record| entry(record, mark(record))).collect())
}

fn entry(record: &Record, mark: Option<Mark>) -> Entry {
    let shown = |Mark { line, term, counter, head }| ShownMark { line, term, counter, head: hex(&head.0) };
    Entry {
        id: record.id.to_string(),
        name: record.name.clone(),
        exchange: record.exchange.clone(),
        realm: record.realm.name(),
        environment: record.environment.name(),
        server: record.server.clone(),
        linked: rfc3339(UnixMillis(record.linked)),
        generation: record.current.as_ref().map(|slot| slot.generation),
        epoch: record.current.as_ref().map(|slot| slot.epoch),
        pending: record.pending.is_some(),
        capabilities: finding::stored(record).map(|finding| finding::shown(&finding)).unwrap_or_default(),
        receipts: record.receipts.counter,
        receipt_gaps: record.receipts.gaps.len(),
        boots: record.receipts.boots.iter().map(|boot| boot.boot.clone()).collect(),
        mark: mark.map(shown),
    }
}

fn table(records: &[Record]) -> String {
    let mut table = Table::new([
        ("name", Align::Left),
        ("exchange", Align::Left),
        ("withdraws", Align::Left),
        ("generation", Align::Right),
        ("epoch", Align::Right),
        ("last receipt", Align::Left),
        ("realm", Align::Left),
        ("id", Align::Left),
    ]);
    for record in records {
        let found = finding::stored(record);
        let withdraw = found.as_ref().map_or(State::Unknown, finding::withdraw);
        let proven = if found.as_ref().is_some_and(finding::is_proven) { " (proven)" } else { "" };
        let number = |number: Option<String>| number.unwrap_or_else(|| "unfinished".into());
        table.row([
            record.name.clone(),
            format!("{}{proven}", record.exchange),
            finding::state(withdraw).to_owned(),
            number(record.current.as_ref().map(|slot| slot.generation.to_string())),
            number(record.current.as_ref().map(|slot| slot.epoch.to_string())),
            receipt_line(record),
            record.realm.to_string(),
            record.id.to_string(),
        ]);
    }
    let gaps: Vec<String> = records.iter().flat_map(gap_lines).collect();
    format!("{table}{}", gaps.concat())
}

fn gap_lines(record: &Record) -> Vec<String> {
    let line = |gap: &crate::client::home::receipts::Gap| {
        let (missing, time) = (gap.before - gap.after - 1, rfc3339(UnixMillis(gap.time)));
        format!(
            "WARNING: {} has a gap of {missing} receipts after number {} (before {time}): requests that this device never made or never saw\n",
            crate::client::terminal::printable(&record.name),
            gap.after
        )
    };
    record.receipts.gaps.iter().map(line).collect()
}
