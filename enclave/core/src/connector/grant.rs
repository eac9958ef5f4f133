//! One call to a provider's authorisation server: what is asked, and how its answer is read.
//!
//! A [`Grant`] is a run like those of the engine, of one call that is never repeated: a code and a refresh token that
//! rotates are good for one use, and a second one may cost the owner the whole authorisation.

use super::credential::FieldText;
use super::encode;
use super::fault::{CallerFault, Fault, FaultCode, FaultKind, TransportFault};
use super::fields::{self, text};
use super::json::Document;
use super::key_call::{KeyCall, KeyQuestion, KeyRow, MadeKey};
use super::making::Making;
use super::model::{Connector, Method};
use super::oauth::{
    ACCESS_TOKEN, CLIENT_ID, CLIENT_SECRET, ClientKind, EXPIRES, Endpoint, OAuth, REFRESH_TOKEN,
};
use super::outcome::{Answer, Coverage, Outcome, Status};
use super::request::Request;
use super::run::{CallId, Step};
use super::sign::Signing;
use crate::secret::SecretBytes;
use core::fmt;
use zeroize::Zeroizing;

/// A longer token is refused: no credential field is longer.
const MAX_TOKEN: usize = 8 << 10;

/// What came of a call.
pub enum Granted {
    Tokens(Tokens),
    /// `request_uri` of a pushed authorisation request.
    Reference(String),
    Revoked,
    /// The credential that the provider made.
    Key(SecretBytes),
    /// The keys of an account.
    Keys(Vec<KeyRow>),
    /// A key beside those that there are.
    MadeKey(MadeKey),
    Deleted,
}

/// What a token endpoint granted.
pub struct Tokens {
    access: SecretBytes,
    refresh: Option<SecretBytes>,
    lifetime_ms: Option<u64>,
}

/// The call, to be driven like a run of the engine.
pub struct Grant {
    wanted: Wanted,
    state: State,
}

enum Wanted {
    Tokens,
    Reference,
    Revocation,
    Key(Box<Making>),
    ApiKeys(Box<KeyCall>),
}

enum State {
    Ready(Request),
    Sent,
    Done(Option<Outcome>),
}

impl Grant {
    /// Pushes the parameters of an authorisation request (RFC 9126 §2.1). `client` holds the client's fields.
    pub fn push(
        connector: &Connector,
        client: &[u8],
        parameters: &[(String, String)],
    ) -> Result<Grant, Fault> {
        let endpoint = oauth(connector)?.push.as_ref().ok_or(CallerFault::Unsupported)?;
        let parameters: Vec<(&str, &str)> =
            parameters.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        Grant::call(connector, endpoint, client, &parameters, Wanted::Reference)
    }

    /// Exchanges a code (RFC 6749 §4.1.3, RFC 7636 §4.5).
    pub fn exchange(
        connector: &Connector,
        client: &[u8],
        code: &str,
        redirect: &str,
        verifier: &str,
    ) -> Result<Grant, Fault> {
        let parameters = [
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", redirect),
            ("code_verifier", verifier),
        ];
        Grant::call(connector, &oauth(connector)?.token, client, &parameters, Wanted::Tokens)
    }

    /// Asks for new tokens (RFC 6749 §6).
    pub fn refresh(connector: &Connector, credential: &[u8]) -> Result<Grant, Fault> {
        let document = Document::parse(credential).map_err(|_| CallerFault::NoCredential)?;
        let token = text(&document, REFRESH_TOKEN).ok_or(CallerFault::NoCredential)?;
        let parameters = [("grant_type", "refresh_token"), ("refresh_token", token.0.as_ref())];
        Grant::call(connector, &oauth(connector)?.token, credential, &parameters, Wanted::Tokens)
    }

