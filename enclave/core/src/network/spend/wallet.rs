//! The key that signs on a network.

use crate::network::model::{Family, Network};
use crate::wallet::bitcoin::{self, Account};
use crate::wallet::key::{Credential, Ed25519Key, ExtendedKey};
use crate::wallet::{evm, solana};
use wire::Refusal;

/// A wallet's key, derived for one network.
pub enum Wallet {
    Evm(ExtendedKey),
    Bitcoin(Account),
    Solana(Ed25519Key),
}

impl Wallet {
    /// From the credential in an envelope. What is only watched has no key: `permission_missing`.
    pub fn open(network: &Network, credential: &[u8]) -> Result<Wallet, Refusal> {
        let Ok(Credential::Kept(key)) = Credential::from_json(credential) else {
            return Err(Refusal::PermissionMissing);
        };
        let wallet = match network.family {
            Family::Evm(_) => key.evm().map(Wallet::Evm),
            Family::Solana => key.solana().map(Wallet::Solana),
            Family::Bitcoin => {
                let chain = bitcoin_network(network).ok_or(Refusal::Internal)?;
                key.bitcoin(chain).map(Wallet::Bitcoin)
            }
        };
        // One seed in 2^127 has no such key.
        wallet.map_err(|_| Refusal::CredentialMalformed)
    }

    pub(super) fn evm_address(&self) -> Option<evm::Address> {
        match self {
            Wallet::Evm(key) => Some(evm::Address::of(&key.signing_key().public_key())),
            _ => None,
        }
    }

    pub(super) fn solana_address(&self) -> Option<solana::Address> {
        match self {
            Wallet::Solana(key) => key.public_key().ok().map(solana::Address),
            _ => None,
        }
    }
}

/// Which of Bitcoin's chains a network is.
pub(super) fn bitcoin_network(network: &Network) -> Option<bitcoin::Network> {
    use bitcoin::Network::{Main, Regtest, Test};
    [Main, Test, Regtest].into_iter().find(|known| known.chain() == network.chain)
}

/// Which of Solana's chains a network is.
pub(super) fn cluster(network: &Network) -> Option<solana::Cluster> {
    use solana::Cluster::{Dev, Main, Test};
    [Main, Test, Dev].into_iter().find(|known| known.chain() == network.chain)
}

impl core::fmt::Debug for Wallet {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Wallet")
    }
}
