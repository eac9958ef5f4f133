//! One connection as its owner keeps it: envelopes, what they were sealed with, and the receipts so far.

use super::environment::Environment;
use super::realm::Realm;
use crate::client::clock::now;
use crate::client::encode::serde_base64;
use crate::client::failure::{Failure, Result};
use serde::{Deserialize, Serialize};
use wire::consent::Class;
use wire::envelope::{Envelope, MAX_ENVELOPE};
use wire::owner::{OwnerKey, OwnerRole, owner_set_transcript};
use wire::{Canonical, ConnectionId, OrganisationId};

const FORMAT: &str = "tensfer connection";
const VERSION: u8 = 1;

/// The contents of `connections/conn_….json`. Nothing in it is secret; all of it is needed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    format: String,
    version: u8,
    pub realm: Realm,
    /// Of the enclave that it was linked in: no other gets its envelope.
    pub environment: Environment,
    #[serde(with = "connection_id")]
    pub id: ConnectionId,
    #[serde(with = "organisation_id")]
    pub organisation: OrganisationId,
    pub server: String,
    pub exchange: String,
    pub name: String,
    /// Unix milliseconds.
    pub linked: u64,
    /// The signed capability finding of the link, as received.
    #[serde(with = "serde_base64")]
    pub finding: Vec<u8>,
    /// What operations use. Absent until the first envelope is acknowledged.
    pub current: Option<Slot>,
    /// Stored, and not yet known to be acknowledged.
    pub pending: Option<Slot>,
    /// The largest share version that a request ever carried: a new share always takes a new one.
    pub share_version: u64,
    pub receipts: super::receipts::Receipts,
    /// When the owner showed that they have the words of a wallet whose key is kept in the envelope; Unix milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backed_up: Option<u64>,
    /// A new key of the provider's is in use, and the one before it may still be good there.
    #[serde(default, skip_serializing_if = "core::ops::Not::not")]
    pub retiring: bool,
    /// The server whose program the pending generation is for, where the one in use is another program's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub moving: Option<String>,
}

/// One generation of the envelope with what opens it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Slot {
    #[serde(with = "serde_base64")]
    pub envelope: Vec<u8>,
    pub generation: u64,
    pub epoch: u32,
    pub share_version: u64,
    #[serde(with = "owner_keys")]
    pub owners: Vec<OwnerKey>,
    /// When it became the one that operations use; Unix milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<u64>,
}

/// What a link starts with.
#[derive(Debug)]
pub struct NewConnection {
    pub realm: Realm,
    pub environment: Environment,
    pub id: ConnectionId,
    pub organisation: OrganisationId,
    pub server: String,
    pub exchange: String,
    pub name: String,
    pub linked: u64,
}

impl Record {
    pub fn new(new: NewConnection) -> Record {
        let NewConnection { realm, environment, id, organisation, server, exchange, name, linked } = new;
        Record {
            format: FORMAT.to_owned(),
            version: VERSION,
            realm,
            environment,
            id,
            organisation,
            server,
            exchange,
            name,
            linked,
            finding: Vec::new(),
            current: None,
            pending: None,
            share_version: 1,
            receipts: super::receipts::Receipts::default(),
            backed_up: None,
            retiring: false,
            moving: None,
        }
    }

    pub(super) fn to_bytes(&self) -> Result<Vec<u8>> {
        let mut bytes = serde_json::to_vec_pretty(self)
            .map_err(|_| Failure::internal("this program could not write a connection file"))?;
        bytes.push(b'\n');
        Ok(bytes)
    }

    /// Parses a file that lies in `realm`.
    pub(super) fn from_bytes(bytes: &[u8], realm: Realm) -> Result<Record> {
        let record: Record = serde_json::from_slice(bytes).map_err(|_| damaged())?;
        if record.format != FORMAT || record.version != VERSION {
            return Err(damaged().hint("it may come from a newer version of this program"));
        }
        if record.realm != realm {
            return Err(Realm::mixed(record.realm, realm));
        }
        Ok(record)
    }

