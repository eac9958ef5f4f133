//! What organisations forbid themselves. The text is read where it is decided by ([`crate::identity`]); here it is kept.

use super::row::{millis, parsed, text, time};
use super::{Change, Failed, Provenance, Store, keys};
use crate::identity::{Actor, Refusal, Scope};
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row};
use wire::{KeyId, OrganisationId, UnixMillis};

/// Of one organisation; older ones go.
const MOST_VERSIONS: i64 = 100;

/// An organisation's policies as they were written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// 1, 2, …
    pub version: i64,
    pub text: String,
    pub changed: UnixMillis,
    pub changed_by: Actor,
}

/// Others in the place of those of one version.
#[derive(Debug)]
pub struct ReplacePolicies {
    pub asker: KeyId,
    /// Found to only restrict.
    pub text: String,
    /// The version that the asker has seen; 0: none. If there is another by now, nothing is done.
    pub replaces: i64,
    pub by: Provenance,
}

impl Change for ReplacePolicies {
    type Outcome = Written;

    async fn apply(&self, within: &mut AnyConnection) -> Result<Written, Failed> {
        let asker = keys::asker(within, self.asker, self.by.now).await?;
        if !asker.rights.scopes.contain(Scope::PoliciesWrite) {
            return Err(Refusal::ScopeMissing.into());
        }
        let organisation = asker.organisation;
        let latest = latest(within, organisation).await?;
        if latest != self.replaces {
            return Err(Refusal::PoliciesReplaced.into());
        }
        let version = latest + 1;
        let written = Written {
            version,
            text: self.text.clone(),
            changed: self.by.now,
            changed_by: Actor::Key(asker.id),
        };
        written.insert(within, organisation).await?;
        self.by.record(within, organisation, "policies_replaced", version.to_string()).await?;
        Ok(written)
    }
}

impl Written {
    async fn insert(&self, within: &mut AnyConnection, organisation: OrganisationId) -> Result<(), Failed> {
        sqlx::query(
            "INSERT INTO policies (organisation, version, text, changed, changed_by) VALUES ($1, $2, $3, $4, $5)",
        )
        .bind(organisation.to_string())
        .bind(self.version)
        .bind(self.text.clone())
        .bind(millis(self.changed))
        .bind(self.changed_by.to_string())
        .execute(&mut *within)
        .await?;
        sqlx::query("DELETE FROM policies WHERE organisation = $1 AND version <= $2")
            .bind(organisation.to_string())
            .bind(self.version - MOST_VERSIONS)
            .execute(within)
            .await?;
        Ok(())
    }
}

impl Store {
    /// The number of the version in force; 0 where there never was one.
    pub async fn policies_version(&self, organisation: OrganisationId) -> Result<i64, Failed> {
        let now = self.memory.changes.moment();
        if let Some(version) = self.memory.policies.get(&organisation, now) {
            return Ok(version);
        }
        let version = latest(&mut *self.pool.acquire().await?, organisation).await?;
        self.memory.policies.keep(organisation, version, now);
        Ok(version)
    }

    /// Those in force.
    pub async fn policies(&self, organisation: OrganisationId) -> Result<Option<Written>, Failed> {
        let row = sqlx::query(
            "SELECT version, text, changed, changed_by FROM policies WHERE organisation = $1 \
             ORDER BY version DESC LIMIT 1",
        )
        .bind(organisation.to_string())
        .fetch_optional(&self.pool)
        .await?;
        row.as_ref().map(written).transpose()
    }
}

async fn latest(within: &mut AnyConnection, organisation: OrganisationId) -> Result<i64, Failed> {
    let row =
        sqlx::query("SELECT COALESCE(MAX(version), 0) AS version FROM policies WHERE organisation = $1")
            .bind(organisation.to_string())
            .fetch_one(within)
            .await?;
    Ok(row.try_get("version")?)
}

fn written(row: &AnyRow) -> Result<Written, Failed> {
    Ok(Written {
        version: row.try_get("version")?,
        text: text(row, "text")?,
        changed: time(row, "changed")?,
        changed_by: parsed(row, "changed_by", Actor::parse)?,
    })
}
