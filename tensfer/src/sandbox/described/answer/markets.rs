//! Public prices: markets and tickers, and the pairs that a request is about.

use super::super::super::market::Pair;
use super::super::document::frame;
use super::super::expression::{Expression, RowStep};
use super::super::file::{Listing, Purpose};
use super::super::json::Json;
use super::super::rows::conditions;
use super::super::solve::{Goal, Want};
use super::super::{outer, terms};
use super::Visit;

impl Visit<'_> {
    /// Public prices: markets and tickers, told in the same rows where several listings read them.
    pub(super) fn markets(&self, listings: &[(usize, &Listing)], root: &mut Json) {
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
            let name = if self.file.numbers_markets { number.clone() } else { self.name_of(&pair) };
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

    /// A market's name: the codes of both assets, or their symbols where an exchange's codes are ids.
    fn name_of(&self, pair: &Pair) -> String {
        const LONGEST_CODE: usize = 16;
        let codes = [self.file.code(pair.base), self.file.code(pair.quote)];
        let are_ids = codes.iter().any(|code| code.len() > LONGEST_CODE);
        if are_ids { [pair.base, pair.quote].concat() } else { codes.concat() }
    }

    /// Whether arguments name this pair, by names or by its number, or none.
    fn is_asked(&self, (pair, number): &(Pair, u32), arguments: &[(String, String)]) -> bool {
        let asked =
            |name: &str| arguments.iter().find(|(known, _)| known == name).map(|(_, text)| text.as_str());
        let plain = |text: &str| text.to_uppercase().replace(['-', '_', '/', ':'], "");
        let name = self.name_of(pair);
        let about = asked("market").or(asked("pair")).or(asked("product"));
        let is_asset =
            |name: &str, symbol: &str| asked(name).is_none_or(|code| self.file.symbol(code) == symbol);
        // Where one text holds both, nobody can tell where the first ends.
        let codes = [self.file.code(pair.base), self.file.code(pair.quote)].concat();
        let both = asked("base")
            .zip(asked("quote"))
            .is_some_and(|(base, quote)| plain(&[base, quote].concat()) == plain(&codes));
        let is_name = |about: &str| plain(about) == plain(&name) || about == number.to_string();
        about.is_none_or(is_name)
            && asked("method").is_none_or(is_name)
            && (both || is_asset("base", pair.base) && is_asset("quote", pair.quote))
    }
}
