//! What moves money: withdrawals, transfers between accounts, market orders, conversions.

use super::market::{QUOTES, id};
use crate::sandbox::amount::Amount;
use crate::sandbox::dialect::Visit;
use crate::sandbox::market::Pair;
use crate::sandbox::moves::{Kind, Move};
use crate::sandbox::refusal::Refusal;
use serde_json::{Value, json};

const FEE: &str = "3";
const MINIMUM: &str = "10";

/// Every coin goes out over Ethereum for three of it, ten at least.
pub fn networks(symbol: &str) -> Value {
    json!([
        {"network": "ETH", "coin": symbol, "withdrawFee": FEE, "withdrawMin": MINIMUM, "withdrawMax": "9999999",
         "withdrawIntegerMultiple": "0.000001", "withdrawEnable": true, "depositEnable": true, "sameAddress": false},
        {"network": "TRX", "coin": symbol, "withdrawFee": "1", "withdrawMin": MINIMUM, "withdrawMax": "9999999",
         "withdrawIntegerMultiple": "0.000001", "withdrawEnable": false, "depositEnable": false, "sameAddress": false},
        {"network": "XRP", "coin": symbol, "withdrawFee": "0.2", "withdrawMin": MINIMUM, "withdrawMax": "9999999",
         "withdrawIntegerMultiple": "0.000001", "withdrawEnable": true, "depositEnable": true, "sameAddress": true},
    ])
}

pub fn withdraw(visit: &Visit) -> Result<Value, Refusal> {
    let amount = amount(visit, "amount")?;
    let least = MINIMUM.parse().unwrap_or(Amount::ZERO);
    if amount < least {
        return Err(Refusal::BadParameter("amount"));
    }
    let wallet = if visit.call.field("walletType").as_deref() == Some("1") { "funding" } else { "spot" };
    let moved = Move {
        reference: visit.call.field("withdrawOrderId"),
        fee: FEE.parse().unwrap_or(Amount::ZERO),
        address: field(visit, "address")?,
        network: field(visit, "network")?,
        ..bare(visit, Kind::Withdrawal, &field(visit, "coin")?, amount, wallet)
    };
    // As documented, it keeps the caller's id and refuses none that was used.
    let moved = visit.moves().make(visit.account, moved)?;
    Ok(json!({"id": moved.id}))
}

pub fn withdrawals(visit: &Visit) -> Result<Value, Refusal> {
    let wanted = visit.call.param("withdrawOrderId");
    let moves = visit.moves();
    let rows = moves.of(visit.account).iter().filter(|moved| moved.kind == Kind::Withdrawal);
    let rows = rows.filter(|moved| wanted.is_none() || moved.reference == wanted);
    let row = |moved: &Move| {
        json!({
            "id": moved.id, "amount": moved.amount.minus(moved.fee).unwrap_or(Amount::ZERO).to_string(),
            "transactionFee": moved.fee.to_string(), "coin": moved.symbol, "status": 6, "address": moved.address,
            "txId": format!("0x{}", moved.id.replace('-', "")), "network": moved.network,
            "withdrawOrderId": moved.reference, "applyTime": "2026-01-01 00:00:00",
        })
    };
    Ok(rows.map(row).collect())
}

/// `MAIN_FUNDING` and the other way round.
pub fn transfer(visit: &Visit) -> Result<Value, Refusal> {
    let (from, to) = match field(visit, "type")?.as_str() {
        "MAIN_FUNDING" => ("spot", "funding"),
        "FUNDING_MAIN" => ("funding", "spot"),
        _ => return Err(Refusal::BadParameter("type")),
    };
    let (asset, amount) = (field(visit, "asset")?, amount(visit, "amount")?);
    let moved = Move {
        to: Some((to.to_owned(), asset.clone(), amount)),
        network: field(visit, "type")?,
        ..bare(visit, Kind::Transfer, &asset, amount, from)
    };
    let moved = visit.moves().make(visit.account, moved)?;
    Ok(json!({"tranId": moved.id}))
}

pub fn transfers(visit: &Visit) -> Result<Value, Refusal> {
    let wanted = visit.call.param("type");
    let moves = visit.moves();
    let rows = moves.of(visit.account).iter().filter(|moved| moved.kind == Kind::Transfer);
    let row = |moved: &Move| {
        json!({"asset": moved.symbol, "amount": moved.amount.to_string(), "type": moved.network, "status": "CONFIRMED",
               "tranId": moved.id, "timestamp": moved.at})
    };
    let rows: Vec<Value> = rows.filter(|moved| wanted.as_ref() == Some(&moved.network)).map(row).collect();
    Ok(json!({"total": rows.len(), "rows": rows}))
}

