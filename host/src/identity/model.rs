//! Organisations, how one gets its first key, and what was done.

use super::rights::{Environment, Scopes};
use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use core::fmt::{self, Debug, Display, Formatter};
use wire::{EventId, KeyId, OrganisationId, SessionId, UnixMillis};
use zeroize::Zeroizing;

/// An invitation is good for so long, in milliseconds.
pub const INVITATION: u64 = 24 * 3_600_000;

/// What people call something: 1 to 64 characters that are printed, none of them white space but single inner spaces.
#[derive(Clone, PartialEq, Eq)]
pub struct Name(String);

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Organisation {
    pub id: OrganisationId,
    pub name: Name,
    pub created: UnixMillis,
}

/// Lets whoever brings its code register one key of an organisation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invitation {
    pub code: CodeHash,
    pub organisation: OrganisationId,
    pub scopes: Scopes,
    pub environment: Environment,
    pub created: UnixMillis,
    pub expires: UnixMillis,
    /// The one key that it was good for.
    pub used_by: Option<KeyId>,
}

/// A secret that is shown once: 128 random bits, as `inv_` (an invitation) or `rec_` (a way back) and 22 characters of base64url.
pub struct Code(Zeroizing<String>);

/// What is kept of it.
#[derive(Clone, PartialEq, Eq)]
pub struct CodeHash(String);

/// Who did something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Actor {
    /// A command of the host's operators.
    Operator,
    Key(KeyId),
    /// A person, by the device that signed.
    Session(SessionId),
}

/// The name of a request in the gateway's log: `req_` and 32 hexadecimal digits. Of an operator's command, `-`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestName(String);

/// Who did what to what. The action is a word of docs/spec/identity.md §7.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    pub id: EventId,
    pub organisation: OrganisationId,
    pub actor: Actor,
    pub action: String,
    pub subject: String,
    pub happened: UnixMillis,
    pub request: RequestName,
}

impl Name {
    pub fn parse(text: &str) -> Option<Name> {
        let is_short = (1..=64).contains(&text.chars().count());
        let is_plain =
            text.chars().all(|letter| letter.is_alphanumeric() || " -_.,:;'&()/+@#".contains(letter));
        let is_trimmed = text.trim() == text && !text.contains("  ");
        (is_short && is_plain && is_trimmed).then(|| Name(text.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Debug for Name {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        Debug::fmt(&self.0, f)
    }
}

impl Code {
    const INVITATION: &'static str = "inv_";
    const RECOVERY: &'static str = "rec_";

    pub fn from_random(bytes: &[u8; 16]) -> Code {
        Code::of(Code::INVITATION, bytes)
    }

    pub fn of_recovery(bytes: &[u8; 16]) -> Code {
        Code::of(Code::RECOVERY, bytes)
    }

    fn of(prefix: &str, bytes: &[u8; 16]) -> Code {
        Code(Zeroizing::new(format!("{prefix}{}", URL_SAFE_NO_PAD.encode(bytes))))
    }

    /// To show once, to whoever asked for it.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// Of what somebody brought; `None` if it is none whatever was given out.
    pub fn hash_of(text: &str) -> Option<CodeHash> {
        Code::hashed(Code::INVITATION, text)
    }

    pub fn hash_of_recovery(text: &str) -> Option<CodeHash> {
        Code::hashed(Code::RECOVERY, text)
    }

    fn hashed(prefix: &str, text: &str) -> Option<CodeHash> {
        let bytes = URL_SAFE_NO_PAD.decode(text.strip_prefix(prefix)?).ok()?;
        (bytes.len() == 16).then(|| CodeHash::of(text))
    }

    pub fn hash(&self) -> CodeHash {
        CodeHash::of(&self.0)
    }
}

impl Debug for Code {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("Code")
    }
}

impl CodeHash {
    fn of(code: &str) -> CodeHash {
        CodeHash(hex(digest(&SHA256, code.as_bytes()).as_ref()))
    }

    /// SHA-256 in 64 hexadecimal digits.
    pub fn from_hex(text: String) -> CodeHash {
        CodeHash(text)
    }

    pub fn as_hex(&self) -> &str {
        &self.0
    }
}

impl Debug for CodeHash {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("CodeHash")
    }
}

impl Actor {
    pub fn parse(text: &str) -> Option<Actor> {
        match text {
            "operator" => Some(Actor::Operator),
            _ => KeyId::parse(text).map(Actor::Key).or_else(|| SessionId::parse(text).map(Actor::Session)),
        }
    }
}

impl Display for Actor {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Actor::Operator => f.write_str("operator"),
            Actor::Key(id) => Display::fmt(id, f),
            Actor::Session(id) => Display::fmt(id, f),
        }
    }
}

impl RequestName {
    pub fn of_command() -> RequestName {
        RequestName("-".to_owned())
    }

    pub fn parse(text: &str) -> Option<RequestName> {
        let digits = text.strip_prefix("req_")?;
        let is_hex = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        (digits.len() == 32 && digits.bytes().all(is_hex)).then(|| RequestName(text.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Lower case.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_prints_nothing_and_is_known_by_its_hash_alone() {
        let code = Code::from_random(&[7; 16]);
        assert_eq!(Code::hash_of(code.reveal()), Some(code.hash()));
        assert_eq!(format!("{code:?} {:?}", code.hash()), "Code CodeHash");
        let text = code.reveal();
        for other in [&text[4..], &text[..25], &format!("{text}A"), &text.replace("inv_", "key_"), "", "inv_"]
        {
            assert_eq!(Code::hash_of(other), None, "{other}");
        }
        assert_ne!(Code::from_random(&[8; 16]).hash(), code.hash());
    }

    #[test]
    fn a_name_is_what_people_can_read() {
        for name in ["backend", "Zahlungen (EU) 2", "給与", "a"] {
            assert!(Name::parse(name).is_some(), "{name}");
        }
        let long = "a".repeat(65);
        for name in ["", " a", "a ", "a  b", "a\nb", "a\u{202e}b", "a\u{200b}", "a\0", "<b>", &long] {
            assert_eq!(Name::parse(name), None, "{name:?}");
        }
    }
}
