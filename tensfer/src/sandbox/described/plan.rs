//! What the accounts of a described exchange hold: amounts and assets that its answers can say, tried out one by one.

use super::account::{Account, Holding};
use super::document::{frame, read};
use super::evaluate::Scope;
use super::expression::{Expression, RowStep};
use super::file::{File, Listing, Purpose};
use super::json::Json;
use super::outer;
use super::rows::add_balances;
use super::terms;
use std::collections::BTreeMap;
use wire::Decimal;

/// Common symbols in the order in which they are tried.
const SYMBOLS: [&str; 12] =
    ["BTC", "ETH", "USDT", "USD", "EUR", "SOL", "XRP", "USDC", "DOGE", "LTC", "ADA", "KRW"];

/// Holdings of every balance source that is asked by default.
pub fn holdings(file: &File, account: &Account) -> Vec<Holding> {
    let mut all = Vec::new();
    for (index, listing) in file.listings.iter().enumerate() {
        if matches!(listing.purpose, Purpose::Balance { default: true, .. }) {
            let group = answered_with(file, listing);
            if group.first() == Some(&index) {
                all.extend(of_group(file, account, &group));
            }
        }
    }
    all
}

/// The default sources that the same call answers.
pub fn answered_with(file: &File, like: &Listing) -> Vec<usize> {
    let same = |(index, listing): (usize, &Listing)| {
        let default = matches!(listing.purpose, Purpose::Balance { default: true, .. });
        (default && listing.is_same_call(like)).then_some(index)
    };
    file.listings.iter().enumerate().filter_map(same).collect()
}

/// Holdings of sources that one call answers.
pub fn of_group(file: &File, account: &Account, group: &[usize]) -> Vec<Holding> {
    let mut held: Vec<Holding> = Vec::new();
    for &index in group {
        let Some(listing) = file.listings.get(index) else { continue };
        let outers = outer::arguments(file, listing);
        let about_asset = listing
            .fields
            .iter()
            .any(|(name, field)| name == "asset" && matches!(field, Expression::Argument(_)));
        let mut count = 0;
        for (outer, arguments) in outers.iter().enumerate() {
            if outer > 0 && !about_asset {
                break;
            }
            for symbol in symbols(file, listing) {
                if count == wanted(listing, account) {
                    break;
                }
                let fitting = shapes(file, account, listing, index, &symbol, outer, count).into_iter().find(
                    |holding| {
                        let trial = [held.as_slice(), std::slice::from_ref(holding)].concat();
                        says(file, group, &trial, outer, arguments)
                    },
                );
                if let Some(holding) = fitting {
                    held.push(holding);
                    count += 1;
                }
            }
        }
    }
    held
}

/// How many assets a source is given.
fn wanted(listing: &Listing, account: &Account) -> usize {
    match (is_many(listing), account.permissions.len()) {
        (false, _) => 1,
        (true, 1) => 2,
        (true, _) => 3,
    }
}

/// Whether the answer has a row for each asset.
fn is_many(listing: &Listing) -> bool {
    let each = |step: &RowStep| matches!(step, RowStep::EachItem | RowStep::EachMember);
    listing.rows.first().is_some_and(|path| path.iter().any(each))
}

