//! `X-BAPI-SIGN` = HMAC-SHA-256(secret, timestamp ‖ key ‖ window ‖ (query or body)) in hex, or RSA in base64.

use crate::sandbox::call::Call;
use crate::sandbox::mac;
use crate::sandbox::refusal::Refusal;
use crate::sandbox::seed::Credentials;

const WINDOW: &str = "5000";
/// How far ahead of the exchange's clock a client may be: milliseconds.
const AHEAD: u64 = 1_000;

pub fn verify(call: &Call, credentials: &Credentials) -> Result<(), Refusal> {
    let timestamp = call.header("x-bapi-timestamp").ok_or(Refusal::Missing("timestamp"))?;
    let sign = call.header("x-bapi-sign").ok_or(Refusal::Missing("sign"))?;
    let given = call.header("x-bapi-recv-window");
    let window = given.unwrap_or(WINDOW).parse::<u64>().map_err(|_| Refusal::BadParameter("recv_window"))?;
    let sent = timestamp.parse().map_err(|_| Refusal::BadParameter("timestamp"))?;
    // Documented: server_time - recv_window <= timestamp < server_time + 1000.
    if sent >= call.now + AHEAD || call.now.saturating_sub(window) > sent {
        return Err(Refusal::BadTimestamp { sent });
    }
    let payload = if call.method == "GET" { call.query } else { call.text() };
    let message = format!("{timestamp}{}{}{payload}", credentials.key, given.unwrap_or_default());
    if mac::tagged(&credentials.secret, message.as_bytes(), sign) {
        Ok(())
    } else {
        Err(Refusal::BadSignature)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::vectors::{self, FROZEN, Part, Scope};

    /// The credentials that the recorded operations were signed with.
    fn recorded() -> Credentials {
        Credentials { key: "key".to_owned(), secret: "secretsecret".to_owned(), passphrase: None }
    }

    const SCOPE: Scope = Scope {
        exchange: "bybit",
        variants: &[],
        url: "/v5/",
        least: 49,
        covered: &[Part::Query, Part::Body, Part::Signature],
    };

    #[test]
    fn recorded_hmac_requests_are_accepted_and_one_changed_byte_refuses_them() {
        vectors::prove(&SCOPE, |call, _| verify(call, &recorded()));
    }

    #[test]
    fn recorded_rsa_requests_are_accepted_and_one_changed_byte_refuses_them() {
        let secret =
            format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----", vectors::test_key("rsa"));
        let credentials = Credentials { key: "APIKEYtest0001".to_owned(), secret, passphrase: None };
        let scope = Scope { variants: &["rsa"], least: 2, ..SCOPE };
        vectors::prove(&scope, |call, _| verify(call, &credentials));
    }

    #[test]
    fn a_timestamp_outside_the_window_is_refused() {
        let quiet = Scope { covered: &[], ..SCOPE };
        vectors::prove(&quiet, |call, _| {
            let late = verify(&Call { now: FROZEN + 5_001, ..*call }, &recorded());
            let early = verify(&Call { now: FROZEN - AHEAD, ..*call }, &recorded());
            assert_eq!(
                (late, early),
                (Err(Refusal::BadTimestamp { sent: FROZEN }), Err(Refusal::BadTimestamp { sent: FROZEN }))
            );
            verify(&Call { now: FROZEN + 5_000, ..*call }, &recorded())
        });
    }
}
