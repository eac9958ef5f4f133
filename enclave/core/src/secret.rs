//! Bytes that must not leave: boxed, erased on drop, lent inside this crate only.
//!
//! Secrets have no verbs: no `Clone`, `PartialEq`, `Deref`, `Display` or serialisation, and their `Debug` says
//! nothing. Locking memory is the program's work (it does the system calls): it may offer better memory than the heap
//! with [`keep_secrets_in`].

mod place;

use crate::entropy::{Entropy, NoEntropy};
use core::fmt;
use place::Place;
pub use place::{SecretMemory, keep_secrets_in};

/// A secret of `N` bytes. Moving it moves a pointer and not the secret.
pub struct Secret<const N: usize>(Place<[u8; N]>);

impl<const N: usize> Secret<N> {
    /// Copies a secret in; erasing the original is its holder's part.
    pub fn copied(bytes: &[u8; N]) -> Secret<N> {
        let mut secret = Secret(Place::array());
        secret.0.bytes_mut().copy_from_slice(bytes);
        secret
    }

    /// Fresh random bytes, written in place.
    pub(crate) fn make(entropy: &mut dyn Entropy) -> Result<Secret<N>, NoEntropy> {
        let mut secret = Secret(Place::array());
        entropy.fill(secret.0.bytes_mut())?;
        Ok(secret)
    }

    /// Lends the bytes. Inside this crate only.
    pub(crate) fn expose(&self) -> &[u8; N] {
        self.0.bytes()
    }
}

impl<const N: usize> fmt::Debug for Secret<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

/// A secret whose length is known when it is made. It never grows, so it never leaves a copy behind.
pub struct SecretBytes(Place<[u8]>);

impl SecretBytes {
    /// Copies a secret in; erasing the original is its holder's part.
    pub fn copied(bytes: &[u8]) -> SecretBytes {
        let mut secret = SecretBytes::zeroed(bytes.len());
        secret.expose_mut().copy_from_slice(bytes);
        secret
    }

    pub(crate) fn zeroed(length: usize) -> SecretBytes {
        SecretBytes(Place::slice(length))
    }

    /// Lends the bytes. Inside this crate only.
    pub(crate) fn expose(&self) -> &[u8] {
        self.0.bytes()
    }

    pub(crate) fn expose_mut(&mut self) -> &mut [u8] {
        self.0.bytes_mut()
    }
}

impl fmt::Debug for SecretBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretBytes")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Fails to compile, because two implementations apply, if `$type` implements `$verb`.
    macro_rules! has_no {
        ($type:ty: $($verb:path),+) => { $({
            trait Ambiguous<Marker> {
                fn holds() {}
            }
            struct Implemented;
            impl<T: ?Sized> Ambiguous<()> for T {}
            impl<T: ?Sized + $verb> Ambiguous<Implemented> for T {}
            <$type as Ambiguous<_>>::holds();
        })+ };
    }

    #[test]
    fn secrets_have_no_verbs() {
        has_no!(Secret<32>: Clone, PartialEq, core::ops::Deref, fmt::Display, AsRef<[u8]>, core::hash::Hash);
        has_no!(SecretBytes: Clone, PartialEq, core::ops::Deref, fmt::Display, AsRef<[u8]>, core::hash::Hash);
        has_no!(Secret<32>: minicbor::Encode<()>, PartialOrd, Default);
        has_no!(SecretBytes: minicbor::Encode<()>, PartialOrd, Default);
    }

    #[test]
    fn debug_of_a_secret_prints_nothing_of_it() {
        assert_eq!(format!("{:?}", Secret::copied(&[0xa5; 32])), "Secret");
        assert_eq!(format!("{:#?}", SecretBytes::copied(b"marked-secret")), "SecretBytes");
    }

    #[test]
    fn a_secret_holds_what_was_put_in() {
        assert_eq!(Secret::copied(&[7; 32]).expose(), &[7; 32]);
        assert_eq!(SecretBytes::copied(b"abc").expose(), b"abc");
    }

    #[test]
    fn without_entropy_no_secret_is_made() {
        struct Dry;
        impl Entropy for Dry {
            fn fill(&mut self, _: &mut [u8]) -> Result<(), NoEntropy> {
                Err(NoEntropy)
            }
        }
        assert!(Secret::<32>::make(&mut Dry).is_err());
    }
}