    /// Ends the authorisation (RFC 7009 §2.1): by the refresh token, with which the access tokens end; without one, by
    /// the access token.
    pub fn revoke(connector: &Connector, credential: &[u8]) -> Result<Grant, Fault> {
        let endpoint = oauth(connector)?.revoke.as_ref().ok_or(CallerFault::Unsupported)?;
        let document = Document::parse(credential).map_err(|_| CallerFault::NoCredential)?;
        let held = |name| text(&document, name).map(|token| (name, token));
        let (name, token) =
            held(REFRESH_TOKEN).or_else(|| held(ACCESS_TOKEN)).ok_or(CallerFault::NoCredential)?;
        let parameters = [("token", token.0.as_ref()), ("token_type_hint", name)];
        Grant::call(connector, endpoint, credential, &parameters, Wanted::Revocation)
    }

    /// Has a key made, with the tokens of its owner.
    pub fn make_key(
        connector: &'static Connector,
        tokens: &Tokens,
        signing: &mut Signing<'_>,
    ) -> Result<Grant, Fault> {
        let making = Making::begin(connector)?;
        let request = making.request(tokens, signing)?;
        Grant::of(request, Wanted::Key(Box::new(making)))
    }

    /// Asks about the provider's API keys, by one of them.
    pub fn keys(
        connector: &'static Connector,
        question: &KeyQuestion<'_>,
        signing: &mut Signing<'_>,
    ) -> Result<Grant, Fault> {
        let (call, request) = KeyCall::new(connector, question, signing)?;
        Grant::of(request, Wanted::ApiKeys(Box::new(call)))
    }

    fn call(
        connector: &Connector,
        endpoint: &Endpoint,
        client: &[u8],
        parameters: &[(&str, &str)],
        wanted: Wanted,
    ) -> Result<Grant, Fault> {
        let section = connector.section(&endpoint.section).ok_or(CallerFault::Unsupported)?;
        let document = Document::parse(client).map_err(|_| CallerFault::NoCredential)?;
        let kind = oauth(connector)?.client;
        let (authorization, own) = proof(kind, &document)?;
        let own = own.iter().map(|(name, value)| (*name, value.0.as_ref()));
        let mut headers = vec![
            ("Content-Type".to_owned(), "application/x-www-form-urlencoded".to_owned()),
            ("Accept".to_owned(), "application/json".to_owned()),
        ];
        headers.extend(authorization.map(|value| ("Authorization".to_owned(), value)));
        let request = Request {
            host: section.host.clone(),
            method: Method::Post,
            target: format!("{}{}", section.prefix, endpoint.path),
            headers,
            body: form(parameters.iter().copied().chain(own)),
            cost: 1,
        };
        Grant::of(request, wanted)
    }

    fn of(request: Request, wanted: Wanted) -> Result<Grant, Fault> {
        if !request.is_sendable() {
            return Err(CallerFault::Argument.into());
        }
        Ok(Grant { wanted, state: State::Ready(request) })
    }

    /// What to do now.
    pub fn step(&mut self) -> Step {
        match std::mem::replace(&mut self.state, State::Sent) {
            State::Ready(request) => Step::Send { call: CallId(0), request, authenticated: true },
            State::Sent => Step::Wait { until_ms: None },
            State::Done(outcome) => {
                self.state = State::Done(None);
                outcome.map_or(Step::Wait { until_ms: None }, Step::Done)
            }
        }
    }

    /// The provider's answer.
    pub fn answer(&mut self, status: u16, body: &[u8]) {
        let document = Document::parse(body).ok();
        let granted = match (&self.wanted, refusal(status, document.as_ref())) {
            (Wanted::ApiKeys(call), _) => call.read(status, document.as_ref()),
            (_, Some(fault)) => Err(fault),
            (wanted, None) => read(wanted, document.as_ref()).ok_or_else(|| FaultCode::Malformed.into()),
        };
        self.state = State::Done(Some(outcome(granted)));
    }

    /// The call never got its answer.
    pub fn failed(&mut self, fault: TransportFault) {
        self.state = State::Done(Some(outcome(Err(FaultCode::Transport(fault).into()))));
    }
}

