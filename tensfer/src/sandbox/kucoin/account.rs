//! Signed endpoints of the spot host: what the key may do; main, trade, margin and earn balances.

use crate::sandbox::dialect::{Permission, Visit};
use crate::sandbox::refusal::Refusal;
use crate::sandbox::seed::Holding;
use serde_json::{Value, json};

/// KuCoin's account types, and the wallets that they are here.
const TYPES: [(&str, &str); 2] = [("main", "funding"), ("trade", "spot")];

pub fn key(visit: &Visit) -> Result<Value, Refusal> {
    let words = [
        (Permission::Read, "General"),
        (Permission::Trade, "Spot"),
        (Permission::Trade, "Margin"),
        (Permission::Trade, "Futures"),
        (Permission::Withdraw, "Withdrawal"),
    ];
    let may: Vec<&str> = words
        .iter()
        .filter(|(permission, _)| visit.account.may(*permission))
        .map(|(_, word)| *word)
        .collect();
    let ips: Vec<String> = visit.account.ips.iter().map(ToString::to_string).collect();
    let mut info = json!({"remark": visit.account.name, "apiKey": visit.account.credentials.key, "apiVersion": 3,
                          "permission": may.join(","), "createdAt": 1_735_689_600_000_u64,
                          "uid": visit.account.uid(), "isMaster": true});
    if !ips.is_empty() {
        info["ipWhitelist"] = json!(ips.join(","));
    }
    Ok(info)
}

/// Classic accounts, not the unified one.
pub fn mode(_: &Visit) -> Result<Value, Refusal> {
    Ok(json!({"selfAccountMode": "CLASSIC", "unifiedSubAccount": [], "classicSubAccount": []}))
}

/// Refused: no seeded account has switched to the unified one.
pub fn unified(_: &Visit) -> Result<Value, Refusal> {
    Err(Refusal::BadParameter("accountMode"))
}

pub fn high_frequency(_: &Visit) -> Result<Value, Refusal> {
    Ok(json!(false))
}

/// Main and trade balances, of one `type` and `currency` or of all.
pub fn accounts(visit: &Visit) -> Result<Value, Refusal> {
    let (kind, currency) = (visit.call.param("type"), visit.call.param("currency"));
    let mut rows = Vec::new();
    for (name, wallet) in TYPES.iter().filter(|(name, _)| kind.as_deref().is_none_or(|kind| kind == *name)) {
        let held = visit.account.holdings(wallet);
        for (asset, held) in
            held.filter(|(asset, _)| currency.as_deref().is_none_or(|currency| currency == *asset))
        {
            let id: String =
                visit.account.uuid(&format!("{name}/{asset}")).replace('-', "").chars().take(24).collect();
            rows.push(json!({"id": id, "currency": asset, "type": name, "balance": held.total, "available": held.free,
                             "holds": held.used}));
        }
    }
    Ok(rows.into())
}

pub fn margin(visit: &Visit) -> Result<Value, Refusal> {
    let row = |(asset, held): (&str, &Holding)| {
        json!({"currency": asset, "totalBalance": held.total, "availableBalance": held.free, "holdBalance": held.used,
               "total": held.total, "available": held.free, "hold": held.used, "liability": "0", "interest": "0",
               "maxBorrowSize": "0", "borrowEnabled": true, "transferInEnabled": true})
    };
    let rows: Vec<Value> = visit.account.holdings("margin").map(row).collect();
    let worth = visit.market.worth(visit.account.holdings("margin")).to_string();
    Ok(json!({"debtRatio": "0", "totalAssetOfQuoteCurrency": worth, "totalLiabilityOfQuoteCurrency": "0",
              "status": "EFFECTIVE", "accounts": rows}))
}

/// One isolated pair, BTC-USDT, is all that seeded accounts have.
pub fn isolated(visit: &Visit) -> Result<Value, Refusal> {
    let side = |asset: &str| {
        let held = visit
            .account
            .holdings("isolated_margin")
            .find(|(symbol, _)| *symbol == asset)
            .map(|(_, held)| held);
        let field = |of: fn(&Holding) -> &String| held.map_or("0", |held| of(held).as_str());
        json!({"currency": asset, "borrowEnabled": true, "transferInEnabled": true, "total": field(|held| &held.total),
               "hold": field(|held| &held.used), "available": field(|held| &held.free), "liability": "0",
               "interest": "0", "maxBorrowSize": "0"})
    };
    let mut assets = Vec::new();
    if visit.account.holdings("isolated_margin").next().is_some() {
        assets.push(
            json!({"symbol": "BTC-USDT", "status": "EFFECTIVE", "debtRatio": "0", "baseAsset": side("BTC"),
                           "quoteAsset": side("USDT")}),
        );
    }
    let worth = visit.market.worth(visit.account.holdings("isolated_margin")).to_string();
    Ok(
        json!({"totalAssetOfQuoteCurrency": worth, "totalLiabilityOfQuoteCurrency": "0", "timestamp": visit.call.now,
              "assets": assets}),
    )
}

pub fn margin_symbols(visit: &Visit) -> Result<Value, Refusal> {
    Ok(json!({"timestamp": visit.call.now, "items": []}))
}

pub fn isolated_symbols(_: &Visit) -> Result<Value, Refusal> {
    Ok(json!([]))
}

/// Pages of at most 500, 15 unless `pageSize` says otherwise; `currentPage` counts from 1.
pub fn earn(visit: &Visit) -> Result<Value, Refusal> {
    let number =
        |name, otherwise| visit.call.param(name).and_then(|text| text.parse().ok()).unwrap_or(otherwise);
    let (page, size): (usize, usize) =
        (number("currentPage", 1).max(1), number("pageSize", 15).clamp(1, 500));
    let currency = visit.call.param("currency");
    let held = visit.account.holdings("earn");
    let held: Vec<_> =
        held.filter(|(asset, _)| currency.as_deref().is_none_or(|currency| currency == *asset)).collect();
    let row = |(asset, held): &(&str, &Holding)| {
        json!({"orderId": visit.account.uid().to_string(), "productId": "2152", "productCategory": "DEMAND",
               "productType": "DEMAND", "currency": asset, "incomeCurrency": asset, "returnRate": "0.01",
               "holdAmount": held.total, "redeemedAmount": "0", "redeemingAmount": "0", "lockStartTime": 0,
               "lockEndTime": null, "purchaseTime": 1_735_689_600_000_u64, "redeemPeriod": 0, "status": "LOCKED",
               "earlyRedeemSupported": 0})
    };
    let items: Vec<Value> = held.iter().skip((page - 1).saturating_mul(size)).take(size).map(row).collect();
    Ok(json!({"totalNum": held.len(), "items": items, "currentPage": page, "pageSize": size,
              "totalPage": held.len().div_ceil(size)}))
}

/// No seeded account can pay a withdrawal here, so that no test can move anything.
pub fn withdraw(_: &Visit) -> Result<Value, Refusal> {
    Err(Refusal::InsufficientFunds)
}
