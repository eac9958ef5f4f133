//! The signature layer: endpoint and parameters to the exact request.

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _, UnparsedPublicKey,
};
use enclave::connector::{
    Call, Connector, Credential, Document, Json, Method, Params, Request, Signing, Value, build,
};
use enclave::entropy::{Entropy, NoEntropy};

use crate::claims::Claims;
use crate::compare::{self, Expected};
use crate::credentials::{self, from_base64};
use crate::dictionary::text;
use crate::input::from_json;
use crate::report::{Exchange, Part};
use crate::resign::{self, test_key};
use crate::vectors::Vectors;

/// The frozen randomness of the recordings: byte i is 7·i + 1, and the digits of ids that scripts make (UUIDs) come
/// from another frozen generator.
pub struct Frozen {
    digits: Vec<u8>,
}

/// How ids of that generator begin.
const ID_START: &str = "12c7830a";

impl Frozen {
    /// The randomness behind a recorded case.
    pub fn of(case: Json<'_>) -> Self {
        let digits = |text: &str| {
            let text: String = text.chars().filter(|character| *character != '-').collect();
            let id = text.find(ID_START).and_then(|at| text.get(at..))?;
            Some(id.bytes().take_while(u8::is_ascii_hexdigit).collect::<Vec<u8>>())
        };
        let found = digits(&from_json(case).to_json()).or_else(|| digits(&payload(case)?));
        Self { digits: found.unwrap_or_default() }
    }
}

/// What the body of a recorded request says in base64.
fn payload(case: Json<'_>) -> Option<String> {
    let mut requests = ["result", "request"].iter().filter_map(|name| case.member(name).ok().flatten());
    let body = from_base64(&text(requests.next()?, "body")?)?;
    Some(String::from_utf8_lossy(&body).into_owned())
}

impl Frozen {
    /// Hexadecimal digits of the id in the case; empty where it has none.
    pub fn digits(&self) -> &[u8] {
        &self.digits
    }
}

impl Entropy for Frozen {
    fn fill(&mut self, out: &mut [u8]) -> Result<(), NoEntropy> {
        if self.digits.len() >= 2 * out.len() {
            for (byte, pair) in out.iter_mut().zip(self.digits.chunks(2)) {
                let digits = str::from_utf8(pair).unwrap_or_default();
                *byte = u8::from_str_radix(digits, 16).unwrap_or_default();
            }
            return Ok(());
        }
        let mut next = 1u8;
        for byte in out {
            *byte = next;
            next = next.wrapping_add(7);
        }
        Ok(())
    }
}

/// The frozen clock of the recordings, Unix ms.
pub const CLOCK_MS: u64 = 1_700_000_000_123;

pub fn check(
    connector: &'static Connector,
    claims: &Claims,
    vectors: &Vectors,
    report: &mut Exchange,
) -> Result<(), String> {
    let file = Document::parse(&vectors.signing).map_err(|error| format!("signing: {error:?}"))?;
    let keys = Document::parse(&vectors.test_keys).map_err(|error| format!("testkeys: {error:?}"))?;
    let Ok(Some(given)) = file.root().member("credentials") else { return Ok(()) };
    let cases = file.root().member("cases").ok().flatten();
    for case in cases.into_iter().flat_map(Json::elements) {
        let name = name(case);
        let section = section(case);
        if !is_signed(case) && connector.section(&section).is_none() {
            report.skip(Part::Signing, &format!("not signed, and in an unknown section: {section}"));
            continue;
        }
        if let Some(reason) = claims.exception("signing", &section, &name) {
            report.skip(Part::Signing, &format!("exception: {reason}"));
            continue;
        }
        if !has_host(case) {
            report.skip(Part::Signing, "recorded without a host");
            continue;
        }
        let result = check_case(connector, claims, given, case, keys.root());
        if !is_signed(case) && result.is_err() {
            report.skip(Part::Signing, "not signed, and written otherwise");
            continue;
        }
        report.record(Part::Signing, &name, result);
    }
    Ok(())
}

