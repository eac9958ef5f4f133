//! Operators' keys in files, protected as an owner's are.

use super::{damaged, read_file};
use crate::client::failure::Result;
use crate::client::home::files;
use crate::client::home::key_file::{self, Content, Purpose, Secret};
use crate::client::home::passphrase::{Passphrases, none_given};
use crate::client::home::realm::Realm;
use crate::client::terminal::say;
use std::path::Path;

/// Writes a new key file; refuses to overwrite.
pub fn create(
    path: &Path,
    purpose: Purpose,
    realm: Realm,
    secret: &[u8],
    passphrases: &Passphrases,
) -> Result<()> {
    let passphrase = passphrases.chosen()?;
    if passphrase.is_none() {
        say("warning: this key is not locked by a passphrase: whoever can read its file has it");
    }
    files::create(path, &key_file::seal((purpose, realm), secret, passphrase, key_file::COST)?)
}

/// The secret in a key file.
pub fn open(path: &Path, purpose: Purpose, realm: Realm, passphrases: &Passphrases) -> Result<Secret> {
    if let Some(warning) = files::exposure_warning(path) {
        say(warning);
    }
    let bytes = read_file(path, "key file")?;
    match key_file::read((purpose, realm), &bytes)? {
        Content::Open(secret) => Ok(secret),
        Content::Locked(locked) => {
            passphrases.existing(path, |passphrase| locked.unlock(passphrase))?.ok_or_else(none_given)
        }
        Content::OnToken(_) => Err(key_file::token_needed(path)),
    }
}

/// The realm of a manifest: simulated programs have keys of their own, which nothing real takes.
pub fn realm(manifest: &wire::manifest::Manifest) -> Realm {
    if manifest.is_simulated() { Realm::Simulated } else { Realm::Hardware }
}

/// What a key file holds is not the key that its purpose says.
pub fn not_a_key(path: &Path) -> crate::client::failure::Failure {
    damaged(path, "operator's key")
}
