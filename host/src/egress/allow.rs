//! Which hosts egress connects to: a list, and nothing that only looks like it.

use crate::confinement::Kept;
use std::collections::HashSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// Below this, and only below it, lie the sandbox's providers (RFC 6761: `test` never resolves).
const SANDBOX: &str = ".sandbox.test";
const HTTPS: u16 = 443;
/// RFC 1035 §2.3.4.
const LONGEST_NAME: usize = 253;
const LONGEST_LABEL: usize = 63;

/// The list.
#[derive(Clone, Debug)]
pub enum Allow {
    /// These names, on port 443, at addresses of the public internet.
    Live(HashSet<String>),
    /// `*.sandbox.test` on port 443: every name is this port of 127.0.0.1.
    Sandbox(u16),
}

/// Where to connect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    Name(String),
    Address(SocketAddr),
}

/// Why not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// Not `u16be port ‖ host name` in lower-case letters, digits, hyphens and dots.
    Malformed,
    Port,
    Host,
    TooMany,
}

impl core::fmt::Display for Refused {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Refused::Malformed => "not a host name and a port",
            Refused::Port => "not port 443",
            Refused::Host => "not a listed host",
            Refused::TooMany => "too many streams, or one of that number",
        })
    }
}

impl core::error::Error for Refused {}

impl Allow {
    /// What whoever connects there needs of the system. Answers that are too long for a datagram come by TCP, from port 53.
    pub fn kept(&self) -> Kept {
        match self {
            Allow::Live(_) => Kept { ports: vec![HTTPS, 53], names: true, ..Kept::default() },
            Allow::Sandbox(port) => Kept { ports: vec![*port], ..Kept::default() },
        }
    }

    /// What the body of an `EgressOpen` (`u16be port ‖ host name`) asks for, if it is on the list.
    pub fn check(&self, body: &[u8]) -> Result<Target, Refused> {
        let (port, name) = body.split_first_chunk::<2>().ok_or(Refused::Malformed)?;
        let name = host_name(name).ok_or(Refused::Malformed)?;
        if u16::from_be_bytes(*port) != HTTPS {
            return Err(Refused::Port);
        }
        match self {
            Allow::Live(names) if names.contains(name) => Ok(Target::Name(name.to_owned())),
            Allow::Sandbox(port) if name.len() > SANDBOX.len() && name.ends_with(SANDBOX) => {
                Ok(Target::Address(SocketAddr::from((Ipv4Addr::LOCALHOST, *port))))
            }
            Allow::Live(_) | Allow::Sandbox(_) => Err(Refused::Host),
        }
    }
}

/// A name in its one spelling: lower-case labels of letters, digits and inner hyphens, at least two of them, no dot
/// at the end, and no number as the last one (that would be an IP address).
fn host_name(bytes: &[u8]) -> Option<&str> {
    let name = std::str::from_utf8(bytes).ok().filter(|name| name.len() <= LONGEST_NAME)?;
    let is_label = |label: &str| {
        (1..=LONGEST_LABEL).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let (_, last) = name.rsplit_once('.')?;
    let is_number = last.bytes().all(|byte| byte.is_ascii_digit());
    (!is_number && name.split('.').all(is_label)).then_some(name)
}

/// Whether an address is of the public internet: a resolver that lies must not lead us to our own network.
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => match address.to_ipv4_mapped() {
            Some(mapped) => is_public_v4(mapped),
            None => is_public_v6(address),
        },
    }
}

/// RFC 6890's registry, as far as it is not globally reachable.
fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let reserved = a == 0
        || a >= 240
        || (a == 100 && (64..128).contains(&b))
        || (a == 192 && b == 0 && c == 0)
        || (a == 198 && (18..20).contains(&b));
    !(reserved
        || address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_multicast()
        || address.is_documentation())
}

