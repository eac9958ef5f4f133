//! An instruction as the arguments of a connector's calls, in the exchange's own names.

use super::super::model::Connector;
use super::super::value::{Params, Value, find, set};
use wire::Refusal;
use wire::action::{Destination, Instruction, Kind, Reference, Side, Travel};

/// What every call of the instruction can be made of. `from_account` and `to_account` depend on the action: [`accounts`].
pub fn arguments(connector: &Connector, instruction: &Instruction) -> Result<Params, Refusal> {
    let mut arguments = Params::new();
    let mut put = |name: &str, text: &str| set(&mut arguments, name, Value::Text(text.to_owned()));
    put("amount", &instruction.amount);
    put("asset", connector.symbol(&instruction.asset));
    put("code", &instruction.asset);
    put("kind", instruction.kind.name());
    references(instruction.reference, &mut put);
    let plain = [
        ("from", &instruction.from),
        ("to", &instruction.to),
        ("address", &instruction.address),
        ("tag", &instruction.tag),
        ("saved", &instruction.saved),
        ("chain", &instruction.chain),
        ("quote_id", &instruction.quote),
    ];
    for (name, text) in plain {
        text.iter().for_each(|text| put(name, text));
    }
    if let Some(code) = &instruction.to_asset {
        put("to_asset", connector.symbol(code));
        put("to_code", code);
    }
    if let Some(chain) = &instruction.chain {
        put("network", connector.network(chain).ok_or(Refusal::UnknownNetwork)?);
    }
    if instruction.kind == Kind::Withdraw {
        put("fee_included", if instruction.fee_included { "yes" } else { "no" });
    }
    if instruction.kind == Kind::Order {
        traded(connector, instruction, &mut put);
    }
    instruction.travel.iter().for_each(|travel| travelling(travel, &mut put));
    Ok(arguments)
}

fn traded(connector: &Connector, instruction: &Instruction, put: &mut dyn FnMut(&str, &str)) {
    put("base", connector.symbol(&instruction.asset));
    instruction.to_asset.iter().for_each(|code| put("quote", connector.symbol(code)));
    put("side", if instruction.side == Some(Side::Buy) { "buy" } else { "sell" });
    put("counts", if instruction.counts_quote { "quote" } else { "base" });
}

/// The forms in which exchanges take an id of their caller's. Each is a function of the reference alone.
fn references(reference: Reference, put: &mut dyn FnMut(&str, &str)) {
    let hex = reference.hex();
    put("reference", &hex);
    put("reference_uuid", &uuid(reference));
    put("reference_short", hex.get(..20).unwrap_or(&hex));
    put("reference_digits", &digits(reference));
}

/// With the version and variant bits of a random UUID (RFC 9562 §5.4).
fn uuid(reference: Reference) -> String {
    let mut bytes = reference.0;
    let [_, _, _, _, _, _, version, _, variant, ..] = &mut bytes;
    *version = *version & 0x0F | 0x40;
    *variant = *variant & 0x3F | 0x80;
    let hex = Reference(bytes).hex();
    let part = |from: usize, to: usize| hex.get(from..to).unwrap_or_default();
    [part(0, 8), part(8, 12), part(12, 16), part(16, 20), part(20, 32)].join("-")
}

/// 18 decimal digits, none of them a leading zero: they fit a signed number of 64 bits.
fn digits(reference: Reference) -> String {
    const LEAST: u128 = 100_000_000_000_000_000;
    let number = u128::from_be_bytes(reference.0);
    (LEAST + number % (9 * LEAST)).to_string()
}

fn travelling(travel: &Travel, put: &mut dyn FnMut(&str, &str)) {
    put("destination", travel.destination.name());
    // Words that stand only where they are true, for what exchanges ask by one.
    if travel.destination == Destination::Hosted {
        put("destination_exchange", "exchange");
    } else {
        put("destination_private", "private");
        put("destination_self_hosted", "self_hosted");
    }
    put("destination_own", if travel.destination == Destination::Own { "true" } else { "false" });
    if let Some(name) = &travel.beneficiary {
        let (first, last) = names(name, travel.company);
        put("beneficiary_first", first);
        last.into_iter().for_each(|last| put("beneficiary_last", last));
    }
    put("company", if travel.company { "yes" } else { "no" });
    let optional = [
        ("institution", &travel.institution),
        ("beneficiary", &travel.beneficiary),
        ("beneficiary_country", &travel.country),
        ("purpose", &travel.purpose),
    ];
    for (name, text) in optional {
        text.iter().for_each(|text| put(name, text));
    }
    travel.answers.iter().for_each(|answer| put(&format!("answer_{}", answer.name), &answer.text));
}

/// What stands before a person's last word, and that; a company has one name.
fn names(name: &str, company: bool) -> (&str, Option<&str>) {
    match name.rsplit_once(' ').filter(|_| !company) {
        Some((first, last)) => (first, Some(last)),
        None => (name, None),
    }
}

/// Adds the exchange's codes of the accounts between which the action moves. Without a word on where it comes from, it is
/// the first of the table.
pub fn accounts(table: &[(String, String)], arguments: &mut Params) -> Result<(), Refusal> {
    if table.is_empty() {
        return Ok(());
    }
    let code_of = |name: &str| {
        let account = find(arguments, name).map(|value| value.text());
        account.map(|account| {
            let known = table.iter().find(|(ours, _)| ours == account).map(|(_, theirs)| theirs.clone());
            known.ok_or(Refusal::UnknownAccount)
        })
    };
    let usual = || table.first().map(|(_, theirs)| theirs.clone()).ok_or(Refusal::UnknownAccount);
    let from = code_of("from").unwrap_or_else(usual)?;
    let to = code_of("to").transpose()?;
    if to.as_ref() == Some(&from) {
        return Err(Refusal::UnknownAccount);
    }
    set(arguments, "from_account", Value::Text(from));
    to.into_iter().for_each(|to| set(arguments, "to_account", Value::Text(to)));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_has_every_form_that_exchanges_ask_for() {
        let mut forms = Vec::new();
        references(Reference([0xFF; 16]), &mut |name, text| forms.push((name.to_owned(), text.to_owned())));
        let text = |name: &str| forms.iter().find(|(known, _)| known == name).map(|(_, text)| text.clone());
        assert_eq!(text("reference_uuid").as_deref(), Some("ffffffff-ffff-4fff-bfff-ffffffffffff"));
        assert_eq!(text("reference_short").map(|text| text.len()), Some(20));
        for byte in [0, 1, 0x7F, 0xFF] {
            let text = digits(Reference([byte; 16]));
            assert!(text.len() == 18 && !text.starts_with('0') && text.parse::<i64>().is_ok(), "{text}");
        }
    }
}
