//! `KC-API-SIGN` = base64(HMAC-SHA-256(secret, timestamp ‖ METHOD ‖ path?query ‖ body)); the passphrase comes as
//! base64(HMAC-SHA-256(secret, passphrase)), as key versions 2 and 3 have it.

use crate::sandbox::call::{self, Call};
use crate::sandbox::mac;
use crate::sandbox::refusal::Refusal;
use crate::sandbox::seed::Credentials;

/// How far a timestamp may be from the exchange's clock: milliseconds.
const WINDOW: u64 = 5_000;

pub fn verify(call: &Call, credentials: &Credentials) -> Result<(), Refusal> {
    let header = |name, shown| call.header(name).ok_or(Refusal::Missing(shown));
    let timestamp = header("kc-api-timestamp", "KC-API-TIMESTAMP")?;
    let passphrase = header("kc-api-passphrase", "KC-API-PASSPHRASE")?;
    let sign = header("kc-api-sign", "KC-API-SIGN")?;
    let sent = timestamp.parse().map_err(|_| Refusal::BadTimestamp { sent: 0 })?;
    if call.now.abs_diff(sent) > WINDOW {
        return Err(Refusal::BadTimestamp { sent });
    }
    let secret = credentials.secret.as_bytes();
    let wanted = credentials.passphrase.as_deref().unwrap_or_default();
    let version = call.header("kc-api-key-version").unwrap_or("1");
    let tag = call::base64(passphrase).filter(|_| ["2", "3"].contains(&version));
    if !tag.is_some_and(|tag| mac::hmac_sha256_matches(secret, wanted.as_bytes(), &tag)) {
        return Err(Refusal::BadPassphrase);
    }
    let tag = call::base64(sign).ok_or(Refusal::BadSignature)?;
    // Documented: the query is signed as it was before percent-encoding; most clients never need to encode.
    let plain = if call.query.is_empty() {
        call.target()
    } else {
        format!("{}?{}", call.path, call::decode(call.query))
    };
    let signs = |target: &str| {
        let message = [timestamp.as_bytes(), call.method.as_bytes(), target.as_bytes(), call.body].concat();
        mac::hmac_sha256_matches(secret, &message, &tag)
    };
    if signs(&call.target()) || signs(&plain) { Ok(()) } else { Err(Refusal::BadSignature) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::vectors::{self, FROZEN, Part, Scope, Vector};

    const SCOPE: Scope = Scope {
        exchange: "kucoin",
        variants: &["default"],
        url: "kucoin.com",
        least: 90,
        covered: &[Part::Path, Part::Query, Part::Body, Part::Signature],
    };

    fn credentials(vector: &Vector) -> Credentials {
        let passphrase = Some(vector.passphrase.clone());
        Credentials { key: String::new(), secret: vector.secret.clone(), passphrase }
    }

    #[test]
    fn recorded_requests_are_accepted_and_one_changed_byte_refuses_them() {
        vectors::prove(&SCOPE, |call, vector| verify(call, &credentials(vector)));
    }

    #[test]
    fn a_timestamp_is_good_for_five_seconds_and_a_plain_passphrase_for_nothing() {
        let quiet = Scope { covered: &[], ..SCOPE };
        vectors::prove(&quiet, |call, vector| {
            let late = verify(&Call { now: FROZEN + WINDOW + 1, ..*call }, &credentials(vector));
            assert_eq!(late, Err(Refusal::BadTimestamp { sent: FROZEN }));
            let mut headers = call.headers.clone();
            headers.insert("kc-api-key-version", "1".parse().unwrap());
            headers.insert("kc-api-passphrase", vector.passphrase.parse().unwrap());
            let plain = verify(&Call { headers: &headers, ..*call }, &credentials(vector));
            assert_eq!(plain, Err(Refusal::BadPassphrase));
            verify(&Call { now: FROZEN - WINDOW, ..*call }, &credentials(vector))
        });
    }
}
