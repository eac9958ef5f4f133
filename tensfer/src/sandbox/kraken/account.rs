//! Signed endpoints: what the key may do, and what the account holds.

use super::names;
use crate::sandbox::amount::Amount;
use crate::sandbox::dialect::{Permission, Visit};
use crate::sandbox::refusal::Refusal;
use crate::sandbox::seed::{Account, Holding};
use serde_json::{Map, Value, json};

const SINCE: &str = "1735689600";

pub fn key(visit: &Visit) -> Result<Value, Refusal> {
    let account = visit.account;
    Ok(json!({
        "api_key_name": account.name,
        "api_key": account.credentials.key,
        "nonce": visit.call.field("nonce").unwrap_or_default(),
        "nonce_window": 0,
        "permissions": permissions(account),
        "iban": "",
        "valid_until": "0",
        "query_from": "0",
        "query_to": "0",
        "created_time": SINCE,
        "modified_time": SINCE,
        "ip_allowlist": account.ips,
        "last_used": (visit.call.now / 1000).to_string(),
    }))
}

/// Kraken's words for what a key may do.
fn permissions(account: &Account) -> Vec<&'static str> {
    let words: [(Permission, &[&str]); 3] = [
        (Permission::Read, &["query-funds", "query-open-trades", "query-closed-trades", "query-ledger"]),
        (Permission::Trade, &["modify-trades", "close-trades"]),
        (Permission::Withdraw, &["add-funds", "withdraw-funds"]),
    ];
    words
        .iter()
        .filter(|(permission, _)| account.may(*permission))
        .flat_map(|(_, words)| words.iter().copied())
        .collect()
}

/// Spot assets under their own ids, bonded earn assets as `DOT.B`.
fn rows(account: &Account) -> impl Iterator<Item = (String, &Holding)> {
    let spot = account.holdings("spot").map(|(symbol, holding)| (names::id(symbol).to_owned(), holding));
    let earn =
        account.holdings("earn").map(|(symbol, holding)| (format!("{}.B", names::short(symbol)), holding));
    spot.chain(earn)
}

pub fn totals(visit: &Visit) -> Result<Value, Refusal> {
    Ok(Value::Object(rows(visit.account).map(|(id, holding)| (id, json!(holding.total))).collect()))
}

pub fn balances(visit: &Visit) -> Result<Value, Refusal> {
    let row = |(id, holding): (String, &Holding)| {
        (id, json!({"balance": holding.total, "hold_trade": holding.used}))
    };
    Ok(Value::Object(rows(visit.account).map(row).collect::<Map<_, _>>()))
}

pub fn trade_balance(visit: &Visit) -> Result<Value, Refusal> {
    let worth = visit.market.worth(visit.account.holdings("spot")).rounded(4).to_string();
    Ok(
        json!({"eb": worth, "tb": worth, "m": "0.0000", "n": "0.0000", "c": "0.0000", "v": "0.0000", "e": worth,
              "mf": worth}),
    )
}

/// What is allocated to earn strategies; the same assets appear in the balances as `.B`.
pub fn allocations(visit: &Visit) -> Result<Value, Refusal> {
    let mut total = Amount::ZERO;
    let items = visit.account.holdings("earn").map(|(symbol, holding)| {
        let value = visit.market.value(symbol, &holding.total).unwrap_or(Amount::ZERO);
        total = total.plus(value);
        let amount = json!({"native": holding.total, "converted": value.to_string()});
        json!({
            "strategy_id": visit.account.uuid(symbol),
            "native_asset": names::short(symbol),
            "amount_allocated": {"total": amount, "bonding": {"native": "0", "converted": "0", "allocation_count": 0,
                                 "allocations": []}},
            "total_rewarded": {"native": "0", "converted": "0"},
        })
    });
    let items: Vec<Value> = items.collect();
    Ok(json!({
        "converted_asset": "USD",
        "total_allocated": total.to_string(),
        "total_rewarded": "0",
        "next_cursor": null,
        "items": items,
    }))
}
