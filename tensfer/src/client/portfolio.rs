//! What a person owns over all connections: the JSON that programs read and the table that people read.
//!
//! Unpriced is not zero: an asset without a price has no value and is left out of the total, and that is said.

use crate::client::clock::rfc3339;
use crate::client::failure::{Failure, Fault, Told};
use crate::client::table::{Align, Table, grouped};
use crate::client::terminal::{emphasised, printable};
use serde::Serialize;
use utoipa::ToSchema;
use wire::UnixMillis;
use wire::balance::{self, Holdings, Status};
use wire::decimal::{Decimal, Rounding};

/// The code of an error about one account type; `coverage` has its fault.
const UNREAD: &str = "source_failed";

/// The document that `balances --json` prints. Amounts are decimal strings.
#[derive(Debug, Serialize, ToSchema)]
pub struct Portfolio {
    /// The earliest of the connections' times, RFC 3339.
    pub as_of: String,
    pub currency: String,
    /// Of everything that has a price. `null`: nothing has, or the amounts are too large to add exactly.
    pub total: Option<String>,
    pub coverage: Coverage,
    pub connections: Vec<Connection>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct Coverage {
    /// Every account type of every connection was read whole.
    pub complete: bool,
    pub sources: Vec<Source>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct Source {
    pub connection: String,
    pub exchange: String,
    /// The account type.
    pub source: String,
    pub status: &'static str,
    pub fault: Option<String>,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Held)]
pub struct Connection {
    pub id: String,
    pub exchange: String,
    /// For people; programs find it by the id in `connections --json`.
    #[serde(skip)]
    pub name: String,
    pub accounts: Vec<Account>,
    pub errors: Vec<Told>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct Account {
    #[serde(rename = "type")]
    pub kind: String,
    pub assets: Vec<Asset>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct Asset {
    pub asset: String,
    pub symbol: String,
    /// `null`: the exchange does not tell it, which is not zero.
    pub free: Option<String>,
    pub used: Option<String>,
    pub total: String,
    /// Owed, where anything is; neither `total` nor `value` has it subtracted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub debt: Option<String>,
    pub price: Option<String>,
    pub value: Option<String>,
}

/// One connection and what came of asking it.
#[derive(Clone, Debug)]
pub struct Answer {
    pub id: String,
    pub exchange: String,
    pub name: String,
    pub outcome: Result<Holdings, Failure>,
}

/// A line of `balances --json-lines`: one connection, when it has answered.
#[derive(Debug, Serialize)]
pub struct Arrival {
    pub connection: Connection,
    pub sources: Vec<Source>,
}

impl Arrival {
    pub fn of(answer: &Answer) -> Arrival {
        Arrival { sources: sources(answer), connection: connection(answer.clone()) }
    }
}

/// The last of these lines: all connections together.
#[derive(Debug, Serialize)]
pub struct Summary<'p> {
    pub as_of: &'p str,
    pub currency: &'p str,
    pub total: Option<&'p str>,
    pub complete: bool,
    pub connections: usize,
}

impl<'p> Summary<'p> {
    pub fn of(portfolio: &'p Portfolio) -> Summary<'p> {
        Summary {
            as_of: &portfolio.as_of,
            currency: &portfolio.currency,
            total: portfolio.total.as_deref(),
            complete: portfolio.coverage.complete,
            connections: portfolio.connections.len(),
        }
    }
}

/// What a person sees of a connection when it has answered.
pub fn line(answer: &Answer, currency: &str) -> String {
    let name = printable(&answer.name);
    let missing = failures(answer).len();
    match (&answer.outcome, total(std::slice::from_ref(answer))) {
        (Err(failure), _) => format!("{name}: {}", failure.sentence),
        (Ok(_), None) => format!("{name}: nothing has a price in {currency}"),
        (Ok(_), Some(total)) => {
            let rest = if missing == 0 { String::new() } else { format!(", {missing} could not be read") };
            format!("{name}: {} {currency}{rest}", shown_money(&total.to_string()))
        }
    }
}

impl Portfolio {
    /// `now` stands for a portfolio of nothing.
    pub fn new(currency: &str, now: UnixMillis, answers: Vec<Answer>) -> Portfolio {
        let holdings = |answer: &Answer| answer.outcome.as_ref().ok().map(|holdings| holdings.as_of);
        let as_of = answers.iter().filter_map(holdings).min().unwrap_or(now);
        let total = total(&answers).map(|total| total.to_string());
        let sources: Vec<Source> = answers.iter().flat_map(sources).collect();
        let complete = sources.iter().all(|source| source.status == status(Status::Complete));
        Portfolio {
            as_of: rfc3339(as_of),
            currency: currency.to_owned(),
            total,
            coverage: Coverage { complete, sources },
            connections: answers.into_iter().map(connection).collect(),
        }
    }
}

/// Nothing is worth zero only where all of it was read: what has no price, or was not read, is no zero either.
fn total(answers: &[Answer]) -> Option<Decimal> {
    let holdings = || answers.iter().filter_map(|answer| answer.outcome.as_ref().ok());
    let assets =
        || holdings().flat_map(|holdings| holdings.accounts.iter().flat_map(|account| &account.assets));
    let mut values = assets().filter_map(|asset| asset.value.as_ref()).peekable();
    let nothing = assets().next().is_none() && answers.iter().all(|answer| failures(answer).is_empty());
    if values.peek().is_none() && !nothing {
        return None;
    }
    values.try_fold(Decimal::ZERO, |total, value| total.checked_add(value.parse().ok()?).ok())
}

/// What came of no account of a connection, or of some of them.
pub fn failures(answer: &Answer) -> Vec<Failure> {
    match &answer.outcome {
        Err(failure) => vec![failure.clone()],
        Ok(holdings) => {
            let failed = holdings.sources.iter().filter(|source| source.status == Status::Failed);
            failed.map(|source| unread(&answer.exchange, source)).collect()
        }
    }
}

/// A connection that did not answer is one failed source: it must not look like a person who owns nothing (m33).
fn sources(answer: &Answer) -> Vec<Source> {
    let source = |name: &str, state, fault: Option<String>| Source {
        connection: answer.id.clone(),
        exchange: answer.exchange.clone(),
        source: name.to_owned(),
        status: status(state),
        fault,
    };
    match &answer.outcome {
        Ok(holdings) => holdings.sources.iter().map(|s| source(&s.name, s.status, s.fault.clone())).collect(),
        Err(failure) => vec![source("all", Status::Failed, Some(failure.code.to_owned()))],
    }
}

fn connection(answer: Answer) -> Connection {
    let errors = failures(&answer).iter().map(Told::from).collect();
    let accounts = answer.outcome.map(|holdings| holdings.accounts).unwrap_or_default();
    let mut accounts: Vec<Account> = accounts.into_iter().map(account).collect();
    accounts.sort_by(|a, b| a.kind.cmp(&b.kind));
    Connection { id: answer.id, exchange: answer.exchange, name: answer.name, accounts, errors }
}

/// One account type of a connection whose others were read.
fn unread(exchange: &str, source: &balance::Source) -> Failure {
    // The codes of docs/spec/connector.md.
    let why = source.fault.as_deref().unwrap_or("unknown");
    let fault = match why {
        "timeout" | "closed" | "refused" | "tls" => Fault::Host,
        "internal" => Fault::Internal,
        _ => Fault::Provider,
    };
    let what = named(&source.name);
    let sentence = match fault {
        Fault::Host => format!("the server did not reach the {what} of {exchange} ({why})"),
        Fault::Internal => format!("the enclave failed at the {what} of {exchange} ({why})"),
        _ => format!("{exchange} did not let its {what} be read ({why})"),
    };
    let later = ["maintenance", "rate_limit", "timeout", "closed", "refused"].contains(&why);
    let hint =
        if later { "try again later" } else { "the others were read; look at this one at the exchange" };
    Failure::new(fault, UNREAD, printable(&sentence)).hint(hint).retryable(later)
}

/// A source as people would say it.
fn named(source: &str) -> String {
    if source == "prices" { source.to_owned() } else { format!("{source} accounts") }
}

/// Assets in order of their symbols: the enclave answers in the order that pages arrived.
fn account(account: balance::Account) -> Account {
    let asset = |asset: balance::Asset| {
        let balance::Asset { asset, symbol, free, used, total, debt, price, value } = asset;
        let debt = debt.filter(|debt| debt.parse() != Ok(Decimal::ZERO));
        Asset { asset, symbol, free, used, total, debt, price, value }
    };
    let mut assets: Vec<Asset> = account.assets.into_iter().map(asset).collect();
    assets.sort_by(|a, b| (&a.symbol, &a.asset).cmp(&(&b.symbol, &b.asset)));
    Account { kind: account.kind, assets }
}

const fn status(status: Status) -> &'static str {
    match status {
        Status::Complete => "complete",
        Status::Partial => "partial",
        Status::Failed => "failed",
        Status::NotPermitted => "not_permitted",
        Status::Unsupported => "unsupported",
    }
}

/// One table, the total, and everything that is missing from it.
impl std::fmt::Display for Portfolio {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let value = format!("value ({})", self.currency);
        let mut table = Table::new([
            ("connection", Align::Left),
            ("account", Align::Left),
            ("asset", Align::Left),
            ("total", Align::Right),
            ("in use", Align::Right),
            ("price", Align::Right),
            (&value, Align::Right),
        ]);
        for (connection, account, asset) in self.assets() {
            let money =
                |amount: &Option<String>| amount.as_deref().map_or_else(|| "no price".into(), shown_money);
            table.row([
                connection.name.clone(),
                account.kind.clone(),
                asset.symbol.clone(),
                grouped(&asset.total),
                match asset.used.as_deref() {
                    Some("0") => String::new(),
                    Some(used) => grouped(used),
                    None => "not told".to_owned(),
                },
                money(&asset.price),
                money(&asset.value),
            ]);
        }
        match table.is_empty() {
            true => writeln!(f, "nothing was found")?,
            false => write!(f, "{table}")?,
        }
        self.write_total(f)?;
        self.write_missing(f)
    }
}

impl Portfolio {
    fn assets(&self) -> impl Iterator<Item = (&Connection, &Account, &Asset)> {
        self.connections.iter().flat_map(|connection| {
            connection
                .accounts
                .iter()
                .flat_map(move |account| account.assets.iter().map(move |asset| (connection, account, asset)))
        })
    }

