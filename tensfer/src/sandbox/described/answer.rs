//! The answer to a request that was understood and found genuine.

mod histories;
mod markets;

use super::super::dialect::Permission;
use super::super::market::Market;
use super::account::{Account, Holding};
use super::acting::{self, No};
use super::document::{add, frame};
use super::evaluate::Scope;
use super::expression::Expression;
use super::file::{File, Listing, Purpose};
use super::json::Json;
use super::ledger::Ledger;
use super::ordered::Request;
use super::outer;
use super::plan;
use super::refuse::succeed;
use super::route::Match;
use super::rows::{add_balances, conditions};
use super::solve::{Draft, Goal, Want, solve, solve_softly};
use super::terms;

/// What answers are made from.
#[derive(Debug, Clone, Copy)]
pub struct Visit<'v> {
    pub file: &'v File,
    pub matched: &'v Match<'v>,
    /// `None` on public calls.
    pub account: Option<&'v Account>,
    pub market: &'v Market,
    pub now_ms: u64,
}

/// One answer to everything that the call is made for.
///
/// # Errors
/// What is to be moved cannot be, or what is asked about is not there.
pub fn answer(visit: Visit, ledger: &mut Ledger) -> Result<Json, No> {
    let file = visit.file;
    let listings: Vec<(usize, &Listing)> = visit
        .matched
        .listings
        .iter()
        .filter_map(|index| Some((*index, file.listings.get(*index)?)))
        .collect();
    let mut root = Json::Null;
    if let Some(request) = Request::of(&visit) {
        acting::act(&visit, &request, ledger, &mut root)?;
        succeed(visit.file, &mut root);
        return Ok(whole(root));
    }
    visit.balances(&listings, &mut root);
    let outers = outers(&listings);
    if !outers.is_empty() {
        visit.join(&mut root, outer::document(visit.file, &outers));
    }
    for (_, listing) in &listings {
        match &listing.purpose {
            Purpose::Time => visit.time(listing, &mut root),
            Purpose::Session => visit.session(listing, &mut root),
            Purpose::Capability => visit.capabilities(listing, &mut root),
            _ => {}
        }
    }
    visit.markets(&listings, &mut root);
    // An answer that tells what is held is all of it: terms that are read from it add nothing.
    let tells_balances =
        listings.iter().any(|(_, listing)| matches!(listing.purpose, Purpose::Balance { .. }));
    for (_, listing) in listings.iter().filter(|(_, listing)| !tells_balances && terms::is_terms(listing)) {
        terms::answer(&visit, listing, &mut root);
    }
    let told = acting::statuses(&visit, &listings, ledger, &mut root)?;
    visit.histories(&listings, told, ledger, &mut root);
    // What nothing is made up of is empty, in its own form.
    let reads = listings.iter().filter(|(_, listing)| matches!(listing.purpose, Purpose::Read(_)));
    reads.flat_map(|(_, listing)| &listing.rows).for_each(|path| frame(&mut root, path));
    succeed(visit.file, &mut root);
    Ok(whole(root))
}

/// Those by whose rows further calls are made.
fn outers<'l>(listings: &[(usize, &'l Listing)]) -> Vec<&'l Listing> {
    let all = listings.iter().map(|(_, listing)| *listing);
    all.filter(|listing| matches!(listing.purpose, Purpose::Outer(_))).collect()
}

/// An answer without anything to say is an object.
fn whole(root: Json) -> Json {
    if root == Json::Null { Json::Map(Vec::new()) } else { root }
}

/// What a login's answer says in its headers: names and values.
pub fn headers(visit: Visit) -> Vec<(String, String)> {
    let (file, Some(account)) = (visit.file, visit.account) else { return Vec::new() };
    let is_login = |index: &usize| {
        file.listings.get(*index).is_some_and(|listing| matches!(listing.purpose, Purpose::Session))
    };
    if !visit.matched.listings.iter().any(is_login) {
        return Vec::new();
    }
    let plain = file.login_headers.iter().map(|(name, header)| (header.clone(), account.session(file, name)));
    let cookie = |(name, _): &(String, String)| {
        let pair = account.session(file, name);
        ("set-cookie".to_owned(), format!("{pair}; Path=/; Max-Age=3600; Secure; HttpOnly"))
    };
    plain.chain(file.login_cookies.iter().map(cookie)).collect()
}

