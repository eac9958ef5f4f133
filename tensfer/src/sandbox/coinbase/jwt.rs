//! The bearer token: ES256 by a P-256 key in PEM, or EdDSA by an Ed25519 key (base64 of seed ‖ public key).
//!
//! The algorithm follows from the account's key; the token's `alg` must say the same (m37). The claims bind one
//! method, host and path (never the query), for at most two minutes.

use crate::sandbox::call::{self, Call};
use crate::sandbox::mac;
use crate::sandbox::refusal::Refusal;
use crate::sandbox::seed::Credentials;
use aws_lc_rs::signature::{self, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde::de::DeserializeOwned;

/// Seconds that a token may live.
const LIFETIME: u64 = 120;
/// Seconds that a client's clock may be off.
const LEEWAY: u64 = 30;

#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: String,
}

#[derive(Deserialize)]
struct Claims {
    iss: String,
    sub: String,
    nbf: u64,
    exp: u64,
    #[serde(default)]
    uri: Option<String>,
    #[serde(default)]
    uris: Vec<String>,
}

/// An account's public key, with the one algorithm that it verifies.
enum Key {
    Es256(Vec<u8>),
    EdDsa(Vec<u8>),
}

pub fn claimed_key(call: &Call) -> Result<String, Refusal> {
    let (head, ..) = parts(call)?;
    Ok(json::<Header>(head)?.kid)
}

pub fn verify(call: &Call, credentials: &Credentials) -> Result<(), Refusal> {
    let (head, body, mark) = parts(call)?;
    let header: Header = json(head)?;
    let key = Key::of(&credentials.secret).ok_or(Refusal::UnknownKey)?;
    let message = format!("{head}.{body}");
    let mark = unbase64url(mark)?;
    if header.alg != key.algorithm() || !key.verifies(message.as_bytes(), &mark) {
        return Err(Refusal::BadSignature);
    }
    let claims: Claims = json(body)?;
    timely(&claims, call.now)?;
    let uri = format!("{} {}{}", call.method, call.host, call.path);
    let names_uri = claims.uri.as_ref().is_some_and(|named| *named == uri) || claims.uris.contains(&uri);
    let names_key = header.kid == credentials.key && claims.sub == credentials.key;
    let names_issuer = ["cdp", "coinbase-cloud"].contains(&claims.iss.as_str());
    if names_uri && names_key && names_issuer { Ok(()) } else { Err(Refusal::BadSignature) }
}

fn timely(claims: &Claims, now: u64) -> Result<(), Refusal> {
    let now = now / 1000;
    let lives = claims.exp.checked_sub(claims.nbf).is_some_and(|seconds| seconds <= LIFETIME);
    if lives && claims.nbf <= now + LEEWAY && now < claims.exp {
        return Ok(());
    }
    Err(Refusal::BadTimestamp { sent: claims.nbf.saturating_mul(1000) })
}

impl Key {
    fn of(secret: &str) -> Option<Self> {
        if let Some(der) = mac::pem_body(secret) {
            let pair = EcdsaKeyPair::from_private_key_der(&ECDSA_P256_SHA256_FIXED_SIGNING, &der).ok()?;
            return Some(Self::Es256(pair.public_key().as_ref().to_vec()));
        }
        let seed_and_public = call::base64(secret).filter(|bytes| bytes.len() == 64)?;
        let pair = Ed25519KeyPair::from_seed_unchecked(seed_and_public.get(..32)?).ok()?;
        Some(Self::EdDsa(pair.public_key().as_ref().to_vec()))
    }

    fn algorithm(&self) -> &'static str {
        match self {
            Self::Es256(_) => "ES256",
            Self::EdDsa(_) => "EdDSA",
        }
    }

    fn verifies(&self, message: &[u8], mark: &[u8]) -> bool {
        match self {
            Self::Es256(key) => mac::signature_matches(mac::ES256, key, message, mark),
            Self::EdDsa(key) => mac::signature_matches(&signature::ED25519, key, message, mark),
        }
    }
}

/// Header, claims and signature, still in base64url.
fn parts<'a>(call: &'a Call) -> Result<(&'a str, &'a str, &'a str), Refusal> {
    let bearer = call.header("authorization").and_then(|value| value.strip_prefix("Bearer "));
    let token = bearer.ok_or(Refusal::Missing("Authorization"))?;
    let mut parts = token.split('.');
    let triple = (parts.next(), parts.next(), parts.next(), parts.next());
    let (Some(head), Some(body), Some(mark), None) = triple else { return Err(Refusal::BadSignature) };
    Ok((head, body, mark))
}

fn json<T: DeserializeOwned>(part: &str) -> Result<T, Refusal> {
    serde_json::from_slice(&unbase64url(part)?).map_err(|_| Refusal::BadSignature)
}

