//! `signature` stands last and signs everything before it: the query string, then the body, with nothing between.

use crate::sandbox::call::{Call, decode, form_field};
use crate::sandbox::mac;
use crate::sandbox::refusal::Refusal;

const WINDOW: u64 = 5_000;
const LONGEST_WINDOW: u64 = 60_000;
/// How far ahead of the exchange's clock a client may be: milliseconds.
const AHEAD: u64 = 1_000;

pub fn verify(call: &Call, secret: &str) -> Result<(), Refusal> {
    let sent = format!("{}{}", call.query, call.text());
    let (message, signature) = sent.rsplit_once("signature=").ok_or(Refusal::Missing("signature"))?;
    let message = message.strip_suffix('&').unwrap_or(message);
    timely(call, message)?;
    let tag = decode(signature);
    if mac::tagged(secret, message.as_bytes(), &tag) { Ok(()) } else { Err(Refusal::BadSignature) }
}

/// `timestamp` < now + 1 s, and now − `timestamp` ≤ `recvWindow`.
fn timely(call: &Call, message: &str) -> Result<(), Refusal> {
    let number = |name| form_field(message, name).map(|text| text.parse::<u64>());
    let window =
        number("recvWindow").unwrap_or(Ok(WINDOW)).map_err(|_| Refusal::BadParameter("recvWindow"))?;
    if window > LONGEST_WINDOW {
        return Err(Refusal::BadParameter("recvWindow"));
    }
    let sent = number("timestamp").and_then(Result::ok).ok_or(Refusal::Missing("timestamp"))?;
    if sent >= call.now + AHEAD || call.now.saturating_sub(sent) > window {
        return Err(Refusal::BadTimestamp { sent });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::vectors::{self, FROZEN, Part, Scope};

    fn prove(variants: &'static [&'static str], secret: Option<String>) {
        let covered = &[Part::Query, Part::Body];
        let scope = Scope { exchange: "binance", variants, url: "", least: 150, covered };
        vectors::prove(&scope, |call, vector| verify(call, secret.as_deref().unwrap_or(&vector.secret)));
    }

    fn pem(key: &str) -> String {
        format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----", vectors::test_key(key))
    }

    #[test]
    fn recorded_hmac_requests_are_accepted_and_one_changed_byte_refuses_them() {
        prove(&["hmac"], None);
    }

    #[test]
    fn recorded_rsa_requests_are_accepted_and_one_changed_byte_refuses_them() {
        prove(&["rsa"], Some(pem("rsa")));
    }

    #[test]
    fn recorded_ed25519_requests_are_accepted_and_one_changed_byte_refuses_them() {
        prove(&["ed25519"], Some(pem("ed")));
    }

    #[test]
    fn a_timestamp_outside_the_window_is_refused() {
        let headers = hyper::HeaderMap::new();
        let peer = std::net::Ipv4Addr::LOCALHOST.into();
        let at = |now| Call {
            method: "GET",
            host: "",
            path: "",
            query: "",
            headers: &headers,
            body: b"",
            peer,
            now,
        };
        let sent = FROZEN;
        let message = format!("timestamp={sent}");
        assert_eq!(timely(&at(sent + WINDOW), &message), Ok(()));
        assert_eq!(timely(&at(sent + WINDOW + 1), &message), Err(Refusal::BadTimestamp { sent }));
        assert_eq!(timely(&at(sent - AHEAD + 1), &message), Ok(()));
        assert_eq!(timely(&at(sent - AHEAD), &message), Err(Refusal::BadTimestamp { sent }));
        let wide = format!("timestamp={sent}&recvWindow=60001");
        assert_eq!(timely(&at(sent), &wide), Err(Refusal::BadParameter("recvWindow")));
    }
}
