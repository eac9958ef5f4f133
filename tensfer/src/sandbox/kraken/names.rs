//! Kraken's own asset names: the old ones carry an X (crypto) or a Z (fiat).

const NAMES: &[(&str, &str, &str)] = &[
    ("BTC", "XXBT", "XBT"),
    ("DOGE", "XXDG", "XDG"),
    ("ETH", "XETH", "ETH"),
    ("LTC", "XLTC", "LTC"),
    ("XRP", "XXRP", "XRP"),
    ("EUR", "ZEUR", "EUR"),
    ("USD", "ZUSD", "USD"),
];

/// `XXBT` for BTC; new assets go by their common symbol.
pub fn id(symbol: &str) -> &str {
    NAMES.iter().find(|(common, ..)| *common == symbol).map_or(symbol, |(_, id, _)| id)
}

/// `XBT` for BTC: what pair names and earn variants are made of.
pub fn short(symbol: &str) -> &str {
    NAMES.iter().find(|(common, ..)| *common == symbol).map_or(symbol, |(.., short)| short)
}

/// `XXBTZUSD` when both names are old, `SOLUSD` otherwise.
pub fn pair_id(base: &str, quote: &str) -> String {
    let old = |symbol| id(symbol) != symbol;
    if old(base) && old(quote) {
        id(base).to_owned() + id(quote)
    } else {
        short(base).to_owned() + short(quote)
    }
}
