//! Public endpoints: time, status, instruments, tickers.

use crate::sandbox::dialect::Query;
use crate::sandbox::market::Pair;
use crate::sandbox::refusal::Refusal;
use serde_json::{Value, json};

const QUOTES: &[&str] = &["USDT", "USDC", "USD", "EUR", "BTC"];

pub fn time(query: &Query) -> Result<Value, Refusal> {
    Ok(json!([{"ts": query.call.now.to_string()}]))
}

/// No maintenance is announced.
pub fn status(_: &Query) -> Result<Value, Refusal> {
    Ok(json!([]))
}

/// Spot only: the lists of contracts are empty.
pub fn instruments(query: &Query) -> Result<Value, Refusal> {
    listed(query, listing)
}

pub fn tickers(query: &Query) -> Result<Value, Refusal> {
    let now = query.call.now;
    listed(query, |pair| row(pair, now))
}

pub fn ticker(query: &Query) -> Result<Value, Refusal> {
    let wanted = query.call.param("instId").ok_or(Refusal::BadParameter("instId"))?;
    let pairs = query.market.pairs(QUOTES);
    let pair = pairs.iter().find(|pair| id(pair) == wanted).ok_or(Refusal::BadParameter("instId"))?;
    Ok(json!([row(pair, query.call.now)]))
}

/// Index prices, against `quoteCcy` or of one `instId`.
pub fn index_tickers(query: &Query) -> Result<Value, Refusal> {
    let (quote, one) = (query.call.param("quoteCcy"), query.call.param("instId"));
    let pairs = query.market.pairs(QUOTES);
    let wanted = pairs.iter().filter(|pair| {
        quote.as_deref().is_none_or(|quote| pair.quote == quote)
            && one.as_deref().is_none_or(|one| id(pair) == one)
    });
    let ts = query.call.now.to_string();
    let row = |pair: &Pair| {
        json!({"instId": id(pair), "idxPx": pair.last, "high24h": pair.high, "low24h": pair.low, "open24h": pair.open,
               "sodUtc0": pair.open, "sodUtc8": pair.open, "ts": ts})
    };
    Ok(wanted.map(row).collect())
}

fn listed(query: &Query, row: impl Fn(&Pair) -> Value) -> Result<Value, Refusal> {
    match query.call.param("instType").as_deref() {
        Some("SPOT") => Ok(query.market.pairs(QUOTES).iter().map(row).collect()),
        Some("MARGIN" | "SWAP" | "FUTURES" | "OPTION") => Ok(json!([])),
        _ => Err(Refusal::BadParameter("instType")),
    }
}

fn id(pair: &Pair) -> String {
    format!("{}-{}", pair.base, pair.quote)
}

fn listing(pair: &Pair) -> Value {
    json!({"instType": "SPOT", "instId": id(pair), "uly": "", "instFamily": "", "baseCcy": pair.base,
           "quoteCcy": pair.quote, "settleCcy": "", "ctVal": "", "ctMult": "", "ctValCcy": "", "optType": "", "stk": "",
           "listTime": "1548133413000", "expTime": "", "lever": "", "tickSz": pair.tick, "lotSz": "0.00000001",
           "minSz": "0.00001", "ctType": "", "alias": "", "state": "live", "maxLmtSz": "9999999999", "maxMktSz": "",
           "ruleType": "normal", "category": "1"})
}

fn row(pair: &Pair, now: u64) -> Value {
    json!({"instType": "SPOT", "instId": id(pair), "last": pair.last, "lastSz": "0.1", "askPx": pair.ask, "askSz": "1",
           "bidPx": pair.bid, "bidSz": "1", "open24h": pair.open, "high24h": pair.high, "low24h": pair.low,
           "volCcy24h": "1000000", "vol24h": "250", "sodUtc0": pair.open, "sodUtc8": pair.open, "ts": now.to_string()})
}