impl Tokens {
    /// The access token as it stands in a header (RFC 6750 §2.1); the request erases it.
    pub(super) fn bearer(&self) -> String {
        const SCHEME: &str = "Bearer ";
        let access = str::from_utf8(self.access.expose()).unwrap_or_default();
        let mut value = String::with_capacity(SCHEME.len() + access.len());
        value.push_str(SCHEME);
        value.push_str(access);
        value
    }

    /// Whether the refresh token of that credential is good for another use: the provider gave none in its place.
    pub fn keep_refresh_token_of(&self, before: &[u8]) -> bool {
        let Some(new) = &self.refresh else { return true };
        let Ok(document) = Document::parse(before) else { return false };
        text(&document, REFRESH_TOKEN).is_some_and(|old| old.0.as_bytes() == new.expose())
    }

    /// The credential with these tokens in it. A refresh token that the provider did not replace stays (RFC 6749 §6).
    pub fn credential(&self, before: &[u8], asked_ms: u64) -> Option<SecretBytes> {
        let lifetime = |lifetime: u64| asked_ms.saturating_add(lifetime).to_string();
        let expires = self.lifetime_ms.map(lifetime).unwrap_or_default();
        let access = str::from_utf8(self.access.expose()).ok()?;
        let mut set = vec![(ACCESS_TOKEN, access), (EXPIRES, expires.as_str())];
        if let Some(refresh) = &self.refresh {
            set.push((REFRESH_TOKEN, str::from_utf8(refresh.expose()).ok()?));
        }
        fields::changed(before, &set, &[])
    }
}

fn oauth(connector: &Connector) -> Result<&OAuth, Fault> {
    connector.authorisation().ok_or_else(|| CallerFault::Unsupported.into())
}

/// How the client proves itself: a header, and parameters.
type Proof<'d> = (Option<String>, Vec<(&'static str, FieldText<'d>)>);

fn proof<'d>(kind: ClientKind, document: &'d Document<'_>) -> Result<Proof<'d>, Fault> {
    let field = |name| text(document, name).ok_or_else(|| Fault::from(CallerFault::NoCredential));
    let id = field(CLIENT_ID)?;
    Ok(match kind {
        ClientKind::Public => (None, vec![("client_id", id)]),
        ClientKind::Post => (None, vec![("client_id", id), ("client_secret", field(CLIENT_SECRET)?)]),
        ClientKind::Basic => (Some(basic(&id.0, &field(CLIENT_SECRET)?.0)), Vec::new()),
    })
}

/// RFC 6749 §2.3.1: both are form-encoded first.
fn basic(id: &str, secret: &str) -> String {
    let mut pair = Zeroizing::new(Vec::with_capacity(3 * (id.len() + secret.len()) + 1));
    encode::percent(id.as_bytes(), &mut pair);
    pair.push(b':');
    encode::percent(secret.as_bytes(), &mut pair);
    let encoded = Zeroizing::new(encode::to_base64(&pair));
    format!("Basic {}", encoded.as_str())
}

/// `application/x-www-form-urlencoded`, in one allocation.
fn form<'p>(parameters: impl Iterator<Item = (&'p str, &'p str)> + Clone) -> Vec<u8> {
    let room = parameters.clone().map(|(name, value)| name.len() + 3 * value.len() + 2).sum();
    let mut out = Vec::with_capacity(room);
    for (name, value) in parameters {
        if !out.is_empty() {
            out.push(b'&');
        }
        out.extend_from_slice(name.as_bytes());
        out.push(b'=');
        encode::percent(value.as_bytes(), &mut out);
    }
    out
}

