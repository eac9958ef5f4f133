//! Devices that people are signed in with.

use super::row::{millis, parsed, text, time, time_if_any};
use super::{Change, Failed, Provenance, Store};
use crate::identity::{Environment, LONGEST_IDLE, MOST_SESSIONS, Name, Public, Refusal, Session, Use};
use sqlx::AnyConnection;
use sqlx::Row;
use sqlx::any::AnyRow;
use std::net::IpAddr;
use wire::{PasskeyId, PersonId, SessionId, UnixMillis};

/// Sessions that ended are kept so long, in milliseconds, to be told about; their events stay.
const KEPT: u64 = 30 * 24 * 3_600_000;

/// Another name for a device.
#[derive(Debug)]
pub struct NameSession {
    pub asker: SessionId,
    pub id: SessionId,
    pub name: Name,
    pub by: Provenance,
}

/// The end of a session, at once and for good: of the one that asks, or of another of the same person.
#[derive(Debug)]
pub struct EndSession {
    pub asker: SessionId,
    pub id: SessionId,
    pub by: Provenance,
}

/// The end of every session of a person but the one that asks.
#[derive(Debug)]
pub struct EndOtherSessions {
    pub asker: SessionId,
    pub by: Provenance,
}

impl Change for NameSession {
    type Outcome = Session;

    async fn apply(&self, within: &mut AnyConnection) -> Result<Session, Failed> {
        let mut session = of_asker(within, self.asker, self.id, self.by.now).await?;
        sqlx::query("UPDATE sessions SET name = $1 WHERE id = $2")
            .bind(self.name.as_str().to_owned())
            .bind(self.id.to_string())
            .execute(&mut *within)
            .await?;
        self.by.record_personal(within, session.person, "session_named", self.id.to_string()).await?;
        session.name = self.name.clone();
        Ok(session)
    }
}

impl Change for EndSession {
    type Outcome = Session;

    async fn apply(&self, within: &mut AnyConnection) -> Result<Session, Failed> {
        let mut session = of_asker(within, self.asker, self.id, self.by.now).await?;
        if session.revoked.is_some() {
            return Ok(session);
        }
        sqlx::query("UPDATE sessions SET revoked = $1 WHERE id = $2")
            .bind(millis(self.by.now))
            .bind(self.id.to_string())
            .execute(&mut *within)
            .await?;
        self.by.record_personal(within, session.person, "session_ended", self.id.to_string()).await?;
        session.revoked = Some(self.by.now);
        Ok(session)
    }
}

impl Change for EndOtherSessions {
    /// How many there were.
    type Outcome = usize;

    async fn apply(&self, within: &mut AnyConnection) -> Result<usize, Failed> {
        let asker = asker(within, self.asker, self.by.now).await?;
        let ended = sqlx::query(
            "UPDATE sessions SET revoked = $1 WHERE person = $2 AND id <> $3 AND revoked IS NULL AND expires > $1",
        )
        .bind(millis(self.by.now))
        .bind(asker.person.to_string())
        .bind(asker.id.to_string())
        .execute(&mut *within)
        .await?;
        self.by.record_personal(within, asker.person, "other_sessions_ended", asker.id.to_string()).await?;
        Ok(usize::try_from(ended.rows_affected()).unwrap_or(usize::MAX))
    }
}

impl Store {
    pub async fn session(&self, id: SessionId) -> Result<Option<Session>, Failed> {
        let now = self.memory.changes.moment();
        if let Some(session) = self.memory.sessions.get(&id, now) {
            return Ok(Some(session));
        }
        let found = find(&mut *self.pool.acquire().await?, id).await?;
        found.iter().for_each(|session| self.memory.sessions.keep(id, session.clone(), now));
        Ok(found)
    }

    /// Those of a person that nobody ended and that are not over at `now`, the latest first. Some may have idled for too long.
    pub async fn sessions(&self, person: PersonId, now: UnixMillis) -> Result<Vec<Session>, Failed> {
        let rows = sqlx::query(
            "SELECT * FROM sessions WHERE person = $1 AND revoked IS NULL AND expires > $2 \
             ORDER BY created DESC, id DESC",
        )
        .bind(person.to_string())
        .bind(millis(now))
        .fetch_all(&self.pool)
        .await?;
        rows.iter().map(session).collect()
    }
}

