//! Keys of a wallet: the phrase that backs it up, and what is derived from it.

mod bip32;
mod credential;
mod kept;
mod mnemonic;
mod path;
mod slip10;

pub use bip32::{ExtendedKey, ExtendedPublicKey, Fingerprint, Hint, InvalidExtendedKey, Underivable};
pub use credential::{Credential, InvalidCredential};
pub use kept::{InvalidKey, KeptKey};
pub use mnemonic::{InvalidPhrase, Mnemonic, PassphraseNotAscii};
pub use path::{HARDENED, InvalidPath, Path};
pub use slip10::Ed25519Key;

use crate::secret::{Secret, SecretBytes};
use aws_lc_rs::hmac;
use zeroize::Zeroize as _;

/// What all keys of a wallet are derived from: 64 bytes where a phrase made it (BIP 39).
#[derive(Debug)]
pub struct Seed(SecretBytes);

/// HMAC-SHA-512 in two halves: a key and a chain code.
fn hmac_halves(key: &[u8], parts: &[&[u8]]) -> (Secret<32>, Secret<32>) {
    let mut context = hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA512, key));
    for part in parts {
        context.update(part);
    }
    let mut halves = [[0; 32]; 2];
    for (to, from) in halves.as_flattened_mut().iter_mut().zip(context.sign().as_ref()) {
        *to = *from;
    }
    let [left, right] = &halves;
    let split = (Secret::copied(left), Secret::copied(right));
    halves.zeroize();
    split
}
