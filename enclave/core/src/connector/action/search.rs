//! The row that is an instruction, among those that an exchange keeps: by id or reference, else by what moved and when.

use super::super::model::Connector;
use super::super::model_action::By;
use super::super::outcome::Record;
use super::super::value::{Params, find};
use wire::Decimal;
use wire::action::{Instruction, Kind};

/// An exchange's clock and ours differ, and it books in its own time.
const EARLY_MS: u64 = 120_000;
/// A withdrawal that was ordered so long before it appears is another one.
const LATE_MS: u64 = 900_000;

/// How far back the records are searched from the moment at which it was sent.
pub fn since(sent_ms: u64) -> u64 {
    sent_ms.saturating_sub(EARLY_MS)
}

/// And how far on: a day, which every exchange answers at once.
pub fn until(sent_ms: u64) -> u64 {
    sent_ms.saturating_add(86_400_000)
}

/// The row of the instruction, if exactly one can be it.
pub fn find_row<'r>(
    connector: &Connector,
    rows: &'r [Record],
    instruction: &Instruction,
    arguments: &Params,
    sent_ms: u64,
) -> Option<&'r Record> {
    let named = rows.iter().find(|row| is_named(row, arguments));
    if named.is_some() {
        return named;
    }
    let mut alike = rows.iter().filter(|row| is_alike(connector, row, instruction, arguments, sent_ms));
    let only = alike.next()?;
    alike.next().is_none().then_some(only)
}

/// Whether the row says itself that it is not the one that was looked up.
pub fn is_another(row: &Record, by: By, arguments: &Params) -> bool {
    let names = match by {
        By::Id => row.field("id"),
        By::Reference => row.field("reference"),
        By::List | By::Rows => None,
    };
    names.is_some() && !is_named(row, arguments)
}

/// By the exchange's id, where it is known, or by the reference in any of its forms.
pub fn is_named(row: &Record, arguments: &Params) -> bool {
    let argument = |name: &str| find(arguments, name).map(|value| value.text());
    let id = argument("id").is_some_and(|id| row.field("id") == Some(id));
    let forms = ["reference", "reference_uuid", "reference_short", "reference_digits"];
    let reference =
        row.field("reference").is_some_and(|said| forms.iter().any(|form| argument(form) == Some(said)));
    id || reference
}

/// A row that names another id or reference is not it, whatever else agrees.
fn is_alike(
    connector: &Connector,
    row: &Record,
    instruction: &Instruction,
    arguments: &Params,
    sent_ms: u64,
) -> bool {
    let other_id = find(arguments, "id").is_some();
    let moment = row.field("timestamp").and_then(|text| text.parse::<u64>().ok());
    let in_time = moment.is_some_and(|at| (since(sent_ms)..=sent_ms.saturating_add(LATE_MS)).contains(&at));
    let asset = row.field("asset").is_some_and(|said| connector.asset(said).0 == instruction.asset);
    let place = instruction.kind != Kind::Withdraw
        || instruction.address.as_deref().is_none_or(|address| row.field("address") == Some(address));
    !other_id && row.field("reference").is_none() && in_time && asset && place && moved(row, arguments)
}

/// The amount, with or without the fee: exchanges book either.
fn moved(row: &Record, arguments: &Params) -> bool {
    let number = |name: &str| row.field(name).and_then(|text| text.parse::<Decimal>().ok());
    let wanted = find(arguments, "amount").and_then(|value| value.text().parse::<Decimal>().ok());
    let (Some(amount), Some(wanted)) = (number("amount"), wanted) else { return false };
    let amount = if amount.is_negative() { amount.checked_neg().unwrap_or(amount) } else { amount };
    let fee = number("fee").unwrap_or(Decimal::ZERO);
    amount == wanted || amount.checked_add(fee) == Ok(wanted) || amount.checked_sub(fee) == Ok(wanted)
}
