//! `OK-ACCESS-SIGN` = base64(HMAC-SHA-256(secret, timestamp ‖ METHOD ‖ path?query ‖ body)).

use crate::sandbox::call::{self, Call};
use crate::sandbox::refusal::Refusal;
use crate::sandbox::seed::Credentials;
use crate::sandbox::{clock, mac};

/// How far a timestamp may be from the exchange's clock: milliseconds.
const WINDOW: u64 = 30_000;

pub fn verify(call: &Call, credentials: &Credentials) -> Result<(), Refusal> {
    let header = |name, shown| call.header(name).ok_or(Refusal::Missing(shown));
    let passphrase = header("ok-access-passphrase", "OK-ACCESS-PASSPHRASE")?;
    let timestamp = header("ok-access-timestamp", "OK-ACCESS-TIMESTAMP")?;
    let sign = header("ok-access-sign", "OK-ACCESS-SIGN")?;
    if credentials.passphrase.as_deref() != Some(passphrase) {
        return Err(Refusal::BadPassphrase);
    }
    let sent = clock::parse_iso(timestamp).ok_or(Refusal::BadTimestamp { sent: 0 })?;
    if sent.abs_diff(call.now) > WINDOW {
        return Err(Refusal::BadTimestamp { sent });
    }
    let message =
        [timestamp.as_bytes(), call.method.as_bytes(), call.target().as_bytes(), call.body].concat();
    let tag = call::base64(sign).ok_or(Refusal::BadSignature)?;
    let good = mac::hmac_sha256_matches(credentials.secret.as_bytes(), &message, &tag);
    if good { Ok(()) } else { Err(Refusal::BadSignature) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::vectors::{self, FROZEN, Part, Scope, Vector};

    const SCOPE: Scope = Scope {
        exchange: "okx",
        variants: &["default"],
        url: "www.okx.com",
        least: 21,
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
    fn a_timestamp_is_good_for_thirty_seconds() {
        let quiet = Scope { covered: &[], ..SCOPE };
        vectors::prove(&quiet, |call, vector| {
            let credentials = credentials(vector);
            let late = verify(&Call { now: FROZEN + WINDOW + 1, ..*call }, &credentials);
            assert_eq!(late, Err(Refusal::BadTimestamp { sent: FROZEN }));
            verify(&Call { now: FROZEN - WINDOW, ..*call }, &credentials)
        });
    }
}