/// Symbols worth trying: those that the call or the expression names, then the common ones.
fn symbols(file: &File, listing: &Listing) -> Vec<String> {
    let constants: Vec<&str> = listing.params.iter().filter_map(|(_, value)| value.text()).collect();
    let named = SYMBOLS.iter().filter(|symbol| {
        constants.iter().any(|text| {
            text.to_uppercase()
                .split(['-', '_'])
                .any(|word| word == **symbol || file.common(word) == **symbol)
        })
    });
    let mut symbols: Vec<String> = named.map(|symbol| (*symbol).to_owned()).collect();
    if !symbols.is_empty() {
        return symbols;
    }
    if terms::is_of_money(file) {
        return terms::MONEY.map(str::to_owned).to_vec();
    }
    symbols.extend(SYMBOLS.map(str::to_owned));
    if !is_many(listing) {
        // What an account has one row for is money.
        symbols.insert(0, "USD".to_owned());
    }
    if let Some(currency) = terms::local(file) {
        symbols.insert(1, currency.to_owned());
    }
    if let Some((_, asset)) = listing.fields.iter().find(|(name, _)| name == "asset") {
        let mut texts = std::cell::RefCell::new(Vec::new());
        asset.any(&|part| {
            match part {
                Expression::Text(text) => texts.borrow_mut().push(text.clone()),
                Expression::Call(name, parts) if name == "map" => {
                    if let Some(Expression::Text(table)) = parts.get(1) {
                        texts.borrow_mut().extend(file.table(table).iter().map(|(_, to)| to.clone()));
                    }
                }
                _ => {}
            }
            false
        });
        symbols.extend(texts.get_mut().iter().map(|code| file.common(code).to_owned()));
    }
    symbols
}

/// Amounts to try, the most telling first: free and used, with a debt; without; all of it free; held back.
fn shapes(
    file: &File,
    account: &Account,
    listing: &Listing,
    index: usize,
    asset: &str,
    outer: usize,
    nth: usize,
) -> Vec<Holding> {
    let Purpose::Balance { source, account: kind, .. } = &listing.purpose else { return Vec::new() };
    let amount = |of: &str, below: u64, scale: u8| {
        let number = account.number(&file.id, &format!("{source} {asset} {outer} {of}"), below) + 1;
        Decimal::new(i128::from(number), scale).unwrap_or(Decimal::ONE)
    };
    let (free, used, debt) = (amount("free", 9_999_999, 4), amount("used", 9_999, 3), amount("debt", 99, 2));
    let has = |name: &str| listing.fields.iter().any(|(known, _)| known == name);
    let zero = Decimal::ZERO;
    let minus = used.checked_neg().unwrap_or(zero);
    let tried = [
        (free, used, debt),
        (free, used, zero),
        (free, zero, debt),
        (free, zero, zero),
        (zero, used, zero),
        (minus, used, zero),
    ];
    let accounts = account_kinds(file, listing, kind);
    let kind = &accounts[nth % accounts.len()];
    let pair = has("pair").then(|| "BTCUSDT".to_owned());
    let mut holdings = Vec::new();
    for pair in [pair.clone(), None] {
        for (free, used, debt) in tried {
            let Ok(total) = free.checked_add(used) else { continue };
            let stated = |name: &str, amount: Decimal| has(name).then_some(amount);
            let (free, used, total) =
                completed(stated("free", free), stated("used", used), stated("total", total));
            let holding = Holding {
                source: source.clone(),
                listing: index,
                outer,
                account: kind.clone(),
                asset: asset.to_owned(),
                pair: pair.clone(),
                free,
                used,
                total,
                debt: stated("debt", debt),
            };
            // Some say nothing of a debt that there is not.
            let silent = (has("debt") && debt.is_zero()).then(|| Holding { debt: None, ..holding.clone() });
            holdings.push(holding);
            holdings.extend(silent);
        }
        if pair.is_none() {
            break;
        }
    }
    holdings
}

/// The types of account that a source's rows may be of.
fn account_kinds(file: &File, listing: &Listing, kind: &str) -> Vec<String> {
    let mut kinds: Vec<String> = Vec::new();
    if let Some((_, Expression::Call(name, parts))) =
        listing.fields.iter().find(|(name, _)| name == "account")
        && name == "map"
        && let Some(Expression::Text(table)) = parts.get(1)
    {
        if let Some(Expression::Argument(_)) = parts.first() {
            // The row that the call is made for decides.
            let of = file.table(table).first().map(|(_, to)| to.clone());
            return vec![of.unwrap_or_else(|| kind.to_owned())];
        }
        for (_, to) in file.table(table) {
            if !kinds.contains(to) {
                kinds.push(to.clone());
            }
        }
    }
    // The usual one first.
    kinds.sort_by_key(|known| known != kind);
    if kinds.is_empty() { vec![kind.to_owned()] } else { kinds }
}

