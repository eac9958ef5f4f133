//! The JSON of identity's part of the API. Times are milliseconds since 1970.

use super::ask::Reply;
use super::{
    Environment, Key, Name, Networks, NewKey, Organisation, Public, Refusal, Rights, Scopes, Validity,
};
use crate::store::{Answer, Cursor, Page, Written};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use wire::{KeyId, UnixMillis};

/// What is registered by an invitation: the key that signs this very request. Its code is a secret, and never printed.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = InvitationAcceptance)]
pub struct Accepted {
    /// The invitation's code, `inv_…`.
    #[schema(pattern = "^inv_[A-Za-z0-9_-]{22}$")]
    pub code: String,
    /// What people call the key.
    #[schema(min_length = 1, max_length = 64)]
    pub name: String,
    /// `ed25519` or `ecdsa-p256-sha256` (RFC 9421 §6.2).
    #[schema(pattern = "^(ed25519|ecdsa-p256-sha256)$")]
    pub algorithm: String,
    /// Padded base64 of 32 bytes (Ed25519), or of an uncompressed point of 65 bytes (P-256).
    pub public_key: String,
}

/// A key to be made by another.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewKey)]
pub struct Made {
    #[schema(min_length = 1, max_length = 64)]
    pub name: String,
    /// `ed25519` or `ecdsa-p256-sha256` (RFC 9421 §6.2).
    #[schema(pattern = "^(ed25519|ecdsa-p256-sha256)$")]
    pub algorithm: String,
    /// Padded base64 of 32 bytes (Ed25519), or of an uncompressed point of 65 bytes (P-256).
    pub public_key: String,
    /// Padded base64 of a signature of 64 bytes by the new key over `possession` (docs/spec/identity.md, section 2).
    pub possession: String,
    /// Of those of the key that asks.
    pub scopes: Vec<String>,
    /// `ADDRESS/PREFIX` each, inside those of the key that asks; none: anywhere.
    #[serde(default)]
    pub networks: Vec<String>,
    /// The asking key's, if it is left out.
    #[schema(pattern = "^(sandbox|live)$")]
    pub environment: Option<String>,
    /// Now, if it is left out.
    pub not_before: Option<u64>,
    /// A year after `not_before`, if it is left out; two at most.
    pub expires: Option<u64>,
}

/// A public key that takes another's place.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = KeyRotation)]
pub struct Rotated {
    /// `ed25519` or `ecdsa-p256-sha256` (RFC 9421 §6.2).
    #[schema(pattern = "^(ed25519|ecdsa-p256-sha256)$")]
    pub algorithm: String,
    /// Padded base64 of 32 bytes (Ed25519), or of an uncompressed point of 65 bytes (P-256).
    pub public_key: String,
    /// As for a new key.
    pub possession: String,
    /// How long the old key goes on, in seconds; 0 ends it at once.
    #[schema(maximum = 604_800)]
    pub overlap_seconds: u64,
}

/// What an organisation forbids itself, in the place of what it did.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PoliciesReplacement {
    /// Policies in Cedar's language, each a `forbid` with an `@id` (docs/spec/policy.md, section 4); empty: none.
    #[schema(max_length = 32_768)]
    pub text: String,
    /// The version that they take the place of; 0 if there never was one.
    pub replaces: u64,
}

/// What an organisation forbids itself.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Policies)]
pub struct ShownPolicies {
    /// 0 if there never were any.
    version: i64,
    /// In Cedar's language.
    text: String,
    changed: Option<u64>,
    /// The key that wrote them.
    changed_by: Option<String>,
    /// The version of the server's own policies, which they are added to.
    server: &'static str,
}

