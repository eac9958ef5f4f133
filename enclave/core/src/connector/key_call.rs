//! One call to a provider about its API keys, signed by a key in use: the list, a new one, or the end of one.
//!
//! A call that makes or deletes is never repeated by the engine: who asks again looks into the list first.

use super::answer::{self, Reply};
use super::api_keys::{ApiKeys, ID, NAME, SCOPE};
use super::fault::{CallerFault, Fault, FaultCode};
use super::fields::object_of;
use super::grant::{Granted, is_token};
use super::json::Document;
use super::model::{Connector, Listing};
use super::request::Request;
use super::sign::{self, Signing};
use super::value::{Params, Value};
use crate::secret::SecretBytes;

/// A longer list is refused: nobody has as many keys.
const MAX_KEYS: usize = 1_000;

/// What is asked.
pub enum KeyQuestion<'q> {
    List,
    /// A key of that name, with that scope.
    Create {
        name: &'q str,
        scope: &'q str,
    },
    /// The key of that id; of none, the one that signs.
    Delete {
        id: Option<&'q str>,
    },
}

/// One key of an account, as the provider lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyRow {
    pub id: String,
    /// The public part of the credential.
    pub key: String,
    pub name: String,
    pub scope: String,
    /// It is bound to something that a new key would not be bound to.
    pub pinned: bool,
}

/// A key that the provider made. No Debug: it holds one.
pub struct MadeKey {
    /// The credential's fields that it brings.
    pub fields: SecretBytes,
    pub id: Option<String>,
    pub scope: Option<String>,
}

/// How the answer is read.
#[derive(Clone, Copy)]
enum Wanted {
    Rows,
    Made,
    Nothing,
}

pub struct KeyCall {
    connector: &'static Connector,
    listing: &'static Listing,
    arguments: Params,
    wanted: Wanted,
}

impl KeyCall {
    /// The call and its signed request.
    pub fn new(
        connector: &'static Connector,
        question: &KeyQuestion<'_>,
        signing: &mut Signing<'_>,
    ) -> Result<(KeyCall, Request), Fault> {
        let keys = connector.api_keys.as_ref().ok_or(CallerFault::Unsupported)?;
        let text = |name: &str, text: &str| (name.to_owned(), Value::Text(text.to_owned()));
        let (listing, arguments, wanted) = match question {
            KeyQuestion::List => (keys.list.as_ref(), Params::new(), Wanted::Rows),
            KeyQuestion::Create { name, scope } => {
                (keys.create.as_ref(), vec![text(NAME, name), text(SCOPE, scope)], Wanted::Made)
            }
            KeyQuestion::Delete { id } => {
                let arguments = id.map(|id| text(ID, id)).into_iter().collect();
                (Some(&keys.delete), arguments, Wanted::Nothing)
            }
        };
        let listing = listing.ok_or(CallerFault::Unsupported)?;
        let params = sign::params(connector, listing, arguments.clone(), signing)?;
        let request = sign::build(connector, &listing.call, params, signing)?;
        Ok((KeyCall { connector, listing, arguments, wanted }, request))
    }

    /// What the provider answered; anything but what the connector says of a success is a fault.
    pub fn read(&self, status: u16, document: Option<&Document<'_>>) -> Result<Granted, Fault> {
        if let Some(fault) = answer::refusal(self.connector, status, document) {
            return Err(fault);
        }
        let malformed = || Fault::from(FaultCode::Malformed);
        let document = document.ok_or_else(malformed)?;
        let reply = Reply { connector: self.connector, arguments: &self.arguments, root: document.root() };
        match self.wanted {
            Wanted::Rows => self.rows(&reply).map(Granted::Keys),
            Wanted::Made => self.made(&reply).map(Granted::MadeKey),
            Wanted::Nothing => Some(Granted::Deleted),
        }
        .ok_or_else(malformed)
    }

    /// All of them or none: one that is not read might be one that must go.
    fn rows(&self, reply: &Reply<'_>) -> Option<Vec<KeyRow>> {
        let read = reply.records(self.listing).ok().filter(|read| !read.damaged)?;
        if read.rows.len() > MAX_KEYS {
            return None;
        }
        let row = |row: &super::outcome::Record| {
            let field = |name: &str| row.field(name).unwrap_or_default().to_owned();
            let (id, key) = (field(ID), field("key"));
            let named = !id.is_empty() && !key.is_empty();
            let pinned = row.field("pinned").is_some_and(|pinned| pinned == "yes");
            named.then(|| KeyRow { id, key, name: field(NAME), scope: field(SCOPE), pinned })
        };
        read.rows.iter().map(row).collect()
    }

    fn made(&self, reply: &Reply<'_>) -> Option<MadeKey> {
        let (mut id, mut scope, mut fields) = (None, None, Vec::new());
        for (name, text) in reply.texts(self.listing, &[ID, SCOPE])? {
            match name {
                ID => id = Some(text.0.as_ref().to_owned()),
                SCOPE => scope = Some(text.0.as_ref().to_owned()),
                name if is_token(&text.0) => fields.push((name, text)),
                _ => return None,
            }
        }
        let fields = object_of(fields.iter().map(|(name, text)| (*name, text.0.as_ref())));
        Some(MadeKey { fields, id, scope })
    }
}

impl ApiKeys {
    /// Whether these rights are no more than those: every word of the one stands in the other.
    pub fn is_within(scope: &str, allowed: &str) -> bool {
        let words = |text: &str| -> Vec<String> {
            text.split([' ', ',']).filter(|word| !word.is_empty()).map(str::to_owned).collect()
        };
        let allowed = words(allowed);
        words(scope).iter().all(|word| allowed.contains(word))
    }
}
