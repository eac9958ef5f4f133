//! Derivation of Ed25519 keys (SLIP-10): hardened steps only.

use super::{HARDENED, Path, Seed, Underivable, hmac_halves};
use crate::secret::Secret;
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};

/// An Ed25519 key with its chain code.
pub struct Ed25519Key {
    seed: Secret<32>,
    chain_code: Secret<32>,
}

impl Ed25519Key {
    /// The master key of a wallet's seed.
    pub fn master(seed: &Seed) -> Ed25519Key {
        let (seed, chain_code) = hmac_halves(b"ed25519 seed", &[seed.0.expose()]);
        Ed25519Key { seed, chain_code }
    }

    /// The key at a path from this one. Every step must be hardened.
    pub fn derive(&self, path: &Path) -> Result<Ed25519Key, Underivable> {
        let start = Ed25519Key {
            seed: Secret::copied(self.seed.expose()),
            chain_code: Secret::copied(self.chain_code.expose()),
        };
        path.steps().iter().try_fold(start, |key, step| key.child(*step))
    }

    fn child(&self, step: u32) -> Result<Ed25519Key, Underivable> {
        if step & HARDENED == 0 {
            return Err(Underivable);
        }
        let parts: [&[u8]; 3] = [&[0], self.seed.expose(), &step.to_be_bytes()];
        let (seed, chain_code) = hmac_halves(self.chain_code.expose(), &parts);
        Ok(Ed25519Key { seed, chain_code })
    }

    /// The public key (RFC 8032 §5.1.5).
    pub fn public_key(&self) -> Result<[u8; 32], Underivable> {
        let pair = self.pair()?;
        pair.public_key().as_ref().try_into().map_err(|_| Underivable)
    }

    /// Signs a message (RFC 8032 §5.1.6).
    pub fn sign(&self, message: &[u8]) -> Result<[u8; 64], Underivable> {
        self.pair()?.sign(message).as_ref().try_into().map_err(|_| Underivable)
    }

    fn pair(&self) -> Result<Ed25519KeyPair, Underivable> {
        Ed25519KeyPair::from_seed_unchecked(self.seed.expose()).map_err(|_| Underivable)
    }
}

impl core::fmt::Debug for Ed25519Key {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Ed25519Key")
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::secret::SecretBytes;
    use crate::wallet::vectors::read;
    use aws_lc_rs::signature::{ED25519, UnparsedPublicKey};

    #[test]
    fn known_answers_are_met() {
        let vectors = read(include_str!("../../../../../vectors/wallet/slip10.json"));
        for case in vectors.list("cases") {
            let master = Ed25519Key::master(&Seed(SecretBytes::copied(&case.bytes("seed"))));
            let key = master.derive(&case.text("path").parse().unwrap()).unwrap();
            assert_eq!(key.seed.expose().to_vec(), case.bytes("private"));
            assert_eq!(key.chain_code.expose().to_vec(), case.bytes("chain_code"));
            assert_eq!(key.public_key().unwrap().to_vec(), case.bytes("public"));
            let signature = key.sign(b"a message").unwrap();
            let public = UnparsedPublicKey::new(&ED25519, key.public_key().unwrap());
            assert!(public.verify(b"a message", &signature).is_ok());
            assert!(public.verify(b"a massage", &signature).is_err());
        }
    }

    #[test]
    fn a_step_that_is_not_hardened_is_refused() {
        let master = Ed25519Key::master(&Seed(SecretBytes::copied(&[7; 64])));
        assert_eq!(master.derive(&"m/44h/501h/0h/0".parse().unwrap()).err(), Some(Underivable));
    }
}
