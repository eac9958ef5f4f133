//! `history`, `addresses`, `networks`, `destinations`, `positions`: what an exchange keeps of an account, read page by page.

mod known;
mod save;
mod show;

use super::{print, print_json};
use crate::client::asks::{Asks, ByOwner};
use crate::client::clock::{parse_rfc3339, rfc3339};
use crate::client::failure::{Failure, Fault, Result};
use crate::client::grantee::Grantee;
use crate::client::linked::Linked;
use crate::client::options::Options;
use crate::client::session::Session;
use crate::client::terminal::{Progress, counted, printable, say};
use known::Known;
use save::Saved;
use serde::Serialize;
use std::path::PathBuf;
use std::process::ExitCode;
use utoipa::ToSchema;
use wire::balance::Status;
use wire::operation::Op;
use wire::record::{Kind, Page, Query, Row};
use wire::{Canonical, UnixMillis};

/// More replies than this for one question are a provider that never comes to its end.
const MAX_PAGES: u32 = 10_000;
/// Why a history ends whose pages go in circles.
const NO_PROGRESS: &str = "no_progress";

/// Whose account it is that is asked about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whose {
    Own,
    /// By a grant of its owner's.
    Granted,
}

#[derive(clap::Args, Debug)]
#[command(
    after_help = "Examples:\n  tensfer history kraken deposits --since 2024-01-01\n  tensfer history kraken trades --out trades.jsonl"
)]
pub struct History {
    /// The id or name of the connection, or of the grant.
    id: String,

    /// What to read.
    #[arg(value_enum)]
    kind: HistoryKind,

    /// This asset alone, such as `BTC`.
    #[arg(long, value_name = "CODE", value_parser = code)]
    asset: Option<String>,

    /// This market alone, in the exchange's own name; some exchanges list trades no other way.
    #[arg(long, value_name = "MARKET")]
    market: Option<String>,

    /// The account type whose own history it is, such as `margin`; without one, the main one.
    #[arg(long, value_name = "ACCOUNT")]
    account: Option<String>,

    /// From this time on: a date, or RFC 3339.
    #[arg(long, value_name = "TIME", value_parser = time)]
    since: Option<UnixMillis>,

    /// Up to this time.
    #[arg(long, value_name = "TIME", value_parser = time)]
    until: Option<UnixMillis>,

    /// Write the rows to this file, one JSON object a line, as they come. Run the same command again to go on where it was cut off.
    #[arg(long, value_name = "FILE", conflicts_with = "json")]
    out: Option<PathBuf>,

    /// Print JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum HistoryKind {
    Deposits,
    Withdrawals,
    /// Every change of a balance, as the exchange books it.
    Ledger,
    Trades,
    /// Between your own accounts at the exchange.
    Transfers,
}

#[derive(clap::Args, Debug)]
#[command(after_help = "Example:\n  tensfer addresses kraken --asset BTC")]
pub struct Addresses {
    /// The id or name of the connection, or of the grant.
    id: String,

    /// The asset to receive, such as `USDT`.
    #[arg(long, value_name = "CODE", value_parser = code)]
    asset: String,

    /// The chain to receive it on, by its CAIP-2 id, such as `eip155:1`.
    #[arg(long, value_name = "CAIP-2")]
    chain: Option<String>,

    /// Print JSON.
    #[arg(long)]
    json: bool,
}

#[derive(clap::Args, Debug)]
#[command(after_help = "Example:\n  tensfer networks kraken --asset USDT")]
pub struct Networks {
    /// The id or name of the connection, or of the grant.
    id: String,

    /// This asset alone.
    #[arg(long, value_name = "CODE", value_parser = code)]
    asset: Option<String>,

    /// Print JSON.
    #[arg(long)]
    json: bool,
}

#[derive(clap::Args, Debug)]
#[command(after_help = "Example:\n  tensfer positions bybit")]
pub struct Positions {
    /// The id or name of the connection, or of the grant.
    id: String,

    /// Print JSON.
    #[arg(long)]
    json: bool,
}

#[derive(clap::Args, Debug)]
#[command(after_help = "Example:\n  tensfer destinations stripe")]
pub struct Destinations {
    /// The id or name of the connection, or of the grant.
    id: String,

