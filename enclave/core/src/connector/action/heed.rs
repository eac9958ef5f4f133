//! That an exchange's call says everything that the owner signed: what it has no word for is refused, not left out.

use super::super::model::Listing;
use super::super::model_action::Action;
use wire::Refusal;
use wire::action::Instruction;

/// Whether the call says the argument, or depends on it.
pub fn heeds(action: &Action, name: &str) -> bool {
    let params = || action.listing.params.iter().flat_map(|(_, setting)| Listing::arguments_of(setting));
    let alias = match name {
        "network" => "chain",
        "from" => "from_account",
        other => other,
    };
    params().any(|said| said == name || said == alias)
        || action.when.iter().any(|(said, _)| said == name || said == alias)
}

/// Refuses a tag that would be left out, and an account that the action does not take from.
pub fn check(action: &Action, instruction: &Instruction) -> Result<(), Refusal> {
    if instruction.tag.is_some() && !heeds(action, "tag") {
        return Err(Refusal::TagNotTaken);
    }
    // One account: the first of the table, else the one that exchanges with one account have.
    let only = action.accounts.first().map_or("spot", |(ours, _)| ours);
    match instruction.from.as_deref() {
        Some(from) if from != only && !heeds(action, "from") => Err(Refusal::UnknownAccount),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::catalogue::all;
    use super::super::super::model_action::Deed;
    use super::*;
    use wire::Decimal;
    use wire::action::{Kind, Reference};

    fn withdrawals() -> impl Iterator<Item = (&'static str, &'static Action)> {
        all().iter().flat_map(|connector| {
            let withdraws = |action: &&Action| action.operation == Deed::Do(Kind::Withdraw);
            connector.actions.iter().filter(withdraws).map(|action| (connector.id.as_str(), action))
        })
    }

    #[test]
    fn m32_a_tag_is_sent_or_the_instruction_is_refused() {
        let mut instruction = Instruction::new(Kind::Withdraw, Reference([0; 16]), "XRP", Decimal::ONE);
        instruction.tag = Some("7".into());
        let (mut sent, mut refused) = (0, 0);
        for (id, action) in withdrawals() {
            match check(action, &instruction) {
                Ok(()) => sent += 1,
                Err(refusal) => {
                    refused += 1;
                    assert_eq!(refusal, Refusal::TagNotTaken, "{id}");
                    // A saved destination has its own tag, or there is a way for tags beside this one.
                    let apart = action.when.iter().any(|(name, _)| name == "tag");
                    let without_chain = !action.recipients.is_empty();
                    assert!(apart || without_chain || heeds(action, "saved"), "{id} leaves tags out");
                }
            }
        }
        assert!(sent > 20 && refused > 0, "{sent} {refused}");
    }
}
