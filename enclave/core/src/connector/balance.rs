//! Rows of a balance answer to balances.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use wire::Decimal;

use super::evaluate::{Mismatch, Row};
use super::expression::Expression;
use super::hash::firsts;
use super::model::BalanceSource;
use super::outcome::Balance;

/// Longer asset codes are not codes.
const MAX_CODE: usize = 64;

/// The expressions of a source, looked up once for all its rows.
pub struct Mapping {
    source: &'static BalanceSource,
    asset: Option<&'static Expression>,
    account: Option<&'static Expression>,
    pair: Option<&'static Expression>,
    /// Free, used, total and debt.
    amounts: [Option<&'static Expression>; 4],
    own_account: Arc<str>,
    last_account: Arc<str>,
    last_code: Arc<str>,
    /// Room for the texts of a row that are not lent.
    room: [String; 2],
}

impl Mapping {
    pub fn new(source: &'static BalanceSource) -> Self {
        let field = |name| source.listing.field(name);
        Self {
            source,
            asset: field("asset"),
            account: field("account"),
            pair: field("pair"),
            amounts: ["free", "used", "total", "debt"].map(field),
            own_account: Arc::from(source.account.as_str()),
            last_account: Arc::default(),
            last_code: Arc::default(),
            room: Default::default(),
        }
    }

    /// One row. An asset that nobody knows is an asset; only a row without any, or without a number, is refused.
    #[inline]
    pub fn balance(&mut self, row: &Row<'_, '_>) -> Result<Balance, Mismatch> {
        let mut amounts = [None; 4];
        for (amount, expression) in amounts.iter_mut().zip(self.amounts) {
            if let Some(expression) = expression {
                row.read_decimal(expression, amount)?;
            }
        }
        let asset = self.asset.ok_or(Mismatch)?;
        let [for_code, for_account] = &mut self.room;
        let symbol = row.text_in(asset, for_code)?.filter(|code| is_code(code)).ok_or(Mismatch)?;
        let (unified, suffix_account) = row.connector.asset(symbol);
        let stated = match self.account {
            Some(expression) => row.text_in(expression, for_account)?,
            None => None,
        };
        let account = match suffix_account.or(stated) {
            Some(account) => shared(&mut self.last_account, account),
            None => Arc::clone(&self.own_account),
        };
        let pair = match self.pair {
            Some(expression) => row.text(expression)?.map(|pair| pair.into_owned()),
            None => None,
        };
        // Where no rule changes the code, both are one text.
        let code = shared(&mut self.last_code, symbol);
        let asset = if is_same(unified, symbol) { Arc::clone(&code) } else { Arc::from(unified) };
        let [free, used, total, debt] = amounts;
        let (free, used, total) = completed(free, used, total)?;
        if free.is_none() && total.is_none() {
            return Err(Mismatch);
        }
        let source = self.source.name.as_str();
        Ok(Balance { source, account, pair, asset, symbol: code, free, used, total, debt })
    }
}

/// The text, shared with the row before where that has the same: rows of one account, or of one asset, follow each other.
fn shared(last: &mut Arc<str>, text: &str) -> Arc<str> {
    if **last != *text {
        *last = Arc::from(text);
    }
    Arc::clone(last)
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
    let firsts = firsts(&balances, identity);
    if firsts.iter().enumerate().all(|(index, first)| *first as usize == index) {
        return Ok(balances);
    }
    // Where each row went, so that later ones find the first.
    let mut places: Vec<usize> = Vec::with_capacity(balances.len());
    let mut merged: Vec<Balance> = Vec::with_capacity(balances.len());
    for (balance, first) in balances.into_iter().zip(firsts) {
        let place = places.get(first as usize).copied().unwrap_or(merged.len());
        places.push(place);
        match merged.get_mut(place) {
            Some(known) => {
                known.free = sum(known.free, balance.free)?;
                known.used = sum(known.used, balance.used)?;
                known.total = sum(known.total, balance.total)?;
                known.debt = sum(known.debt, balance.debt)?;
                // Rows may each tell one of the three.
                (known.free, known.used, known.total) = completed(known.free, known.used, known.total)?;
            }
            None => merged.push(balance),
        }
    }
    Ok(merged)
}

fn identity(row: &Balance) -> Identity<'_> {
    Identity { symbol: &row.symbol, account: &row.account, pair: row.pair.as_deref(), source: row.source }
}

/// What two rows that are added up have in common.
#[derive(Eq)]
struct Identity<'b> {
    symbol: &'b str,
    account: &'b str,
    pair: Option<&'b str>,
    source: &'static str,
}

impl PartialEq for Identity<'_> {
    fn eq(&self, other: &Self) -> bool {
        is_same(self.symbol, other.symbol)
            && is_same(self.account, other.account)
            && self.pair == other.pair
            && is_same(self.source, other.source)
    }
}

impl Hash for Identity<'_> {
    /// Without the source: it comes from the connector, so only few rows can differ in it alone.
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write(self.symbol.as_bytes());
        state.write(self.account.as_bytes());
        state.write(self.pair.unwrap_or_default().as_bytes());
    }
}

/// Whether two texts are equal; mostly they are one.
#[inline]
fn is_same(one: &str, other: &str) -> bool {
    std::ptr::eq(one, other) || one == other
}

fn sum(left: Option<Decimal>, right: Option<Decimal>) -> Result<Option<Decimal>, Mismatch> {
    match (left, right) {
        (Some(left), Some(right)) => Ok(Some(left.checked_add(right)?)),
        (left, right) => Ok(left.or(right)),
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn rows_that_each_tell_one_amount_are_completed_together() {
        let row = |free: Option<&str>, total: Option<&str>| Balance {
            source: "spot",
            account: Arc::from("spot"),
            pair: None,
            asset: Arc::from("BTC"),
            symbol: Arc::from("BTC"),
            free: free.map(|amount| amount.parse().unwrap()),
            used: None,
            total: total.map(|amount| amount.parse().unwrap()),
            debt: None,
        };
        let [balance] = merged(vec![row(None, Some("3")), row(Some("1"), None)]).unwrap().try_into().unwrap();
        assert_eq!(balance.used, Some("2".parse().unwrap()));
    }
}
