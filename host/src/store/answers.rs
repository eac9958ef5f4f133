//! Requests that carry an `Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header) are carried out once and answered the same way.

use super::row::{millis, text};
use super::{Change, Failed};
use crate::identity::{Actor, Refusal};
use sqlx::AnyConnection;
use sqlx::Row;
use wire::UnixMillis;

/// Answers are kept so long, in milliseconds.
const KEPT: u64 = 24 * 3_600_000;

/// Whose request, the key it chose, and the hash of what it asked: all of it, the method and the path too.
#[derive(Clone, Debug)]
pub struct Idempotency {
    pub actor: Actor,
    pub key: String,
    pub request_hash: String,
    pub now: UnixMillis,
}

/// Status and JSON.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    pub status: u16,
    pub body: String,
}

/// A change whose outcome is an answer. With an idempotency key it is carried out once: who asks again gets the answer of then.
pub struct Answered<'c, C: Change> {
    pub change: &'c C,
    pub idempotency: Option<Idempotency>,
    pub answer: fn(&C::Outcome) -> Answer,
}

impl<C: Change> Change for Answered<'_, C> {
    type Outcome = Answer;

    async fn apply(&self, within: &mut AnyConnection) -> Result<Answer, Failed> {
        let Some(idempotency) = &self.idempotency else {
            return Ok((self.answer)(&self.change.apply(within).await?));
        };
        if let Some(answer) = idempotency.find(within).await? {
            return Ok(answer);
        }
        let answer = (self.answer)(&self.change.apply(within).await?);
        idempotency.keep(within, &answer).await?;
        Ok(answer)
    }
}

impl Idempotency {
    async fn find(&self, within: &mut AnyConnection) -> Result<Option<Answer>, Failed> {
        sqlx::query("DELETE FROM answers WHERE answered < $1")
            .bind(millis(self.now.minus(KEPT)))
            .execute(&mut *within)
            .await?;
        let row = sqlx::query(
            "SELECT request_hash, status, body FROM answers WHERE actor = $1 AND idempotency_key = $2",
        )
        .bind(self.actor.to_string())
        .bind(self.key.clone())
        .fetch_optional(within)
        .await?;
        let Some(row) = row else { return Ok(None) };
        if text(&row, "request_hash")? != self.request_hash {
            return Err(Refusal::IdempotencyKeyReused.into());
        }
        let status =
            u16::try_from(row.try_get::<i64, _>("status")?).map_err(|_| Failed::Damaged("status"))?;
        Ok(Some(Answer { status, body: text(&row, "body")? }))
    }

    async fn keep(&self, within: &mut AnyConnection, answer: &Answer) -> Result<(), Failed> {
        sqlx::query(
            "INSERT INTO answers (actor, idempotency_key, request_hash, status, body, answered) \
             VALUES ($1, $2, $3, $4, $5, $6)",
        )
        .bind(self.actor.to_string())
        .bind(self.key.clone())
        .bind(self.request_hash.clone())
        .bind(i64::from(answer.status))
        .bind(answer.body.clone())
        .bind(millis(self.now))
        .execute(within)
        .await?;
        Ok(())
    }
}