/// A registered key.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Key)]
pub struct Shown {
    /// `key_…`: what a signature names as its `keyid`.
    id: String,
    /// `org_…`
    organisation: String,
    name: String,
    algorithm: &'static str,
    /// Padded base64.
    public_key: String,
    scopes: Vec<&'static str>,
    /// `sandbox` or `live`.
    environment: &'static str,
    /// From where it may be used; none: from anywhere.
    networks: Vec<String>,
    not_before: u64,
    expires: u64,
    created: u64,
    /// The key that made it; for a first key its own id.
    created_by: String,
    revoked: Option<u64>,
    /// The key that took its place.
    replaced_by: Option<String>,
    last_used: Option<LastUse>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct LastUse {
    pub(super) at: u64,
    /// The address that connected.
    pub(super) from: String,
}

/// Some of an organisation's keys, in the order in which they were made.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = KeyPage)]
pub struct Paged {
    keys: Vec<Shown>,
    /// What to ask the next page with; null after the last one.
    next: Option<String>,
}

/// The organisation that the asking key is of.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Organisation)]
pub struct ShownOrganisation {
    id: String,
    name: String,
    created: u64,
}

/// A body, as strict as it is written above.
pub fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Refusal> {
    serde_json::from_slice(body).map_err(|_| Refusal::FieldsMalformed)
}

impl Accepted {
    pub fn public(&self) -> Result<Public, Refusal> {
        public(&self.algorithm, &self.public_key)
    }
}

impl Rotated {
    pub fn public(&self) -> Result<Public, Refusal> {
        public(&self.algorithm, &self.public_key)
    }
}

pub(super) fn public(algorithm: &str, key: &str) -> Result<Public, Refusal> {
    Public::from_texts(algorithm, key).map_err(|_| Refusal::KeyInvalid)
}

/// The bytes of a signature in a body.
pub fn possession(text: &str) -> Result<Vec<u8>, Refusal> {
    STANDARD.decode(text).map_err(|_| Refusal::PossessionUnproven)
}

impl Made {
    /// What is to be registered, by a key of the environment `of`.
    pub fn new_key(&self, of: Environment, now: UnixMillis) -> Result<NewKey, Refusal> {
        let public = public(&self.algorithm, &self.public_key)?;
        self.rest(public, of, now).ok_or(Refusal::FieldsMalformed)
    }

    fn rest(&self, public: Public, of: Environment, now: UnixMillis) -> Option<NewKey> {
        let environment = match &self.environment {
            Some(name) => Environment::from_name(name)?,
            None => of,
        };
        let not_before = self.not_before.map_or(now, UnixMillis);
        let expires = self.expires.map_or(not_before.plus(super::LIFETIME), UnixMillis);
        let latest = now.plus(super::LONGEST_LIFETIME);
        let rights = Rights {
            scopes: Scopes::from_names(self.scopes.iter().map(String::as_str))?,
            environment,
            networks: Networks::from_texts(self.networks.iter().map(String::as_str))?,
        };
        let validity = Validity::new(not_before, expires).filter(|_| expires > now && expires <= latest)?;
        Some(NewKey { name: Name::parse(&self.name)?, public, rights, validity })
    }
}

impl Shown {
    fn of(key: &Key) -> Shown {
        Shown {
            id: key.id.to_string(),
            organisation: key.organisation.to_string(),
            name: key.name.as_str().to_owned(),
            algorithm: key.public.algorithm().name(),
            public_key: key.public.base64(),
            scopes: key.rights.scopes.names().collect(),
            environment: key.rights.environment.name(),
            networks: key.rights.networks.texts().collect(),
            not_before: key.validity.not_before.0,
            expires: key.validity.expires.0,
            created: key.created.0,
            created_by: key.created_by.to_string(),
            revoked: key.revoked.map(|at| at.0),
            replaced_by: key.replaced_by.map(|id| id.to_string()),
            last_used: key.last_used.map(|used| LastUse { at: used.at.0, from: used.from.to_string() }),
        }
    }
}

pub fn created(key: &Key) -> Reply {
    json(201, &Shown::of(key))
}

pub fn shown(key: &Key) -> Reply {
    json(200, &Shown::of(key))
}

pub fn page(page: &Page) -> Reply {
    let next = page.next.map(|Cursor { created, id }| format!("{}.{id}", created.0));
    json(200, &Paged { keys: page.keys.iter().map(Shown::of).collect(), next })
}

pub fn organisation(Organisation { id, name, created }: &Organisation) -> Reply {
    let (id, name) = (id.to_string(), name.as_str().to_owned());
    json(200, &ShownOrganisation { id, name, created: created.0 })
}

pub fn policies(written: Option<&Written>, server: &'static str) -> Reply {
    json(
        200,
        &ShownPolicies {
            version: written.map_or(0, |written| written.version),
            text: written.map(|written| written.text.clone()).unwrap_or_default(),
            changed: written.map(|written| written.changed.0),
            changed_by: written.map(|written| written.changed_by.to_string()),
            server,
        },
    )
}

/// As a page says it, and nothing else.
pub fn cursor(text: &str) -> Option<Cursor> {
    let (created, id) = text.split_once('.')?;
    let cursor = Cursor { created: UnixMillis(created.parse().ok()?), id: KeyId::parse(id)? };
    (format!("{}.{id}", cursor.created.0) == text).then_some(cursor)
}

pub(super) fn json(status: u16, value: &impl Serialize) -> Reply {
    // Strings, numbers and lists: nothing of it can fail.
    Reply { status, body: serde_json::to_string(value).unwrap_or_default() }
}

impl From<Reply> for Answer {
    fn from(Reply { status, body }: Reply) -> Answer {
        Answer { status, body }
    }
}

impl From<Answer> for Reply {
    fn from(Answer { status, body }: Answer) -> Reply {
        Reply { status, body }
    }
}
