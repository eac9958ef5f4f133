//! Checks what a partially signed transaction does, and signs it if that is what its owner was shown.
//!
//! - Every input is the account's own: its key is derived here, never believed.
//! - Amounts are proven. A Taproot signature holds those of all inputs; one of BIP 143 holds its own only, so the whole
//!   previous transaction is asked for (else two requests with different lies add up to a fee that nobody was shown).
//! - Change is what the account can spend, at an index where a wallet looks. Everything else is the recipient's, and
//!   there is one.

use super::account::{Account, Kind};
use super::address::{Address, Destination};
use super::psbt::{InputNote, OutputNote, Psbt};
use super::sighash;
use super::transaction::{Input, MAX_MONEY, Output, Transaction};
use super::{Branch, Network};
use crate::secp256k1::XOnlyPublicKey;
use crate::wallet::key::ExtendedKey;
use crate::wallet::summary::{NotATransfer, Refused, Summary};
use crate::wallet::u256::U256;
use std::collections::BTreeSet;

/// Hashing them takes a time that grows with their square in old inputs, and linearly in these.
const MAX_INPUTS: usize = 1000;

/// An input that the account spends.
struct Spent {
    output: Output,
    key: ExtendedKey,
}

impl Psbt {
    /// What this transaction does, if that is one transfer from the account.
    pub fn summary(&self, account: &Account) -> Result<Summary, Refused> {
        self.describe(account, &values(&self.spent(account)?))
    }

    /// What this transaction does if the outputs that it spends are worth what is claimed of them. Nothing is signed by it.
    pub(super) fn claimed_summary(&self, account: &Account) -> Result<Summary, Refused> {
        let claimed = |note: &InputNote| note.claimed_spent.as_ref().map(|output| output.value);
        let values = self.inputs.iter().map(claimed).collect::<Option<Vec<u64>>>();
        self.describe(account, &values.ok_or(NotATransfer::Fee)?)
    }

    /// Signs, if this transaction does what its owner signed and nothing else; the finished transaction, to be
    /// broadcast. `aux` is 32 fresh random bytes.
    pub fn sign(&self, account: &Account, shown: &Summary, aux: &[u8; 32]) -> Result<Transaction, Refused> {
        let spent = self.spent(account)?;
        self.describe(account, &values(&spent))?.check(shown)?;
        let outputs: Vec<Output> = spent.iter().map(|spent| spent.output.clone()).collect();
        let mut signed = self.transaction.clone();
        for ((at, input), spent) in signed.inputs.iter_mut().enumerate().zip(&spent) {
            input.witness = self.witness(account.kind(), at, spent, &outputs, aux).ok_or(Refused::Key)?;
        }
        Ok(signed)
    }

    fn witness(
        &self,
        kind: Kind,
        at: usize,
        spent: &Spent,
        outputs: &[Output],
        aux: &[u8; 32],
    ) -> Option<Vec<Vec<u8>>> {
        let key = spent.key.signing_key();
        match (kind, Destination::of_script(&spent.output.script)?) {
            (Kind::Segwit, Destination::WitnessPublicKeyHash(hash)) => {
                let value = spent.output.value;
                let hash = sighash::witness_public_key_hash(&self.transaction, at, &hash, value)?;
                let mut signature = key.sign_recoverable(&hash).der();
                signature.push(sighash::ALL);
                Some(vec![signature, key.public_key().compressed().to_vec()])
            }
            (Kind::Taproot, Destination::Taproot(_)) => {
                let hash = sighash::taproot(&self.transaction, at, outputs, sighash::DEFAULT)?;
                Some(vec![key.sign_taproot(&hash, aux).ok()?.to_vec()])
            }
            _ => None,
        }
    }

    /// The outputs that the inputs spend, each the account's own.
    fn spent(&self, account: &Account) -> Result<Vec<Spent>, Refused> {
        let inputs = &self.transaction.inputs;
        let distinct: BTreeSet<_> = inputs.iter().map(|input| input.previous).collect();
        if inputs.len() > MAX_INPUTS || distinct.len() != inputs.len() || inputs.len() != self.inputs.len() {
            return Err(NotATransfer::Call.into());
        }
        inputs.iter().zip(&self.inputs).map(|(input, note)| note.spent(input, account)).collect()
    }

