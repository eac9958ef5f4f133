//! An authenticator and the browser before it, each of which can be made to lie.

use super::owner::Key;
use super::sha256;
use verify::passkey::{Answer, Ask};
use wire::owner::{OwnerKey, OwnerRole};
use wire::passkey::Passkey;

pub const ORIGIN: &str = "https://vault.example";
const USER_PRESENT: u8 = 1 << 0;
pub const USER_VERIFIED: u8 = 1 << 2;
const BACKUP_ELIGIBLE: u8 = 1 << 3;

/// What goes into an assertion.
pub struct Parts {
    pub kind: &'static str,
    pub challenge: [u8; 32],
    pub origin: &'static str,
    /// Members behind those.
    pub rest: &'static str,
    pub relying_party: &'static str,
    pub flags: u8,
}

impl Key {
    /// A synced passkey of P-256.
    pub fn passkey() -> Key {
        let mut key = Key::der(OwnerRole::Second);
        key.public.passkey = Some(Passkey {
            credential: b"a credential".to_vec(),
            relying_party: "vault.example".into(),
            origins: vec![ORIGIN.into()],
            embedders: Vec::new(),
            backup_eligible: true,
        });
        key
    }

    /// The same key for another relying party.
    pub fn passkey_of(relying_party: &str, origin: &str) -> Key {
        let mut key = Key::passkey();
        if let Some(passkey) = &mut key.public.passkey {
            (passkey.relying_party, passkey.origins) = (relying_party.into(), vec![origin.into()]);
        }
        key
    }
}

/// An assertion as an honest browser makes it.
pub fn assertion(key: &Key, request: &[u8]) -> Vec<u8> {
    assertion_with(key, request, |_| {})
}

/// One that is wrong in something, and signed by its key all the same.
pub fn assertion_with(key: &Key, request: &[u8], change: impl FnOnce(&mut Parts)) -> Vec<u8> {
    assertion_of(key, &key.public, request, change)
}

/// One of `key` in the name of `public`.
pub fn assertion_of(
    key: &Key,
    public: &OwnerKey,
    request: &[u8],
    change: impl FnOnce(&mut Parts),
) -> Vec<u8> {
    let ask = Ask::of(public, request).unwrap();
    let flags = USER_PRESENT | USER_VERIFIED | BACKUP_ELIGIBLE;
    let (kind, challenge) = ("webauthn.get", ask.challenge);
    let mut parts =
        Parts { kind, challenge, origin: ORIGIN, rest: "", relying_party: "vault.example", flags };
    change(&mut parts);
    let client = format!(
        r#"{{"type":"{}","challenge":"{}","origin":"{}","crossOrigin":false{}}}"#,
        parts.kind,
        enclave::connector::to_base64url(&parts.challenge),
        parts.origin,
        parts.rest
    );
    let data = [&sha256(parts.relying_party.as_bytes())[..], &[parts.flags], &[0; 4]].concat();
    let signature = key.sign(&[&data[..], &sha256(client.as_bytes())].concat());
    let answer =
        Answer { authenticator_data: &data, client_data_json: client.as_bytes(), signature: &signature };
    ask.answered(&answer)
}
