//! What an asset is called across exchanges: CAIP-19, `iso4217:…` for money of states, or unknown and said to be so.

/// Money of states that exchanges keep (ISO 4217).
const MONEY: [&str; 28] = [
    "AED", "ARS", "AUD", "BRL", "CAD", "CHF", "CLP", "COP", "CZK", "DKK", "EUR", "GBP", "HKD", "IDR", "INR",
    "JPY", "KRW", "MXN", "NGN", "NOK", "NZD", "PLN", "SEK", "SGD", "TRY", "UAH", "USD", "ZAR",
];

/// The native coin of a chain: CAIP-2 chain id and SLIP-44 coin type.
const COINS: [(&str, &str); 14] = [
    ("ADA", "cip34:1-764824073/slip44:1815"),
    ("ATOM", "cosmos:cosmoshub-4/slip44:118"),
    ("AVAX", "eip155:43114/slip44:9005"),
    ("BCH", "bip122:000000000000000000651ef99cb9fcbe/slip44:145"),
    ("BNB", "eip155:56/slip44:714"),
    ("BTC", "bip122:000000000019d6689c085ae165831e93/slip44:0"),
    ("DOGE", "bip122:1a91e3dace36e2be3bf030a65679fe82/slip44:3"),
    ("DOT", "polkadot:91b171bb158e2d3848fa23a9f1c25182/slip44:354"),
    ("ETC", "eip155:61/slip44:61"),
    ("ETH", "eip155:1/slip44:60"),
    ("LTC", "bip122:12a765e31ffd4059bada1e25190f6e98/slip44:2"),
    ("SOL", "solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp/slip44:501"),
    ("XLM", "stellar:pubnet/slip44:148"),
    ("XRP", "xrpl:0/slip44:144"),
];

/// Tokens, by the contract that their issuer names first: what an exchange keeps may lie on any chain.
const TOKENS: [(&str, &str); 4] = [
    ("DAI", "eip155:1/erc20:0x6b175474e89094c44da98b954eedeac495271d0f"),
    ("LINK", "eip155:1/erc20:0x514910771af9ca656af840dff83e8264ecf986ca"),
    ("USDC", "eip155:1/erc20:0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48"),
    ("USDT", "eip155:1/erc20:0xdac17f958d2ee523a2206206994597c13d831ec7"),
];

/// The id of an asset by its unified code; the exchange's own code where nothing is known of it.
pub(crate) fn identify(exchange: &str, code: &str, symbol: &str) -> String {
    if MONEY.contains(&code) {
        return format!("iso4217:{code}");
    }
    let known = COINS.iter().chain(&TOKENS).find(|(known, _)| *known == code);
    match known {
        Some((_, id)) => (*id).to_owned(),
        None => format!("unknown:{exchange}/{symbol}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn m35_what_nobody_knows_is_unknown_under_the_exchanges_own_name() {
        assert_eq!(identify("kraken", "EUR", "ZEUR"), "iso4217:EUR");
        assert_eq!(identify("kraken", "BTC", "XXBT"), "bip122:000000000019d6689c085ae165831e93/slip44:0");
        assert_eq!(identify("kraken", "NEW1", "NEW1.x"), "unknown:kraken/NEW1.x");
    }
}
