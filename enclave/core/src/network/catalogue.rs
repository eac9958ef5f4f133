//! The networks that are built in.

use super::load::load;
use super::model::Network;
use std::sync::OnceLock;

/// The network files in their embedded form, sorted by id: `(id, JSON)`.
const EMBEDDED: &[(&str, &[u8])] = include!(concat!(env!("OUT_DIR"), "/networks.rs"));

/// All networks, loaded once.
pub fn all() -> &'static [Network] {
    static LOADED: OnceLock<Vec<Network>> = OnceLock::new();
    // INVARIANT: the build loads every file with this same code, so none is refused here.
    LOADED.get_or_init(|| EMBEDDED.iter().filter_map(|(_, bytes)| load(bytes).ok()).collect())
}

pub fn find(id: &str) -> Option<&'static Network> {
    all().iter().find(|network| network.id == id)
}

/// Loads a network that is not built in, for the rest of the process: for tests against chains of one's own.
pub fn load_leaked(bytes: &[u8]) -> Result<&'static Network, String> {
    load(bytes).map(|network| &*Box::leak(Box::new(network)))
}

/// What is embedded, for the digest.
pub fn embedded() -> &'static [(&'static str, &'static [u8])] {
    EMBEDDED
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::connector;
    use crate::network::model::Family;
    use crate::wallet::{bitcoin, evm, solana};

    #[test]
    fn every_network_file_is_loaded_and_no_exchange_has_its_id() {
        assert_eq!(all().len(), EMBEDDED.len());
        for network in all() {
            assert!(connector::find(&network.id).is_none(), "{}", network.id);
            assert!(network.nodes.len() > 1 || network.coin.price.is_none(), "{}: one operator", network.id);
        }
        for id in ["ethereum", "base", "arbitrum", "optimism", "polygon", "bsc", "avalanche"] {
            assert!(matches!(find(id).unwrap().family, Family::Evm(_)), "{id}");
        }
    }

    #[test]
    fn what_a_file_says_of_a_chain_is_what_the_wallets_code_says() {
        for network in all() {
            let chain = network.chain.as_str();
            match network.family {
                Family::Evm(family) => {
                    assert_eq!(chain, evm::chain(family.chain_id));
                    assert_eq!(Some(&network.coin.asset), evm::coin(family.chain_id).as_ref(), "{chain}");
                    for token in &network.tokens {
                        let contract = token.address.parse().unwrap();
                        assert_eq!(token.asset, evm::token(family.chain_id, &contract));
                    }
                }
                Family::Bitcoin => {
                    let known = [bitcoin::Network::Main, bitcoin::Network::Test];
                    assert!(known.iter().any(|known| known.chain() == chain), "{chain}");
                }
                Family::Solana => {
                    use solana::Cluster;
                    assert!([Cluster::Main, Cluster::Dev].iter().any(|known| known.chain() == chain));
                    for token in &network.tokens {
                        assert_eq!(
                            token.address.parse::<solana::Address>().unwrap().to_string(),
                            token.address
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn prices_come_from_an_exchange_that_there_is() {
        for network in all() {
            let named = network.prices.as_deref().map(connector::find);
            assert!(named.is_none_or(|connector| connector.is_some()), "{}", network.id);
            let priced = network.coin.price.is_some() || network.tokens.iter().any(|t| t.price.is_some());
            assert_eq!(priced, network.prices.is_some(), "{}", network.id);
        }
    }
}
