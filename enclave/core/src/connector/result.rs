//! What an operation asks, and how its answers become one outcome.

use super::answer::Reply;
use super::asked::{Asked, is_ordered};
use super::balance::merged;
use super::each::RowKey;
use super::evaluate::Mismatch;
use super::fault::{CallerFault, Fault, FaultCode};
use super::key::digest;
use super::load::CAPABILITIES;
use super::market::{self, Market};
use super::model::{Connector, Hash, Listing, MarketsCall, Read, Steps};
use super::model_signing::is_like;
use super::outcome::{Answer, Balance, Coverage, Finding, Operation, Outcome, Record, Source, State, Status};
use super::page::{Position, Seen};
use super::price::PriceTable;
use super::task::{Job, State as TaskState, Task};
use super::value::{self, Params, Value};

/// A listing that is asked for each row of another has so many times the pages in one run: most accounts and markets
/// have nothing to tell.
const EACH_PAGES: u32 = 4;
/// The most rows that one run keeps.
const MAX_ROWS: usize = 200_000;

/// Answers so far.
#[derive(Default)]
pub struct Collected {
    pub time_ms: Option<u64>,
    balances: Vec<Balance>,
    findings: Vec<Finding>,
    markets: Vec<Record>,
    /// What the dictionary says of the market that a read names.
    named: Vec<Market>,
    tickers: Vec<Record>,
    pub records: Vec<Record>,
    /// Where the records begin that the pages which are read now add to.
    begun: usize,
    /// What the last page said, to know it again.
    last_page: Option<Vec<u8>>,
}

pub struct Taken {
    /// Without the cursor.
    pub seen: Seen,
    pub damaged: bool,
}

/// The calls that an operation begins with.
pub fn plan(connector: &'static Connector, operation: &Operation) -> Result<Vec<Task>, Fault> {
    let unsupported = Fault::from(CallerFault::Unsupported);
    let task = |job, listing| Task::new(job, listing, Params::new(), Params::new());
    let tasks: Vec<Task> = match operation {
        Operation::Time => connector.time.iter().map(|listing| task(Job::Clock, listing)).collect(),
        Operation::Prices => {
            let prices = connector.prices.as_ref().ok_or_else(|| unsupported.clone())?;
            let markets = prices.markets.iter().map(|listing| task(Job::Markets, listing));
            markets.chain(prices.tickers.iter().map(|listing| task(Job::Tickers, listing))).collect()
        }
        Operation::Balances { sources: None } => {
            let sources = connector.balances.iter().filter(|source| source.default);
            sources.map(|source| task(Job::Balance(source), &source.listing)).collect()
        }
        Operation::Balances { sources: Some(names) } => {
            let named = |name: &String| connector.balances.iter().find(|source| source.name == *name);
            let sources = names.iter().map(|name| named(name).ok_or_else(|| unsupported.clone()));
            sources
                .map(|source| source.map(|source| task(Job::Balance(source), &source.listing)))
                .collect::<Result<_, _>>()?
        }
        Operation::Capabilities => {
            let probes = connector.capabilities.iter().map(|probe| {
                let mut task = task(Job::Probe(probe), &probe.listing);
                if !probe.stated {
                    task.state = TaskState::Reserve;
                }
                task
            });
            probes.collect()
        }
        // Chains plan their calls themselves.
        Operation::Preview(_) | Operation::Act(_) | Operation::Status(_) => return Ok(Vec::new()),
        Operation::Read { arguments, .. } => {
            let about_market = |call: &'static MarketsCall| {
                Task::new(Job::Market(call), &call.listing, arguments.clone(), Params::new())
            };
            match market::lookups(connector, operation) {
                calls if calls.is_empty() => vec![reading(connector, operation, &[])?],
                calls => calls.into_iter().map(about_market).collect(),
            }
        }
    };
    if tasks.is_empty() { Err(unsupported) } else { Ok(tasks) }
}

