//! Grants: the file that an owner hands to a business, what the business keeps of it, and what the owner keeps (docs/spec/client.md §12).
//!
//! Nothing in them is secret: a grant's share is sealed to the key that it names.

use super::environment::Environment;
use super::grantee::{Grantee, Pair};
use super::keys::sha256;
use super::realm::Realm;
use super::{Home, files};
use crate::client::encode::{from_base64, serde_base64};
use crate::client::failure::{Failure, Fault, Result};
use crate::client::terminal::printable;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use utoipa::ToSchema;
use verify::hpke::Info;
use wire::envelope::{MAX_ENVELOPE, body_of};
use wire::grant::{Body, Grant, Made, share_info};
use wire::identity::SUITE;
use wire::{Canonical, ConnectionId, GrantId};
use zeroize::Zeroizing;

const FORMAT: &str = "tensfer grant";
const TAKEN: &str = "tensfer taken grant";
const GIVEN: &str = "tensfer given grant";
const VERSION: u8 = 1;
/// Of the server's address, in bytes.
const MAX_SERVER: usize = 512;

/// What an owner hands to a business.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = GrantFile)]
pub struct GrantFile {
    format: String,
    version: u8,
    #[schema(value_type = String)]
    pub realm: Realm,
    #[schema(value_type = String)]
    pub environment: Environment,
    /// Where it was made.
    pub server: String,
    pub exchange: String,
    /// Canonical CBOR in base64: the grant, with its share sealed to the key that it names.
    #[serde(with = "serde_base64")]
    #[schema(value_type = String)]
    made: Vec<u8>,
    /// The account's envelope, in base64.
    #[serde(with = "serde_base64")]
    #[schema(value_type = String)]
    pub envelope: Vec<u8>,
}

/// A grant with what it says. Nothing of it is checked here but its form: the enclave opens it.
#[derive(Debug)]
pub struct Read {
    pub bytes: Vec<u8>,
    pub grant: Grant,
    pub body: Body,
}

/// What a business keeps: `grants/taken/grant_….json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Taken {
    format: String,
    version: u8,
    pub name: String,
    pub grant: GrantFile,
    /// The grant in a later epoch than it was made in, in base64.
    renewed: Option<String>,
    /// The number of the last use that is known here: the next one is above it.
    pub used: u64,
}

/// What an owner keeps: `grants/given/grant_….json`. The enclave counts; what was allowed is in here alone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Given {
    format: String,
    version: u8,
    /// What the owner calls the business.
    pub to: String,
    pub grant: GrantFile,
}

impl GrantFile {
    pub fn new(
        (realm, environment): (Realm, Environment),
        (server, exchange): (&str, &str),
        made: &Made,
        envelope: &[u8],
    ) -> GrantFile {
        GrantFile {
            format: FORMAT.to_owned(),
            version: VERSION,
            realm,
            environment,
            server: server.to_owned(),
            exchange: exchange.to_owned(),
            made: made.to_bytes(),
            envelope: envelope.to_vec(),
        }
    }

    /// Reads received bytes: a grant of form, with the envelope that it is of.
    pub fn parse(bytes: &[u8]) -> Option<GrantFile> {
        let file: GrantFile = serde_json::from_slice(bytes).ok()?;
        let is_known = (file.format.as_str(), file.version) == (FORMAT, VERSION);
        let is_plain = is_word(&file.exchange) && file.server.len() <= MAX_SERVER;
        (is_known && is_plain && file.read().is_some()).then_some(file)
    }

    pub fn read(&self) -> Option<Read> {
        self.read_as(None)
    }

    /// The same as it came in a later epoch, which changes nothing that it says.
    fn read_as(&self, renewed: Option<Vec<u8>>) -> Option<Read> {
        let made = Made::from_bytes(&self.made).ok()?;
        let (first, body) = Grant::parse(&made.grant)?;
        let (bytes, grant) = match renewed {
            Some(renewed) => {
                let (grant, _) = Grant::parse(&renewed).filter(|(grant, _)| grant.body == first.body)?;
                (renewed, grant)
            }
            None => (made.grant, first),
        };
        let envelope = (self.envelope.len() <= MAX_ENVELOPE).then(|| body_of(&self.envelope)).flatten()?;
        (body.payload.0 == sha256(envelope)).then_some(Read { bytes, grant, body })
    }

