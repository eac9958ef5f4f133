//! Invitations: a code that registers one key.

use super::row::{millis, parsed, parsed_if_any, text, time};
use super::{Change, Failed, Provenance, Store, keys};
use crate::identity::{
    CodeHash, Environment, Invitation, Key, Name, Networks, NewKey, Public, Refusal, Rights, Scopes, Validity,
};
use sqlx::AnyConnection;
use sqlx::any::AnyRow;
use wire::{KeyId, OrganisationId, UnixMillis};

/// Registers a key by an invitation. The same key may bring the same code again; another never.
#[derive(Debug)]
pub struct AcceptInvitation {
    pub code: CodeHash,
    pub name: Name,
    /// Its holder has signed the request.
    pub public: Public,
    pub by: Provenance,
}

impl Change for AcceptInvitation {
    type Outcome = Key;

    async fn apply(&self, within: &mut AnyConnection) -> Result<Key, Failed> {
        let invitation = find(within, &self.code).await?.ok_or(Refusal::InvitationRefused)?;
        let id = self.public.id();
        if invitation.used_by == Some(id) {
            return keys::find(within, id).await?.ok_or(Failed::Damaged("used_by"));
        }
        if invitation.used_by.is_some() || invitation.expires <= self.by.now {
            return Err(Refusal::InvitationRefused.into());
        }
        let key = self.key(&invitation);
        keys::insert(within, &key).await?;
        sqlx::query("UPDATE invitations SET used_by = $1 WHERE code_hash = $2")
            .bind(id.to_string())
            .bind(self.code.as_hex().to_owned())
            .execute(&mut *within)
            .await?;
        self.by.record(within, key.organisation, "invitation_accepted", id.to_string()).await?;
        Ok(key)
    }
}

impl AcceptInvitation {
    fn key(&self, invitation: &Invitation) -> Key {
        let Invitation { organisation, scopes, environment, .. } = invitation;
        let rights =
            Rights { scopes: scopes.clone(), environment: *environment, networks: Networks::default() };
        let validity = Validity::starting(self.by.now);
        let new = NewKey { name: self.name.clone(), public: self.public.clone(), rights, validity };
        Key::made(new, *organisation, self.by.now, self.by.actor)
    }
}

impl Invitation {
    pub(super) async fn insert(&self, within: &mut AnyConnection) -> Result<(), Failed> {
        sqlx::query(
            "INSERT INTO invitations (code_hash, organisation, scopes, environment, created, expires) \
             VALUES ($1, $2, $3, $4, $5, $6)",
        )
        .bind(self.code.as_hex().to_owned())
        .bind(self.organisation.to_string())
        .bind(self.scopes.to_string())
        .bind(self.environment.name())
        .bind(millis(self.created))
        .bind(millis(self.expires))
        .execute(within)
        .await?;
        Ok(())
    }
}

impl Store {
    /// Whether the code lets that key in: it is good for another key, or was good for this one.
    pub async fn is_invited(&self, code: &CodeHash, key: KeyId, now: UnixMillis) -> Result<bool, Failed> {
        let mut connection = self.pool.acquire().await?;
        let Some(invitation) = find(&mut connection, code).await? else { return Ok(false) };
        let is_good = invitation.used_by.is_none() && now < invitation.expires;
        Ok(is_good || invitation.used_by == Some(key))
    }
}

async fn find(within: &mut AnyConnection, code: &CodeHash) -> Result<Option<Invitation>, Failed> {
    let row = sqlx::query(
        "SELECT code_hash, organisation, scopes, environment, created, expires, used_by \
         FROM invitations WHERE code_hash = $1",
    )
    .bind(code.as_hex().to_owned())
    .fetch_optional(within)
    .await?;
    row.as_ref().map(invitation).transpose()
}

fn invitation(row: &AnyRow) -> Result<Invitation, Failed> {
    Ok(Invitation {
        code: CodeHash::from_hex(text(row, "code_hash")?),
        organisation: parsed(row, "organisation", OrganisationId::parse)?,
        scopes: parsed(row, "scopes", Scopes::parse)?,
        environment: parsed(row, "environment", Environment::from_name)?,
        created: time(row, "created")?,
        expires: time(row, "expires")?,
        used_by: parsed_if_any(row, "used_by", KeyId::parse)?,
    })
}
