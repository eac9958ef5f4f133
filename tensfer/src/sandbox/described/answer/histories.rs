//! What happened on an account, a page at a time.

use super::super::account::{Account, Holding};
use super::super::acting;
use super::super::document::{add, frame, read};
use super::super::expression::{Expression, RowStep};
use super::super::file::{Listing, Paging, Purpose};
use super::super::history::{self, Event};
use super::super::json::Json;
use super::super::ledger::{Ledger, Moved};
use super::super::rows::{add_balances, conditions};
use super::super::solve::{Draft, Goal, Want, solve};
use super::Visit;

impl<'v> Visit<'v> {
    /// Of rows that tell already what became of something, what happened besides; one answer may be the history of several
    /// operations. A question about one thing is answered with that alone.
    pub(super) fn histories(
        &self,
        listings: &[(usize, &'v Listing)],
        told: Vec<&'v Listing>,
        ledger: &Ledger,
        root: &mut Json,
    ) {
        let Some(account) = self.account else { return };
        let is_history = |listing: &&Listing| matches!(&listing.purpose, Purpose::Read(operation) if history::TOLD.contains(&operation.as_str()));
        let all: Vec<&Listing> = listings.iter().map(|(_, listing)| *listing).filter(is_history).collect();
        let is_about_one =
            self.matched.arguments.iter().any(|(name, _)| name == "id" || name.starts_with("reference"));
        let tells_moved = |listing: &Listing| told.iter().any(|other| other.rows == listing.rows);
        let mut done: Vec<&Vec<Vec<RowStep>>> = Vec::new();
        for listing in all.iter().filter(|listing| !is_about_one || !tells_moved(listing)) {
            if !done.contains(&&listing.rows) {
                done.push(&listing.rows);
                let same: Vec<&Listing> =
                    all.iter().filter(|other| other.rows == listing.rows).copied().collect();
                self.history(
                    account,
                    &apart(&self.tellable(account, &same)),
                    tells_moved(listing),
                    ledger,
                    root,
                );
            }
        }
    }

    /// Those whose conditions a row can meet: some ask for what this request does not name. Where none is left, those
    /// whose rows are of an asset each, whichever the caller means to pick.
    fn tellable<'l>(&self, account: &Account, listings: &[&'l Listing]) -> Vec<&'l Listing> {
        let with = |arguments: &[(String, String)]| -> Vec<&'l Listing> {
            let can_tell = |listing: &&&Listing| {
                solve(&Draft::default(), &conditions(listing), self.scope(arguments)).is_some()
            };
            listings.iter().filter(can_tell).copied().collect()
        };
        let named = with(&self.matched.arguments);
        let Some(holding) = account.holdings.first().filter(|_| named.is_empty()) else { return named };
        with(&self.about(&holding.asset))
    }

    /// What the request names, and the asset that a row is about.
    fn about(&self, symbol: &str) -> Vec<(String, String)> {
        let mut arguments = self.matched.arguments.clone();
        if !arguments.iter().any(|(name, _)| name == "asset") {
            arguments.push(("asset".to_owned(), self.file.code(symbol).to_owned()));
        }
        arguments
    }

    fn history(
        &self,
        account: &Account,
        listings: &[&Listing],
        tells_moved: bool,
        ledger: &Ledger,
        root: &mut Json,
    ) {
        let Some(first) = listings.first() else { return };
        let arguments = &self.matched.arguments;
        let asked =
            |name: &str| arguments.iter().find(|(known, _)| known == name).map(|(_, text)| text.clone());
        let mut events: Vec<(Event, usize)> = Vec::new();
        for (at, listing) in listings.iter().enumerate() {
            let Purpose::Read(operation) = &listing.purpose else { continue };
            let moved = ledger.of(&self.file.id, account.name).iter().rev();
            let is_new = |moved: &&Moved| !tells_moved && history::tells_of(operation, moved);
            let moved = moved.filter(is_new).map(Event::of);
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
        let of_row = self.of_row(account, first);
        if let Some(symbol) = &of_row {
            events.retain(|(event, _)| event.symbol == *symbol);
        }
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
                    let mut goals = history::goals(self.file, listing, event, asked("market").as_deref());
                    goals.extend(self.row_named(listing));
                    let about = self.about(&event.symbol);
                    *learnt = self.add_as_learnt(listing, conditions, goals, &about, learnt.take(), root);
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

    /// The asset of the balance row that the history is asked for, by its common symbol.
    fn of_row(&self, account: &Account, listing: &Listing) -> Option<String> {
        let outer = self.file.listings.get(listing.each?)?;
        let tells_it = |(_, other): &(usize, &Listing)| {
            let is_balance = matches!(other.purpose, Purpose::Balance { default: true, .. });
            is_balance && other.is_same_call(outer) && other.rows == outer.rows
        };
        let (index, source) = self.file.listings.iter().enumerate().find(tells_it)?;
        let held: Vec<&Holding> =
            account.holdings.iter().filter(|holding| holding.listing == index).collect();
        let (mut root, scope) = (Json::Null, self.scope(&[]));
        add_balances(&mut root, &[source], &[outer], &held, scope)?;
        let rows = read(&root, outer, scope).into_iter().zip(read(&root, source, scope));
        let (_, row) = rows.into_iter().find(|(names, _)| self.asks_for(names))?;
        let (_, code) = row.into_iter().find(|(name, _)| name == "asset")?;
        Some(self.file.common(&code).to_owned())
    }

    /// The name of the row that the history is asked for, where its own rows say it again.
    fn row_named<'l>(&self, listing: &'l Listing) -> Option<Goal<'l>> {
        let outer = self.file.listings.get(listing.each?)?;
        let (_, account) = listing.fields.iter().find(|(name, _)| name == "account")?;
        let (name, _) = outer.fields.iter().find(|(_, expression)| expression == account)?;
        let (_, text) = self.matched.arguments.iter().find(|(known, _)| known == name)?;
        Some((account, Want::Text(text.clone())))
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
}

