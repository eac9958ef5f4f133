//! The symbol and currency dictionaries that recorded operations start from.

use enclave::connector::{Document, Json};

pub struct Dictionary<'d> {
    markets: Json<'d>,
    currencies: Json<'d>,
    /// Markets of recorded calls that the recorded dictionary lacks.
    lacking: &'d [Market],
}

/// A market of the recording client's, by its symbol: the engine's own kind of market behind it.
#[derive(Clone, Debug, Default)]
pub struct Market {
    pub symbol: String,
    pub market: enclave::connector::Market,
    /// What an amount of the base asset is a multiple of, where it is stated as such.
    pub step: String,
    /// The same of a price.
    pub tick: String,
}

impl<'d> Dictionary<'d> {
    pub fn new(markets: &'d Document<'_>, currencies: &'d Document<'_>, lacking: &'d [Market]) -> Self {
        Self { markets: markets.root(), currencies: currencies.root(), lacking }
    }

    /// By symbol, else by the exchange's id; where two markets share an id, derivatives come first.
    pub fn market(&self, name: &str) -> Option<Market> {
        let by_symbol = self.markets.members().find(|(symbol, _)| symbol.is(name)).map(|(_, market)| market);
        let lacking = || self.lacking.iter().find(|market| market.symbol == name).cloned();
        by_symbol.map(read_market).or_else(lacking).or_else(|| self.by_id(name, None))
    }

    /// The market of an id, of that type where it is given.
    pub fn by_id(&self, id: &str, kind: Option<&str>) -> Option<Market> {
        let recorded = self.markets.members().map(|(_, market)| read_market(market));
        let markets = recorded.chain(self.lacking.iter().cloned());
        let mut found: Vec<Market> = markets.filter(|known| known.market.id == id).collect();
        found.sort_by_key(|known| (Some(known.market.kind.as_str()) != kind, known.market.kind == "spot"));
        found.into_iter().next()
    }

    /// The exchange's id of a unified currency code; the code itself where the dictionary has none.
    pub fn currency_id(&self, code: &str) -> String {
        let found = self.currencies.members().find(|(known, _)| known.is(code));
        found.and_then(|(_, currency)| text(currency, "id")).unwrap_or_else(|| code.to_owned())
    }

    /// The unified code of an exchange's currency id.
    pub fn code(&self, id: &str) -> Option<String> {
        let mut currencies = self.currencies.members();
        currencies
            .find(|(_, currency)| text(*currency, "id").as_deref() == Some(id))
            .map(|(code, _)| code.text().into_owned())
    }
}

fn read_market(market: Json<'_>) -> Market {
    let field = |name: &str| text(market, name).unwrap_or_default();
    let precision = |of: &str| {
        let precision = market.member("precision").ok().flatten();
        precision.and_then(|precision| text(precision, of)).unwrap_or_default()
    };
    let known = enclave::connector::Market {
        id: field("id"),
        base: field("baseId"),
        quote: field("quoteId"),
        kind: field("type"),
        sub_type: text(market, "subType").unwrap_or_else(|| sub_type(market).to_owned()),
    };
    Market { symbol: field("symbol"), market: known, step: precision("amount"), tick: precision("price") }
}

/// What the flags of a contract say where nothing else does.
fn sub_type(market: Json<'_>) -> &'static str {
    let is = |flag: &str| text(market, flag).as_deref() == Some("true");
    match (is("linear"), is("inverse")) {
        (true, false) => "linear",
        (false, true) => "inverse",
        _ => "",
    }
}

pub fn text(json: Json<'_>, name: &str) -> Option<String> {
    json.member(name).ok().flatten()?.scalar().map(|text| text.into_owned())
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn a_contract_without_a_sub_type_is_what_its_flags_say_and_lacking_markets_are_known_by_symbol() {
        let markets = r#"{"A/B:B":{"id":"ab","symbol":"A/B:B","type":"swap","linear":true,"inverse":false},
            "A/B:A":{"id":"ba","symbol":"A/B:A","type":"swap","subType":null,"linear":false,"inverse":true},
            "A/B":{"id":"a_b","symbol":"A/B","type":"spot","linear":null,"inverse":null}}"#;
        let (markets, none) = (Document::parse(markets.as_bytes()).unwrap(), Document::parse(b"{}").unwrap());
        let mut lacking = Market { symbol: "A/B:B-C".to_owned(), ..Market::default() };
        lacking.market.id = "ab-c".to_owned();
        let lacking = [lacking];
        let dictionary = Dictionary::new(&markets, &none, &lacking);
        let sub_type = |symbol: &str| dictionary.market(symbol).unwrap().market.sub_type;
        assert_eq!([sub_type("A/B:B"), sub_type("A/B:A"), sub_type("A/B")], ["linear", "inverse", ""]);
        assert_eq!(dictionary.market("A/B:B-C").unwrap().market.id, "ab-c");
        assert_eq!(dictionary.by_id("ab-c", None).unwrap().symbol, "A/B:B-C");
        assert!(dictionary.market("A/C").is_none());
    }
}
