//! API keys.

use super::row::{millis, parsed, parsed_if_any, time, time_if_any};
use super::{Change, Failed, Provenance, Store};
use crate::identity::{
    Actor, Environment, Key, LONGEST_LIFETIME, Name, Networks, NewKey, Public, Refusal, Rights, Scope,
    Scopes, Signer, Use, Validity,
};
use sqlx::AnyConnection;
use sqlx::Row;
use sqlx::any::AnyRow;
use std::net::IpAddr;
use wire::{KeyId, OrganisationId, UnixMillis};

/// Of one organisation, revoked ones included: their public keys stay taken.
pub const MOST_KEYS: i64 = 1000;

/// A key that another key makes.
#[derive(Debug)]
pub struct AddKey {
    pub maker: KeyId,
    /// Its holder has proven to have it, for the maker's organisation.
    pub new: NewKey,
    pub by: Provenance,
}

/// A key in another's place, with its name and rights.
#[derive(Debug)]
pub struct ReplaceKey {
    pub asker: KeyId,
    pub id: KeyId,
    /// Its holder has proven to have it, for the asker's organisation.
    pub public: Public,
    /// How long the old one goes on; 0 ends it at once. Milliseconds.
    pub overlap: u64,
    pub by: Provenance,
}

/// The end of a key, for good.
#[derive(Debug)]
pub struct RevokeKey {
    pub asker: KeyId,
    pub id: KeyId,
    pub by: Provenance,
}

/// When keys and sessions were used last, and from where.
#[derive(Debug)]
pub struct RecordUses(pub Vec<(Signer, Use)>);

/// A place in an organisation's list, which is in the order in which keys were made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cursor {
    pub created: UnixMillis,
    pub id: KeyId,
}

/// Some keys, and where to go on, if there are more.
#[derive(Debug)]
pub struct Page {
    pub keys: Vec<Key>,
    pub next: Option<Cursor>,
}

impl Change for AddKey {
    type Outcome = Key;

    async fn apply(&self, within: &mut AnyConnection) -> Result<Key, Failed> {
        let maker = asker(within, self.maker, self.by.now).await?;
        if !maker.rights.scopes.contain(Scope::KeysWrite) {
            return Err(Refusal::ScopeMissing.into());
        }
        if !self.new.rights.are_within(&maker.rights) {
            return Err(Refusal::RightsExceeded.into());
        }
        let key = Key::made(self.new.clone(), maker.organisation, self.by.now, Actor::Key(maker.id));
        insert(within, &key).await?;
        self.by.record(within, key.organisation, "key_created", key.id.to_string()).await?;
        Ok(key)
    }
}

impl Change for ReplaceKey {
    type Outcome = Key;

    async fn apply(&self, within: &mut AnyConnection) -> Result<Key, Failed> {
        let now = self.by.now;
        let asker = asker(within, self.asker, now).await?;
        let old = of_organisation(within, asker.organisation, self.id).await?;
        old.check_live(now)?;
        if old.replaced_by.is_some() {
            return Err(Refusal::KeyReplaced.into());
        }
        if asker.id != old.id {
            // Who holds the new key has the old one's rights.
            if !asker.rights.scopes.contain(Scope::KeysWrite) {
                return Err(Refusal::ScopeMissing.into());
            }
            if !old.rights.are_within(&asker.rights) {
                return Err(Refusal::RightsExceeded.into());
            }
        }
        let key = self.replacement(&old);
        insert(within, &key).await?;
        self.retire(within, &old).await?;
        self.by.record(within, key.organisation, "key_replaced", old.id.to_string()).await?;
        Ok(key)
    }
}

impl ReplaceKey {
    fn replacement(&self, old: &Key) -> Key {
        let lasts = old.validity.expires.distance(old.validity.not_before).min(LONGEST_LIFETIME);
        let validity = Validity { not_before: self.by.now, expires: self.by.now.plus(lasts) };
        let (name, rights) = (old.name.clone(), old.rights.clone());
        let new = NewKey { name, public: self.public.clone(), rights, validity };
        Key::made(new, old.organisation, self.by.now, self.by.actor)
    }

