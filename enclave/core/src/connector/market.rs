//! The market dictionary: what an exchange's own listing says of the market that an operation names.
//!
//! A route may depend on what kind of market it is, and the amounts of a trade are of its base and quote. The listing is
//! asked at most once in a run, before the route is chosen; of its rows the ones of the named market are kept. It decides
//! which of the connector's own calls is made and what its parameters are, and nothing else: whoever answers wrongly gets
//! a wrong question.

use super::model::{Connector, Glob, MarketsCall, Read};
use super::outcome::{Operation, Record};
use super::result::applies;
use super::value::{self, Params, Value};

/// What a route may choose by that follows from the market.
const LEARNT: [&str; 5] = ["market_type", "sub_type", "base", "quote", "base_code"];
/// Codes of assets and types of markets are short.
const MAX_TEXT: usize = 64;

/// A market as operations name it: its name at the exchange, and the exchange's codes of what is traded for what.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Market {
    pub id: String,
    pub base: String,
    pub quote: String,
    /// `spot`, `swap`, `future`, `option`.
    pub kind: String,
    /// `linear` or `inverse`, of contracts.
    pub sub_type: String,
}

impl Market {
    /// From a row of `markets`; nothing where a text is none that a market has.
    fn of(row: &Record) -> Option<Self> {
        let field = |name| {
            let text = row.field(name).unwrap_or_default();
            let plain = text.len() <= MAX_TEXT && text.bytes().all(|byte| byte.is_ascii_graphic());
            plain.then(|| text.to_owned())
        };
        Some(Self {
            id: field("market")?,
            base: field("base")?,
            quote: field("quote")?,
            kind: field("market_type")?,
            sub_type: field("sub_type")?,
        })
    }

    /// What routes and parameters name of it; `base_code` is the code that people know the base by.
    pub fn arguments(&self, base_code: &str) -> Params {
        let texts = [self.kind.as_str(), &self.sub_type, &self.base, &self.quote, base_code];
        let named = LEARNT.iter().zip(texts).filter(|(_, text)| !text.is_empty());
        named.map(|(name, text)| ((*name).to_owned(), Value::Text(text.to_owned()))).collect()
    }

    /// Whether it is what the arguments say already.
    fn is_meant(&self, arguments: &Params) -> bool {
        let agrees = |name, own: &str| {
            value::find(arguments, name).is_none_or(|said| own.is_empty() || said.text() == own)
        };
        agrees("market_type", &self.kind) && agrees("sub_type", &self.sub_type)
    }
}

/// What the market's name alone tells: arguments that the ones which are given do not have.
pub fn named(connector: &Connector, arguments: &Params) -> Params {
    let name = value::find(arguments, "market").map(Value::text);
    let is_like = |(pattern, _): &&(Glob, Params)| name.is_some_and(|name| pattern.matches(name));
    let told = connector.market_names.iter().find(is_like).map(|(_, told)| told.as_slice());
    with(arguments, told.unwrap_or_default())
}

fn with(arguments: &Params, further: &[(String, Value)]) -> Params {
    let mut all = arguments.clone();
    let is_new = |(name, _): &&(String, Value)| value::find(arguments, name).is_none();
    all.extend(further.iter().filter(is_new).cloned());
    all
}

/// The listings that are asked before a route of this operation is chosen: those that may tell of the market that the
/// arguments name, where something depends on it.
pub fn lookups<'c>(connector: &'c Connector, operation: &Operation) -> Vec<&'c MarketsCall> {
    let Operation::Read { operation, arguments, .. } = operation else { return Vec::new() };
    let arguments = &named(connector, arguments);
    let depends = operation == "my_trades" || reads_of(connector, operation).any(depends_on_market);
    let is_named = value::find(arguments, "market").is_some();
    let calls = connector.markets.iter().filter(|call| applies(&call.when, arguments));
    calls.filter(|_| depends && is_named).collect()
}

/// Keeps of the rows the ones of the market that is asked about.
pub fn keep(found: &mut Vec<Market>, rows: &[Record], arguments: &Params) {
    let wanted = value::find(arguments, "market").map(Value::text);
    let markets = rows.iter().filter(|row| row.field("market") == wanted).filter_map(Market::of);
    found.extend(markets);
}

/// The market that the arguments mean: the first in the order of the file, where several have one name.
fn meant<'m>(found: &'m [Market], arguments: &Params) -> Option<&'m Market> {
    found.iter().find(|market| market.is_meant(arguments))
}

