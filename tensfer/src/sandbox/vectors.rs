//! The recorded requests of an independent client (`vectors/exchanges/signing`), for the verifiers' tests.

use super::call::Call;
use super::refusal::Refusal;
use hyper::header::{HeaderMap, HeaderName, HeaderValue};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::path::PathBuf;

/// The clock that the recording was made under: Unix milliseconds.
pub const FROZEN: u64 = 1_700_000_000_123;

#[derive(Deserialize)]
struct File {
    #[serde(default)]
    credentials: BTreeMap<String, String>,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    #[serde(default)]
    variant: String,
    trace: Vec<serde_json::Value>,
    #[serde(alias = "request")]
    result: Option<Request>,
}

#[derive(Clone, Deserialize)]
struct Request {
    url: String,
    method: String,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    #[serde(default)]
    body: Option<String>,
}

/// What a recorded request was signed with.
pub struct Vector {
    pub secret: String,
    pub passphrase: String,
}

/// PKCS#8 DER of the made-up keys behind the asymmetric variants, in base64.
pub fn test_key(name: &str) -> String {
    let keys: serde_json::Value = serde_json::from_str(&read("testkeys.json")).unwrap();
    keys[name]["pkcs8_der_base64"].as_str().unwrap().to_owned()
}

/// Which recorded cases to run, and what their signatures cover.
pub struct Scope {
    pub exchange: &'static str,
    /// Of the signature layer (`signing/`); none of them takes the whole operations (`methods/`).
    pub variants: &'static [&'static str],
    /// Only the cases whose URL contains this.
    pub url: &'static str,
    /// Fewer cases than this prove too little: the test fails.
    pub least: usize,
    pub covered: &'static [Part],
}

/// A part of a request that a signature may cover.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Part {
    Path,
    Query,
    Body,
    /// The headers that carry signatures and passphrases.
    Signature,
}

/// Runs a verifier over every signed case in scope: each must be accepted as it was recorded, and refused with one
/// byte changed in any of the covered parts.
pub fn prove(scope: &Scope, verify: impl Fn(&Call, &Vector) -> Result<(), Refusal>) {
    let folder = if scope.variants.is_empty() { "methods" } else { "signing" };
    let file: File = serde_json::from_str(&read(&format!("{folder}/{}.json", scope.exchange))).unwrap();
    let credential = |name: &str| file.credentials.get(name).cloned().unwrap_or_default();
    let vector = Vector { secret: credential("secret"), passphrase: credential("password") };
    let requests: Vec<&Request> = file.cases.iter().filter_map(|case| in_scope(case, scope)).collect();
    assert!(requests.len() >= scope.least, "{}: only {} cases", scope.exchange, requests.len());
    for request in requests {
        assert_eq!(attempt(request, &vector, &verify), Ok(()), "{}", request.url);
        for changed in scope.covered.iter().flat_map(|part| changes(request, *part)) {
            let verdict = attempt(&changed, &vector, &verify);
            assert!(verdict.is_err(), "a change passes: {} {:?}", changed.url, changed.body);
        }
    }
}

fn in_scope<'a>(case: &'a Case, scope: &Scope) -> Option<&'a Request> {
    let variant = scope.variants.is_empty() || scope.variants.contains(&&*case.variant);
    let request = case.result.as_ref().filter(|request| request.url.contains(scope.url));
    request.filter(|_| variant && !case.trace.is_empty())
}

fn read(name: &str) -> String {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../vectors/exchanges").join(name);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn attempt(
    request: &Request,
    vector: &Vector,
    verify: &impl Fn(&Call, &Vector) -> Result<(), Refusal>,
) -> Result<(), Refusal> {
    let rest = request.url.strip_prefix("https://").unwrap();
    let (host, target) = rest.split_at(rest.find('/').unwrap());
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let mut headers = HeaderMap::new();
    for (name, value) in &request.headers {
        headers.insert(HeaderName::try_from(name).unwrap(), HeaderValue::try_from(value).unwrap());
    }
    let body = request.body.as_deref().unwrap_or_default().as_bytes();
    let peer = Ipv4Addr::LOCALHOST.into();
    verify(
        &Call { method: &request.method, host, path, query, headers: &headers, body, peer, now: FROZEN },
        vector,
    )
}

/// The same request with one byte of that part changed; nothing when it has no such part.
fn changes(request: &Request, part: Part) -> Vec<Request> {
    let url = &request.url;
    let (path, query) = url.split_once('?').unwrap_or((url, ""));
    let with_url = |url| Request { url, ..request.clone() };
    match part {
        Part::Path if query.is_empty() => vec![with_url(flipped(path))],
        Part::Path => vec![with_url(format!("{}?{query}", flipped(path)))],
        Part::Query if query.is_empty() => Vec::new(),
        Part::Query => vec![with_url(format!("{path}?{}", flipped(query)))],
        Part::Body => {
            let body = request.body.iter().filter(|body| !body.is_empty());
            body.map(|body| Request { body: Some(flipped(body)), ..request.clone() }).collect()
        }
        Part::Signature => {
            let signing = request.headers.iter().filter(|(name, _)| signs(name));
            let with_header = |(name, value): (&String, &String)| {
                let mut changed = request.clone();
                changed.headers.insert(name.clone(), flipped(value));
                changed
            };
            signing.map(with_header).collect()
        }
    }
}

fn signs(name: &str) -> bool {
    let carriers = [
        "api-sign",
        "authorization",
        "kc-api-passphrase",
        "kc-api-sign",
        "ok-access-passphrase",
        "ok-access-sign",
        "x-bapi-sign",
    ];
    carriers.contains(&name.to_ascii_lowercase().as_str())
}

/// Changes the fourth character from the end (the last ones of base64 may hold bits that mean nothing).
fn flipped(text: &str) -> String {
    let (at, old) = text.char_indices().rev().nth(3).unwrap();
    let new = if old == '1' { '2' } else { '1' };
    format!("{}{new}{}", &text[..at], &text[at + old.len_utf8()..])
}
