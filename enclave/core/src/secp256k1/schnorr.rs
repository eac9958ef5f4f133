//! Schnorr signatures over secp256k1 (BIP 340), and the keys of Taproot outputs (BIP 341).

use super::{InvalidKey, PublicKey, SigningKey};
use crate::hash::sha256;
use ::secp256k1::{Keypair, Scalar, schnorr};

/// A point of the curve by its `x` alone: the one of the two with an even `y`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct XOnlyPublicKey(::secp256k1::XOnlyPublicKey);

impl XOnlyPublicKey {
    /// Reads a big-endian `x`.
    pub fn from_bytes(bytes: &[u8; 32]) -> Result<XOnlyPublicKey, InvalidKey> {
        ::secp256k1::XOnlyPublicKey::from_byte_array(*bytes).map(XOnlyPublicKey).map_err(|_| InvalidKey)
    }

    pub fn bytes(&self) -> [u8; 32] {
        self.0.to_byte_array()
    }

    /// The output key of a Taproot output without scripts (BIP 341, `taproot_tweak_pubkey` with an empty root).
    pub fn taproot_output(&self) -> Result<XOnlyPublicKey, InvalidKey> {
        let (output, _) = self.0.add_tweak(&self.tweak()?).map_err(|_| InvalidKey)?;
        Ok(XOnlyPublicKey(output))
    }

    /// Whether the signature over the message is by this key.
    pub fn verifies(&self, message: &[u8], signature: &[u8; 64]) -> bool {
        self.0.verify(message, &schnorr::Signature::from_byte_array(*signature)).is_ok()
    }

    fn tweak(&self) -> Result<Scalar, InvalidKey> {
        Scalar::from_be_bytes(tagged_hash("TapTweak", &[&self.bytes()])).map_err(|_| InvalidKey)
    }
}

impl PublicKey {
    /// The same point or its negative, whichever has an even `y`.
    pub fn x_only(&self) -> XOnlyPublicKey {
        XOnlyPublicKey(self.0.x_only_public_key().0)
    }
}

impl SigningKey {
    /// Signs with this key. `aux` is 32 fresh random bytes: they hide the key from who measures the signing.
    pub fn sign_schnorr(&self, message: &[u8], aux: &[u8; 32]) -> [u8; 64] {
        let mut pair = self.0.keypair();
        let signature = schnorr::sign_with_aux_rand(message, &pair, aux);
        pair.non_secure_erase();
        signature.to_byte_array()
    }

    /// Signs with the key of the Taproot output whose internal key this is (BIP 341, `taproot_sign_key`).
    pub fn sign_taproot(&self, message: &[u8], aux: &[u8; 32]) -> Result<[u8; 64], InvalidKey> {
        let tweak = self.public_key().x_only().tweak()?;
        let mut output: Keypair = self.0.keypair().add_xonly_tweak(&tweak).map_err(|_| InvalidKey)?;
        let signature = schnorr::sign_with_aux_rand(message, &output, aux);
        output.non_secure_erase();
        Ok(signature.to_byte_array())
    }
}

/// `SHA-256(SHA-256(tag) ‖ SHA-256(tag) ‖ parts)` (BIP 340).
pub(crate) fn tagged_hash(tag: &str, parts: &[&[u8]]) -> [u8; 32] {
    let tag = sha256(tag.as_bytes());
    let prefix: [&[u8]; 2] = [&tag, &tag];
    sha256(&[prefix.concat(), parts.concat()].concat())
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::wallet::vectors::read;

    #[test]
    fn published_signatures_are_met_and_broken_ones_refused() {
        let vectors = read(include_str!("../../../../vectors/wallet/bip340.json"));
        for case in vectors.list("cases") {
            let is_valid = case.text("result") == "true";
            let key = XOnlyPublicKey::from_bytes(&case.array("public"));
            let message = case.bytes("message");
            let verifies = key.is_ok_and(|key| key.verifies(&message, &case.array("signature")));
            assert_eq!(verifies, is_valid);
            if !case.text("secret").is_empty() {
                let secret = SigningKey::from_bytes(&case.array("secret")).unwrap();
                assert_eq!(secret.public_key().x_only(), key.unwrap());
                assert_eq!(
                    secret.sign_schnorr(&message, &case.array("aux")).to_vec(),
                    case.bytes("signature")
                );
            }
        }
    }

    #[test]
    fn a_taproot_signature_is_of_the_outputs_key() {
        let key = SigningKey::from_bytes(&[7; 32]).unwrap();
        let signature = key.sign_taproot(&[9; 32], &[1; 32]).unwrap();
        let internal = key.public_key().x_only();
        assert!(internal.taproot_output().unwrap().verifies(&[9; 32], &signature));
        assert!(!internal.verifies(&[9; 32], &signature));
    }
}
