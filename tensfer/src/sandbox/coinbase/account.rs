//! Signed endpoints: key permissions, v3 accounts, v2 wallets and vaults, the futures balance, portfolios.

use super::market::{asset_id, is_fiat};
use super::{PORTFOLIO, WALLET};
use crate::sandbox::amount::{Amount, number};
use crate::sandbox::dialect::{Permission, Visit, segment};
use crate::sandbox::refusal::Refusal;
use crate::sandbox::seed::Holding;
use serde_json::{Value, json};

const CREATED: &str = "2025-01-01T00:00:00Z";

pub fn key(visit: &Visit) -> Result<Value, Refusal> {
    Ok(json!({
        "can_view": visit.account.may(Permission::Read),
        "can_trade": visit.account.may(Permission::Trade),
        "can_transfer": visit.account.may(Permission::Withdraw),
        "portfolio_uuid": visit.account.uuid("portfolio"),
        "portfolio_type": "DEFAULT",
    }))
}

pub fn user(visit: &Visit) -> Result<Value, Refusal> {
    Ok(json!({"data": {"id": visit.account.uuid("user"), "name": visit.account.name, "resource": "user",
                       "resource_path": "/v2/user"}}))
}

pub fn fees(_: &Visit) -> Result<Value, Refusal> {
    Ok(
        json!({"total_volume": 0, "total_fees": 0, "fee_tier": {"pricing_tier": "", "usd_from": "0", "usd_to": "10000",
              "taker_fee_rate": "0.006", "maker_fee_rate": "0.004"}}),
    )
}

/// One account an asset, `limit` (49 unless said, 250 at most) at a time from `cursor`.
pub fn accounts_v3(visit: &Visit) -> Result<Value, Refusal> {
    let limit = visit.call.param("limit").and_then(|text| text.parse().ok()).unwrap_or(49).clamp(1, 250);
    let cursor = visit.call.param("cursor").filter(|text| !text.is_empty()).unwrap_or_else(|| "0".to_owned());
    let from: usize = cursor.parse().map_err(|_| Refusal::BadParameter("cursor"))?;
    let all: Vec<Value> =
        visit.account.holdings("spot").map(|(asset, held)| account_v3(visit, asset, held)).collect();
    let total = all.len();
    let page: Vec<Value> = all.into_iter().skip(from).take(limit).collect();
    let next = from.saturating_add(page.len());
    let cursor = if next < total { next.to_string() } else { String::new() };
    Ok(json!({"has_next": next < total, "cursor": cursor, "size": page.len(), "accounts": page}))
}

fn account_v3(visit: &Visit, asset: &str, held: &Holding) -> Value {
    json!({
        "uuid": visit.account.uuid(asset),
        "name": format!("{asset} Wallet"),
        "currency": asset,
        "available_balance": {"value": held.free, "currency": asset},
        "default": true,
        "active": true,
        "created_at": CREATED,
        "updated_at": CREATED,
        "deleted_at": null,
        "type": if is_fiat(asset) { "ACCOUNT_TYPE_FIAT" } else { "ACCOUNT_TYPE_CRYPTO" },
        "ready": true,
        "hold": {"value": held.used, "currency": asset},
        "retail_portfolio_id": visit.account.uuid("portfolio"),
        "platform": "ACCOUNT_PLATFORM_CONSUMER",
    })
}

/// Every wallet and vault; 25 at a time unless `limit` says more.
pub fn accounts_v2(visit: &Visit) -> Result<Value, Refusal> {
    let limit: usize =
        visit.call.param("limit").and_then(|text| text.parse().ok()).unwrap_or(25).clamp(1, 300);
    let all = wallets_v2(visit);
    let after = visit.call.param("starting_after");
    let from = match &after {
        Some(id) => {
            1 + all.iter().position(|row| row["id"] == **id).ok_or(Refusal::BadParameter("starting_after"))?
        }
        None => 0,
    };
    let rest = all.len() - from;
    let page: Vec<Value> = all.into_iter().skip(from).take(limit).collect();
    let last = page.last().map(|row| row["id"].clone()).filter(|_| rest > limit).unwrap_or_default();
    let next = last.as_str().map(|id| format!("/v2/accounts?limit={limit}&starting_after={id}"));
    Ok(json!({
        "pagination": {"ending_before": null, "starting_after": after, "previous_ending_before": null,
                       "next_starting_after": last, "limit": limit, "order": "desc", "previous_uri": null,
                       "next_uri": next},
        "data": page,
    }))
}

