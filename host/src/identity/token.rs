//! Transaction tokens (draft-ietf-oauth-transaction-tokens): what `identity` says of one request, for a service that is to carry it
//! out. Short-lived, signed by a key that is born with the process, and bound to method, path, query and body: whoever passes one on
//! can ask for nothing else with it.
//!
//! A service acts on the [`Transaction`] that it reads from a token, and on nothing that came beside it.

use super::rights::Scopes;
use super::{Environment, Refusal, RequestName};
use crate::signatures::{Once, Refused, Used, check_content_digest};
use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair, ParsedPublicKey};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use core::fmt::{self, Debug, Formatter};
use serde::{Deserialize, Serialize};
use std::net::IpAddr;
use wire::{KeyId, OrganisationId, PasskeyId, PersonId, SessionId, UnixMillis};

/// In seconds.
pub const LIFETIME: u64 = 30;
/// The services of one host may read their clocks a moment apart, in seconds.
const LEEWAY: u64 = 2;
const ISSUER: &str = "identity";
/// A target has at most 8 KiB, and base64 adds a third.
const LONGEST: usize = 32 << 10;

/// Makes tokens, with a key of its own that nobody else ever holds.
pub struct Issuer {
    pair: Ed25519KeyPair,
    header: String,
}

/// Knows one issuer's tokens.
#[derive(Clone)]
pub struct Verifier {
    public: ParsedPublicKey,
    header: String,
}

/// Who asks: what a token is about besides the request.
#[derive(Clone, Debug)]
pub enum Asker {
    Program(Principal),
    Person(SignedIn),
}

/// A person, by a device that they are signed in with.
#[derive(Clone, Copy, Debug)]
pub struct SignedIn {
    pub person: PersonId,
    pub session: SessionId,
    /// The passkey of theirs that was asked for this very request.
    pub fresh: Option<PasskeyId>,
    pub environment: Environment,
    pub peer: IpAddr,
}

/// A program, by its key.
#[derive(Clone, Debug)]
pub struct Principal {
    pub key: KeyId,
    pub organisation: OrganisationId,
    pub scopes: Scopes,
    pub environment: Environment,
    pub peer: IpAddr,
}

/// A request that was admitted, with the body that was signed.
#[derive(Clone, Debug)]
pub struct Transaction<'b> {
    claims: Claims,
    asker: Asker,
    name: RequestName,
    body: &'b [u8],
}

/// In this order, as JSON without white space; nothing else is taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Claims {
    iss: String,
    aud: String,
    iat: u64,
    exp: u64,
    /// The request's name, which it has in every log.
    txn: String,
    /// The key's id, or the person's.
    sub: String,
    /// Of a program: its organisation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    org: Option<String>,
    /// Of a person: the session.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ses: Option<String>,
    /// Of a person: the passkey that was asked for this very request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    fresh: Option<String>,
    /// Of a program.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    scope: Option<String>,
    env: String,
    /// What was asked.
    tctx: Asked,
    /// From where.
    rctx: Origin,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    method: String,
    path: String,
    query: Option<String>,
    content_type: Option<String>,
    content_digest: Option<String>,
    idempotency_key: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Origin {
    req_ip: IpAddr,
}

/// There is no such key, or none could be made for lack of randomness.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoKey;

impl Issuer {
    pub fn make() -> Result<Issuer, NoKey> {
        let pair = Ed25519KeyPair::generate().map_err(|_| NoKey)?;
        let header = header(pair.public_key().as_ref());
        Ok(Issuer { pair, header })
    }

    pub fn verifier(&self) -> Result<Verifier, NoKey> {
        Verifier::new(self.pair.public_key().as_ref())
    }

    /// For `audience`, the name of a role. Only a signature that was taken, once, is ever put into a token.
    pub fn issue(
        &self,
        audience: &str,
        name: &RequestName,
        asker: &Asker,
        once: &Once,
        now: UnixMillis,
    ) -> String {
        let iat = now.0 / 1000;
        let Subject { sub, org, ses, fresh, scope, env, peer } = Subject::of(asker);
        let claims = Claims {
            iss: ISSUER.to_owned(),
            aud: audience.to_owned(),
            iat,
            exp: iat.saturating_add(LIFETIME),
            txn: name.as_str().to_owned(),
            sub,
            org,
            ses,
            fresh,
            scope,
            env,
            tctx: Asked::of(once),
            rctx: Origin { req_ip: peer },
        };
        let payload = encode(&serde_json::to_vec(&claims).unwrap_or_default());
        let input = format!("{}.{payload}", self.header);
        let signature = encode(self.pair.sign(input.as_bytes()).as_ref());
        format!("{input}.{signature}")
    }
}

/// The claims about who asks.
struct Subject {
    sub: String,
    org: Option<String>,
    ses: Option<String>,
    fresh: Option<String>,
    scope: Option<String>,
    env: String,
    peer: IpAddr,
}

impl Subject {
    fn of(asker: &Asker) -> Subject {
        match asker {
            Asker::Program(Principal { key, organisation, scopes, environment, peer }) => Subject {
                sub: key.to_string(),
                org: Some(organisation.to_string()),
                ses: None,
                fresh: None,
                scope: Some(scopes.to_string()),
                env: environment.name().to_owned(),
                peer: *peer,
            },
            Asker::Person(SignedIn { person, session, fresh, environment, peer }) => Subject {
                sub: person.to_string(),
                org: None,
                ses: Some(session.to_string()),
                fresh: fresh.map(|passkey| passkey.to_string()),
                scope: None,
                env: environment.name().to_owned(),
                peer: *peer,
            },
        }
    }
}

