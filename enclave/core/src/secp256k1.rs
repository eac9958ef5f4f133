//! The curve secp256k1 (SEC 2 §2.4.1): ECDSA over it as Ethereum and Bitcoin sign, and the keys.
//!
//! The arithmetic is libsecp256k1's: constant time for secrets, blinded anew after each use. Signatures are
//! deterministic (RFC 6979, HMAC-SHA-256) and have a low `s` (BIP 146, EIP-2), so one key and one digest have one
//! signature. `docs/decisions/secp256k1.md` says why this library.

mod schnorr;

pub use schnorr::XOnlyPublicKey;
pub(crate) use schnorr::tagged_hash;

use ::secp256k1::ecdsa::{RecoverableSignature, RecoveryId};
use ::secp256k1::{Message, Scalar, SecretKey};
use core::fmt;

/// A signing key. It is boxed, so that a move copies no key; its bytes are overwritten when it is dropped.
pub struct SigningKey(Box<SecretKey>);

/// A point of the curve other than the point at infinity.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PublicKey(::secp256k1::PublicKey);

/// An ECDSA signature from which the public key can be computed (SEC 1 §4.1.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Signature {
    /// Big-endian.
    pub r: [u8; 32],
    /// Big-endian, at most half of the group's order.
    pub s: [u8; 32],
    /// 0 or 1: whether the nonce point's `y` is odd. (2 and 3 say that its `x` was beyond the group's order, which
    /// happens once in 2^127.)
    pub recovery: u8,
}

/// Zero, or not below the group's order: no secret key. Or: not a point of the curve, no public key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidKey;

/// No public key makes this signature valid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidSignature;

impl SigningKey {
    /// Reads a big-endian scalar. Erasing the original is its holder's part.
    pub fn from_bytes(bytes: &[u8; 32]) -> Result<SigningKey, InvalidKey> {
        SecretKey::from_secret_bytes(*bytes).map(|key| SigningKey(Box::new(key))).map_err(|_| InvalidKey)
    }

    /// Signs the digest of a message. Hashing is the caller's part: `prehash` must be a hash's output, never chosen.
    pub fn sign_recoverable(&self, prehash: &[u8; 32]) -> Signature {
        let message = Message::from_digest(*prehash);
        let (recovery, bytes) =
            RecoverableSignature::sign_ecdsa_recoverable(message, &self.0).serialize_compact();
        let (r, s) = halves(&bytes);
        Signature { r, s, recovery: recovery.to_u8() }
    }

    /// The sum of this key and a number, modulo the group's order (BIP 32, `CKDpriv`). It fails where the number is
    /// not below the order, or the sum is zero.
    pub(crate) fn plus(&self, number: &[u8; 32]) -> Result<SigningKey, InvalidKey> {
        let number = Scalar::from_be_bytes(*number).map_err(|_| InvalidKey)?;
        self.0.add_tweak(&number).map(|key| SigningKey(Box::new(key))).map_err(|_| InvalidKey)
    }

    /// Lends the big-endian scalar.
    pub(crate) fn expose(&self) -> &[u8; 32] {
        self.0.as_secret_bytes()
    }

    /// The public key of this key.
    pub fn public_key(&self) -> PublicKey {
        PublicKey(self.0.public_key())
    }
}

impl Drop for SigningKey {
    fn drop(&mut self) {
        self.0.non_secure_erase();
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningKey")
    }
}

impl PublicKey {
    /// Reads a point in compressed (33 bytes) or uncompressed (65 bytes) form (SEC 1 §2.3.4).
    pub fn from_bytes(bytes: &[u8]) -> Result<PublicKey, InvalidKey> {
        // INVARIANT: one point has two encodings here and not three: the hybrid forms 06 and 07 are refused.
        let is_hybrid = bytes.first().is_some_and(|tag| matches!(tag, 6 | 7));
        let point = ::secp256k1::PublicKey::from_slice(bytes).ok().filter(|_| !is_hybrid);
        point.map(PublicKey).ok_or(InvalidKey)
    }

    /// `02` or `03`, and the big-endian `x`.
    pub fn compressed(&self) -> [u8; 33] {
        self.0.serialize()
    }

    /// `04`, and the big-endian `x` and `y`.
    pub fn uncompressed(&self) -> [u8; 65] {
        self.0.serialize_uncompressed()
    }

