//! What the gateway and operators ask of `identity`, and what they are told (docs/spec/identity.md §8). Canonical CBOR.

use super::Refusal;
use crate::policy::PolicyName;
use crate::signatures::Refused;
use core::fmt::{self, Debug, Formatter};
use minicbor::{Decode, Encode};
use wire::{Canonical, UnixMillis};

/// The head of a request as the gateway received it: all that a signature may cover.
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
pub struct Head {
    /// The request's name in the gateway's log.
    #[n(0)]
    pub request: String,
    /// Whether it came over TLS.
    #[n(1)]
    pub is_https: bool,
    #[n(2)]
    pub method: String,
    #[n(3)]
    pub authority: String,
    #[n(4)]
    pub target: String,
    #[n(5)]
    pub fields: Vec<HeadField>,
    /// Who connected, as the kernel said: an IP address.
    #[n(6)]
    pub peer: String,
}

/// A field line: the name, and the value as received.
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
pub struct HeadField {
    #[n(0)]
    pub name: String,
    #[cbor(n(1), with = "minicbor::bytes")]
    pub value: Vec<u8>,
}

/// A request that was admitted, and its body: what a service is asked to do.
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
pub struct Admitted {
    /// What `identity` said ([`super::token`]).
    #[n(0)]
    pub token: String,
    #[cbor(n(1), with = "minicbor::bytes")]
    pub body: Vec<u8>,
}

/// A request that is signed with a key that its own body registers.
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
pub struct Introduction {
    #[n(0)]
    pub head: Head,
    #[cbor(n(1), with = "minicbor::bytes")]
    pub body: Vec<u8>,
}

/// A ceremony that nobody who is known begins: what was sent, and from where.
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
pub struct Begin {
    /// Who connected, as the kernel said: an IP address.
    #[n(0)]
    pub peer: String,
    #[cbor(n(1), with = "minicbor::bytes")]
    pub body: Vec<u8>,
}

/// Status and JSON.
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
pub struct Reply {
    #[n(0)]
    pub status: u16,
    #[n(1)]
    pub body: String,
}

/// An organisation's name, from an operator.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct NewOrganisation {
    #[n(0)]
    pub name: String,
}

/// An organisation that is to get one more key, from an operator.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Invite {
    #[n(0)]
    pub organisation: String,
}

/// What an operator is told once.
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
pub struct Invited {
    #[n(0)]
    pub organisation: String,
    /// A secret, until it was used.
    #[n(1)]
    pub code: String,
    #[n(2)]
    pub expires: UnixMillis,
}

#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Listed {
    #[n(0)]
    pub organisations: Vec<ListedOrganisation>,
}

#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct ListedOrganisation {
    #[n(0)]
    pub id: String,
    #[n(1)]
    pub name: String,
    #[n(2)]
    pub created: UnixMillis,
}

impl Canonical<'_> for Head {}
impl Canonical<'_> for Admitted {}
impl Canonical<'_> for Introduction {}
impl Canonical<'_> for Begin {}
impl Canonical<'_> for Reply {}
impl Canonical<'_> for NewOrganisation {}
impl Canonical<'_> for Invite {}
impl Canonical<'_> for Invited {}
impl Canonical<'_> for Listed {}

/// Why a request is not answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Denied {
    /// Nobody who is known signed it, or not so that it counts.
    Unsigned(Refused),
    Refused(Refusal),
    /// By this policy.
    Forbidden(Refusal, PolicyName),
}

impl Denied {
    /// On the way to the gateway.
    pub fn to_text(self) -> String {
        match self {
            Denied::Unsigned(refused) => format!("unsigned {}", refused.code()),
            Denied::Refused(refusal) => format!("refused {}", refusal.code()),
            Denied::Forbidden(refusal, policy) => format!("forbidden {} {policy}", refusal.code()),
        }
    }

    pub fn from_text(text: &str) -> Option<Denied> {
        match text.split_once(' ')? {
            ("unsigned", code) => {
                Refused::ALL.iter().copied().find(|refused| refused.code() == code).map(Denied::Unsigned)
            }
            ("refused", code) => Refusal::from_code(code).map(Denied::Refused),
            ("forbidden", why) => {
                let (code, policy) = why.split_once(' ')?;
                Some(Denied::Forbidden(Refusal::from_code(code)?, PolicyName::parse(policy)?))
            }
            _ => None,
        }
    }
}

impl From<Refused> for Denied {
    fn from(refused: Refused) -> Denied {
        Denied::Unsigned(refused)
    }
}

impl From<Refusal> for Denied {
    fn from(refusal: Refusal) -> Denied {
        Denied::Refused(refusal)
    }
}

/// No fields, no query and no body: what is printed may be kept.
impl Debug for Head {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "Head({})", self.request)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_denial_arrives_as_it_was_meant() {
        let unsigned = Refused::ALL.iter().copied().map(Denied::Unsigned);
        for denied in unsigned.chain(Refusal::ALL.iter().copied().map(Denied::Refused)) {
            assert_eq!(Denied::from_text(&denied.to_text()), Some(denied));
        }
        let policy = PolicyName::parse("organisation/from-the-office-alone").unwrap();
        let forbidden = Denied::Forbidden(Refusal::OrganisationForbids, policy);
        assert_eq!(Denied::from_text(&forbidden.to_text()), Some(forbidden));
        for text in [
            "",
            "refused",
            "refused ",
            "unsigned key_revoked",
            "refused expired",
            "other not_signed",
            "forbidden scope_missing",
            "forbidden scope_missing base/",
            "forbidden scope_missing base/a ",
            "forbidden other base/a",
        ] {
            assert_eq!(Denied::from_text(text), None, "{text}");
        }
    }
}
