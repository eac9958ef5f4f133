//! The made-up credentials behind recorded cases.

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use enclave::connector::{Connector, Credential, Json, KeyKind, Value};

use crate::claims::Claims;
use crate::dictionary::text;
use crate::input::from_json;

/// The credentials that the recording client's own fixtures use.
const FIXTURE: [(&str, &str); 9] = [
    ("apiKey", "key"),
    ("secret", "secretsecret"),
    ("password", "password"),
    ("uid", "uid"),
    ("login", "login"),
    ("token", "token"),
    ("accountId", "12345"),
    ("walletAddress", "wallet"),
    ("privateKey", "0xff3bdd43534543d421f05aec535965b5050ad6ac15345435345435453495e771"),
];

/// The credential of `methods` and `request` cases.
pub fn fixture(connector: &'static Connector, claims: &Claims, case: Json<'_>) -> Result<Credential, String> {
    let claimed = |name: &str| claims.credential.iter().find(|(known, _)| known == name);
    let wallet = recorded_wallet(case);
    let seed = takes_ed25519_alone(connector).then(|| traced_seed(case, None)).flatten();
    make(connector, |name| match name {
        "walletAddress" if wallet.is_some() => wallet.clone(),
        _ if claimed(name).is_some() => claimed(name).map(|(_, value)| value.clone()),
        "secret" if seed.is_some() => seed.as_deref().map(ed25519_pem),
        _ => FIXTURE.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned()),
    })
}

/// The wallet for which a request was recorded, where its parameters name one: its key's own.
fn recorded_wallet(case: Json<'_>) -> Option<String> {
    const LENGTH: usize = "0x".len() + 40;
    let text = from_json(case).to_json();
    let (_, rest) = text.split_once("&user=")?;
    rest.get(..LENGTH).filter(|address| address.starts_with("0x")).map(str::to_owned)
}

/// The credential of a `signing` case: what the file gives, with the variant's key from `testkeys.json`, and ids and
/// shared secrets where the trace shows others.
pub fn signing(
    connector: &'static Connector,
    given: Json<'_>,
    case: Json<'_>,
    keys: Json<'_>,
) -> Result<Credential, String> {
    let variant = text(case, "variant").unwrap_or_default();
    let key = |name: &str| keys.member(name).ok().flatten().and_then(|key| text(key, "pkcs8_der_base64"));
    let pem = |body: Option<String>| body.as_deref().map(pem);
    let secret = match variant.as_str() {
        "rsa" => pem(key("rsa")),
        "ed25519" => traced_seed(case, key("ed")).as_deref().map(ed25519_pem),
        "es256-jwt" => pem(key("ec")),
        "eddsa-jwt" => traced_seed(case, key("ed")).and_then(|seed| seed_and_public_key(&seed)),
        _ => traced_secret(connector, given, case),
    };
    let key_id = traced_key_id(case).or_else(|| sent_key_id(case));
    let wallet = recorded_wallet(case);
    make(connector, |name| match name {
        "walletAddress" if wallet.is_some() => wallet.clone(),
        "secret" if secret.is_some() => secret.clone(),
        "apiKey" if key_id.is_some() => key_id.clone(),
        _ => text(given, name),
    })
}

fn make(connector: &'static Connector, value: impl Fn(&str) -> Option<String>) -> Result<Credential, String> {
    let mut fields = Vec::new();
    for field in &connector.credential {
        if let Some(value) = value(&field.name) {
            fields.push((field.name.clone(), Value::Text(value)));
        }
    }
    let credential = Credential::from_json(connector, Value::Map(fields).to_json().as_bytes());
    let credential = credential.map_err(|error| error.to_string())?;
    Ok(credential.in_session(connector, value))
}

/// The shared secret of the trace's MAC, where it is another text than the file's.
fn traced_secret(connector: &Connector, given: Json<'_>, case: Json<'_>) -> Option<String> {
    let takes_text = connector
        .credential
        .iter()
        .any(|field| field.name == "secret" && field.kinds.contains(&KeyKind::Text));
    let trace = case.member("trace").ok().flatten()?;
    let mac = trace.elements().find(|entry| text(*entry, "fn").as_deref() == Some("hmac"))?;
    let key = bytes(mac.member("key").ok().flatten()?)?;
    let key = String::from_utf8(key).ok()?;
    let secret = text(given, "secret").unwrap_or_default();
    // Some exchanges take the secret's base64 for the key; one that the trace itself has made is none of the file's.
    let is_secret = key == secret || key == enclave::connector::to_base64(secret.as_bytes());
    let is_made = trace.elements().any(|entry| text(entry, "out").as_ref() == Some(&key));
    (takes_text && !is_secret && !is_made).then_some(key)
}

