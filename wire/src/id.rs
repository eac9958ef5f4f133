//! Typed ids: 16 bytes, printed as a prefix and 32 hexadecimal digits. One alphabetical, append-only registry.

use core::fmt;
use minicbor::{Decode, Encode};

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident = $prefix:literal),+ $(,)?) => { $(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
        #[cbor(transparent)]
        pub struct $name(#[cbor(n(0), with = "minicbor::bytes")] pub [u8; 16]);

        impl $name {
            pub const PREFIX: &'static str = $prefix;

            /// Reads the printed form, and nothing else.
            pub fn parse(text: &str) -> Option<$name> {
                parse_hex(text.strip_prefix(concat!($prefix, "_"))?).map($name)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!($prefix, "_"))?;
                self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }
    )+ };
}

ids! {
    /// One start of an enclave program.
    BootId = "boot",
    /// One linked account: an envelope's identity through all its generations.
    ConnectionId = "conn",
    /// Something that was done at a host, by whom and when.
    EventId = "evt",
    /// What an owner lets somebody else ask for: made by the enclave.
    GrantId = "grant",
    /// An API key: derived from its public half (docs/spec/identity.md §2).
    KeyId = "key",
    /// A business, or the person's own space.
    OrganisationId = "org",
    /// A person's passkey: derived from its credential id (docs/spec/people.md §2).
    PasskeyId = "pk",
    /// Somebody who signs in at a host.
    PersonId = "person",
    /// What a host keeps of all connections, from its first entry on.
    RegisterId = "reg",
    /// A device that a person signed in with: derived from its public key (docs/spec/people.md §2).
    SessionId = "ses",
}

pub(crate) fn parse_hex(text: &str) -> Option<[u8; 16]> {
    let digits = text.as_bytes();
    if digits.len() != 32 {
        return None;
    }
    let mut id = [0u8; 16];
    for (byte, pair) in id.iter_mut().zip(digits.chunks_exact(2)) {
        let [high, low] = pair else { return None };
        *byte = digit(*high)? << 4 | digit(*low)?;
    }
    Some(id)
}

/// Lower case only: an id has one printed form.
fn digit(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_reads_back_as_it_prints() {
        let id = ConnectionId([0xa5; 16]);
        assert_eq!(ConnectionId::parse(&id.to_string()), Some(id));
    }

    #[test]
    fn an_id_has_one_printed_form() {
        let printed = ConnectionId([0xa5; 16]).to_string();
        for other in [
            printed.to_uppercase(),
            printed.replace("conn", "org"),
            printed.replace('_', ""),
            format!("{printed}0"),
            printed[..printed.len() - 1].to_owned(),
        ] {
            assert_eq!(ConnectionId::parse(&other), None, "{other}");
        }
    }
}
