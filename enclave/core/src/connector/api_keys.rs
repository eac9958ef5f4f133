//! What a provider's API does with its own keys, as a connector file says it: the table `api_keys`.
//!
//! `delete` ends a key. With `create` and `list` beside it, a key in use is replaced: another one with its rights is made,
//! and it is deleted by that.

use super::json::Json;
use super::load::listing;
use super::model::{Connector, CredentialField, Listing};
use super::table::{LoadError, Table};

/// The arguments of the calls: what a new key is called, the rights it gets as the list states them, and which is deleted.
pub const NAME: &str = "name";
pub const SCOPE: &str = "scope";
pub const ID: &str = "id";

/// The member of a credential beside its fields: the provider's id of the key that it took the place of, until that is
/// deleted.
pub const RETIRES: &str = "retires";

/// What a row of the list may say. `key` is the public part of the credential; `pinned` says that the key is bound to
/// something that a new one would not be bound to.
const ROW: [&str; 5] = [ID, "key", NAME, SCOPE, "pinned"];

/// The table `api_keys` of a connector.
#[derive(Debug)]
pub struct ApiKeys {
    /// The credential field by which the provider tells keys apart.
    pub named_by: String,
    pub list: Option<Listing>,
    /// Its fields are those of the credential that a new key replaces, beside its `id` and `scope`.
    pub create: Option<Listing>,
    pub delete: Listing,
}

pub fn load(json: Json<'_>, fields: &[CredentialField]) -> Result<ApiKeys, LoadError> {
    let names: Vec<String> = fields.iter().map(|field| field.name.clone()).collect();
    let mut made: Vec<&str> = names.iter().map(String::as_str).collect();
    made.extend([ID, SCOPE]);
    let mut table = Table::of(json, "api_keys")?;
    let named_by = table.text("named_by")?;
    let call = |table: &mut Table<'_>, name: &str, allowed: &[&str]| -> Result<_, LoadError> {
        let Some(json) = table.take(name) else { return Ok(None) };
        let mut inner = Table::of(json, &format!("api_keys.{name}"))?;
        let read = listing(&mut inner, &names, allowed)?;
        inner.finish()?;
        Ok(Some(read))
    };
    let (list, create) = (call(&mut table, "list", &ROW)?, call(&mut table, "create", &made)?);
    let delete = call(&mut table, "delete", &[])?.ok_or_else(|| table.fault("delete", "missing"))?;
    table.finish()?;
    Ok(ApiKeys { named_by, list, create, delete })
}

impl ApiKeys {
    /// Whether a key is deleted by its id; otherwise the call deletes the key that signs it.
    pub fn deletes_by_id(&self) -> bool {
        self.delete.arguments().iter().any(|name| name == ID)
    }
}

/// What must hold of the table within its connector.
pub fn check(keys: &ApiKeys, connector: &Connector) -> Result<(), LoadError> {
    let refused = |reason: &str| Err(format!("api_keys: {reason}"));
    if connector.oauth.is_some() || connector.nonce.is_some() || connector.session.is_some() {
        return refused("not beside `oauth`, `nonce` or `session`");
    }
    let is_field = |name: &str| connector.credential.iter().any(|field| field.name == name);
    if !is_field(&keys.named_by) {
        return refused("named_by: no field of the credential");
    }
    let calls = [keys.list.as_ref(), keys.create.as_ref(), Some(&keys.delete)];
    if calls.into_iter().flatten().any(|call| call.page.is_some() || call.each.is_some()) {
        return refused("expected calls without pages");
    }
    let says = |fields: &[&str]| {
        keys.list.as_ref().is_some_and(|list| fields.iter().all(|name| list.field(name).is_some()))
    };
    if (keys.deletes_by_id() || keys.list.is_some()) && !says(&[ID, "key"]) {
        return refused("list: expected the fields `id` and `key`");
    }
    let Some(create) = &keys.create else { return Ok(()) };
    if !keys.deletes_by_id() || !says(&[NAME, SCOPE]) {
        return refused(
            "create: the old key is found in the list by its name and scope, and deleted by its id",
        );
    }
    let made = |field: &CredentialField| create.field(&field.name).is_some();
    if !connector.credential.iter().all(|field| made(field) || (!field.secret && field.name != keys.named_by))
    {
        return refused("create: every secret field comes with a new key, and the one that names it");
    }
    let given = create.arguments();
    if ![NAME, SCOPE].iter().all(|wanted| given.iter().any(|name| name == wanted)) {
        return refused("create: name and scope are sent");
    }
    Ok(())
}
