//! What an envelope promises, and fixtures to break it with.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test fails by panicking")]

mod altered;
mod mistakes;
mod multikey;
mod promises;
mod vectors;

use super::*;
use crate::entropy::{Entropy, NoEntropy};
use crate::root::Roots;
use crate::secret::Secret;
use wire::capability::{Capability, Finding, Source, State};
use wire::consent::Class;
use wire::envelope::{Envelope, Purpose};
use wire::owner::{OwnerAlgorithm, OwnerKey, OwnerRole};
use wire::{Canonical, ConnectionId, OrganisationId, UnixMillis};

pub(crate) const CREDENTIAL: &[u8] = br#"{"apiKey":"marked-key","secret":"marked-secret"}"#;

/// Counts up: the same on every run. Only tests have such a source.
pub(crate) struct Counting(pub u64);

impl Entropy for Counting {
    fn fill(&mut self, out: &mut [u8]) -> Result<(), NoEntropy> {
        for bytes in out.chunks_mut(8) {
            self.0 += 1;
            bytes.iter_mut().zip(self.0.to_be_bytes()).for_each(|(to, from)| *to = from);
        }
        Ok(())
    }
}

/// Roots of epochs 1 to `epochs`.
pub(crate) fn roots(epochs: u32) -> Roots {
    let mut roots = Roots::new(1, &root(1)).unwrap();
    (2..=epochs).for_each(|epoch| roots.add(Class::Any, epoch, &root(epoch)).unwrap());
    roots
}

pub(crate) fn root(epoch: u32) -> Secret<32> {
    let mut root = [0xf0; 32];
    root.iter_mut().zip(epoch.to_be_bytes()).for_each(|(to, from)| *to = from);
    Secret::copied(&root)
}

pub(crate) fn share(byte: u8) -> Share {
    Share::parse(&[byte; 32]).unwrap()
}

pub(crate) fn subject() -> Subject {
    Subject {
        organisation: OrganisationId([0x11; 16]),
        connection: ConnectionId([0x22; 16]),
        purpose: Purpose::ExchangeCredential,
        class: Class::Any,
    }
}

pub(crate) fn owner(byte: u8, role: OwnerRole) -> OwnerKey {
    OwnerKey::new(OwnerAlgorithm::EdDsa, vec![byte; 32], role)
}

pub(crate) fn contents() -> Contents {
    Contents {
        exchange: "kraken".to_owned(),
        owners: vec![owner(0x31, OwnerRole::Device), owner(0x32, OwnerRole::Second)],
        finding: Finding {
            connection: subject().connection,
            exchange: "kraken".to_owned(),
            capabilities: vec![Capability {
                name: "withdraw".to_owned(),
                state: State::Unknown,
                source: Source::Documented,
                endpoint: Some("POST /0/private/GetApiKeyInfo".to_owned()),
                response: Some([0x41; 32]),
            }],
            found: UnixMillis(1_700_000_000_000),
            expires: UnixMillis(1_700_000_600_000),
        },
        created: UnixMillis(1_700_000_000_000),
    }
}

/// A first generation under epoch `epoch` of `roots(epoch)`, share 0x51.
pub(crate) fn sealed(epoch: u32) -> Envelope {
    seal(&subject(), &contents(), CREDENTIAL, &share(0x51), &roots(epoch), &mut Counting(0)).unwrap()
}

pub(crate) fn opened(envelope: &Envelope, share: &Share, roots: &Roots) -> Result<Opened, EnvelopeFault> {
    open(&envelope.to_bytes(), share, roots)
}

pub(crate) fn credential(opened: &Opened) -> Vec<u8> {
    opened.lend_credential(<[u8]>::to_vec)
}