/// The third of free, used and total follows from two of them.
pub fn completed(
    free: Option<Decimal>,
    used: Option<Decimal>,
    total: Option<Decimal>,
) -> (Option<Decimal>, Option<Decimal>, Option<Decimal>) {
    match (free, used, total) {
        (Some(free), Some(used), None) => (Some(free), Some(used), free.checked_add(used).ok()),
        (Some(free), None, Some(total)) => (Some(free), total.checked_sub(free).ok(), Some(total)),
        (None, Some(used), Some(total)) => (total.checked_sub(used).ok(), Some(used), Some(total)),
        given => given,
    }
}

/// The answer with these holdings; `None` where it cannot say them.
pub fn document(
    file: &File,
    group: &[usize],
    held: &[&Holding],
    arguments: &[(String, String)],
) -> Option<Json> {
    let mut root = Json::Null;
    let sources: Vec<&Listing> = group.iter().filter_map(|index| file.listings.get(*index)).collect();
    add_balances(&mut root, &sources, &[], held, Scope { file, arguments })?;
    for path in sources.iter().flat_map(|source| &source.rows) {
        frame(&mut root, path);
    }
    Some(root)
}

/// Whether an answer with these holdings is read as these holdings and nothing else.
pub fn says(
    file: &File,
    group: &[usize],
    held: &[Holding],
    outer: usize,
    arguments: &[(String, String)],
) -> bool {
    let here: Vec<&Holding> = held.iter().filter(|holding| holding.outer == outer).collect();
    let Some(root) = document(file, group, &here, arguments) else { return false };
    group.iter().all(|index| {
        let Some(listing) = file.listings.get(*index) else { return false };
        let told = told(file, listing, &root, arguments);
        let expected = here.iter().filter(|holding| holding.listing == *index);
        told.is_some_and(|told| {
            let expected: Vec<_> = expected.map(|holding| told_of(holding)).collect();
            told.len() == expected.len() && expected.iter().all(|row| told.contains(row))
        })
    })
}

type Told = ((String, String, Option<String>), [Option<Decimal>; 4]);

fn told_of(holding: &Holding) -> Told {
    let identity = (holding.account.clone(), holding.asset.clone(), holding.pair.clone());
    (identity, [holding.free, holding.used, holding.total, holding.debt])
}

/// What an answer says, rows of one asset added up, without those that hold nothing; `None` where a row is damaged.
fn told(file: &File, listing: &Listing, root: &Json, arguments: &[(String, String)]) -> Option<Vec<Told>> {
    let Purpose::Balance { account, .. } = &listing.purpose else { return None };
    let mut sums: BTreeMap<(String, String, Option<String>), [Option<Decimal>; 4]> = BTreeMap::new();
    for row in read(root, listing, Scope { file, arguments }) {
        let field = |name: &str| row.iter().find(|(known, _)| known == name).map(|(_, text)| text.clone());
        let amount = |name: &str| field(name).and_then(|text| text.parse::<Decimal>().ok());
        let code = field("asset")?;
        let (free, used, total) = completed(amount("free"), amount("used"), amount("total"));
        free.or(total)?;
        let suffix = file.suffix.iter().find(|(suffix, _)| code.ends_with(suffix.as_str()));
        let kind =
            suffix.map(|(_, kind)| kind.clone()).or(field("account")).unwrap_or_else(|| account.clone());
        let sum = sums.entry((kind, file.common(&code).to_owned(), field("pair"))).or_default();
        for (sum, more) in sum.iter_mut().zip([free, used, total, amount("debt")]) {
            *sum = match (*sum, more) {
                (Some(left), Some(right)) => Some(left.checked_add(right).ok()?),
                (left, right) => left.or(right),
            };
        }
    }
    let holds = |(_, amounts): &Told| amounts.iter().flatten().any(|amount| !amount.is_zero());
    let complete = |(identity, [free, used, total, debt]): Told| {
        let (free, used, total) = completed(free, used, total);
        (identity, [free, used, total, debt])
    };
    Some(sums.into_iter().map(complete).filter(holds).collect())
}
