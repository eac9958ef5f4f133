//! What a key may do, as the enclave found it at the provider: its signature, and how it is shown.

use crate::client::failure::{Failure, Result};
use crate::client::home::keys::sha256;
use crate::client::home::record::Record;
use crate::client::terminal::{emphasised, printable};
use aws_lc_rs::signature::{ED25519, UnparsedPublicKey};
use serde::Serialize;
use utoipa::ToSchema;
use wire::Canonical;
use wire::capability::{Capability, Finding, Source, State};
use wire::cose::{EDDSA, Protected, Sign1, to_be_signed};
use wire::identity::Identity;
use wire::transcript::domain;

/// What the enclave says of an address whose key has signed its text.
const PROVEN: &str = "proven";

/// One capability, for programs.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Capability)]
pub struct Shown {
    pub name: String,
    pub state: &'static str,
    pub source: &'static str,
}

/// Checks that the verified enclave signed this finding, and that it is about this connection.
pub fn check(bytes: &[u8], identity: &Identity, record: &Record) -> Result<Finding> {
    let (protected, finding, signed) = parse(bytes).ok_or_else(wrong)?;
    let expected = Protected { algorithm: EDDSA, key: sha256(&identity.receipt_key) };
    let payload = signed.payload.unwrap_or_default();
    UnparsedPublicKey::new(&ED25519, &identity.receipt_key)
        .verify(&to_be_signed(signed.protected, domain::CAPABILITY, payload), signed.signature)
        .map_err(|_| wrong())?;
    if protected != expected || finding.connection != record.id || finding.exchange != record.exchange {
        return Err(wrong());
    }
    Ok(finding)
}

/// A finding that was checked when it was stored.
pub fn stored(record: &Record) -> Option<Finding> {
    parse(&record.finding).map(|(_, finding, _)| finding)
}

fn parse(bytes: &[u8]) -> Option<(Protected, Finding, Sign1<'_>)> {
    let signed = Sign1::from_bytes(bytes).ok()?;
    let finding = Finding::from_bytes(signed.payload?).ok()?;
    Some((signed.protected().ok()?, finding, signed))
}

pub fn shown(finding: &Finding) -> Vec<Shown> {
    let show = |capability: &Capability| Shown {
        name: printable(&capability.name),
        state: state(capability.state),
        source: match capability.source {
            Source::Stated => "stated by the exchange",
            Source::Documented => "documented by the exchange",
            Source::Inferred if capability.name == PROVEN => "signed by its key",
            Source::Inferred => "inferred",
        },
    };
    finding.capabilities.iter().map(show).collect()
}

/// Whether the key can take money away. What nobody said is unknown, and unknown is treated as able.
pub fn withdraw(finding: &Finding) -> State {
    let stated = finding.capabilities.iter().find(|capability| capability.name == "withdraw");
    stated.map_or(State::Unknown, |capability| capability.state)
}

pub const fn state(state: State) -> &'static str {
    match state {
        State::No => "no",
        State::Yes => "yes",
        State::Unknown => "unknown",
    }
}

/// Whether the owner has proven that the address is theirs.
pub fn is_proven(finding: &Finding) -> bool {
    finding.capabilities.iter().any(|known| known.name == PROVEN && known.state == State::Yes)
}

/// A warning for a key that can, or could, withdraw.
pub fn warning(finding: &Finding) -> Option<String> {
    let exchange = printable(&finding.exchange);
    let sentence = match withdraw(finding) {
        State::No => return None,
        State::Yes => format!("WARNING: this key CAN WITHDRAW from your {exchange} account"),
        State::Unknown => {
            format!("WARNING: {exchange} does not say whether this key can withdraw: assume that it CAN")
        }
    };
    let hint = "hint: make a key with read permission only, link that, then `tensfer forget` this one and delete it at the exchange";
    Some(format!("{}\n{hint}", emphasised(&sentence)))
}

fn wrong() -> Failure {
    Failure::refused(
        "finding_refused",
        "the server's answer was refused: the statement about the key is not the enclave's",
    )
    .hint("nothing was stored; do not use this server")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::home::environment::Environment;
    use crate::client::home::realm::Realm;
    use crate::client::home::record::NewConnection;
    use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
    use wire::{ConnectionId, OrganisationId, UnixMillis};

    fn finding(withdraw: Option<State>) -> Finding {
        let capability = |name: &str, state| Capability {
            name: name.into(),
            state,
            source: Source::Stated,
            endpoint: None,
            response: None,
        };
        let withdraw = withdraw.map(|state| capability("withdraw", state));
        Finding {
            connection: ConnectionId([3; 16]),
            exchange: "kraken".into(),
            capabilities: std::iter::once(capability("read", State::Yes)).chain(withdraw).collect(),
            found: UnixMillis(1),
            expires: UnixMillis(2),
        }
    }

    fn record(id: u8) -> Record {
        Record::new(NewConnection {
            realm: Realm::Simulated,
            environment: Environment::Sandbox,
            id: ConnectionId([id; 16]),
            organisation: OrganisationId([1; 16]),
            server: String::new(),
            exchange: "kraken".into(),
            name: "k".into(),
            linked: 0,
        })
    }

    fn signed(key: &Ed25519KeyPair, domain: &str, finding: &Finding) -> Vec<u8> {
        let payload = finding.to_bytes();
        let protected = Protected { algorithm: EDDSA, key: sha256(key.public_key().as_ref()) }.to_bytes();
        let signature = key.sign(&to_be_signed(&protected, domain, &payload));
        Sign1 { protected: &protected, payload: Some(&payload), signature: signature.as_ref() }.to_bytes()
    }

    #[test]
    fn only_the_verified_enclaves_statement_about_this_connection_is_taken() {
        let (key, other) = (Ed25519KeyPair::generate().unwrap(), Ed25519KeyPair::generate().unwrap());
        let mut identity = crate::client::testing::identity();
        identity.receipt_key.copy_from_slice(key.public_key().as_ref());
        let finding = finding(Some(State::No));
        let bytes = signed(&key, domain::CAPABILITY, &finding);
        assert_eq!(check(&bytes, &identity, &record(3)).unwrap(), finding);
        assert!(check(&bytes, &identity, &record(4)).is_err());
        assert!(check(&signed(&key, domain::RECEIPT, &finding), &identity, &record(3)).is_err());
        assert!(check(&signed(&other, domain::CAPABILITY, &finding), &identity, &record(3)).is_err());
        for position in 0..bytes.len() {
            let mut altered = bytes.clone();
            altered[position] ^= 1;
            assert!(check(&altered, &identity, &record(3)).is_err(), "byte {position}");
        }
    }

    #[test]
    fn a_key_that_can_withdraw_or_might_is_warned_about() {
        assert_eq!(warning(&finding(Some(State::No))), None);
        assert!(warning(&finding(Some(State::Yes))).unwrap().contains("CAN WITHDRAW"));
        for unknown in [finding(Some(State::Unknown)), finding(None)] {
            assert!(warning(&unknown).unwrap().contains("assume that it CAN"));
        }
    }
}