    /// Those for this asset alone, such as `EUR`.
    #[arg(long, value_name = "CODE", value_parser = code)]
    asset: Option<String>,

    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// What was read, whole or as far as it came.
#[derive(Debug, Serialize, ToSchema)]
pub struct Records {
    connection: String,
    exchange: String,
    kind: &'static str,
    as_of: String,
    /// Whether this is everything that was asked for.
    complete: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    fault: Option<String>,
    /// Account types with histories of their own, which these rows do not tell of.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    other_accounts: Vec<String>,
    /// Fields as docs/spec/connector.md names them, all of them texts.
    #[schema(value_type = Vec<std::collections::BTreeMap<String, String>>)]
    rows: Vec<serde_json::Map<String, serde_json::Value>>,
}

pub fn history(options: &Options, whose: Whose, args: &History) -> Result<ExitCode> {
    let kind = match args.kind {
        HistoryKind::Deposits => Kind::Deposits,
        HistoryKind::Withdrawals => Kind::Withdrawals,
        HistoryKind::Ledger => Kind::Ledger,
        HistoryKind::Trades => Kind::Trades,
        HistoryKind::Transfers => Kind::Transfers,
    };
    let query = Query {
        asset: args.asset.clone(),
        market: args.market.clone(),
        account: args.account.clone(),
        since: args.since,
        until: args.until,
        ..everything(kind)
    };
    match &args.out {
        Some(out) => save(options, (whose, &args.id), query, out),
        None => show(options, (whose, &args.id), query, args.json),
    }
}

pub fn addresses(options: &Options, whose: Whose, args: &Addresses) -> Result<ExitCode> {
    let (asset, chain) = (Some(args.asset.clone()), args.chain.clone());
    show(options, (whose, &args.id), Query { asset, chain, ..everything(Kind::Addresses) }, args.json)
}

pub fn networks(options: &Options, whose: Whose, args: &Networks) -> Result<ExitCode> {
    show(
        options,
        (whose, &args.id),
        Query { asset: args.asset.clone(), ..everything(Kind::Networks) },
        args.json,
    )
}

pub fn destinations(options: &Options, whose: Whose, args: &Destinations) -> Result<ExitCode> {
    show(
        options,
        (whose, &args.id),
        Query { asset: args.asset.clone(), ..everything(Kind::Destinations) },
        args.json,
    )
}

pub fn positions(options: &Options, whose: Whose, args: &Positions) -> Result<ExitCode> {
    show(options, (whose, &args.id), everything(Kind::Positions), args.json)
}

pub fn everything(kind: Kind) -> Query {
    let (asset, chain, market, account) = (None, None, None, None);
    Query { kind, asset, chain, market, since: None, until: None, from: None, account }
}

/// Reads to the end, then shows it.
fn show(options: &Options, of: (Whose, &str), query: Query, json: bool) -> Result<ExitCode> {
    let records = with_account(options, of, |asks| collect(asks, of.1, query, |_| true))?;
    match json {
        true => print_json(&records)?,
        false => print(&show::table(records.kind, &records.rows))?,
    }
    Ok(ending(records.fault))
}

/// Reads to the end, or as long as `goes_on` says so of the rows that were read.
pub fn collect(
    asks: &mut dyn Asks,
    id: &str,
    query: Query,
    goes_on: impl Fn(usize) -> bool,
) -> Result<Records> {
    let wanted = query.asset.clone();
    let mut records: Option<Records> = None;
    let fault = read(asks, query, |exchange, page, kind| {
        let records = records.get_or_insert_with(|| Records::new(id, exchange, kind, page.as_of));
        // Some exchanges tell of every asset, whatever they were asked for.
        let asked_for = |row: &&Row| match (&wanted, row.field("asset")) {
            (Some(wanted), Some(asset)) => wanted.eq_ignore_ascii_case(asset),
            _ => true,
        };
        records.rows.extend(page.rows.iter().filter(asked_for).map(show::object));
        records.other_accounts.clone_from(&page.accounts);
        Ok(goes_on(records.rows.len()))
    })?;
    let mut records = records.ok_or_else(|| Failure::internal("nothing was read and nothing was said"))?;
    // Newest first, whatever order the exchange gives them in; rows without a time keep theirs.
    let time =
        |row: &serde_json::Map<String, serde_json::Value>| row.get("timestamp")?.as_str()?.parse().ok();
    records.rows.sort_by_key(|row| std::cmp::Reverse(time(row).unwrap_or(0u64)));
    records.complete = fault.is_none();
    records.fault = fault;
    Ok(records)
}

/// Reads into a file, and goes on with what an earlier command left.
fn save(options: &Options, of: (Whose, &str), query: Query, out: &std::path::Path) -> Result<ExitCode> {
    let mut saved = Saved::open(out, of.1, &query)?;
    if saved.begun() {
        say(format!("note: going on with `{}`, which has {}", out.display(), rows(saved.rows())));
    }
    let query = Query { from: saved.next(), ..query };
    let fault =
        with_account(options, of, |asks| read(asks, query, |_, page, _| saved.append(page).map(|()| true)))?;
    if fault.is_none() {
        saved.finish()?;
    }
    say(format!("{} in `{}`", rows(saved.rows()), out.display()));
    Ok(ending(fault))
}

/// Verifies the enclave and looks the connection or the grant up.
fn with_account<T>(
    options: &Options,
    (whose, id): (Whose, &str),
    then: impl FnOnce(&mut dyn Asks) -> Result<T>,
) -> Result<T> {
    let home = options.home()?;
    let session = Session::open(&home, options.gateway(None)?, options.expect_enclave()?)?;
    match whose {
        Whose::Own => {
            let linked = Linked::open(&home, &session)?;
            let mut record = linked.connection(id)?;
            then(&mut ByOwner::new(&linked, &mut record)?)
        }
        Whose::Granted => {
            let grantee = Grantee::open(&home, &session)?;
            then(&mut grantee.by(id)?)
        }
    }
}

/// Asks page after page, until `each` says that it is enough. What it gives is why it did not come to its end.
fn read(
    asks: &mut dyn Asks,
    mut query: Query,
    mut each: impl FnMut(&str, &Page, &'static str) -> Result<bool>,
) -> Result<Option<String>> {
    let (exchange, name) = (asks.exchange().to_owned(), query.kind.name());
    let progress = Progress::start(format!("asking {} for {name}", printable(&exchange)));
    let (mut read, mut known) = (0u64, Known::default());
    for _ in 0..MAX_PAGES {
        let result = asks.ask(Op::Read, &query.to_bytes())?;
        let mut page = Page::from_bytes(&result)
            .map_err(|_| Failure::internal("the enclave answered with something unreadable"))?;
        let leads_on = known.take(&mut page);
        let goes_on = each(&exchange, &page, name)?;
        read += page.rows.len() as u64;
        let oldest = page.rows.iter().rev().find_map(|row| row.field("timestamp")?.parse().ok());
        let at = oldest.map_or(String::new(), |ms| format!(", at {}", rfc3339(UnixMillis(ms))));
        progress.update(format!("asking {} for {name}: {}{at}", printable(&exchange), rows(read)));
        if page.source.status != Status::Complete || !leads_on && page.next.is_some() {
            let unsaid = if leads_on { "unknown" } else { NO_PROGRESS };
            let fault = page.source.fault.clone().unwrap_or_else(|| unsaid.to_owned());
            drop(progress);
            let what = match fault.as_str() {
                "not_paged" => "the exchange gives the newest rows alone, and there may be more",
                "not_kept" => "the exchange does not tell of longer ago",
                NO_PROGRESS => "the exchange tells the same again and again",
                _ => "not everything was given",
            };
            say(format!("warning: {}: {name}: {what} ({})", printable(&exchange), printable(&fault)));
            return Ok(Some(fault));
        }
        match page.next {
            Some(_) if !goes_on => break,
            Some(next) if Some(&next) != query.from.as_ref() => query.from = Some(next),
            Some(_) => return Err(Failure::internal("the enclave does not come further in these pages")),
            None => {
                drop(progress);
                if !page.accounts.is_empty() && query.account.is_none() {
                    let others = printable(&page.accounts.join(", "));
                    say(format!("note: what these accounts keep is told apart, by --account: {others}"));
                }
                return Ok(None);
            }
        }
    }
    Ok(Some("too_many".to_owned()))
}

impl Records {
    fn new(id: &str, exchange: &str, kind: &'static str, as_of: UnixMillis) -> Self {
        let (connection, exchange, as_of) = (id.to_owned(), exchange.to_owned(), rfc3339(as_of));
        let (fault, other_accounts, rows) = (None, Vec::new(), Vec::new());
        Self { connection, exchange, kind, as_of, complete: false, fault, other_accounts, rows }
    }
}

fn ending(fault: Option<String>) -> ExitCode {
    fault.map_or(ExitCode::SUCCESS, |_| Fault::Provider.into())
}

fn rows(number: u64) -> String {
    counted(number, "row", "rows")
}

pub fn time(text: &str) -> std::result::Result<UnixMillis, String> {
    let whole = if text.len() == 10 { format!("{text}T00:00:00Z") } else { text.to_owned() };
    parse_rfc3339(&whole).ok_or_else(|| "a time is `2024-01-31` or `2024-01-31T12:00:00Z`".to_owned())
}

pub fn code(text: &str) -> std::result::Result<String, String> {
    let plausible = (1..=32).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
    if plausible { Ok(text.to_ascii_uppercase()) } else { Err("an asset is a code such as BTC".to_owned()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_dates_or_rfc_3339() {
        assert_eq!(time("2023-11-14"), Ok(UnixMillis(1_699_920_000_000)));
        assert_eq!(time("2023-11-14T22:13:20Z"), Ok(UnixMillis(1_700_000_000_000)));
        assert!(time("yesterday").is_err() && time("2023-13-01").is_err());
    }
}
