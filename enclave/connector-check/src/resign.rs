//! Recorded requests with a part changed that was signed, such as the recording client's own ids: signs again with the
//! keys of the trace, here and not in the engine.

use aws_lc_rs::{digest, hmac, rand, signature};
use enclave::connector::Json;

use crate::broker;
use crate::credentials::{bytes, from_base64};
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
    let mut renewed: Vec<(String, String)> = Vec::new();
    for entry in trace.into_iter().flat_map(Json::elements) {
        let message = entry.member("msg").ok().flatten().and_then(bytes);
        let Some(message) = message.and_then(|message| String::from_utf8(message).ok()) else { continue };
        let stripped = replaced(&change(&message), &renewed);
        if stripped != message {
            let old = text(entry, "out").ok_or("a signature that is no text")?;
            let new = output(entry, stripped.as_bytes(), keys).ok_or("cannot sign again")?;
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

/// With new signatures in the place of the old ones, as they are and percent-encoded.
fn replaced(text: &str, renewed: &[(String, String)]) -> String {
    renewed.iter().fold(text.to_owned(), |text, (old, new)| {
        text.replace(old, new).replace(&percent(old), &percent(new))
    })
}

fn percent(base64: &str) -> String {
    base64.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D")
}

/// What a trace entry's computation yields for another message, in the entry's encoding.
fn output(entry: Json<'_>, message: &[u8], keys: Json<'_>) -> Option<String> {
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let algorithm = text(entry, "alg").unwrap_or_default();
    let raw = match text(entry, "fn")?.as_str() {
        "hmac" => {
            let key = bytes(entry.member("key").ok()??)?;
            hmac::sign(&hmac::Key::new(mac(&algorithm)?, &key), message).as_ref().to_vec()
        }
        "hash" => digest::digest(hash(&algorithm)?, message).as_ref().to_vec(),
        "rsa" => {
            let pair = signature::RsaKeyPair::from_pkcs8(&test_key(keys, "rsa")?).ok()?;
            let mut out = vec![0; pair.public_modulus_len()];
            let random = rand::SystemRandom::new();
            pair.sign(&signature::RSA_PKCS1_SHA256, &random, message, &mut out).ok()?;
            out
        }
        "eddsa" => {
            let der = test_key(keys, "ed")?;
            let pair = signature::Ed25519KeyPair::from_pkcs8_maybe_unchecked(&der).ok()?;
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