impl<'v> Visit<'v> {
    pub fn scope<'s>(&self, arguments: &'s [(String, String)]) -> Scope<'s>
    where
        'v: 's,
    {
        Scope { file: self.file, arguments }
    }

    /// Whether the call is also one whose rows others are made for.
    pub fn tells_outers(&self) -> bool {
        let mut listings = self.matched.listings.iter().filter_map(|index| self.file.listings.get(*index));
        listings.any(|listing| matches!(listing.purpose, Purpose::Outer(_)))
    }

    /// A document that another one is joined into where it is empty.
    fn join(&self, root: &mut Json, other: Json) {
        if *root == Json::Null {
            *root = other;
        }
    }

    fn balances(&self, listings: &[(usize, &Listing)], root: &mut Json) {
        let Some(account) = self.account else { return };
        let of = |wanted: bool| -> Vec<usize> {
            let is = |listing: &Listing| matches!(listing.purpose, Purpose::Balance { default, .. } if default == wanted);
            listings.iter().filter(|(_, listing)| is(listing)).map(|(index, _)| *index).collect()
        };
        // Sources that are asked by name only tell what the others tell otherwise.
        let (default, named) = (of(true), of(false));
        let group = if default.is_empty() { named } else { default };
        let planned = |index: usize| account.holdings.iter().any(|holding| holding.listing == index);
        let own = if group.iter().any(|index| planned(*index)) {
            Vec::new()
        } else {
            plan::of_group(self.file, account, &group)
        };
        let all: Vec<&Holding> =
            account.holdings.iter().chain(&own).filter(|holding| group.contains(&holding.listing)).collect();
        let (called_for_rows, plain): (Vec<usize>, Vec<usize>) = group
            .iter()
            .partition(|index| self.file.listings.get(**index).is_some_and(|listing| listing.each.is_some()));
        let sources: Vec<&Listing> =
            plain.iter().filter_map(|index| self.file.listings.get(*index)).collect();
        let held: Vec<&Holding> =
            all.iter().filter(|holding| plain.contains(&holding.listing)).copied().collect();
        let terms = listings.iter().map(|(_, listing)| *listing).filter(|listing| terms::is_terms(listing));
        let named_by: Vec<&Listing> = outers(listings).into_iter().chain(terms).collect();
        let _ = add_balances(root, &sources, &named_by, &held, self.scope(&self.matched.arguments));
        for index in called_for_rows {
            let Some(listing) = self.file.listings.get(index) else { continue };
            for (outer, arguments) in
                outer::arguments(self.file, listing).iter().enumerate().filter(|(_, row)| self.asks_for(row))
            {
                let held: Vec<&Holding> = all
                    .iter()
                    .filter(|holding| holding.listing == index && holding.outer == outer)
                    .copied()
                    .collect();
                let _ = add_balances(root, &[listing], &[], &held, self.scope(arguments));
            }
        }
        for path in
            group.iter().filter_map(|index| self.file.listings.get(*index)).flat_map(|listing| &listing.rows)
        {
            frame(root, path);
        }
    }

    /// Whether the request's arguments are those of a row for which calls are made.
    fn asks_for(&self, row: &[(String, String)]) -> bool {
        let given = &self.matched.arguments;
        row.iter().all(|(name, text)| given.iter().all(|(known, given)| known != name || given == text))
    }

    fn time(&self, listing: &Listing, root: &mut Json) {
        let goals: Vec<Goal> =
            listing.fields.iter().map(|(_, field)| (field, Want::Text(self.now_ms.to_string()))).collect();
        self.add(listing, conditions(listing), goals, &[], root);
    }

    fn session(&self, listing: &Listing, root: &mut Json) {
        const LIFETIME_S: u64 = 3_600;
        let Some(account) = self.account else { return };
        let said = |name: &str| match name {
            "expires_in" => LIFETIME_S.to_string(),
            "expires" => (self.now_ms + LIFETIME_S * 1000).to_string(),
            name => account.session(self.file, name),
        };
        let goals = listing.fields.iter().map(|(name, field)| (field, Want::Text(said(name)))).collect();
        self.add(listing, conditions(listing), goals, &[], root);
    }

    /// What the key may do, in as many rows as it takes.
    fn capabilities(&self, listing: &Listing, root: &mut Json) {
        let Some(account) = self.account else { return };
        let said = |name: &str| match name {
            "read" => account.may(Permission::Read),
            "trade" | "futures" | "margin" => account.may(Permission::Trade),
            "withdraw" | "transfer" => account.may(Permission::Withdraw),
            "ip_restricted" => account.ip.is_some(),
            _ => false,
        };
        // What the file says itself, whatever the answer, is left to it.
        let is_constant = |expression: &Expression| matches!(expression, Expression::Text(_));
        let mut rest: Vec<Goal> = Vec::new();
        for (name, expression) in listing.fields.iter().filter(|(_, expression)| !is_constant(expression)) {
            let word = if said(name) { ["yes", "true", "1"] } else { ["no", "false", "0"] };
            rest.push((expression, Want::OneOf(word.map(str::to_owned).to_vec())));
        }
        while !rest.is_empty() {
            let Some((draft, met)) = solve_softly(conditions(listing), rest.clone(), self.scope(&[])) else {
                return;
            };
            let before = rest.len();
            rest.retain(|(expression, _)| !met.iter().any(|(known, _)| std::ptr::eq(*known, *expression)));
            let Some(path) = listing.rows.first() else { return };
            if rest.len() == before || add(root, path, &draft).is_none() {
                return;
            }
        }
    }

    /// Adds a row with as many of the goals as it can tell; which ones those are is the same for all rows of a listing.
    pub fn add_as_learnt<'g>(
        &self,
        listing: &'g Listing,
        conditions: Vec<Goal<'g>>,
        goals: Vec<Goal<'g>>,
        arguments: &[(String, String)],
        learnt: Option<Vec<bool>>,
        root: &mut Json,
    ) -> Option<Vec<bool>> {
        let Some(kept) = learnt else { return self.add(listing, conditions, goals, arguments, root) };
        let told = goals.iter().zip(&kept).filter(|(_, kept)| **kept).map(|(goal, _)| goal.clone());
        let whole: Vec<Goal> = conditions.iter().cloned().chain(told).collect();
        let draft = solve(&Draft::default(), &whole, self.scope(arguments));
        match draft.zip(listing.rows.first()) {
            Some((draft, path)) if add(root, path, &draft).is_some() => Some(kept),
            _ => self.add(listing, conditions, goals, arguments, root).or(Some(kept)),
        }
    }

    /// Adds a row, and says which of the goals it tells.
    fn add<'g>(
        &self,
        listing: &'g Listing,
        conditions: Vec<Goal<'g>>,
        goals: Vec<Goal<'g>>,
        arguments: &[(String, String)],
        root: &mut Json,
    ) -> Option<Vec<bool>> {
        let (draft, met) = solve_softly(conditions, goals.clone(), self.scope(arguments))?;
        add(root, listing.rows.first()?, &draft)?;
        Some(goals.iter().map(|goal| met.contains(goal)).collect())
    }
}