/// The calls of a read operation, given what is known of the market that it names.
fn reading(connector: &'static Connector, operation: &Operation, found: &[Market]) -> Result<Task, Fault> {
    let Operation::Read { operation, arguments, extra, from, pages } = operation else {
        return Err(CallerFault::Unsupported.into());
    };
    let arguments = market::completed(connector, found, arguments);
    let read = route(connector, operation, &arguments).ok_or(CallerFault::Unsupported)?;
    if !from.fits(&read.listing) {
        return Err(CallerFault::Argument.into());
    }
    let bounds = Asked::of(operation, &arguments, from);
    let mut task = Task::new(Job::Rows, &read.listing, arguments, extra.clone());
    task.bounds = bounds;
    let pages = pages.map(|pages| if read.listing.each.is_some() { pages * EACH_PAGES } else { pages });
    task.max_pages = pages.unwrap_or(task.max_pages).min(task.max_pages).max(1);
    task.resume(from.clone());
    Ok(task)
}

/// Whether a read operation can be asked, as far as that is known before the market dictionary has answered.
pub fn check_read(connector: &'static Connector, operation: &Operation) -> Result<(), Fault> {
    match market::lookups(connector, operation).is_empty() {
        true => reading(connector, operation, &[]).map(|_| ()),
        false => Ok(()),
    }
}

/// What a read operation asks once the market dictionary has answered; nothing where it did not, or has been used.
pub fn behind_lookups(
    connector: &'static Connector,
    operation: &Operation,
    tasks: &mut [Task],
    collected: &Collected,
) -> Option<Task> {
    if tasks.iter().any(|task| matches!(task.job, Job::Rows)) {
        return None;
    }
    let mut lookups: Vec<&mut Task> =
        tasks.iter_mut().filter(|task| matches!(task.job, Job::Market(_))).collect();
    // What was learnt is no part of the report; what was not is all of it.
    let has_failed = lookups.iter().any(|task| !has_told(task));
    lookups.iter_mut().filter(|task| has_told(task)).for_each(|task| task.state = TaskState::Dropped);
    if has_failed || lookups.is_empty() {
        return None;
    }
    match reading(connector, operation, &collected.named) {
        Ok(task) => Some(task),
        Err(fault) => {
            let failed = || TaskState::Done(Status::Failed(fault.clone()));
            lookups.iter_mut().for_each(|task| task.state = failed());
            None
        }
    }
}

/// Whether a lookup said what there is: rows that nobody can read are other markets'.
fn has_told(task: &Task) -> bool {
    match &task.state {
        TaskState::Done(Status::Ok | Status::Absent) | TaskState::Dropped => true,
        TaskState::Done(Status::Partial(fault)) => fault.code == FaultCode::Malformed,
        _ => false,
    }
}

/// The first route of a read operation whose conditions hold for the arguments.
pub fn route<'c>(connector: &'c Connector, operation: &str, arguments: &Params) -> Option<&'c Read> {
    connector.reads.iter().find(|read| read.operation == operation && applies(&read.when, arguments))
}

/// Whether the arguments have the values that the conditions allow.
pub fn applies(when: &[(String, Vec<String>)], arguments: &Params) -> bool {
    when.iter().all(|(name, allowed)| {
        let value = value::find(arguments, name).filter(|value| **value != Value::Null);
        allowed.iter().any(|wanted| match (wanted.as_str(), value) {
            ("present", Some(_)) | ("absent", None) => true,
            (wanted, Some(value)) => is_like(value.text(), wanted),
            (_, None) => false,
        })
    })
}

impl Collected {
    /// What comes now has no edge in common with what came before.
    pub fn begin(&mut self) {
        self.begun = self.records.len();
        self.last_page = None;
    }

