//! How a provider makes an API key for us, as a connector file says it: the table `new_key`.
//!
//! The owner authorises a client at the provider (`oauth`), and with the token that this yields one call makes the key.
//! Where the provider encrypts what it made, it does so to a public key that goes with the call.

use super::json::Json;
use super::load::{guide, listing};
use super::model::{CredentialField, Guide, KeyKind, Listing, Method, Section};
use super::oauth::{self, CLIENT_ID, CLIENT_SECRET, ClientKind, OAuth};
use super::table::{LoadError, Table};
use super::template::parse_encoding;
use super::value::{Encoding, Style};

/// The argument in which the public key goes to the provider: an RSA key of 2048 bits as X.509 SubjectPublicKeyInfo in
/// base64, without line breaks.
pub const PUBLIC_KEY: &str = "public_key";

/// The table `new_key` of a connector.
#[derive(Debug)]
pub struct NewKey {
    /// What client to register there, and how; shown to the owner.
    pub guide: Guide,
    pub oauth: OAuth,
    /// What the owner gives: the client that they registered.
    pub client: Vec<CredentialField>,
    /// The call that makes the key, with the token as a bearer token (RFC 6750 §2.1). Its fields are the credential's.
    pub create: Listing,
    /// How its parameters stand in its body: a form or a JSON object.
    pub body: Encoding,
    /// How the fields are encrypted; nothing where they come in clear, within TLS.
    pub sealed: Option<Padding>,
}

/// How a provider encrypts by RSA (RFC 8017 §7), base64 outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Padding {
    Pkcs1,
    OaepSha1,
    OaepSha256,
}

pub fn load(json: Json<'_>, fields: &[CredentialField]) -> Result<NewKey, LoadError> {
    let mut table = Table::of(json, "new_key")?;
    let oauth = oauth::read(table.need("oauth")?, "new_key.oauth")?;
    let mut create = Table::of(table.need("create")?, "new_key.create")?;
    let body = parse_encoding(&create.text("body")?)?;
    let sealed = create.optional_text("sealed")?.map(|name| padding(&name)).transpose()?;
    let names: Vec<&str> = fields.iter().map(|field| field.name.as_str()).collect();
    let made = listing(&mut create, &[], &names)?;
    create.finish()?;
    let client = client(oauth.client);
    let new_key = NewKey { guide: guide(&mut table)?, oauth, client, create: made, body, sealed };
    table.finish()?;
    Ok(new_key)
}

fn padding(name: &str) -> Result<Padding, LoadError> {
    match name {
        "rsa-pkcs1" => Ok(Padding::Pkcs1),
        "rsa-oaep-sha1" => Ok(Padding::OaepSha1),
        "rsa-oaep-sha256" => Ok(Padding::OaepSha256),
        _ => Err(format!("new_key.create.sealed: unknown encryption `{name}`")),
    }
}

/// The fields by which an owner names an OAuth client.
fn client(kind: ClientKind) -> Vec<CredentialField> {
    let field = |name: &str, label: &str, secret| CredentialField {
        name: name.to_owned(),
        label: label.to_owned(),
        secret,
        kinds: vec![KeyKind::Text],
    };
    let mut fields = vec![field(CLIENT_ID, "OAuth client id", false)];
    if kind != ClientKind::Public {
        fields.push(field(CLIENT_SECRET, "OAuth client secret", true));
    }
    fields
}

/// What must hold of the table within its connector.
pub fn check(
    new_key: &NewKey,
    sections: &[Section],
    credential: &[CredentialField],
) -> Result<(), LoadError> {
    let NewKey { oauth, create, body, sealed, .. } = new_key;
    oauth::check(oauth, sections)?;
    let refused = |reason: &str| Err(format!("new_key.create: {reason}"));
    if !sections.iter().any(|section| section.name == create.call.section) {
        return refused("unknown section");
    }
    if create.call.method != Method::Post || create.page.is_some() || create.each.is_some() {
        return refused("expected one POST");
    }
    if !matches!(body.style, Style::Form | Style::Object) {
        return refused("body: expected `form` or `object`");
    }
    if let Some(field) = credential.iter().find(|field| create.field(&field.name).is_none()) {
        return Err(format!("new_key.create: no field `{}`", field.name));
    }
    if create.arguments().iter().any(|name| name == PUBLIC_KEY) != sealed.is_some() {
        return refused("the public key goes with the call exactly where the answer is sealed to it");
    }
    Ok(())
}
