//! What an owner links of a chain: whose coins are read.

use super::model::{Family, Network};
use crate::wallet::evm;
use crate::wallet::key::Credential;
use std::fmt;

/// Whose coins are read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Account {
    Evm(evm::Address),
}

/// Why what was given is no account of this network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccountError {
    /// Not the fields of one kind of wallet.
    Malformed,
    /// No address of this chain.
    Address,
}

impl Account {
    /// Reads the credential of a wallet: what of it is watched.
    pub fn from_json(network: &Network, json: &[u8]) -> Result<Account, AccountError> {
        match (Credential::from_json(json), network.family) {
            (Ok(Credential::Watched(text)), Family::Evm(_)) => {
                text.parse().map(Account::Evm).map_err(|_| AccountError::Address)
            }
            _ => Err(AccountError::Malformed),
        }
    }
}

impl fmt::Display for AccountError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Malformed => "not the fields of a wallet",
            Self::Address => "no address of this chain",
        })
    }
}

impl std::error::Error for AccountError {}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::network::find;

    #[test]
    fn an_address_is_one_of_the_chain_with_its_checksum_or_nothing() {
        let ethereum = find("ethereum").unwrap();
        let read = |json: &str| Account::from_json(ethereum, json.as_bytes());
        assert!(read(r#"{"watch":"0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"}"#).is_ok());
        for wrong in [
            r#"{"watch":"0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAeD"}"#,
            r#"{"watch":"bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4"}"#,
            r#"{"watch":""}"#,
            r#"{"watch":1}"#,
            r#"{"watch":"0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed","more":"x"}"#,
            r#"{"address":"0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed"}"#,
            "{}",
            "[]",
            "",
        ] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }
}