    fn write_total(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.total.as_deref() {
            Some(total) => write!(f, "\ntotal {} {}", shown_money(total), self.currency)?,
            None if self.assets().any(|(_, _, asset)| asset.value.is_some()) => {
                write!(f, "\ntotal too large to add")?;
            }
            None => write!(f, "\ntotal not known: nothing that was read has a price in {}", self.currency)?,
        }
        writeln!(f, " as of {}", self.as_of)?;
        for (connection, account, asset) in self.assets() {
            if let Some(debt) = &asset.debt {
                let owed = format!(
                    "{} {} in {}, {} account",
                    grouped(debt),
                    asset.symbol,
                    connection.name,
                    account.kind
                );
                writeln!(f, "owed, and not subtracted: {}", printable(&owed))?;
            }
        }
        match self.assets().filter(|(_, _, asset)| asset.value.is_none()).count() {
            0 => {}
            1 => writeln!(f, "1 asset has no price and is not in the total")?,
            unpriced => writeln!(f, "{unpriced} assets have no price and are not in the total")?,
        }
        self.connections.iter().filter(|connection| self.is_unpriced(connection)).try_for_each(|connection| {
            let (name, currency) = (printable(&connection.name), &self.currency);
            let other = if currency == "USDT" { "USD" } else { "USDT" };
            writeln!(
                f,
                "{name} prices none of this in {currency}, and no other price is put in its place: try `--in {other}`"
            )
        })
    }

