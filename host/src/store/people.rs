//! People: how they come, and where from.

use super::passkeys::{CountPasskey, insert as insert_passkey};
use super::row::{millis, parsed, time};
use super::sessions::{insert as insert_session, make_room};
use super::{Change, Failed, Provenance, Store};
use crate::identity::passkey::Asserted;
use crate::identity::{Name, Passkey, Person, Refusal, Session};
use sqlx::AnyConnection;
use sqlx::any::AnyRow;
use wire::PersonId;

/// Somebody new, with the passkey that was made and the device that they came with.
#[derive(Debug)]
pub struct SignUp {
    pub person: Person,
    pub passkey: Passkey,
    pub session: Session,
    pub by: Provenance,
}

/// A device of somebody who is here, by one of their passkeys.
#[derive(Debug)]
pub struct SignIn {
    /// By the passkey of the session.
    pub asserted: Asserted,
    pub session: Session,
    pub by: Provenance,
}

impl Change for SignUp {
    type Outcome = Session;

    async fn apply(&self, within: &mut AnyConnection) -> Result<Session, Failed> {
        let Person { id, name, created } = &self.person;
        sqlx::query("INSERT INTO people (id, name, created) VALUES ($1, $2, $3)")
            .bind(id.to_string())
            .bind(name.as_str().to_owned())
            .bind(millis(*created))
            .execute(&mut *within)
            .await?;
        insert_passkey(within, &self.passkey).await?;
        insert_session(within, &self.session).await?;
        self.by.record_personal(within, *id, "signed_up", self.session.id.to_string()).await?;
        Ok(self.session.clone())
    }
}

impl Change for SignIn {
    type Outcome = Session;

    async fn apply(&self, within: &mut AnyConnection) -> Result<Session, Failed> {
        let id = self.session.passkey;
        // It may be gone since it was asked, and another assertion may have been counted.
        let count = CountPasskey { passkey: id, asserted: self.asserted, now: self.by.now };
        let passkey = count.apply(within).await?;
        if passkey.person != self.session.person {
            return Err(Refusal::PasskeyRefused.into());
        }
        make_room(within, self.session.person, self.by.now).await?;
        insert_session(within, &self.session).await?;
        let session = self.session.id.to_string();
        self.by.record_personal(within, passkey.person, "signed_in", session).await?;
        Ok(self.session.clone())
    }
}

impl Store {
    pub async fn person(&self, id: PersonId) -> Result<Option<Person>, Failed> {
        let row = sqlx::query("SELECT id, name, created FROM people WHERE id = $1")
            .bind(id.to_string())
            .fetch_optional(&self.pool)
            .await?;
        row.as_ref().map(person).transpose()
    }
}

fn person(row: &AnyRow) -> Result<Person, Failed> {
    Ok(Person {
        id: parsed(row, "id", PersonId::parse)?,
        name: parsed(row, "name", Name::parse)?,
        created: time(row, "created")?,
    })
}
