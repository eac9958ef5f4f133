//! Exact amounts of an instruction: what is sent, what leaves, what arrives.

use super::super::model_action::Counted;
use super::terms::Stated;
use wire::action::{Instruction, Kind, Side};
use wire::decimal::Rounding;
use wire::{Decimal, Refusal};

/// Digits behind the point of an estimate.
const ESTIMATE_SCALE: u8 = 12;

/// The amounts of one instruction on stated terms. What is not stated is absent.
pub struct Amounts {
    /// As the exchange counts it.
    pub sent: Decimal,
    pub fee: Option<Decimal>,
    pub debited: Option<Decimal>,
    pub received: Option<Decimal>,
}

impl Amounts {
    /// For a withdrawal `counted` says what the exchange takes the amount for; the owner says by `fee_included` what it is.
    pub fn of(instruction: &Instruction, counted: Counted, stated: &Stated) -> Result<Amounts, Refusal> {
        let amount = instruction.checked().ok_or(Refusal::Malformed)?;
        match instruction.kind {
            Kind::Withdraw => withdrawn(instruction, amount, counted, stated),
            Kind::Transfer => Ok(Amounts {
                sent: amount,
                fee: stated.fee,
                debited: Some(amount),
                received: stated.received.or(Some(amount)),
            }),
            Kind::Convert => Ok(Amounts {
                sent: amount,
                fee: stated.fee,
                debited: stated.debited.or(Some(amount)),
                received: stated.received,
            }),
            Kind::Order => traded(instruction, amount, stated),
        }
    }
}

fn withdrawn(
    instruction: &Instruction,
    amount: Decimal,
    counted: Counted,
    stated: &Stated,
) -> Result<Amounts, Refusal> {
    let fee = fee_of(amount, stated)?;
    // A fee in another asset changes neither amount.
    let apart = stated.fee_asset.as_ref().is_some_and(|asset| *asset != instruction.asset);
    let taken = if apart { Some(Decimal::ZERO) } else { fee };
    let add = |to: Decimal| taken.map(|fee| to.checked_add(fee)).transpose();
    let subtract = |from: Decimal| taken.map(|fee| from.checked_sub(fee)).transpose();
    let fits = |_| Refusal::Malformed;
    let (debited, received) = if instruction.fee_included {
        (Some(amount), subtract(amount).map_err(fits)?)
    } else {
        (add(amount).map_err(fits)?, Some(amount))
    };
    let sent = match counted {
        Counted::Gross => debited,
        Counted::Net => received,
    };
    // What is sent follows from the fee, and the exchange does not state it.
    let sent = sent.ok_or(Refusal::TermsUnstated)?;
    if sent.is_negative() || sent.is_zero() {
        return Err(Refusal::BelowMinimum);
    }
    Ok(Amounts { sent, fee, debited, received })
}

/// A fixed part and a part of the amount, which is rounded up: the owner is not told less than is taken.
fn fee_of(amount: Decimal, stated: &Stated) -> Result<Option<Decimal>, Refusal> {
    let part = match stated.fee_rate {
        Some(rate) => {
            let scale = stated.step.map_or(ESTIMATE_SCALE, Decimal::scale);
            Some(amount.checked_mul_to(rate, scale, Rounding::Up).map_err(|_| Refusal::Malformed)?)
        }
        None => None,
    };
    match (stated.fee, part) {
        (Some(fixed), Some(part)) => fixed.checked_add(part).map(Some).map_err(|_| Refusal::Malformed),
        (fixed, part) => Ok(fixed.or(part)),
    }
}

/// At the price of this moment; a market order takes whatever price there is.
fn traded(instruction: &Instruction, amount: Decimal, stated: &Stated) -> Result<Amounts, Refusal> {
    let price = match instruction.side {
        Some(Side::Buy) => stated.ask.or(stated.price),
        _ => stated.bid.or(stated.price),
    };
    let price = price.filter(|price| !price.is_zero() && !price.is_negative());
    let fits = |_| Refusal::Malformed;
    let cost = |base: Decimal| price.map(|price| base.checked_mul_to(price, ESTIMATE_SCALE, Rounding::Down));
    let base = |cost: Decimal| price.map(|price| cost.checked_div_to(price, ESTIMATE_SCALE, Rounding::Down));
    let (in_base, in_quote) = if instruction.counts_quote {
        (base(amount).transpose().map_err(fits)?, Some(amount))
    } else {
        (Some(amount), cost(amount).transpose().map_err(fits)?)
    };
    let (debited, received) = match instruction.side {
        Some(Side::Buy) => (in_quote, in_base),
        _ => (in_base, in_quote),
    };
    Ok(Amounts { sent: amount, fee: stated.fee, debited, received })
}

/// Whether an amount has no digits that the exchange would cut.
pub fn is_multiple(amount: Decimal, step: Decimal) -> bool {
    if step.is_zero() || step.is_negative() {
        return true;
    }
    let whole = amount.checked_div_to(step, 0, Rounding::Down).and_then(|count| count.checked_mul(step));
    whole == Ok(amount)
}