/// At the price of the moment, whole, and free of charge.
pub fn order(visit: &Visit) -> Result<Value, Refusal> {
    let pair = pair(visit, &field(visit, "symbol")?)?;
    let buys = field(visit, "side")? == "BUY";
    let price: Amount = if buys { &pair.ask } else { &pair.bid }.parse().unwrap_or(Amount::ZERO);
    let (base, quote) = match visit.call.field("quoteOrderQty") {
        Some(_) => {
            let cost = amount(visit, "quoteOrderQty")?;
            (cost.over(price).rounded(5), cost)
        }
        None => {
            let base = amount(visit, "quantity")?;
            (base, base.times(price).rounded(8))
        }
    };
    let ((given, paid), (taken, received)) = if buys {
        ((pair.quote, quote), (pair.base, base))
    } else {
        ((pair.base, base), (pair.quote, quote))
    };
    let moved = Move {
        reference: visit.call.field("newClientOrderId"),
        to: Some(("spot".to_owned(), taken.to_owned(), received)),
        network: id(&pair),
        ..bare(visit, Kind::Order, given, paid, "spot")
    };
    let moved = visit.moves().make(visit.account, moved)?;
    Ok(filled(&moved))
}

pub fn order_status(visit: &Visit) -> Result<Value, Refusal> {
    let wanted = visit.call.param("origClientOrderId");
    let moves = visit.moves();
    let found =
        moves.of(visit.account).iter().find(|moved| moved.kind == Kind::Order && moved.reference == wanted);
    found.map(filled).ok_or(Refusal::BadParameter("order"))
}

fn filled(moved: &Move) -> Value {
    let received = moved.to.as_ref().map_or(Amount::ZERO, |(_, _, received)| *received);
    let bought = moved.to.as_ref().is_some_and(|(_, symbol, _)| moved.network.starts_with(symbol));
    let (base, cost) = if bought { (received, moved.amount) } else { (moved.amount, received) };
    json!({"symbol": moved.network, "orderId": moved.id, "clientOrderId": moved.reference, "status": "FILLED",
           "executedQty": base.to_string(), "cummulativeQuoteQty": cost.to_string(), "transactTime": moved.at})
}

/// A quote names what it is for: here nothing has to be remembered.
pub fn quote(visit: &Visit) -> Result<Value, Refusal> {
    let (from, to) = (field(visit, "fromAsset")?, field(visit, "toAsset")?);
    let amount = amount(visit, "fromAmount")?;
    let received = worth(visit, &from, &to, amount)?;
    Ok(json!({
        "quoteId": format!("{from}-{to}-{amount}"), "ratio": received.over(amount).to_string(),
        "validTimestamp": visit.call.now + 10_000, "toAmount": received.to_string(), "fromAmount": amount.to_string(),
    }))
}

pub fn accept(visit: &Visit) -> Result<Value, Refusal> {
    let quote = field(visit, "quoteId")?;
    let mut parts = quote.split('-');
    let (Some(from), Some(to), Some(amount)) = (parts.next(), parts.next(), parts.next()) else {
        return Err(Refusal::BadParameter("quoteId"));
    };
    let amount: Amount = amount.parse().map_err(|_| Refusal::BadParameter("quoteId"))?;
    let received = worth(visit, from, to, amount)?;
    let moved = Move {
        to: Some(("spot".to_owned(), to.to_owned(), received)),
        ..bare(visit, Kind::Conversion, from, amount, "spot")
    };
    let moved = visit.moves().make(visit.account, moved)?;
    Ok(json!({"orderId": moved.id, "createTime": moved.at, "orderStatus": "SUCCESS"}))
}

fn worth(visit: &Visit, from: &str, to: &str, amount: Amount) -> Result<Amount, Refusal> {
    let price = |symbol| visit.market.price(symbol).ok_or(Refusal::BadParameter("asset"));
    Ok(amount.times(price(from)?).over(price(to)?).rounded(8))
}

fn pair(visit: &Visit, symbol: &str) -> Result<Pair, Refusal> {
    let mut pairs = visit.market.pairs(QUOTES).into_iter();
    pairs.find(|pair| id(pair) == symbol).ok_or(Refusal::BadParameter("symbol"))
}

fn bare(visit: &Visit, kind: Kind, symbol: &str, amount: Amount, from: &str) -> Move {
    Move {
        id: String::new(),
        reference: None,
        kind,
        symbol: symbol.to_owned(),
        amount,
        fee: Amount::ZERO,
        from: from.to_owned(),
        to: None,
        address: String::new(),
        network: String::new(),
        at: visit.call.now,
    }
}

fn field(visit: &Visit, name: &'static str) -> Result<String, Refusal> {
    visit.call.field(name).filter(|text| !text.is_empty()).ok_or(Refusal::BadParameter(name))
}

fn amount(visit: &Visit, name: &'static str) -> Result<Amount, Refusal> {
    field(visit, name)?.parse().map_err(|_| Refusal::BadParameter(name))
}