/// Arguments with what is known of their market beside what they say themselves: by its name, by the dictionary, and, of
/// base and quote, by the quote currencies that the connector splits names by.
pub fn completed(connector: &Connector, found: &[Market], arguments: &Params) -> Params {
    let arguments = named(connector, arguments);
    let split = || {
        let (base, quote) = connector.split(value::find(&arguments, "market")?.text())?;
        Some(Market { base: base.to_owned(), quote: quote.to_owned(), ..Market::default() })
    };
    let market = meant(found, &arguments).cloned().or_else(split).unwrap_or_default();
    with(&arguments, &market.arguments(connector.asset(&market.base).0))
}

/// Says of trades what is traded for what, where the rows do not: by the dictionary, else by the quote currencies that
/// the connector splits names by.
pub fn name_amounts(connector: &Connector, found: &[Market], arguments: &Params, rows: &mut [Record]) {
    let market = meant(found, &named(connector, arguments));
    for row in rows {
        let Some(id) = row.field("market").filter(|_| row.field("base").is_none()) else { continue };
        let known = market.filter(|market| market.id == id && !market.base.is_empty());
        let pair = match known {
            Some(market) => Some((market.base.clone(), market.quote.clone())),
            None => connector.split(id).map(|(base, quote)| (base.to_owned(), quote.to_owned())),
        };
        if let Some((base, quote)) = pair {
            row.0.push(("base", base));
            row.0.extend((!quote.is_empty()).then_some(("quote", quote)));
        }
    }
}

fn reads_of<'c>(connector: &'c Connector, operation: &str) -> impl Iterator<Item = &'c Read> {
    connector.reads.iter().filter(move |read| read.operation == operation)
}

fn depends_on_market(read: &Read) -> bool {
    let chosen = read.when.iter().map(|(name, _)| name.as_str()).any(|name| LEARNT.contains(&name));
    chosen || read.listing.arguments().iter().any(|name| LEARNT.contains(&name.as_str()))
}

impl Connector {
    /// Base and quote of a market by its name alone: the longest of the quote currencies that end it.
    pub fn split<'p>(&'p self, market: &'p str) -> Option<(&'p str, &'p str)> {
        let quotes = &self.prices.as_ref()?.quotes;
        let base = |quote: &'p String| market.strip_suffix(quote.as_str()).filter(|base| !base.is_empty());
        quotes.iter().find_map(|quote| Some((base(quote)?.trim_end_matches(['-', '_', '/']), quote.as_str())))
    }

    /// What an account type, by our name, means to the routes.
    pub fn account(&self, name: &str) -> Option<&Params> {
        self.accounts.iter().find(|(known, _)| known == name).map(|(_, arguments)| arguments)
    }

    /// The account types that have a history of their own for this operation: a route depends on what they mean.
    pub fn accounts_of<'c>(&'c self, operation: &'c str) -> impl Iterator<Item = &'c str> {
        let depends = move |name: &str| {
            reads_of(self, operation).any(|read| {
                read.when.iter().any(|(known, _)| known == name)
                    || read.listing.arguments().iter().any(|known| known == name)
            })
        };
        let own = move |arguments: &Params| arguments.iter().any(|(name, _)| depends(name));
        self.accounts.iter().filter(move |(_, arguments)| own(arguments)).map(|(name, _)| name.as_str())
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;

    fn row(fields: &[(&'static str, &str)]) -> Record {
        Record(fields.iter().map(|(name, text)| (*name, (*text).to_owned())).collect())
    }

    fn arguments(pairs: &[(&str, &str)]) -> Params {
        pairs.iter().map(|(name, text)| ((*name).to_owned(), Value::Text((*text).to_owned()))).collect()
    }

    #[test]
    fn of_markets_with_one_name_the_first_is_meant_unless_the_arguments_say_another() {
        let rows = [
            row(&[("market", "BTCUSDT"), ("base", "BTC"), ("quote", "USDT"), ("market_type", "spot")]),
            row(&[("market", "BTCUSDT"), ("market_type", "swap"), ("sub_type", "linear")]),
            row(&[("market", "ETHUSDT"), ("market_type", "spot")]),
        ];
        let mut found = Vec::new();
        keep(&mut found, &rows, &arguments(&[("market", "BTCUSDT")]));
        assert_eq!(found.len(), 2);
        let kind = |said: &[(&str, &str)]| meant(&found, &arguments(said)).map(|market| market.kind.as_str());
        assert_eq!(kind(&[]), Some("spot"));
        assert_eq!(kind(&[("market_type", "swap")]), Some("swap"));
        assert_eq!(kind(&[("market_type", "option")]), None);
    }

    #[test]
    fn a_row_with_texts_that_no_market_has_is_none() {
        let of = |base: &str| Market::of(&row(&[("market", "X"), ("base", base)]));
        assert_eq!(of("BTC").unwrap().base, "BTC");
        assert!(of("B C").is_none() && of("B\u{2028}C").is_none() && of(&"B".repeat(65)).is_none());
    }
}
