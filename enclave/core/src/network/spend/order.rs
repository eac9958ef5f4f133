//! An owner's instruction, read as a payment from a wallet.

use crate::network::amount::decimal;
use crate::network::model::{Family, Network, Token};
use crate::wallet::payment::Amount;
use crate::wallet::summary::Summary;
use crate::wallet::u256::U256;
use crate::wallet::{bitcoin, evm, solana};
use wire::action::{Instruction, Kind};
use wire::{Decimal, Refusal};

/// A payment from a wallet, in the chain's smallest units.
#[derive(Clone, Debug)]
pub struct Order {
    pub(super) to: Recipient,
    /// Absent for the chain's coin.
    pub(super) token: Option<&'static Token>,
    pub(super) amount: Amount,
    /// In the coin.
    pub(super) max_fee: Option<U256>,
    pub(super) min_received: Option<U256>,
    pub(super) quote: Option<String>,
}

/// Who is paid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Recipient {
    Evm(evm::Address),
    Bitcoin(bitcoin::Address),
    Solana(solana::Address),
}

impl Order {
    /// Reads a withdrawal to an address of this chain. What a wallet has no use for is refused: who signed it meant
    /// something else.
    pub fn read(network: &'static Network, instruction: &Instruction) -> Result<Order, Refusal> {
        check_form(network, instruction)?;
        let text = instruction.address.as_deref().ok_or(Refusal::NotOffered)?;
        let to = Recipient::read(network, text)?;
        let token = token(network, &instruction.asset)?;
        let decimals = token.map_or(network.coin.decimals, |token| token.decimals);
        let amount = units(&instruction.amount, decimals)?;
        let min_received =
            instruction.min_received.as_deref().map(|least| units(least, decimals)).transpose()?;
        let fee_asset = instruction.max_fee_asset.as_deref().unwrap_or(&instruction.asset);
        let is_coin = [&network.coin.asset, &network.coin.symbol].into_iter().any(|name| name == fee_asset);
        let max_fee = match &instruction.max_fee {
            Some(_) if !is_coin => return Err(Refusal::TermsUnstated),
            Some(most) => Some(units(most, network.coin.decimals)?),
            None => None,
        };
        let amount =
            if instruction.fee_included { Amount::Leaving(amount) } else { Amount::Arriving(amount) };
        Ok(Order { to, token, amount, max_fee, min_received, quote: instruction.quote.clone() })
    }

    /// The summary that the owner signed: every part from the instruction, but the fee and the account's count, which stand
    /// in the quote; the fee is at most what the owner allows.
    pub(super) fn shown(&self, network: &Network, quoted: &Summary) -> Result<Summary, Refusal> {
        let most = self.max_fee.ok_or(Refusal::TermsUnstated)?;
        if quoted.max_fee > most {
            return Err(Refusal::FeeAboveMaximum);
        }
        let amount = match self.amount {
            Amount::Arriving(amount) => amount,
            Amount::Leaving(all) => all.checked_sub(quoted.max_fee).ok_or(Refusal::FundsMissing)?,
        };
        if self.min_received.is_some_and(|least| amount < least) {
            return Err(Refusal::TooLittleReceived);
        }
        let shown = Summary {
            chain: network.chain.clone(),
            to: self.to.to_string(),
            asset: self.token.map_or(&network.coin.asset, |token| &token.asset).clone(),
            amount,
            fee_asset: network.coin.asset.clone(),
            max_fee: quoted.max_fee,
            nonce: quoted.nonce,
        };
        // The same is checked again by the signer; here it is told before any node is asked.
        quoted.check(&shown).map_err(|_| Refusal::Malformed)?;
        Ok(shown)
    }

    /// An amount of what is paid, as a decimal.
    pub(super) fn decimal(&self, network: &Network, amount: U256) -> Option<Decimal> {
        decimal(amount, self.token.map_or(network.coin.decimals, |token| token.decimals))
    }
}

impl Recipient {
    fn read(network: &Network, text: &str) -> Result<Recipient, Refusal> {
        let read = match network.family {
            Family::Evm(_) => text.parse().ok().map(Recipient::Evm),
            Family::Solana => text.parse().ok().map(Recipient::Solana),
            Family::Bitcoin => bitcoin_address(network, text).map(Recipient::Bitcoin),
        };
        read.ok_or(Refusal::AddressMalformed)
    }
}

/// An address of this chain: Base58 does not say which test network it is of.
fn bitcoin_address(network: &Network, text: &str) -> Option<bitcoin::Address> {
    let address: bitcoin::Address = text.parse().ok()?;
    let chain = super::wallet::bitcoin_network(network)?;
    address.is_on(chain).then(|| bitcoin::Address::new(chain, address.destination))
}

impl core::fmt::Display for Recipient {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Recipient::Evm(address) => address.fmt(f),
            Recipient::Bitcoin(address) => address.fmt(f),
            Recipient::Solana(address) => address.fmt(f),
        }
    }
}

fn check_form(network: &Network, instruction: &Instruction) -> Result<(), Refusal> {
    let Instruction { kind, from, chain, tag, saved, travel, fee_either, .. } = instruction;
    // A network's fee is always paid on top.
    if *kind != Kind::Withdraw || saved.is_some() || travel.is_some() || *fee_either {
        return Err(Refusal::NotOffered);
    }
    if from.as_deref().is_some_and(|account| account != "wallet") {
        return Err(Refusal::UnknownAccount);
    }
    if chain.as_deref().is_some_and(|chain| chain != network.chain) {
        return Err(Refusal::UnknownNetwork);
    }
    if tag.is_some() { Err(Refusal::TagNotTaken) } else { Ok(()) }
}

/// The token of this name or id; nothing for the coin. Only what the network's file lists: a node could lie about the
/// decimals of others, and so about how much is sent.
fn token(network: &'static Network, asset: &str) -> Result<Option<&'static Token>, Refusal> {
    if [&network.coin.asset, &network.coin.symbol].into_iter().any(|name| name == asset) {
        return Ok(None);
    }
    let listed = network.tokens.iter().find(|token| token.asset == asset || token.symbol == asset);
    listed.map(Some).ok_or(Refusal::UnknownAsset)
}

/// A decimal in smallest units, exactly.
fn units(text: &str, decimals: u8) -> Result<U256, Refusal> {
    let amount: Decimal = text.parse().map_err(|_| Refusal::Malformed)?;
    let mantissa = u128::try_from(amount.mantissa()).map_err(|_| Refusal::Malformed)?;
    let zeros = decimals.checked_sub(amount.scale()).ok_or(Refusal::NotAMultiple)?;
    let units = (0..zeros).try_fold(U256::from(mantissa), |units, _| units.checked_mul(10));
    units.ok_or(Refusal::AboveMaximum)
}