    pub fn take(
        &mut self,
        job: Job,
        listing: &'static Listing,
        reply: &Reply<'_>,
        endpoint: &str,
        body: &[u8],
        bounds: Option<&mut Asked>,
    ) -> Result<Taken, Mismatch> {
        if let Job::Balance(source) = job {
            let read = reply.balances(source)?;
            let taken = Taken { seen: read.seen, damaged: read.damaged };
            self.balances.extend(read.rows);
            self.balances.truncate(MAX_ROWS);
            return Ok(taken);
        }
        let mut read = reply.records(listing)?;
        if matches!(job, Job::Rows) && read.seen.rows > 0 && listing.page.is_some() {
            let page = Some(fingerprint(&read.rows, body));
            read.seen.is_repeated = page == self.last_page;
            self.last_page = page;
        }
        let is_passed = bounds.is_some_and(|bounds| bounds.keep(&mut read.rows));
        read.seen.is_last = is_passed && listing.page.as_ref().is_some_and(is_ordered);
        if read.seen.is_repeated {
            read.rows.clear();
        }
        let taken = Taken { seen: read.seen, damaged: read.damaged };
        let kept = match job {
            Job::Market(_) => {
                market::keep(&mut self.named, &read.rows, reply.arguments);
                return Ok(taken);
            }
            Job::Markets => &mut self.markets,
            Job::Tickers => &mut self.tickers,
            Job::Probe(probe) => {
                let response = digest(Hash::Sha256, body).try_into().ok();
                self.findings.extend(findings(probe.stated, &read.rows, endpoint, response));
                return Ok(taken);
            }
            Job::Rows | Job::Submit(_) | Job::Clock | Job::Session(_) | Job::Balance(_) => &mut self.records,
        };
        let (rows, begun) = (matches!(job, Job::Rows), self.begun);
        match listing.page.as_ref().map(|paging| &paging.steps).filter(|_| rows) {
            Some(Steps::Window { .. }) => extend_over_edge(kept, begun, read.rows),
            Some(Steps::Last { .. }) => extend_after_last(kept, begun, read.rows),
            _ => kept.extend(read.rows),
        }
        kept.truncate(MAX_ROWS);
        Ok(taken)
    }
}

/// What a page says, whatever stands around its rows; where none of them is asked for, all that it holds.
fn fingerprint(rows: &[Record], body: &[u8]) -> Vec<u8> {
    let rows: Vec<u8> = rows.iter().flat_map(|row| RowKey::of(row).0).collect();
    digest(Hash::Sha256, if rows.is_empty() { body } else { &rows })
}

/// Windows share their edges, in whole seconds with some exchanges: a row that stands there may come twice, and is
/// kept once.
fn extend_over_edge(kept: &mut Vec<Record>, begun: usize, rows: Vec<Record>) {
    let time = |row: &Record| row.field("timestamp")?.parse::<u64>().ok();
    let before = kept.get(begun..).unwrap_or_default();
    let times = || before.iter().filter_map(time);
    let edges = [times().min(), times().max()];
    let on_edge = |row: &Record| {
        let time = time(row);
        time.is_some_and(|time| edges.iter().flatten().any(|edge| time.abs_diff(*edge) < 1000))
    };
    let standing: Vec<Record> = before.iter().filter(|row| on_edge(row)).cloned().collect();
    kept.extend(rows.into_iter().filter(|row| !(on_edge(row) && standing.contains(row))));
}

/// The row that a page goes on from may be part of that page.
fn extend_after_last(kept: &mut Vec<Record>, begun: usize, mut rows: Vec<Record>) {
    if kept.len() > begun && kept.last() == rows.first() {
        rows.remove(0);
    }
    kept.extend(rows);
}

fn findings(stated: bool, rows: &[Record], endpoint: &str, response: Option<[u8; 32]>) -> Vec<Finding> {
    let source = if stated { Source::Stated } else { Source::Inferred };
    let state = |text: &str| match text {
        "yes" | "true" | "1" => State::Yes,
        "no" | "false" | "0" => State::No,
        _ => State::Unknown,
    };
    let fields = rows.iter().flat_map(|row| &row.0);
    let finding = |(capability, text): &(&'static str, String)| Finding {
        capability,
        state: state(text),
        source,
        endpoint: endpoint.to_owned(),
        response,
    };
    fields.map(finding).collect()
}

/// Joins everything to one outcome.
pub fn report(
    connector: &'static Connector,
    operation: &Operation,
    tasks: Vec<Task>,
    collected: Collected,
    skew_ms: Option<i64>,
    calls: u32,
) -> Outcome {
    let mut coverage = coverage(&tasks, operation);
    let rows = tasks.iter().find(|task| matches!(task.job, Job::Rows));
    let read =
        rows.and_then(|task| connector.reads.iter().find(|read| std::ptr::eq(&read.listing, task.listing)));
    let asked = rows.and_then(|task| task.bounds);
    let short = read.zip(asked).and_then(|(read, asked)| asked.shortness(read));
    let next = rows.map(Task::place).filter(|position| *position != Position::Start);
    let accepted = coverage.iter().any(|source| matches!(source.status, Status::Ok | Status::Partial(_)));
    let learnt = accepted || coverage.iter().all(|source| source.status == Status::Absent);
    if accepted {
        coverage.iter_mut().for_each(soften);
    }
    if let Operation::Balances { sources: None } = operation {
        let unsupported = connector.unsupported.iter();
        coverage.extend(unsupported.map(|(account, reason)| Coverage {
            source: account.clone(),
            status: Status::Unsupported(reason.clone()),
        }));
    }
    let answer = match operation {
        _ if !learnt => Answer::Nothing,
        Operation::Time => collected.time_ms.map_or(Answer::Nothing, Answer::Time),
        Operation::Capabilities => Answer::Capabilities(completed(collected.findings)),
        Operation::Balances { .. } => balances(collected.balances, &mut coverage),
        Operation::Prices => Answer::Prices(price_table(connector, &collected)),
        Operation::Read { operation, arguments, .. } => {
            let mut rows = collected.records;
            if operation == "my_trades" {
                market::name_amounts(connector, &collected.named, arguments, &mut rows);
            }
            Answer::Rows(rows)
        }
        Operation::Preview(_) | Operation::Act(_) | Operation::Status(_) => Answer::Nothing,
    };
    Outcome { answer, coverage, skew_ms, calls, next, short }
}

