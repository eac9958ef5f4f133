//! Signed endpoints of the spot and portfolio-margin hosts.

use crate::sandbox::amount::Amount;
use crate::sandbox::dialect::{Permission, Visit};
use crate::sandbox::refusal::Refusal;
use crate::sandbox::seed::Holding;
use serde_json::{Value, json};

const CREATED: u64 = 1_735_689_600_000;

pub fn restrictions(visit: &Visit) -> Result<Value, Refusal> {
    let trade = visit.account.may(Permission::Trade);
    Ok(json!({
        "ipRestrict": !visit.account.ips.is_empty(),
        "createTime": CREATED,
        "enableReading": visit.account.may(Permission::Read),
        "enableWithdrawals": visit.account.may(Permission::Withdraw),
        "enableInternalTransfer": false,
        "enableMargin": trade,
        "enableFutures": trade,
        "permitsUniversalTransfer": false,
        "enableVanillaOptions": false,
        "enableFixApiTrade": false,
        "enableFixReadOnly": false,
        "enableSpotAndMarginTrading": trade,
        "enablePortfolioMarginTrading": false,
    }))
}

pub fn spot(visit: &Visit) -> Result<Value, Refusal> {
    let trade = visit.account.may(Permission::Trade);
    let balances =
        rows(visit, "spot", |asset, held| json!({"asset": asset, "free": held.free, "locked": held.used}));
    Ok(json!({
        "makerCommission": 10,
        "takerCommission": 10,
        "buyerCommission": 0,
        "sellerCommission": 0,
        "commissionRates": {"maker": "0.00100000", "taker": "0.00100000", "buyer": "0.00000000", "seller": "0.00000000"},
        "canTrade": trade,
        "canWithdraw": visit.account.may(Permission::Withdraw),
        "canDeposit": true,
        "brokered": false,
        "requireSelfTradePrevention": false,
        "preventSor": false,
        "updateTime": CREATED,
        "accountType": "SPOT",
        "balances": balances,
        "permissions": ["SPOT"],
        "uid": visit.account.uid(),
    }))
}

/// The coins on offer. No networks: deposits and withdrawals are not served.
pub fn coins(visit: &Visit) -> Result<Value, Refusal> {
    let coin = |symbol| {
        json!({"coin": symbol, "depositAllEnable": false, "withdrawAllEnable": false, "name": symbol, "free": "0",
               "locked": "0", "freeze": "0", "withdrawing": "0", "ipoing": "0", "ipoable": "0", "storage": "0",
               "isLegalMoney": symbol == "EUR", "trading": true, "networkList": super::moving::networks(symbol)})
    };
    Ok(visit.market.symbols().filter(|symbol| *symbol != "USD").map(coin).collect())
}

pub fn funding(visit: &Visit) -> Result<Value, Refusal> {
    let row = |asset: &str, held: &Holding| {
        json!({"asset": asset, "free": held.free, "locked": "0", "freeze": held.used, "withdrawing": "0",
               "btcValuation": "0"})
    };
    Ok(rows(visit, "funding", row).into())
}

pub fn user_assets(visit: &Visit) -> Result<Value, Refusal> {
    let row = |asset: &str, held: &Holding| {
        json!({"asset": asset, "free": held.free, "locked": held.used, "freeze": "0", "withdrawing": "0",
               "ipoable": "0", "btcValuation": "0"})
    };
    Ok(rows(visit, "spot", row).into())
}

/// Margin trading is not served.
pub fn margin_pairs(_: &Visit) -> Result<Value, Refusal> {
    Ok(json!([]))
}

pub fn margin(visit: &Visit) -> Result<Value, Refusal> {
    let row = |asset: &str, held: &Holding| {
        json!({"asset": asset, "borrowed": "0", "free": held.free, "interest": "0", "locked": held.used,
               "netAsset": held.total})
    };
    let btc = in_btc(visit, "margin");
    Ok(json!({
        "created": true,
        "borrowEnabled": true,
        "marginLevel": "999.00000000",
        "collateralMarginLevel": "999.00000000",
        "totalAssetOfBtc": btc,
        "totalLiabilityOfBtc": "0",
        "totalNetAssetOfBtc": btc,
        "TotalCollateralValueInUSDT": "0",
        "totalOpenOrderLossInUSDT": "0",
        "tradeEnabled": true,
        "transferInEnabled": true,
        "transferOutEnabled": true,
        "accountType": "MARGIN_1",
        "userAssets": rows(visit, "margin", row),
    }))
}