/// RFC 6749 §5.2: the code in the body counts, else the status.
fn refusal(status: u16, document: Option<&Document<'_>>) -> Option<Fault> {
    let code = document.and_then(|document| text(document, "error"));
    if (200..300).contains(&status) && code.is_none() {
        return None;
    }
    let kind = match (code.as_ref().map(|code| code.0.as_ref()), status) {
        // Of the code or token itself; the others may mean the client, whose tokens live on.
        (Some("invalid_grant"), _) => FaultKind::Gone,
        (Some("invalid_client" | "unauthorized_client" | "invalid_token"), _) => FaultKind::Credential,
        (Some("invalid_scope" | "access_denied"), _) => FaultKind::Permission,
        (Some("temporarily_unavailable" | "server_error"), _) | (_, 408 | 500..=599) => {
            FaultKind::Maintenance
        }
        (Some("slow_down"), _) | (_, 429) => FaultKind::RateLimit,
        (None, 401) => FaultKind::Credential,
        (None, 403) => FaultKind::Permission,
        _ => FaultKind::Unknown,
    };
    let plain = |code: &FieldText<'_>| code.0.chars().filter(char::is_ascii_graphic).take(64).collect();
    Some(Fault {
        code: FaultCode::Provider(kind),
        provider_code: code.as_ref().map(plain),
        status: Some(status),
        original: None,
    })
}

fn read(wanted: &Wanted, document: Option<&Document<'_>>) -> Option<Granted> {
    match wanted {
        Wanted::Revocation => Some(Granted::Revoked),
        Wanted::Reference => {
            let uri = text(document?, "request_uri").filter(|uri| is_token(&uri.0))?;
            Some(Granted::Reference(uri.0.as_ref().to_owned()))
        }
        Wanted::Tokens => tokens(document?).map(Granted::Tokens),
        Wanted::Key(making) => making.read(document?).map(Granted::Key),
        // Read by the connector's own words.
        Wanted::ApiKeys(_) => None,
    }
}

/// RFC 6749 §5.1. A token of another type than bearer could not be used as the connector says.
fn tokens(document: &Document<'_>) -> Option<Tokens> {
    let kind = text(document, "token_type")?;
    if !kind.0.eq_ignore_ascii_case("bearer") {
        return None;
    }
    let token = |name| {
        // What is empty is none: some providers write it so.
        let token = text(document, name).filter(|token| !token.0.is_empty())?;
        Some(is_token(&token.0).then(|| SecretBytes::copied(token.0.as_bytes())))
    };
    let refresh = match token(REFRESH_TOKEN) {
        Some(token) => Some(token?),
        None => None,
    };
    Some(Tokens { access: token(ACCESS_TOKEN)??, refresh, lifetime_ms: lifetime_ms(document) })
}

/// Where it is missing or makes no sense, nothing is known of it: the tokens are the only ones, and are not refused for it.
fn lifetime_ms(document: &Document<'_>) -> Option<u64> {
    let seconds = document.root().member("expires_in").ok()??.scalar()?;
    // Some providers write a fraction.
    seconds.split('.').next()?.parse::<u64>().ok()?.checked_mul(1000)
}

/// One token, or one field of a credential: visible ASCII, and not too much of it.
pub(super) fn is_token(text: &str) -> bool {
    (1..=MAX_TOKEN).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
}

fn outcome(granted: Result<Granted, Fault>) -> Outcome {
    let (answer, coverage) = match granted {
        Ok(granted) => (Answer::Granted(granted), Vec::new()),
        Err(fault) => {
            let failed = Coverage { source: "oauth".to_owned(), status: Status::Failed(fault) };
            (Answer::Nothing, vec![failed])
        }
    };
    Outcome { answer, coverage, skew_ms: None, calls: 1, next: None, short: None }
}

impl fmt::Debug for Granted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Granted::Tokens(_) => "Tokens",
            Granted::Reference(_) => "Reference",
            Granted::Revoked => "Revoked",
            Granted::Key(_) => "Key",
            Granted::Keys(_) => "Keys",
            Granted::MadeKey(_) => "MadeKey",
            Granted::Deleted => "Deleted",
        })
    }
}

impl fmt::Debug for Grant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Grant")
    }
}

#[cfg(test)]
#[path = "grant_tests.rs"]
mod tests;
