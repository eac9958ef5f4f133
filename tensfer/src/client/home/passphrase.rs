//! The passphrase over an owner's keys: from a file, typed by a person, or none.

use crate::client::failure::{Failure, Result};
use crate::client::home::files;
use crate::client::home::key_file::WRONG_PASSPHRASE;
use crate::client::terminal::{self, say};
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use zeroize::Zeroizing;

/// Longer than this is no passphrase.
const MAX_BYTES: usize = 1024;
/// How often a person may mistype.
const ATTEMPTS: u64 = 3;

pub struct Passphrase(Zeroizing<Vec<u8>>);

impl Passphrase {
    /// `None` for an empty one.
    pub fn new(bytes: &[u8]) -> Result<Option<Passphrase>> {
        if bytes.len() > MAX_BYTES {
            return Err(Failure::usage(format!("your passphrase is longer than {MAX_BYTES} bytes")));
        }
        Ok((!bytes.is_empty()).then(|| Passphrase(Zeroizing::new(bytes.to_vec()))))
    }

    /// The first line of a file, which others should not be able to read. `what` says what it is.
    pub fn from_file(path: &Path, what: &str) -> Result<Passphrase> {
        if let Some(warning) = files::exposure_warning(path) {
            say(warning);
        }
        let bytes = files::read(path)?;
        let bytes =
            bytes.ok_or_else(|| Failure::usage(format!("there is no {what} file `{}`", path.display())))?;
        let line = bytes.strip_suffix(b"\n").unwrap_or(&bytes);
        let passphrase = Passphrase::new(line.strip_suffix(b"\r").unwrap_or(line))?;
        passphrase.ok_or_else(|| Failure::usage(format!("your {what} file `{}` is empty", path.display())))
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// As text: a token's PIN is one.
    pub fn text(&self) -> Option<&str> {
        std::str::from_utf8(&self.0).ok()
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
    person: Box<dyn Person>,
    known: OnceLock<Option<Passphrase>>,
}

/// Who types passphrases.
pub trait Person: Send + Sync {
    fn is_there(&self) -> bool;
    /// Without echo.
    fn ask(&self, what: &str) -> Result<Zeroizing<String>>;
}

/// Whoever sits at the terminal.
struct AtTerminal;

impl Person for AtTerminal {
    fn is_there(&self) -> bool {
        terminal::can_ask()
    }

    fn ask(&self, what: &str) -> Result<Zeroizing<String>> {
        terminal::ask_hidden(what)
    }
}

impl Passphrases {
    pub fn new(file: Option<PathBuf>) -> Passphrases {
        Passphrases::of(file, Box::new(AtTerminal))
    }

    pub(super) fn of(file: Option<PathBuf>, person: Box<dyn Person>) -> Passphrases {
        Passphrases { file, person, known: OnceLock::new() }
    }

    /// Whether a file of unlocked keys should be locked now.
    pub fn given_by_file(&self) -> bool {
        self.file.is_some()
    }

    /// What `unlock` makes of the passphrase of the locked file at `path`. Who mistypes is asked again. `None`: there is
    /// nobody to ask.
    pub fn existing<T>(&self, path: &Path, unlock: impl Fn(&Passphrase) -> Result<T>) -> Result<Option<T>> {
        if let Some(passphrase) = self.given()? {
            let unlocked = unlock(passphrase);
            // A passphrase that opened another file need not be this one's.
            if !is_wrong(&unlocked) || !self.may_ask() {
                return unlocked.map(Some);
            }
        }
        if !self.may_ask() {
            return Ok(None);
        }
        for left in (1..ATTEMPTS).rev() {
            let unlocked = self.ask_for(path, &unlock);
            if !is_wrong(&unlocked) {
                return unlocked.map(Some);
            }
            let tries = terminal::counted(left, "try is left", "tries are left");
            say(format!("that is not the passphrase: {tries}"));
        }
        self.ask_for(path, &unlock).map(Some)
    }

    fn ask_for<T>(&self, path: &Path, unlock: impl Fn(&Passphrase) -> Result<T>) -> Result<T> {
        let typed = self.person.ask(&format!("passphrase of `{}`", path.display()))?;
        let passphrase = Passphrase::new(typed.as_bytes())?.ok_or_else(none_given)?;
        let unlocked = unlock(&passphrase)?;
        // Another file's may be known already.
        let _ = self.known.set(Some(passphrase));
        Ok(unlocked)
    }

    /// The passphrase for a file that is being made. `None`: it stays unlocked.
    pub fn chosen(&self) -> Result<Option<&Passphrase>> {
        if let Some(passphrase) = self.given()? {
            return Ok(Some(passphrase));
        }
        if self.may_ask() && self.known.get().is_none() {
            let chosen = self.choose()?;
            return Ok(self.known.get_or_init(|| chosen).as_ref());
        }
        Ok(None)
    }

    fn choose(&self) -> Result<Option<Passphrase>> {
        for _ in 0..ATTEMPTS {
            let first = self.person.ask("choose a passphrase for your keys (empty: none)")?;
            if first.is_empty() || *self.person.ask("the same passphrase again")? == *first {
                return Passphrase::new(first.as_bytes());
            }
            say("the two passphrases differ");
        }
        Err(Failure::usage("the two passphrases differ"))
    }

    /// What is known already, or stands in the file.
    fn given(&self) -> Result<Option<&Passphrase>> {
        if let (None, Some(path)) = (self.known.get(), &self.file) {
            let passphrase = Passphrase::from_file(path, "passphrase")?;
            return Ok(self.known.get_or_init(|| Some(passphrase)).as_ref());
        }
        Ok(self.known.get().and_then(Option::as_ref))
    }

    fn may_ask(&self) -> bool {
        self.file.is_none() && self.person.is_there()
    }
}

pub fn none_given() -> Failure {
    Failure::usage("your keys are locked and no passphrase was given")
        .hint("type it at a terminal, or name its file with `--passphrase-file FILE`")
}

fn is_wrong<T>(unlocked: &Result<T>) -> bool {
    unlocked.as_ref().is_err_and(|failure| failure.code == WRONG_PASSPHRASE)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{Arc, Mutex};

    /// Types these lines, and counts what is left.
    #[derive(Clone)]
    struct Typing(Arc<Mutex<Vec<&'static str>>>);

    impl Typing {
        fn lines(lines: &[&'static str]) -> Typing {
            Typing(Arc::new(Mutex::new(lines.iter().rev().copied().collect())))
        }

        fn left(&self) -> usize {
            self.0.lock().unwrap().len()
        }
    }

    impl Person for Typing {
        fn is_there(&self) -> bool {
            true
        }

        fn ask(&self, _: &str) -> Result<Zeroizing<String>> {
            let line = self.0.lock().unwrap().pop().expect("nothing more is asked");
            Ok(Zeroizing::new(line.to_owned()))
        }
    }

    /// Opens with this one.
    fn lock(right: &'static str) -> impl Fn(&Passphrase) -> Result<&'static str> {
        move |typed| match typed.bytes() == right.as_bytes() {
            true => Ok(right),
            false => Err(Failure::refused(WRONG_PASSPHRASE, "wrong")),
        }
    }

    fn opened(passphrases: &Passphrases, right: &'static str) -> Result<Option<&'static str>> {
        passphrases.existing(Path::new("owner.key"), lock(right))
    }

    #[test]
    fn who_mistypes_is_asked_again_three_times_at_most_and_then_never_for_what_is_known() {
        let typing = Typing::lines(&["rihgt", "Right", "right"]);
        let passphrases = Passphrases::of(None, Box::new(typing.clone()));
        assert_eq!(opened(&passphrases, "right").unwrap(), Some("right"));
        assert_eq!(opened(&passphrases, "right").unwrap(), Some("right"));
        assert_eq!(typing.left(), 0);

        let typing = Typing::lines(&["a", "b", "c", "right"]);
        let passphrases = Passphrases::of(None, Box::new(typing.clone()));
        assert_eq!(opened(&passphrases, "right").unwrap_err().code, WRONG_PASSPHRASE);
        assert_eq!(typing.left(), 1);
    }

    #[test]
    fn a_file_under_another_passphrase_is_asked_for_by_itself() {
        let typing = Typing::lines(&["one", "two"]);
        let passphrases = Passphrases::of(None, Box::new(typing.clone()));
        assert_eq!(opened(&passphrases, "one").unwrap(), Some("one"));
        assert_eq!(opened(&passphrases, "two").unwrap(), Some("two"));
        assert_eq!(opened(&passphrases, "one").unwrap(), Some("one"));
        assert_eq!(typing.left(), 0);
    }

    #[test]
    fn a_passphrase_is_chosen_once_and_typed_twice() {
        let typing = Typing::lines(&["new", "nwe", "new", "new"]);
        let passphrases = Passphrases::of(None, Box::new(typing.clone()));
        assert_eq!(passphrases.chosen().unwrap().unwrap().bytes(), b"new");
        assert_eq!(passphrases.chosen().unwrap().unwrap().bytes(), b"new");
        let none = Passphrases::of(None, Box::new(Typing::lines(&[""])));
        assert!(none.chosen().unwrap().is_none() && none.chosen().unwrap().is_none());
    }

    #[test]
    fn a_wrong_passphrase_in_a_file_is_not_asked_about() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("passphrase");
        files::create(&path, b"wrong\n").unwrap();
        let passphrases = Passphrases::of(Some(path), Box::new(Typing::lines(&[])));
        assert_eq!(opened(&passphrases, "right").unwrap_err().code, WRONG_PASSPHRASE);
    }
}
