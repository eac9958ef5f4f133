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
    /// At most.
    pub debited: Option<Decimal>,
    /// At least.
    pub received: Option<Decimal>,
    /// Whether the exchange leaves open where the fee is taken from.
    pub fee_side_unknown: bool,
}

impl Amounts {
    /// For a withdrawal `counted` says what the exchange takes the amount for; the owner says by `fee_included` and `fee_either`
    /// what it is.
    pub fn of(instruction: &Instruction, counted: Counted, stated: &Stated) -> Result<Amounts, Refusal> {
        let amount = instruction.checked().ok_or(Refusal::Malformed)?;
        match instruction.kind {
            Kind::Withdraw => withdrawn(instruction, amount, counted, stated),
            Kind::Transfer => Ok(Amounts {
                sent: amount,
                fee: stated.fee,
                debited: Some(amount),
                received: stated.received.or(Some(amount)),
                fee_side_unknown: false,
            }),
            Kind::Convert => Ok(Amounts {
                sent: amount,
                fee: stated.fee,
                debited: stated.debited.or(Some(amount)),
                received: stated.received,
                fee_side_unknown: false,
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
    let fits = |_| Refusal::Malformed;
    let more = taken.map(|fee| amount.checked_add(fee)).transpose().map_err(fits)?;
    let less = taken.map(|fee| amount.checked_sub(fee)).transpose().map_err(fits)?;
    let (out_of_it, on_top) = ((Some(amount), less), (more, Some(amount)));
    let (debited, received) = match counted {
        _ if instruction.fee_included => out_of_it,
        _ if !instruction.fee_either => on_top,
        Counted::Gross => out_of_it,
        Counted::Net => on_top,
        // The worse of both ways: no more leaves, no less arrives.
        Counted::Either => (more, less),
    };
    let sent = match counted {
        _ if instruction.fee_either => Some(amount),
        Counted::Gross => debited,
        Counted::Net => received,
        // The owner said what the amount is, and nobody knows how to make it that.
        Counted::Either => None,
    };
    // What is sent follows from the fee, and the exchange does not state it.
    let sent = sent.ok_or(Refusal::TermsUnstated)?;
    if sent.is_negative() || sent.is_zero() {
        return Err(Refusal::BelowMinimum);
    }
    Ok(Amounts { sent, fee, debited, received, fee_side_unknown: counted == Counted::Either })
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
    Ok(Amounts { sent: amount, fee: stated.fee, debited, received, fee_side_unknown: false })
}

/// Whether an amount has no digits that the exchange would cut.
pub fn is_multiple(amount: Decimal, step: Decimal) -> bool {
    if step.is_zero() || step.is_negative() {
        return true;
    }
    let whole = amount.checked_div_to(step, 0, Rounding::Down).and_then(|count| count.checked_mul(step));
    whole == Ok(amount)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;
    use wire::action::Reference;

    fn decimal(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    /// Sent, at most debited, at least received, of a withdrawal of 10 for a fee of 1.
    fn amounts(
        counted: Counted,
        fee: Option<&str>,
        how: fn(&mut Instruction),
    ) -> Result<[String; 3], Refusal> {
        let mut instruction = Instruction::new(Kind::Withdraw, Reference([1; 16]), "USDT", decimal("10"));
        instruction.address = Some("x".to_owned());
        how(&mut instruction);
        let mut stated = Stated::default();
        stated.fee = fee.map(decimal);
        let amounts = Amounts::of(&instruction, counted, &stated)?;
        let text =
            |amount: Option<Decimal>| amount.map_or_else(|| "?".to_owned(), |amount| amount.to_string());
        Ok([amounts.sent.to_string(), text(amounts.debited), text(amounts.received)])
    }

    #[test]
    fn no_more_leaves_and_no_less_arrives_than_is_said_whichever_way_the_fee_is_taken() {
        use Counted::{Either, Gross, Net};
        let arrives: fn(&mut Instruction) = |_| ();
        let leaves: fn(&mut Instruction) = |instruction| instruction.fee_included = true;
        let either: fn(&mut Instruction) = |instruction| instruction.fee_either = true;
        for (counted, how, expected) in [
            (Gross, arrives, ["11", "11", "10"]),
            (Gross, leaves, ["10", "10", "9"]),
            (Gross, either, ["10", "10", "9"]),
            (Net, arrives, ["10", "11", "10"]),
            (Net, leaves, ["9", "10", "9"]),
            (Net, either, ["10", "11", "10"]),
            (Either, either, ["10", "11", "9"]),
        ] {
            assert_eq!(amounts(counted, Some("1"), how).unwrap(), expected, "{counted:?}");
        }
    }

    #[test]
    fn what_an_exchange_leaves_open_is_sent_only_where_its_owner_leaves_it_open_too() {
        for how in [|_: &mut Instruction| (), |instruction: &mut Instruction| instruction.fee_included = true]
        {
            assert_eq!(amounts(Counted::Either, Some("1"), how), Err(Refusal::TermsUnstated));
        }
        let either = |instruction: &mut Instruction| instruction.fee_either = true;
        assert_eq!(amounts(Counted::Either, None, either).unwrap(), ["10", "?", "?"]);
    }
}
