//! Passkeys (W3C Web Authentication Level 3) as an owner's second factor: what an envelope names of one, and what an
//! assertion by it brings. Specification: docs/spec/passkeys.md.

use crate::cbor::canonical;
use crate::identity::RelyingParty;
use crate::transcript::{Transcript, domain};
use minicbor::bytes::ByteSlice;
use minicbor::{Decode, Encode};

/// The longest credential id (WebAuthn §4, Credential ID).
pub const MAX_CREDENTIAL_ID: usize = 1023;
/// Origins that a relying party has, or a passkey is used at; and origins that may embed those.
pub const MAX_ORIGINS: usize = 4;
/// Relying parties of one deployment.
pub const MAX_RELYING_PARTIES: usize = 4;
/// The longest domain (RFC 1035 §2.3.4, without the dot at its end).
const MAX_DOMAIN: usize = 253;
/// The longest label of one.
const MAX_LABEL: usize = 63;

/// What makes an owner key a passkey: where and how it may be used.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
#[cbor(map)]
pub struct Passkey {
    /// By which a client asks for it; 1 to [`MAX_CREDENTIAL_ID`] bytes.
    #[cbor(n(0), with = "minicbor::bytes")]
    pub credential: Vec<u8>,
    /// The RP ID: a domain.
    #[n(1)]
    pub relying_party: String,
    /// At least one: the pages that it is used at.
    #[n(2)]
    pub origins: Vec<String>,
    /// Pages of others that may embed those. Left out: nobody's.
    #[cbor(n(3), skip_if = "Vec::is_empty")]
    pub embedders: Vec<String>,
    /// Whether it may be on several devices (the flag BE, which never changes).
    #[n(4)]
    pub backup_eligible: bool,
}

/// A passkey's word for a request, in the place of a COSE_Sign1. Everything as the authenticator and the browser gave it.
#[derive(Encode, Decode)]
#[cbor(map)]
pub struct Assertion<'b> {
    /// The name of the owner key.
    #[cbor(n(0), with = "minicbor::bytes")]
    pub key: [u8; 32],
    /// `authenticatorData` (WebAuthn §6.1).
    #[b(1)]
    pub authenticator: &'b ByteSlice,
    /// `clientDataJSON` (WebAuthn §5.8.1).
    #[b(2)]
    pub client: &'b ByteSlice,
    /// Over `authenticatorData ‖ SHA-256(clientDataJSON)`; ES256 in DER (WebAuthn §6.5.5).
    #[b(3)]
    pub signature: &'b ByteSlice,
}

impl Assertion<'_> {
    /// Whether an element of a request's signatures is meant to be one: a map, where a COSE_Sign1 is an array.
    pub fn is_meant(bytes: &[u8]) -> bool {
        bytes.first().is_some_and(|first| first >> 5 == 5)
    }
}

/// What is hashed (SHA-256) to the challenge of an assertion by the key of this name over the request of this SHA-256.
pub fn challenge_transcript(key: &[u8; 32], request: &[u8; 32]) -> Vec<u8> {
    Transcript::new(domain::OWNER_ASSERTION).field(key).field(request).bytes()
}

impl Passkey {
    /// Whether its parts are what they should be, and fit each other.
    pub fn has_form(&self) -> bool {
        (1..=MAX_CREDENTIAL_ID).contains(&self.credential.len())
            && is_party(&self.relying_party, &self.origins)
            && self.embedders.len() <= MAX_ORIGINS
            && all_differ(&self.embedders)
            && self.embedders.iter().all(|origin| host_of(origin).is_some())
    }

    /// The one of these relying parties that serves it at all its origins.
    pub fn served_by<'p>(&self, parties: &'p [RelyingParty]) -> Option<&'p RelyingParty> {
        let party = parties.iter().find(|party| party.id == self.relying_party)?;
        self.origins.iter().all(|origin| party.origins.contains(origin)).then_some(party)
    }
}

/// Whether these are relying parties that a deployment may have: each once, each with its origins.
pub fn are_relying_parties(parties: &[RelyingParty]) -> bool {
    let differ = parties.iter().enumerate().all(|(at, party)| {
        let mut others = parties.iter().skip(at + 1);
        others.all(|other| other.id != party.id)
    });
    parties.len() <= MAX_RELYING_PARTIES
        && differ
        && parties.iter().all(|party| is_party(&party.id, &party.origins))
}

/// A domain, and at least one origin at it or below it (WebAuthn §5.1.4.1, step 8). Related origins are not known here.
fn is_party(id: &str, origins: &[String]) -> bool {
    let is_within = |origin: &String| {
        let host = host_of(origin);
        host.and_then(|host| host.strip_suffix(id)).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    };
    is_domain(id)
        && (1..=MAX_ORIGINS).contains(&origins.len())
        && all_differ(origins)
        && origins.iter().all(is_within)
}

/// Whether an origin is in clear text, which browsers take for their own machine alone.
pub fn is_plain(origin: &str) -> bool {
    origin.starts_with("http://")
}

