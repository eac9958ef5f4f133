//! That an exchange's call says everything that the owner signed: what it has no word for is refused, not left out.

use super::super::model::Listing;
use super::super::model_action::Action;
use wire::Refusal;
use wire::action::{Instruction, Travel};
use wire::record::Field;

/// What the travel rule's fields become for a call, besides answers to its own questions.
const TRAVEL: [&str; 12] = [
    "destination",
    "destination_exchange",
    "destination_private",
    "destination_self_hosted",
    "destination_own",
    "institution",
    "beneficiary",
    "beneficiary_first",
    "beneficiary_last",
    "beneficiary_country",
    "company",
    "purpose",
];

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

/// The arguments that an optional field becomes: one of them has to be said, where the field was given.
fn given(travel: &Travel) -> impl Iterator<Item = &'static [&'static str]> {
    [
        (travel.institution.is_some(), &["institution", "destination_exchange"][..]),
        (travel.beneficiary.is_some(), &["beneficiary", "beneficiary_first", "beneficiary_last"]),
        (travel.country.is_some(), &["beneficiary_country"]),
        (travel.purpose.is_some(), &["purpose"]),
    ]
    .into_iter()
    .filter_map(|(is_given, arguments)| is_given.then_some(arguments))
}

/// Refuses a tag or an answer that would be left out, an account that the action does not take from, and what is told of a
/// receiver to an exchange that does not ask for it.
pub fn check(action: &Action, instruction: &Instruction) -> Result<(), Refusal> {
    if instruction.tag.is_some() && !heeds(action, "tag") {
        return Err(Refusal::TagNotTaken);
    }
    if let Some(travel) = &instruction.travel {
        let answered = |answer: &Field| heeds(action, &format!("answer_{}", answer.name));
        let says_one_of = |names: &[&str]| names.iter().any(|name| heeds(action, name));
        if !says_one_of(&TRAVEL) || !given(travel).all(says_one_of) || !travel.answers.iter().all(answered) {
            return Err(Refusal::TravelNotTaken);
        }
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
    use wire::action::{Destination, Kind, Reference};

    fn withdrawals() -> impl Iterator<Item = (&'static str, &'static Action)> {
        all().iter().flat_map(|connector| {
            let withdraws = |action: &&Action| action.operation == Deed::Do(Kind::Withdraw);
            connector.actions.iter().filter(withdraws).map(|action| (connector.id.as_str(), action))
        })
    }

    #[test]
    fn what_is_told_of_a_receiver_is_sent_or_the_instruction_is_refused() {
        let mut instruction = Instruction::new(Kind::Withdraw, Reference([0; 16]), "USDT", Decimal::ONE);
        let field = |name: &str| Field { name: name.into(), text: "1".into() };
        let travel = |answers: Vec<Field>| {
            Some(Travel {
                destination: Destination::Own,
                institution: None,
                beneficiary: None,
                company: false,
                country: None,
                purpose: None,
                answers,
            })
        };
        let taken = |instruction: &Instruction| {
            withdrawals().filter(|(_, action)| check(action, instruction).is_ok()).map(|(id, _)| id).collect()
        };
        let without: Vec<&str> = taken(&instruction);
        instruction.travel = travel(Vec::new());
        let with: Vec<&str> = taken(&instruction);
        assert!(["binance", "bybit", "okx", "coinbase"].iter().all(|id| with.contains(id)), "{with:?}");
        assert!(with.len() < without.len());
        instruction.travel = travel(vec![field("declaration"), field("nobody_asks_this")]);
        let with: Vec<&str> = taken(&instruction);
        assert!(with.is_empty(), "{with:?}");
        instruction.travel = travel(vec![field("declaration")]);
        let with: Vec<&str> = taken(&instruction);
        assert!(with.contains(&"binance") && !with.contains(&"okx"), "{with:?}");
        // Bybit asks who receives it and where, and neither of which country nor what for.
        for (tell, is_taken) in [
            (
                &(|travel: &mut Travel| travel.beneficiary = Some("Ada Byron".into()))
                    as &dyn Fn(&mut Travel),
                true,
            ),
            (&|travel: &mut Travel| travel.country = Some("GB".into()), false),
            (&|travel: &mut Travel| travel.purpose = Some("rent".into()), false),
        ] {
            instruction.travel = travel(Vec::new());
            instruction.travel.iter_mut().for_each(tell);
            let with: Vec<&str> = taken(&instruction);
            assert_eq!(with.contains(&"bybit"), is_taken, "{with:?}");
        }
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
