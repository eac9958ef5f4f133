//! Judges a received request: computes, from the bytes that came and the account's secret, what the signature must be.
//!
//! An implementation of its own beside the enclave's engine, which builds requests and shares no code with this. Both
//! read the same rule, so each is held to the requests that a third party recorded (`tests` below,
//! `enclave/connector-check`): a mistake would have to be made three times.

use super::file::{File, Rule, Step, is_session};
use super::hash::{keccak256, md5};
use super::json::Json;
use super::keys::Key;
use super::received::Received;
use super::template::{Piece, filtered, pieces};
use aws_lc_rs::{digest, hmac};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use std::collections::BTreeMap;

/// A credential as the exchange keeps it, by field.
pub type Keys = BTreeMap<String, Key>;

/// Why a request is not the account's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// A field that is sent in the clear is another.
    Field,
    Signature,
}

/// The credential's fields as keys; `None` where one is in no format that the file knows.
pub fn keys<'t>(file: &File, text: impl Fn(&str) -> Option<&'t str>) -> Option<Keys> {
    let read = |field: &super::file::Field| Some((field.name.clone(), Key::read(field, text(&field.name)?)?));
    file.credential.iter().map(read).collect()
}

/// Whether the rule is for credentials with this key: the private or MAC key among the fields, else the last.
pub fn holds_key(kinds: &[String], file: &File, keys: &Keys) -> bool {
    let mut held = file.credential.iter().filter_map(|field| keys.get(&field.name));
    let private = held.clone().find(|key| !matches!(key, Key::Text(_)));
    let key = private.or_else(|| held.next_back());
    kinds.is_empty()
        || key.is_some_and(|key| key.kinds().iter().any(|kind| kinds.iter().any(|known| known == kind)))
}

/// Verifies a request that was read by a rule.
///
/// # Errors
/// [`Fault::Field`] before [`Fault::Signature`].
pub fn verify(received: &Received, keys: &Keys) -> Result<(), Fault> {
    let same = |(name, text): (&str, &[u8])| keys.get(name).is_some_and(|key| shown(key) == Some(text));
    if !received.fields().all(same) {
        return Err(Fault::Field);
    }
    let mut judge = Judge { received, keys, outputs: BTreeMap::new(), proven: false };
    let applying = |step: &&Step| holds_key(&step.keys, received.file, keys);
    for step in received.rule.steps.iter().filter(applying) {
        judge.step(step).ok_or(Fault::Signature)?;
    }
    // A rule whose steps prove nothing shows its secret, which was compared above.
    let shows = || received.fields().any(|(name, _)| is_secret_or_only(received.rule, received.file, name));
    if judge.proven || shows() { Ok(()) } else { Err(Fault::Signature) }
}

/// How a field's text stands in a request.
fn shown(key: &Key) -> Option<&[u8]> {
    key.bytes()
}

/// Whether a shown field is what the exchange goes by: a secret one, or any where the rule signs nothing.
fn is_secret_or_only(rule: &Rule, file: &File, name: &str) -> bool {
    let signs = rule.steps.iter().any(|step| step.work.field("text").is_none());
    !signs || is_session(name) || file.credential.iter().any(|field| field.secret && field.name == name)
}

struct Judge<'j> {
    received: &'j Received<'j>,
    keys: &'j Keys,
    /// Of the steps so far.
    outputs: BTreeMap<&'j str, Vec<u8>>,
    /// Something that only the secret's holder can make was found right.
    proven: bool,
}

impl<'j> Judge<'j> {
    fn step(&mut self, step: &'j Step) -> Option<()> {
        let claimed = self.received.claimed(&step.name);
        let output = match Work::of(step)? {
            Work::Plain => match claimed {
                // What the text is made of was found in it, unless it is one of several.
                Some(text) if !self.is_alternative(step) => text.to_vec(),
                claimed => {
                    let output = encoded(step, self.plain(step)?)?;
                    claimed.is_none_or(|claimed| claimed == output).then_some(output)?
                }
            },
            Work::Computed => {
                let (output, secret) = self.computed(step)?;
                let output = encoded(step, output)?;
                if claimed.is_some_and(|claimed| claimed != output) {
                    return None;
                }
                self.proven |= secret && claimed.is_some();
                output
            }
            Work::Signed => {
                self.signed(step, claimed?).then_some(())?;
                self.proven = true;
                claimed?.to_vec()
            }
        };
        self.outputs.insert(&step.name, output);
        Some(())
    }

