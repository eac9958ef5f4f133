//! Receipts and findings: what the enclave signs about what it did.

use crate::entropy::{Entropy, NoEntropy};
use crate::hash::sha256;
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use wire::Canonical;
use wire::capability::Finding;
use wire::cose::{self, Protected, Sign1};
use wire::receipt::Receipt;
use wire::transcript::domain;
use zeroize::Zeroizing;

/// The Ed25519 key of one start.
pub(crate) struct ReceiptKey {
    pair: Ed25519KeyPair,
    public: [u8; 32],
    /// `{1: EdDSA, 4: SHA-256(public)}`
    protected: Vec<u8>,
}

impl ReceiptKey {
    pub(crate) fn make(entropy: &mut dyn Entropy) -> Result<ReceiptKey, NoEntropy> {
        let mut seed = Zeroizing::new([0; 32]);
        entropy.fill(seed.as_mut_slice())?;
        let pair = Ed25519KeyPair::from_seed_unchecked(seed.as_slice()).map_err(|_| NoEntropy)?;
        let mut public = [0; 32];
        public.copy_from_slice(pair.public_key().as_ref());
        let protected = Protected { algorithm: cose::EDDSA, key: sha256(&public) }.to_bytes();
        Ok(ReceiptKey { pair, public, protected })
    }

    pub(crate) fn public(&self) -> [u8; 32] {
        self.public
    }

    /// The signed receipt, and the hash that the next one of its connection carries.
    pub(crate) fn sign_receipt(&self, receipt: &Receipt) -> (Vec<u8>, [u8; 32]) {
        let payload = receipt.to_bytes();
        (self.sign(domain::RECEIPT, &payload), sha256(&payload))
    }

    pub(crate) fn sign_finding(&self, finding: &Finding) -> Vec<u8> {
        self.sign(domain::CAPABILITY, &finding.to_bytes())
    }

    pub(crate) fn sign(&self, domain: &str, payload: &[u8]) -> Vec<u8> {
        let signature = self.pair.sign(&cose::to_be_signed(&self.protected, domain, payload));
        let signed =
            Sign1 { protected: &self.protected, payload: Some(payload), signature: signature.as_ref() };
        signed.to_bytes()
    }
}

impl core::fmt::Debug for ReceiptKey {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("ReceiptKey(..)")
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may fail loudly")]
mod tests {
    use super::*;

    struct Fixed;

    impl Entropy for Fixed {
        fn fill(&mut self, out: &mut [u8]) -> Result<(), NoEntropy> {
            out.fill(0xa5);
            Ok(())
        }
    }

    #[test]
    fn nothing_of_a_receipt_key_is_printed() {
        let key = ReceiptKey::make(&mut Fixed).unwrap();
        assert_eq!(format!("{key:?}"), "ReceiptKey(..)");
        assert_eq!(format!("{key:#?}"), "ReceiptKey(..)");
    }

    #[test]
    fn without_entropy_there_is_no_receipt_key() {
        struct Dry;
        impl Entropy for Dry {
            fn fill(&mut self, _: &mut [u8]) -> Result<(), NoEntropy> {
                Err(NoEntropy)
            }
        }
        assert!(ReceiptKey::make(&mut Dry).is_err());
    }
}