    async fn retire(&self, within: &mut AnyConnection, old: &Key) -> Result<(), Failed> {
        let now = self.by.now;
        let expires = old.validity.expires.min(now.plus(self.overlap));
        let revoked = (self.overlap == 0).then(|| millis(now));
        // A validity is never empty, not even of a key that ends at once: `revoked` says that.
        let expires = expires.max(old.validity.not_before.plus(1));
        sqlx::query("UPDATE keys SET replaced_by = $1, expires = $2, revoked = $3 WHERE id = $4")
            .bind(self.public.id().to_string())
            .bind(millis(expires))
            .bind(revoked)
            .bind(old.id.to_string())
            .execute(within)
            .await?;
        Ok(())
    }
}

impl Change for RevokeKey {
    type Outcome = Key;

    async fn apply(&self, within: &mut AnyConnection) -> Result<Key, Failed> {
        let now = self.by.now;
        let asker = asker(within, self.asker, now).await?;
        if asker.id != self.id && !asker.rights.scopes.contain(Scope::KeysWrite) {
            return Err(Refusal::ScopeMissing.into());
        }
        let mut key = of_organisation(within, asker.organisation, self.id).await?;
        if key.revoked.is_some() {
            return Ok(key);
        }
        sqlx::query("UPDATE keys SET revoked = $1 WHERE id = $2")
            .bind(millis(now))
            .bind(key.id.to_string())
            .execute(&mut *within)
            .await?;
        self.by.record(within, key.organisation, "key_revoked", key.id.to_string()).await?;
        key.revoked = Some(now);
        Ok(key)
    }
}

impl Change for RecordUses {
    type Outcome = ();

    async fn apply(&self, within: &mut AnyConnection) -> Result<(), Failed> {
        for (id, used) in &self.0 {
            let update = match id {
                Signer::Key(_) => "UPDATE keys SET last_used = $1, last_used_from = $2 WHERE id = $3",
                Signer::Session(_) => "UPDATE sessions SET last_used = $1, last_used_from = $2 WHERE id = $3",
            };
            sqlx::query(update)
                .bind(millis(used.at))
                .bind(used.from.to_string())
                .bind(id.to_string())
                .execute(&mut *within)
                .await?;
        }
        Ok(())
    }
}

impl Store {
    pub async fn key(&self, id: KeyId) -> Result<Option<Key>, Failed> {
        let now = self.memory.changes.moment();
        if let Some(key) = self.memory.keys.get(&id, now) {
            return Ok(Some(key));
        }
        let found = find(&mut *self.pool.acquire().await?, id).await?;
        found.iter().for_each(|key| self.memory.keys.keep(id, key.clone(), now));
        Ok(found)
    }

    /// At most `most` keys of an organisation, in the order in which they were made.
    pub async fn keys(
        &self,
        organisation: OrganisationId,
        after: Option<Cursor>,
        most: u32,
    ) -> Result<Page, Failed> {
        // Before every key there is.
        let after = after.unwrap_or(Cursor { created: UnixMillis(0), id: KeyId([0; 16]) });
        let rows = sqlx::query(
            "SELECT * FROM keys WHERE organisation = $1 AND (created > $2 OR (created = $2 AND id > $3)) \
             ORDER BY created, id LIMIT $4",
        )
        .bind(organisation.to_string())
        .bind(millis(after.created))
        .bind(after.id.to_string())
        .bind(i64::from(most) + 1)
        .fetch_all(&self.pool)
        .await?;
        let mut keys = rows.iter().map(key).collect::<Result<Vec<_>, _>>()?;
        let most = usize::try_from(most).unwrap_or(usize::MAX);
        let is_more = keys.len() > most;
        keys.truncate(most);
        let next = keys.last().filter(|_| is_more).map(|key| Cursor { created: key.created, id: key.id });
        Ok(Page { keys, next })
    }
}

