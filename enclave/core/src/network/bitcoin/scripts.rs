//! Which addresses are an account's.

use crate::network::account::AccountError;
use crate::wallet::bitcoin::{Address, Branch, Descriptor, InvalidDescriptor, Network};
use crate::wallet::key::{ExtendedPublicKey, Hint, InvalidExtendedKey};

/// The addresses of an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scripts {
    pub(super) network: Network,
    pub(super) source: Source,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Source {
    Address(Address),
    /// Several where an extended key does not say what its addresses are: then each kind is looked for.
    Descriptors(Vec<Descriptor>),
}

/// A line of addresses, each with an index.
#[derive(Clone, Debug)]
pub(super) struct Line {
    pub(super) addresses: Addresses,
    /// The line that must have been used before this one is looked at.
    pub(super) after: Option<usize>,
}

#[derive(Clone, Debug)]
pub(super) enum Addresses {
    One(Address),
    Of(Network, Descriptor, Branch),
}

impl Scripts {
    /// Reads an address, an extended public key or a descriptor.
    pub fn parse(text: &str, network: Network) -> Result<Scripts, AccountError> {
        let source = match text.parse::<Address>() {
            Ok(address) if address.is_on(network) => {
                Source::Address(Address::new(network, address.destination))
            }
            Ok(_) => return Err(AccountError::Address),
            Err(_) => Source::Descriptors(descriptors(text)?),
        };
        let scripts = Scripts { network, source };
        // An extended key of another network has no address here.
        if scripts.lines().iter().all(|line| line.address(0).is_some()) {
            Ok(scripts)
        } else {
            Err(AccountError::Address)
        }
    }

    /// The address, where it is one that was named.
    pub(in crate::network) fn address(&self) -> Option<&Address> {
        match &self.source {
            Source::Address(address) => Some(address),
            Source::Descriptors(_) => None,
        }
    }

    /// Every line of addresses, those for others to pay to first.
    pub(super) fn lines(&self) -> Vec<Line> {
        let descriptors = match &self.source {
            Source::Address(address) => {
                return vec![Line { addresses: Addresses::One(address.clone()), after: None }];
            }
            Source::Descriptors(descriptors) => descriptors,
        };
        let is_guess = descriptors.len() > 1;
        let line = |descriptor: &Descriptor, branch, after| Line {
            addresses: Addresses::Of(self.network, descriptor.clone(), branch),
            after,
        };
        let receive = descriptors.iter().map(|descriptor| line(descriptor, Branch::Receive, None));
        let change = descriptors.iter().enumerate().filter(|(_, descriptor)| self.has_change(descriptor));
        let change = change.map(|(at, descriptor)| line(descriptor, Branch::Change, is_guess.then_some(at)));
        receive.chain(change).collect()
    }

    /// Whether the second branch has addresses of its own.
    fn has_change(&self, descriptor: &Descriptor) -> bool {
        let [receive, change] =
            [Branch::Receive, Branch::Change].map(|branch| descriptor.address(self.network, branch, 0));
        receive != change
    }
}

impl Line {
    /// The address at an index; none where the line has ended.
    pub(super) fn address(&self, index: u32) -> Option<Address> {
        match &self.addresses {
            Addresses::One(address) => (index == 0).then(|| address.clone()),
            Addresses::Of(network, descriptor, branch) => {
                let exists = index == 0 || descriptor.is_ranged();
                descriptor.address(*network, *branch, index).ok().filter(|_| exists)
            }
        }
    }
}

/// The descriptors that a text stands for.
fn descriptors(text: &str) -> Result<Vec<Descriptor>, AccountError> {
    let kinds: &[(&str, &str)] = match text.parse::<ExtendedPublicKey>().map(|key| key.hint) {
        Ok(Hint::Native) => &[("wpkh(", ")")],
        Ok(Hint::Nested) => &[("sh(wpkh(", "))")],
        // Wallets write these letters before keys of every kind of address.
        Ok(Hint::None) => &[("wpkh(", ")"), ("tr(", ")"), ("sh(wpkh(", "))"), ("pkh(", ")")],
        Err(InvalidExtendedKey::Private) => return Err(AccountError::Private),
        Err(InvalidExtendedKey::Malformed) => return described(text).map(|descriptor| vec![descriptor]),
    };
    kinds.iter().map(|(open, close)| described(&format!("{open}{text}/<0;1>/*{close}"))).collect()
}

fn described(text: &str) -> Result<Descriptor, AccountError> {
    // A bare key in wallet import format is told by what it would be inside a descriptor.
    let is_bare_key = Descriptor::parse(&format!("pkh({text})")) == Err(InvalidDescriptor::Private);
    match Descriptor::parse(text) {
        Ok(descriptor) => Ok(descriptor),
        Err(InvalidDescriptor::Private) => Err(AccountError::Private),
        Err(_) if is_bare_key => Err(AccountError::Private),
        Err(_) => Err(AccountError::Address),
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    /// The account of BIP 84's test vector.
    const ZPUB: &str = "zpub6rFR7y4Q2AijBEqTUquhVz398htDFrtymD9xYYfG1m4wAcvPhXNfE3EfH1r1ADqtfSdVCToUG868RvUUkgDKf31mGDtKsAYz2oz2AGutZYs";

    fn first(scripts: &Scripts) -> Vec<String> {
        scripts.lines().iter().map(|line| line.address(0).unwrap().to_string()).collect()
    }

    #[test]
    fn an_extended_key_that_says_its_kind_has_both_branches_of_it() {
        let scripts = Scripts::parse(ZPUB, Network::Main).unwrap();
        assert_eq!(
            first(&scripts),
            ["bc1qcr8te4kr609gcawutmrza0j4xv80jy8z306fyu", "bc1q8c6fshw2dlwun7ekn9qwf37cu2rn755upcp6el"]
        );
        assert_eq!(Scripts::parse(ZPUB, Network::Test), Err(AccountError::Address));
        let descriptor = format!("wpkh({ZPUB}/<0;1>/*)");
        assert_eq!(Scripts::parse(&descriptor, Network::Main), Ok(scripts));
    }

    #[test]
    fn an_extended_key_that_does_not_say_its_kind_is_looked_for_in_every_one() {
        let xpub = "xpub6BosfCnifzxcFwrSzQiqu2DBVTshkCXacvNsWGYJVVhhawA7d4R5WSWGFNbi8Aw6ZRc1brxMyWMzG3DSSSSoekkudhUd9yLb6qx39T9nMdj";
        let scripts = Scripts::parse(xpub, Network::Main).unwrap();
        assert_eq!(scripts.lines().len(), 8);
        // The first address of BIP 44's account 0 of the same phrase is among them.
        assert!(first(&scripts).contains(&"1LqBGSKuX5yYUonjxT5qGfpUsXKYYWeabA".to_owned()));
    }

    #[test]
    fn one_address_and_a_descriptor_of_one_key_are_one_line_of_one() {
        let address = Scripts::parse("bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4", Network::Main).unwrap();
        let key = "0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798";
        let descriptor = Scripts::parse(&format!("wpkh({key})"), Network::Main).unwrap();
        assert_eq!(first(&address), first(&descriptor));
        for scripts in [address, descriptor] {
            assert_eq!(scripts.lines().len(), 1);
            assert_eq!(scripts.lines().first().unwrap().address(1), None);
        }
    }
}
