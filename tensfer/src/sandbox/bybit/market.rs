//! Public endpoints: time, status, instruments, tickers.

use crate::sandbox::dialect::Query;
use crate::sandbox::market::Pair;
use crate::sandbox::refusal::Refusal;
use serde_json::{Value, json};

const QUOTES: &[&str] = &["USDT", "USDC", "EUR", "BTC"];

pub fn time(query: &Query) -> Result<Value, Refusal> {
    let now = query.call.now;
    Ok(json!({"timeSecond": (now / 1000).to_string(), "timeNano": format!("{now}000000")}))
}

/// No maintenance is announced.
pub fn status(_: &Query) -> Result<Value, Refusal> {
    Ok(json!({"list": []}))
}

pub fn instruments(query: &Query) -> Result<Value, Refusal> {
    listed(query, listing)
}

pub fn tickers(query: &Query) -> Result<Value, Refusal> {
    listed(query, ticker)
}

/// Spot only: the lists of contracts are empty.
fn listed(query: &Query, row: impl Fn(&Pair) -> Value) -> Result<Value, Refusal> {
    let category = query.call.param("category").unwrap_or_default();
    if !["spot", "linear", "inverse", "option"].contains(&category.as_str()) {
        return Err(Refusal::BadParameter("category"));
    }
    let symbol = query.call.param("symbol");
    let pairs = query.market.pairs(QUOTES);
    let wanted = pairs
        .iter()
        .filter(|pair| category == "spot" && symbol.as_ref().is_none_or(|name| *name == id(pair)));
    let list: Vec<Value> = wanted.map(row).collect();
    if category == "spot" && list.is_empty() {
        return Err(Refusal::BadParameter("symbol"));
    }
    Ok(json!({"category": category, "list": list, "nextPageCursor": ""}))
}

fn id(pair: &Pair) -> String {
    format!("{}{}", pair.base, pair.quote)
}

fn listing(pair: &Pair) -> Value {
    json!({
        "symbol": id(pair),
        "baseCoin": pair.base,
        "quoteCoin": pair.quote,
        "innovation": "0",
        "status": "Trading",
        "marginTrading": "none",
        "stTag": "0",
        "lotSizeFilter": {"basePrecision": "0.000001", "quotePrecision": "0.00000001", "minOrderQty": "0.000011",
                          "maxOrderQty": "83", "minOrderAmt": "5", "maxOrderAmt": "8000000"},
        "priceFilter": {"tickSize": pair.tick},
        "riskParameters": {"priceLimitRatioX": "0.01", "priceLimitRatioY": "0.02"},
    })
}

fn ticker(pair: &Pair) -> Value {
    json!({"symbol": id(pair), "bid1Price": pair.bid, "bid1Size": "1", "ask1Price": pair.ask, "ask1Size": "1",
           "lastPrice": pair.last, "prevPrice24h": pair.open, "price24hPcnt": "0.01", "highPrice24h": pair.high,
           "lowPrice24h": pair.low, "turnover24h": "1000000", "volume24h": "250", "usdIndexPrice": ""})
}
