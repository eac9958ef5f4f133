//! The client's half of a passkey as an owner's second factor: what an authenticator is asked, and what becomes of its answer.
//! The enclave checks it (docs/spec/passkeys.md).

use crate::manifest::sha256;
use minicbor::Decoder;
use wire::Canonical;
use wire::owner::{OwnerAlgorithm, OwnerKey};
use wire::passkey::{Assertion, challenge_transcript};

/// What to ask an authenticator for: `publicKey` of `navigator.credentials.get` (WebAuthn §5.5), with
/// `userVerification: "required"` and this one credential allowed.
#[derive(Debug)]
pub struct Ask<'k> {
    /// `rpId`.
    pub relying_party: &'k str,
    /// The id of the one in `allowCredentials`.
    pub credential: &'k [u8],
    pub challenge: [u8; 32],
    key: [u8; 32],
}

/// What it answered: members of `AuthenticatorAssertionResponse`, untouched.
#[derive(Debug)]
pub struct Answer<'a> {
    pub authenticator_data: &'a [u8],
    pub client_data_json: &'a [u8],
    pub signature: &'a [u8],
}

impl<'k> Ask<'k> {
    /// For the word of `key` over a signed request's bytes. `None`: it is no passkey.
    pub fn of(key: &'k OwnerKey, request: &[u8]) -> Option<Ask<'k>> {
        let passkey = key.passkey.as_ref()?;
        let name = sha256(&key.transcript());
        let challenge = sha256(&challenge_transcript(&name, &sha256(request)));
        Some(Ask {
            relying_party: &passkey.relying_party,
            credential: &passkey.credential,
            challenge,
            key: name,
        })
    }

    /// The element of the request's signatures that the answer makes.
    pub fn answered(&self, answer: &Answer<'_>) -> Vec<u8> {
        let Answer { authenticator_data, client_data_json, signature } = *answer;
        Assertion {
            key: self.key,
            authenticator: authenticator_data.into(),
            client: client_data_json.into(),
            signature: signature.into(),
        }
        .to_bytes()
    }
}

/// The public key of a registration, as an owner key has it, from its COSE_Key (RFC 9053 §7, WebAuthn §5.8.5). `None`: it is of
/// another algorithm than ES256 and EdDSA, or not in its canonical form.
pub fn public_key(cose: &[u8]) -> Option<(OwnerAlgorithm, Vec<u8>)> {
    let mut key = Decoder::new(cose);
    let members = key.map().ok()??;
    let kind = labelled(&mut key, 1)?;
    let algorithm = labelled(&mut key, 3)?;
    let curve = labelled(&mut key, -1)?;
    let x = coordinate(&mut key, -2)?;
    let public = match (members, kind, algorithm, curve) {
        (5, 2, -7, 1) => {
            let y = coordinate(&mut key, -3)?;
            (OwnerAlgorithm::Es256, [&[4], x, y].concat())
        }
        (4, 1, -8, 6) => (OwnerAlgorithm::EdDsa, x.to_vec()),
        _ => return None,
    };
    (key.position() == cose.len()).then_some(public)
}

fn labelled(key: &mut Decoder<'_>, label: i8) -> Option<i8> {
    (key.i8().ok()? == label).then(|| key.i8().ok())?
}

fn coordinate<'b>(key: &mut Decoder<'b>, label: i8) -> Option<&'b [u8]> {
    let bytes = (key.i8().ok()? == label).then(|| key.bytes().ok())??;
    (bytes.len() == 32).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::unhex;

    #[test]
    fn what_is_asked_and_made_of_the_answer_is_as_an_independent_script_has_it() {
        let vectors: serde_json::Value =
            serde_json::from_str(include_str!("../../vectors/passkeys.json")).unwrap();
        let text = |value: &serde_json::Value| unhex(value.as_str().unwrap());
        let request = text(&vectors["request"]);
        for case in vectors["cases"].as_array().unwrap().iter().take(5) {
            let given = &vectors["keys"][case["key"].as_u64().unwrap() as usize];
            let encoded = text(&given["encoded"]);
            let key = OwnerKey::from_bytes(&encoded).unwrap();
            let ask = Ask::of(&key, &request).unwrap();
            assert_eq!(ask.challenge.to_vec(), text(&given["challenge"]));
            let (data, client) = (text(&case["authenticator"]), text(&case["client"]));
            let signature = text(&case["signature"]);
            let answer =
                Answer { authenticator_data: &data, client_data_json: &client, signature: &signature };
            assert_eq!(ask.answered(&answer), text(&case["encoded"]));
            assert!(Ask::of(&OwnerKey { passkey: None, ..key }, &request).is_none());
        }
    }

    #[test]
    fn a_public_key_is_read_in_its_one_form_alone() {
        let coordinate = |byte: u8| [&[0x58, 32][..], &[byte; 32]].concat();
        let p256 =
            [&[0xa5, 1, 2, 3, 0x26, 0x20, 1, 0x21][..], &coordinate(7), &[0x22], &coordinate(8)].concat();
        let ed25519 = [&[0xa4, 1, 1, 3, 0x27, 0x20, 6, 0x21][..], &coordinate(9)].concat();
        let point = [&[4][..], &[7; 32], &[8; 32]].concat();
        assert_eq!(public_key(&p256), Some((OwnerAlgorithm::Es256, point)));
        assert_eq!(public_key(&ed25519), Some((OwnerAlgorithm::EdDsa, vec![9; 32])));
        for key in [&p256, &ed25519] {
            for at in 0..8 {
                let mut other = key.clone();
                other[at] ^= 4;
                assert_eq!(public_key(&other), None, "byte {at}");
            }
            assert_eq!(public_key(&key[..key.len() - 1]), None);
            assert_eq!(public_key(&[key, &[0][..]].concat()), None);
        }
    }
}
