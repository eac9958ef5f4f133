//! From a row of an exchange's answer to what became of an instruction.

use super::super::model::Connector;
use super::super::outcome::Record;
use wire::action::{Instruction, Kind, Outcome, Side, Status};
use wire::{Decimal, UnixMillis};

/// What the row says. Without a word on the status the exchange has taken it, and is at it.
pub fn outcome_of(connector: &Connector, instruction: &Instruction, row: &Record, as_of: u64) -> Outcome {
    let text = |name: &str| row.field(name).map(str::to_owned);
    let amount = |name: &str| {
        let number = row.field(name).and_then(|text| text.parse::<Decimal>().ok());
        number
            .map(|number| if number.is_negative() { number.checked_neg().unwrap_or(number) } else { number })
    };
    let shown = |amount: Option<Decimal>| amount.map(|amount| amount.to_string());
    let (given, received) = match (instruction.kind, instruction.side) {
        (Kind::Order, Some(Side::Buy)) => (amount("cost"), amount("received").or_else(|| amount("amount"))),
        (Kind::Order, _) => (amount("amount"), amount("received").or_else(|| amount("cost"))),
        _ => (amount("amount"), amount("received")),
    };
    let received_asset = match (instruction.kind, instruction.side) {
        (Kind::Convert, _) | (Kind::Order, Some(Side::Sell)) => instruction.to_asset.clone(),
        _ => Some(instruction.asset.clone()),
    };
    let fee = amount("fee");
    let known = |name: &str| row.field(name).map(|code| connector.asset(code).0.to_owned());
    // Either side tells: some exchanges say of a sale only what was sold.
    let moved = [given, received].into_iter().flatten().any(|amount| !amount.is_zero());
    let filled = instruction.kind == Kind::Order && moved;
    Outcome {
        id: text("id"),
        txid: text("txid"),
        amount: shown(given),
        fee: shown(fee),
        fee_asset: fee.and(known("fee_asset")),
        received: shown(received),
        received_asset: received.and(known("received_asset").or(received_asset)),
        said: text("status"),
        ..Outcome::bare(instruction.reference, status(row.field("status"), filled), UnixMillis(as_of))
    }
}

/// The words that connectors map to. An order that ended with a part of it filled is done with that part.
fn status(word: Option<&str>, filled: bool) -> Status {
    match word {
        None | Some("pending" | "open") => Status::Pending,
        Some("ok" | "closed") => Status::Done,
        Some("failed" | "canceled" | "rejected" | "expired") if filled => Status::Done,
        Some("failed" | "canceled" | "rejected" | "expired") => Status::Failed,
        // A word that nobody here knows says that the exchange has it, and no more.
        Some(_) => Status::Pending,
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;
    use crate::connector;
    use wire::action::Reference;

    fn became(side: Side, fields: &[(&'static str, &str)]) -> Status {
        let mut order = Instruction::new(Kind::Order, Reference([1; 16]), "BTC", "2".parse().unwrap());
        (order.side, order.to_asset) = (Some(side), Some("EUR".to_owned()));
        let row = Record(fields.iter().map(|(name, text)| (*name, (*text).to_owned())).collect());
        outcome_of(connector::find("kraken").unwrap(), &order, &row, 0).status
    }

    #[test]
    fn an_order_that_ended_with_a_part_of_it_filled_did_not_come_to_nothing() {
        let canceled = ("status", "canceled");
        for side in [Side::Buy, Side::Sell] {
            assert_eq!(became(side, &[canceled, ("amount", "0.5")]), Status::Done, "{side:?}");
            assert_eq!(became(side, &[canceled, ("cost", "30000")]), Status::Done, "{side:?}");
            assert_eq!(became(side, &[canceled, ("amount", "0"), ("cost", "0.00")]), Status::Failed);
            assert_eq!(became(side, &[canceled]), Status::Failed);
        }
    }
}
