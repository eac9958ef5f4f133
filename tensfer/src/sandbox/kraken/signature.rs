//! `API-Sign` = base64(HMAC-SHA-512(base64⁻¹(secret), path ‖ SHA-256(nonce ‖ body))).

use crate::sandbox::call::{self, Call};
use crate::sandbox::mac;
use crate::sandbox::refusal::Refusal;

/// Returns the nonce that was signed.
pub fn verify(call: &Call, secret: &str) -> Result<u64, Refusal> {
    let written = nonce(call).ok_or(Refusal::Missing("nonce"))?;
    let nonce = written.parse().map_err(|_| Refusal::BadNonce)?;
    let sign = call.header("api-sign").ok_or(Refusal::BadSignature)?;
    let tag = call::base64(sign).ok_or(Refusal::BadSignature)?;
    let key = call::base64(secret).ok_or(Refusal::UnknownKey)?;
    let digest = mac::sha256(&[written.as_bytes(), call.body]);
    let message = [call.path.as_bytes(), digest.as_ref()].concat();
    if mac::hmac_sha512_matches(&key, &message, &tag) { Ok(nonce) } else { Err(Refusal::BadSignature) }
}

/// From a form or, as batch orders send it, from JSON.
fn nonce(call: &Call) -> Option<String> {
    if !call.text().starts_with('{') {
        return call.field("nonce");
    }
    let body: serde_json::Value = serde_json::from_slice(call.body).ok()?;
    let nonce = body.get("nonce")?;
    nonce.as_str().map(str::to_owned).or_else(|| nonce.as_u64().map(|nonce| nonce.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::vectors::{self, Part, Scope};

    #[test]
    fn recorded_requests_are_accepted_and_one_changed_byte_refuses_them() {
        let scope = Scope {
            exchange: "kraken",
            variants: &["default"],
            url: "/0/private/",
            least: 9,
            covered: &[Part::Path, Part::Body, Part::Signature],
        };
        vectors::prove(&scope, |call, vector| verify(call, &vector.secret).map(|_| ()));
    }
}
