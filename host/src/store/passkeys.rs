//! People's passkeys.

use super::row::{millis, number, parsed, text, time, time_if_any};
use super::sessions::asker;
use super::{Change, Failed, Provenance, Store};
use crate::identity::passkey::{Asserted, Credential, check_counter};
use crate::identity::{MOST_PASSKEYS, Name, Passkey, Public, Refusal};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sqlx::AnyConnection;
use sqlx::Row;
use sqlx::any::AnyRow;
use wire::{PasskeyId, PersonId, SessionId, UnixMillis};

/// One more passkey of whoever asks.
#[derive(Debug)]
pub struct AddPasskey {
    pub asker: SessionId,
    /// Of the asker's person.
    pub passkey: Passkey,
    pub by: Provenance,
}

/// Another name for one.
#[derive(Debug)]
pub struct NamePasskey {
    pub asker: SessionId,
    pub id: PasskeyId,
    pub name: Name,
    pub by: Provenance,
}

/// The end of one, and of every session that was begun with it but the one that asks. The last one stays.
#[derive(Debug)]
pub struct RemovePasskey {
    pub asker: SessionId,
    pub id: PasskeyId,
    pub by: Provenance,
}

/// An assertion was taken: none that was made before it is.
#[derive(Debug)]
pub struct CountPasskey {
    pub passkey: PasskeyId,
    pub asserted: Asserted,
    pub now: UnixMillis,
}

impl Change for AddPasskey {
    type Outcome = Passkey;

    async fn apply(&self, within: &mut AnyConnection) -> Result<Passkey, Failed> {
        let asker = asker(within, self.asker, self.by.now).await?;
        if asker.person != self.passkey.person {
            return Err(Refusal::SessionNotFound.into());
        }
        if count(within, asker.person).await? >= MOST_PASSKEYS {
            return Err(Refusal::TooManyPasskeys.into());
        }
        insert(within, &self.passkey).await?;
        let id = self.passkey.id().to_string();
        self.by.record_personal(within, asker.person, "passkey_added", id).await?;
        Ok(self.passkey.clone())
    }
}

impl Change for NamePasskey {
    type Outcome = Passkey;

    async fn apply(&self, within: &mut AnyConnection) -> Result<Passkey, Failed> {
        let mut passkey = of_asker(within, self.asker, self.id, self.by.now).await?;
        sqlx::query("UPDATE passkeys SET name = $1 WHERE id = $2")
            .bind(self.name.as_str().to_owned())
            .bind(self.id.to_string())
            .execute(&mut *within)
            .await?;
        self.by.record_personal(within, passkey.person, "passkey_named", self.id.to_string()).await?;
        passkey.name = self.name.clone();
        Ok(passkey)
    }
}

impl Change for RemovePasskey {
    type Outcome = Passkey;

    async fn apply(&self, within: &mut AnyConnection) -> Result<Passkey, Failed> {
        let passkey = of_asker(within, self.asker, self.id, self.by.now).await?;
        if count(within, passkey.person).await? < 2 {
            return Err(Refusal::LastPasskey.into());
        }
        sqlx::query("DELETE FROM passkeys WHERE id = $1")
            .bind(self.id.to_string())
            .execute(&mut *within)
            .await?;
        sqlx::query("UPDATE sessions SET revoked = $1 WHERE passkey = $2 AND id <> $3 AND revoked IS NULL")
            .bind(millis(self.by.now))
            .bind(self.id.to_string())
            .bind(self.asker.to_string())
            .execute(&mut *within)
            .await?;
        self.by.record_personal(within, passkey.person, "passkey_removed", self.id.to_string()).await?;
        Ok(passkey)
    }
}

impl Change for CountPasskey {
    type Outcome = Passkey;

    async fn apply(&self, within: &mut AnyConnection) -> Result<Passkey, Failed> {
        // It may be gone since it was asked, and another assertion may have been counted.
        let mut passkey = find(within, self.passkey).await?.ok_or(Refusal::PasskeyRefused)?;
        let counter = self.asserted.counter();
        check_counter(counter, passkey.credential.counter).map_err(|_| Refusal::PasskeyRefused)?;
        sqlx::query("UPDATE passkeys SET counter = $1, last_used = $2 WHERE id = $3")
            .bind(i64::from(counter))
            .bind(millis(self.now))
            .bind(self.passkey.to_string())
            .execute(&mut *within)
            .await?;
        (passkey.credential.counter, passkey.last_used) = (counter, Some(self.now));
        Ok(passkey)
    }
}