    /// The grant share, opened with the key that it was sealed to. `None`: it was sealed to another, or altered.
    fn share(&self, body: &[u8], id: GrantId, pair: &Pair) -> Option<Zeroizing<[u8; 32]>> {
        let made = Made::from_bytes(&self.made).ok()?;
        let info = Info::new(SUITE, &share_info(id, &sha256(body))).ok()?;
        let mut context = pair.sealing.setup_recipient(&made.encapsulated, &info).ok()?;
        let opened = context.open(b"", &made.ciphertext).ok()?;
        let share: &[u8; 32] = opened.as_slice().try_into().ok()?;
        Some(Zeroizing::new(*share))
    }

    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        written(self)
    }
}

impl Taken {
    pub fn new(name: String, grant: GrantFile) -> Taken {
        Taken { format: TAKEN.to_owned(), version: VERSION, name, grant, renewed: None, used: 0 }
    }

    /// The grant as it was wrapped last.
    pub fn read(&self) -> Result<Read> {
        let renewed = match &self.renewed {
            Some(renewed) => Some(from_base64(renewed).ok_or_else(damaged)?),
            None => None,
        };
        self.grant.read_as(renewed).ok_or_else(damaged)
    }

    /// The pair that it names, and its share.
    pub fn open<'k>(&self, read: &Read, keys: &'k Grantee) -> Result<(&'k Pair, Zeroizing<[u8; 32]>)> {
        let other = || {
            Failure::refused(
                "grant_for_other_keys",
                "the grant is not for your keys, or was altered (grant_for_other_keys)",
            )
            .hint("`tensfer granted key` prints yours: give the owner its public file, and compare the name")
        };
        let pair = keys.find(&read.body.terms.key).ok_or_else(other)?;
        let share = self.grant.share(&read.grant.body, read.body.id, pair).ok_or_else(other)?;
        Ok((pair, share))
    }

    /// Takes up the number of a use, and the grant in another epoch if it came back in one.
    pub fn note(&mut self, used: u64, renewed: Option<&[u8]>) {
        self.used = self.used.max(used);
        if let Some(renewed) = renewed {
            self.renewed = Some(crate::client::encode::base64(renewed));
        }
    }
}

impl Given {
    pub fn new(to: String, grant: GrantFile) -> Given {
        Given { format: GIVEN.to_owned(), version: VERSION, to, grant }
    }
}

impl Home {
    /// What was granted to the business whose home this is, by name.
    pub fn taken_grants(&self, realm: Realm) -> Result<Vec<Taken>> {
        let mut taken = Vec::new();
        for id in self.grant_ids(realm, "taken")? {
            taken.extend(self.taken_grant(realm, id)?);
        }
        taken.sort_by(|one: &Taken, other: &Taken| one.name.cmp(&other.name));
        Ok(taken)
    }

    pub fn taken_grant(&self, realm: Realm, id: GrantId) -> Result<Option<Taken>> {
        let path = self.grant_path(realm, "taken", id);
        let taken: Option<Taken> = read(&path)?;
        let is_known = |taken: &Taken| {
            (taken.format.as_str(), taken.version, taken.grant.realm) == (TAKEN, VERSION, realm)
                && taken.read().is_ok_and(|read| read.body.id == id)
        };
        match taken {
            Some(taken) if !is_known(&taken) => Err(in_file(&path)),
            taken => Ok(taken),
        }
    }

    /// The one of that id or name.
    pub fn find_taken_grant(&self, realm: Realm, id_or_name: &str) -> Result<Taken> {
        if let Some(id) = GrantId::parse(id_or_name) {
            return self.taken_grant(realm, id)?.ok_or_else(|| unknown(id_or_name));
        }
        let named = self.taken_grants(realm)?.into_iter().find(|taken| taken.name == id_or_name);
        named.ok_or_else(|| unknown(id_or_name))
    }

    /// Replaces its file, durably.
    pub fn save_taken_grant(&self, taken: &Taken) -> Result<()> {
        self.write_grant(taken.grant.realm, "taken", taken.read()?.body.id, taken)
    }

    /// False: it was not there.
    pub fn remove_taken_grant(&self, realm: Realm, id: GrantId) -> Result<bool> {
        files::remove(&self.grant_path(realm, "taken", id))
    }

