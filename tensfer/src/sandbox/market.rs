//! Prices that never move. Every pair's price follows from two prices in USD.

use super::amount::Amount;
use super::seed::Holding;

/// USD for one unit, at 2026-01-01; made up, and constant so that every valuation is the same on every run.
const PRICES: &[(&str, &str)] = &[
    ("BTC", "64250.5"),
    ("ETH", "3210.75"),
    ("SOL", "152.34"),
    ("ADA", "0.4521"),
    ("ATOM", "8.12"),
    ("BNB", "590.2"),
    ("DOGE", "0.1234"),
    ("DOT", "6.21"),
    ("EUR", "1.085"),
    ("KCS", "9.87"),
    ("LTC", "81.4"),
    ("MNT", "0.65"),
    ("OKB", "41.5"),
    ("USD", "1"),
    ("USDC", "1"),
    ("USDT", "0.9998"),
    ("XRP", "0.5234"),
];

/// The same of currencies in which some exchanges trade and no others do.
const LOCAL: &[(&str, &str)] = &[("BRL", "0.18"), ("IDR", "0.0000625"), ("ILS", "0.27"), ("JPY", "0.0064")];

/// The currencies that count as quotes when they stand second, strongest last: `BTC/EUR` exists, `EUR/BTC` does not.
const RANK: &[&str] = &["BTC", "EUR", "USDC", "USDT", "USD"];

/// Public prices of one sandbox.
#[derive(Debug)]
pub struct Market {
    prices: Vec<(&'static str, Amount)>,
    local: Vec<(&'static str, Amount)>,
}

/// A pair on offer, with the numbers of a ticker as decimal strings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pair {
    pub base: &'static str,
    pub quote: &'static str,
    pub last: String,
    pub bid: String,
    pub ask: String,
    pub open: String,
    pub high: String,
    pub low: String,
    /// One unit of the last place of `last`.
    pub tick: String,
    /// Places after the point in `last`.
    pub places: u32,
}

impl Market {
    /// # Errors
    /// When the table is broken; a test holds that it is not.
    pub fn new() -> anyhow::Result<Self> {
        let parsed = |table: &[(&'static str, &str)]| {
            let price = |(symbol, price): &(&'static str, &str)| {
                Ok((*symbol, price.parse::<Amount>().map_err(anyhow::Error::msg)?))
            };
            table.iter().map(price).collect::<anyhow::Result<_>>()
        };
        Ok(Self { prices: parsed(PRICES)?, local: parsed(LOCAL)? })
    }

    /// The assets that have a price.
    pub fn symbols(&self) -> impl Iterator<Item = &'static str> {
        self.prices.iter().map(|(symbol, _)| *symbol)
    }

    /// USD for one unit; `None` for an asset that nobody knows.
    pub fn price(&self, symbol: &str) -> Option<Amount> {
        let prices = self.prices.iter().chain(&self.local);
        prices.into_iter().find(|(known, _)| *known == symbol).map(|(_, price)| *price)
    }

    /// What an amount is worth in USD; `None` for an asset that nobody knows.
    pub fn value(&self, symbol: &str, amount: &str) -> Option<Amount> {
        Some(amount.parse::<Amount>().ok()?.times(self.price(symbol)?).rounded(8))
    }

    /// What holdings are worth together in USD, as exchanges sum it up: unknown assets count nothing.
    pub fn worth<'a>(&self, holdings: impl Iterator<Item = (&'a str, &'a Holding)>) -> Amount {
        let values = holdings.filter_map(|(symbol, holding)| self.value(symbol, &holding.total));
        values.fold(Amount::ZERO, Amount::plus)
    }

    /// Every pair that an exchange with these quote currencies offers.
    pub fn pairs(&self, quotes: &[&'static str]) -> Vec<Pair> {
        let bases = || self.symbols().filter(|symbol| *symbol != "USD" || quotes.contains(&"USD"));
        let all = quotes.iter().flat_map(|quote| bases().map(move |base| (base, *quote)));
        all.filter(|(base, quote)| rank(base) < rank(quote))
            .filter_map(|(base, quote)| self.pair(base, quote))
            .collect()
    }

    /// Everything that has a price everywhere, in one of the currencies in which only some exchanges trade.
    pub fn local_pairs(&self, currency: &str) -> Vec<Pair> {
        let quote = self.local.iter().map(|(symbol, _)| *symbol).find(|symbol| *symbol == currency);
        let pairs =
            quote.into_iter().flat_map(|quote| self.symbols().filter_map(move |base| self.pair(base, quote)));
        pairs.collect()
    }

    fn pair(&self, base: &'static str, quote: &'static str) -> Option<Pair> {
        let exact = self.price(base)?.over(self.price(quote)?);
        let places = if exact >= Amount::scaled(10, 0) { 2 } else { 8 };
        let last = exact.rounded(places);
        let percent = |hundredths: i128| last.times(Amount::scaled(hundredths, 2)).rounded(places);
        let tick = Amount::scaled(1, places);
        Some(Pair {
            base,
            quote,
            last: last.to_string(),
            bid: last.to_string(),
            ask: last.plus(tick).to_string(),
            open: percent(99).to_string(),
            high: percent(102).to_string(),
            low: percent(98).to_string(),
            tick: tick.to_string(),
            places,
        })
    }
}

/// Quotes rank above everything else.
fn rank(symbol: &str) -> usize {
    RANK.iter().position(|quote| *quote == symbol).map_or(0, |at| at + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prices_are_constant_and_pairs_follow_from_them() {
        let market = Market::new().unwrap();
        let pairs = market.pairs(&["USD", "EUR", "BTC"]);
        let last = |base, quote| {
            pairs.iter().find(|pair| (pair.base, pair.quote) == (base, quote)).map(|pair| pair.last.as_str())
        };
        assert_eq!(last("BTC", "USD"), Some("64250.5"));
        assert_eq!(last("BTC", "EUR"), Some("59217.05"));
        assert_eq!(last("ETH", "BTC"), Some("0.04997237"));
        assert_eq!(last("EUR", "USD"), Some("1.085"));
        assert_eq!(last("EUR", "BTC"), None);
    }

    #[test]
    fn money_of_one_country_has_a_price_and_pairs_only_where_it_is_asked_for() {
        let market = Market::new().unwrap();
        let yen = market.local_pairs("JPY");
        assert!(yen.iter().any(|pair| (pair.base, pair.last.as_str()) == ("BTC", "10039140.62")));
        assert!(market.local_pairs("BTC").is_empty() && market.symbols().all(|symbol| symbol != "JPY"));
        assert_eq!(market.value("JPY", "1000").map(|value| value.to_string()).as_deref(), Some("6.4"));
    }

    #[test]
    fn an_unknown_asset_has_no_value_and_no_pair() {
        let market = Market::new().unwrap();
        assert_eq!(market.value("NOBODY", "1"), None);
        assert_eq!(market.value("BTC", "0.5").map(|value| value.to_string()).as_deref(), Some("32125.25"));
        assert!(market.pairs(&["USDT"]).iter().all(|pair| pair.base != "NOBODY" && pair.base != "USD"));
    }
}
