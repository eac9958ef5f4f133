//! Withdrawals to an address book of one entry. Kraken takes no id of its caller's: a request that comes twice pays twice.

use super::names;
use crate::sandbox::amount::Amount;
use crate::sandbox::dialect::Visit;
use crate::sandbox::moves::{Kind, Move};
use crate::sandbox::refusal::Refusal;
use serde_json::{Value, json};

/// The one saved destination: name, address, method.
pub const SAVED: (&str, &str, &str) = ("ledger", "0x52908400098527886E0F7030069857D2E4169EE7", "Ether");
const FEE: &str = "2.5";

pub fn addresses(visit: &Visit) -> Result<Value, Refusal> {
    let (key, address, method) = SAVED;
    Ok(json!([{"address": address, "asset": asset(visit)?, "method": method, "key": key, "verified": true}]))
}

pub fn methods(visit: &Visit) -> Result<Value, Refusal> {
    let asset = asset(visit)?;
    Ok(json!([
        {"asset": asset, "method": SAVED.2, "network": "Ethereum", "minimum": "5"},
        {"asset": asset, "method": "Tron", "network": "Tron", "minimum": "5"},
    ]))
}

pub fn info(visit: &Visit) -> Result<Value, Refusal> {
    let (amount, fee) = (amount(visit)?, fee());
    saved(visit)?;
    Ok(json!({
        "method": SAVED.2, "limit": "100000", "fee": fee.to_string(),
        "amount": amount.minus(fee).unwrap_or(Amount::ZERO).to_string(),
    }))
}

pub fn withdraw(visit: &Visit) -> Result<Value, Refusal> {
    saved(visit)?;
    if visit.call.field("address").is_some_and(|address| address != SAVED.1) {
        return Err(Refusal::BadParameter("address"));
    }
    let asset = asset(visit)?;
    let symbol = visit.account.holdings("spot").map(|(symbol, _)| symbol);
    let symbol =
        symbol.into_iter().find(|symbol| names::id(symbol) == asset || names::short(symbol) == asset);
    let moved = Move {
        id: String::new(),
        reference: None,
        kind: Kind::Withdrawal,
        symbol: symbol.ok_or(Refusal::InsufficientFunds)?.to_owned(),
        amount: amount(visit)?,
        fee: fee(),
        from: "spot".to_owned(),
        to: None,
        address: SAVED.1.to_owned(),
        network: "Ethereum".to_owned(),
        at: visit.call.now,
    };
    let moved = visit.moves().make(visit.account, moved)?;
    Ok(json!({"refid": moved.id}))
}

/// As the list of withdrawals tells of those that were made here: without the fee.
pub fn rows(visit: &Visit) -> Vec<Value> {
    let moves = visit.moves();
    let made = moves.of(visit.account).iter().filter(|moved| moved.kind == Kind::Withdrawal);
    let row = |moved: &Move| {
        json!({
            "method": SAVED.2, "aclass": "currency", "asset": names::id(&moved.symbol), "refid": moved.id,
            "txid": format!("0x{}", moved.id.replace('-', "")), "info": moved.address,
            "amount": moved.amount.minus(moved.fee).unwrap_or(Amount::ZERO).to_string(),
            "fee": moved.fee.to_string(), "time": moved.at / 1000, "status": "Success",
        })
    };
    made.rev().map(row).collect()
}

fn fee() -> Amount {
    FEE.parse().unwrap_or(Amount::ZERO)
}

fn asset(visit: &Visit) -> Result<String, Refusal> {
    visit.call.field("asset").ok_or(Refusal::BadParameter("asset"))
}

fn amount(visit: &Visit) -> Result<Amount, Refusal> {
    let text = visit.call.field("amount").ok_or(Refusal::BadParameter("amount"))?;
    text.parse().map_err(|_| Refusal::BadParameter("amount"))
}

fn saved(visit: &Visit) -> Result<(), Refusal> {
    if visit.call.field("key").as_deref() == Some(SAVED.0) {
        Ok(())
    } else {
        Err(Refusal::BadParameter("key"))
    }
}