    /// Its prices were read, and none is in this currency.
    fn is_unpriced(&self, connection: &Connection) -> bool {
        let priced =
            connection.accounts.iter().flat_map(|account| &account.assets).map(|asset| asset.price.is_some());
        let of_this = |source: &&Source| source.connection == connection.id && source.source == "prices";
        let read = self
            .coverage
            .sources
            .iter()
            .filter(of_this)
            .all(|source| source.status == status(Status::Complete));
        read && priced.clone().count() > 0 && !priced.clone().any(|priced| priced)
    }

    fn write_missing(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.coverage.complete {
            return Ok(());
        }
        writeln!(f, "\n{}", emphasised("INCOMPLETE: the total leaves out what could not be read"))?;
        let missing = self.coverage.sources.iter().filter(|source| source.status != status(Status::Complete));
        for source in missing {
            let name = self.connections.iter().find(|c| c.id == source.connection).map_or("", |c| &c.name);
            let why = source.fault.as_deref().map(|fault| format!(" ({fault})")).unwrap_or_default();
            let line = format!("{name}, {}: {}{why}", named(&source.source), source.status.replace('_', " "));
            writeln!(f, "  {}", printable(&line))?;
        }
        for connection in &self.connections {
            // What one account type came to stands above.
            for error in connection.errors.iter().filter(|error| error.code != UNREAD) {
                writeln!(f, "  {}: {}", printable(&connection.name), error.message)?;
            }
        }
        Ok(())
    }
}

/// Two places where that keeps two significant digits, grouped; the JSON has every digit.
fn shown_money(amount: &str) -> String {
    let Ok(exact) = amount.parse::<Decimal>() else { return amount.to_owned() };
    let cents = exact.rounded(2, Rounding::HalfEven).unwrap_or(exact);
    let small = !exact.is_zero() && exact < Decimal::ONE && exact > Decimal::from(-1);
    if small && cents != exact {
        return grouped(&exact.rounded(8, Rounding::HalfEven).unwrap_or(exact).to_string());
    }
    let text = cents.to_string();
    match text.split_once('.') {
        None => grouped(&format!("{text}.00")),
        Some((_, fraction)) if fraction.len() == 1 => grouped(&format!("{text}0")),
        Some(_) => grouped(&text),
    }
}

#[cfg(test)]
mod tests;
