//! Signed endpoints: what the key may do; trading, funding, savings and staking balances.

use crate::sandbox::amount::Amount;
use crate::sandbox::dialect::{Permission, Visit};
use crate::sandbox::refusal::Refusal;
use crate::sandbox::seed::Holding;
use serde_json::{Value, json};

pub fn config(visit: &Visit) -> Result<Value, Refusal> {
    let words =
        [(Permission::Read, "read_only"), (Permission::Trade, "trade"), (Permission::Withdraw, "withdraw")];
    let may: Vec<&str> = words
        .iter()
        .filter(|(permission, _)| visit.account.may(*permission))
        .map(|(_, word)| *word)
        .collect();
    let ips: Vec<String> = visit.account.ips.iter().map(ToString::to_string).collect();
    let uid = visit.account.uid().to_string();
    Ok(json!([{
        "acctLv": "2",
        "acctStpMode": "cancel_maker",
        "autoLoan": false,
        "ctIsoMode": "automatic",
        "enableSpotBorrow": false,
        "greeksType": "PA",
        "ip": ips.join(","),
        "kycLv": "3",
        "label": visit.account.name,
        "level": "Lv1",
        "levelTmp": "",
        "liquidationGear": "-1",
        "mainUid": uid,
        "mgnIsoMode": "automatic",
        "opAuth": "0",
        "perm": may.join(","),
        "posMode": "net_mode",
        "roleType": "0",
        "spotBorrowAutoRepay": false,
        "spotOffsetType": "",
        "spotRoleType": "0",
        "spotTraderInsts": [],
        "traderInsts": [],
        "type": "0",
        "uid": uid,
    }]))
}

pub fn trading(visit: &Visit) -> Result<Value, Refusal> {
    let details: Vec<Value> = asked_for(visit, "unified", |asset, held| detail(visit, asset, held));
    let total = visit.market.worth(visit.account.holdings("unified")).to_string();
    Ok(
        json!([{"adjEq": total, "borrowFroz": "0", "details": details, "imr": "0", "isoEq": "0", "mgnRatio": "",
               "mmr": "0", "notionalUsd": "0", "ordFroz": "0", "totalEq": total, "uTime": visit.call.now.to_string(),
               "upl": "0"}]),
    )
}

fn detail(visit: &Visit, asset: &str, held: &Holding) -> Value {
    let worth = visit.market.value(asset, &held.total).unwrap_or(Amount::ZERO).to_string();
    json!({"availBal": held.free, "availEq": held.free, "borrowFroz": "0", "cashBal": held.total, "ccy": asset,
           "crossLiab": "0", "disEq": worth, "eq": held.total, "eqUsd": worth, "fixedBal": "0",
           "frozenBal": held.used, "imr": "0", "interest": "0", "isoEq": "0", "isoLiab": "0", "isoUpl": "0",
           "liab": "0", "maxLoan": "0", "mgnRatio": "", "mmr": "0", "notionalLever": "0", "ordFrozen": held.used,
           "rewardBal": "0", "spotInUseAmt": "", "spotIsoBal": "0", "stgyEq": "0", "twap": "0",
           "uTime": visit.call.now.to_string(), "upl": "0", "uplLiab": "0"})
}

pub fn funding(visit: &Visit) -> Result<Value, Refusal> {
    let row = |asset: &str, held: &Holding| json!({"availBal": held.free, "bal": held.total, "ccy": asset, "frozenBal": held.used});
    Ok(asked_for(visit, "funding", row).into())
}

/// What everything is worth, in `ccy` (BTC unless said).
pub fn valuation(visit: &Visit) -> Result<Value, Refusal> {
    let currency = visit.call.param("ccy").unwrap_or_else(|| "BTC".to_owned());
    let unit = visit.market.price(&currency).ok_or(Refusal::BadParameter("ccy"))?;
    let worth = |wallet| visit.market.worth(visit.account.holdings(wallet));
    let shown = |amount: Amount| amount.over(unit).rounded(8).to_string();
    let total = worth("funding").plus(worth("unified")).plus(worth("earn"));
    Ok(
        json!([{"details": {"funding": shown(worth("funding")), "trading": shown(worth("unified")), "classic": "0",
                           "earn": shown(worth("earn"))},
               "totalBal": shown(total), "ts": visit.call.now.to_string()}]),
    )
}

/// The first of the earn wallet's assets by name is staked, the others lie in savings.
pub fn savings(visit: &Visit) -> Result<Value, Refusal> {
    let wanted = visit.call.param("ccy");
    let rows = visit.account.holdings("earn").skip(1).filter(|(asset, _)| named(wanted.as_deref(), asset));
    let row = |(asset, held): (&str, &Holding)| {
        json!({"ccy": asset, "amt": held.total, "earnings": "0", "loanAmt": held.total, "pendingAmt": "0",
               "rate": "0.01", "redemptAmt": "0"})
    };
    Ok(rows.map(row).collect())
}

pub fn staking(visit: &Visit) -> Result<Value, Refusal> {
    let row = |(asset, held): (&str, &Holding)| {
        json!({"ordId": visit.account.uid().to_string(), "ccy": asset, "productId": "101", "state": "1",
               "protocol": asset, "protocolType": "staking", "term": "0", "apy": "0.08",
               "investData": [{"ccy": asset, "amt": held.total}],
               "earningData": [{"ccy": asset, "earningType": "0", "earnings": "0"}], "fastRedemptionData": [],
               "purchasedTime": "1735689600000", "redeemedTime": "", "tag": ""})
    };
    Ok(visit.account.holdings("earn").take(1).map(row).collect())
}

/// The assets on offer. One network each, closed: deposits and withdrawals are not served.
pub fn currencies(visit: &Visit) -> Result<Value, Refusal> {
    let row = |symbol: &str| {
        json!({"ccy": symbol, "name": symbol, "chain": format!("{symbol}-{symbol}"), "canDep": false, "canWd": false,
               "canInternal": false, "mainNet": true, "minWd": "0", "maxWd": "0", "wdTickSz": "8", "fee": "0",
               "minFee": "0", "maxFee": "0"})
    };
    Ok(visit.market.symbols().map(row).collect())
}

/// No seeded account can pay a withdrawal here, so that no test can move anything.
pub fn withdraw(_: &Visit) -> Result<Value, Refusal> {
    Err(Refusal::InsufficientFunds)
}

/// The rows of a wallet, of the assets that `ccy` lists or of all.
fn asked_for(visit: &Visit, wallet: &str, row: impl Fn(&str, &Holding) -> Value) -> Vec<Value> {
    let wanted = visit.call.param("ccy");
    let rows = visit.account.holdings(wallet).filter(|(asset, _)| named(wanted.as_deref(), asset));
    rows.map(|(asset, held)| row(asset, held)).collect()
}

fn named(wanted: Option<&str>, asset: &str) -> bool {
    wanted.is_none_or(|wanted| wanted.split(',').any(|one| one == asset))
}
