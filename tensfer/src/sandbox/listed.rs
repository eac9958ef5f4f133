//! The accounts of all exchanges as people and programs are told of them.

use super::described;
use super::dialect::{Exchange, Permission};
use super::seed::{self, Account};
use serde::Serialize;
use serde_json::{Map, Value, json};
use std::net::IpAddr;

/// One account, with what it holds by wallet (source of the connector file, where that describes the exchange).
#[derive(Debug, Serialize)]
pub struct Listed {
    exchange: Exchange,
    name: String,
    credentials: Value,
    permissions: Vec<Permission>,
    ips: Vec<IpAddr>,
    balances: Map<String, Value>,
}

/// Those of one exchange, or of all; with `load` generated accounts at kraken.
///
/// # Errors
/// When the seeded accounts are broken; a test holds that they are not.
pub fn all(only: Option<&str>, load: u32) -> anyhow::Result<Vec<Listed>> {
    let is_wanted = |exchange: Exchange| only.is_none_or(|id| exchange.id() == id);
    let seeded = seed::accounts(load)?;
    let seeded = seeded.iter().filter(|account| is_wanted(account.exchange));
    let mut all = seeded.map(written).collect::<Result<Vec<_>, _>>()?;
    for exchange in Exchange::all().filter(|exchange| is_wanted(*exchange)) {
        all.extend(
            described::find(exchange.id())
                .into_iter()
                .flat_map(|found| found.accounts().map(move |account| told(exchange, account))),
        );
    }
    Ok(all)
}

/// The key of one account.
///
/// # Errors
/// As [`all`].
pub fn credentials(exchange: &str, name: &str) -> anyhow::Result<Option<Value>> {
    let accounts = seed::accounts(0)?;
    let is_it = |account: &&Account| account.exchange.id() == exchange && account.name == name;
    if let Some(account) = accounts.iter().find(is_it) {
        return Ok(Some(serde_json::to_value(&account.credentials)?));
    }
    let account =
        described::find(exchange).and_then(|found| found.accounts().find(|account| account.name == name));
    Ok(account.map(secrets))
}

fn written(account: &Account) -> serde_json::Result<Listed> {
    let Value::Object(balances) = serde_json::to_value(&account.balances)? else {
        unreachable!("a map is an object")
    };
    Ok(Listed {
        exchange: account.exchange,
        name: account.name.clone(),
        credentials: serde_json::to_value(&account.credentials)?,
        permissions: account.permissions.clone(),
        ips: account.ips.clone(),
        balances,
    })
}

fn told(exchange: Exchange, account: &described::Account) -> Listed {
    let mut balances = Map::new();
    for holding in &account.holdings {
        let wallet = balances.entry(&holding.source).or_insert_with(|| json!({}));
        let amount = |amount: Option<wire::Decimal>| amount.map(|amount| amount.to_string());
        wallet[&holding.asset] = json!({
            "account": holding.account,
            "pair": holding.pair,
            "free": amount(holding.free),
            "used": amount(holding.used),
            "total": amount(holding.total),
            "debt": amount(holding.debt),
        });
    }
    Listed {
        exchange,
        name: account.name.to_owned(),
        credentials: secrets(account),
        permissions: account.permissions.to_vec(),
        ips: account.ip.into_iter().collect(),
        balances,
    }
}

fn secrets(account: &described::Account) -> Value {
    account
        .credentials
        .iter()
        .map(|(name, text)| (name.clone(), Value::String(text.clone())))
        .collect::<Map<_, _>>()
        .into()
}

impl Listed {
    /// As a line of a table.
    pub fn row(&self) -> String {
        let may = self.permissions.iter().map(|permission| format!("{permission:?}").to_lowercase());
        let may = may.collect::<Vec<_>>().join(" ");
        let wallets = self.balances.keys().cloned().collect::<Vec<_>>().join(" ");
        let key =
            self.credentials.as_object().and_then(|fields| fields.values().next()).and_then(Value::as_str);
        let (exchange, name, key) = (self.exchange, &self.name, key.unwrap_or_default());
        format!("{exchange:<21} {name:<11} {may:<22} {wallets:<30} {key}")
    }
}
