//! A network of addresses (RFC 4632, RFC 4291 §2.3), in one spelling.

use core::fmt::{self, Display, Formatter};
use std::net::IpAddr;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    /// Leading bits that count.
    prefix: u8,
}

impl Network {
    /// `ADDRESS/PREFIX` in canonical text, without a bit set beyond the prefix. An IPv4 address within IPv6 is refused: requests of
    /// IPv4 are of IPv4 here, whatever socket they came through.
    pub fn parse(text: &str) -> Option<Network> {
        let (address, prefix) = text.split_once('/')?;
        let network = Network { address: address.parse().ok()?, prefix: prefix.parse().ok()? };
        let is_plain = network.address.to_canonical() == network.address;
        let is_whole = network.prefix <= width(network.address)
            && first_bits(network.address, network.prefix) == bits(network.address);
        (is_plain && is_whole && network.to_string() == text).then_some(network)
    }

    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        width(address) == width(self.address) && first_bits(address, self.prefix) == bits(self.address)
    }

    /// Whether every address of `other` is in it.
    pub fn covers(&self, other: &Network) -> bool {
        self.prefix <= other.prefix && self.contains(other.address)
    }
}

impl Display for Network {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.prefix)
    }
}

fn width(address: IpAddr) -> u8 {
    if address.is_ipv4() { 32 } else { 128 }
}

fn bits(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => address.to_bits().into(),
        IpAddr::V6(address) => address.to_bits(),
    }
}

/// The address with every other bit cleared. `prefix` is at most its width.
fn first_bits(address: IpAddr, prefix: u8) -> u128 {
    let others = u32::from(width(address) - prefix);
    let kept = u128::MAX.checked_shl(others).unwrap_or(0);
    bits(address) & kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_holds_the_addresses_of_its_prefix_and_no_other() {
        for (network, inside, outside) in [
            ("10.0.0.0/8", "10.255.255.255", "11.0.0.0"),
            ("192.0.2.7/32", "192.0.2.7", "192.0.2.8"),
            ("0.0.0.0/0", "203.0.113.9", "::1"),
            ("2001:db8::/32", "2001:db8:ffff::1", "2001:db9::"),
            ("::1/128", "::1", "127.0.0.1"),
            ("::/0", "2001:db8::1", "0.0.0.0"),
            ("127.0.0.0/8", "::ffff:127.0.0.1", "::1"),
        ] {
            let network = Network::parse(network).unwrap();
            assert!(network.contains(inside.parse().unwrap()), "{network} {inside}");
            assert!(!network.contains(outside.parse().unwrap()), "{network} {outside}");
        }
    }

    #[test]
    fn a_network_has_one_spelling() {
        for text in [
            "",
            "10.0.0.0",
            "10.0.0.0/",
            "10.0.0.0/33",
            "10.0.0.0/08",
            "10.0.0.0/+8",
            "10.0.0.1/8",
            "010.0.0.0/8",
            "10/8",
            "::/129",
            "2001:DB8::/32",
            "2001:db8::1/32",
            "::ffff:10.0.0.0/104",
            "fe80::1%eth0/128",
            "10.0.0.0/8 ",
        ] {
            assert_eq!(Network::parse(text), None, "{text}");
        }
    }
}
