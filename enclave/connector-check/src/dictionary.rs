//! The symbol and currency dictionaries that recorded operations start from.

use enclave::connector::{Document, Json};

pub struct Dictionary<'d> {
    markets: Json<'d>,
    currencies: Json<'d>,
}

/// A market as an operation names it.
#[derive(Clone, Debug, Default)]
pub struct Market {
    pub symbol: String,
    pub id: String,
    pub kind: String,
    pub sub_type: String,
    pub base_id: String,
    pub quote_id: String,
}

impl<'d> Dictionary<'d> {
    pub fn new(markets: &'d Document<'_>, currencies: &'d Document<'_>) -> Self {
        Self { markets: markets.root(), currencies: currencies.root() }
    }

    /// By symbol, else by the exchange's id; where two markets share an id, derivatives come first.
    pub fn market(&self, name: &str) -> Option<Market> {
        let by_symbol = self.markets.members().find(|(symbol, _)| symbol.is(name)).map(|(_, market)| market);
        by_symbol.map(read_market).or_else(|| self.by_id(name, None))
    }

    /// The market of an id, of that type where it is given.
    pub fn by_id(&self, id: &str, kind: Option<&str>) -> Option<Market> {
        let markets = self.markets.members().map(|(_, market)| read_market(market));
        let mut found: Vec<Market> = markets.filter(|market| market.id == id).collect();
        found.sort_by_key(|market| (Some(market.kind.as_str()) != kind, market.kind == "spot"));
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
    Market {
        symbol: field("symbol"),
        id: field("id"),
        kind: field("type"),
        sub_type: field("subType"),
        base_id: field("baseId"),
        quote_id: field("quoteId"),
    }
}

pub fn text(json: Json<'_>, name: &str) -> Option<String> {
    json.member(name).ok().flatten()?.scalar().map(|text| text.into_owned())
}
