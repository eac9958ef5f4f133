//! A holder's key: in a file, which a passphrase locks, or a key on a token (docs/decisions/keys-on-tokens.md).

use super::{key_file, read_file};
use crate::client::failure::{Failure, Result};
use crate::client::home::files;
use crate::client::home::key_file::{Content, Purpose, Secret, read, seal_to_token};
use crate::client::home::realm::Realm;
use crate::client::options::Options;
use crate::client::terminal::say;
use crate::client::token::{Key, OnToken, Use};
use std::path::{Path, PathBuf};
use verify::hpke::RecipientKey;

/// Where it is.
#[derive(clap::Args, Debug)]
pub struct HolderKey {
    /// Your holder's key; where a token locks it, name that as well.
    #[arg(long, value_name = "FILE")]
    key: PathBuf,

    #[command(flatten)]
    token: OnToken,
}

impl HolderKey {
    /// The file.
    pub fn path(&self) -> &Path {
        &self.key
    }

    pub fn is_on_token(&self) -> bool {
        self.token.is_named()
    }

    /// The key, and the token's that locks it, if one does.
    pub fn open(&self, options: &Options, realm: Realm) -> Result<(RecipientKey, Option<Key>)> {
        let (secret, token) = match self.token.is_named() {
            true => self.unlock(realm).map(|(secret, token)| (secret, Some(token)))?,
            false => (key_file::open(&self.key, Purpose::Holder, realm, &options.passphrases())?, None),
        };
        let key = RecipientKey::kept(&secret).map_err(|_| key_file::not_a_key(&self.key))?;
        Ok((key, token))
    }

    fn unlock(&self, realm: Realm) -> Result<(Secret, Key)> {
        if let Some(warning) = files::exposure_warning(&self.key) {
            say(warning);
        }
        let bytes = read_file(&self.key, "key file")?;
        // Before a PIN is asked for.
        let Content::OnToken(file) = read((Purpose::Holder, realm), &bytes)? else {
            return Err(Failure::usage(format!("the key in `{}` is under no token", self.key.display()))
                .hint("leave `--token` out"));
        };
        let token = self.token.key()?.ok_or_else(|| Failure::usage("no token was named"))?;
        if token.public() != file.token() {
            return Err(Failure::refused(
                "other_token",
                format!("the key in `{}` is under another key than the token's (other_token)", self.key.display()),
            )
            .hint(
                "name the one that it was made with (`--label`, `--token-name`); if that token is lost or was erased, so is \
                 this key: other holders can have the roots split to a new one",
            ));
        }
        let secret = file.unlock(|peer| token.agree(peer))?;
        Ok((secret, token))
    }
}

/// Makes a holder's key in a new file, which a passphrase locks, or where a token was named, a key on it.
pub fn make(
    options: &Options,
    path: &Path,
    realm: Realm,
    token: &OnToken,
    existing: bool,
) -> Result<RecipientKey> {
    // Nothing is made on a token for a file that will not be written.
    if files::read(path)?.is_some() {
        return Err(Failure::usage(format!("`{}` exists already, and is not overwritten", path.display()))
            .hint("name a new file"));
    }
    let (key, secret) =
        RecipientKey::generate_kept().map_err(|_| Failure::internal("this machine could not make a key"))?;
    let lock = if existing { token.key()? } else { token.make(Use::Agree)? };
    let Some(lock) = lock else {
        key_file::create(path, Purpose::Holder, realm, &secret, &options.passphrases())?;
        return Ok(key);
    };
    match create_on_token(path, realm, &secret, &lock) {
        Ok(()) => Ok(key),
        Err(failure) => {
            if !existing {
                let _ = lock.destroy();
            }
            Err(failure)
        }
    }
}

/// Writes a new file that a token's key opens; tried before it is there.
fn create_on_token(path: &Path, realm: Realm, secret: &[u8], lock: &Key) -> Result<()> {
    lock.check_kept()?;
    let bytes = seal_to_token((Purpose::Holder, realm), secret, lock.public())?;
    let Content::OnToken(file) = read((Purpose::Holder, realm), &bytes)? else {
        return Err(Failure::internal("this program wrote another file than it was to"));
    };
    if *file.unlock(|peer| lock.agree(peer))? != secret {
        return Err(Failure::internal("the token does not open what was sealed to it"));
    }
    files::create(path, &bytes)
}
