//! Recovery: codes that were given out, and what was begun with one and waits.

use super::passkeys::insert as insert_passkey;
use super::row::{millis, parsed, parsed_if_any, time};
use super::sessions::{asker, insert as insert_session};
use super::{Change, Failed, Provenance, Store};
use crate::identity::{CodeHash, LONGEST_RECOVERY, Name, Passkey, RECOVERY_WAIT, Recovery, Refusal, Session};
use sqlx::AnyConnection;
use sqlx::Row;
use sqlx::any::AnyRow;
use std::net::IpAddr;
use wire::{PersonId, SessionId, UnixMillis};

/// New codes in the place of those that whoever asks had.
#[derive(Debug)]
pub struct ReplaceRecoveryCodes {
    pub asker: SessionId,
    pub codes: Vec<CodeHash>,
    pub by: Provenance,
}

/// A code uses itself up, and a device begins to wait. The same device may bring it again; another never.
#[derive(Debug)]
pub struct BeginRecovery {
    pub code: CodeHash,
    pub device: SessionId,
    pub name: Name,
    pub from: IpAddr,
    pub by: Provenance,
}

/// The end of everything that waits for the person of whoever asks.
#[derive(Debug)]
pub struct CancelRecoveries {
    pub asker: SessionId,
    pub by: Provenance,
}

/// A device that has waited gets a session and a passkey of the person's; every other session, and whatever else waits, ends.
#[derive(Debug)]
pub struct FinishRecovery {
    pub passkey: Passkey,
    pub session: Session,
    pub by: Provenance,
}

impl Change for ReplaceRecoveryCodes {
    type Outcome = ();

    async fn apply(&self, within: &mut AnyConnection) -> Result<(), Failed> {
        let asker = asker(within, self.asker, self.by.now).await?;
        sqlx::query("DELETE FROM recovery_codes WHERE person = $1")
            .bind(asker.person.to_string())
            .execute(&mut *within)
            .await?;
        for code in &self.codes {
            sqlx::query("INSERT INTO recovery_codes (code_hash, person, created) VALUES ($1, $2, $3)")
                .bind(code.as_hex().to_owned())
                .bind(asker.person.to_string())
                .bind(millis(self.by.now))
                .execute(&mut *within)
                .await?;
        }
        self.by.record_personal(within, asker.person, "recovery_codes_made", asker.id.to_string()).await
    }
}

impl Change for BeginRecovery {
    type Outcome = Recovery;

    async fn apply(&self, within: &mut AnyConnection) -> Result<Recovery, Failed> {
        let (person, used_by) = code(within, &self.code).await?.ok_or(Refusal::RecoveryRefused)?;
        if used_by == Some(self.device) {
            return Ok(find(within, self.device).await?.ok_or(Refusal::RecoveryRefused)?);
        }
        if used_by.is_some() || find(within, self.device).await?.is_some() {
            return Err(Refusal::RecoveryRefused.into());
        }
        let (device, now) = (self.device, self.by.now);
        let due = now.plus(RECOVERY_WAIT);
        let recovery = Recovery { device, person, name: self.name.clone(), begun: now, due, from: self.from };
        insert(within, &recovery).await?;
        sqlx::query("UPDATE recovery_codes SET used_by = $1 WHERE code_hash = $2")
            .bind(device.to_string())
            .bind(self.code.as_hex().to_owned())
            .execute(&mut *within)
            .await?;
        self.by.record_personal(within, person, "recovery_begun", device.to_string()).await?;
        Ok(recovery)
    }
}

impl Change for CancelRecoveries {
    /// How many there were.
    type Outcome = usize;

    async fn apply(&self, within: &mut AnyConnection) -> Result<usize, Failed> {
        let asker = asker(within, self.asker, self.by.now).await?;
        let ended = forget(within, asker.person).await?;
        self.by.record_personal(within, asker.person, "recovery_cancelled", asker.id.to_string()).await?;
        Ok(ended)
    }
}

impl Change for FinishRecovery {
    type Outcome = Session;

