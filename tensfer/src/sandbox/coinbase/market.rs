//! Public endpoints: time, currencies, rates, products.

use super::{PRICE, PRODUCT};
use crate::sandbox::amount::Amount;
use crate::sandbox::clock;
use crate::sandbox::dialect::{Query, segment};
use crate::sandbox::market::Pair;
use crate::sandbox::refusal::Refusal;
use serde_json::{Map, Value, json};

const QUOTES: &[&str] = &["USD", "USDC", "USDT", "EUR", "BTC"];
const FIAT: &[&str] = &["EUR", "USD"];

pub fn is_fiat(symbol: &str) -> bool {
    FIAT.contains(&symbol)
}

pub fn time_v2(query: &Query) -> Result<Value, Refusal> {
    let now = query.call.now;
    Ok(json!({"data": {"iso": clock::iso(now), "epoch": now / 1000}}))
}

pub fn time_v3(query: &Query) -> Result<Value, Refusal> {
    let now = query.call.now;
    Ok(
        json!({"iso": clock::iso(now), "epochSeconds": (now / 1000).to_string(), "epochMillis": now.to_string()}),
    )
}

pub fn fiat(_: &Query) -> Result<Value, Refusal> {
    let rows = FIAT.iter().map(|symbol| json!({"id": symbol, "name": symbol, "min_size": "0.01"}));
    Ok(json!({"data": rows.collect::<Vec<_>>()}))
}

pub fn crypto(query: &Query) -> Result<Value, Refusal> {
    let crypto = query.market.symbols().filter(|symbol| !is_fiat(symbol));
    let rows = crypto.map(|symbol| {
        json!({"code": symbol, "name": symbol, "color": "#000000", "sort_index": 100, "exponent": 8, "type": "crypto",
               "address_regex": "", "asset_id": asset_id(symbol)})
    });
    Ok(json!({"data": rows.collect::<Vec<_>>()}))
}

/// The same made-up UUID on every run.
pub fn asset_id(symbol: &str) -> String {
    let tail: String = symbol.bytes().cycle().take(6).map(|byte| format!("{byte:02x}")).collect();
    format!("00000000-0000-5000-8000-{tail}")
}

/// How many units of each asset one unit of `currency` buys.
pub fn rates(query: &Query) -> Result<Value, Refusal> {
    let currency = query.call.param("currency").unwrap_or_else(|| "USD".to_owned());
    let base = query.market.price(&currency).ok_or(Refusal::BadParameter("currency"))?;
    let rate = |symbol: &str| {
        let price = query.market.price(symbol)?;
        Some((symbol.to_owned(), json!(base.over(price).to_string())))
    };
    let rates: Map<String, Value> = query.market.symbols().filter_map(rate).collect();
    Ok(json!({"data": {"currency": currency, "rates": rates}}))
}

pub fn spot_price(query: &Query) -> Result<Value, Refusal> {
    let name = segment(query.call, PRICE);
    let (base, quote) = name.split_once('-').ok_or(Refusal::BadParameter("currency pair"))?;
    let price = |symbol: &str| query.market.price(symbol).ok_or(Refusal::BadParameter("currency pair"));
    let amount: Amount = price(base)?.over(price(quote)?).rounded(8);
    Ok(json!({"data": {"amount": amount.to_string(), "base": base, "currency": quote}}))
}

/// Spot only: asked for futures, the list is empty.
pub fn products(query: &Query) -> Result<Value, Refusal> {
    let spot = query.call.param("product_type").is_none_or(|kind| kind == "SPOT");
    let wanted: Vec<&str> =
        query.call.query.split('&').filter_map(|pair| pair.strip_prefix("product_ids=")).collect();
    let pairs = query.market.pairs(QUOTES);
    let listed = |pair: &&Pair| spot && (wanted.is_empty() || wanted.contains(&id(pair).as_str()));
    let products: Vec<Value> = pairs.iter().filter(listed).map(row).collect();
    Ok(json!({"num_products": products.len(), "products": products}))
}

pub fn product(query: &Query) -> Result<Value, Refusal> {
    let name = segment(query.call, PRODUCT);
    let pairs = query.market.pairs(QUOTES);
    pairs.iter().find(|pair| id(pair) == name).map(row).ok_or(Refusal::BadParameter("product_id"))
}

fn id(pair: &Pair) -> String {
    format!("{}-{}", pair.base, pair.quote)
}

fn row(pair: &Pair) -> Value {
    json!({
        "product_id": id(pair),
        "price": pair.last,
        "price_percentage_change_24h": "0",
        "volume_24h": "250",
        "volume_percentage_change_24h": "0",
        "base_increment": "0.00000001",
        "quote_increment": pair.tick,
        "quote_min_size": "1",
        "quote_max_size": "150000000",
        "base_min_size": "0.00000001",
        "base_max_size": "3400",
        "base_name": pair.base,
        "quote_name": pair.quote,
        "watched": false,
        "is_disabled": false,
        "new": false,
        "status": "online",
        "cancel_only": false,
        "limit_only": false,
        "post_only": false,
        "trading_disabled": false,
        "auction_mode": false,
        "product_type": "SPOT",
        "quote_currency_id": pair.quote,
        "base_currency_id": pair.base,
        "mid_market_price": pair.last,
        "alias": "",
        "alias_to": [],
        "base_display_symbol": pair.base,
        "quote_display_symbol": pair.quote,
        "price_increment": pair.tick,
        "display_name": id(pair),
        "approximate_quote_24h_volume": "1000000",
    })
}
