//! HKDF-SHA256 (RFC 5869), salt always empty, 32 bytes out, `info` always a transcript.
//!
//! Over HMAC rather than `aws_lc_rs::hkdf`, so that a root's key is set up once for all the wraps it derives
//! (`docs/decisions/envelope-kdf.md`); a test holds the two equal.

use aws_lc_rs::hmac;
use wire::transcript::Transcript;
use zeroize::Zeroizing;

/// Output of [`Prk::expand`]: one block of SHA-256, hence one HMAC.
const OUTPUT: usize = 32;

/// A pseudorandom key, ready to expand. The library erases it on drop.
pub(crate) struct Prk(hmac::Key);

/// The library could not compute; nothing was derived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct KdfFailed;

impl Prk {
    /// HKDF-Extract: `HMAC-SHA256("", secret)` (RFC 5869 §2.2).
    pub(crate) fn extract(secret: &[u8; 32]) -> Result<Prk, KdfFailed> {
        let no_salt = hmac::Key::new(hmac::HMAC_SHA256, &[]);
        let mut prk = Zeroizing::new([0; OUTPUT]);
        hmac::sign_to_buffer(&no_salt, secret, prk.as_mut_slice()).map_err(|_| KdfFailed)?;
        Ok(Prk(hmac::Key::new(hmac::HMAC_SHA256, prk.as_slice())))
    }

    /// HKDF-Expand to 32 bytes: `T(1) = HMAC-SHA256(PRK, info ‖ 0x01)` (RFC 5869 §2.3).
    pub(crate) fn expand(&self, info: Transcript) -> Result<Zeroizing<[u8; OUTPUT]>, KdfFailed> {
        let mut block = info.bytes();
        block.push(1);
        let mut out = Zeroizing::new([0; OUTPUT]);
        hmac::sign_to_buffer(&self.0, &block, out.as_mut_slice()).map_err(|_| KdfFailed)?;
        Ok(out)
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;
    use aws_lc_rs::hkdf;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_kdf_is_hkdf_of_rfc_5869(secret: [u8; 32], field in proptest::collection::vec(any::<u8>(), 0..300)) {
            let info = Transcript::new("test").field(&field);
            let ours = Prk::extract(&secret).unwrap().expand(info.clone()).unwrap();

            let mut theirs = [0; 32];
            let prk = hkdf::Salt::new(hkdf::HKDF_SHA256, &[]).extract(&secret);
            prk.expand(&[&info.bytes()], hkdf::HKDF_SHA256).unwrap().fill(&mut theirs).unwrap();
            prop_assert_eq!(*ours, theirs);
        }
    }
}