impl Asked {
    fn of(once: &Once) -> Asked {
        let field = |name| once.field(name).map(str::to_owned);
        Asked {
            method: once.method().to_owned(),
            path: once.path().to_owned(),
            query: once.query().map(str::to_owned),
            content_type: field("content-type"),
            content_digest: field("content-digest"),
            idempotency_key: field("idempotency-key"),
        }
    }
}

impl Verifier {
    /// Of an issuer's public key, 32 bytes.
    pub fn new(public: &[u8]) -> Result<Verifier, NoKey> {
        let header = header(public);
        let public = ParsedPublicKey::new(&ED25519, public).map_err(|_| NoKey)?;
        Ok(Verifier { public, header })
    }

    /// Reads a token that is for `audience`, and a body that is the one that was signed.
    ///
    /// # Errors
    /// `TokenRefused`: it is not this issuer's, not for us or over. What the request's sender did is `Unsigned`.
    pub fn check<'b>(
        &self,
        audience: &str,
        token: &str,
        body: &'b [u8],
        now: UnixMillis,
    ) -> Result<Transaction<'b>, super::Denied> {
        let claims = self.read(token).ok_or(Refusal::TokenRefused)?;
        claims.check(audience, now).ok_or(Refusal::TokenRefused)?;
        let asker = claims.asker().ok_or(Refusal::TokenRefused)?;
        let name = RequestName::parse(&claims.txn).ok_or(Refusal::TokenRefused)?;
        match &claims.tctx.content_digest {
            Some(field) => check_content_digest(field, body)?,
            None if body.is_empty() => {}
            None => return Err(Refused::DigestMissing.into()),
        }
        if !body.is_empty() && claims.tctx.content_type.is_none() {
            return Err(Refused::BodyUntyped.into());
        }
        Ok(Transaction { claims, asker, name, body })
    }

    /// Three parts (RFC 7515 §7.1) whose first has the one spelling that there is.
    fn read(&self, token: &str) -> Option<Claims> {
        if token.len() > LONGEST {
            return None;
        }
        let (input, signature) = token.rsplit_once('.')?;
        let (header, payload) = input.split_once('.')?;
        let is_ours =
            header == self.header && self.public.verify_sig(input.as_bytes(), &decode(signature)?).is_ok();
        let payload = decode(payload).filter(|_| is_ours)?;
        let claims: Claims = serde_json::from_slice(&payload).ok()?;
        (serde_json::to_vec(&claims).ok()? == payload).then_some(claims)
    }
}

impl Claims {
    fn check(&self, audience: &str, now: UnixMillis) -> Option<()> {
        let now = now.0 / 1000;
        let is_now = self.iat <= now.saturating_add(LEEWAY) && now < self.exp;
        let is_short = self.exp.checked_sub(self.iat)? <= LIFETIME;
        (self.iss == ISSUER && self.aud == audience && is_now && is_short).then_some(())
    }

    /// All that is said of a program, or all that is said of a person, and nothing of both.
    fn asker(&self) -> Option<Asker> {
        let (environment, peer) = (Environment::from_name(&self.env)?, self.rctx.req_ip);
        let fresh = match &self.fresh {
            Some(passkey) => Some(PasskeyId::parse(passkey)?),
            None => None,
        };
        match (&self.org, &self.ses, &self.scope) {
            (Some(organisation), None, Some(scopes)) if fresh.is_none() => Some(Asker::Program(Principal {
                key: KeyId::parse(&self.sub)?,
                organisation: OrganisationId::parse(organisation)?,
                scopes: Scopes::parse(scopes)?,
                environment,
                peer,
            })),
            (None, Some(session), None) => Some(Asker::Person(SignedIn {
                person: PersonId::parse(&self.sub)?,
                session: SessionId::parse(session)?,
                fresh,
                environment,
                peer,
            })),
            _ => None,
        }
    }
}

impl Transaction<'_> {
    pub fn asker(&self) -> &Asker {
        &self.asker
    }

    pub fn name(&self) -> &RequestName {
        &self.name
    }

    pub fn method(&self) -> &str {
        &self.claims.tctx.method
    }

    /// As it was signed: percent-encoded.
    pub fn path(&self) -> &str {
        &self.claims.tctx.path
    }

    /// Without its question mark.
    pub fn query(&self) -> Option<&str> {
        self.claims.tctx.query.as_deref()
    }

    pub fn content_type(&self) -> Option<&str> {
        self.claims.tctx.content_type.as_deref()
    }

    pub fn idempotency_key(&self) -> Option<&str> {
        self.claims.tctx.idempotency_key.as_deref()
    }

    pub fn body(&self) -> &[u8] {
        self.body
    }

    /// What makes it count once.
    pub fn used(&self) -> Used<'_> {
        let millis = |seconds: u64| UnixMillis(seconds.saturating_mul(1000));
        let Claims { sub, txn, iat, exp, .. } = &self.claims;
        Used { keyid: sub, nonce: txn, created: millis(*iat), expires: millis(exp.saturating_add(LEEWAY)) }
    }
}

/// The one header of a key's tokens, encoded. `kid` is the SHA-256 of the key.
fn header(public: &[u8]) -> String {
    let kid = encode(digest(&SHA256, public).as_ref());
    encode(format!("{{\"alg\":\"EdDSA\",\"kid\":\"{kid}\",\"typ\":\"txntoken+jwt\"}}").as_bytes())
}

fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn decode(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}

impl Debug for Issuer {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("Issuer")
    }
}

impl Debug for Verifier {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("Verifier")
    }
}
