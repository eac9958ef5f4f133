//! A token's PIN: from a file, or typed without echo. A wrong one is never tried again by itself, for a few lock the token.

use super::failed;
use crate::client::failure::{Failure, Result};
use crate::client::home::passphrase::Passphrase;
use crate::client::terminal::{ask_hidden, can_ask, printable, say};
use cryptoki::error::{Error, RvError};
use cryptoki::session::{Session, UserType};
use cryptoki::slot::TokenInfo;
use cryptoki::types::AuthPin;
use std::path::Path;

/// What a token says of the tries that are left. None says how many they are (PKCS #11 2.40 §3.2, token information flags).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tries {
    /// Nothing: all, or it keeps that to itself.
    Unsaid,
    /// A wrong one was given since the last right one.
    Fewer,
    /// The next wrong one locks it.
    Last,
    Locked,
}

/// Shows the token its PIN. `now` asks the token about itself anew.
pub fn log_in(
    session: &Session,
    token: &TokenInfo,
    file: Option<&Path>,
    now: impl Fn() -> Option<TokenInfo>,
) -> Result<()> {
    let name = printable(token.label().trim());
    match Tries::of(token) {
        Tries::Locked => return Err(locked()),
        Tries::Last => say(format!("warning: one more wrong PIN locks the token `{name}`")),
        Tries::Fewer | Tries::Unsaid => {}
    }
    if !token.user_pin_initialized() {
        return Err(Failure::usage(format!("the token `{name}` has no PIN yet"))
            .hint("its maker's program sets one, or the office that issued it does"));
    }
    let pin = if token.protected_authentication_path() {
        say(format!("type the PIN of `{name}` on the token's own keys"));
        None
    } else {
        let pin = given(file, &name)?;
        let text = pin.text().ok_or_else(|| Failure::usage("a PIN is text"))?;
        Some(AuthPin::new(text.into()))
    };
    session
        .login(UserType::User, pin.as_ref())
        .map_err(|error| refused(&error, || now().as_ref().map(Tries::of)))
}

/// The PIN as it is in the file, or typed; once.
fn given(file: Option<&Path>, token: &str) -> Result<Passphrase> {
    if let Some(path) = file {
        return Passphrase::from_file(path, "PIN");
    }
    if !can_ask() {
        return Err(Failure::usage("the token wants its PIN, and nobody is there to be asked")
            .hint("type it at a terminal, or name its file with `--pin-file FILE`"));
    }
    let typed = ask_hidden(&format!("PIN of the token `{token}`"))?;
    Passphrase::new(typed.as_bytes())?.ok_or_else(|| Failure::usage("no PIN was typed"))
}

fn refused(error: &Error, tries: impl FnOnce() -> Option<Tries>) -> Failure {
    let Error::Pkcs11(value, _) = error else { return failed(error) };
    match value {
        RvError::PinIncorrect | RvError::PinInvalid | RvError::PinLenRange => {
            wrong(tries().unwrap_or(Tries::Unsaid))
        }
        RvError::PinLocked => locked(),
        RvError::PinExpired => {
            Failure::refused("pin_expired", "the token wants a new PIN first (pin_expired)")
                .hint("its maker's program changes it")
        }
        RvError::FunctionCanceled | RvError::Cancel => {
            Failure::refused("pin_not_given", "no PIN was given (pin_not_given)")
        }
        _ => failed(error),
    }
}

fn wrong(tries: Tries) -> Failure {
    let left = match tries {
        Tries::Locked => return locked(),
        Tries::Last => "one try is left: another wrong PIN locks the token",
        Tries::Fewer => {
            "the token counts wrong ones, and locks itself after a few; a right one sets that back"
        }
        Tries::Unsaid => "the token does not say how many tries are left; most lock themselves after a few",
    };
    Failure::refused("wrong_pin", "the token does not take this PIN (wrong_pin)").hint(left)
}

fn locked() -> Failure {
    Failure::refused("pin_locked", "the token is locked: it was given too many wrong PINs (pin_locked)").hint(
        "its maker's program unlocks it, with the PUK or the security officer's PIN; the keys on it stay",
    )
}

impl Tries {
    fn of(token: &TokenInfo) -> Tries {
        Tries::said(token.user_pin_locked(), token.user_pin_final_try(), token.user_pin_count_low())
    }

    /// By the flags CKF_USER_PIN_LOCKED, CKF_USER_PIN_FINAL_TRY and CKF_USER_PIN_COUNT_LOW.
    fn said(locked: bool, final_try: bool, count_low: bool) -> Tries {
        match (locked, final_try, count_low) {
            (true, _, _) => Tries::Locked,
            (false, true, _) => Tries::Last,
            (false, false, true) => Tries::Fewer,
            (false, false, false) => Tries::Unsaid,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cryptoki::context::Function;

    fn after(value: RvError, tries: Tries) -> Failure {
        refused(&Error::Pkcs11(value, Function::Login), || Some(tries))
    }

    #[test]
    fn the_worst_that_a_token_says_of_its_tries_counts() {
        assert_eq!(Tries::said(true, true, true), Tries::Locked);
        assert_eq!(Tries::said(false, true, true), Tries::Last);
        assert_eq!(Tries::said(false, false, true), Tries::Fewer);
        assert_eq!(Tries::said(false, false, false), Tries::Unsaid);
    }

    #[test]
    fn a_wrong_pin_tells_what_the_token_says_of_the_tries_that_are_left() {
        let hint = |tries| after(RvError::PinIncorrect, tries).hint.unwrap();
        assert!(hint(Tries::Last).starts_with("one try is left"));
        assert!(hint(Tries::Fewer).contains("counts wrong ones"));
        assert!(hint(Tries::Unsaid).contains("does not say"));
        assert_eq!(after(RvError::PinIncorrect, Tries::Fewer).code, "wrong_pin");
        // The last try was it.
        assert_eq!(after(RvError::PinIncorrect, Tries::Locked).code, "pin_locked");
        assert_eq!(after(RvError::PinLocked, Tries::Unsaid).code, "pin_locked");
        assert_eq!(after(RvError::PinExpired, Tries::Unsaid).code, "pin_expired");
        assert_eq!(after(RvError::DeviceRemoved, Tries::Unsaid).fault.exit_code(), 2);
    }

    #[test]
    fn m18_a_pin_is_read_from_a_file_to_the_end_of_its_line_and_no_empty_one_is_shown_to_a_token() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pin");
        crate::client::home::files::create(&path, b"12 34\r\n").unwrap();
        assert_eq!(given(Some(&path), "token").unwrap().text(), Some("12 34"));
        for empty in [&b""[..], b"\n", b"\r\n"] {
            std::fs::write(&path, empty).unwrap();
            assert_eq!(given(Some(&path), "token").unwrap_err().fault.exit_code(), 2);
        }
        assert!(given(Some(&folder.path().join("none")), "token").is_err());
    }
}