pub(super) async fn find(within: &mut AnyConnection, id: KeyId) -> Result<Option<Key>, Failed> {
    let row =
        sqlx::query("SELECT * FROM keys WHERE id = $1").bind(id.to_string()).fetch_optional(within).await?;
    row.as_ref().map(key).transpose()
}

/// Who asks: admitted a moment ago, and perhaps revoked since.
pub(super) async fn asker(within: &mut AnyConnection, id: KeyId, now: UnixMillis) -> Result<Key, Failed> {
    let asker = find(within, id).await?.ok_or(Refusal::KeyNotFound)?;
    asker.check_live(now)?;
    Ok(asker)
}

/// Another organisation's key is none.
async fn of_organisation(
    within: &mut AnyConnection,
    organisation: OrganisationId,
    id: KeyId,
) -> Result<Key, Failed> {
    let key = find(within, id).await?.filter(|key| key.organisation == organisation);
    Ok(key.ok_or(Refusal::KeyNotFound)?)
}

pub(super) async fn insert(within: &mut AnyConnection, key: &Key) -> Result<(), Failed> {
    if find(within, key.id).await?.is_some() {
        return Err(Refusal::KeyTaken.into());
    }
    let counted = sqlx::query("SELECT COUNT(*) AS number FROM keys WHERE organisation = $1")
        .bind(key.organisation.to_string())
        .fetch_one(&mut *within)
        .await?;
    if counted.try_get::<i64, _>("number")? >= MOST_KEYS {
        return Err(Refusal::TooManyKeys.into());
    }
    sqlx::query(
        "INSERT INTO keys (id, organisation, name, algorithm, public_key, scopes, environment, networks, \
         not_before, expires, created, created_by) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
    )
    .bind(key.id.to_string())
    .bind(key.organisation.to_string())
    .bind(key.name.as_str().to_owned())
    .bind(key.public.algorithm().name())
    .bind(key.public.base64())
    .bind(key.rights.scopes.to_string())
    .bind(key.rights.environment.name())
    .bind(key.rights.networks.to_string())
    .bind(millis(key.validity.not_before))
    .bind(millis(key.validity.expires))
    .bind(millis(key.created))
    .bind(key.created_by.to_string())
    .execute(within)
    .await?;
    Ok(())
}

fn key(row: &AnyRow) -> Result<Key, Failed> {
    let algorithm = super::row::text(row, "algorithm")?;
    let public = parsed(row, "public_key", |text| Public::from_texts(&algorithm, text).ok())?;
    let id = parsed(row, "id", KeyId::parse)?;
    if public.id() != id {
        return Err(Failed::Damaged("id"));
    }
    let rights = Rights {
        scopes: parsed(row, "scopes", Scopes::parse)?,
        environment: parsed(row, "environment", Environment::from_name)?,
        networks: parsed(row, "networks", Networks::parse)?,
    };
    let validity = Validity::new(time(row, "not_before")?, time(row, "expires")?);
    let used = time_if_any(row, "last_used")?;
    let from = parsed_if_any(row, "last_used_from", |text| text.parse::<IpAddr>().ok())?;
    Ok(Key {
        id,
        organisation: parsed(row, "organisation", OrganisationId::parse)?,
        name: parsed(row, "name", Name::parse)?,
        public,
        rights,
        validity: validity.ok_or(Failed::Damaged("expires"))?,
        created: time(row, "created")?,
        created_by: parsed(row, "created_by", Actor::parse)?,
        revoked: time_if_any(row, "revoked")?,
        replaced_by: parsed_if_any(row, "replaced_by", KeyId::parse)?,
        last_used: used.zip(from).map(|(at, from)| Use { at, from }),
    })
}
