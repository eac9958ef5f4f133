//! From what an account holds to the rows that say so.

use super::account::Holding;
use super::document::add;
use super::evaluate::Scope;
use super::file::{Listing, Purpose};
use super::json::Json;
use super::outer;
use super::solve::{Draft, Goal, Want, solve, solve_softly};
use wire::Decimal;

/// Goals of a listing's conditions.
pub fn conditions(listing: &Listing) -> Vec<Goal<'_>> {
    listing.only.iter().map(|(expression, allowed)| (expression, Want::OneOf(allowed.clone()))).collect()
}

/// Adds the rows by which balance sources of one answer say what is held, and, where `outers` make calls for the same
/// rows, what those calls name them by. `None`: they cannot.
pub fn add_balances(
    root: &mut Json,
    sources: &[&Listing],
    outers: &[&Listing],
    holdings: &[&Holding],
    scope: Scope,
) -> Option<()> {
    let mut rest: Vec<&Listing> = sources.to_vec();
    while let Some(first) = rest.first().copied() {
        // Sources that read the same rows are told in the same rows where that is possible.
        let (together, others): (Vec<_>, Vec<_>) =
            rest.into_iter().partition(|other| other.rows == first.rows);
        let outers: Vec<&Listing> = outers.iter().filter(|outer| outer.rows == first.rows).copied().collect();
        let mut joint = root.clone();
        match add_jointly(&mut joint, &together, &outers, holdings, scope) {
            Some(()) => *root = joint,
            None => together
                .iter()
                .try_for_each(|source| add_jointly(root, &[source], &outers, holdings, scope))?,
        }
        rest = others;
    }
    Some(())
}

fn add_jointly(
    root: &mut Json,
    sources: &[&Listing],
    outers: &[&Listing],
    holdings: &[&Holding],
    scope: Scope,
) -> Option<()> {
    let held = |source: &Listing| {
        let name = source_name(source).to_owned();
        holdings.iter().filter(move |holding| holding.source == name).copied()
    };
    let asset_of = |holding: &Holding| (holding.asset.clone(), holding.pair.clone());
    // A source that tells of several accounts has as many rows of an asset.
    let mut assets: Vec<((String, Option<String>), usize)> = Vec::new();
    for source in sources {
        let told: Vec<_> = held(source).map(asset_of).collect();
        for (at, asset) in told.iter().enumerate() {
            let before = told.iter().take(at).filter(|known| *known == asset).count();
            let row = (asset.clone(), before);
            if !assets.contains(&row) {
                assets.push(row);
            }
        }
    }
    for (at, (row, nth)) in assets.into_iter().enumerate() {
        let mut goals = Vec::new();
        let mut amounts = Vec::new();
        for source in sources {
            let holding = held(source).filter(|holding| asset_of(holding) == row).nth(nth);
            let asset = row.0.as_str();
            identity(source, asset, holding, scope, &mut goals);
            amounts.extend(amount_goals(source, holding));
        }
        let names = outers.iter().flat_map(|outer| outer::names(scope.file, outer, at)).collect();
        add_asset(root, sources.first()?, &goals, &amounts, names, scope)?;
    }
    Some(())
}

/// One row for all amounts, or one for each.
fn add_asset(
    root: &mut Json,
    source: &Listing,
    identity: &[Goal],
    amounts: &[Goal],
    names: Vec<Goal>,
    scope: Scope,
) -> Option<()> {
    let whole = [identity, amounts].concat();
    let path = source.rows.first()?;
    if let Some((draft, _)) = solve_softly(whole, names, scope)
        && add(root, path, &draft).is_some()
    {
        return Some(());
    }
    let told = |(_, want): &&Goal| *want != Want::Number(Decimal::ZERO);
    for goal in amounts.iter().filter(told) {
        let others = amounts.iter().filter(|(expression, _)| !std::ptr::eq(*expression, goal.0));
        let others: Vec<Goal> = others.map(|(expression, _)| (*expression, Want::Nothing)).collect();
        let draft =
            solve(&Draft::default(), &[identity, std::slice::from_ref(goal), &others].concat(), scope)?;
        add(root, path, &draft)?;
    }
    Some(())
}

fn identity<'g>(
    source: &'g Listing,
    asset: &str,
    holding: Option<&Holding>,
    scope: Scope,
    goals: &mut Vec<Goal<'g>>,
) {
    goals.extend(conditions(source));
    let mut text = |name: &str, text: &str| {
        let field = source.fields.iter().find(|(known, _)| known == name);
        goals.extend(field.map(|(_, expression)| (expression, Want::Text(text.to_owned()))));
    };
    text("asset", scope.file.code(asset));
    let Some(holding) = holding else { return };
    text("account", &holding.account);
    match &holding.pair {
        Some(pair) => text("pair", pair),
        None => {
            let field = source.fields.iter().find(|(known, _)| known == "pair");
            goals.extend(field.map(|(_, expression)| (expression, Want::Absent)));
        }
    }
}

fn amount_goals<'g>(source: &'g Listing, holding: Option<&Holding>) -> Vec<Goal<'g>> {
    let amount = |name: &str| match (name, holding) {
        (_, None) => Some(Decimal::ZERO),
        ("free", Some(holding)) => holding.free,
        ("used", Some(holding)) => holding.used,
        ("total", Some(holding)) => holding.total,
        ("debt", Some(holding)) => holding.debt,
        _ => None,
    };
    let named =
        source.fields.iter().filter(|(name, _)| ["free", "used", "total", "debt"].contains(&name.as_str()));
    named.filter_map(|(name, expression)| Some((expression, Want::Number(amount(name)?)))).collect()
}

/// The name of a balance source.
pub fn source_name(listing: &Listing) -> &str {
    if let Purpose::Balance { source, .. } = &listing.purpose { source } else { "" }
}
