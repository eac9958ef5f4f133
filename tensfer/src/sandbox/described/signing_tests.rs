//! Every signed request that an independent client recorded (`vectors/exchanges/signing`), for every exchange: judged
//! by the sandbox's verifier. Accepted as recorded, refused with a byte changed in whatever was signed.

use super::FILES;
use super::file::{File, session_token};
use super::json::Json;
use super::keys::Key;
use super::received::{Endpoint, Received};
use super::signature::{Fault, Keys, holds_key, keys, verify};
use super::template::{hex, unpercent};
use crate::sandbox::call::Call;
use crate::sandbox::vectors::FROZEN;
use aws_lc_rs::signature::Ed25519KeyPair;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hyper::header::{HeaderMap, HeaderName, HeaderValue};
use std::net::Ipv4Addr;
use std::path::PathBuf;

/// Recorded requests that the exchange itself would refuse: exchange, how the case's name (variant, section, method,
/// path) begins, and the reason. A line that excuses nothing fails the test.
const EXCUSED: &[(&str, &str, &str)] = &[
    (
        "btse",
        "default private POST otc/api/v1/accept/{quoteId}",
        "signed over the parameter's name, not its value",
    ),
    (
        "bullish",
        "default private GET v1/wallets/limits/{symbol}",
        "signed over the path with its placeholder",
    ),
    ("bullish", "default private GET v2/orders/{orderId}", "signed over the path with its placeholder"),
    ("mercado", "default v4Private", "version 4 is authorised by a bearer token, not by TAPI-MAC"),
];

/// The independent client speaks to exchanges only. These carry a bearer token, which signs nothing.
const UNRECORDED: &[&str] = &["paypal", "stripe"];

/// What an exchange's signature does not cover.
const UNSIGNED: &[(&str, &str, &str)] =
    &[("coinmate", "text behind the body", "its signature covers nonce, user and key alone")];

fn vectors(name: &str) -> Json {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../vectors/exchanges").join(name);
    Json::parse(&std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{name}: {error}"))).unwrap()
}

/// A recorded request.
#[derive(Clone)]
struct Request {
    method: String,
    url: String,
    headers: Vec<(String, String)>,
    body: String,
}

struct Case<'c> {
    json: &'c Json,
    section: String,
    request: Request,
}

impl<'c> Case<'c> {
    /// `None`: not signed, or recorded without a host.
    fn of(json: &'c Json) -> Option<Self> {
        let result = json.member("result")?;
        let text = |name: &str| result.field(name).unwrap_or_default().to_owned();
        let header = |(name, value): &(String, Json)| Some((name.clone(), value.text()?.to_owned()));
        let headers = result.member("headers").map(Json::members).unwrap_or_default();
        let request = Request {
            method: text("method"),
            url: text("url"),
            headers: headers.iter().filter_map(header).collect(),
            body: text("body"),
        };
        let signed = json.member("trace").is_some_and(|trace| !trace.items().is_empty());
        let section = json.texts("api").join("-");
        (signed && request.url.starts_with("https://")).then_some(Self { json, section, request })
    }

    fn name(&self) -> String {
        let field = |name: &str| self.json.field(name).unwrap_or_default();
        format!("{} {} {} {}", field("variant"), self.section, field("method"), field("path"))
    }

    fn trace(&self) -> impl Iterator<Item = &'c Json> {
        self.json.member("trace").map(Json::items).unwrap_or_default().iter()
    }

    /// Texts that may be the secret: the file's, the test keys of its variant, and the keys of the trace's MACs.
    fn secrets(&self, given: &str, test_keys: &Json) -> Vec<String> {
        let pem = |der: &str| format!("-----BEGIN PRIVATE KEY-----\n{der}\n-----END PRIVATE KEY-----");
        let test_key = |name: &str| {
            test_keys.member(name).and_then(|key| key.field("pkcs8_der_base64")).unwrap().to_owned()
        };
        let seed = |seed: &[u8]| {
            let lead = [0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20];
            pem(&STANDARD.encode([&lead[..], seed].concat()))
        };
        let macs = self.trace().filter(|entry| entry.field("fn") == Some("hmac"));
        let mac_keys = macs.filter_map(|entry| String::from_utf8(bytes(entry.member("key")?)?).ok());
        let der = STANDARD.decode(test_key("ed")).unwrap();
        let private = ["rsa", "ed", "ec"].map(|name| pem(&test_key(name)));
        let plain = [
            STANDARD.encode([7; 32]),
            super::template::base58(&[7; 32]),
            super::template::base58(&der[der.len() - 32..]),
        ];
        [given.to_owned()]
            .into_iter()
            .chain(mac_keys)
            .chain(private)
            .chain([seed(&[7; 32])])
            .chain(plain)
            .collect()
    }

    /// The same message signed by a known key, where the recording's own Ed25519 key was not recorded.
    fn resigned(mut self, file: &File, given: &Json, secrets: &[String]) -> Self {
        let Some(entry) = self.trace().find(|entry| entry.field("fn") == Some("eddsa")) else { return self };
        if find_keys(file, &self, given, secrets).is_some() {
            return self;
        }
        let (message, old) = (entry.member("msg").and_then(bytes).unwrap(), entry.field("out").unwrap());
        let pair = Ed25519KeyPair::from_seed_unchecked(&[7; 32]).unwrap();
        let new = STANDARD.encode(pair.sign(&message).as_ref());
        let url_safe = |text: &str| text.replace('+', "-").replace('/', "_").trim_end_matches('=').to_owned();
        for (_, value) in &mut self.request.headers {
            *value = value.replace(old, &new).replace(&url_safe(old), &url_safe(&new));
        }
        self
    }

    /// Whether the recorded messages say this text, as it is or percent-decoded.
    fn signs(&self, text: &str) -> bool {
        let decoded = unpercent(text).and_then(|bytes| String::from_utf8(bytes).ok()).unwrap_or_default();
        let message = |entry: &Json| {
            let message =
                entry.member("msg").and_then(bytes).map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
            message.unwrap_or_else(|| entry.write())
        };
        self.trace().map(message).any(|message| message.contains(text) || message.contains(&decoded))
    }
}

