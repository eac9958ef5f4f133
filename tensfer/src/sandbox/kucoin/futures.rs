//! The futures host: perpetual contracts on BTC and ETH, and one margin account a settlement currency.

use crate::sandbox::amount::number;
use crate::sandbox::dialect::{Query, Visit};
use crate::sandbox::market::Pair;
use crate::sandbox::refusal::Refusal;
use serde_json::{Value, json};

const UNDERLYINGS: &[&str] = &["BTC", "ETH"];

pub fn contracts(query: &Query) -> Result<Value, Refusal> {
    let row = |pair: &Pair| {
        json!({"symbol": id(pair), "rootSymbol": "USDT", "type": "FFWCSX", "firstOpenDate": 1_585_555_200_000_u64,
               "expireDate": null, "settleDate": null, "baseCurrency": xbt(pair.base), "quoteCurrency": "USDT",
               "settleCurrency": "USDT", "maxOrderQty": 1_000_000, "maxPrice": 1_000_000.0, "lotSize": 1,
               "tickSize": 0.1, "indexPriceTickSize": 0.01, "multiplier": 0.001, "makerFeeRate": 0.0002,
               "takerFeeRate": 0.0006, "isInverse": false, "isQuanto": false, "status": "Open", "maxLeverage": 100,
               "nextFundingRateTime": 1_000_000, "markPrice": number(&pair.last),
               "lastTradePrice": number(&pair.last)})
    };
    Ok(perpetuals(query).iter().map(row).collect())
}

pub fn tickers(query: &Query) -> Result<Value, Refusal> {
    let row = |pair: &Pair| {
        json!({"sequence": 1, "symbol": id(pair), "side": "buy", "size": 1, "tradeId": "1", "price": pair.last,
               "bestBidPrice": pair.bid, "bestBidSize": 1, "bestAskPrice": pair.ask, "bestAskSize": 1,
               "ts": query.call.now * 1_000_000})
    };
    Ok(perpetuals(query).iter().map(row).collect())
}

/// The account in `currency` (XBT unless said); empty when nothing lies there. Amounts are JSON numbers.
pub fn overview(visit: &Visit) -> Result<Value, Refusal> {
    let currency = visit.call.param("currency").unwrap_or_else(|| "XBT".to_owned());
    let held =
        visit.account.holdings("futures").find(|(asset, _)| xbt(asset) == currency).map(|(_, held)| held);
    let (free, used, total) = held.map_or(("0", "0", "0"), |held| (&held.free, &held.used, &held.total));
    Ok(
        json!({"accountEquity": number(total), "unrealisedPNL": 0, "marginBalance": number(total), "positionMargin": 0,
              "orderMargin": number(used), "frozenFunds": 0, "availableBalance": number(free),
              "availableMargin": number(free), "currency": currency, "riskRatio": 0,
              "maxWithdrawAmount": number(free)}),
    )
}

fn perpetuals(query: &Query) -> Vec<Pair> {
    let pairs = query.market.pairs(&["USDT"]);
    pairs.into_iter().filter(|pair| UNDERLYINGS.contains(&pair.base)).collect()
}

fn id(pair: &Pair) -> String {
    format!("{}USDTM", xbt(pair.base))
}

/// The futures host calls bitcoin XBT.
fn xbt(symbol: &str) -> &str {
    if symbol == "BTC" { "XBT" } else { symbol }
}
