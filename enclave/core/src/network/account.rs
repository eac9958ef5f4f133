//! What an owner links of a chain: whose coins are read.

use super::bitcoin::Scripts;
use super::model::{Family, Network};
use crate::wallet::key::{Credential, KeptKey, Mnemonic, Underivable};
use crate::wallet::{bitcoin, evm, solana};
use std::fmt;

/// Whose coins are read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Account {
    Evm(evm::Address),
    Bitcoin(Scripts),
    Solana(solana::Address),
}

/// Why what was given is no account of this network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccountError {
    /// Not the fields of one kind of wallet.
    Malformed,
    /// No address of this chain, nor anything else that it can be watched by.
    Address,
    /// A private key or a phrase where only what is public belongs. Its owner should be told so.
    Private,
    /// An address that belongs to a script, a program or a contract, and not to one key that could sign a text.
    Keyless,
}

impl Account {
    /// Reads the credential of a wallet: what is watched, or what belongs to the key that it keeps.
    pub fn from_json(network: &Network, json: &[u8]) -> Result<Account, AccountError> {
        match Credential::from_json(json).map_err(|_| AccountError::Malformed)? {
            Credential::Watched(text) | Credential::Proven(text) => Account::watched(network, &text),
            Credential::Kept(key) => Account::of(network, &key).map_err(|_| AccountError::Malformed),
        }
    }

    /// What of a chain belongs to a key.
    pub fn of(network: &Network, key: &KeptKey) -> Result<Account, Underivable> {
        match network.family {
            Family::Evm(_) => {
                let key = key.evm()?.signing_key().public_key();
                Ok(Account::Evm(evm::Address::of(&key)))
            }
            Family::Bitcoin => {
                let chain = bitcoin_network(network).ok_or(Underivable)?;
                let descriptor = key.bitcoin(chain)?.descriptor();
                Scripts::parse(&descriptor, chain).map(Account::Bitcoin).map_err(|_| Underivable)
            }
            Family::Solana => Ok(Account::Solana(solana::Address(key.solana()?.public_key()?))),
        }
    }

    /// An address whose key could sign a text, in its chain's canonical writing.
    pub(super) fn provable(network: &Network, text: &str) -> Result<String, AccountError> {
        let (address, has_key) = match Account::watched(network, text)? {
            Account::Evm(address) => (address.to_string(), true),
            Account::Solana(address) => (address.to_string(), address.is_on_curve()),
            Account::Bitcoin(scripts) => {
                let address = scripts.address().ok_or(AccountError::Address)?;
                (address.to_string(), bitcoin::is_provable(&address.destination))
            }
        };
        if has_key { Ok(address) } else { Err(AccountError::Keyless) }
    }

    fn watched(network: &Network, text: &str) -> Result<Account, AccountError> {
        if is_private(text) {
            return Err(AccountError::Private);
        }
        match network.family {
            Family::Evm(_) => text.parse().map(Account::Evm).map_err(|_| AccountError::Address),
            Family::Solana => text.parse().map(Account::Solana).map_err(|_| AccountError::Address),
            Family::Bitcoin => {
                let chain = bitcoin_network(network).ok_or(AccountError::Address)?;
                Scripts::parse(text, chain).map(Account::Bitcoin)
            }
        }
    }
}

/// Which of the chains that the wallet's code knows a network is.
pub(super) fn bitcoin_network(network: &Network) -> Option<bitcoin::Network> {
    let known = [bitcoin::Network::Main, bitcoin::Network::Test];
    known.into_iter().find(|known| known.chain() == network.chain)
}

/// Whether a text is a bare private key (32 bytes in hexadecimal; 64 bytes in Base58, as Solana's wallets write them), or
/// a phrase. Bitcoin's own forms are told where they are read.
fn is_private(text: &str) -> bool {
    let bare = text.strip_prefix("0x").unwrap_or(text);
    let is_hexadecimal = bare.len() == 64 && bare.bytes().all(|byte| byte.is_ascii_hexdigit());
    let is_base58 = matches!(text.len(), 86..=88) && text.bytes().all(|byte| byte.is_ascii_alphanumeric());
    is_hexadecimal || is_base58 || Mnemonic::parse(text).is_ok()
}

