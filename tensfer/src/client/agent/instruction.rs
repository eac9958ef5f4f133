//! What a caller orders, as an instruction.

use super::body::caller;
use crate::client::commands::act::{amount, amount_or_zero, checked, code};
use crate::client::failure::{Failure, Result};
use serde::Deserialize;
use std::collections::BTreeMap;
use utoipa::ToSchema;
use wire::Decimal;
use wire::action::{Destination, Instruction, Kind, Reference, Side, Travel};
use wire::record::Field;

/// What moves money, as on the command line. Amounts are decimals, written as texts.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Instruction)]
pub struct Asked {
    kind: Move,
    /// Of what, by the code people know it by, such as `USDT`, or its CAIP-19 id.
    asset: String,
    /// How much, such as `"0.25"`. Of an order, this or `cost`.
    amount: Option<String>,
    /// Of an order: how much is paid or received, of `to_asset`.
    cost: Option<String>,
    /// The account that it comes from: `spot`, `funding`, …; the exchange's usual one if it is left out.
    from: Option<String>,
    /// The account that a transfer goes to.
    to: Option<String>,
    /// The chain that a withdrawal takes, by its CAIP-2 id, such as `eip155:1`.
    chain: Option<String>,
    address: Option<String>,
    /// Memo, destination tag or payment id, where the receiver has one.
    tag: Option<String>,
    /// A destination that is saved at the provider, by its name there.
    saved: Option<String>,
    /// What is converted to; of an order, what is paid in.
    to_asset: Option<String>,
    side: Option<Direction>,
    /// Nothing is sent for a higher fee; the fee of the moment if it is left out.
    max_fee: Option<String>,
    /// Nothing is done for less; 0.5 % below the terms of the moment if it is left out.
    min_received: Option<String>,
    /// Take the fee out of the amount. Otherwise the amount arrives, and the fee comes on top.
    #[serde(default)]
    fee_included: bool,
    /// Send the amount as it is, wherever the exchange takes its fee from.
    #[serde(default)]
    fee_either: bool,
    travel: Option<AskedTravel>,
}

#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum Move {
    Transfer,
    Withdraw,
    Convert,
    Order,
}

#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum Direction {
    Buy,
    Sell,
}

/// What some places want to be told with a withdrawal.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Travel)]
struct AskedTravel {
    /// Who keeps the address.
    destination: Keeper,
    institution: Option<String>,
    /// Who receives it, as on their papers.
    beneficiary: Option<String>,
    #[serde(default)]
    company: bool,
    /// In two letters.
    country: Option<String>,
    purpose: Option<String>,
    /// Answers to questions of the exchange's own, by its own names.
    #[serde(default)]
    answers: BTreeMap<String, String>,
}

#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum Keeper {
    Own,
    Other,
    Hosted,
}

impl Asked {
    /// # Errors
    /// `instruction_malformed`: it is none.
    pub fn instruction(self, reference: Reference) -> Result<Instruction> {
        let kind = match self.kind {
            Move::Transfer => Kind::Transfer,
            Move::Withdraw => Kind::Withdraw,
            Move::Convert => Kind::Convert,
            Move::Order => Kind::Order,
        };
        let how_much = match (&self.amount, &self.cost, kind) {
            (Some(amount), None, _) | (None, Some(amount), Kind::Order) => amount,
            _ => return Err(malformed("it needs `amount`, or of an order `amount` or `cost`")),
        };
        let how_much: Decimal = amount(how_much).map_err(|wrong| malformed(&wrong))?;
        let asset = code(&self.asset).map_err(|wrong| malformed(&wrong))?;
        let mut instruction = Instruction::new(kind, reference, &asset, how_much);
        instruction.counts_quote = self.cost.is_some();
        instruction.from = self.from;
        instruction.to = self.to;
        instruction.chain = self.chain;
        instruction.address = self.address;
        instruction.tag = self.tag;
        instruction.saved = self.saved;
        instruction.to_asset =
            self.to_asset.map(|asset| code(&asset)).transpose().map_err(|wrong| malformed(&wrong))?;
        instruction.side = self.side.map(|side| match side {
            Direction::Buy => Side::Buy,
            Direction::Sell => Side::Sell,
        });
        instruction.max_fee = bound(self.max_fee)?;
        instruction.min_received = bound(self.min_received)?;
        instruction.fee_included = self.fee_included;
        instruction.fee_either = self.fee_either;
        instruction.travel = self.travel.map(AskedTravel::read);
        checked(instruction).map_err(|failure| Failure { code: "instruction_malformed", ..failure })
    }
}

impl AskedTravel {
    fn read(self) -> Travel {
        Travel {
            destination: match self.destination {
                Keeper::Own => Destination::Own,
                Keeper::Other => Destination::Other,
                Keeper::Hosted => Destination::Hosted,
            },
            institution: self.institution,
            beneficiary: self.beneficiary,
            company: self.company,
            country: self.country,
            purpose: self.purpose,
            answers: self.answers.into_iter().map(|(name, text)| Field { name, text }).collect(),
        }
    }
}

fn bound(text: Option<String>) -> Result<Option<String>> {
    let bound = text.map(|text| amount_or_zero(&text)).transpose().map_err(|wrong| malformed(&wrong))?;
    Ok(bound.map(|bound| bound.to_string()))
}

fn malformed(what: &str) -> Failure {
    caller("instruction_malformed", &format!("this is no instruction: {what}"))
}
