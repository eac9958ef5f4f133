//! Keys on hardware tokens: P-256, made there and never read out (docs/decisions/keys-on-tokens.md).
//!
//! A token is reached by its maker's module, a library (OASIS, PKCS #11 Cryptographic Token Interface 2.40), which runs within
//! this program: to name one is to trust it.

mod key;
mod pin;

use crate::client::failure::{Failure, Result};
use crate::client::terminal::printable;
use cryptoki::context::{CInitializeArgs, CInitializeFlags, Pkcs11};
use cryptoki::error::{Error, RvError};
use cryptoki::session::Session;
use cryptoki::slot::{Slot, TokenInfo};
use std::path::{Path, PathBuf};

pub use key::{Key, Point, SHARED_BYTES, Use};

const HEADING: &str = "Hardware token";

/// Which key on which token.
#[derive(clap::Args, Debug)]
pub struct OnToken {
    /// Keep to a key on a hardware token: its PKCS #11 module, a library of the token's maker.
    #[arg(long, value_name = "MODULE", requires = "label", help_heading = HEADING)]
    token: Option<PathBuf>,

    /// The key's name (label) on the token.
    #[arg(long, value_name = "NAME", requires = "token", help_heading = HEADING)]
    label: Option<String>,

    /// The token's own name or serial number, where the module has several.
    #[arg(long, value_name = "NAME", requires = "token", help_heading = HEADING)]
    token_name: Option<String>,

    /// A file with the token's PIN, instead of a prompt.
    #[arg(long, value_name = "FILE", requires = "token", help_heading = HEADING)]
    pin_file: Option<PathBuf>,
}

impl OnToken {
    /// The key that was named; `None`: none was.
    pub fn key(&self) -> Result<Option<Key>> {
        self.named().map(|(module, label)| Key::find(self.open(module)?, label)).transpose()
    }

    /// Makes the key that was named, on its token; `None`: none was.
    pub fn make(&self, purpose: Use) -> Result<Option<Key>> {
        self.named().map(|(module, label)| Key::make(self.open(module)?, label, purpose)).transpose()
    }

    pub fn is_named(&self) -> bool {
        self.named().is_some()
    }

    fn named(&self) -> Option<(&Path, &str)> {
        self.token.as_deref().zip(self.label.as_deref())
    }

    /// A session with the token, which has taken its PIN. Ends with the value.
    fn open(&self, path: &Path) -> Result<Session> {
        let module = load(path)?;
        let (slot, token) = self.find(&module, path)?;
        let session = module.open_rw_session(slot).map_err(|error| failed(&error))?;
        pin::log_in(&session, &token, self.pin_file.as_deref(), || module.get_token_info(slot).ok())?;
        Ok(session)
    }

    fn find(&self, module: &Pkcs11, path: &Path) -> Result<(Slot, TokenInfo)> {
        let slots = module.get_slots_with_token().map_err(|error| failed(&error))?;
        // A card of another kind, in another reader, is in nobody's way.
        let token = |slot| module.get_token_info(slot).ok().filter(TokenInfo::token_initialized);
        let mut tokens: Vec<(Slot, TokenInfo)> =
            slots.into_iter().filter_map(|slot| Some((slot, token(slot)?))).collect();
        let names: Vec<String> = tokens.iter().map(|(_, token)| name(token)).collect();
        tokens.retain(|(_, token)| self.token_name.as_deref().is_none_or(|wanted| is_named(token, wanted)));
        let only = tokens.pop();
        match only {
            Some(only) if tokens.is_empty() => Ok(only),
            None if names.is_empty() => Err(Failure::usage(format!(
                "there is no token that is ready (`{}` knows of none)",
                path.display()
            ))
            .hint("plug it in; a new one has to be initialised with its maker's program")),
            Some(_) => Err(Failure::usage("which token is meant is not clear")
                .hint(format!("name it with `--token-name`: {}", names.join(", ")))),
            None => Err(Failure::usage("the token that was named is not there")
                .hint(format!("plug it in, or name what is there: {}", names.join(", ")))),
        }
    }
}

/// Loads and starts a module.
fn load(path: &Path) -> Result<Pkcs11> {
    let none = |error: Error| {
        let why = match &error {
            Error::LibraryLoading(_) if !path.exists() => "there is no such file".to_owned(),
            Error::LibraryLoading(_) | Error::MissingSymbol(_) => "it is no library of that kind".to_owned(),
            other => other.to_string(),
        };
        Failure::usage(format!("`{}` is not a PKCS #11 module that works here: {why}", path.display()))
            .hint("a token's maker says where theirs is; that of OpenSC, for many smart cards, is `opensc-pkcs11.so`")
    };
    let module = Pkcs11::new(path).map_err(none)?;
    module.initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK)).map_err(none)?;
    Ok(module)
}

/// The name and the serial number that a token gives itself.
fn name(token: &TokenInfo) -> String {
    let said = |text: &str| printable(text.trim());
    format!("`{}` (serial number `{}`)", said(token.label()), said(token.serial_number()))
}

fn is_named(token: &TokenInfo, wanted: &str) -> bool {
    [token.label(), token.serial_number()].iter().any(|name| name.trim() == wanted)
}

/// What went wrong between this machine and a token; never built from a secret.
fn failed(error: &Error) -> Failure {
    let Error::Pkcs11(value, _) = error else {
        return Failure::internal(format!("the token did not do it: {error}"));
    };
    match value {
        RvError::TokenNotPresent | RvError::DeviceRemoved | RvError::SlotIdInvalid => {
            Failure::usage("the token was pulled out").hint("plug it in, and run the command again")
        }
        RvError::MechanismInvalid
        | RvError::CurveNotSupported
        | RvError::DomainParamsInvalid
        | RvError::KeyFunctionNotPermitted
        | RvError::KeyTypeInconsistent => Failure::usage("the token, or this key on it, cannot do that").hint(
            "it takes ECDSA over P-256 to approve, and ECDH over P-256 (CKM_ECDH1_DERIVE) to hold a share",
        ),
        RvError::UserNotLoggedIn => Failure::usage("this key wants the PIN for each use")
            .hint("choose a key that one PIN serves for a session"),
        RvError::TokenWriteProtected | RvError::SessionReadOnly => {
            Failure::usage("the token can be read only").hint("its maker's program makes keys on it")
        }
        _ => Failure::internal(format!("the token did not do it: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_module_is_named_as_such() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("module.so");
        let missing = load(&path).err().unwrap();
        assert!(missing.fault.exit_code() == 2 && missing.sentence.contains("no such file"), "{missing}");
        std::fs::write(&path, b"no library").unwrap();
        let other = load(&path).err().unwrap();
        assert!(other.fault.exit_code() == 2 && other.sentence.contains("no library"), "{other}");
    }
}