/// Global unicast (2000::/3), without documentation, Teredo and 6to4, which lead elsewhere.
fn is_public_v6(address: Ipv6Addr) -> bool {
    let [first, second, ..] = address.segments();
    let tunnel = first == 0x2002 || (first == 0x2001 && second == 0);
    first & 0xe000 == 0x2000 && !tunnel && !(first == 0x2001 && second == 0xdb8)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(port: u16, name: &str) -> Vec<u8> {
        [&port.to_be_bytes()[..], name.as_bytes()].concat()
    }

    fn live() -> Allow {
        Allow::Live(HashSet::from(["api.kraken.com".to_owned()]))
    }

    #[test]
    fn a_listed_host_is_reached_by_its_name_and_the_sandbox_at_its_port() {
        let listed = Target::Name("api.kraken.com".to_owned());
        assert_eq!(live().check(&body(443, "api.kraken.com")), Ok(listed));
        let sandbox = Target::Address("127.0.0.1:4433".parse().unwrap());
        assert_eq!(Allow::Sandbox(4433).check(&body(443, "api.kraken.com.sandbox.test")), Ok(sandbox));
    }

    #[test]
    fn everything_else_is_refused() {
        for name in [
            "",
            ".",
            "localhost",
            "127.0.0.1",
            "2130706433",
            "0x7f.1",
            "[::1]",
            "::1",
            "api.kraken.com.",
            "API.kraken.com",
            "api.Kraken.com",
            "api.kraken.com\0",
            "api.kraken.com ",
            " api.kraken.com",
            "kraken.com",
            "x.api.kraken.com",
            "api.kraken.com.evil.example",
            "api.kraken.com:443",
            "api.kraken.com/",
            "-a.com",
            "api..kraken.com",
            ".api.kraken.com",
            "api.kraken.com.sandbox.test.",
            "sandbox.test",
            ".sandbox.test",
            "xsandbox.test",
            "a.sandbox.test.example",
            "a.Sandbox.test",
            "a\u{430}.sandbox.test",
            "10.0.0.1.sandbox.test.",
            "user@a.sandbox.test",
            "a_b.sandbox.test",
            "169.254.169.254",
        ] {
            assert!(live().check(&body(443, name)).is_err(), "live: `{name}`");
            assert!(Allow::Sandbox(4433).check(&body(443, name)).is_err(), "sandbox: `{name}`");
        }
        // Neither list is the other's.
        assert_eq!(live().check(&body(443, "api.kraken.com.sandbox.test")), Err(Refused::Host));
        assert_eq!(Allow::Sandbox(1).check(&body(443, "api.kraken.com")), Err(Refused::Host));
        for port in [0, 80, 442, 444, 4433, u16::MAX] {
            assert_eq!(live().check(&body(port, "api.kraken.com")), Err(Refused::Port));
            assert_eq!(Allow::Sandbox(4433).check(&body(port, "a.sandbox.test")), Err(Refused::Port));
        }
        assert_eq!(live().check(&[]), Err(Refused::Malformed));
        assert_eq!(live().check(&[1]), Err(Refused::Malformed));
        let long = format!("{}.sandbox.test", "a.".repeat(130));
        assert_eq!(Allow::Sandbox(1).check(&body(443, &long)), Err(Refused::Malformed));
    }

    #[test]
    fn a_resolver_cannot_lead_to_our_own_network() {
        for address in [
            "127.0.0.1",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.0.1",
            "169.254.169.254",
            "0.0.0.0",
            "100.64.0.1",
            "224.0.0.1",
            "255.255.255.255",
            "198.18.0.1",
            "192.0.2.1",
            "::1",
            "::",
            "fe80::1",
            "fc00::1",
            "::ffff:127.0.0.1",
            "ff02::1",
            "2002:7f00:1::",
            "64:ff9b::7f00:1",
            "2001:db8::1",
            "2001::1",
        ] {
            assert!(!is_public(address.parse().unwrap()), "{address}");
        }
        for address in ["104.16.0.1", "8.8.8.8", "2606:4700::1"] {
            assert!(is_public(address.parse().unwrap()), "{address}");
        }
    }
}