    /// The public key of the sum of this one's secret key and a number: [`SigningKey::plus`] without the secret.
    pub(crate) fn plus(&self, number: &[u8; 32]) -> Result<PublicKey, InvalidKey> {
        let number = Scalar::from_be_bytes(*number).map_err(|_| InvalidKey)?;
        self.0.add_exp_tweak(&number).map(PublicKey).map_err(|_| InvalidKey)
    }

    /// Whether the signature over this digest is by this key and has a low `s`. The recovery id is not looked at.
    pub fn verifies(&self, prehash: &[u8; 32], signature: &Signature) -> bool {
        let parsed = ::secp256k1::ecdsa::Signature::from_compact(&signature.compact());
        // libsecp256k1 verifies nothing with a high `s`.
        parsed.is_ok_and(|parsed| self.0.verify(Message::from_digest(*prehash), &parsed).is_ok())
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PublicKey(")?;
        self.compressed().iter().try_for_each(|byte| write!(f, "{byte:02x}"))?;
        f.write_str(")")
    }
}

impl Signature {
    /// Reads `r ‖ s` and a recovery id, as [`Self::compact`] writes them. Checks nothing: [`Self::recover`] and
    /// [`PublicKey::verifies`] do.
    pub fn from_compact(bytes: &[u8; 64], recovery: u8) -> Signature {
        let (r, s) = halves(bytes);
        Signature { r, s, recovery }
    }

    /// `r ‖ s`.
    pub fn compact(&self) -> [u8; 64] {
        let mut bytes = [0; 64];
        for (to, from) in bytes.iter_mut().zip(self.r.iter().chain(&self.s)) {
            *to = *from;
        }
        bytes
    }

    /// In the encoding of Bitcoin's scripts (BIP 66): two DER integers in a sequence, at most 71 bytes.
    pub(crate) fn der(&self) -> Vec<u8> {
        let (r, s) = (integer(&self.r), integer(&self.s));
        let length = [r.len(), s.len()].map(|length| u8::try_from(length).unwrap_or_default());
        let [of_r, of_s] = length;
        [&[0x30, 4 + of_r + of_s, 2, of_r], r.as_slice(), &[2, of_s], s.as_slice()].concat()
    }

    /// Reads what [`Self::der`] writes, and nothing else. The recovery id is 0, whatever it was.
    pub(crate) fn from_der(bytes: &[u8]) -> Option<Signature> {
        let compact = ::secp256k1::ecdsa::Signature::from_der(bytes).ok()?.serialize_compact();
        Some(Signature::from_compact(&compact, 0)).filter(|signature| signature.der() == bytes)
    }

    /// The one public key that verifies this signature over this digest. A high `s` is refused: it would be a second
    /// signature that says the same.
    pub fn recover(&self, prehash: &[u8; 32]) -> Result<PublicKey, InvalidSignature> {
        let id = RecoveryId::try_from(i32::from(self.recovery)).map_err(|_| InvalidSignature)?;
        let signature =
            RecoverableSignature::from_compact(&self.compact(), id).map_err(|_| InvalidSignature)?;
        let key = signature.recover(Message::from_digest(*prehash)).map_err(|_| InvalidSignature)?;
        let key = PublicKey(key);
        if key.verifies(prehash, self) { Ok(key) } else { Err(InvalidSignature) }
    }
}

/// A positive number as DER has it: no zeros in front, but one where the first bit would be read as a sign.
fn integer(number: &[u8; 32]) -> Vec<u8> {
    let zeros = number.iter().take_while(|byte| **byte == 0).count().min(31);
    let digits = number.get(zeros..).unwrap_or_default();
    let sign: &[u8] = if digits.first().is_some_and(|byte| *byte >= 0x80) { &[0] } else { &[] };
    [sign, digits].concat()
}

fn halves(bytes: &[u8; 64]) -> ([u8; 32], [u8; 32]) {
    let (mut r, mut s) = ([0; 32], [0; 32]);
    for (to, from) in r.iter_mut().chain(&mut s).zip(bytes) {
        *to = *from;
    }
    (r, s)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]
mod tests {
    use super::*;
    use crate::wallet::vectors::read;
    use proptest::prelude::*;

    /// The group's order, big-endian.
    const ORDER: &str = "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141";

    fn order() -> [u8; 32] {
        crate::wallet::hex::decode(ORDER).unwrap().try_into().unwrap()
    }

