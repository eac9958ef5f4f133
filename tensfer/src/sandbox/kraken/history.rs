//! What happened on the account: newest first, so many rows a page, `start` and `end` in seconds.

use super::{moving, names};
use crate::sandbox::dialect::Visit;
use crate::sandbox::history::{self, Event};
use crate::sandbox::refusal::Refusal;
use serde_json::{Map, Value, json};

/// Rows of a page of deposits or withdrawals.
const MOVEMENTS: usize = 25;
/// Rows of a page of the ledger or of trades.
const ENTRIES: usize = 50;

pub fn deposits(visit: &Visit) -> Result<Value, Refusal> {
    movements(visit, history::deposits(visit.account))
}

pub fn withdrawals(visit: &Visit) -> Result<Value, Refusal> {
    let mut rows = moving::rows(visit);
    if let Value::Array(past) = movements(visit, history::withdrawals(visit.account))? {
        rows.extend(past);
    }
    Ok(rows.into())
}

fn movements(visit: &Visit, events: Vec<Event>) -> Result<Value, Refusal> {
    let row = |event: &Event| {
        json!({
            "method": names::short(&event.symbol),
            "aclass": "currency",
            "asset": names::id(&event.symbol),
            "refid": event.id,
            "txid": event.id.replace('-', ""),
            "info": format!("sandbox-{}", &event.id[..8]),
            "amount": event.amount.to_string(),
            "fee": event.fee.to_string(),
            "time": event.at_s,
            "status": "Success",
        })
    };
    Ok(page(visit, events, MOVEMENTS)?.iter().map(row).collect())
}

/// Every deposit is booked as an entry of its own.
pub fn ledger(visit: &Visit) -> Result<Value, Refusal> {
    let entry = |event: &Event| {
        let entry = json!({
            "refid": event.id,
            "time": event.at_s,
            "type": "deposit",
            "subtype": "",
            "aclass": "currency",
            "asset": names::id(&event.symbol),
            "amount": event.amount.to_string(),
            "fee": event.fee.to_string(),
            "balance": event.amount.to_string(),
        });
        (format!("L{}", event.id), entry)
    };
    let events = page(visit, history::deposits(visit.account), ENTRIES)?;
    let entries: Map<String, Value> = events.iter().map(entry).collect();
    Ok(json!({"count": entries.len(), "ledger": entries}))
}

pub fn trades(visit: &Visit) -> Result<Value, Refusal> {
    let trade = |event: &Event| {
        let trade = json!({
            "ordertxid": format!("O{}", event.id),
            "pair": names::pair_id(&event.symbol, "USD"),
            "time": event.at_s,
            "type": "buy",
            "ordertype": "market",
            "price": "10.0",
            "cost": event.amount.to_string(),
            "fee": event.fee.to_string(),
            "vol": event.amount.to_string(),
        });
        (format!("T{}", event.id), trade)
    };
    let events = page(visit, history::trades(visit.account), ENTRIES)?;
    let trades: Map<String, Value> = events.iter().map(trade).collect();
    Ok(json!({"count": trades.len(), "trades": trades}))
}

/// The newest of what was asked for.
fn page(visit: &Visit, mut events: Vec<Event>, size: usize) -> Result<Vec<Event>, Refusal> {
    let seconds = |name: &'static str| match visit.call.field(name) {
        Some(text) => text.parse().map(Some).map_err(|_| Refusal::BadParameter(name)),
        None => Ok(None),
    };
    if let Some(asset) = visit.call.field("asset") {
        events.retain(|event| asset == names::id(&event.symbol) || asset == names::short(&event.symbol));
    }
    Ok(history::page(events, seconds("start")?, seconds("end")?, size))
}
