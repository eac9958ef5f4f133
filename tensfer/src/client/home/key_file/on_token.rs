//! A secret that only a token's key opens: ECDH with a key of one use, P-256 as tokens have it.
//!
//! Layout in `docs/spec/client.md` §2. What is opened lies in this machine's memory while it is used.

use super::{Purpose, Secret, damaged, decrypt, encrypt};
use crate::client::encode::from_base64;
use crate::client::failure::{Failure, Result};
use crate::client::home::realm::Realm;
use crate::client::token::{Point, SHARED_BYTES};
use aws_lc_rs::agreement::{ECDH_P256, EphemeralPrivateKey, UnparsedPublicKey, agree_ephemeral};
use aws_lc_rs::hkdf::{HKDF_SHA256, KeyType, Salt};
use aws_lc_rs::rand::SystemRandom;
use wire::transcript::Transcript;
use zeroize::Zeroizing;

/// The transcript that is the info of the key and the AAD: one purpose, one domain.
const DOMAIN: &str = "tensfer/client/key-file-on-token/v1";
const KEY_BYTES: usize = 32;

/// A file under a token's key.
pub struct OnToken<'f> {
    kind: (Purpose, Realm),
    /// The token's public key, and the one of one use.
    token: Point,
    ephemeral: Point,
    /// Base64, as in the file.
    secret: &'f str,
}

/// The public key of one use, and `nonce ‖ ciphertext ‖ tag`.
pub(super) fn seal(kind: (Purpose, Realm), secret: &[u8], token: &Point) -> Result<(Point, Secret)> {
    let failed = |_| Failure::internal("this machine could not make a key");
    let private = EphemeralPrivateKey::generate(&ECDH_P256, &SystemRandom::new()).map_err(failed)?;
    let public = private.compute_public_key().map_err(failed)?;
    let ephemeral: Point = public.as_ref().try_into().map_err(|_| damaged())?;
    let not_on_the_curve = || Failure::usage("the token's public key is none of P-256");
    let peer = UnparsedPublicKey::new(&ECDH_P256, token);
    let shared = agree_ephemeral(private, peer, not_on_the_curve(), |shared| {
        let shared: [u8; SHARED_BYTES] = shared.try_into().map_err(|_| not_on_the_curve())?;
        Ok(Zeroizing::new(shared))
    })?;
    let context = context(kind, token, &ephemeral);
    let key = derive_key(&shared, &context)?;
    Ok((ephemeral, encrypt(&key, &context, secret)?))
}

impl<'f> OnToken<'f> {
    /// Operators' tokens lock holders' files; others' are locked by passphrases.
    pub(super) fn read(
        kind: (Purpose, Realm),
        token: &str,
        ephemeral: &str,
        secret: &'f str,
    ) -> Result<OnToken<'f>> {
        if kind.0 != Purpose::Holder {
            return Err(damaged());
        }
        let point = |text: &str| from_base64(text)?.try_into().ok();
        let (token, ephemeral) = point(token).zip(point(ephemeral)).ok_or_else(damaged)?;
        Ok(OnToken { kind, token, ephemeral, secret })
    }

    /// The token's key that the file is for.
    pub fn token(&self) -> &Point {
        &self.token
    }

    /// The secret, if `agree` is what the token's key comes to with a point.
    pub fn unlock(
        &self,
        agree: impl FnOnce(&Point) -> Result<Zeroizing<[u8; SHARED_BYTES]>>,
    ) -> Result<Secret> {
        let bytes = Zeroizing::new(from_base64(self.secret).ok_or_else(damaged)?);
        let context = context(self.kind, &self.token, &self.ephemeral);
        let shared = agree(&self.ephemeral)?;
        let key = derive_key(&shared, &context)?;
        // This is the token's key: what does not open under it was altered.
        decrypt(&key, &context, bytes).map_err(|_| damaged().hint("put back a copy of it"))
    }
}

/// `domain, version, purpose, realm, token, ephemeral`: no field can be altered or moved to another file.
fn context((purpose, realm): (Purpose, Realm), token: &Point, ephemeral: &Point) -> Vec<u8> {
    Transcript::new(DOMAIN)
        .number(super::VERSION.into())
        .field(purpose.name().as_bytes())
        .field(realm.name().as_bytes())
        .field(token)
        .field(ephemeral)
        .bytes()
}

/// HKDF-SHA256 (RFC 5869) without a salt.
fn derive_key(shared: &[u8; SHARED_BYTES], context: &[u8]) -> Result<Zeroizing<[u8; KEY_BYTES]>> {
    struct Length;
    impl KeyType for Length {
        fn len(&self) -> usize {
            KEY_BYTES
        }
    }
    let failed = |_| Failure::internal("this machine could not derive a key");
    let mut key = Zeroizing::new([0; KEY_BYTES]);
    let extracted = Salt::new(HKDF_SHA256, &[]).extract(shared);
    extracted.expand(&[context], Length).map_err(failed)?.fill(key.as_mut_slice()).map_err(failed)?;
    Ok(key)
}

#[cfg(test)]
mod tests;