/// The key id of the trace's JWT.
fn traced_key_id(case: Json<'_>) -> Option<String> {
    let trace = case.member("trace").ok().flatten()?;
    let jwt = trace.elements().find(|entry| text(*entry, "fn").as_deref() == Some("jwt"))?;
    text(jwt.member("hdr").ok().flatten()?, "kid")
}

/// The API key of the recorded request's own header: an exchange may want keys of a form that the file's has not.
fn sent_key_id(case: Json<'_>) -> Option<String> {
    let headers = case.member("result").ok().flatten()?.member("headers").ok().flatten()?;
    let named = |name: &str| name.to_ascii_lowercase().ends_with("-apikey");
    headers
        .members()
        .find(|(name, _)| named(&name.text()))
        .and_then(|(_, value)| value.scalar())
        .map(Into::into)
}

/// Bytes of a trace: text as it is, or `{b64}`.
pub fn bytes(json: Json<'_>) -> Option<Vec<u8>> {
    match json.string() {
        Some(text) => Some(text.as_bytes().to_vec()),
        None => from_base64(&text(json, "b64")?),
    }
}

pub fn from_base64(text: &str) -> Option<Vec<u8>> {
    enclave::connector::from_base64(text.as_bytes())
}

/// Whether the connector's secret is an Ed25519 key and can be no text.
fn takes_ed25519_alone(connector: &Connector) -> bool {
    let ed25519 = [KeyKind::Ed25519, KeyKind::Ed25519Base58];
    connector
        .credential
        .iter()
        .any(|field| field.name == "secret" && field.kinds.iter().all(|kind| ed25519.contains(kind)))
}

/// A PKCS #8 document as PEM.
fn pem(base64: &str) -> String {
    format!("-----BEGIN PRIVATE KEY-----\n{base64}\n-----END PRIVATE KEY-----")
}

/// A seed as the PEM of its PKCS #8 document (RFC 8410, section 7).
fn ed25519_pem(seed: &[u8]) -> String {
    const BEFORE_SEED: [u8; 16] = [0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20];
    pem(&enclave::connector::to_base64(&[&BEFORE_SEED, seed].concat()))
}

/// A seed and its public key, as one line of base64.
fn seed_and_public_key(seed: &[u8]) -> Option<String> {
    let pair = Ed25519KeyPair::from_seed_unchecked(seed).ok()?;
    let both: Vec<u8> = seed.iter().chain(pair.public_key().as_ref()).copied().collect();
    Some(enclave::connector::to_base64(&both))
}

/// The seed of the Ed25519 key behind a case: the one of the candidates that signs as the trace does. The recordings
/// used the file's key for PEM and a constant one where an exchange writes its keys otherwise. Without a signature in
/// the trace, the first; where no candidate made it, the constant one, with which the message is then signed again.
pub fn traced_seed(case: Json<'_>, der_base64: Option<String>) -> Option<Vec<u8>> {
    let der = der_base64.and_then(|text| from_base64(&text));
    let file_seed = der.and_then(|der| der.get(der.len().checked_sub(32)?..).map(<[u8]>::to_vec));
    let trace = case.member("trace").ok().flatten();
    let entries = |name: &'static str| {
        let named = move |entry: &Json<'_>| text(*entry, "fn").as_deref() == Some(name);
        trace.into_iter().flat_map(Json::elements).filter(named)
    };
    let signed = entries("jwt").chain(entries("eddsa")).find_map(signed_text);
    let candidates = file_seed.into_iter().chain([vec![7; 32]]);
    let signs = |seed: &Vec<u8>| {
        let Some((message, signature)) = &signed else { return true };
        let pair = Ed25519KeyPair::from_seed_unchecked(seed).ok();
        pair.is_some_and(|pair| pair.sign(message).as_ref() == signature)
    };
    candidates.into_iter().find(signs).or_else(|| Some(vec![7; 32]))
}

/// Message and signature of a trace's entry, where it is a signature by Ed25519 or a JWT.
fn signed_text(entry: Json<'_>) -> Option<(Vec<u8>, Vec<u8>)> {
    let out = text(entry, "out")?;
    match text(entry, "fn")?.as_str() {
        "jwt" => {
            let (message, signature) = out.rsplit_once('.')?;
            Some((message.as_bytes().to_vec(), from_base64(signature)?))
        }
        "eddsa" => Some((bytes(entry.member("msg").ok()??)?, from_base64(&out)?)),
        _ => None,
    }
}
