//! A credential: the secret fields that one owner gave for one exchange. Opened, used, wiped; never shown.

use std::borrow::Cow;
use std::fmt;

use zeroize::Zeroize;

use super::json::Document;
use super::key::{Key, KeyError};
use super::model::{Connector, CredentialField};
use super::nonce::SessionValues;
use super::session::Session;

use super::api_keys::RETIRES;
use super::oauth::{ACCESS_TOKEN, EXPIRES, REFRESH_TOKEN};

/// The fields of a credential, in the order of the connector. No Clone, no serialisation, no text form.
pub struct Credential {
    connector: &'static str,
    fields: Vec<Key>,
    /// When its access token ends, Unix time in ms, where it has one and the provider said so.
    expires_ms: Option<u64>,
    /// What the provider's login yielded.
    session: SessionValues,
}

/// Why a credential was refused. Names fields, never holds their content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CredentialError {
    /// Not a JSON object of texts.
    Malformed,
    Missing {
        field: String,
    },
    /// A field that the connector does not declare. Only its place is named if the name is not plain.
    Unknown {
        field: String,
    },
    /// Twice in the object.
    Duplicate {
        field: String,
    },
    /// Empty, too long, or with characters that cannot be part of it.
    Text {
        field: String,
    },
    /// None of the key formats that the connector accepts.
    KeyFormat {
        field: String,
    },
}

/// Longer fields are refused: the longest legitimate one is an RSA-4096 key in PEM.
const MAX_FIELD: usize = 8 << 10;

impl Credential {
    /// Reads a JSON object with exactly the fields that the connector declares.
    pub fn from_json(connector: &'static Connector, json: &[u8]) -> Result<Self, CredentialError> {
        let document = Document::parse(json).map_err(|_| CredentialError::Malformed)?;
        // For the token endpoint, not for a signature.
        let beside: &[&str] = match (&connector.oauth, &connector.api_keys) {
            (Some(_), _) => &[REFRESH_TOKEN, EXPIRES],
            (None, Some(_)) => &[RETIRES],
            (None, None) => &[],
        };
        let fields: Vec<&CredentialField> = connector.credential.iter().collect();
        let given = given(&fields, &document, beside)?;
        let expires = given.iter().find(|(name, _)| beside.contains(&name.as_str()) && name == EXPIRES);
        let expires_ms = expires.and_then(|(_, text)| text.0.parse().ok());
        let keys = connector.credential.iter().map(|declared| key(declared, &given));
        Ok(Self {
            connector: &connector.id,
            fields: keys.collect::<Result<_, _>>()?,
            expires_ms,
            session: SessionValues::default(),
        })
    }

    /// Checks the fields by which an owner names their OAuth client: what there is before anything is granted.
    pub fn check_client(connector: &Connector, json: &[u8]) -> Result<(), CredentialError> {
        let document = Document::parse(json).map_err(|_| CredentialError::Malformed)?;
        let fields: Vec<&CredentialField> = match &connector.new_key {
            Some(new_key) => new_key.client.iter().collect(),
            None => connector.credential.iter().filter(|field| field.name != ACCESS_TOKEN).collect(),
        };
        let given = given(&fields, &document, &[])?;
        fields.into_iter().try_for_each(|declared| key(declared, &given).map(drop))
    }

    /// When its access token ends, Unix time in ms.
    pub fn expires_ms(&self) -> Option<u64> {
        self.expires_ms
    }

    /// Whether its access token is over, or will be within `margin_ms`.
    pub fn is_over(&self, now_ms: u64, margin_ms: u64) -> bool {
        self.expires_ms.is_some_and(|at| at <= now_ms.saturating_add(margin_ms))
    }

    /// What the session that it is in says by that name.
    pub(super) fn session(&self, name: &str) -> Option<&[u8]> {
        self.session.find(name)
    }

    pub(super) fn enter(&mut self, session: SessionValues) {
        self.session = session;
    }

