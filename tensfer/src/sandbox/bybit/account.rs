//! Signed endpoints: what the key may do; the unified, funding and earn balances.

use crate::sandbox::amount::Amount;
use crate::sandbox::dialect::{Permission, Visit};
use crate::sandbox::refusal::Refusal;
use crate::sandbox::seed::Holding;
use serde_json::{Value, json};

pub fn key(visit: &Visit) -> Result<Value, Refusal> {
    let account = visit.account;
    let granted = |permission, words: &[&str]| if account.may(permission) { json!(words) } else { json!([]) };
    let writes = account.may(Permission::Trade) || account.may(Permission::Withdraw);
    Ok(json!({
        "id": account.uid().to_string(),
        "note": account.name,
        "apiKey": account.credentials.key,
        "readOnly": u8::from(!writes),
        "secret": "",
        "permissions": {
            "ContractTrade": granted(Permission::Trade, &["Order", "Position"]),
            "Spot": granted(Permission::Trade, &["SpotTrade"]),
            "Wallet": granted(Permission::Withdraw, &["AccountTransfer", "Withdraw"]),
            "Options": granted(Permission::Trade, &["OptionsTrade"]),
            "Derivatives": granted(Permission::Trade, &["DerivativesTrade"]),
            "CopyTrading": [],
            "BlockTrade": [],
            "Exchange": [],
            "NFT": [],
            "Affiliate": [],
            "Earn": granted(Permission::Trade, &["Earn"]),
        },
        "ips": if account.ips.is_empty() { json!(["*"]) } else { json!(account.ips) },
        "type": 1,
        "deadlineDay": 83,
        "expiredAt": "2099-01-01T00:00:00Z",
        "createdAt": "2025-01-01T00:00:00Z",
        "unified": 0,
        "uta": 1,
        "userID": account.uid(),
        "inviterID": 0,
        "vipLevel": "No VIP",
        "mktMakerLevel": "0",
        "affiliateID": 0,
        "rsaPublicKey": "",
        "isMaster": true,
        "parentUid": "0",
        "kycLevel": "LEVEL_1",
        "kycRegion": "",
    }))
}

pub fn info(_: &Visit) -> Result<Value, Refusal> {
    Ok(json!({"marginMode": "REGULAR_MARGIN", "updatedTime": "1735689600000", "unifiedMarginStatus": 6,
              "dcpStatus": "OFF", "timeWindow": 0, "smpGroup": 0, "isMasterTrader": false,
              "spotHedgingStatus": "OFF"}))
}

/// Every seeded account is unified; classic account types are refused.
pub fn unified(visit: &Visit) -> Result<Value, Refusal> {
    if visit.call.param("accountType").as_deref() != Some("UNIFIED") {
        return Err(Refusal::BadParameter("accountType"));
    }
    let total = visit.market.worth(visit.account.holdings("unified")).to_string();
    let coin = |asset: &str, held: &Holding| {
        let worth = visit.market.value(asset, &held.total).unwrap_or(Amount::ZERO).to_string();
        json!({"coin": asset, "equity": held.total, "usdValue": worth, "walletBalance": held.total,
               "availableToWithdraw": "", "locked": held.used, "borrowAmount": "0", "accruedInterest": "0",
               "totalOrderIM": "0", "totalPositionIM": "0", "totalPositionMM": "0", "unrealisedPnl": "0",
               "cumRealisedPnl": "0", "bonus": "0", "spotHedgingQty": "0", "marginCollateral": true,
               "collateralSwitch": true, "availableToBorrow": ""})
    };
    Ok(
        json!({"list": [{"accountType": "UNIFIED", "accountIMRate": "0", "accountMMRate": "0", "accountLTV": "0",
                        "totalEquity": total, "totalWalletBalance": total, "totalMarginBalance": total,
                        "totalAvailableBalance": total, "totalPerpUPL": "0", "totalInitialMargin": "0",
                        "totalMaintenanceMargin": "0", "coin": asked_for(visit, "unified", coin)}]}),
    )
}

pub fn funding(visit: &Visit) -> Result<Value, Refusal> {
    if visit.call.param("accountType").as_deref() != Some("FUND") {
        return Err(Refusal::BadParameter("accountType"));
    }
    let row = |asset: &str, held: &Holding| {
        json!({"coin": asset, "walletBalance": held.total, "transferBalance": held.free, "bonus": "0",
               "transferSafeAmount": "", "ltvTransferSafeAmount": ""})
    };
    Ok(json!({"memberId": visit.account.uid().to_string(), "accountType": "FUND",
              "balance": asked_for(visit, "funding", row)}))
}

/// The first of the earn wallet's assets by name is staked on chain, the others are flexible savings.
pub fn earn(visit: &Visit) -> Result<Value, Refusal> {
    let earn = visit.account.holdings("earn");
    let held: Vec<(&str, &Holding)> = match visit.call.param("category").as_deref() {
        Some("OnChain") => earn.take(1).collect(),
        Some("FlexibleSaving") => earn.skip(1).collect(),
        _ => return Err(Refusal::BadParameter("category")),
    };
    let row = |(asset, held): &(&str, &Holding)| {
        json!({"coin": asset, "productId": "430", "amount": held.total, "totalPnl": "0", "claimableYield": "0", "id": "",
               "status": "Active", "orderId": "", "estimateRedeemTime": "", "estimateStakeTime": "",
               "estimateInterestCalculationTime": "", "settlementTime": ""})
    };
    Ok(json!({"list": held.iter().map(row).collect::<Vec<_>>()}))
}

/// The assets on offer, each with one network.
pub fn coins(visit: &Visit) -> Result<Value, Refusal> {
    let row = |symbol| json!({"name": symbol, "coin": symbol, "remainAmount": "0", "chains": super::moving::chains(symbol)});
    let crypto = visit.market.symbols().filter(|symbol| *symbol != "USD");
    Ok(json!({"rows": crypto.map(row).collect::<Vec<_>>()}))
}

/// The rows of a wallet, of the assets that `coin` lists or of all.
fn asked_for(visit: &Visit, wallet: &str, row: impl Fn(&str, &Holding) -> Value) -> Vec<Value> {
    let wanted = visit.call.param("coin").filter(|text| !text.is_empty());
    let named =
        |asset: &str| wanted.as_deref().is_none_or(|wanted| wanted.split(',').any(|one| one == asset));
    visit
        .account
        .holdings(wallet)
        .filter(|(asset, _)| named(asset))
        .map(|(asset, held)| row(asset, held))
        .collect()
}
