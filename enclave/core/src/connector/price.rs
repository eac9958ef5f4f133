//! An exchange's public prices as a graph, and the value of one asset in another.

use std::collections::HashMap;

use wire::Decimal;
use wire::decimal::Rounding;

/// Prices of one exchange, by unified asset codes. Independent of any owner: one table serves all of them.
#[derive(Clone, Debug, Default)]
pub struct PriceTable {
    /// Price of one unit of the first in units of the second.
    pairs: HashMap<String, HashMap<String, Decimal>>,
}

/// Assets through which a price may be found where there is no direct market, in order of preference.
const BRIDGES: [&str; 6] = ["USD", "USDT", "USDC", "EUR", "BTC", "ETH"];

/// Prices are given to this many digits behind the point; ties go to the even digit.
pub const PRICE_SCALE: u8 = 18;
pub const PRICE_ROUNDING: Rounding = Rounding::HalfEven;

impl PriceTable {
    /// Adds a market. A price that is not above zero is no price.
    pub fn insert(&mut self, base: &str, quote: &str, price: Decimal) {
        if price > Decimal::ZERO && base != quote {
            self.pairs.entry(base.to_owned()).or_default().entry(quote.to_owned()).or_insert(price);
        }
    }

    pub fn len(&self) -> usize {
        self.pairs.values().map(HashMap::len).sum()
    }

    pub fn is_empty(&self) -> bool {
        self.pairs.is_empty()
    }

    /// The price of one `asset` in `currency`: 1 for itself, by their market, its inverse, or over at most two
    /// bridges. Nothing where there is no such way: unpriced is not zero.
    pub fn value(&self, asset: &str, currency: &str) -> Option<Decimal> {
        if asset == currency {
            return Some(Decimal::ONE);
        }
        if let Some(price) = self.market(asset, currency) {
            return Some(price);
        }
        let over_one = BRIDGES
            .iter()
            .find_map(|bridge| product(self.market(asset, bridge)?, self.market(bridge, currency)?));
        over_one.or_else(|| {
            BRIDGES.iter().find_map(|first| {
                let start = self.market(asset, first)?;
                BRIDGES.iter().find_map(|second| {
                    let middle = self.market(first, second)?;
                    product(product(start, middle)?, self.market(second, currency)?)
                })
            })
        })
    }

    /// The market of the two, or its inverse.
    fn market(&self, base: &str, quote: &str) -> Option<Decimal> {
        if base == quote {
            return None;
        }
        let direct = |base: &str, quote: &str| self.pairs.get(base)?.get(quote).copied();
        direct(base, quote).or_else(|| {
            let inverse =
                Decimal::ONE.checked_div_to(direct(quote, base)?, PRICE_SCALE, PRICE_ROUNDING).ok()?;
            (!inverse.is_zero()).then_some(inverse)
        })
    }
}

/// A product at the scale of prices; nothing where it rounds to zero or does not fit.
fn product(left: Decimal, right: Decimal) -> Option<Decimal> {
    let product = left.checked_mul_to(right, PRICE_SCALE, PRICE_ROUNDING).ok()?;
    (!product.is_zero()).then_some(product)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;

    fn table(markets: &[(&str, &str, &str)]) -> PriceTable {
        let mut table = PriceTable::default();
        for (base, quote, price) in markets {
            table.insert(base, quote, price.parse().unwrap());
        }
        table
    }

    fn value(table: &PriceTable, asset: &str, currency: &str) -> Option<String> {
        table.value(asset, currency).map(|price| price.to_string())
    }

    #[test]
    fn a_price_is_direct_inverse_or_over_at_most_two_bridges() {
        let table = table(&[
            ("BTC", "USDT", "50000"),
            ("EUR", "USDT", "1.25"),
            ("DOGE", "BTC", "0.000002"),
            ("USDT", "JPY", "150"),
        ]);
        assert_eq!(value(&table, "BTC", "BTC").unwrap(), "1");
        assert_eq!(value(&table, "BTC", "USDT").unwrap(), "50000");
        assert_eq!(value(&table, "USDT", "EUR").unwrap(), "0.8");
        assert_eq!(value(&table, "BTC", "EUR").unwrap(), "40000");
        assert_eq!(value(&table, "DOGE", "EUR").unwrap(), "0.08");
        assert_eq!(value(&table, "DOGE", "JPY").unwrap(), "15");
    }

    #[test]
    fn what_has_no_market_is_unpriced_and_never_zero() {
        let table = table(&[("BTC", "USDT", "50000"), ("DEAD", "USDT", "0"), ("NEG", "USDT", "-1")]);
        assert_eq!(value(&table, "NOBODY", "USDT"), None);
        assert_eq!(value(&table, "DEAD", "USDT"), None);
        assert_eq!(value(&table, "NEG", "USDT"), None);
        assert_eq!(value(&table, "BTC", "EUR"), None);
    }
}
