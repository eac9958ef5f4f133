//! Public endpoints: time, status, assets, pairs, tickers.

use super::names;
use crate::sandbox::dialect::Query;
use crate::sandbox::market::Pair;
use crate::sandbox::refusal::Refusal;
use serde_json::{Map, Value, json};

const QUOTES: &[&str] = &["USD", "EUR", "BTC", "USDT"];

pub fn time(query: &Query) -> Result<Value, Refusal> {
    Ok(json!({"unixtime": query.call.now / 1000}))
}

pub fn status(_: &Query) -> Result<Value, Refusal> {
    Ok(json!({"status": "online", "timestamp": "2026-01-01T00:00:00Z"}))
}

/// With each asset its earn variants, as kraken lists them.
pub fn assets(query: &Query) -> Result<Value, Refusal> {
    let mut assets = Map::new();
    for symbol in query.market.symbols() {
        let asset = |altname: &str| json!({"aclass": "currency", "altname": altname, "decimals": 10, "display_decimals": 5, "status": "enabled"});
        assets.insert(names::id(symbol).to_owned(), asset(names::short(symbol)));
        let bonded = format!("{}.B", names::short(symbol));
        assets.insert(bonded.clone(), asset(&bonded));
    }
    Ok(Value::Object(assets))
}

pub fn pairs(query: &Query) -> Result<Value, Refusal> {
    let pairs = asked_for(query)?;
    Ok(Value::Object(
        pairs.iter().map(|pair| (names::pair_id(pair.base, pair.quote), listing(pair))).collect(),
    ))
}

pub fn tickers(query: &Query) -> Result<Value, Refusal> {
    let pairs = asked_for(query)?;
    Ok(Value::Object(
        pairs.iter().map(|pair| (names::pair_id(pair.base, pair.quote), ticker(pair))).collect(),
    ))
}

/// Those that `pair` names, by either of their names, or all.
fn asked_for(query: &Query) -> Result<Vec<Pair>, Refusal> {
    let pairs = query.market.pairs(QUOTES);
    let Some(wanted) = query.call.param("pair") else { return Ok(pairs) };
    let wanted = wanted.split(',').map(|name| {
        let named = |pair: &&Pair| names::pair_id(pair.base, pair.quote) == name || altname(pair) == name;
        pairs.iter().find(named).cloned().ok_or(Refusal::BadParameter("pair"))
    });
    wanted.collect()
}

fn altname(pair: &Pair) -> String {
    names::short(pair.base).to_owned() + names::short(pair.quote)
}

fn listing(pair: &Pair) -> Value {
    json!({
        "altname": altname(pair),
        "wsname": format!("{}/{}", names::short(pair.base), names::short(pair.quote)),
        "aclass_base": "currency",
        "base": names::id(pair.base),
        "aclass_quote": "currency",
        "quote": names::id(pair.quote),
        "lot": "unit",
        "cost_decimals": 5,
        "pair_decimals": pair.places,
        "lot_decimals": 8,
        "lot_multiplier": 1,
        "leverage_buy": [],
        "leverage_sell": [],
        "fees": [[0, 0.4]],
        "fees_maker": [[0, 0.25]],
        "fee_volume_currency": "ZUSD",
        "margin_call": 80,
        "margin_stop": 40,
        "ordermin": "0.00005",
        "costmin": "0.5",
        "tick_size": pair.tick,
        "status": "online",
    })
}

fn ticker(pair: &Pair) -> Value {
    json!({
        "a": [pair.ask, "1", "1.000"],
        "b": [pair.bid, "1", "1.000"],
        "c": [pair.last, "0.10000000"],
        "v": ["100.00000000", "250.00000000"],
        "p": [pair.last, pair.last],
        "t": [1000, 2500],
        "l": [pair.low, pair.low],
        "h": [pair.high, pair.high],
        "o": pair.open,
    })
}