    #[test]
    fn known_answers_are_met() {
        let vectors = read(include_str!("../../../vectors/wallet/secp256k1.json"));
        for case in vectors.list("signatures") {
            let key = SigningKey::from_bytes(&case.array("key")).unwrap();
            let public = key.public_key();
            assert_eq!(public.compressed().to_vec(), case.bytes("public"));
            assert_eq!(PublicKey::from_bytes(&public.uncompressed()), Ok(public));
            let prehash = case.array("prehash");
            let signature = key.sign_recoverable(&prehash);
            assert_eq!(signature.compact().to_vec(), case.bytes("signature"));
            assert_eq!(u64::from(signature.recovery), case.number("recovery"));
            assert!(public.verifies(&prehash, &signature));
            assert_eq!(signature.recover(&prehash), Ok(public));
        }
    }

    #[test]
    fn zero_and_the_groups_order_are_no_keys() {
        let mut beyond = order();
        assert_eq!(SigningKey::from_bytes(&beyond).err(), Some(InvalidKey));
        assert_eq!(SigningKey::from_bytes(&[0; 32]).err(), Some(InvalidKey));
        assert_eq!(SigningKey::from_bytes(&[0xff; 32]).err(), Some(InvalidKey));
        beyond[31] -= 1;
        assert!(SigningKey::from_bytes(&beyond).is_ok());
    }

    #[test]
    fn a_signature_with_the_other_s_is_refused() {
        let key = SigningKey::from_bytes(&[7; 32]).unwrap();
        let mut signature = key.sign_recoverable(&[9; 32]);
        signature.s = minus(&order(), &signature.s);
        signature.recovery ^= 1;
        assert!(!key.public_key().verifies(&[9; 32], &signature));
        assert_eq!(signature.recover(&[9; 32]), Err(InvalidSignature));
    }

    #[test]
    fn what_is_no_point_is_no_public_key() {
        let point = SigningKey::from_bytes(&[7; 32]).unwrap().public_key();
        let mut hybrid = point.uncompressed();
        hybrid[0] = 6 + (hybrid[64] & 1);
        assert_eq!(PublicKey::from_bytes(&hybrid), Err(InvalidKey));
        for bytes in [&[][..], &[0], &[2; 32], &[5; 33], &[0xff; 65], &[4; 65]] {
            assert_eq!(PublicKey::from_bytes(bytes), Err(InvalidKey));
        }
    }

    #[test]
    fn debug_of_a_signing_key_prints_nothing_of_it() {
        assert_eq!(format!("{:?}", SigningKey::from_bytes(&[7; 32]).unwrap()), "SigningKey");
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_are_read_or_refused(bytes in any::<[u8; 32]>(), r in any::<[u8; 32]>(), s in any::<[u8; 32]>(), recovery: u8) {
            let _ = SigningKey::from_bytes(&bytes).is_ok();
            let signature = Signature { r, s, recovery };
            if let Ok(key) = signature.recover(&bytes) {
                prop_assert!(key.verifies(&bytes, &signature));
            }
        }

        #[test]
        fn the_library_reads_every_der_signature_as_it_was(mut r in any::<[u8; 32]>(), mut s in any::<[u8; 32]>(), zeros in 0_usize..31) {
            (r[0], s[0]) = (r[0] & 0x7f, s[0] & 0xf0);
            r[..zeros].fill(0);
            let signature = Signature { r, s, recovery: 0 };
            let read = ::secp256k1::ecdsa::Signature::from_der(&signature.der());
            prop_assert_eq!(read.ok(), ::secp256k1::ecdsa::Signature::from_compact(&signature.compact()).ok());
        }

        #[test]
        fn every_altered_bit_is_refused(key in any::<[u8; 32]>(), prehash in any::<[u8; 32]>(), bit in 0_usize..768) {
            let Ok(key) = SigningKey::from_bytes(&key) else { return Ok(()) };
            let (mut signature, mut altered) = (key.sign_recoverable(&prehash), prehash);
            let mut bytes = signature.r.iter_mut().chain(&mut signature.s).chain(&mut altered);
            *bytes.nth(bit / 8).unwrap() ^= 1 << (bit % 8);
            prop_assert!(!key.public_key().verifies(&altered, &signature));
            prop_assert_ne!(signature.recover(&altered), Ok(key.public_key()));
        }
    }

    /// `a - b` for big-endian numbers with `a >= b`.
    fn minus(a: &[u8; 32], b: &[u8; 32]) -> [u8; 32] {
        let mut borrow = false;
        let mut difference = [0; 32];
        for ((to, a), b) in difference.iter_mut().zip(a).zip(b).rev() {
            let (first, under) = a.overflowing_sub(*b);
            let (value, again) = first.overflowing_sub(u8::from(borrow));
            (*to, borrow) = (value, under || again);
        }
        difference
    }
}