    /// The credential as if its connector's login had yielded these values: how recorded requests are written again.
    pub fn in_session(
        mut self,
        connector: &'static Connector,
        value: impl Fn(&str) -> Option<String>,
    ) -> Self {
        for name in connector.session.iter().flat_map(Session::names) {
            if let Some(value) = value(name) {
                self.session.add(name, &value);
            }
        }
        self
    }

    pub fn connector(&self) -> &'static str {
        self.connector
    }

    /// The field at that place of the connector's list.
    pub(super) fn field(&self, place: usize) -> Option<&Key> {
        self.fields.get(place)
    }

    /// The kind of the key that signs: the last field that is a private key, else a text or base64 secret.
    pub(super) fn keys(&self) -> impl Iterator<Item = &Key> {
        self.fields.iter()
    }
}

/// The members of a credential: texts, each once, of the declared fields or those `beside` them.
fn given<'d>(
    fields: &[&CredentialField],
    document: &'d Document<'_>,
    beside: &[&str],
) -> Result<Vec<(String, FieldText<'d>)>, CredentialError> {
    let mut given: Vec<(String, FieldText<'d>)> = Vec::new();
    for (name, value) in document.root().members() {
        let field = printable(&name.text());
        let text = value.string().map(FieldText).ok_or(CredentialError::Malformed)?;
        let declared = fields.iter().any(|known| known.name == field);
        if !declared && !beside.contains(&field.as_str()) {
            return Err(CredentialError::Unknown { field });
        }
        if given.iter().any(|(known, _)| *known == field) {
            return Err(CredentialError::Duplicate { field });
        }
        given.push((field, text));
    }
    Ok(given)
}

fn key(declared: &CredentialField, given: &[(String, FieldText<'_>)]) -> Result<Key, CredentialError> {
    let field = declared.name.clone();
    let Some((_, text)) = given.iter().find(|(name, _)| *name == field) else {
        return Err(CredentialError::Missing { field });
    };
    let key = check_text(&text.0).and_then(|()| Key::parse(&text.0, &declared.kinds));
    key.map_err(|error| match error {
        KeyError::Text => CredentialError::Text { field },
        KeyError::Format => CredentialError::KeyFormat { field },
    })
}

/// A field as it stands in the JSON; where it had to be unescaped, a copy that is erased.
pub struct FieldText<'d>(pub Cow<'d, str>);

impl Drop for FieldText<'_> {
    fn drop(&mut self) {
        if let Cow::Owned(text) = &mut self.0 {
            text.zeroize();
        }
    }
}

fn check_text(text: &str) -> Result<(), KeyError> {
    let pem = text.contains("-----BEGIN");
    let allowed = |byte: u8| (0x20..=0x7E).contains(&byte) || (pem && matches!(byte, b'\n' | b'\r' | b'\t'));
    let blank = text.trim().is_empty() || (!pem && text.trim() != text);
    if blank || text.len() > MAX_FIELD || !text.bytes().all(allowed) {
        return Err(KeyError::Text);
    }
    Ok(())
}

/// A field name as it may be shown.
fn printable(name: &str) -> String {
    let plain = name.len() <= 32 && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    if plain { name.to_owned() } else { "?".to_owned() }
}

impl fmt::Debug for Credential {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Credential({})", self.connector)
    }
}

impl fmt::Display for CredentialError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed => write!(formatter, "the credential is not a JSON object of texts"),
            Self::Missing { field } => write!(formatter, "credential field `{field}` is missing"),
            Self::Unknown { field } => {
                write!(formatter, "credential field `{field}` is not one of this exchange")
            }
            Self::Duplicate { field } => write!(formatter, "credential field `{field}` is given twice"),
            Self::Text { field } => {
                write!(formatter, "credential field `{field}` is empty, too long or not plain text")
            }
            Self::KeyFormat { field } => {
                write!(formatter, "credential field `{field}` is in no key format that this exchange accepts")
            }
        }
    }
}

impl std::error::Error for CredentialError {}
