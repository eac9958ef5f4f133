//! Rows for each of which another call is made: the accounts, portfolios, assets or markets of a described exchange.

use super::document::{add, frame, read};
use super::evaluate::Scope;
use super::expression::Expression;
use super::file::{File, Listing, Purpose};
use super::json::Json;
use super::rows::conditions;
use super::solve::{Goal, Want, solve_softly};

/// Assets that such rows may be about.
const SYMBOLS: [&str; 3] = ["BTC", "ETH", "USDT"];
/// Markets that such rows may be about.
const PAIRS: [&str; 2] = ["btc_usdt", "eth_usdt"];

/// The arguments that each row gives to the call that is made for it.
pub fn arguments(file: &File, inner: &Listing) -> Vec<Vec<(String, String)>> {
    let Some(outer) = inner.each.and_then(|index| file.listings.get(index)) else { return vec![Vec::new()] };
    let root = document(file, &alike(file, outer));
    read(&root, outer, Scope { file, arguments: &[] })
}

/// Every listing that is answered by the same call.
fn alike<'f>(file: &'f File, listing: &Listing) -> Vec<&'f Listing> {
    file.listings
        .iter()
        .filter(|other| matches!(other.purpose, Purpose::Outer(_)) && other.is_same_call(listing))
        .collect()
}

/// The answer to one call with all rows that some listing makes further calls for.
pub fn document(file: &File, listings: &[&Listing]) -> Json {
    let scope = Scope { file, arguments: &[] };
    let mut root = Json::Null;
    // What meets conditions is a row for those without any, too.
    let (open, conditional): (Vec<&Listing>, Vec<&Listing>) =
        listings.iter().partition(|listing| listing.only.is_empty());
    for listing in conditional.into_iter().chain(open) {
        let Purpose::Outer(inner) = listing.purpose else { continue };
        let (Some(inner), Some(path)) = (file.listings.get(inner), listing.rows.first()) else { continue };
        if !read(&root, listing, scope).is_empty() {
            continue;
        }
        for index in 0..rows_for(inner) {
            let fields = fields(file, inner, listing, index);
            // What cannot be told beside the rows before is not there: an account is of one kind, not of two.
            if let Some((draft, _)) = solve_softly(conditions(listing), fields, scope) {
                let _ = add(&mut root, path, &draft);
            }
        }
        frame(&mut root, path);
    }
    root
}

/// What the row at that place says for the calls that are made for it, where the answer's rows are made elsewhere: of terms,
/// the account's id.
pub fn names<'f>(file: &File, listing: &'f Listing, index: usize) -> Vec<Goal<'f>> {
    if matches!(listing.purpose, Purpose::Terms(_)) {
        let ids = listing.fields.iter().filter(|(name, _)| name == "account_id");
        return ids.map(|(_, id)| (id, Want::Text(format!("100{index}")))).collect();
    }
    let Purpose::Outer(inner) = listing.purpose else { return Vec::new() };
    let Some(inner) = file.listings.get(inner) else { return Vec::new() };
    conditions(listing).into_iter().chain(fields(file, inner, listing, index)).collect()
}

fn fields<'f>(file: &File, inner: &Listing, listing: &'f Listing, index: usize) -> Vec<Goal<'f>> {
    let field = |(name, expression): &'f (String, Expression)| {
        (expression, Want::Text(wanted(file, inner, name, index)))
    };
    listing.fields.iter().map(field).collect()
}

/// How many rows the calls behind them tell apart.
fn rows_for(inner: &Listing) -> usize {
    let about =
        |test: &dyn Fn(&Expression) -> bool| inner.fields.iter().any(|(_, expression)| expression.any(test));
    let is_argument = |expression: &Expression| matches!(expression, Expression::Argument(_));
    if inner.fields.iter().any(|(name, expression)| name == "asset" && is_argument(expression)) {
        return SYMBOLS.len();
    }
    let is_split = |expression: &Expression| matches!(expression, Expression::Call(name, parts) if name == "before" && parts.iter().any(is_argument));
    let is_market = matches!(inner.purpose, Purpose::Tickers);
    if is_market || about(&is_split) { PAIRS.len() } else { 1 }
}

/// What a row's field says, for the call that it is an argument of.
fn wanted(file: &File, inner: &Listing, name: &str, index: usize) -> String {
    let is_it =
        |expression: &Expression| matches!(expression, Expression::Argument(argument) if argument == name);
    for (field, expression) in &inner.fields {
        if field == "asset" && is_it(expression) {
            return file.code(SYMBOLS[index % SYMBOLS.len()]).to_owned();
        }
        let table = mapped_by(expression, &is_it);
        if let Some((from, _)) = table.and_then(|name| file.table(&name).first()) {
            return from.clone();
        }
    }
    match inner.purpose {
        Purpose::Tickers => PAIRS[index % PAIRS.len()].to_owned(),
        _ => (1001 + index).to_string(),
    }
}

/// The table through which an argument is mapped.
fn mapped_by(expression: &Expression, is_it: &dyn Fn(&Expression) -> bool) -> Option<String> {
    match expression {
        Expression::Call(function, parts) => match parts.as_slice() {
            [argument, Expression::Text(name)] if function == "map" && is_it(argument) => Some(name.clone()),
            parts => parts.iter().find_map(|part| mapped_by(part, is_it)),
        },
        Expression::First(parts) => parts.iter().find_map(|part| mapped_by(part, is_it)),
        Expression::Sum(left, _, right) | Expression::Product(left, right) => {
            mapped_by(left, is_it).or_else(|| mapped_by(right, is_it))
        }
        _ => None,
    }
}