    pub(super) fn has_taken_grants(&self, realm: Realm) -> Result<bool> {
        Ok(!self.grant_ids(realm, "taken")?.is_empty())
    }

    /// What its owner kept of a grant. `None`: it was made elsewhere.
    pub fn given_grant(&self, realm: Realm, id: GrantId) -> Result<Option<Given>> {
        let path = self.grant_path(realm, "given", id);
        let given: Option<Given> = read(&path)?;
        let is_known = |given: &Given| {
            (given.format.as_str(), given.version, given.grant.realm) == (GIVEN, VERSION, realm)
                && given.grant.read().is_some_and(|read| read.body.id == id)
        };
        match given {
            Some(given) if !is_known(&given) => Err(in_file(&path)),
            given => Ok(given),
        }
    }

    pub fn save_given_grant(&self, given: &Given) -> Result<()> {
        let read = given.grant.read().ok_or_else(damaged)?;
        self.write_grant(given.grant.realm, "given", read.body.id, given)
    }

    /// False: it was not there.
    pub fn remove_given_grant(&self, realm: Realm, id: GrantId) -> Result<bool> {
        files::remove(&self.grant_path(realm, "given", id))
    }

    /// Removes what was kept of the grants of a connection that ended with a generation before `current`: how many.
    pub fn end_given_grants(&self, realm: Realm, connection: ConnectionId, current: u64) -> Result<u64> {
        let mut ended = 0;
        for id in self.grant_ids(realm, "given")? {
            // A damaged one keeps nobody from renewing the connection, or giving it up.
            let of = self.given_grant(realm, id).ok().flatten().and_then(|given| given.grant.read());
            let header = of.map(|read| read.body.header);
            if header.is_some_and(|it| it.connection == connection && it.generation < current) {
                self.remove_given_grant(realm, id)?;
                ended += 1;
            }
        }
        Ok(ended)
    }

    fn write_grant(&self, realm: Realm, folder: &str, id: GrantId, grant: &impl Serialize) -> Result<()> {
        files::make_private_dir(&self.grants(realm, folder))?;
        files::replace(&self.grant_path(realm, folder, id), &written(grant)?)
    }

    fn grant_ids(&self, realm: Realm, folder: &str) -> Result<Vec<GrantId>> {
        let path = self.grants(realm, folder);
        let entries = match std::fs::read_dir(&path) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(files::io("list", &path, &error)),
        };
        let id = |name: std::ffi::OsString| GrantId::parse(name.to_str()?.strip_suffix(".json")?);
        Ok(entries.flatten().filter_map(|entry| id(entry.file_name())).collect())
    }

    fn grants(&self, realm: Realm, folder: &str) -> PathBuf {
        self.root.join(realm.name()).join("grants").join(folder)
    }

    fn grant_path(&self, realm: Realm, folder: &str, id: GrantId) -> PathBuf {
        self.grants(realm, folder).join(format!("{id}.json"))
    }
}

fn read<T: DeserializeOwned>(path: &Path) -> Result<Option<T>> {
    let Some(bytes) = files::read(path)? else { return Ok(None) };
    serde_json::from_slice(&bytes).map(Some).map_err(|_| in_file(path))
}

fn written(grant: &impl Serialize) -> Result<Vec<u8>> {
    let text = serde_json::to_vec_pretty(grant);
    let mut text = text.map_err(|_| Failure::internal("this program could not write a grant"))?;
    text.push(b'\n');
    Ok(text)
}

/// Of an exchange's id: it becomes a name here, and is printed.
fn is_word(text: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    (1..=64).contains(&text.len()) && text.bytes().all(is_plain)
}

fn unknown(id_or_name: &str) -> Failure {
    let name = printable(id_or_name);
    Failure::new(Fault::Usage, "unknown_grant", format!("you have taken in no grant `{name}`"))
        .hint("`tensfer granted list` has those that you have; `tensfer granted take FILE` takes one in")
}

fn damaged() -> Failure {
    Failure::refused("grant_damaged", "a grant in your TENSFER_HOME is damaged (grant_damaged)")
        .hint("take it in again from the file that its owner gave you")
}

fn in_file(path: &Path) -> Failure {
    let sentence = format!("the grant in `{}` is damaged (grant_damaged)", path.display());
    Failure { sentence, ..damaged() }
}

#[cfg(test)]
mod tests;
