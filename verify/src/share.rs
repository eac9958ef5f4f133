//! The owner's share of a connection: one of the two things that its envelope opens with.
//!
//! `share = HKDF-SHA256(salt = empty, IKM = owner secret, info, 32)` with
//! `info = transcript(tensfer/share/v1, connection, version)`. A share is never stored: it is derived when it is used.

use crate::hpke::{Error, expand, extract};
use wire::ConnectionId;
use wire::transcript::{Transcript, domain};
use zeroize::Zeroizing;

/// Derives the share of `connection` from the owner's 32-byte secret; each version is independent of the others.
pub fn derive_share(
    secret: &[u8; 32],
    connection: ConnectionId,
    version: u64,
) -> Result<Zeroizing<[u8; 32]>, Error> {
    let prk = extract(b"", secret)?;
    let info = Transcript::new(domain::SHARE).field(&connection.0).number(version).bytes();
    let mut share = Zeroizing::new([0; 32]);
    expand(&prk, &[&info], share.as_mut_slice())?;
    Ok(share)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::unhex;
    use std::collections::HashSet;

    #[test]
    fn shares_are_those_of_an_independent_script() {
        let vectors: serde_json::Value =
            serde_json::from_str(include_str!("../../vectors/sealing/share.json")).unwrap();
        let cases = vectors["cases"].as_array().unwrap();
        let mut seen = HashSet::new();
        for case in cases {
            let text = |name: &str| case[name].as_str().unwrap();
            let bytes = |name: &str| unhex(text(name));
            let secret: [u8; 32] = bytes("secret").try_into().unwrap();
            let connection = ConnectionId(bytes("connection").try_into().unwrap());
            let share = derive_share(&secret, connection, text("version").parse().unwrap()).unwrap();
            assert_eq!(share.to_vec(), bytes("share"));
            seen.insert(share.to_vec());
        }
        assert_eq!((cases.len(), seen.len()), (12, 12), "every input gives a share of its own");
    }
}
