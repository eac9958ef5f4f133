//! Signed structures (EIP-712).

use super::Address;
use super::abi::{self, Word};
use crate::keccak::keccak256;
use crate::wallet::u256::U256;

/// What a signature is for. Fields that are absent are absent from its type.
#[derive(Clone, Debug, Default)]
pub struct Domain<'a> {
    pub name: Option<&'a str>,
    pub version: Option<&'a str>,
    pub chain_id: Option<u64>,
    pub verifying_contract: Option<Address>,
    pub salt: Option<[u8; 32]>,
}

/// The value of a member of a structure.
#[derive(Clone, Debug)]
pub enum Field<'a> {
    /// `string`.
    Text(&'a str),
    /// `bytes`.
    Bytes(&'a [u8]),
    /// `bytes1` to `bytes32`: at the front of the word.
    Fixed(&'a [u8]),
    /// `uint8` to `uint256`, `bool` as 0 or 1.
    Number(U256),
    /// `address`.
    Address(Address),
    /// A structure, by its [`struct_hash`].
    Struct([u8; 32]),
    /// An array, by its members.
    Array(Vec<Field<'a>>),
}

/// What is signed: `keccak256(0x1901 ‖ domain separator ‖ struct hash)`.
pub fn typed_hash(domain: &Domain<'_>, message: &[u8; 32]) -> [u8; 32] {
    keccak256(&[[0x19, 0x01].as_slice(), &domain.separator(), message].concat())
}

/// `hashStruct`: `keccak256(keccak256(type) ‖ words of the members)`. The type is written as `encodeType` does, with
/// the types that it refers to behind it in alphabetical order.
pub fn struct_hash(encoded_type: &str, members: &[Field<'_>]) -> [u8; 32] {
    let words = members.iter().map(Field::word);
    let words: Vec<Word> = core::iter::once(keccak256(encoded_type.as_bytes())).chain(words).collect();
    keccak256(words.as_flattened())
}

impl Domain<'_> {
    /// The struct hash of the domain.
    pub fn separator(&self) -> [u8; 32] {
        let members = [
            ("string name", self.name.map(Field::Text)),
            ("string version", self.version.map(Field::Text)),
            ("uint256 chainId", self.chain_id.map(|id| Field::Number(id.into()))),
            ("address verifyingContract", self.verifying_contract.map(Field::Address)),
            ("bytes32 salt", self.salt.map(Field::Struct)),
        ];
        let (types, values): (Vec<_>, Vec<_>) =
            members.into_iter().filter_map(|(name, value)| Some((name, value?))).unzip();
        struct_hash(&format!("EIP712Domain({})", types.join(",")), &values)
    }
}

impl Field<'_> {
    fn word(&self) -> Word {
        match self {
            Field::Text(text) => keccak256(text.as_bytes()),
            Field::Bytes(bytes) => keccak256(bytes),
            Field::Fixed(bytes) => {
                let mut word = [0; 32];
                for (to, from) in word.iter_mut().zip(*bytes) {
                    *to = *from;
                }
                word
            }
            Field::Number(number) => abi::number(*number),
            Field::Address(address) => abi::address(address),
            Field::Struct(hash) => *hash,
            Field::Array(members) => {
                let words: Vec<Word> = members.iter().map(Field::word).collect();
                keccak256(words.as_flattened())
            }
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::wallet::vectors::{Case, read};

    const PERSON: &str = "Person(string name,address[] wallets)";

    fn person(case: &Case) -> [u8; 32] {
        let wallets = case.list("wallets");
        let wallets = wallets.iter().map(|wallet| Field::Address(wallet.text("address").parse().unwrap()));
        struct_hash(PERSON, &[Field::Text(case.text("name")), Field::Array(wallets.collect())])
    }

    #[test]
    fn an_independent_library_hashes_the_same_structures() {
        for case in read(include_str!("../../../../../vectors/wallet/evm.json")).list("typed") {
            let contract = case.text("verifying_contract").parse().unwrap();
            let domain = Domain {
                name: Some(case.text("domain_name")),
                version: Some(case.text("version")),
                chain_id: Some(case.number("chain_id")),
                verifying_contract: Some(contract),
                salt: None,
            };
            let members = [
                Field::Struct(person(&case.object("from"))),
                Field::Text(case.text("contents")),
                Field::Bytes(&case.bytes("attachment")),
                Field::Fixed(&case.bytes("tag")),
                Field::Number(case.text("amount").parse().unwrap()),
            ];
            let encoded = format!(
                "Mail(Person from,string contents,bytes attachment,bytes4 tag,uint256 amount){PERSON}"
            );
            assert_eq!(domain.separator().to_vec(), case.bytes("separator"));
            assert_eq!(typed_hash(&domain, &struct_hash(&encoded, &members)).to_vec(), case.bytes("hash"));
        }
    }

    #[test]
    fn a_field_that_is_absent_is_absent_from_the_type() {
        let expected = keccak256([keccak256(b"EIP712Domain(string name)"), keccak256(b"A")].as_flattened());
        assert_eq!(Domain { name: Some("A"), ..Domain::default() }.separator(), expected);
    }
}