    fn is_alternative(&self, step: &Step) -> bool {
        self.received.rule.steps.iter().filter(|other| other.name == step.name).count() > 1
    }

    /// Text, JSON or parameters that were not sent as they are signed.
    fn plain(&self, step: &Step) -> Option<Vec<u8>> {
        if let Some(template) = step.work.field("text") {
            return self.text(template);
        }
        if let Some(Json::Map(members)) = step.work.member("json") {
            let member = |(name, setting): &(String, Json)| Some((name.clone(), self.value(setting)?));
            return Some(Json::Map(members.iter().map(member).collect::<Option<_>>()?).write().into_bytes());
        }
        let mut params = self.received.unsealed()?;
        for (name, setting) in step.work.member("with").map(Json::members).unwrap_or_default() {
            params.push(name, self.value(setting)?.text()?);
        }
        params.encoded(step.work.field("params")?).map(String::into_bytes)
    }

    fn value(&self, setting: &Json) -> Option<Json> {
        let text = |template: &str| String::from_utf8(self.text(template)?).ok();
        match setting {
            Json::Text(template) => text(template).map(Json::Text),
            Json::Map(members) => match members.as_slice() {
                [(word, Json::Text(template))] if word == "number" => text(template).map(Json::Number),
                _ => None,
            },
            other => Some(other.clone()),
        }
    }

    /// A hash or MAC, and whether a secret is in it.
    fn computed(&self, step: &Step) -> Option<(Vec<u8>, bool)> {
        let work = &step.work;
        let message = self.text(work.field("message")?)?;
        if let Some(hash) = work.field("hash") {
            return Some((hashed(hash, &message)?, self.names_secret(work.field("message")?)));
        }
        let algorithm = match work.field("hmac")? {
            "sha256" => hmac::HMAC_SHA256,
            "sha384" => hmac::HMAC_SHA384,
            "sha512" => hmac::HMAC_SHA512,
            _ => return None,
        };
        let key = hmac::Key::new(algorithm, &self.text(work.field("key")?)?);
        Some((hmac::sign(&key, &message).as_ref().to_vec(), true))
    }

    fn names_secret(&self, template: &str) -> bool {
        let mut secrets = self.received.file.credential.iter().filter(|field| field.secret);
        secrets.any(|field| template.contains(&format!("{{{}", field.name)))
    }

    /// Whether the mark that came is a signature by the account's key over what the rule says.
    fn signed(&self, step: &Step, claimed: &[u8]) -> bool {
        let work = &step.work;
        let key = |name: &str| self.keys.get(work.field(name)?);
        let message = || self.text(work.field("message")?);
        if let Some(key) = key("jwt") {
            return jwt(key, claimed).is_some();
        }
        let Some(mark) = step
            .encode
            .iter()
            .rev()
            .try_fold(claimed.to_vec(), |mark, filter| super::template::unfiltered(filter, &mark))
        else {
            return false;
        };
        if let Some(key) = key("sign") {
            return message().is_some_and(|message| key.verifies(&message, &mark));
        }
        if let Some(key) = key("personal") {
            return message().is_some_and(|message| key.signed_digest(personal(&message), &mark));
        }
        let digest = key("typed").zip(self.typed(work));
        digest.is_some_and(|(key, digest)| key.signed_digest(digest, &mark))
    }

