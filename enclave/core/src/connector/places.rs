//! The listings of a connector by name, for whoever goes through all of them.

use super::expression::{Expression, Path};
use super::model::{Connector, Listing, Steps};

/// Every listing, by its place: `time`, `balances/SOURCE`, `prices/markets`, `prices/tickers`, `capabilities/stated`,
/// `capabilities/inferred`, `reads/OPERATION`, and `PLACE/each` for the listing that another is called for each row of.
/// Where a place occurs again, `#2`, `#3`, … tell which one in the order of the file.
pub fn listings(connector: &Connector) -> Vec<(String, &Listing)> {
    let mut places = Places(Vec::new());
    for listing in connector.time.iter() {
        places.add("time", listing);
    }
    for source in &connector.balances {
        places.add(&format!("balances/{}", source.name), &source.listing);
    }
    if let Some(prices) = &connector.prices {
        for listing in prices.markets.iter() {
            places.add("prices/markets", listing);
        }
        for listing in &prices.tickers {
            places.add("prices/tickers", listing);
        }
    }
    for probe in &connector.capabilities {
        places
            .add(if probe.stated { "capabilities/stated" } else { "capabilities/inferred" }, &probe.listing);
    }
    for markets in &connector.markets {
        places.add("markets", &markets.listing);
    }
    for read in &connector.reads {
        places.add(&format!("reads/{}", read.operation), &read.listing);
    }
    for terms in &connector.terms {
        places.add(&format!("terms/{}", terms.kind.name()), &terms.listing);
    }
    for action in &connector.actions {
        places.add(&format!("actions/{}", action.operation.name()), &action.listing);
    }
    for lookup in &connector.lookups {
        places.add(&format!("status/{}", lookup.kind.name()), &lookup.listing);
    }
    if let Some(keys) = &connector.api_keys {
        for (name, listing) in [("list", keys.list.as_ref()), ("create", keys.create.as_ref())] {
            listing.into_iter().for_each(|listing| places.add(&format!("api_keys/{name}"), listing));
        }
        places.add("api_keys/delete", &keys.delete);
    }
    places.0
}

struct Places<'c>(Vec<(String, &'c Listing)>);

impl<'c> Places<'c> {
    fn add(&mut self, place: &str, listing: &'c Listing) {
        let again = |count: usize| if count == 1 { place.to_owned() } else { format!("{place}#{count}") };
        let is_taken = |name: &String| self.0.iter().any(|(known, _)| known == name);
        let name = (1..).map(again).find(|name| !is_taken(name)).unwrap_or_default();
        if let Some(each) = &listing.each {
            self.add(&format!("{name}/each"), each);
        }
        self.0.push((name, listing));
    }
}

impl Listing {
    /// Names of the fields that an answer decides on: none where all are constants of the one row that any answer is.
    pub fn mapped(&self) -> Vec<&str> {
        let reads = |expression: &Expression| expression.any(&mut is_of_answer);
        let is_constant = self.rows.iter().all(|path| path.0.is_empty())
            && self.only.is_empty()
            && !self.fields.iter().any(|(_, expression)| reads(expression));
        let names = self.fields.iter().map(|(name, _)| name.as_str());
        if is_constant { Vec::new() } else { names.collect() }
    }

    /// Whether both read a field out of the answers of one endpoint in the same way.
    pub fn maps_like(&self, other: &Self, field: &str) -> bool {
        self.asks_like(other)
            && (&self.rows, &self.only) == (&other.rows, &other.only)
            && self.field(field).is_some_and(|own| other.field(field) == Some(own))
    }

    /// Whether both find the next page's cursor at the same place in the answers of one endpoint.
    pub fn pages_like(&self, other: &Self) -> bool {
        self.asks_like(other) && self.cursor().is_some_and(|own| other.cursor() == Some(own))
    }

    /// Where the next page's cursor stands in an answer.
    pub fn cursor(&self) -> Option<&Path> {
        match &self.page.as_ref()?.steps {
            Steps::Cursor { next, .. } => Some(next),
            _ => None,
        }
    }

    fn asks_like(&self, other: &Self) -> bool {
        let (own, others) = (&self.call, &other.call);
        (own.method, &own.section, &own.path) == (others.method, &others.section, &others.path)
    }
}

fn is_of_answer(part: &Expression) -> bool {
    matches!(part, Expression::Path(_) | Expression::Key | Expression::Row)
}
