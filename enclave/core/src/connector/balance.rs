//! Rows of a balance answer to balances.

use std::hash::{Hash, Hasher};
use std::rc::Rc;

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
    own_account: Rc<str>,
    last_account: Rc<str>,
    last_code: Rc<str>,
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
            own_account: Rc::from(source.account.as_str()),
            last_account: Rc::default(),
            last_code: Rc::default(),
            room: Default::default(),
        }
    }

    /// Appends what a row tells; one of the same asset as the row before goes into that, as where an exchange tells each
    /// amount in a row of its own. An asset that nobody knows is an asset; only a row without any, or without a number, is
    /// refused.
    #[inline]
    pub fn read(&mut self, row: &Row<'_, '_>, rows: &mut Vec<Balance>) -> Result<(), Mismatch> {
        let mut amounts = Amounts::default();
        for (amount, expression) in amounts.iter_mut().zip(self.amounts) {
            if let Some(expression) = expression {
                row.read_decimal(expression, amount)?;
            }
        }
        complete(&mut amounts)?;
        if let [None, _, None, _] = amounts {
            return Err(Mismatch);
        }
        let asset = self.asset.ok_or(Mismatch)?;
        let [for_code, for_account] = &mut self.room;
        let symbol = row.text_in(asset, for_code)?.filter(|code| is_code(code)).ok_or(Mismatch)?;
        // Without an account and a pair of its own, the asset is all that tells a row from the one before.
        let alone = self.account.is_none() && self.pair.is_none();
        if alone
            && *self.last_code == *symbol
            && rows.last_mut().is_some_and(|before| add(before, &amounts).is_ok())
        {
            return Ok(());
        }
        let (unified, suffix_account) = row.connector.asset(symbol);
        let stated = match self.account {
            Some(expression) => row.text_in(expression, for_account)?,
            None => None,
        };
        let account = match suffix_account.or(stated) {
            Some(account) => shared(&mut self.last_account, account),
            None => Rc::clone(&self.own_account),
        };
        let pair = match self.pair {
            Some(expression) => row.text(expression)?.map(|pair| pair.into_owned()),
            None => None,
        };
        // Where no rule changes the code, both are one text.
        let code = shared(&mut self.last_code, symbol);
        let asset = if is_same(unified, symbol) { Rc::clone(&code) } else { Rc::from(unified) };
        let [free, used, total, debt] = amounts;
        let source = self.source.name.as_str();
        push(rows, Balance { source, account, pair, asset, symbol: code, free, used, total, debt });
        Ok(())
    }
}

/// The text, shared with the row before where that has the same: rows of one account, or of one asset, follow each other.
fn shared(last: &mut Rc<str>, text: &str) -> Rc<str> {
    if **last != *text {
        *last = Rc::from(text);
    }
    Rc::clone(last)
}

/// Free, used, total and debt.
type Amounts = [Option<Decimal>; 4];

/// The third of free, used and total follows from two of them; nothing follows from one.
fn complete(amounts: &mut Amounts) -> Result<(), Mismatch> {
    match amounts {
        [Some(free), Some(used), total @ None, _] => *total = Some(free.checked_add(*used)?),
        [Some(free), used @ None, Some(total), _] => *used = Some(total.checked_sub(*free)?),
        [free @ None, Some(used), Some(total), _] => *free = Some(total.checked_sub(*used)?),
        _ => {}
    }
    Ok(())
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
            Some(known) => add(known, &amounts(&balance))?,
            None => merged.push(balance),
        }
    }
    Ok(merged)
}

/// Appends a row; one of the same asset as the row before goes into that. A sum that does not fit is left to [`merged`].
fn push(rows: &mut Vec<Balance>, row: Balance) {
    let before = rows.last_mut().filter(|before| identity(before) == identity(&row));
    if before.is_none_or(|before| add(before, &amounts(&row)).is_err()) {
        rows.push(row);
    }
}

/// Adds what a row of the same asset tells; changes nothing where a sum does not fit. Rows may each tell one of the three.
fn add(known: &mut Balance, more: &Amounts) -> Result<(), Mismatch> {
    let mut sums = amounts(known);
    for (sum, more) in sums.iter_mut().zip(more) {
        *sum = match (*sum, *more) {
            (Some(sum), Some(more)) => Some(sum.checked_add(more)?),
            (sum, more) => sum.or(more),
        };
    }
    complete(&mut sums)?;
    [known.free, known.used, known.total, known.debt] = sums;
    Ok(())
}

fn amounts(row: &Balance) -> Amounts {
    [row.free, row.used, row.total, row.debt]
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

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;

    fn row(symbol: &str, free: Option<&str>, total: Option<&str>) -> Balance {
        Balance {
            source: "spot",
            account: Rc::from("spot"),
            pair: None,
            asset: Rc::from(symbol),
            symbol: Rc::from(symbol),
            free: free.map(|amount| amount.parse().unwrap()),
            used: None,
            total: total.map(|amount| amount.parse().unwrap()),
            debt: None,
        }
    }

    #[test]
    fn rows_that_each_tell_one_amount_are_completed_together() {
        let rows = [row("BTC", None, Some("3")), row("BTC", Some("1"), None)];
        let [balance] = merged(rows.to_vec()).unwrap().try_into().unwrap();
        assert_eq!(balance.used, Some("2".parse().unwrap()));
    }

    #[test]
    fn rows_that_follow_each_other_are_added_up_as_all_rows_are() {
        let most = "9".repeat(38);
        for order in [["A", "A", "B", "B"], ["A", "B", "A", "B"], ["A", "B", "B", "A"]] {
            for amount in ["1", &most] {
                let rows: Vec<Balance> = (0..)
                    .zip(order)
                    .map(|(at, symbol)| match at % 2 {
                        0 => row(symbol, None, Some(amount)),
                        _ => row(symbol, Some("1"), (at == 3).then_some(amount)),
                    })
                    .collect();
                let mut pushed = Vec::new();
                rows.iter().for_each(|row| push(&mut pushed, row.clone()));
                assert!(pushed.len() <= rows.len());
                assert_eq!(merged(pushed), merged(rows), "{order:?} {amount}");
            }
        }
        let mut pushed = Vec::new();
        (0..4).for_each(|at| push(&mut pushed, row(if at < 2 { "A" } else { "B" }, Some("1"), None)));
        assert_eq!(pushed.len(), 2);
    }
}
