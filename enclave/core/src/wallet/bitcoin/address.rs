//! Addresses, and the scripts that they stand for.

use super::bech32::{self, Variant};
use crate::secp256k1::{PublicKey, XOnlyPublicKey};
use crate::wallet::base58;
use crate::wallet::ripemd160::hash160;
use core::fmt;
use core::str::FromStr;

/// Which chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Network {
    Main,
    /// Testnet and signet, whose addresses are the same.
    Test,
    Regtest,
}

/// What an output's script asks of its spender.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Destination {
    /// P2PKH.
    PublicKeyHash([u8; 20]),
    /// P2SH.
    ScriptHash([u8; 20]),
    /// P2WPKH (BIP 141).
    WitnessPublicKeyHash([u8; 20]),
    /// P2WSH (BIP 141).
    WitnessScriptHash([u8; 32]),
    /// P2TR (BIP 341).
    Taproot([u8; 32]),
    /// A witness program that no rule explains yet: today anyone can spend it.
    Future { version: u8, program: Vec<u8> },
}

/// A destination on a network. Base58 does not tell regtest from testnet: such a text reads as [`Network::Test`].
#[derive(Clone, PartialEq, Eq)]
pub struct Address {
    pub network: Network,
    pub destination: Destination,
}

/// No address: letters, length, checksum, version or network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidAddress;

const OP_0: u8 = 0x00;
const OP_1: u8 = 0x51;
const OP_16: u8 = 0x60;
const OP_DUP: u8 = 0x76;
const OP_EQUAL: u8 = 0x87;
const OP_EQUALVERIFY: u8 = 0x88;
const OP_HASH160: u8 = 0xa9;
const OP_CHECKSIG: u8 = 0xac;

impl Network {
    /// CAIP-2: `bip122` and the first 32 digits of the genesis block's hash.
    pub fn chain(self) -> &'static str {
        match self {
            Network::Main => "bip122:000000000019d6689c085ae165831e93",
            Network::Test => "bip122:000000000933ea01ad0ee984209779ba",
            Network::Regtest => "bip122:0f9188f13cb7b2c71f2a335e3a4fc328",
        }
    }

    fn prefix(self) -> &'static str {
        match self {
            Network::Main => "bc",
            Network::Test => "tb",
            Network::Regtest => "bcrt",
        }
    }

    /// The version bytes of P2PKH and P2SH.
    fn versions(self) -> (u8, u8) {
        if self == Network::Main { (0x00, 0x05) } else { (0x6f, 0xc4) }
    }
}

impl Destination {
    /// P2WPKH of a key.
    pub fn witness_public_key_hash(key: &PublicKey) -> Destination {
        Destination::WitnessPublicKeyHash(hash160(&key.compressed()))
    }

    /// P2PKH of a key.
    pub fn public_key_hash(key: &PublicKey) -> Destination {
        Destination::PublicKeyHash(hash160(&key.compressed()))
    }

    /// P2SH of another destination's script.
    pub fn nested(inner: &Destination) -> Destination {
        Destination::ScriptHash(hash160(&inner.script()))
    }

    /// P2TR of an internal key that is spent by signature alone (BIP 86).
    pub fn taproot(internal: &XOnlyPublicKey) -> Option<Destination> {
        internal.taproot_output().ok().map(|output| Destination::Taproot(output.bytes()))
    }

    /// The output's script.
    pub fn script(&self) -> Vec<u8> {
        match self {
            Destination::PublicKeyHash(hash) => {
                [&[OP_DUP, OP_HASH160, 20], hash.as_slice(), &[OP_EQUALVERIFY, OP_CHECKSIG]].concat()
            }
            Destination::ScriptHash(hash) => [&[OP_HASH160, 20], hash.as_slice(), &[OP_EQUAL]].concat(),
            Destination::WitnessPublicKeyHash(hash) => [&[OP_0, 20], hash.as_slice()].concat(),
            Destination::WitnessScriptHash(hash) => [&[OP_0, 32], hash.as_slice()].concat(),
            Destination::Taproot(key) => [&[OP_1, 32], key.as_slice()].concat(),
            Destination::Future { version, program } => {
                // A program has 2 to 40 bytes and a version 1 to 16: both fit a byte.
                let length = u8::try_from(program.len()).unwrap_or_default();
                [&[OP_1.saturating_add(*version).saturating_sub(1), length], program.as_slice()].concat()
            }
        }
    }

