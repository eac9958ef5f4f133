//! What happened on the accounts of described exchanges: made up, the same on every run.

use super::account::Account;
use super::expression::Expression;
use super::file::{File, Listing, Page, Paging, Purpose};
use super::ledger::Moved;
use super::solve::Want;
use wire::Decimal;

/// How many of each kind an account has: more than most exchanges' pages hold.
const EVENTS: u64 = 120;
/// Between two of them.
const STEP_MS: u64 = 2 * 86_400_000 + 3_607_000;
/// The last of them.
const LAST_MS: u64 = 1_767_225_600_000;

/// One deposit, withdrawal, trade or entry.
#[derive(Debug, Clone)]
pub struct Event {
    pub id: String,
    pub at_ms: u64,
    pub symbol: String,
    pub amount: Decimal,
    pub fee: Decimal,
    /// Where it was done since the sandbox started.
    pub moved: Option<Box<Moved>>,
}

impl Event {
    /// What was moved, as one event of a history.
    pub fn of(moved: &Moved) -> Self {
        Self {
            id: moved.id.clone(),
            at_ms: moved.at_ms,
            symbol: moved.out.asset.clone(),
            amount: moved.net(),
            fee: moved.fee,
            moved: Some(Box::new(moved.clone())),
        }
    }

    /// The field by which a page goes on behind its last row.
    fn says(&self, field: &str) -> String {
        if field == "timestamp" { self.at_ms.to_string() } else { self.id.clone() }
    }
}

/// Operations that tell of what happened.
pub const TOLD: [&str; 6] =
    ["deposits", "withdrawals", "deposits_withdrawals", "ledger", "my_trades", "transfers"];

/// Whether a history of that operation tells of what was moved.
pub fn tells_of(operation: &str, moved: &Moved) -> bool {
    match operation {
        "withdrawals" | "deposits_withdrawals" => moved.operation == "withdraw",
        "transfers" => moved.operation == "transfer",
        _ => false,
    }
}

/// The events of an operation, newest first.
pub fn events(file: &File, account: &Account, operation: &str) -> Vec<Event> {
    let mut symbols: Vec<&str> = account.holdings.iter().map(|holding| holding.asset.as_str()).collect();
    symbols.dedup();
    symbols.truncate(3);
    let count = if operation == "withdrawals" { EVENTS / 10 } else { EVENTS };
    let event = |number: u64| Event {
        id: format!("{}", 1_000_000 + account.number(&file.id, operation, 1_000_000) * 1_000 + number),
        at_ms: LAST_MS - number * (EVENTS / count) * STEP_MS,
        symbol: symbols[number as usize % symbols.len()].to_owned(),
        amount: Decimal::new(i128::from(number % 9 + 1) * 10_000 + i128::from(number * 37 % 10_000), 4)
            .unwrap_or(Decimal::ONE),
        fee: Decimal::new(2, 2).unwrap_or(Decimal::ZERO),
        moved: None,
    };
    if symbols.is_empty() { Vec::new() } else { (0..count).map(event).collect() }
}

/// The page that was asked for, of events with the listings that tell of them, and the cursor of the next one.
pub fn page(
    events: Vec<(Event, usize)>,
    page: Option<&Page>,
    param: impl Fn(&str) -> Option<String>,
    argument: impl Fn(&str) -> Option<u64>,
) -> (Vec<(Event, usize)>, Option<String>) {
    let (since, until) = (argument("since").unwrap_or(0), argument("until").unwrap_or(u64::MAX));
    let within: Vec<(Event, usize)> =
        events.into_iter().filter(|(event, _)| (since..=until).contains(&event.at_ms)).collect();
    let Some(page) = page else { return (within, None) };
    let number = |param_name: &str| param(param_name).and_then(|text| text.parse::<u64>().ok());
    let skipped = match &page.kind {
        Paging::Cursor { param, .. } => number(param).unwrap_or(0) as usize,
        Paging::Last { param: name, field } => {
            let is_last =
                |(event, _): &(Event, usize)| param(name).is_some_and(|last| event.says(field) == last);
            within.iter().position(is_last).map_or(0, |at| at + 1)
        }
        Paging::Number { param, first, step, .. } => {
            (number(param).unwrap_or(*first).saturating_sub(*first) / step) as usize * page.size
        }
        Paging::Window { newest: true } => 0,
        // The oldest of the window, still newest first.
        Paging::Window { newest: false } => within.len().saturating_sub(page.size),
    };
    let next = (skipped + page.size < within.len()).then(|| (skipped + page.size).to_string());
    (within.into_iter().skip(skipped).take(page.size).collect(), next)
}

/// What the fields of a listing say of an event; those of which nothing is known are left out.
pub fn goals<'l>(
    file: &File,
    listing: &'l Listing,
    event: &Event,
    market: Option<&str>,
) -> Vec<(&'l Expression, Want)> {
    let Purpose::Read(operation) = &listing.purpose else { return Vec::new() };
    let wanted = |(name, expression): &'l (String, Expression)| {
        Some((expression, value(file, operation, name, event, market)?))
    };
    // The time first: by it pages are cut.
    let is_time = |(name, _): &&(String, Expression)| name == "timestamp";
    let times = listing.fields.iter().filter(is_time);
    times.chain(listing.fields.iter().filter(|field| !is_time(field))).filter_map(wanted).collect()
}

fn value(file: &File, operation: &str, field: &str, event: &Event, market: Option<&str>) -> Option<Want> {
    let text = |text: &str| Some(Want::Text(text.to_owned()));
    let code = file.code(&event.symbol);
    let trades = operation == "my_trades";
    let price = Decimal::from(10);
    match field {
        "id" | "txid" | "reference" | "order" => text(&event.id),
        "timestamp" | "updated" => text(&event.at_ms.to_string()),
        "asset" | "fee_asset" => text(code),
        "amount" | "after" => Some(Want::Number(event.amount)),
        "fee" => Some(Want::Number(event.fee)),
        "price" => Some(Want::Number(price)),
        "cost" => event.amount.checked_mul(price).ok().map(Want::Number),
        "address" | "address_to" => text(&format!("sandbox-{}", event.id)),
        "network" => file.networks.first().and_then(|(network, _)| text(network)),
        "status" => text("ok"),
        "direction" => text("in"),
        "side" => text("buy"),
        "role" => text("taker"),
        "market" => text(market.unwrap_or("BTCUSDT")),
        "base" => text(file.code("BTC")),
        "quote" => text(file.code("USDT")),
        "type" if trades => text("limit"),
        "type" => text(if operation == "withdrawals" { "withdrawal" } else { "deposit" }),
        _ => None,
    }
}