    /// What operations use.
    pub fn current(&self) -> Result<&Slot> {
        self.current.as_ref().ok_or_else(|| {
            Failure::refused("link_unfinished", format!("the link of `{}` was never finished", self.id)).hint(
                format!("run `tensfer rotate {}` to finish it, or `tensfer forget {}`", self.id, self.id),
            )
        })
    }

    /// The pending generation was acknowledged: it is the current one from now on.
    pub fn promote(&mut self) {
        if let Some(slot) = self.pending.take() {
            self.current = Some(Slot { since: Some(now().0), ..slot });
            self.server = self.moving.take().unwrap_or_else(|| core::mem::take(&mut self.server));
        }
    }

    /// Checks an envelope that came back against what was asked for, and makes it a slot.
    /// Its class is `class`: an enclave that answers with a looser one would have programs open it that its owner did not
    /// agree to.
    pub fn slot(
        &self,
        envelope: Vec<u8>,
        share_version: u64,
        owners: Vec<OwnerKey>,
        class: Class,
    ) -> Result<Slot> {
        let wrong = || {
            Failure::refused("envelope_unexpected", "the enclave answered with an envelope of something else")
                .hint("your old envelope is kept; report this, with the output of `tensfer verify`")
        };
        if envelope.len() > MAX_ENVELOPE {
            return Err(wrong());
        }
        let parsed = Envelope::from_bytes(&envelope).map_err(|_| wrong())?;
        let header = &parsed.header;
        let known = self.current.as_ref().map_or(0, |slot| slot.generation);
        if header.connection != self.id
            || header.organisation != self.organisation
            || header.owners != super::keys::sha256(&owner_set_transcript(&owners))
            || header.generation < known.max(1)
            || header.class != class
        {
            return Err(wrong());
        }
        let (generation, epoch) = (header.generation, parsed.wrap.epoch);
        Ok(Slot { envelope, generation, epoch, share_version, owners, since: None })
    }
}

impl Slot {
    /// Which programs its owner lets open it.
    pub fn class(&self) -> Class {
        Envelope::from_bytes(&self.envelope).map(|envelope| envelope.header.class).unwrap_or_default()
    }

    /// The key of that role in this slot's owner set.
    pub fn owner(&self, role: OwnerRole) -> Option<&OwnerKey> {
        self.owners.iter().find(|key| key.role == role)
    }
}

fn damaged() -> Failure {
    Failure::refused("connection_file_damaged", "a connection file is damaged or was altered")
        .hint("put back a copy of it, or remove it and link the account anew")
}

macro_rules! id_as_text {
    ($module:ident, $id:ident) => {
        pub(super) mod $module {
            use serde::{Deserialize, Deserializer, Serializer, de::Error};
            use wire::$id;

            pub fn serialize<S: Serializer>(id: &$id, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(id)
            }

            pub fn deserialize<'d, D: Deserializer<'d>>(deserializer: D) -> Result<$id, D::Error> {
                $id::parse(&String::deserialize(deserializer)?).ok_or_else(|| D::Error::custom("not an id"))
            }
        }
    };
}
id_as_text!(connection_id, ConnectionId);
id_as_text!(organisation_id, OrganisationId);

/// Owner keys as base64 of their canonical CBOR.
mod owner_keys {
    use crate::client::encode::{base64, from_base64};
    use serde::{Deserialize, Deserializer, Serializer, de::Error};
    use wire::Canonical;
    use wire::owner::{MAX_OWNER_KEYS, OwnerKey};

    pub fn serialize<S: Serializer>(keys: &[OwnerKey], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(keys.iter().map(|key| base64(&key.to_bytes())))
    }

    pub fn deserialize<'d, D: Deserializer<'d>>(deserializer: D) -> Result<Vec<OwnerKey>, D::Error> {
        let texts = Vec::<String>::deserialize(deserializer)?;
        if texts.len() > MAX_OWNER_KEYS {
            return Err(D::Error::custom("too many owner keys"));
        }
        let parse = |text: &String| OwnerKey::from_bytes(&from_base64(text)?).ok();
        texts.iter().map(|text| parse(text).ok_or_else(|| D::Error::custom("not an owner key"))).collect()
    }
}