/// The recording client has endpoints for which it names no host, and so could send nothing.
fn has_host(case: Json<'_>) -> bool {
    let url = case.member("result").ok().flatten().and_then(|result| text(result, "url"));
    !url.unwrap_or_default().starts_with('/')
}

pub fn is_signed(case: Json<'_>) -> bool {
    case.member("trace").ok().flatten().is_some_and(|trace| trace.elements().next().is_some())
}

fn name(case: Json<'_>) -> String {
    let field = |name: &str| text(case, name).unwrap_or_default();
    let params = case.member("params").ok().flatten().map_or(0, |params| params.members().count());
    format!("{} {} {} {} ({params} params)", field("variant"), section(case), field("method"), field("path"))
}

/// `private`, or `v2-private` for nested groups.
pub fn section(case: Json<'_>) -> String {
    let Ok(Some(api)) = case.member("api") else { return String::new() };
    match api.string() {
        Some(name) => name.into_owned(),
        None => api.elements().filter_map(Json::string).collect::<Vec<_>>().join("-"),
    }
}

/// What a recorded case asks our engine to sign.
pub struct Prepared {
    pub credential: Credential,
    pub call: Call,
    pub params: Params,
}

impl Prepared {
    pub fn new(
        connector: &'static Connector,
        given: Json<'_>,
        case: Json<'_>,
        keys: Json<'_>,
    ) -> Result<Self, String> {
        let credential = credentials::signing(connector, given, case, keys)?;
        let field = |name: &str| text(case, name).ok_or_else(|| format!("case has no {name}"));
        let method = Method::parse(&field("method")?)?;
        let call = Call { method, section: section(case), path: field("path")?, cost: 1 };
        let params: Params = match case.member("params").ok().flatten().map(from_json) {
            Some(Value::Map(params)) => params,
            _ => Params::new(),
        };
        Ok(Self { credential, call, params })
    }

    /// The request at the clock of the recordings.
    pub fn sign(&self, connector: &Connector, entropy: &mut dyn Entropy) -> Result<Request, String> {
        let mut signing = Signing {
            credential: Some(&self.credential),
            now_ms: CLOCK_MS,
            nonce: connector.nonce.map_or(CLOCK_MS, |unit| unit.at(CLOCK_MS)),
            entropy,
        };
        build(connector, &self.call, self.params.clone(), &mut signing)
            .map_err(|fault| format!("not built: {fault}"))
    }
}

/// Whether our request of a recorded case is the recorded one.
pub fn check_case(
    connector: &'static Connector,
    claims: &Claims,
    given: Json<'_>,
    case: Json<'_>,
    keys: Json<'_>,
) -> Result<(), String> {
    let prepared = Prepared::new(connector, given, case, keys)?;
    let ours = prepared.sign(connector, &mut Frozen::of(case))?;
    let result = case.member("result").ok().flatten().ok_or("case has no result")?;
    against(&ours, claims, result, case, keys)
}

/// Compares a request with a recorded one. `case` gives the trace.
pub fn against(
    ours: &Request,
    claims: &Claims,
    result: Json<'_>,
    case: Json<'_>,
    keys: Json<'_>,
) -> Result<(), String> {
    let (url, method) = (text(result, "url").unwrap_or_default(), text(result, "method").unwrap_or_default());
    let url = claims.without_port(url);
    let body = text(result, "body").unwrap_or_default();
    let mut headers: Vec<(String, String)> = Vec::new();
    for (name, value) in result.member("headers").ok().flatten().into_iter().flat_map(Json::members) {
        headers.push((name.text().into_owned(), value.scalar().unwrap_or_default().into_owned()));
    }
    let mut theirs = Theirs { url, body, headers };
    theirs.resign_without_broker(case, keys)?;
    theirs.resign_exactly(ours, case, keys)?;
    theirs.settle_jwt(ours, keys)?;
    let expected =
        Expected { url: &theirs.url, method: &method, headers: theirs.headers, body: &theirs.body };
    compare::request(ours, &expected)
}

