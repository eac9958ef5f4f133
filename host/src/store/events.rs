//! What was done, beside what it changed, in the same transaction.

use super::row::{millis, parsed, text, time};
use super::{Failed, Store};
use crate::identity::{Actor, Event, PersonalEvent, RequestName};
use sqlx::AnyConnection;
use sqlx::any::AnyRow;
use wire::{EventId, OrganisationId, PersonId, UnixMillis};

/// Who does something, when, in which request; and the id of the event that says so.
#[derive(Clone, Debug)]
pub struct Provenance {
    pub event: EventId,
    pub actor: Actor,
    pub now: UnixMillis,
    pub request: RequestName,
}

/// `None` where a request name was none: an operator's.
fn request_name(text: &str) -> Option<RequestName> {
    if text == RequestName::of_command().as_str() {
        Some(RequestName::of_command())
    } else {
        RequestName::parse(text)
    }
}

impl Provenance {
    /// `action` is a word of docs/spec/identity.md §7.
    pub(super) async fn record(
        &self,
        within: &mut AnyConnection,
        organisation: OrganisationId,
        action: &'static str,
        subject: String,
    ) -> Result<(), Failed> {
        sqlx::query(
            "INSERT INTO events (id, organisation, actor, action, subject, happened, request) \
             VALUES ($1, $2, $3, $4, $5, $6, $7)",
        )
        .bind(self.event.to_string())
        .bind(organisation.to_string())
        .bind(self.actor.to_string())
        .bind(action)
        .bind(subject)
        .bind(millis(self.now))
        .bind(self.request.as_str().to_owned())
        .execute(within)
        .await?;
        Ok(())
    }
}

impl Provenance {
    /// `action` is a word of docs/spec/people.md §8.
    pub(super) async fn record_personal(
        &self,
        within: &mut AnyConnection,
        person: PersonId,
        action: &'static str,
        subject: String,
    ) -> Result<(), Failed> {
        sqlx::query(
            "INSERT INTO personal_events (id, person, actor, action, subject, happened, request) \
             VALUES ($1, $2, $3, $4, $5, $6, $7)",
        )
        .bind(self.event.to_string())
        .bind(person.to_string())
        .bind(self.actor.to_string())
        .bind(action)
        .bind(subject)
        .bind(millis(self.now))
        .bind(self.request.as_str().to_owned())
        .execute(within)
        .await?;
        Ok(())
    }
}

impl Store {
    /// The last `most` of a person, the latest first.
    pub async fn personal_events(&self, person: PersonId, most: i64) -> Result<Vec<PersonalEvent>, Failed> {
        let rows = sqlx::query(
            "SELECT id, person, actor, action, subject, happened, request FROM personal_events \
             WHERE person = $1 ORDER BY happened DESC, id DESC LIMIT $2",
        )
        .bind(person.to_string())
        .bind(most)
        .fetch_all(&self.pool)
        .await?;
        rows.iter().map(personal_event).collect()
    }
}

impl Store {
    /// The last `most` of an organisation, the latest first.
    pub async fn events(&self, organisation: OrganisationId, most: i64) -> Result<Vec<Event>, Failed> {
        let rows = sqlx::query(
            "SELECT id, organisation, actor, action, subject, happened, request FROM events \
             WHERE organisation = $1 ORDER BY happened DESC, id DESC LIMIT $2",
        )
        .bind(organisation.to_string())
        .bind(most)
        .fetch_all(&self.pool)
        .await?;
        rows.iter().map(event).collect()
    }
}

fn event(row: &AnyRow) -> Result<Event, Failed> {
    Ok(Event {
        id: parsed(row, "id", EventId::parse)?,
        organisation: parsed(row, "organisation", OrganisationId::parse)?,
        actor: parsed(row, "actor", Actor::parse)?,
        action: text(row, "action")?,
        subject: text(row, "subject")?,
        happened: time(row, "happened")?,
        request: parsed(row, "request", request_name)?,
    })
}

fn personal_event(row: &AnyRow) -> Result<PersonalEvent, Failed> {
    Ok(PersonalEvent {
        id: parsed(row, "id", EventId::parse)?,
        person: parsed(row, "person", PersonId::parse)?,
        actor: parsed(row, "actor", Actor::parse)?,
        action: text(row, "action")?,
        subject: text(row, "subject")?,
        happened: time(row, "happened")?,
        request: parsed(row, "request", request_name)?,
    })
}
