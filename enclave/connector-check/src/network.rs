//! Names of networks: the recording client has its own, each exchange has others, and a chain is what both mean.

use enclave::connector::{Connector, Params, Value};

/// The recording client's names, and the chain (CAIP-2) that each is.
const CHAINS: [(&str, &str); 24] = [
    ("ERC20", "eip155:1"),
    ("ETH", "eip155:1"),
    ("TRC20", "tron:0x2b6653dc"),
    ("TRX", "tron:0x2b6653dc"),
    ("BEP20", "eip155:56"),
    ("BSC", "eip155:56"),
    ("SOL", "solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp"),
    ("MATIC", "eip155:137"),
    ("POLYGON", "eip155:137"),
    ("ARB", "eip155:42161"),
    ("ARBONE", "eip155:42161"),
    ("ARBITRUM", "eip155:42161"),
    ("OP", "eip155:10"),
    ("OPTIMISM", "eip155:10"),
    ("AVAXC", "eip155:43114"),
    ("BASE", "eip155:8453"),
    ("BTC", "bip122:000000000019d6689c085ae165831e93"),
    ("LTC", "bip122:12a765e31ffd4059bada1e25190f6e98"),
    ("DOGE", "bip122:1a91e3dace36e2be3bf030a65679fe82"),
    ("XRP", "xrpl:0"),
    ("XLM", "stellar:pubnet"),
    ("ATOM", "cosmos:cosmoshub-4"),
    ("NEAR", "near:mainnet"),
    ("SUI", "sui:mainnet"),
];

/// The chain of a name: the exchange's own, else the recording client's.
fn chain<'c>(connector: &'c Connector, name: &str) -> Option<&'c str> {
    let own = connector.networks.iter().find(|(known, _)| known == name).map(|(_, chain)| chain.as_str());
    own.or_else(|| CHAINS.iter().find(|(known, _)| *known == name).map(|(_, chain)| *chain))
}

/// Whether two names mean one chain.
pub fn same(connector: &Connector, left: &str, right: &str) -> bool {
    left == right || chain(connector, left).is_some_and(|left| chain(connector, right) == Some(left))
}

/// Puts the exchange's own name in the place of the recording client's in the argument `network`, which some of its
/// methods call `networkCode`.
pub fn translate(connector: &Connector, arguments: &mut Params) {
    if let Some((name, _)) = arguments.iter_mut().find(|(known, _)| known == "network_code") {
        "network".clone_into(name);
    }
    let Some((_, Value::Text(name))) = arguments.iter_mut().find(|(known, _)| known == "network") else {
        return;
    };
    let is_own = connector.networks.iter().any(|(known, _)| known == name);
    let wanted = chain(connector, name).filter(|_| !is_own);
    let own = wanted.and_then(|wanted| connector.networks.iter().find(|(_, chain)| chain == wanted));
    if let Some((own, _)) = own {
        own.clone_into(name);
    }
}
