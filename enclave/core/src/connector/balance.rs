//! Rows of a balance answer to balances.

use std::collections::HashMap;

use wire::Decimal;

use super::evaluate::{Mismatch, Row};
use super::expression::Expression;
use super::hash::Seeded;
use super::model::BalanceSource;
use super::outcome::Balance;

/// Longer asset codes are not codes.
const MAX_CODE: usize = 64;

/// The expressions of a source, looked up once for all its rows.
pub struct Mapping {
    source: &'static BalanceSource,
    asset: Option<&'static Expression>,
    free: Option<&'static Expression>,
    used: Option<&'static Expression>,
    total: Option<&'static Expression>,
    debt: Option<&'static Expression>,
    account: Option<&'static Expression>,
    pair: Option<&'static Expression>,
}

impl Mapping {
    pub fn new(source: &'static BalanceSource) -> Self {
        let field = |name| source.listing.field(name);
        Self {
            source,
            asset: field("asset"),
            free: field("free"),
            used: field("used"),
            total: field("total"),
            debt: field("debt"),
            account: field("account"),
            pair: field("pair"),
        }
    }

    /// One row. An asset that nobody knows is an asset; only a row without any, or without a number, is refused.
    pub fn balance(&self, row: &Row<'_, '_>) -> Result<Balance, Mismatch> {
        let asset = self.asset.ok_or(Mismatch)?;
        let symbol = row.text(asset)?.filter(|code| is_code(code)).ok_or(Mismatch)?;
        let (unified, suffix_account) = row.connector.asset(&symbol);
        let stated = match self.account {
            Some(expression) => row.text(expression)?.map(|account| account.into_owned()),
            None => None,
        };
        let account =
            suffix_account.map(str::to_owned).or(stated).unwrap_or_else(|| self.source.account.clone());
        let pair = match self.pair {
            Some(expression) => row.text(expression)?.map(|pair| pair.into_owned()),
            None => None,
        };
        let asset = unified.to_owned();
        let symbol = symbol.into_owned();
        let (free, used, total) =
            completed(decimal(row, self.free)?, decimal(row, self.used)?, decimal(row, self.total)?)?;
        if free.is_none() && total.is_none() {
            return Err(Mismatch);
        }
        let debt = decimal(row, self.debt)?;
        Ok(Balance {
            source: self.source.name.as_str(),
            account,
            pair,
            asset,
            symbol,
            free,
            used,
            total,
            debt,
        })
    }
}

fn decimal(row: &Row<'_, '_>, expression: Option<&'static Expression>) -> Result<Option<Decimal>, Mismatch> {
    match expression {
        Some(expression) => row.decimal(expression),
        None => Ok(None),
    }
}

type Triple = (Option<Decimal>, Option<Decimal>, Option<Decimal>);

/// The third of free, used and total follows from two of them; nothing follows from one.
pub fn completed(
    free: Option<Decimal>,
    used: Option<Decimal>,
    total: Option<Decimal>,
) -> Result<Triple, Mismatch> {
    Ok(match (free, used, total) {
        (Some(free), Some(used), None) => (Some(free), Some(used), Some(free.checked_add(used)?)),
        (Some(free), None, Some(total)) => (Some(free), Some(total.checked_sub(free)?), Some(total)),
        (None, Some(used), Some(total)) => (Some(total.checked_sub(used)?), Some(used), Some(total)),
        given => given,
    })
}

/// Visible characters of any script; nothing that could break a line or a table.
fn is_code(text: &str) -> bool {
    if text.is_empty() || text.len() > MAX_CODE {
        return false;
    }
    let plain = text.bytes().all(|byte| (0x21..=0x7E).contains(&byte));
    plain || !text.chars().any(|c| c.is_control() || c.is_whitespace())
}

/// Adds up rows of the same asset in the same account, as exchanges with several wallets for one asset send them.
pub fn merged(balances: Vec<Balance>) -> Result<Vec<Balance>, Mismatch> {
    let homes = homes(&balances);
    if homes.iter().enumerate().all(|(place, home)| place == *home) {
        return Ok(balances);
    }
    let mut merged: Vec<Balance> = Vec::with_capacity(balances.len());
    for (balance, home) in balances.into_iter().zip(homes) {
        match merged.get_mut(home) {
            Some(known) => {
                known.free = sum(known.free, balance.free)?;
                known.used = sum(known.used, balance.used)?;
                known.total = sum(known.total, balance.total)?;
                known.debt = sum(known.debt, balance.debt)?;
            }
            None => merged.push(balance),
        }
    }
    Ok(merged)
}

/// For each row, its place among the rows that stay.
fn homes(balances: &[Balance]) -> Vec<usize> {
    let mut places = HashMap::with_capacity_and_hasher(balances.len(), Seeded::default());
    balances
        .iter()
        .map(|row| {
            let next = places.len();
            *places.entry(identity(row)).or_insert(next)
        })
        .collect()
}

fn identity(row: &Balance) -> (&'static str, &str, Option<&str>, &str) {
    (row.source, &row.account, row.pair.as_deref(), &row.symbol)
}

fn sum(left: Option<Decimal>, right: Option<Decimal>) -> Result<Option<Decimal>, Mismatch> {
    match (left, right) {
        (Some(left), Some(right)) => Ok(Some(left.checked_add(right)?)),
        (left, right) => Ok(left.or(right)),
    }
}