    /// What a script says, if it is of a form that has an address.
    pub fn of_script(script: &[u8]) -> Option<Destination> {
        match script {
            [OP_DUP, OP_HASH160, 20, hash @ .., OP_EQUALVERIFY, OP_CHECKSIG] => {
                Some(Destination::PublicKeyHash(hash.try_into().ok()?))
            }
            [OP_HASH160, 20, hash @ .., OP_EQUAL] => Some(Destination::ScriptHash(hash.try_into().ok()?)),
            [OP_0, length, program @ ..] => Destination::witness(0, program.get(..usize::from(*length))?)
                .filter(|_| usize::from(*length) == program.len()),
            [version @ OP_1..=OP_16, length, program @ ..] => {
                let version = version.checked_sub(OP_1)?.checked_add(1)?;
                Destination::witness(version, program).filter(|_| usize::from(*length) == program.len())
            }
            _ => None,
        }
    }

    fn witness(version: u8, program: &[u8]) -> Option<Destination> {
        match (version, program.len()) {
            (0, 20) => Some(Destination::WitnessPublicKeyHash(program.try_into().ok()?)),
            (0, 32) => Some(Destination::WitnessScriptHash(program.try_into().ok()?)),
            (1, 32) => Some(Destination::Taproot(program.try_into().ok()?)),
            (1..=16, 2..=40) => Some(Destination::Future { version, program: program.to_vec() }),
            _ => None,
        }
    }
}

impl Address {
    pub fn new(network: Network, destination: Destination) -> Address {
        Address { network, destination }
    }