/// Of histories that one answer tells, those whose rows can be told apart: each has conditions of its own, and none is
/// of what the others tell. Else the first.
fn apart<'l>(listings: &[&'l Listing]) -> Vec<&'l Listing> {
    let conditional: Vec<&Listing> =
        listings.iter().filter(|listing| !listing.only.is_empty()).copied().collect();
    if conditional.is_empty() { listings.iter().take(1).copied().collect() } else { conditional }
}

#[cfg(test)]
mod tests {
    use super::super::super::evaluate::Scope;
    use super::super::super::solve::solve_softly;
    use super::super::super::{all, document, find, outer};
    use super::*;

    /// How many of three events a listing's own expressions read again from rows that were made for them.
    fn read_again(file: &super::super::super::file::File, account: &Account, listing: &Listing) -> usize {
        let Purpose::Read(operation) = &listing.purpose else { return 0 };
        let events = history::events(file, account, operation);
        let outer = outer::arguments(file, listing).into_iter().next().unwrap_or_default();
        // Some tell of one asset or one market, which only the request names.
        let asset = file.code(&events[0].symbol).to_owned();
        let named = [("market".to_owned(), "BTCUSDT".to_owned()), ("asset".to_owned(), asset)];
        let arguments = [outer, named.to_vec()].concat();
        let scope = Scope { file, arguments: &arguments };
        let mut root = Json::Null;
        for event in events.iter().filter(|event| event.symbol == events[0].symbol).take(3) {
            let goals = history::goals(file, listing, event, Some("BTCUSDT"));
            if let Some((draft, _)) = solve_softly(conditions(listing), goals, scope) {
                let _ = add(&mut root, &listing.rows[0], &draft);
            }
        }
        document::read(&root, listing, scope).len()
    }

    #[test]
    fn every_history_of_every_exchange_can_be_told() {
        let mut untold = Vec::new();
        for (id, _) in all() {
            let described = find(id).unwrap();
            let account = described.accounts().last().unwrap();
            let is_history = |listing: &&Listing| matches!(&listing.purpose, Purpose::Read(operation) if history::TOLD.contains(&operation.as_str()));
            for listing in described.file.listings.iter().filter(is_history) {
                let has_events = !history::events(&described.file, account, "deposits").is_empty();
                if has_events && read_again(&described.file, account, listing) == 0 {
                    untold.push((id, listing.path.as_str()));
                }
            }
        }
        assert_eq!(untold, []);
    }
}
