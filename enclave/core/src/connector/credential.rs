//! A credential: the secret fields that one owner gave for one exchange. Opened, used, wiped; never shown.

use std::borrow::Cow;
use std::fmt;

use zeroize::Zeroize;

use super::json::Document;
use super::key::{Key, KeyError};
use super::model::Connector;

/// The fields of a credential, in the order of the connector. No Clone, no serialisation, no text form.
pub struct Credential {
    connector: &'static str,
    fields: Vec<Key>,
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
        let mut given: Vec<(String, FieldText<'_>)> = Vec::new();
        for (name, value) in document.root().members() {
            let field = printable(&name.text());
            let text = value.string().map(FieldText).ok_or(CredentialError::Malformed)?;
            if !connector.credential.iter().any(|known| known.name == field) {
                return Err(CredentialError::Unknown { field });
            }
            if given.iter().any(|(known, _)| *known == field) {
                return Err(CredentialError::Duplicate { field });
            }
            given.push((field, text));
        }
        let mut fields = Vec::new();
        for declared in &connector.credential {
            let field = declared.name.clone();
            let Some((_, text)) = given.iter().find(|(name, _)| *name == field) else {
                return Err(CredentialError::Missing { field });
            };
            let key = check_text(&text.0).and_then(|()| Key::parse(&text.0, &declared.kinds));
            fields.push(key.map_err(|error| match error {
                KeyError::Text => CredentialError::Text { field: field.clone() },
                KeyError::Format => CredentialError::KeyFormat { field },
            })?);
        }
        Ok(Self { connector: &connector.id, fields })
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
