//! Recorded requests with a part changed that was signed, such as the recording client's own ids: signs again with the
//! keys of the trace, here and not in the engine.

use aws_lc_rs::{digest, hmac, rand, signature};
use enclave::connector::Json;
use md5::{Digest, Md5};

use crate::broker;
use crate::credentials::{bytes, from_base64, traced_seed};
use crate::dictionary::text;

/// Takes the recording client's ids out of the texts of a request whose signed message carries them.
pub fn without_broker(case: Json<'_>, keys: Json<'_>, sent: &mut [&mut String]) -> Result<(), String> {
    changed(case, keys, sent, &broker::strip_signed)
}

/// Changes the texts of a request whose signed message the change concerns; leaves others as they are.
pub fn changed(
    case: Json<'_>,
    keys: Json<'_>,
    sent: &mut [&mut String],
    change: &dyn Fn(&str) -> String,
) -> Result<(), String> {
    let trace = case.member("trace").ok().flatten();
    // What is sent is signed in base64 by some.
    let base64 = |text: &str| enclave::connector::to_base64(text.as_bytes());
    let encoded = sent.iter().map(|text| (base64(text), base64(&change(text))));
    let mut renewed: Vec<(String, String)> = encoded.filter(|(old, new)| old != new).collect();
    // Signatures within a JWT are settled with it.
    let is_jwt = |entry: Json<'_>| text(entry, "fn").as_deref() == Some("jwt");
    let bare = !trace.into_iter().flat_map(Json::elements).any(is_jwt);
    for entry in trace.into_iter().flat_map(Json::elements) {
        let message = entry.member("msg").ok().flatten().and_then(bytes);
        let Some(message) = message.and_then(|message| String::from_utf8(message).ok()) else { continue };
        let stripped = replaced(&change(&message), &renewed);
        // Ed25519 gives one signature for one message: keys that were not recorded are told apart by signing again.
        if stripped != message || (bare && text(entry, "fn").as_deref() == Some("eddsa")) {
            let old = text(entry, "out").ok_or("a signature that is no text")?;
            let new = output(case, entry, stripped.as_bytes(), keys).ok_or("cannot sign again")?;
            renewed.push((old, new));
        }
    }
    if !renewed.is_empty() {
        for text in sent {
            **text = replaced(&change(text), &renewed);
        }
    }
    Ok(())
}

/// With new signatures in the place of the old ones, as they are, percent-encoded, and in base64url.
fn replaced(text: &str, renewed: &[(String, String)]) -> String {
    renewed.iter().fold(text.to_owned(), |text, (old, new)| {
        text.replace(old, new).replace(&percent(old), &percent(new)).replace(&url_safe(old), &url_safe(new))
    })
}

fn url_safe(base64: &str) -> String {
    base64.replace('+', "-").replace('/', "_").trim_end_matches('=').to_owned()
}

fn percent(base64: &str) -> String {
    base64.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D")
}

/// What a trace entry's computation yields for another message, in the entry's encoding.
fn output(case: Json<'_>, entry: Json<'_>, message: &[u8], keys: Json<'_>) -> Option<String> {
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let algorithm = text(entry, "alg").unwrap_or_default();
    let raw = match text(entry, "fn")?.as_str() {
        "hmac" => {
            let key = bytes(entry.member("key").ok()??)?;
            hmac::sign(&hmac::Key::new(mac(&algorithm)?, &key), message).as_ref().to_vec()
        }
        "hash" if algorithm == "md5" => Md5::digest(message).to_vec(),
        "hash" => digest::digest(hash(&algorithm)?, message).as_ref().to_vec(),
        "rsa" => {
            let pair = signature::RsaKeyPair::from_pkcs8(&test_key(keys, "rsa")?).ok()?;
            let mut out = vec![0; pair.public_modulus_len()];
            let random = rand::SystemRandom::new();
            pair.sign(&signature::RSA_PKCS1_SHA256, &random, message, &mut out).ok()?;
            out
        }
        "eddsa" => {
            let der = keys.member("ed").ok().flatten().and_then(|key| text(key, "pkcs8_der_base64"));
            let seed = traced_seed(case, der)?;
            let pair = signature::Ed25519KeyPair::from_seed_unchecked(&seed).ok()?;
            pair.sign(message).as_ref().to_vec()
        }
        _ => return None,
    };
    match text(entry, "digest").as_deref() {
        Some("hex") => Some(hex(&raw)),
        Some("binary") => None,
        _ => Some(enclave::connector::to_base64(&raw)),
    }
}

fn mac(algorithm: &str) -> Option<hmac::Algorithm> {
    match algorithm {
        "sha256" => Some(hmac::HMAC_SHA256),
        "sha384" => Some(hmac::HMAC_SHA384),
        "sha512" => Some(hmac::HMAC_SHA512),
        _ => None,
    }
}

fn hash(algorithm: &str) -> Option<&'static digest::Algorithm> {
    match algorithm {
        "sha256" => Some(&digest::SHA256),
        "sha512" => Some(&digest::SHA512),
        _ => None,
    }
}

/// A made-up key of `testkeys.json`, PKCS #8.
pub fn test_key(keys: Json<'_>, name: &str) -> Option<Vec<u8>> {
    from_base64(&text(keys.member(name).ok().flatten()?, "pkcs8_der_base64")?)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use aws_lc_rs::signature::Ed25519KeyPair;
    use enclave::connector::{Document, to_base64};

    #[test]
    fn an_ed25519_signature_by_a_key_that_was_not_recorded_is_made_again_over_the_recorded_message() {
        let by = |seed: u8, message: &[u8]| {
            to_base64(Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).unwrap().sign(message).as_ref())
        };
        let case = format!(
            r#"{{"trace":[{{"fn":"eddsa","curve":"ed25519","msg":"GET/balances","out":"{}"}}]}}"#,
            by(9, b"GET/balances")
        );
        let (case, keys) = (Document::parse(case.as_bytes()).unwrap(), Document::parse(b"{}").unwrap());
        let mut header = by(9, b"GET/balances");
        let mut in_url = url_safe(&header);
        without_broker(case.root(), keys.root(), &mut [&mut header, &mut in_url]).unwrap();
        assert_eq!(header, by(7, b"GET/balances"));
        assert_eq!(in_url, url_safe(&by(7, b"GET/balances")));
        assert_ne!(header, by(7, b"GET/balance"));
    }

    #[test]
    fn what_is_signed_in_base64_is_signed_again_without_the_recording_clients_tag() {
        let sign = |body: &str| {
            let message = to_base64(body.as_bytes()) + "key";
            let hex = Md5::digest(message.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect();
            (message, hex)
        };
        let (before, after) = (r#"{"market":"A_B","tag":"ccxt"}"#, r#"{"market":"A_B"}"#);
        let ((message, recorded), (_, ours)): ((String, String), (String, String)) =
            (sign(before), sign(after));
        let case = format!(
            r#"{{"trace":[{{"fn":"hash","alg":"md5","digest":"hex","msg":"{message}","out":"{recorded}"}}]}}"#
        );
        let (case, keys) = (Document::parse(case.as_bytes()).unwrap(), Document::parse(b"{}").unwrap());
        let (mut body, mut header) = (before.to_owned(), recorded);
        without_broker(case.root(), keys.root(), &mut [&mut body, &mut header]).unwrap();
        assert_eq!((body.as_str(), header), (after, ours));
    }
}