    /// `spent` are the values of the inputs, in satoshis.
    fn describe(&self, account: &Account, spent: &[u64]) -> Result<Summary, Refused> {
        let is_known = matches!(self.transaction.version, 1 | 2);
        if !is_known || self.outputs.len() != self.transaction.outputs.len() {
            return Err(NotATransfer::Call.into());
        }
        let paid = self.transaction.outputs.iter().zip(&self.outputs);
        let mut recipients = paid.filter(|(output, note)| !note.is_change(output, account));
        let (Some((recipient, _)), None) = (recipients.next(), recipients.next()) else {
            return Err(NotATransfer::Recipient.into());
        };
        let all_in = sum(spent.iter().copied()).ok_or(NotATransfer::Fee)?;
        let all_out =
            sum(self.transaction.outputs.iter().map(|output| output.value)).ok_or(NotATransfer::Fee)?;
        let fee = all_in.checked_sub(all_out).ok_or(NotATransfer::Fee)?;
        let network = account.network();
        let coin = format!("{}/slip44:{}", network.chain(), if network == Network::Main { 0 } else { 1 });
        Ok(Summary {
            chain: network.chain().to_owned(),
            to: Address::new(network, payable(&recipient.script)?).to_string(),
            asset: coin.clone(),
            amount: U256::from(recipient.value),
            fee_asset: coin,
            max_fee: U256::from(fee),
            nonce: None,
        })
    }
}

impl InputNote {
    /// The output that an input spends, proven as far as its signature does not prove it, and the key that it is of.
    fn spent(&self, input: &Input, account: &Account) -> Result<Spent, Refused> {
        let hash_type = if account.kind() == Kind::Segwit { u32::from(sighash::ALL) } else { 0 };
        if self.has_scripts || self.hash_type.is_some_and(|asked| asked != hash_type) {
            return Err(NotATransfer::Call.into());
        }
        let output = self.output(input, account.kind()).ok_or(NotATransfer::Fee)?;
        let mut places = self.origins.iter().filter_map(|said| account.place(said.fingerprint, &said.path));
        let (branch, index) = places.next().ok_or(Refused::Key)?;
        let key = account.signing_key(branch, index).map_err(|_| Refused::Key)?;
        let own = account.destination(&key).map_err(|_| Refused::Key)?;
        if own.script() == output.script { Ok(Spent { output, key }) } else { Err(Refused::Key) }
    }

    fn output(&self, input: &Input, kind: Kind) -> Option<Output> {
        let proven = match &self.previous {
            Some(previous) if previous.txid() == input.previous.txid => {
                let index = usize::try_from(input.previous.index).ok()?;
                Some(previous.outputs.get(index)?.clone())
            }
            Some(_) => return None,
            None => None,
        };
        match (proven, &self.claimed_spent) {
            (Some(proven), Some(claimed)) if proven != *claimed => None,
            (Some(proven), _) => Some(proven),
            (None, Some(claimed)) if kind == Kind::Taproot => Some(claimed.clone()),
            (None, _) => None,
        }
    }
}

impl OutputNote {
    /// Whether an output is the account's own, on the branch that is for change.
    fn is_change(&self, output: &Output, account: &Account) -> bool {
        self.origins.iter().any(|said| {
            let Some((Branch::Change, index)) = account.place(said.fingerprint, &said.path) else {
                return false;
            };
            let own = account.signing_key(Branch::Change, index).and_then(|key| account.destination(&key));
            own.is_ok_and(|own| own.script() == output.script)
        })
    }
}

/// Whom a script pays, if anybody can ever spend it and not everybody can.
fn payable(script: &[u8]) -> Result<Destination, NotATransfer> {
    let destination = Destination::of_script(script).ok_or(NotATransfer::Recipient)?;
    match &destination {
        Destination::Future { .. } => Err(NotATransfer::Recipient),
        Destination::Taproot(key) if XOnlyPublicKey::from_bytes(key).is_err() => Err(NotATransfer::Recipient),
        _ => Ok(destination),
    }
}

fn values(spent: &[Spent]) -> Vec<u64> {
    spent.iter().map(|spent| spent.output.value).collect()
}

/// A sum of satoshis, each and all of them at most [`MAX_MONEY`].
fn sum(mut values: impl Iterator<Item = u64>) -> Option<u64> {
    values.try_fold(0_u64, |sum, value| sum.checked_add(value).filter(|sum| *sum <= MAX_MONEY))
}

#[cfg(test)]
mod tests;
