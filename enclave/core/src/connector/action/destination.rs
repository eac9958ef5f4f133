//! Where a withdrawal goes: an address of its chain, with a tag where there are tags and without where there are none.

use super::super::model_action::Recipient;
use super::recipient::recipient;
use crate::wallet::{bitcoin, evm, solana};
use wire::Refusal;
use wire::action::Instruction;

const BITCOIN: &str = "bip122:000000000019d6689c085ae165831e93";
const SOLANA: &str = "solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp";
const XRP: &str = "xrpl:0";

/// Chains whose addresses stand alone, by their CAIP-2 namespace.
const WITHOUT_TAGS: [&str; 4] = ["eip155", "bip122", "solana", "tron"];

/// Whom an address without a chain names, in ours and the provider's words; none where there is a chain, or no address.
///
/// `recipients` are those whom the action pays. m32: an action that pays none of them takes no address without its chain.
pub fn payee<'a>(
    instruction: &Instruction,
    recipients: &'a [(Recipient, String)],
) -> Result<Option<&'a (Recipient, String)>, Refusal> {
    let (Some(address), None) = (instruction.address.as_deref(), &instruction.chain) else {
        return Ok(None);
    };
    if recipients.is_empty() {
        return Err(Refusal::UnknownNetwork);
    }
    if instruction.tag.is_some() {
        return Err(Refusal::TagNotTaken);
    }
    let kind = recipient(address).ok_or(Refusal::AddressMalformed)?;
    recipients.iter().find(|(known, _)| *known == kind).map(Some).ok_or(Refusal::AddressMalformed)
}

/// Checks address and tag as far as the chain is known here. Without a chain there is no address of one to check.
pub fn check(instruction: &Instruction) -> Result<(), Refusal> {
    let (Some(address), Some(chain)) = (instruction.address.as_deref(), instruction.chain.as_deref()) else {
        return Ok(());
    };
    let (namespace, _) = chain.split_once(':').ok_or(Refusal::UnknownNetwork)?;
    if !is_address(chain, namespace, address) {
        return Err(Refusal::AddressMalformed);
    }
    match instruction.tag.as_deref() {
        Some(_) if WITHOUT_TAGS.contains(&namespace) => Err(Refusal::TagNotTaken),
        // A destination tag is a number of 32 bits.
        Some(tag) if chain == XRP && !is_number(tag) => Err(Refusal::AddressMalformed),
        _ => Ok(()),
    }
}

/// Whether it can be an address of the chain; of a chain that is not known here, nothing is said.
fn is_address(chain: &str, namespace: &str, address: &str) -> bool {
    match (namespace, chain) {
        ("eip155", _) => address.parse::<evm::Address>().is_ok(),
        (_, BITCOIN) => {
            let parsed = address.parse::<bitcoin::Address>();
            parsed.is_ok_and(|address| address.is_on(bitcoin::Network::Main))
        }
        (_, SOLANA) => address.parse::<solana::Address>().is_ok(),
        _ => true,
    }
}

fn is_number(tag: &str) -> bool {
    tag.parse::<u32>().is_ok_and(|number| number.to_string() == tag)
}

#[cfg(test)]
mod tests {
    use super::*;
    use wire::Decimal;
    use wire::action::{Kind, Reference};

    fn checked(chain: Option<&str>, address: &str, tag: Option<&str>) -> Result<(), Refusal> {
        let mut instruction = Instruction::new(Kind::Withdraw, Reference([0; 16]), "X", Decimal::ONE);
        instruction.chain = chain.map(str::to_owned);
        instruction.address = Some(address.to_owned());
        instruction.tag = tag.map(str::to_owned);
        check(&instruction)
    }

    #[test]
    fn an_address_of_another_chain_or_with_a_wrong_checksum_is_refused() {
        let good = "0x52908400098527886E0F7030069857D2E4169EE7";
        let bitcoin = "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4";
        let solana = "So11111111111111111111111111111111111111112";
        let malformed = Err(Refusal::AddressMalformed);
        assert_eq!(checked(Some("eip155:1"), good, None), Ok(()));
        assert_eq!(checked(Some("eip155:1"), &good.replace("EE7", "eE7"), None), malformed);
        assert_eq!(checked(Some("eip155:1"), bitcoin, None), malformed);
        assert_eq!(checked(Some(BITCOIN), bitcoin, None), Ok(()));
        assert_eq!(checked(Some(BITCOIN), &bitcoin.replace("t4", "t5"), None), malformed);
        assert_eq!(checked(Some(BITCOIN), "tb1qw508d6qejxtdg4y5r3zarvary0c5xw7kxpjzsx", None), malformed);
        assert_eq!(checked(Some(SOLANA), solana, None), Ok(()));
        assert_eq!(checked(Some(SOLANA), &solana[1..], None), malformed);
    }

    #[test]
    fn m32_an_address_without_a_chain_is_taken_where_a_person_is_paid_and_nowhere_else() {
        let mut instruction = Instruction::new(Kind::Withdraw, Reference([0; 16]), "USD", Decimal::ONE);
        instruction.address = Some("0x52908400098527886E0F7030069857D2E4169EE7".to_owned());
        assert_eq!(payee(&instruction, &[]), Err(Refusal::UnknownNetwork));
        let people = [(Recipient::Email, "EMAIL".to_owned())];
        assert_eq!(payee(&instruction, &people), Err(Refusal::AddressMalformed));
        instruction.address = Some("someone@example.com".to_owned());
        assert_eq!(payee(&instruction, &people), Ok(people.first()));
        instruction.tag = Some("7".to_owned());
        assert_eq!(payee(&instruction, &people), Err(Refusal::TagNotTaken));
    }

    #[test]
    fn m32_a_tag_stands_only_where_the_chain_has_tags() {
        let good = "0x52908400098527886E0F7030069857D2E4169EE7";
        assert_eq!(checked(Some("eip155:1"), good, Some("7")), Err(Refusal::TagNotTaken));
        assert_eq!(checked(Some(XRP), "rEb8TK3gBgk5auZkwc6sHnwrGVJH8DuaLh", Some("7")), Ok(()));
        assert_eq!(
            checked(Some(XRP), "rEb8TK3gBgk5auZkwc6sHnwrGVJH8DuaLh", Some("07")),
            Err(Refusal::AddressMalformed)
        );
    }
}