impl Store {
    pub async fn passkey(&self, id: PasskeyId) -> Result<Option<Passkey>, Failed> {
        find(&mut *self.pool.acquire().await?, id).await
    }

    /// In the order in which they were made.
    pub async fn passkeys(&self, person: PersonId) -> Result<Vec<Passkey>, Failed> {
        let rows = sqlx::query("SELECT * FROM passkeys WHERE person = $1 ORDER BY created, id")
            .bind(person.to_string())
            .fetch_all(&self.pool)
            .await?;
        rows.iter().map(passkey).collect()
    }
}

/// Another person's passkey is none.
async fn of_asker(
    within: &mut AnyConnection,
    asked_by: SessionId,
    id: PasskeyId,
    now: UnixMillis,
) -> Result<Passkey, Failed> {
    let asker = asker(within, asked_by, now).await?;
    let passkey = find(within, id).await?.filter(|passkey| passkey.person == asker.person);
    Ok(passkey.ok_or(Refusal::PasskeyNotFound)?)
}

async fn count(within: &mut AnyConnection, person: PersonId) -> Result<usize, Failed> {
    let counted = sqlx::query("SELECT COUNT(*) AS number FROM passkeys WHERE person = $1")
        .bind(person.to_string())
        .fetch_one(within)
        .await?;
    usize::try_from(counted.try_get::<i64, _>("number")?).map_err(|_| Failed::Damaged("number"))
}

async fn find(within: &mut AnyConnection, id: PasskeyId) -> Result<Option<Passkey>, Failed> {
    let row = sqlx::query("SELECT * FROM passkeys WHERE id = $1")
        .bind(id.to_string())
        .fetch_optional(within)
        .await?;
    row.as_ref().map(passkey).transpose()
}

pub(super) async fn insert(within: &mut AnyConnection, passkey: &Passkey) -> Result<(), Failed> {
    // No credential is registered twice: whose it is would depend on who asks (WebAuthn §7.1, step 26).
    if find(within, passkey.id()).await?.is_some() {
        return Err(Refusal::PasskeyRefused.into());
    }
    let Credential { relying_party, id, public, backup_eligible, counter } = &passkey.credential;
    sqlx::query(
        "INSERT INTO passkeys (id, person, name, relying_party, credential, algorithm, public_key, \
         backup_eligible, counter, created) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
    )
    .bind(passkey.id().to_string())
    .bind(passkey.person.to_string())
    .bind(passkey.name.as_str().to_owned())
    .bind(relying_party.clone())
    .bind(URL_SAFE_NO_PAD.encode(id))
    .bind(public.algorithm().name())
    .bind(public.base64())
    .bind(i64::from(*backup_eligible))
    .bind(i64::from(*counter))
    .bind(millis(passkey.created))
    .execute(within)
    .await?;
    Ok(())
}

fn passkey(row: &AnyRow) -> Result<Passkey, Failed> {
    let algorithm = text(row, "algorithm")?;
    let credential = Credential {
        relying_party: text(row, "relying_party")?,
        id: parsed(row, "credential", |text| URL_SAFE_NO_PAD.decode(text).ok())?,
        public: parsed(row, "public_key", |text| Public::from_texts(&algorithm, text).ok())?,
        backup_eligible: number(row, "backup_eligible", |number| match number {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        })?,
        counter: number(row, "counter", |number| u32::try_from(number).ok())?,
    };
    let passkey = Passkey {
        person: parsed(row, "person", PersonId::parse)?,
        name: parsed(row, "name", Name::parse)?,
        credential,
        created: time(row, "created")?,
        last_used: time_if_any(row, "last_used")?,
    };
    if passkey.id() == parsed(row, "id", PasskeyId::parse)? {
        Ok(passkey)
    } else {
        Err(Failed::Damaged("id"))
    }
}