fn coverage(tasks: &[Task], operation: &Operation) -> Vec<Coverage> {
    let asked = |task: &&Task| !matches!(task.job, Job::Clock) || *operation == Operation::Time;
    let entry = |task: &Task| match &task.state {
        TaskState::Done(status) => Some(Coverage { source: task.name(), status: status.clone() }),
        _ => None,
    };
    tasks.iter().filter(asked).filter_map(entry).collect()
}

/// A key that was accepted elsewhere in the same run is not refused here: it may not do this.
fn soften(source: &mut Coverage) {
    if let Status::Failed(fault) = &source.status
        && fault.code.is_of_credential()
    {
        source.status = Status::NotPermitted(fault.clone());
    }
}

fn completed(mut findings: Vec<Finding>) -> Vec<Finding> {
    let known: Vec<&str> = findings.iter().map(|finding| finding.capability).collect();
    let optional = ["futures", "margin", "expires"];
    let missing = CAPABILITIES.iter().filter(|name| !known.contains(name) && !optional.contains(name));
    let unknown = missing.map(|capability| Finding {
        capability,
        state: State::Unknown,
        source: Source::Documented,
        endpoint: String::new(),
        response: None,
    });
    let unknown: Vec<Finding> = unknown.collect();
    findings.extend(unknown);
    findings
}

/// Adds up wallets, drops what is nothing.
fn balances(balances: Vec<Balance>, coverage: &mut [Coverage]) -> Answer {
    let something = |balance: &Balance| {
        let amounts = [balance.free, balance.used, balance.total, balance.debt];
        amounts.iter().flatten().any(|amount| !amount.is_zero())
    };
    match merged(balances.clone()) {
        Ok(merged) => Answer::Balances(merged.into_iter().filter(something).collect()),
        Err(Mismatch) => {
            // A sum that does not fit: the rows stay apart, and the report says that something is wrong.
            for source in coverage.iter_mut().filter(|source| source.status == Status::Ok) {
                source.status = Status::Partial(FaultCode::Malformed.into());
            }
            Answer::Balances(balances.into_iter().filter(something).collect())
        }
    }
}

fn price_table(connector: &Connector, collected: &Collected) -> PriceTable {
    let mut table = PriceTable::default();
    let markets: std::collections::HashMap<&str, (&str, &str)> = collected
        .markets
        .iter()
        .filter_map(|row| Some((row.field("market")?, (row.field("base")?, row.field("quote")?))))
        .collect();
    for row in &collected.tickers {
        let named = row
            .field("market")
            .and_then(|market| markets.get(market).copied().or_else(|| connector.split(market)));
        let pair = row.field("base").zip(row.field("quote")).or(named);
        let (Some((base, quote)), Some(price)) = (pair, last_price(row)) else { continue };
        table.insert(connector.asset(base).0, connector.asset(quote).0, price);
    }
    table
}

/// The last price, or the middle of bid and ask.
fn last_price(row: &Record) -> Option<wire::Decimal> {
    let number = |name| row.field(name).and_then(|text| text.parse::<wire::Decimal>().ok());
    number("last").filter(|price| !price.is_zero()).or_else(|| {
        let sum = number("bid")?.checked_add(number("ask")?).ok()?;
        sum.checked_mul("0.5".parse().ok()?).ok()
    })
}
