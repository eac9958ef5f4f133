//! The passphrase over an owner's keys: from a file, from a terminal, or none.

use crate::client::failure::{Failure, Result};
use crate::client::home::files;
use crate::client::terminal;
use std::fmt;
use std::path::PathBuf;
use std::sync::OnceLock;
use zeroize::Zeroizing;

/// Longer than this is no passphrase.
const MAX_BYTES: usize = 1024;

pub struct Passphrase(Zeroizing<Vec<u8>>);

impl Passphrase {
    /// `None` for an empty one.
    pub fn new(bytes: &[u8]) -> Result<Option<Passphrase>> {
        if bytes.len() > MAX_BYTES {
            return Err(Failure::usage(format!("your passphrase is longer than {MAX_BYTES} bytes")));
        }
        Ok((!bytes.is_empty()).then(|| Passphrase(Zeroizing::new(bytes.to_vec()))))
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Passphrase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Passphrase(..)")
    }
}

/// Where passphrases come from; each is asked for once in a command.
pub struct Passphrases {
    file: Option<PathBuf>,
    existing: OnceLock<Option<Passphrase>>,
}

impl Passphrases {
    pub fn new(file: Option<PathBuf>) -> Passphrases {
        Passphrases { file, existing: OnceLock::new() }
    }

    /// Whether a file of unlocked keys should be locked now.
    pub fn given_by_file(&self) -> bool {
        self.file.is_some()
    }

    /// The passphrase of a file that is locked. `None`: there is nobody to ask.
    pub fn existing(&self) -> Result<Option<&Passphrase>> {
        self.once(|| terminal::ask_hidden("passphrase of your keys"))
    }

    /// The passphrase for a file that is being made. `None`: it stays unlocked.
    pub fn chosen(&self) -> Result<Option<&Passphrase>> {
        self.once(|| {
            let first = terminal::ask_hidden("choose a passphrase for your keys (empty: none)")?;
            if !first.is_empty() && *terminal::ask_hidden("the same passphrase again")? != *first {
                return Err(Failure::usage("the two passphrases differ"));
            }
            Ok(first)
        })
    }

    fn once(&self, ask: impl FnOnce() -> Result<Zeroizing<String>>) -> Result<Option<&Passphrase>> {
        if let Some(known) = self.existing.get() {
            return Ok(known.as_ref());
        }
        let passphrase = match &self.file {
            Some(path) => {
                if let Some(warning) = files::exposure_warning(path) {
                    terminal::say(warning);
                }
                let bytes = files::read(path)?.ok_or_else(|| {
                    Failure::usage(format!("there is no passphrase file `{}`", path.display()))
                })?;
                let line = bytes.strip_suffix(b"\n").unwrap_or(&bytes);
                let passphrase = Passphrase::new(line.strip_suffix(b"\r").unwrap_or(line))?;
                Some(passphrase.ok_or_else(|| Failure::usage("your passphrase file is empty"))?)
            }
            None if terminal::can_ask() => Passphrase::new(ask()?.as_bytes())?,
            None => None,
        };
        Ok(self.existing.get_or_init(|| passphrase).as_ref())
    }
}