    /// Whether this address can be paid on a network: Base58 calls testnet and regtest by one name.
    pub fn is_on(&self, network: Network) -> bool {
        let is_base58 =
            matches!(self.destination, Destination::PublicKeyHash(_) | Destination::ScriptHash(_));
        self.network == network || (is_base58 && self.network.versions() == network.versions())
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (key_hash, script_hash) = self.network.versions();
        let base58 = |version: u8, hash: &[u8]| base58::encode_check(&[&[version], hash].concat());
        let witness = |version: u8, program: &[u8]| {
            let groups = [&[version], bech32::to_groups(program).as_slice()].concat();
            let variant = if version == 0 { Variant::Bech32 } else { Variant::Bech32m };
            bech32::encode(self.network.prefix(), &groups, variant)
        };
        f.write_str(&match &self.destination {
            Destination::PublicKeyHash(hash) => base58(key_hash, hash),
            Destination::ScriptHash(hash) => base58(script_hash, hash),
            Destination::WitnessPublicKeyHash(hash) => witness(0, hash),
            Destination::WitnessScriptHash(hash) => witness(0, hash),
            Destination::Taproot(key) => witness(1, key),
            Destination::Future { version, program } => witness(*version, program),
        })
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Address {
    type Err = InvalidAddress;

    fn from_str(text: &str) -> Result<Address, InvalidAddress> {
        segwit(text).or_else(|| legacy(text)).ok_or(InvalidAddress)
    }
}

fn segwit(text: &str) -> Option<Address> {
    let decoded = bech32::decode(text)?;
    let networks = [Network::Main, Network::Test, Network::Regtest];
    let network = networks.into_iter().find(|network| network.prefix() == decoded.prefix)?;
    let (version, program) = decoded.groups.split_first()?;
    let wanted = if *version == 0 { Variant::Bech32 } else { Variant::Bech32m };
    let program = bech32::to_bytes(program).filter(|_| decoded.variant == wanted)?;
    Some(Address { network, destination: Destination::witness(*version, &program)? })
}

fn legacy(text: &str) -> Option<Address> {
    let bytes = base58::decode_check(text).ok()?;
    let (version, hash) = bytes.split_first()?;
    let hash = <[u8; 20]>::try_from(hash).ok()?;
    [Network::Main, Network::Test].into_iter().find_map(|network| {
        let destination = match network.versions() {
            (key_hash, _) if *version == key_hash => Destination::PublicKeyHash(hash),
            (_, script_hash) if *version == script_hash => Destination::ScriptHash(hash),
            _ => return None,
        };
        Some(Address { network, destination })
    })
}

#[cfg(test)]
#[expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]
mod tests {
    use super::*;
    use crate::wallet::vectors::read;
    use proptest::prelude::*;

    #[test]
    fn published_segwit_addresses_stand_for_their_scripts() {
        let vectors = read(include_str!("../../../../../vectors/wallet/segwit-addresses.json"));
        for case in vectors.list("valid") {
            let address: Address = case.text("address").parse().unwrap();
            assert_eq!(address.destination.script(), case.bytes("script"));
            assert_eq!(Destination::of_script(&case.bytes("script")).unwrap(), address.destination);
            assert_eq!(address.to_string(), case.text("address").to_lowercase());
        }
    }

    #[test]
    fn published_broken_addresses_are_refused() {
        let vectors = read(include_str!("../../../../../vectors/wallet/segwit-addresses.json"));
        for case in vectors.list("invalid") {
            assert_eq!(
                case.text("address").parse::<Address>(),
                Err(InvalidAddress),
                "{}",
                case.text("reason")
            );
        }
    }

    #[test]
    fn legacy_addresses_are_read_and_written() {
        // The first block's, BIP 13's, and their forms on testnet.
        for (text, network) in [
            ("1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa", Network::Main),
            ("3P14159f73E4gFr7JterCCQh9QjiTjiZrG", Network::Main),
            ("mipcBbFg9gMiCh81Kj8tqqdgoZub1ZJRfn", Network::Test),
            ("2MzQwSSnBHWHqSAqtTVQ6v47XtaisrJa1Vc", Network::Test),
        ] {
            let address: Address = text.parse().unwrap();
            assert_eq!(address.network, network);
            assert_eq!(address.to_string(), text);
            assert_eq!(
                Destination::of_script(&address.destination.script()),
                Some(address.destination.clone())
            );
            assert_eq!(address.is_on(Network::Regtest), network == Network::Test);
        }
    }

    #[test]
    fn every_altered_letter_of_an_address_is_refused() {
        for text in ["bc1qcr8te4kr609gcawutmrza0j4xv80jy8z306fyu", "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa"] {
            for at in 0..text.len() {
                for letter in ["q", "p", "2", "Z"] {
                    let mut other = text.to_owned();
                    other.replace_range(at..=at, letter);
                    assert!(other == text || other.parse::<Address>().is_err(), "{other}");
                }
            }
        }
    }

    proptest! {
        #[test]
        fn a_script_has_one_address_or_none(script in proptest::collection::vec(any::<u8>(), 0..45), kind in 0_usize..4) {
            let heads: [&[u8]; 4] = [&[OP_0, 20], &[OP_1, 32], &[OP_HASH160, 20], &[OP_DUP, OP_HASH160, 20]];
            for script in [[heads[kind], &script].concat(), script] {
                let Some(destination) = Destination::of_script(&script) else { continue };
                prop_assert_eq!(destination.script(), script);
                let address = Address::new(Network::Test, destination);
                prop_assert_eq!(address.to_string().parse(), Ok(address));
            }
        }

        #[test]
        fn arbitrary_text_is_read_or_refused(text in "(bc1|tb1|bcrt1|)[a-z0-9]{0,100}") {
            if let Ok(address) = text.parse::<Address>() {
                prop_assert_eq!(address.to_string(), text);
            }
        }
    }
}