/// Forgets what ended long ago; as many as may be live at once are refused one more.
pub(super) async fn make_room(
    within: &mut AnyConnection,
    person: PersonId,
    now: UnixMillis,
) -> Result<(), Failed> {
    sqlx::query("DELETE FROM sessions WHERE person = $1 AND expires < $2")
        .bind(person.to_string())
        .bind(millis(now.minus(KEPT)))
        .execute(&mut *within)
        .await?;
    let counted = sqlx::query(
        "SELECT COUNT(*) AS number FROM sessions \
         WHERE person = $1 AND revoked IS NULL AND expires > $2 AND last_used > $3",
    )
    .bind(person.to_string())
    .bind(millis(now))
    .bind(millis(now.minus(LONGEST_IDLE)))
    .fetch_one(within)
    .await?;
    let live =
        usize::try_from(counted.try_get::<i64, _>("number")?).map_err(|_| Failed::Damaged("number"))?;
    if live < MOST_SESSIONS { Ok(()) } else { Err(Refusal::TooManySessions.into()) }
}

/// Who asks: admitted a moment ago, and perhaps ended since. How long it idled was looked at then.
pub(super) async fn asker(
    within: &mut AnyConnection,
    id: SessionId,
    now: UnixMillis,
) -> Result<Session, Failed> {
    let asker = find(within, id).await?.ok_or(Refusal::SessionNotFound)?;
    asker.check_live(now, now)?;
    Ok(asker)
}

/// Another person's session is none.
async fn of_asker(
    within: &mut AnyConnection,
    asked_by: SessionId,
    id: SessionId,
    now: UnixMillis,
) -> Result<Session, Failed> {
    let asker = asker(within, asked_by, now).await?;
    let session = find(within, id).await?.filter(|session| session.person == asker.person);
    Ok(session.ok_or(Refusal::SessionNotFound)?)
}

async fn find(within: &mut AnyConnection, id: SessionId) -> Result<Option<Session>, Failed> {
    let row = sqlx::query("SELECT * FROM sessions WHERE id = $1")
        .bind(id.to_string())
        .fetch_optional(within)
        .await?;
    row.as_ref().map(session).transpose()
}

pub(super) async fn insert(within: &mut AnyConnection, session: &Session) -> Result<(), Failed> {
    if find(within, session.id).await?.is_some() {
        // A device makes a key for each session.
        return Err(Refusal::KeyTaken.into());
    }
    sqlx::query(
        "INSERT INTO sessions (id, person, name, algorithm, public_key, environment, passkey, created, \
         expires, last_used, last_used_from) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
    )
    .bind(session.id.to_string())
    .bind(session.person.to_string())
    .bind(session.name.as_str().to_owned())
    .bind(session.public.algorithm().name())
    .bind(session.public.base64())
    .bind(session.environment.name())
    .bind(session.passkey.to_string())
    .bind(millis(session.created))
    .bind(millis(session.expires))
    .bind(millis(session.last_used.at))
    .bind(session.last_used.from.to_string())
    .execute(within)
    .await?;
    Ok(())
}

fn session(row: &AnyRow) -> Result<Session, Failed> {
    let algorithm = text(row, "algorithm")?;
    let public = parsed(row, "public_key", |text| Public::from_texts(&algorithm, text).ok())?;
    let id = parsed(row, "id", SessionId::parse)?;
    if public.session() != id {
        return Err(Failed::Damaged("id"));
    }
    let from = parsed(row, "last_used_from", |text| text.parse::<IpAddr>().ok())?;
    Ok(Session {
        id,
        person: parsed(row, "person", PersonId::parse)?,
        name: parsed(row, "name", Name::parse)?,
        public,
        environment: parsed(row, "environment", Environment::from_name)?,
        passkey: parsed(row, "passkey", PasskeyId::parse)?,
        created: time(row, "created")?,
        expires: time(row, "expires")?,
        last_used: Use { at: time(row, "last_used")?, from },
        revoked: time_if_any(row, "revoked")?,
    })
}
