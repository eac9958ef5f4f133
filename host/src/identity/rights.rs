//! What a key may do, where, and from where.

use super::network::Network;
use core::fmt::{self, Display, Formatter};
use std::collections::BTreeSet;
use std::net::IpAddr;

/// Of one key at most.
pub const MOST_NETWORKS: usize = 32;

/// Something that a key may do. Their names are of docs/spec/identity.md §3.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    KeysRead,
    KeysWrite,
    OrganisationRead,
    PoliciesRead,
    PoliciesWrite,
}

/// Whose money: made-up, or real.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Environment {
    Sandbox,
    Live,
}

/// Written as names in order, with a space between two.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scopes(BTreeSet<Scope>);

/// Where requests may come from; of none, anywhere.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Networks(Vec<Network>);

/// All of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rights {
    pub scopes: Scopes,
    pub environment: Environment,
    pub networks: Networks,
}

impl Rights {
    /// Whether nothing is in them that is not in `other`.
    pub fn are_within(&self, other: &Rights) -> bool {
        self.scopes.0.is_subset(&other.scopes.0)
            && self.environment == other.environment
            && self.networks.are_within(&other.networks)
    }
}

impl Scope {
    pub const ALL: [Scope; 5] = [
        Scope::KeysRead,
        Scope::KeysWrite,
        Scope::OrganisationRead,
        Scope::PoliciesRead,
        Scope::PoliciesWrite,
    ];

    pub const fn name(self) -> &'static str {
        match self {
            Scope::KeysRead => "keys:read",
            Scope::KeysWrite => "keys:write",
            Scope::OrganisationRead => "organisation:read",
            Scope::PoliciesRead => "policies:read",
            Scope::PoliciesWrite => "policies:write",
        }
    }

    pub fn from_name(name: &str) -> Option<Scope> {
        Scope::ALL.into_iter().find(|scope| scope.name() == name)
    }
}

impl Environment {
    pub const fn name(self) -> &'static str {
        match self {
            Environment::Sandbox => "sandbox",
            Environment::Live => "live",
        }
    }

    pub fn from_name(name: &str) -> Option<Environment> {
        [Environment::Sandbox, Environment::Live].into_iter().find(|known| known.name() == name)
    }
}

impl Scopes {
    pub fn all() -> Scopes {
        Scope::ALL.into_iter().collect()
    }

    pub fn contain(&self, scope: Scope) -> bool {
        self.0.contains(&scope)
    }

    /// By their names, each once.
    pub fn from_names<'n>(names: impl IntoIterator<Item = &'n str>) -> Option<Scopes> {
        let mut scopes = Scopes::default();
        for name in names {
            if !scopes.0.insert(Scope::from_name(name)?) {
                return None;
            }
        }
        Some(scopes)
    }

    /// As it is displayed, and nothing else.
    pub fn parse(text: &str) -> Option<Scopes> {
        let scopes = Scopes::from_names(words(text))?;
        (scopes.to_string() == text).then_some(scopes)
    }

    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        self.0.iter().map(|scope| scope.name())
    }
}

impl FromIterator<Scope> for Scopes {
    fn from_iter<I: IntoIterator<Item = Scope>>(scopes: I) -> Scopes {
        Scopes(scopes.into_iter().collect())
    }
}

impl Display for Scopes {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(&self.names().collect::<Vec<_>>().join(" "))
    }
}

impl Networks {
    /// Each once, in the order of who made them.
    pub fn from_texts<'t>(texts: impl IntoIterator<Item = &'t str>) -> Option<Networks> {
        let mut networks = Vec::new();
        for text in texts {
            let network = Network::parse(text)?;
            if networks.contains(&network) || networks.len() == MOST_NETWORKS {
                return None;
            }
            networks.push(network);
        }
        Some(Networks(networks))
    }

    /// As it is displayed, and nothing else.
    pub fn parse(text: &str) -> Option<Networks> {
        let networks = Networks::from_texts(words(text))?;
        (networks.to_string() == text).then_some(networks)
    }

    pub fn admit(&self, address: IpAddr) -> bool {
        self.0.is_empty() || self.0.iter().any(|network| network.contains(address))
    }

    pub fn texts(&self) -> impl Iterator<Item = String> {
        self.0.iter().map(Network::to_string)
    }

    fn are_within(&self, other: &Networks) -> bool {
        let within = |network: &Network| other.0.iter().any(|wider| wider.covers(network));
        other.0.is_empty() || (!self.0.is_empty() && self.0.iter().all(within))
    }
}

impl Display for Networks {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(&self.texts().collect::<Vec<_>>().join(" "))
    }
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(' ').filter(|word| !word.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rights(scopes: &str, environment: Environment, networks: &str) -> Rights {
        let (scopes, networks) = (Scopes::parse(scopes).unwrap(), Networks::parse(networks).unwrap());
        Rights { scopes, environment, networks }
    }

    #[test]
    fn rights_are_within_others_in_every_respect_or_not_at_all() {
        use Environment::{Live, Sandbox};
        let maker = rights("keys:read keys:write", Sandbox, "10.0.0.0/8 2001:db8::/32");
        for (within, wanted) in [
            (true, maker.clone()),
            (true, rights("", Sandbox, "10.1.0.0/16")),
            (true, rights("keys:read", Sandbox, "10.1.2.3/32 2001:db8:1::/48")),
            (false, rights("keys:read organisation:read", Sandbox, "10.0.0.0/8")),
            (false, rights("keys:read", Live, "10.0.0.0/8")),
            (false, rights("keys:read", Sandbox, "")),
            (false, rights("keys:read", Sandbox, "0.0.0.0/0")),
            (false, rights("keys:read", Sandbox, "10.0.0.0/8 192.0.2.0/24")),
        ] {
            assert_eq!(wanted.are_within(&maker), within, "{wanted:?}");
        }
        let anywhere = rights("keys:read", Sandbox, "");
        assert!(rights("", Sandbox, "").are_within(&anywhere));
        assert!(rights("", Sandbox, "192.0.2.0/24").are_within(&anywhere));
    }

    #[test]
    fn sets_have_one_spelling_in_the_store() {
        assert_eq!(
            Scopes::all().to_string(),
            "keys:read keys:write organisation:read policies:read policies:write"
        );
        for text in [
            "keys:write keys:read",
            "keys:read keys:read",
            "keys:read ",
            "keys",
            " ",
            "keys:read  keys:write",
        ] {
            assert_eq!(Scopes::parse(text), None, "{text}");
        }
        assert_eq!(Scopes::parse(""), Some(Scopes::default()));
        for text in ["10.0.0.0/8 10.0.0.0/8", "10.0.0.1/8", "10.0.0.0", "10.0.0.0/8,"] {
            assert_eq!(Networks::parse(text), None, "{text}");
        }
        let many: Vec<String> = (0..=MOST_NETWORKS).map(|number| format!("10.{number}.0.0/16")).collect();
        assert!(
            Networks::parse(&many[1..].join(" ")).is_some() && Networks::parse(&many.join(" ")).is_none()
        );
    }
}
