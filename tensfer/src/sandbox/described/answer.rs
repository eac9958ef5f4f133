//! The answer to a request that was understood and found genuine.

use super::super::dialect::Permission;
use super::super::market::{Market, Pair};
use super::account::{Account, Holding};
use super::acting::{self, No};
use super::document::{add, frame};
use super::evaluate::Scope;
use super::expression::{Expression, RowStep};
use super::file::{File, Listing, Paging, Purpose};
use super::history::{self, Event};
use super::json::Json;
use super::ledger::{Ledger, Moved};
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
    let outers: Vec<&Listing> = listings
        .iter()
        .map(|(_, listing)| *listing)
        .filter(|listing| matches!(listing.purpose, Purpose::Outer(_)))
        .collect();
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
    succeed(visit.file, &mut root);
    Ok(whole(root))
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
        let _ = add_balances(root, &sources, &held, self.scope(&self.matched.arguments));
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
                let _ = add_balances(root, &[listing], &held, self.scope(arguments));
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

    /// Public prices: markets and tickers, told in the same rows where several listings read them.
    fn markets(&self, listings: &[(usize, &Listing)], root: &mut Json) {
        let is_market = |listing: &Listing| match &listing.purpose {
            Purpose::Tickers | Purpose::Markets => true,
            Purpose::Read(operation) => ["ticker", "tickers", "last_prices"].contains(&operation.as_str()),
            Purpose::Terms(_) => terms::is_of_markets(listing),
            _ => false,
        };
        let mut told: Vec<&Vec<Vec<RowStep>>> = Vec::new();
        for (_, listing) in listings.iter().filter(|(_, listing)| is_market(listing)) {
            if told.contains(&&listing.rows) {
                continue;
            }
            told.push(&listing.rows);
            let same = listings
                .iter()
                .map(|(_, other)| *other)
                .filter(|other| is_market(other) && other.rows == listing.rows);
            self.pairs(&same.collect::<Vec<_>>(), root);
        }
    }

    fn pairs(&self, listings: &[&Listing], root: &mut Json) {
        let Some(first) = listings.first() else { return };
        let arguments = outer::arguments(self.file, first);
        let arguments = arguments.iter().find(|row| self.asks_for(row)).cloned().unwrap_or_default();
        let arguments = [self.matched.arguments.as_slice(), &arguments].concat();
        let asked =
            |name: &str| arguments.iter().find(|(known, _)| known == name).map(|(_, text)| text.as_str());
        let mut learnt: Option<Vec<bool>> = None;
        let offered = self.offered().into_iter().zip(1..).filter(|offer| self.is_asked(offer, &arguments));
        for (pair, number) in offered.filter(|(pair, _)| self.tells(listings, pair)) {
            let (base, quote) = (self.file.code(pair.base), self.file.code(pair.quote));
            let number = number.to_string();
            let name = if self.file.numbers_markets { number.clone() } else { format!("{base}{quote}") };
            let market = asked("market").unwrap_or(&name);
            let mut goals: Vec<Goal> = Vec::new();
            for (field, expression) in listings.iter().flat_map(|listing| &listing.fields) {
                let text = match field.as_str() {
                    "market" => market,
                    "method" => &number,
                    "base" => base,
                    "quote" => quote,
                    "last" => &pair.last,
                    "bid" => &pair.bid,
                    "ask" => &pair.ask,
                    "open" => &pair.open,
                    "high" => &pair.high,
                    "low" => &pair.low,
                    field => {
                        goals.extend(terms::of_pair(&pair, field).map(|want| (expression, want)));
                        continue;
                    }
                };
                goals.push((expression, Want::Text(text.to_owned())));
            }
            // Where the assets can be told by the market's name alone, that is written so that they can.
            if listings.iter().any(|listing| terms::is_of_markets(listing)) {
                let is_name = |(expression, _): &Goal| {
                    let named = |(name, known): &(String, Expression)| {
                        name == "market" && std::ptr::eq(known, *expression)
                    };
                    listings.iter().flat_map(|listing| &listing.fields).any(named)
                };
                goals.sort_by_key(is_name);
            }
            let conditions: Vec<Goal> = listings.iter().flat_map(|listing| conditions(listing)).collect();
            learnt = self.add_as_learnt(first, conditions, goals, &arguments, learnt, root);
        }
        for path in &first.rows {
            frame(root, path);
        }
    }

    /// Whether listings can tell of a pair: some are of one base, or one quote, whatever their answer.
    fn tells(&self, listings: &[&Listing], pair: &Pair) -> bool {
        let other = |(name, field): &(String, Expression)| {
            let symbol = match name.as_str() {
                "base" => pair.base,
                "quote" => pair.quote,
                _ => return false,
            };
            matches!(field, Expression::Text(text) if self.file.symbol(text) != symbol)
        };
        !listings.iter().flat_map(|listing| &listing.fields).any(other)
    }

    /// Pairs that the exchange trades in: those of its own country first.
    fn offered(&self) -> Vec<Pair> {
        let local = terms::local(self.file).map(|currency| self.market.local_pairs(currency));
        local.into_iter().flatten().chain(self.market.pairs(&terms::QUOTES)).collect()
    }

    /// The pair that arguments name.
    pub fn pair(&self, arguments: &[(String, String)]) -> Option<Pair> {
        let is_named = |(name, _): &(String, String)| {
            ["market", "pair", "product", "method", "base"].contains(&name.as_str())
        };
        arguments.iter().any(is_named).then_some(())?;
        let mut offered = self.offered().into_iter().zip(1..);
        offered.find(|offer| self.is_asked(offer, arguments)).map(|(pair, _)| pair)
    }

    /// Whether arguments name this pair, by names or by its number, or none.
    fn is_asked(&self, (pair, number): &(Pair, u32), arguments: &[(String, String)]) -> bool {
        let asked =
            |name: &str| arguments.iter().find(|(known, _)| known == name).map(|(_, text)| text.as_str());
        let plain = |text: &str| text.to_uppercase().replace(['-', '_', '/', ':'], "");
        let name = format!("{}{}", self.file.code(pair.base), self.file.code(pair.quote));
        let about = asked("market").or(asked("pair")).or(asked("product"));
        let is_asset =
            |name: &str, symbol: &str| asked(name).is_none_or(|code| self.file.symbol(code) == symbol);
        // Where one text holds both, nobody can tell where the first ends.
        let both = asked("base")
            .zip(asked("quote"))
            .is_some_and(|(base, quote)| plain(&[base, quote].concat()) == plain(&name));
        let is_name = |about: &str| plain(about) == plain(&name) || about == number.to_string();
        about.is_none_or(is_name)
            && asked("method").is_none_or(is_name)
            && (both || is_asset("base", pair.base) && is_asset("quote", pair.quote))
    }

    /// Those whose rows are not told yet; one answer may be the history of several operations.
    fn histories(
        &self,
        listings: &[(usize, &'v Listing)],
        told: Vec<&'v Listing>,
        ledger: &Ledger,
        root: &mut Json,
    ) {
        let Some(account) = self.account else { return };
        let is_history = |listing: &&Listing| matches!(&listing.purpose, Purpose::Read(operation) if history::TOLD.contains(&operation.as_str()));
        let all: Vec<&Listing> = listings.iter().map(|(_, listing)| *listing).filter(is_history).collect();
        let mut done: Vec<&Vec<Vec<RowStep>>> = told.iter().map(|listing| &listing.rows).collect();
        for listing in &all {
            if !done.contains(&&listing.rows) {
                done.push(&listing.rows);
                let same: Vec<&Listing> =
                    all.iter().filter(|other| other.rows == listing.rows).copied().collect();
                self.history(account, &apart(&same), ledger, root);
            }
        }
    }

    fn history(&self, account: &Account, listings: &[&Listing], ledger: &Ledger, root: &mut Json) {
        let Some(first) = listings.first() else { return };
        let arguments = &self.matched.arguments;
        let asked =
            |name: &str| arguments.iter().find(|(known, _)| known == name).map(|(_, text)| text.clone());
        let mut events: Vec<(Event, usize)> = Vec::new();
        for (at, listing) in listings.iter().enumerate() {
            let Purpose::Read(operation) = &listing.purpose else { continue };
            let moved = ledger.of(&self.file.id, account.name).iter().rev();
            let moved = moved.filter(|moved| history::tells_of(operation, moved)).map(Event::of);
            let told = moved.chain(history::events(self.file, account, operation));
            events.extend(told.map(|event| (event, at)));
        }
        events.sort_by_key(|(event, _)| std::cmp::Reverse(event.at_ms));
        if let Some(asset) = asked("asset") {
            events.retain(|(event, _)| self.file.code(&event.symbol).eq_ignore_ascii_case(&asset));
        }
        let param = |name: &str| self.matched.received.param(name).map(str::to_owned);
        let whole_seconds = |name: &str| {
            let place = format!("{{param.{name}|seconds}}");
            first.params.iter().any(|(_, setting)| setting.write().contains(&place))
        };
        let bound = |name: &str| {
            let said: u64 = asked(name)?.parse().ok()?;
            // A second that is asked for to its end is so with all that happened in it.
            Some(if name == "until" && whole_seconds(name) { said + 999 } else { said })
        };
        let (events, next) = history::page(events, first.page.as_ref(), param, bound);
        let mut learnt: Vec<Option<Vec<bool>>> = vec![None; listings.len()];
        for (event, at) in &events {
            let Some((listing, learnt)) = listings.get(*at).zip(learnt.get_mut(*at)) else { continue };
            let conditions = conditions(listing);
            match &event.moved {
                Some(moved) => {
                    let (goals, known) = (self.moved(listing, moved), moved.known(arguments));
                    self.add(listing, conditions, goals, &known, root);
                }
                None => {
                    let goals = history::goals(self.file, listing, event, asked("market").as_deref());
                    *learnt = self.add_as_learnt(listing, conditions, goals, arguments, learnt.take(), root);
                }
            }
        }
        for path in &first.rows {
            frame(root, path);
        }
        if let (Some(next), Some(Paging::Cursor { next: place, .. })) =
            (next, first.page.as_ref().map(|page| &page.kind))
            && let Some(draft) = solve(&Draft::default(), &[(place, Want::Text(next))], self.scope(&[]))
        {
            let _ = add(root, &[], &draft);
        }
    }

    /// What a history says of something that was moved.
    fn moved<'l>(&self, listing: &'l Listing, moved: &Moved) -> Vec<Goal<'l>> {
        let told = |(name, expression): &'l (String, Expression)| {
            let want = match name.as_str() {
                "type" => Some(Want::Text("withdrawal".to_owned())),
                "direction" => Some(Want::Text("out".to_owned())),
                name => acting::told(self, moved, name),
            };
            Some((expression, want?))
        };
        listing.fields.iter().filter_map(told).collect()
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

/// Of histories that one answer tells, those whose rows can be told apart: each has conditions of its own, and none is
/// of what the others tell. Else the first.
fn apart<'l>(listings: &[&'l Listing]) -> Vec<&'l Listing> {
    let conditional: Vec<&Listing> =
        listings.iter().filter(|listing| !listing.only.is_empty()).copied().collect();
    if conditional.is_empty() { listings.iter().take(1).copied().collect() } else { conditional }
}
