//! Organisations.

use super::row::{millis, parsed, time};
use super::{Change, Failed, Provenance, Store};
use crate::identity::{Invitation, Name, Organisation, Refusal};
use sqlx::AnyConnection;
use sqlx::any::AnyRow;
use wire::OrganisationId;

/// An organisation, and the invitation for its first key.
#[derive(Debug)]
pub struct CreateOrganisation {
    pub organisation: Organisation,
    pub invitation: Invitation,
    pub by: Provenance,
}

/// A further key for an organisation that is there.
#[derive(Debug)]
pub struct CreateInvitation {
    pub invitation: Invitation,
    pub by: Provenance,
}

impl Change for CreateInvitation {
    type Outcome = ();

    async fn apply(&self, within: &mut AnyConnection) -> Result<(), Failed> {
        let id = self.invitation.organisation;
        let found = sqlx::query("SELECT id FROM organisations WHERE id = $1")
            .bind(id.to_string())
            .fetch_optional(&mut *within)
            .await?;
        found.ok_or(Refusal::OrganisationNotFound)?;
        self.invitation.insert(within).await?;
        self.by.record(within, id, "invitation_created", id.to_string()).await
    }
}

impl Change for CreateOrganisation {
    type Outcome = ();

    async fn apply(&self, within: &mut AnyConnection) -> Result<(), Failed> {
        let Organisation { id, name, created } = &self.organisation;
        sqlx::query("INSERT INTO organisations (id, name, created) VALUES ($1, $2, $3)")
            .bind(id.to_string())
            .bind(name.as_str().to_owned())
            .bind(millis(*created))
            .execute(&mut *within)
            .await?;
        self.invitation.insert(within).await?;
        self.by.record(within, *id, "organisation_created", id.to_string()).await
    }
}

impl Store {
    pub async fn organisation(&self, id: OrganisationId) -> Result<Option<Organisation>, Failed> {
        let now = self.memory.changes.moment();
        if let Some(organisation) = self.memory.organisations.get(&id, now) {
            return Ok(Some(organisation));
        }
        let row = sqlx::query("SELECT id, name, created FROM organisations WHERE id = $1")
            .bind(id.to_string())
            .fetch_optional(&self.pool)
            .await?;
        let found = row.as_ref().map(organisation).transpose()?;
        found.iter().for_each(|found| self.memory.organisations.keep(id, found.clone(), now));
        Ok(found)
    }

    /// All of them, for the host's operators.
    pub async fn organisations(&self) -> Result<Vec<Organisation>, Failed> {
        let rows = sqlx::query("SELECT id, name, created FROM organisations ORDER BY created, id")
            .fetch_all(&self.pool)
            .await?;
        rows.iter().map(organisation).collect()
    }
}

fn organisation(row: &AnyRow) -> Result<Organisation, Failed> {
    Ok(Organisation {
        id: parsed(row, "id", OrganisationId::parse)?,
        name: parsed(row, "name", Name::parse)?,
        created: time(row, "created")?,
    })
}
