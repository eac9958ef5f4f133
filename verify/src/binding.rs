//! What ties evidence to one identity document and to the nonces of the clients it answers.

use crate::Refused;
use crate::merkle::{Nonce, root_of};
use aws_lc_rs::digest::{SHA256, SHA512, digest};
use wire::evidence::Inclusion;
use wire::transcript::{Transcript, domain};

/// The TEE's report data: `SHA-512(lp(domain) ‖ lp(nonce root) ‖ lp(SHA-512(identity)))`, where `lp` is a 32-bit
/// big-endian length and the bytes. `identity` is the document as it was encoded or received.
pub fn report_data(nonce_root: &[u8; 32], identity: &[u8]) -> [u8; 64] {
    let identity = digest(&SHA512, identity);
    let transcript = Transcript::new(domain::EVIDENCE).field(nonce_root).field(identity.as_ref());
    let mut data = [0; 64];
    let hash = digest(&SHA512, &transcript.bytes());
    data.iter_mut().zip(hash.as_ref()).for_each(|(to, from)| *to = *from);
    data
}

/// SHA-256 of the identity document: what a signed request names the enclave by.
pub fn identity_hash(identity: &[u8]) -> [u8; 32] {
    let mut out = [0; 32];
    out.iter_mut().zip(digest(&SHA256, identity).as_ref()).for_each(|(to, from)| *to = *from);
    out
}

/// Whether `data` is the report data for this nonce and identity.
pub(crate) fn check(
    data: Option<&[u8]>,
    nonce: &Nonce,
    inclusion: &Inclusion,
    identity: &[u8],
) -> Result<(), Refused> {
    let root = root_of(nonce, inclusion).ok_or(Refused::NonceMismatch)?;
    if data == Some(report_data(&root, identity).as_slice()) { Ok(()) } else { Err(Refused::BindingMismatch) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{unhex, vector};
    use wire::evidence::Hash;

    #[test]
    fn known_answers_of_the_independent_script_come_out() {
        let file: serde_json::Value = serde_json::from_slice(&vector("evidence/binding.json")).unwrap();
        let cases = file["cases"].as_array().unwrap();
        assert_eq!(cases.len(), 21);
        for case in cases {
            let bytes = |key: &str| unhex(case[key].as_str().unwrap());
            let number = |key: &str| u32::try_from(case[key].as_u64().unwrap()).unwrap();
            let path = case["path"].as_array().unwrap().iter();
            let path = path.map(|node| Hash(unhex(node.as_str().unwrap()).try_into().unwrap())).collect();
            let inclusion = Inclusion { index: number("index"), size: number("size"), path };
            let nonce = bytes("nonce").try_into().unwrap();
            let root = root_of(&nonce, &inclusion).unwrap();
            assert_eq!(root.to_vec(), bytes("root"));
            let data = report_data(&root, &bytes("identity"));
            assert_eq!(data.to_vec(), bytes("report_data"));
            assert_eq!(check(Some(&data), &nonce, &inclusion, &bytes("identity")), Ok(()));
            let other = check(Some(&data), &nonce, &inclusion, b"another identity");
            assert_eq!(other, Err(Refused::BindingMismatch));
            assert_eq!(check(None, &nonce, &inclusion, &bytes("identity")), Err(Refused::BindingMismatch));
        }
    }
}
