//! Names of our processes: `spiffe://<trust domain>/role/<name>` (SPIFFE-ID §2, in the one form that we use).

use crate::calls::Role;
use core::fmt;

const SCHEME: &str = "spiffe://";
const PATH: &str = "/role/";
/// SPIFFE-ID §2.1.
const MOST: usize = 255;

/// Whom an authority speaks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrustDomain(String);

impl TrustDomain {
    /// Lower-case letters, digits, dots, dashes and underscores; 1 to 255 of them.
    pub fn parse(text: &str) -> Option<TrustDomain> {
        let allowed = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'-' | b'_');
        let is_one = (1..=MOST).contains(&text.len()) && text.bytes().all(allowed);
        is_one.then(|| TrustDomain(text.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// One role of one trust domain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpiffeId {
    pub domain: TrustDomain,
    pub role: Role,
}

impl SpiffeId {
    /// Reads what [`fmt::Display`] writes, and nothing else: no port, no user, no escapes, no slash at the end.
    pub fn parse(text: &str) -> Option<SpiffeId> {
        let (domain, name) = text.strip_prefix(SCHEME)?.split_once(PATH)?;
        Some(SpiffeId { domain: TrustDomain::parse(domain)?, role: Role::from_name(name)? })
    }
}

impl fmt::Display for SpiffeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{SCHEME}{}{PATH}{}", self.domain.as_str(), self.role.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_role_has_a_name_that_reads_back() {
        let domain = TrustDomain::parse("tensfer.internal").unwrap();
        for role in Role::ALL {
            let id = SpiffeId { domain: domain.clone(), role: *role };
            assert_eq!(id.to_string(), format!("spiffe://tensfer.internal/role/{}", role.name()));
            assert_eq!(SpiffeId::parse(&id.to_string()), Some(id));
        }
    }

    #[test]
    fn what_is_not_exactly_such_a_name_is_none() {
        let long = format!("spiffe://{}/role/relay", "a".repeat(256));
        for text in [
            "",
            "relay",
            "https://tensfer.internal/role/relay",
            "SPIFFE://tensfer.internal/role/relay",
            "spiffe:///role/relay",
            "spiffe://tensfer.internal/role/",
            "spiffe://tensfer.internal/role/relay/",
            "spiffe://tensfer.internal/role/relay?x",
            "spiffe://tensfer.internal/role/relay\0",
            "spiffe://tensfer.internal/role/Relay",
            "spiffe://tensfer.internal/role/%72elay",
            "spiffe://tensfer.internal/role/role/relay",
            "spiffe://tensfer.internal//role/relay",
            "spiffe://tensfer.internal/workload/relay",
            "spiffe://tensfer.internal:443/role/relay",
            "spiffe://user@tensfer.internal/role/relay",
            "spiffe://Tensfer.internal/role/relay",
            "spiffe://tensfer.internal/role/nobody",
            long.as_str(),
        ] {
            assert_eq!(SpiffeId::parse(text), None, "{text}");
        }
    }
}