/// The host of an origin as browsers write one (RFC 6454 §6.2, in lower case, without the scheme's own port): `https`
/// anywhere, or `http` on localhost.
fn host_of(origin: &str) -> Option<&str> {
    let (rest, own_port) = match origin.strip_prefix("https://") {
        Some(rest) => (rest, "443"),
        None => (origin.strip_prefix("http://")?, "80"),
    };
    let (host, port) = rest.split_once(':').map_or((rest, None), |(host, port)| (host, Some(port)));
    let is_port = |port: &str| {
        let is_number = port.bytes().all(|byte| byte.is_ascii_digit()) && !port.starts_with('0');
        is_number && port != own_port && port.parse::<u16>().is_ok()
    };
    let is_here = host == "localhost" || host.ends_with(".localhost");
    let fits = is_domain(host) && port.is_none_or(is_port) && (is_here || !is_plain(origin));
    fits.then_some(host)
}

/// In lower case, letters, digits and hyphens; no address, so its last label is no number.
fn is_domain(text: &str) -> bool {
    let is_label = |label: &str| {
        (1..=MAX_LABEL).contains(&label.len())
            && label.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'))
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let last = text.rsplit('.').next().unwrap_or_default();
    text.len() <= MAX_DOMAIN
        && text.split('.').all(is_label)
        && last.bytes().any(|byte| !byte.is_ascii_digit())
}

fn all_differ(texts: &[String]) -> bool {
    texts.iter().enumerate().all(|(at, text)| texts.iter().skip(at + 1).all(|other| other != text))
}

canonical!(Passkey);
impl<'b> crate::Canonical<'b> for Assertion<'b> {}

#[cfg(test)]
mod tests {
    use super::*;

    fn party(id: &str, origins: &[&str]) -> RelyingParty {
        RelyingParty {
            id: id.to_owned(),
            origins: origins.iter().map(|origin| (*origin).to_owned()).collect(),
        }
    }

    fn passkey(id: &str, origins: &[&str]) -> Passkey {
        let RelyingParty { id, origins } = party(id, origins);
        Passkey {
            credential: vec![1],
            relying_party: id,
            origins,
            embedders: Vec::new(),
            backup_eligible: true,
        }
    }

    #[test]
    fn an_origin_is_written_as_browsers_write_it_and_is_within_its_relying_party() {
        for (id, origin) in [
            ("example.com", "https://example.com"),
            ("example.com", "https://app.example.com:8443"),
            ("localhost", "http://localhost:8080"),
            ("localhost", "http://app.localhost"),
            ("localhost", "https://localhost"),
        ] {
            assert!(are_relying_parties(&[party(id, &[origin])]), "{origin}");
        }
        for (id, origin) in [
            ("example.com", "https://example.com/"),
            ("example.com", "https://example.com:443"),
            ("example.com", "https://example.com:08443"),
            ("example.com", "https://example.com:65536"),
            ("example.com", "https://example.com:"),
            ("example.com", "https://Example.com"),
            ("example.com", "https://user@example.com"),
            ("example.com", "https://evilexample.com"),
            ("example.com", "https://example.com.evil.test"),
            ("example.com", "https://.example.com"),
            ("example.com", "http://example.com"),
            ("example.com", "wss://example.com"),
            ("example.com", "example.com"),
            ("example.com", "null"),
            ("localhost", "http://localhost:80"),
            ("localhost", "http://evil-localhost"),
            ("127.0.0.1", "https://127.0.0.1"),
            ("", "https://"),
            ("com.", "https://example.com."),
        ] {
            assert!(!are_relying_parties(&[party(id, &[origin])]), "{id} {origin}");
            assert!(!passkey(id, &[origin]).has_form(), "{id} {origin}");
        }
    }

    #[test]
    fn lists_are_bounded_and_say_nothing_twice() {
        let good = party("a.test", &["https://a.test"]);
        assert!(are_relying_parties(&[]));
        assert!(are_relying_parties(&[good.clone(), party("b.test", &["https://b.test"])]));
        assert!(!are_relying_parties(&[good.clone(), good]));
        assert!(!are_relying_parties(&[party("a.test", &[])]));
        assert!(!are_relying_parties(&[party("a.test", &["https://a.test", "https://a.test"])]));
        let many: Vec<RelyingParty> =
            ["a", "b", "c", "d", "e"].map(|id| party(id, &[&format!("https://{id}")])).to_vec();
        assert!(are_relying_parties(&many[..MAX_RELYING_PARTIES]) && !are_relying_parties(&many));
        let key = passkey("a.test", &["https://a.test"]);
        assert!(key.has_form());
        assert!(!Passkey { credential: Vec::new(), ..key.clone() }.has_form());
        assert!(!Passkey { credential: vec![0; MAX_CREDENTIAL_ID + 1], ..key.clone() }.has_form());
        let embedders = vec!["https://shop.example".to_owned(); 2];
        assert!(!Passkey { embedders, ..key }.has_form());
    }

    #[test]
    fn a_passkey_is_served_where_its_relying_party_has_all_its_origins() {
        let parties = [party("a.test", &["https://a.test", "https://x.a.test"])];
        assert!(passkey("a.test", &["https://x.a.test"]).served_by(&parties).is_some());
        assert!(passkey("a.test", &["https://x.a.test", "https://y.a.test"]).served_by(&parties).is_none());
        assert!(passkey("b.test", &["https://b.test"]).served_by(&parties).is_none());
        assert!(passkey("x.a.test", &["https://x.a.test"]).served_by(&parties).is_none());
    }
}
