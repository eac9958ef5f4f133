//! The USDⓈ-M and COIN-M hosts: perpetual contracts on BTC and ETH, and the margin accounts behind them.

use super::market::ticker;
use crate::sandbox::dialect::{Query, Visit};
use crate::sandbox::market::Pair;
use crate::sandbox::refusal::Refusal;
use crate::sandbox::seed::Holding;
use serde_json::{Value, json};

const UNDERLYINGS: &[&str] = &["BTC", "ETH"];
/// What margins USDⓈ-M contracts; everything else in the futures wallet margins COIN-M ones.
const LINEAR: &[&str] = &["BNB", "USDC", "USDT"];
const UPDATED: u64 = 1_767_225_600_000;

pub fn linear_info(query: &Query) -> Result<Value, Refusal> {
    Ok(info(query, &contracts(query, "USDT"), |pair| (format!("{}USDT", pair.base), "USDT", "1")))
}

pub fn inverse_info(query: &Query) -> Result<Value, Refusal> {
    Ok(info(query, &contracts(query, "USD"), |pair| (format!("{}USD_PERP", pair.base), pair.base, "10")))
}

pub fn linear_tickers(query: &Query) -> Result<Value, Refusal> {
    Ok(contracts(query, "USDT").iter().map(|pair| ticker(pair, query.call.now)).collect())
}

pub fn inverse_tickers(query: &Query) -> Result<Value, Refusal> {
    let row = |pair: &Pair| {
        let mut row = ticker(pair, query.call.now);
        row["pair"] = row["symbol"].clone();
        row["symbol"] = json!(format!("{}USD_PERP", pair.base));
        row
    };
    Ok(contracts(query, "USD").iter().map(row).collect())
}

pub fn linear_account(visit: &Visit) -> Result<Value, Refusal> {
    Ok(account(visit, true))
}

pub fn inverse_account(visit: &Visit) -> Result<Value, Refusal> {
    Ok(account(visit, false))
}

pub fn linear_balance(visit: &Visit) -> Result<Value, Refusal> {
    Ok(balance(visit, true, "maxWithdrawAmount"))
}

pub fn inverse_balance(visit: &Visit) -> Result<Value, Refusal> {
    Ok(balance(visit, false, "withdrawAvailable"))
}

fn contracts(query: &Query, quote: &'static str) -> Vec<Pair> {
    let pairs = query.market.pairs(&[quote]);
    pairs.into_iter().filter(|pair| UNDERLYINGS.contains(&pair.base)).collect()
}

fn info(
    query: &Query,
    pairs: &[Pair],
    names: impl Fn(&Pair) -> (String, &'static str, &'static str),
) -> Value {
    let symbols = pairs.iter().map(|pair| {
        let (symbol, margin, size) = names(pair);
        json!({
            "symbol": symbol,
            "pair": format!("{}{}", pair.base, pair.quote),
            "contractType": "PERPETUAL",
            "deliveryDate": 4_133_404_800_000_u64,
            "onboardDate": 1_569_398_400_000_u64,
            "status": "TRADING",
            "contractStatus": "TRADING",
            "contractSize": size,
            "baseAsset": pair.base,
            "quoteAsset": pair.quote,
            "marginAsset": margin,
            "pricePrecision": 2,
            "quantityPrecision": 3,
            "baseAssetPrecision": 8,
            "quotePrecision": 8,
            "underlyingType": "COIN",
            "filters": [
                {"filterType": "PRICE_FILTER", "minPrice": "0.10", "maxPrice": "1000000", "tickSize": "0.10"},
                {"filterType": "LOT_SIZE", "minQty": "0.001", "maxQty": "1000", "stepSize": "0.001"},
            ],
            "orderTypes": ["LIMIT", "MARKET"],
            "timeInForce": ["GTC"],
        })
    });
    let symbols: Vec<Value> = symbols.collect();
    json!({"timezone": "UTC", "serverTime": query.call.now, "rateLimits": [], "exchangeFilters": [], "assets": [],
           "symbols": symbols})
}

/// Nothing is open: what is used is the margin of orders.
fn account(visit: &Visit, linear: bool) -> Value {
    let asset = |(asset, held): (&str, &Holding)| {
        json!({"asset": asset, "walletBalance": held.total, "unrealizedProfit": "0.00000000",
               "marginBalance": held.total, "maintMargin": "0.00000000", "initialMargin": held.used,
               "positionInitialMargin": "0.00000000", "openOrderInitialMargin": held.used,
               "crossWalletBalance": held.total, "crossUnPnl": "0.00000000", "availableBalance": held.free,
               "maxWithdrawAmount": held.free, "marginAvailable": true, "updateTime": UPDATED})
    };
    let assets: Vec<Value> = margin(visit, linear).map(asset).collect();
    let total = visit.market.worth(margin(visit, linear)).rounded(8);
    json!({
        "totalInitialMargin": "0.00000000",
        "totalMaintMargin": "0.00000000",
        "totalWalletBalance": total.to_string(),
        "totalUnrealizedProfit": "0.00000000",
        "totalMarginBalance": total.to_string(),
        "totalPositionInitialMargin": "0.00000000",
        "totalOpenOrderInitialMargin": "0.00000000",
        "totalCrossWalletBalance": total.to_string(),
        "totalCrossUnPnl": "0.00000000",
        "availableBalance": total.to_string(),
        "maxWithdrawAmount": total.to_string(),
        "canDeposit": true,
        "canTrade": true,
        "canWithdraw": true,
        "feeTier": 0,
        "updateTime": UPDATED,
        "assets": assets,
        "positions": [],
    })
}

fn balance(visit: &Visit, linear: bool, withdrawable: &str) -> Value {
    let row = |(asset, held): (&str, &Holding)| {
        json!({"accountAlias": "SgsR", "asset": asset, "balance": held.total, "crossWalletBalance": held.total,
               "crossUnPnl": "0.00000000", "availableBalance": held.free, withdrawable: held.free,
               "marginAvailable": true, "updateTime": UPDATED})
    };
    margin(visit, linear).map(row).collect()
}

/// The futures wallet's part on this host.
fn margin<'a>(visit: &Visit<'a>, linear: bool) -> impl Iterator<Item = (&'a str, &'a Holding)> {
    visit.account.holdings("futures").filter(move |(asset, _)| LINEAR.contains(asset) == linear)
}