    async fn apply(&self, within: &mut AnyConnection) -> Result<Session, Failed> {
        let (now, person) = (self.by.now, self.session.person);
        let recovery = find(within, self.session.id).await?.filter(|waits| waits.person == person);
        recovery.ok_or(Refusal::RecoveryRefused)?.check_due(now)?;
        sqlx::query("UPDATE sessions SET revoked = $1 WHERE person = $2 AND revoked IS NULL")
            .bind(millis(now))
            .bind(person.to_string())
            .execute(&mut *within)
            .await?;
        forget(within, person).await?;
        insert_passkey(within, &self.passkey).await?;
        insert_session(within, &self.session).await?;
        self.by.record_personal(within, person, "recovered", self.session.id.to_string()).await?;
        Ok(self.session.clone())
    }
}

impl Store {
    /// Whether the code begins a recovery for that device: nobody has used it, or this one.
    pub async fn is_recovery_code(&self, given: &CodeHash, device: SessionId) -> Result<bool, Failed> {
        let found = code(&mut *self.pool.acquire().await?, given).await?;
        Ok(found.is_some_and(|(_, used_by)| used_by.is_none_or(|user| user == device)))
    }

    /// Codes of a person that nobody has used.
    pub async fn recovery_codes(&self, person: PersonId) -> Result<usize, Failed> {
        let query = "SELECT COUNT(*) AS number FROM recovery_codes WHERE person = $1 AND used_by IS NULL";
        let row = sqlx::query(query).bind(person.to_string()).fetch_one(&self.pool).await?;
        usize::try_from(row.try_get::<i64, _>("number")?).map_err(|_| Failed::Damaged("number"))
    }

    /// What a device began.
    pub async fn recovery(&self, device: SessionId) -> Result<Option<Recovery>, Failed> {
        find(&mut *self.pool.acquire().await?, device).await
    }

    /// What waits for a person and can still be finished.
    pub async fn recoveries(&self, person: PersonId, now: UnixMillis) -> Result<Vec<Recovery>, Failed> {
        let rows =
            sqlx::query("SELECT * FROM recoveries WHERE person = $1 AND due > $2 ORDER BY begun, device")
                .bind(person.to_string())
                .bind(millis(now.minus(LONGEST_RECOVERY)))
                .fetch_all(&self.pool)
                .await?;
        rows.iter().map(recovery).collect()
    }
}

async fn forget(within: &mut AnyConnection, person: PersonId) -> Result<usize, Failed> {
    let deleted = sqlx::query("DELETE FROM recoveries WHERE person = $1")
        .bind(person.to_string())
        .execute(within)
        .await?;
    Ok(usize::try_from(deleted.rows_affected()).unwrap_or(usize::MAX))
}

async fn code(
    within: &mut AnyConnection,
    code: &CodeHash,
) -> Result<Option<(PersonId, Option<SessionId>)>, Failed> {
    let row = sqlx::query("SELECT person, used_by FROM recovery_codes WHERE code_hash = $1")
        .bind(code.as_hex().to_owned())
        .fetch_optional(within)
        .await?;
    let Some(row) = row else { return Ok(None) };
    let used_by = parsed_if_any(&row, "used_by", SessionId::parse)?;
    Ok(Some((parsed(&row, "person", PersonId::parse)?, used_by)))
}

async fn find(within: &mut AnyConnection, device: SessionId) -> Result<Option<Recovery>, Failed> {
    let row = sqlx::query("SELECT * FROM recoveries WHERE device = $1")
        .bind(device.to_string())
        .fetch_optional(within)
        .await?;
    row.as_ref().map(recovery).transpose()
}

async fn insert(within: &mut AnyConnection, recovery: &Recovery) -> Result<(), Failed> {
    sqlx::query(
        "INSERT INTO recoveries (device, person, name, begun, due, begun_from) VALUES ($1, $2, $3, $4, $5, $6)",
    )
    .bind(recovery.device.to_string())
    .bind(recovery.person.to_string())
    .bind(recovery.name.as_str().to_owned())
    .bind(millis(recovery.begun))
    .bind(millis(recovery.due))
    .bind(recovery.from.to_string())
    .execute(within)
    .await?;
    Ok(())
}

fn recovery(row: &AnyRow) -> Result<Recovery, Failed> {
    Ok(Recovery {
        device: parsed(row, "device", SessionId::parse)?,
        person: parsed(row, "person", PersonId::parse)?,
        name: parsed(row, "name", Name::parse)?,
        begun: time(row, "begun")?,
        due: time(row, "due")?,
        from: parsed(row, "begun_from", |text| text.parse::<IpAddr>().ok())?,
    })
}
