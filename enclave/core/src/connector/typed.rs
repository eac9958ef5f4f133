//! What an Ethereum key signs of a structure (EIP-712).

use super::ethereum::{Member, Structure};
use crate::wallet::evm::{Domain, Field, struct_hash, typed_hash};
use crate::wallet::hex;

/// What is signed, for these texts of the members in order: numbers decimal, bytes and addresses hexadecimal. Nothing
/// where one is not of its type.
pub fn hash(structure: &Structure, texts: &[String]) -> Option<[u8; 32]> {
    let decoded: Vec<Option<Vec<u8>>> =
        texts.iter().map(|text| hex::decode(text.strip_prefix("0x").unwrap_or(text))).collect();
    let members = structure.members.iter().zip(texts.iter().zip(&decoded));
    let fields: Vec<Field<'_>> = members
        .map(|((member, _), (text, bytes))| field(*member, text, bytes.as_deref()))
        .collect::<Option<_>>()?;
    let domain = Domain {
        name: structure.name.as_deref(),
        version: structure.version.as_deref(),
        chain_id: structure.chain_id,
        verifying_contract: structure.contract.as_ref().and_then(|text| text.parse().ok()),
        salt: None,
    };
    Some(typed_hash(&domain, &struct_hash(&structure.encoded_type, &fields)))
}

fn field<'t>(member: Member, text: &'t str, bytes: Option<&'t [u8]>) -> Option<Field<'t>> {
    Some(match member {
        Member::Text => Field::Text(text),
        Member::Bytes => Field::Bytes(bytes?),
        Member::Fixed(size) => Field::Fixed(bytes.filter(|bytes| bytes.len() == size)?),
        Member::Number => Field::Number(text.parse().ok()?),
        Member::Bool => Field::Number(u64::from(text.parse::<bool>().ok()?).into()),
        Member::Address => Field::Address(text.parse().ok()?),
    })
}