pub fn wallet_v2(visit: &Visit) -> Result<Value, Refusal> {
    let id = segment(visit.call, WALLET);
    let found = wallets_v2(visit).into_iter().find(|row| row["id"] == id || row["currency"]["code"] == id);
    Ok(json!({"data": found.ok_or(Refusal::UnknownEndpoint)?}))
}

fn wallets_v2(visit: &Visit) -> Vec<Value> {
    let wallets = visit.account.holdings("spot").map(|(asset, held)| wallet(visit, asset, held, "Wallet"));
    let vaults = visit.account.holdings("vault").map(|(asset, held)| wallet(visit, asset, held, "Vault"));
    wallets.chain(vaults).collect()
}

fn wallet(visit: &Visit, asset: &str, held: &Holding, noun: &str) -> Value {
    let name = format!("{asset} {noun}");
    let id = visit.account.uuid(if noun == "Vault" { &name } else { asset });
    let kind_v2 = if is_fiat(asset) { "fiat".to_owned() } else { noun.to_lowercase() };
    let kind = if is_fiat(asset) { "fiat" } else { "crypto" };
    json!({
        "id": id,
        "name": name,
        "primary": true,
        "type": kind_v2,
        "currency": {"code": asset, "name": asset, "color": "#000000", "exponent": 8, "type": kind,
                     "asset_id": asset_id(asset), "slug": asset.to_lowercase()},
        "balance": {"amount": held.total, "currency": asset},
        "created_at": CREATED,
        "updated_at": CREATED,
        "resource": "account",
        "resource_path": format!("/v2/accounts/{id}"),
        "allow_deposits": true,
        "allow_withdrawals": true,
    })
}

/// The balance at Coinbase Financial Markets: dollars. Null without such an account.
pub fn futures(visit: &Visit) -> Result<Value, Refusal> {
    let Some((_, held)) = visit.account.holdings("futures").next() else {
        return Ok(json!({"balance_summary": null}));
    };
    let usd = |value: &str| json!({"value": value, "currency": "USD"});
    Ok(json!({"balance_summary": {
        "futures_buying_power": usd(&held.free),
        "total_usd_balance": usd(&held.total),
        "cbi_usd_balance": usd("0"),
        "cfm_usd_balance": usd(&held.total),
        "total_open_orders_hold_amount": usd(&held.used),
        "unrealized_pnl": usd("0"),
        "daily_realized_pnl": usd("0"),
        "initial_margin": usd(&held.used),
        "available_margin": usd(&held.free),
        "liquidation_threshold": usd("0"),
        "liquidation_buffer_amount": usd(&held.free),
        "liquidation_buffer_percentage": "1000",
    }}))
}

pub fn portfolios(visit: &Visit) -> Result<Value, Refusal> {
    Ok(json!({"portfolios": [described(visit)]}))
}

pub fn portfolio(visit: &Visit) -> Result<Value, Refusal> {
    if segment(visit.call, PORTFOLIO) != visit.account.uuid("portfolio") {
        return Err(Refusal::BadParameter("portfolio_uuid"));
    }
    let total = visit.market.worth(visit.account.holdings("spot")).to_string();
    let usd = |value: &str| json!({"value": value, "currency": "USD"});
    let position = |(asset, held): (&str, &Holding)| {
        let value = visit.market.value(asset, &held.total).unwrap_or(Amount::ZERO).to_string();
        json!({"asset": asset, "account_uuid": visit.account.uuid(asset),
               "total_balance_fiat": number(&value), "total_balance_crypto": number(&held.total),
               "available_to_trade_fiat": number(&value), "is_cash": is_fiat(asset),
               "available_to_trade_crypto": number(&held.free)})
    };
    let positions: Vec<Value> = visit.account.holdings("spot").map(position).collect();
    Ok(json!({"breakdown": {
        "portfolio": described(visit),
        "portfolio_balances": {"total_balance": usd(&total), "total_futures_balance": usd("0"),
                               "total_cash_equivalent_balance": usd("0"), "total_crypto_balance": usd(&total),
                               "futures_unrealized_pnl": usd("0"), "perp_unrealized_pnl": usd("0")},
        "spot_positions": positions,
        "perp_positions": [],
        "futures_positions": [],
    }}))
}

fn described(visit: &Visit) -> Value {
    json!({"name": "Primary", "uuid": visit.account.uuid("portfolio"), "type": "DEFAULT", "deleted": false})
}

/// No seeded account can pay a withdrawal here, so that no test can move anything.
pub fn send(_: &Visit) -> Result<Value, Refusal> {
    Err(Refusal::InsufficientFunds)
}
