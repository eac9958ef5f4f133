//! The transaction that a preview builds, as the quote that the owner signs.
//!
//! A quote is Base64 of `u8 family ‖` and: for EVM the unsigned transaction as it is signed; for Bitcoin
//! `u32 change (2^32 - 1: none) ‖ u8 inputs ‖ (u64 value ‖ u8 branch ‖ u32 index) for each ‖ transaction`; for Solana
//! `u64 last block height ‖ message`. Numbers are big-endian. What is read is written again as the same text.

use super::order::{Order, Recipient};
use super::wallet::{Wallet, cluster};
use crate::connector::{from_base64, to_base64};
use crate::network::model::{Family, Network};
use crate::wallet::bitcoin::{self, Branch, Coin, Draft};
use crate::wallet::summary::{Refused, Summary};
use crate::wallet::{evm, solana};
use wire::Refusal;
use wire::action::MAX_QUOTE;

/// A whole transaction, unsigned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Plan {
    Evm(evm::Transaction),
    Bitcoin(Draft),
    Solana(Timed),
}

/// A message that is void after a block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Timed {
    pub message: solana::Message,
    /// The height of the last block that can hold it.
    pub last_height: u64,
}

const EVM: u8 = 1;
const BITCOIN: u8 = 2;
const SOLANA: u8 = 3;

/// No change.
const NONE: u32 = u32::MAX;

/// Bytes of an input's note.
const NOTE: usize = 13;

impl Plan {
    /// The quote.
    pub fn write(&self) -> String {
        let bytes = match self {
            Plan::Evm(transaction) => [&[EVM], transaction.encode().as_slice()].concat(),
            Plan::Bitcoin(draft) => [&[BITCOIN], write_draft(draft).as_slice()].concat(),
            Plan::Solana(timed) => {
                [&[SOLANA], timed.last_height.to_be_bytes().as_slice(), &timed.message.encode()].concat()
            }
        };
        to_base64(&bytes)
    }

    /// Reads a quote of a family's; `malformed` if it is none, or not in its one form.
    pub fn read(family: Family, quote: &str) -> Result<Plan, Refusal> {
        let bytes = Some(quote).filter(|quote| quote.len() <= MAX_QUOTE);
        let bytes = bytes.and_then(|quote| from_base64(quote.as_bytes())).ok_or(Refusal::Malformed)?;
        let plan = match (family, bytes.split_first()) {
            (Family::Evm(_), Some((&EVM, bytes))) => evm::Transaction::decode(bytes).ok().map(Plan::Evm),
            (Family::Bitcoin, Some((&BITCOIN, bytes))) => read_draft(bytes).map(Plan::Bitcoin),
            (Family::Solana, Some((&SOLANA, bytes))) => read_timed(bytes).map(Plan::Solana),
            _ => None,
        };
        plan.filter(|plan| plan.write() == quote).ok_or(Refusal::Malformed)
    }

    /// What the transaction does, if it is one transfer from the wallet. Amounts of Bitcoin are as the quote says: signing
    /// proves them.
    pub(super) fn summary(
        &self,
        network: &Network,
        wallet: &Wallet,
        order: &Order,
    ) -> Result<Summary, Refusal> {
        let summary = match (self, wallet, &order.to) {
            (Plan::Evm(transaction), Wallet::Evm(_), _) => transaction.summary().map_err(Refused::from),
            (Plan::Bitcoin(draft), Wallet::Bitcoin(account), _) => draft.claimed_summary(account),
            (Plan::Solana(timed), Wallet::Solana(_), Recipient::Solana(to)) => {
                let cluster = cluster(network).ok_or(Refusal::Internal)?;
                let own = wallet.solana_address().ok_or(Refusal::CredentialMalformed)?;
                timed.message.summary(cluster, &own, Some(to))
            }
            _ => return Err(Refusal::Malformed),
        };
        summary.map_err(|_| Refusal::Malformed)
    }
}

fn write_draft(draft: &Draft) -> Vec<u8> {
    let mut bytes = draft.change.unwrap_or(NONE).to_be_bytes().to_vec();
    // A builder takes no more than a byte counts; what has more is read as something else, and refused.
    bytes.push(u8::try_from(draft.coins.len()).unwrap_or_default());
    for coin in &draft.coins {
        bytes.extend(coin.value.to_be_bytes());
        bytes.push(u8::from(coin.branch == Branch::Change));
        bytes.extend(coin.index.to_be_bytes());
    }
    bytes.extend(draft.transaction.encode());
    bytes
}

fn read_draft(bytes: &[u8]) -> Option<Draft> {
    let (change, rest) = bytes.split_first_chunk::<4>()?;
    let change = Some(u32::from_be_bytes(*change)).filter(|index| *index != NONE);
    let (count, rest) = rest.split_first()?;
    let (notes, transaction) = rest.split_at_checked(usize::from(*count) * NOTE)?;
    let transaction = bitcoin::Transaction::decode(transaction).ok()?;
    if transaction.inputs.len() != usize::from(*count) {
        return None;
    }
    let inputs = transaction.inputs.iter().zip(notes.as_chunks::<NOTE>().0);
    let coin = |(input, note): (&bitcoin::Input, &[u8; NOTE])| {
        let (value, place) = note.split_first_chunk::<8>()?;
        let (branch, index) = place.split_first()?;
        let branch = match branch {
            0 => Branch::Receive,
            1 => Branch::Change,
            _ => return None,
        };
        let index = u32::from_be_bytes(index.try_into().ok()?);
        Some(Coin { outpoint: input.previous, value: u64::from_be_bytes(*value), branch, index })
    };
    let coins = inputs.map(coin).collect::<Option<Vec<Coin>>>()?;
    Some(Draft { transaction, coins, change })
}

fn read_timed(bytes: &[u8]) -> Option<Timed> {
    let (height, message) = bytes.split_first_chunk::<8>()?;
    let message = solana::Message::decode(message).ok()?;
    Some(Timed { message, last_height: u64::from_be_bytes(*height) })
}