fn bytes(json: &Json) -> Option<Vec<u8>> {
    match json.text() {
        Some(text) => Some(text.as_bytes().to_vec()),
        None => STANDARD.decode(json.field("b64")?).ok(),
    }
}

/// Reads a request through each rule that may be meant, and lets `visit` judge; the first that accepts decides.
fn judge<T>(
    file: &File,
    case: &Case,
    request: &Request,
    mut visit: impl FnMut(&Received) -> Option<T>,
) -> Option<T> {
    let rest = request.url.strip_prefix("https://")?;
    let (host, target) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let host = host.split(':').next()?;
    let mut headers = HeaderMap::new();
    for (name, value) in &request.headers {
        headers.insert(HeaderName::try_from(name).ok()?, HeaderValue::try_from(value).ok()?);
    }
    let (peer, body) = (Ipv4Addr::LOCALHOST.into(), request.body.as_bytes());
    let section = file.section(&case.section)?;
    let call = Call {
        method: &request.method,
        host: &section.host,
        path,
        query,
        headers: &headers,
        body,
        peer,
        now: FROZEN,
    };
    let _ = host;
    let field = |name: &str| case.json.field(name).unwrap_or_default();
    let endpoint = Endpoint { method: field("method"), section, path: field("path") };
    let rules = file.rules.iter().filter(|rule| rule.covers(&section.name, endpoint.method, endpoint.path));
    rules.filter_map(|rule| Received::read(file, rule, endpoint, &call)).find_map(|received| visit(&received))
}

/// The keys with which a recorded request verifies.
fn find_keys(file: &File, case: &Case, given: &Json, secrets: &[String]) -> Option<Keys> {
    judge(file, case, &case.request, |received| {
        let shown: Vec<(String, String)> = received
            .fields()
            .map(|(name, text)| (name.to_owned(), String::from_utf8_lossy(text).into_owned()))
            .collect();
        secrets.iter().find_map(|secret| {
            let mut keys = keys(file, |name| {
                let shown = shown.iter().find(|(known, _)| known == name).map(|(_, text)| text.as_str());
                let public = file.credential.iter().any(|field| field.name == name && !field.secret);
                match name {
                    "secret" => Some(secret.as_str()),
                    _ => shown.filter(|_| public).or_else(|| given.field(name)),
                }
            })?;
            // What a login had yielded when it was recorded.
            let entered = file.session_names().filter_map(|name| Some((name, given.field(name)?)));
            keys.extend(entered.map(|(name, text)| (session_token(name), Key::Text(text.to_owned()))));
            let accepted = holds_key(&received.rule.keys, file, &keys) && verify(received, &keys).is_ok();
            accepted.then_some(keys)
        })
    })
}

fn verdict(file: &File, case: &Case, request: &Request, keys: &Keys) -> Result<(), Fault> {
    let mut worst = Err(Fault::Field);
    let accepted = judge(file, case, request, |received| {
        worst = verify(received, keys);
        (holds_key(&received.rule.keys, file, keys) && worst.is_ok()).then_some(())
    });
    accepted.ok_or(worst.err().unwrap_or(Fault::Signature))
}

/// The request with the character changed that stands four from the end, and what stood around it.
fn flipped(text: &str) -> Option<(String, String)> {
    let (at, old) = text.char_indices().rev().nth(3)?;
    let new = if old == '1' { '2' } else { '1' };
    let around: String = text.chars().rev().take(7).collect::<Vec<_>>().into_iter().rev().collect();
    Some((format!("{}{new}{}", &text[..at], &text[at + old.len_utf8()..]), around))
}