impl fmt::Display for AccountError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Malformed => "not the fields of a wallet",
            Self::Address => "no address of this chain",
            Self::Private => "a private key",
            Self::Keyless => "an address without a key of its own",
        })
    }
}

impl std::error::Error for AccountError {}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::network::find;

    const PHRASE: &str = "test test test test test test test test test test test junk";

    fn read(network: &str, json: &str) -> Result<Account, AccountError> {
        Account::from_json(find(network).unwrap(), json.as_bytes())
    }

    fn watch(network: &str, text: &str) -> Result<Account, AccountError> {
        read(network, &format!(r#"{{"watch":"{text}"}}"#))
    }

    #[test]
    fn an_address_is_one_of_the_chain_with_its_checksum_or_nothing() {
        assert!(watch("ethereum", "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed").is_ok());
        assert!(watch("bitcoin", "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4").is_ok());
        assert!(watch("bitcoin_testnet", "tb1qw508d6qejxtdg4y5r3zarvary0c5xw7kxpjzsx").is_ok());
        assert!(watch("solana", "9WzDXwBbmkg8ZTbNMqUxvQRAyrZzDsGYdLVL9zYtAWWM").is_ok());
        for (network, wrong) in [
            ("ethereum", "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAeD"),
            ("ethereum", "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4"),
            ("bitcoin", "tb1qw508d6qejxtdg4y5r3zarvary0c5xw7kxpjzsx"),
            ("bitcoin_testnet", "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4"),
            ("bitcoin", "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t5"),
            ("solana", "9WzDXwBbmkg8ZTbNMqUxvQRAyrZzDsGYdLVL9zYtAWWMM"),
            ("ethereum", ""),
        ] {
            assert!(watch(network, wrong).is_err(), "{network}: {wrong}");
        }
        for wrong in
            [r#"{"watch":1}"#, r#"{"address":"0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed"}"#, "{}", "[]", ""]
        {
            assert_eq!(read("ethereum", wrong), Err(AccountError::Malformed), "{wrong}");
        }
    }

    #[test]
    fn a_private_key_where_an_address_belongs_is_told_from_a_typing_error() {
        let hexadecimal = "4c0883a69102937d6231471b5dbb6204fe5129617082792ae468d01a3f362318";
        for (network, private) in [
            ("ethereum", hexadecimal),
            ("ethereum", PHRASE),
            ("bitcoin", PHRASE),
            ("bitcoin", "L1aW4aubDFB7yfras2S1mN3bqg9nwySY8nkoLmJebSLD5BWv3ENZ"),
            (
                "bitcoin",
                "xprv9s21ZrQH143K3QTDL4LXw2F7HEK3wJUD2nW2nRk4stbPy6cq3jPPqjiChkVvvNKmPGJxWUtg6LnF5kejMRNNU3TGtRBeJgk33yuGBxrMPHi",
            ),
            (
                "solana",
                "4kJJ5JR4KTvPNTrTwrVtKbK6WkFy7Bt6sVQ6Dn5eDVwGXbHR4qDWE1NQDXKtkGRgLLNn8u4jdR5fcyuZF9sJ5TkS",
            ),
        ] {
            assert_eq!(watch(network, private), Err(AccountError::Private), "{network}");
        }
    }

    #[test]
    fn a_kept_key_is_watched_where_other_wallets_show_it() {
        let json = format!(r#"{{"phrase":"{PHRASE}"}}"#);
        let evm = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266".parse().unwrap();
        assert_eq!(read("ethereum", &json), Ok(Account::Evm(evm)));
        assert_eq!(read("base", &json), Ok(Account::Evm(evm)));
        assert!(matches!(read("bitcoin", &json), Ok(Account::Bitcoin(_))));
        assert!(matches!(read("solana", &json), Ok(Account::Solana(_))));
    }
}