fn unbase64url(part: &str) -> Result<Vec<u8>, Refusal> {
    URL_SAFE_NO_PAD.decode(part).map_err(|_| Refusal::BadSignature)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::vectors::{self, FROZEN, Part, Scope};
    use aws_lc_rs::rand::SystemRandom;
    use aws_lc_rs::signature::ECDSA_P256_SHA256_ASN1_SIGNING;
    use base64::engine::general_purpose::STANDARD;
    use hyper::HeaderMap;
    use serde_json::{Value, json};

    const SCOPE: Scope = Scope {
        exchange: "coinbase",
        variants: &[],
        url: "api.coinbase.com",
        least: 30,
        covered: &[Part::Path, Part::Signature],
    };

    fn credentials(key: &str, secret: String) -> Credentials {
        Credentials { key: key.to_owned(), secret, passphrase: None }
    }

    fn es256() -> Credentials {
        let pem =
            format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", vectors::test_key("ec"));
        credentials("organizations/org/apiKeys/kid", pem)
    }

    /// The recording used a seed of 32 sevens (found by trial: `testkeys.json` does not name it).
    fn eddsa() -> Credentials {
        credentials("kid-0001", STANDARD.encode([[7; 32], [0; 32]].concat()))
    }

    fn claims() -> Value {
        let now = FROZEN / 1000;
        json!({"iss": "cdp", "sub": "organizations/org/apiKeys/kid", "nbf": now, "exp": now + 120,
               "uri": "GET api.coinbase.com/v2/accounts"})
    }

    fn encoded(value: &Value) -> String {
        URL_SAFE_NO_PAD.encode(value.to_string())
    }

    /// Verifies a token made with the test key, whatever it says.
    fn verdict(alg: &str, claims: &Value, der: bool) -> Result<(), Refusal> {
        let head = json!({"alg": alg, "kid": "organizations/org/apiKeys/kid"});
        let message = format!("{}.{}", encoded(&head), encoded(claims));
        let form = if der { &ECDSA_P256_SHA256_ASN1_SIGNING } else { &ECDSA_P256_SHA256_FIXED_SIGNING };
        let key = STANDARD.decode(vectors::test_key("ec")).unwrap();
        let pair = EcdsaKeyPair::from_pkcs8(form, &key).unwrap();
        let mark = pair.sign(&SystemRandom::new(), message.as_bytes()).unwrap();
        let token = format!("Bearer {message}.{}", URL_SAFE_NO_PAD.encode(mark));
        let headers = HeaderMap::from_iter([(hyper::header::AUTHORIZATION, token.parse().unwrap())]);
        let (host, path) = ("api.coinbase.com", "/v2/accounts");
        let peer = std::net::Ipv4Addr::LOCALHOST.into();
        let call =
            Call { method: "GET", host, path, query: "", headers: &headers, body: b"", peer, now: FROZEN };
        verify(&call, &es256())
    }

    #[test]
    fn recorded_es256_requests_are_accepted_and_one_changed_byte_refuses_them() {
        let scope = Scope { variants: &["es256-jwt"], ..SCOPE };
        vectors::prove(&scope, |call, _| verify(call, &es256()));
    }

    #[test]
    fn recorded_eddsa_requests_are_accepted_and_one_changed_byte_refuses_them() {
        let scope = Scope { variants: &["eddsa-jwt"], ..SCOPE };
        vectors::prove(&scope, |call, _| verify(call, &eddsa()));
    }

    #[test]
    fn m04_der_signature_is_refused() {
        assert_eq!(verdict("ES256", &claims(), false), Ok(()));
        assert_eq!(verdict("ES256", &claims(), true), Err(Refusal::BadSignature));
    }

    #[test]
    fn m37_the_algorithm_follows_from_the_key_and_not_from_the_token() {
        for alg in ["EdDSA", "HS256", "none", ""] {
            assert_eq!(verdict(alg, &claims(), false), Err(Refusal::BadSignature), "{alg}");
        }
    }

    #[test]
    fn a_token_for_another_call_key_or_time_is_refused() {
        let now = FROZEN / 1000;
        for (name, value) in [
            ("uri", json!("GET api.coinbase.com/v2/user")),
            ("uri", json!("POST api.coinbase.com/v2/accounts")),
            ("uri", json!("GET api.coinbase.com.sandbox.test/v2/accounts")),
            ("sub", json!("organizations/org/apiKeys/other")),
            ("iss", json!("me")),
            ("exp", json!(now)),
            ("exp", json!(now + 121)),
            ("nbf", json!(now + 31)),
        ] {
            let mut claims = claims();
            claims[name] = value;
            assert!(verdict("ES256", &claims, false).is_err(), "{claims}");
        }
    }
}