/// One isolated pair, BTC/USDT, is all that seeded accounts have.
pub fn isolated(visit: &Visit) -> Result<Value, Refusal> {
    let side = |asset: &str| {
        let held = visit
            .account
            .holdings("isolated_margin")
            .find(|(symbol, _)| *symbol == asset)
            .map(|(_, held)| held);
        let field = |of: fn(&Holding) -> &String| held.map_or("0", |held| of(held).as_str());
        json!({"asset": asset, "borrowEnabled": true, "borrowed": "0", "free": field(|held| &held.free),
               "interest": "0", "locked": field(|held| &held.used), "netAsset": field(|held| &held.total),
               "netAssetOfBtc": "0", "repayEnabled": true, "totalAsset": field(|held| &held.total)})
    };
    let mut assets = Vec::new();
    if visit.account.holdings("isolated_margin").next().is_some() {
        assets.push(json!({"baseAsset": side("BTC"), "quoteAsset": side("USDT"), "symbol": "BTCUSDT",
            "isolatedCreated": true, "enabled": true, "marginLevel": "999.00000000", "marginLevelStatus": "EXCESSIVE",
            "marginRatio": "10.00000000", "indexPrice": "64263.35", "liquidatePrice": "0", "liquidateRate": "0",
            "tradeEnabled": true}));
    }
    let btc = in_btc(visit, "isolated_margin");
    Ok(
        json!({"assets": assets, "totalAssetOfBtc": btc, "totalLiabilityOfBtc": "0", "totalNetAssetOfBtc": btc}),
    )
}

/// The first of the earn wallet's assets by name is locked, the others are flexible.
pub fn flexible(visit: &Visit) -> Result<Value, Refusal> {
    let row = |(asset, held): (&str, &Holding)| {
        json!({"totalAmount": held.total, "tierAnnualPercentageRate": {}, "latestAnnualPercentageRate": "0.03",
               "yesterdayAirdropPercentageRate": "0", "asset": asset, "airDropAsset": "", "canRedeem": true,
               "collateralAmount": "0", "productId": format!("{asset}001"), "yesterdayRealTimeRewards": "0",
               "cumulativeBonusRewards": "0", "cumulativeRealTimeRewards": "0", "cumulativeTotalRewards": "0",
               "autoSubscribe": false})
    };
    Ok(page(visit, visit.account.holdings("earn").skip(1).map(row).collect()))
}

pub fn locked(visit: &Visit) -> Result<Value, Refusal> {
    let row = |(asset, held): (&str, &Holding)| {
        json!({"positionId": 1, "parentPositionId": 1, "projectId": format!("{asset}*60"), "asset": asset,
               "amount": held.total, "purchaseTime": CREATED.to_string(), "duration": "60", "accrualDays": "30",
               "rewardAsset": asset, "APY": "0.05", "rewardAmt": "0", "extraRewardAsset": "", "extraRewardAPR": "0",
               "estExtraRewardAmt": "0", "nextPay": "0", "nextPayDate": "0", "payPeriod": "1",
               "redeemAmountEarly": "0", "rewardsEndDate": "0", "deliverDate": "0", "redeemPeriod": "1",
               "redeemingAmt": "0", "partialAmtDeliverDate": "0", "canRedeemEarly": true, "canFastRedemption": true,
               "autoSubscribe": false, "type": "AUTO", "status": "HOLDING", "canReStake": false})
    };
    Ok(page(visit, visit.account.holdings("earn").take(1).map(row).collect()))
}

/// `current` counts from 1; `size` is 10 unless said, 100 at most.
fn page(visit: &Visit, rows: Vec<Value>) -> Value {
    let number =
        |name, otherwise| visit.call.param(name).and_then(|text| text.parse().ok()).unwrap_or(otherwise);
    let (current, size): (usize, usize) = (number("current", 1), number("size", 10).clamp(1, 100));
    let total = rows.len();
    let skip = current.saturating_sub(1).saturating_mul(size);
    json!({"rows": rows.into_iter().skip(skip).take(size).collect::<Vec<_>>(), "total": total})
}

/// The older savings summary: everything that earns.
pub fn savings(visit: &Visit) -> Result<Value, Refusal> {
    let btc = in_btc(visit, "earn");
    let row = |asset: &str, held: &Holding| json!({"asset": asset, "amount": held.total, "amountInBTC": "0", "amountInUSDT": "0"});
    Ok(json!({"totalAmountInBTC": btc, "totalAmountInUSDT": "0", "totalFixedAmountInBTC": "0",
              "totalFixedAmountInUSDT": "0", "totalFlexibleInBTC": btc, "totalFlexibleInUSDT": "0",
              "positionAmountVos": rows(visit, "earn", row)}))
}

/// No seeded account holds options.
pub fn options(visit: &Visit) -> Result<Value, Refusal> {
    Ok(json!({"asset": [], "greek": [], "time": visit.call.now}))
}

/// No seeded account is a portfolio-margin account.
pub fn portfolio(_: &Visit) -> Result<Value, Refusal> {
    Err(Refusal::BadParameter("portfolio"))
}

fn rows(visit: &Visit, wallet: &str, row: impl Fn(&str, &Holding) -> Value) -> Vec<Value> {
    visit.account.holdings(wallet).map(|(asset, held)| row(asset, held)).collect()
}

fn in_btc(visit: &Visit, wallet: &str) -> String {
    let btc = visit.market.price("BTC").unwrap_or(Amount::ZERO);
    visit.market.worth(visit.account.holdings(wallet)).over(btc).rounded(8).to_string()
}
