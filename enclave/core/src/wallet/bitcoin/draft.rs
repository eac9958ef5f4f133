//! A transfer that is built and not yet signed.

use super::Branch;
use super::account::Account;
use super::psbt::{InputNote, Origin, OutputNote, Psbt};
use super::transaction::{Input, OutPoint, Output, Transaction};
use crate::wallet::hex;
use crate::wallet::key::Underivable;
use crate::wallet::summary::{NotATransfer, Refused, Summary};
use std::collections::BTreeMap;

/// An output that the account can spend.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Coin {
    pub outpoint: OutPoint,
    /// Satoshis, as a node says: what is signed proves them (`Psbt::sign`).
    pub value: u64,
    pub branch: Branch,
    pub index: u32,
}

/// A transfer, with all that is needed to sign it but the transactions whose outputs it spends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    /// Without witnesses; inputs and outputs in the order of BIP 69.
    pub transaction: Transaction,
    /// One for each input.
    pub coins: Vec<Coin>,
    /// The index on branch 1 that change goes to, if there is any.
    pub change: Option<u32>,
}

impl Draft {
    /// What this transaction does if its coins are worth what they are said to be: [`Self::psbt`] proves it.
    pub fn claimed_summary(&self, account: &Account) -> Result<Summary, Refused> {
        let Draft { transaction, coins, change } = self;
        let spends = |(input, coin): (&Input, &Coin)| input.previous == coin.outpoint;
        if transaction.inputs.len() != coins.len() || !transaction.inputs.iter().zip(coins).all(spends) {
            return Err(Refused::Key);
        }
        let psbt = self.psbt(account, &BTreeMap::new()).map_err(|_| Refused::Key)?;
        let change = if change.is_some() { 1 } else { 0 };
        if psbt.outputs.iter().filter(|note| !note.origins.is_empty()).count() != change {
            return Err(NotATransfer::Recipient.into());
        }
        psbt.claimed_summary(account)
    }

    /// What the signer checks: this transfer, and whatever of `previous`, by their ids, it spends. Without them an input
    /// of P2WPKH is not signed.
    pub fn psbt(
        &self,
        account: &Account,
        previous: &BTreeMap<[u8; 32], Transaction>,
    ) -> Result<Psbt, Underivable> {
        let inputs = self.coins.iter().map(|coin| {
            let script = account.address(coin.branch, coin.index)?.destination.script();
            Ok(InputNote {
                previous: previous.get(&coin.outpoint.txid).cloned(),
                claimed_spent: Some(Output { value: coin.value, script }),
                hash_type: None,
                origins: vec![account.origin(coin.branch, coin.index)?],
                has_scripts: false,
            })
        });
        let inputs = inputs.collect::<Result<_, Underivable>>()?;
        let change = self.change.map(|index| {
            let script = account.address(Branch::Change, index)?.destination.script();
            Ok::<(Vec<u8>, Origin), Underivable>((script, account.origin(Branch::Change, index)?))
        });
        let change = change.transpose()?;
        let note = |output: &Output| {
            let own = change.iter().filter(|(script, _)| *script == output.script);
            OutputNote { origins: own.map(|(_, origin)| origin.clone()).collect() }
        };
        let outputs = self.transaction.outputs.iter().map(note).collect();
        Ok(Psbt { transaction: self.transaction.clone(), inputs, outputs })
    }
}

/// A transaction's name as texts show it: backwards.
pub fn txid_text(txid: &[u8; 32]) -> String {
    let mut shown = *txid;
    shown.reverse();
    hex::encode(&shown)
}

/// Reads [`txid_text`].
pub fn parse_txid(text: &str) -> Option<[u8; 32]> {
    let mut txid: [u8; 32] = hex::decode(text)?.try_into().ok()?;
    txid.reverse();
    Some(txid)
}
