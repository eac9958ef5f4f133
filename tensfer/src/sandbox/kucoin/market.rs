//! Public endpoints of the spot host.

use crate::sandbox::dialect::Query;
use crate::sandbox::market::Pair;
use crate::sandbox::refusal::Refusal;
use serde_json::{Map, Value, json};

const QUOTES: &[&str] = &["USDT", "USDC", "EUR", "BTC"];

pub fn time(query: &Query) -> Result<Value, Refusal> {
    Ok(json!(query.call.now))
}

pub fn status(_: &Query) -> Result<Value, Refusal> {
    Ok(json!({"status": "open", "msg": ""}))
}

pub fn symbols(query: &Query) -> Result<Value, Refusal> {
    Ok(query.market.pairs(QUOTES).iter().map(listing).collect())
}

pub fn tickers(query: &Query) -> Result<Value, Refusal> {
    let ticker: Vec<Value> = query.market.pairs(QUOTES).iter().map(row).collect();
    Ok(json!({"time": query.call.now, "ticker": ticker}))
}

/// What each asset costs in `base` (USD unless said).
pub fn prices(query: &Query) -> Result<Value, Refusal> {
    let base = query.call.param("base").unwrap_or_else(|| "USD".to_owned());
    let unit = query.market.price(&base).ok_or(Refusal::BadParameter("base"))?;
    let wanted = query.call.param("currencies").filter(|text| !text.is_empty());
    let named =
        |symbol: &str| wanted.as_deref().is_none_or(|wanted| wanted.split(',').any(|one| one == symbol));
    let price = |symbol: &str| {
        let price = query.market.price(symbol)?.over(unit).rounded(8);
        Some((symbol.to_owned(), json!(price.to_string())))
    };
    let prices: Map<String, Value> =
        query.market.symbols().filter(|symbol| named(symbol)).filter_map(price).collect();
    Ok(Value::Object(prices))
}

/// The assets on offer. No networks: deposits and withdrawals are not served.
pub fn currencies(query: &Query) -> Result<Value, Refusal> {
    let row = |symbol| {
        json!({"currency": symbol, "name": symbol, "fullName": symbol, "precision": 8, "confirms": null,
               "contractAddress": null, "isMarginEnabled": false, "isDebitEnabled": false, "chains": []})
    };
    Ok(query.market.symbols().filter(|symbol| *symbol != "USD").map(row).collect())
}

fn id(pair: &Pair) -> String {
    format!("{}-{}", pair.base, pair.quote)
}

fn listing(pair: &Pair) -> Value {
    json!({"symbol": id(pair), "name": id(pair), "baseCurrency": pair.base, "quoteCurrency": pair.quote,
           "feeCurrency": pair.quote, "market": pair.quote, "baseMinSize": "0.00001", "quoteMinSize": "0.1",
           "baseMaxSize": "10000000000", "quoteMaxSize": "99999999", "baseIncrement": "0.00000001",
           "quoteIncrement": "0.000001", "priceIncrement": pair.tick, "priceLimitRate": "0.1", "minFunds": "0.1",
           "isMarginEnabled": false, "enableTrading": true, "feeCategory": 1, "makerFeeCoefficient": "1.00",
           "takerFeeCoefficient": "1.00", "st": false})
}

fn row(pair: &Pair) -> Value {
    json!({"symbol": id(pair), "symbolName": id(pair), "buy": pair.bid, "bestBidSize": "1", "sell": pair.ask,
           "bestAskSize": "1", "changeRate": "0.01", "changePrice": "0", "high": pair.high, "low": pair.low,
           "vol": "250", "volValue": "1000000", "last": pair.last, "averagePrice": pair.last, "takerFeeRate": "0.001",
           "makerFeeRate": "0.001", "takerCoefficient": "1", "makerCoefficient": "1"})
}