struct Theirs {
    url: String,
    body: String,
    headers: Vec<(String, String)>,
}

impl Theirs {
    /// Where a broker's id is part of what was signed: takes it out, and signs again what is left.
    fn resign_without_broker(&mut self, case: Json<'_>, keys: Json<'_>) -> Result<(), String> {
        let headers = self.headers.iter_mut().map(|(_, value)| value);
        let mut sent: Vec<&mut String> = headers.chain([&mut self.url, &mut self.body]).collect();
        resign::without_broker(case, keys, &mut sent)
    }

    /// Where a number of a form went through a double: takes ours, which is exact, and signs again.
    fn resign_exactly(&mut self, ours: &Request, case: Json<'_>, keys: Json<'_>) -> Result<(), String> {
        let form = String::from_utf8_lossy(&ours.body).into_owned();
        let pairs = form.split('&').zip(self.body.split('&'));
        let mut inexact = pairs.filter(|(ours, theirs)| {
            let (ours, theirs) = (ours.split_once('='), theirs.split_once('='));
            let (Some((left, ours)), Some((right, theirs))) = (ours, theirs) else { return false };
            left == right && ours != theirs && ours.contains('.') && compare::is_same_double(ours, theirs)
        });
        let Some((exact, inexact)) = inexact.next().map(|(left, right)| (left.to_owned(), right.to_owned()))
        else {
            return Ok(());
        };
        let headers = self.headers.iter_mut().map(|(_, value)| value);
        let mut sent: Vec<&mut String> = headers.chain([&mut self.body]).collect();
        resign::changed(case, keys, &mut sent, &|text| text.replace(&inexact, &exact))
    }

    /// ECDSA draws fresh randomness: header and claims are compared, and our signature is verified; then their token
    /// is as good as ours.
    fn settle_jwt(&mut self, ours: &Request, keys: Json<'_>) -> Result<(), String> {
        let bearer = |headers: &[(String, String)]| {
            let found = headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("authorization"));
            found.and_then(|(_, value)| value.strip_prefix("Bearer ").map(str::to_owned))
        };
        let (Some(left), Some(right)) = (bearer(&ours.headers), bearer(&self.headers)) else { return Ok(()) };
        let algorithm = jwt_part(&left, 0)
            .and_then(|header| Document::parse(&header).ok().and_then(|header| text(header.root(), "alg")));
        if algorithm.as_deref() != Some("ES256") {
            return Ok(());
        }
        for part in [0, 1] {
            let (left, right) =
                (jwt_part(&left, part).unwrap_or_default(), jwt_part(&right, part).unwrap_or_default());
            let (left, right) = (String::from_utf8_lossy(&left), String::from_utf8_lossy(&right));
            compare::json_body(&left, &right, &[])?;
        }
        verify_es256(&left, keys)?;
        for (_, value) in
            self.headers.iter_mut().filter(|(name, _)| name.eq_ignore_ascii_case("authorization"))
        {
            *value = format!("Bearer {left}");
        }
        Ok(())
    }
}

fn jwt_part(token: &str, part: usize) -> Option<Vec<u8>> {
    from_base64(token.split('.').nth(part)?)
}

fn verify_es256(token: &str, keys: Json<'_>) -> Result<(), String> {
    let der = test_key(keys, "ec").ok_or("no P-256 test key")?;
    let pair =
        EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &der).map_err(|_| "bad P-256 test key")?;
    let (message, _) = token.rsplit_once('.').ok_or("no token")?;
    let signature = jwt_part(token, 2).ok_or("no signature")?;
    UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, pair.public_key().as_ref())
        .verify(message.as_bytes(), &signature)
        .map_err(|_| "the token's signature does not verify".to_owned())
}