    /// The digest of a flat EIP-712 structure of which every member is text.
    fn typed(&self, work: &Json) -> Option<[u8; 32]> {
        let domain = work.member("domain")?;
        let number: u64 = domain.field("chain_id")?.parse().ok()?;
        let contract = super::super::mac::unhex(domain.field("verifying_contract")?.strip_prefix("0x")?)?;
        let kind = "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)";
        let separator = keccak256(
            &[
                keccak256(kind.as_bytes()),
                keccak256(domain.field("name")?.as_bytes()),
                keccak256(domain.field("version")?.as_bytes()),
                word(&number.to_be_bytes()),
                word(&contract),
            ]
            .concat(),
        );
        let kind = work.field("type")?;
        let mut members = vec![keccak256(kind.as_bytes())];
        let types = kind.split_once('(')?.1.split(',');
        for (declared, template) in types.zip(work.texts("members")) {
            // No connector signs members of other types.
            declared.starts_with("string ").then_some(())?;
            members.push(keccak256(&self.text(template)?));
        }
        Some(keccak256(&[&[0x19, 0x01], separator.as_slice(), &keccak256(&members.concat())].concat()))
    }

    /// A template with everything that is known, the account's fields among it.
    fn text(&self, template: &str) -> Option<Vec<u8>> {
        let mut out = Vec::new();
        for piece in pieces(template) {
            match piece {
                Piece::Literal(text) => out.extend_from_slice(text.as_bytes()),
                Piece::Place { token, filters } => {
                    out.extend(
                        filters
                            .iter()
                            .try_fold(self.token(token)?, |text, filter| filtered(filter, &text))?,
                    );
                }
            }
        }
        Some(out)
    }

    fn token(&self, token: &str) -> Option<Vec<u8>> {
        if let Some(output) = self.outputs.get(token) {
            return Some(output.clone());
        }
        if let Some(key) = self.keys.get(token) {
            return key.bytes().map(<[u8]>::to_vec);
        }
        if let Some(field) = token.strip_prefix("address.") {
            return self.keys.get(field)?.address().map(String::into_bytes);
        }
        self.received.token(token)
    }
}

/// What a step does.
enum Work {
    Plain,
    Computed,
    Signed,
}

impl Work {
    fn of(step: &Step) -> Option<Self> {
        let has = |names: &[&str]| names.iter().any(|name| step.work.member(name).is_some());
        match () {
            () if has(&["hash", "hmac"]) => Some(Self::Computed),
            () if has(&["sign", "personal", "typed", "jwt"]) => Some(Self::Signed),
            () if has(&["text", "json", "params"]) => Some(Self::Plain),
            () => None,
        }
    }
}

fn encoded(step: &Step, output: Vec<u8>) -> Option<Vec<u8>> {
    step.encode.iter().try_fold(output, |text, filter| filtered(filter, &text))
}

fn hashed(hash: &str, message: &[u8]) -> Option<Vec<u8>> {
    let algorithm = match hash {
        "md5" => return Some(md5(message).to_vec()),
        "keccak256" => return Some(keccak256(message).to_vec()),
        "sha256" => &digest::SHA256,
        "sha384" => &digest::SHA384,
        "sha512" => &digest::SHA512,
        _ => return None,
    };
    Some(digest::digest(algorithm, message).as_ref().to_vec())
}

/// EIP-191, version `E`.
fn personal(message: &[u8]) -> [u8; 32] {
    let lead = format!("\x19Ethereum Signed Message:\n{}", message.len());
    keccak256(&[lead.as_bytes(), message].concat())
}

/// A number of at most 32 bytes, big-endian, in a word.
fn word(bytes: &[u8]) -> [u8; 32] {
    let mut word = [0; 32];
    word[32 - bytes.len()..].copy_from_slice(bytes);
    word
}

/// RFC 7515, compact: `alg` must be the key's own (m37).
fn jwt(key: &Key, token: &[u8]) -> Option<()> {
    let token = std::str::from_utf8(token).ok()?;
    let (message, mark) = token.rsplit_once('.')?;
    let header = URL_SAFE_NO_PAD.decode(message.split('.').next()?).ok()?;
    let header = Json::parse(std::str::from_utf8(&header).ok()?)?;
    let mark = URL_SAFE_NO_PAD.decode(mark).ok()?;
    key.verifies_jwt(header.field("alg")?, message.as_bytes(), &mark).then_some(())
}
