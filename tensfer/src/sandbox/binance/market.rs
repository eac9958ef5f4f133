//! Public spot endpoints.

use crate::sandbox::dialect::Query;
use crate::sandbox::market::Pair;
use crate::sandbox::refusal::Refusal;
use serde_json::{Value, json};

pub const QUOTES: &[&str] = &["USDT", "USDC", "EUR", "BTC"];

pub fn ping(_: &Query) -> Result<Value, Refusal> {
    Ok(json!({}))
}

pub fn time(query: &Query) -> Result<Value, Refusal> {
    Ok(json!({"serverTime": query.call.now}))
}

pub fn status(_: &Query) -> Result<Value, Refusal> {
    Ok(json!({"status": 0, "msg": "normal"}))
}

pub fn spot_info(query: &Query) -> Result<Value, Refusal> {
    let wanted = query.call.param("symbol");
    let pairs = query.market.pairs(QUOTES);
    let asked = pairs.iter().filter(|pair| wanted.as_ref().is_none_or(|symbol| *symbol == id(pair)));
    let symbols: Vec<Value> = asked.map(listing).collect();
    if wanted.is_some() && symbols.is_empty() {
        return Err(Refusal::BadParameter("symbol"));
    }
    Ok(json!({"timezone": "UTC", "serverTime": query.call.now, "rateLimits": [], "exchangeFilters": [],
              "symbols": symbols}))
}

pub fn prices(query: &Query) -> Result<Value, Refusal> {
    asked_for(query, |pair| json!({"symbol": id(pair), "price": pair.last}))
}

pub fn books(query: &Query) -> Result<Value, Refusal> {
    let row = |pair: &Pair| {
        json!({"symbol": id(pair), "bidPrice": pair.bid, "bidQty": "1.00000000", "askPrice": pair.ask,
               "askQty": "1.00000000"})
    };
    asked_for(query, row)
}

pub fn tickers(query: &Query) -> Result<Value, Refusal> {
    let now = query.call.now;
    asked_for(query, |pair| ticker(pair, now))
}

/// One object for `symbol`, a list for `symbols` (JSON) or for neither.
fn asked_for(query: &Query, row: impl Fn(&Pair) -> Value) -> Result<Value, Refusal> {
    let pairs = query.market.pairs(QUOTES);
    let named =
        |name: &str| pairs.iter().find(|pair| id(pair) == name).ok_or(Refusal::BadParameter("symbol"));
    if let Some(symbol) = query.call.param("symbol") {
        return named(&symbol).map(row);
    }
    let Some(symbols) = query.call.param("symbols") else { return Ok(pairs.iter().map(row).collect()) };
    let symbols: Vec<String> =
        serde_json::from_str(&symbols).map_err(|_| Refusal::BadParameter("symbols"))?;
    symbols.iter().map(|symbol| named(symbol).map(&row)).collect()
}

pub fn id(pair: &Pair) -> String {
    format!("{}{}", pair.base, pair.quote)
}

fn listing(pair: &Pair) -> Value {
    json!({
        "symbol": id(pair),
        "status": "TRADING",
        "baseAsset": pair.base,
        "baseAssetPrecision": 8,
        "quoteAsset": pair.quote,
        "quotePrecision": 8,
        "quoteAssetPrecision": 8,
        "orderTypes": ["LIMIT", "MARKET"],
        "isSpotTradingAllowed": true,
        "isMarginTradingAllowed": false,
        "filters": [
            {"filterType": "PRICE_FILTER", "minPrice": pair.tick, "maxPrice": "1000000.00000000", "tickSize": pair.tick},
            {"filterType": "LOT_SIZE", "minQty": "0.00001000", "maxQty": "9000.00000000", "stepSize": "0.00001000"},
            {"filterType": "NOTIONAL", "minNotional": "5.00000000", "maxNotional": "9000000.00000000"},
        ],
        "permissions": [],
        "permissionSets": [["SPOT"]],
    })
}

pub fn ticker(pair: &Pair, now: u64) -> Value {
    json!({
        "symbol": id(pair),
        "priceChange": "0.00",
        "priceChangePercent": "0.000",
        "weightedAvgPrice": pair.last,
        "prevClosePrice": pair.open,
        "lastPrice": pair.last,
        "lastQty": "0.10000000",
        "bidPrice": pair.bid,
        "bidQty": "1.00000000",
        "askPrice": pair.ask,
        "askQty": "1.00000000",
        "openPrice": pair.open,
        "highPrice": pair.high,
        "lowPrice": pair.low,
        "volume": "250.00000000",
        "quoteVolume": "250.00000000",
        "openTime": now - 86_400_000,
        "closeTime": now,
        "firstId": 1,
        "lastId": 2500,
        "count": 2500,
    })
}
