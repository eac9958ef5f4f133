//! Checks what a message does, and signs it if that is what its owner was shown.

use super::Address;
use super::instruction::{Call, Limits};
use super::message::{Message, length};
use crate::wallet::key::Ed25519Key;
use crate::wallet::summary::{NotATransfer, Refused, Summary};
use crate::wallet::u256::U256;

/// Which chain. A message says it by a block's hash alone, which cannot be checked here: it is void on every other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cluster {
    Main,
    Test,
    Dev,
}

/// Lamports that a new token account of 165 bytes is given so that it stays: `(165 + 128) · 3480 · 2`.
pub const TOKEN_ACCOUNT_RENT: u64 = 2_039_280;

/// Lamports for each signature.
pub const SIGNATURE_FEE: u64 = 5000;

/// What a message is made of, each part at most once.
#[derive(Default)]
struct Parts {
    limits: Limits,
    created: Option<(Address, Address)>,
    payment: Option<Payment>,
}

/// What moves, and to which account.
struct Payment {
    to: Address,
    /// Absent for the chain's coin.
    mint: Option<Address>,
    amount: u64,
}

impl Cluster {
    /// CAIP-2: `solana` and the first 32 letters of the genesis block's hash.
    pub fn chain(self) -> &'static str {
        match self {
            Cluster::Main => "solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp",
            Cluster::Test => "solana:4uhcVJyU9pJkvQyS88uRDiswHXSCkY3z",
            Cluster::Dev => "solana:EtWTRABZaYq6iMfeYKouRu166VU2xqa1",
        }
    }

    /// CAIP-19 of the chain's coin.
    fn coin(self) -> String {
        format!("{}/slip44:{}", self.chain(), if self == Cluster::Main { 501 } else { 1 })
    }
}

impl Message {
    /// What this message does, if that is one transfer from `wallet` and what belongs to it.
    ///
    /// Tokens go to a token account. If it is the one of `recipient`, or of a wallet that the message makes it for, the
    /// summary names that wallet; else the token account itself.
    pub fn summary(
        &self,
        cluster: Cluster,
        wallet: &Address,
        recipient: Option<&Address>,
    ) -> Result<Summary, Refused> {
        if self.signers != 1 || self.payer() != Some(wallet) {
            return Err(Refused::Key);
        }
        let parts = self.parts(wallet)?;
        let payment = parts.payment.ok_or(NotATransfer::Call)?;
        let (to, asset) = match &payment.mint {
            None if parts.created.is_some() => return Err(NotATransfer::Call.into()),
            None => (payment.to, cluster.coin()),
            Some(mint) => {
                let to = receiver(&payment.to, mint, parts.created, recipient)?;
                (to, format!("{}/token:{mint}", cluster.chain()))
            }
        };
        let rent = if parts.created.is_some() { TOKEN_ACCOUNT_RENT } else { 0 };
        let priority = parts.limits.fee().ok_or(NotATransfer::Fee)?;
        let max_fee = priority.checked_add(SIGNATURE_FEE).and_then(|fee| fee.checked_add(rent));
        Ok(Summary {
            chain: cluster.chain().to_owned(),
            to: to.to_string(),
            asset,
            amount: U256::from(payment.amount),
            fee_asset: cluster.coin(),
            max_fee: U256::from(max_fee.ok_or(NotATransfer::Fee)?),
            nonce: None,
        })
    }

    /// Signs, if this message does what its owner signed and nothing else; the transaction, to be sent.
    pub fn sign(&self, cluster: Cluster, key: &Ed25519Key, shown: &Summary) -> Result<Vec<u8>, Refused> {
        let wallet = Address(key.public_key().map_err(|_| Refused::Key)?);
        let recipient = shown.to.parse().ok();
        self.summary(cluster, &wallet, recipient.as_ref())?.check(shown)?;
        let message = self.encode();
        let signature = key.sign(&message).map_err(|_| Refused::Key)?;
        let mut transaction = Vec::with_capacity(message.len() + 65);
        length(&mut transaction, 1);
        transaction.extend(signature);
        transaction.extend(message);
        Ok(transaction)
    }

    /// Sorts the instructions. Each kind is there once at most, and spends what is the wallet's alone.
    fn parts(&self, wallet: &Address) -> Result<Parts, Refused> {
        let mut parts = Parts::default();
        for instruction in &self.instructions {
            let was_there = match Call::decode(self, instruction).ok_or(NotATransfer::Call)? {
                Call::Limit(units) => parts.limits.units.replace(units).is_some(),
                Call::Price(price) => parts.limits.price.replace(price).is_some(),
                Call::CreateTokenAccount { payer, account, wallet: owner, mint } => {
                    let is_right = payer == *wallet && Address::token_account(&owner, &mint) == Some(account);
                    parts.created.replace((account, owner)).is_some() || !is_right
                }
                Call::Transfer { from, .. } if from != *wallet => return Err(Refused::Key),
                Call::Transfer { to, lamports, .. } => {
                    parts.payment.replace(Payment { to, mint: None, amount: lamports }).is_some()
                }
                Call::TransferTokens { source, mint, owner, .. }
                    if owner != *wallet || Address::token_account(wallet, &mint) != Some(source) =>
                {
                    return Err(Refused::Key);
                }
                Call::TransferTokens { to, mint, amount, .. } => {
                    parts.payment.replace(Payment { to, mint: Some(mint), amount }).is_some()
                }
            };
            if was_there {
                return Err(NotATransfer::Call.into());
            }
        }
        Ok(parts)
    }
}

/// Whose a token account is.
fn receiver(
    account: &Address,
    mint: &Address,
    created: Option<(Address, Address)>,
    recipient: Option<&Address>,
) -> Result<Address, NotATransfer> {
    match created {
        Some((made, owner)) if made == *account => Ok(owner),
        // An account is paid for that nothing is sent to.
        Some(_) => Err(NotATransfer::Call),
        None => {
            let is_theirs = |wallet: &&Address| Address::token_account(wallet, mint) == Some(*account);
            Ok(recipient.filter(is_theirs).copied().unwrap_or(*account))
        }
    }
}

#[cfg(test)]
mod tests;