/// Requests with one byte changed in something that was signed, or that is the signature.
fn changes(case: &Case) -> Vec<(&'static str, Request)> {
    let request = &case.request;
    let (path, query) = request.url.split_once('?').unwrap_or((&request.url, ""));
    let outputs: Vec<String> =
        case.trace().filter_map(|entry| Some(entry.field("out")?.to_owned())).collect();
    let carries = |text: &str| {
        outputs.iter().any(|output| {
            let plain = output.trim_end_matches('=').replace('+', "-").replace('/', "_");
            let raw = STANDARD.decode(output).map(|raw| hex(&raw)).unwrap_or_default();
            [
                output.as_str(),
                &plain,
                &raw,
                &output.to_uppercase(),
                &super::template::percent(output.as_bytes()),
            ]
            .iter()
            .any(|known| known.len() > 16 && text.contains(*known))
        })
    };
    let mut changed = Vec::new();
    if let Some((text, around)) = flipped(path)
        && case.signs(&around)
    {
        let url = if query.is_empty() { text } else { format!("{text}?{query}") };
        changed.push(("path", Request { url, ..request.clone() }));
    }
    if let Some((text, around)) = flipped(query)
        && (case.signs(&around) || carries(query))
    {
        changed.push(("query", Request { url: format!("{path}?{text}"), ..request.clone() }));
        changed.push((
            "text behind the query",
            Request { url: format!("{path}?{query}&x=1"), ..request.clone() },
        ));
    }
    if let Some((text, around)) = flipped(&request.body)
        && (case.signs(&around) || carries(&request.body))
    {
        changed.push(("body", Request { body: text, ..request.clone() }));
        changed.push((
            "text behind the body",
            Request { body: format!("{}&x=1", request.body), ..request.clone() },
        ));
    }
    // A broker's own signature, and one that is sent in the query too, are not what is gone by.
    let gone_by = |(name, value): &(String, String)| {
        carries(value)
            && !name.starts_with("KC-API-PARTNER")
            && ![query, &request.body].iter().any(|sent| sent.contains(&format!("signature={value}")))
    };
    for (index, (_, value)) in request.headers.iter().enumerate().filter(|(_, header)| gone_by(header)) {
        for text in [flipped(value).map(|(text, _)| text), Some(format!("{value}1"))].into_iter().flatten() {
            let mut changed_request = request.clone();
            changed_request.headers[index].1 = text;
            changed.push(("signature header", changed_request));
        }
    }
    changed
}

#[test]
fn every_recorded_signed_request_of_every_exchange_is_accepted_and_refused_with_a_byte_changed() {
    let test_keys = vectors("testkeys.json");
    let (mut accepted, mut refused, mut failures) = (0, 0, Vec::new());
    let mut used = vec![false; EXCUSED.len()];
    for (id, _, text) in FILES.iter().filter(|(id, ..)| !UNRECORDED.contains(id)) {
        let file = File::parse(text).unwrap_or_else(|reason| panic!("{id}: {reason}"));
        let recorded = vectors(&format!("signing/{id}.json"));
        let given = recorded.member("credentials").unwrap();
        for case in recorded.member("cases").unwrap().items().iter().filter_map(Case::of) {
            let name = case.name();
            if let Some(at) =
                EXCUSED.iter().position(|(known, start, _)| known == id && name.starts_with(start))
            {
                used[at] = true;
                continue;
            }
            let secrets = case.secrets(given.field("secret").unwrap_or_default(), &test_keys);
            let case = case.resigned(&file, given, &secrets);
            let Some(keys) = find_keys(&file, &case, given, &secrets) else {
                failures.push(format!(
                    "{id}: refused as recorded: {name}: {} {}",
                    case.request.url, case.request.body
                ));
                continue;
            };
            accepted += 1;
            for (part, request) in changes(&case) {
                if UNSIGNED.iter().any(|(known, unsigned, _)| known == id && *unsigned == part) {
                    continue;
                }
                if verdict(&file, &case, &request, &keys).is_ok() {
                    failures.push(format!(
                        "{id}: a change of the {part} passes: {name}: {} {}",
                        request.url, request.body
                    ));
                } else {
                    refused += 1;
                }
            }
        }
    }
    let unused = EXCUSED
        .iter()
        .zip(used)
        .filter(|(_, used)| !used)
        .map(|(line, _)| format!("excuses nothing: {line:?}"));
    failures.extend(unused);
    assert!(
        failures.is_empty(),
        "{} accepted, {} failures:\n{}",
        accepted,
        failures.len(),
        failures.join("\n")
    );
    assert!(accepted >= 3_500 && refused >= 3_500, "{accepted} accepted, {refused} changes refused");
}
