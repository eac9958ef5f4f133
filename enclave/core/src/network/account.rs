//! What an owner links of a chain: whose coins are read.

use super::model::{Family, Network};
use crate::connector::{Document, FieldText};
use crate::wallet::evm;
use std::fmt;

/// Whose coins are read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Account {
    Evm(evm::Address),
}

/// Why what was given is no account of this network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccountError {
    /// Not a JSON object with exactly one known field, a text.
    Malformed,
    /// No address of this chain.
    Address,
}

/// Longer texts are nobody's address.
const MAX_TEXT: usize = 512;

impl Account {
    /// Reads the credential of a wallet: a JSON object with one field, `address`.
    pub fn from_json(network: &Network, json: &[u8]) -> Result<Account, AccountError> {
        let document = Document::parse(json).map_err(|_| AccountError::Malformed)?;
        let mut members = document.root().members();
        let (Some((name, value)), None) = (members.next(), members.next()) else {
            return Err(AccountError::Malformed);
        };
        let text = value.string().map(FieldText).ok_or(AccountError::Malformed)?;
        let text: &str = &text.0;
        if text.len() > MAX_TEXT {
            return Err(AccountError::Malformed);
        }
        match (name.text().as_ref(), network.family) {
            ("address", Family::Evm(_)) => text.parse().map(Account::Evm).map_err(|_| AccountError::Address),
            _ => Err(AccountError::Malformed),
        }
    }
}

impl fmt::Display for AccountError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Malformed => "not one field that says which account",
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
        assert!(read(r#"{"address":"0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"}"#).is_ok());
        for wrong in [
            r#"{"address":"0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAeD"}"#,
            r#"{"address":"bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4"}"#,
            r#"{"address":""}"#,
            r#"{"address":1}"#,
            r#"{"address":"0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed","more":"x"}"#,
            r#"{"xpub":"0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed"}"#,
            "{}",
            "[]",
            "",
        ] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }
}
