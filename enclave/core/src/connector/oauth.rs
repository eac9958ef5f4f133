//! How an owner authorises us at a provider, as a connector file says it: the table `oauth`.

use super::json::Json;
use super::model::{CredentialField, KeyKind, Section};
use super::table::{LoadError, Table};

/// The fields of the credential that the owner gives: the OAuth client that they registered.
pub const CLIENT_ID: &str = "clientId";
pub const CLIENT_SECRET: &str = "clientSecret";
/// The fields that the provider grants. Only the access token signs; the others are for the token endpoint.
pub const ACCESS_TOKEN: &str = "access_token";
pub const REFRESH_TOKEN: &str = "refresh_token";
/// When the access token ends: Unix milliseconds, as text.
pub const EXPIRES: &str = "expires";

/// The authorisation server of a provider (RFC 6749, as OAuth 2.1 narrows it).
#[derive(Debug)]
pub struct OAuth {
    /// Where the person goes to: an `https` URL without query.
    pub authorize: String,
    /// Its name in the answers (RFC 9207): compared wherever an answer states one.
    pub issuer: Option<String>,
    /// Every answer states the issuer: one that does not is refused.
    pub states_issuer: bool,
    pub token: Endpoint,
    /// RFC 7009.
    pub revoke: Option<Endpoint>,
    /// Pushed authorisation requests (RFC 9126): nothing but a reference to them passes the browser.
    pub push: Option<Endpoint>,
    pub client: ClientKind,
    /// Each use of a refresh token gives another one; otherwise the provider documents that it stays.
    pub rotates: bool,
    /// The least that reading needs.
    pub scopes: Vec<String>,
    /// What stands between scopes; a space in RFC 6749 §3.3.
    pub separator: String,
    /// Further parameters of the authorisation request.
    pub extra: Vec<(String, String)>,
}

/// An endpoint that we call by `POST`.
#[derive(Debug)]
pub struct Endpoint {
    pub section: String,
    pub path: String,
}

/// How the client proves itself at the token endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientKind {
    /// It has no secret: PKCE alone ties the code to it.
    Public,
    /// Its secret in the header (RFC 6749 §2.3.1).
    Basic,
    /// Its secret in the body.
    Post,
}

/// Reads the table, if there is one, and adds what the provider grants to the fields of the credential.
pub fn load(top: &mut Table<'_>, fields: &mut Vec<CredentialField>) -> Result<Option<OAuth>, LoadError> {
    let Some(json) = top.take("oauth") else { return Ok(None) };
    let oauth = read(json, "oauth")?;
    let needed: &[&str] =
        if oauth.client == ClientKind::Public { &[CLIENT_ID] } else { &[CLIENT_ID, CLIENT_SECRET] };
    let declared: Vec<&str> = fields.iter().map(|field| field.name.as_str()).collect();
    if declared != needed {
        return Err(format!("credential: `oauth` wants the fields {}", needed.join(", ")));
    }
    fields.push(CredentialField {
        name: ACCESS_TOKEN.to_owned(),
        label: "Access token".to_owned(),
        secret: true,
        kinds: vec![KeyKind::Text],
    });
    Ok(Some(oauth))
}

/// Reads the table at that place.
pub fn read(json: Json<'_>, place: &str) -> Result<OAuth, LoadError> {
    let mut table = Table::of(json, place)?;
    let client = match table.text("client")?.as_str() {
        "public" => ClientKind::Public,
        "basic" => ClientKind::Basic,
        "post" => ClientKind::Post,
        _ => return Err(table.fault("client", "expected `public`, `basic` or `post`")),
    };
    let oauth = OAuth {
        authorize: table.text("authorize")?,
        issuer: table.optional_text("issuer")?,
        states_issuer: table.flag("states_issuer", false)?,
        token: endpoint(&mut table, "token")?.ok_or_else(|| table.fault("token", "missing"))?,
        revoke: endpoint(&mut table, "revoke")?,
        push: endpoint(&mut table, "push")?,
        client,
        rotates: table.flag("rotates", true)?,
        scopes: table.texts("scopes")?,
        separator: table.optional_text("separator")?.unwrap_or_else(|| " ".to_owned()),
        extra: table.pairs("extra")?,
    };
    table.finish()?;
    Ok(oauth)
}

/// `SECTION PATH`.
fn endpoint(table: &mut Table<'_>, name: &str) -> Result<Option<Endpoint>, LoadError> {
    let Some(text) = table.optional_text(name)? else { return Ok(None) };
    let (section, path) = text.split_once(' ').ok_or_else(|| table.fault(name, "expected SECTION PATH"))?;
    Ok(Some(Endpoint { section: section.to_owned(), path: path.to_owned() }))
}

/// What must hold of the table within its connector.
pub fn check(oauth: &OAuth, sections: &[Section]) -> Result<(), LoadError> {
    if !is_plain_https(&oauth.authorize) {
        return Err("oauth.authorize: expected an https URL without query".to_owned());
    }
    if oauth.states_issuer && oauth.issuer.is_none() {
        return Err("oauth.states_issuer: which issuer?".to_owned());
    }
    if oauth.scopes.is_empty() || !oauth.scopes.iter().all(|scope| is_scope(scope)) {
        return Err("oauth.scopes: expected scopes of RFC 6749, section 3.3".to_owned());
    }
    if !matches!(oauth.separator.as_str(), " " | ",") {
        return Err("oauth.separator: expected a space or a comma".to_owned());
    }
    if let Some((name, _)) = oauth.extra.iter().find(|(name, _)| OURS.contains(&name.as_str())) {
        return Err(format!("oauth.extra: `{name}` is not for the file to set"));
    }
    for endpoint in [Some(&oauth.token), oauth.revoke.as_ref(), oauth.push.as_ref()].into_iter().flatten() {
        if !sections.iter().any(|section| section.name == endpoint.section) {
            return Err(format!("oauth: unknown section `{}`", endpoint.section));
        }
    }
    Ok(())
}

/// Parameters of an authorisation request that nobody but the engine sets.
const OURS: [&str; 8] = [
    "response_type",
    "client_id",
    "redirect_uri",
    "scope",
    "state",
    "code_challenge",
    "code_challenge_method",
    "request_uri",
];

fn is_plain_https(url: &str) -> bool {
    let visible =
        url.bytes().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'?' | b'#' | b'"' | b'\\'));
    url.strip_prefix("https://").is_some_and(|rest| rest.contains('.')) && visible
}

/// RFC 6749 §3.3, without the comma that some providers separate scopes by.
fn is_scope(scope: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\\' | b',');
    !scope.is_empty() && scope.bytes().all(allowed)
}
